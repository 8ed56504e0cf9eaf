"""The only client for addresses that flow files name: one request to one address, and nothing behind it.

Whoever can write a flow file, or runs the name server of an address in it, must not reach into the network of this
machine. So a name is resolved once, every address it has is looked at, and the connection goes to those very
addresses; a redirect is an answer like any other, never followed; proxies of the environment do not count.
"""

import asyncio
import hashlib
import hmac
import ipaddress
import socket
import ssl
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

ANSWER_BYTES = 1 << 20
"""Longer answers are refused."""

LookUp = Callable[[str, int], Awaitable[Sequence[str]]]
"""(host, port) → its addresses."""

_TRANSLATED = ipaddress.ip_network("64:ff9b::/96")
"""IPv4 as networks with IPv6 alone see it (RFC 6052)."""
_GLOBAL = ipaddress.ip_network("2000::/3")
"""Everything else of IPv6 is for networks of one's own, or for nobody."""


class CallRefused(Exception):
    """It does not leave, or must not be repeated. Its text says why, without the address."""


class NoAnswer(Exception):
    """Nothing came back, or not all of it. Repeating it may help."""


@dataclass(frozen=True, slots=True, repr=False)
class Target:
    """Where to. Its repr shows nothing: addresses may hold keys."""

    url: str
    key: str | None = None
    """Signs the body; None: it is not signed."""
    allow_private: bool = False


@dataclass(frozen=True, slots=True)
class Order:
    """What to ask."""

    id: str
    """The same in a repetition."""
    name: str
    """The webhook's, for people."""
    method: str
    body: str | None = field(repr=False)
    query: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    timeout_s: float = 10.0
    """For all of it: name, connection, answer."""


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    body: bytes = field(repr=False)


async def addresses_of(host: str, port: int) -> Sequence[str]:
    """As the machine resolves it."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(address[0]) for *_, address in found]


async def call(
    target: Target,
    order: Order,
    now: datetime,
    *,
    look_up: LookUp = addresses_of,
    tls: ssl.SSLContext | None = None,
) -> Answer:
    """Asks once. `tls`: what verifies the certificate; default: the machine's authorities. Raises `CallRefused` and
    `NoAnswer`."""
    url = _checked_url(target)
    try:
        async with asyncio.timeout(order.timeout_s):
            addresses = await _addresses(url, look_up)
            _require_allowed(url, addresses, target)
            return await _ask(url, addresses, target, order, now, tls)
    except TimeoutError:
        raise NoAnswer(f"no answer within {order.timeout_s:g} seconds") from None
    except (aiohttp.ClientConnectorCertificateError, ssl.SSLCertVerificationError):
        raise CallRefused("its certificate cannot be trusted") from None
    except (aiohttp.InvalidURL, aiohttp.NonHttpUrlClientError):
        raise CallRefused("its address is none") from None
    except (aiohttp.ClientConnectionError, OSError) as error:
        connecting = isinstance(error, aiohttp.ClientConnectorError)
        raise NoAnswer("it takes no connection" if connecting else "the connection broke off") from None
    except aiohttp.ClientError:
        raise NoAnswer("its answer is no HTTP") from None


def signature(key: str, body: str, now: datetime) -> str:
    """`t=UNIX,v1=HEX`: HMAC-SHA256 over the time, a dot and the body."""
    at = int(now.timestamp())
    signed = hmac.new(key.encode(), f"{at}.{body}".encode(), hashlib.sha256)
    return f"t={at},v1={signed.hexdigest()}"


def is_public(address: str) -> bool:
    """Whether an address belongs to the internet, and to none of the networks a machine may stand in."""
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(ip, ipaddress.IPv6Address):
        inner = _ipv4_inside(ip)
        if inner is not None:
            ip = inner
        elif ip not in _GLOBAL or ip.teredo is not None:
            return False
    return ip.is_global and not ip.is_multicast and not ip.is_reserved


def _ipv4_inside(ip: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    if ip in _TRANSLATED:
        return ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
    return ip.ipv4_mapped or ip.sixtofour


def _checked_url(target: Target) -> URL:
    try:
        url = URL(target.url.strip())
    except ValueError:
        raise CallRefused("its address is none") from None
    if url.raw_host is None or url.scheme not in ("https", "http"):
        raise CallRefused("its address is none")
    if url.scheme == "http" and not target.allow_private:
        raise CallRefused("its address does not begin with https://")
    if url.user is not None or url.password is not None:
        raise CallRefused("its address holds a user or password")
    return url.with_fragment(None)


async def _addresses(url: URL, look_up: LookUp) -> Sequence[str]:
    assert url.raw_host is not None
    assert url.port is not None
    try:
        found = await look_up(url.raw_host, url.port)
    except (OSError, UnicodeError):
        raise NoAnswer("its name is not known") from None
    if not found:
        raise NoAnswer("its name is not known")
    return found


def _require_allowed(url: URL, addresses: Sequence[str], target: Target) -> None:
    if not target.allow_private and not all(map(is_public, addresses)):
        raise CallRefused("its address is in a private network, and `allow_private` is not set")
    if url.scheme == "http" and any(map(is_public, addresses)):
        raise CallRefused("its address is on the internet and does not begin with https://")


async def _ask(
    url: URL,
    addresses: Sequence[str],
    target: Target,
    order: Order,
    now: datetime,
    tls: ssl.SSLContext | None,
) -> Answer:
    connector = aiohttp.TCPConnector(
        resolver=_Known(addresses), use_dns_cache=False, ssl=tls or True, force_close=True
    )
    # Its own limit stays off: the caller's holds for everything.
    async with (
        aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=None),
            auto_decompress=False,
            trust_env=False,
        ) as session,
        session.request(
            order.method,
            url.update_query(order.query) if order.query else url,
            data=None if order.body is None else order.body.encode(),
            headers=_headers(target, order, now),
            allow_redirects=False,
        ) as answer,
    ):
        return Answer(answer.status, await _limited(answer.content))


def _headers(target: Target, order: Order, now: datetime) -> dict[str, str]:
    headers = {
        "Accept": "application/json",
        "Accept-Encoding": "identity",
        "User-Agent": "Pamosnik",
        "Pamosnik-Id": order.id,
    }
    if order.body is not None:
        headers["Content-Type"] = "application/json"
    if target.key is not None:
        headers["Pamosnik-Signature"] = signature(target.key, order.body or "", now)
    return headers


async def _limited(stream: aiohttp.StreamReader) -> bytes:
    body = bytearray()
    async for part in stream.iter_any():
        body += part
        if len(body) > ANSWER_BYTES:
            raise CallRefused("its answer is longer than 1 MB")
    return bytes(body)


class _Known(AbstractResolver):
    """Resolves nothing: the addresses were looked at already."""

    def __init__(self, addresses: Sequence[str]) -> None:
        self._addresses = addresses

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=port,
                family=socket.AF_INET6 if ":" in address else socket.AF_INET,
                proto=0,
                flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
            )
            for address in self._addresses
        ]

    async def close(self) -> None:
        """Nothing is open."""
