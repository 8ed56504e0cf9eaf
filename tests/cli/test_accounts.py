"""`accounts` as the machine's owner uses it: several shops in one home, corrected, given passwords, put out."""

import asyncio
import fcntl
import json
import os
import pty
import select
import subprocess
import sys
import termios
import time
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest

from pamosnik.security import keyring, passwords
from pamosnik.store import accounts, mailed_links, sessions
from pamosnik.store.database import Database, open_database
from pamosnik.store.mailed_links import MailedLink, Purpose
from pamosnik.store.sessions import Session
from tests.cli.in_process import PASSWORD, Command, home
from tests.mail.server import mail_box

__all__ = ["home"]

FERN = ("--name", "Fern's", "--email", "fern@shop.example", "--timezone", "Europe/Dublin", "--password-stdin")
NEW = "a green teapot"


def _database(tmp_path: Path) -> Database:
    return open_database(tmp_path / "home" / "pamosnik.db")


@pytest.fixture
def shops(home: Command) -> Command:
    """A home with two accounts."""
    made = home("accounts", "create", *FERN, given=f"{PASSWORD}\n")
    assert made.returncode == 0, made
    return home


def _log_in(tmp_path: Path, email: str, *names: str) -> None:
    now = datetime.now(UTC)
    with _database(tmp_path) as database:
        account = accounts.by_email(database.connection, email)
        assert account is not None
        for name in names:
            session = Session(name, account.id, "Firefox on Android", now, now, now + timedelta(days=14))
            database.write(lambda c, s=session: sessions.open_session(c, s.id.encode(), s))  # type: ignore[misc]


def _fits(tmp_path: Path, email: str, password: str) -> bool:
    with _database(tmp_path) as database:
        account = accounts.by_email(database.connection, email)
        assert account is not None
        return passwords.check_password(password, accounts.password_hash(database.connection, account.id))


def test_accounts_are_made_and_listed_for_whoever_has_the_machine(shops: Command, tmp_path: Path) -> None:
    listed = json.loads(shops("accounts", "list", "--json", "--account", "fern@shop.example").stdout)
    assert [(one["email"], one["name"], one["timezone"]) for one in listed] == [
        ("rosa@shop.example", "Rosa", "Europe/Warsaw"),
        ("fern@shop.example", "Fern's", "Europe/Dublin"),
    ]
    assert all(one["adult_stated_at"] == one["created_at"] for one in listed)
    assert [(one["connections"], one["sessions"]) for one in listed] == [([], 0)] * 2
    table = shops("accounts", "list").stdout
    assert "fern@shop.example" in table
    assert "Rosa" in table
    with _database(tmp_path) as database:
        keys = keyring.load(tmp_path / "home" / "master.key", None)
        for account in accounts.every(database.connection):
            wrapped = accounts.wrapped_key(database.connection, account.id)
            assert wrapped is not None
            keys.unwrap(account.id, wrapped)
    assert _fits(tmp_path, "FERN@shop.example", PASSWORD)


def test_making_one_says_that_adulthood_is_recorded_and_what_is_next(home: Command) -> None:
    made = home("accounts", "create", *FERN, given=f"{PASSWORD}\n")
    assert made.stdout == ""
    assert "its holder is an adult" in made.stderr
    assert "pamosnik connect --token-stdin --account fern@shop.example" in made.stderr


def test_the_same_address_again_changes_nothing(shops: Command, tmp_path: Path) -> None:
    again = shops("accounts", "create", *FERN, given=f"{NEW}\n")
    assert (again.returncode, "already" in again.stderr) == (1, True)
    assert _fits(tmp_path, "fern@shop.example", PASSWORD)
    assert len(json.loads(shops("accounts", "list", "--json").stdout)) == 2


_REFUSED: tuple[tuple[tuple[str, ...], str, str], ...] = (
    (("--name", " "), PASSWORD, "name is empty"),
    (("--name", "a\x1b[2J"), PASSWORD, "cannot be seen"),
    (("--email", "nobody"), PASSWORD, "no e-mail address"),
    (("--timezone", "dublin"), PASSWORD, "Did you mean Europe/Dublin?"),
    ((), "", "no password on standard input"),
    ((), "\n", "no password on standard input"),
    ((), "short\n", "at least 10"),
    ((), f"three random\0words\n{PASSWORD}", "cannot be typed"),
    ((), "   \t       \n", "cannot be typed"),
    ((), "            \n", "is empty"),
    ((), "Fern's 2026!!\n", "easy to guess"),
)


