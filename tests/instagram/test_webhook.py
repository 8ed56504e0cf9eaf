"""Every shape Meta is known to send, and everything that is none."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import fields
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pamosnik.instagram.webhook import ID_CHARS, TEXT_CHARS, parse, sign, signed_by
from pamosnik.model.event import Attachment, EventKind, Incoming, Verdict

_SHOP = "17841400000000001"
_ANNA = "900000000000011"
_CDN = "https://lookaside.fbsbx.com/ig_messaging_cdn/?asset_id=1&signature=x"
_FROM_ANNA = {"sender": {"id": _ANNA}, "recipient": {"id": _SHOP}, "timestamp": 1790000000950}
_FROM_SHOP = {"sender": {"id": _SHOP}, "recipient": {"id": _ANNA}, "timestamp": 1790000003000}


def _body(*entries: Mapping[str, object]) -> bytes:
    return json.dumps({"object": "instagram", "entry": list(entries)}).encode()


def _entry(**content: object) -> dict[str, object]:
    return {"id": _SHOP, "time": 1790000001200, **content}


def _read(*messaging: Mapping[str, object]) -> tuple[Incoming, ...]:
    delivery = parse(_body(_entry(messaging=list(messaging))))
    assert delivery.readable
    return delivery.items


def _one(content: Mapping[str, object], sides: Mapping[str, object] = _FROM_ANNA) -> Incoming:
    (item,) = _read({**sides, **content})
    assert item.ig_id == _SHOP
    return item


def _message(sides: Mapping[str, object] = _FROM_ANNA, **message: object) -> Incoming:
    return _one({"message": message}, sides)


def _change(field: str, value: object, time: object = 1790000020) -> Incoming:
    (item,) = parse(_body(_entry(time=time, changes=[{"field": field, "value": value}]))).items
    return item


# --- signature -------------------------------------------------------------------------------------------


def test_the_number_of_the_secret_that_signed() -> None:
    body = b'{"a":"\\u017c"}'
    assert signed_by(body, sign(body, "second"), ["first", "second"]) == 1
    assert signed_by(body, sign(body, "first"), ["first", "first"]) == 0


def test_the_signature_is_over_the_bytes_as_they_came() -> None:
    sent = b'{"text":"\\u017c\\/"}'
    assert signed_by(json.dumps(json.loads(sent)).encode(), sign(sent, "key"), ["key"]) is None
    assert sign(b"", "key") == "sha256=5d5d139563c95b5967b9bd9a8c9b233a9dedb45072794cd232dc1b74832607d0"


def test_a_byte_more_is_not_signed() -> None:
    assert signed_by(b"{} ", sign(b"{}", "key"), ["key"]) is None


@pytest.mark.parametrize("header", [None, "", "sha256=", "sha1=abc", "sha256=" + "0" * 64, "ż\ud800"])
def test_what_is_no_signature(header: str | None) -> None:
    assert signed_by(b"{}", header, ["key"]) is None


def test_a_signature_in_capitals_or_without_its_name_is_none() -> None:
    right = sign(b"{}", "key")
    assert signed_by(b"{}", right.upper(), ["key"]) is None
    assert signed_by(b"{}", right.removeprefix("sha256="), ["key"]) is None
    assert signed_by(b"{}", right, []) is None


# --- messages --------------------------------------------------------------------------------------------


def test_a_text() -> None:
    assert _message(mid="aWdf_A1", text="price?") == Incoming(
        ig_id=_SHOP,
        key="m:aWdf_A1",
        kind=EventKind.MESSAGE,
        occurred_at=datetime.fromtimestamp(1790000000.95, UTC),
        igsid=_ANNA,
        text="price?",
        mid="aWdf_A1",
    )


def test_a_tapped_chip() -> None:
    item = _message(mid="aWdf_A2", text="Yes please", quick_reply={"payload": "FLOW:12:YES"})
    assert (item.kind, item.text, item.payload) == (EventKind.MESSAGE, "Yes please", "FLOW:12:YES")


@pytest.mark.parametrize(
    ("kind", "payload", "event", "media"),
    [
        ("image", {"url": _CDN}, EventKind.MESSAGE, None),
        ("video", {"url": _CDN}, EventKind.MESSAGE, None),
        ("audio", {"url": _CDN}, EventKind.MESSAGE, None),
        ("file", {"url": _CDN}, EventKind.MESSAGE, None),
        ("media", {"url": _CDN}, EventKind.MESSAGE, None),
        ("hologram", {"url": _CDN}, EventKind.MESSAGE, None),
        ("story_mention", {"url": _CDN}, EventKind.STORY_MENTION, None),
        ("ig_post", {"url": _CDN, "ig_post_media_id": "180", "title": "Sale"}, EventKind.SHARED_POST, "180"),
        ("ig_reel", {"url": _CDN, "reel_video_id": 181, "title": "How"}, EventKind.SHARED_POST, "181"),
        ("reel", {"url": _CDN}, EventKind.SHARED_POST, None),
        ("story", {"url": _CDN}, EventKind.SHARED_POST, None),
        ("ig_story", {"url": _CDN}, EventKind.SHARED_POST, None),
        ("share", {"url": _CDN}, EventKind.SHARED_POST, None),
    ],
)
def test_attachments(kind: str, payload: Mapping[str, object], event: EventKind, media: str | None) -> None:
    item = _message(mid="aWdf_A3", attachments=[{"type": kind, "payload": payload}])
    assert (item.kind, item.text, item.media_id) == (event, None, media)
    assert item.attachments == (Attachment(kind, _CDN, media),)
    assert item.verdict is Verdict.PENDING


def test_several_attachments_and_a_caption() -> None:
    two = [{"type": "image", "payload": {"url": _CDN}}, {"type": "image"}]
    item = _message(mid="aWdf_A3", text="look", attachments=two)
    assert item.attachments == (Attachment("image", _CDN), Attachment("image"))
    assert item.text == "look"


def test_the_echo_of_a_template_has_the_text_of_its_first_card() -> None:
    elements = [{"title": "Hello", "buttons": [{"type": "postback", "title": "Go", "payload": "X"}]}]
    attachment = {"type": "template", "payload": {"generic": {"elements": elements}}}
    item = _message(_FROM_SHOP, mid="aWdf_B2", attachments=[attachment], is_echo=True)
    assert (item.kind, item.text, item.igsid) == (EventKind.ECHO, "Hello", _ANNA)


def test_a_message_that_instagram_does_not_tell() -> None:
    item = _message(mid="aWdf_B3", is_unsupported=True)
    assert (item.kind, item.verdict) == (EventKind.UNSUPPORTED, Verdict.UNSUPPORTED)
    assert item.key == "m:aWdf_B3"


def test_a_reply_to_a_message_and_to_a_story() -> None:
    reply = _message(mid="aWdf_C1", text="that one", reply_to={"mid": "aWdf_A0", "is_self_reply": False})
    assert (reply.kind, reply.reply_to_mid) == (EventKind.MESSAGE, "aWdf_A0")
    story = {"id": "17900000000000042", "url": _CDN, "link_sticker_url": "https://shop.example/x"}
    answer = _message(mid="aWdf_C2", text="LINK", reply_to={"story": story})
    assert (answer.kind, answer.story_id, answer.text) == (EventKind.STORY_REPLY, "17900000000000042", "LINK")


def test_an_echo_belongs_to_the_one_who_received_it() -> None:
    item = _message(_FROM_SHOP, mid="aWdf_D1", text="Hi! Here is the link", is_echo=True)
    assert (item.kind, item.igsid, item.key) == (EventKind.ECHO, _ANNA, "o:aWdf_D1")
    assert item.verdict is Verdict.PENDING


def test_an_echo_without_its_mark_is_known_by_its_sender() -> None:
    assert _message(_FROM_SHOP, mid="aWdf_D1", text="Hi").kind is EventKind.ECHO


def test_a_deletion_keeps_nothing_of_what_was_said() -> None:
    item = _message(mid="aWdf_A1", text="price?", is_deleted=True, attachments=[{"type": "image"}])
    assert (item.kind, item.key, item.mid) == (EventKind.DELETION, "d:aWdf_A1", "aWdf_A1")
    assert (item.text, item.attachments) == (None, ())


def test_a_message_to_oneself_is_our_own() -> None:
    item = _message(_FROM_SHOP, mid="aWdf_D2", text="test", is_echo=True, is_self=True)
    assert (item.kind, item.verdict) == (EventKind.ECHO, Verdict.OWN)


def test_what_an_ad_or_a_product_carried() -> None:
    ad = {"ref": "autumn", "ad_id": "23850000000000001", "source": "ADS", "type": "OPEN_THREAD"}
    item = _message(mid="aWdf_E1", text="Hi", referral={**ad, "ads_context_data": {"ad_title": "Autumn"}})
    assert (item.kind, item.ref, item.ad_id) == (EventKind.MESSAGE, "autumn", "23850000000000001")
    product = _message(mid="aWdf_E2", text="In stock?", referral={"product": {"id": "5000000000001"}})
    assert (product.kind, product.ref, product.ad_id) == (EventKind.MESSAGE, None, None)


@pytest.mark.parametrize(("count", "key"), [(1, "e:m1:1"), ("2", "e:m1:2")])
def test_an_edit(count: object, key: str) -> None:
    item = _one({"message_edit": {"mid": "m1", "text": "prices?", "num_edit": count}})
    assert (item.kind, item.key, item.text, item.verdict) == (EventKind.EDIT, key, "prices?", Verdict.NOTED)


@pytest.mark.parametrize("count", [0, "0", None, "many", -1, True, 10**40])
def test_an_edit_that_is_none_is_noted(count: object) -> None:
    (item,) = _read({"timestamp": 1790000009000, "message_edit": {"mid": "m1", "num_edit": count}})
    assert (item.kind, item.verdict) == (EventKind.EDIT, Verdict.NOTED)
    assert item.reason is not None
    assert "num_edit 0" in item.reason


def test_reactions() -> None:
    love = {"mid": "aWdf_D1", "action": "react", "reaction": "love", "emoji": "\u2764\ufe0f"}
    given_ = _one({"reaction": love})
    taken = _one({"reaction": {"mid": "aWdf_D1", "action": "unreact"}})
    assert (given_.kind, given_.emoji, given_.text, given_.mid) == (
        EventKind.REACTION,
        "\u2764\ufe0f",
        "\u2764\ufe0f",
        "aWdf_D1",
    )
    assert (taken.kind, taken.emoji, taken.text) == (EventKind.REACTION, None, None)
    assert (given_.verdict, taken.verdict) == (Verdict.PENDING, Verdict.NOTED)
    assert given_.key != taken.key


@pytest.mark.parametrize(("word", "emoji"), [("love", "love"), ("other", None)])
def test_a_reaction_without_an_emoji_has_metas_word(word: str, emoji: str | None) -> None:
    assert _one({"reaction": {"mid": "m", "action": "react", "reaction": word}}).emoji == emoji


def test_a_reaction_of_the_account_is_its_own() -> None:
    love = {"mid": "aWdf_D1", "action": "react", "reaction": "love", "emoji": "\u2764\ufe0f"}
    sides = {"sender": {"id": _SHOP}, "recipient": {"id": _ANNA}}
    assert _one({**sides, "reaction": love}).verdict is Verdict.OWN


@pytest.mark.parametrize(
    ("referral", "ref", "ad"),
    [
        ({"ref": "flyer7", "source": "SHORTLINKS", "type": "OPEN_THREAD"}, "flyer7", None),
        ({"source": "SHORTLINKS", "type": "OPEN_THREAD"}, "", None),
        ({"ref": "autumn", "ad_id": "2385", "source": "ADS"}, "autumn", "2385"),
        ({"source": "ADS", "type": "OPEN_THREAD"}, None, ""),
        ({"product": {"id": "5000000000001"}}, None, None),
    ],
)
def test_through_which_door_they_came(
    referral: Mapping[str, object], ref: str | None, ad: str | None
) -> None:
    item = _message(mid="m", text="Hi", referral=referral)
    assert (item.ref, item.ad_id) == (ref, ad)


def test_a_postback() -> None:
    referral = {"ref": "flyer7", "source": "SHORTLINKS", "type": "OPEN_THREAD"}
    postback = {"mid": "aWdf_F1", "title": "Start", "payload": "FLOW:12:START", "referral": referral}
    item = _one({"postback": postback})
    assert (item.kind, item.key, item.title, item.text, item.payload, item.ref) == (
        EventKind.POSTBACK,
        "m:aWdf_F1",
        "Start",
        "Start",
        "FLOW:12:START",
        "flyer7",
    )


def test_a_tap_and_the_message_recovered_for_it_have_one_key() -> None:
    tapped = _message(mid="a", text="Yes", quick_reply={"payload": "P"})
    postback = _one({"postback": {"mid": "a", "title": "Yes", "payload": "P"}})
    assert tapped.key == postback.key == _message(mid="a", text="Yes").key


def test_an_ice_breaker_without_an_id_has_a_key_of_its_content() -> None:
    first, again = (_one({"postback": {"title": "Book", "payload": "BOOK"}}) for _ in range(2))
    other = _one({"postback": {"title": "Book", "payload": "OTHER"}})
    assert first == again
    assert first.mid is None
    assert first.key != other.key


@pytest.mark.parametrize("beside", [True, False])
def test_a_button_of_ones_own_is_dropped(beside: bool) -> None:
    mark = {"is_self": True}
    content = {"postback": {"mid": "m", "title": "Go", "payload": "X", **({} if beside else mark)}}
    item = _one({**content, **(mark if beside else {})})
    assert (item.kind, item.verdict) == (EventKind.POSTBACK, Verdict.OWN)


def test_a_link_opened_in_an_old_thread() -> None:
    item = _one({"referral": {"ref": "flyer7", "source": "SHORTLINKS", "type": "OPEN_THREAD"}})
    assert (item.kind, item.ref, item.igsid) == (EventKind.REFERRAL, "flyer7", _ANNA)


def test_seen() -> None:
    item = _one({"read": {"mid": "aWdf_D1"}})
    assert (item.kind, item.mid, item.key) == (EventKind.SEEN, "aWdf_D1", f"s:aWdf_D1:{_ANNA}")


@pytest.mark.parametrize(
    "control",
    [
        {"pass_thread_control": {"previous_owner_app_id": "111", "new_owner_app_id": "222", "metadata": "x"}},
        {"take_thread_control": {"previous_owner_app_id": "222", "new_owner_app_id": "111", "metadata": ""}},
        {"request_thread_control": {"requested_owner_app_id": "333", "metadata": ""}},
    ],
)
def test_handovers_are_noted(control: Mapping[str, object]) -> None:
    item = _one(control)
    assert (item.kind, item.verdict) == (EventKind.HANDOVER, Verdict.NOTED)


def test_standby_is_stored_and_not_answered() -> None:
    raw = {**_FROM_ANNA, "message": {"mid": "m9", "text": "price"}}
    (item,) = parse(_body(_entry(standby=[raw]))).items
    assert (item.kind, item.text, item.verdict) == (EventKind.MESSAGE, "price", Verdict.NOTED)


def test_an_opt_in_is_not_known() -> None:
    item = _one({"optin": {"type": "notification_messages", "payload": "x", "title": "News"}})
    assert (item.kind, item.verdict, item.igsid) == (EventKind.UNSUPPORTED, Verdict.UNSUPPORTED, _ANNA)


def test_a_message_from_nobody_is_not_answered() -> None:
    (item,) = _read({"timestamp": 1790000000950, "message": {"mid": "m1", "text": "price"}})
    assert (item.kind, item.verdict, item.igsid) == (EventKind.MESSAGE, Verdict.UNSUPPORTED, None)


# --- comments --------------------------------------------------------------------------------------------

_COMMENT = {
    "id": "17950000000000501",
    "text": "LINK please",
    "parent_id": "17950000000000400",
    "from": {"id": _ANNA, "username": "anna"},
    "media": {"id": "18000000000000055", "media_product_type": "FEED"},
}


def test_a_comment() -> None:
    assert _change("comments", _COMMENT) == Incoming(
        ig_id=_SHOP,
        key="c:17950000000000501",
        kind=EventKind.COMMENT,
        occurred_at=datetime.fromtimestamp(1790000020, UTC),
        igsid=_ANNA,
        username="anna",
        text="LINK please",
        comment_id="17950000000000501",
        parent_id="17950000000000400",
        media_id="18000000000000055",
    )


def test_a_live_comment() -> None:
    assert _change("live_comments", _COMMENT).kind is EventKind.LIVE_COMMENT


def test_a_comment_without_text_or_parent() -> None:
    item = _change("comments", {k: v for k, v in _COMMENT.items() if k not in ("text", "parent_id")})
    assert (item.kind, item.text, item.parent_id) == (EventKind.COMMENT, None, None)


def test_a_comment_under_its_other_name() -> None:
    item = _change("comments", {"comment_id": 179, "from": {"id": int(_ANNA)}, "text": "x"})
    assert (item.key, item.comment_id, item.igsid) == ("c:179", "179", _ANNA)


def test_a_comment_on_a_boosted_post_names_the_organic_one() -> None:
    media = {"id": "99", "ad_id": "238", "ad_title": "Sale", "original_media_id": "18000000000000055"}
    item = _change("comments", {**_COMMENT, "media": {**media, "media_product_type": "AD"}})
    assert (item.media_id, item.ad_id) == ("18000000000000055", "238")
    assert item.key == _change("comments", _COMMENT).key


@pytest.mark.parametrize(
    "author", [{"id": _SHOP, "username": "rose"}, {"id": "x", "self_ig_scoped_id": "900"}]
)
def test_our_own_comments_are_dropped(author: Mapping[str, str]) -> None:
    item = _change("comments", {**_COMMENT, "from": author})
    assert (item.kind, item.verdict) == (EventKind.COMMENT, Verdict.OWN)


def test_a_change_may_stand_in_the_entry_itself() -> None:
    (item,) = parse(_body(_entry(time=1790000020, field="comments", value=_COMMENT))).items
    assert item == _change("comments", _COMMENT)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("mentions", {"media_id": "179", "comment_id": "178"}),
        ("mentions", {"media_id": "179"}),
        ("story_insights", {"media_id": "179", "impressions": 444, "exits": -1}),
        ("comments", {"text": "no id"}),
        ("comments", "text"),
        (None, {}),
        ([], {}),
    ],
)
def test_changes_that_are_not_known(field: str, value: object) -> None:
    item = _change(field, value)
    assert (item.kind, item.verdict) == (EventKind.UNSUPPORTED, Verdict.UNSUPPORTED)


# --- tests and forms -------------------------------------------------------------------------------------

_SAMPLE = {
    "sender": {"id": "12334"},
    "recipient": {"id": "23245"},
    "timestamp": "1527459824",
    "message": {"mid": "random_mid", "text": "random_text"},
}


@pytest.mark.parametrize("entry_id", ["0", 0])
@pytest.mark.parametrize(
    "content",
    [{"changes": [{"field": "messages", "value": _SAMPLE}]}, {"messaging": [_SAMPLE]}],
)
def test_the_test_button(entry_id: object, content: Mapping[str, object]) -> None:
    (item,) = parse(_body({"id": entry_id, "time": 1790000030, **content})).items
    assert (item.ig_id, item.kind, item.verdict) == ("0", EventKind.MESSAGE, Verdict.TEST)
    assert item.text == "random_text"
    assert item.occurred_at == datetime.fromtimestamp(1527459824, UTC)


def test_a_messaging_field_as_a_change_is_the_same_message() -> None:
    raw = {**_FROM_ANNA, "message": {"mid": "m1", "text": "price"}}
    assert _change("messages", raw, 1790000001200) == _read(raw)[0]


def test_a_body_in_a_list_and_several_entries() -> None:
    first = _entry(messaging=[{**_FROM_ANNA, "message": {"mid": "m1"}}])
    second = {**first, "id": "2"}
    wrapped = json.dumps([{"object": "instagram", "entry": [first, second]}, {"entry": first}]).encode()
    assert [(item.ig_id, item.key) for item in parse(wrapped).items] == [
        (_SHOP, "m:m1"),
        ("2", "m:m1"),
        (_SHOP, "m:m1"),
    ]


def test_items_stay_in_order() -> None:
    items = _read(*({**_FROM_ANNA, "message": {"mid": f"m{n}"}} for n in range(5)))
    assert [item.mid for item in items] == ["m0", "m1", "m2", "m3", "m4"]


@pytest.mark.parametrize(
    ("stamp", "expected"),
    [
        (1790000000, 1790000000.0),
        (1790000000950, 1790000000.95),
        ("1790000000950", 1790000000.95),
        ("soon", 1790000001.2),
        (None, 1790000001.2),
        (True, 1790000001.2),
        (-5, 1790000001.2),
        (10**30, 1790000001.2),
        (10**400, 1790000001.2),
        (float("inf"), 1790000001.2),
        (float("nan"), 1790000001.2),
    ],
)
def test_when_it_happened(stamp: object, expected: float) -> None:
    item = _message({**_FROM_ANNA, "timestamp": stamp}, mid="m1")
    assert item.occurred_at == datetime.fromtimestamp(expected, UTC)


@pytest.mark.parametrize(
    "body", [b"", b"x", b"\xff", b"[" * 100_000, b"{", b"null", b"{}", b"[]", b"1", b'"x"']
)
def test_what_is_not_of_metas_form(body: bytes) -> None:
    delivery = parse(body)
    assert (delivery.items, delivery.readable) == ((), False)


def test_entries_without_a_known_part() -> None:
    (item,) = parse(_body(_entry())).items
    assert item.kind is EventKind.UNSUPPORTED
    assert parse(_body({"time": 1})).items == ()


def test_texts_and_ids_are_bounded_and_can_be_stored() -> None:
    item = _message(mid="m" * 5_000, text="\x00\ud83d" + "x" * 20_000)
    assert item.mid is not None
    assert len(item.mid) == ID_CHARS
    assert item.text is not None
    assert len(item.text) <= TEXT_CHARS
    assert item.text.startswith("\ufffd?")
    assert _storable([item])


# --- anything --------------------------------------------------------------------------------------------


def _storable(items: Sequence[Incoming]) -> bool:
    for item in items:
        for name in (field.name for field in fields(Incoming)):
            value = getattr(item, name)
            if isinstance(value, str):
                assert b"\x00" not in value.encode()
        for attachment in item.attachments:
            for text in (attachment.type, attachment.url or "", attachment.media_id or ""):
                assert b"\x00" not in text.encode()
    return True


@settings(deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_are_read(body: bytes) -> None:
    assert _storable(parse(body).items)
    assert signed_by(body, sign(body, "key"), ["key"]) == 0


_ODD = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=5,
)
_REAL: Sequence[Mapping[str, object]] = (
    _entry(
        messaging=[{**_FROM_ANNA, "message": {"mid": "m", "text": "x", "reply_to": {"story": {"id": "1"}}}}]
    ),
    _entry(
        messaging=[{**_FROM_ANNA, "message": {"mid": "m", "attachments": [{"type": "a", "payload": {}}]}}]
    ),
    _entry(messaging=[{**_FROM_ANNA, "postback": {"mid": "m", "title": "x", "referral": {"ref": "r"}}}]),
    _entry(messaging=[{**_FROM_ANNA, "reaction": {"mid": "m", "action": "react", "emoji": "x"}}]),
    _entry(messaging=[{**_FROM_ANNA, "message_edit": {"mid": "m", "num_edit": 1}}]),
    _entry(messaging=[{**_FROM_ANNA, "read": {"mid": "m"}}]),
    _entry(standby=[{**_FROM_ANNA, "message": {"mid": "m"}}]),
    _entry(changes=[{"field": "comments", "value": _COMMENT}]),
    _entry(changes=[{"field": "messages", "value": _SAMPLE}]),
)


@st.composite
def _mutated(draw: st.DrawFn) -> object:
    """A real body with one place changed into something else."""

    def change(node: object) -> object:
        if not isinstance(node, dict | list) or not node or draw(st.integers(0, 4)) == 0:
            return draw(_ODD)
        if isinstance(node, list):
            place = draw(st.integers(0, len(node) - 1))
            return [change(part) if number == place else part for number, part in enumerate(node)]
        chosen = draw(st.sampled_from(sorted(node)))
        return {key: change(part) if key == chosen else part for key, part in node.items()}

    return change({"object": "instagram", "entry": [draw(st.sampled_from(_REAL))]})


@settings(deadline=None)
@given(_mutated())
def test_any_change_of_a_real_body_is_read(raw: object) -> None:
    body = json.dumps(raw).encode()
    assert _storable(parse(body).items)
    assert parse(body) == parse(body)


_PARTS = st.sampled_from(
    ["message", "postback", "read", "reaction", "message_edit", "sender", "timestamp", "referral"]
)


@settings(deadline=None)
@given(st.dictionaries(_PARTS, _ODD, max_size=5), st.sampled_from(["messaging", "standby", "changes"]))
def test_no_values_of_known_keys_make_reading_fail(raw: dict[str, object], where: str) -> None:
    inner: object = {"field": "comments", "value": raw} if where == "changes" else raw
    assert _storable(parse(_body({"id": _SHOP, "time": 1, where: [inner]})).items)


def test_deep_nesting_is_not_readable_and_does_not_raise() -> None:
    for depth in (900, 985, 989, 990, 991, 1000, 5000):
        parse(b'{"entry":[{"id":"1","x":' + b"[" * depth + b"]" * depth + b"}]}")
