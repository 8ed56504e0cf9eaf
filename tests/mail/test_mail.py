"""Mail over real SMTP: encrypted, verified, one reader, nothing smuggled in, and errors without secrets."""

import asyncio
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
import uvloop
from hypothesis import given
from hypothesis import strategies as st

from pamosnik.config import Encryption
from pamosnik.mail import Mail, Mailer, MailFailed, letter
from tests.certificates import authority
from tests.mail.server import MAIL_PASSWORD, USER, MailBox, mail_box

pytestmark = pytest.mark.anyio

NOW = datetime(2026, 11, 25, 2, 0, tzinfo=UTC)
MAIL = Mail("rosa@shop.example", "The login has ended", "Żółć.\nRun `pamosnik connect`.\n")


async def _refusal(mailer: Mailer, mail: Mail = MAIL) -> MailFailed:
    with pytest.raises(MailFailed) as caught:
        await mailer.send(mail, NOW)
    assert caught.value.hint
    return caught.value


async def test_a_mail_arrives_with_all_its_headers() -> None:
    async with mail_box() as box:
        await Mailer(box.as_server()).send(MAIL, NOW)
        (one,) = box.received
    assert (one.sender, one.readers, one.encrypted) == ("alerts@shop.example", ("rosa@shop.example",), False)
    headers = {name: str(value) for name, value in one.message.items()}
    assert headers["From"] == "Pamosnik <alerts@shop.example>"
    assert headers["To"] == "rosa@shop.example"
    assert headers["Subject"] == "The login has ended"
    assert headers["Date"] == "Wed, 25 Nov 2026 02:00:00 +0000"
    assert headers["Auto-Submitted"] == "auto-generated"
    assert headers["Message-ID"].endswith("@shop.example>")
    assert one.message.get_content_type() == "text/plain"
    assert one.text == MAIL.text


@pytest.mark.parametrize("encryption", [Encryption.TLS, Encryption.STARTTLS])
async def test_the_way_is_encrypted_before_the_login(tmp_path: Path, encryption: Encryption) -> None:
    known = authority(tmp_path)
    async with mail_box(encryption, tls=known.server(), logins={USER: MAIL_PASSWORD}) as box:
        await Mailer(box.as_server(USER, MAIL_PASSWORD), tls=known.trust).send(MAIL, NOW)
        (one,) = box.received
    assert (one.encrypted, one.user) == (True, USER)


@pytest.mark.parametrize("encryption", [Encryption.TLS, Encryption.STARTTLS])
@pytest.mark.parametrize("wrong", ["authority", "name"])
async def test_a_wrong_certificate_is_refused(tmp_path: Path, encryption: Encryption, wrong: str) -> None:
    shown = authority(tmp_path / "shown")
    name = "127.0.0.1" if wrong == "authority" else "other.example"
    trusted = authority(tmp_path / "other") if wrong == "authority" else shown
    async with mail_box(encryption, tls=shown.server(name), logins={USER: MAIL_PASSWORD}) as box:
        error = await _refusal(Mailer(box.as_server(USER, MAIL_PASSWORD), tls=trusted.trust))
        assert "certificate that cannot be trusted" in error.message
        assert box.received == []


def test_encryption_works_on_the_daemons_event_loop(tmp_path: Path) -> None:
    known = authority(tmp_path)

    async def run() -> None:
        async with mail_box(Encryption.STARTTLS, tls=known.server()) as box:
            await Mailer(box.as_server(), tls=known.trust).send(MAIL, NOW)
            assert [one.encrypted for one in box.received] == [True]
        async with mail_box(Encryption.TLS, tls=known.server()) as box:
            error = await _refusal(Mailer(box.as_server(), tls=authority(tmp_path / "other").trust))
            assert "certificate" in error.message

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(run())


async def test_nothing_is_said_in_the_open_when_encryption_is_not_offered() -> None:
    """Somebody in between may have cut the offer out, and left the one to log in."""
    async with mail_box(logins={USER: MAIL_PASSWORD}) as box:
        heard: list[str] = []
        box.refuses = lambda line: heard.append(line)
        box.encryption = Encryption.STARTTLS
        server = box.as_server(USER, MAIL_PASSWORD)
        box.encryption = Encryption.NONE
        error = await _refusal(Mailer(server))
        assert "STARTTLS" in error.message
        assert [line.split()[0] for line in heard] == ["EHLO"]


