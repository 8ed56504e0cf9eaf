"""The flow language: the only place where one of its keys is spelled.

Each trigger, condition and step is a row of keys in a module of its own (`schema_triggers`, `schema_conditions`,
`schema_steps`); `reader` turns nodes into the normal form along these rows: plain JSON with every short form written
out. A new kind of step is one row there and one function in `compile_steps`.
"""

from pamosnik.flows.durations import seconds
from pamosnik.flows.kinds import (
    MEANT,
    boolean,
    clock,
    duration,
    integer,
    list_of,
    mapping_of,
    name,
    one_of,
    text,
)
from pamosnik.flows.reader import Json, Key, Reader, Row
from pamosnik.flows.schema_conditions import conditions
from pamosnik.flows.schema_steps import steps
from pamosnik.flows.schema_tests import tests
from pamosnik.flows.schema_triggers import trigger
from pamosnik.flows.schema_words import at_least_one_code, days, instant, texts, words
from pamosnik.flows.shapes import Either, Words, Written, shaped
from pamosnik.flows.source import Node, Scalar
from pamosnik.model.book import Sentence
from pamosnik.model.flow import FlowState, Mode
from pamosnik.model.step import FieldType

LANGUAGES = ("en", "de", "pl", "es")


@shaped(Either(lambda: (one_of("once"), duration)))
def _once(reader: Reader, node: Node, path: str) -> Json:
    reader.positions[path] = node.mark
    if isinstance(node, Scalar) and node.value == "once":
        return "once"
    found = seconds(node.value) if isinstance(node, Scalar) else None
    if found is None:
        written = node.value.strip() if isinstance(node, Scalar) else ""
        hint = (
            f"Write it like {written}h."
            if written.isdecimal()
            else "Write once, or a time like 90m, 24h or 7d."
        )
        reader.error(node.mark, "limit-expected", "`once` or a time such as 24h is expected here", hint)
    if found == 0:
        reader.error(node.mark, "no-time", "this is no time at all", "Without a limit take the line out.")
        return None
    return found


@shaped(Written(r"^([01]?\d|2[0-3]):[0-5]\d$", ("17:00",)))
def _to(reader: Reader, node: Node, path: str) -> Json:
    if isinstance(node, Scalar) and node.value == "24:00":
        reader.positions[path] = node.mark
        message = "the end of a day is the beginning of the next one"
        reader.error(node.mark, "clock-expected", message, 'Write "00:00", or take `to` out.')
        return None
    return clock(reader, node, path)


_LIMITS = Row(
    "limits",
    (
        Key("per_person", _once, "`once`, or a cool-down such as 24h."),
        Key("per_post", one_of("once"), "`once`: once per person and post."),
    ),
)
_ACTIVE = Row(
    "active",
    (
        Key("from", instant, "From when it takes anything."),
        Key("until", instant, "Until when; a date alone includes that day."),
        Key("zone", text, "Time zone of both."),
    ),
)
FLOW = Row(
    "flow",
    (
        Key("title", text, "For people."),
        Key("when", list_of(trigger), "Triggers, any of them; without it only `run:` starts the flow."),
        Key("only_if", conditions, "Conditions, all of them."),
        Key("limits", _LIMITS, "How often a person may start it."),
        Key(
            "mode",
            one_of(*Mode),
            "When it triggers while this person is in it: `single`, `restart`, `parallel`.",
        ),
        Key("priority", integer, "Higher wins; default 0."),
        Key("active", _ACTIVE, "When it takes anything at all."),
        Key("state", one_of(*FlowState), "`live` (default) or `paused`."),
        Key("connections", texts, "Usernames; default all of the account's."),
        Key("was", name, "Former id: statistics, runs and limits follow."),
        Key(
            "do",
            steps,
            "Steps.",
            required=True,
            if_missing="a flow needs `do:`, the steps",
        ),
        Key("tests", tests, "Conversations that show what the flow does."),
    ),
)


