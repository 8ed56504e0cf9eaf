"""Nasty moments for changing the flows: whoever is in one finishes what they began, exactly once."""

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from pamosnik.calls import Answer, Order, Target
from pamosnik.daemon.doers import Outside
from pamosnik.services import pausing
from tests.conversations.changing import Changing, changing, with_restarts

pytestmark = pytest.mark.anyio

PRICE = """
version: 1
disclosure: false
facts: { prices: "https://shop.example/prices" }
flows:
  price:
    when: [{ comment: price }, { dm: price }]
    limits: { per_person: once }
    do:
      - reply_publicly: { one_of: [Sent!, Look inside!, On its way!] }
      - send:
          text: "Hi! Tap."
          buttons:
            - label: Send it
              do:
                - send: "Old: {prices}"
                - wait: { for: 3h, if_window_closed: skip }
                - send: "Old question?"
"""
NEW_PRICE = PRICE.replace("Send it", "Yes please").replace("Old", "New")
BOOK = """
version: 1
disclosure: false
fields: { day: text, guests: number }
flows:
  book:
    when: [dm: book]
    mode: single
    do:
      - ask: { question: "Which day?", save_as: day }
      - ask: { question: "How many?", save_as: guests, choices: ["2", "4"] }
      - send: "Noted: {guests|?} on {day|?}."
"""
OTHER = """
version: 1
disclosure: false
flows:
  hello: { when: [dm: hello], do: [{ send: "Hello!" }] }
"""


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


# --- between a message and its answer --------------------------------------------------------------------


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(NEW_PRICE, id="other texts, another button"),
        pytest.param(
            NEW_PRICE.replace("  price:\n", "  prices:\n    was: price\n"), id="renamed and changed"
        ),
        pytest.param(NEW_PRICE.replace("comment: price }, { dm: price", "dm: nowhere"), id="no keyword"),
    ],
)
async def test_applied_between_the_private_reply_and_the_tap(tmp_path: Path, change: str) -> None:
    async with changing(tmp_path, PRICE) as shop:
        assert await shop.comments("7001", "price") == "started"
        await shop.applies(change)
        assert await shop.taps("7001", "Send it") == "resumed"
        await shop.applies(change.replace("New", "Newer"))
        await shop.passes(hours=4)
        old = ["Hi! Tap.", "Old: https://shop.example/prices", "Old question?"]
        assert shop.got("7001") == old
        assert await shop.taps("7001", "Send it") == "resumed"
        await shop.passes(hours=4)
        assert shop.got("7001") == [*old, *old[1:]]
        assert [status for _, status in shop.runs("7001")] == ["completed"]
        assert await shop.comments("7001", "price") in ("filtered", "no_match")


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(
            BOOK.replace('      - ask: { question: "Which day?", save_as: day }\n', ""), id="removed"
        ),
        pytest.param(BOOK.replace("  book:\n", "  visit:\n    was: book\n"), id="renamed"),
        pytest.param(BOOK.replace('"2", "4"', '"3", "5"').replace("day?", "weekday?"), id="other words"),
        pytest.param(OTHER, id="flow removed"),
    ],
)
async def test_applied_between_a_question_and_its_answer(tmp_path: Path, change: str) -> None:
    async with changing(tmp_path, BOOK) as shop:
        await shop.writes("7001", "book")
        await shop.applies(change)
        assert await shop.writes("7001", "Friday") == "resumed"
        assert await shop.writes("7001", "4") == "resumed"
        assert shop.got("7001") == ["Which day?", "How many?", "Noted: 4 on Friday."]
        assert [status for _, status in shop.runs("7001")] == ["completed"]
        assert shop.fields("7001") == {"day": "Friday", "guests": "4"}


async def test_new_choices_are_for_those_who_begin_then(tmp_path: Path) -> None:
    async with changing(tmp_path, BOOK) as shop:
        await shop.writes("7001", "book")
        await shop.writes("7001", "Friday")
        await shop.applies(BOOK.replace('"2", "4"', '"3", "5"'))
        await shop.writes("7001", "5")
        assert "Noted" not in " ".join(shop.got("7001")), "5 is no choice of the question that was asked"
        await shop.writes("7001", "2")
        assert shop.got("7001")[-1] == "Noted: 2 on Friday."
        await shop.writes("7002", "book")
        await shop.writes("7002", "Friday")
        await shop.writes("7002", "5")
        assert shop.got("7002")[-1] == "Noted: 5 on Friday."


