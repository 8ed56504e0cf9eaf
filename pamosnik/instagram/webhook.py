"""Meta's deliveries: who signed them, and what they say.

The signature is made over the bytes as they were sent, so it is checked over the bytes as they came.
Reading never fails: what has no known shape becomes an `unsupported` item, what is no JSON becomes nothing.

Shapes and traps: https://developers.facebook.com/docs/instagram-platform/webhooks and .../webhooks/examples
(October 2026). Some of them come in two forms: the body in a list or not; a change with or without `changes`;
messages as `changes` of the field `messages` (dashboard tests); seconds or milliseconds; ids as numbers.
"""

import hashlib
import hmac
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from pamosnik.model.event import Attachment, EventKind, Incoming, Verdict

TEST_ENTRY = "0"
"""`entry.id` of what the dashboard's Test button sends."""

TEXT_CHARS = 10_000
ID_CHARS = 1_000
"""Ours: far above anything Meta sends, and a bound on what a stranger can make us keep."""

_MESSAGING_FIELDS = frozenset(
    {
        "messages",
        "message_edit",
        "message_echoes",
        "message_reactions",
        "messaging_postbacks",
        "messaging_referral",
        "messaging_seen",
        "messaging_optins",
        "messaging_handover",
        "standby",
    }
)
_THREAD_CONTROL = ("pass_thread_control", "take_thread_control", "request_thread_control")
_SHARES = frozenset({"share", "ig_post", "ig_reel", "reel", "story", "ig_story"})
_SECONDS_BELOW = 10**11
_NO_INSTANT = 10**15
"""JSON knows whole numbers that no float can hold."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """The items of one request, in order. `readable` is False when the body is not JSON of Meta's form."""

    items: tuple[Incoming, ...]
    readable: bool


def signed_by(body: bytes, header: str | None, secrets: Sequence[str]) -> int | None:
    """Number of the secret that signed these bytes; None when none did. All are tried, in constant time."""
    given = (header or "").encode("utf-8", "replace")
    found: int | None = None
    for number, secret in enumerate(secrets):
        right = b"sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest().encode()
        if hmac.compare_digest(right, given) and found is None:
            found = number
    return found


def sign(body: bytes, secret: str) -> str:
    """The value of `X-Hub-Signature-256` for these bytes."""
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def parse(body: bytes) -> Delivery:
    """The items of a delivery. Raises nothing, whatever the bytes."""
    try:
        return _read(json.loads(body))
    except (ValueError, RecursionError):
        return Delivery((), readable=False)


def _read(raw: object) -> Delivery:
    entries = [entry for wrapped in _list(raw) for entry in _list(_dict(wrapped).get("entry"))]
    items = tuple(item for entry in entries if isinstance(entry, dict) for item in _entry(entry))
    return Delivery(items, readable=bool(entries))


def _entry(entry: Mapping[str, object]) -> Iterator[Incoming]:
    ig_id = _id(entry.get("id"))
    if ig_id is None:
        return
    for item in _entry_items(ig_id, entry):
        if ig_id == TEST_ENTRY:
            yield replace(item, verdict=Verdict.TEST, reason="sent by the Test button of Meta's dashboard")
        elif item.verdict is Verdict.PENDING and item.igsid is None and item.kind is not EventKind.DELETION:
            yield replace(item, verdict=Verdict.UNSUPPORTED, reason="Instagram did not say who it came from")
        else:
            yield item


def _entry_items(ig_id: str, entry: Mapping[str, object]) -> Iterator[Incoming]:
    at = _instant(entry.get("time"))
    known = False
    if "messaging" in entry:
        known = True
        for raw in _list(entry["messaging"]):
            yield _messaging(ig_id, _dict(raw), at)
    if "standby" in entry:
        known = True
        for raw in _list(entry["standby"]):
            item = _messaging(ig_id, _dict(raw), at)
            yield replace(item, verdict=Verdict.NOTED, reason="another app handles this conversation")
    if "changes" in entry:
        known = True
        for raw in _list(entry["changes"]):
            yield _change(ig_id, _dict(raw), at)
    elif "field" in entry:
        known = True
        yield _change(ig_id, entry, at)
    if not known:
        yield _unsupported(ig_id, entry, at)


