"""Who answers an event: a question, one flow, or nobody."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pamosnik.engine.catalog import Catalog, Posts
from pamosnik.engine.choose import Choice, LookUp, Nobody, OpenWait, Person, Resume, Start, Tap, choose
from pamosnik.engine.decide import decide
from pamosnik.engine.match import Heard
from pamosnik.model.contact import Contact
from pamosnik.model.decision import Answered, NotUnderstood, Started, Tapped
from pamosnik.model.event import Event, EventKind, Verdict
from pamosnik.model.flow import Pause
from pamosnik.model.posts import shortcode
from pamosnik.model.run import Run
from tests.engine.shop import NOW, anna, catalog, event, facts, run


def _person(known: Catalog, contact: Contact | None = None) -> Person:
    return Person(facts(known.book, anna() if contact is None else contact), first_message=False)


def _chosen(
    known: Catalog,
    happened: Event,
    person: Person | None = None,
    *,
    tap: Tap | None = None,
    posts: Posts | None = None,
    now: datetime = NOW,
) -> Choice:
    found, _ = choose(
        happened,
        Heard.of(happened.incoming.text),
        known,
        _person(known) if person is None else person,
        tap=tap,
        posts=Posts() if posts is None else posts,
        now=now,
    )
    return found


def _flow(choice: Choice) -> str:
    """The flow that starts, or the verdict."""
    match choice:
        case Start():
            return choice.flow.id
        case Nobody():
            return choice.verdict.value
        case Resume():
            return f"run {choice.run_id}"
        case LookUp():
            return f"looks up for {choice.flow.id}"


def _shop(**flows: str) -> Catalog:
    return catalog("flows:\n" + "".join(f"  {name}: {{ {keys} }}\n" for name, keys in flows.items()))


_SAY = "do: [{ send: Hi }]"

# --- which flow ------------------------------------------------------------------------------------------

_EVERY_KIND = {
    "named_words": "when: { comment: { words: price, post: 'https://instagram.com/p/Abc_1/' } }, limits: once",
    "words": "when: [{ comment: { words: [price] } }, { dm: price }], limits: once",
    "named": "when: { comment: { post: 'https://instagram.com/p/Abc_1/' } }, limits: once",
    "first": "when: first_message",
    "any_dm": "when: { dm: {} }",
    "mention": "when: story_mention",
    "reply": "when: { story_reply: {} }",
    "story": "when: { story_reply: { story: '42' } }",
    "rest": "when: anything_else",
}


def _every_kind() -> Catalog:
    return _shop(**{name: f"{keys}, {_SAY}" for name, keys in _EVERY_KIND.items()})


@pytest.mark.parametrize(
    ("happened", "expected"),
    [
        (event(EventKind.COMMENT, "price", comment_id="1", media_id="9"), "named_words"),
        (event(EventKind.COMMENT, "nice", comment_id="1", media_id="9"), "named"),
        (event(text="PRICE?"), "words"),
        (event(text="hello"), "any_dm"),
        (event(EventKind.POSTBACK, "price"), "words"),
        (event(EventKind.STORY_MENTION), "mention"),
        (event(EventKind.STORY_REPLY, "wow", story_id="1"), "reply"),
        (event(EventKind.STORY_REPLY, "wow", story_id="42"), "story"),
        (event(EventKind.SHARED_POST), "rest"),
        (event(EventKind.REACTION, "❤️", emoji="❤️"), "noted"),
        (event(EventKind.REFERRAL, ref="flyer7"), "no_match"),
        (event(EventKind.SEEN), "no_match"),
        (event(EventKind.LIVE_COMMENT, "price", comment_id="1"), "no_match"),
    ],
)
def test_the_more_specific_trigger_wins(happened: Event, expected: str) -> None:
    assert _flow(_chosen(_every_kind(), happened, posts=Posts(shortcode="Abc_1"))) == expected


def test_a_comment_on_another_post() -> None:
    happened = event(EventKind.COMMENT, "price", comment_id="1", media_id="8")
    assert _flow(_chosen(_every_kind(), happened, posts=Posts(shortcode="Other"))) == "words"


def test_a_first_message_goes_before_any_and_after_words() -> None:
    known = _every_kind()
    person = replace(_person(known), first_message=True)
    assert _flow(_chosen(known, event(text="hello"), person)) == "first"
    assert _flow(_chosen(known, event(text="price"), person)) == "words"


def test_priority_goes_before_specificity_and_file_order_comes_last() -> None:
    known = _shop(
        words=f"when: {{ dm: price }}, {_SAY}",
        other=f"when: {{ dm: list }}, {_SAY}",
        high=f"when: {{ dm: {{}} }}, priority: 1, {_SAY}",
    )
    assert _flow(_chosen(known, event(text="price list"))) == "high"
    known = _shop(words=f"when: {{ dm: price }}, {_SAY}", other=f"when: {{ dm: list }}, {_SAY}")
    assert _flow(_chosen(known, event(text="list price"))) == "words"


def test_replies_to_comments_count_when_it_is_said() -> None:
    answer = event(EventKind.COMMENT, "price", comment_id="2", parent_id="1")
    for more, expected in (("", "no_match"), (", replies: true", "a")):
        known = _shop(a=f"when: {{ comment: {{ words: price{more} }} }}, limits: once, {_SAY}")
        assert _flow(_chosen(known, answer)) == expected


def test_but_not_keeps_a_flow_away() -> None:
    known = _shop(a=f"when: {{ dm: {{ words: price, but_not: refund }} }}, {_SAY}")
    assert _flow(_chosen(known, event(text="price"))) == "a"
    assert _flow(_chosen(known, event(text="price after refund"))) == "no_match"


@pytest.mark.parametrize(
    ("posts", "media", "expected"),
    [
        ("next", "9", "a"),
        ("next", "8", "no_match"),
        ("'9'", "9", "a"),
        ("['https://www.instagram.com/reel/Xyz/?x=1', '7']", "5", "a"),
        ("['https://www.instagram.com/reel/Xyz/?x=1', '7']", "7", "a"),
        ("'https://www.instagram.com/reel/Other/'", "5", "no_match"),
    ],
)
def test_posts(posts: str, media: str, expected: str) -> None:
    known = _shop(a=f"when: {{ comment: {{ words: price, post: {posts} }} }}, limits: once, {_SAY}")
    happened = event(EventKind.COMMENT, "price", comment_id="1", media_id=media)
    code = "Xyz" if media == "5" else None
    assert _flow(_chosen(known, happened, posts=Posts(code, {"a": "9"}))) == expected


@pytest.mark.parametrize(
    ("link", "code"),
    [
        ("https://www.instagram.com/p/Abc-1_x/", "Abc-1_x"),
        ("https://instagram.com/rose.shop/reel/Abc/?igsh=1", "Abc"),
        ("https://instagram.com/tv/Abc", "Abc"),
        ("17900000000000042", None),
        ("https://instagram.com/rose.shop", None),
    ],
)
def test_the_part_of_a_link_that_names_the_post(link: str, code: str | None) -> None:
    assert shortcode(link) == code


# --- who steps aside -------------------------------------------------------------------------------------

_BUSY: Mapping[str, str] = {
    "only_if: { has_tag: vip }": "only_if: has_tag: vip is not true",
    "limits: { per_person: once }": "limits: per_person once, and this person had it",
    "limits: { per_person: 24h }": "limits: per_person, again after 2026-12-03 10:00 (Europe/Warsaw)",
    "limits: { per_post: once }": "limits: per_post once, and this person had it for this post",
    "mode: single": "mode single: this person is already in it",
    "state: paused": "the flow is paused in its file (`state: paused`)",
    "active: { from: '2026-12-05 08:00', zone: UTC }": "active only from 2026-12-05 09:00 (Europe/Warsaw)",
    "active: { until: '2026-12-01', zone: UTC }": "active only until 2026-12-02 01:00 (Europe/Warsaw)",
    "only_if: first_time": "only_if: first_time is not true",
    "only_if: { came_from: comment }": "only_if: came_from: comment is not true",
}


@pytest.mark.parametrize(("keys", "reason"), list(_BUSY.items()))
def test_a_flow_that_may_not_steps_aside(keys: str, reason: str) -> None:
    known = _shop(a=f"when: {{ dm: price }}, {keys}, {_SAY}", b=f"when: {{ dm: {{}} }}, {_SAY}")
    person = replace(
        _person(known),
        starts={"a": {"": NOW - timedelta(hours=2)}},
        live={"a": ["r0"]} if "mode" in keys else {},
    )
    assert _flow(_chosen(known, event(text="price"), person)) == "b"
    alone = _shop(a=f"when: {{ dm: price }}, {keys}, {_SAY}")
    assert _chosen(alone, event(text="price"), person) == Nobody(Verdict.FILTERED, reason, "a")


def test_active_counts_in_the_zone_of_the_files() -> None:
    known = _shop(a=f"when: {{ dm: price }}, active: {{ from: '2026-12-02', until: '2026-12-02' }}, {_SAY}")
    midnight = datetime(2026, 12, 1, 23, tzinfo=NOW.tzinfo)
    day = timedelta(days=1)
    moments = (
        midnight - timedelta(seconds=1),
        midnight,
        midnight + day - timedelta(seconds=1),
        midnight + day,
    )
    found = [_flow(_chosen(known, event(text="price"), now=moment)) for moment in moments]
    assert found == ["filtered", "a", "a", "filtered"]


def test_limits_that_are_over_do_not_count() -> None:
    known = _shop(a=f"when: {{ dm: price }}, limits: {{ per_person: 24h }}, {_SAY}")
    person = replace(_person(known), starts={"a": {"": NOW - timedelta(hours=24)}})
    assert _flow(_chosen(known, event(text="price"), person)) == "a"


@pytest.mark.parametrize("mode", ["restart", "parallel"])
def test_other_modes_start_again(mode: str) -> None:
    known = _shop(a=f"when: {{ dm: price }}, mode: {mode}, {_SAY}")
    assert _flow(_chosen(known, event(text="price"), replace(_person(known), live={"a": ["r0"]}))) == "a"


def test_flows_of_other_connections_are_not_asked() -> None:
    known = _shop(
        a=f"when: {{ dm: price }}, connections: tulip.shop, {_SAY}",
        b=f"when: {{ dm: price }}, connections: Rose.Shop, {_SAY}",
    )
    assert _flow(_chosen(known, event(text="price"))) == "b"


# --- questions -------------------------------------------------------------------------------------------

_ASKING = """\
fields: {{ guests: number }}
flows:
  book:
    when: {{ dm: book }}
    do: [{{ ask: {ask} }}]
  prices:
    when: {{ dm: [price] }}
    do: [{{ send: Hi }}]
  rest:
    when: anything_else
    do: [{{ send: Hm }}]
