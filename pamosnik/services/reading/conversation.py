"""A conversation as it looked on the phone: what came in and what went out, in the order of time."""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import groupby
from typing import Any
from zoneinfo import ZoneInfo

from pamosnik._sqlite import Connection
from pamosnik.model.contact import Contact
from pamosnik.model.event import COMMENTS, EventKind
from pamosnik.model.outbox import Action, ItemKind, ItemStatus, MediaKind, OutMessage
from pamosnik.store import contacts, conversation
from pamosnik.store.accounts import Account
from pamosnik.store.outbox_rows import content_from_json
from pamosnik.store.times import instant

_NOTHING = OutMessage()
_IN_INSTAGRAM = "You, in Instagram"


@dataclass(frozen=True, slots=True)
class Post:
    """What a comment stands under."""

    media_id: str
    caption: str | None
    permalink: str | None


@dataclass(frozen=True, slots=True)
class Line:
    """A bubble of the conversation, or a note between bubbles."""

    id: str
    """Of the event or the outbox item."""
    at: datetime
    ours: bool
    text: str | None = None
    label: str | None = None
    """What it is, where it is more than a message."""
    note: bool = False
    """It tells what happened; nobody said it."""
    public: bool = False
    """Of what went out: everybody reads it."""
    reacted: bool = False
    """It is a reaction to the message `mid`; without `reactions` one that was taken back."""
    by: str | None = None
    """Which flow says it, or that the owner does."""
    content: OutMessage = _NOTHING
    """Of what Pamosnik says: its buttons, pictures, cards."""
    attached: Sequence[tuple[str, str | None]] = ()
    """What came with it, in words, and where it lies."""
    post: Post | None = None
    quotes: str | None = None
    """The beginning of the message that it answers."""
    status: ItemStatus | None = None
    """Of what went out."""
    reason: str | None = None
    deleted: bool = False
    reactions: Sequence[str] = ()
    seen: bool = False
    mid: str | None = None
    comment_id: str | None = None
    """Meta's, of a comment of theirs."""

    @property
    def arrived(self) -> bool:
        return self.status in (None, ItemStatus.SENT)


@dataclass(frozen=True, slots=True)
class Day:
    words: str
    lines: Sequence[Line]


@dataclass(frozen=True, slots=True)
class Conversation:
    days: Sequence[Day]
    """The oldest first."""
    before: str | None
    """Where the part of what is older begins; None: there is nothing older."""


def part(
    conn: Connection, account: Account, contact: Contact, *, limit: int, before: str | None = None
) -> Conversation:
    """The newest of it, or what is older than `before`."""
    found = _found(conn, contact, limit=limit + 1, before=before)
    shown, older = found[:limit], len(found) > limit
    shown = [*shown, *_replied_in_public(conn, contact, shown)]
    lines = _told_together(sorted(shown, key=lambda line: (line.at, line.id)))
    if before is None:
        lines = _seen(conn, contact, lines)
    zone = ZoneInfo(account.timezone)
    by_day = groupby(lines, key=lambda line: line.at.astimezone(zone).date())
    days = [Day(f"{day:%A}, {day.day} {day:%B %Y}", list(group)) for day, group in by_day]
    return Conversation(days, found[limit - 1].id if older else None)


def _found(conn: Connection, contact: Contact, *, limit: int, before: str | None) -> list[Line]:
    """The newest first."""
    lines = [
        _came_in(row)
        for igsid in sorted(contacts.igsids(conn, contact.id))
        for row in conversation.came_in(conn, contact.connection_id, igsid, before=before, limit=limit)
    ]
    sent = conversation.went_out(conn, contact.connection_id, contact.id, before=before, limit=limit)
    lines += [_went_out(row) for row in sent]
    return sorted(lines, key=lambda line: line.id, reverse=True)[:limit]


# --- what came in ----------------------------------------------------------------------------------------

_LABELS: Mapping[EventKind, str] = {
    EventKind.COMMENT: "commented",
    EventKind.LIVE_COMMENT: "commented on your live broadcast",
    EventKind.STORY_REPLY: "answered your story",
    EventKind.STORY_MENTION: "mentioned you in their story",
    EventKind.SHARED_POST: "shared a post",
    EventKind.POSTBACK: "tapped a button",
    EventKind.REFERRAL: "came through a link",
    EventKind.EDIT: "changed a message",
    EventKind.UNSUPPORTED: "sent something that Instagram does not tell",
}
_NOTES = frozenset({EventKind.REFERRAL, EventKind.UNSUPPORTED})
_ATTACHED: Mapping[str, str] = {
    "image": "Picture",
    "video": "Video",
    "audio": "Voice message",
    "file": "File",
    "share": "Shared post",
    "ig_post": "Post",
    "ig_reel": "Reel",
    "reel": "Reel",
    "story_mention": "Story",
    "like_heart": "Heart",
    "template": "Message with buttons",
}


