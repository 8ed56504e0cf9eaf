"""Whoever changes something, by command or on a page, is in the audit: who, what, when, and no name."""

import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pytest

from pamosnik._sqlite import Connection, IntegrityError
from pamosnik.cli_reference import commands
from pamosnik.store import accounts
from pamosnik.store.database import Database, open_database
from tests.cli.in_process import PASSWORD, Command, in_this_process
from tests.isolation import world
from tests.isolation.world import ANNA, MINE

READ: Sequence[str] = (
    *("accounts history", "accounts list", "accounts sessions list", "api-token list", "backup list"),
    *("backup verify", "chat", "config show", "connections list", "connections show", "contacts find"),
    *("contacts list", "contacts show", "demo", "doctor", "events list", "events show", "flows diff"),
    *("flows explain", "flows export", "flows fmt", "flows graph", "flows history", "flows list"),
    *(
        "flows match",
        "flows new",
        "flows schema",
        "flows show",
        "flows test",
        "flows validate",
        "link",
        "retention show",
    ),
    *("keys status", "queue list", "runs list", "runs show", "sandbox", "service status", "stats", "status"),
    *("version", "why"),
)
"""They change nothing of an account."""

ELSEWHERE: Mapping[str, str] = {
    "accounts create": "the new account's own audit: tests/cli/test_accounts.py",
    "contacts export": "tests/privacy/test_export.py",
    "contacts forget": "of the command, then of the daemon: tests/daemon/test_removed.py",
    "delete-account": "its audit goes with it: tests/cli/test_erasing_commands.py",
    "disconnect": "needs Instagram: tests/daemon/test_removed.py",
    "export": "tests/privacy/test_export.py",
    "import": "tests/privacy/test_import.py",
    "backup create": "of the machine: no account is changed, and none is named",
    "connect": "needs Instagram: tests/conversations/test_consents.py",
    "connections test": "needs Instagram: tests/cli/test_connect.py",
    "connections refresh": "needs Instagram: tests/daemon/test_tokens.py",
    "init": "tests/cli/test_accounts.py",
    "keys rotate": "tests/keys/test_keys.py",
    "restore": "tests/cli/test_backup_commands.py",
    "service install": "of the machine: no account is changed, and none is named",
    "service uninstall": "of the machine: no account is changed, and none is named",
    "serve": "does what flows say: events, runs and messages are its record",
}

CHANGES: Mapping[str, tuple[Sequence[str], str]] = {
    "accounts sessions revoke": ((f"session-{MINE.mark}",), "session ended"),
    "accounts set": (("--name", "Another", "--yes"), "account changed"),
    "api-token create": (("--name", "script"), "api token made"),
    "api-token revoke": ((f"token-{MINE.mark}", "--yes"), "api token revoked"),
    "contacts pause": ((ANNA,), "contacts pause"),
    "contacts resume": ((ANNA,), "contacts resume"),
    "contacts set": ((ANNA, "size", "XXL"), "contacts set"),
    "contacts note": ((ANNA, "buys often"), "contacts note"),
    "contacts tag": ((ANNA, "vip"), "contacts tag"),
    "contacts untag": ((ANNA, "vip"), "contacts untag"),
    "flows pause": (("price",), "flows pause"),
    "flows resume": (("price",), "flows resume"),
    "flows apply": (("FILE", "--yes"), "flows apply"),
    "flows rollback": (("price", "--yes"), "flows rollback"),
    "queue cancel": (("queued", "--yes"), "queue cancel"),
    "queue retry": (("failed", "--yes"), "queue retry"),
    "queue settle": (("unknown", "--sent", "--yes"), "queue settle"),
    "runs cancel": (("RUN", "--yes"), "runs cancel"),
    "events replay": (("EVENT", "--again", "--yes"), "events replay"),
    "accounts passwd": (("--password-stdin",), "password changed"),
    "retention run": (("--yes",), "retention run"),
}
"""Words after the command, in the order in which they can be run on one home, and how the action begins. `FILE`,
`EVENT`, `RUN` and the state of a message stand for one."""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("audited")
    world.make(folder / "home")
    return folder / "home"


