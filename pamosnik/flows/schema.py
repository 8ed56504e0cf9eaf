"""The flow language: the only place where one of its keys is spelled.

Each trigger, condition and step is a row of keys; `reader` turns nodes into the normal form along these rows: plain
JSON with every short form written out. A new kind of step is one row here and one function in `compile`.
"""

import re
from typing import cast

from pamosnik.flows import source
from pamosnik.flows.reader import (
    Json,
    Key,
    Read,
    Reader,
    Row,
    boolean,
    clock,
    duration,
    duration_range,
    integer,
    is_empty,
    items,
    kept_items,
    list_of,
    mapping_of,
    name,
    one_of,
    seconds,
    text,
)
from pamosnik.flows.source import Node, Scalar
from pamosnik.model.book import Sentence
from pamosnik.model.condition import CameFrom, FieldTest
from pamosnik.model.flow import FlowState, Mode
from pamosnik.model.step import Accept, FieldType, WindowClosed
from pamosnik.model.text import MatchMode

LANGUAGES = ("en", "de", "pl", "es")
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

_texts = list_of(text)


def _word(reader: Reader, node: Node, path: str) -> Json:
    found = text(reader, node, path)
    if isinstance(found, str) and not found.strip("*").strip():
        reader.error(node.mark, "empty-word", "a keyword needs at least one character beside *")
        return None
    return found


_words = list_of(_word)
_MATCH = one_of(*MatchMode)
_WORDS = Key("words", _words, "Keywords or phrases; one of them is enough. A keyword may end in `*`.")
_MATCH_KEY = Key(
    "match", _MATCH, "How to look: `whole_word` (default), `exact`, `starts_with`, `contains`, …"
)
_BUT_NOT = Key("but_not", _words, "Words that forbid a match.")

_POST_LINK = re.compile(r"https?://(?:www\.)?instagram\.com/(?:[\w.]+/)?(?:p|reel|reels|tv)/[\w-]+")


def _posts(reader: Reader, node: Node, path: str) -> Json:
    """`any`, `next`, ids and links."""
    alone = len(items(node)) == 1

    def post(reader: Reader, node: Node, path: str) -> Json:
        written = text(reader, node, path)
        if not isinstance(written, str):
            return None
        if (alone and written in ("any", "next")) or written.isdecimal() or _POST_LINK.match(written):
            return written
        reader.error(
            node.mark,
            "post-expected",
            f"`{written}` names no post",
            "Write `any`, `next` (alone), an id, or a link like https://www.instagram.com/p/ABC/.",
        )
        return None

    return list_of(post)(reader, node, path)


def _tests(reader: Reader, node: Node, path: str) -> Json:
    """Conversations: a list, kept as it stands."""
    if not isinstance(node, source.Sequence):
        reader.error(node.mark, "list-expected", "`tests` is a list")
        return None
    return as_written(reader, node, path)


def _some_time(reader: Reader, node: Node, path: str) -> Json:
    """A duration longer than nothing."""
    found = duration(reader, node, path)
    if found == 0:
        reader.error(node.mark, "no-time", "this is no time at all", "Write it like 90s, 10m, 2h or 3d.")
        return None
    return found


def _at_least_one(reader: Reader, node: Node, path: str) -> Json:
    found = integer(reader, node, path)
    if isinstance(found, int) and not 1 <= found <= 20:
        reader.error(node.mark, "number-expected", "a number from 1 to 20 is expected here")
        return None
    return found


def as_written(_reader: Reader, node: Node, _path: str) -> Json:
    """What another part of Pamosnik reads: kept as it stands."""
    if isinstance(node, Scalar):
        return node.value
    if isinstance(node, source.Sequence):
        return [as_written(_reader, item, _path) for item in node.items]
    return {key.value: as_written(_reader, value, _path) for key, value in node.entries}


# --- triggers --------------------------------------------------------------------------------------------

