"""The public address, from outside: does its name exist, is its certificate good, does Pamosnik answer there?

Meta follows no redirect and wants a certificate that everybody trusts:
https://developers.facebook.com/docs/instagram-platform/webhooks
"""

import secrets
from collections.abc import Mapping
from ipaddress import ip_address
from urllib.parse import urljoin, urlsplit

from pamosnik import reach
from pamosnik.calls import is_public
from pamosnik.config import Config
from pamosnik.reach import OF_CERTIFICATES, Seen, Trouble, Unreached
from pamosnik.services.doctor import remedies
from pamosnik.services.doctor.checks import Check, Found, bad, good, skipped, waits

PATH = "/webhooks/instagram"
_ALIVE = "/healthz"
_REDIRECTS = (301, 302, 303, 307, 308)
_MOST_REDIRECTS = 5
_NOBODY_BEHIND = (502, 503, 504, 521, 522, 523, 530)
"""Of a tunnel or proxy that reaches no program; 52x and 530 are Cloudflare's."""
_NAMES = ("address_name", "certificate", "redirects", "reached", "handshake")

_CERTIFICATE: Mapping[Trouble, str] = {
    Trouble.SELF_SIGNED: "Meta refuses it. Get one that everybody trusts, for example from Let's Encrypt: certbot"
    " certonly, or let the tunnel or a proxy do it.",
    Trouble.UNKNOWN_AUTHORITY: "Meta refuses it. Get one that everybody trusts, for example from Let's Encrypt:"
    " certbot"
    " certonly, or let the tunnel or a proxy do it.",
    Trouble.INCOMPLETE: "Give the server the whole chain, not the certificate alone: with certbot that is"
    " fullchain.pem"
    " (serve --tls-cert fullchain.pem). If the chain is whole, its authority is one that nobody trusts.",
    Trouble.EXPIRED: "Renew it. Try: certbot renew; `pamosnik serve` takes the new file by itself, a proxy has to be"
    " reloaded.",
    Trouble.NOT_YET: "Look at this machine's clock first: timedatectl. If it is right, wait until the"
    " certificate begins"
    " or get another one.",
    Trouble.OTHER_NAME: "Get a certificate for the name in PAMOSNIK_PUBLIC_URL, or set that to the name in the"
    " certificate.",
    Trouble.UNTRUSTED: "Look at it: openssl s_client -connect HOST:443 -servername HOST",
}


async def look(settings: Config, daemon_runs: bool) -> list[Check]:
    """All checks of `_NAMES`, in that order."""
    if settings.public_url is None:
        return [skipped(name, "no public address is set (PAMOSNIK_PUBLIC_URL)") for name in _NAMES]
    look = _Look(settings, settings.public_url.rstrip("/"), daemon_runs)
    return await (look.all() if settings.public_url.startswith("https:") else look.where_it_leads())