def _came_in(row: tuple[Any, ...]) -> Line:
    kind = EventKind(row[1])
    line = Line(
        id=row[0],
        at=instant(row[2]),
        ours=kind is EventKind.ECHO,
        text=row[3] or row[4],
        label=_LABELS.get(kind),
        note=kind in _NOTES,
        by=_IN_INSTAGRAM if kind is EventKind.ECHO else None,
        attached=_attached(row[13]),
        deleted=bool(row[17]),
        mid=row[5],
    )
    if kind in COMMENTS and row[7] is not None:
        line = replace(line, post=Post(row[7], row[15], row[16]), comment_id=row[6])
    if kind is EventKind.REFERRAL:
        return replace(line, text=f"ref {row[9]}" if row[9] else None, label=_came_by(row[10]))
    if kind is EventKind.REACTION:
        emoji = (row[11],) if row[11] else ()
        return replace(line, text=None, label="reacted", note=True, reacted=True, reactions=emoji)
    if row[12] is not None:
        line = replace(line, quotes=row[12])
    return line


def _came_by(ad_id: str | None) -> str:
    return "came through a link" if ad_id is None else "came through an ad"


def _attached(column: str | None) -> Sequence[tuple[str, str | None]]:
    """Links of Instagram's servers, which end soon; nothing of them is fetched."""
    parts = json.loads(column) if column else []
    return [(_ATTACHED.get(type_, "Attachment"), _https(url)) for type_, url, _ in parts]


def _https(url: str | None) -> str | None:
    return url if url is not None and url.startswith("https://") else None


def own_replies(conn: Connection, connection_id: str, comment_ids: Sequence[str]) -> list[Line]:
    """What the owner wrote below these comments in the Instagram app."""
    return [
        Line(
            id=event_id,
            at=instant(at),
            ours=True,
            text=text,
            label=_OUT_LABELS[ItemKind.COMMENT_REPLY],
            by=_IN_INSTAGRAM,
            public=True,
        )
        for event_id, _, at, text in conversation.own_below(conn, connection_id, comment_ids)
    ]


def _replied_in_public(conn: Connection, contact: Contact, lines: Sequence[Line]) -> list[Line]:
    comments = [line.comment_id for line in lines if line.comment_id is not None]
    return own_replies(conn, contact.connection_id, comments) if comments else []


# --- what went out ---------------------------------------------------------------------------------------

_OUT_LABELS: Mapping[ItemKind, str] = {
    ItemKind.PRIVATE_REPLY: "private reply to the comment",
    ItemKind.COMMENT_REPLY: "public reply",
}
_DONE: Mapping[str, str] = {Action.HIDE: "The comment was hidden", Action.DELETE: "The comment was deleted"}
_MEDIA: Mapping[MediaKind, str] = {
    MediaKind.VIDEO: "Video",
    MediaKind.AUDIO: "Voice message",
    MediaKind.FILE: "File",
    MediaKind.HEART: "Heart",
    MediaKind.POST: "Post",
}


def _went_out(row: tuple[Any, ...]) -> Line:
    kind, status, content = ItemKind(row[1]), ItemStatus(row[3]), content_from_json(row[4])
    if row[5] and content.spelled_out is not None:
        content = OutMessage(text=content.spelled_out)  # its buttons were refused
    media = content.media
    attached = [("Picture", _https(url)) for url in content.images]
    if media is not None:
        attached.append((_MEDIA[media.kind], _https(media.url)))
    line = Line(
        id=row[0],
        at=instant(row[2]),
        ours=True,
        text=content.text,
        label=_OUT_LABELS.get(kind),
        by="You" if row[10] else (row[6] or "Pamosnik"),
        content=content,
        attached=attached,
        quotes=content.reply_to,
        public=kind is ItemKind.COMMENT_REPLY,
        status=status,
        reason=row[7],
        mid=row[8],
    )
    if kind is ItemKind.COMMENT_ACTION:
        return replace(
            line, note=True, text=None, label=_DONE.get(row[11], "Something was done to the comment")
        )
    if kind is ItemKind.SENDER_ACTION:
        emoji = (row[13],) if row[13] else ()
        return replace(line, note=True, label="reacted", reacted=True, reactions=emoji, mid=row[12])
    return line


# --- all of it together ----------------------------------------------------------------------------------


def _told_together(lines: Sequence[Line]) -> list[Line]:
    """Reactions stand at the message that they belong to where that is shown; so does what a message quotes."""
    said = {line.mid: line for line in lines if line.mid is not None and not line.note}
    reactions: defaultdict[tuple[str | None, bool], tuple[str, ...]] = defaultdict(tuple)
    for line in lines:
        if line.reacted and line.arrived:
            reactions[line.mid, line.ours] = tuple(line.reactions)
    shown = [line for line in lines if not line.reacted or (line.mid not in said and line.reactions)]
    return [
        line
        if line.note
        else replace(
            line,
            quotes=None if line.quotes not in said else (said[line.quotes].text or "a message")[:80],
            reactions=(*reactions[line.mid, False], *reactions[line.mid, True]),
        )
        for line in shown
    ]


def _seen(conn: Connection, contact: Contact, lines: Sequence[Line]) -> list[Line]:
    """The last message of ours that they have looked at is marked."""
    looked = [
        conversation.seen_at(conn, contact.connection_id, igsid)
        for igsid in contacts.igsids(conn, contact.id)
    ]
    at = max((one for one in looked if one is not None), default=None)
    ours = [line for line in lines if line.ours and line.arrived and not line.note and not line.public]
    marked = next((line.id for line in reversed(ours) if at is not None and line.at <= at), None)
    return [replace(line, seen=line.id == marked) for line in lines]