TRIGGERS: dict[str, Row] = {
    "comment": Row(
        "comment",
        (
            _WORDS,
            _MATCH_KEY,
            _BUT_NOT,
            Key("post", _posts, "`any` (default), `next`, a link, an id, or a list of these."),
            Key("replies", boolean, "Whether replies to comments count too; default `false`."),
        ),
        bare=True,
    ),
    "dm": Row("dm", (_WORDS, _MATCH_KEY, _BUT_NOT), bare=True),
    "story_reply": Row(
        "story_reply",
        (_WORDS, _MATCH_KEY, _BUT_NOT, Key("story", _texts, "Link or id of the story; default any.")),
        bare=True,
    ),
    "story_mention": Row("story_mention", (), bare=True),
    "first_message": Row("first_message", (), bare=True),
    "anything_else": Row("anything_else", (), bare=True),
}
TRIGGER_DOCS = {
    "comment": "Somebody comments on a post, reel or ad.",
    "dm": "A direct message; without words, every message.",
    "story_reply": "An answer to a story.",
    "story_mention": "Somebody mentions you in their story.",
    "first_message": "The first message ever from this person.",
    "anything_else": "A message that nothing else took.",
}
LATER_TRIGGERS = frozenset(
    {
        "live_comment",
        "shared_post",
        "reaction",
        "ice_breaker",
        "menu",
        "link",
        "ad",
        "tag_added",
        "field_set",
        "schedule",
    }
)

# --- conditions ------------------------------------------------------------------------------------------


def _field_test(reader: Reader, node: Node, path: str) -> Json:
    """{test, values} of one field; a value alone is `is`."""
    reader.positions[path] = node.mark
    if not isinstance(node, source.Mapping):
        if isinstance(node, source.Sequence):
            values = _texts(reader, node, path)
            return None if values is None else {"test": FieldTest.ONE_OF.value, "values": values}
        value = text(reader, node, path)
        return None if value is None else {"test": FieldTest.IS.value, "values": [value]}
    if len(node.entries) != 1:
        reader.error(node.mark, "one-test", "one comparison is expected here", "Put several under `all:`.")
        return None
    key, inner = node.entries[0]
    if key.value not in tuple(FieldTest):
        reader.unknown(key.mark, "comparison", key.value, tuple(FieldTest), ())
        return None
    if key.value == FieldTest.KNOWN:
        known = boolean(reader, inner, path)
        return None if known is None else {"test": key.value, "values": ["true" if known else "false"]}
    values = _texts(reader, inner, path)
    if isinstance(values, list) and len(values) > 1 and key.value != FieldTest.ONE_OF:
        reader.error(inner.mark, "one-value", f"`{key.value}` takes one value", "Use `one_of` for several.")
        return None
    return None if values is None else {"test": key.value, "values": values}


def conditions(reader: Reader, node: Node, path: str) -> Json:
    """A list of conditions, all of which must hold. Each is {if: kind, …}."""
    reader.positions[path] = node.mark
    if is_empty(node) or items(node) == ():
        reader.error(node.mark, "empty-list", "a condition is expected here")
        return None
    return kept_items(reader, node, path, _conditions_of_one_item) or None


def _conditions_of_one_item(reader: Reader, node: Node, path: str) -> Json:
    """Several in one mapping mean all of them."""
    if isinstance(node, Scalar):
        return _condition(reader, node, None, path)
    if not isinstance(node, source.Mapping) or not node.entries:
        reader.error(node.mark, "condition-expected", "a condition is expected here")
        return None
    if len(node.entries) == 1:
        return _condition(reader, *node.entries[0], path)
    inner: list[Json] = []
    for key, value in node.entries:
        if key.value not in CONDITIONS and reader.comma_in_braces(node, key, value):
            reader.lose(path, key)
            continue
        found = _condition(reader, key, value, f"{path}.all.{len(inner)}")
        if found is None:
            reader.lose(path, key, value)
        else:
            inner.append(found)
    return {"if": "all", "value": inner}


def _condition(reader: Reader, key: Scalar, value: Node | None, path: str) -> Json:
    kind = key.value
    reader.positions[path] = key.mark
    if kind not in CONDITIONS:
        reader.unknown(key.mark, "condition", kind, CONDITIONS, LATER_CONDITIONS)
        return None
    read = CONDITIONS[kind]
    if value is None or is_empty(value):
        if kind in _BARE_CONDITIONS:
            return {"if": kind, "value": True}
        reader.error(key.mark, "missing-value", f"`{kind}` needs a value")
        return None
    inner = read(reader, value, f"{path}.{kind}")
    return None if inner is None else {"if": kind, "value": inner}


