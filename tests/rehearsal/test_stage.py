"""The stage plays what production does, in no time, and the same way every time."""

import random
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import hypothesis
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pamosnik.errors import InvalidFlows, NotFound, PamosnikError, UsageError
from pamosnik.model.contact import PausedBy
from pamosnik.model.event import EventKind, Verdict
from pamosnik.model.outbox import ItemKind, ItemStatus
from pamosnik.model.run import RunStatus
from pamosnik.rehearsal.happenings import (
    Deed,
    Did,
    FieldSet,
    Judged,
    NotSent,
    OptedOut,
    Option,
    Paused,
    PublicReply,
    Ran,
    Sent,
    Tagged,
    Waiting,
)
from pamosnik.rehearsal.play import Play
from pamosnik.rehearsal.stage import Stage
from pamosnik.services.scene import EVIDENCE_WITHIN

EXAMPLE = (Path(__file__).parents[2] / "flows.example.yaml").read_text("utf-8")
HOUR = timedelta(hours=1)

FLOWS = """\
version: 1
timezone: Europe/Warsaw
disclosure: false
fields: { colour: text }
flows:
  patience:
    when: [dm: wait]
    do:
      - send: "one"
      - wait: { for: 3h, if_window_closed: skip }
      - send: "two"
      - wait: { until: "09:00", if_window_closed: skip }
      - send: "three"
      - goal: waited
  question:
    when: [dm: ask]
    do:
      - ask:
          question: "Which colour?"
          save_as: colour
          give_up_after: 2h
          if_no_answer: [{ send: "Never mind." }, { tag: silent }]
      - send: "{colour|?} it is."
  late:
    when: [comment: [late], dm: [late]]
    limits: { per_person: 1h }
    do:
      - reply_publicly: { one_of: ["A.", "B.", "C."], wait_first: 20s to 90s }
      - send: "The private reply."
      - send: "And what comes after it."
  quiet:
    when: [comment: [quiet]]
    limits: { per_person: 1h }
    do: [{ reply_publicly: { one_of: ["Q.", "R.", "S."] } }]
"""


@contextmanager
def opened(text: str, start: datetime | None = None) -> Iterator[Stage]:
    with Play([("flows.yaml", text)]) as play, play.open(start) as stage:
        yield stage


HOURS = """\
version: 1
timezone: Europe/Warsaw
disclosure: false
hours:
  open: { days: mon to fri, from: "09:00", to: "17:00" }
  holidays: 2026-12-25
flows:
  call:
    when: [dm: call]
    do:
      - choose:
          - if: { during: open, outside: holidays }
            do: [{ send: "Now." }]
          - else: [{ send: "Later." }]
"""


@pytest.mark.parametrize(
    ("local", "says"),
    [
        ("2026-12-24T09:00+01:00", "Now."),
        ("2026-12-24T17:00+01:00", "Later."),
        ("2026-12-25T12:00+01:00", "Later."),
        ("2027-03-29T06:59+00:00", "Later."),
        ("2027-03-29T07:00+00:00", "Now."),
    ],
)
def test_hours_are_those_of_the_file_s_zone(local: str, says: str) -> None:
    with opened(HOURS, datetime.fromisoformat(local)) as stage:
        stage.meet("ola")
        stage.write("ola", "call")
        stage.settle()
        assert [said.text for said in stage.happened if isinstance(said, Sent)] == [says]


GATE = """\
version: 1
disclosure: false
flows:
  gate:
    when: [dm: gate]
    do:
      - choose:
          - if: follows_me
            do: [{ send: "Here you are, {first_name|friend}." }]
          - else: [{ send: { text: "Follow first.", buttons: [{ label: Done, run: gate }] } }]
  known:
    when: [dm: known]
    only_if: { followers: { more_than: 40, less_than: 60 } }
    do: [{ send: "Known." }]
"""


def test_people_are_looked_up_on_the_stage_too() -> None:
    with opened(GATE) as stage:
        stage.meet("ola", name="Ola Nowak", follows=False)
        for who, text in (("ola", "gate"), ("ben", "known"), ("anna", "known")):
            stage.write(who, text)
        stage.settle()
        stage.meet("ola", follows=True)
        stage.pass_time(timedelta(seconds=5))
        stage.tap("ola", "Done")
        stage.settle()
        said = [(one.to, one.text) for one in stage.happened if isinstance(one, Sent)]
        assert sorted(said) == [
            ("ben", "Known."),
            ("ola", "Follow first."),
            ("ola", "Here you are, Ola."),
        ]


