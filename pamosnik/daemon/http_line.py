"""The walls at the connection: how much a stranger may send before it is a request, how slowly, on how many lines.

uvicorn's parser is strict about the form of a request (llhttp refuses two lengths, length and chunks together, bare
line feeds, control characters) and knows no end: headers, trailers and pauses may go on for ever. So every line
carries the moment by which something has to have happened, and the server looks at all of them once a second: cheaper
than a timer for each request. When too many lines are open, those go on which nothing has happened for longest:
whoever delivers something needs milliseconds, whoever only holds a line has held it for seconds.
"""

import http
import re
import resource
from collections.abc import Iterable
from typing import Any

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from pamosnik.daemon.http_walls import READ_AWAY_BYTES, SAFE_HEADERS

HEAD_BYTES = 16 << 10
ADDRESS_BYTES = 8 << 10
HEADERS = 100
WRAPPING_BYTES = 64 << 10
"""Of chunk sizes and trailers, beyond as much again as they wrap."""
PARTS = 1000
PART_BYTES = 64
"""A body may come in so many parts, and one more for each so many bytes: a part of one byte costs as much as any."""
PIPELINED = 8
REQUESTS = 10_000
"""On one line; then it is closed, and opened anew by whoever needs it."""

HEAD_S = 10.0
"""From the first byte of a request, or from the connection, to the end of the headers."""
BODY_S = 30.0
IDLE_S = 65
"""Between requests. Longer than nginx's 60: the one that sends should be the one that closes."""
READ_S = 30.0
"""For an answer's reader to take the next 48 kB, and the rest when the line is closed."""

LINES = 1000
HANDSHAKES = 4000
"""Of TLS: they are no lines yet, each holds a descriptor for `HEAD_S` at most."""
LET_GO = 20
"""The part of the lines, one in so many, that makes room at once."""
_HOST = re.compile(rb"[A-Za-z0-9_.-]*(:[0-9]{1,5})?|\[[0-9A-Fa-f:.]+\](:[0-9]{1,5})?")
"""Starlette puts it before the path: with a / in it, it would become a part of that."""
METHODS = (b"GET", b"HEAD", b"POST")


def lines_at_most(*, handshakes: bool = False) -> int:
    """Half of the descriptors at most: the others are for the database, Instagram and called services."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 2 * LINES + 500 + (HANDSHAKES if handshakes else 0)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return LINES if soft == resource.RLIM_INFINITY else max(16, min(LINES, soft // 2))


class _Refused(Exception):
    """Ends the parser; it keeps no exception's text."""