CONDITIONS: dict[str, Read] = {
    "has_tag": name,
    "has_not_tag": name,
    "field": mapping_of(_field_test),
    "text": Row("text", (_WORDS, _MATCH_KEY, _BUT_NOT)),
    "first_time": boolean,
    "window_open": boolean,
    "came_from": list_of(one_of(*CameFrom)),
    "any": conditions,
    "all": conditions,
    "none": conditions,
}
_BARE_CONDITIONS = frozenset({"first_time", "window_open"})
CONDITION_DOCS = {
    "has_tag": "The person has this tag.",
    "has_not_tag": "The person does not have this tag.",
    "field": "A custom field: `NAME: value`, or `NAME: {is, is_not, one_of, contains, more_than, …}`.",
    "text": "What they wrote has one of these words.",
    "first_time": "This person never started this flow before.",
    "window_open": "An ordinary message may be sent to them now.",
    "came_from": "How the run began: `comment`, `dm`, `story`, `link`, `ad`.",
    "any": "At least one of these is true.",
    "all": "All of these are true.",
    "none": "None of these is true.",
}
LATER_CONDITIONS = frozenset({"follows_me", "verified", "followers", "during", "outside"})

# --- steps -----------------------------------------------------------------------------------------------


UNREAD = "?"
"""Stands for a step that could not be read: nobody knows what happens there."""


def steps(reader: Reader, node: Node, path: str) -> Json:
    """A list of steps. Each is {do: kind, …}."""
    reader.positions[path] = node.mark
    if is_empty(node) or items(node) == ():
        reader.error(node.mark, "empty-list", "at least one step is expected here")
        return None
    found: list[Json] = []
    for number, item in enumerate(items(node)):
        step = _step(reader, item, f"{path}.{number}")
        if step is None:
            reader.lose(f"{path}.{number}", item)
        found.append({"do": UNREAD} if step is None else step)
    return found


def _step(reader: Reader, node: Node, path: str) -> Json:
    reader.positions[path] = node.mark
    if isinstance(node, Scalar):
        return _one_step(reader, node, None, path, {})
    if not isinstance(node, source.Mapping) or not node.entries:
        reader.error(node.mark, "step-expected", 'a step is expected here, like `- send: "Hello"`')
        return None
    if node.entries[0][0].value in ("if", "else"):
        return _branch_alone(reader, node, path)
    beside: dict[str, Json] = {}
    verbs: list[tuple[Scalar, Node]] = []
    for key, value in node.entries:
        if key.value != "id":
            verbs.append((key, value))
        elif (found := name(reader, value, f"{path}.id")) is not None:
            beside["id"] = found
    if not verbs:
        reader.error(node.mark, "step-expected", "this step has an id and does nothing")
        return None
    verb, *more = verbs
    if not more or verb[0].value in LATER_STEPS:
        return _one_step(reader, *verb, path, beside)
    return _two_verbs(reader, node, verb, more, path, beside)


def _two_verbs(
    reader: Reader,
    node: source.Mapping,
    verb: tuple[Scalar, Node],
    more: list[tuple[Scalar, Node]],
    path: str,
    beside: dict[str, Json],
) -> Json:
    first, second = verb[0].value, more[0][0].value
    if reader.comma_in_braces(node, *more[0]):
        reader.lose(path, node)
        return {"do": first, **beside} if first in STEPS else None
    another_step = second in STEPS or second in LATER_STEPS
    hint = "Begin a new line with `- `." if another_step else f"Put it under `{first}:`, two spaces deeper."
    reader.error(more[0][0].mark, "two-verbs", f"`{second}` cannot stand beside `{first}`", hint)
    for key, value in more:
        reader.lose(path, key, value)
    if another_step or first not in STEPS:
        return _one_step(reader, *verb, path, beside)
    reader.lose(path, verb[1])
    return {"do": first, **beside}


def _branch_alone(reader: Reader, node: source.Mapping, path: str) -> Json:
    """A branch among the steps, as people write it who forget `choose:`."""
    key = node.entries[0][0]
    reader.error(
        key.mark,
        "choose-missing",
        f"`choose:` is missing above this `{key.value}`",
        "Write `- choose:` above it, and put every `- if:` and `- else:` four spaces deeper.",
    )
    found = _branch(reader, node, f"{path}.choose.0")
    return None if found is None or key.value == "else" else {"do": "choose", "choose": [found]}