def message_key(mid: str) -> str:
    """Of a message, quick reply or postback: all that Meta tells under one message id is one event."""
    return f"m:{mid}"


def seen_key(mid: str, igsid: str | None) -> str:
    """Of the receipt that this person has seen a message."""
    return f"s:{mid}:{igsid}"


def comment_key(comment_id: str) -> str:
    """Of a comment, however often and for whichever copy of its post it is told."""
    return f"c:{comment_id}"


def _change(ig_id: str, change: Mapping[str, object], at: datetime | None) -> Incoming:
    field, value = change.get("field"), change.get("value")
    if isinstance(value, dict) and field in ("comments", "live_comments"):
        return _comment(ig_id, value, at, live=field == "live_comments")
    if isinstance(value, dict) and isinstance(field, str) and field in _MESSAGING_FIELDS:
        return _messaging(ig_id, value, at)
    return _unsupported(ig_id, change, at)


# --- comments --------------------------------------------------------------------------------------------


def _comment(ig_id: str, value: Mapping[str, object], at: datetime | None, *, live: bool) -> Incoming:
    comment_id = _id(value.get("id")) or _id(value.get("comment_id"))
    if comment_id is None:
        return _unsupported(ig_id, value, at)
    author, media = _dict(value.get("from")), _dict(value.get("media"))
    item = Incoming(
        ig_id=ig_id,
        key=comment_key(comment_id),
        kind=EventKind.LIVE_COMMENT if live else EventKind.COMMENT,
        occurred_at=at,
        igsid=_id(author.get("id")),
        username=_text(author.get("username")),
        text=_text(value.get("text")),
        comment_id=comment_id,
        parent_id=_id(value.get("parent_id")),
        # Comments on a boosted post name the ad's copy; flows name the organic post.
        media_id=_id(media.get("original_media_id")) or _id(media.get("id")),
        ad_id=_id(media.get("ad_id")),
    )
    # Our own public replies come back as comments; answering them would never end.
    if author.get("self_ig_scoped_id") is not None or item.igsid == ig_id:
        return replace(item, verdict=Verdict.OWN, reason="written by the account itself")
    return item


# --- messages --------------------------------------------------------------------------------------------


def _messaging(ig_id: str, raw: Mapping[str, object], entry_at: datetime | None) -> Incoming:
    at = _instant(raw.get("timestamp")) or entry_at
    sender, recipient = _id(_dict(raw.get("sender")).get("id")), _id(_dict(raw.get("recipient")).get("id"))
    base = Incoming(
        ig_id=ig_id,
        key="",
        kind=EventKind.UNSUPPORTED,
        occurred_at=at,
        igsid=recipient if sender == ig_id else sender,
    )
    if isinstance(raw.get("message"), dict):
        return _message(base, _dict(raw["message"]), raw, from_us=sender == ig_id)
    if isinstance(raw.get("postback"), dict):
        return _postback(base, _dict(raw["postback"]), raw)
    if isinstance(raw.get("message_edit"), dict):
        return _edit(base, _dict(raw["message_edit"]))
    if isinstance(raw.get("reaction"), dict):
        return _reaction(base, _dict(raw["reaction"]), raw, from_us=sender == ig_id)
    if isinstance(raw.get("read"), dict):
        mid = _id(_dict(raw["read"]).get("mid"))
        key = seen_key(mid, base.igsid) if mid else _anonymous_key("s", raw)
        return replace(base, kind=EventKind.SEEN, key=key, mid=mid)
    if isinstance(raw.get("referral"), dict):
        return _with_referral(
            replace(base, kind=EventKind.REFERRAL, key=_anonymous_key("f", raw)), raw["referral"]
        )
    if any(control in raw for control in _THREAD_CONTROL):
        return replace(
            base,
            kind=EventKind.HANDOVER,
            key=_anonymous_key("h", raw),
            verdict=Verdict.NOTED,
            reason="another app passed or took this conversation",
        )
    return _unsupported(ig_id, raw, at, base.igsid)


