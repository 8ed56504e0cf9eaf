"""Rows of one account, or of one person, as they stand in the tables: what exports read, row after row."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pamosnik._sqlite import Connection

ORDER: Mapping[str, str] = {
    "account_keys": "account_id",
    "accounts": "account_id",
    "alerts": "account_id, connection_id, cause",
    "api_tokens": "token_id",
    "attempts": "id",
    "audit": "id",
    "books": "account_id",
    "bound_posts": "account_id, connection_id, flow_id",
    "broadcasts": "broadcast_id",
    "codes": "account_id, pool, code",
    "connections": "connection_id",
    "consents": "consent_id",
    "contact_fields": "contact_id, field",
    "contact_ids": "connection_id, igsid",
    "contact_tags": "contact_id, tag",
    "contacts": "contact_id",
    "deletion_requests": "code",
    "deletions": "deletion_id",
    "entrances": "connection_id, entrance",
    "events": "event_id",
    "flow_history": "id",
    "flow_names": "account_id, flow_id",
    "flow_versions": "account_id, flow_id, version",
    "flows": "account_id, flow_id",
    "given_codes": "contact_id, pool",
    "known_browsers": "rowid",
    "ledger": "account_id",
    "legal_texts": "account_id, page, number",
    "instagram_logins": "rowid",
    "links": "rowid",
    "login_attempts": "id",
    "mailed_links": "rowid",
    "month_totals": "account_id, connection_id, month, flow_id, version, step, media_id, what",
    "notices": "account_id, connection_id, code",
    "outbox": "seq",
    "posts": "connection_id, media_id",
    "rests": "connection_id, quota",
    "retentions": "account_id",
    "runs": "run_id",
    "schedules": "connection_id, flow_id",
    "sessions": "rowid",
    "starts": "contact_id, flow_id, media_id",
    "tombstones": "connection_id, person",
    "totals": "account_id, connection_id, day, flow_id, version, step, media_id, what",
    "traces": "account_id",
    "turns": "run_id, turn",
    "usage": "connection_id, quota",
    "variants": "connection_id, flow_id, step, contact_id",
    "waits": "wait_id",
}
"""Table → its primary key: rows come in an order that SQLite has without sorting. Where the key is a secret, it is
the order in which they were made."""


@dataclass(frozen=True, slots=True)
class Person:
    """One person, as several connections of an account know them."""

    contacts: Sequence[str]
    """Ids of ours."""
    igsids: Sequence[str]
    """All ids that Instagram has told for them."""

    def narrow(self, column: str) -> tuple[str, Sequence[str]]:
        """The condition that a row is about them, and its values. `column`: the contact's id, the IGSID, or a run's
        id, with or without the table's name before it."""
        values = self.igsids if column.endswith("igsid") else self.contacts
        marks = f"({','.join('?' * len(values))})"
        if column.endswith("run_id"):
            return f"{column} IN (SELECT run_id FROM runs WHERE contact_id IN {marks})", values  # noqa: S608
        return f"{column} IN {marks}", values


def rows(
    conn: Connection,
    account_id: str,
    table: str,
    columns: Collection[str],
    person: Person | None = None,
    person_by: str | None = None,
) -> Iterator[tuple[Any, ...]]:
    """Of an account, or with `person` those about one person: `person_by` is the column that leads to them."""
    condition: str = "1"
    values: Sequence[str] = ()
    if person is not None:
        assert person_by is not None
        condition, values = person.narrow(person_by)
    # `+`: the account is compared in rows that come by the primary key, else all of them were sorted in memory.
    yield from conn.execute(
        f"SELECT {', '.join(columns)} FROM {table} WHERE {'+' if person is None else ''}account_id=?"  # noqa: S608
        f" AND {condition} ORDER BY {ORDER[table]}",
        (account_id, *values),
    )


def count(conn: Connection, account_id: str, table: str) -> int:
    (found,) = conn.execute(f"SELECT count(*) FROM {table} WHERE account_id=?", (account_id,)).fetchone()  # noqa: S608
    return int(found)


