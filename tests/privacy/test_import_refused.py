"""What cannot be imported is refused as a whole, with every reason; a hostile file does no harm."""

import json
import struct
import zipfile
from collections.abc import Callable, Iterator
from copy import deepcopy
from pathlib import Path

import pytest

from pamosnik._sqlite import Connection
from pamosnik.privacy import importing_file
from pamosnik.privacy import importing_rows as rules
from pamosnik.privacy.importing_check import Checked, check
from pamosnik.store import accounts, migrations
from pamosnik.store.database import Database, open_database
from tests.isolation import world
from tests.isolation.world import MINE, OTHERS
from tests.privacy import exported

Data = dict[str, list[dict[str, object]]]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Data:
    with open_database(world.make(tmp_path_factory.mktemp("shop") / "home")) as database:
        return exported.data(database.connection, MINE.account)


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """A home with one empty account; nothing changes in it."""
    with open_database(tmp_path_factory.mktemp("new") / "pamosnik.db", migrate=True) as database:
        database.write(_account)
        before = database.connection.total_changes
        yield database
        assert database.connection.total_changes == before


def _account(conn: Connection) -> None:
    account = accounts.Account("ANEW", "New", "new@shop.example", "UTC", exported.NOW)
    accounts.insert(conn, account, password_hash="x", wrapped_key=b"x", adult_stated_at=exported.NOW)


def checked(database: Database, path: Path, account_id: str = "ANEW") -> Checked:
    with importing_file.opened(path) as file:
        return database.read(lambda conn: check(file, conn, account_id, []))


def test_a_good_one_has_no_problems(empty: Database, data: Data, tmp_path: Path) -> None:
    found = checked(empty, exported.write(tmp_path / "e.zip", data))
    assert (found.problems, found.left_out, found.resumes) == ([], [], False)
    assert found.counts["contacts"] == len(data["contacts"])


# --- rows --------------------------------------------------------------------------------------------------


def _set(table: str, column: str, value: object) -> Callable[[Data], None]:
    def change(data: Data) -> None:
        data[table][0][column] = value

    return change


def _twice(data: Data) -> None:
    data["contact_tags"].append(data["contact_tags"][-1])


def _no_column(data: Data) -> None:
    del data["contacts"][0]["opted_out_at"]


def _same_person(data: Data) -> None:
    first, second = data["contacts"][:2]
    second["igsid"] = first["igsid"]


ROWS: dict[str, tuple[Callable[[Data], None], str]] = {
    "text for a number": (_set("contacts", "created_at", "now"), "contacts, row 1: created_at is no number"),
    "true for a number": (_set("contact_fields", "counted", True), "counted is no number"),
    "a fraction": (_set("contacts", "created_at", 1.5), "created_at is no number"),
    "a list for an id": (_set("contacts", "connection_id", []), "connection_id is no text"),
    "forgotten beyond all dates": (_set("contacts", "forget_at", 10**30), "forget_at is no number"),
    "the last moment of all, which is none in the east": (
        _set("contacts", "paused_until", 253_402_300_799_999),
        "paused_until is no number",
    ),
    "beyond all dates": (_set("contacts", "last_seen_at", 10**18), "last_seen_at is no number"),
    "below zero": (_set("totals", "n", -1), "n is no number"),
    "a number for text": (_set("contacts", "name", 7), "name is no text"),
    "a list": (_set("contacts", "name", ["a"]), "name is no text"),
    "half a character": (_set("contacts", "name", "\ud800"), "name holds half of a character"),
    "a nul": (_set("contacts", "name", "a\0b"), "name is no text"),
    "an id that is a path": (_set("contacts", "contact_id", "../../x"), "contact_id is no id"),
    "an address as id": (_set("connections", "ig_id", "1/media?x=1"), "ig_id is no id"),
    "null where nothing is not allowed": (_set("contact_tags", "added_at", None), "added_at is missing"),
    "a word that is not allowed": (_set("contacts", "paused_by", "somebody"), "a value in it is none"),
    "of another account": (_set("contact_tags", "account_id", "ATULIP"), "belongs to another account"),
    "a person that is not there": (_set("contact_tags", "contact_id", "0NOBODY"), "its person is not in"),
    "a connection that is not there": (
        _set("contacts", "connection_id", "CNONE"),
        "what it belongs to is not",
    ),
    "twice": (_twice, "it comes twice"),
    "two with one Instagram id": (_same_person, "contacts, row 2: it comes twice"),
    "an unknown column": (_set("contacts", "token", "x"), "unknown columns: token"),
    "a column that is missing": (_no_column, "missing: opted_out_at"),
    "a flow that is none": (_set("flow_versions", "body", '{"do": 7}'), "body is no flow"),
    "a flow that is another": (_set("flow_versions", "version", "0" * 64), "version is not that of the body"),
    "a zone that is none": (_set("flow_versions", "timezone", "Mars/Olympus"), "body is no flow"),
    "settings that are none": (_set("books", "settings", "[]"), "settings cannot be read"),
    "scopes that are none": (_set("connections", "scopes", "{"), "scopes is not what it has to be"),
}


