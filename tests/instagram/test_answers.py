"""What comes back from where Instagram should be: read to a certain length, for a certain time, and no further."""

import asyncio
import gzip
import json
import time
import tracemalloc
import zlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from pamosnik.instagram import graph
from pamosnik.instagram.client import Instagram
from pamosnik.instagram.graph import Answer
from pamosnik.model.outbox import OutcomeKind

pytestmark = pytest.mark.anyio

ME = json.dumps({"user_id": "178", "username": "shop", "name": "ż" * 5000}).encode()
Write = Callable[[asyncio.StreamWriter], None]


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@asynccontextmanager
async def _instead_of_meta(answers: list[bytes], *, then: bytes = b"") -> AsyncIterator[str]:
    """Answers each request with these bytes; `then` for ever."""

    async def visit(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.readuntil(b"\r\n\r\n")
            for answer in answers:
                writer.write(answer)
            while then:
                writer.write(then)
                await writer.drain()
                await asyncio.sleep(0)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(visit, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


def _answer(body: bytes, *headers: str) -> bytes:
    head = ("HTTP/1.1 200 OK", f"Content-Length: {len(body)}", "Connection: close", *headers, "", "")
    return "\r\n".join(head).encode() + body


async def _asked(answers: list[bytes], *, then: bytes = b"") -> Answer:
    async with (
        _instead_of_meta(answers, then=then) as url,
        Instagram(version="v26.0", meta_url=url) as instagram,
    ):
        return await instagram.me("token")


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (ME, ()),
        (ME, ("Content-Encoding: identity",)),
        (gzip.compress(ME), ("Content-Encoding: gzip",)),
        (gzip.compress(ME), ("Content-Encoding: GZIP",)),
    ],
)
async def test_plain_and_packed_answers_are_read(body: bytes, headers: tuple[str, ...]) -> None:
    answer = await _asked([_answer(body, *headers)])
    assert answer.body["username"] == "shop"
    assert answer.outcome.kind is OutcomeKind.SENT


def _bomb() -> bytes:
    """A thousandth of what it holds: spaces before a good answer."""
    pack = zlib.compressobj(9, wbits=zlib.MAX_WBITS | 16)
    spaces = b" " * (1 << 20)
    return b"".join(pack.compress(spaces) for _ in range(200)) + pack.compress(ME) + pack.flush()


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "gzip, gzip", "zip"])
async def test_a_bomb_is_no_answer(encoding: str) -> None:
    bomb = _bomb() if encoding == "gzip" else zlib.compress(b" " * (64 << 20) + ME)
    tracemalloc.start()
    try:
        answer = await _asked([_answer(bomb, f"Content-Encoding: {encoding}")])
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert (answer.outcome.kind, dict(answer.body)) == (OutcomeKind.UNKNOWN, {})
    assert most < 5 * graph.ANSWER_BYTES


async def test_a_packed_answer_that_breaks_is_none() -> None:
    packed = gzip.compress(ME)
    for broken in (packed[:20] + b"?" * 40, packed[:-10]):
        answer = await _asked([_answer(broken, "Content-Encoding: gzip")])
        assert (answer.outcome.kind, dict(answer.body)) == (OutcomeKind.UNKNOWN, {})


async def test_an_answer_without_end_is_no_answer() -> None:
    begun = time.monotonic()
    answer = await _asked([b"HTTP/1.1 200 OK\r\n\r\n"], then=b" " * 65536)
    assert (answer.outcome.kind, dict(answer.body)) == (OutcomeKind.UNKNOWN, {})
    assert time.monotonic() - begun < 10


@pytest.mark.parametrize(
    ("begun", "then"),
    [
        (b"HTTP/1.1 200 OK\r\n", b"X: " + b"y" * 4000 + b"\r\n"),
        (b"HTTP/1.1 200 OK\r\nX: ", b"y" * 4000),
        (b"SSH-2.0-OpenSSH\r\n", b""),
        (b"HTTP/1.1 2OO OK\r\n\r\n", b""),
        (b"\x15\x03\x01\x00\x02\x02\x46", b""),
        (b"", b""),
    ],
)
async def test_what_is_no_http_is_no_answer(begun: bytes, then: bytes) -> None:
    answer = await _asked([begun], then=then)
    assert answer.outcome.kind is OutcomeKind.UNKNOWN


async def test_an_answer_that_trickles_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(graph, "WHOLE_S", 0.3)
    answer = await _asked([b"HTTP/1.1 200 OK\r\n\r\n"], then=b" ")
    assert (answer.outcome.kind, answer.outcome.reason) == (
        OutcomeKind.UNKNOWN,
        "no usable answer from Instagram (it does not end)",
    )


async def test_a_redirect_is_not_followed() -> None:
    moved = b"HTTP/1.1 302 Found\r\nLocation: http://169.254.169.254/\r\nContent-Length: 0\r\n\r\n"
    answer = await _asked([moved])
    assert answer.outcome.kind is OutcomeKind.UNKNOWN
