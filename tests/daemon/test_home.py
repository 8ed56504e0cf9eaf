"""What a home refuses, what commands say with their exit codes, and what nobody ever gets to read."""

import asyncio
import json
import re
import shutil
import socket
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pamosnik import _sqlite
from pamosnik.security import keyring
from tests.daemon import events
from tests.daemon.shop import EMAIL, closed_shop, free_port, open_shop

pytestmark = pytest.mark.anyio
PASSPHRASE = "an unlikely passphrase of some length"
CODE_OF_ANOTHER_ACCOUNT = "IGAAwrongtoken000111222333"


def _explained(text: str) -> bool:
    """Somebody who is no programmer could act on it."""
    return bool(text.strip()) and "Traceback" not in text


async def test_a_home_serves_one_daemon(tmp_path: Path) -> None:
    async with open_shop(tmp_path) as shop:
        second = await shop.try_command("serve", "--port", str(free_port()))
        assert second.code == 1
        assert _explained(second.err)
        assert await shop.ready()
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            await shop.stop()
            third = await shop.try_command("serve", "--port", str(taken.getsockname()[1]))
        assert third.code in (1, 2)
        assert "port" in third.err.lower()
        assert _explained(third.err)
        # Neither attempt has left a lock behind.
        await shop.start()
        await shop.write("4001", "price")
        await shop.settles("4001", 1)


async def test_exit_codes(tmp_path: Path) -> None:
    async with open_shop(tmp_path) as shop:
        assert (await shop.try_command("status", "--require-daemon")).code == 0
        await shop.stop()
        down = await shop.try_command("status", "--require-daemon")
        assert down.code == 7
        wrong = shop.folder / "wrong.yaml"
        wrong.write_text("version: 1\nflows:\n  a:\n    when: [dm: hi]\n    do: [sned: hello]\n", "utf-8")
        for verb in (("validate",), ("apply", "--yes")):
            assert (await shop.try_command("flows", verb[0], str(wrong), *verb[1:])).code == 4
        for usage in (
            ("no-such-command",),
            ("status", "--no-such-option"),
            ("serve", "--port", "eighty"),
            ("why",),
        ):
            said = await shop.try_command(*usage)
            assert said.code == 2, (usage, said)
            assert _explained(said.err), usage
        refused = await shop.try_command("connect", "--token-stdin", given=f"{CODE_OF_ANOTHER_ACCOUNT}\n")
        assert refused.code == 6
        assert CODE_OF_ANOTHER_ACCOUNT not in refused.out + refused.err
        assert "Try:" in refused.err or "connect" in refused.err
        assert (await shop.try_command("why", "no-such-event")).code == 1


async def test_without_a_home_there_is_a_next_step(tmp_path: Path) -> None:
    shop = closed_shop(tmp_path)
    for command in (("status",), ("serve",), ("queue", "list")):
        said = await shop.try_command(*command)
        assert said.code == 1, said
        assert "pamosnik init" in said.err
    assert not shop.home.exists()


async def test_a_newer_database_is_left_alone(tmp_path: Path) -> None:
    async with open_shop(tmp_path) as shop:
        await shop.stop()
        file = shop.home / "pamosnik.db"
        with _sqlite.connect(file) as db:
            db.execute(
                "INSERT INTO _sqlite_migrations (migration_set, name, applied_at)"
                " SELECT migration_set, 'm9999_from_the_future', applied_at FROM _sqlite_migrations LIMIT 1"
            )
        db.close()
        before = _content(file)
        for command in (("serve", "--port", str(shop.port)), ("status",), ("flows", "list")):
            said = await shop.try_command(*command)
            assert said.code == 1, command
            assert "newer Pamosnik" in said.err, said
            assert _explained(said.err)
        assert _content(file) == before


def _content(file: Path) -> list[object]:
    """Every row of every table, and how the tables were made."""
    db = _sqlite.connect(file)
    made: list[tuple[str, str]] = db.execute("SELECT type, sql FROM sqlite_master ORDER BY name").fetchall()
    names = [
        name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type='table' ORDER BY name")
    ]
    rows = [row for name in names for row in db.execute(f'SELECT * FROM "{name}"')]
    db.close()
    return [*made, *rows]


async def test_a_sealed_home_opens_with_its_passphrase_only(tmp_path: Path) -> None:
    async with open_shop(tmp_path, PAMOSNIK_PASSPHRASE=PASSPHRASE) as shop:
        await shop.write("4101", "price")
        await shop.settles("4101", 1)
        await shop.stop()
        for given in ("", "another passphrase altogether"):
            said = await shop.try_command("serve", "--port", str(shop.port), PAMOSNIK_PASSPHRASE=given)
            assert said.code == 1, said
            assert "passphrase" in said.err.lower()
            assert _explained(said.err)
        await shop.start()
        await shop.write("4102", "price")
        await shop.settles("4102", 1)
        assert PASSPHRASE not in shop.said()


