"""What an owner gets by mail: once for each cause, once when it is mended, and the truth when mail itself fails."""

import asyncio
import itertools
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest

from pamosnik._sqlite import Connection
from pamosnik.config import Encryption
from pamosnik.daemon.alerts import Alerter
from pamosnik.mail import Mailer
from pamosnik.services.alerts import Remember, remember
from pamosnik.store import accounts, alerts, connections, notices
from pamosnik.store.accounts import Account
from pamosnik.store.alerts import Alert
from tests.certificates import authority
from tests.daemon import events
from tests.daemon.fake import Call, Trouble
from tests.daemon.machine import Machine, machine
from tests.daemon.shop import EMAIL, Shop, open_shop
from tests.mail.server import MAIL_PASSWORD, USER, MailBox, mail_box

pytestmark = pytest.mark.anyio

OPERATOR = "operator@shop.example"


@dataclass
class Office:
    """A machine whose owner reads mail."""

    shop: Machine
    box: MailBox
    alerter: Alerter

    def restart(self) -> None:
        """What was only in memory is gone."""
        shop = self.shop
        mailer = Mailer(self.box.as_server())
        self.alerter = Alerter(shop.tools, mailer, OPERATOR)

    async def look(self) -> None:
        while await self.alerter.round():
            pass

    async def later(self, **units: float) -> None:
        """Time passes, with a look every minute."""
        end = self.shop.clock.now() + timedelta(**units)
        while self.shop.clock.now() < end:
            self.shop.move_to(min(self.shop.clock.now() + timedelta(minutes=1), end))
            await self.look()

    async def wrong(self, code: str = "restricted", *, account: str | None = None, step: int = 0) -> None:
        account_id, connection_id = (account, "") if account is not None else self.ids()
        raise_it = partial(
            notices.raise_notice,
            account_id=account_id,
            connection_id=connection_id,
            code=code,
            message=f"Something is wrong: {code}.",
            fix="Run `pamosnik connect`.",
            now=self.shop.clock.now(),
            step=step,
        )
        await self.shop.writer.write(raise_it)

    async def mended(self, code: str = "restricted", *, account: str | None = None) -> None:
        account_id, connection_id = (account, "") if account is not None else self.ids()
        await self.shop.writer.write(
            partial(notices.settle, account_id=account_id, connection_id=connection_id, code=code)
        )

    def ids(self) -> tuple[str, str]:
        conn = self.shop.reader.connection
        account = accounts.every(conn)[0]
        return account.id, connections.of_account(conn, account.id)[0].id

    def codes(self) -> list[object]:
        return [problem["code"] for problem in self.shop.problems()]


@asynccontextmanager
async def office(folder: Path) -> AsyncIterator[Office]:
    async with machine(folder) as shop, mail_box() as box:
        alerter = Alerter(shop.tools, Mailer(box.as_server()), OPERATOR)
        yield Office(shop, box, alerter)


def _refresh_ends(call: Call) -> Trouble | None:
    return Trouble(400, 190, 463) if call.path == "/refresh_access_token" else None


def _down(call: Call) -> Trouble | None:
    return Trouble(503, 2) if call.path == "/refresh_access_token" else None


# --- one mail for each cause -----------------------------------------------------------------------------


async def test_a_login_that_ends_at_night_makes_exactly_one_mail(tmp_path: Path) -> None:
    async with office(tmp_path) as at:
        at.shop.fake.trouble = _refresh_ends
        for _ in range(26):
            at.shop.move_to(at.shop.clock.now() + timedelta(hours=1))
            await at.shop.keeper.round()
            await at.look()
        (mail,) = at.box.received
        assert mail.readers == (EMAIL,)
        assert mail.subject.startswith("Pamosnik: The login of shop has ended")
        for part in ("What to do: Run `pamosnik connect`", "Meanwhile: Nothing is sent", "(Europe/Warsaw)"):
            assert part in mail.text
        assert "About Meta's error 190/463: docs/meta-errors.md#error-190-463\n" in mail.text
        # The same to the only account of a machine and to one of ten: it is not told of the others.
        assert f"asks for the account: --account {EMAIL})" in mail.text
        # The owner logs in: one mail says so, five minutes later.
        await at.shop.writer.write(_log_in_again)
        await at.later(minutes=4)
        assert len(at.box.received) == 1
        await at.later(hours=1)
        assert at.box.subjects[1:] == [f"Pamosnik: mended: {mail.subject.removeprefix('Pamosnik: ')}"]
        assert "nothing left to do" in at.box.received[1].text


def _log_in_again(conn: Connection) -> None:
    """What `connect` does to notices and the connection."""
    (connected,) = connections.of_account(conn, accounts.every(conn)[0].id)
    conn.execute("UPDATE connections SET status='active'")
    notices.settle(conn, connected.account_id, connected.id)


