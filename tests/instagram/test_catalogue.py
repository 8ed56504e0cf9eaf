"""Every error of Meta's that Pamosnik tells apart is explained, and nothing else is."""

import json
import re

import pytest

from pamosnik.instagram import catalogue, errors

_OF_KEYS = {
    "100/no-role": (100, None, 400),
    "200-299": (210, None, 403),
    "http-429": (None, None, 429),
    "http-500": (None, None, 502),
    "other": (4711, None, 400),
    "any/2534001": (10, 2534001, 400),
    "any/2018300": (100, 2018300, 400),
}


def _answered(code: int | None, subcode: int | None, status: int, message: str = "Oh") -> str:
    error = {"message": message, "code": code, "error_subcode": subcode}
    body = json.dumps({"error": {name: value for name, value in error.items() if value is not None}})
    return errors.classify(status, body.encode(), {}).reason


def test_every_row_of_the_code_has_an_entry_and_no_entry_is_without_a_row() -> None:
    assert set(catalogue.EXPLAINED) == set(errors.ROWS)
    assert [one.words for one in catalogue.entries()] == [
        errors.ROWS[one.key].reason for one in catalogue.entries()
    ]
    assert all(text.endswith((".", ")", "”")) for one in catalogue.EXPLAINED.values() for text in one)


@pytest.mark.parametrize("key", list(errors.ROWS))
def test_an_answer_is_told_in_the_words_of_its_entry_and_leads_to_it(key: str) -> None:
    code, _, subcode = key.partition("/")
    answer = _OF_KEYS.get(key) or (int(code), int(subcode) if subcode else None, 400)
    told = _answered(*answer, message="Unsupported request - method type: get" if "role" in key else "Oh")
    (entry,) = (one for one in catalogue.entries() if one.key == key)
    assert told.startswith(f"{entry.words} (Meta's error ")
    ((_, address),) = catalogue.references(told)
    assert address == f"/help/errors#{entry.anchor}"


def test_anchors_are_told_apart_and_are_what_the_documentation_has() -> None:
    anchors = [one.anchor for one in catalogue.entries()]
    assert len(set(anchors)) == len(anchors)
    assert re.findall(r'<a id="([^"]+)">', catalogue.page()) == anchors
    assert "error-10-2534022" in anchors


def test_a_subcode_that_nobody_knows_leads_to_its_code() -> None:
    for named, anchor in (("613/1996", "error-613"), ("190/1", "error-190"), ("100/1", "error-100")):
        ((found, address),) = catalogue.references(f"Refused: so it is (Meta's error {named}).")
        assert (found, address) == (f"Meta's error {named}", f"/help/errors#{anchor}")
    assert list(catalogue.references("the person has no error 10/2534022")) == []


def test_what_stands_where_there_is_no_number_is_what_the_code_says() -> None:
    said = {
        errors.classify(429, b"", {}).reason,
        errors.classify(403, b"<html>", {}).reason,
        errors.classify(502, b"<html>", {}).reason,
        errors.classify(200, b"{}", {}, known_id="message_id").reason,
    }
    assert said == set(catalogue.WITHOUT_CODE) - {"Meta's usage headers say 100 %"}
