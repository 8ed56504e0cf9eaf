"""An export against the tables themselves, and against everything that must not leave."""

import base64
import csv
import hashlib
import io
import json
import os
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from pamosnik import _sqlite, csv_cells
from pamosnik._sqlite import Connection
from pamosnik.privacy import export_index
from pamosnik.privacy.export import exported_columns
from pamosnik.privacy.subject import REGISTER, About
from pamosnik.services.reading import events as event_reading
from pamosnik.services.reading import people
from pamosnik.services.reading import runs as run_reading
from pamosnik.store import accounts, export_kinds
from pamosnik.store.database import open_database
from pamosnik.store.export_tables import ORDER
from tests.cli.in_process import Command, in_this_process
from tests.isolation import world
from tests.isolation.world import ANNA, MINE, OTHERS

HOSTILE = "<script>alert('x')</script>=cmd|' /C calc'!A0"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with two accounts that look alike."""
    home = tmp_path_factory.mktemp("export") / "home"
    with closing(_sqlite.connect(str(world.make(home)), isolation_level=None)) as conn:
        conn.execute("UPDATE contacts SET name=? WHERE igsid=?", (HOSTILE, ANNA))
        token, address = conn.execute(
            "SELECT token, address FROM links WHERE account_id=? LIMIT 1", (MINE.account,)
        ).fetchone()
        conn.execute(
            "UPDATE events SET text=? WHERE event_id=(SELECT max(event_id) FROM events WHERE account_id=?)",
            (
                f"see shop.example/l/{token}, or https%3A%2F%2Fx%2Fl%2F{token} and /l/AAAAAAAAAAAAAAAA",
                MINE.account,
            ),
        )
        assert address.startswith("https://")
    return home


@pytest.fixture
def command(made: Path, monkeypatch: pytest.MonkeyPatch) -> Command:
    monkeypatch.setenv("PAMOSNIK_ACCOUNT", MINE.email)
    return in_this_process(monkeypatch, made)


@pytest.fixture
def conn(made: Path) -> Iterator[Connection]:
    with open_database(made / "pamosnik.db") as database:
        yield database.connection


Files = Mapping[str, bytes]


def _exported(command: Command, file: Path, *of: str) -> Files:
    said = command(*(of or ("export",)), "-o", str(file), "--json")
    assert said.returncode == 0, said
    with zipfile.ZipFile(file) as archive:
        assert archive.testzip() is None
        files = {name: archive.read(name) for name in archive.namelist()}
    told = json.loads(said.stdout)
    assert (told.pop("file"), told.pop("bytes")) == (str(file), file.stat().st_size)
    assert told == json.loads(files["manifest.json"])
    return files


def _rows(files: Files, path: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(files[path])
    return found


def _raw(conn: Connection, table: str, account_id: str) -> list[dict[str, Any]]:
    columns = exported_columns(table)
    found = conn.execute(
        f"SELECT {', '.join(columns)} FROM {table} WHERE account_id=? ORDER BY {ORDER[table]}", (account_id,)
    )
    return [dict(zip(columns, row, strict=True)) for row in found]


def _untracked(conn: Connection, text: str) -> str:
    for token, address in conn.execute("SELECT token, address FROM links"):
        text = text.replace(f"https://home.example/l/{token}", address)
    return text


def test_every_row_and_column_is_there(command: Command, conn: Connection, tmp_path: Path) -> None:
    tables = {table: _raw(conn, table, MINE.account) for table in REGISTER if exported_columns(table)}
    files = _exported(command, tmp_path / "all.zip")
    assert {name for name in files if name.startswith("data/")} == {f"data/{table}.json" for table in tables}
    for table, rows in tables.items():
        exported = _rows(files, f"data/{table}.json")
        assert len(exported) == len(rows) > 0, table
        for was, row in zip(rows, exported, strict=True):
            for name, value in was.items():
                if (table, name) != ("events", "text"):
                    expected = _untracked(conn, value) if isinstance(value, str) else value
                    assert row[name] == expected, (table, name)
            assert row.keys() == was.keys()


def test_only_secrets_and_what_is_made_of_others_are_left_out() -> None:
    assert [table for table in REGISTER if not exported_columns(table)] == ["month_totals", "ledger"]
    assert {*REGISTER["month_totals"].columns.values()} == {About.DERIVED}
    for table, entry in REGISTER.items():
        if table == "month_totals":
            continue
        assert About.DERIVED not in entry.columns.values()
        left_out = entry.columns.keys() - set(exported_columns(table))
        assert table == "ledger" or all(entry.columns[name] is About.HIDDEN for name in left_out)


def test_the_manifest_tells_of_every_file(command: Command, tmp_path: Path) -> None:
    files = _exported(command, tmp_path / "all.zip")
    manifest = json.loads(files["manifest.json"])
    assert manifest["pamosnik_export"] == 1
    assert manifest["complete"] is True
    assert {one["path"] for one in manifest["files"]} == files.keys() - {"manifest.json"}
    for one in manifest["files"]:
        content = files[one["path"]]
        assert one["bytes"] == len(content)
        assert one["sha256"] == hashlib.sha256(content).hexdigest()
        if one["path"].endswith(".json"):
            assert one["rows"] == len(json.loads(content)), one
        if one["path"].startswith("csv/"):
            assert one["rows"] == len(list(csv_cells.read(content))) - 1, one
    assert manifest["counts"].keys() == {*export_kinds.KINDS, "stats"}


def test_nothing_secret_and_nothing_of_others_is_inside(
    command: Command, conn: Connection, tmp_path: Path
) -> None:
    files = _exported(command, tmp_path / "all.zip")
    secrets: set[bytes] = set()
    for table, entry in REGISTER.items():
        for column in (name for name, about in entry.columns.items() if about is About.HIDDEN):
            found = conn.execute(f"SELECT {column} FROM {table} WHERE {column} IS NOT NULL").fetchall()
            assert found, (table, column)
            for (value,) in found:
                secrets |= _forms(value)
    assert len(secrets) > 30
    for name, content in files.items():
        assert [secret for secret in secrets if secret in content] == [], name
        assert OTHERS.mark.encode() not in content, name


def _forms(value: str | bytes) -> set[bytes]:
    if isinstance(value, str):
        return {value.encode()}
    return {value, value.hex().encode(), base64.b64encode(value), base64.urlsafe_b64encode(value)}


def test_a_tracked_link_gives_way_to_where_it_leads(command: Command, tmp_path: Path) -> None:
    files = _exported(command, tmp_path / "all.zip")
    said = max(_rows(files, "data/events.json"), key=lambda row: str(row["event_id"]))
    target = f"https://{MINE.mark}.example/prices"
    assert said["text"] == f"see {target}, or {target} and /l/AAAAAAAAAAAAAAAA"
    assert target in files["json/messages.json"].decode()


def test_kinds_are_in_the_shapes_of_the_contract(command: Command, conn: Connection, tmp_path: Path) -> None:
    files = _exported(command, tmp_path / "all.zip")
    account = accounts.load(conn, MINE.account)
    assert account is not None
    listed = {one.id: one.shape() for one in people.newest(conn, account, limit=None)}
    exported = _rows(files, "json/contacts.json")
    assert len(exported) == len(listed) > 0
    for row in exported:
        assert listed[row["id"]].items() <= row.items()
    events = {one.id: one.shape() for one in event_reading.newest(conn, account, limit=None, since=None)}
    for row in _rows(files, "json/events.json"):
        assert {**events[row["id"]], "text": row["text"]}.items() <= row.items()
    runs = {one.id: one.shape() for one in run_reading.newest(conn, account)}
    for row in _rows(files, "json/runs.json"):
        assert runs[row["id"]].items() <= row.items()
    assert _rows(files, "json/stats.json") == json.loads(command("stats", "--json").stdout)["flows"]
    directions = {row["direction"] for row in _rows(files, "json/messages.json")}
    assert directions == {"in", "out"}
    said = {row["text"] for row in _rows(files, "json/messages.json")}
    assert f"nothing for {MINE.mark}" in said


def test_spreadsheets_are_harmless_and_give_the_texts_back(command: Command, tmp_path: Path) -> None:
    files = _exported(command, tmp_path / "all.zip")
    headings, *rows = csv_cells.read(files["csv/contacts.csv"])
    anna = next(dict(zip(headings, row, strict=True)) for row in rows if ANNA in row)
    assert anna["name"] == HOSTILE
    assert anna["fields.size"] == MINE.mark
    cells = [
        cell for row in csv.reader(io.StringIO(files["csv/contacts.csv"].decode("utf-8-sig"))) for cell in row
    ]
    assert not [cell for cell in cells if cell.startswith("=")]


def test_the_page_is_one_file_and_obeys_nobody(command: Command, tmp_path: Path) -> None:
    for of in (("export",), ("contacts", "export", ANNA)):
        page = _exported(command, tmp_path / f"{of[0]}.zip", *of)["index.html"].decode()
        assert "<script" not in page
        assert "http://" not in page
        assert "https://" not in page
        assert 'href="csv/contacts.csv"' in page


def test_the_pages_have_a_sentence_for_every_kind() -> None:
    assert export_index.KINDS.keys() == {*export_kinds.KINDS, "stats"}
    assert export_index.TO_THE_PERSON.keys() == set(export_kinds.ABOUT_PEOPLE)


def test_the_flow_files_apply_again_without_a_change(command: Command, tmp_path: Path) -> None:
    files = _exported(command, tmp_path / "all.zip")
    (tmp_path / "flows.yaml").write_bytes(files["flows.yaml"])
    assert "4 unchanged." in command("flows", "diff", str(tmp_path / "flows.yaml")).stdout


def test_of_one_person_all_and_of_others_nothing(command: Command, conn: Connection, tmp_path: Path) -> None:
    files = _exported(command, tmp_path / "anna.zip", "contacts", "export", ANNA)
    manifest = json.loads(files["manifest.json"])
    assert manifest["complete"] is False
    assert set(manifest["person"]["igsids"]) == {ANNA, f"also-{MINE.mark}"}
    (contact,) = conn.execute(
        "SELECT contact_id FROM contacts WHERE account_id=? AND igsid=?", (MINE.account, ANNA)
    ).fetchone()
    everything = {table: _raw(conn, table, MINE.account) for table in REGISTER if REGISTER[table].person_key}
    runs = {row["run_id"] for row in everything["runs"] if row["contact_id"] == contact}
    for table, rows in everything.items():
        key = str(REGISTER[table].person_key)
        about = {"igsid": {ANNA, f"also-{MINE.mark}"}, "contact_id": {contact}, "run_id": runs}[key]
        expected = [row for row in rows if row[key] in about]
        exported = _rows(files, f"data/{table}.json")
        assert [row[key] for row in exported] == [row[key] for row in expected], table
    for name, content in files.items():
        for foreign in (MINE.fan, OTHERS.mark, "GIFT-zqrose-1"):
            assert foreign.encode() not in content, (name, foreign)
    assert "What Shop zqrose keeps of you" in files["index.html"].decode()


def test_who_is_known_by_events_alone_is_exported(command: Command, conn: Connection, tmp_path: Path) -> None:
    conn.execute(
        "INSERT INTO events (event_id, account_id, connection_id, dedup_key, kind, received_at, igsid, username,"
        " text, verdict) VALUES ('01AAA', ?, ?, 'k', 'comment', 1, '55', 'passer.by', 'nice', 'no_match')",
        (MINE.account, MINE.connection),
    )
    files = _exported(command, tmp_path / "by.zip", "contacts", "export", "@Passer.By")
    assert [row["text"] for row in _rows(files, "json/comments.json")] == ["nice"]
    conn.execute("DELETE FROM events WHERE event_id='01AAA'")


def test_nobody_gets_what_another_of_the_same_name_wrote(command: Command, tmp_path: Path) -> None:
    said = command("contacts", "export", f"@fan.{MINE.mark}", "-o", str(tmp_path / "fan.zip"))
    assert said.returncode == 1
    assert "More than one person" in said.stderr
    assert ANNA in said.stderr
    said = command("contacts", "export", "nobody", "-o", str(tmp_path / "fan.zip"))
    assert (said.returncode, said.stdout) == (1, "")
    assert list(tmp_path.iterdir()) == []


def test_it_is_noted_and_never_overwrites(
    command: Command, conn: Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for _ in range(2):
        assert command("export").returncode == 0
    made = sorted(tmp_path.iterdir())
    assert len(made) == 2
    assert {file.stat().st_mode & 0o777 for file in made} == {0o600}
    before = made[0].read_bytes()
    said = command("export", "-o", made[0].name)
    assert said.returncode == 1
    assert "There is a file already" in said.stderr
    assert made[0].read_bytes() == before
    noted = conn.execute(
        "SELECT actor, action FROM audit WHERE account_id=? ORDER BY id DESC", (MINE.account,)
    )
    assert noted.fetchmany(2) == [("command", "export")] * 2


def test_rows_come_in_the_order_of_their_keys(conn: Connection) -> None:
    assert set(ORDER) == set(REGISTER)
    for table, order in ORDER.items():
        keys = conn.execute(
            "SELECT name FROM pragma_table_info(?) WHERE pk>0 ORDER BY pk", (table,)
        ).fetchall()
        names = [name for (name,) in keys]
        hidden = [name for name in names if REGISTER[table].columns[name] is About.HIDDEN]
        assert order == ", ".join(names) or (order == "rowid" and hidden), table


def test_killed_while_it_writes_it_leaves_nothing_under_its_name(
    command: Command, made: Path, tmp_path: Path
) -> None:
    """Killed once its workshop is there: the file comes whole or not at all, and the next one is whole."""
    output = tmp_path / "killed.zip"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    process = subprocess.Popen(
        [sys.executable, "-m", "pamosnik", "export", "-o", str(output)],
        env=environment,
        stderr=subprocess.PIPE,
    )
    while process.poll() is None and not list(tmp_path.glob(".pamosnik-work-*/export.zip")):
        time.sleep(0.0005)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    if output.exists():
        assert zipfile.ZipFile(output).testzip() is None
        output.unlink()
    _exported(command, output)
    assert list(tmp_path.glob(".pamosnik-work-*")) == []
    with closing(_sqlite.connect(str(made / "pamosnik.db"))) as conn:
        assert conn.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
