"""What a file says beside steps: sentences, words, languages, priorities, times; each as somebody meets it."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

import pytest

from pamosnik.flows.load import load
from pamosnik.model.book import Sentence
from pamosnik.model.event import Verdict
from pamosnik.model.sentences import BUILT_IN
from pamosnik.rehearsal.happenings import Judged, Sent
from pamosnik.rehearsal.play import Play
from pamosnik.rehearsal.stage import Stage
from pamosnik.sandbox.things import MediaKind

HEAD = "version: 1\ntimezone: Europe/Warsaw\n"
QUIET = f"{HEAD}disclosure: false\n"


@contextmanager
def _playing(flows: str, start: datetime | None = None, *, next_post: bool = True) -> Iterator[Stage]:
    with Play([("shop.yaml", flows)]) as play, play.open(start, next_post=next_post) as stage:
        yield stage


def _says(stage: Stage, *texts: str) -> list[str | None]:
    """What the first person is written after each of these."""
    who = stage.people[0]
    before = len(_sent(stage))
    for text in texts:
        stage.write(who, text)
        stage.settle()
    return _sent(stage)[before:]


def _sent(stage: Stage) -> list[str | None]:
    return [one.text for one in stage.happened if isinstance(one, Sent)]


def _last_verdict(stage: Stage) -> tuple[Verdict, str | None]:
    judged = [one for one in stage.happened if isinstance(one, Judged) and one.verdict is not Verdict.OWN]
    return judged[-1].verdict, judged[-1].reason


# --- disclosure ------------------------------------------------------------------------------------------

HELLO = "flows:\n  a: { when: [dm: hello], do: [send: Hi, send: Again] }\n".replace(
    "[send: Hi, send: Again]", "[{ send: Hi }, { send: Again }]"
)


@pytest.mark.parametrize(
    ("setting", "first"),
    [
        ("", "Automated reply.\nHi"),
        ("language: de\n", "Automatische Antwort.\nHi"),
        ("language: pl\n", "Odpowiedź automatyczna.\nHi"),
        ("language: es\n", "Respuesta automática.\nHi"),
        ('disclosure: "Robi writes."\n', "Robi writes.\nHi"),
        ("disclosure: false\n", "Hi"),
    ],
)
def test_the_first_message_to_a_person_says_that_a_machine_writes(setting: str, first: str) -> None:
    with _playing(HEAD + setting + HELLO) as stage:
        assert _says(stage, "hello", "hello") == [first, "Again", "Hi", "Again"]


def test_so_does_a_private_reply_and_its_bytes_count() -> None:
    line = "Automated reply.\n"
    fits = "ż" * ((1000 - len(line.encode())) // 2)
    flows = "flows:\n  a: { when: [comment: price], limits: { per_person: 1m }, do: [send: TEXT] }\n"
    with _playing(HEAD + flows.replace("TEXT", fits)) as stage:
        stage.comment(stage.people[0], "price")
        stage.settle()
        assert _sent(stage) == [line + fits]
    too_long = load([("shop.yaml", HEAD + flows.replace("TEXT", fits + "żż"))])
    assert [problem.code for problem in too_long.problems] == ["text-too-long"]


def test_turning_it_off_is_a_warning() -> None:
    (problem,) = load([("shop.yaml", HEAD + "disclosure: false\n" + HELLO)]).problems
    assert (problem.code, problem.severity) == ("no-disclosure", "warning")


# --- says, words, language -------------------------------------------------------------------------------

SAYS = f"""{QUIET}
says:
  stopped: "SAYS stopped"
  started: "SAYS started"
  human_called: "SAYS human"
  not_understood: "SAYS again"
  skip: "SAYS skip"
  reply_with: "SAYS write"
  forget_sure: "SAYS sure?"
  forgotten: "SAYS gone"
  forget_yes: "SAYS yes"
  forget_no: "SAYS no"
words: {{ stop: [genug], start: [wieder], human: [chefin] }}
fields: {{ n: number }}
flows:
  ask:
    when: [dm: ask]
    do:
      - ask: {{ question: "How many?", save_as: n, optional: true, if_not_understood: {{ tries: 1 }} }}
      - send: "Noted: {{n|nothing}}"
  strict:
    when: [dm: strict]
    do: [{{ ask: {{ question: "How many?", save_as: n, if_not_understood: {{ tries: 1 }} }} }}]
  price:
    when: [comment: price]
    limits: {{ per_person: 1m }}
    do: [{{ send: {{ text: "Tap!", buttons: [{{ label: More, do: [send: "Here."] }}] }} }}]
  forget: {{ when: [dm: forget], do: [forget_me, {{ send: "Kept." }}] }}