@pytest.fixture(scope="module")
def example() -> Iterator[Play]:
    with Play([("flows.example.yaml", EXAMPLE)]) as play:
        yield play


@pytest.fixture(scope="module")
def flows() -> Iterator[Play]:
    with Play([("flows.yaml", FLOWS)]) as play:
        yield play


def private(stage: Stage, who: str) -> list[str | None]:
    return [h.text for h in stage.happened if isinstance(h, Sent) and h.to == who]


def public(stage: Stage) -> list[str]:
    return [h.text for h in stage.happened if isinstance(h, PublicReply)]


def verdicts(stage: Stage) -> list[tuple[EventKind, Verdict]]:
    judged = (h for h in stage.happened if isinstance(h, Judged))
    return [(h.kind, h.verdict) for h in judged if h.kind is not EventKind.ECHO]


def say(stage: Stage, who: str, *texts: str) -> None:
    for text in texts:
        stage.write(who, text)
        stage.settle()


# --- the example, end to end -----------------------------------------------------------------------------


def test_a_comment_a_private_reply_a_public_reply_a_tap(example: Play) -> None:
    with example.open() as stage:
        stage.comment("anna", "Price please!")
        stage.settle()
        [hi] = [h for h in stage.happened if isinstance(h, Sent)]
        assert (hi.to, hi.private_reply, hi.flow) == ("anna", True, "price-list")
        assert hi.text == "Automated reply.\nHi anna! Tap and the list is yours."
        assert hi.buttons == (Option("Send it to me"),)
        [reply] = [h for h in stage.happened if isinstance(h, PublicReply)]
        assert reply.to == "anna"
        assert stage.happened.index(hi) < stage.happened.index(reply)
        assert stage.person("anna").waiting
        stage.tap("anna", "Send it to me")
        stage.settle()
        assert private(stage, "anna")[1:] == ["Here you are: https://shop.example/prices"]
        assert stage.person("anna").tags == {"got-prices"}
        assert [h.tag for h in stage.happened if isinstance(h, Tagged)] == ["got-prices"]
        assert [h.status for h in stage.happened if isinstance(h, Ran)] == [
            RunStatus.WAITING,
            RunStatus.COMPLETED,
        ]
        # Who has the tag gets it no more.
        stage.comment("anna", "price")
        stage.settle()
        assert verdicts(stage) == [
            (EventKind.COMMENT, Verdict.STARTED),
            (EventKind.POSTBACK, Verdict.RESUMED),
            (EventKind.COMMENT, Verdict.FILTERED),
        ]


def test_questions_answers_and_a_human(example: Play) -> None:
    with example.open() as stage:
        say(stage, "ben", "rezerwacja", "24.12.")
        assert [o.label for o in stage.options("ben")] == ["1", "2", "3", "4", "5", "6"]
        stage.tap("ben", "6")
        stage.settle()
        assert private(stage, "ben")[1:] == ["How many of you?", "For bigger groups I answer myself 🙂"]
        fields = {h.field: h.value for h in stage.happened if isinstance(h, FieldSet)}
        assert fields == {"day": "2026-12-24", "guests": "6"}
        person = stage.person("ben")
        assert person.handed_over
        assert person.paused_until == stage.now + 12 * HOUR
        say(stage, "ben", "hello?")
        assert verdicts(stage)[-1] == (EventKind.MESSAGE, Verdict.HANDED_OVER)
        stage.pass_time(13 * HOUR)
        assert not stage.person("ben").handed_over


def test_stories(example: Play) -> None:
    with example.open() as stage:
        stage.mention("anna")
        stage.settle()
        stage.answer_story("ben", "love it")
        stage.settle()
        assert verdicts(stage) == [
            (EventKind.STORY_MENTION, Verdict.STARTED),
            (EventKind.STORY_REPLY, Verdict.STARTED),
        ]
        assert len(private(stage, "anna")) == len(private(stage, "ben")) == 1


def test_a_label_typed_is_a_tap(example: Play) -> None:
    with example.open() as stage:
        say(stage, "ben", "price", "snd it to me")
        assert stage.person("ben").tags == {"got-prices"}


# --- time ------------------------------------------------------------------------------------------------