@pytest.mark.parametrize("name", ROWS)
def test_a_row_that_does_not_fit(empty: Database, data: Data, tmp_path: Path, name: str) -> None:
    change, told = ROWS[name]
    changed = deepcopy(data)
    change(changed)
    found = checked(empty, exported.write(tmp_path / "e.zip", changed))
    assert any(told in problem for problem in found.problems), found.problems


def test_all_problems_are_told_not_only_the_first(empty: Database, data: Data, tmp_path: Path) -> None:
    changed = deepcopy(data)
    changed["contacts"][0]["created_at"] = "now"
    changed["flow_versions"][0]["body"] = "{}"
    changed["totals"] = [{**changed["totals"][0], f"column_{n}": 1} for n in range(60)]
    problems = checked(empty, exported.write(tmp_path / "e.zip", changed)).problems
    assert {problem.partition(",")[0] for problem in problems} >= {"contacts", "totals"}
    assert len(problems) == 51
    assert problems[-1].endswith("more")


def test_what_hangs_on_a_row_that_is_refused_is_told_in_one_line(
    empty: Database, data: Data, tmp_path: Path
) -> None:
    changed = deepcopy(data)
    person = changed["contacts"][0]["contact_id"]
    changed["contacts"][0]["created_at"] = "now"
    hanging = [
        table
        for table in rules.PEOPLE
        if table != "contacts" and any(row.get("contact_id") == person for row in changed[table])
    ]
    first, rest = checked(empty, exported.write(tmp_path / "e.zip", changed)).problems
    assert first == "contacts, row 1: created_at is no number that can be there"
    assert rest.startswith("contact_ids, row 1: its person is not in the export; the same in ")
    assert set(rest.partition(" (")[2].removesuffix(")").split(", ")) == set(hanging)


def test_an_older_export_lacks_columns_that_came_later(empty: Database, data: Data, tmp_path: Path) -> None:
    changed = deepcopy(data)
    for row in changed["contact_fields"]:
        del row["counted"]
    older = exported.write(tmp_path / "e.zip", changed, schema_version=len(migrations.MIGRATIONS) - 1)
    assert checked(empty, older).problems == []


# --- the file ----------------------------------------------------------------------------------------------


def _refusal(database: Database, path: Path) -> str:
    """What is said about a file, whether nothing can be said of it or its rows were looked at."""
    try:
        found = checked(database, path)
    except importing_file.ExportUnusable as error:
        return error.message
    return "\n".join(found.problems)


def _manifest(path: Path) -> dict[str, object]:
    with zipfile.ZipFile(path) as archive:
        return dict(json.loads(archive.read("manifest.json")))


def _repack(path: Path, change: Callable[[dict[str, bytes]], None]) -> None:
    with zipfile.ZipFile(path) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    change(files)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, body in files.items():
            archive.writestr(name, body)


def test_what_is_no_export(empty: Database, tmp_path: Path) -> None:
    (tmp_path / "text").write_text("hello")
    assert "no ZIP file" in _refusal(empty, tmp_path / "text")
    assert "There is no file" in _refusal(empty, tmp_path / "nothing")
    assert "cannot be imported" in _refusal(empty, tmp_path)
    with zipfile.ZipFile(tmp_path / "zip", "w") as archive:
        archive.writestr("hello.txt", "hello")
    assert "no manifest.json" in _refusal(empty, tmp_path / "zip")


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ({"pamosnik_export": 2}, "a newer Pamosnik"),
        ({"schema_version": 10**6}, "a newer Pamosnik"),
        ({"complete": False}, "a whole account"),
        ({"created_at": "soon"}, "manifest cannot be read"),
        ({"created_at": "2026-11-30T08:00:00"}, "manifest cannot be read"),
        ({"pamosnik_export": float("inf")}, "manifest cannot be read"),
        ({"files": [{"path": "data/x.json"}]}, "manifest cannot be read"),
        ({"account": []}, "manifest cannot be read"),
    ],
)
def test_a_manifest_that_says_something_else(
    empty: Database, data: Data, tmp_path: Path, said: dict[str, object], told: str
) -> None:
    assert told in _refusal(empty, exported.write(tmp_path / "e.zip", data, **said))


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda files: files.pop("data/contacts.json"), "data/contacts.json is missing"),
        (lambda files: files.update({"data/totals.json": b"[\n]\n"}), "its manifest says"),
        (
            lambda files: files.update(
                {"data/contacts.json": files["data/contacts.json"].replace(b"zq", b"qz", 1)}
            ),
            "SHA-256 differs",
        ),
        (lambda files: files.update({"manifest.json": b"{" * (1 << 21)}), "manifest cannot be read"),
        (lambda files: files.update({"manifest.json": b"[" * 100_000}), "manifest cannot be read"),
        (lambda files: files.update({f"more/{n}": b"" for n in range(5001)}), "no export has so many"),
    ],
)
def test_a_file_that_was_changed(
    empty: Database, data: Data, tmp_path: Path, change: Callable[[dict[str, bytes]], None], told: str
) -> None:
    path = exported.write(tmp_path / "e.zip", data)
    _repack(path, change)
    assert told in _refusal(empty, path)


