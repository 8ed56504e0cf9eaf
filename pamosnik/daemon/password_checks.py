"""Comparing passwords: throttled before, two at a time, and as long for nobody's e-mail as for somebody's."""

import asyncio
import logging
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial

from pamosnik.clock import Clock
from pamosnik.errors import StorageRefused
from pamosnik.security import passwords
from pamosnik.services import throttle, visits
from pamosnik.services.throttle import TooOften
from pamosnik.store import accounts, login_attempts
from pamosnik.store.accounts import Account
from pamosnik.store.database import Database
from pamosnik.store.walls import write_for
from pamosnik.store.writer import GroupWriter

HASHES_AT_ONCE = 2
"""Each takes a core for a quarter of a second. The others wait; the throttle says how many there can be."""
_COMPLAIN_EVERY = timedelta(minutes=1)

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Right:
    """The password is that of the account. Whoever lets in forgives the attempt."""

    account: Account
    attempt: int
    stored: str = field(repr=False)
    """The hash that it fits."""


class PasswordChecks:
    def __init__(self, writer: GroupWriter, reader: Database, clock: Clock) -> None:
        self._writer = writer
        self._reader = reader
        self._clock = clock
        self._room = asyncio.Semaphore(HASHES_AT_ONCE)
        self._complained_at: datetime | None = None

    async def login(self, email: str, password: str, browser: str | None) -> Right | TooOften | None:
        """None: e-mail or password is wrong. `browser`: the token it was given at an earlier login."""
        begin = partial(visits.begin, email=email, browser=browser, now=self._clock.now())
        attempt = await self._writer.write(begin)
        if isinstance(attempt, TooOften):
            self._complain()
            return attempt
        right = await self._fits(password, attempt.stored)
        if attempt.account is None or not right:
            return None
        return Right(attempt.account, attempt.number, attempt.stored)

    async def is_present(self, account_id: str, password: str) -> bool | TooOften:
        """Whether somebody who is logged in knows the account's password, which they say once more."""
        limit, now = throttle.PRESENT_PASSWORD, self._clock.now()
        take = partial(throttle.take, limit=limit, subject=account_id, now=now, account_id=account_id)
        number = await self._writer.write(take)
        if isinstance(number, TooOften):
            return number
        right = await self._fits(password, accounts.password_hash(self._reader.connection, account_id))
        if right:
            await self._writer.write(partial(login_attempts.forgive, number=number))
        return right

    async def hash_anew(self, right: Right, password: str) -> None:
        """Stores the password that was right under a hash of today's rounds, if it has fewer."""
        if not passwords.needs_rehash(right.stored):
            return
        hashed, account_id = await self.hashed(password), right.account.id
        change = partial(
            accounts.replace_password_hash, account_id=account_id, was=right.stored, hashed=hashed
        )
        with suppress(StorageRefused):  # then at the next login
            await self._writer.write(write_for(account_id, change))
            log.info("A password was hashed anew", extra={"action": "login.hashed_anew"})

    async def hashed(self, password: str) -> str:
        """A new hash for a new password."""
        async with self._room:
            return await asyncio.to_thread(passwords.hash_password, password)

    def _complain(self) -> None:
        """Once a minute: a stranger must not fill the log."""
        now = self._clock.now()
        if self._complained_at is None or now - self._complained_at >= _COMPLAIN_EVERY:
            self._complained_at = now
            log.warning("Logins are refused: too many wrong passwords", extra={"action": "login.throttled"})

    async def _fits(self, password: str, stored: str) -> bool:
        async with self._room:
            return await asyncio.to_thread(passwords.check_password, password, stored)