"""


def _asking(ask: str) -> tuple[Catalog, Run, Person]:
    """Somebody who was asked this question."""
    known = catalog(_ASKING.format(ask=ask))
    flow = known.flows["book"]
    waiting = decide(flow, run(flow), Started(), facts(known.book, anna()), NOW).run
    waits = tuple(OpenWait(waiting.id, flow, wait) for wait in waiting.waits)
    return known, waiting, replace(_person(known), waits=waits, live={"book": [waiting.id]})


@pytest.mark.parametrize(
    ("ask", "text", "value"),
    [
        ("{ question: Who?, accept: text }", "Anna", "Anna"),
        ("{ question: Who?, accept: text }", "what is the price", "what is the price"),
        ("{ question: How many?, save_as: guests }", "we are 4", "4"),
        ("{ question: When?, accept: date }", "tomorrow", "2026-12-03"),
        ("{ question: Which?, choices: [Red, Blue] }", "blue!", "Blue"),
        ("{ question: Which?, choices: [Red, Blue] }", "2", "Blue"),
        ("{ question: Which?, accept: text, choices: [Red, Blue] }", "green", "green"),
    ],
)
def test_a_fitting_answer_goes_to_the_question(ask: str, text: str, value: str) -> None:
    known, waiting, person = _asking(ask)
    choice = _chosen(known, event(text=text), person)
    assert isinstance(choice, Resume)
    assert choice.run_id == waiting.id
    assert isinstance(choice.stimulus, Answered)
    assert choice.stimulus.value == value


def test_a_chip_to_skip_has_no_value() -> None:
    known, _, person = _asking("{ question: When?, accept: date, optional: true }")
    choice = _chosen(known, event(text="skip"), person)
    assert isinstance(choice, Resume)
    assert isinstance(choice.stimulus, Answered)
    assert (choice.stimulus.value, choice.stimulus.option) == (None, None)


def test_another_flows_exact_keyword_is_no_free_answer() -> None:
    known, _, person = _asking("{ question: Who?, accept: text }")
    assert _flow(_chosen(known, event(text="Price!"), person)) == "prices"
    assert _flow(_chosen(known, event(text="book"), person)) == "run r1"


def test_a_free_answer_is_kept_when_that_flow_steps_aside() -> None:
    known, _, person = _asking("{ question: Who?, accept: text }")
    paused = Catalog(known.book, paused={"prices": Pause(NOW, "command")})
    choice = _chosen(paused, event(text="price"), person)
    assert isinstance(choice, Resume)
    assert isinstance(choice.stimulus, Answered)


def test_what_does_not_fit_is_offered_to_the_flows_and_then_to_the_question() -> None:
    known, waiting, person = _asking("{ question: When?, accept: date }")
    assert _flow(_chosen(known, event(text="what is the price"), person)) == "prices"
    choice = _chosen(known, event(text="hm"), person)
    assert isinstance(choice, Resume)
    assert choice.stimulus == NotUnderstood(waiting.waits[0].id, event(text="hm"))


def test_a_mention_in_a_story_is_no_wrong_answer() -> None:
    known, _, person = _asking("{ question: When?, accept: date }")
    assert _flow(_chosen(known, event(EventKind.STORY_MENTION), person)) == "no_match"


def test_a_comment_answers_no_question() -> None:
    known, _, person = _asking("{ question: Who?, accept: text }")
    happened = event(EventKind.COMMENT, "Anna", comment_id="1")
    assert _flow(_chosen(known, happened, person)) == "no_match"


def test_the_latest_question_is_asked_first() -> None:
    known, waiting, person = _asking("{ question: How many?, save_as: guests }")
    later = OpenWait("r2", person.waits[0].flow, replace(waiting.waits[0], id="w2"))
    both = replace(person, waits=(later, *person.waits))
    assert _flow(_chosen(known, event(text="4"), both)) == "run r2"


# --- taps ------------------------------------------------------------------------------------------------

_TAPS = """\
flows:
  shop:
    when: { dm: price }
    do:
      - send:
          text: Hi
          buttons: [{ label: Tell me more, do: [{ wait: 1h }, { send: Here }] }]
          chips: [Thanks]
