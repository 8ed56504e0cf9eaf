"""Steps: a row of keys each."""

from collections.abc import Mapping
from typing import cast

from pamosnik.flows import source
from pamosnik.flows.kinds import boolean, kept_items, list_of, mapping_of, name, one_of, text
from pamosnik.flows.near import nearest
from pamosnik.flows.places import of_a_flow
from pamosnik.flows.reader import Json, Key, Read, Reader, Row, is_empty, items
from pamosnik.flows.schema_conditions import conditions
from pamosnik.flows.schema_plain import (
    HAND_OVER,
    NOTIFY_ME,
    REPLY_PUBLICLY,
    WAIT,
    again,
    amounts,
    percent,
    values,
)
from pamosnik.flows.schema_words import (
    METHODS,
    as_written,
    at_least_one,
    emoji_for,
    json_path,
    own_post,
    sent,
    some_time,
    texts,
)
from pamosnik.flows.shapes import Either, ListOf, MappingOf, Ref, shaped
from pamosnik.flows.source import Node, Scalar
from pamosnik.model.step import Accept

BESIDE: Mapping[str, Key] = {
    "id": Key("id", name, "A name for the step, unique in its flow."),
    "at_most": Key("at_most", at_least_one, "Beside `again`: how often it may go back in one run, 1 to 20."),
}
"""What may stand beside the verb of a step."""
_AT_MOST = "Write in the line below it, as far from the left as `again`: at_most: 2"
UNREAD = "?"
"""Stands for a step that could not be read: nobody knows what happens there."""


@shaped(Ref("steps"))
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
        if key.value not in BESIDE:
            verbs.append((key, value))
        elif key.value == "at_most" and "again" not in {one.value for one, _ in node.entries}:
            hint = "It says how often an `again` may go back."
            reader.error(key.mark, "at-most-alone", "`at_most` stands only beside `again`", hint)
            reader.lose(path, value)
        elif (found := BESIDE[key.value].read(reader, value, f"{path}.{key.value}")) is not None:
            beside[key.value] = found
    if not verbs:
        if "at_most" not in {key.value for key, _ in node.entries}:
            reader.error(node.mark, "step-expected", "this step has an id and does nothing")
        return None
    verb, *more = verbs
    if not more:
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
    another_step = second in STEPS
    under = of_a_flow(second) or f"Put it under `{first}:`, two spaces deeper."
    hint = "Begin a new line with `- `." if another_step else under
    if not another_step and (meant := nearest(second, BESIDE)):
        hint = f"Did you mean `{meant}`?"
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
        reader.unknown(verb.mark, "step", kind, STEPS)
        return None
    empty = Scalar("", plain=True, mark=verb.mark)
    if kind == "again" and "at_most" not in beside:
        reader.lose(path)
        if f"{path}.at_most" not in reader.positions:
            message = "`again` needs `at_most:` beside it, how often it may go back"
            reader.error(verb.mark, "missing-key", message, _AT_MOST)
    found = STEPS[kind](reader, empty if value is None else value, path)
    if found is None:
        reader.lose(path, *(() if value is None else (value,)))
        return {"do": kind, **beside}
    return {"do": kind, **beside, **cast("dict[str, Json]", found)}


def _named(key: str, read: Read) -> Row:
    """A step with one value."""
    return Row(key, (Key(key, read, f"The value of `{key}`."),))


@shaped(Either(lambda: (OPTION,)))
def _option(reader: Reader, node: Node, path: str) -> Json:
    found = OPTION(reader, node, path)
    if isinstance(found, dict):
        many = [key for key in ("url", "do", "run") if key in found]
        if len(many) > 1:
            reader.error(node.mark, "two-actions", f"`{many[0]}` and `{many[1]}` exclude each other")
    return found


@shaped(ListOf(shaped(Either(lambda: (_BRANCH, _ELSE)))(as_written)))
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
    if "else" in names or (names & {"if", "do"} and names & STEPS.keys()):
        return _branch_too_full(reader, cast("source.Mapping", node), path)
    if not names & {"if", "do", "else"}:
        message, hint = (
            "a branch begins with `if:` or `else:`",
            "Write it like: - if: first_time, and under it: do: …",
        )
        reader.error(node.mark, "branch-expected", message, hint)
        return None
    return _BRANCH(reader, node, path)


