"""Accounts are corrected and given other passwords by one verb each, and an account's verbs never touch another's."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from pamosnik._sqlite import Connection
from pamosnik.errors import PamosnikError, UsageError
from pamosnik.security import passwords, vault
from pamosnik.security.vault import MasterKeys
from pamosnik.services import account_words
from pamosnik.services import accounts as service
from pamosnik.store import accounts, mailed_links, sessions
from pamosnik.store.database import Database
from pamosnik.store.mailed_links import MailedLink, Purpose
from pamosnik.store.sessions import Session
from pamosnik.store.walls import write_for
from tests.store.rows import NOW, database

LATER = NOW + timedelta(minutes=1)
LOGGED_IN = {"a1": "s1 s2 s3", "a2": "t1"}


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Database]:
    """Two accounts, each with sessions, a browser that is known and both kinds of links."""
    with database(tmp_path) as opened:
        opened.write(_fill)
        yield opened


def _fill(conn: Connection) -> None:
    tulip = accounts.Account("a2", "Tulip", "max@tulip.example", "UTC", NOW)
    accounts.insert(conn, tulip, password_hash="x", wrapped_key=b"x", adult_stated_at=NOW)
    for account_id, names in LOGGED_IN.items():
        for name in names.split():
            session = Session(name, account_id, "", NOW, NOW, NOW + timedelta(days=14))
            sessions.open_session(conn, name.encode(), session)
        sessions.know_browser(conn, account_id.encode(), account_id, NOW)
        for purpose in Purpose:
            link = MailedLink(account_id, purpose, "new@x.example")
            hashed = f"{account_id}{purpose}".encode()
            mailed_links.add(conn, hashed, link, now=NOW, expires_at=NOW + timedelta(hours=1))


def _sessions(home: Database, account_id: str) -> set[str]:
    return {one.id for one in service.sessions(home.connection, account_id, NOW)}


def _links(home: Database, account_id: str) -> set[Purpose]:
    return {p for p in Purpose if mailed_links.waiting(home.connection, account_id, p, NOW)}


def _audit(home: Database) -> list[tuple[str, str, str, str | None]]:
    rows = home.connection.execute("SELECT account_id, actor, action, subject FROM audit ORDER BY id")
    return [(row[0], row[1], row[2], row[3]) for row in rows]


def _change_email(home: Database, email: str) -> accounts.Account:
    return home.write(
        write_for("a1", lambda c: service.change_email(c, "a1", email, actor="page", now=LATER))
    )


def test_name_and_time_zone_change_and_what_stays_is_no_change(home: Database) -> None:
    def change(conn: Connection) -> accounts.Account:
        return service.change(
            conn, "a1", name="  Rose & Thorn ", timezone="Europe/Dublin", actor="page", now=LATER
        )

    for _ in range(2):
        found = home.write(write_for("a1", change))
        assert (found.name, found.timezone, found.email) == (
            "Rose & Thorn",
            "Europe/Dublin",
            "rose@shop.example",
        )
    assert accounts.load(home.connection, "a1") == found
    assert _audit(home) == [("a1", "page", "account changed", "name timezone")]
    assert accounts.load(home.connection, "a2") == accounts.Account(
        "a2", "Tulip", "max@tulip.example", "UTC", NOW
    )


def test_a_new_address_voids_the_links_that_were_mailed_and_is_looked_for_in_any_spelling(
    home: Database,
) -> None:
    found = _change_email(home, " Rosa@BÜCHER.example ")
    assert found.email == "Rosa@bücher.example"
    assert accounts.by_email(home.connection, "rosa@Bu\u0308cher.EXAMPLE") == found
    assert accounts.by_email(home.connection, "rose@shop.example") is None
    assert (_links(home, "a1"), _links(home, "a2")) == (set(), set(Purpose))
    assert _audit(home) == [("a1", "page", "account changed", "email")]


def test_the_same_address_again_is_no_change_and_other_capitals_are_one(home: Database) -> None:
    _change_email(home, "rose@shop.example")
    assert (_links(home, "a1"), _audit(home)) == (set(Purpose), [])
    assert _change_email(home, "Rose@shop.example").email == "Rose@shop.example"


@pytest.mark.parametrize("email", ["max@tulip.example", "MAX@Tulip.Example"])
def test_the_address_of_another_account_is_refused(home: Database, email: str) -> None:
    with pytest.raises(service.AddressTaken):
        _change_email(home, email)
    assert (_audit(home), _links(home, "a1")) == ([], set(Purpose))


def test_a_new_password_puts_everybody_out_who_knew_the_old_one(home: Database) -> None:
    def change(conn: Connection) -> int:
        return service.set_password(conn, "a1", "new", but_session="s2", actor="page", now=LATER)

    assert home.write(write_for("a1", change)) == 2
    assert (_sessions(home, "a1"), _sessions(home, "a2")) == ({"s2"}, {"t1"})
    assert (_links(home, "a1"), _links(home, "a2")) == (set(), set(Purpose))
    assert sessions.browser_account(home.connection, b"a1") is None
    assert sessions.browser_account(home.connection, b"a2") == "a2"
    assert [accounts.password_hash(home.connection, one) for one in ("a1", "a2")] == ["new", "x"]
    assert _audit(home) == [("a1", "page", "password changed", None)]


def test_sessions_end_one_by_one_or_all_at_once_and_only_the_account_s_own(home: Database) -> None:
    def end(name: str) -> bool:
        act = write_for("a1", lambda c: service.end_session(c, "a1", name, actor="page", now=LATER))
        return home.write(act)

    assert [end("s1"), end("s1"), end("t1")] == [True, False, False]

    def end_all(conn: Connection) -> int:
        return service.end_all_sessions(conn, "a1", but_session="s3", actor="command", now=LATER)

    assert [home.write(write_for("a1", end_all)) for _ in range(2)] == [1, 0]
    assert (_sessions(home, "a1"), _sessions(home, "a2")) == ({"s3"}, {"t1"})
    assert _audit(home) == [
        ("a1", "page", "session ended", "s1"),
        ("a1", "command", "sessions ended", None),
    ]


def test_a_hash_is_made_anew_only_while_the_password_is_the_same(home: Database) -> None:
    assert home.write(lambda c: accounts.replace_password_hash(c, "a1", was="x", hashed="y"))
    assert not home.write(lambda c: accounts.replace_password_hash(c, "a1", was="x", hashed="z"))
    assert accounts.password_hash(home.connection, "a1") == "y"


def test_a_new_account_states_adulthood_and_its_address_is_free(home: Database) -> None:
    keys = MasterKeys((vault.new_master_key(None),))
    new = service.NewAccount("Fern", "fern@shop.example", "three random words", "UTC")
    made = service.create(home, keys, new, LATER)
    assert service.shape(home.connection, made, LATER) == {
        "id": made.id,
        "email": "fern@shop.example",
        "name": "Fern",
        "timezone": "UTC",
        "connections": [],
        "created_at": "2026-12-02T11:01:00Z",
        "adult_stated_at": "2026-12-02T11:01:00Z",
        "sessions": 0,
    }
    wrapped = accounts.wrapped_key(home.connection, made.id)
    assert wrapped is not None
    assert len(keys.unwrap(made.id, wrapped)) == vault.KEY_BYTES
    assert passwords.check_password("three random words", accounts.password_hash(home.connection, made.id))
    with pytest.raises(service.AddressTaken):
        service.create(home, keys, new, LATER)
    assert _audit(home) == [(made.id, "command", "account made: adulthood stated", None)]


def test_what_is_gone_cannot_be_changed(home: Database) -> None:
    with pytest.raises(PamosnikError) as refused:
        home.write(lambda c: service.change(c, "gone", name="X", actor="page", now=NOW))
    assert refused.value.hint


@pytest.mark.parametrize(
    ("name", "stored"),
    [
        (" Rosa's Shop ", "Rosa's Shop"),
        ("Café Łódź", "Café Łódź"),
        ("Cafe\u0301", "Café"),
        ("👩\u200d🌾 Blumen", "👩\u200d🌾 Blumen"),
        ("متجر \u200fورد", "متجر \u200fورد"),
        ("x" * 100, "x" * 100),
        ("<script>=1+1", "<script>=1+1"),
    ],
)
def test_names_that_may_be(name: str, stored: str) -> None:
    assert account_words.name(name) == stored


@pytest.mark.parametrize(
    "name", ["", "  ", "a\nb", "a\x1b[31mb", "a\x00b", "a\u2028b", "a\u202eb", "\ud800", "x" * 101]
)
def test_names_that_may_not_be(name: str) -> None:
    with pytest.raises(UsageError) as refused:
        account_words.name(name)
    assert refused.value.hint
    assert refused.value.message.isprintable()


@pytest.mark.parametrize(
    ("email", "stored"),
    [
        (" anna@shop.example ", "anna@shop.example"),
        ("Anna+x@Shop.Example", "Anna+x@shop.example"),
        ("anna@bücher.example", "anna@bücher.example"),
        ("анна@магазин.рф", "анна@магазин.рф"),
        ("a@" + "b" * 63 + ".example", "a@" + "b" * 63 + ".example"),
    ],
)
def test_addresses_that_may_be(email: str, stored: str) -> None:
    assert account_words.email(email) == stored


@pytest.mark.parametrize(
    "email",
    [
        *(
            "",
            "anna",
            "@shop.example",
            "anna@",
            "anna@shop",
            "anna@shop.",
            "anna@.example",
            "a b@shop.example",
        ),
        *("a@b@c.example", "a@shop.example\nBcc: x@y.example", "a\x00@shop.example", "a@sho\u202ep.example"),
        *("a,b@shop.example", "<a@shop.example>", '"a"@shop.example', "a@-shop.example", "a@b..example"),
        *(
            "a@" + "b" * 64 + ".example",
            "a" * 65 + "@shop.example",
            "a@" + "b." * 130 + "example",
            "\ud800@x.de",
        ),
    ],
)
def test_addresses_that_may_not_be(email: str) -> None:
    with pytest.raises(UsageError) as refused:
        account_words.email(email)
    assert refused.value.hint
    assert refused.value.message.isprintable()


@pytest.mark.parametrize(
    ("zone", "hint"),
    [
        ("warsaw", "Europe/Warsaw"),
        ("europe/warsaw", "Europe/Warsaw"),
        ("Europe/Warzaw", "Europe/Warsaw"),
        ("new york", "America/New_York"),
        ("Mars/North", "like Europe/Warsaw"),
        ("", "like Europe/Warsaw"),
        ("../../etc/passwd", "like Europe/Warsaw"),
    ],
)
def test_time_zones_are_those_of_the_machine(zone: str, hint: str) -> None:
    assert account_words.timezone("Europe/Warsaw") == "Europe/Warsaw"
    with pytest.raises(UsageError) as refused:
        account_words.timezone(zone)
    assert hint in (refused.value.hint or "")
