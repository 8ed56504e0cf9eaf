"""How a change looks in a webhook: the dicts of `entry[].messaging[]` and `entry[].changes[]`.

Shapes: https://developers.facebook.com/docs/instagram-platform/webhooks/examples as of October 2026.
A person is the sender of what they do; in an echo the account is.
"""

from datetime import datetime

from pamosnik.sandbox.behaviour import Behaviour
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
    Referral,
)
from pamosnik.sandbox.world import milliseconds

_USUAL = Behaviour()
_HEART = "\u2764"


def person_message(account: Account, igsid: str, message: Message, ways: Behaviour = _USUAL) -> Json:
    return _from_person(account, igsid, message.created_at, {"message": _incoming(message, ways)})


def echo(
    account: Account, igsid: str, message: Message, ways: Behaviour = _USUAL, *, app_id: str | None = None
) -> Json:
    """`app_id` names the sending app; None when the owner wrote by hand."""
    body = _shown(message.mid, message.content, ways) | {"is_echo": True}
    if ways.echo_metadata and app_id is not None:
        body["app_id"] = int(app_id)
        if message.metadata is not None:
            body["metadata"] = message.metadata
    if message.reply_to_mid is not None:
        body["reply_to"] = {"mid": message.reply_to_mid, "is_self_reply": message.self_reply}
    return {
        "sender": {"id": account.ig_id},
        "recipient": {"id": igsid},
        "timestamp": milliseconds(message.created_at),
        "message": body,
    }


def self_message(account: Account, message: Message) -> Json:
    """The account writes to itself to try things out."""
    item = echo(account, account.self_igsid, message)
    return item | {"message": _shown(message.mid, message.content) | {"is_echo": True, "is_self": True}}


def deleted(account: Account, igsid: str, message: Message, at: datetime) -> Json:
    return _from_person(account, igsid, at, {"message": {"mid": message.mid, "is_deleted": True}})


def edited(account: Account, igsid: str, message: Message, at: datetime) -> Json:
    body: Json = {"mid": message.mid, "text": message.content.text, "num_edit": message.edits}
    return _from_person(account, igsid, at, {"message_edit": body})


def postback(account: Account, igsid: str, message: Message, *, with_mid: bool = True) -> Json:
    body: Json = {"mid": message.mid} if with_mid else {}
    body |= {"title": message.content.text, "payload": message.payload}
    if message.referral is not None:
        body["referral"] = _referral(message.referral)
    return _from_person(account, igsid, message.created_at, {"postback": body})


def referral(account: Account, igsid: str, came: Referral, at: datetime) -> Json:
    """A person with a thread opened a link, without writing."""
    return _from_person(account, igsid, at, {"referral": _referral(came)})


def optin(account: Account, igsid: str, title: str, payload: str, at: datetime) -> Json:
    """Messenger's shape; nobody knows Instagram's."""
    body: Json = {"type": "notification_messages", "payload": payload, "title": title}
    return _from_person(account, igsid, at, {"optin": body})


def handover(account: Account, igsid: str, kind: str, body: Json, at: datetime) -> Json:
    """`kind` is pass, take or request."""
    return _from_person(account, igsid, at, {f"{kind}_thread_control": body})


def reaction(account: Account, igsid: str, message: Message, at: datetime, ways: Behaviour = _USUAL) -> Json:
    """The message as it is after the reaction; without one this is an `unreact`."""
    emoji = message.person_reaction
    body: Json = {"mid": message.mid, "action": "unreact"}
    if emoji is not None:
        other = "other" if ways.other_reaction else emoji
        word = "love" if emoji.startswith(_HEART) else other
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