async def test_each_rung_of_the_ladder_is_told_once_and_the_end(tmp_path: Path) -> None:
    async with office(tmp_path) as at:
        at.shop.fake.trouble = _down
        at.shop.move_to(at.shop.clock.now() + timedelta(days=45))
        for turn in range(16 * 6):
            at.shop.move_to(at.shop.clock.now() + timedelta(hours=4))
            await at.shop.keeper.round()
            if turn % 20 == 0:
                at.restart()
            await at.look()
        told = [subject.partition("shop ")[2].partition(" and")[0] for subject in at.box.subjects]
        assert told == ["ends in 13 days", "ends in 6 days", "ends in 2 days", "ends in 1 day", "has ended"]
        # That Instagram now says so, too, is no news; that a login works again is.
        at.shop.fake.trouble = _refresh_ends
        await at.later(hours=2)
        await at.shop.keeper.round()
        await at.later(hours=2)
        assert len(at.box.received) == 5
        assert at.codes() == ["needs_login"]
        await at.shop.writer.write(_log_in_again)
        await at.later(minutes=10)
        assert len(at.box.received) == 6


async def test_a_removed_app_is_told_with_the_time_of_the_deletion_and_then_that_it_is_done(
    tmp_path: Path,
) -> None:
    def removed(_: Call) -> Trouble | None:
        return Trouble(400, 190, 458)

    async with office(tmp_path) as at:
        _, connection_id = at.ids()
        at.shop.fake.trouble = removed
        await at.later(hours=1)
        await at.shop.catch_up.round()
        await at.later(hours=23)
        (mail,) = at.box.received
        assert "was removed from the Instagram account shop" in mail.text
        assert "run `pamosnik connect` before then" in mail.text
        at.shop.move_to(at.shop.clock.now() + timedelta(hours=2))
        await at.shop.eraser.round()
        await at.later(days=8)
        _, done = at.box.received
        assert "was deleted on" in done.text
        assert "You will hear" not in done.text
        kept = alerts.every(at.shop.reader.connection)
        assert [(one.connection_id, one.cause, one.open) for one in kept] == [
            (connection_id, "data_deleted", False)
        ]
        assert "account shop" not in kept[0].message


async def test_a_mail_about_a_connection_that_is_gone_leaves_no_trace(tmp_path: Path) -> None:
    async with office(tmp_path) as at:
        now = at.shop.clock.now()
        account_id, _ = at.ids()
        late = Alert(account_id, "gone", "restricted", True, 0, "About shop.", now, None)
        await at.shop.writer.write(partial(remember, todo=[Remember(late)]))
        assert alerts.every(at.shop.reader.connection) == []


async def test_what_is_mended_before_it_was_mailed_is_not_mailed(tmp_path: Path) -> None:
    async with office(tmp_path) as at:
        await at.box.stop()
        await at.wrong()
        await at.later(minutes=30)
        await at.mended()
        await at.box.start()
        await at.later(hours=3)
        assert at.box.received == []
        assert at.codes() == []


async def test_what_flaps_is_told_once(tmp_path: Path) -> None:
    async with office(tmp_path) as at:
        for _ in range(30):
            await at.wrong()
            await at.later(minutes=3)
            await at.mended()
            await at.later(minutes=3)
        assert at.box.subjects == ["Pamosnik: Something is wrong: restricted."]
        await at.later(minutes=30)
        assert len(at.box.received) == 2


async def test_one_cause_alerts_hourly_at_most_and_what_strangers_cause_daily(tmp_path: Path) -> None:
    async with office(tmp_path) as at:
        for _ in range(18):
            for code, account in (("restricted", None), ("bad_signature", "")):
                await at.wrong(code, account=account)
            await at.later(minutes=10)
            for code, account in (("restricted", None), ("bad_signature", "")):
                await at.mended(code, account=account)
            await at.later(minutes=10)
        alerts = [one for one in at.box.received if "mended" not in one.subject]
        assert [one.readers[0] for one in alerts if "bad_signature" in one.subject] == [OPERATOR]
        times = [one.message["Date"].datetime for one in alerts if "restricted" in one.subject]
        assert len(times) >= 4
        assert all(b - a >= timedelta(hours=1) for a, b in itertools.pairwise(times))


async def test_several_causes_make_a_mail_each(tmp_path: Path) -> None:
    async with office(tmp_path) as at:
        await at.wrong("restricted")
        await at.wrong("message_refused")
        await at.look()
        assert sorted(at.box.subjects) == [
            "Pamosnik: Something is wrong: message_refused.",
            "Pamosnik: Something is wrong: restricted.",
        ]


