"""What Graph's lists say, in our words: conversations with their messages, replies under comments.

Shapes: https://developers.facebook.com/docs/instagram-platform/instagram-api-with-instagram-login/conversations-api
and …/instagram-graph-api/reference/ig-comment (October 2026). Tolerant: what is missing or odd is left out.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from pamosnik.instagram import webhook
from pamosnik.model.contact import Profile
from pamosnik.model.event import Attachment, EventKind, Incoming

Json = Mapping[str, object]

_FILES = {"image_data": "image", "video_data": "video"}


@dataclass(frozen=True, slots=True)
class Read:
    """A message as the conversations API shows it. Payloads of taps are not told there."""

    mid: str
    from_id: str | None
    """None: only its id and time are shown, because it is not among the newest 20."""
    at: datetime | None
    text: str | None = None
    attachments: tuple[Attachment, ...] = ()
    username: str | None = None
    """Of the one who wrote it."""


@dataclass(frozen=True, slots=True)
class Conversation:
    id: str
    igsid: str | None
    """The person, None when the participants were not told."""
    updated_at: datetime | None
    messages: tuple[Read, ...]
    """Newest first, as far as they were told."""


@dataclass(frozen=True, slots=True)
class Reply:
    """A comment, or a reply below one."""

    id: str
    from_id: str | None
    username: str | None
    text: str | None
    at: datetime | None
    replies: tuple["Reply", ...] = ()


def objects(value: object) -> Iterator[Json]:
    """The objects of `{"data": […]}`."""
    data = value.get("data") if isinstance(value, Mapping) else None
    for one in data if isinstance(data, list) else ():
        if isinstance(one, Mapping):
            yield one


FULL_PAGE = 25
"""What Graph gives unless another number is asked for."""


def next_page(body: Json, full: int = FULL_PAGE) -> str | None:
    """The cursor that leads on; None on the last page. `full`: how many a page holds.

    Graph names the `next` address where there is more. Meta's example of conversations has the cursor alone: behind a
    full page it is followed, too.
    """
    paging = body.get("paging")
    if not isinstance(paging, Mapping):
        return None
    cursors = paging.get("cursors")
    after = text(cursors.get("after")) if isinstance(cursors, Mapping) else None
    return after if "next" in paging or sum(1 for _ in objects(body)) >= full else None


def conversations(body: Json, ig_id: str) -> list[Conversation]:
    """A page of conversations, the most recently used first."""
    return [one for raw in objects(body) if (one := conversation(raw, ig_id)) is not None]


def conversation(raw: Json, ig_id: str) -> Conversation | None:
    """One conversation; None for what has no id."""
    conversation_id = text(raw.get("id"))
    if conversation_id is None:
        return None
    people = [text(one.get("id")) for one in objects(raw.get("participants"))]
    return Conversation(
        id=conversation_id,
        igsid=next((igsid for igsid in people if igsid not in (None, ig_id)), None),
        updated_at=moment(raw.get("updated_time")),
        messages=tuple(one for m in objects(raw.get("messages")) if (one := message(m)) is not None),
    )


def message(raw: Json) -> Read | None:
    """One message; None for what has no id."""
    mid = text(raw.get("id"))
    if mid is None:
        return None
    sender = raw.get("from")
    who = sender if isinstance(sender, Mapping) else {}
    attachments = tuple(_attachments(raw))
    return Read(
        mid=mid,
        from_id=text(who.get("id")),
        at=moment(raw.get("created_time")),
        text=text(raw.get("message")) or _template_text(raw),
        attachments=attachments,
        username=text(who.get("username")),
    )


def _attachments(raw: Json) -> Iterator[Attachment]:
    for one in objects(raw.get("attachments")):
        for key, kind in _FILES.items():
            data = one.get(key)
            if isinstance(data, Mapping):
                yield Attachment(kind, text(data.get("url")))
        if "file_url" in one:
            yield Attachment("file", text(one["file_url"]))
    for one in objects(raw.get("shares")):
        yield Attachment("share", text(one.get("link")))
    story = raw.get("story")
    mention = story.get("mention") if isinstance(story, Mapping) else None
    if isinstance(mention, Mapping):
        yield Attachment("story_mention", text(mention.get("link")))


def _template_text(raw: Json) -> str | None:
    """A message with buttons shows its text as the title of a template."""
    for one in objects(raw.get("attachments")):
        template = one.get("generic_template")
        if isinstance(template, Mapping):
            return text(template.get("title"))
    return None


def replies(raw: Json) -> list[Reply]:
    """Comments of an edge, in the order told."""
    found = []
    for one in objects(raw):
        comment_id = text(one.get("id"))
        sender = one.get("from")
        who = sender if isinstance(sender, Mapping) else {}
        if comment_id is not None:
            found.append(
                Reply(
                    id=comment_id,
                    from_id=text(who.get("id")),
                    username=text(who.get("username")) or text(one.get("username")),
                    text=text(one.get("text")),
                    at=moment(one.get("timestamp")),
                    replies=tuple(replies(below) if isinstance(below := one.get("replies"), dict) else ()),
                )
            )
    return found


def profile(raw: Json) -> Profile:
    """What a profile tells; what is missing or odd is unknown."""
    followers = raw.get("follower_count")
    return Profile(
        username=text(raw.get("username")),
        name=text(raw.get("name")),
        follows_me=_flag(raw.get("is_user_follow_business")),
        verified=_flag(raw.get("is_verified_user")),
        followers=followers if isinstance(followers, int) and not isinstance(followers, bool) else None,
    )


def _flag(value: object) -> bool | None:
    return value if isinstance(value, bool) else None


def recovered_message(read: Read, ig_id: str, igsid: str) -> Incoming:
    """The event that its webhook would have told, as far as conversations tell it."""
    types = {attachment.type for attachment in read.attachments}
    kind = EventKind.MESSAGE
    if "story_mention" in types:
        kind = EventKind.STORY_MENTION
    elif "share" in types:
        kind = EventKind.SHARED_POST
    return Incoming(
        ig_id=ig_id,
        key=webhook.message_key(read.mid),
        kind=kind,
        occurred_at=read.at,
        igsid=igsid,
        username=read.username,
        text=None if read.text is None else read.text[: webhook.TEXT_CHARS],
        mid=read.mid,
        attachments=read.attachments,
        recovered=True,
    )


def recovered_comment(reply: Reply, ig_id: str, media_id: str, parent_id: str | None) -> Incoming:
    """Likewise of a comment."""
    return Incoming(
        ig_id=ig_id,
        key=webhook.comment_key(reply.id),
        kind=EventKind.COMMENT,
        occurred_at=reply.at,
        igsid=reply.from_id,
        username=reply.username,
        text=None if reply.text is None else reply.text[: webhook.TEXT_CHARS],
        comment_id=reply.id,
        parent_id=parent_id,
        media_id=media_id,
        recovered=True,
    )


def moment(value: object) -> datetime | None:
    """`2026-10-01T08:00:00+0000`, as Graph writes times."""
    try:
        return datetime.strptime(str(value), "%Y-%m-%dT%H:%M:%S%z")
    except ValueError:
        return None


def text(value: object) -> str | None:
    """A text or an id, as it can be stored; None for everything else and for nothing."""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return webhook.storable(value) if isinstance(value, str) and value else None
