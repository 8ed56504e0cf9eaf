"""Backups under a passphrase, verifying, the copy on another disk, and what a restore wants to be told."""

import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from pamosnik.services import backups
from pamosnik.store import backup_files
from tests.cli.in_process import Command, in_this_process
from tests.cli.in_process import home as home

PASSPHRASE = "a long row of words"


@pytest.fixture
def sealed(home: Command) -> Path:
    said = home("backup", "create", "--passphrase-stdin", "--json", given=f"{PASSPHRASE}\n")
    assert said.returncode == 0, said.stderr
    assert "Keep the passphrase" in said.stderr
    return Path(json.loads(said.stdout)["file"])


def test_a_sealed_one_tells_nothing_of_people(home: Command, sealed: Path) -> None:
    with zipfile.ZipFile(sealed) as archive:
        assert sorted(archive.namelist()) == ["manifest.json", "sealed"]
        manifest = json.loads(archive.read("manifest.json"))
        assert {"counts", "database_sha256", "database_bytes"} & set(manifest) == set()
        assert b"SQLite format 3" not in archive.read("sealed")
    assert b"rosa@shop.example" not in sealed.read_bytes()
    (row,) = json.loads(home("backup", "list", "--json").stdout)
    assert (row["sealed"], row["contacts"], row["counts"], row["problem"]) == (True, None, None, None)
    assert row["schema_version"] > 1
    assert row["created_at"] is not None
    assert "0 hours" in home("backup", "list").stdout


def test_it_opens_with_its_passphrase_alone(home: Command, sealed: Path) -> None:
    before = sealed.parent.parent.joinpath("pamosnik.db").read_bytes()
    for words in (("backup", "verify"), ("restore", str(sealed), "--yes")):
        said = home(*words)
        assert (said.returncode, "is sealed with a passphrase" in said.stderr) == (2, True)
        assert "--passphrase-stdin" in said.stderr
        said = home(*words, "--passphrase-stdin", given="another row of words\n")
        assert (said.returncode, "The passphrase does not open" in said.stderr) == (2, True)
        assert "another row" not in said.stdout + said.stderr
    assert sealed.parent.parent.joinpath("pamosnik.db").read_bytes() == before
    said = home("backup", "verify", "--passphrase-stdin", "--json", given=f"{PASSPHRASE}\n")
    assert said.returncode == 0, said.stderr
    found = json.loads(said.stdout)
    assert (found["sealed"], found["counts"]["accounts"]) == (True, 1)
    said = home("restore", str(sealed), "--yes", "--passphrase-stdin", given=f"{PASSPHRASE}\n")
    assert said.returncode == 0, said.stderr
    assert home("status").returncode == 0
    assert [path for path in sealed.parents[1].iterdir() if path.name.startswith(".")] == []


