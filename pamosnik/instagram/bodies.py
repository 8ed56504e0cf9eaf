"""How a message looks to Instagram. The body is made once, stored, and repeated byte for byte.

Bodies: https://developers.facebook.com/docs/instagram-platform/instagram-api-with-instagram-login/messaging-api
(October 2026).
"""

import json
from collections.abc import Mapping, Sequence

from pamosnik.model.entrances import Entrance
from pamosnik.model.outbox import (
    Action,
    ItemKind,
    MediaKind,
    OutboxItem,
    OutButton,
    OutCard,
    OutMedia,
    OutMessage,
)


def wire(item: OutboxItem, *, plain: bool) -> str:
    """The JSON body of a message, private reply or reaction; of what goes to a comment its parameters. `plain`:
    without buttons, or without a quote."""
    if item.kind is ItemKind.COMMENT_REPLY:
        return json.dumps({"message": item.content.text})
    if item.kind is ItemKind.COMMENT_ACTION:
        return json.dumps({"hide": "true"} if item.action is Action.HIDE else {})
    if item.kind is ItemKind.SENDER_ACTION:
        return json.dumps({"recipient": {"id": item.igsid}, **_sender_action(item)})
    private = item.kind is ItemKind.PRIVATE_REPLY
    recipient = {"comment_id": item.comment_id} if private else {"id": item.igsid}
    body: dict[str, object] = {"recipient": recipient}
    body["message"] = _message(item.content, plain=plain and private)
    if item.content.reply_to is not None and not private and not plain:
        body["reply_to"] = {"mid": item.content.reply_to}
    return json.dumps(body)


def _sender_action(item: OutboxItem) -> Mapping[str, object]:
    if item.action is Action.TYPING:
        return {"sender_action": "typing_on"}
    payload = {"message_id": item.task["message"], "reaction": item.task["emoji"]}
    return {"sender_action": "react", "payload": payload}


def entrances(entrance: Entrance, shown: Sequence[tuple[str, str]]) -> str:
    """Opening questions or menu items, each with what its tap carries; they take the place of all before.

    https://developers.facebook.com/docs/instagram-platform/instagram-api-with-instagram-login/messaging-api/ice-breakers
    and .../persistent-menu (October 2026)
    """
    if entrance is Entrance.ICE_BREAKERS:
        actions = [{"question": label, "payload": payload} for label, payload in shown]
    else:
        actions = [{"type": "postback", "title": label, "payload": payload} for label, payload in shown]
    lists = [{"locale": "default", "call_to_actions": actions}]
    return json.dumps({"platform": "instagram", entrance.value: lists})


def _message(content: OutMessage, *, plain: bool) -> Mapping[str, object]:
    if plain and content.spelled_out is not None:
        return {"text": content.spelled_out}
    if content.images:
        pictures = [{"type": "image", "payload": {"url": url}} for url in content.images]
        return {"attachments": pictures}
    if content.media is not None:
        return {"attachment": _media(content.media)}
    if content.cards:
        elements = [_card(card) for card in content.cards]
        return {"attachment": _template({"template_type": "generic", "elements": elements})}
    if content.buttons:
        buttons = [_button(button) for button in content.buttons]
        payload = {"template_type": "button", "text": content.text, "buttons": buttons}
        message: dict[str, object] = {"attachment": _template(payload)}
    else:
        message = {"text": content.text}
    if content.chips:
        message["quick_replies"] = [
            {"content_type": "text", "title": chip.label, "payload": chip.payload or chip.label}
            for chip in content.chips
        ]
    return message


def _template(payload: Mapping[str, object]) -> Mapping[str, object]:
    return {"type": "template", "payload": payload}


def _media(media: OutMedia) -> Mapping[str, object]:
    if media.kind is MediaKind.HEART:
        return {"type": "like_heart"}
    if media.kind is MediaKind.POST:
        return {"type": "MEDIA_SHARE", "payload": {"id": media.url}}
    return {"type": media.kind.value, "payload": {"url": media.url}}


def _card(card: OutCard) -> Mapping[str, object]:
    opens = None if card.url is None else {"type": "web_url", "url": card.url}
    parts: Mapping[str, object] = {
        "title": card.title,
        "subtitle": card.subtitle,
        "image_url": card.image,
        "default_action": opens,
        "buttons": [_button(button) for button in card.buttons],
    }
    return {name: part for name, part in parts.items() if part}


def _button(button: OutButton) -> Mapping[str, object]:
    if button.url is not None:
        return {"type": "web_url", "url": button.url, "title": button.label}
    return {"type": "postback", "title": button.label, "payload": button.payload or button.label}