def test_waits_end_when_their_time_has_come_and_not_before(flows: Play) -> None:
    with flows.open() as stage:
        start = stage.now
        say(stage, "anna", "wait")
        stage.pass_time(3 * HOUR - timedelta(seconds=1))
        assert private(stage, "anna") == ["one"]
        stage.pass_time(timedelta(seconds=1))
        assert private(stage, "anna") == ["one", "two"]
        stage.pass_time(timedelta(days=1))
        assert private(stage, "anna") == ["one", "two", "three"]
        times = [h.at for h in stage.happened if isinstance(h, Sent)]
        assert times == [start, start + 3 * HOUR, datetime(2026, 12, 3, 8, 0, tzinfo=UTC)]
        assert stage.now == start + 3 * HOUR + timedelta(days=1)


def test_who_does_not_answer_is_given_up(flows: Play) -> None:
    with flows.open() as stage:
        say(stage, "anna", "ask")
        say(stage, "ben", "ask", "blue")
        stage.pass_time(2 * HOUR)
        assert private(stage, "anna") == ["Which colour?", "Never mind.", "? it is."]
        assert private(stage, "ben") == ["Which colour?", "blue it is."]
        assert stage.person("anna").tags == {"silent"}


def test_after_the_private_reply_messages_wait_for_the_answer(flows: Play) -> None:
    with flows.open() as stage:
        stage.comment("anna", "late")
        stage.settle()
        assert private(stage, "anna") == ["The private reply."]
        held = [h for h in stage.happened if isinstance(h, Waiting)]
        assert {(h.kind, h.status) for h in held} == {
            (ItemKind.MESSAGE, ItemStatus.HELD),
            (ItemKind.COMMENT_REPLY, ItemStatus.QUEUED),
        }
        [reply] = [h for h in held if h.kind is ItemKind.COMMENT_REPLY]
        assert reply.until is not None
        assert timedelta(seconds=20) <= reply.until - stage.now <= timedelta(seconds=90)
        assert public(stage) == []
        stage.pass_time(timedelta(seconds=90))
        assert len(public(stage)) == 1
        say(stage, "anna", "thanks")
        assert private(stage, "anna") == ["The private reply.", "And what comes after it."]


def test_what_nobody_answers_expires_with_a_reason(flows: Play) -> None:
    with flows.open() as stage:
        stage.comment("anna", "late")
        stage.settle()
        stage.pass_time(timedelta(days=8))
        [lost] = [h for h in stage.happened if isinstance(h, NotSent)]
        assert (lost.kind, lost.status) == (ItemKind.MESSAGE, ItemStatus.EXPIRED)
        assert lost.reason
        assert "nobody answered" in lost.reason
        assert lost.at - stage.happened[0].at == timedelta(days=7)


def test_it_begins_when_one_says_in_the_files_time_zone() -> None:
    with Play([("flows.yaml", FLOWS)]) as play:
        with play.open() as stage:
            assert stage.now == datetime(2026, 12, 2, 11, 0, tzinfo=UTC)
        with play.open(datetime(2026, 7, 1, 23, 0)) as stage:  # noqa: DTZ001
            assert stage.now == datetime(2026, 7, 1, 21, 0, tzinfo=UTC)
        with pytest.raises(UsageError):
            play.open(datetime(1999, 1, 1, tzinfo=UTC))


def test_no_stage_lasts_for_ever(flows: Play) -> None:
    with flows.open() as stage, pytest.raises(UsageError):
        stage.pass_time(timedelta(days=30_000))


# --- the owner, safety words, refusals -------------------------------------------------------------------


def test_the_owner_writes_and_automation_rests(flows: Play) -> None:
    with flows.open() as stage:
        stage.owner_writes("anna", "Hi, Rosa here.")
        stage.settle()
        [paused] = [h for h in stage.happened if isinstance(h, Paused)]
        assert (paused.by, paused.until) == (PausedBy.OWNER, stage.now + 12 * HOUR)
        say(stage, "anna", "wait")
        assert verdicts(stage) == [(EventKind.MESSAGE, Verdict.PAUSED)]
        assert private(stage, "anna") == []
        stage.pass_time(12 * HOUR)
        say(stage, "anna", "wait")
        assert private(stage, "anna") == ["one"]