def comment(account: Account, media: Media, said: Comment, ways: Behaviour = _USUAL) -> Json:
    """`media` is where it is told to be: for a boosted post the post itself, or the ad."""
    author: Json = {"id": said.igsid or account.ig_id, "username": said.username}
    if said.igsid is None:
        author["self_ig_scoped_id"] = account.self_igsid
    value: Json = {ways.comment_id_key: said.id, "from": author, "media": _media(media)}
    if said.text:
        value["text"] = said.text
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
        case MediaKind.AD:
            return "AD"
        case MediaKind.LIVE:
            return None


def dashboard_test() -> Json:
    """What the dashboard's "Test" button sends, under the entry id 0."""
    return {"field": "messages", "value": dashboard_test_before()}


def dashboard_test_before() -> Json:
    """The older test: the same values as a messaging item."""
    return {
        "sender": {"id": "12334"},
        "recipient": {"id": "23245"},
        "timestamp": "1527459824",
        "message": {"mid": "random_mid", "text": "random_text"},
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


def _incoming(message: Message, ways: Behaviour) -> Json:
    if message.unsupported:
        return {"mid": message.mid, "is_unsupported": True}
    body = _shown(message.mid, message.content, ways)
    if message.payload is not None:
        body["quick_reply"] = {"payload": message.payload}
    if message.reply_to_mid is not None:
        body["reply_to"] = {"mid": message.reply_to_mid, "is_self_reply": message.self_reply}
    elif message.story is not None and message.content.text is not None:
        body["reply_to"] = {"story": _story(message.story)}
    if message.referral is not None:
        body["referral"] = _referral(message.referral)
    return body


def _story(story: Media) -> Json:
    told: Json = {"id": story.id, "url": story_url(story)}
    if story.link_sticker_url is not None:
        told["link_sticker_url"] = story.link_sticker_url
    return told


def _referral(came: Referral) -> Json:
    if came.product_id is not None:
        return {"product": {"id": came.product_id}}
    told: Json = {} if came.ref is None else {"ref": came.ref}
    if came.ad_id is not None:
        told["ad_id"] = came.ad_id
    told |= {"source": came.source, "type": "OPEN_THREAD"}
    ad = {"ad_title": came.ad_title, "photo_url": came.photo_url, "video_url": came.video_url}
    shown = {name: value for name, value in ad.items() if value is not None}
    return told | {"ads_context_data": shown} if shown else told


def _shown(mid: str, content: Content, ways: Behaviour = _USUAL) -> Json:
    body: Json = {"mid": mid}
    if content.text is not None:
        body["text"] = content.text
    attachments = [told for one in content.attachments for told in _attachment(one, ways)]
    if content.cards:
        elements = [card_element(card) for card in content.cards]
        attachments.append({"type": "template", "payload": {"generic": {"elements": elements}}})
    if attachments:
        body["attachments"] = attachments
    return body


def _attachment(attachment: Attachment, ways: Behaviour) -> list[Json]:
    """A shared post may come as `share`, as `ig_post`, or as both."""
    share: Json = {"type": "share", "payload": {"url": attachment.url}}
    if attachment.media_id is None:
        payload: Json = {} if attachment.title is None else {"title": attachment.title}
        return [{"type": attachment.kind, "payload": payload | {"url": attachment.url}}]
    if attachment.kind == "ig_post" and ways.shared_as == "share":
        return [share]
    post: Json = {"type": attachment.kind, "payload": _post_keys(attachment, ways) | {"url": attachment.url}}
    return [share, post] if attachment.kind == "ig_post" and ways.shared_as == "both" else [post]


def _post_keys(attachment: Attachment, ways: Behaviour) -> Json:
    reel = attachment.kind == "ig_reel"
    if reel and not ways.reel_keys:
        return {}
    told: Json = {"reel_video_id" if reel else "ig_post_media_id": attachment.media_id}
    return told if attachment.title is None else told | {"title": attachment.title}


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
    extra = {"ad_id": media.ad_id, "ad_title": media.ad_title, "original_media_id": media.original_media_id}
    return told | {name: value for name, value in extra.items() if value is not None}
