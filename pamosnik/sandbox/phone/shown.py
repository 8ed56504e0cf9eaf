"""How comments and messages look on the phone: JSON for the page, from the point of view of one person."""

from datetime import datetime
from urllib.parse import urlsplit

from pamosnik.sandbox.things import (
    Attachment,
    Button,
    ButtonKind,
    Card,
    Comment,
    Content,
    Json,
    Media,
    Message,
)
from pamosnik.sandbox.world import World


def moment(instant: datetime | None) -> str | None:
    """2026-12-02T11:00:00.000Z"""
    return None if instant is None else f"{instant:%Y-%m-%dT%H:%M:%S}.{instant.microsecond // 1000:03d}Z"


def comment(world: World, said: Comment, username: str) -> Json:
    """With its replies; a hidden comment is shown to who wrote it, as Instagram does."""
    replies = [comment(world, reply, username) for reply in visible(world.replies_to(said), username)]
    return {
        "id": said.id,
        "username": said.username,
        "text": said.text,
        "at": moment(said.created_at),
        "mine": said.igsid is not None and said.username == username,
        "shop": said.igsid is None,
        "hidden": said.hidden,
        "replies": replies,
    }


def visible(comments: tuple[Comment, ...], username: str) -> tuple[Comment, ...]:
    return tuple(said for said in comments if not said.hidden or said.username == username)


def media(shown: Media) -> Json:
    return {
        "id": shown.id,
        "kind": shown.kind.value,
        "caption": shown.caption,
        "at": moment(shown.created_at),
        "comments_enabled": shown.comments_enabled,
    }


def message(world: World, written: Message) -> Json:
    content = written.content
    return {
        "mid": written.mid,
        "mine": not written.from_business,
        "at": moment(written.created_at),
        "text": content.text,
        "attachments": [_attachment(world, one) for one in content.attachments],
        "cards": [_card(card) for card in content.cards],
        "chips": [chip.title for chip in content.chips],
        "story": None if written.story is None else media(written.story),
        "reply_to": _quoted(world, written.reply_to_mid),
        "comment": _answered(world, written.comment_id),
        "reaction": written.person_reaction,
        "shop_reaction": written.business_reaction,
    }


_HEART = "asset_id=like_heart"
_IN_WORDS = {
    "story_mention": "Mentioned the shop in a story",
    "ig_post": "Shared a post",
    "ig_reel": "Shared a post",
    "video": "Sent a film",
    "audio": "Sent a voice message",
    "file": "Sent a file",
}


def preview(content: Content) -> str:
    """One line for the list of conversations."""
    if content.text is not None:
        return content.text
    if content.cards:
        return content.cards[0].title
    if any(_HEART in one.url for one in content.attachments):
        return "❤️"
    return next(
        (_IN_WORDS[one.kind] for one in content.attachments if one.kind in _IN_WORDS), "Sent a picture"
    )


def _attachment(world: World, one: Attachment) -> Json:
    shown = world.media.get(one.media_id or "")
    return {
        "kind": one.kind,
        "url": safe_url(one.url),
        "media": None if shown is None else media(shown),
    }


def _card(card: Card) -> Json:
    return {
        "title": card.title,
        "subtitle": card.subtitle,
        "image": safe_url(card.image_url),
        "url": safe_url(card.default_url),
        "buttons": [option(button) for button in card.buttons],
    }


def option(button: Button) -> Json:
    """`url` is None for a button that writes, and for an address no browser should open."""
    opens = button.kind is ButtonKind.URL
    return {"title": button.title, "opens": opens, "url": safe_url(button.value) if opens else None}


def _quoted(world: World, mid: str | None) -> Json | None:
    quoted = world.messages.get(mid or "")
    if quoted is None:
        return None
    text = "Message unsent" if quoted.deleted else preview(quoted.content)
    return {"mine": not quoted.from_business, "text": text}


def _answered(world: World, comment_id: str | None) -> Json | None:
    """The comment a private reply answers; its text is None once it is deleted."""
    if comment_id is None:
        return None
    said = world.comments.get(comment_id)
    return {"text": None if said is None else said.text}


def safe_url(url: str | None) -> str | None:
    """Only what a browser may open: `javascript:` and its like come back as None."""
    return url if url is not None and urlsplit(url).scheme in ("https", "http") else None