@pytest.fixture
def home(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Command:
    shutil.copytree(made, tmp_path / "home")
    monkeypatch.setenv("PAMOSNIK_ACCOUNT", MINE.email)
    monkeypatch.setenv("PAMOSNIK_PUBLIC_URL", world.PUBLIC)
    monkeypatch.setenv("PAMOSNIK_META_URL", "http://127.0.0.1:9")
    return in_this_process(monkeypatch, tmp_path / "home")


@pytest.fixture
def database(home: Command, tmp_path: Path) -> Iterator[Database]:
    with open_database(tmp_path / "home" / "pamosnik.db") as opened:
        yield opened


def _rows(conn: Connection) -> list[tuple[str, str, str | None]]:
    asked = "SELECT actor, action, subject FROM audit WHERE account_id=? ORDER BY id"
    return [(actor, action, subject) for actor, action, subject in conn.execute(asked, (MINE.account,))]


def _given(conn: Connection, word: str, folder: Path) -> str:
    if word == "FILE":
        flows = world.FLOWS.replace("MARK", MINE.mark).replace("NEXT_YEAR", str(world.NOW.year + 1))
        (folder / "new.yaml").write_text(flows.replace("The list of", "Our list of"))
        return str(folder / "new.yaml")
    if word == "EVENT":
        asked = "SELECT event_id FROM events WHERE account_id=? AND text='price' AND igsid=?"
        return str(conn.execute(asked, (MINE.account, MINE.fan)).fetchone()[0])
    if word == "RUN":
        asked = "SELECT run_id FROM runs WHERE account_id=? AND status='waiting'"
        return str(conn.execute(asked, (MINE.account,)).fetchone()[0])
    found = conn.execute(
        "SELECT item_id FROM outbox WHERE account_id=? AND status=?", (MINE.account, word)
    ).fetchone()
    return word if found is None else str(found[0])


def test_every_command_is_one_that_reads_or_is_audited() -> None:
    known = [*READ, *ELSEWHERE, *CHANGES]
    assert sorted(known) == sorted(name for name, _ in commands())


def test_every_command_that_changes_something_is_in_the_audit(
    home: Command, database: Database, tmp_path: Path
) -> None:
    conn = database.connection
    for command, (words, action) in CHANGES.items():
        before = _rows(conn)
        given = [_given(conn, word, tmp_path) for word in words]
        done = home(*command.split(), *given, given=f"{PASSWORD} and more\n")
        assert done.returncode == 0, (command, done)
        noted = _rows(conn)[len(before) :]
        assert [(actor, said.startswith(action)) for actor, said, _ in noted] == [("command", True)], command
        assert all(_names_nobody(conn, subject) for _, _, subject in noted), noted


def _names_nobody(conn: Connection, subject: str | None) -> bool:
    """None, an id of ours, the id of a flow, or a word of ours."""
    if subject is None:
        return True
    asked = "SELECT 1 FROM contacts WHERE :it IN (username, igsid, name)"
    known = conn.execute(asked, {"it": subject}).fetchone()
    return known is None and re.fullmatch(r"[0-9A-Za-z_-]{1,64}", subject) is not None


def test_what_was_asked_again_and_changes_nothing_is_not_noted(home: Command, database: Database) -> None:
    asked = (
        ("contacts", "tag", ANNA, "vip"),
        ("flows", "pause", "price"),
        ("accounts", "set", "--timezone", "UTC"),
    )
    for words in asked:
        home(*words)
    before = _rows(database.connection)
    for words in asked:
        assert home(*words).returncode == 0
    assert _rows(database.connection) == before


@pytest.mark.parametrize(
    ("statement", "table"),
    [
        ("DELETE FROM audit WHERE kind='change'", "audit"),
        ("UPDATE audit SET actor='nobody'", "audit"),
        ("UPDATE audit SET kind='access'", "audit"),
        (
            "REPLACE INTO audit (id, account_id, actor, action, at) SELECT id, account_id, 'x', 'x', 0 FROM audit",
            "audit",
        ),
        ("DELETE FROM consents WHERE contact_id IS NULL", "consents"),
        ("UPDATE consents SET at=0", "consents"),
    ],
)
def test_nothing_is_changed_afterwards(database: Database, statement: str, table: str) -> None:
    with pytest.raises(IntegrityError, match="append-only"):
        database.write(lambda conn: conn.execute(statement))
    assert database.connection.execute(f"SELECT count(*) FROM {table}").fetchone() > (0,)


def test_with_the_account_its_audit_goes(database: Database) -> None:
    database.write(lambda conn: accounts.set_deleting(conn, MINE.account))
    for table in ("audit", "consents"):
        delete = f"DELETE FROM {table} WHERE account_id=?"
        database.write(lambda conn, sql=delete: conn.execute(sql, (MINE.account,)))  # type: ignore[misc]
    assert _rows(database.connection) == []