"""


def _tapping() -> tuple[Catalog, Run, Person]:
    known = catalog(_TAPS)
    flow = known.flows["shop"]
    waiting = decide(flow, run(flow), Started(), facts(known.book, anna()), NOW).run
    waits = tuple(OpenWait(waiting.id, flow, wait) for wait in waiting.waits)
    return known, waiting, replace(_person(known), waits=waits)


def _tap(known: Catalog, waiting: Run, path: str) -> Tap:
    flow = known.flows["shop"]
    return Tap(waiting, flow, flow.options[path])


def test_a_tap_goes_to_its_button() -> None:
    known, waiting, person = _tapping()
    happened = event(EventKind.POSTBACK, "Tell me more")
    choice = _chosen(known, happened, person, tap=_tap(known, waiting, "do.0.buttons.0"))
    assert choice == Resume("r1", Tapped("do.0.buttons.0", happened))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("tell me more", "run r1"),
        ("Tell me mroe!", "run r1"),
        ("1", "run r1"),
        ("please tell me more", "no_match"),
    ],
)
def test_a_typed_label_is_a_tap(text: str, expected: str) -> None:
    known, _, person = _tapping()
    assert _flow(_chosen(known, event(text=text), person)) == expected


_MIXED = """\
flows:
  shop:
    when: { dm: price }
    do:
      - send:
          text: Hi
          buttons: [{ label: Our site, url: "https://shop.example" }, { label: Tell me more, do: [{ send: Here }] }]
          chips: [Thanks, { label: Thinks, do: [{ send: So }] }]
