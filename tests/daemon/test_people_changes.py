"""`contacts find, tag, untag, set, pause, resume`: what the owner corrects, and what flows make of it."""

import asyncio
import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from pamosnik.errors import PamosnikError
from pamosnik.services import people
from pamosnik.services.people import By, Changed
from pamosnik.store import accounts, contacts, deletions
from pamosnik.store.database import open_database
from pamosnik.store.walls import write_for
from tests.cli.in_process import Command, Said, in_this_process
from tests.daemon import events
from tests.daemon.machine import Machine, machine

pytestmark = pytest.mark.anyio

ANNA, OTTO = "900000000000001", "900000000000002"
FLOWS = """
version: 1
disclosure: false
fields:
  guests: number
  day: date
  email: email
  size: { type: choice, choices: [Small, Großer Tisch] }
  wish: text
flows:
  pay:
    when: [dm: pay]
    do:
      - send: "We wait for your money."
      - wait_for: { tag: paid, up_to: 20h }
      - send: "Paid, thank you."
  later:
    when: [dm: later]
    do:
      - wait: 1h
      - send: "It is later now."
  price:
    when: [dm: price]
    do: [send: "The prices."]
"""


async def _write(shop: Machine, igsid: str, text: str) -> None:
    at = int(shop.clock.now().timestamp() * 1000)
    await shop.deliver(events.talk({**events.message(igsid, text), "timestamp": at}))
    await shop.works()


async def _change(shop: Machine, verb: Callable[..., Changed], *words: object) -> Changed:
    """As a command does it."""
    account = accounts.every(shop.reader.connection)[0]
    by = By(account, "command", shop.clock.now())
    done = await shop.writer.write(write_for(account.id, lambda conn: verb(conn, by, *words)))
    await shop.works()
    return done


async def test_a_flow_that_waits_for_the_tag_goes_on(tmp_path: Path) -> None:
    async with machine(tmp_path, FLOWS) as shop:
        await _write(shop, ANNA, "pay")
        assert (await _change(shop, people.tag, ANNA, ["other"])).changed
        assert shop.fake.thread(ANNA) == ["We wait for your money."]
        done = await _change(shop, people.tag, ANNA, ["paid", "other"])
        assert done.changed
        assert done.person["tags"] == ["other", "paid"]
        assert shop.fake.thread(ANNA)[-1] == "Paid, thank you."
        assert not (await _change(shop, people.tag, ANNA, ["paid"])).changed


async def test_automation_rests_and_goes_on_with_what_came_due_meanwhile(tmp_path: Path) -> None:
    async with machine(tmp_path, FLOWS) as shop:
        await _write(shop, ANNA, "later")
        paused = await _change(shop, people.pause, ANNA, "6h")
        assert paused.person["paused_until"] is not None
        await _write(shop, ANNA, "price")
        await shop.later(hours=2)
        assert shop.fake.thread(ANNA) == []
        assert (await _change(shop, people.resume, ANNA)).changed
        assert shop.fake.thread(ANNA) == ["It is later now."]
        assert not (await _change(shop, people.resume, ANNA)).changed


async def test_a_wait_of_its_own_is_no_shorter_for_a_pause_that_ends_early(tmp_path: Path) -> None:
    """One that would end at the very moment at which the pause would have."""
    async with machine(tmp_path, FLOWS) as shop:
        await _write(shop, ANNA, "later")
        await _change(shop, people.pause, ANNA, "1h")
        await shop.later(minutes=20)
        await _change(shop, people.resume, ANNA)
        assert shop.fake.thread(ANNA) == []
        await shop.later(minutes=41)
        assert shop.fake.thread(ANNA) == ["It is later now."]


async def test_a_pause_that_lasts_is_not_shortened_unless_it_is_said(tmp_path: Path) -> None:
    async with machine(tmp_path, FLOWS) as shop:
        await _write(shop, ANNA, "hello")
        long = (await _change(shop, people.pause, ANNA, "3d")).person["paused_until"]
        same = await _change(shop, people.pause, ANNA, None)
        assert (same.changed, same.person["paused_until"]) == (False, long)
        assert (await _change(shop, people.pause, ANNA, "1h")).person["paused_until"] != long


async def test_a_value_that_the_owner_wrote_stays_when_a_message_is_taken_back(tmp_path: Path) -> None:
    async with machine(tmp_path, FLOWS) as shop:
        await _write(shop, ANNA, "hello")
        await _change(shop, people.set_field, ANNA, "wish", "a window")
        rows = shop.reader.connection.execute("SELECT value, counted FROM contact_fields").fetchall()
        assert rows == [("a window", 1)]