def test_what_cannot_be_an_account_makes_none(home: Command) -> None:
    for changed, given, said in _REFUSED:
        made = home("accounts", "create", *FERN, *changed, given=given)
        assert (made.returncode, said in made.stderr) == (2, True), made
        assert given.strip() not in made.stderr or not given.strip()
    assert len(json.loads(home("accounts", "list", "--json").stdout)) == 1


def test_a_password_is_the_first_line_however_its_file_was_written(home: Command, tmp_path: Path) -> None:
    for number, form in enumerate(("{}\r\n", "{}", "\ufeff{}\n", "{}\nand a second line\n")):
        given = form.format(f"{NEW} {number}")
        assert home("accounts", "passwd", "--password-stdin", given=given).returncode == 0
        assert _fits(tmp_path, "rosa@shop.example", f"{NEW} {number}")


def test_a_password_is_never_an_argument(home: Command) -> None:
    for command in (("accounts", "passwd"), ("accounts", "create"), ("init",)):
        refused = home(*command, "--password", NEW)
        assert refused.returncode == 2
        assert NEW not in refused.stderr


def test_without_anybody_there_a_password_comes_from_standard_input_only(home: Command) -> None:
    for command in (("passwd",), ("create", *FERN[:-1])):
        refused = home("accounts", *command)
        assert refused.returncode == 2
        assert "--password-stdin" in refused.stderr


def test_with_several_accounts_one_must_be_named(shops: Command) -> None:
    for command in (
        ("set", "--name", "X"),
        ("passwd", "--password-stdin"),
        ("sessions",),
        ("sessions", "list"),
        ("sessions", "revoke", "--all"),
    ):
        refused = shops("accounts", *command, given=f"{NEW}\n")
        assert refused.returncode == 2
        assert "rosa@shop.example, fern@shop.example" in refused.stderr
    unknown = shops("accounts", "sessions", "--account", "x@y.example")
    assert (unknown.returncode, "fern@shop.example" in unknown.stderr) == (1, True)


def test_a_new_password_puts_out_whoever_was_in(shops: Command, tmp_path: Path) -> None:
    _log_in(tmp_path, "fern@shop.example", "S1", "S2")
    _log_in(tmp_path, "rosa@shop.example", "S3")
    fern = ("--account", "fern@shop.example")
    done = shops("accounts", "passwd", "--password-stdin", *fern, given=f"{NEW}\n")
    assert done.stderr == "fern@shop.example has a new password; 2 logins were ended.\n"
    assert done.stdout == ""
    assert _fits(tmp_path, "fern@shop.example", NEW)
    assert _fits(tmp_path, "rosa@shop.example", PASSWORD)
    assert shops("accounts", "sessions", *fern).stderr == "Nobody is logged in.\n"
    assert "S3" in shops("accounts", "sessions", "--account", "rosa@shop.example").stdout