def _message(
    base: Incoming, message: Mapping[str, object], raw: Mapping[str, object], *, from_us: bool
) -> Incoming:
    mid = _id(message.get("mid"))
    reply_to = _dict(message.get("reply_to"))
    attachments = tuple(_attachments(message))
    item = replace(
        base,
        kind=_message_kind(attachments, reply_to),
        key=message_key(mid) if mid else _anonymous_key("p", raw),
        mid=mid,
        text=_text(message.get("text")) or _template_text(message),
        payload=_text(_dict(message.get("quick_reply")).get("payload")),
        reply_to_mid=_id(reply_to.get("mid")),
        story_id=_id(_dict(reply_to.get("story")).get("id")),
        attachments=attachments,
        media_id=next((a.media_id for a in attachments if a.media_id), None),
    )
    item = _with_referral(item, message.get("referral"))
    if message.get("is_deleted") is True:
        return replace(item, kind=EventKind.DELETION, key=f"d:{mid}", text=None, attachments=())
    if message.get("is_self") is True:
        echo = replace(item, kind=EventKind.ECHO, key=f"o:{mid}")
        return replace(echo, verdict=Verdict.OWN, reason="the account wrote to itself")
    if message.get("is_echo") is True or from_us:
        return replace(item, kind=EventKind.ECHO, key=f"o:{mid}" if mid else item.key)
    if message.get("is_unsupported") is True:
        return replace(
            item,
            kind=EventKind.UNSUPPORTED,
            verdict=Verdict.UNSUPPORTED,
            reason="Instagram does not tell what it is",
        )
    return item


def _message_kind(attachments: Sequence[Attachment], reply_to: Mapping[str, object]) -> EventKind:
    if isinstance(reply_to.get("story"), dict):
        return EventKind.STORY_REPLY
    types = {attachment.type for attachment in attachments}
    if "story_mention" in types:
        return EventKind.STORY_MENTION
    if types & _SHARES:
        return EventKind.SHARED_POST
    return EventKind.MESSAGE


def _attachments(message: Mapping[str, object]) -> Iterator[Attachment]:
    for raw in _list(message.get("attachments"))[:20]:
        attachment = _dict(raw)
        payload = _dict(attachment.get("payload"))
        kind = _text(attachment.get("type"))
        if kind is not None:
            media = _id(payload.get("ig_post_media_id")) or _id(payload.get("reel_video_id"))
            yield Attachment(kind, _text(payload.get("url")), media)


def _template_text(message: Mapping[str, object]) -> str | None:
    """Echoes of messages with buttons carry their text in the template."""
    for raw in _list(message.get("attachments"))[:1]:
        payload = _dict(_dict(raw).get("payload"))
        generic = _dict(payload.get("generic"))
        for element in _list(generic.get("elements"))[:1]:
            return _text(_dict(element).get("title"))
        return _text(payload.get("text"))
    return None


def _postback(base: Incoming, postback: Mapping[str, object], raw: Mapping[str, object]) -> Incoming:
    mid = _id(postback.get("mid"))
    title = _text(postback.get("title"))
    item = replace(
        base,
        kind=EventKind.POSTBACK,
        # The same key as the message with this id: a tap recovered from the conversation is the same event.
        key=message_key(mid) if mid else _anonymous_key("p", raw),
        mid=mid,
        title=title,
        text=title,
        payload=_text(postback.get("payload")),
    )
    item = _with_referral(item, postback.get("referral"))
    if postback.get("is_self") is True or raw.get("is_self") is True:
        return replace(item, verdict=Verdict.OWN, reason="the account tapped its own button")
    return item