@shaped(Words(tuple(map(str, FieldType))))
def _field_type(reader: Reader, node: Node, path: str) -> Json:
    if isinstance(node, Scalar) and node.value.lower() in ("bool", "boolean", "yes/no", "checkbox"):
        reader.positions[path] = node.mark
        hint = "For yes or no use a tag: `tag: NAME` and `has_tag: NAME`."
        reader.error(node.mark, "unknown-word", f"there is no field of the type `{node.value}`", hint)
        return None
    return one_of(*FieldType)(reader, node, path)


_FIELD = Row(
    "field",
    (
        Key(
            "type",
            _field_type,
            "The field's type.",
            required=True,
            if_missing="a field needs `type:`, such as text, number or date",
        ),
        Key("choices", texts, "For `choice`: the values."),
        Key("keep_for", duration, "After this time the value is deleted."),
    ),
)
HOURS = Row(
    "hours",
    (
        Key("days", days, "Weekdays, `mon to fri`, dates, or a list of these; without them every day."),
        Key("from", clock, "From when; without it from the beginning of the day."),
        Key("to", _to, "Until when; before `from` it is on the next day; without it until the day ends."),
        Key("zone", text, "Time zone; default the file's `timezone`, or the account's."),
    ),
)
_SAFETY = Row(
    "words",
    (
        Key("stop", words, "More words that mean STOP."),
        Key("start", words, "More words that mean START."),
        Key("human", words, "More words that call a human."),
    ),
)

_CODES = Row(
    "codes",
    (
        Key(
            "file",
            text,
            "One code per line, or a table with a column `code` (CSV); the path counts from the flow file.",
            required=True,
            if_missing="a pool of codes needs `file:`, the file that holds them",
        ),
        Key("warn_me_below", at_least_one_code, "You are told when fewer are left; default: when none is."),
    ),
)

_WEBHOOK = Row(
    "webhooks",
    (
        Key("url", text, "Its https address; facts are filled in."),
        Key("url_from", text, "In place of `url`: variable of the environment that holds it, `FLOW_…`."),
        Key("secret_from", text, "Variable of the environment that holds what signs the calls, `FLOW_…`."),
        Key("allow_private", boolean, "May it be in a private network, or be http? Default false."),
    ),
)


@shaped(Words(("1",)))
def _version(reader: Reader, node: Node, path: str) -> Json:
    reader.positions[path] = node.mark
    if isinstance(node, Scalar) and node.value == "1":
        return "1"
    message = "this version of Pamosnik reads flow files of version 1"
    reader.error(node.mark, "unknown-word", message, "Write: version: 1")
    return None


@shaped(Either(lambda: (boolean, text)))
def _disclosure(reader: Reader, node: Node, path: str) -> Json:
    if isinstance(node, Scalar) and node.plain and node.value in ("true", "false"):
        reader.positions[path] = node.mark
        return node.value == "true"
    meant = {word for words in MEANT.values() for word in words}
    if isinstance(node, Scalar) and node.plain and node.value.strip().lower() in meant:
        return boolean(reader, node, path)
    return text(reader, node, path)


FILE = Row(
    "file",
    (
        Key(
            "version",
            _version,
            "Of the flow language: `1`.",
            required=True,
            if_missing="a flow file needs the line `version: 1`; put it at the top",
        ),
        Key("timezone", text, "IANA name; default the account's."),
        Key("language", one_of(*LANGUAGES), "Of built-in sentences and of dates."),
        Key(
            "says",
            mapping_of(text, one_of(*Sentence)),
            "Built-in sentences in your words; facts are filled in.",
        ),
        Key("fields", mapping_of(_FIELD), "Custom fields a contact can have."),
        Key(
            "hours",
            mapping_of(list_of(HOURS)),
            "Hours by name, for `during` and `outside`; holidays are hours of their own.",
        ),
        Key("facts", mapping_of(text), "NAME: text, used as `{NAME}`."),
        Key("words", _SAFETY, "Words for stop, start and human beside the built-in ones."),
        Key(
            "disclosure",
            _disclosure,
            "First line of the first automated message; facts are filled in; `false` turns it off.",
        ),
        Key("webhooks", mapping_of(_WEBHOOK), "Addresses for `call`, by name."),
        Key("codes", mapping_of(_CODES), "Pools of codes for `give_code`, by name."),
        Key("flows", mapping_of(FLOW), "The flows."),
        Key("tests", tests, "Conversations over several flows."),
    ),
)
