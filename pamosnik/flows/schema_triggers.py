"""Triggers: a row of keys each."""

import re
from dataclasses import replace
from datetime import datetime
from typing import cast

from pamosnik.flows import source
from pamosnik.flows.kinds import boolean, list_of, name, text
from pamosnik.flows.near import nearest
from pamosnik.flows.places import of_a_flow
from pamosnik.flows.reader import Json, Key, Read, Reader, Row, items
from pamosnik.flows.schema_conditions import conditions
from pamosnik.flows.schema_words import (
    BUT_NOT,
    MATCH_KEY,
    POST_LINK,
    WORDS,
    days,
    emoji_for,
    no_such_moment,
    texts,
)
from pamosnik.flows.shapes import AnyText, ListOf, Ref, Written, shaped
from pamosnik.flows.source import Mark, Node, Scalar
from pamosnik.instagram import limits
from pamosnik.model import cron


def _posts(*words: str) -> Read:
    """Ids and links, or one of these words alone."""
    listed = " or ".join(f"`{word}`" for word in words)
    hint = f"Write {listed} (alone), an id, or a link like https://www.instagram.com/p/ABC/."

    @shaped(ListOf(text))
    def read(reader: Reader, node: Node, path: str) -> Json:
        alone = len(items(node)) == 1

        def post(reader: Reader, node: Node, path: str) -> Json:
            written = text(reader, node, path)
            if not isinstance(written, str):
                return None
            if (alone and written in words) or written.isdecimal() or POST_LINK.match(written):
                return written
            reader.error(node.mark, "post-expected", f"`{written}` names no post", hint)
            return None

        return list_of(post)(reader, node, path)

    return read


@shaped(Written(r"^[A-Za-z0-9_=-]{1,250}$", or_number=True))
def _ref(reader: Reader, node: Node, path: str) -> Json:
    written = text(reader, node, path)
    if not isinstance(written, str):
        return None
    made = written.partition("ref=")[2].partition("&")[0] if "ig.me/" in written else ""
    if not re.fullmatch(limits.REF_ALPHABET, written):
        hint = (
            f"Write what stands behind `ref=`: {made}"
            if made
            else "Take letters from a to z, digits, _ and -."
        )
        reader.error(node.mark, "ref-expected", f"`{written}` cannot stand in an ig.me link", hint)
        return None
    if len(written) > limits.REF_CHARS:
        message = f"the ref has {len(written)} characters; {limits.REF_CHARS} are possible"
        reader.error(node.mark, "ref-too-long", message)
        return None
    return written


@shaped(Written(r"^[0-9]{1,30}$", or_number=True))
def _ad(reader: Reader, node: Node, path: str) -> Json:
    written = text(reader, node, path)
    if isinstance(written, str) and not re.fullmatch(r"[0-9]{1,30}", written):
        hint = "Write the ad's number, as Ads Manager shows it."
        reader.error(node.mark, "ad-expected", f"`{written}` is no id of an ad", hint)
        return None
    return written


def _one(verb: str) -> Read:
    """A text that stands at Instagram; each has a trigger of its own."""

    @shaped(AnyText())
    def read(reader: Reader, node: Node, path: str) -> Json:
        if isinstance(node, source.Sequence):
            message = f"`{verb}` takes one text, and this is a list"
            hint = f"Write a line for each: - {verb}: …"
            reader.error(node.mark, "text-expected", message, hint)
            return None
        return text(reader, node, path)

    return read


_NAME = Key(
    "tag", list_of(name), "The tag, or several.", required=True, if_missing="the name of a tag is missing"
)
_MOMENT = r"(\d{4}-\d\d?-\d\d? )?([01]?\d|2[0-3]):[0-5]\d"


@shaped(Written(rf"^\s*{_MOMENT}\s*$", ("09:00", "2026-12-24 09:00")))
def _at(reader: Reader, node: Node, path: str) -> Json:
    """HH:MM, or YYYY-MM-DD HH:MM."""
    reader.positions[path] = node.mark
    written = node.value.strip() if isinstance(node, Scalar) else ""
    for form in ("%H:%M", "%Y-%m-%d %H:%M"):
        try:
            found = datetime.strptime(written, form)  # noqa: DTZ007 - the zone comes from beside it
        except ValueError:
            continue
        return found.strftime(form)
    hint = 'Write it like "09:00" or "2026-12-24 09:00".'
    message = no_such_moment(written) or "a clock time, or a day with one, is expected here"
    reader.error(node.mark, "time-expected", message, hint)
    return None


@shaped(Written(r"^\s*(@[a-z]+|\S+( +\S+){4})\s*$", ("0 9 * * mon-fri",)))
def _cron(reader: Reader, node: Node, path: str) -> Json:
    written = text(reader, node, path)
    if not isinstance(written, str):
        return None
    assert isinstance(node, Scalar)
    try:
        found = cron.parse(written)
    except cron.BadCron as bad:
        inside = bad.place + (0 if node.plain else 1)
        hint = "The fields are minute, hour, day, month, weekday: 0 9 * * mon-fri is 09:00 from Monday to Friday."
        reader.error(Mark(node.mark.line, node.mark.column + inside), "bad-cron", bad.message, hint)
        return None
    if found.never:
        reader.error(node.mark, "bad-cron", "no month has such a day: this never happens", "Mend the day.")
        return None
    return " ".join(written.split())


