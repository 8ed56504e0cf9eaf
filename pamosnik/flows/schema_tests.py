"""Tests in flow files: conversations, each a list of what happens and of what is expected then."""

import re
from typing import cast

from pamosnik.flows import source
from pamosnik.flows.kinds import boolean, kept_items, list_of, mapping_of, name, one_of, text
from pamosnik.flows.reader import Json, Key, Read, Reader, Row, is_empty, items
from pamosnik.flows.schema_words import as_written, instant, json_value, some_time
from pamosnik.flows.shapes import Either, ListOf, Ref, Written, shaped
from pamosnik.flows.source import Node, Scalar

_FOLLOWS = one_of("true", "false", "unknown")
_NAMES = list_of(name)

PERSON = Row(
    "person",
    (
        Key("username", text, "Their username."),
        Key("name", text, "Their name."),
        Key("follows", _FOLLOWS, "Whether they follow you: `true`, `false`, `unknown`."),
        Key("tags", _NAMES, "Tags they have."),
        Key("fields", mapping_of(text), "Custom fields they have."),
    ),
)


@shaped(text.shape)
def _a_code(reader: Reader, node: Node, path: str) -> Json:
    """Beside `completed: true` and its like people write `code: true`."""
    found = text(reader, node, path)
    return "any" if found == "true" else found


_COMMENT = (
    Key("text", text, "What they write.", required=True),
    Key("post", text, "Link or id of the post."),
)
_MESSAGE = (Key("text", text, "What they write."), Key("image", text, "Address of a picture they send."))
EXPECT = Row(
    "expect",
    (
        Key("dm", text, "A message to them; `*` stands for anything, `any` takes every message."),
        Key("public_reply", text, "An answer to their comment, likewise."),
        Key("nothing", boolean, "`true`: neither."),
        Key("tag", _NAMES, "A tag they have now."),
        Key("no_tag", _NAMES, "A tag they do not have now."),
        Key("field", mapping_of(text), "NAME: value of a custom field now."),
        Key("completed", boolean, "Whether their run is completed."),
        Key("waiting", boolean, "Whether their run waits for them."),
        Key("handed_over", boolean, "Whether a human took over."),
        Key("code", _a_code, "A code they were given; `any` takes every code, and so does `true`."),
        Key("called", _NAMES, "A webhook that was called."),
    ),
)


def _number_like(pattern: str, hint: str) -> Read:
    """A number of Meta's or of HTTP, as it is written."""

    @shaped(Written(f"^\\s*{pattern}\\s*$", or_number=True))
    def read(reader: Reader, node: Node, path: str) -> Json:
        found = text(reader, node, path)
        if isinstance(found, str) and not re.fullmatch(pattern, found.strip()):
            reader.error(node.mark, "number-expected", f"`{found}` is no such number", hint)
            return None
        return found.strip() if isinstance(found, str) else None

    return read


_meta_error = _number_like(r"\d{1,9}(/\d{1,9})?", "Write it like 10, or 10/2534022 with the subcode.")
_subcode = _number_like(r"\d{1,9}", "Write it like 2534022.")
_status = _number_like(r"[1-5]\d\d", "Write it like 200 or 500.")
_ERROR = Row(
    "error",
    (
        Key("code", _meta_error, "Meta's code, like `10` or `10/2534022`.", required=True),
        Key("subcode", _subcode, "Meta's subcode."),
    ),
)


TEST_STEPS: dict[str, Row | Read] = {
    "comment": Row("comment", _COMMENT),
    "live_comment": Row("live_comment", _COMMENT),
    "dm": Row("dm", _MESSAGE),
    "story_reply": Row(
        "story_reply",
        (
            Key("text", text, "What they answer.", required=True),
            Key("story", text, "Which story: its link or id."),
        ),
    ),
    "story_mention": Row("story_mention", (), bare=True),
    "shared_post": Row("shared_post", (Key("post", text, "Link or id of the post."),), bare=True),
    "tap": Row("tap", (Key("label", text, "What stands on it.", required=True),)),
    "react": Row("react", (Key("emoji", text, "The emoji.", required=True),)),
    "follow_link": Row("follow_link", (Key("ref", text, "The `ref` of the ig.me link.", required=True),)),
    "click": Row("click", (Key("link", text, "Name or address of the link.", required=True),)),
    "pass": Row("pass", (Key("time", some_time, "How much time passes.", required=True),)),
    "person": PERSON,
    "meta_says": Row("meta_says", (Key("error", _ERROR, "What Meta answers next.", required=True),)),
    "webhook_says": Row(
        "webhook_says",
        (Key("status", _status, "The status of the answer."), Key("json", json_value, "Its body.")),
    ),
    "owner_replies": Row("owner_replies", (Key("text", text, "What you write yourself.", required=True),)),
    "expect": EXPECT,
}
TEST_STEP_DOCS = {
    "comment": "They comment: a text, or `{text, post}`.",
    "live_comment": "They comment during a live broadcast.",
    "dm": "They write a message: a text, or `{image}`.",
    "story_reply": "They answer a story.",
    "story_mention": "They mention you in their story.",
    "shared_post": "They share a post of yours into the chat.",
    "tap": "They tap a button, chip, choice, opening question or menu item.",
    "react": "They react to your last message.",
    "follow_link": "They come by an ig.me link.",
    "click": "They click a tracked link.",
    "pass": "Time passes, like `2h`.",
    "person": "What is true of them from here on.",
    "meta_says": "Meta refuses the next request.",
    "webhook_says": "The next webhook that is called answers this; nothing leaves the machine.",
    "owner_replies": "You write to them yourself.",
    "expect": "What has happened since the last step that was no `expect`.",
}