async def test_a_flow_that_went_and_came_back_finds_its_people(tmp_path: Path) -> None:
    async with changing(tmp_path, BOOK) as shop:
        await shop.writes("7001", "book")
        await shop.applies(BOOK + OTHER.partition("flows:\n")[2], prune=True)
        keep_fields = OTHER.replace("flows:", "fields: { day: text, guests: number }\nflows:")
        await shop.applies(keep_fields)
        assert await shop.writes("7002", "book") == "no_match"
        await shop.applies(BOOK.replace("Which", "What"))
        assert await shop.writes("7002", "book") == "started"
        assert await shop.writes("7001", "Friday") == "resumed"
        assert await shop.writes("7002", "Monday") == "resumed"
        assert shop.got("7001") == ["Which day?", "How many?"]
        assert shop.got("7002") == ["What day?", "How many?"]
        assert await shop.writes("7001", "book") == "resumed", "asked again: it is no choice"
        assert shop.runs("7001") == [("book", "waiting")]


LEADS_ON = """
version: 1
disclosure: false
facts: { prices: "https://shop.example/prices" }
flows:
  menu: { when: [dm: menu], do: [{ send: { text: "Menu", buttons: [{ label: Prices, run: price }] } }] }
  later: { when: [dm: later], do: [{ wait: 1h }, { run: price }] }
  price: { when: [dm: price], do: [{ send: "Here: {prices}" }] }
"""


async def test_a_run_leads_into_a_flow_that_was_taken_out(tmp_path: Path) -> None:
    """A tap on "Prices" was answered by nothing, and whoever waited for the price list never got it."""
    async with changing(tmp_path, LEADS_ON) as shop:
        await shop.writes("7001", "menu")
        await shop.writes("7002", "later")
        assert "still come to it" in " ".join(shop.told(OTHER, "price")), "it said that they end there"
        await shop.applies(OTHER)
        assert await shop.writes("7003", "price") == "no_match"
        assert await shop.taps("7001", "Prices") == "resumed"
        await shop.passes(hours=2)
        assert shop.got("7001") == ["Menu", "Here: https://shop.example/prices"]
        assert shop.got("7002") == ["Here: https://shop.example/prices"]
        assert shop.runs("7002") == [("later", "completed"), ("price", "completed")]
        await shop.applies(OTHER)
        assert shop.settings() == {"disclosure": False}


@pytest.mark.parametrize("by_file", [False, True])
async def test_a_run_leads_into_no_flow_that_was_paused_and_taken_out(tmp_path: Path, by_file: bool) -> None:
    """What a file had paused was open again as soon as it was taken out."""
    async with changing(tmp_path, LEADS_ON) as shop:
        await shop.writes("7001", "menu")
        if by_file:
            await shop.applies(LEADS_ON.replace("price: {", "price: { state: paused,"))
        else:
            await shop.changes(lambda conn, account, by: pausing.pause(conn, account, ["price"], by))
        assert "end there, for it is paused" in " ".join(shop.told(OTHER, "price"))
        await shop.applies(OTHER)
        await shop.taps("7001", "Prices")
        assert shop.got("7001") == ["Menu"]


async def test_an_id_that_another_flow_has_got_leads_where_it_led(tmp_path: Path) -> None:
    """Who tapped "Prices" on an old menu was sent what a later flow says that had got the id of the price list."""
    renamed = LEADS_ON.replace("price: {", "prices: { was: price,").replace("run: price", "run: prices")
    reused = renamed.replace("was: price,", "") + "  price: { when: [dm: kilo], do: [{ send: Per kilo }] }\n"
    async with changing(tmp_path, LEADS_ON) as shop:
        await shop.writes("7001", "menu")
        await shop.writes("7002", "later")
        await shop.applies(renamed)
        await shop.applies(reused)
        await shop.taps("7001", "Prices")
        assert shop.got("7001") == ["Menu", "Here: https://shop.example/prices"]
        direct = reused.replace("run: prices", "run: price")
        await shop.applies(direct)
        await shop.writes("7003", "menu")
        await shop.taps("7003", "Prices")
        assert shop.got("7003") == ["Menu", "Per kilo"], "whoever begins now means the flow of now"
        # The price list goes under its second name, and the fact stays for who comes to it by the first.
        assert "People in later whose version" in " ".join(shop.told(OTHER, "prices"))
        await shop.applies(OTHER)
        await shop.passes(hours=2)
        assert shop.got("7002") == ["Here: https://shop.example/prices"]


