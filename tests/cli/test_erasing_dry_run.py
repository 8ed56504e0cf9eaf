"""--dry-run of what deletes: it changes nothing, and the same command without it deletes what it said."""

import json
from pathlib import Path

import pytest

from pamosnik.store import export_tables
from pamosnik.store.database import open_database
from tests.cli.in_process import Command
from tests.cli.test_erasing_commands import two
from tests.isolation.world import ANNA, MINE

__all__ = ["two"]

DELETING = {
    "contacts forget": ("contacts", "forget", MINE.fan),
    "contacts forget, who wrote much": ("contacts", "forget", ANNA),
    "disconnect": ("disconnect", MINE.ig_id),
    "delete-account": ("delete-account",),
}


def _keys(home: Path) -> dict[str, set[tuple[object, ...]]]:
    """Table → the keys of its rows; without those of the eraser's own, receipts and marks."""
    with open_database(home / "pamosnik.db") as opened:
        return {
            table: set(opened.connection.execute(f"SELECT {key} FROM {table}"))
            for table, key in export_tables.ORDER.items()
            if table not in ("traces", "deletions")
        }


@pytest.mark.parametrize("words", DELETING.values(), ids=DELETING)
def test_what_dry_run_says_is_what_goes(two: Command, tmp_path: Path, words: tuple[str, ...]) -> None:
    home = tmp_path / "home"
    before = _keys(home)
    said = two(*words, "--dry-run")
    assert (said.returncode, "Nothing was changed." in said.stderr) == (0, True), said
    assert "What would stay:" in said.stdout
    dry = json.loads(two(*words, "--dry-run", "--json").stdout)
    assert _keys(home) == before
    (told,) = dry if isinstance(dry, list) else [dry]
    email = ("--email", MINE.email) if words == ("delete-account",) else ()
    done = two(*words, "--yes", *email)
    assert done.returncode == 0, done
    after = _keys(home)
    gone = {table: len(keys - after[table]) for table, keys in before.items()}
    assert told["would_go"] == {table: n for table, n in gone.items() if n}


def test_dry_run_of_nobody_is_not_found(two: Command) -> None:
    for words in (("contacts", "forget", "@nobody"), ("disconnect", "nobody")):
        assert two(*words, "--dry-run").returncode == 1