@pytest.mark.parametrize(
    ("beginning", "answer", "word", "recipient"),
    [
        ("RCPT", "550 <rosa@shop.example> unknown", "(550)", True),
        ("RCPT", "450 <rosa@shop.example> greylisted", "(450)", True),
        ("MAIL", "553 not your address", "sender (553)", False),
        ("DATA", "554 spam", "(554)", False),
        ("EHLO", "421 too busy", "(421)", False),
    ],
)
async def test_a_refusal_is_told_by_its_number_alone(
    beginning: str, answer: str, word: str, recipient: bool
) -> None:
    async with mail_box() as box:
        box.refuses = lambda line: answer if line.startswith(beginning) else None
        error = await _refusal(Mailer(box.as_server()))
    assert word in error.message
    assert error.recipient is recipient
    assert "rosa" not in f"{error.message}{error.hint}"


async def test_a_refused_login_shows_neither_user_nor_password() -> None:
    async with mail_box(logins={USER: "another"}) as box:
        error = await _refusal(Mailer(box.as_server(USER, MAIL_PASSWORD)))
    assert "user or password (535)" in error.message
    assert error.__cause__ is None
    for secret in (USER, MAIL_PASSWORD):
        assert secret not in f"{error.message}{error.hint}{error.__suppress_context__ or error.__context__}"


async def test_nobody_listens_and_somebody_who_says_nothing() -> None:
    box = MailBox(1)
    assert "does not answer" in (await _refusal(Mailer(box.as_server()))).message
    async with mail_box() as box:
        box.silent = True
        mailer = Mailer(box.as_server())
        sending = asyncio.create_task(_refusal(mailer))
        for _ in range(500):
            await asyncio.sleep(0.01)
            if box.visits:
                break
        begun = time.monotonic()
        mailer.hurry(0.05)
        assert "does not answer" in (await sending).message
        assert time.monotonic() - begun < 20


async def test_a_server_that_takes_the_mail_and_is_silent_at_the_end_has_taken_it() -> None:
    async with mail_box() as box:
        box.refuses = lambda line: "421 gone" if line == "QUIT" else None
        await Mailer(box.as_server()).send(MAIL, NOW)
        assert len(box.received) == 1


async def test_who_hurries_while_goodbye_is_said_is_not_stopped_by_it() -> None:
    async with mail_box() as box:
        mailer = Mailer(box.as_server())

        def hurried(line: str) -> str | None:
            if line == "QUIT":
                mailer.hurry(5)
            return None

        box.refuses = hurried
        await mailer.send(MAIL, NOW)
        assert len(box.received) == 1


async def test_a_check_logs_in_and_sends_nothing() -> None:
    async with mail_box(logins={USER: MAIL_PASSWORD}) as box:
        await Mailer(box.as_server(USER, MAIL_PASSWORD)).check()
        with pytest.raises(MailFailed):
            await Mailer(box.as_server(USER, "wrong")).check()
        assert (box.received, box.visits) == ([], 2)


@pytest.mark.parametrize(
    "to", ["a@b.example,c@d.example", "a b@c.example", "<a@b.example>", "nobody", "a@b..c", ""]
)
async def test_what_is_no_single_address_gets_no_mail(to: str) -> None:
    async with mail_box() as box:
        error = await _refusal(Mailer(box.as_server()), Mail(to, "x", "x"))
        assert error.recipient
        assert box.received == []


async def test_an_address_with_an_international_domain() -> None:
    async with mail_box() as box:
        await Mailer(box.as_server()).send(Mail("info@müller.example", "Größe", "ä"), NOW)
        assert box.received[0].readers == ("info@xn--mller-kva.example",)
        assert box.received[0].subject == "Größe"


@given(subject=st.text(), text=st.text(alphabet=st.characters(exclude_categories=["Cs"])))
def test_nothing_in_subject_or_text_becomes_a_header(subject: str, text: str) -> None:
    subject = f"{subject}\r\nBcc: victim@shop.example\r\n\r\n{subject}"
    message = letter(Mail("rosa@shop.example", subject, text), "alerts@shop.example", NOW)
    names = sorted(message.keys())
    assert names == [
        "Auto-Submitted",
        "Content-Transfer-Encoding",
        "Content-Type",
        "Date",
        "From",
        "MIME-Version",
        "Message-ID",
        "Subject",
        "To",
    ]
    head = message.as_bytes().partition(b"\n\n")[0].decode()
    assert not any(line.startswith("Bcc:") for line in head.splitlines())