class _Look:
    def __init__(self, settings: Config, address: str, daemon_runs: bool) -> None:
        self._settings, self._address, self._daemon_runs = settings, address, daemon_runs
        parts = urlsplit(address)
        self._host = parts.hostname or ""
        self._port = parts.port or (443 if parts.scheme == "https" else 80)
        self._unknown = False
        self._found: list[Check] = []

    async def all(self) -> list[Check]:
        await self._steps()
        had = {check.name for check in self._found}
        last = self._found[-1].name
        return [*self._found, *(waits(name, f"`{last}`") for name in _NAMES if name not in had)]

    async def where_it_leads(self) -> list[Check]:
        """Of an address that is not encrypted: often the encrypted one is behind it."""
        try:
            seen = await reach.get(f"{self._address}{_ALIVE}")
        except Unreached:
            seen = None
        leads = seen is not None and seen.status in _REDIRECTS
        there = [await self._redirects(seen)] if seen is not None and leads else []
        return [there[0] if there and name == "redirects" else waits(name, "`address`") for name in _NAMES]

    async def _steps(self) -> None:
        """Each as far as the one before let it."""
        self._found.append(await self._name())
        if self._unknown:
            return
        try:
            seen = await reach.get(f"{self._address}{_ALIVE}")
        except Unreached as unreached:
            self._found += self._unreached(unreached.trouble)
            return
        self._found.append(self._certificate())
        self._found.append(await self._redirects(seen))
        if self._found[-1].found is Found.BAD:
            return
        self._found.append(self._reached(seen))
        if self._found[-1].found is Found.GOOD:
            self._found.append(await self._handshake())

    # --- the name --------------------------------------------------------------------------------------

    async def _name(self) -> Check:
        try:
            known = await reach.addresses(self._host, self._port)
        except Unreached:
            self._unknown = True
            return bad(
                "address_name",
                f"The name {self._host} is not known: it does not resolve to any address, so Meta cannot reach it.",
                "Check the spelling of PAMOSNIK_PUBLIC_URL, start the tunnel, or make the DNS record. Try:"
                " getent hosts"
                f" {self._host}",
            )
        private = [one for one in known if not is_public(one)]
        if private and len(private) == len(known) and not self._stands_in():
            return bad(
                "address_name",
                f"{self._host} leads to {private[0]}, in a private network: Meta cannot reach it.",
                "Set PAMOSNIK_PUBLIC_URL to the address of a tunnel or of a domain that leads here from the"
                " internet.",
            )
        return good("address_name", f"{self._host} leads to {known[0]}.")

    def _stands_in(self) -> bool:
        """Whether Meta itself is a program on this machine or beside it, which reaches what is private."""
        if self._settings.meta_url is None:
            return False
        host = urlsplit(self._settings.meta_url).hostname or ""
        try:
            return not is_public(str(ip_address(host)))
        except ValueError:
            return host == "localhost" or "." not in host

    # --- the way there ---------------------------------------------------------------------------------

    def _unreached(self, trouble: Trouble) -> list[Check]:
        if trouble in OF_CERTIFICATES:
            fix = _CERTIFICATE[trouble].replace("HOST", self._host)
            return [bad("certificate", f"{self._address}: {trouble.value}.", fix)]
        if trouble is Trouble.NO_TLS:
            fix = "Let the tunnel or proxy speak TLS there, or start: pamosnik serve --tls-cert … --tls-key …"
            return [bad("certificate", f"{self._address}: {trouble.value}.", fix)]
        return [self._nobody(f"{self._address}: {trouble.value}.")]

    def _nobody(self, told: str) -> Check:
        if not self._daemon_runs:
            return skipped("reached", f"pamosnik serve is not running, so nobody can answer ({told[:-1]})")
        local = f"http://{self._settings.host}:{self._settings.port}{_ALIVE}"
        return bad(
            "reached",
            f"{told} `pamosnik serve` is running, and the way to it is not there.",
            f"Start the tunnel or proxy again, and see that it leads to port {self._settings.port}. Try: curl -i"
            f" {local}"
            " (some routers do not lead back to their own address: then try from a phone without WLAN)",
        )

    def _certificate(self) -> Check:
        return good("certificate", f"The certificate of {self._host} is trusted and valid.")

    async def _redirects(self, seen: Seen) -> Check:
        if seen.status not in _REDIRECTS or seen.leads_to is None:
            return good("redirects", f"{self._address} leads nowhere else.")
        final = await self._final(seen)
        return bad(
            "redirects",
            f"{self._address} leads on to {final}: Meta does not follow, and its deliveries vanish.",
            f"Set PAMOSNIK_PUBLIC_URL to {final}, and enter it at Meta: {remedies.callback(final)}",
        )

    async def _final(self, seen: Seen) -> str:
        """The address behind all redirects, without the path that was asked for."""
        url = f"{self._address}{_ALIVE}"
        for _ in range(_MOST_REDIRECTS):
            if seen.status not in _REDIRECTS or seen.leads_to is None:
                break
            try:
                further = urljoin(url, seen.leads_to)
                if urlsplit(further).scheme not in ("http", "https"):
                    break
                url = further
                seen = await reach.get(url)
            except (Unreached, ValueError):
                break
        parts = urlsplit(url)
        path = parts.path.removesuffix(_ALIVE).rstrip("/")
        return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{path}"

    def _reached(self, seen: Seen) -> Check:
        if seen.status in _NOBODY_BEHIND:
            return self._nobody(
                f"{self._address} answers {seen.status}: the tunnel or proxy reaches no program."
            )
        if seen.status != 200 or seen.body.strip() != "ok":
            return bad(
                "reached",
                f"Something else than Pamosnik answers at {self._address}{_ALIVE} (status {seen.status}).",
                f"Let the tunnel or proxy lead to port {self._settings.port} of {self._settings.host}, with all"
                " paths as"
                " they are.",
            )
        return good("reached", f"Pamosnik answers at {self._address}.")

    # --- the handshake ---------------------------------------------------------------------------------

    async def _handshake(self) -> Check:
        """As Meta does it when the address is entered there."""
        token = self._settings.verify_token
        if token is None:
            return waits("handshake", "the verify token")
        challenge = str(secrets.randbelow(10**10) + 10**9)
        query = {"hub.mode": "subscribe", "hub.verify_token": token, "hub.challenge": challenge}
        try:
            seen = await reach.get(f"{self._address}{PATH}", query)
        except Unreached as unreached:
            return bad(
                "handshake", f"{self._address}{PATH}: {unreached}.", "Look at the log of pamosnik serve."
            )
        if seen.status in _REDIRECTS:
            # Not where to: that address carries the verify token.
            return bad(
                "handshake",
                f"{self._address}{PATH} leads on to another address: Meta does not follow, and its deliveries"
                " vanish.",
                "Take that redirect out of the tunnel or proxy (often a slash at the end, or a login before the"
                " page).",
            )
        if seen.status == 403:
            return bad(
                "handshake",
                "The verify token of these settings is not the one of the program that answers there.",
                "Start `pamosnik serve` again, with the same PAMOSNIK_VERIFY_TOKEN as here; or the address leads to"
                " another installation.",
            )
        if seen.status != 200 or seen.body.strip() != challenge:
            return bad(
                "handshake",
                f"{self._address}{PATH} does not answer Meta's handshake with its challenge (status {seen.status}):"
                " something else answers there.",
                f"Let the tunnel or proxy pass {PATH} to Pamosnik unchanged, query and all.",
            )
        return good("handshake", f"{self._address}{PATH} answers Meta's handshake.")