"""


def test_every_sentence_in_the_owners_words() -> None:
    with _playing(SAYS) as stage:
        assert _says(stage, "ask", "many") == ["How many?", "SAYS again"]
        question = next(one for one in stage.happened if isinstance(one, Sent))
        assert [chip.label for chip in question.chips] == ["SAYS skip"]
        assert _says(stage, "SAYS skip") == ["Noted: nothing"]
        assert _says(stage, "genug") == ["SAYS stopped"]
        assert _says(stage, "ask") == []
        assert _says(stage, "wieder") == ["SAYS started"]
        assert _says(stage, "forget", "no") == ["SAYS sure?", "Kept."]
        assert _says(stage, "forget", "SAYS yes") == ["SAYS sure?", "SAYS gone"]
        # Somebody new: `skip` of an older question means nothing to them.
        assert _says(stage, "SAYS skip", "ask") == ["How many?"]
    with _playing(SAYS) as stage:
        assert _says(stage, "strict", "many", "lots") == ["How many?", "SAYS again", "SAYS human"]
    with _playing(SAYS) as stage:
        assert _says(stage, "chefin") == ["SAYS human"]
    with _playing(SAYS) as stage:
        refusal = {"message": "(#100) Invalid", "type": "IGApiException", "code": 100, "fbtrace_id": "A"}
        stage.meta_says(400, {"error": refusal})
        stage.comment(stage.people[0], "price")
        stage.settle()
        assert _sent(stage) == ["Tap!\nSAYS write: More"]


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en", ["unsubscribe", "unstop", "talk to a human"]),
        ("de", ["abmelden", "anmelden", "Mensch"]),
        ("pl", ["wypisz mnie", "wznów", "Człowiek!"]),
        ("es", ["darme de baja", "alta", "una persona real"]),
    ],
)
def test_safety_words_and_sentences_of_a_language(language: str, said: list[str]) -> None:
    said = [text.replace("una persona real", "persona real") for text in said]
    expected = [BUILT_IN[language][s] for s in (Sentence.STOPPED, Sentence.STARTED, Sentence.HUMAN_CALLED)]
    with _playing(f"{QUIET}language: {language}\n{HELLO}") as stage:
        assert _says(stage, *said) == expected
    with _playing(f"{QUIET}language: {language}\n{HELLO}") as stage:
        assert _says(stage, "STOP", "START", "human") == expected, "English always counts"


@pytest.mark.parametrize(
    ("language", "written", "kept"),
    [
        ("en", "3/4", "2027-03-04"),
        ("de", "3.4.", "2027-04-03"),
        ("pl", "3 kwietnia", "2027-04-03"),
        ("es", "3 de abril", "2027-04-03"),
    ],
)
def test_dates_are_read_in_the_language(language: str, written: str, kept: str) -> None:
    flows = (
        "fields: { day: date }\nflows:\n  a: { when: [dm: day], do: [ask: { question: Q, save_as: day }] }\n"
    )
    with _playing(f"{QUIET}language: {language}\n{flows}") as stage:
        _says(stage, "day", written)
        assert dict(stage.person(stage.people[0]).fields) == {"day": kept}


# --- who answers, and when -------------------------------------------------------------------------------


def test_priority_goes_before_specificity() -> None:
    word, any_ = (
        "word: { when: [dm: hello], do: [send: word] }",
        "any: { when: [dm], priority: 1, do: [send: any] }",
    )
    flows = f"flows:\n  {word}\n  {any_}\n"
    with _playing(QUIET + flows) as stage:
        assert _says(stage, "hello") == ["any"]
    with _playing(QUIET + flows.replace("priority: 1", "priority: -1")) as stage:
        assert _says(stage, "hello", "other") == ["word", "any"]


def test_state_paused_lets_the_next_flow_answer() -> None:
    flows = "flows:\n  a: { when: [dm: hello], state: paused, do: [send: a] }\n  b: { when: [dm], do: [send: b] }\n"
    with _playing(QUIET + flows) as stage:
        assert _says(stage, "hello") == ["b"]
    with _playing(QUIET + flows.replace("  b: { when: [dm], do: [send: b] }\n", "")) as stage:
        assert _says(stage, "hello") == []
        assert _last_verdict(stage) == (
            Verdict.FILTERED,
            "the flow is paused in its file (`state: paused`)",
        )


def test_active_until_includes_its_day_and_counts_in_the_zone() -> None:
    flows = 'flows:\n  a: { when: [dm], active: { from: "2026-12-02 18:00", until: 2026-12-03 }, do: [send: a] }\n'
    with _playing(QUIET + flows, datetime(2026, 12, 2, 17, 59)) as stage:  # noqa: DTZ001 - of the file's zone
        assert _says(stage, "one") == []
        assert "active only from 2026-12-02 18:00 (Europe/Warsaw)" in str(_last_verdict(stage)[1])
        stage.pass_time(timedelta(minutes=1))
        assert _says(stage, "two") == ["a"]
        stage.pass_time(timedelta(hours=29, minutes=58))
        assert _says(stage, "three") == ["a"]
        stage.pass_time(timedelta(minutes=2))
        assert _says(stage, "four") == []
        assert "active only until" in str(_last_verdict(stage)[1])


def test_connections_of_others_are_left_alone() -> None:
    flows = "flows:\n  a: { when: [dm], connections: [NAME], do: [send: a] }\n"
    with _playing(QUIET + flows.replace("NAME", "rose.shop")) as stage:
        assert stage.username == "rose.shop"
        assert _says(stage, "hello") == ["a"]
    two = flows + "  b: { when: [dm], connections: [lily.shop], do: [send: b] }\n"
    with _playing(QUIET + two.replace("NAME", "Rose.Shop")) as stage:
        assert _says(stage, "hello") == ["a"]


def test_per_post_is_once_for_a_person_and_a_post() -> None:
    flows = "flows:\n  a: { when: [comment: price], limits: { per_post: once }, do: [send: a] }\n"
    with _playing(QUIET + flows) as stage:
        anna, ben = stage.people[:2]
        posts = [post.number for post in stage.posts if post.kind in ("post", "reel")][:2]
        for who, post in ((anna, posts[0]), (anna, posts[0]), (anna, posts[1]), (ben, posts[0])):
            stage.comment(who, "price", post=post)
            stage.settle()
        assert _sent(stage) == ["a", "a", "a"]
        assert "per_post once" in str([one.reason for one in stage.happened if isinstance(one, Judged)])


def test_the_next_post_is_bound_once() -> None:
    flows = "flows:\n  a: { when: [comment: { post: next }], limits: { per_person: 1m }, do: [send: a] }\n"
    with _playing(QUIET + flows, next_post=False) as stage:
        who = stage.people[0]
        stage.comment(who, "on an old one")
        stage.settle()
        assert _sent(stage) == []
        for caption in ("First", "Second"):
            stage.publish(caption, MediaKind.POST)
            stage.pass_time(timedelta(minutes=10))
            stage.comment(who, caption)
            stage.settle()
        assert len(_sent(stage)) == 1
        named = [post for post in stage.posts if post.flows]
        assert [(post.caption, post.flows) for post in named] == [("First", ("a",))]
        # Applied anew it stays bound; said no more and said again it waits for the next.
        stage.reload([("shop.yaml", QUIET + flows.replace("send: a", "send: b"))])
        stage.pass_time(timedelta(minutes=10))
        stage.comment(who, "again", post=named[0].number)
        stage.settle()
        assert _sent(stage)[-1] == "b"


def test_limits_runs_and_numbers_follow_a_renamed_flow() -> None:
    flows = "flows:\n  old: { when: [dm: hello], limits: { per_person: once }, do: [{ ask: Who? }, { send: Hi }] }\n"
    new = flows.replace("old: {", "new: { was: old,").replace("send: Hi", "send: Welcome")
    with _playing(QUIET + flows) as stage:
        assert _says(stage, "hello") == ["Who?"]
        assert not stage.reload([("shop.yaml", QUIET + new)]).has_errors
        # In flight: the version that began. Afterwards: once is once.
        assert _says(stage, "Anna", "hello") == ["Hi"]
        verdict, reason = _last_verdict(stage)
        assert (verdict, "per_person once" in str(reason)) == (Verdict.FILTERED, True)