"""


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1", None),
        ("2", "do.0.buttons.1"),
        ("3", None),
        ("4", "do.0.chips.1"),
        ("5", None),
        ("Thanks", None),
        ("thinks", "do.0.chips.1"),
    ],
)
def test_a_number_and_a_label_count_what_does_nothing_too(text: str, expected: str | None) -> None:
    known = catalog(_MIXED)
    flow = known.flows["shop"]
    waiting = decide(flow, run(flow), Started(), facts(known.book, anna()), NOW).run
    waits = tuple(OpenWait(waiting.id, flow, wait) for wait in waiting.waits)
    happened = event(text=text)
    choice = _chosen(known, happened, replace(_person(known), waits=waits))
    assert choice == Resume("r1", Tapped(expected, happened)) if expected else _flow(choice) == "no_match"


def test_a_tap_while_its_steps_are_under_way() -> None:
    known, waiting, person = _tapping()
    flow = known.flows["shop"]
    tapped = Tapped("do.0.buttons.0", event())
    busy = decide(flow, waiting, tapped, facts(known.book, anna()), NOW).run
    choice = _chosen(known, event(EventKind.POSTBACK, "x"), person, tap=_tap(known, busy, "do.0.buttons.0"))
    assert _flow(choice) == "filtered"


def test_a_chip_that_does_nothing_says_its_label() -> None:
    known, waiting, person = _tapping()
    tap = _tap(known, waiting, "do.0.chips.0")
    assert _flow(_chosen(known, event(text="Thanks"), person, tap=tap)) == "no_match"


def test_a_tapped_choice_answers_its_question() -> None:
    known, waiting, person = _asking("{ question: Which?, choices: [Red, Blue] }")
    flow = known.flows["book"]
    tap = Tap(waiting, flow, flow.options["do.0.choices.1"])
    choice = _chosen(known, event(text="Blue"), person, tap=tap)
    assert isinstance(choice, Resume)
    assert isinstance(choice.stimulus, Answered)
    assert (choice.stimulus.value, choice.stimulus.option) == ("Blue", "do.0.choices.1")


# --- anything --------------------------------------------------------------------------------------------


@settings(deadline=None)
@given(st.sampled_from(EventKind), st.none() | st.text(max_size=30), st.booleans(), st.booleans())
def test_every_event_has_one_answer_and_always_the_same(
    kind: EventKind, text: str | None, first: bool, asked: bool
) -> None:
    known, _, person = _asking("{ question: When?, accept: date }") if asked else _tapping()
    happened, who = event(kind, text), replace(person, first_message=first)
    choice = _chosen(known, happened, who)
    assert choice == _chosen(known, happened, who)
    if isinstance(choice, Nobody):
        silent = Verdict.NOTED if kind is EventKind.REACTION else Verdict.NO_MATCH
        assert choice.verdict in (silent, Verdict.FILTERED)
        assert choice.reason
