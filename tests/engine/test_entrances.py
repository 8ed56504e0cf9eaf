"""Opening questions and menu items: which stand at Instagram, and what a tap on them does."""

from datetime import timedelta

from pamosnik.engine import payload
from pamosnik.engine.catalog import Catalog, Posts
from pamosnik.engine.choose import Choice, Nobody, OpenWait, Person, Resume, Start, choose
from pamosnik.engine.decide import decide
from pamosnik.engine.entrances import wanted
from pamosnik.engine.match import Heard
from pamosnik.model.book import Book
from pamosnik.model.decision import Started
from pamosnik.model.entrances import Entrance
from pamosnik.model.event import Event, EventKind
from pamosnik.model.flow import Pause
from tests.engine.shop import NOW, anna, book, catalog, event, facts, run

_FLOWS = """\
flows:
  book: { when: [{ ice_breaker: Book a visit }, { menu: Book }], do: [{ ask: "What is your name?" }] }
  ship: { when: { ice_breaker: "Do you ship?" }, do: [{ send: "Yes" }] }
  paused: { when: { menu: Sale }, state: paused, do: [{ send: "No" }] }
  summer:
    when: { menu: Summer }
    active: { from: 2027-06-01, until: 2027-08-31 }
    do: [{ send: "Yes" }]
  lily: { when: { menu: Lilies }, connections: lily.shop, do: [{ send: "Yes" }] }
  words: { when: { dm: book }, do: [{ send: "Words" }] }
"""


def _taken(known: Catalog, happened: Event, *waits: OpenWait) -> Choice:
    found, _ = choose(
        happened,
        Heard.of(happened.incoming.text),
        known,
        Person(facts(known.book, anna()), first_message=False, waits=waits),
        tap=None,
        posts=Posts(),
        now=NOW,
    )
    return found


def _flow(choice: Choice) -> str:
    assert isinstance(choice, Start | Nobody)
    return choice.flow.id if isinstance(choice, Start) else choice.verdict.value


def _tap(entrance: Entrance, label: str) -> Event:
    return event(EventKind.POSTBACK, label, payload=payload.to_entrance(entrance, label), title=label)


def test_what_flows_show_at_the_moment() -> None:
    known = catalog(_FLOWS)
    shown = wanted(known, "rose.shop", NOW)
    assert shown == {
        Entrance.ICE_BREAKERS: ("Book a visit", "Do you ship?"),
        Entrance.MENU: ("Book",),
    }
    assert wanted(known, "Lily.shop", NOW + timedelta(days=200))[Entrance.MENU] == (
        "Book",
        "Summer",
        "Lilies",
    )
    command_paused = Catalog(known.book, paused={"book": Pause(NOW, "command")})
    assert wanted(command_paused, "rose.shop", NOW)[Entrance.ICE_BREAKERS] == ("Do you ship?",)


def test_the_same_label_of_two_flows_stands_once() -> None:
    again = "  b: { when: { menu: BOOK! }, priority: 1, do: [stop] }\n"
    known = catalog("flows:\n  a: { when: { menu: Book }, do: [stop] }\n" + again)
    assert wanted(known, "rose.shop", NOW)[Entrance.MENU] == ("Book",)


def test_a_tap_starts_its_flow() -> None:
    known = catalog(_FLOWS)
    assert _flow(_taken(known, _tap(Entrance.ICE_BREAKERS, "Do you ship?"))) == "ship"
    assert _flow(_taken(known, _tap(Entrance.MENU, "Book"))) == "book"
    # Registered before the file was changed a little.
    assert _flow(_taken(known, _tap(Entrance.MENU, "book!"))) == "book"


def test_a_menu_item_is_no_opening_question() -> None:
    known = catalog('flows: { a: { when: { menu: "Prices" }, do: [stop] } }\n')
    old = event(EventKind.POSTBACK, "Other", payload=payload.to_entrance(Entrance.ICE_BREAKERS, "Prices"))
    assert _flow(_taken(known, old)) == "no_match"


def test_written_as_a_whole_it_counts_as_tapped() -> None:
    known = catalog(_FLOWS)
    assert _flow(_taken(known, event(text="book a visit"))) == "book"
    assert _flow(_taken(known, event(text="I want to book a visit"))) == "words"
    assert _flow(_taken(known, event(EventKind.POSTBACK, "Do you ship?"))) == "ship"


def test_a_tap_of_what_is_gone_is_a_message_like_any() -> None:
    known = catalog('flows: { rest: { when: anything_else, do: [{ send: "Hm?" }] } }\n')
    assert _flow(_taken(known, _tap(Entrance.MENU, "Sale"))) == "rest"


def _asked(made: Book) -> OpenWait:
    flow = made.flows[0]
    begun = decide(flow, run(flow), Started(), facts(made, anna()), NOW).run
    return OpenWait(begun.id, flow, begun.waits[0])


def test_a_tap_answers_no_question() -> None:
    made = book(_FLOWS)
    choice = _taken(Catalog(made), _tap(Entrance.ICE_BREAKERS, "Do you ship?"), _asked(made))
    assert _flow(choice) == "ship"
    assert _flow(_taken(Catalog(made), event(text="Do you ship?"), _asked(made))) == "ship"
    assert isinstance(_taken(Catalog(made), event(text="Anna"), _asked(made)), Resume)


def test_only_our_own_payloads_are_read() -> None:
    made = payload.to_entrance(Entrance.MENU, "a: b")
    assert payload.from_entrance(made) == (Entrance.MENU, "a: b")
    for other in (None, "", "IB:HOURS", "pamosnik-entrance:other:x", "pamosnik-entrance:persistent_menu:"):
        assert payload.from_entrance(other) is None
