"""The reference of the flow language in Markdown, made from `schema`, so that it cannot say anything else.

`python -m pamosnik.flows.reference` prints it. Every row has an example; `examples` gives each of them as a whole
file, which a test loads. A row without an example is a KeyError here, and so cannot be forgotten.
"""

import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from textwrap import indent

from pamosnik.flows import schema
from pamosnik.flows.reader import Key, Read, Row

_INTRODUCTION = """\
# Flow reference

Every key of a flow file that this version of Pamosnik knows. A word or a list where several keys could stand is the
value of the **first** key of its table: `send: "Hello"` is `send: { text: "Hello" }`. One thing where a list is
expected is a list of one. Durations are written `90s`, `10m`, `2h`, `3d` or `1h30m`, clock times in quotes: `"09:00"`.
"""


@dataclass(frozen=True, slots=True)
class Example:
    name: str
    """`step send`, `flow key limits`: what it shows."""
    shown: str
    """As it stands in the reference."""
    file: str
    """The same inside a whole flow file."""


_FIELDS = """\
fields:
  day: date
  guests: number
"""

_TRIGGERS = {
    "comment": '- comment: { words: [price, "cen*"], but_not: [refund], post: any }',
    "dm": '- dm: [book, "book a table"]',
    "story_reply": "- story_reply: { words: [love], match: whole_word }",
    "story_mention": "- story_mention",
    "first_message": "- first_message",
    "anything_else": "- anything_else",
}

_CONDITIONS = {
    "has_tag": "- has_tag: customer",
    "has_not_tag": "- has_not_tag: customer",
    "field": "- field: { guests: { more_than: 4 } }",
    "text": "- text: { words: [today, tomorrow] }",
    "first_time": "- first_time",
    "window_open": "- window_open",
    "came_from": "- came_from: [dm, story]",
    "any": "- any:\n    - has_tag: customer\n    - first_time",
    "all": "- all:\n    - has_tag: customer\n    - window_open",
    "none": "- none:\n    - has_tag: customer",
}

_STEPS = {
    "reply_publicly": """\
- reply_publicly:
    one_of:
      - "Just sent it to your messages!"
      - "Have a look in your DMs."
      - "It is on its way."
    wait_first: 20s to 90s""",
    "send": """\
- send:
    text: "Hi {first_name|there}! Which one?"
    buttons:
      - label: Our prices
        url: "https://shop.example/prices"
      - label: Ask me
        do:
          - send: "What would you like to know?\"""",
    "ask": """\
- ask:
    question: "How many of you?"
    save_as: guests
    if_not_understood: { say: "A number, please.", tries: 2 }
    give_up_after: 2h
    if_no_answer:
      - tag: no-answer""",
    "wait": "- wait: { for: 3h, if_window_closed: skip }",
    "choose": """\
- choose:
    - if: { has_tag: customer }
      do:
        - send: "Welcome back!"
    - else:
        - send: "Nice to meet you!\"""",
    "tag": "- tag: customer",
    "untag": "- untag: [customer, waiting]",
    "set": "- set: { guests: 2 }",
    "clear": "- clear: guests",
    "goal": "- goal: booked",
    "run": "- run: other",
    "stop": "- stop",
    "hand_over": '- hand_over: { note: "{username|somebody} wants to talk", pause: 12h }',
}

_FLOW_KEYS = {
    "title": "title: Take bookings",
    "when": "when:\n  - dm: book",
    "only_if": "only_if:\n  - has_not_tag: customer",
    "do": 'do:\n  - send: "Hello!"',
    "limits": "limits: { per_person: 24h }",
    "mode": "mode: restart",
    "priority": "priority: 10",
    "active": 'active: { from: "2026-12-01 08:00", until: "2026-12-24" }',
    "state": "state: paused",
    "connections": "connections: [rose.shop]",
    "was": "was: bookings",
    "tests": 'tests:\n  - name: says hello\n    steps:\n      - dm: book\n      - expect: { dm: "Hello!" }',
}

_FILE_KEYS = {
    "version": "version: 1",
    "timezone": "timezone: Europe/Warsaw",
    "language": "language: pl",
    "says": 'says:\n  not_understood: "Sorry, I did not get that."',
    "fields": "fields:\n  email: email\n  guests: { type: number, keep_for: 90d }\n"
    "  size: { type: choice, choices: [S, M, L] }",
    "hours": 'hours:\n  open:\n    - { days: mon to fri, from: "09:00", to: "17:00" }',
    "facts": 'facts:\n  prices: "https://shop.example/prices"',
    "words": "words:\n  human: [florist]",
    "disclosure": 'disclosure: "This is the shop\'s automatic assistant."',
    "flows": 'flows:\n  hello:\n    when: first_message\n    do:\n      - send: "Hello!"',
    "tests": "tests:\n  - name: says hello\n    steps:\n      - dm: hello",
}

_OTHER_FLOW = """\
  other:
    do:
      - tag: customer
      - send: "Hello again!"
"""


def reference() -> str:
    """The whole page."""
    parts = [
        _INTRODUCTION,
        _row_section("## The file", schema.FILE, _FILE_KEYS),
        "\n".join(["## Entries of the file", "", *_tables(_ENTRIES)]),
        _row_section("## A flow", schema.FLOW, _FLOW_KEYS),
        _kinds("## Triggers (`when`)", schema.TRIGGERS, schema.TRIGGER_DOCS, _TRIGGERS),
        _kinds("## Conditions (`only_if`, `if`)", schema.CONDITIONS, schema.CONDITION_DOCS, _CONDITIONS),
        _kinds("## Steps (`do`)", schema.STEPS, schema.STEP_DOCS, _STEPS),
        "\n".join(["## Inside steps", "", *_tables(_INSIDE_STEPS)]),
        _later(),
    ]
    return "\n".join(parts)