# --- what a field, the hours, a fact is now ---------------------------------------------------------------


async def test_a_field_becomes_a_number_while_its_text_is_awaited(tmp_path: Path) -> None:
    """The question takes what it took when it was asked; conditions and sums then meet a text where a number is
    meant."""
    asks = """
version: 1
disclosure: false
fields: { size: text }
flows:
  ask:
    when: [dm: ask]
    do:
      - ask: { question: "Which size?", save_as: size }
      - choose:
          - { if: { field: { size: { is: "4" } } }, do: [{ send: "Four." }] }
          - else: [{ send: "Noted: {size|?}." }]
"""
    number = asks.replace("size: text", "size: number").replace(
        "      - choose:", "      - add: { size: 0.5 }\n      - choose:"
    )
    number = number.replace('is: "4"', "more_than: 4")
    async with changing(tmp_path, asks) as shop:
        await shop.writes("7001", "ask")
        await shop.writes("7002", "ask")
        await shop.applies(number)
        await shop.writes("7001", "medium")
        await shop.writes("7002", "4.0")
        assert [shop.got(who)[-1] for who in ("7001", "7002")] == ["Noted: medium.", "Four."]
        await shop.writes("7001", "ask")
        await shop.writes("7001", "medium")
        assert "Four" not in shop.got("7001")[-1], "the new question takes numbers alone"
        await shop.writes("7001", "5")
        assert shop.fields("7001") == {"size": "5.5"}
        assert shop.got("7001")[-1] == "Four."


async def test_a_choice_field_that_becomes_a_date(tmp_path: Path) -> None:
    asks = """
version: 1
disclosure: false
fields: { day: FIELD }
flows:
  ask: { when: [dm: ask], do: [{ ask: { question: "When?", save_as: day } }, { send: "Noted: {day|?}." }] }
"""
    async with changing(tmp_path, asks.replace("FIELD", "{ type: choice, choices: [Soon, Later] }")) as shop:
        await shop.writes("7001", "ask")
        await shop.writes("7002", "ask")
        await shop.applies(asks.replace("FIELD", "date"))
        await shop.taps("7001", "Soon")
        await shop.writes("7002", "later")
        assert (shop.got("7001")[-1], shop.got("7002")[-1]) == ("Noted: Soon.", "Noted: Later.")


# --- limits, posts, codes ---------------------------------------------------------------------------------

PER_POST = """
version: 1
disclosure: false
flows:
  gift:
    when: [comment: { words: gift, post: any }]
    limits: { per_post: once }
    do: [{ reply_publicly: { one_of: [A!, B!, C!] } }, { send: "A gift." }]
"""


async def test_per_post_holds_through_names(tmp_path: Path) -> None:
    async with changing(tmp_path, PER_POST) as shop:
        assert await shop.comments("7001", "gift", post="m1") == "started"
        await shop.applies(PER_POST.replace("  gift:\n", "  gifts:\n    was: gift\n"))
        assert await shop.comments("7001", "gift", post="m1") == "filtered"
        assert await shop.comments("7001", "gift", post="m2") == "started"
        await shop.applies(PER_POST.replace("  gift:\n", "  gift:\n    was: gifts\n"))
        assert await shop.comments("7001", "gift", post="m2") == "filtered"
        assert await shop.comments("7001", "gift", post="m3") == "started"


# --- mode ------------------------------------------------------------------------------------------------


async def test_single_becomes_restart_while_somebody_is_in_it(tmp_path: Path) -> None:
    async with changing(tmp_path, BOOK) as shop:
        await shop.writes("7001", "book")
        await shop.writes("7001", "Friday")
        await shop.applies(BOOK.replace("single", "restart").replace("Which", "What"))
        assert await shop.writes("7001", "book") == "started"
        assert shop.got("7001")[-1] == "What day?"
        assert shop.runs("7001") == [("book", "stopped"), ("book", "waiting")]
        await shop.writes("7001", "Monday")
        await shop.writes("7001", "2")
        assert shop.got("7001")[-1] == "Noted: 2 on Monday."