def _branch_too_full(reader: Reader, node: source.Mapping, path: str) -> Json:
    """A branch with a step beside `if`, or with `else` beside anything."""
    for key, value in node.entries:
        if key.value == "else":
            hint = "Begin a new line with `- else:`, and put its steps right below it, without `do:`."
            message = "`else` is a branch of its own"
        elif key.value in STEPS:
            message, hint = (
                f"`{key.value}` is a step; it stands under `do:`",
                f"Write it like: do: [{key.value}: …]",
            )
        else:
            continue
        reader.error(key.mark, "branch-expected", message, hint)
        reader.lose(path, key, value)
    return None


@shaped(MappingOf(shaped(Either(lambda: (_SHARE,)))(as_written), name))
def _split(reader: Reader, node: Node, path: str) -> Json:
    """Ways by their names; in the normal form a list."""
    if not isinstance(node, source.Mapping) or not node.entries:
        message = "the ways of a `split` are expected here, each with a name"
        reader.error(node.mark, "mapping-expected", message, _HOW_TO_SPLIT)
        return None
    found: list[Json] = []
    for key, value in node.entries:
        here = f"{path}.split.{len(found)}"
        named = name(reader, key, f"{here}.name")
        reader.positions[here] = key.mark
        way = _SHARE(reader, value, here)
        if named is None or not isinstance(way, dict):
            reader.lose(path, key, value)
        else:
            found.append({"name": named, **way})
            if here in reader.broken or "share" not in way:
                reader.broken.add(path)
    return {"split": found} if found else None


