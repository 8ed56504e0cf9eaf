"""Triggers: a row of keys each."""

import re
from typing import cast

from pamosnik.flows import source
from pamosnik.flows.reader import (
    Json,
    Key,
    Reader,
    Row,
    boolean,
    items,
    list_of,
    text,
)
from pamosnik.flows.schema_words import BUT_NOT, MATCH_KEY, WORDS, texts
from pamosnik.flows.shapes import ListOf, Ref, shaped
from pamosnik.flows.source import Node, Scalar

_POST_LINK = re.compile(r"https?://(?:www\.)?instagram\.com/(?:[\w.]+/)?(?:p|reel|reels|tv)/[\w-]+")


@shaped(ListOf(text))
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


TRIGGERS: dict[str, Row] = {
    "comment": Row(
        "comment",
        (
            WORDS,
            MATCH_KEY,
            BUT_NOT,
            Key("post", _posts, "`any` (default), `next`, a link, an id, or a list of these."),
            Key("replies", boolean, "Whether replies to comments count too; default `false`."),
        ),
        bare=True,
    ),
    "dm": Row("dm", (WORDS, MATCH_KEY, BUT_NOT), bare=True),
    "story_reply": Row(
        "story_reply",
        (WORDS, MATCH_KEY, BUT_NOT, Key("story", texts, "Link or id of the story; default any.")),
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


@shaped(Ref("trigger"))
def trigger(reader: Reader, node: Node, path: str) -> Json:
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