def test_what_would_swell_is_not_read(empty: Database, data: Data, tmp_path: Path) -> None:
    swelling = deepcopy(data)
    swelling["contact_tags"][0]["tag"] = "a" * (4 << 20)
    assert "times larger" in _refusal(empty, exported.write(tmp_path / "e.zip", swelling))


def test_a_file_that_says_to_be_smaller_than_it_is(empty: Database, data: Data, tmp_path: Path) -> None:
    """Its size is told in three places; none is believed alone."""
    path = exported.write(tmp_path / "e.zip", data)
    listed = next(
        one
        for one in _manifest(path)["files"]  # type: ignore[attr-defined]
        if one["path"] == "data/contacts.json"
    )
    size, less = (struct.pack("<L", n) for n in (listed["bytes"], listed["bytes"] - 7))
    path.write_bytes(path.read_bytes().replace(size, less))
    assert "data/contacts.json" in _refusal(empty, path)


@pytest.mark.parametrize("how", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_file_that_is_packed_as_no_export_is(empty: Database, data: Data, tmp_path: Path, how: int) -> None:
    with (
        zipfile.ZipFile(exported.write(tmp_path / "e.zip", data)) as good,
        zipfile.ZipFile(tmp_path / "other.zip", "w") as other,
    ):
        for name in good.namelist():
            other.writestr(name, good.read(name), None if name == "manifest.json" else how)
    assert "packed as no export is" in _refusal(empty, tmp_path / "other.zip")


def test_a_file_whose_own_head_is_damaged(empty: Database, data: Data, tmp_path: Path) -> None:
    path = exported.write(tmp_path / "e.zip", data)
    with zipfile.ZipFile(path) as archive:
        at = archive.getinfo("data/accounts.json").header_offset
    raw = bytearray(path.read_bytes())
    raw[at : at + 4] = b"nope"
    path.write_bytes(raw)
    assert "accounts.json is damaged" in _refusal(empty, path)


def test_a_truncated_file(empty: Database, data: Data, tmp_path: Path) -> None:
    path = exported.write(tmp_path / "e.zip", data)
    whole = path.read_bytes()
    for share in (0.1, 0.5, 0.99):
        path.write_bytes(whole[: int(len(whole) * share)])
        assert "cannot be imported" in _refusal(empty, path)


# --- the home ----------------------------------------------------------------------------------------------


def test_an_account_that_has_something_and_ids_that_are_taken(tmp_path: Path) -> None:
    with open_database(world.make(tmp_path / "home")) as database:
        path = exported.write(tmp_path / "e.zip", exported.data(database.connection, MINE.account))
        not_empty, connected, *_ = checked(database, path, MINE.account).problems
        assert "the account is not empty: it has connected Instagram accounts, people" in not_empty
        assert f"shop.{MINE.mark} is connected in this home already" in connected
        database.write(_account)
        (told,) = checked(database, path).problems
        assert "is connected in this home already" in told
        database.connection.execute("UPDATE connections SET ig_id='1' WHERE ig_id=?", (MINE.ig_id,))
        problems = checked(database, path).problems
        assert [problem.partition(":")[0] for problem in problems] == [
            "connections",
            "contacts",
            "broadcasts",
        ]
        database.connection.execute("UPDATE accounts SET status='deleting' WHERE account_id='ANEW'")
        assert "the account is being deleted" in checked(database, path).problems
        assert OTHERS.mark not in repr(problems)