def person(conn: Connection, account_id: str, who: str) -> Person | None:
    """Whom `@username`, an IGSID, or an id of theirs or of what they wrote names, on every connection of the account:
    also somebody of whom nothing but events is left. None: nobody."""
    name = who.removeprefix("@")
    ids = {"account": account_id, "who": who, "ulid": who.upper(), "name": name}
    told = conn.execute(
        "SELECT igsid FROM contacts WHERE account_id=:account"
        " AND (contact_id=:ulid OR igsid=:who OR username=:name)"
        " UNION SELECT i.igsid FROM contact_ids i JOIN contacts p USING (contact_id) WHERE i.account_id=:account"
        " AND (i.igsid=:who OR p.contact_id=:ulid OR p.username=:name)"
        " UNION SELECT igsid FROM events WHERE account_id=:account AND igsid IS NOT NULL AND (igsid=:who"
        " OR event_id=:ulid OR mid=:who OR comment_id=:who OR username=:name COLLATE NOCASE)",
        ids,
    )
    igsids = {igsid for (igsid,) in told}
    contacts: set[str] = set()
    while igsids:
        found = _contacts_with(conn, account_id, igsids)
        more = _ids_of(conn, account_id, found)
        if found == contacts and more <= igsids:
            return Person(sorted(contacts), sorted(igsids))
        contacts, igsids = found, igsids | more
    return None


def are_several(conn: Connection, account_id: str, person: Person) -> bool:
    """Whether on one connection it is more than one person: a name that was another's before."""
    ids, contacts = (",".join("?" * len(values)) for values in (person.igsids, person.contacts))
    found = conn.execute(
        "SELECT 1 FROM (SELECT connection_id, contact_id AS one FROM contacts WHERE account_id=?"  # noqa: S608 - marks
        f" AND contact_id IN ({contacts}) UNION SELECT connection_id, igsid FROM events e WHERE account_id=?"
        f" AND igsid IN ({ids}) AND NOT EXISTS (SELECT 1 FROM contacts p WHERE p.connection_id=e.connection_id"
        " AND p.igsid=e.igsid) AND NOT EXISTS (SELECT 1 FROM contact_ids i WHERE i.connection_id=e.connection_id"
        " AND i.igsid=e.igsid)) GROUP BY connection_id HAVING count(*)>1",
        (account_id, *person.contacts, account_id, *person.igsids),
    ).fetchone()
    return found is not None


def _contacts_with(conn: Connection, account_id: str, igsids: Collection[str]) -> set[str]:
    marks = ",".join("?" * len(igsids))
    found = conn.execute(
        f"SELECT contact_id FROM contacts WHERE account_id=? AND igsid IN ({marks}) UNION"  # noqa: S608 - marks alone
        f" SELECT contact_id FROM contact_ids WHERE account_id=? AND igsid IN ({marks})",
        (account_id, *igsids, account_id, *igsids),
    )
    return {contact_id for (contact_id,) in found}


def _ids_of(conn: Connection, account_id: str, contacts: Collection[str]) -> set[str]:
    marks = ",".join("?" * len(contacts))
    found = conn.execute(
        f"SELECT igsid FROM contacts WHERE account_id=? AND contact_id IN ({marks}) UNION"  # noqa: S608 - marks alone
        f" SELECT igsid FROM contact_ids WHERE account_id=? AND contact_id IN ({marks})",
        (account_id, *contacts, account_id, *contacts),
    )
    return {igsid for (igsid,) in found}


def months(conn: Connection, account_id: str, limit: int) -> list[tuple[str, dict[str, int]]]:
    """The newest months (YYYY-MM) that something was counted in: word of `stats` → how many runs."""
    counted = conn.execute(
        "SELECT month, what, sum(n) FROM month_totals WHERE account_id=? AND step='' AND flow_id<>''"
        " GROUP BY 1, 2 ORDER BY 1 DESC",
        (account_id,),
    )
    found: dict[str, dict[str, int]] = {}
    for month, what, n in counted:
        found.setdefault(month, {})[what] = n
    return list(found.items())[:limit]
