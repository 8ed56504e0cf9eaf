"""Every row of Meta's table of errors, by its class."""

import json

import pytest

from pamosnik.instagram.errors import classify
from pamosnik.model.outbox import OutcomeKind

P, C, A, U, B, R = (
    OutcomeKind.PERMANENT,
    OutcomeKind.CONFIGURATION,
    OutcomeKind.LOGIN,
    OutcomeKind.UNKNOWN,
    OutcomeKind.BACK_OFF,
    OutcomeKind.RETRY,
)


@pytest.mark.parametrize(
    ("status", "code", "subcode", "kind"),
    [
        *((500, 1, s, U) for s in (None, 99, 1357046)),
        *((503, 2, s, U) for s in (None, 1545133)),
        *((400, 3, s, C) for s in (None, 2228054)),
        *((400, c, None, B) for c in (4, 17, 32, 341, 368, 613, 80001, 80002, 80006)),
        (400, 9, 2018352, B),
        (403, 10, None, C),
        *((403, 10, s, P) for s in (2534022, 2018278, 2018065, 2018108)),
        *((403, 10, s, C) for s in (2534077, 1404170)),
        (403, 10, 1893063, B),
        (400, 36103, None, C),
        (400, 100, None, P),
        *((400, 100, s, P) for s in (33, 2018001, 2534014, 2534015, 2534025, 2534037, 2534068)),
        *((400, 100, s, P) for s in (2018047, 2018109, 2018074)),
        *((400, 100, s, R) for s in (2018008, 2018294)),
        *((400, 100, s, C) for s in (2534013, 2534029)),
        *((400, 190, s, A) for s in (None, 458, 459, 460, 463, 464, 467, 492)),
        (401, 102, None, A),
        *((403, c, None, C) for c in (200, 210, 299)),
        *((403, 200, s, C) for s in (2534041, 2018028)),
        *((400, c, 1545041, P) for c in (200, 551)),
        *((400, c, None, P) for c in (230, 506, 551, 803, 2500, 9000001, 2018300, 10900, 9010)),
        *((400, 613, s, B) for s in (1996, 2018338, 2534040)),
        (400, 2022, None, C),
        (400, None, 2534001, P),
    ],
)
def test_the_table(status: int, code: int | None, subcode: int | None, kind: OutcomeKind) -> None:
    error = {"message": "localizado", "code": code, "error_subcode": subcode}
    body = json.dumps({"error": {k: v for k, v in error.items() if v is not None}}).encode()
    assert classify(status, body, {}, known_id="message_id").kind is kind


def test_the_one_text_that_counts() -> None:
    body = json.dumps({"error": {"message": "Unsupported request - method type: get", "code": 100}}).encode()
    assert classify(400, body, {}).kind is C


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (200, b'{"recipient_id": "1", "message_id": "m"}', OutcomeKind.SENT),
        (200, b'{"recipient_id": "1"}', U),
        (200, b"<html>", U),
        (500, b"<html>Sorry</html>", U),
        (502, b"", U),
        (429, b"", B),
        (404, b"not here", C),
    ],
)
def test_answers_without_metas_form(status: int, body: bytes, kind: OutcomeKind) -> None:
    assert classify(status, body, {}, known_id="message_id").kind is kind


def test_the_header_names_how_long_to_rest() -> None:
    header = json.dumps(
        {"1": [{"type": "instagram", "call_count": 100, "estimated_time_to_regain_access": 19}]}
    )
    body = b'{"error": {"code": 80002}}'
    outcome = classify(400, body, {"x-business-use-case-usage": header})
    assert (outcome.pause_s, outcome.usage_percent) == (19 * 60, 100)
