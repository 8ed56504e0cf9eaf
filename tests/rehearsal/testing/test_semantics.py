"""What `flows test` says of small conversations: which pass, and at which line the others fail."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pamosnik.flows.load import load
from pamosnik.flows.written_tests import of_files
from pamosnik.rehearsal.play import Play
from pamosnik.rehearsal.testing.player import play_all, play_one
from pamosnik.rehearsal.testing.result import Result
from pamosnik.rehearsal.testing.transcript import transcript

SHOP = (Path(__file__).parent / "shop.yaml").read_text("utf-8")
BEFORE = SHOP.count("\n") + 2
"""Lines before the first step of a conversation."""


@pytest.fixture(scope="module")
def shop() -> Iterator[Play]:
    with Play([("shop.yaml", SHOP)]) as play:
        yield play


def played(play: Play, steps: str, *more: str) -> Result:
    """A test with these steps; `more` are lines of the test beside `steps`."""
    lines = [*(f"      {line}" for line in steps.strip().split("\n")), *(f"    {line}" for line in more)]
    found = load([("shop.yaml", "\n".join([f"{SHOP}tests:", "  - steps:", *lines, ""]))])
    assert not found.has_errors, found.problems
    [test] = of_files(found)
    return play_one(play, test)


PASS = [
    # messages, the public reply that comes later by itself, taps, tags, waits
    """
- comment: Price please
- expect: { dm: "*Tap and the list is yours*", public_reply: any }
- tap: Send it to me
- expect: { dm: "*https://*", tag: got-prices, no_tag: buyer }
- expect: { nothing: true, waiting: true, completed: false }
- pass: 2h59m59s
- expect: { nothing: true }
- pass: 1s
- expect: { dm: Any question?, completed: true, waiting: false }
""",
    # the first message with the line of disclosure, without it, and the line alone
    '- dm: price\n- expect: { dm: "Hi anna!\\nTap and the list is yours." }',
    '- dm: price\n- expect: { dm: "Automated reply.\\nHi anna!\\nTap and the list is yours." }',
    '- dm: price\n- expect: { dm: "Automated reply.*" }',
    "- dm: price\n- expect:\n    dm: |\n      Hi anna!\n      Tap and the list is yours.",
    # the earliest that fits is taken, in whatever order, each once
    """
- dm: book
- dm: 24.12.
- expect: { field: { day: "2026-12-24" } }
- tap: "2"
- expect: { dm: See* }
- expect: { dm: Noted. }
- expect: { nothing: true, field: { guests: "2", day: 2026-* } }
""",
    "- dm: book\n- dm: 24.12.\n- dm: 2\n- expect: { dm: any }\n- expect: { dm: any }\n- expect: { nothing: true }",
    # an opening question, a menu item
    '- tap: Book a visit\n- expect: { dm: "*For which day?" }',
    '- dm: hello\n- tap: Booking\n- expect: { dm: "*For which day?", waiting: true }',
    # a question that nobody answers, or not as it should be
    "- dm: book\n- pass: 1h59m\n- expect: { nothing: true }\n- pass: 1m\n- expect: { dm: Too late. }",
    """
- dm: book
- dm: hm
- expect: { dm: "A day, please.", waiting: true }
- dm: hm
- expect: { dm: Never mind., completed: false, waiting: false }
""",
    # a human
    """
- dm: book
- dm: tomorrow
- tap: "6"
- expect: { dm: I answer myself., handed_over: true, completed: true }
- dm: book
- expect: { nothing: true }
- pass: 12h
- expect: { handed_over: false }
""",
    "- dm: human\n- expect: { handed_over: true, dm: any }",
    "- owner_replies: Hi, Rosa here.\n- dm: price\n- expect: { nothing: true, handed_over: false }",
    # who follows
    '- dm: gate\n- expect: { dm: "*Follow first." }',
    """
- person: { follows: false, name: Ola Nowak }
- dm: gate
- expect: { dm: "*Follow first." }
- person: { follows: true }
- pass: 10s
- tap: Done
- expect: { dm: "Thanks for following, Ola." }
""",
    '- person: { follows: unknown }\n- dm: gate\n- expect: { dm: "*Who knows." }',
    # what is told of somebody is true from there on, not only seconds after Instagram was asked last
    """
- dm: gate
- expect: { dm: "*Follow first." }
- person: { follows: true, name: Ola Nowak }
- tap: Done
- expect: { dm: "Thanks for following, Ola." }
- person: { follows: unknown }
- tap: Done
- expect: { dm: Who knows. }
- person: { follows: true, name: Zoe }
- tap: Done
- expect: { dm: "Thanks for following, Zoe." }
""",
    '- person: { follows: true }\n- dm: gate\n- expect: { dm: "*Thanks for following, friend." }',
    # codes are made up
    """
