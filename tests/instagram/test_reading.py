"""What Graph tells when it is asked: texts and names as they can be stored."""

import json

import pytest

from pamosnik.instagram import errors, reading

HALF, NUL = '"name": "half \\ud83d"', '"name": "nul\\u0000"'


@pytest.mark.parametrize(("told", "stored"), [(HALF, "half ?"), (NUL, "nul\ufffd")])
def test_names_of_profiles_can_be_stored_and_exported(told: str, stored: str) -> None:
    """Halves of characters and NUL, which JSON can spell, once made a look-up fail and an export unfit for import."""
    assert reading.profile(json.loads(f"{{{told}}}")).name == stored


def test_messages_and_comments_that_are_caught_up_with_can_be_stored() -> None:
    read = reading.message(
        json.loads('{"id": "m1", "message": "a\\u0000b", "from": {"id": "9", "username": "c\\ud83d"}}')
    )
    assert read is not None
    assert (read.text, read.username) == ("a\ufffdb", "c?")
    (reply,) = reading.replies(
        json.loads('{"data": [{"id": "c1", "text": "d\\udc00", "username": "e\\u0000"}]}')
    )
    assert (reply.text, reply.username) == ("d?", "e\ufffd")


def test_ids_of_what_was_sent_can_be_stored() -> None:
    outcome = errors.classify(
        200, b'{"message_id": "m\\ud83d", "recipient_id": "9"}', {}, known_id="message_id"
    )
    assert outcome.message_id == "m?"
