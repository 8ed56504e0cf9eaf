"""Mails owners what needs them. Compares once a second what is wrong with what was told.

A mail that does not go is tried again after 1, 2, 4 … minutes, an hour at most, and holds up nothing but mails.
"""

import asyncio
import logging
from datetime import datetime, timedelta
from functools import partial

from pamosnik.daemon.tools import Tools
from pamosnik.daemon.waiting import happens
from pamosnik.errors import StorageRefused
from pamosnik.mail import Mail, Mailer, MailFailed
from pamosnik.services import alerts
from pamosnik.services.alerts import Letter

LOOK_EVERY = timedelta(seconds=1)
STOP_WITHIN_S = 5.0
"""The daemon ends within ten seconds of being asked to."""
_FIRST_GAP = timedelta(minutes=1)
_LONGEST_GAP = timedelta(hours=1)
_SERVER = ""
"""In place of an account: what went wrong concerns all of them."""

log = logging.getLogger(__name__)


class Alerter:
    """One mail after the other."""

    def __init__(self, tools: Tools, mailer: Mailer, operator_email: str | None) -> None:
        self._tools = tools
        self._mailer = mailer
        self._operator_email = operator_email
        self._stopping = asyncio.Event()
        self._unproven = True
        """Whether the server has yet to show that it works: a wrong password is found at start, not at night."""
        self._failures: dict[str, int] = {}
        self._not_before: dict[str, datetime] = {}

    def stop(self) -> None:
        """A mail that is under way may still go."""
        self._stopping.set()
        self._mailer.hurry(STOP_WITHIN_S)

    async def run(self) -> None:
        while not self._stopping.is_set():
            try:
                with self._tools.reader.in_words():
                    if await self.round():
                        continue
            except StorageRefused as error:
                self._tools.writer.storage.refused(error)
            await happens(self._stopping, within=LOOK_EVERY)

    async def round(self) -> bool:
        """One look, and one mail at most. True when there may be more to do at once."""
        now = self._tools.clock.now()
        todo = self._tools.reader.read(partial(alerts.moves, now=now))
        if any(isinstance(move, alerts.Remember) for move in todo):
            await self._tools.writer.write(partial(alerts.remember, todo=todo))
        if self._waits(_SERVER, now):
            return False
        conn, public = self._tools.reader.connection, self._tools.address.url
        for letter in alerts.letters(conn, todo, self._operator_email, now, public=public):
            if not self._waits(letter.account_id, now):
                return await self._send(letter, now)
        if self._unproven:
            await self._check()
        return False

    def _waits(self, account_id: str, now: datetime) -> bool:
        return self._not_before.get(account_id, now) > now

    async def _send(self, letter: Letter, now: datetime) -> bool:
        """Whether others may be tried at once."""
        try:
            await self._mailer.send(Mail(letter.to, letter.subject, letter.text), now)
        except MailFailed as error:
            await self._failed(letter.account_id if error.recipient else _SERVER, error)
            return error.recipient
        for account_id in (_SERVER, letter.account_id):
            self._works(account_id)
        await asyncio.shield(self._record(letter))
        about = {"connection": letter.after.connection_id, "cause": letter.after.cause}
        log.info("An alert was mailed", extra={"action": "alerts.mailed", **about})
        return True

    async def _record(self, letter: Letter) -> None:
        """Until it is on disk: otherwise the same mail would go again and again."""
        while True:
            try:
                await self._tools.writer.write(partial(alerts.told, letter=letter))
                return
            except StorageRefused as error:
                log.error("%s", error.message, extra={"action": "alerts.storage"})  # noqa: TRY400
                if self._stopping.is_set():
                    return
                await asyncio.sleep(1)

    async def _check(self) -> None:
        try:
            await self._mailer.check()
        except MailFailed as error:
            await self._failed(_SERVER, error)
            return
        self._works(_SERVER)
        await self._tools.writer.write(alerts.mail_works)

    def _works(self, account_id: str) -> None:
        self._failures.pop(account_id, None)
        self._not_before.pop(account_id, None)
        self._unproven = False

    async def _failed(self, account_id: str, error: MailFailed) -> None:
        """Tried again later; `status` says so. Cut short by the daemon's stop, it has not failed."""
        if self._stopping.is_set():
            return
        self._unproven = account_id == _SERVER
        failures = self._failures[account_id] = self._failures.get(account_id, 0) + 1
        now = self._tools.clock.now()
        self._not_before[account_id] = now + min(_FIRST_GAP * 2 ** min(failures - 1, 10), _LONGEST_GAP)
        log.warning("No alert can be mailed: %s", error.message, extra={"action": "alerts.failed"})
        failing = partial(alerts.mail_fails, message=error.message, fix=error.hint or "", now=now)
        await self._tools.writer.write(partial(failing, account_id=account_id))
