"""The client for addresses of flow files: it reaches what it may, and nothing else."""

import asyncio
import gzip
import hashlib
import hmac
import ssl
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pamosnik.calls import ANSWER_BYTES, CallRefused, NoAnswer, Order, Target, call, is_public, signature
from tests.certificates import authority

pytestmark = pytest.mark.anyio

NOW = datetime(2026, 12, 2, 12, tzinfo=UTC)
ORDER = Order("01ID", "crm", "POST", '{"ż": 1}', timeout_s=5)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@dataclass
class Service:
    """A server on 127.0.0.1 that writes what a test says, byte for byte."""

    port: int
    answer: bytes = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
    asked: list[str] = field(default_factory=list)
    silent: bool = False

    def target(self, path: str = "/hook", host: str = "127.0.0.1", scheme: str = "http") -> Target:
        return Target(f"{scheme}://{host}:{self.port}{path}", allow_private=True)


@asynccontextmanager
async def service(tls: ssl.SSLContext | None = None) -> AsyncIterator[Service]:
    found = Service(0)

    async def visit(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        length = next(
            (int(x.split(":")[1]) for x in head.split("\r\n") if x.lower().startswith("content-l")), 0
        )
        found.asked.append(head + (await reader.readexactly(length)).decode())
        if found.silent:
            await reader.read()
        writer.write(found.answer)
        writer.close()

    server = await asyncio.start_server(visit, "127.0.0.1", 0, ssl=tls)
    found.port = server.sockets[0].getsockname()[1]
    async with server:
        yield found


def resolves(*answers: Sequence[str]) -> Callable[[str, int], object]:
    """A name server that says something else each time."""
    left = list(answers)

    async def look_up(_host: str, _port: int) -> Sequence[str]:
        return left.pop(0)

    return look_up


async def test_it_asks_once_signs_and_names_itself() -> None:
    async with service() as there:
        key = "sesame"
        answer = await call(replace(there.target("/hook?a=1#part"), key=key), ORDER, NOW)
        assert (answer.status, answer.body) == (200, b"{}")
        [asked] = there.asked
        head, _, body = asked.partition("\r\n\r\n")
        lines = dict(line.split(": ", 1) for line in head.split("\r\n")[1:])
        assert head.startswith("POST /hook?a=1 HTTP/1.1")
        assert lines["Pamosnik-Id"] == "01ID"
        assert lines["Content-Type"] == "application/json"
        at = int(NOW.timestamp())
        expected = hmac.new(key.encode(), f"{at}.{body}".encode(), hashlib.sha256).hexdigest()
        assert lines["Pamosnik-Signature"] == f"t={at},v1={expected}" == signature(key, body, NOW)
        assert body == '{"ż": 1}'
        await call(there.target(), replace(ORDER, method="GET", body=None, query=(("q", "a b&c"),)), NOW)
        assert there.asked[1].startswith("GET /hook?q=a+b%26c HTTP/1.1")
        assert "Pamosnik-Signature" not in there.asked[1]


async def test_redirects_are_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    async with service() as there:
        monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{there.port + 1}")
        monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{there.port + 1}")
        location = f"Location: http://127.0.0.1:{there.port}/else".encode()
        there.answer = b"HTTP/1.1 302 Found\r\n" + location + b"\r\nContent-Length: 0\r\n\r\n"
        assert (await call(there.target(), ORDER, NOW)).status == 302
        assert len(there.asked) == 1


PRIVATE = (
    *("127.0.0.1", "127.8.8.8", "10.0.0.1", "172.16.9.9", "192.168.1.1", "169.254.169.254", "100.64.0.1"),
    *("0.0.0.0", "255.255.255.255", "224.0.0.1", "239.1.1.1", "240.0.0.1", "192.0.2.1", "198.18.0.1"),
    *("::1", "::", "fe80::1", "fe80::1%lo", "fc00::1", "fd12:3456::1", "fec0::1", "ff02::1", "2001:db8::1"),
    *("::ffff:127.0.0.1", "::ffff:10.0.0.1", "::127.0.0.1", "64:ff9b::10.0.0.1", "2002:7f00:1::1"),
    *("2001:0:7f00:1::", "64:ff9b:1::1", "fd00:ec2::254", "no address", ""),
)


@pytest.mark.parametrize("address", PRIVATE)
async def test_private_addresses_are_refused_however_they_are_written(address: str) -> None:
    assert not is_public(address)
    with pytest.raises(CallRefused, match="private network"):
        await call(Target("https://shop.example/"), ORDER, NOW, look_up=resolves([address]))  # type: ignore[arg-type]


def test_addresses_of_the_internet_are_not() -> None:
    for address in ("93.184.216.34", "2606:2800:220:1::1", "::ffff:93.184.216.34", "64:ff9b::93.184.216.34"):
        assert is_public(address), address


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "2130706433", "0x7f.1", "127.1", "0"]
)
async def test_this_machine_is_refused_under_every_name(host: str) -> None:
    with pytest.raises((CallRefused, NoAnswer)) as raised:
        await call(Target(f"https://{host}:1/"), ORDER, NOW)
    assert str(raised.value) in (
        "its address is in a private network, and `allow_private` is not set",
        "its name is not known",
    )