def _edit(base: Incoming, edit: Mapping[str, object]) -> Incoming:
    mid = _id(edit.get("mid"))
    count = str(edit.get("num_edit"))
    number = int(count) if count.isascii() and count.isdecimal() and len(count) < 6 else 0
    item = replace(
        base,
        kind=EventKind.EDIT,
        key=f"e:{mid}:{number}",
        mid=mid,
        text=_text(edit.get("text")),
        verdict=Verdict.NOTED,
        reason="the person changed an earlier message",
    )
    if number < 1:
        # Comes beside every new message once the field is subscribed; it is no edit.
        return replace(item, reason="announces a message; it changes nothing (num_edit 0)")
    return item


def _reaction(
    base: Incoming, reaction: Mapping[str, object], raw: Mapping[str, object], *, from_us: bool
) -> Incoming:
    mid, action = _id(reaction.get("mid")), _text(reaction.get("action")) or "react"
    item = replace(
        base,
        kind=EventKind.REACTION,
        key=f"r:{mid}:{base.igsid}:{action[:20]}:{_id(raw.get('timestamp'))}",
        mid=mid,
    )
    if action != "react":
        return replace(item, verdict=Verdict.NOTED, reason="the person took a reaction back")
    shown = _text(reaction.get("emoji")) or _word_of_reaction(reaction)
    item = replace(item, emoji=shown, text=shown)
    return replace(item, verdict=Verdict.OWN, reason="the account itself reacted") if from_us else item


def _word_of_reaction(reaction: Mapping[str, object]) -> str | None:
    """Meta's word where no emoji stands beside it; `other` says nothing."""
    word = _text(reaction.get("reaction"))
    return None if word == "other" else word


def _with_referral(item: Incoming, referral: object) -> Incoming:
    """The ad or ig.me link through which they came. A product page of an Instagram shop is neither."""
    if not isinstance(referral, dict) or "product" in referral:
        return item
    ref, ad_id = _text(referral.get("ref")), _id(referral.get("ad_id"))
    if ad_id is not None or referral.get("source") == "ADS":
        return replace(item, ref=ref, ad_id=ad_id or "")
    return replace(item, ref=ref or "")


# --- small things ----------------------------------------------------------------------------------------


def _unsupported(ig_id: str, raw: object, at: datetime | None, igsid: str | None = None) -> Incoming:
    return Incoming(
        ig_id=ig_id,
        key=_anonymous_key("u", raw),
        kind=EventKind.UNSUPPORTED,
        occurred_at=at,
        igsid=igsid,
        verdict=Verdict.UNSUPPORTED,
        reason="Pamosnik does not know this kind of event",
    )


def _anonymous_key(kind: str, raw: object) -> str:
    """For what has no id of its own: the same content is the same event."""
    canonical = json.dumps(raw, sort_keys=True).encode()
    return f"{kind}:{hashlib.sha256(canonical).hexdigest()[:32]}"


def _instant(value: object) -> datetime | None:
    """Seconds or milliseconds since 1970, as a number or its digits; None for anything else."""
    if isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) < 17:
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int | float) or abs(value) > _NO_INSTANT:
        return None
    seconds = value / 1000 if abs(value) > _SECONDS_BELOW else value
    if not 1_000_000_000 <= seconds <= 4_000_000_000:
        return None
    return datetime.fromtimestamp(seconds, UTC)


def _dict(value: object) -> Mapping[str, object]:
    return value if isinstance(value, dict) else {}


def _list(value: object) -> Sequence[object]:
    """A list as it is; one thing as a list of one; nothing as an empty one."""
    if isinstance(value, list):
        return value
    return () if value is None else (value,)


def _text(value: object) -> str | None:
    return _clean(value, TEXT_CHARS) if isinstance(value, str) else None


def _id(value: object) -> str | None:
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 10**30:
        return str(value)
    return (_clean(value, ID_CHARS) or None) if isinstance(value, str) else None


def _clean(text: str, limit: int) -> str:
    return storable(text[:limit])


def storable(text: str) -> str:
    """What SQLite and UTF-8 can hold: halves of surrogate pairs and NUL, which JSON can spell, are replaced."""
    return text.encode("utf-8", "replace").decode().replace("\x00", "\ufffd")