def test_stop_and_start(flows: Play) -> None:
    with flows.open() as stage:
        say(stage, "anna", "wait", "STOP", "ask")
        assert stage.person("anna").opted_out
        assert [h.status for h in stage.happened if isinstance(h, Ran)][-1] is RunStatus.STOPPED
        stage.pass_time(timedelta(days=2))
        assert len(private(stage, "anna")) == 2  # "one", and that it stops
        say(stage, "anna", "START", "ask")
        assert private(stage, "anna")[-1] == "Which colour?"
        assert [h.opted_out for h in stage.happened if isinstance(h, OptedOut)] == [True, False]


def test_instagram_refuses_and_the_public_reply_stays(flows: Play) -> None:
    with flows.open() as stage:
        error = {"message": "no", "type": "OAuthException", "code": 100, "error_subcode": 2534025}
        stage.meta_says(400, {"error": error})
        stage.comment("anna", "late")
        stage.settle()
        stage.pass_time(timedelta(minutes=2))
        assert private(stage, "anna") == []
        assert public(stage) == []
        lost = {h.kind: h for h in stage.happened if isinstance(h, NotSent)}
        assert lost[ItemKind.PRIVATE_REPLY].status is ItemStatus.FAILED
        assert lost[ItemKind.COMMENT_REPLY].status is ItemStatus.CANCELLED


def test_a_pause_that_meta_asks_for_is_kept(flows: Play) -> None:
    with flows.open() as stage:
        stage.meta_says(400, {"error": {"message": "slow", "type": "OAuthException", "code": 613}})
        say(stage, "anna", "wait")
        assert private(stage, "anna") == []
        stage.pass_time(timedelta(minutes=5))
        assert private(stage, "anna") == ["one"]


def test_a_message_of_unknown_fate_is_settled_by_evidence(flows: Play) -> None:
    with flows.open() as stage:
        stage.meta_says(500, {"error": {"message": "?", "code": 1}})
        say(stage, "anna", "wait")
        assert private(stage, "anna") == []
        assert [h.status for h in stage.happened if isinstance(h, Waiting)] == [ItemStatus.UNKNOWN]
        stage.pass_time(timedelta(minutes=10))
        assert private(stage, "anna") == ["one"]


def test_a_public_reply_alone(flows: Play) -> None:
    with flows.open() as stage:
        stage.comment("anna", "quiet", post=1)
        stage.settle()
        assert len(public(stage)) == 1
        assert stage.happened[0] == Did(stage.now, "anna", Deed.COMMENT, "quiet", 1)


# --- posts, people, files --------------------------------------------------------------------------------

POSTS = """\
version: 1
flows:
  named:
    when: [comment: { words: [hi], post: "https://www.instagram.com/p/Named123456/" }]
    limits: { per_person: once }
    do: [{ reply_publicly: { one_of: ["1", "2", "3"] } }]
  next:
    when: [comment: { words: [new], post: next }]
    limits: { per_person: once }
    do: [{ reply_publicly: { one_of: ["1", "2", "3"] } }]
  by-id:
    connections: [rosas_shop]
    when: [comment: { words: [id], post: "17900000000000123" }]
    limits: { per_person: once }
    do: [{ reply_publicly: { one_of: ["1", "2", "3"] } }]
"""


def test_posts_that_flows_name_are_there() -> None:
    with opened(POSTS) as stage:
        assert stage.username == "rosas_shop"
        by_flow = {flow: post for post in stage.posts for flow in post.flows}
        for text, number in (("hi", by_flow["named"].number), ("id", by_flow["by-id"].number), ("new", None)):
            stage.comment("anna", text, post=number)
            stage.settle()
            assert verdicts(stage)[-1] == (EventKind.COMMENT, Verdict.STARTED), text
        stage.comment("ben", "hi")
        stage.settle()
        assert verdicts(stage)[-1] == (EventKind.COMMENT, Verdict.NO_MATCH)
        with pytest.raises(NotFound):
            stage.comment("ben", "hi", post=99)


def test_changed_files_take_effect_and_runs_go_on_as_they_were(flows: Play) -> None:
    with flows.open() as stage:
        say(stage, "anna", "ask")
        changed = FLOWS.replace("it is.", "then.").replace("Which colour?", "What colour?")
        assert not stage.reload([("flows.yaml", changed)]).has_errors
        say(stage, "anna", "red")
        say(stage, "ben", "ask", "blue")
        assert private(stage, "anna") == ["Which colour?", "red it is."]
        assert private(stage, "ben") == ["What colour?", "blue then."]
        assert stage.reload([("flows.yaml", "version: 1\nflow: {}\n")]).has_errors
        say(stage, "ben", "ask")
        assert private(stage, "ben")[-1] == "What colour?"
    with flows.open() as stage:
        say(stage, "ben", "ask")
        assert private(stage, "ben") == ["Which colour?"]


