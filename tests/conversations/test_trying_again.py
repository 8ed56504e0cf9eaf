"""An event tried again with the flows of now: once, within Meta's rules, and counted once."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from pamosnik._sqlite import Connection
from pamosnik.services import answering, people, replaying, replying
from pamosnik.services.library import Library
from pamosnik.services.people import By
from pamosnik.services.reading import events as event_reading
from pamosnik.services.replaying import Group, Replayed
from pamosnik.store import accounts, contacts
from pamosnik.store.walls import write_for
from tests.conversations.changing import Changing, changing
from tests.daemon import events
from tests.recount import undeleted

pytestmark = pytest.mark.anyio

ANNA, BEN = "900000000000001", "900000000000002"
BEFORE = """
version: 1
disclosure: false
flows:
  price:
    when: [comment: [price], dm: [price]]
    do: [send: "The prices."]
"""
NOW = BEFORE.replace("[price]", "[price, prcie]")


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Changing]:
    async with changing(tmp_path, BEFORE) as running:
        yield running


def _conn(shop: Changing) -> Connection:
    return shop.shop.reader.connection


def _by(shop: Changing) -> By:
    return By(accounts.every(_conn(shop))[0], "page", shop.shop.clock.now())


def _event(shop: Changing, text: str) -> str:
    """The latest that says this."""
    row = _conn(shop).execute(
        "SELECT event_id FROM events WHERE text=? ORDER BY event_id DESC LIMIT 1", (text,)
    )
    return str(row.fetchone()[0])


async def _again(shop: Changing, text: str, **how: bool | str) -> Replayed:
    by, event_id = _by(shop), _event(shop, text)
    work = write_for(
        by.account.id,
        lambda conn: replaying.replay(conn, Library(), by, event_id, **how),  # type: ignore[arg-type]
    )
    done = await shop.shop.writer.write(work)
    await shop.shop.works()
    return done


def _said(shop: Changing) -> list[str | None]:
    return [one.text for one in shop.shop.fake.sent]


async def test_a_comment_is_answered_once_a_flow_has_its_keyword_and_never_again(shop: Changing) -> None:
    assert await shop.comments(ANNA, "PRCIE") == "no_match"
    nothing = await _again(shop, "PRCIE")
    assert (nothing.tried, nothing.reason) == (False, "No flow has a trigger for it.")
    await shop.applies(NOW)
    would = await _again(shop, "PRCIE", dry_run=True)
    assert (would.tried, would.verdict, would.flow) == (True, "started", "price")
    assert _said(shop) == []
    done = await _again(shop, "PRCIE")
    assert (done.tried, done.flow) == (True, "price")
    assert _said(shop) == ["The prices."]
    event = event_reading.by_id(_conn(shop), _by(shop).account, done.event_id)
    assert (event.verdict, event.run) == ("started", done.run)
    _, checks = event_reading.named(_conn(shop), _by(shop).account, done.event_id)
    assert checks[0] == ["tried again", "with the flows of now", "no flow has a trigger for it"]
    assert (await _again(shop, "PRCIE")).reason == "A flow has taken it."
    assert "one private reply to each comment" in (await _again(shop, "PRCIE", taken_too=True)).reason
    assert _said(shop) == ["The prices."]
    audit = _conn(shop).execute("SELECT subject FROM audit WHERE action='events replay'").fetchall()
    assert audit == [(done.event_id,)]


async def test_numbers_are_those_of_the_rows_before_and_after(shop: Changing) -> None:
    """The day on which it came keeps it, and it is counted as answered there, once."""
    await shop.comments(ANNA, "PRCIE")
    await shop.comments(BEN, "price")
    undeleted.require_equal(_conn(shop), shop.shop.clock.now(), links=False)
    await shop.shop.later(days=2)
    await shop.applies(NOW)
    await _again(shop, "PRCIE", dry_run=True)
    await _again(shop, "PRCIE")
    undeleted.require_equal(_conn(shop), shop.shop.clock.now(), links=False)
    assert (await _again(shop, "price", taken_too=True)).tried is False
    undeleted.require_equal(_conn(shop), shop.shop.clock.now(), links=False)


async def test_metas_times_hold(shop: Changing) -> None:
    await shop.comments(ANNA, "PRCIE")
    await shop.writes(BEN, "prcie")
    await shop.applies(NOW)
    await shop.shop.later(hours=25)
    assert "window closed" in (await _again(shop, "prcie")).reason
    await shop.shop.later(days=7)
    assert "older than 7 days" in (await _again(shop, "PRCIE")).reason
    assert _said(shop) == []


async def test_who_opted_out_or_is_with_a_human_or_was_answered_by_one_is_left_alone(shop: Changing) -> None:
    await shop.writes(ANNA, "prcie")
    await shop.applies(NOW)
    by = _by(shop)
    await shop.shop.writer.write(write_for(by.account.id, lambda conn: people.pause(conn, by, ANNA, "2h")))
    assert "Automation rests" in (await _again(shop, "prcie")).reason
    await shop.shop.later(hours=3)
    assert (await _again(shop, "prcie", dry_run=True)).tried
    at = int(shop.shop.clock.now().timestamp() * 1000)
    await shop.shop.deliver(
        events.talk({**events.echo(ANNA, "from-the-phone", "It costs 12."), "timestamp": at})
    )
    await shop.shop.works()
    await shop.shop.later(hours=13)
    assert "You wrote to them" in (await _again(shop, "prcie")).reason
    assert (await _again(shop, "prcie", dry_run=True, taken_too=True)).tried
    await shop.writes(ANNA, "STOP")
    assert "asked for no more messages" in (await _again(shop, "prcie")).reason


async def test_whom_the_flow_has_reached_since_does_not_get_it_twice(shop: Changing) -> None:
    await shop.writes(ANNA, "prcie")
    await shop.writes(ANNA, "price")
    assert _said(shop) == ["The prices."]
    await shop.applies(NOW)
    assert "price has begun for them since" in (await _again(shop, "prcie")).reason
    assert _said(shop) == ["The prices."]
    assert (
        await _again(shop, "prcie", only_flow="other", taken_too=True)
    ).reason == "price takes it, not other."
    assert (await _again(shop, "prcie", taken_too=True)).tried
    assert _said(shop) == ["The prices.", "The prices."]


QUESTION = """
version: 1
disclosure: false
fields: { who: text }
flows:
  order:
    when: [dm: [order]]
    do:
      - ask: { question: "What is your name?", save_as: who }
      - send: "Thank you."
