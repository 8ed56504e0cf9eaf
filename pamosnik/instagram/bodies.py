"""How a message looks to Instagram. The body is made once, stored, and repeated byte for byte.

Bodies: https://developers.facebook.com/docs/instagram-platform/instagram-api-with-instagram-login/messaging-api
(October 2026).
"""

import json
from collections.abc import Mapping

from pamosnik.model.outbox import ItemKind, OutboxItem, OutButton, OutMessage


def wire(item: OutboxItem, *, plain: bool) -> str:
    """The JSON body of a message or private reply; of a comment reply its one parameter. `plain`: without buttons."""
    if item.kind is ItemKind.COMMENT_REPLY:
        return json.dumps({"message": item.content.text})
    private = item.kind is ItemKind.PRIVATE_REPLY
    recipient = {"comment_id": item.comment_id} if private else {"id": item.igsid}
    return json.dumps({"recipient": recipient, "message": _message(item.content, plain=plain)})


def _message(content: OutMessage, *, plain: bool) -> Mapping[str, object]:
    if plain and content.spelled_out is not None:
        return {"text": content.spelled_out}
    if content.images:
        pictures = [{"type": "image", "payload": {"url": url}} for url in content.images]
        return {"attachments": pictures}
    if content.buttons:
        payload = {
            "template_type": "button",
            "text": content.text,
            "buttons": [_button(button) for button in content.buttons],
        }
        message: dict[str, object] = {"attachment": {"type": "template", "payload": payload}}
    else:
        message = {"text": content.text}
    if content.chips:
        message["quick_replies"] = [
            {"content_type": "text", "title": chip.label, "payload": chip.payload or chip.label}
            for chip in content.chips
        ]
    return message


def _button(button: OutButton) -> Mapping[str, object]:
    if button.url is not None:
        return {"type": "web_url", "url": button.url, "title": button.label}
    return {"type": "postback", "title": button.label, "payload": button.payload or button.label}