OPTION: Row = Row(
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
_BRANCH: Row = Row(
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
_HOW_TO_SPLIT = "Write it like: split: { short: { share: 50, do: … }, long: { share: 50, do: … } }"
_SHARE: Row = Row(
    "split",
    (
        Key(
            "share",
            percent,
            "How many of 100 people go this way.",
            required=True,
            if_missing="a way of a `split` needs `share:`, how many of 100 people go there",
        ),
        Key("do", steps, "Steps that follow for them; without it nothing happens on this way."),
    ),
)
_ELSE: Row = Row(
    "else", (Key("else", steps, "Steps of the last branch, when no other holds.", required=True),)
)
_IF_NOT_UNDERSTOOD = Row(
    "if_not_understood",
    (
        Key("say", text, "What is said when an answer does not fit."),
        Key("tries", at_least_one, "How often; default 2."),
        Key(
            "then",
            steps,
            "Steps that follow after the last try; then the next step, unless they end with `stop`.",
        ),
    ),
)
CARD: Row = Row(
    "cards",
    (
        Key(
            "title",
            text,
            "At most 80 characters; something else must stand beside it.",
            required=True,
            if_missing="a card needs a `title:`",
        ),
        Key("subtitle", text, "A second line; at most 80 characters."),
        Key("image", text, "Address of a picture (https)."),
        Key("url", text, "The address that a tap on the card opens."),
        Key("buttons", list_of(_option), "At most 3 buttons."),
    ),
)
AWAITED = ("answer", "tap", "click", "tag")
WAIT_FOR: Row = Row(
    "wait_for",
    (
        Key("answer", one_of("any"), "`any`: whatever they write or tap."),
        Key("tap", text, "The label of a button or chip of this flow; typed counts, too."),
        Key("click", text, "A tracked link: its `name`, or its address."),
        Key("tag", name, "A tag that another flow or a command gives."),
        Key("up_to", some_time, "How long; default 23h."),
        Key(
            "if_not",
            steps,
            "Steps that follow when it does not happen in time, and then the next step, unless they end with"
            " `stop`; without them the run ends there.",
        ),
    ),
)


@shaped(Either(lambda: (WAIT_FOR,)))
def _wait_for(reader: Reader, node: Node, path: str) -> Json:
    found = WAIT_FOR(reader, node, path)
    if not isinstance(found, dict) or path in reader.broken:
        return found
    many = [key for key in AWAITED if key in found]
    if len(many) > 1:
        hint = "Wait for one of them; for both write two steps."
        place = reader.positions[f"{path}.{many[1]}"]
        reader.error(place, "two-awaited", f"`{many[0]}` and `{many[1]}` exclude each other", hint)
    elif not many:
        message = "`wait_for` needs `answer: any`, `tap:`, `click:` or `tag:`"
        reader.error(
            node.mark, "wait-for-what", message, "Write it like: wait_for: { answer: any, up_to: 2h }"
        )
    return found


STEPS: dict[str, Read] = {
    "reply_publicly": REPLY_PUBLICLY,
    "send": Row(
        "send",
        (
            Key("text", text, "The message."),
            Key("one_of", texts, "Variants of the text."),
            Key("buttons", list_of(_option), "At most 3 buttons."),
            Key("chips", list_of(_option), "At most 13 quick replies."),
            Key("image", text, "Address of a picture (https)."),
            Key("images", texts, "Up to 10 pictures."),
            Key("video", text, "Address of a video (https): mp4, mov, webm, ogg or avi."),
            Key("audio", text, "Address of a sound (https): m4a, aac, wav or mp4."),
            Key("file", text, "Address of a PDF (https)."),
            Key("cards", list_of(CARD), "Up to 10 cards, side by side."),
            Key("post", own_post, "Link or id of one of your posts or reels."),
            Key("heart", boolean, "`true`: a heart."),
            Key("typing", some_time, "So long before it the person sees that you are typing; at most 20s."),
            Key("quote", boolean, "`true`: as a reply to the message that started the run."),
            Key(
                "track_links",
                boolean,
                "Whether clicks on its addresses, in buttons, cards and the text, are counted: default `true` when"
                " there is a public address (`PAMOSNIK_PUBLIC_URL`). People then see an address that leads on.",
            ),
        ),
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
            Key("give_up_after", some_time, "How long to wait; default 23h."),
            Key(
                "if_no_answer",
                steps,
                "Steps that follow when nobody answered; then the next step, unless they end with `stop`.",
            ),
        ),
    ),
    "wait": WAIT,
    "wait_for": _wait_for,
    "choose": _branches,
    "split": _split,
    "tag": _named("tag", list_of(name)),
    "untag": _named("untag", list_of(name)),
    "set": values,
    "add": amounts,
    "clear": _named("clear", list_of(name)),
    "give_code": Row(
        "give_code",
        (
            Key(
                "from",
                name,
                "The pool, one of the top-level `codes`.",
                required=True,
                if_missing="`give_code` needs `from:`, the pool of codes",
            ),
            Key("text", text, "The message; `{code}` in it is the code. Without it nothing is sent."),
            Key("if_empty", steps, "Steps instead, when no code is left."),
        ),
    ),
    "goal": _named("goal", name),
    "run": _named("run", name),
    "again": again,
    "stop": Row("stop", (), bare=True),
    "opt_out": Row("opt_out", (), bare=True),
    "forget_me": Row("forget_me", (), bare=True),
    "call": Row(
        "call",
        (
            Key(
                "webhook",
                name,
                "The address, one of the top-level `webhooks`.",
                required=True,
                if_missing="`call` needs `webhook:`, the name of an address",
            ),
            Key("method", one_of(*METHODS), "Default POST."),
            Key(
                "send",
                sent,
                "Names of fields and variables, or JSON with variables in its texts; default: all fields. GET and"
                " DELETE have it in their address, and nothing by default.",
            ),
            Key(
                "save",
                mapping_of(json_path),
                "FIELD: path.in.the.answer; a name that is no field becomes a variable.",
            ),
            Key("timeout", some_time, "How long an attempt may take, 60s at most; default 10s."),
            Key("if_it_fails", steps, "Steps instead, before the next one."),
        ),
    ),
    "notify_me": NOTIFY_ME,
    "react": Row("react", (Key("react", emoji_for("react"), "One emoji."),)),
    "hide_comment": Row("hide_comment", (), bare=True),
    "delete_comment": Row("delete_comment", (), bare=True),
    "hand_over": HAND_OVER,
}
