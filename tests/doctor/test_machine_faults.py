"""Faults of the machine: files, disk, file system, SQLite, time zone, what changed behind the daemon's back."""

import os
from pathlib import Path

import pytest

from pamosnik.services.doctor.clock import of_zone
from pamosnik.services.doctor.machine import sqlite
from pamosnik.services.doctor.place import file_system, mount_of, room_of
from pamosnik.store import accounts
from pamosnik.store.database import open_database
from tests.doctor.clinic import Clinic

pytestmark = pytest.mark.anyio
MOUNTS = """\
22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
40 22 0:35 / /srv/shared rw shared:2 - nfs4 server:/export rw
41 22 0:36 / /srv/shared/local rw - xfs /dev/sdb1 rw
42 22 0:37 / /run/memory rw - tmpfs tmpfs rw
43 22 0:38 / /srv/with\\040space rw - fuse.sshfs other:/ rw
44 22 0:39 / /inside rw - overlay overlay rw
"""


async def test_a_secret_file_outside_of_the_home_is_open_to_others(shop: Clinic) -> None:
    secret = shop.folder / "app-secret"
    secret.write_text("1f0e2d3c4b5a69788796a5b4c3d2e1f0\n")
    secret.chmod(0o644)
    shop.patch.delenv("PAMOSNIK_INSTAGRAM_APP_SECRET")
    found = await shop.look(INSTAGRAM_APP_SECRET_FILE=str(secret))
    assert found.bad == ["settings"]
    assert found.one("settings")["fix"] == f"Try: chmod 600 {secret}"
    mended = await shop.look("--fix")
    assert mended.bad == []
    assert oct(secret.stat().st_mode)[-3:] == "600"


async def test_what_is_mended_hides_nothing_from_the_same_look(shop: Clinic) -> None:
    """The key was told as open to others after `--fix` had closed it."""
    (shop.home / "master.key").chmod(0o644)
    open_to_all = await shop.look()
    assert open_to_all.bad == ["files", "key"]
    assert open_to_all.status("app_subscription") != "bad"
    mended = await shop.look("--fix")
    assert (mended.bad, mended.said.returncode) == ([], 0)
    assert mended.one("files")["message"].startswith("Mended: ")
    assert mended.status("login") == "good"


async def test_a_toml_that_is_a_link_is_looked_at_where_it_lies(shop: Clinic) -> None:
    kept = shop.folder / "kept.toml"
    (shop.home / "pamosnik.toml").rename(kept)
    kept.chmod(0o640)
    (shop.home / "pamosnik.toml").symlink_to(kept)
    found = await shop.look()
    assert found.bad == ["settings"]
    assert str(kept) in found.one("settings")["message"]


async def test_settings_that_changed_behind_the_daemons_back(shop: Clinic) -> None:
    file = shop.home / "pamosnik.toml"
    os.utime(file, (file.stat().st_mtime + 3600,) * 2)
    check = (await shop.look()).one("daemon")
    assert check["status"] == "note"
    assert "pamosnik.toml" in check["message"]
    assert "Start it again" in check["fix"]


async def test_all_accounts_without_account_and_one_with(shop: Clinic) -> None:
    made = await shop.run(
        *("accounts", "create", "--name", "Anna", "--email", "anna@other.example", "--password-stdin"),
        given="three random words\n",
    )
    assert made.returncode == 0, made
    both = await shop.look()
    assert [check["message"] for check in both.all("flows")][1] == (
        "No flow is applied by anna@other.example."
    )
    assert len(both.all("token")) == 1
    shop.patch.setenv("PAMOSNIK_ACCOUNT", "anna@other.example")
    one = await shop.look()
    assert "rosas_shop" not in one.said.stdout
    assert one.one("login")["message"] == "No Instagram account is connected."


