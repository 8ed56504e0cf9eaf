"""docs/flow-reference.md, written from the schema: `python -m pamosnik.flows.reference > docs/flow-reference.md`."""

import sys
from collections.abc import Iterable, Mapping

from pamosnik.flows import (
    kinds,
    schema,
    schema_conditions,
    schema_steps,
    schema_tests,
    schema_triggers,
)
from pamosnik.flows.reader import Key, Row
from pamosnik.flows.step_docs import STEP_DOCS

_HEAD = """\
# Flow reference

Written from the schema by `python -m pamosnik.flows.reference`; do not edit.

The first key of each table is the short form: where a mapping is expected, a single value (or a list) is the value of
that key. `- send: "Hello"` is `- send: { text: "Hello" }`.
"""


def _flow(step: str, *, trigger: str = "dm: hello", head: str = "") -> str:
    top = f"version: 1\n{head}flows:\n  example:\n    when:\n      - {trigger}\n"
    return f"{top}    limits: {{ per_person: 1h }}\n    do:\n{step}"


_SEND = '      - send: "Hello!"\n'
_GUESTS = "fields: { guests: number }\n"

EXAMPLES: Mapping[str, str] = {
    "comment": _flow(_SEND, trigger='comment: { words: [price, "how much"], post: any }'),
    "live_comment": _flow(_SEND, trigger="live_comment: price"),
    "dm": _flow(_SEND, trigger='dm: [book, "reserv*"]'),
    "story_reply": _flow(_SEND, trigger='story_reply: { words: ["🔥"] }'),
    "story_mention": _flow(_SEND, trigger="story_mention"),
    "shared_post": _flow(_SEND, trigger="shared_post: { post: any }"),
    "reaction": _flow(_SEND, trigger="reaction: [❤️, 🔥]"),
    "link": _flow(_SEND, trigger="link: flyer7"),
    "ad": _flow(_SEND, trigger='ad: "23850000000000001"'),
    "tag_added": _flow(_SEND, trigger="tag_added: customer", head="").replace(
        "    do:", "    only_if: window_open\n    do:"
    )
    + "  other:\n    when: { dm: bought }\n    do:\n      - tag: customer\n",
    "field_set": _flow("      - tag: known\n", trigger="field_set: email", head="fields: { email: email }\n")
    + '  other:\n    when: { dm: news }\n    do:\n      - ask: { question: "Your e-mail?", save_as: email }\n',
    "ice_breaker": _flow(_SEND, trigger="ice_breaker: Do you ship abroad?"),
    "menu": _flow(_SEND, trigger="menu: Opening hours"),
    "first_message": _flow(_SEND, trigger="first_message"),
    "anything_else": _flow(_SEND, trigger="anything_else"),
    "schedule": _flow(
        _SEND,
        trigger='schedule: { days: mon to fri, at: "09:00", audience: [has_not_tag: customer] }',
    ),
    "reply_publicly": _flow(
        '      - reply_publicly: { one_of: ["Sent!", "Look in your messages!", "On its way!"] }\n' + _SEND,
        trigger="comment: price",
    ),
    "send": _flow(
        '      - send:\n          text: "Tap and it is yours."\n          buttons:\n'
        '            - label: Send it\n              do:\n                - send: "Here you are."\n'
    ),
    "ask": _flow(
        '      - ask: { question: "How many of you?", save_as: guests, choices: [1, 2, 3] }\n', head=_GUESTS
    ),
    "wait": _flow('      - wait: { for: 2h }\n      - send: "Any question?"\n'),
    "wait_for": _flow(
        _SEND + "      - wait_for: { answer: any, up_to: 2h, if_not: [stop] }\n"
        '      - send: "Thank you for writing."\n'
    ),
    "choose": _flow(
        "      - choose:\n          - if: { field: { guests: { more_than: 4 } } }\n            do:\n"
        '              - send: "A big group!"\n          - else:\n              - send: "Noted."\n',
        head=_GUESTS,
    ),
    "split": _flow(
        '      - split:\n          short: { share: 50, do: [{ send: "Tap and it is yours." }] }\n'
        '          long: { share: 50, do: [{ send: "Hello! Everything about it is in this list." }] }\n'
    ),
    "tag": _flow("      - tag: customer\n"),
    "untag": _flow("      - untag: customer\n"),
    "set": _flow('      - set: { guests: "2" }\n', head=_GUESTS),
    "add": _flow("      - add: { points: 5, left: -1 }\n", head="fields: { points: number, left: number }\n"),
    "clear": _flow("      - clear: guests\n", head=_GUESTS),
    "give_code": _flow(
        '      - give_code:\n          from: spring\n          text: "Your code: {code}"\n'
        '          if_empty:\n            - send: "All codes are gone."\n',
        head="codes:\n  spring: { file: codes.csv, warn_me_below: 20 }\n",
    ),
    "goal": _flow("      - goal: booked\n"),
    "run": _flow("      - run: other\n") + '  other:\n    do:\n      - send: "Here I go on."\n',
    "again": _flow(
        '      - id: size\n        ask: { question: "Which size?", save_as: size }\n      - choose:\n'
        "          - if: { field: { size: { is_not: large } } }\n            do:\n"
        "              - again: size\n                at_most: 2\n",
        head="fields: { size: text }\n",
    ),
    "stop": _flow(_SEND + "      - stop\n"),
    "opt_out": _flow("      - opt_out\n"),
    "call": _flow(
        "      - call:\n          webhook: shop\n          send: [guests]\n"
        "          save: { discount: customer.discount }\n"
        '          if_it_fails:\n            - send: "I look it up and write to you."\n            - stop\n'
        '      - send: "Your discount: {discount|none}"\n',
        head=f'webhooks:\n  shop: {{ url: "https://shop.example/hook", secret_from: FLOW_SHOP_KEY }}\n{_GUESTS}',
    ),
    "notify_me": _flow('      - notify_me: "{first_name|Somebody} wants a cake for {text|?}"\n'),
    "react": _flow("      - react: ❤️\n" + _SEND),
    "hide_comment": _flow(
        "      - hide_comment\n", trigger='comment: { words: ["http*"], match: starts_with }'
    ),
    "delete_comment": _flow("      - delete_comment\n", trigger="comment: casino"),
    "forget_me": _flow("      - forget_me\n" + '      - send: "Nothing was deleted."\n'),
    "hand_over": _flow('      - hand_over: { note: "wants a person", pause: 12h }\n'),
}
"""A small valid file for every trigger and step."""

