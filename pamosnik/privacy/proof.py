"""Proving a deletion: names and ids that were there before are looked for afterwards in every file of the home, byte
by byte. They are held in memory alone.

Backups are not searched: they keep what they hold, and a restored one is erased again. Nor is `pamosnik.toml`, which
the operator writes. With many people as many of their ids are looked for as can be in a moment.
"""

import mmap
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from pamosnik._sqlite import Connection
from pamosnik.privacy.subject import REGISTER
from pamosnik.store.times import ms

AT_MOST = 200
"""Needles: each is looked for in every file."""
SHORTEST = 5
"""Bytes of a needle: shorter ones are found by chance."""
_LEFT_OUT = ("backups", "pamosnik.toml")


@dataclass(frozen=True, slots=True, repr=False)
class Needles:
    """What must not be found any more. Names may stand in what others wrote, ids and secrets nowhere."""

    ids: frozenset[bytes]
    names: frozenset[bytes]

    def __or__(self, other: "Needles") -> "Needles":
        return Needles(self.ids | other.ids, self.names | other.names)


NOTHING = Needles(frozenset(), frozenset())


@dataclass(frozen=True, slots=True)
class Searched:
    """How a search ended."""

    files: int
    looked_for: int
    found_in: Sequence[str]
    """Names of files."""


def of_person(conn: Connection, connection_id: str, igsids: Iterable[str]) -> Needles:
    """Ids and names of one person, and ids of what they wrote."""
    ids: list[object] = []
    names: list[object] = []
    for igsid in igsids:
        ids.append(igsid)
        theirs = "igsid IS NULL AND '@' || lower(username)" if igsid.startswith("@") else "igsid"
        for row in conn.execute(
            f"SELECT mid, comment_id, username FROM events WHERE connection_id=? AND {theirs}=?"  # noqa: S608 - ours
            " ORDER BY event_id DESC LIMIT 50",
            (connection_id, igsid),
        ):
            ids += row[:2]
            names.append(row[2])
        names += (
            conn.execute(
                "SELECT username FROM contacts WHERE connection_id=? AND igsid=?", (connection_id, igsid)
            ).fetchone()
            or ()
        )
    return _needles(ids, names)


def of_connection(conn: Connection, connection_id: str) -> Needles:
    """Its own names and ids, and its sealed login; of its people as many as fit."""
    ig_id, asid, username, token = conn.execute(
        "SELECT ig_id, asid, username, token_sealed FROM connections WHERE connection_id=?", (connection_id,)
    ).fetchone()
    found = _needles([ig_id, asid, token], [username])
    for (igsid,) in conn.execute(
        "SELECT igsid FROM contacts WHERE connection_id=? ORDER BY last_seen_at DESC LIMIT ?",
        (connection_id, AT_MOST // 4),
    ).fetchall():
        found |= of_person(conn, connection_id, [igsid])
        if len(found.ids | found.names) >= AT_MOST:
            break
    return found


def of_account(conn: Connection, account_id: str) -> Needles:
    """Its holder's address and secrets, and all of its connections."""
    row = conn.execute(
        "SELECT email, password_hash, wrapped_key FROM accounts LEFT JOIN account_keys USING (account_id)"
        " WHERE account_id=?",
        (account_id,),
    ).fetchone()
    found = NOTHING if row is None else _needles([row[1], row[2]], [row[0]])
    for (connection_id,) in conn.execute(
        "SELECT connection_id FROM connections WHERE account_id=?", (account_id,)
    ).fetchall():
        found |= of_connection(conn, connection_id)
    return found


def _needles(ids: Iterable[object], names: Iterable[object]) -> Needles:
    return Needles(_long_enough(ids), _long_enough(names))


def _long_enough(values: Iterable[object]) -> frozenset[bytes]:
    raw = (
        value if isinstance(value, bytes) else str(value).encode() for value in values if value is not None
    )
    return frozenset(one for one in raw if len(one) >= SHORTEST)


def search(home: Path, needles: Needles) -> dict[Path, frozenset[bytes]]:
    """File → what was found in it, for every file that was searched. No connection to the database may be open in
    this process: closing a file takes SQLite's locks on it away."""
    wanted = needles.ids | needles.names
    return {
        path: _found(path, wanted)
        for path in sorted(home.rglob("*"))
        if path.is_file()
        and path.relative_to(home).parts[0] not in _LEFT_OUT
        and not path.name.endswith("-shm")
    }


def _found(path: Path, needles: Iterable[bytes]) -> frozenset[bytes]:
    try:
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as raw:
            return frozenset(needle for needle in needles if raw.find(needle) >= 0)
    except ValueError:  # an empty file
        return frozenset()
    except FileNotFoundError:  # the log beside the database comes and goes
        return frozenset()


@dataclass(frozen=True, slots=True)
class Where:
    """The part of the database that was deleted, or in which a person was known."""

    column: str
    """`connection_id` or `account_id`."""
    value: str


def judge(
    conn: Connection, needles: Needles, found: dict[Path, frozenset[bytes]], where: Where, since: datetime
) -> Searched:
    """What was found, without names that stand in rows of others, and without ids of people who have come back since,
    or whom another connection knows by the same."""
    hits = frozenset().union(*found.values())
    excused = {one for one in hits & needles.names if _stands_in_a_row(conn, one, None)}
    excused |= {
        one
        for one in hits & needles.ids
        if _came_back(conn, one, since) or _stands_in_a_row(conn, one, where)
    }
    return Searched(
        files=len(found),
        looked_for=len(needles.ids | needles.names),
        found_in=[path.name for path, what in found.items() if what - excused],
    )


def _stands_in_a_row(conn: Connection, text: bytes, but: Where | None) -> bool:
    """Whether some row has it; `but` in those of what was deleted."""
    for table, known in REGISTER.items():
        if but is not None and but.column not in known.columns:
            continue
        elsewhere = "1" if but is None else f"{but.column}<>:but"
        anywhere = " OR ".join(f"instr({column}, :text)" for column in known.columns)
        row = conn.execute(
            f"SELECT 1 FROM {table} WHERE {elsewhere} AND ({anywhere}) LIMIT 1",  # noqa: S608 - the register's names
            {"text": text.decode("utf-8", "replace"), "but": None if but is None else but.value},
        ).fetchone()
        if row is not None:
            return True
    return False


def _came_back(conn: Connection, igsid: bytes, since: datetime) -> bool:
    """Whether this person, or this Instagram account, is there anew."""
    values = {"id": igsid.decode("utf-8", "replace"), "since": ms(since)}
    found = conn.execute(
        "SELECT 1 FROM events WHERE igsid=:id AND received_at>=:since"
        " UNION ALL SELECT 1 FROM connections WHERE :id IN (ig_id, asid) AND connected_at>=:since",
        values,
    ).fetchone()
    return found is not None