def _one_step(reader: Reader, verb: Scalar, value: Node | None, path: str, beside: dict[str, Json]) -> Json:
    kind = verb.value
    if kind not in STEPS:
        reader.unknown(verb.mark, "step", kind, STEPS, LATER_STEPS)
        return None
    empty = Scalar("", plain=True, mark=verb.mark)
    found = STEPS[kind](reader, empty if value is None else value, path)
    if found is None:
        reader.lose(path, *(() if value is None else (value,)))
        return {"do": kind, **beside}
    return {"do": kind, **beside, **cast("dict[str, Json]", found)}


def _named(key: str, read: Read) -> Row:
    """A step with one value."""
    return Row(key, (Key(key, read, f"The value of `{key}`."),))


def _option(reader: Reader, node: Node, path: str) -> Json:
    found = OPTION(reader, node, path)
    if isinstance(found, dict):
        many = [key for key in ("url", "do", "run") if key in found]
        if len(many) > 1:
            reader.error(node.mark, "two-actions", f"`{many[0]}` and `{many[1]}` exclude each other")
    return found


def _branches(reader: Reader, node: Node, path: str) -> Json:
    reader.positions[path] = node.mark
    if is_empty(node) or items(node) == ():
        reader.error(node.mark, "empty-list", "at least one branch is expected here, like `- if: …`")
        return None
    found = kept_items(reader, node, f"{path}.choose", _branch)
    for item in items(node)[:-1]:
        if isinstance(item, source.Mapping) and [key.value for key, _ in item.entries] == ["else"]:
            reader.error(
                item.mark,
                "else-first",
                "`else` must be the last branch: what follows never happens",
            )
    return {"choose": found} if found else None


def _branch(reader: Reader, node: Node, path: str) -> Json:
    if isinstance(node, source.Mapping) and [key.value for key, _ in node.entries] == ["else"]:
        found = steps(reader, node.entries[0][1], f"{path}.else")
        reader.positions[path] = node.mark
        return None if found is None else {"else": found}
    names = {key.value for key, _ in node.entries} if isinstance(node, source.Mapping) else set()
    if not names & {"if", "do", "else"}:
        message, hint = (
            "a branch begins with `if:` or `else:`",
            "Write it like: - if: first_time, and under it: do: …",
        )
        reader.error(node.mark, "branch-expected", message, hint)
        return None
    return _BRANCH(reader, node, path)


def _values(reader: Reader, node: Node, path: str) -> Json:
    found = mapping_of(text)(reader, node, path)
    return None if found is None else {"set": found}


def _days(reader: Reader, node: Node, path: str) -> Json:
    """Weekdays as numbers (Monday 0) and dates as they are."""
    reader.positions[path] = node.mark
    found: list[Json] = []
    if items(node) == ():
        reader.error(node.mark, "empty-list", "days are expected here, and there are none")
        return None
    for item in items(node):
        written = item.value.strip().lower() if isinstance(item, Scalar) else ""
        first, _, last = written.partition(" to ")
        if first in DAYS and (last in DAYS or not last):
            start, end = DAYS.index(first), DAYS.index(last or first)
            found += [(start + ahead) % 7 for ahead in range((end - start) % 7 + 1)]
        elif _is_date(written):
            found.append(written)
        else:
            reader.error(
                item.mark,
                "days-expected",
                "days are expected here",
                "Write them like mon, mon to fri or 2026-12-24.",
            )
            return None
    return found


def _is_date(written: str) -> bool:
    from datetime import date

    try:
        date.fromisoformat(written)
    except ValueError:
        return False
    return True


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
    return found


OPTION = Row(
    "option",
    (
        Key(
            "label",
            text,
            "What stands on it; at most 20 characters.",
            required=True,
            if_missing="this needs a `label:`, what stands on it",
        ),
        Key("url", text, "An https address it opens."),
        Key("name", name, "Name of the link in statistics."),
        Key("do", steps, "Steps that follow when it is tapped."),
        Key("run", name, "The flow that goes on when it is tapped."),
    ),
)
_BRANCH = Row(
    "choose",
    (
        Key(
            "if",
            conditions,
            "Conditions, all of them.",
            required=True,
            if_missing="a branch needs `if:`, the condition (or `else:` in place of both, as the last one)",
        ),
        Key(
            "do",
            steps,
            "Steps that follow when they hold.",
            required=True,
            if_missing="a branch needs `do:`, the steps that follow when the condition holds",
        ),
    ),
)
_IF_NOT_UNDERSTOOD = Row(
    "if_not_understood",
    (
        Key("say", text, "What is said when an answer does not fit."),
        Key("tries", _at_least_one, "How often; default 2."),
        Key("then", steps, "Steps that follow after the last try."),
    ),
)
_LATER_IN_SEND = frozenset(
    {"video", "audio", "file", "cards", "post", "heart", "typing", "quote", "track_links"}
)