- dm: code
- expect: { dm: "*Yours: summer-001", code: any }
- dm: code
- expect: { code: summer-* }
- expect: { nothing: false }
- dm: code
- expect: { code: true }
""",
    # services
    "- dm: crm\n- expect: { dm: '*Welcome.', called: crm }",
    """
- webhook_says: { status: 200, json: { customer: { vip: gold } } }
- dm: crm
- expect: { dm: "*Gold.", called: [crm], field: { vip: gold } }
""",
    # a repetition gets the same answer, and is no further call
    """
- webhook_says: { status: 500 }
- dm: crm
- expect: { called: crm, dm: "*Down." }
""",
    # Instagram refuses
    "- meta_says: { error: 10/2534022 }\n- dm: gate\n- expect: { nothing: true, completed: false }",
    # a refusal that passes, a limit that is reached, an answer that never comes
    "- meta_says: { error: 2 }\n- dm: gate\n- expect: { dm: any }\n- expect: { nothing: true }",
    "- meta_says: { error: 613 }\n- dm: gate\n- expect: { dm: any }\n- expect: { nothing: true }",
    # the public reply announces the private one: when that is refused, there is none
    "- meta_says: { error: 100/2534025 }\n- comment: price\n- expect: { nothing: true, completed: false }",
    # it takes no buttons with a private reply: the text names them
    """
- meta_says: { error: 100 }
- comment: price
- expect: { dm: "*Reply: Send it to me*" }
- dm: Send it to me
- expect: { dm: "Here you are*" }
""",
    # the sign of typing is no message that could be refused
    "- meta_says: { error: 551 }\n- dm: price\n- expect: { nothing: true }",
    # what is no text
    """
- dm: picture
- expect: { dm: "*hat.jpg*" }
- expect: { dm: "*Hat – 20 €" }
- expect: { dm: any }
- expect: { nothing: true }
- tap: Buy
- expect: { tag: buyer }
""",
    "- dm: photo\n- dm: { image: 'https://pics.example/me.jpg' }\n- expect: { dm: Nice., completed: true }",
    # other ways to begin
    '- story_mention\n- expect: { dm: "*Thank you!" }',
    '- story_reply: love it\n- expect: { dm: "*Thank you!" }',
    '- story_reply: { text: love, story: "17900000000000001" }\n- expect: { dm: "*That one!" }',
    '- shared_post\n- expect: { dm: "*You like it?" }',
    '- live_comment: price\n- expect: { dm: "*Live!", no_tag: [a, b] }',
    '- dm: hello\n- expect: { nothing: true }\n- dm: price\n- react: ❤️\n- expect: { dm: "*We love*" }',
    '- follow_link: summer\n- expect: { dm: "*Came by the link." }',
    '- follow_link: summer\n- dm: hello\n- expect: { dm: "*Came by the link." }',
    # posts by their link, also one that no flow names
    """
- comment: { text: winter, post: "https://www.instagram.com/p/WINTER01/" }
- expect: { dm: "*It is cold." }
- comment: { text: winter, post: "https://www.instagram.com/p/SUMMER01/" }
- expect: { nothing: true }
""",
    # links
    "- dm: price\n- click: shop\n- expect: { nothing: true }\n- click: 'https://shop.example/'",
    # in a broadcast, too: they were not tracked there
    """
- dm: hello
- pass: 21h
- expect: { dm: "News: https://shop.example/news" }
- click: https://shop.example/news
""",
    # another person, and what is known of them
    """
