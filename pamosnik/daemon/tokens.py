"""Keeps logins alive: refreshes tokens when they are due, at start and every hour after."""

import logging
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
        for connected in due:
            try:
                with self._tools.reader.in_words():
                    await self._refresh(connected)
            except (StorageRefused, DatabaseDamaged):
                raise  # the old token still works: it is refreshed again
            except PamosnikError as error:
                about = {"action": "token.unreadable", "connection": connected.id}
                log.error("%s", error.message, extra=about)  # noqa: TRY400
        await self._tools.writer.write(partial(tokens.warn, now=self._tools.clock.now()))

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
