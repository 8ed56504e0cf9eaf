"""Deletes once a day what is older than it is to be kept, account by account, in short transactions between those of
others."""

import asyncio
import logging
from functools import partial

from pamosnik.ages import Ages
from pamosnik.clock import SteadyClock
from pamosnik.daemon.tools import Tools
from pamosnik.privacy import retention
from pamosnik.privacy.retention import Place, Rules
from pamosnik.services import kept_fields
from pamosnik.store import accounts, copies
from pamosnik.store.accounts import Account

PAUSE_S = 0.02
"""Between two transactions: others write meanwhile."""

log = logging.getLogger(__name__)


class Retainer:
    """The eraser removes the traces of what this deletes."""

    def __init__(self, tools: Tools, ages: Ages) -> None:
        self._tools = tools
        self._ages = ages

    async def round(self) -> None:
        """Every account whose day has come; what was broken off goes on."""
        conn, clock = self._tools.reader.connection, self._tools.clock
        for account in accounts.every(conn):
            now = clock.now()
            if accounts.is_deleting(conn, account.id) or not retention.is_due(conn, account.id, now):
                continue
            if self._clock_is_guessed() and not retention.is_believable(conn, account.id, now):
                log.warning(
                    "Nothing old is deleted: this machine's clock is far ahead of all that is stored, and nobody"
                    " confirms it",
                    extra={"action": "retention.clock"},
                )
                continue
            await self._account(account)
            await self._copies()

    async def _copies(self) -> None:
        """Of upgrades and restores: they hold what the database held then."""
        shortest = self._ages.shortest_of_people()
        if shortest is not None:
            before = self._tools.clock.now() - shortest
            await asyncio.to_thread(copies.forget_older, self._tools.reader.path, before)

    def _clock_is_guessed(self) -> bool:
        clock = self._tools.clock
        return isinstance(clock, SteadyClock) and not clock.confirmed

    async def _account(self, account: Account) -> None:
        write, clock = self._tools.writer.write, self._tools.clock
        rules = Rules(self._ages, kept_fields.keep_for(self._tools.reader.connection, account.id))
        await write(partial(retention.begin, account_id=account.id, now=clock.now()))
        place: Place | None = Place()
        while place is not None:
            some = partial(retention.some, account_id=account.id, rules=rules, place=place)
            place = await write(partial(some, now=clock.now()))
            await asyncio.sleep(PAUSE_S)
        await write(partial(retention.end, account_id=account.id, now=clock.now()))
        log.info("What was too old is deleted", extra={"action": "retention.done"})