- comment: price
- expect: { public_reply: any }
- person: { username: ben, tags: [buyer], fields: { day: 24.12.2026 } }
- expect: { tag: buyer, field: { day: "2026-12-24" }, waiting: false, completed: false }
- comment: price
- expect: { dm: "*Hi ben!*" }
""",
    "- dm: STOP\n- expect: { dm: any }\n- dm: price\n- expect: { nothing: true }",
    "- expect: { nothing: true, completed: false }",
]


@pytest.mark.parametrize("steps", PASS)
def test_what_is_so_passes(shop: Play, steps: str) -> None:
    assert played(shop, steps).failures == ()


FAIL = [
    # (steps, lines that fail, what is said)
    ("- dm: price\n- expect: { dm: hello }", [2], "Hi anna!"),
    ("- dm: price\n- expect: { dm: Tap and the list is yours. }", [2], "says more than that"),
    ("- dm: price\n- expect: { dm: 'hi anna!*' }", [2], "capital letters"),
    ("- dm: price\n- expect: { dm: any }\n- expect: { dm: any }", [3], "no further message"),
    ("- dm: price\n- expect: { nothing: true }", [2], "a message “Automated reply."),
    (
        "- dm: price\n- expect: { dm: 'Hi*' }\n- dm: hello\n- expect: { dm: 'Hi*' }",
        [4],
        "before the last step",
    ),
    ("- dm: nonsense\n- expect: { dm: any }", [2], "no message"),
    ("- dm: nonsense\n- expect: { nothing: false }", [2], "neither"),
    ("- dm: price\n- expect: { public_reply: any }", [2], "no public reply"),
    ("- comment: price\n- expect: { dm: 'Sent!' , public_reply: x }", [2, 2], "public reply"),
    ("- dm: price\n- expect: { tag: got-prices }", [2], "no tags"),
    ("- dm: price\n- tap: Send it to me\n- expect: { no_tag: got-prices }", [3], "the tags got-prices"),
    (
        "- dm: book\n- dm: 24.12.\n- expect:\n    dm: any\n    field: { day: 2026-12-25 }\n    tag: x",
        [5, 6],
        "2026-12-24",
    ),
    ("- dm: book\n- expect: { field: { day: any } }", [2], "day has no value"),
    ("- dm: book\n- expect: { completed: true }", [2], "their run in booking is waiting at do.0"),
    ("- dm: code\n- expect: { completed: false }", [2], "their run in code is completed"),
    ("- dm: code\n- expect: { waiting: true }", [2], "their run in code is completed"),
    ("- dm: book\n- expect: { waiting: false }", [2], "waiting"),
    ("- expect: { completed: true }", [1], "they are in no run"),
    ("- dm: book\n- expect: { handed_over: true }", [2], "no human has taken over"),
    ("- dm: human\n- expect: { handed_over: false }", [2], "a human has taken over"),
    ("- dm: price\n- expect: { code: any }", [2], "no code"),
    ("- dm: code\n- expect: { code: winter-* }", [2], "summer-001"),
    ("- dm: price\n- expect: { called: crm }", [2], "no webhook was called"),
    ("- webhook_says: { status: 500 }\n- dm: crm\n- expect: { called: [crm, crm] }", [3], "called: crm"),
    ("- dm: price\n- tap: Send it to me\n- pass: 2h\n- expect: { dm: any }", [4], "- pass: 1h"),
    ("- comment: winter\n- expect: { dm: any }", [2], "no message"),
    ("- dm: price\n- expect: nothing", [2], "expect: { nothing: true }"),
    # what cannot be done
    ("- dm: price\n- tap: Send it to you\n- expect: { dm: any }", [2], "Did you mean “Send it to me”?"),
    ("- tap: Send it to me", [1], "Book a visit · Booking"),
    ("- dm: price\n- click: elsewhere", [2], "https://shop.example/"),
    ("- react: ❤️", [1], "no message to react to"),
    ("- comment: { text: price, post: winter }", [1], "names no post"),
    ("- live_comment: { text: price, post: '17900000000000002' }", [1], "stands under the broadcast"),
    ("- person: { fields: { day: someday } }", [1], "the field day is a date"),
    ("- person: { username: Not A Name }", [1], "is no username"),
    ("- pass: 90000d", [1], "too far away"),
]


@pytest.mark.parametrize(("steps", "lines", "said"), FAIL)
def test_what_is_not_so_fails_at_its_line(shop: Play, steps: str, lines: list[int], said: str) -> None:
    found = played(shop, steps).failures
    assert [failure.place.line - BEFORE for failure in found] == lines
    told = [part for one in found for part in (one.expected, one.got, one.hint) if part is not None]
    assert said in "\n".join(told)


def test_it_plays_when_it_says_on_the_clock_of_the_files(shop: Play) -> None:
    result = played(shop, "- dm: price\n- expect: { nothing: true }", 'at: "2027-02-03 23:30"')
    assert f"{result.happened[0].at:%Y-%m-%d %H:%M}" == "2027-02-03 22:30"
    [early] = played(shop, "- dm: price", 'at: "1999-01-01 10:00"').failures
    assert (early.place.line - BEFORE, early.got) == (2, "Nothing can be played at 1999-01-01 10:00.")


def test_the_person_stands_before_the_steps(shop: Play) -> None:
    steps = '- dm: price\n- expect: { dm: "*Hi ola!*", tag: [buyer], field: { guests: "3" } }'
    result = played(shop, steps, "person: { username: ola, tags: buyer, fields: { guests: 3 } }")
    assert result.failures == ()


def test_which_way_of_a_split_somebody_goes_depends_on_who_they_are(shop: Play) -> None:
    ways = {
        str(
            played(shop, "- dm: try\n- expect: { dm: nothing }", f"person: {{ username: {who} }}")
            .failures[0]
            .got
        )
        for who in ("anna", "ben", "cleo", "dan", "eve")
    }
    assert len(ways) == 2


def test_played_twice_it_is_the_same_twice(shop: Play) -> None:
    steps = "- comment: price\n- tap: Send it to me\n- pass: 3h\n- expect: { dm: nothing }"
    first, second = (transcript(played(shop, steps), shop.timezone) for _ in range(2))
    assert first == second
    assert len(first) > 10


CHAIN = "".join(f"  f{n}: {{ do: [{{ tag: t{n} }}, {{ run: f{n + 1} }}] }}\n" for n in range(1, 30))


def test_a_fault_of_ours_is_a_failure_with_its_reason(capsys: pytest.CaptureFixture[str]) -> None:
    """More flows in a row than a turn goes through: the turn raises. The tests after it are played."""
    text = f"""\