async def test_a_restart_forgets_nothing(tmp_path: Path) -> None:
    async with office(tmp_path) as at:
        await at.wrong()
        await at.look()
        at.restart()
        await at.later(hours=2)
        await at.mended()
        await at.later(minutes=3)
        at.restart()
        await at.later(minutes=10)
        at.restart()
        await at.later(hours=2)
        assert len(at.box.received) == 2


async def test_a_name_with_line_ends_stays_a_name(tmp_path: Path) -> None:
    async with office(tmp_path) as at:
        await at.shop.writer.write(
            lambda conn: conn.execute(
                "UPDATE connections SET username='x\r\nBcc: victim@shop.example\r\n\r\nhello'"
            )
        )
        at.shop.fake.trouble = _refresh_ends
        at.shop.move_to(at.shop.clock.now() + timedelta(days=2))
        await at.shop.keeper.round()
        await at.look()
        (mail,) = at.box.received
        assert mail.readers == (EMAIL,)
        assert mail.message["Bcc"] is None
        assert mail.text.splitlines()[0].startswith("The login of x Bcc: victim@shop.example hello has ended")


# --- a subscription that is lost -------------------------------------------------------------------------


async def _reads(at: Office, **units: float) -> None:
    end = at.shop.clock.now() + timedelta(**units)
    while at.shop.clock.now() < end:
        at.shop.move_to(at.shop.clock.now() + timedelta(minutes=5))
        await at.shop.catch_up.round()
        await at.look()


async def test_of_a_lost_subscription_the_owner_hears_only_when_it_cannot_be_mended(tmp_path: Path) -> None:
    async with office(tmp_path) as at:
        at.shop.fake.subscribed = []
        await _reads(at, hours=2)
        assert at.box.received == []
        at.shop.fake.subscribed = []
        at.shop.fake.trouble = lambda call: (
            Trouble(400, 100) if call.method == "POST" and "subscribed_apps" in call.path else None
        )
        await _reads(at, hours=3)
        (mail,) = at.box.received
        assert "sends no webhooks for shop" in mail.subject
        assert "every five minutes instead" in mail.text
        # Meta has it again, by whatever way.
        at.shop.fake.subscribed = ["messages", "comments"]
        await _reads(at, hours=2)
        assert at.codes() == []
        assert len(at.box.received) == 2


# --- messages left to the owner --------------------------------------------------------------------------


async def test_messages_left_unknown_make_one_mail_an_hour_at_most(tmp_path: Path) -> None:
    async with office(tmp_path) as at:
        for n in range(5):
            await _left_unknown(at, f"900{n}")
            await at.later(minutes=5)
        (mail,) = at.box.received
        assert mail.subject.startswith("Pamosnik: 1 message has an unknown fate")
        assert "pamosnik queue settle ID" in mail.text
        await at.later(hours=1)
        assert [one.subject.split()[1] for one in at.box.received] == ["1", "5"]
        await at.later(hours=5)
        assert len(at.box.received) == 2
        # One is settled and another comes: that is news again.
        await at.shop.writer.write(
            lambda conn: conn.execute(
                "UPDATE outbox SET status='sent' WHERE seq=(SELECT min(seq) FROM outbox)"
            )
        )
        await at.later(minutes=1)
        await _left_unknown(at, "9009")
        await at.later(minutes=1)
        assert len(at.box.received) == 3
        await at.shop.writer.write(lambda conn: conn.execute("UPDATE outbox SET status='sent'"))
        await at.later(hours=1)
        assert "mended" in at.box.received[-1].subject
        assert len(at.box.received) == 4


async def _left_unknown(at: Office, igsid: str) -> None:
    message = {**events.message(igsid, "size"), "timestamp": int(at.shop.clock.now().timestamp() * 1000)}
    await at.shop.deliver(events.talk(message))
    await at.shop.works()
    await at.shop.writer.write(
        lambda conn: conn.execute(
            "UPDATE outbox SET status='unknown', look_at=NULL WHERE seq=(SELECT max(seq) FROM outbox)"
        )
    )


# --- mail that does not go -------------------------------------------------------------------------------