class Line(HttpToolsProtocol):
    """One connection. Everything here happens in the loop; nothing waits."""

    at_most = LINES

    # --- the connection --------------------------------------------------------------------------------

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._begin_to_wait(HEAD_S)
        self._status = http.HTTPStatus.BAD_REQUEST
        self._in_head = True
        self._head_bytes = 0
        self._wrapping = 0
        self._requests = 0
        self._deaf = False
        self._unread_since: float | None = None
        self._closing_since: float | None = None
        if len(self.connections) > self.at_most:
            others = (one for one in self.connections if isinstance(one, Line) and one is not self)
            _make_room(others, max(1, self.at_most // LET_GO))

    def pause_writing(self) -> None:
        super().pause_writing()
        self._unread_since = self.loop.time()

    def resume_writing(self) -> None:
        super().resume_writing()
        self._unread_since = None

    def look(self, now: float) -> None:
        """Ends the line if what it waits for has not come."""
        if self.transport.is_closing():
            # Closed, and still open: the rest of the answer is not being read.
            self._closing_since = self._closing_since or now
            if now - self._closing_since > READ_S:
                self.transport.abort()
        elif self._unread_since is not None and now - self._unread_since > READ_S:
            self.transport.abort()
        elif self._until is not None and now > self._until:
            nothing_came = self._in_head and self._head_bytes == 0
            self._end(None if nothing_came else http.HTTPStatus.REQUEST_TIMEOUT)

    def waits_since(self) -> float | None:
        """None: something is being done here."""
        if self._unread_since is not None:
            return self._unread_since
        return self._since if self._until is not None or self._is_idle() else None

    def let_go(self) -> None:
        self.transport.abort()

    def _begin_to_wait(self, seconds: float) -> None:
        self._since = self.loop.time()
        self._until: float | None = self._since + seconds

    def _is_idle(self) -> bool:
        return self.cycle is None or self.cycle.response_complete

    def _end(self, status: http.HTTPStatus | None) -> None:
        """With an answer, unless another one is under way."""
        if status is not None and (self._is_idle() or not self.cycle.response_started):
            self.transport.write(_answer(status, self.server_state.default_headers))
        self.transport.close()

    # --- what comes in ---------------------------------------------------------------------------------

    def data_received(self, data: bytes) -> None:
        if self._deaf:
            return
        self._unset_keepalive_if_required()
        if self._until is None and self._is_idle():
            self._begin_to_wait(HEAD_S)
        if self._in_head:
            self._head_bytes += len(data)
        else:
            self._wrapping += len(data)
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            # An offer of another protocol is not taken up, and what follows it is not read.
            self._deaf = True
            self.cycle.keep_alive = False
        except httptools.HttpParserError:
            self._deaf = True
            self._end(self._status)
        else:
            if self._in_head and self._head_bytes > HEAD_BYTES:
                self._end(http.HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
            elif not self._in_head and self._wrapping > WRAPPING_BYTES:
                self._end(http.HTTPStatus.REQUEST_ENTITY_TOO_LARGE)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._size = 0
        self._taken = 0
        self._parts = 0

    def on_url(self, url: bytes) -> None:
        super().on_url(url)
        if len(self.url) > ADDRESS_BYTES:
            self._refuse(http.HTTPStatus.REQUEST_URI_TOO_LONG)

    def on_header(self, name: bytes, value: bytes) -> None:
        if not self._in_head:
            # A trailer: uvicorn would put it beside the headers, after they were looked at.
            return
        self._size += len(name) + len(value) + 4
        if self._size > HEAD_BYTES or len(self.headers) >= HEADERS:
            self._refuse(http.HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        self._check_head()
        self._in_head = False
        self._wrapping = 0
        self._begin_to_wait(BODY_S)
        super().on_headers_complete()
        self._requests += 1
        if self._requests >= REQUESTS:
            self.cycle.keep_alive = False

    def on_body(self, body: bytes) -> None:
        super().on_body(body)
        # What wraps it may be as much again: the smallest chunks have one byte.
        self._wrapping -= 2 * len(body)
        self._taken += len(body)
        self._parts += 1
        if self._taken > READ_AWAY_BYTES or self._parts > PARTS + self._taken // PART_BYTES:
            self._refuse(http.HTTPStatus.REQUEST_ENTITY_TOO_LARGE)

    def on_message_complete(self) -> None:
        super().on_message_complete()
        self._in_head = True
        self._head_bytes = 0
        self._until = None
        self._since = self.loop.time()

    # --- what is no request of ours --------------------------------------------------------------------

    def _check_head(self) -> None:
        """Raises where two readers of the same bytes could understand different things."""
        version = self.parser.get_http_version()
        if version not in ("1.1", "1.0"):
            self._refuse(http.HTTPStatus.HTTP_VERSION_NOT_SUPPORTED)
        if self.parser.get_method() not in METHODS:
            self._refuse(http.HTTPStatus.METHOD_NOT_ALLOWED)
        names = [name for name, _ in self.headers]
        hosts = [value for name, value in self.headers if name == b"host"]
        if not self.url.startswith(b"/") or len(hosts) > 1 or (not hosts and version == "1.1"):
            self._refuse(http.HTTPStatus.BAD_REQUEST)
        if hosts and _HOST.fullmatch(hosts[0]) is None:
            self._refuse(http.HTTPStatus.BAD_REQUEST)
        if b"transfer-encoding" in names:
            values = [value.strip().lower() for name, value in self.headers if name == b"transfer-encoding"]
            if version == "1.0" or values != [b"chunked"]:
                self._refuse(http.HTTPStatus.BAD_REQUEST)
        if len(self.pipeline) >= PIPELINED:
            self._refuse(http.HTTPStatus.TOO_MANY_REQUESTS)

    def _refuse(self, status: http.HTTPStatus) -> None:
        self._status = status
        raise _Refused


def look_at(lines: Iterable[object], now: float) -> None:
    """Once a second, at all of them."""
    for line in list(lines):
        if isinstance(line, Line):
            line.look(now)


def _make_room(lines: Iterable[Line], how_many: int) -> None:
    """Ends those on which nothing has happened for longest; several at once, so that the next one finds room."""
    waiting = sorted(
        ((since, id(line), line) for line in lines if (since := line.waits_since()) is not None),
    )
    for *_, line in waiting[:how_many]:
        line.let_go()


def _answer(status: http.HTTPStatus, more: Iterable[tuple[bytes, bytes]]) -> bytes:
    body = f"{status.phrase}.".encode()
    headers = [
        *more,
        *SAFE_HEADERS,
        (b"content-type", b"text/plain; charset=utf-8"),
        (b"content-length", str(len(body)).encode()),
        (b"connection", b"close"),
    ]
    if status is http.HTTPStatus.METHOD_NOT_ALLOWED:
        headers.append((b"allow", b", ".join(METHODS)))
    lines = b"".join(b"%s: %s\r\n" % header for header in headers)
    return b"HTTP/1.1 %d %s\r\n%s\r\n%s" % (status, status.phrase.encode(), lines, body)