TRIGGERS: dict[str, Row] = {
    "comment": Row(
        "comment",
        (
            WORDS,
            MATCH_KEY,
            BUT_NOT,
            Key("post", _posts("any", "next"), "`any` (default), `next`, a link, an id, or a list of these."),
            Key("replies", boolean, "Whether replies to comments count too; default `false`."),
        ),
        bare=True,
    ),
    "live_comment": Row("live_comment", (WORDS, MATCH_KEY, BUT_NOT), bare=True),
    "dm": Row("dm", (WORDS, MATCH_KEY, BUT_NOT), bare=True),
    "story_reply": Row(
        "story_reply",
        (WORDS, MATCH_KEY, BUT_NOT, Key("story", texts, "Link or id of the story; default any.")),
        bare=True,
    ),
    "story_mention": Row("story_mention", (), bare=True),
    "shared_post": Row(
        "shared_post",
        (Key("post", _posts("any"), "`any` (default), a link, an id, or a list of these."),),
        bare=True,
    ),
    "reaction": Row(
        "reaction",
        (Key("emoji", list_of(emoji_for("reaction")), "Which emoji, one or several; default any."),),
        bare=True,
    ),
    "link": Row(
        "link", (Key("ref", list_of(_ref), "What stands behind `?ref=`; default any link."),), bare=True
    ),
    "ad": Row("ad", (Key("ads", list_of(_ad), "Ids of ads; default any."),), bare=True),
    "tag_added": Row("tag_added", (_NAME,)),
    "field_set": Row("field_set", (replace(_NAME, name="field", doc="The field, or several."),)),
    "ice_breaker": Row(
        "ice_breaker",
        (Key("question", _one("ice_breaker"), "The question, as people see it.", required=True),),
    ),
    "menu": Row("menu", (Key("label", _one("menu"), "The menu item, as people see it.", required=True),)),
    "first_message": Row("first_message", (), bare=True),
    "anything_else": Row("anything_else", (), bare=True),
    "schedule": Row(
        "schedule",
        (
            Key("at", _at, 'A clock time like "09:00", or once a day and a time like "2026-12-24 09:00".'),
            Key("days", days, "Days on which the clock time counts: `mon to fri`, dates; default every day."),
            Key("cron", _cron, "In place of both: a cron expression like `0 9 * * mon-fri`."),
            Key(
                "audience",
                conditions,
                "Who gets it: conditions, all of them; default everybody. For `follows_me` and the like"
                " what was told last counts.",
            ),
            Key("zone", text, "Time zone; default the file's."),
        ),
    ),
}
TRIGGER_DOCS = {
    "comment": "Somebody comments on a post, reel or ad.",
    "live_comment": "A comment during a live broadcast; it can be answered by a private message only.",
    "dm": "A direct message; without words, every message.",
    "story_reply": "An answer to a story.",
    "story_mention": "Somebody mentions you in their story.",
    "shared_post": "Your post, shared into the chat.",
    "reaction": "A reaction to one of your messages. Skin tones are not told apart.",
    "link": "Somebody opens an ig.me link or scans its QR code.",
    "ad": "Somebody comes through a click-to-message ad.",
    "tag_added": "A step of another flow gave this tag, and the person did not have it before.",
    "field_set": "A step of another flow, or an answer in it, set this field, even to the value that it had.",
    "ice_breaker": "A question to tap in an empty conversation, 4 at most. Instagram shows it while it stands here.",
    "menu": "An item of the conversation's menu. Instagram shows it while it stands here.",
    "first_message": "The first message ever from this person.",
    "anything_else": "A message that nothing else took.",
    "schedule": "A broadcast: begins by the clock. Instagram lets you write only to people whose window is open (24"
    " hours since their last message); the rest of the audience is skipped and counted.",
}


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
                    else of_a_flow(one.value) or f"Put it under `{key.value}:`, two spaces deeper."
                )
                reader.error(one.mark, "two-triggers", message, hint)
            reader.lose(path, one, nothing)
    elif isinstance(node, Scalar):
        key, value = node, Scalar("", plain=True, mark=node.mark)
    else:
        reader.error(node.mark, "trigger-expected", "a trigger is expected here, like `- dm: price`")
        return None
    if isinstance(node, Scalar) and key.value not in TRIGGERS and nearest(key.value, TRIGGERS) is None:
        hint = f"For messages with this word write: - dm: {key.value}"
        reader.error(key.mark, "unknown-trigger", f"unknown trigger: `{key.value}`", hint)
        return None
    if key.value not in TRIGGERS:
        reader.unknown(key.mark, "trigger", key.value, TRIGGERS)
        return None
    found = TRIGGERS[key.value](reader, value, path)
    return None if found is None else {"trigger": key.value, **cast("dict[str, Json]", found)}
