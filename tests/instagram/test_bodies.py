"""What leaves for Instagram, to the letter of Meta's documents."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from pamosnik.instagram.bodies import wire
from pamosnik.model.outbox import (
    Action,
    ItemKind,
    ItemStatus,
    MediaKind,
    OutboxItem,
    OutButton,
    OutCard,
    OutMedia,
    OutMessage,
)

_NOW = datetime(2026, 12, 2, 11, tzinfo=UTC)
_GO, _SITE = (
    OutButton("Go", payload="pamosnik1:r:f:v:do.0.buttons.0"),
    OutButton("Site", url="https://shop.example"),
)


def _item(content: OutMessage, kind: ItemKind = ItemKind.MESSAGE) -> OutboxItem:
    return OutboxItem(
        id="01",
        account_id="a",
        connection_id="k",
        contact_id="c",
        run_id=None,
        flow_id=None,
        step=None,
        kind=kind,
        status=ItemStatus.QUEUED,
        content=content,
        due_at=_NOW,
        deadline=None,
        attempts=0,
        igsid="900",
        comment_id="179",
    )


def _sent(content: OutMessage, kind: ItemKind = ItemKind.MESSAGE, *, plain: bool = False) -> Any:
    return json.loads(wire(_item(content, kind), plain=plain))


def test_a_text() -> None:
    assert _sent(OutMessage("Cześć 💌")) == {"recipient": {"id": "900"}, "message": {"text": "Cześć 💌"}}


def test_a_private_reply_is_addressed_to_the_comment() -> None:
    sent = _sent(OutMessage("Hi"), ItemKind.PRIVATE_REPLY)
    assert sent == {"recipient": {"comment_id": "179"}, "message": {"text": "Hi"}}


def test_a_public_reply_has_one_parameter() -> None:
    assert _sent(OutMessage("Sent!"), ItemKind.COMMENT_REPLY) == {"message": "Sent!"}


def test_buttons() -> None:
    assert _sent(OutMessage("Hi", buttons=(_GO, _SITE)))["message"] == {
        "attachment": {
            "type": "template",
            "payload": {
                "template_type": "button",
                "text": "Hi",
                "buttons": [
                    {"type": "postback", "title": "Go", "payload": "pamosnik1:r:f:v:do.0.buttons.0"},
                    {"type": "web_url", "url": "https://shop.example", "title": "Site"},
                ],
            },
        }
    }


def test_chips() -> None:
    assert _sent(OutMessage("Hi", chips=(_GO, OutButton("Skip"))))["message"] == {
        "text": "Hi",
        "quick_replies": [
            {"content_type": "text", "title": "Go", "payload": "pamosnik1:r:f:v:do.0.buttons.0"},
            {"content_type": "text", "title": "Skip", "payload": "Skip"},
        ],
    }


def test_pictures_travel_alone() -> None:
    assert _sent(OutMessage(images=("https://a.example/1.png", "https://a.example/2.png")))["message"] == {
        "attachments": [
            {"type": "image", "payload": {"url": "https://a.example/1.png"}},
            {"type": "image", "payload": {"url": "https://a.example/2.png"}},
        ]
    }


@pytest.mark.parametrize("kind", [MediaKind.VIDEO, MediaKind.AUDIO, MediaKind.FILE])
def test_a_film_a_sound_and_a_file_travel_alone(kind: MediaKind) -> None:
    sent = _sent(OutMessage(media=OutMedia(kind, "https://a.example/1")))
    assert sent["message"] == {"attachment": {"type": kind.value, "payload": {"url": "https://a.example/1"}}}


def test_a_heart() -> None:
    sent = _sent(OutMessage(media=OutMedia(MediaKind.HEART)))
    assert sent["message"] == {"attachment": {"type": "like_heart"}}


def test_an_own_post() -> None:
    sent = _sent(OutMessage(media=OutMedia(MediaKind.POST, "18000000000000055")))
    assert sent["message"] == {"attachment": {"type": "MEDIA_SHARE", "payload": {"id": "18000000000000055"}}}


def test_cards() -> None:
    hat = OutCard(
        "Hat", "Wool", "https://shop.example/hat.jpg", "https://shop.example/hat", buttons=(_GO, _SITE)
    )
    sent = _sent(OutMessage(cards=(hat, OutCard("Scarf", "Silk")), spelled_out="Hat, scarf"))
    assert sent["message"] == {
        "attachment": {
            "type": "template",
            "payload": {
                "template_type": "generic",
                "elements": [
                    {
                        "title": "Hat",
                        "subtitle": "Wool",
                        "image_url": "https://shop.example/hat.jpg",
                        "default_action": {"type": "web_url", "url": "https://shop.example/hat"},
                        "buttons": [
                            {"type": "postback", "title": "Go", "payload": "pamosnik1:r:f:v:do.0.buttons.0"},
                            {"type": "web_url", "url": "https://shop.example", "title": "Site"},
                        ],
                    },
                    {"title": "Scarf", "subtitle": "Silk"},
                ],
            },
        }
    }


def _action(action: Action, **task: str) -> Any:
    item = replace(_item(OutMessage(), action.kind), task={"action": action.value, **task})
    return json.loads(wire(item, plain=False))


def test_a_reaction_names_the_message_beside_the_recipient() -> None:
    assert _action(Action.REACT, message="aWdf_A1", emoji="❤️") == {
        "recipient": {"id": "900"},
        "sender_action": "react",
        "payload": {"message_id": "aWdf_A1", "reaction": "❤️"},
    }


def test_typing_stands_alone_beside_the_recipient() -> None:
    assert _action(Action.TYPING) == {"recipient": {"id": "900"}, "sender_action": "typing_on"}


def test_a_quote_stands_beside_the_message() -> None:
    content = OutMessage("Yes", buttons=(_GO,), spelled_out="Yes, go", reply_to="aWdf_A1")
    sent = _sent(content)
    assert sent["reply_to"] == {"mid": "aWdf_A1"}
    assert set(sent) == {"recipient", "message", "reply_to"}
    plain = _sent(content, plain=True)
    assert set(plain) == {"recipient", "message"}
    assert plain["message"] == sent["message"], "the buttons stay"
    assert "reply_to" not in _sent(content, ItemKind.PRIVATE_REPLY)


def test_what_is_done_to_a_comment_has_parameters() -> None:
    assert _action(Action.HIDE) == {"hide": "true"}
    assert _action(Action.DELETE) == {}


def test_buttons_spelled_out() -> None:
    content = OutMessage("Hi", buttons=(_GO,), spelled_out="Hi\nReply: Go")
    private = _sent(content, ItemKind.PRIVATE_REPLY, plain=True)
    assert private["message"] == {"text": "Hi\nReply: Go"}
    assert "attachment" in _sent(content, ItemKind.PRIVATE_REPLY)["message"]
    assert _sent(OutMessage("Hi"), plain=True)["message"] == {"text": "Hi"}


def test_the_same_item_is_the_same_body_byte_for_byte() -> None:
    item = _item(OutMessage("Żółć 💌", buttons=(_GO, _SITE)))
    assert wire(item, plain=False) == wire(item, plain=False)
    assert wire(item, plain=False).isascii()