async def test_what_is_replaced_or_taken_away_leaves_no_trace(tmp_path: Path) -> None:
    async with machine(tmp_path, FLOWS) as shop:
        await _write(shop, ANNA, "hello")
        await _change(shop, people.set_field, ANNA, "wish", "a window")
        await _change(shop, people.tag, ANNA, ["vip"])
        assert deletions.traces(shop.reader.connection) == []
        await _change(shop, people.set_field, ANNA, "wish", "a door")
        assert deletions.traces(shop.reader.connection) != []


async def test_nobody_is_changed_who_is_being_forgotten(tmp_path: Path) -> None:
    async with machine(tmp_path, FLOWS) as shop:
        await _write(shop, ANNA, "hello")
        (who,) = contacts.find(shop.reader.connection, accounts.every(shop.reader.connection)[0].id, ANNA)
        await shop.writer.write(lambda conn: contacts.set_forget(conn, who, shop.clock.now()))
        with pytest.raises(PamosnikError, match="is being forgotten"):
            await _change(shop, people.tag, ANNA, ["vip"])


# --- the commands ------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def home_of_two(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ann and Otto have written."""
    folder = tmp_path_factory.mktemp("people")

    async def made() -> None:
        async with machine(folder, FLOWS) as shop:
            for number, igsid in enumerate((ANNA, OTTO)):
                shop.clock.move_to(shop.clock.now() + timedelta(seconds=number))  # type: ignore[attr-defined]
                await _write(shop, igsid, "hello")
            await shop.writer.write(
                lambda conn: conn.execute(
                    "UPDATE contacts SET username=iif(igsid=?, 'anna.rosé', 'otto'), name=iif(igsid=?, 'Żaneta', '')",
                    (ANNA, ANNA),
                )
            )

    asyncio.run(made())
    return folder / "home"


@pytest.fixture
def command(home_of_two: Path, monkeypatch: pytest.MonkeyPatch) -> Command:
    return in_this_process(monkeypatch, home_of_two)


def _json(said: Said) -> Any:
    assert said.returncode == 0, said
    return json.loads(said.stdout)


def test_people_are_found_whatever_the_case_and_the_accents(command: Command) -> None:
    command("contacts", "tag", "otto", "VIP-Gäste")
    command("contacts", "set", "otto", "wish", "Ein Fenster zum Hof")
    for text, found in {
        "ROSE": ["anna.rosé"],
        "@anna": ["anna.rosé"],
        "zaneta": ["anna.rosé"],
        "gaste": ["otto"],
        "fenster ZUM": ["otto"],
        "o": ["otto", "anna.rosé"],
        "%": [],
        "nobody": [],
    }.items():
        assert [one["username"] for one in _json(command("contacts", "find", text, "--json"))] == found, text
    assert [one["username"] for one in _json(command("contacts", "find", "o", "--limit", "1", "--json"))] == [
        "otto"
    ]
    assert "otto" in command("contacts", "find", "gäste").stdout
    assert command("contacts", "find", " @ ").returncode == 2


@pytest.mark.parametrize(
    ("field", "written", "kept"),
    [
        ("guests", "1.200,50", "1200.50"),
        ("day", "24.12.2026", "2026-12-24"),
        ("email", "Anna@Example.ORG", "Anna@example.org"),
        ("size", "grosser tisch", "Großer Tisch"),
        ("wish", "  a window ", "a window"),
    ],
)
def test_values_are_kept_as_flows_keep_them(command: Command, field: str, written: str, kept: str) -> None:
    said = _json(command("contacts", "set", "@otto", field, written, "--json"))
    assert said["fields"][field] == kept
    assert said["changed"]
    assert not _json(command("contacts", "set", OTTO, field, kept, "--json"))["changed"]
    gone = _json(command("contacts", "set", "otto", field, "--unset", "--json"))
    assert field not in gone["fields"]
    assert gone["changed"]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("set", "otto", "guests", "many"), "guests is a number, and `many` is none"),
        (("set", "otto", "size", "Smal"), "Its choices are: Small, Großer Tisch"),
        (("set", "otto", "guest", "3"), "Did you mean `guests`?"),
        (("set", "otto", "username", "rosa"), "what Instagram tells"),
        (("set", "otto", "wish", "x" * 1001), "1000 characters at most"),
        (("set", "otto", "wish", " "), "is none"),
        (("set", "otto", "wish"), "Which value?"),
        (("set", "otto", "wish", "a", "--unset"), "Which value?"),
        (("tag", "otto", "not a tag"), "is no tag"),
        (("pause", "otto", "--for", "soon"), "no length of time"),
        (("pause", "otto", "--for", "0s"), "longer than nothing"),
        (("pause", "otto", "--for", "999999d"), "3650d at most"),
    ],
)
def test_what_cannot_be_is_said(command: Command, words: tuple[str, ...], told: str) -> None:
    said = command("contacts", *words)
    assert said.returncode == 2, said
    assert told in said.stderr
    assert said.stdout == ""