_LISTED: Mapping[str, Row] = {
    "wait_for": schema_steps.WAIT_FOR,
    "tag": Row("tag", (Key("tag", kinds.name, "Names of tags."),)),
    "untag": Row("untag", (Key("untag", kinds.name, "Names of tags."),)),
    "set": Row("set", (Key("FIELD", kinds.text, "The new value; variables are filled in."),)),
    "add": Row("add", (Key("FIELD", kinds.text, "The number to add, like 5, -1 or 0.50."),)),
    "again": Row(
        "again",
        (
            Key("again", kinds.name, "The `id` of an earlier step.", required=True),
            Key(
                "at_most",
                schema_steps.BESIDE["at_most"].read,
                "Beside it: how often, 1 to 20.",
                required=True,
            ),
        ),
    ),
    "split": Row(
        "split", (Key("NAME", kinds.text, "One way: `share`, whole numbers that add up to 100, and `do`."),)
    ),
    "clear": Row("clear", (Key("clear", kinds.name, "Names of fields."),)),
    "choose": Row(
        "choose",
        (
            Key("if", schema_conditions.conditions, "Conditions of a branch, all of them."),
            Key("do", schema_steps.steps, "Steps of that branch."),
            Key("else", schema_steps.steps, "Steps of the last branch, when no other holds."),
        ),
    ),
}


def reference() -> str:
    """The whole page."""
    parts = [_HEAD]
    parts.append(_section("Top level", schema.FILE.keys))
    parts.append(_section("Hours, each a list of these", schema.HOURS.keys))
    parts.append(_section("A flow", schema.FLOW.keys))
    parts.append("## Triggers\n")
    parts += [
        _part(name, schema_triggers.TRIGGER_DOCS[name], row) for name, row in schema_triggers.TRIGGERS.items()
    ]
    parts.append("## Conditions\n\n| condition | true when |\n|---|---|")
    parts[-1] += (
        "".join(
            f"\n| `{name}` | {schema_conditions.CONDITION_DOCS[name]} |"
            for name in schema_conditions.CONDITIONS
        )
        + "\n"
    )
    parts.append("## Steps\n")
    for name, read in schema_steps.STEPS.items():
        row = _LISTED.get(name) or (read if isinstance(read, Row) else None)
        parts.append(_part(name, STEP_DOCS[name], row))
    parts.append(_section("Buttons, chips and choices", schema_steps.OPTION.keys))
    parts.append(_section("Tests, each a list of these", schema_tests.TEST.keys))
    parts.append(_section("The person of a test", schema_tests.PERSON.keys))
    rows = "".join(f"\n| `{name}` | {doc} |" for name, doc in schema_tests.TEST_STEP_DOCS.items())
    parts.append(f"## Steps of a test\n\n| step | meaning |\n|---|---|{rows}\n")
    parts.append(_section("What a test expects", schema_tests.EXPECT.keys))
    return "\n".join(parts)


def _section(title: str, keys: Iterable[Key]) -> str:
    return f"## {title}\n\n{_table(keys)}\n"


def _part(name: str, doc: str, row: Row | None) -> str:
    table = "" if row is None or not row.keys else f"\n{_table(row.keys)}\n"
    return f"### `{name}`\n\n{doc}\n{table}\n```yaml\n{EXAMPLES[name]}```\n"


def _table(keys: Iterable[Key]) -> str:
    rows = "".join(f"\n| `{key.name}`{' (required)' if key.required else ''} | {key.doc} |" for key in keys)
    return f"| key | meaning |\n|---|---|{rows}"


if __name__ == "__main__":
    sys.stdout.write(reference())