@pytest.mark.parametrize(
    "text",
    [
        "version: 1\nflows: { a: { when: [dm: x], do: [{ sned: y }] } }\n",
        "version: 1\ntimezone: Mars/Olympus\nflows: { a: { when: [dm: x], do: [send: y] } }\n",
        "",
    ],
)
def test_files_with_errors_are_not_played(text: str) -> None:
    with pytest.raises(InvalidFlows):
        Play([("flows.yaml", text)])


def test_nobody_taps_what_is_not_there_or_acts_without_being_there(flows: Play) -> None:
    with flows.open() as stage:
        with pytest.raises(NotFound):
            stage.tap("anna", "Nothing")
        with pytest.raises(NotFound):
            stage.write("zoe", "hi")
        with pytest.raises(UsageError):
            stage.reply("anna", "hi")
        with pytest.raises(NotFound):
            stage.react("anna", "🔥")
        assert list(stage.happened) == []
        stage.meet("zoe", follows=True)
        say(stage, "zoe", "wait")
        assert private(stage, "zoe") == ["one"]


def test_why(example: Play) -> None:
    with example.open() as stage:
        stage.comment("anna", "Price please!")
        stage.settle()
        [judged] = [h for h in stage.happened if isinstance(h, Judged) and h.kind is EventKind.COMMENT]
        why = stage.why(judged.event_id)
        assert why.sentence == "This comment started the flow price-list: comment “price”."
        assert [item["status"] for item in why.sent] == ["sent", "sent"]
        assert [item["kind"] for item in why.sent] == ["comment_reply", "private_reply"]


def test_what_is_known_from_earlier_counts(example: Play) -> None:
    with example.open() as stage:
        stage.remember("anna", tags=["got-prices"], fields={"guests": "3"})
        assert stage.person("anna").fields == (("guests", "3"),)
        stage.comment("anna", "price")
        stage.settle()
        assert verdicts(stage) == [(EventKind.COMMENT, Verdict.FILTERED)]


def test_the_steps_that_a_run_has_taken(example: Play) -> None:
    with example.open() as stage:
        say(stage, "ben", "rezerwacja", "24.12.", "6")
        [run] = stage.person("ben").runs
        assert [step for step in stage.steps(run.run_id) if step.startswith("do.2.")] == [
            "do.2.choose.0.do.0",
            "do.2.choose.0.do.1",
            "do.2.choose.0.do.2",
        ]


def test_a_button_with_an_address_opens_it() -> None:
    text = (
        "version: 1\nflows:\n  a:\n    when: [dm: hi]\n    do:\n"
        "      - send: { text: Look, buttons: [{ label: Open, url: 'https://shop.example/x' }] }\n"
    )
    with opened(text) as stage:
        say(stage, "anna", "hi")
        assert stage.options("anna") == (Option("Open", "https://shop.example/x"),)
        stage.tap("anna", "Open")
        stage.settle()
        assert stage.happened[-1] == Did(stage.now, "anna", Deed.TAP, "Open", opened="https://shop.example/x")


# --- the same twice, and always an end -------------------------------------------------------------------


def _script(stage: Stage) -> Sequence[object]:
    stage.meet("zoe")
    for who in ("anna", "ben", "zoe"):
        stage.comment(who, "price")
        stage.settle()
        say(stage, who, "rezerwacja", "24.12.", "3")
        stage.mention(who)
        stage.settle()
        stage.pass_time(timedelta(hours=25))
    return list(stage.happened)


def test_played_twice_it_is_the_same_twice(example: Play) -> None:
    with example.open() as first, example.open() as second:
        assert _script(first) == _script(second)
    with Play([("flows.example.yaml", EXAMPLE)]) as again, again.open() as third:
        assert _script(third) == list(first.happened)


def test_nothing_is_left_behind() -> None:
    with Play([("flows.yaml", FLOWS)]) as play, play.open() as stage:
        path = stage._works.database.path
        assert path.exists()
    assert not path.exists()
    assert not path.parent.exists()


