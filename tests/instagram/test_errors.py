"""Every row of the table of Meta's errors means what the table says."""

import json
from collections.abc import Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pamosnik.instagram.errors import LONG_REST, REST, classify
from pamosnik.model.outbox import Outcome, OutcomeKind

_R, _U, _B, _P, _A, _C = (
    OutcomeKind.RETRY,
    OutcomeKind.UNKNOWN,
    OutcomeKind.BACK_OFF,
    OutcomeKind.PERMANENT,
    OutcomeKind.LOGIN,
    OutcomeKind.CONFIGURATION,
)


def _answer(
    code: int | None,
    subcode: int | None = None,
    status: int = 400,
    message: str = "Etwas ist schiefgelaufen",
    headers: Mapping[str, str] | None = None,
) -> Outcome:
    error: dict[str, object] = {"message": message, "type": "IGApiException", "fbtrace_id": "A"}
    if code is not None:
        error["code"] = code
    if subcode is not None:
        error["error_subcode"] = subcode
    return classify(status, json.dumps({"error": error}).encode(), headers or {}, known_id="message_id")


@pytest.mark.parametrize(
    ("code", "subcode", "status", "kind"),
    [
        (1, None, 500, _U),
        (1, 99, 400, _U),
        (1, 1357046, 400, _U),
        (2, None, 503, _U),
        (2, 1545133, 400, _U),
        (3, None, 400, _C),
        (3, 2228054, 400, _C),
        (4, None, 403, _B),
        (9, 2018352, 400, _B),
        (10, None, 403, _C),
        (10, 2534022, 403, _P),
        (10, 2018278, 400, _P),
        (10, 2018065, 403, _P),
        (10, 2018108, 400, _P),
        (10, 2534077, 400, _C),
        (10, 1893063, 400, _B),
        (10, 1404170, 400, _C),
        (17, None, 400, _B),
        (32, None, 400, _B),
        (2200, None, 400, _P),
        (36103, None, 400, _C),
        (80001, None, 400, _B),
        (80002, None, 400, _B),
        (80006, None, 400, _B),
        (100, None, 400, _P),
        (100, 33, 400, _P),
        (100, 2018001, 400, _P),
        (100, 2534014, 400, _P),
        (100, 2534013, 400, _C),
        (100, 2534015, 400, _P),
        (100, 2534025, 400, _P),
        (100, 2534029, 400, _C),
        (100, 2534037, 400, _P),
        (100, 2534068, 400, _P),
        (100, 2018008, 400, _R),
        (100, 2018047, 400, _P),
        (100, 2018109, 400, _P),
        (100, 2018294, 400, _R),
        (100, 2018074, 400, _P),
        (100, 2534001, 400, _P),
        (None, 2534001, 400, _P),
        (190, None, 400, _A),
        (190, None, 401, _A),
        (190, 458, 400, _A),
        (190, 459, 400, _A),
        (190, 460, 400, _A),
        (190, 463, 400, _A),
        (190, 464, 400, _A),
        (190, 467, 400, _A),
        (190, 492, 400, _A),
        (102, None, 400, _A),
        (200, None, 403, _C),
        (210, None, 403, _C),
        (299, None, 403, _C),
        (200, 2534041, 400, _C),
        (200, 2018028, 400, _C),
        (200, 1545041, 400, _P),
        (551, 1545041, 400, _P),
        (230, None, 400, _P),
        (341, None, 400, _B),
        (368, None, 400, _B),
        (506, None, 400, _P),
        (551, None, 400, _P),
        (613, None, 400, _B),
        (613, 1996, 400, _B),
        (613, 2018338, 400, _B),
        (613, 2534040, 400, _B),
        (803, None, 400, _P),
        (2022, None, 400, _C),
        (2500, None, 500, _P),
        (9000001, None, 400, _P),
        (2018300, None, 400, _P),
        (10900, None, 400, _P),
        (9010, None, 400, _P),
    ],
)
def test_the_table(code: int | None, subcode: int | None, status: int, kind: OutcomeKind) -> None:
    outcome = _answer(code, subcode, status)
    assert outcome.kind is kind
    assert (outcome.http_status, outcome.code, outcome.subcode) == (status, code, subcode)
    assert outcome.reason