@shaped(ListOf(shaped(Ref("test_step"))(as_written)))
def _test_steps(reader: Reader, node: Node, path: str) -> Json:
    reader.positions[path] = node.mark
    if is_empty(node) or items(node) == ():
        reader.error(node.mark, "empty-list", "a test needs steps, like `- dm: price` and `- expect: …`")
        return []
    return kept_items(reader, node, path, _test_step)


def _test_step(reader: Reader, node: Node, path: str) -> Json:
    """{step: kind, …}"""
    reader.positions[path] = node.mark
    if isinstance(node, Scalar):
        return _one(reader, node, Scalar("", plain=True, mark=node.mark), path)
    if not isinstance(node, source.Mapping) or not node.entries:
        reader.error(node.mark, "step-expected", "a step of a test is expected here, like `- dm: price`")
        return None
    (key, value), *more = node.entries
    for one, nothing in more:
        if not reader.comma_in_braces(node, one, nothing):
            into = one.value not in TEST_STEPS
            hint = (
                f"Put it under `{key.value}:`, two spaces deeper." if into else "Begin a new line with `- `."
            )
            reader.error(one.mark, "two-verbs", f"`{one.value}` cannot stand beside `{key.value}`", hint)
    return _one(reader, key, value, path)


def _one(reader: Reader, key: Scalar, value: Node, path: str) -> Json:
    if key.value not in TEST_STEPS:
        reader.unknown(key.mark, "test step", key.value, TEST_STEPS)
        return None
    found = TEST_STEPS[key.value](reader, value, f"{path}.{key.value}")
    if key.value == "expect" and isinstance(found, dict):
        _expects(reader, key, found, path)
    if key.value == "dm" and found == {} and not reader.is_broken(f"{path}.dm"):
        message = "a message has a text or a picture"
        reader.error(key.mark, "missing-value", message, "Write it like: dm: price")
    return None if found is None else {"step": key.value, **cast("dict[str, Json]", found)}


def _expects(reader: Reader, key: Scalar, found: dict[str, Json], path: str) -> None:
    if not found and not reader.is_broken(f"{path}.expect"):
        message = "nothing is expected here, so this is always so"
        reader.error(key.mark, "empty-expect", message, "Write it like: expect: { dm: any }")
    messages = [name for name in ("dm", "public_reply") if name in found]
    if found.get("nothing") is True and messages:
        message = f"`nothing: true` and `{messages[0]}` exclude each other"
        reader.error(key.mark, "two-expectations", message, "Take one of them out.")


TEST = Row(
    "test",
    (
        Key("name", text, "What the conversation shows."),
        Key(
            "at", instant, "When it plays, in the file's time zone; default Wednesday 2 December 2026, 12:00."
        ),
        Key("person", PERSON, "Who it plays with."),
        Key("steps", _test_steps, "What happens, and what is expected.", required=True),
    ),
)


@shaped(ListOf(shaped(Either(lambda: (TEST,)))(as_written)))
def tests(reader: Reader, node: Node, path: str) -> Json:
    """Conversations that show what flows do. What is wrong in one says nothing about the flow."""
    reader.positions[path] = node.mark
    if not isinstance(node, source.Sequence):
        reader.error(node.mark, "list-expected", "`tests` is a list", "Begin each test with `- name: …`.")
        return []
    broken, lost = set(reader.broken), set(reader.lost)
    found = kept_items(reader, node, path, _test)
    reader.broken, reader.lost = broken, lost
    return found


def _test(reader: Reader, node: Node, path: str) -> Json:
    if not isinstance(node, source.Mapping):
        message = "a test is expected here, with `name:` and `steps:`"
        reader.error(node.mark, "test-expected", message)
        return None
    return TEST(reader, node, path)