_PEOPLE = st.sampled_from(["anna", "ben"])
_TEXTS = st.sampled_from(
    ["wait", "ask", "late", "quiet", "blue", "STOP", "START", "human", "2", "…", "x" * 2000]
)
_ERRORS = st.sampled_from(
    [(400, 100, 2534025), (400, 10, 2534022), (500, 1, None), (400, 613, None), (400, 551, None)]
)
_STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("write"), _PEOPLE, _TEXTS),
        st.tuples(st.just("comment"), _PEOPLE, _TEXTS),
        st.tuples(st.just("reply"), _PEOPLE, _TEXTS),
        st.tuples(st.just("story"), _PEOPLE, _TEXTS),
        st.tuples(st.just("tap"), _PEOPLE, st.integers(0, 3)),
        st.tuples(st.just("owner"), _PEOPLE, _TEXTS),
        st.tuples(st.just("react"), _PEOPLE, st.just("❤️")),
        st.tuples(st.just("meta"), _PEOPLE, _ERRORS),
        st.tuples(st.just("pass"), _PEOPLE, st.sampled_from([1, 30, 3600, 86_400, 8 * 86_400])),
    ),
    max_size=12,
)


def _act(stage: Stage, what: str, who: str, how: object) -> None:
    doing: dict[str, Callable[[], object]] = {
        "write": lambda: stage.write(who, str(how)),
        "comment": lambda: stage.comment(who, str(how)),
        "reply": lambda: stage.reply(who, str(how)),
        "story": lambda: stage.answer_story(who, str(how)),
        "owner": lambda: stage.owner_writes(who, str(how)),
        "react": lambda: stage.react(who, str(how)),
        "tap": lambda: stage.tap(who, stage.options(who)[int(str(how))].label),
        "pass": lambda: stage.pass_time(timedelta(seconds=int(str(how)))),
    }
    if what == "meta":
        assert isinstance(how, tuple)
        status, code, subcode = how
        stage.meta_says(status, {"error": {"message": "no", "code": code, "error_subcode": subcode}})
        return
    try:
        doing[what]()
    except (PamosnikError, IndexError):
        return  # nothing to tap, to reply or to react to


@settings(max_examples=40, deadline=None)
@given(steps=_STEPS, settle_each=st.booleans())
@hypothesis.example(
    steps=[
        ("write", "anna", "wait"),
        ("meta", "anna", (500, 1, None)),
        ("pass", "anna", 1),
        ("owner", "anna", "a"),
    ],
    settle_each=False,
)
def test_whatever_people_do_every_event_ends_with_a_verdict(
    flows: Play, steps: list[tuple[str, str, object]], settle_each: bool
) -> None:
    with flows.open() as stage:
        for what, who, how in steps:
            _act(stage, what, who, how)
            if settle_each:
                stage.settle()
        stage.settle()
        stage.pass_time(EVIDENCE_WITHIN)  # an echo waits so long for what a message of unknown fate became
        found = [str(event["verdict"]) for event in stage.verdicts()]
        assert "pending" not in found
        assert "error" not in found
        times = [happening.at for happening in stage.happened]
        assert times == sorted(times)


def test_many_messages_at_one_instant_keep_the_limit_of_a_second() -> None:
    text = "version: 1\nflows: { a: { when: [dm: hi], mode: parallel, do: [send: ok] } }\n"
    with opened(text) as stage:
        people = [f"p{number}" for number in range(130)]
        random.Random(3).shuffle(people)
        for who in people:
            stage.meet(who)
            stage.write(who, "hi")
        start = stage.now
        stage.settle()
        sent = [h.at for h in stage.happened if isinstance(h, Sent)]
        assert len(sent) == 130
        assert sum(at == start for at in sent) == 9, "a tenth of the pace, which keeps a reserve"
        assert all(later - first >= timedelta(seconds=1) for first, later in pairwise(sent[::100]))
        assert stage.now - start < timedelta(seconds=2)


def test_a_hundred_conversations_take_seconds(example: Play) -> None:
    began = time.process_time()
    for _ in range(100):
        with example.open() as stage:
            stage.comment("anna", "price")
            stage.settle()
            stage.tap("anna", "Send it to me")
            stage.settle()
            say(stage, "ben", "rezerwacja", "24.12.", "2")
            assert stage.person("ben").fields == (("day", "2026-12-24"), ("guests", "2"))
    assert time.process_time() - began < 20  # 3 where it was written