async def test_the_command_line_works_without_the_daemon_and_the_daemon_notices(tmp_path: Path) -> None:
    async with open_shop(tmp_path) as shop:
        flows = shop.folder / "more.yaml"
        flows.write_text(
            "version: 1\ndisclosure: false\nflows:\n  hi:\n    when: [dm: hello]\n    do: [send: hi there]\n",
            "utf-8",
        )
        await shop.command("flows", "apply", str(flows), "--yes")
        await asyncio.sleep(1.0)
        await shop.write("4301", "hello")
        assert (await shop.settles("4301", 1))[0].endswith("hi there")
        (event,) = [row for row in await shop.read("events", "list") if row["kind"] == "message"]
        for name in (event["id"], "4301"):
            assert re.search(r"\bhi\b", await shop.command("why", name)), name
        await shop.kill()
        assert (await shop.read("status"))["daemon"]["running"] is False
        assert [row["flow"] for row in (await shop.read("stats"))["flows"] if row["started"]] == ["hi"]
        copy = shop.folder / "copy"
        shutil.copytree(shop.home, copy)
        said = await shop.try_command("contacts", "list", "--json", PAMOSNIK_HOME=str(copy))
        assert [contact["igsid"] for contact in json.loads(said.out)] == ["4301"]
        assert EMAIL not in said.out


async def test_with_the_key_of_another_home_the_owner_is_asked_to_log_in(tmp_path: Path) -> None:
    """It took everything in, sent nothing, and called that healthy."""
    async with open_shop(tmp_path) as shop:
        await shop.stop()
        key = shop.home / "master.key"
        key.unlink()
        keyring.create(key, None, datetime.now(UTC))
        await shop.start()
        await shop.write("9001", "size")
        for _ in range(600):
            (connection,) = await shop.read("connections", "list")
            if connection["status"] == "needs_login":
                break
            await asyncio.sleep(0.05)
        status = await shop.read("status")
        assert [problem["code"] for problem in status["problems"]] == ["needs_login"]
        await shop.connect()
        assert await shop.settles("9001", 1) == ["Automated reply.\nWhich size?"]
        assert (await shop.read("status"))["healthy"] is True


async def test_a_key_that_others_can_read_is_refused(tmp_path: Path) -> None:
    async with open_shop(tmp_path) as shop:
        await shop.stop()
        (shop.home / "master.key").chmod(0o644)
        said = await shop.try_command("serve", "--port", str(shop.port))
        assert said.code == 1
        assert "chmod 600" in said.err


async def test_deliveries_that_no_secret_fits_are_told_to_the_owner(tmp_path: Path) -> None:
    """A wrong secret looked like silence."""
    async with open_shop(tmp_path, PAMOSNIK_INSTAGRAM_APP_SECRET="another secret altogether") as shop:
        body = events.encode(events.envelope(events.talk(events.message("9001", "thanks"))))
        assert await shop.fake.post(body) == 403
        told = await shop.read("status")
        assert (told["healthy"], [one["code"] for one in told["notes"]]) == (True, ["signature_refused"])
        assert "Note: A delivery to the webhook was refused" in (await shop.try_command("status")).out
        assert [await shop.fake.post(body) for _ in range(2)] == [403] * 2
        assert (await shop.read("status"))["notes"] == []
        (problem,) = (await shop.read("status"))["problems"]
        assert problem["code"] == "bad_signature"
        # The owner mends the secret, which takes a restart.
        await shop.stop()
        await shop.start()
        assert await shop.fake.post(body, events.sign(body, "another secret altogether")) == 200
        assert (await shop.read("status"))["healthy"] is True
        # Now the secrets are known to be right, and one delivery that does not fit is a stranger's.
        assert await shop.fake.post(body) == 403
        assert (await shop.read("status"))["notes"] == []


async def test_that_nothing_is_connected_is_told_beside_what_the_machine_lacks(tmp_path: Path) -> None:
    """A tunnel's address that Meta does not know was all that a newcomer read."""
    shop = closed_shop(tmp_path, PAMOSNIK_INSTAGRAM_APP_SECRET="")
    who = ("--name", "Rosa", "--email", "rosa@shop.example", "--password-stdin")
    await shop.command("init", *who, given="three random words\n")
    await shop.start()
    try:
        problems = (await shop.read("status"))["problems"]
        assert [problem["code"] for problem in problems] == ["not_connected", "no_app_secret"]
    finally:
        await shop.kill()


async def test_without_a_secret_status_says_so(tmp_path: Path) -> None:
    async with open_shop(tmp_path, PAMOSNIK_INSTAGRAM_APP_SECRET="") as shop:
        (problem,) = (await shop.read("status"))["problems"]
        assert problem["code"] == "no_app_secret"


async def test_a_wrong_answer_to_init_makes_nothing(tmp_path: Path) -> None:
    shop = closed_shop(tmp_path)
    who = ("--name", "Rosa", "--email", "not an address", "--password-stdin", "--timezone", "Europe/Warsaw")
    said = await shop.try_command("init", *who, given="three random words\n")
    assert said.code == 2
    assert not shop.home.exists()
    (nameless, *rest) = ("", *who[2:])
    said = await shop.try_command("init", "--name", nameless, *rest, given="three random words\n")
    assert (said.code, "name is empty" in said.err) == (2, True)
    shop.home.mkdir(mode=0o700)
    (shop.home / "pamosnik.db").touch()
    good = [word.replace("not an address", EMAIL) for word in who]
    assert (await shop.try_command("init", *good, given="three random words\n")).code == 0
    shutil.rmtree(shop.home)
    shop.home.write_text("a file")
    said = await shop.try_command("status")
    assert (said.code, "is a file" in said.err) == (2, True)
