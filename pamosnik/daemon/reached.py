"""How a request came here: over https or not, and from whose page.

Behind a tunnel everything arrives from 127.0.0.1 without encryption, so neither the peer's address nor the connection
tells. What tells: the name that was asked for, and what browsers say about the page a request comes from.
"""

from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import urlsplit

from starlette.requests import HTTPConnection

from pamosnik.config import Config
from pamosnik.services.public_address import PublicAddress

_DEFAULT_PORTS = {"http": 80, "https": 443}
_OWN_PAGE = ("same-origin", "none")
"""`none`: typed, a bookmark, a reload. `same-site` may be another program on this machine: cookies know no ports."""

Origin = tuple[str, str, int | None]
"""Scheme, host, port."""


@dataclass(frozen=True, slots=True)
class Reached:
    public: PublicAddress
    proxy_headers: bool = False
    """Whether X-Forwarded-Proto is believed: only a proxy that sets it itself makes it true."""

    @classmethod
    def under(cls, settings: Config, public: PublicAddress) -> "Reached":
        return cls(public, settings.trusts_proxy)

    def by_https(self, request: HTTPConnection) -> bool:
        """Whether the browser sees https: by the public address, a trusted proxy, or on this connection itself."""
        if request.scope["scheme"] == "https":
            return True
        if self.proxy_headers and _forwarded(request) == "https":
            return True
        public = _origin(self.public.url or "")
        return public is not None and public[0] == "https" and _asked_for(request, "https") == public

    def same_site(self, request: HTTPConnection) -> bool:
        """Whether a form was sent from our own page. Browsers say so; what says nothing is no browser.

        Over plain http in a local network browsers send Origin alone. Behind a tunnel https has become http by now,
        so the scheme is the page's own: what has to be the same is the name and the port.
        """
        site = request.headers.get("sec-fetch-site")
        if site is not None:
            return site in _OWN_PAGE
        origins = request.headers.getlist("origin")
        if not origins:
            return True
        # `null` is what sandboxed frames and pages of files say: nobody's.
        origin = _origin(origins[0]) if len(origins) == 1 else None
        if origin is None:
            return False
        return origin in (_asked_for(request, origin[0]), _origin(self.public.url or ""))

    def at_public_address(self, request: HTTPConnection) -> bool:
        """Whether it was asked for under the public address. True without one."""
        public = _origin(self.public.url or "")
        return public is None or _asked_for(request, public[0]) == public

    def address(self, request: HTTPConnection) -> str:
        """Where this machine is reached from outside, without `/` at its end. Where that is not known it is what was
        asked for, which whoever asks has chosen: nobody else is to be told it."""
        if self.public.url is not None:
            return self.public.url
        scheme = "https" if self.by_https(request) else "http"
        return f"{scheme}://{request.headers.get('host', '')}"


def _forwarded(request: HTTPConnection) -> str:
    """What the nearest proxy says: each adds its word at the end."""
    words = ",".join(request.headers.getlist("x-forwarded-proto"))
    return words.rpartition(",")[2].strip().lower()


def _asked_for(request: HTTPConnection, scheme: str) -> Origin | None:
    hosts = request.headers.getlist("host")
    return _origin(f"{scheme}://{hosts[0]}") if len(hosts) == 1 else None


@lru_cache(maxsize=256)
def _origin(address: str) -> Origin | None:
    """None: no address of a web page."""
    try:
        parts = urlsplit(address)
        port = parts.port
    except ValueError:
        return None
    if parts.scheme not in _DEFAULT_PORTS or not parts.hostname or "@" in parts.netloc:
        return None
    return parts.scheme, parts.hostname, port or _DEFAULT_PORTS[parts.scheme]


def reached_here(host: str) -> str:
    """What stands in addresses that lead to a listener on this host from the machine itself."""
    if host in ("0.0.0.0", "::"):  # noqa: S104 - that is what it listens on
        return "127.0.0.1"
    return f"[{host}]" if ":" in host else host