async def test_a_server_that_is_down_is_told_by_status_and_tried_ever_less_often(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with office(tmp_path) as at:
        await at.look()
        await at.box.stop()
        await at.wrong()
        with caplog.at_level("DEBUG"):
            await at.later(hours=12)
        assert sorted(map(str, at.codes())) == ["mail_failing", "restricted"]
        problem = next(one for one in at.shop.problems() if one["code"] == "mail_failing")
        assert "does not answer" in str(problem["message"])
        assert "PAMOSNIK_SMTP_URL" in str(problem["fix"])
        tries = sum(record.__dict__.get("action") == "alerts.failed" for record in caplog.records)
        assert 8 <= tries <= 20
        assert EMAIL not in caplog.text
        await at.box.start()
        await at.later(hours=1.1)
        assert at.box.subjects == ["Pamosnik: Something is wrong: restricted."]
        assert at.codes() == ["restricted"]


async def test_a_wrong_password_shows_at_start_and_not_only_at_night(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with machine(tmp_path) as shop, mail_box(logins={USER: MAIL_PASSWORD}) as box:
        wrong = Mailer(box.as_server(USER, "wrong secret"))
        with caplog.at_level("DEBUG"):
            await Alerter(shop.tools, wrong, None).round()
        (problem,) = shop.problems()
        assert (problem["code"], "(535)" in str(problem["message"])) == ("mail_failing", True)
        for secret in (USER, "wrong secret"):
            assert secret not in f"{caplog.text}{shop.problems()}"
        right = Alerter(shop.tools, Mailer(box.as_server(USER, MAIL_PASSWORD)), None)
        await right.round()
        assert shop.problems() == []
        visits = box.visits
        await right.round()
        assert box.visits == visits, "what works is not asked again"


async def test_one_refused_address_holds_up_nobody_else(tmp_path: Path) -> None:
    async with office(tmp_path) as at:
        at.box.refuses = lambda line: "550 no" if line.startswith("RCPT") and EMAIL in line else None
        await at.wrong()
        at.shop.move_to(at.shop.clock.now() + timedelta(seconds=1))
        await at.wrong("bad_signature", account="")
        await at.look()
        assert [one.readers for one in at.box.received] == [(OPERATOR,)]
        assert "mail_failing" in at.codes()
        at.box.refuses = lambda _: None
        await at.later(minutes=2)
        assert len(at.box.received) == 2
        assert "mail_failing" not in at.codes()


async def test_an_accounts_trouble_is_mailed_to_that_account_alone(tmp_path: Path) -> None:
    async with office(tmp_path) as at:
        now = at.shop.clock.now()
        other = Account("other", "Other", "other@shop.example", "UTC", now)
        await at.shop.writer.write(
            partial(accounts.insert, account=other, password_hash="x", wrapped_key=b"x", adult_stated_at=now)
        )
        await at.wrong("message_refused", account="other")
        await at.look()
        (mail,) = at.box.received
        assert mail.readers == ("other@shop.example",)
        assert "--account other@shop.example" in mail.text
        assert EMAIL not in mail.raw.decode()


async def test_a_crash_after_sending_repeats_one_mail_once(tmp_path: Path) -> None:
    async with office(tmp_path) as at:
        at.box.hangs_up_after_data = True
        await at.wrong()
        await at.look()
        assert len(at.box.received) == 1
        at.box.hangs_up_after_data = False
        at.restart()
        await at.later(hours=3)
        assert len(at.box.received) == 2


# --- the daemon ------------------------------------------------------------------------------------------


async def test_the_daemon_mails_once_through_kills_and_stops_in_time(tmp_path: Path) -> None:
    known = authority(tmp_path / "certificates")
    async with mail_box(Encryption.TLS, tls=known.server(), logins={USER: MAIL_PASSWORD}) as box:
        url = f"smtps://shop%40mail.example:p%40ss%3Aw%C3%B6rd%2F1%3F@127.0.0.1:{box.port}"
        settings = {"PAMOSNIK_SMTP_URL": url, "SSL_CERT_FILE": str(known.file)}
        async with open_shop(tmp_path / "shop", **settings) as shop:
            shop.fake.token = "IGAAanothertoken9876543210secret"
            await shop.write("7301", "price")
            await _says(shop, "An alert was mailed")  # before that a kill may repeat it
            await shop.kill()
            visits = box.visits
            await shop.start()
            await _visits(box, visits + 1)
            (mail,) = box.received
            assert "The login of shop has ended" in mail.subject
            assert (mail.sender, mail.user, mail.encrypted) == (USER, USER, True)
            assert MAIL_PASSWORD not in shop.said() + await shop.command("config", "show")
            # A mail under way that gets no answer does not hold up the stop.
            box.silent = True
            body = events.encode(events.envelope(events.talk(events.message("9001", "thanks"))))
            for _ in range(3):
                assert await shop.fake.post(body, "sha256=0") == 403
            await _visits(box, visits + 2)
            begun = time.monotonic()
            assert await shop.stop() == 0
            assert time.monotonic() - begun < 25
            codes = {problem["code"] for problem in (await shop.read("status"))["problems"]}
            assert codes == {"needs_login", "bad_signature", "daemon_not_running"}


async def _says(shop: Shop, words: str) -> None:
    for _ in range(500):
        if words in shop.said():
            return
        await asyncio.sleep(0.02)
    raise AssertionError(shop.said())


async def _visits(box: MailBox, count: int) -> None:
    for _ in range(500):
        if box.visits >= count:
            return
        await asyncio.sleep(0.02)
    raise AssertionError(box.visits)