def test_somebody_unknown_is_said(command: Command) -> None:
    said = command("contacts", "tag", "nobody", "vip")
    assert (said.returncode, said.stdout) == (1, "")
    assert "No contact is known by nobody." in said.stderr


def test_each_change_is_told_and_audited(command: Command, home_of_two: Path) -> None:
    told = [
        command("contacts", "tag", ANNA, "regular"),
        command("contacts", "tag", ANNA, "regular"),
        command("contacts", "untag", ANNA, "regular", "never-had"),
        command("contacts", "set", ANNA, "guests", "4"),
        command("contacts", "set", ANNA, "guests", "--unset"),
        command("contacts", "pause", ANNA, "--for", "2h"),
        command("contacts", "resume", ANNA),
    ]
    assert [said.returncode for said in told] == [0] * len(told)
    assert all(said.stdout == "" and "@anna.rosé" in said.stderr for said in told)
    with open_database(home_of_two / "pamosnik.db") as database:
        rows = database.connection.execute(
            "SELECT action, actor FROM audit ORDER BY id DESC LIMIT 6"
        ).fetchall()
        subjects = database.connection.execute(
            "SELECT DISTINCT subject FROM (SELECT subject FROM audit ORDER BY id DESC LIMIT 6)"
        ).fetchall()
        (anna,) = contacts.find(database.connection, accounts.every(database.connection)[0].id, ANNA)
    words = ["tag", "untag", "set", "unset", "pause", "resume"]
    assert rows == [(f"contacts {word}", "command") for word in reversed(words)]
    assert subjects == [(anna,)]


@pytest.fixture
def commenters(home_of_two: Path) -> Iterator[None]:
    """Two of whom there are comments alone; of one Instagram told no id."""
    with open_database(home_of_two / "pamosnik.db") as database:
        conn = database.connection
        (account,) = accounts.every(conn)
        (connection_id,) = conn.execute("SELECT connection_id FROM connections").fetchone()
        for number, (igsid, name) in enumerate(((None, "only.name"), ("900000000000055", "only.comments"))):
            conn.execute(
                "INSERT INTO events (event_id, account_id, connection_id, dedup_key, kind, received_at, igsid,"
                " username, text, verdict) VALUES (?, ?, ?, ?, 'comment', 1, ?, ?, 'nice', 'no_match')",
                (f"01COMMENT{number}", account.id, connection_id, f"c:{number}", igsid, name),
            )
        yield
        conn.execute("DELETE FROM events WHERE event_id GLOB '01COMMENT*'")


def test_who_only_commented_is_found_and_exported_as_on_the_page(
    command: Command, commenters: None, tmp_path: Path
) -> None:
    found = _json(command("contacts", "find", "ONLY", "--json"))
    assert [(one["username"], one["igsid"], one["comments_alone"]) for one in found] == [
        ("only.comments", "900000000000055", True),
        ("only.name", None, True),
    ]
    assert "only.name" in command("contacts", "find", "only").stdout
    assert len(_json(command("contacts", "find", "o", "--limit", "3", "--json"))) == 3
    assert command("contacts", "export", "@only.comments", "-o", str(tmp_path / "a.zip")).returncode == 0
    refused = command("contacts", "export", "@only.name", "-o", str(tmp_path / "b.zip"))
    assert refused.returncode == 1
    assert "Instagram told no id with the comments of @only.name" in refused.stderr
    assert "Try: pamosnik export" in refused.stderr


def test_a_note_is_kept_and_taken_away_by_command(command: Command) -> None:
    kept = _json(command("contacts", "note", "otto", " allergic to nuts ", "--json"))
    assert (kept["note"], kept["changed"]) == ("allergic to nuts", True)
    again = command("contacts", "note", "otto", "allergic to nuts")
    assert "The note about @otto is kept, as it was." in again.stderr
    assert [one["username"] for one in _json(command("contacts", "find", "nuts", "--json"))] == ["otto"]
    for wrong in ((), ("text", "--clear")):
        said = command("contacts", "note", "otto", *wrong)
        assert (said.returncode, "Try: pamosnik contacts note otto" in said.stderr) == (2, True)
    assert command("contacts", "note", "otto", "x" * 2001).returncode == 2
    assert command("contacts", "note", "nobody", "text").returncode == 1
    gone = _json(command("contacts", "note", "otto", "--clear", "--json"))
    assert (gone["note"], gone["changed"]) == (None, True)
    assert _json(command("contacts", "find", "nuts", "--json")) == []
