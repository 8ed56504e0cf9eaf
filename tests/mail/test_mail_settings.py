"""What `smtp_url` and `mail_from` may say, and that a mistake in them never shows the password."""

from pathlib import Path

import pytest

from pamosnik import config
from pamosnik.config import Encryption, MailServer
from pamosnik.errors import UsageError

SECRET = "hunter2hunter2"


def _load(url: str | None = None, **more: str) -> config.Config:
    environ = {"PAMOSNIK_HOME": "/nowhere", **more}
    if url is not None:
        environ["PAMOSNIK_SMTP_URL"] = url
    return config.load(environ=environ)


def _server(url: str, **more: str) -> MailServer:
    found = _load(url, **more).mail
    assert found is not None
    return found


def test_without_a_server_there_is_no_mail() -> None:
    assert _load().mail is None
    assert _load(PAMOSNIK_MAIL_FROM="alerts@shop.example").mail is None


@pytest.mark.parametrize(
    ("url", "host", "port", "encryption"),
    [
        ("smtps://mail.example", "mail.example", 465, Encryption.TLS),
        ("smtp://mail.example", "mail.example", 587, Encryption.STARTTLS),
        ("smtp://mail.example:2525/", "mail.example", 2525, Encryption.STARTTLS),
        ("smtp://127.0.0.1:25", "127.0.0.1", 25, Encryption.NONE),
        ("smtp://127.3.2.1", "127.3.2.1", 587, Encryption.NONE),
        ("smtp://[::1]:1025", "::1", 1025, Encryption.NONE),
        ("smtp://localhost:25", "localhost", 25, Encryption.NONE),
        ("smtps://localhost", "localhost", 465, Encryption.TLS),
        ("smtp://localhost.example", "localhost.example", 587, Encryption.STARTTLS),
        ("smtp://10.0.0.1", "10.0.0.1", 587, Encryption.STARTTLS),
    ],
)
def test_only_mail_that_stays_on_the_machine_goes_unencrypted(
    url: str, host: str, port: int, encryption: Encryption
) -> None:
    found = _server(url, PAMOSNIK_MAIL_FROM="alerts@shop.example")
    assert (found.host, found.port, found.encryption) == (host, port, encryption)


def test_user_and_password_are_decoded_and_the_user_is_the_sender() -> None:
    found = _server("smtps://rosa%40shop.example:p%40ss%3A%2F%3F%C3%B6@mail.example")
    assert (found.user, found.password, found.sender) == (
        "rosa@shop.example",
        "p@ss:/?ö",
        "rosa@shop.example",
    )
    assert _server("smtps://rosa:x@mail.example", PAMOSNIK_MAIL_FROM="a@b.example").sender == "a@b.example"


@pytest.mark.parametrize(
    "url",
    [
        f"http://rosa:{SECRET}@mail.example",
        f"rosa:{SECRET}@mail.example",
        f"smtps://rosa:{SECRET}#x@mail.example",
        f"smtps://rosa:{SECRET}@mail.example:none",
        f"smtps://rosa:{SECRET}@mail.example:99999",
        f"smtps://rosa:{SECRET}@mail.example:0",
        f"smtps://rosa:{SECRET}@",
        f"smtps://rosa:{SECRET}@[mail",
        f"smtps://rosa:{SECRET}@mail.example/box",
        f"smtps://rosa:{SECRET}@mail.example?tls=no",
        f"smtps://:{SECRET}@mail.example",
        "smtps://rosa@mail.example",
        f"smtps://rosa:{SECRET}%0D%0A@mail.example",
        f"smtps://rosa:{SECRET}%FF@mail.example",
        f"smtps://rosa:{SECRET}@mail.example",
    ],
)
def test_a_mistake_is_told_without_the_password(url: str) -> None:
    with pytest.raises(UsageError) as caught:
        _load(url)
    assert caught.value.hint
    told = f"{caught.value.message}{caught.value.hint}{caught.value.__cause__}"
    assert "smtp_url" in told
    assert SECRET not in told
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


@pytest.mark.parametrize("name", ["MAIL_FROM", "OPERATOR_EMAIL"])
@pytest.mark.parametrize(
    "address", ["rosa", "Rosa <rosa@shop.example>", "a@b.example, c@d.example", "a@b..example"]
)
def test_an_address_must_be_one(name: str, address: str) -> None:
    with pytest.raises(UsageError, match="no e-mail address"):
        _load(**{f"PAMOSNIK_{name}": address})


def test_it_is_shown_by_name_only_and_may_come_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "smtp"
    file.write_text(f"smtps://rosa%40shop.example:{SECRET}@mail.example\n")
    found = _load(PAMOSNIK_SMTP_URL_FILE=str(file))
    assert found.mail is not None
    assert found.mail.password == SECRET
    shown = {name: (value, source) for name, value, source in found.describe()}
    assert shown["smtp_url"] == ("(hidden)", "file (PAMOSNIK_SMTP_URL_FILE)")
    assert SECRET not in f"{shown}{found!r}{found.mail!r}"
