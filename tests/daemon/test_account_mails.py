"""Mails to holders about their account: who gets which, what stands in them, and what becomes of those that fail."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pamosnik.daemon.account_mails import WAITING_AT_MOST, AccountMails
from pamosnik.mail import Mailer, MailFailed
from pamosnik.security import tokens
from pamosnik.services import account_letters
from pamosnik.services.public_address import PublicAddress
from pamosnik.store import accounts, mailed_links
from pamosnik.store.accounts import Account
from pamosnik.store.mailed_links import Purpose
from tests.daemon.machine import Machine, machine
from tests.daemon.shop import EMAIL
from tests.mail.server import MailBox, mail_box

pytestmark = pytest.mark.anyio

ADDRESS = "https://shop.example"


@dataclass
class Office:
    shop: Machine
    box: MailBox
    mails: AccountMails

    @property
    def account(self) -> Account:
        return accounts.every(self.shop.reader.connection)[0]

    async def later(self, **units: float) -> None:
        self.shop.move_to(self.shop.clock.now() + timedelta(**units))
        await self.mails.round()

    def link(self, token: str, purpose: Purpose) -> mailed_links.MailedLink | None:
        hashed = tokens.token_hash(token)
        return mailed_links.find(self.shop.reader.connection, hashed, purpose, self.shop.clock.now())


def _mails(shop: Machine, mailer: Mailer | None) -> AccountMails:
    return AccountMails(
        shop.writer, shop.reader, shop.clock, mailer, PublicAddress(ADDRESS), "http://127.0.0.1:8788"
    )


@asynccontextmanager
async def office(folder: Path) -> AsyncIterator[Office]:
    async with mail_box() as box, machine(folder) as shop:
        yield Office(shop, box, _mails(shop, Mailer(box.as_server())))


def _token(text: str, path: str) -> str:
    (line,) = (line for line in text.splitlines() if line.startswith(f"{ADDRESS}{path}"))
    return line.removeprefix(f"{ADDRESS}{path}")


async def test_a_forgotten_password_is_mailed_to_whoever_has_the_account(tmp_path: Path) -> None:
    async with office(tmp_path) as at:
        for email in ("nobody@shop.example", EMAIL.upper(), "", "x" * 300):
            at.mails.asked_to_reset(email)
        await at.mails.round()
        assert at.box.received == [], (
            "not at once: what the daemon does just after an answer could be measured"
        )
        await at.later(seconds=4)
        (mail,) = at.box.received
        assert mail.readers == (EMAIL,)
        assert mail.subject == "Pamosnik: set a new password"
        assert "“Rosa”" in mail.text
        token = _token(mail.text, "/reset/")
        assert at.link(token, Purpose.RESET_PASSWORD) is not None
        assert at.link(token, Purpose.CONFIRM_EMAIL) is None
        # The mail alone holds it.
        assert token.encode() not in _everything_in(tmp_path)
        await at.later(hours=1)
        assert at.link(token, Purpose.RESET_PASSWORD) is None


def _everything_in(folder: Path) -> bytes:
    return b"".join(file.read_bytes() for file in folder.rglob("*") if file.is_file())


async def test_a_new_address_is_asked_and_the_old_one_warned(tmp_path: Path) -> None:
    async with office(tmp_path) as at:
        await at.mails.asked_to_change_email(at.account, "first@new.example")
        await at.mails.asked_to_change_email(at.account, "rosa@new.example")
        await at.mails.round()
        readers = [mail.readers[0] for mail in at.box.received]
        assert readers == ["first@new.example", EMAIL, "rosa@new.example", EMAIL]
        first, _, asked, warned = at.box.received
        link = at.link(_token(asked.text, "/confirm/"), Purpose.CONFIRM_EMAIL)
        assert link is not None
        assert link.email == "rosa@new.example"
        assert at.link(_token(first.text, "/confirm/"), Purpose.CONFIRM_EMAIL) is None, (
            "another was asked for"
        )
        assert "rosa@new.example" in warned.text
        assert ADDRESS not in warned.text
        waiting = mailed_links.waiting(
            at.shop.reader.connection, at.account.id, Purpose.CONFIRM_EMAIL, at.shop.clock.now()
        )
        assert waiting == "rosa@new.example"
        assert at.account.email == EMAIL


async def test_an_address_of_another_account_gets_no_mail(tmp_path: Path) -> None:
    """And the page cannot tell."""
    async with office(tmp_path) as at:
        now = at.shop.clock.now()
        anna = replace(at.account, id="9ANNA", email="anna@other.example")
        await at.shop.writer.write(
            lambda conn: accounts.insert(conn, anna, password_hash="", wrapped_key=b"", adult_stated_at=now)
        )
        await at.mails.asked_to_change_email(at.account, "Anna@Other.example")
        await at.mails.round()
        assert [mail.readers[0] for mail in at.box.received] == [EMAIL]
        waiting = mailed_links.waiting(at.shop.reader.connection, at.account.id, Purpose.CONFIRM_EMAIL, now)
        assert waiting == "Anna@Other.example"


async def test_the_own_address_may_be_written_otherwise(tmp_path: Path) -> None:
    async with office(tmp_path) as at:
        await at.mails.asked_to_change_email(at.account, EMAIL.title())
        await at.mails.round()
        assert sorted(mail.readers[0] for mail in at.box.received) == sorted([EMAIL.title(), EMAIL])


async def test_what_does_not_go_is_tried_again_told_and_given_up(tmp_path: Path) -> None:
    async with office(tmp_path) as at:
        await at.box.stop()
        at.mails.password_changed(at.account)
        await at.mails.round()
        assert at.shop.problems_of("mail_failing") == [
            "No mail can be sent. The mail server does not answer."
        ]
        await at.later(seconds=50)
        await at.box.start()
        await at.mails.round()
        assert at.box.received == []
        await at.later(seconds=10)
        assert at.box.subjects == ["Pamosnik: your password was changed"]
        assert at.shop.problems_of("mail_failing") == []
        await at.box.stop()
        at.mails.password_changed(at.account)
        await at.mails.round()
        for minutes in (1, 5, 15):
            await at.later(minutes=minutes)
        await at.box.start()
        await at.later(days=1)
        assert len(at.box.received) == 1


async def test_a_new_address_that_is_refused_is_nobodys_problem(tmp_path: Path) -> None:
    async with office(tmp_path) as at:
        at.box.refuses = lambda line: "550 unknown" if "RCPT" in line and "new.example" in line else None
        await at.mails.asked_to_change_email(at.account, "rosa@new.example")
        await at.mails.round()
        assert [mail.readers[0] for mail in at.box.received] == [EMAIL]
        assert at.shop.problems_of("mail_failing") == []
        at.box.refuses = lambda line: "550 unknown" if "RCPT" in line else None
        at.mails.password_changed(at.account)
        await at.mails.round()
        (told,) = at.shop.problems_of("mail_failing")
        assert "(550)" in told


async def test_a_test_mail_goes_now_or_says_why_not(tmp_path: Path) -> None:
    async with office(tmp_path) as at:
        await at.mails.try_now(at.account)
        (mail,) = at.box.received
        assert (mail.readers, mail.subject) == ((EMAIL,), "Pamosnik: a test mail")
        at.box.refuses = lambda line: "553 no" if line.startswith("MAIL") else None
        with pytest.raises(MailFailed, match=r"refuses the sender \(553\)"):
            await at.mails.try_now(at.account)


async def test_more_mails_than_can_wait_are_dropped(tmp_path: Path) -> None:
    async with office(tmp_path) as at:
        for _ in range(WAITING_AT_MOST + 10):
            at.mails.asked_to_reset("nobody@shop.example")
        at.mails.asked_to_reset(EMAIL)
        await at.later(seconds=4)
        assert at.box.received == []
        at.mails.asked_to_reset(EMAIL)
        await at.later(seconds=4)
        assert len(at.box.received) == 1


async def test_without_a_mail_server_nothing_piles_up(tmp_path: Path) -> None:
    async with machine(tmp_path) as shop:
        mails = _mails(shop, None)
        assert not mails.possible
        mails.asked_to_reset(EMAIL)
        await mails.round()
        assert shop.reader.connection.execute("SELECT count(*) FROM mailed_links").fetchone() == (0,)


async def test_a_name_cannot_become_a_header_or_a_paragraph(tmp_path: Path) -> None:
    async with office(tmp_path) as at:
        named = replace(
            at.account, name="Rosa\r\nBcc: victim@shop.example\r\n\r\nPay here: https://evil.example"
        )
        at.mails.password_changed(named)
        await at.mails.round()
        (mail,) = at.box.received
        assert mail.message["Bcc"] is None
        assert not any(line.startswith(("Bcc", "Pay")) for line in mail.text.splitlines())


def test_an_address_in_a_command_cannot_become_one() -> None:
    now = datetime(2026, 11, 30, 9, 0, tzinfo=UTC)
    account = Account("1", "Rosa", "rosa@shop.example", "Europe/Warsaw", now)
    told = account_letters.email_changed(account, "$(reboot)&@evil.example", now)
    (command,) = (line for line in told.text.splitlines() if line.startswith("pamosnik accounts set"))
    assert "--account '$(reboot)&@evil.example' --email rosa@shop.example" in command
    told = account_letters.password_changed(replace(account, email="a`id`@shop.example"), ADDRESS, now)
    assert "--account 'a`id`@shop.example'" in told.text


def test_letters_show_no_link_when_they_are_logged() -> None:
    assert "secret" not in repr(account_letters.AccountLetter("1", EMAIL, "subject", "a secret link"))
