"""Deliveries: shapes, keys and verdicts; and that no bytes at all make reading fail."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pamosnik.instagram.webhook import parse, sign, signed_by
from pamosnik.model.event import EventKind, Incoming, Verdict

IG = "17841400000000001"
PERSON = "900000000000011"
_STORY = {"story": {"id": "s"}}


def _item(**item: Any) -> Incoming:
    raw = {"sender": {"id": PERSON}, "recipient": {"id": IG}, "timestamp": 1790000000950, **item}
    body = {"object": "instagram", "entry": [{"id": IG, "time": 1790000001200, "messaging": [raw]}]}
    [found] = parse(json.dumps(body).encode()).items
    return found


def _comment(entry_id: str = IG, **value: Any) -> Incoming:
    whole = {
        "id": "c1",
        "text": "LINK",
        "from": {"id": PERSON, "username": "anna"},
        "media": {"id": "m1"},
        **value,
    }
    entry = {"id": entry_id, "time": 1790000020, "changes": [{"field": "comments", "value": whole}]}
    [found] = parse(json.dumps({"entry": [entry]}).encode()).items
    return found


@pytest.mark.parametrize(
    ("item", "kind", "key", "verdict"),
    [
        ({"message": {"mid": "a", "text": "hi"}}, EventKind.MESSAGE, "m:a", Verdict.PENDING),
        (
            {"message": {"mid": "a", "reply_to": {"story": {"id": "s"}}}},
            EventKind.STORY_REPLY,
            "m:a",
            Verdict.PENDING,
        ),
        (
            {"message": {"mid": "a", "attachments": [{"type": "story_mention", "payload": {}}]}},
            EventKind.STORY_MENTION,
            "m:a",
            Verdict.PENDING,
        ),
        (
            {"message": {"mid": "a", "attachments": [{"type": "ig_reel", "payload": {}}]}},
            EventKind.SHARED_POST,
            "m:a",
            Verdict.PENDING,
        ),
        ({"message": {"mid": "a", "is_deleted": True}}, EventKind.DELETION, "d:a", Verdict.PENDING),
        ({"message": {"mid": "a", "is_self": True, "is_echo": True}}, EventKind.ECHO, "o:a", Verdict.OWN),
        (
            {"message": {"mid": "a", "is_unsupported": True}},
            EventKind.UNSUPPORTED,
            "m:a",
            Verdict.UNSUPPORTED,
        ),
        ({"message_edit": {"mid": "a", "num_edit": 0}}, EventKind.EDIT, "e:a:0", Verdict.NOTED),
        ({"message_edit": {"mid": "a", "num_edit": "2"}}, EventKind.EDIT, "e:a:2", Verdict.NOTED),
        ({"postback": {"mid": "a", "payload": "P"}}, EventKind.POSTBACK, "m:a", Verdict.PENDING),
        ({"postback": {"mid": "a", "payload": "P"}, "is_self": True}, EventKind.POSTBACK, "m:a", Verdict.OWN),
        ({"read": {"mid": "a"}}, EventKind.SEEN, f"s:a:{PERSON}", Verdict.PENDING),
    ],
)
def test_shapes(item: dict[str, Any], kind: EventKind, key: str, verdict: Verdict) -> None:
    found = _item(**item)
    assert (found.kind, found.key, found.verdict, found.igsid) == (kind, key, verdict, PERSON)


def test_in_an_echo_the_person_is_the_recipient() -> None:
    found = _item(
        sender={"id": IG}, recipient={"id": PERSON}, message={"mid": "a", "text": "x", "is_echo": True}
    )
    assert (found.kind, found.igsid) == (EventKind.ECHO, PERSON)


def test_a_tap_and_its_message_have_one_key() -> None:
    tapped = _item(message={"mid": "a", "text": "Yes", "quick_reply": {"payload": "P"}})
    assert (tapped.key, tapped.payload) == (_item(message={"mid": "a", "text": "Yes"}).key, "P")


def test_both_comment_envelopes_say_the_same() -> None:
    value = {"id": "c1", "text": "x", "from": {"id": PERSON}, "media": {"id": "m"}}
    inner = {"field": "comments", "value": value}
    changes = parse(json.dumps({"entry": [{"id": IG, "time": 1, "changes": [inner]}]}).encode())
    straight = parse(json.dumps([{"entry": [{"id": IG, "time": 1, **inner}]}]).encode())
    assert changes == straight


def test_own_comments_are_own() -> None:
    assert _comment(IG, **{"from": {"id": IG}}).verdict is Verdict.OWN
    assert _comment(IG, **{"from": {"id": PERSON, "self_ig_scoped_id": "1"}}).verdict is Verdict.OWN


def test_a_boosted_posts_comment_names_the_organic_post() -> None:
    found = _comment(media={"id": "ad-copy", "ad_id": "ad1", "original_media_id": "organic"})
    assert (found.media_id, found.ad_id, found.key) == ("organic", "ad1", "c:c1")


def test_the_dashboards_test_is_a_test() -> None:
    assert _comment("0").verdict is Verdict.TEST


def test_any_of_the_secrets_may_sign_and_nothing_else() -> None:
    body = b'{"a": "\\u00e4"}'
    assert signed_by(body, sign(body, "two"), ["one", "two"]) == 1
    assert signed_by(body + b" ", sign(body, "two"), ["one", "two"]) is None
    assert signed_by(body, None, ["one"]) is None
    assert signed_by(body, sign(body, ""), []) is None


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=20,
)
_KEYS = st.sampled_from(
    ["message", "postback", "read", "reaction", "message_edit", "sender", "timestamp", "referral"]
)


def _storable(items: tuple[Incoming, ...]) -> bool:
    texts = [
        t for i in items for t in (i.key, i.text, i.igsid, i.mid, i.payload, i.username) if t is not None
    ]
    return all("\x00" not in text and text.encode() is not None for text in texts)


@given(st.binary(max_size=300))
def test_no_bytes_make_reading_fail(body: bytes) -> None:
    assert _storable(parse(body).items)


@given(st.dictionaries(_KEYS, _JSON, max_size=5), st.sampled_from(["messaging", "standby", "changes"]))
def test_no_values_make_reading_fail(item: dict[str, Any], where: str) -> None:
    inner: Any = {"field": "comments", "value": item} if where == "changes" else item
    body = json.dumps({"entry": [{"id": IG, "time": 1, where: [inner]}]}).encode()
    assert _storable(parse(body).items)
