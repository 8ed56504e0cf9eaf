"""The kinds of tunnels that `serve` opens: what is run for each, and where its output names the public address.

What they print, as documented (November 2026):
- https://developers.cloudflare.com/cloudflare-one/connections/connect-networks/do-more-with-tunnels/trycloudflare/
- https://ngrok.com/docs/agent/cli/ (`--log`, `--log-format`)
- https://tailscale.com/docs/reference/tailscale-cli/funnel
- https://localhost.run/docs/ , https://serveo.net/ , https://pinggy.io/docs/
"""

import re
import shlex
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pamosnik.errors import UsageError

KINDS = "cloudflared, ngrok, tailscale, ssh:HOST or command:PROGRAM"

_HOST = r"(?:[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?\.)*[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?"
_ALONE = re.compile(rf"(?<![\w/.@-])https://{_HOST}(?::\d{{1,5}})?(?=/?(?:[\s|\"'`,;)\]<>]|$))")
"""An https address without a path: what has one is a page to read."""
_QUICK = re.compile(r"https://(?!api\.)[a-z0-9-]+\.trycloudflare\.com\b")
_NGROK = re.compile(rf"\burl\"?[=:]\s*\"?(https://{_HOST}(?::\d{{1,5}})?)")
_FUNNEL = re.compile(r"https://[a-z0-9-]+(?:\.[a-z0-9-]+)+\.ts\.net(?::\d{1,5})?(?![\w.-])")
_FORWARDED = re.compile(
    rf"(?:\S+ tunneled with tls termination, |Forwarding HTTP traffic from |)(https://{_HOST}(?::\d{{1,5}})?)/?"
)

_ON_SERVER = 8788
"""Where a server of one's own finds the daemon, on its loopback."""
_SERVICES = {"localhost.run": 80, "serveo.net": 80, "pinggy.io": 0}
"""Who forwards from a name of their own, and the port that they want to be asked for."""
_SSH = {
    "BatchMode": "yes",
    "ConnectTimeout": "20",
    "ExitOnForwardFailure": "yes",
    "ServerAliveInterval": "15",
    "ServerAliveCountMax": "3",
}


@dataclass(frozen=True, slots=True)
class Tunnel:
    """One kind, with what was said about it."""

    name: str
    """As people are told: without what a command may hold."""
    command: Callable[[str, int], Sequence[str]]
    """What is run for a host and a port on this machine."""
    address_in: Callable[[str], str | None]
    """The public address that a line of its output names."""
    install: str
    """How one gets the program."""
    names_address: bool = True
    """Whether its output tells the address; if not, it has to be set."""
    moves: bool = False
    """Whether it may tell another one later. Of all others the first one counts: what programs print about requests
    may hold addresses that strangers chose."""


def parse(text: str) -> Tunnel:
    """What `--tunnel` says. Raises `UsageError`."""
    kind, _, rest = text.strip().partition(":")
    rest = rest.strip()
    match kind:
        case "cloudflared":
            return _cloudflared(rest)
        case "ngrok":
            return _ngrok(rest)
        case "tailscale" if not rest:
            return _tailscale()
        case "ssh" if rest:
            return _ssh(rest)
        case "command" if rest:
            return _command(rest)
    raise UsageError(f"There is no tunnel of this kind: {_shown(kind)}.", hint=f"It can be {KINDS}.")


def require(tunnel: Tunnel, *, public_url: str | None) -> None:
    """Raises `UsageError` when the program is not on this machine, or nobody says the address."""
    program = tunnel.command("127.0.0.1", _ON_SERVER)[0]
    if shutil.which(program) is None:
        raise UsageError(f"The program {program} is not on this machine.", hint=tunnel.install)
    if not tunnel.names_address and public_url is None:
        raise UsageError(
            f"The tunnel {tunnel.name} does not say its public address.",
            hint="Set PAMOSNIK_PUBLIC_URL to the https address that leads to it.",
        )


def _shown(kind: str) -> str:
    return kind if re.fullmatch(r"[\w-]{1,20}", kind) else "(it begins with none of them)"


