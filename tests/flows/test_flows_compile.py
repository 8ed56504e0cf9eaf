"""From a file to steps that know what follows them."""

from datetime import UTC, datetime, timedelta

from pamosnik.flows.compile import compile_settings, version_of
from pamosnik.model.book import FieldSpec, Sentence
from pamosnik.model.condition import FieldCondition, FieldTest, HasTag
from pamosnik.model.flow import ONCE, Mode
from pamosnik.model.step import Accept, Ask, Choose, FieldType, HandOver, Send, Wait, WindowClosed
from pamosnik.model.text import MatchMode, Text, Variable, Words
from pamosnik.model.trigger import AnyPost, CommentTrigger, DmTrigger
from tests.flows.files import compiled, read

_ALL = """\
version: 1
fields: { guests: number }
flows:
  shop:
    when: { dm: hello }
    do:
      - tag: seen
      - send:
          text: "Hi {first_name|there}, {{really}}"
          buttons:
            - label: More
              do: [{ tag: more }, { send: Here }]
            - { label: Open, url: "https://shop.example" }
      - ask:
          question: How many?
          save_as: guests
          choices:
            - { label: "1", do: [{ tag: one }, { tag: single }] }
            - "2"
          if_not_understood: { say: A number please, tries: 1, then: [{ tag: lost }] }
          give_up_after: 90m
          if_no_answer: [{ tag: silent }]
      - choose:
          - if: [{ has_tag: one }]
            do: [{ send: Alone }]
          - else: [{ send: Together }]
      - wait: { until: "09:00", days: mon to wed, if_window_closed: tell_me }
      - hand_over
"""

NEXT = {
    "do.0": "do.1",
    "do.1": "do.2",
    "do.1.buttons.0.do.0": "do.1.buttons.0.do.1",
    "do.1.buttons.0.do.1": None,
    "do.2": "do.3",
    "do.2.choices.0.do.0": "do.2.choices.0.do.1",
    "do.2.choices.0.do.1": "do.3",
    "do.2.if_not_understood.then.0": "do.3",
    "do.2.if_no_answer.0": "do.3",
    "do.3": "do.4",
    "do.3.choose.0.do.0": "do.4",
    "do.3.choose.1.else.0": "do.4",
    "do.4": "do.5",
    "do.5": None,
}


def test_every_step_knows_its_place_and_what_follows() -> None:
    flow = compiled(_ALL)
    assert flow.first == "do.0"
    assert {path: step.at.next for path, step in flow.steps.items()} == NEXT
    assert all(path == step.at.path for path, step in flow.steps.items())


def test_buttons_and_choices_stand_in_one_table() -> None:
    flow = compiled(_ALL)
    assert {path: option.first for path, option in flow.options.items()} == {
        "do.1.buttons.0": "do.1.buttons.0.do.0",
        "do.1.buttons.1": None,
        "do.2.choices.0": "do.2.choices.0.do.0",
        "do.2.choices.1": None,
    }


def test_what_steps_say() -> None:
    steps = compiled(_ALL).steps
    send, ask, choose, wait, human = (steps[f"do.{number}"] for number in range(1, 6))
    assert isinstance(send, Send)
    assert send.message.texts == (Text(("Hi ", Variable("first_name", "there"), ", {really}")),)
    assert isinstance(ask, Ask)
    assert (ask.tries, ask.then, ask.if_no_answer, ask.give_up_after) == (
        1,
        "do.2.if_not_understood.then.0",
        "do.2.if_no_answer.0",
        timedelta(minutes=90),
    )
    assert isinstance(choose, Choose)
    assert [branch.condition for branch in choose.branches] == [HasTag("one"), None]
    assert isinstance(wait, Wait)
    assert (wait.days, wait.if_window_closed) == ((0, 1, 2), WindowClosed.TELL_ME)
    assert isinstance(human, HandOver)
    assert human.pause == timedelta(hours=12)


def _shop(keys: str) -> str:
    return f"version: 1\nfields: {{ day: date }}\nflows:\n  shop:\n{keys}"


