"""`doctor` looks at a real home and a real mail server, says what is wrong with each, and mends what it may."""

import asyncio
import json
import os
from pathlib import Path

import pytest

from pamosnik.config import Encryption
from pamosnik.services.doctor import GROUP
from tests.cli.in_process import Command, Said, home
from tests.mail.server import MAIL_PASSWORD, USER, mail_box

__all__ = ["home"]
pytestmark = pytest.mark.anyio
NAMES = list(GROUP)

_WITHOUT_APP_ADDRESS_AND_ACCOUNT = (
    *("clock", "instagram_app", "meta_app", "app_subscription", "app_callback", "app_fields"),
    *("address_name", "certificate", "redirects", "reached", "handshake"),
    *("instagram", "token", "role", "token_age", "account_type", "account_id", "username", "permissions"),
    *("message_access", "conversations", "subscription", "other_apps", "app_live", "advanced_access"),
    *("sending", "webhooks", "unknown_accounts", "links", "promises"),
)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def good(monkeypatch: pytest.MonkeyPatch) -> None:
    """Settings that nothing is wrong with."""
    monkeypatch.setenv("PAMOSNIK_INSTAGRAM_APP_SECRET", "planted-app-secret")


def _found(said: Said) -> dict[str, dict[str, str]]:
    return {check["name"]: check for check in json.loads(said.stdout)}


def test_nothing_is_wrong(home: Command, good: None) -> None:
    said = home("doctor")
    assert said.returncode == 0, said
    assert said.stdout.endswith("Nothing is wrong.\n")
    checks = _found(home("doctor", "--json"))
    assert list(checks) == NAMES
    assert {name: check["status"] for name, check in checks.items() if check["status"] != "good"} == {
        "daemon": "note",
        "mail": "note",
        "app_ids": "note",
        "address": "note",
        "login": "note",
        "flows": "note",
        **dict.fromkeys(_WITHOUT_APP_ADDRESS_AND_ACCOUNT, "skipped"),
    }


def test_without_a_home_it_says_what_comes_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, home: Command
) -> None:
    monkeypatch.setenv("PAMOSNIK_HOME", str(tmp_path / "nowhere"))
    said = home("doctor", "--json")
    assert said.returncode == 5
    checks = _found(said)
    assert list(checks) == NAMES
    assert checks["home"]["fix"] == "Try: pamosnik init"
    assert {checks[name]["status"] for name in ("files", "key", "login")} == {"skipped"}
    assert not (tmp_path / "nowhere").exists()


def test_what_others_may_read_is_told_and_mended(tmp_path: Path, home: Command, good: None) -> None:
    folder = tmp_path / "home"
    folder.chmod(0o755)
    (folder / "pamosnik.db").chmod(0o644)
    (folder / "backups").mkdir(mode=0o755)
    told = home("doctor")
    assert told.returncode == 5
    assert f"Try: chmod 700 {folder}" in told.stdout
    assert "Other users could read: backups, pamosnik.db." in told.stdout
    mended = home("doctor", "--fix")
    assert mended.returncode == 0, mended
    assert "they may have read the key. Try: pamosnik keys rotate" in mended.stdout
    assert [
        oct(path.stat().st_mode)[-3:] for path in (folder, folder / "pamosnik.db", folder / "backups")
    ] == [
        "700",
        "600",
        "700",
    ]
    assert home("doctor").returncode == 0


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give files away")
def test_a_home_of_another_user_is_bad_as_every_command_refuses_it(
    tmp_path: Path, home: Command, good: None
) -> None:
    folder = tmp_path / "home"
    for path in (folder, *folder.iterdir()):
        os.chown(path, 65534, -1)
    checks = _found(home("doctor", "--fix", "--json"))
    assert (checks["home"]["status"], checks["files"]["status"]) == ("bad", "skipped")
    assert "belongs to another user" in checks["home"]["message"]


def test_settings_that_cannot_be_read_are_no_mistake_in_a_line_of_theirs(
    tmp_path: Path, home: Command
) -> None:
    settings = tmp_path / "home/pamosnik.toml"
    settings.unlink()
    settings.mkdir()
    refused = home("doctor")
    assert (refused.returncode, refused.stdout) == (1, "")
    assert f"{settings} cannot be read: Is a directory.\n" in refused.stderr
    assert f"Try: ls -ld {tmp_path / 'home'} {settings}" in refused.stderr


@pytest.mark.parametrize(
    ("setting", "value", "check"),
    [
        ("PAMOSNIK_PUBLIC_URL", "http://shop.example", "address"),
        ("PAMOSNIK_INSTAGRAM_APP_SECRET", "", "app_secret"),
    ],
)
def test_settings(
    home: Command, good: None, monkeypatch: pytest.MonkeyPatch, setting: str, value: str, check: str
) -> None:
    monkeypatch.setenv(setting, value)
    said = home("doctor", "--json")
    assert said.returncode == 5
    assert [name for name, one in _found(said).items() if one["status"] == "bad"] == [check]
    assert "planted" not in said.stdout + said.stderr


def test_a_key_and_a_database_that_are_gone(tmp_path: Path, home: Command, good: None) -> None:
    (tmp_path / "home/master.key").rename(tmp_path / "kept")
    checks = _found(home("doctor", "--json"))
    assert (checks["key"]["status"], checks["login"]["status"]) == ("bad", "skipped")
    (tmp_path / "kept").rename(tmp_path / "home/master.key")
    (tmp_path / "home/pamosnik.db").write_bytes(b"no database at all" * 300)
    checks = _found(home("doctor", "--json"))
    assert (checks["key"]["status"], checks["database"]["status"]) == ("good", "bad")


async def test_the_mail_server_is_asked_and_nothing_is_sent(
    home: Command, good: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with mail_box(logins={USER: MAIL_PASSWORD}, encryption=Encryption.NONE) as box:
        monkeypatch.setenv("PAMOSNIK_MAIL_FROM", "alerts@shop.example")
        monkeypatch.setenv("PAMOSNIK_SMTP_URL", f"smtp://127.0.0.1:{box.port}")
        good_one = await asyncio.to_thread(home, "doctor", "--json")
        assert _found(good_one)["mail"]["message"] == "127.0.0.1 takes mails from alerts@shop.example."
        monkeypatch.setenv(
            "PAMOSNIK_SMTP_URL", f"smtp://shop%40mail.example:planted-wrong@127.0.0.1:{box.port}"
        )
        wrong = await asyncio.to_thread(home, "doctor", "--json")
        assert wrong.returncode == 5
        assert "refuses user or password" in _found(wrong)["mail"]["message"]
        assert "planted" not in wrong.stdout + wrong.stderr
        await box.stop()
        silent = await asyncio.to_thread(home, "doctor", "--json")
        assert "does not answer" in _found(silent)["mail"]["message"]
        assert box.received == []