"""


async def test_what_somebody_said_before_a_question_does_not_answer_it(shop: Changing) -> None:
    await shop.applies(QUESTION)
    assert await shop.writes(ANNA, "hello there") == "no_match"
    await shop.writes(ANNA, "order")
    done = await _again(shop, "hello there", taken_too=True)
    assert (done.tried, done.reason) == (False, "No flow has a trigger for it.")
    assert await shop.writes(ANNA, "Anna") == "resumed"


async def test_what_a_paused_flow_refused_starts_when_it_goes_on(shop: Changing) -> None:
    await shop.applies(BEFORE.replace("price:\n", "price:\n    state: paused\n", 1))
    assert await shop.comments(ANNA, "price") == "filtered"
    assert "the flow is paused in its file" in (await _again(shop, "price")).reason
    await shop.applies(BEFORE)
    assert (await _again(shop, "price")).tried
    assert _said(shop) == ["The prices."]


async def test_a_group_is_the_latest_of_each_person_with_the_same_words(shop: Changing) -> None:
    for who, text in ((ANNA, "PRCIE"), (ANNA, "prcie!"), (BEN, "Prcie"), (BEN, "nice")):
        await shop.comments(who, text)
    account, now = _by(shop).account, shop.shop.clock.now()
    group = Group(kind="comment", words="prcie")
    found = replaying.of_group(_conn(shop), account, group, now - timedelta(days=1))
    assert [one.text for one in found] == ["Prcie", "prcie!"]
    able, more = replaying.candidates(_conn(shop), account, group, now)
    assert [(one.event.text, one.against) for one in able] == [("Prcie", None), ("prcie!", None)]
    assert more == 0


async def test_who_wrote_what_could_not_be_worked_on_can_be_answered(shop: Changing) -> None:
    """A turn that failed twice was undone, the open window included: the owner was told that they had not written."""
    await shop.comments(BEN, "the price")
    at = int(shop.shop.clock.now().timestamp() * 1000)
    await shop.shop.deliver(events.talk({**events.message(ANNA, "price"), "timestamp": at}))
    event_id = _event(shop, "price")
    await shop.shop.writer.write(lambda conn: answering.fail_event(conn, event_id, shop.shop.clock.now()))
    (contact_id,) = contacts.find(_conn(shop), _by(shop).account.id, ANNA)
    contact = contacts.load(_conn(shop), contact_id)
    assert contact is not None
    assert replying.why_no_message(contact, _by(shop).account, shop.shop.clock.now()) is None
    undeleted.require_equal(_conn(shop), shop.shop.clock.now(), links=False)
    assert (await _again(shop, "price")).verdict == "started"
    assert _said(shop) == ["The prices.", "The prices."]
    undeleted.require_equal(_conn(shop), shop.shop.clock.now(), links=False)