def test_an_ask_accepts_what_its_field_holds() -> None:
    flow = compiled(_shop("    do: [{ ask: { question: When?, save_as: day } }]\n"))
    ask = flow.steps["do.0"]
    assert isinstance(ask, Ask)
    assert ask.accept is Accept.DATE


def test_triggers_and_keys_of_a_flow() -> None:
    keys = """\
    title: The shop
    when:
      - comment: { words: [price], match: exact, but_not: refund, post: next, replies: true }
      - dm: [03, no]
    limits: { per_person: once, per_post: once }
    mode: restart
    priority: 3
    active: { from: "2026-12-01 08:00", until: "2026-12-24" }
    connections: rose.shop
    do: [{ goal: bought }]
"""
    flow = compiled(_shop(keys))
    words = Words(("price",), MatchMode.EXACT, ("refund",))
    assert flow.triggers == (
        CommentTrigger(words, AnyPost.NEXT, replies=True),
        DmTrigger(Words(("03", "no"))),
    )
    assert (flow.title, flow.mode, flow.priority, flow.has_goal) == ("The shop", Mode.RESTART, 3, True)
    assert (flow.limits.per_person, flow.limits.per_post) == (ONCE, True)
    assert flow.connections == ("rose.shop",)
    assert flow.active.from_ == datetime(2026, 12, 1, 7, tzinfo=UTC)
    assert flow.active.until == datetime(2026, 12, 24, 23, tzinfo=UTC)


def test_short_and_long_forms_are_the_same_version() -> None:
    short = read(_shop("    when: { dm: price }\n    do: [{ send: Hello }]\n")).flows[0].body
    long = read(_shop("    do: [{ send: { text: Hello } }]\n    when: [{ dm: { words: [price] } }]\n"))
    assert version_of(short) == version_of(long.flows[0].body)


def test_tests_and_the_former_id_do_not_make_a_version() -> None:
    plain = read(_shop("    do: [{ send: Hello }]\n")).flows[0].body
    more = read(_shop("    was: store\n    tests: [{ name: x }]\n    do: [{ send: Hello }]\n")).flows[0].body
    other = read(_shop("    do: [{ send: Hi }]\n")).flows[0].body
    assert version_of(plain) == version_of(more) != version_of(other)


def test_comparisons_of_a_field() -> None:
    steps = '    do: [{ choose: [{ if: { field: { day: { before: "2026-12-24" } } }, do: [stop] }] }]\n'
    choose = compiled(_shop(steps)).steps["do.0"]
    assert isinstance(choose, Choose)
    assert choose.branches[0].condition == FieldCondition("day", FieldTest.BEFORE, ("2026-12-24",))


def test_settings() -> None:
    text = """\
version: 1
timezone: Europe/Warsaw
language: pl
says: { stopped: Bye }
fields: { email: email, size: { type: choice, choices: [S, 03], keep_for: 90d } }
facts: { prices: "https://shop.example" }
words: { human: florist }
disclosure: An assistant writes here.
"""
    loaded = read(text)
    assert loaded.problems == ()
    settings = compile_settings(loaded.settings)
    assert (settings.timezone, settings.language) == ("Europe/Warsaw", "pl")
    assert settings.says == {Sentence.STOPPED: "Bye"}
    assert settings.fields == {
        "email": FieldSpec(FieldType.EMAIL),
        "size": FieldSpec(FieldType.CHOICE, ("S", "03"), 90 * 86_400),
    }
    assert settings.facts == {"prices": "https://shop.example"}
    assert (settings.human_words, settings.stop_words) == (("florist",), ())
    assert settings.disclosure == "An assistant writes here."


def test_facts_stand_in_the_sentences_for_everybody() -> None:
    """They were sent as they are written, braces and all."""
    settings = read(
        "version: 1\nfacts: { shop: Rose }\nsays: { stopped: '{shop} is silent {{now}}.' }\n"
        "disclosure: 'A machine of {shop} writes.'\n"
    ).settings
    compiled_settings = compile_settings(settings)
    assert compiled_settings.says[Sentence.STOPPED] == "Rose is silent {now}."
    assert compiled_settings.disclosure == "A machine of Rose writes."
