"""Mails to holders about their account: links to a new password, changes that they may not have made, tests.

Links to a new password are made and sent some seconds after the page has answered: neither the answer nor what the
daemon is busy with then tells whether an e-mail has an account. What does not go is tried again for some twenty
minutes: a link is of no use the next day. A restart forgets them; whoever waits for a mail asks once more.
"""

import asyncio
import logging
import secrets
from collections import deque
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial

from pamosnik.clock import Clock
from pamosnik.config import Config
from pamosnik.daemon.reached import reached_here
from pamosnik.daemon.waiting import happens
from pamosnik.errors import StorageRefused
from pamosnik.mail import Mail, Mailer, MailFailed
from pamosnik.security import tokens
from pamosnik.services import account_letters, alerts, holder_links
from pamosnik.services.account_letters import AccountLetter
from pamosnik.services.public_address import PublicAddress
from pamosnik.store import accounts
from pamosnik.store.accounts import Account
from pamosnik.store.database import Database
from pamosnik.store.shared_writer import Writer
from pamosnik.store.walls import write_for

STOP_WITHIN_S = 5.0
WAITING_AT_MOST = 100
AGAIN_AFTER = (timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=15))
_SOON, _JITTER = timedelta(seconds=1), timedelta(seconds=3)
_LOOK_EVERY = timedelta(seconds=1)

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Waiting:
    letter: AccountLetter
    not_before: datetime
    failures: int = 0


