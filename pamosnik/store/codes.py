"""Codes to give away: pools that `flows apply` fills, and who was given which.

A code that was given stays in its pool as given, whatever becomes of the person: nobody else gets it.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime

from pamosnik._sqlite import Connection
from pamosnik.model.contact import Contact
from pamosnik.store.times import ms


def of_person(conn: Connection, contact_id: str, pool: str) -> str | None:
    """The code of this pool that the person was given."""
    row = conn.execute(
        "SELECT code FROM given_codes WHERE contact_id=? AND pool=?", (contact_id, pool)
    ).fetchone()
    return None if row is None else str(row[0])


def latest_of_person(conn: Connection, contact_id: str) -> str | None:
    """The code that the person was given, or told again, last."""
    row = conn.execute(
        "SELECT code FROM given_codes WHERE contact_id=? ORDER BY told_at DESC, rowid DESC LIMIT 1",
        (contact_id,),
    ).fetchone()
    return None if row is None else str(row[0])


def next_free(conn: Connection, account_id: str, pool: str) -> str | None:
    """The first code of the file that nobody was given."""
    row = conn.execute(
        "SELECT code FROM codes WHERE account_id=? AND pool=? AND given_at IS NULL ORDER BY place LIMIT 1",
        (account_id, pool),
    ).fetchone()
    return None if row is None else str(row[0])


def give(conn: Connection, contact: Contact, pool: str, code: str, now: datetime) -> None:
    """The code is this person's from now on. Raises `IntegrityError` when they have another one of the pool."""
    conn.execute(
        "UPDATE codes SET given_at=? WHERE account_id=? AND pool=? AND code=? AND given_at IS NULL",
        (ms(now), contact.account_id, pool, code),
    )
    if of_person(conn, contact.id, pool) == code:
        conn.execute(
            "UPDATE given_codes SET told_at=? WHERE contact_id=? AND pool=?", (ms(now), contact.id, pool)
        )
        return
    conn.execute(
        "INSERT INTO given_codes (account_id, contact_id, pool, code, given_at, told_at) VALUES (?,?,?,?,?,?)",
        (contact.account_id, contact.id, pool, code, ms(now), ms(now)),
    )


def free(conn: Connection, account_id: str, pool: str) -> list[str]:
    """All that nobody was given, in the order in which they will be."""
    rows = conn.execute(
        "SELECT code FROM codes WHERE account_id=? AND pool=? AND given_at IS NULL ORDER BY place",
        (account_id, pool),
    )
    return [code for (code,) in rows]


def left(conn: Connection, account_id: str, pool: str, at_most: int) -> int:
    """How many codes are to be given, counted up to a number."""
    (count,) = conn.execute(
        "SELECT count(*) FROM (SELECT 1 FROM codes WHERE account_id=? AND pool=? AND given_at IS NULL LIMIT ?)",
        (account_id, pool, at_most),
    ).fetchone()
    return int(count)


def pools(conn: Connection, account_id: str) -> list[str]:
    """Pools that hold codes, given or not."""
    rows = conn.execute("SELECT DISTINCT pool FROM codes WHERE account_id=? ORDER BY pool", (account_id,))
    return [pool for (pool,) in rows]


def known(conn: Connection, account_id: str, pool: str) -> Mapping[str, bool]:
    """Code → whether it was given."""
    rows = conn.execute(
        "SELECT code, given_at IS NOT NULL FROM codes WHERE account_id=? AND pool=?", (account_id, pool)
    )
    return {code: bool(given) for code, given in rows}


def add(conn: Connection, account_id: str, pool: str, new: Iterable[str]) -> None:
    """At the end of the pool; what it holds already stays as it is."""
    (last,) = conn.execute(
        "SELECT coalesce(max(place), 0) FROM codes WHERE account_id=? AND pool=?", (account_id, pool)
    ).fetchone()
    # Sorted, so that each page of the table is written once.
    rows = sorted((account_id, pool, code, place) for place, code in enumerate(new, last + 1))
    conn.executemany(
        "INSERT INTO codes (account_id, pool, code, place) VALUES (?,?,?,?) ON CONFLICT DO NOTHING", rows
    )


def withdraw(conn: Connection, account_id: str, pool: str, gone: Iterable[str]) -> None:
    """Takes codes out that were not given."""
    conn.executemany(
        "DELETE FROM codes WHERE account_id=? AND pool=? AND code=? AND given_at IS NULL",
        ((account_id, pool, code) for code in gone),
    )
