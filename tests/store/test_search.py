"""What a person can be found by stays true whoever changes it, in the order of a random history."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pamosnik._sqlite import Connection
from pamosnik.model.contact import Contact, PausedBy, Profile
from pamosnik.model.words import fold
from pamosnik.store import contacts
from pamosnik.store import people as people_store
from pamosnik.store.database import Database, open_in_memory
from pamosnik.store.people import Wanted

NOW = datetime(2026, 12, 1, tzinfo=UTC)
WORDS = ("ada", "bea", "cleo")
CHANGES = st.tuples(
    st.sampled_from(("tag", "untag", "set", "clear", "name", "note", "pause", "resume")),
    st.sampled_from(WORDS),
)


def _database() -> Database:
    database = open_in_memory()
    conn = database.connection
    conn.execute("INSERT INTO accounts VALUES ('a', 'Shop', 'a@shop.example', 'UTC', 'h', 0, 0, 'active')")
    conn.execute(
        "INSERT INTO connections (connection_id, account_id, ig_id, username, status, scopes, connected_at)"
        " VALUES ('c', 'a', '1', 'shop', 'active', '[]', 0)"
    )
    return database


def _change(conn: Connection, person: Contact, what: str, word: str) -> None:
    match what:
        case "tag":
            contacts.add_tag(conn, person, word, NOW)
        case "untag":
            contacts.remove_tag(conn, person, word)
        case "set":
            contacts.set_field(conn, person, "field", word, NOW)
        case "clear":
            contacts.set_field(conn, person, "field", None, NOW)
        case "name":
            contacts.learn_profile(conn, person.id, Profile("username", word, None, None, None), NOW)
        case "note":
            contacts.set_note(conn, person.id, word)
        case "pause":
            contacts.pause(conn, person.id, NOW, PausedBy.HAND_OVER, word)
        case "resume":
            contacts.resume(conn, person.id)


@given(st.lists(CHANGES, max_size=12))
def test_a_person_is_found_by_what_is_known_of_them_now(changes: list[tuple[str, str]]) -> None:
    with _database() as database:
        conn = database.connection
        person = contacts.meet(
            conn, account_id="a", connection_id="c", igsid="7", username="username", now=NOW
        )
        for what, word in changes:
            _change(conn, person, what, word)
        known = contacts.load(conn, person.id)
        assert known is not None
        said = {known.name, *known.tags, *known.fields.values(), *contacts.notes(conn, person.id)}
        for word in WORDS:
            found = people_store.newest(conn, "a", Wanted(text=word), limit=None)
            assert found == ([person.id] if word in said else []), (word, said)


@pytest.mark.parametrize(
    ("note", "asked"),
    [
        ("Call  Back\n\ttomorrow", "back tomorrow"),
        ("CAFÉ au lait", "cafe AU"),
        ("\uff26\uff35\uff2c\uff2c size", "full"),  # written in wide letters
        ("\u212aelvin", "kelvin"),
        ("Straße", "strasse"),
        ("42", "42"),
    ],
)
def test_a_person_is_found_however_it_is_written(note: str, asked: str) -> None:
    """Most texts are compared without being folded."""
    with _database() as database:
        conn = database.connection
        person = contacts.meet(
            conn, account_id="a", connection_id="c", igsid="7", username="username", now=NOW
        )
        contacts.set_note(conn, person.id, note)
        found = people_store.newest(conn, "a", Wanted(text=fold(asked)), limit=9)
        others = people_store.newest(conn, "a", Wanted(text=f"{fold(asked)} x"), limit=9)
        assert (found, others) == ([person.id], [])