async def test_parallel_becomes_single_while_somebody_is_in_it_twice(tmp_path: Path) -> None:
    waits = """
version: 1
disclosure: false
flows:
  later:
    when: [dm: later]
    mode: parallel
    do: [{ wait: 2h }, { send: "Now." }]
"""
    async with changing(tmp_path, waits) as shop:
        await shop.writes("7001", "later")
        await shop.writes("7001", "later")
        await shop.applies(waits.replace("parallel", "single"))
        assert await shop.writes("7001", "later") == "filtered"
        await shop.applies(waits.replace("parallel", "restart").replace("Now", "Then"))
        await shop.passes(hours=1)
        assert await shop.writes("7001", "later") == "started"
        await shop.passes(hours=3)
        assert [status for _, status in shop.runs("7001")] == ["stopped", "stopped", "completed"]
        assert shop.got("7001") == ["Then."]


# --- restarts, and nobody there ----------------------------------------------------------------------------


async def test_a_wait_of_three_hours_across_two_applies_and_a_restart(tmp_path: Path) -> None:
    async with with_restarts(tmp_path) as begin:
        async with begin(timedelta(0)) as shop:
            await shop.applies(PRICE)
            await shop.comments("7001", "price")
            await shop.taps("7001", "Send it")
            await shop.applies(NEW_PRICE)
            await shop.passes(hours=1)
        async with begin(timedelta(hours=2)) as shop:
            await _applied_while_down(shop)
        async with begin(timedelta(hours=2, minutes=55)) as shop:
            assert shop.got("7001") == ["Hi! Tap.", "Old: https://shop.example/prices"]
            await shop.passes(minutes=10)
            assert shop.got("7001")[2:] == ["Old question?"]


async def _applied_while_down(shop: Changing) -> None:
    """Of the daemon's parts nothing ran: the command alone had the file."""
    await shop.applies(NEW_PRICE.replace("New", "Newest"))


# --- settings that people under way need -------------------------------------------------------------------

NEEDS = """
version: 1
disclosure: false
fields: { day: text }
facts: { prices: "https://shop.example/prices", host: crm.example }
webhooks: { crm: { url: "https://{host}/in" } }
codes: { spring: { file: spring.csv } }
flows:
  all:
    when: [dm: all]
    do:
      - ask: { question: "Which day?", save_as: day }
      - call: { webhook: crm, send: [day], if_it_fails: [{ send: "It failed." }] }
      - give_code: { from: spring, text: "Code {code}, {prices}, {day|?}.", if_empty: [{ send: "Gone." }] }
"""


async def test_prune_takes_nothing_from_people_under_way(tmp_path: Path) -> None:
    """They were told "Code ROSE, ," and that the codes are gone."""
    (tmp_path / "spring.csv").write_text("ROSE\nLILY\n")
    called = []

    async def answers(target: Target, _order: Order, _now: datetime) -> Answer:
        called.append(target.url)
        return Answer(200, b"{}")

    async with changing(tmp_path, NEEDS, Outside(call=answers)) as shop:
        await shop.writes("7001", "all")
        await shop.applies(OTHER)
        assert shop.notes(OTHER) == [
            f"no file names {what} any more; for now this stays: somebody in `all` is not through yet"
            for what in (
                "the address `crm`",
                "the codes `spring`",
                "the fact `host`",
                "the fact `prices`",
                "the field `day`",
            )
        ]
        assert await shop.writes("7001", "Friday") == "resumed"
        assert called == ["https://crm.example/in"]
        assert shop.got("7001")[-1] == "Code ROSE, https://shop.example/prices, Friday."
        await shop.applies(OTHER)
        assert shop.notes(OTHER) == []
        assert shop.settings() == {"disclosure": False}


async def test_a_name_that_people_under_way_need_means_nothing_else_yet(tmp_path: Path) -> None:
    other = OTHER.replace("flows:", "fields: { prices: text }\nflows:")
    async with changing(tmp_path, PRICE) as shop:
        await shop.comments("7001", "price")
        assert shop.problems(other) == [
            (
                "still-used",
                "`prices` cannot move from facts to fields yet: somebody in `price` is not through yet",
            )
        ]
        await shop.taps("7001", "Send it")
        await shop.passes(hours=4)
        assert shop.problems(other) == []