STEPS: dict[str, Read] = {
    "reply_publicly": Row(
        "reply_publicly",
        (
            Key("text", text, "The reply."),
            Key("one_of", _texts, "Variants; never the same twice running."),
            Key("wait_first", duration_range, "A pause before it, like `20s to 90s`."),
        ),
    ),
    "send": Row(
        "send",
        (
            Key("text", text, "The message."),
            Key("one_of", _texts, "Variants of the text."),
            Key("buttons", list_of(_option), "At most 3 buttons."),
            Key("chips", list_of(_option), "At most 13 quick replies."),
            Key("image", text, "Address of a picture (https)."),
            Key("images", _texts, "Up to 10 pictures."),
        ),
        later=_LATER_IN_SEND,
    ),
    "ask": Row(
        "ask",
        (
            Key(
                "question",
                text,
                "What is asked.",
                required=True,
                if_missing="`ask` needs `question:`, the text that is asked",
            ),
            Key("save_as", name, "Custom field the answer is kept in."),
            Key("choices", list_of(_option), "Answers to choose from."),
            Key("accept", one_of(*Accept), "What counts as an answer; default the field's type."),
            Key("optional", boolean, "Adds a chip to skip the question."),
            Key("if_not_understood", _IF_NOT_UNDERSTOOD, "What happens when an answer does not fit."),
            Key("give_up_after", _some_time, "How long to wait; default 23h."),
            Key("if_no_answer", steps, "Steps that follow when nobody answered."),
        ),
    ),
    "wait": Row(
        "wait",
        (
            Key("for", _some_time, "How long."),
            Key("until", clock, 'Until the clock shows this, like "09:00".'),
            Key("days", _days, "Days on which `until` counts."),
            Key("zone", text, "Time zone of `until`."),
            Key("if_window_closed", one_of(*WindowClosed), "`skip`, `stop` or `tell_me`."),
        ),
    ),
    "choose": _branches,
    "tag": _named("tag", list_of(name)),
    "untag": _named("untag", list_of(name)),
    "set": _values,
    "clear": _named("clear", list_of(name)),
    "goal": _named("goal", name),
    "run": _named("run", name),
    "stop": Row("stop", (), bare=True),
    "hand_over": Row(
        "hand_over",
        (
            Key("note", text, "For the human who takes over."),
            Key("pause", _some_time, "How long automation stops for this person; default 12h."),
        ),
        bare=True,
    ),
}
STEP_DOCS = {
    "reply_publicly": "Answers the comment that started the run, in public.",
    "send": "Sends a message. Never waits.",
    "ask": "Sends a question and waits for the answer.",
    "wait": "A pause that survives restarts.",
    "choose": "Takes the first branch whose conditions hold.",
    "tag": "Gives tags.",
    "untag": "Takes tags away.",
    "set": "Writes custom fields.",
    "clear": "Empties custom fields.",
    "goal": "Counts a goal.",
    "run": "Goes on in another flow, and does not come back.",
    "stop": "Ends the run here.",
    "hand_over": "A human takes over; automation stops for this person for a while.",
}
LATER_STEPS = frozenset(
    {
        "wait_for",
        "split",
        "add",
        "react",
        "hide_comment",
        "delete_comment",
        "call",
        "give_code",
        "notify_me",
        "again",
        "at_most",
        "opt_out",
        "forget_me",
    }
)

# --- a flow, and the file --------------------------------------------------------------------------------


def _trigger(reader: Reader, node: Node, path: str) -> Json:
    reader.positions[path] = node.mark
    if isinstance(node, source.Mapping) and node.entries:
        (key, value), *more = node.entries
        for one, nothing in more:
            if not reader.comma_in_braces(node, one, nothing):
                message = f"`{one.value}` cannot stand beside `{key.value}`"
                hint = (
                    "Begin a new line with `- `."
                    if one.value in TRIGGERS
                    else f"Put it under `{key.value}:`, two spaces deeper."
                )
                reader.error(one.mark, "two-triggers", message, hint)
            reader.lose(path, one, nothing)
    elif isinstance(node, Scalar):
        key, value = node, Scalar("", plain=True, mark=node.mark)
    else:
        reader.error(node.mark, "trigger-expected", "a trigger is expected here, like `- dm: price`")
        return None
    if key.value not in TRIGGERS:
        reader.unknown(key.mark, "trigger", key.value, TRIGGERS, LATER_TRIGGERS)
        return None
    found = TRIGGERS[key.value](reader, value, path)
    return None if found is None else {"trigger": key.value, **cast("dict[str, Json]", found)}