def _cloudflared(name: str) -> Tunnel:
    """Without a name a quick tunnel, which needs no account and has another address each time."""

    def command(host: str, port: int) -> Sequence[str]:
        here = f"http://{host}:{port}"
        if name:
            return "cloudflared", "tunnel", "--no-autoupdate", "--url", here, "run", name
        # With a config file of a named tunnel there is no quick one.
        return "cloudflared", "tunnel", "--config", "/dev/null", "--no-autoupdate", "--url", here

    return Tunnel(
        "cloudflared",
        command,
        _nowhere if name else _whole(_QUICK),
        "Install it: https://developers.cloudflare.com/cloudflare-one/connections/connect-networks/downloads/",
        names_address=not name,
    )


def _ngrok(domain: str) -> Tunnel:
    named = (f"--url=https://{domain.removeprefix('https://')}",) if domain else ()

    def command(host: str, port: int) -> Sequence[str]:
        return "ngrok", "http", "--log=stdout", "--log-format=logfmt", *named, f"http://{host}:{port}"

    def address_in(line: str) -> str | None:
        found = _NGROK.search(line) if "started tunnel" in line or "started endpoint" in line else None
        return None if found is None else found[1]

    return Tunnel(
        "ngrok",
        command,
        address_in,
        "Install it, and give it your token once: https://ngrok.com/download , ngrok config add-authtoken TOKEN",
    )


def _tailscale() -> Tunnel:
    return Tunnel(
        "tailscale",
        lambda host, port: ("tailscale", "funnel", f"http://{host}:{port}"),
        _whole(_FUNNEL),
        "Install it and log in: https://tailscale.com/download , tailscale up",
    )


def _ssh(rest: str) -> Tunnel:
    """`[options] [user@]host[:port]`; the options are ssh's."""
    *options, destination = _words(rest)
    host, _, port = destination.partition(":")
    if not host or host.startswith("-") or (port and not port.isdecimal()):
        raise UsageError("The ssh tunnel has no server.", hint="Write it like ssh:user@server.example:22")
    name = host.rpartition("@")[2]
    service = next((s for s in _SERVICES if name == s or name.endswith(f".{s}")), None)
    to = [f"-p{port}"] if port else []
    # ssh takes the first word that it hears about a thing: the owner's own options come first.
    said = [word for key, value in _SSH.items() for word in ("-o", f"{key}={value}")]

    def command(host_here: str, port_here: int) -> Sequence[str]:
        here = f"{host_here}:{port_here}"
        own = [word.replace("{port}", str(port_here)) for word in options]
        if service is not None:
            # They tell the address in a session, so there has to be one.
            how, there = ["-o", "StrictHostKeyChecking=accept-new"], f"{_SERVICES[service]}"
        else:
            how, there = ["-N"], f"127.0.0.1:{_ON_SERVER}"
        forwards = [] if "-R" in own else ["-R", f"{there}:{here}"]
        return ["ssh", *own, *said, *to, *how, "-T", *forwards, host]

    return Tunnel(
        f"ssh:{destination}",
        command,
        _nowhere if service is None else _line(_FORWARDED),
        "Install it. Try: sudo apt-get install openssh-client",
        names_address=service is not None,
        moves=service == "localhost.run",
    )


def _command(rest: str) -> Tunnel:
    words = _words(rest)
    return Tunnel(
        "command",
        lambda _host, port: [word.replace("{port}", str(port)) for word in words],
        _whole(_ALONE),
        "Write the whole path of the program behind command:, or install it.",
    )


def _words(text: str) -> list[str]:
    try:
        words = shlex.split(text)
    except ValueError:
        words = []
    if not words:
        raise UsageError("The tunnel's command cannot be read.", hint="Check its quotation marks.")
    return words


def _nowhere(_line: str) -> None:
    return None


def _whole(pattern: re.Pattern[str]) -> Callable[[str], str | None]:
    def address_in(line: str) -> str | None:
        found = pattern.search(line)
        return None if found is None else found[0]

    return address_in


def _line(pattern: re.Pattern[str]) -> Callable[[str], str | None]:
    def address_in(line: str) -> str | None:
        found = pattern.fullmatch(line.strip())
        return None if found is None else found[1]

    return address_in