def test_the_reason_is_in_our_words() -> None:
    outcome = _answer(10, 2534022, 403, message="secret text of Meta")
    assert outcome.reason == "the 24-hour window of this person is closed (Meta's error 10/2534022)"


@pytest.mark.parametrize("method", ["get", "post"])
def test_the_one_text_that_is_looked_at(method: str) -> None:
    assert _answer(100, message=f"Unsupported request - method type: {method}").kind is _C
    assert _answer(100, 2534014, message="Unsupported request - method type: get").kind is _P


@pytest.mark.parametrize(
    ("code", "subcode", "status", "kind"),
    [
        (190, 2534022, 403, _A),
        (4, 2534022, 403, _B),
        (100, 7, 500, _P),
        (7777, None, 400, _P),
        (7777, None, 500, _U),
        (7777, None, 429, _B),
        (None, None, 400, _P),
        (None, None, 503, _U),
    ],
)
def test_the_order_is_login_rates_subcode_code_status(
    code: int | None, subcode: int | None, status: int, kind: OutcomeKind
) -> None:
    assert _answer(code, subcode, status).kind is kind


def test_how_long_to_rest() -> None:
    assert _answer(4).pause_s == REST.total_seconds()
    assert _answer(368).pause_s == LONG_REST.total_seconds()
    assert _answer(10, 1893063).pause_s == LONG_REST.total_seconds()
    assert _answer(100).pause_s is None


def _business(percent: int, minutes: int) -> dict[str, str]:
    use = {"type": "instagram", "call_count": percent, "total_time": 3}
    use_json = json.dumps({"178": [{**use, "estimated_time_to_regain_access": minutes}]})
    return {"x-business-use-case-usage": use_json, "x-app-usage": '{"call_count": 41, "total_time": 7}'}


def test_the_minutes_of_the_header_count() -> None:
    outcome = _answer(80002, headers=_business(101, 12))
    assert (outcome.pause_s, outcome.usage_percent) == (720.0, 101)
    assert _answer(368, headers=_business(5, 12)).pause_s == LONG_REST.total_seconds()
    assert _answer(80002, headers=_business(20, 0)).usage_percent == 41


def test_what_was_accepted() -> None:
    body = b'{"recipient_id": "900", "message_id": "aWdf_1"}'
    outcome = classify(200, body, _business(20, 0), known_id="message_id")
    assert (outcome.kind, outcome.recipient_id, outcome.message_id) == (OutcomeKind.SENT, "900", "aWdf_1")
    assert outcome.usage_percent == 41
    assert classify(200, b'{"success": true}', {}).kind is OutcomeKind.SENT


@pytest.mark.parametrize(
    "body", [b"{}", b'{"recipient_id": "900"}', b'{"message_id": ""}', b'{"message_id": null}']
)
def test_a_success_without_its_id_is_none(body: bytes) -> None:
    assert classify(200, body, {}, known_id="message_id").kind is _U


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (200, b"<html>", _U),
        (200, b"[]", _U),
        (502, b"<html>Bad gateway", _U),
        (500, b"", _U),
        (302, b"", _U),
        (429, b"", _B),
        (401, b"", _C),
        (403, b"<html>", _C),
        (404, b"", _C),
        (400, b"no json", _U),
    ],
)
def test_answers_that_are_not_in_metas_form(status: int, body: bytes, kind: OutcomeKind) -> None:
    assert classify(status, body, {}, known_id="message_id").kind is kind


@settings(deadline=None)
@given(
    st.integers(100, 599),
    st.binary(max_size=60)
    | st.recursive(
        st.none() | st.integers() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["error", "code", "error_subcode", "message_id"]), inner, max_size=3
            )
        ),
        max_leaves=6,
    ).map(lambda raw: json.dumps(raw).encode()),
    st.text(max_size=40),
)
def test_any_answer_has_an_outcome(status: int, body: bytes, header: str) -> None:
    headers = {"x-app-usage": header, "x-business-use-case-usage": header}
    outcome = classify(status, body, headers, known_id="message_id")
    assert outcome.reason
    if outcome.kind is OutcomeKind.SENT:
        assert outcome.message_id
        assert 200 <= status < 300