def _instant(reader: Reader, node: Node, path: str) -> Json:
    """`YYYY-MM-DD` or `YYYY-MM-DD HH:MM`."""
    from datetime import datetime

    reader.positions[path] = node.mark
    written = node.value.strip() if isinstance(node, Scalar) else ""
    for form in ("%Y-%m-%d", "%Y-%m-%d %H:%M"):
        try:
            datetime.strptime(written, form)  # noqa: DTZ007 - the zone comes from the flow
        except ValueError:
            continue
        return written
    reader.error(node.mark, "time-expected", "a date is expected here", 'Write it like "2026-12-24 09:00".')
    return None


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
        Key("from", _instant, "From when it takes anything."),
        Key("until", _instant, "Until when; a date alone includes that day."),
        Key("zone", text, "Time zone of both."),
    ),
)
FLOW = Row(
    "flow",
    (
        Key("title", text, "For people."),
        Key("when", list_of(_trigger), "Triggers, any of them; without it only `run:` starts the flow."),
        Key("only_if", conditions, "Conditions, all of them."),
        Key(
            "do",
            steps,
            "Steps.",
            required=True,
            if_missing="a flow needs `do:`, the steps",
        ),
        Key("limits", _LIMITS, "How often a person may start it."),
        Key(
            "mode",
            one_of(*Mode),
            "When it triggers while this person is in it: `single`, `restart`, `parallel`.",
        ),
        Key("priority", integer, "Higher wins; default 0."),
        Key("active", _ACTIVE, "When it takes anything at all."),
        Key("state", one_of(*FlowState), "`live` (default) or `paused`."),
        Key("connections", _texts, "Usernames; default all of the account's."),
        Key("was", name, "Former id: statistics, runs and limits follow."),
        Key("tests", _tests, "Conversations that show what the flow does."),
    ),
)
_FIELD = Row(
    "field",
    (
        Key(
            "type",
            one_of(*FieldType),
            "The field's type.",
            required=True,
            if_missing="a field needs `type:`, such as text, number or date",
        ),
        Key("choices", _texts, "For `choice`: the values."),
        Key("keep_for", duration, "After this time the value is deleted."),
    ),
)
_HOURS_ENTRY = Row(
    "hours",
    (
        Key("days", _days, "Days."),
        Key("from", clock, "From."),
        Key("to", clock, "To."),
        Key("zone", text, "Time zone."),
    ),
)
_SAFETY = Row(
    "words",
    (
        Key("stop", _words, "More words that mean STOP."),
        Key("start", _words, "More words that mean START."),
        Key("human", _words, "More words that call a human."),
    ),
)


def _version(reader: Reader, node: Node, path: str) -> Json:
    reader.positions[path] = node.mark
    if isinstance(node, Scalar) and node.value == "1":
        return "1"
    message = "this version of Pamosnik reads flow files of version 1"
    reader.error(node.mark, "unknown-word", message, "Write: version: 1")
    return None


def _disclosure(reader: Reader, node: Node, path: str) -> Json:
    if isinstance(node, Scalar) and node.plain and node.value in ("true", "false"):
        reader.positions[path] = node.mark
        return node.value == "true"
    return text(reader, node, path)


def _says(reader: Reader, node: Node, path: str) -> Json:
    return mapping_of(text, one_of(*Sentence))(reader, node, path)


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
        Key("says", _says, "Built-in sentences in your words."),
        Key("fields", mapping_of(_FIELD), "Custom fields a contact can have."),
        Key("hours", mapping_of(list_of(_HOURS_ENTRY)), "Opening hours by name."),
        Key("facts", mapping_of(text), "NAME: text, used as `{NAME}`."),
        Key("words", _SAFETY, "Words for stop, start and human beside the built-in ones."),
        Key("disclosure", _disclosure, "First line of the first automated message; `false` turns it off."),
        Key("flows", mapping_of(FLOW), "The flows."),
        Key("tests", _tests, "Conversations over several flows."),
    ),
    later=frozenset({"codes", "webhooks"}),
)