@pytest.mark.anyio
async def test_holders_are_told_by_mail_what_a_command_changed(
    shops: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only what the page changed was told: whoever runs the machine could change a password without a word."""
    fern = ("--account", "fern@shop.example")
    async with mail_box() as box:
        monkeypatch.setenv("PAMOSNIK_SMTP_URL", f"smtp://127.0.0.1:{box.port}")
        monkeypatch.setenv("PAMOSNIK_MAIL_FROM", "pamosnik@home.example")
        new = partial(shops, "accounts", "passwd", "--password-stdin", *fern, given=f"{NEW}\n")
        assert (await asyncio.to_thread(new)).stderr == (
            "fern@shop.example has a new password; nobody was logged in.\n"
        )
        moved = partial(shops, "accounts", "set", "--email", "fern@new.example", "--yes", *fern)
        assert (await asyncio.to_thread(moved)).returncode == 0
        assert [one.readers for one in box.received] == [("fern@shop.example",), ("fern@shop.example",)]
        by_machine, away = box.received
        assert "your password was changed" in by_machine.subject
        assert "On the machine that Pamosnik runs on" in by_machine.text
        assert NEW not in by_machine.text
        assert "fern@new.example" in away.text
        box.refuses = lambda line: "550 no" if line.upper().startswith("RCPT") else None
        refused = await asyncio.to_thread(
            shops,
            "accounts",
            "passwd",
            "--password-stdin",
            "--account",
            "fern@new.example",
            given="another teapot\n",
        )
        assert refused.returncode == 0
        assert "fern@new.example could not be told of it by mail." in refused.stderr
    assert _fits(tmp_path, "fern@new.example", "another teapot")


def test_name_and_time_zone_are_corrected_at_once(shops: Command) -> None:
    fern = ("--account", "fern@shop.example")
    done = shops("accounts", "set", "--name", "Fern & Co", "--timezone", "Europe/Lisbon", "--json", *fern)
    found = json.loads(done.stdout)
    assert (found["name"], found["timezone"], found["email"]) == (
        "Fern & Co",
        "Europe/Lisbon",
        "fern@shop.example",
    )
    assert done.stderr == "Changed: name Fern's → Fern & Co; time zone Europe/Dublin → Europe/Lisbon.\n"
    again = shops("accounts", "set", "--name", "Fern & Co", *fern)
    assert (again.returncode, "already" in again.stderr) == (0, True)
    assert "nothing to change" in shops("accounts", "set", *fern).stderr


def test_another_address_is_asked_about_and_voids_mailed_links(shops: Command, tmp_path: Path) -> None:
    with _database(tmp_path) as database:
        fern = accounts.by_email(database.connection, "fern@shop.example")
        assert fern is not None
        link = MailedLink(fern.id, Purpose.RESET_PASSWORD, fern.email)
        at = datetime.now(UTC)
        until = at + timedelta(hours=1)
        database.write(lambda c: mailed_links.add(c, b"x", link, now=at, expires_at=until))
    change = ("accounts", "set", "--account", "fern@shop.example", "--email", "info@fern.example")
    asked = shops(*change, "--name", "Half")
    assert (asked.returncode, "--yes" in asked.stderr) == (2, True)
    assert "info@fern.example" in asked.stderr
    assert "Half" not in shops("accounts", "list").stdout
    taken = shops(*change[:-1], "ROSA@shop.example", "--name", "Half", "--yes")
    assert (taken.returncode, "already" in taken.stderr) == (1, True)
    assert "Half" not in shops("accounts", "list").stdout
    assert "--account info@fern.example from now on" in shops(*change, "--yes").stderr
    assert _fits(tmp_path, "info@fern.example", PASSWORD)
    with _database(tmp_path) as database:
        assert mailed_links.find(database.connection, b"x", Purpose.RESET_PASSWORD, at) is None


def test_sessions_are_listed_and_ended(shops: Command, tmp_path: Path) -> None:
    _log_in(tmp_path, "fern@shop.example", "S1", "S2", "S4")
    _log_in(tmp_path, "rosa@shop.example", "S3")
    fern = ("--account", "fern@shop.example")
    found = json.loads(shops("accounts", "sessions", "list", "--json", *fern).stdout)
    assert sorted(one["id"] for one in found) == ["S1", "S2", "S4"]
    assert set(found[0]) == {"id", "browser", "created_at", "last_seen_at", "expires_at"}
    assert json.loads(shops("accounts", "sessions", "--json", *fern).stdout) == found
    assert found[0]["browser"] == "Firefox on Android"
    assert shops("accounts", "sessions", "revoke", "S1", *fern).stderr == "The session was ended.\n"
    for gone in ("S1", "S3", "S2 ", ""):
        refused = shops("accounts", "sessions", "revoke", gone, *fern)
        assert (refused.returncode, "sessions list" in refused.stderr) == (1, True)
    for wrong in ((), ("S2", "--all")):
        assert shops("accounts", "sessions", "revoke", *wrong, *fern).returncode == 2
    assert shops("accounts", "sessions", "revoke", "--all", *fern).stderr == "2 logins were ended.\n"
    assert shops("accounts", "sessions", "revoke", "--all", *fern).stderr == "Nobody was logged in.\n"
    assert [one["sessions"] for one in json.loads(shops("accounts", "list", "--json").stdout)] == [1, 0]


def test_without_the_key_no_account_is_made_and_the_others_stay_in_reach(
    shops: Command, tmp_path: Path
) -> None:
    (tmp_path / "home" / "master.key").rename(tmp_path / "elsewhere")
    new = ("--name", "Ivy", "--email", "ivy@shop.example", "--password-stdin")
    refused = shops("accounts", "create", *new, given=f"{PASSWORD}\n")
    assert (refused.returncode, "master.key" in refused.stderr) == (1, True)
    assert len(json.loads(shops("accounts", "list", "--json").stdout)) == 2
    fern = ("--account", "fern@shop.example")
    assert shops("accounts", "passwd", "--password-stdin", *fern, given=f"{NEW}\n").returncode == 0
    assert shops("api-token", "create", "--name", "books", *fern).returncode == 0


def test_there_is_nothing_to_see_before_init(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, home: Command
) -> None:
    monkeypatch.setenv("PAMOSNIK_HOME", str(tmp_path / "empty"))
    for command in (("list",), ("create", *FERN), ("passwd",), ("sessions",)):
        refused = home("accounts", *command, given=f"{PASSWORD}\n")
        assert (refused.returncode, "pamosnik init" in refused.stderr) == (1, True)
    assert not (tmp_path / "empty").exists()


def test_the_audit_names_nobody(shops: Command, tmp_path: Path) -> None:
    fern = ("--account", "fern@shop.example")
    shops("accounts", "set", "--name", "Fern & Co", "--email", "info@fern.example", "--yes", *fern)
    with _database(tmp_path) as database:
        rows = database.connection.execute("SELECT actor, action, subject FROM audit ORDER BY id").fetchall()
    made = ("command", "account made: adulthood stated", None)
    changed = ("command", "account changed")
    assert rows == [made, made, (*changed, "name"), (*changed, "email")]


# --- typed on a terminal ---------------------------------------------------------------------------------


def _typed(arguments: list[str], answers: list[tuple[str, str]], folder: Path) -> tuple[int, str]:
    """`answers`: (question, answer) in turn. Returns the exit code and all that was shown."""
    ours, theirs = pty.openpty()
    environment = {**os.environ, "PAMOSNIK_HOME": str(folder / "home"), "NO_COLOR": "1", "TERM": "dumb"}
    process = subprocess.Popen(
        [sys.executable, "-m", "pamosnik", *arguments],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env=environment,
        start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # so that Ctrl-C reaches it
    )
    os.close(theirs)
    shown, ends = "", time.monotonic() + 20
    waiting = list(answers)
    seen = 0
    while time.monotonic() < ends:
        if not select.select([ours], [], [], 0.1)[0]:
            continue
        try:
            shown += os.read(ours, 4096).decode()
        except OSError:  # the other end is closed
            break
        # The space after the colon comes when it listens; what is typed before a password is asked for is lost.
        if waiting and waiting[0][0] in shown[seen:] and shown.endswith(": "):
            seen = len(shown)
            os.write(ours, f"{waiting.pop(0)[1]}\n".encode())
    os.close(ours)
    return process.wait(timeout=10), shown


def test_who_is_asked_may_err_and_is_told_about_adulthood(home: Command, tmp_path: Path) -> None:
    answers = [
        ("Name of the business", " "),
        ("Name of the business", "Fern's"),
        ("E-mail address", "ROSA@shop.example"),
        ("E-mail address", "fern@shop.example"),
        ("Time zone", "dublin"),
        ("Time zone", "Europe/Dublin"),
        ("Password", "fern@shop.example"),
        ("Password", NEW),
        ("The same again", "something else"),
        ("Password", NEW),
        ("The same again", NEW),
        ("states that its holder is an adult. Make this account?", "y"),
    ]
    code, shown = _typed(["accounts", "create"], answers, tmp_path)
    assert code == 0, shown
    for said in ("name is empty", "already", "Did you mean Europe/Dublin?", "easy to guess", "not the same"):
        assert said in shown
    assert NEW not in shown
    assert _fits(tmp_path, "fern@shop.example", NEW)
    declined = [("Password", NEW), ("The same again", NEW), ("Make this account?", "n")]
    again = ["accounts", "create", "--name", "X", "--email", "x@shop.example", "--timezone", "UTC"]
    code, shown = _typed(again, declined, tmp_path)
    assert (code, "Nothing was made." in shown) == (1, True)
    assert len(json.loads(home("accounts", "list", "--json").stdout)) == 2


def test_the_history_tells_what_was_done_and_agreed_to_without_names(home: Command) -> None:
    home("accounts", "set", "--name", "Fern's", "--email", "fern@shop.example", "--yes")
    home("api-token", "create", "--name", "spreadsheet")
    rows = json.loads(home("accounts", "history", "--json").stdout)
    assert [(row["kind"], row["what"], row["by"]) for row in rows] == [
        ("done", "api token made", "command"),
        ("done", "account changed", "command"),
        ("done", "account changed", "command"),
        ("agreed", "adulthood", "command"),
        ("done", "account made: adulthood stated", "command"),
    ]
    assert [row["subject"] for row in rows[1:4]] == ["email", "name", None]
    told = home("accounts", "history", "--limit", "1").stdout
    assert "api token made" in told
    assert "account changed" not in told
    assert home("accounts", "history", "--since", "2999-01-01").stdout == ""


def test_ctrl_c_at_a_question_is_told_apart_from_a_failure(home: Command, tmp_path: Path) -> None:
    code, shown = _typed(["accounts", "passwd"], [("Password", NEW), ("The same again", "\x03")], tmp_path)
    assert (code, "Traceback" in shown) == (130, False)
    assert _fits(tmp_path, "rosa@shop.example", PASSWORD)