_ENTRIES: tuple[tuple[str, Row], ...] = (
    ("An entry of `fields`", schema._FIELD),
    ("An entry of `hours`", schema._HOURS_ENTRY),
)
_INSIDE_STEPS: tuple[tuple[str, Row], ...] = (
    ("An entry of `buttons`, `chips` and `choices`", schema._OPTION),
    ("An entry of `choose`; `else: [steps]` may be the last", schema._BRANCH),
)


# --- sections --------------------------------------------------------------------------------------------


def _row_section(title: str, row: Row, shown: Mapping[str, str]) -> str:
    lines = [title, "", *_table(row.keys)]
    for key in row.keys:
        lines += [f"### `{key.name}`", "", _full_stop(key.doc), ""]
        if isinstance(key.read, Row):
            lines += _table(key.read.keys)
        lines += _yaml(shown[key.name])
    return "\n".join(lines)


def _kinds(title: str, rows: Mapping[str, Read], docs: Mapping[str, str], shown: Mapping[str, str]) -> str:
    lines = [title, ""]
    for name, read in rows.items():
        lines += [f"### `{name}`", "", docs[name], ""]
        if isinstance(read, Row) and [key.name for key in read.keys] != [name]:
            lines += _table(read.keys)
            lines += _inner_tables(read)
        lines += _yaml(shown[name])
    return "\n".join(lines)


def _inner_tables(row: Row) -> list[str]:
    return _tables((f"`{key.name}`", key.read) for key in row.keys if isinstance(key.read, Row))


def _tables(titled: Iterable[tuple[str, Row]]) -> list[str]:
    return [line for title, row in titled for line in (f"{title}:", "", *_table(row.keys))]


def _table(keys: tuple[Key, ...]) -> list[str]:
    if not keys:
        return []
    rows = [f"| `{key.name}` | {_cell(key)} |" for key in keys]
    return ["| key | meaning |", "|---|---|", *rows, ""]


def _cell(key: Key) -> str:
    doc = _full_stop(key.doc).replace("|", "\\|")
    return f"{doc} Required." if key.required else doc


def _full_stop(doc: str) -> str:
    return doc if doc.endswith((".", "…", "?")) else f"{doc}."


def _yaml(shown: str) -> list[str]:
    return ["```yaml", shown, "```", ""]


def _later() -> str:
    groups = (
        ("At the top", schema.FILE.later),
        ("Triggers", schema.LATER_TRIGGERS),
        ("Conditions", schema.LATER_CONDITIONS),
        ("Steps", schema.LATER_STEPS),
        ("In `send`", _later_in_send()),
    )
    lines = ["## Not available yet", "", "Part of the flow language, and an error in this version:", ""]
    for title, names in groups:
        lines.append(f"- {title}: {', '.join(f'`{name}`' for name in sorted(names))}")
    return "\n".join([*lines, ""])


def _later_in_send() -> frozenset[str]:
    send = schema.STEPS["send"]
    assert isinstance(send, Row)
    return send.later


# --- examples as files -----------------------------------------------------------------------------------


def examples() -> Iterator[Example]:
    """Every example of the reference inside a file that is valid as it stands."""
    for key in schema.FILE.keys:
        yield _example("file key", key.name, _FILE_KEYS, _in_file(_FILE_KEYS[key.name], key.name))
    for key in schema.FLOW.keys:
        yield _example("flow key", key.name, _FLOW_KEYS, _in_flow({key.name: _FLOW_KEYS[key.name]}))
    for name in schema.TRIGGERS:
        yield _example("trigger", name, _TRIGGERS, _in_flow({"when": _under("when", _TRIGGERS[name])}))
    for name in schema.CONDITIONS:
        body = {"only_if": _under("only_if", _CONDITIONS[name])}
        yield _example("condition", name, _CONDITIONS, _in_flow(body))
    for name in schema.STEPS:
        yield _example("step", name, _STEPS, _in_flow(_flow_with_step(name)))


def _example(kind: str, name: str, shown: Mapping[str, str], file: str) -> Example:
    return Example(f"{kind} {name}", shown[name], file)


def _in_file(shown: str, name: str) -> str:
    version = "" if name == "version" else "version: 1\n"
    return f"{version}{shown}\n"


def _flow_with_step(name: str) -> dict[str, str]:
    """A public reply needs a comment to answer; everything else is begun by a message."""
    body = {"do": _under("do", _STEPS[name])}
    return {"when": "when:\n  - comment: price", **body} if name == "reply_publicly" else body


def _under(key: str, item: str) -> str:
    return f"{key}:\n{indent(item, '  ')}"


def _in_flow(keys: Mapping[str, str]) -> str:
    """A file with one flow that has these keys, and plain ones where they are needed."""
    body = {
        "when": "when:\n  - dm: hello",
        "do": 'do:\n  - send: "Hello!"',
        "limits": "limits: { per_person: 24h }",
        **keys,
    }
    inside = indent("\n".join(body.values()), "    ")
    return f"version: 1\n{_FIELDS}flows:\n{_OTHER_FLOW}  example:\n{inside}\n"


if __name__ == "__main__":
    sys.stdout.write(reference())
