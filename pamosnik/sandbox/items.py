"""How a change looks in a webhook: the dicts of `entry[].messaging[]` and `entry[].changes[]`.

Shapes: https://developers.facebook.com/docs/instagram-platform/webhooks/examples as of October 2026.
A person is the sender of what they do; in an echo the account is.
"""

from datetime import datetime

from pamosnik.sandbox.things import (
    Account,
    Attachment,
    Button,
    ButtonKind,
    Card,
    Comment,
    Content,
    Json,
    Media,
    MediaKind,
    Message,
)
from pamosnik.sandbox.world import milliseconds


def person_message(account: Account, igsid: str, message: Message) -> Json:
    return _from_person(account, igsid, message.created_at, {"message": _incoming(message)})


def echo(account: Account, igsid: str, message: Message) -> Json:
    body = _shown(message.mid, message.content) | {"is_echo": True}
    if message.reply_to_mid is not None:
        body["reply_to"] = {"mid": message.reply_to_mid, "is_self_reply": False}
    return {
        "sender": {"id": account.ig_id},
        "recipient": {"id": igsid},
        "timestamp": milliseconds(message.created_at),
        "message": body,
    }


def deleted(account: Account, igsid: str, message: Message, at: datetime) -> Json:
    return _from_person(account, igsid, at, {"message": {"mid": message.mid, "is_deleted": True}})


def postback(account: Account, igsid: str, message: Message) -> Json:
    body: Json = {"mid": message.mid, "title": message.content.text, "payload": message.payload}
    return _from_person(account, igsid, message.created_at, {"postback": body})


def reaction(account: Account, igsid: str, message: Message, at: datetime) -> Json:
    """The message as it is after the reaction; without one this is an `unreact`."""
    emoji = message.person_reaction
    body: Json = {"mid": message.mid, "action": "unreact"}
    if emoji is not None:
        word = "love" if emoji.startswith("\u2764") else "other"
        body = {"mid": message.mid, "action": "react", "reaction": word, "emoji": emoji}
    return _from_person(account, igsid, at, {"reaction": body})


def read(account: Account, igsid: str, message: Message, at: datetime) -> Json:
    return _from_person(account, igsid, at, {"read": {"mid": message.mid}})


def edit_companion(message: Message) -> Json:
    """The `message_edit` with `num_edit` 0 that announces new messages to who subscribed to that field."""
    return {
        "timestamp": milliseconds(message.created_at),
        "message_edit": {"mid": message.mid, "num_edit": 0},
    }


def comment(account: Account, media: Media, said: Comment) -> Json:
    author: Json = {"id": said.igsid or account.ig_id, "username": said.username}
    if said.igsid is None:
        author["self_ig_scoped_id"] = account.self_igsid
    value: Json = {"id": said.id, "text": said.text, "from": author, "media": _media(media)}
    if said.parent_id is not None:
        value["parent_id"] = said.parent_id
    return {"field": comment_field(media), "value": value}


def comment_field(media: Media) -> str:
    return "live_comments" if media.kind is MediaKind.LIVE else "comments"


def product_type(kind: MediaKind) -> str | None:
    """None for a live broadcast: its own webhook field says it, and no product type is documented."""
    match kind:
        case MediaKind.POST:
            return "FEED"
        case MediaKind.REEL:
            return "REELS"
        case MediaKind.STORY:
            return "STORY"
        case MediaKind.LIVE:
            return None


def dashboard_test() -> Json:
    """What the dashboard's "Test" button sends, under the entry id 0."""
    return {
        "field": "messages",
        "value": {
            "sender": {"id": "12334"},
            "recipient": {"id": "23245"},
            "timestamp": "1527459824",
            "message": {"mid": "random_mid", "text": "random_text"},
        },
    }


def story_url(story: Media) -> str:
    return f"https://lookaside.fbsbx.com/ig_messaging_cdn/?asset_id={story.id}&signature=sandbox"


def _from_person(account: Account, igsid: str, at: datetime, body: Json) -> Json:
    head: Json = {
        "sender": {"id": igsid},
        "recipient": {"id": account.ig_id},
        "timestamp": milliseconds(at),
    }
    return head | body


def _incoming(message: Message) -> Json:
    body = _shown(message.mid, message.content)
    if message.payload is not None:
        body["quick_reply"] = {"payload": message.payload}
    if message.reply_to_mid is not None:
        body["reply_to"] = {"mid": message.reply_to_mid, "is_self_reply": False}
    elif message.story is not None and message.content.text is not None:
        body["reply_to"] = {"story": {"id": message.story.id, "url": story_url(message.story)}}
    return body


def _shown(mid: str, content: Content) -> Json:
    body: Json = {"mid": mid}
    if content.text is not None:
        body["text"] = content.text
    attachments = [_attachment(attachment) for attachment in content.attachments]
    if content.cards:
        elements = [card_element(card) for card in content.cards]
        attachments.append({"type": "template", "payload": {"generic": {"elements": elements}}})
    if attachments:
        body["attachments"] = attachments
    return body


def _attachment(attachment: Attachment) -> Json:
    payload: Json = {}
    if attachment.media_id is not None:
        key = "reel_video_id" if attachment.kind == "ig_reel" else "ig_post_media_id"
        payload[key] = attachment.media_id
    if attachment.title is not None:
        payload["title"] = attachment.title
    return {"type": attachment.kind, "payload": payload | {"url": attachment.url}}


def card_element(card: Card) -> Json:
    element: Json = {"title": card.title}
    if card.subtitle is not None:
        element["subtitle"] = card.subtitle
    if card.image_url is not None:
        element["image_url"] = card.image_url
    if card.buttons:
        element["buttons"] = [_button(button) for button in card.buttons]
    return element


def _button(button: Button) -> Json:
    key = "url" if button.kind is ButtonKind.URL else "payload"
    return {"type": button.kind.value, "title": button.title, key: button.value}


def _media(media: Media) -> Json:
    told: Json = {"id": media.id}
    product = product_type(media.kind)
    if product is not None:
        told["media_product_type"] = product
    return told