class AccountMails:
    """One mail after the other."""

    def __init__(
        self,
        writer: Writer,
        reader: Database,
        clock: Clock,
        mailer: Mailer | None,
        public: PublicAddress,
        here: str,
    ) -> None:
        """`mailer`: None when no mail server is set. Links lead to the `public` address; while there is none, `here`,
        which only this machine reaches."""
        self._writer = writer
        self._reader = reader
        self._clock = clock
        self._mailer = mailer
        self._public = public
        self._here = here
        self._asked: deque[tuple[datetime, str]] = deque()
        self._waiting: list[_Waiting] = []
        self._stopping = asyncio.Event()
        self._woken = asyncio.Event()

    @classmethod
    def under(
        cls, settings: Config, writer: Writer, reader: Database, clock: Clock, public: PublicAddress
    ) -> "AccountMails":
        """Links lead to the public address, or to where the page is on this machine: never where a request says."""
        mailer = None if settings.mail is None else Mailer(settings.mail)
        here = f"http://{reached_here(settings.host)}:{settings.port}"
        return cls(writer, reader, clock, mailer, public, here)

    @property
    def _address(self) -> str:
        return self._public.url or self._here

    @property
    def _only_here(self) -> bool:
        return self._public.url is None

    @property
    def possible(self) -> bool:
        """Whether a mail server is set. It may refuse all the same."""
        return self._mailer is not None

    # --- what is asked for ---------------------------------------------------------------------------

    def asked_to_reset(self, email: str) -> None:
        """Somebody forgot the password of whoever has this e-mail, if anybody has."""
        if self._has_room():
            wait = _SOON + secrets.randbelow(1000) / 1000 * _JITTER
            self._asked.append((self._clock.now() + wait, email))

    async def asked_to_change_email(self, account: Account, email: str) -> None:
        """Stores the link, then mails it to the new address, and a warning to the present one.

        An address that another account has gets no mail; nothing else is different.
        """
        token, now = tokens.new_token(), self._clock.now()
        store = partial(holder_links.to_confirm, account=account, email=email, token=token, now=now)
        await self._writer.write(write_for(account.id, store))
        link = f"{self._address}{holder_links.CONFIRM_PATH}{token}"
        known = accounts.by_email(self._reader.connection, email)
        if known is None or known.id == account.id:
            self._put(account_letters.confirm_email(account, email, link, only_here=self._only_here))
        self._put(account_letters.email_about_to_change(account, email, now))

    def password_changed(self, account: Account) -> None:
        self._put(account_letters.password_changed(account, self._address, self._clock.now()))

    def email_changed(self, before: Account, email: str) -> None:
        """`before`: the account as it was."""
        self._put(account_letters.email_changed(before, email, self._clock.now()))

    async def try_now(self, account: Account) -> None:
        """Sends a test mail to the account's address and returns when the server has taken it. Raises `MailFailed`.
        Only where it is `possible`."""
        assert self._mailer is not None
        await self._send(self._mailer, account_letters.test(account, self._clock.now()))

    # --- work ----------------------------------------------------------------------------------------

    def stop(self) -> None:
        """A mail that is under way may still go."""
        self._stopping.set()
        self._woken.set()
        if self._mailer is not None:
            self._mailer.hurry(STOP_WITHIN_S)

    async def run(self) -> None:
        while not self._stopping.is_set():
            self._woken.clear()
            try:
                with self._reader.in_words():
                    await self.round()
            except StorageRefused as error:
                self._writer.storage.refused(error)
            await happens(self._woken, within=_LOOK_EVERY)
        if left := len(self._asked) + len(self._waiting):
            log.info("%d mails to holders had not left", left, extra={"action": "account_mails.left"})

    async def round(self) -> None:
        """Everything that can go now."""
        if self._mailer is None:
            self._asked.clear()
            self._waiting.clear()
            return
        while self._asked and self._asked[0][0] <= self._clock.now():
            await self._write_reset(self._asked[0][1])
            self._asked.popleft()
        for one in [one for one in self._waiting if one.not_before <= self._clock.now()]:
            if self._stopping.is_set():
                return
            self._waiting.remove(one)
            try:
                await self._send(self._mailer, one.letter)
            except MailFailed as error:
                await self._failed(one, error)

    async def _write_reset(self, email: str) -> None:
        account = accounts.by_email(self._reader.connection, email)
        if account is None:
            return
        token = tokens.new_token()
        store = partial(holder_links.to_reset, account=account, token=token, now=self._clock.now())
        await self._writer.write(write_for(account.id, store))
        link = f"{self._address}{holder_links.RESET_PATH}{token}"
        self._put(account_letters.reset(account, link, only_here=self._only_here))

    async def _send(self, mailer: Mailer, letter: AccountLetter) -> None:
        await mailer.send(Mail(letter.to, letter.subject, letter.text), self._clock.now())
        log.info("A mail to an account's holder was sent", extra={"action": "account_mails.sent"})
        if alerts.mail_is_failing(self._reader.connection, letter.account_id):
            await self._writer.write(partial(alerts.mail_went, account_id=letter.account_id))

    async def _failed(self, one: _Waiting, error: MailFailed) -> None:
        """Tried again later. Cut short by the daemon's stop, it has not failed."""
        if self._stopping.is_set():
            self._waiting.append(one)
            return
        log.warning(
            "A mail to an account's holder cannot be sent: %s",
            error.message,
            extra={"action": "account_mails.failed"},
        )
        now = self._clock.now()
        if one.failures < len(AGAIN_AFTER):
            later = now + AGAIN_AFTER[one.failures]
            self._waiting.append(replace(one, not_before=later, failures=one.failures + 1))
        account = accounts.load(self._reader.connection, one.letter.account_id)
        if error.recipient and (account is None or not one.letter.is_for_holder(account)):
            return  # an address that is nobody's yet
        about = one.letter.account_id if error.recipient else ""
        fails = partial(alerts.mail_fails, account_id=about, message=error.message, fix=error.hint or "")
        await self._writer.write(partial(fails, now=now))

    def _put(self, letter: AccountLetter) -> None:
        if self._has_room():
            self._waiting.append(_Waiting(letter, self._clock.now()))
            self._woken.set()

    def _has_room(self) -> bool:
        if len(self._asked) + len(self._waiting) < WAITING_AT_MOST:
            return True
        log.warning("Too many mails to holders wait: one is dropped", extra={"action": "account_mails.full"})
        return False
