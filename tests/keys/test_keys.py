"""`keys status` and `keys rotate`, as the owner runs them."""

import base64
import io
import json
import sys
import threading
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

import pytest

from pamosnik import cli, config
from pamosnik.config import Config
from pamosnik.security import keyring
from pamosnik.security.keyring import Argon2
from pamosnik.security.vault import MasterKeys, Unreadable, new_master_key
from pamosnik.services import home as homes
from pamosnik.services import rotation
from pamosnik.services.keys import wrapping
from pamosnik.services.rotation import Wanted
from pamosnik.store import accounts, connections
from pamosnik.store.database import open_database
from tests.cli.in_process import Said
from tests.keys import logins

Run = Callable[..., Said]
LIGHT = Argon2(time_cost=1, memory_kib=64, parallelism=1)
PASSPHRASE = "green ladder tin moon"


@pytest.fixture
def shop(tmp_path: Path) -> Config:
    """Two accounts, three logins."""
    settings = logins.make(tmp_path / "home")
    rosa = logins.add_account(settings, "rosa@shop.example")
    logins.connect(settings, rosa, "1001")
    logins.connect(settings, rosa, "1002")
    logins.connect(settings, logins.add_account(settings, "fern@shop.example"), "2001")
    return settings


@pytest.fixture
def run(shop: Config, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setenv("PAMOSNIK_HOME", str(shop.home))
    monkeypatch.setenv("NO_COLOR", "1")

    def command(*arguments: str, given: str = "") -> Said:
        monkeypatch.setattr(sys, "stdin", io.StringIO(given))
        with redirect_stdout(io.StringIO()) as out, redirect_stderr(io.StringIO()) as err:
            code = cli.run(list(arguments))
        return Said(code, out.getvalue(), err.getvalue())

    return command


def _status(run: Run) -> dict[str, Any]:
    said = run("keys", "status", "--json")
    assert said.returncode == 0, said
    found: dict[str, Any] = json.loads(said.stdout)
    return found


def _data_keys(settings: Config) -> dict[str, bytes]:
    keys = keyring.load(settings.key_file, settings.passphrase)
    with open_database(settings.database) as database:
        return {
            key.account.email: keys.unwrap(key.account.id, key.wrapped)
            for key in accounts.data_keys(database.connection)
        }


# --- rotating --------------------------------------------------------------------------------------------


def test_rotating_makes_every_key_new_and_every_login_opens(shop: Config, run: Run) -> None:
    before, ring, data_keys = logins.stored(shop), keyring.load(shop.key_file, None), _data_keys(shop)
    said = run("keys", "rotate", "--yes")
    assert said.returncode == 0, said
    assert "2 accounts got a new key; 3 logins" in said.stdout
    assert logins.stored(shop) == before
    fresh = keyring.load(shop.key_file, None)
    assert len(fresh.keys) == 1
    assert fresh.keys != ring.keys
    assert not data_keys.items() & _data_keys(shop).items()
    with open_database(shop.database) as database:
        actions = [row[0] for row in database.connection.execute("SELECT action FROM audit ORDER BY action")]
    assert [one for one in actions if "keys" in one] == [
        *["keys: account key rotated"] * 2,
        *["keys: master key rotated"] * 2,
    ]


def test_either_kind_alone(shop: Config, run: Run) -> None:
    assert "Copies" not in run("keys", "rotate", "--accounts").stderr, "of the master key, which stays"
    ring, data_keys = keyring.load(shop.key_file, None), _data_keys(shop)
    assert "3 logins" in run("keys", "rotate", "--accounts", "--yes").stdout
    assert keyring.load(shop.key_file, None) == ring
    assert not data_keys.items() & _data_keys(shop).items()
    data_keys = _data_keys(shop)
    assert "login" not in run("keys", "rotate", "--master", "--yes").stdout
    assert keyring.load(shop.key_file, None).keys != ring.keys
    assert _data_keys(shop) == data_keys


def test_of_the_old_keys_and_what_they_sealed_nothing_is_left(shop: Config, run: Run) -> None:
    with open_database(shop.database) as database:
        rows = database.connection.execute(
            "SELECT token_sealed FROM connections UNION ALL SELECT wrapped_key FROM account_keys"
        ).fetchall()
    secret = keyring.load(shop.key_file, None).keys[0].secret
    planted = [raw for (raw,) in rows] + [base64.b64encode(secret), secret]
    assert all(raw in logins.everything(shop) for raw in planted[:-1])
    # A daemon would hold the log open: it is not removed when the command ends.
    with open_database(shop.database):
        assert run("keys", "rotate", "--yes").returncode == 0
        assert [raw for raw in planted if raw in logins.everything(shop)] == []


def test_nothing_happens_unasked_and_no_key_is_shown(shop: Config, run: Run) -> None:
    before = shop.key_file.read_bytes()
    said = run("keys", "rotate")
    assert (said.returncode, "--yes" in said.stderr) == (2, True)
    assert shop.key_file.read_bytes() == before
    shown = "".join(
        part.stdout + part.stderr
        for part in (run("keys", "status"), run("keys", "status", "--json"), run("keys", "rotate", "--yes"))
    )
    secrets = [key.secret for key in keyring.load(shop.key_file, None).keys] + [*_data_keys(shop).values()]
    for form in (bytes.hex, lambda raw: base64.b64encode(raw).decode().rstrip("=")):
        assert [one for one in secrets if form(one) in shown] == []


def test_a_rotation_that_was_broken_off_is_finished_with_the_key_it_had(shop: Config, run: Run) -> None:
    ring = keyring.load(shop.key_file, None)
    begun = MasterKeys((new_master_key(logins.NOW), *ring.keys))
    keyring.write(shop.key_file, begun, None)
    assert _status(run)["rotation_unfinished"] is True
    assert "broken off" in run("keys", "status").stdout
    said = run("keys", "rotate", "--accounts", "--yes")
    assert (said.returncode, "broken off" in said.stdout) == (0, True)
    assert keyring.load(shop.key_file, None).keys == begun.keys[:1]
    assert len(logins.stored(shop)) == 3


def test_old_backups_are_told(shop: Config, run: Run) -> None:
    run("backup", "create")
    (shop.home / "pamosnik.before-version-3.db").touch()
    (shop.home / "pamosnik.db.before-restore-20261130T000000Z").touch()
    said = run("keys", "rotate", "--accounts", "--yes")
    assert (said.returncode, said.stderr) == (0, ""), "the master key that opens them is still there"
    said = run("keys", "rotate", "--yes")
    assert "2 older copies" in said.stderr
    assert "1 backup in this home" in said.stderr
    assert "old master.key only" in said.stderr


def test_a_rotation_waits_for_who_wraps(shop: Config) -> None:
    ring = keyring.load(shop.key_file, None)
    rotating = threading.Thread(target=rotation.rotate, args=(shop, Wanted(), logins.NOW))
    with wrapping(shop) as keys:
        rotating.start()
        rotating.join(0.2)
        assert rotating.is_alive()
        assert keyring.load(shop.key_file, None) == keys == ring
    rotating.join()
    assert keyring.load(shop.key_file, None).keys != ring.keys


# --- the passphrase --------------------------------------------------------------------------------------


def test_a_passphrase_is_set_changed_and_taken_away(
    shop: Config, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    as_of_windows = f"\ufeff{PASSPHRASE}\r\n"
    said = run("keys", "rotate", "--master", "--new-passphrase-stdin", "--yes", given=as_of_windows)
    assert said.returncode == 0, said
    assert "Change PAMOSNIK_PASSPHRASE" in said.stdout
    assert PASSPHRASE not in said.stdout + said.stderr
    assert _status(run)["problem"]["code"] == "sealed"
    monkeypatch.setenv("PAMOSNIK_PASSPHRASE", PASSPHRASE)
    found = _status(run)
    assert found["problem"] is None
    assert found["key_file"]["argon2id"]["as_strong_as_today"] is True
    secret = shop.home / "passphrase"
    secret.write_text(as_of_windows, encoding="utf-8", newline="")
    monkeypatch.delenv("PAMOSNIK_PASSPHRASE")
    monkeypatch.setenv("PAMOSNIK_PASSPHRASE_FILE", str(secret))
    said = run("keys", "rotate", "--accounts", "--no-passphrase", "--yes")
    assert "Take away the file that PAMOSNIK_PASSPHRASE_FILE names" in said.stdout
    assert keyring.look_at(shop.key_file).sealed_with is None
    assert len(logins.stored(shop)) == 3


def test_a_passphrase_that_is_set_seals_the_file_at_the_next_rotation(
    shop: Config, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PAMOSNIK_PASSPHRASE", PASSPHRASE)
    assert "is sealed with the passphrase that is set" in run("keys", "rotate", "--accounts", "--yes").stdout
    keyring.write(shop.key_file, keyring.load(shop.key_file, PASSPHRASE), PASSPHRASE, LIGHT)
    assert "weaker than today's" in run("keys", "status").stdout
    assert run("keys", "rotate", "--accounts", "--yes").returncode == 0
    assert keyring.look_at(shop.key_file).sealed_with == keyring.TODAY


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--new-passphrase-stdin",), "The passphrase has 5 characters"),
        (("--new-passphrase-stdin", "--no-passphrase"), "not both"),
        (("--lost-key", "--master"), "goes alone"),
    ],
)
def test_what_cannot_be_meant(shop: Config, run: Run, arguments: tuple[str, ...], said: str) -> None:
    before = shop.key_file.read_bytes()
    refused = run("keys", "rotate", "--yes", *arguments, given="short\n")
    assert (refused.returncode, said in refused.stderr) == (2, True), refused
    assert shop.key_file.read_bytes() == before


# --- status ----------------------------------------------------------------------------------------------


def test_status_of_a_good_home(shop: Config, run: Run) -> None:
    found = _status(run)
    assert found["keys"] == [{"made_at": "2026-11-30T08:15:00Z"}]
    assert (found["key_file"]["mode"], found["home"]["mode"]) == ("0600", "0700")
    assert [(one["email"], one["opens"], len(one["connections"])) for one in found["accounts"]] == [
        ("rosa@shop.example", True, 2),
        ("fern@shop.example", True, 1),
    ]
    assert (found["lost"], found["daemon_has_read"]) == ([], None)
    said = run("keys", "status").stdout
    assert "Everything opens." in said
    assert "@shop_1002" in said


def _breaks(shop: Config, how: str) -> None:
    path = shop.key_file
    match how:
        case "missing":
            path.unlink()
        case "damaged":
            path.write_bytes(path.read_bytes()[:40])
        case "wrong_passphrase" | "sealed":
            keyring.write(path, keyring.load(path, None), "another passphrase", LIGHT)
        case "another":
            path.unlink()
            keyring.create(path, None, logins.NOW)


@pytest.mark.parametrize("how", ["missing", "damaged", "sealed", "wrong_passphrase", "another"])
def test_status_says_what_is_lost_and_what_is_not(
    shop: Config, run: Run, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    _breaks(shop, how)
    if how == "wrong_passphrase":
        monkeypatch.setenv("PAMOSNIK_PASSPHRASE", PASSPHRASE)
    found = _status(run)
    assert found["lost"] == ["shop_1001", "shop_1002", "shop_2001"]
    assert (found["problem"] or {"code": "another"})["code"] == how
    said = run("keys", "status").stdout
    for part in ("(3 of 3 stored logins)", "Not lost: everything else", "pamosnik keys rotate --lost-key"):
        assert part in said, said
    assert ("rename master.key" in said) == (how in ("sealed", "wrong_passphrase"))


def test_status_of_a_key_file_that_others_can_read_claims_no_loss(shop: Config, run: Run) -> None:
    shop.key_file.chmod(0o644)
    found = _status(run)
    assert (found["problem"]["code"], found["lost"]) == ("open_to_others", None)
    said = run("keys", "status").stdout
    assert "chmod 600" in said
    assert "Lost" not in said


# --- a lost key ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["missing", "damaged", "another"])
def test_without_the_key_everything_but_the_logins_goes_on(shop: Config, run: Run, how: str) -> None:
    _breaks(shop, how)
    said = run("keys", "rotate", "--lost-key")
    assert (said.returncode, "@shop_2001 (fern@shop.example)" in said.stderr) == (2, True)
    said = run("keys", "rotate", "--lost-key", "--yes")
    assert said.returncode == 0, said
    for ig_id, email in (("1001", "rosa"), ("1002", "rosa"), ("2001", "fern")):
        assert f"@shop_{ig_id}: pamosnik connect --account {email}@shop.example" in said.stdout
    assert ("kept as" in said.stdout) == (how == "damaged")
    with open_database(shop.database) as database:
        conn = database.connection
        rows = [one for account in accounts.every(conn) for one in connections.of_account(conn, account.id)]
        assert {row.status.value for row in rows} == {"needs_login"}
        assert conn.execute("SELECT count(token_sealed) FROM connections").fetchone() == (0,)
        fern = accounts.by_email(conn, "fern@shop.example")
    assert fern is not None
    logins.connect(shop, fern, "2001")
    assert list(logins.stored(shop)) == ["2001"]
    assert run("keys", "rotate", "--lost-key", "--yes").returncode == 1, "it is not lost any more"


def test_connecting_with_another_key_loses_no_login_that_the_right_one_opens(shop: Config) -> None:
    before = logins.stored(shop)
    kept = shop.key_file.rename(shop.home.parent / "kept")
    keyring.create(shop.key_file, None, logins.NOW)
    with open_database(shop.database) as database:
        rosa, fern = accounts.every(database.connection)
    with pytest.raises(Unreadable, match="the other logins of the account would be lost") as refused:
        logins.connect(shop, rosa, "1001")
    assert "keys status" in str(refused.value.hint)
    logins.connect(shop, fern, "2001", token="another")
    kept.rename(shop.key_file)
    with open_database(shop.database) as database, pytest.raises(Unreadable):
        logins.tokens(database, keyring.load(shop.key_file, None))
    logins.connect(shop, fern, "2001")
    assert logins.stored(shop) == before


def test_what_opens_is_kept(shop: Config, run: Run) -> None:
    """One account of a restored database, say, has another key."""
    with open_database(shop.database) as database:
        fern = accounts.by_email(database.connection, "fern@shop.example")
        assert fern is not None
        database.write(lambda conn: accounts.rewrap(conn, fern.id, b"x" * 60))
    ring = keyring.load(shop.key_file, None)
    assert run("keys", "rotate", "--yes").stdout.count("does not open") == 1
    said = run("keys", "rotate", "--lost-key", "--yes")
    assert (said.returncode, "@shop_1001" in said.stdout, "@shop_2001" in said.stdout) == (0, False, True)
    assert sorted(logins.stored(shop)) == ["1001", "1002"]
    assert keyring.load(shop.key_file, None).keys != ring.keys


def test_a_key_that_is_not_lost_is_not_given_up(
    shop: Config, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = logins.stored(shop)
    said = run("keys", "rotate", "--lost-key", "--yes")
    assert (said.returncode, "not lost" in said.stderr) == (1, True)
    shop.key_file.chmod(0o644)
    assert "chmod 600" in run("keys", "rotate", "--lost-key", "--yes").stderr
    shop.key_file.chmod(0o600)
    keyring.write(shop.key_file, keyring.load(shop.key_file, None), PASSPHRASE, LIGHT)
    said = run("keys", "rotate", "--lost-key", "--yes")
    assert (said.returncode, f"mv {shop.key_file}" in said.stderr) == (1, True)
    monkeypatch.setenv("PAMOSNIK_PASSPHRASE", PASSPHRASE)
    sealed = config.load({"home": str(shop.home)})
    assert logins.stored(sealed) == before


# --- the daemon ------------------------------------------------------------------------------------------


def test_a_daemon_that_cannot_read_the_new_key_stops_the_rotation(shop: Config, run: Run) -> None:
    """Started with another passphrase, it would lose every login."""
    before = keyring.load(shop.key_file, None)
    ended = threading.Event()

    def refuses(lock: homes.Lock) -> None:
        while not ended.wait(0.005):
            lock.tell_keys(keyring.stamp(shop.key_file), held=False)

    with homes.lock(shop.home) as lock:
        daemon = threading.Thread(target=refuses, args=(lock,))
        daemon.start()
        said = run("keys", "rotate", "--yes")
        ended.set()
        daemon.join()
    assert (said.returncode, "another passphrase" in said.stderr) == (1, True), said
    assert "Nothing was changed" in said.stderr
    assert keyring.load(shop.key_file, None) == before
    assert len(logins.stored(shop)) == 3
