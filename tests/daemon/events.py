"""Webhook bodies as Meta writes them, made by hand from its documentation.

https://developers.facebook.com/docs/instagram-platform/webhooks/examples (October 2026).
"""

import hashlib
import hmac
import itertools
import json
import time
from collections.abc import Iterable
from typing import Any

IG_ID = "17841400000000001"
SECRET = "5f1d0c9e7a3b4826b1c0d9e8f7a6b5c4"

Json = dict[str, Any]
"""A part of a body on the wire."""

_numbers = itertools.count(1)


def new_id(prefix: str = "") -> str:
    """Never the same twice in one run."""
    return f"{prefix}{next(_numbers):06}"


def sign(body: bytes, secret: str = SECRET) -> str:
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def encode(body: Json) -> bytes:
    """As Meta sends it: everything outside ASCII escaped."""
    return json.dumps(body, ensure_ascii=True, separators=(",", ":")).replace("/", "\\/").encode()


def envelope(*entries: Json) -> Json:
    return {"object": "instagram", "entry": list(entries)}


def talk(*items: Json, ig_id: str = IG_ID) -> Json:
    """One entry of messaging events."""
    return {"id": ig_id, "time": _ms(), "messaging": list(items)}


def change(value: Json, field: str = "comments", ig_id: str = IG_ID) -> Json:
    """One entry of one changed thing. Its time is in seconds."""
    return {"id": ig_id, "time": int(time.time()), "changes": [{"field": field, "value": value}]}


def comment(
    igsid: str, text: str, *, comment_id: str = "", username: str = "anna", media: str = "m55"
) -> Json:
    return {
        "id": comment_id or new_id("17950"),
        "text": text,
        "from": {"id": igsid, "username": username},
        "media": {"id": media, "media_product_type": "FEED"},
    }


def boosted(value: Json, ad: str = "ad1") -> Json:
    """The same comment, told a second time for the ad made of its post."""
    media = {"id": f"copy-of-{value['media']['id']}", "ad_id": ad, "media_product_type": "AD"}
    return {**value, "media": {**media, "original_media_id": value["media"]["id"]}}


def own_comment(parent_id: str, text: str) -> Json:
    """A public reply of the business, as it comes back."""
    value = comment(IG_ID, text, username="shop")
    return {
        **value,
        "parent_id": parent_id,
        "from": {**value["from"], "self_ig_scoped_id": "900000000009999"},
    }


def message(igsid: str, text: str, *, mid: str = "", **more: object) -> Json:
    content = {"mid": mid or new_id("aWdf_in_"), "text": text, **more}
    return {**_from(igsid), "message": content}


def chip_tap(igsid: str, title: str, payload: str) -> Json:
    return message(igsid, title, quick_reply={"payload": payload})


def button_tap(igsid: str, title: str, payload: str) -> Json:
    return {**_from(igsid), "postback": {"mid": new_id("aWdf_tap_"), "title": title, "payload": payload}}


def echo(igsid: str, mid: str, text: str) -> Json:
    """Something the business wrote, whoever typed it."""
    people = {"sender": {"id": IG_ID}, "recipient": {"id": igsid}}
    return {**people, "timestamp": _ms(), "message": {"mid": mid, "text": text, "is_echo": True}}


def template_echo(igsid: str, mid: str, text: str, labels: Iterable[str]) -> Json:
    """The echo of a message with buttons carries no text of its own."""
    buttons = [{"type": "postback", "title": label, "payload": "X"} for label in labels]
    payload = {"generic": {"elements": [{"title": text, "buttons": buttons}]}}
    plain = echo(igsid, mid, "")
    content = {"mid": mid, "is_echo": True, "attachments": [{"type": "template", "payload": payload}]}
    return {**plain, "message": content}


def announced(mid: str) -> Json:
    """The `message_edit` that comes with every new message: no sender, no text, no edit."""
    return {"timestamp": _ms(), "message_edit": {"mid": mid, "num_edit": 0}}


def seen(igsid: str, mid: str) -> Json:
    return {**_from(igsid), "read": {"mid": mid}}


def unsent(igsid: str, mid: str) -> Json:
    """A person takes back what they wrote."""
    return {**_from(igsid), "message": {"mid": mid, "is_deleted": True}}


def dashboard_test() -> Json:
    """What "Send to My Server" sends."""
    value = {
        "sender": {"id": "12334"},
        "recipient": {"id": "23245"},
        "timestamp": "1527459824",
        "message": {"mid": "random_mid", "text": "random_text"},
    }
    return change(value, "messages", ig_id="0")


def _from(igsid: str) -> Json:
    return {"sender": {"id": igsid}, "recipient": {"id": IG_ID}, "timestamp": _ms()}


def _ms() -> int:
    return int(time.time() * 1000)
