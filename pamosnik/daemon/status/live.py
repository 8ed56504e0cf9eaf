"""`/live` tells an open page, by server-sent events, that something of its account has changed; `/live.js` then reads
the page anew. It is told that there is news, not what: the page itself says that, to whoever may see it.

Nothing is looked at while no page is open. While some are, SQLite is asked once a second whether anybody has
committed anything (microseconds), and only then whether it was the account's.
"""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from pamosnik.clock import Clock
from pamosnik.daemon.visitors import Visitor, Visitors
from pamosnik.errors import HomeError
from pamosnik.services.numbers import day_of
from pamosnik.store import marks, sessions
from pamosnik.store.accounts import Account
from pamosnik.store.database import Database

PATH = "/live"
LOOK_EVERY_S = 1.0
SIGN_OF_LIFE_S = 20.0
"""Proxies close a line on which nothing is said for a minute, and pages connect anew then (`live.js`)."""
AT_ONCE = 4
"""Streams of one session: browsers open six lines to a server, and pages need some of them. The oldest makes room."""

_HEADERS = {
    "cache-control": "no-store, no-transform",
    # nginx would hold the words back until there are more of them.
    "x-accel-buffering": "no",
}
_BEGIN = b"retry: 5000\n\n"
_SIGN_OF_LIFE = b"event: alive\ndata:\n\n"
"""An event, not a comment: a page hears it, and knows by its absence that the line is dead."""
_ENOUGH = b"event: enough\ndata:\n\n"
"""The page is told no more, and is not to ask again by itself."""


@dataclass(eq=False, slots=True)
class _Stream:
    makes_room: bool = False


class Live:
    def __init__(self, visitors: Visitors, reader: Database, clock: Clock, ending: asyncio.Event) -> None:
        """`ending`: set when the daemon stops; a stream would hold it up."""
        self._visitors = visitors
        self._reader = reader
        self._clock = clock
        self._ending = ending
        self._open: dict[str, list[_Stream]] = {}
        """By session, the oldest first."""
        self._commits = -1
        self._marks: dict[str, str] = {}
        """As they were after so many commits."""

    def routes(self) -> list[Route]:
        return [Route(PATH, self._live, methods=["GET"])]

    def mark(self, account: Account) -> str:
        """What a page of the account carries, so that it hears of everything since. Raises `HomeError`."""
        with self._reader.in_words():
            commits = self._reader.connection.execute("PRAGMA data_version").fetchone()[0]
            if commits != self._commits:
                self._commits = commits
                self._marks.clear()
            if account.id not in self._marks:
                found = marks.of_account(self._reader.connection, account.id, self._today(account))
                self._marks[account.id] = hashlib.sha256(repr(found).encode()).hexdigest()[:16]
            return self._marks[account.id]

    def _today(self, account: Account) -> str:
        return day_of(self._clock.now(), account.timezone)

    async def _live(self, request: Request) -> Response:
        """204 for whoever is not logged in: it is the answer after which browsers do not ask again."""
        visitor = await self._visitors.of(request)
        if visitor is None or request.method == "HEAD":
            return Response(status_code=204)
        told = self._told(visitor, request.query_params.get("since"))
        return StreamingResponse(told, media_type="text/event-stream", headers=_HEADERS)

    async def _told(self, visitor: Visitor, seen: str | None) -> AsyncIterator[bytes]:
        """`seen`: the mark of the page that asks."""
        stream, loop = self._enter(visitor), asyncio.get_running_loop()
        try:
            yield _BEGIN
            spoke_at = loop.time()
            while not self._ending.is_set():
                if stream.makes_room or not self._is_in(visitor):
                    yield _ENOUGH
                    return
                mark = self.mark(visitor.account)
                if mark != seen or loop.time() - spoke_at > SIGN_OF_LIFE_S:
                    yield _SIGN_OF_LIFE if mark == seen else f"event: changed\ndata: {mark}\n\n".encode()
                    seen, spoke_at = mark, loop.time()
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._ending.wait(), LOOK_EVERY_S)
        except HomeError:
            # Told by whoever writes. The browser asks again, and the page it reads then says what is wrong.
            return
        finally:
            self._leave(visitor, stream)

    def _is_in(self, visitor: Visitor) -> bool:
        with self._reader.in_words():
            conn, now = self._reader.connection, self._clock.now()
            return sessions.by_token(conn, visitor.token_hash, now) is not None

    def _enter(self, visitor: Visitor) -> _Stream:
        stream, streams = _Stream(), self._open.setdefault(visitor.session.id, [])
        streams.append(stream)
        for old in streams[:-AT_ONCE]:
            old.makes_room = True
        return stream

    def _leave(self, visitor: Visitor, stream: _Stream) -> None:
        streams = self._open[visitor.session.id]
        streams.remove(stream)
        if not streams:
            del self._open[visitor.session.id]
