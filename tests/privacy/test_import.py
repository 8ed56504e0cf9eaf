"""`pamosnik import`: what an export holds is there again in another account, as it was."""

import json
import random
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import cast

import pytest

from pamosnik._sqlite import Connection
from pamosnik.privacy import importing_file
from pamosnik.privacy import importing_rows as rules
from pamosnik.security import keyring
from pamosnik.services import connecting
from pamosnik.services.connecting import Found
from pamosnik.store import accounts, connections, people, shape
from pamosnik.store.database import Database, open_database
from tests.cli.in_process import Command, home
from tests.isolation import world
from tests.isolation.world import MINE, NOW
from tests.privacy import exported

__all__ = ["home"]


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The database of a home in which something of everything is."""
    path = world.make(tmp_path_factory.mktemp("shop") / "home")
    with open_database(path) as database:
        database.write(_lives_on)
    return path


def _lives_on(conn: Connection) -> None:
    """Somebody who opted out, flows that are paused and rolled back, and many people of all sorts."""
    conn.execute("UPDATE contacts SET opted_out_at=7, name='Żółw 🐢' WHERE igsid=?", (MINE.fan,))
    conn.execute("UPDATE flows SET paused_at=5, paused_by='page' WHERE flow_id='size'")
    conn.execute("UPDATE flows SET rolled_back_at=6 WHERE flow_id='news'")
    _insert(conn, "consents", {"account_id": MINE.account, "what": "adulthood", "how": "command", "at": 1})
    chance = random.Random(20261130)
    for number in range(60):
        _somebody(conn, chance, f"0{number:04}RANDOM")


def _somebody(conn: Connection, chance: random.Random, contact_id: str) -> None:
    """Every column may hold anything that it may hold."""
    of: dict[str, object] = {"account_id": MINE.account}
    at: dict[str, object] = {"connection_id": MINE.connection}
    person: dict[str, object] = {**of, **at, "contact_id": contact_id, "igsid": f"{chance.randrange(10**15)}"}
    for name, kind in shape.columns(conn, "contacts").items():
        if name not in {*person, "forget_at", "paused_by"} and chance.random() < 0.7:
            person[name] = _anything(chance, kind)
    person |= {"created_at": chance.randrange(10**12), "last_seen_at": chance.randrange(10**12)}
    _insert(conn, "contacts", {**person, "paused_by": chance.choice([None, "owner", "hand_over"])})
    hangs: dict[str, Mapping[str, object]] = {
        "contact_ids": {**of, **at, "igsid": f"also-{contact_id}"},
        "contact_tags": {**of, "tag": _anything(chance, "TEXT"), "added_at": 1},
        "contact_fields": {
            **of,
            "field": "size",
            "value": _anything(chance, "TEXT"),
            "set_at": 2,
            "counted": 1,
        },
        "starts": {**of, "flow_id": "price", "media_id": "", "first_at": 3, "last_at": 4},
        "variants": {**of, **at, "flow_id": "size", "step": "do.0", "used": chance.randrange(9)},
        "consents": {**of, **at, "what": chance.choice(["opt_in", "opt_out"]), "how": "words", "at": 5},
    }
    for table, row in hangs.items():
        if chance.random() < 0.7:
            _insert(conn, table, {**row, "contact_id": contact_id})


def _anything(chance: random.Random, kind: str) -> object:
    if kind == "INTEGER":
        return chance.choice([0, 1, chance.randrange(10**13)])
    signs = [chr(chance.choice([10, 34, 92, 44, 0x202E, 0x2028, 0x1F422, 0x17B, 97, 32])) for _ in range(9)]
    return "".join(signs)


def _insert(conn: Connection, table: str, row: Mapping[str, object]) -> None:
    names = ", ".join(row)
    conn.execute(f"INSERT INTO {table} ({names}) VALUES ({', '.join(f':{name}' for name in row)})", row)


@pytest.fixture
def zipped(home: Command, shop: Path, tmp_path: Path) -> Path:
    made = home(
        "export", "-o", str(tmp_path / "export.zip"), "--home", str(shop.parent), "--account", MINE.email
    )
    assert made.returncode == 0, made
    return tmp_path / "export.zip"


def data_in(path: Path) -> dict[str, exported.Rows]:
    with importing_file.opened(path) as file:
        return {
            table: [cast("dict[str, object]", row) for row in file.rows(table)] for table in rules.RESTORED
        }


@pytest.fixture
def here(home: Command, tmp_path: Path) -> Iterator[Database]:
    """The database of another home, into which it goes."""
    with open_database(tmp_path / "home" / "pamosnik.db") as database:
        yield database


def account_of(database: Database) -> str:
    return accounts.every(database.connection)[0].id


def restored(rows: exported.Rows, table: str, account_id: str) -> exported.Rows:
    """Rows of an export as they are to be in another account."""
    changes: Mapping[str, Mapping[str, object]] = {
        "connections": {**rules._NEVER_HERE, "status": "needs_login", "reason": rules.MOVED},
        "broadcasts": {"finished_at": 0, "reason": ""},
    }
    changed = changes.get(table, {})
    dropped = {"consents": "consent_id", "flow_history": "id"}.get(table)
    return [
        {
            **{name: value for name, value in row.items() if name != dropped},
            **changed,
            "account_id": account_id,
        }
        for row in rows
    ]


def compared(was: dict[str, exported.Rows], then: dict[str, exported.Rows], account_id: str) -> None:
    """Every restored table, row by row and column by column."""
    for table in rules.RESTORED:
        old, new = (restored(rows[table], table, account_id) for rows in (was, then))
        if table == "consents":  # the new account has its own statement of adulthood before them
            new = [row for row in new if row in old]
            old, new = (sorted(rows, key=repr) for rows in (old, new))
        assert new == old, table


def test_everything_is_there_again(
    home: Command, here: Database, shop: Path, zipped: Path, tmp_path: Path
) -> None:
    done = home("import", str(zipped), "--yes")
    assert done.returncode == 0, done
    with open_database(shop) as there:
        was = exported.data(there.connection, MINE.account)
    then = exported.data(here.connection, account_of(here))
    compared(was, then, account_of(here))
    again = home("export", "-o", str(tmp_path / "again.zip"))
    assert again.returncode == 0, again
    compared(data_in(zipped), data_in(tmp_path / "again.zip"), account_of(here))
    assert all(was[table] for table in rules.RESTORED), "something of everything is compared"
    for table in ("events", "runs", "outbox", "links", "sessions", "api_tokens", "schedules"):
        assert then[table] == [], table
    assert [row["action"] for row in then["audit"]][-2:] == ["import begun", "import"]
    assert accounts.timezone(here.connection, account_of(here)) == "UTC"
    assert here.connection.execute("PRAGMA foreign_key_check").fetchall() == []
    assert f"Connect shop.{MINE.mark} again: pamosnik connect" in done.stderr


def test_what_people_read_is_the_same(home: Command, here: Database, zipped: Path, tmp_path: Path) -> None:
    home("import", str(zipped), "--yes")
    stats = json.loads(home("stats", "--json").stdout)
    assert {flow["flow"]: flow["started"] for flow in stats["flows"]}["price"] > 0
    (tmp_path / "again.yaml").write_text(home("flows", "export").stdout)
    assert "4 unchanged." in home("flows", "diff", str(tmp_path / "again.yaml")).stdout
    people = json.loads(home("contacts", "list", "--json").stdout)
    assert next(person["opted_out"] for person in people if person["name"] == "Żółw 🐢")


def test_a_dry_run_says_what_would_come_and_changes_nothing(
    home: Command, here: Database, zipped: Path
) -> None:
    before = exported.data(here.connection, account_of(here))
    said = home("import", str(zipped), "--dry-run", "--json")
    assert said.returncode == 0, said
    told = json.loads(said.stdout)
    assert (told["imported"], told["counts"]["people"], told["forgotten"]) == (False, 62, 0)
    assert told["connections"] == [f"shop.{MINE.mark}"]
    assert "can be imported" in home("import", str(zipped), "--dry-run").stdout
    assert exported.data(here.connection, account_of(here)) == before


def test_connecting_takes_the_row_over_and_answers_nothing_old(
    home: Command, here: Database, zipped: Path, tmp_path: Path
) -> None:
    home("import", str(zipped), "--yes")
    (before,) = connections.of_account(here.connection, account_of(here))
    keys = keyring.load(tmp_path / "home" / "master.key", None)
    found = Found("new-token", MINE.ig_id, None, "renamed", ())
    later = NOW.replace(year=NOW.year + 1)
    here.write(lambda conn: connecting.keep(conn, keys, account_of(here), found, later))
    (after,) = connections.of_account(here.connection, account_of(here))
    assert (after.id, after.status.value, after.connected_at) == (before.id, "active", later)
    assert (after.read_until, after.delete_after) == (None, None)
    again = later.replace(hour=(later.hour + 1) % 24)
    here.write(lambda conn: connecting.keep(conn, keys, account_of(here), found, again))
    assert connections.load(here.connection, before.id).connected_at == later
    planned = here.connection.execute("SELECT flow_id FROM schedules").fetchall()
    assert planned == [("news",)], "what is to come is planned anew"
    assert people.newest(here.connection, account_of(here), limit=None)