def test_the_setting_seals_and_opens_by_itself(home: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PAMOSNIK_BACKUP_PASSPHRASE", PASSPHRASE)
    made = json.loads(home("backup", "create", "--json").stdout)
    assert made["sealed"] is True
    assert home("backup", "verify").returncode == 0
    assert home("restore", made["file"], "--yes").returncode == 0
    assert PASSPHRASE not in home("config", "show").stdout


def test_a_short_passphrase_is_none(home: Command) -> None:
    said = home("backup", "create", "--passphrase-stdin", given="short\n")
    assert (said.returncode, "passphrase" in said.stderr) == (2, True)


def _other_manifest(raw: dict[str, object]) -> dict[str, object]:
    return {**raw, "created_at": "2020-01-01T00:00:00.000+00:00"}


def _no_seal(raw: dict[str, object]) -> dict[str, object]:
    return {**raw, "seal": {}}


@pytest.mark.parametrize(
    ("change", "says"), [(_other_manifest, "damaged, cut off or was changed"), (_no_seal, "manifest")]
)
def test_what_stands_open_cannot_be_changed(
    home: Command, sealed: Path, change: Callable[[dict[str, object]], dict[str, object]], says: str
) -> None:
    with zipfile.ZipFile(sealed) as archive:
        raw, inside = json.loads(archive.read("manifest.json")), archive.read("sealed")
    with zipfile.ZipFile(sealed, "w") as archive:
        archive.writestr("manifest.json", json.dumps(change(raw)))
        archive.writestr("sealed", inside)
    said = home("backup", "verify", str(sealed), "--passphrase-stdin", given=f"{PASSPHRASE}\n")
    assert (said.returncode, says in said.stderr) == (1, True), said.stderr


def test_the_list_says_what_was_verified(home: Command, tmp_path: Path) -> None:
    file = Path(json.loads(home("backup", "create", "--json").stdout)["file"])

    def verified() -> object:
        (row,) = json.loads(home("backup", "list", "--json").stdout)
        return row["verified_at"]

    assert verified() is None
    assert home("backup", "verify").returncode == 0
    assert verified() is not None
    (file.parent / "verified.json").chmod(0o600)
    with file.open("ab") as spoiled:
        spoiled.write(b"x")
    assert verified() is None, "it is another file now"
    (file.parent / "verified.json").write_text("[")
    assert home("backup", "list").returncode == 0


def test_a_copy_goes_to_the_other_folder(
    home: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = tmp_path / "usb"
    monkeypatch.setenv("PAMOSNIK_BACKUP_FOLDER", str(other))
    said = home("backup", "create")
    assert (said.returncode, "Mount its disk" in said.stderr, other.exists()) == (1, True, False)
    assert len(backup_files.found(tmp_path / "home")) == 1, "the backup itself is there"
    other.mkdir()
    outdated = other / "pamosnik-20200101T000000Z.backup"
    outdated.touch()
    made = Path(json.loads(home("backup", "create", "--json").stdout)["file"])
    assert sorted(path.name for path in other.iterdir()) == ["erasures.log", made.name]
    assert (other / made.name).read_bytes() == made.read_bytes()
    assert (other / made.name).stat().st_mode & 0o777 == 0o600
    rows = json.loads(home("backup", "list", "--json").stdout)
    assert [Path(row["file"]).parent for row in rows] == [made.parent, made.parent, other]
    assert home("backup", "verify", str(other / made.name)).returncode == 0


def test_two_homes_do_not_share_a_folder(
    home: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They would remove each other's, and of the same second one would take the other's place."""
    other = tmp_path / "usb"
    other.mkdir()
    monkeypatch.setenv("PAMOSNIK_BACKUP_FOLDER", str(other))
    assert home("backup", "create").returncode == 0
    (first,) = other.glob("*.backup")
    moved = tmp_path / "another"
    (tmp_path / "home").rename(moved)
    said = home("--home", str(moved), "backup", "create")
    assert (said.returncode, "backups of another home" in said.stderr) == (1, True)
    assert [path.name for path in other.glob("*.backup")] == [first.name]
    first.rename(tmp_path / first.name)
    assert home("--home", str(moved), "backup", "create").returncode == 0


@pytest.mark.parametrize("folder", ["usb", "INSIDE"])
def test_another_folder_has_to_be_one(
    home: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folder: str
) -> None:
    monkeypatch.setenv("PAMOSNIK_BACKUP_FOLDER", folder.replace("INSIDE", str(tmp_path / "home" / "copies")))
    said = home("backup", "list")
    assert (said.returncode, "backup_folder" in said.stderr) == (2, True)


def test_a_backup_from_elsewhere_wants_to_hear_that_its_daemon_is_dead(
    home: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = json.loads(home("backup", "create", "--json").stdout)["file"]
    assert "daemon" not in home("restore", file, "--yes").stderr.replace("pamosnik serve", "")
    there = in_this_process(monkeypatch, tmp_path / "another")
    said = there("restore", file)
    assert (said.returncode, "everything twice" in said.stderr) == (2, True)
    assert "--old-daemon-stopped" in said.stderr
    assert not (tmp_path / "another").exists()
    said = there("restore", file, "--old-daemon-stopped", "--yes")
    assert (said.returncode, "everything twice" in said.stderr) == (0, False), said.stderr
    said = there("restore", file, "--yes")
    assert (said.returncode, "is taken as your word" in said.stderr) == (0, True)


def test_the_place_of_a_home_says_nothing_else(tmp_path: Path) -> None:
    here = backups.place_of(tmp_path)
    assert here == backups.place_of(tmp_path / ".." / tmp_path.name)
    assert here != backups.place_of(tmp_path / "other")
    assert len(here) == 16
