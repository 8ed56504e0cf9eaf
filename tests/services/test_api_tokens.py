"""Tokens of the API: shown once, each of one account, and gone when they are revoked."""

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from pamosnik.errors import NotFound, PamosnikError, UsageError
from pamosnik.services import api_tokens as service
from pamosnik.store import accounts
from pamosnik.store.api_tokens import ApiToken
from pamosnik.store.database import Database
from pamosnik.store.walls import write_for
from tests.store.rows import NOW, database


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Database]:
    """With two accounts."""
    with database(tmp_path) as opened:
        tulip = accounts.Account("a2", "Tulip", "max@tulip.example", "UTC", NOW)
        opened.write(
            lambda c: accounts.insert(c, tulip, password_hash="x", wrapped_key=b"x", adult_stated_at=NOW)
        )
        yield opened


def _create(home: Database, name: str, account_id: str = "a1") -> tuple[ApiToken, str]:
    act = write_for(account_id, lambda c: service.create(c, account_id, name, actor="command", now=NOW))
    return home.write(act)


def _revoke(home: Database, what: str, account_id: str = "a1") -> ApiToken:
    act = write_for(account_id, lambda c: service.revoke(c, account_id, what, actor="page", now=NOW))
    return home.write(act)


def _use(home: Database, text: str, seconds: int) -> ApiToken:
    now = NOW + timedelta(seconds=seconds)
    token = service.of_request(home.connection, text)
    assert token is not None
    if service.to_be_noted(token, now):
        home.write(lambda c: service.used(c, token, now))
    return token


def test_a_token_opens_its_account_until_it_is_revoked(home: Database, tmp_path: Path) -> None:
    made, text = _create(home, "  spreadsheet ")
    other, _ = _create(home, "spreadsheet", "a2")
    assert re.fullmatch(r"pamo_[A-Za-z0-9_-]{43}", text)
    assert service.of_request(home.connection, text) == made
    assert service.listed(home.connection, "a1") == [
        {
            "id": made.id,
            "name": "spreadsheet",
            "created_at": "2026-12-02T11:00:00Z",
            "last_used_at": None,
        }
    ]
    assert text.encode() not in b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert _revoke(home, "spreadsheet") == made
    assert service.of_request(home.connection, text) is None
    assert [one["id"] for one in service.listed(home.connection, "a2")] == [other.id]
    audit = home.connection.execute(
        "SELECT actor, action, subject FROM audit WHERE account_id='a1' ORDER BY id"
    )
    assert audit.fetchall() == [
        ("command", "api token made", made.id),
        ("page", "api token revoked", made.id),
    ]


def test_a_token_is_revoked_by_its_id_too_and_never_another_account_s(home: Database) -> None:
    made, _ = _create(home, "one")
    for what, account_id in ((made.id, "a2"), ("one", "a2"), ("two", "a1"), ("", "a1")):
        with pytest.raises(NotFound) as refused:
            _revoke(home, what, account_id)
        assert refused.value.hint
    assert _revoke(home, made.id) == made


@pytest.mark.parametrize("text", ["", "pamo_", "x", "Bearer pamo_x", "pamo_" + "A" * 43, "pamo_\ud800"])
def test_what_is_no_token_opens_nothing(home: Database, text: str) -> None:
    _create(home, "one")
    assert service.of_request(home.connection, text) is None


def test_the_last_use_is_written_once_a_minute_at_most(home: Database) -> None:
    _, text = _create(home, "one")
    for seconds, noted in ((0, None), (1, 0), (60, 0), (61, 0), (62, 61)):
        found = _use(home, text, seconds).last_used_at
        assert found == (None if noted is None else NOW + timedelta(seconds=noted)), seconds
    # Two requests that both found it unnoted: the second writes nothing.
    token = service.of_request(home.connection, text)
    assert token is not None
    for seconds in (200, 230):
        home.write(lambda c, at=NOW + timedelta(seconds=seconds): service.used(c, token, at))  # type: ignore[misc]
    noted_token = service.of_request(home.connection, text)
    assert noted_token is not None
    assert noted_token.last_used_at == NOW + timedelta(seconds=200)


@pytest.mark.parametrize("name", ["", "  ", "x" * 61, "a\nb", "a\x1b[2Jb", "a\u202eb", "pamo_x"])
def test_names_that_may_not_be(home: Database, name: str) -> None:
    with pytest.raises(UsageError) as refused:
        _create(home, name)
    assert refused.value.hint


def test_a_token_pasted_as_a_name_is_not_repeated(home: Database) -> None:
    _, text = _create(home, "one")
    for act in (_create, _revoke):
        with pytest.raises(UsageError) as refused:
            act(home, text)
        assert text not in f"{refused.value.message} {refused.value.hint}"


def test_names_are_unique_in_an_account_and_tokens_are_counted(home: Database) -> None:
    for number in range(service.MOST):
        _create(home, f"script {number}")
    with pytest.raises(PamosnikError, match="already"):
        _create(home, "script 7")
    with pytest.raises(PamosnikError, match="cannot have more"):
        _create(home, "one more")
    _create(home, "one more", "a2")
    assert len(service.listed(home.connection, "a1")) == service.MOST
