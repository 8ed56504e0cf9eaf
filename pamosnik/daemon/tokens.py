"""Keeps logins alive: refreshes tokens when they are due, at start and every hour after."""

import logging
from functools import partial

from pamosnik.clock import Clock
from pamosnik.errors import DatabaseDamaged, PamosnikError, StorageRefused
from pamosnik.instagram.client import Instagram
from pamosnik.security.vault import MasterKeys
from pamosnik.services import credentials, tokens
from pamosnik.store.connections import Connected
from pamosnik.store.database import Database
from pamosnik.store.writer import GroupWriter

log = logging.getLogger(__name__)


class TokenKeeper:
    """One round looks at every connection; a round without anything due asks nothing."""

    def __init__(
        self, writer: GroupWriter, reader: Database, instagram: Instagram, keys: MasterKeys, clock: Clock
    ) -> None:
        self._writer = writer
        self._reader = reader
        self._instagram = instagram
        self._keys = keys
        self._clock = clock

    async def round(self) -> None:
        with self._reader.in_words():
            due = tokens.due(self._reader.connection, self._clock.now())
        for connected in due:
            try:
                with self._reader.in_words():
                    await self._refresh(connected)
            except (StorageRefused, DatabaseDamaged):
                raise  # the old token still works: it is refreshed again
            except PamosnikError as error:
                about = {"action": "token.unreadable", "connection": connected.id}
                log.error("%s", error.message, extra=about)  # noqa: TRY400
        await self._writer.write(partial(tokens.warn, now=self._clock.now()))

    async def _refresh(self, connected: Connected) -> None:
        conn, now = self._reader.connection, self._clock.now()
        answer = await self._instagram.refresh(credentials.token(conn, self._keys, connected))
        fresh = tokens.read(answer)
        extra = {"connection": connected.id}
        if fresh is None:
            log.warning(
                "A login was not refreshed: %s",
                answer.outcome.reason,
                extra={"action": "token.failed", **extra},
            )
            await self._writer.write(partial(tokens.failed, connected=connected, answer=answer, now=now))
            return
        key = credentials.data_key(conn, self._keys, connected.account_id)
        await self._writer.write(
            partial(tokens.keep, connected=connected, data_key=key, fresh=fresh, now=now)
        )
        log.info("A login was refreshed", extra={"action": "token.refreshed", **extra})