LINKS = """\
version: 1
disclosure: false
facts: { prices: "https://shop.example/prices" }
flows:
  link:
    when: [dm: link]
    do:
      - send: { text: "Prices: {prices}", buttons: [{ label: Open, url: "https://shop.example/", name: shop }] }
      - wait_for: { click: shop, up_to: 2h, if_not: [{ send: "Not yet?" }, stop] }
      - send: "Thank you."
"""


def test_links_are_clicked_by_name_by_address_and_by_tapping() -> None:
    with opened(LINKS) as stage:
        for who in ("anna", "ben"):
            stage.write(who, "link")
        stage.settle()
        [sent, _] = [one for one in stage.happened if isinstance(one, Sent)]
        assert (sent.text, sent.buttons) == (
            "Prices: https://shop.example/prices",
            (Option("Open", "https://shop.example/"),),
        )
        stage.click("anna", "https://shop.example/prices")
        stage.settle()
        assert len(_texts(stage, "anna")) == 1, "another link is waited for"
        stage.click("anna", "shop")
        stage.tap("ben", "Open")
        stage.settle()
        assert _texts(stage, "anna")[1:] == _texts(stage, "ben")[1:] == ["Thank you."]
        with pytest.raises(NotFound, match="no tracked link"):
            stage.click("anna", "shpo")


def _texts(stage: Stage, who: str) -> list[str | None]:
    return [one.text for one in stage.happened if isinstance(one, Sent) and one.to == who]


ENTRANCES = """\
version: 1
disclosure: false
flows:
  book: { when: [ice_breaker: Book a visit, menu: Book], do: [send: "When?"] }
  ship: { when: [ice_breaker: "Do you ship?"], do: [send: "Yes"] }
"""


def test_opening_questions_and_the_menu_can_be_tapped() -> None:
    with opened(ENTRANCES) as stage:
        assert [o.label for o in stage.options("anna")] == ["Book a visit", "Do you ship?", "Book"]
        stage.meta_says(400, {"error": {"code": 100, "message": "No."}})
        stage.tap("anna", "Do you ship?")
        stage.settle()
        assert [o.label for o in stage.options("anna")] == ["Book"]
        stage.tap("anna", "Book")
        stage.settle()
        assert [one.text for one in stage.happened if isinstance(one, Sent)] == ["When?"]
        assert [o.label for o in stage.options("ben")] == ["Book a visit", "Do you ship?", "Book"]
        stage.reload([("flows.yaml", ENTRANCES.replace(", menu: Book]", "]"))])
        assert stage.options("anna") == ()
        with pytest.raises(NotFound):
            stage.tap("anna", "Book a visit")


def test_a_link_is_told_with_what_a_stranger_does_next() -> None:
    linked = "version: 1\nflows: { flyer: { when: { link: flyer7 }, do: [tag: flyer] } }\n"
    with opened(linked) as stage:
        stage.follow_link("anna", "flyer7")
        stage.settle()
        assert stage.verdicts() == []
        say(stage, "anna", "hello")
        stage.follow_link("anna", "flyer7")
        stage.follow_link("anna")
        stage.settle()
        assert [(one["kind"], one["verdict"]) for one in stage.verdicts()] == [
            ("message", "started"),
            ("referral", "started"),
            ("referral", "no_match"),
        ]


_CARDS = """\
version: 1
disclosure: false
flows:
  hats:
    when: [dm: hats]
    do:
      - send:
          cards:
            - { title: Hat, subtitle: Wool, buttons: [{ label: Buy, do: [{ send: "A hat." }] }] }
            - { title: Scarf, buttons: [{ label: Buy, do: [{ send: "A scarf." }] }, { label: More, do: [stop] }] }
"""


def test_the_same_label_on_two_cards_is_told_apart_by_the_card() -> None:
    with opened(_CARDS) as stage:
        say(stage, "anna", "hats")
        assert [option.name for option in stage.options("anna")] == ["Buy (Hat)", "Buy (Scarf)", "More"]
        (sent,) = (h for h in stage.happened if isinstance(h, Sent))
        assert [[option.label for option in card.buttons] for card in sent.cards] == [
            ["Buy"],
            ["Buy", "More"],
        ]
        stage.tap("anna", "Buy (Scarf)")
        stage.settle()
        stage.tap("anna", "Buy")
        stage.settle()
        assert private(stage, "anna")[1:] == ["A scarf.", "A hat."]