version: 1
flows:
  f0: {{ when: [dm: go], do: [{{ run: f1 }}] }}
{CHAIN}  f30: {{ do: [{{ send: End. }}] }}
tests:
  - steps: [{{ dm: hello }}, {{ dm: go }}, {{ expect: {{ dm: any }} }}]
  - steps: [{{ dm: hello }}, {{ expect: {{ nothing: true }} }}]
"""
    loaded = load([("a.yaml", text)])
    assert not loaded.has_errors, loaded.problems
    with Play((), loaded=loaded) as play:
        bad, good = play_all(play, of_files(loaded))
    [failure] = bad.failures
    assert (failure.place.line, failure.what) == (text.count("\n") - 1, "dm")
    assert "EndlessRunsError" in failure.got
    assert good.passed
    assert capsys.readouterr() == ("", "")


def test_a_flow_that_is_about_one_post_is_tried_there() -> None:
    """In its own tests a comment without `post` stands under the post that the flow names."""
    text = """\
version: 1
flows:
  winter:
    when:
      - comment: { words: [winter], post: ["https://www.instagram.com/p/WINTER01/", "17900000000000009"] }
      - story_reply: { words: [cold], story: "17900000000000001" }
      - shared_post: { post: "https://www.instagram.com/p/WINTER01/" }
    limits: { per_person: 1h }
    do: [{ send: "It is cold." }]
    tests:
      - steps: [{ comment: winter }, { expect: { dm: any } }]
      - steps: [{ story_reply: cold }, { expect: { dm: any } }]
      - steps: [{ shared_post: { post: "https://www.instagram.com/p/WINTER01/" } }, { expect: { dm: any } }]
      - steps: [{ shared_post }, { expect: { dm: any } }]
      - steps: [{ comment: { text: winter, post: "17900000000000009" } }, { expect: { dm: any } }]
      - steps: [{ comment: { text: winter, post: "17900000000000008" } }, { expect: { nothing: true } }]
tests:
  - steps: [{ comment: winter }, { expect: { nothing: true } }]
""".replace("{ shared_post }", "shared_post")
    loaded = load([("a.yaml", text)])
    assert not loaded.has_errors, loaded.problems
    with Play((), loaded=loaded) as play:
        assert [result.failures for result in play_all(play, of_files(loaded))] == [()] * 7


_STEPS = [
    *(
        f"dm: {text}"
        for text in ("price", "book", "24.12.", '"2"', "gate", "code", "crm", "picture", "photo")
    ),
    *(f"dm: {text}" for text in ("STOP", "START", "human", "forget me now", "yes", "try", "nonsense")),
    *(
        "dm: { image: 'https://pics.example/a.jpg' }",
        "comment: price",
        "comment: winter",
        "live_comment: price",
    ),
    *("story_reply: love", "story_mention", "shared_post", "react: ❤️", "follow_link: summer", "click: shop"),
    *("tap: Send it to me", "tap: Book a visit", 'tap: "6"', "tap: Done", "owner_replies: Hi"),
    *(
        "pass: 2h",
        "pass: 1d",
        "person: { follows: true }",
        "person: { username: ben }",
        "person: { tags: buyer }",
    ),
    *(f"meta_says: {{ error: {error} }}" for error in ("10/2534022", "2", "100", "190")),
    *("webhook_says: { status: 500 }", "expect: { nothing: true }", "expect: { dm: any }"),
]


@given(steps=st.lists(st.sampled_from(_STEPS), min_size=1, max_size=8))
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_a_test_says_it_passes_or_says_why_not(shop: Play, steps: list[str]) -> None:
    """No fault of ours, and where it fails is a line of the test."""
    result = played(shop, "\n".join(f"- {step}" for step in steps))
    for failure in result.failures:
        assert "Pamosnik itself" not in failure.got
        assert 1 <= failure.place.line - BEFORE <= len(steps)
    told = transcript(result, shop.timezone)
    assert [line.at for line in told] == sorted(line.at for line in told)
