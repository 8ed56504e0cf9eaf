"""Meta's signed requests: the form of §10.1, and everything that is none."""

import base64
import hashlib
import hmac
import json
import re
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pamosnik.instagram.signed_request import Malformed, SignedRequest, WrongSignature, read

INSTAGRAM, META = "instagram-app-secret", "meta-app-secret"
SECRETS = (INSTAGRAM, META)
CONTENT = {
    "algorithm": "HMAC-SHA256",
    "expires": 1791840400,
    "issued_at": 1791836800,
    "user_id": "27000000000000001",
}


def _encoded(raw: bytes, *, padded: bool = False) -> str:
    text = base64.urlsafe_b64encode(raw).decode()
    return text if padded else text.rstrip("=")


def signed(payload: str, secret: str = INSTAGRAM, *, padded: bool = False) -> str:
    mac = hmac.new(secret.encode(), payload.encode(), hashlib.sha256).digest()
    return f"{_encoded(mac, padded=padded)}.{payload}"


def _of(content: object, secret: str = INSTAGRAM, *, padded: bool = False) -> str:
    return signed(_encoded(json.dumps(content).encode(), padded=padded), secret, padded=padded)


def test_either_secret_signs_and_only_they() -> None:
    ours, metas = read(_of(CONTENT), SECRETS), read(_of(CONTENT, META), SECRETS)
    assert (ours.user_id, ours.issued_at) == (
        "27000000000000001",
        datetime(2026, 10, 12, 20, 26, 40, tzinfo=UTC),
    )
    assert metas.user_id == ours.user_id
    assert metas.code != ours.code
    for secrets in ((META,), ()):
        with pytest.raises(WrongSignature):
            read(_of(CONTENT), secrets)


def test_the_code_is_that_of_the_request() -> None:
    first = read(_of(CONTENT), SECRETS).code
    assert re.fullmatch("[A-Z2-7]{16}", first)
    assert read(_of(CONTENT), SECRETS).code == first
    assert read(_of({**CONTENT, "issued_at": 1791836801}), SECRETS).code != first


def test_the_second_part_is_checked_as_it_came() -> None:
    """Padding, spaces in the JSON, other orders and further dots are part of what was signed."""
    assert read(_of(CONTENT, padded=True), SECRETS).user_id == "27000000000000001"
    spaced = _encoded(json.dumps(CONTENT, indent=3, sort_keys=True).encode())
    assert read(signed(spaced), SECRETS).user_id == "27000000000000001"
    mac, _, payload = _of(CONTENT).partition(".")
    for changed in (
        f"{mac}.{payload}=",
        f"{mac}.{payload}.{payload}",
        f"{mac}.{payload[:-1]}",
        f"{payload}.{mac}",
    ):
        with pytest.raises(WrongSignature):
            read(changed, SECRETS)


@pytest.mark.parametrize(
    ("more", "user_id"),
    [
        ({"user_id": 17841400000000001}, "17841400000000001"),
        ({"user_id": "no number"}, "no number"),
        ({"user_id": "\ud800"}, "?"),
        ({"algorithm": "hmac-sha256", "more": [1]}, "27000000000000001"),
        ({"issued_at": 1, "expires": 2}, "27000000000000001"),
    ],
)
def test_what_is_taken(more: dict[str, object], user_id: str) -> None:
    assert read(_of({**CONTENT, **more}), SECRETS).user_id == user_id


@pytest.mark.parametrize("issued_at", [None, True, "1791836800", -1, 10**14, 1.5])
def test_a_time_that_is_none_refuses_nothing(issued_at: object) -> None:
    assert read(_of({**CONTENT, "issued_at": issued_at}), SECRETS).issued_at is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        ".",
        "abc",
        "abc.",
        ".abc",
        signed("%%%"),
        signed(_encoded(b"\xff\xfe")),
        signed(_encoded(b"[1]")),
        signed(_encoded(b"[" * 100_000)),
        signed(_encoded(b'{"user_id": ' + b"9" * 5000 + b"}")),
        _of({**CONTENT, "algorithm": "none"}),
        _of({"user_id": "1"}),
        *(_of({**CONTENT, "user_id": wrong}) for wrong in (None, True, "", 1.5, ["1"], {"id": "1"})),
    ],
)
def test_what_has_no_such_form(text: str) -> None:
    with pytest.raises(Malformed):
        read(text, SECRETS)


@settings(max_examples=40)
@given(
    st.text()
    | st.text("abcXYZ019-_=.", max_size=40)
    | st.binary().map(lambda raw: _of(list(raw), "a stranger's"))
)
def test_nothing_of_a_strangers_is_believed(text: str) -> None:
    with pytest.raises((Malformed, WrongSignature)):
        read(text, SECRETS)


@settings(max_examples=40)
@given(st.dictionaries(st.text(), st.none() | st.booleans() | st.integers() | st.floats() | st.text()))
def test_whatever_is_signed_is_read_or_refused(content: dict[str, object]) -> None:
    try:
        found = read(_of({**content, "algorithm": "HMAC-SHA256"}), SECRETS)
    except Malformed:
        return
    assert isinstance(found, SignedRequest)
    assert found.user_id.encode()