async def test_a_name_is_asked_for_once_and_all_its_addresses_count() -> None:
    mixed = resolves(["93.184.216.34", "127.0.0.1"])
    with pytest.raises(CallRefused, match="private network"):
        await call(Target("https://shop.example/"), ORDER, NOW, look_up=mixed)  # type: ignore[arg-type]
    async with service() as there:
        # The connection goes to the address that was looked at; a second answer would be refused by the test itself.
        target = there.target(host="shop.example")
        answer = await call(target, ORDER, NOW, look_up=resolves(["127.0.0.1"]))  # type: ignore[arg-type]
        assert answer.status == 200
        assert f"Host: shop.example:{there.port}" in there.asked[0]


async def test_on_the_internet_it_is_https_even_where_private_networks_are_allowed() -> None:
    target = Target("http://shop.example/", allow_private=True)
    with pytest.raises(CallRefused, match="on the internet"):
        await call(target, ORDER, NOW, look_up=resolves(["93.184.216.34"]))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("http://shop.example/", "does not begin with https"),
        ("ftp://shop.example/", "is none"),
        ("file:///etc/passwd", "is none"),
        ("https://", "is none"),
        ("shop.example", "is none"),
        ("https://shop.example:99999/", "is none"),
        ("https://user:pass@shop.example/", "user or password"),
    ],
)
async def test_what_is_no_address_to_call(url: str, said: str) -> None:
    with pytest.raises(CallRefused, match=said):
        await call(Target(url), ORDER, NOW, look_up=resolves(["93.184.216.34"]))  # type: ignore[arg-type]
    assert "passwd" not in repr(Target(url))


async def test_certificates_are_verified(tmp_path: Path) -> None:
    known, other = authority(tmp_path / "known"), authority(tmp_path / "other")
    async with service(known.server()) as there:
        target = there.target(scheme="https")
        assert (await call(target, ORDER, NOW, tls=known.trust)).status == 200
        with pytest.raises(CallRefused, match="certificate"):
            await call(target, ORDER, NOW)
    async with service(other.server("elsewhere.example")) as there:
        with pytest.raises(CallRefused, match="certificate"):
            await call(there.target(scheme="https"), ORDER, NOW, tls=other.trust)


async def test_time_and_length_have_an_end() -> None:
    async with service() as there:
        there.silent = True
        with pytest.raises(NoAnswer, match=r"no answer within 0\.2 seconds"):
            await call(there.target(), replace(ORDER, timeout_s=0.2), NOW)
        there.silent = False
        long = b"x" * (ANSWER_BYTES + 1)
        there.answer = b"HTTP/1.1 200 OK\r\n\r\n" + long
        with pytest.raises(CallRefused, match="longer than 1 MB"):
            await call(there.target(), ORDER, NOW)
        there.answer = b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf"
        with pytest.raises(NoAnswer):
            await call(there.target(), ORDER, NOW)
        there.answer = b"SSH-2.0-OpenSSH\r\n\r\n"
        with pytest.raises(NoAnswer):
            await call(there.target(), ORDER, NOW)
        there.answer = b""
        with pytest.raises(NoAnswer, match="broke off"):
            await call(there.target(), ORDER, NOW)
    with pytest.raises(NoAnswer, match="takes no connection"):
        await call(there.target(), ORDER, NOW)


async def test_a_packed_answer_stays_packed() -> None:
    """Nobody asked for it, and unpacked it may be a thousand times as long."""
    bomb = gzip.compress(b" " * (64 << 20) + b"{}")
    async with service() as there:
        head = f"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {len(bomb)}\r\n\r\n"
        there.answer = head.encode() + bomb
        assert (await call(there.target(), ORDER, NOW)).body == bomb
        assert "Accept-Encoding: identity" in there.asked[0]


async def test_headers_without_end_are_no_answer() -> None:
    async with service() as there:
        there.answer = b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 100_000
        with pytest.raises(NoAnswer):
            await call(there.target(), ORDER, NOW)
        there.answer = b"HTTP/1.1 200 OK\r\nX: " + b"y" * (1 << 20)
        with pytest.raises(NoAnswer):
            await call(there.target(), ORDER, NOW)