async def test_a_mail_setting_that_cannot_be_read_is_a_finding_like_others(shop: Clinic) -> None:
    """It ended doctor with 2, before anything was looked at."""
    found = await shop.look(SMTP_URL="smtps://rosa:very-secret@")
    assert (found.bad, found.said.returncode) == (["mail"], 5)
    check = found.one("mail")
    assert "smtp_url (environment (PAMOSNIK_SMTP_URL))" in check["message"]
    assert "smtps://user:password@mail.example" in check["fix"]
    assert "very-secret" not in found.said.stdout + found.said.stderr
    found = await shop.look(SMTP_URL="smtp://127.0.0.1:9", MAIL_FROM="nobody")
    assert "mail_from" in found.one("mail")["message"]


@pytest.mark.parametrize("content", [b"no database " * 500, b""], ids=["overwritten", "a page"])
async def test_a_damaged_database_is_told_in_plain_words(shop: Clinic, content: bytes) -> None:
    made = await shop.run("backup", "create")
    assert made.returncode == 0, made
    file = shop.home / "pamosnik.db"
    raw = bytearray(file.read_bytes())
    raw[: len(content)] = content
    if not content:
        raw[4096 * 2 : 4096 * 12] = b"\xff" * 4096 * 10
    for beside in shop.home.glob("pamosnik.db-*"):
        beside.unlink()
    file.write_bytes(raw)
    check = (await shop.look()).one("database")
    assert check["status"] == "bad"
    assert "is damaged: " in check["message"]
    assert not any(word in check["message"] for word in ("SQLITE", "NOTADB", "CORRUPT", "Tree", "btree"))
    assert "pamosnik backup verify, then: pamosnik restore" in check["fix"]


@pytest.mark.parametrize(
    ("home", "status", "kind"),
    [
        ("/home/rosa", "good", "ext4"),
        ("/srv/shared/pamosnik", "bad", "nfs4"),
        ("/srv/shared/local/pamosnik", "good", "xfs"),
        ("/srv/sharedlike", "good", "ext4"),
        ("/run/memory/x", "note", "tmpfs"),
        ("/srv/with space/x", "bad", "fuse.sshfs"),
        ("/inside/x", "note", "overlay"),
    ],
)
def test_file_systems(tmp_path: Path, home: str, status: str, kind: str) -> None:
    mounts = tmp_path / "mountinfo"
    mounts.write_text(MOUNTS)
    check = file_system(Path(home), mounts)
    assert (check.found.value, kind in check.message) == (status, True)
    assert (check.fix is None) == (status == "good")


def test_a_machine_that_tells_no_mounts(tmp_path: Path) -> None:
    assert mount_of(tmp_path, tmp_path / "nothing") is None
    assert file_system(tmp_path, tmp_path / "nothing").found.value == "skipped"


def test_room_on_the_disk() -> None:
    gb = 1 << 30
    assert room_of(20 * gb, 100 * gb).message == "20.0 GB of 100.0 GB are free on the disk of the home."
    assert room_of(600 << 20, 100 * gb).found.value == "note"
    full = room_of(100 << 20, 100 * gb)
    assert full.found.value == "bad"
    assert "100 MB of 100.0 GB" in full.message
    assert "df -h" in str(full.fix)


@pytest.mark.parametrize(
    ("version", "status"),
    [("3.53.4", "good"), ("3.51.3", "good"), ("3.51.2", "note"), ("3.50.7", "good"), ("3.40.1", "note")],
)
def test_sqlite(version: str, status: str) -> None:
    check = sqlite(version)
    assert check.found.value == status
    assert (check.fix is None) == (status == "good")


async def test_time_zones(shop: Clinic) -> None:
    with open_database(shop.home / "pamosnik.db") as database:
        (rosa,) = accounts.every(database.connection)
    assert of_zone([rosa], "Etc/UTC").found.value == "good"
    await shop.write("UPDATE accounts SET timezone='UTC'")
    with open_database(shop.home / "pamosnik.db") as database:
        (rosa,) = accounts.every(database.connection)
    told = of_zone([rosa], "Europe/Warsaw")
    assert told.found.value == "note"
    assert "accounts set --account rosa@shop.example --timezone" in str(told.fix)
    await shop.write("UPDATE accounts SET timezone='Europe/Nowhere'")
    found = await shop.look()
    assert found.status("timezone") == "bad"
    assert "does not know the time zone Europe/Nowhere" in found.one("timezone")["message"]
