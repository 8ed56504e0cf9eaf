"""Keeps logins alive: refreshes tokens when they are due, and asks whether those that were refused are taken again;
at start and every hour after."""

import logging
from collections.abc import Awaitable, Callable
from functools import partial

from pamosnik.daemon.tools import Tools
from pamosnik.errors import DatabaseDamaged, PamosnikError, StorageRefused
from pamosnik.services import credentials, tokens
from pamosnik.store.connections import Connected

log = logging.getLogger(__name__)


class TokenKeeper:
    """One round looks at every connection; a round without anything due asks nothing."""

    def __init__(self, tools: Tools) -> None:
        self._tools = tools

    async def round(self) -> None:
        with self._tools.reader.in_words():
            due = tokens.due(self._tools.reader.connection, self._tools.clock.now())
            refused = tokens.refused(self._tools.reader.connection, self._tools.clock.now())
        for do, connections in ((self._refresh, due), (self._ask_again, refused)):
            for connected in connections:
                await self._one(do, connected)
        await self._tools.writer.write(partial(tokens.warn, now=self._tools.clock.now()))

    async def _one(self, do: Callable[[Connected], Awaitable[None]], connected: Connected) -> None:
        try:
            with self._tools.reader.in_words():
                await do(connected)
        except (StorageRefused, DatabaseDamaged):
            raise  # the old token still works: it is tried again
        except PamosnikError as error:
            about = {"action": "token.unreadable", "connection": connected.id}
            log.error("%s", error.message, extra=about)  # noqa: TRY400

    async def _ask_again(self, connected: Connected) -> None:
        """A token that was refused may be taken again: the owner's account was locked for a while, or Meta erred."""
        conn, now = self._tools.reader.connection, self._tools.clock.now()
        token = credentials.token(conn, self._tools.keys, connected)
        answer = await tokens.ask_again(self._tools.instagram, connected, token, now)
        told = partial(tokens.asked_again, connected=connected, answer=answer, keys=self._tools.keys, now=now)
        if await self._tools.writer.write(told):
            log.info(
                "Instagram takes a login again that it had refused",
                extra={"action": "token.taken_again", "connection": connected.id},
            )

    async def _refresh(self, connected: Connected) -> None:
        conn, now = self._tools.reader.connection, self._tools.clock.now()
        answer = await self._tools.instagram.refresh(credentials.token(conn, self._tools.keys, connected))
        fresh = tokens.read(answer)
        extra = {"connection": connected.id}
        if fresh is None:
            log.warning(
                "A login was not refreshed: %s",
                answer.outcome.reason,
                extra={"action": "token.failed", **extra},
            )
            await self._tools.writer.write(
                partial(tokens.failed, connected=connected, answer=answer, now=now)
            )
            return
        await self._tools.writer.write(
            partial(tokens.keep, connected=connected, keys=self._tools.keys, fresh=fresh, now=now)
        )
        log.info("A login was refreshed", extra={"action": "token.refreshed", **extra})
