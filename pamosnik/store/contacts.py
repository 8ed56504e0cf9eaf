"""People, their tags and fields."""

from dataclasses import dataclass
from datetime import UTC, datetime

from pamosnik._sqlite import Connection
from pamosnik.ids import new_id
from pamosnik.model.contact import Contact, PausedBy, Profile
from pamosnik.model.run import WaitKind
from pamosnik.store import consents, deletions, runs, tombstones
from pamosnik.store.consents import How, What
from pamosnik.store.times import instant, ms, optional_instant

_CONTACT = (
    "contact_id, account_id, connection_id, igsid, username, name, first_message_at, window_open_until,"
    " opted_out_at, unreachable_since, paused_until, paused_by, disclosed_at, follows_me, verified, followers,"
    " looked_up_at, look_up_again_at, look_up_problem, forget_at"
)


UNTIL_THEY_WRITE = datetime(9999, 1, 1, tzinfo=UTC)
"""Instagram is not asked for the profile of somebody who has not consented, until they write or tap."""


def meet(
    conn: Connection,
    *,
    account_id: str,
    connection_id: str,
    igsid: str,
    username: str | None,
    now: datetime,
) -> Contact:
    """The contact with this id, made if it is new; learns the username when Meta told one."""
    contact_id = by_igsid(conn, connection_id, igsid)
    if contact_id is None:
        new = new_id(now)
        conn.execute(
            "INSERT INTO contacts (contact_id, account_id, connection_id, igsid, username, created_at, last_seen_at)"
            " VALUES (?,?,?,?,?,?,?)",
            (new, account_id, connection_id, igsid, username, ms(now), ms(now)),
        )
        before = tombstones.of(conn, connection_id, igsid)
        opted_out_at = before.erased_at if before is not None and before.opted_out else None
        if opted_out_at is not None:
            opt_out(conn, new, How.KEPT, opted_out_at)
        return Contact(
            id=new,
            account_id=account_id,
            connection_id=connection_id,
            igsid=igsid,
            username=username,
            opted_out_at=opted_out_at,
        )
    conn.execute(
        "UPDATE contacts SET last_seen_at=max(last_seen_at, ?), username=coalesce(?, username) WHERE contact_id=?",
        (ms(now), username, contact_id),
    )
    contact = load(conn, contact_id)
    assert contact is not None
    return contact


def load(conn: Connection, contact_id: str) -> Contact | None:
    """One contact with tags and fields."""
    row = conn.execute(
        f"SELECT {_CONTACT} FROM contacts WHERE contact_id=?",  # noqa: S608 - column names
        (contact_id,),
    ).fetchone()
    if row is None:
        return None
    tags = conn.execute("SELECT tag FROM contact_tags WHERE contact_id=?", (contact_id,))
    fields = conn.execute("SELECT field, value FROM contact_fields WHERE contact_id=?", (contact_id,))
    return Contact(
        id=row[0],
        account_id=row[1],
        connection_id=row[2],
        igsid=row[3],
        username=row[4],
        name=row[5],
        tags=frozenset(tag for (tag,) in tags),
        fields=dict(fields.fetchall()),
        first_message_at=optional_instant(row[6]),
        window_open_until=optional_instant(row[7]),
        opted_out_at=optional_instant(row[8]),
        unreachable_since=optional_instant(row[9]),
        paused_until=optional_instant(row[10]),
        paused_by=None if row[11] is None else PausedBy(row[11]),
        disclosed_at=optional_instant(row[12]),
        follows_me=None if row[13] is None else bool(row[13]),
        verified=None if row[14] is None else bool(row[14]),
        followers=row[15],
        looked_up_at=optional_instant(row[16]),
        look_up_again_at=optional_instant(row[17]),
        look_up_problem=row[18],
        forget_at=optional_instant(row[19]),
    )


def heard_from(conn: Connection, contact_id: str, *, at: datetime, window_until: datetime) -> None:
    """They wrote or tapped: the window opens, and whoever was unreachable is so no longer."""
    conn.execute(
        "UPDATE contacts SET first_message_at=coalesce(min(first_message_at, :at), :at),"
        " window_open_until=max(coalesce(window_open_until, 0), :until), unreachable_since=NULL,"
        " look_up_again_at=iif(look_up_again_at=:never, NULL, look_up_again_at) WHERE contact_id=:contact",
        {"at": ms(at), "until": ms(window_until), "contact": contact_id, "never": ms(UNTIL_THEY_WRITE)},
    )


def learn_profile(conn: Connection, contact_id: str, told: Profile, now: datetime) -> None:
    """What Instagram tells of them now; a username or name that it does not tell stays what it was."""
    conn.execute(
        "UPDATE contacts SET username=coalesce(:username, username), name=coalesce(:name, name),"
        " follows_me=:follows, verified=:verified, followers=:followers, looked_up_at=:now,"
        " look_up_again_at=NULL, look_up_problem=NULL WHERE contact_id=:contact",
        {
            "username": told.username,
            "name": told.name,
            "follows": told.follows_me,
            "verified": told.verified,
            "followers": told.followers,
            "now": ms(now),
            "contact": contact_id,
        },
    )


def profile_untold(conn: Connection, contact_id: str, problem: str, again_at: datetime) -> None:
    """Instagram was asked and did not tell; until `again_at` it is not asked again."""
    conn.execute(
        "UPDATE contacts SET look_up_again_at=?, look_up_problem=? WHERE contact_id=?",
        (ms(again_at), problem, contact_id),
    )


def profile_outdated(conn: Connection, contact_id: str) -> None:
    """What Instagram told of them counts no more: it is asked when that is wanted next."""
    conn.execute(
        "UPDATE contacts SET looked_up_at=NULL, look_up_again_at=NULL, look_up_problem=NULL WHERE contact_id=?",
        (contact_id,),
    )


def add_tag(conn: Connection, contact: Contact, tag: str, now: datetime) -> bool:
    """Whoever gives it: runs that wait for this tag go on. False: this person had it already."""
    runs.wake(conn, contact.id, WaitKind.FOR_TAG, (tag,), now)
    added = conn.execute(
        "INSERT INTO contact_tags (account_id, contact_id, tag, added_at) VALUES (?,?,?,?) ON CONFLICT DO NOTHING",
        (contact.account_id, contact.id, tag, ms(now)),
    )
    return bool(added.rowcount)


def remove_tag(conn: Connection, contact: Contact, tag: str) -> None:
    conn.execute("DELETE FROM contact_tags WHERE contact_id=? AND tag=?", (contact.id, tag))


def set_field(
    conn: Connection,
    contact: Contact,
    field: str,
    value: str | None,
    now: datetime,
    *,
    counted: bool = False,
) -> None:
    """None clears the field. `counted`: a sum, which stays when a message is taken back."""
    if value is None:
        conn.execute("DELETE FROM contact_fields WHERE contact_id=? AND field=?", (contact.id, field))
        return
    conn.execute(
        "INSERT INTO contact_fields (account_id, contact_id, field, value, set_at, counted) VALUES (?,?,?,?,?,?)"
        " ON CONFLICT (contact_id, field) DO UPDATE SET value=excluded.value, set_at=excluded.set_at,"
        " counted=excluded.counted",
        (contact.account_id, contact.id, field, value, ms(now), int(counted)),
    )


def pause(conn: Connection, contact_id: str, until: datetime, by: PausedBy, note: str | None = None) -> None:
    """Automation stops for this person until then; `note` is for the human who takes over."""
    conn.execute(
        "UPDATE contacts SET paused_until=?, paused_by=?, paused_note=? WHERE contact_id=?",
        (ms(until), by.value, note, contact_id),
    )


def resume(conn: Connection, contact_id: str) -> None:
    """Automation goes on for this person before the pause is over."""
    conn.execute(
        "UPDATE contacts SET paused_until=NULL, paused_by=NULL, paused_note=NULL WHERE contact_id=?",
        (contact_id,),
    )


def notes(conn: Connection, contact_id: str) -> tuple[str | None, str | None]:
    """What the owner noted of this person, and what the pause they are in says to the human who takes over."""
    row = conn.execute("SELECT note, paused_note FROM contacts WHERE contact_id=?", (contact_id,)).fetchone()
    return (None, None) if row is None else (row[0], row[1])


def set_note(conn: Connection, contact_id: str, note: str | None) -> None:
    """What the owner noted of this person; None takes it away."""
    conn.execute("UPDATE contacts SET note=? WHERE contact_id=?", (note, contact_id))


def opt_out(conn: Connection, contact_id: str, how: How, at: datetime) -> None:
    """They want no automatic messages. Of somebody who is out already the first time stays, and no second consent is
    noted."""
    row = conn.execute(
        "UPDATE contacts SET opted_out_at=? WHERE contact_id=? AND opted_out_at IS NULL"
        " RETURNING account_id, connection_id",
        (ms(at), contact_id),
    ).fetchone()
    if row is not None:
        consents.note(conn, row[0], What.OPT_OUT, how, at, connection_id=row[1], contact_id=contact_id)


def opt_in(conn: Connection, contact_id: str, how: How, now: datetime) -> None:
    """They want them again; noted for somebody who was out."""
    row = conn.execute(
        "UPDATE contacts SET opted_out_at=NULL WHERE contact_id=? AND opted_out_at IS NOT NULL"
        " RETURNING account_id, connection_id",
        (contact_id,),
    ).fetchone()
    if row is not None:
        consents.note(conn, row[0], What.OPT_IN, how, now, connection_id=row[1], contact_id=contact_id)


def set_unreachable(conn: Connection, contact_id: str, at: datetime) -> None:
    """Meta said they cannot receive messages; ends with their next one."""
    conn.execute(
        "UPDATE contacts SET unreachable_since=coalesce(unreachable_since, ?) WHERE contact_id=?",
        (ms(at), contact_id),
    )


def set_forget(conn: Connection, contact_id: str, at: datetime) -> None:
    """They are to be forgotten: what is older than `at` goes."""
    conn.execute("UPDATE contacts SET forget_at=? WHERE contact_id=?", (ms(at), contact_id))


def marked(conn: Connection) -> list[str]:
    """Ids of people who are to be forgotten, of all accounts; without those who go with a whole connection."""
    rows = conn.execute(
        f"SELECT contact_id FROM contacts WHERE forget_at IS NOT NULL AND {deletions.UNTOUCHED} ORDER BY forget_at"  # noqa: S608
    )
    return [contact_id for (contact_id,) in rows]


def account_of(conn: Connection, contact_id: str) -> str:
    """Whose contact it is; it must exist."""
    row = conn.execute("SELECT account_id FROM contacts WHERE contact_id=?", (contact_id,)).fetchone()
    return str(row[0])


def to_forget(
    conn: Connection, *, settled_before: datetime, answered_before: datetime, seen_before: datetime
) -> list[str]:
    """Ids of people who are to be forgotten and to whom nothing is under way any more. Not waited for is what was put
    into the outbox before `settled_before` and has not left, or all of it once their deletion has a receipt; nor a
    request that left before `answered_before`, nor evidence of one that left before `seen_before`. Who goes with a
    whole connection is not among them."""
    rows = conn.execute(
        f"SELECT contact_id FROM contacts p WHERE forget_at IS NOT NULL AND {deletions.UNTOUCHED}"  # noqa: S608
        " AND NOT EXISTS (SELECT 1 FROM outbox o WHERE o.contact_id=p.contact_id"
        " AND ((o.status='sending' AND o.last_attempt_at>:answered) OR ((o.status IN ('queued','held')"
        " AND o.created_at>:settled OR o.status='unknown' AND o.last_attempt_at>:seen)"
        f" AND p.contact_id NOT IN {deletions.BEING_DELETED}))) ORDER BY forget_at",
        {"answered": ms(answered_before), "settled": ms(settled_before), "seen": ms(seen_before)},
    )
    return [contact_id for (contact_id,) in rows]


def set_disclosed(conn: Connection, contact_id: str, at: datetime) -> None:
    conn.execute("UPDATE contacts SET disclosed_at=? WHERE contact_id=?", (ms(at), contact_id))


def also_known_as(conn: Connection, contact: Contact, igsid: str) -> None:
    """Remembers a second id of the same person: what a private reply answered as `recipient_id`."""
    if igsid == contact.igsid:
        return
    conn.execute(
        "INSERT INTO contact_ids (account_id, connection_id, igsid, contact_id)"
        " SELECT ?,?,?,? WHERE NOT EXISTS (SELECT 1 FROM contacts WHERE connection_id=? AND igsid=?)"
        " ON CONFLICT DO NOTHING",
        (contact.account_id, contact.connection_id, igsid, contact.id, contact.connection_id, igsid),
    )


def igsids(conn: Connection, contact_id: str) -> frozenset[str]:
    """Every id under which Meta may speak of this person."""
    rows = conn.execute(
        "SELECT igsid FROM contacts WHERE contact_id=:contact"
        " UNION SELECT igsid FROM contact_ids WHERE contact_id=:contact",
        {"contact": contact_id},
    )
    return frozenset(igsid for (igsid,) in rows)


def find(conn: Connection, account_id: str, who: str) -> list[str]:
    """Ids of contacts that `@username`, an IGSID, or an id of theirs or of what they wrote names; newest first."""
    rows = conn.execute(
        "SELECT contact_id FROM contacts AS p WHERE account_id=:account AND (contact_id=upper(:who) OR igsid=:who"
        " OR username=:name OR contact_id IN (SELECT contact_id FROM contact_ids WHERE igsid=:who)"
        " OR (connection_id, igsid) IN (SELECT connection_id, igsid FROM events WHERE account_id=:account"
        " AND (event_id=upper(:who) OR mid=:who OR comment_id=:who))) ORDER BY last_seen_at DESC",
        {"account": account_id, "who": who, "name": who.removeprefix("@")},
    )
    return [contact_id for (contact_id,) in rows]


def called(conn: Connection, account_id: str, username: str) -> list[str]:
    """Ids of contacts with just this username."""
    rows = conn.execute(
        "SELECT contact_id FROM contacts WHERE account_id=? AND username=?", (account_id, username)
    )
    return [contact_id for (contact_id,) in rows]


@dataclass(frozen=True, slots=True)
class Commenter:
    """Somebody of whom there are comments alone: no flow has met them."""

    event_id: str
    """Of their newest comment."""
    connection_id: str
    igsid: str | None
    """None: Instagram told the username alone."""
    username: str


def commenters(conn: Connection, account_id: str, folded: str, *, limit: int | None) -> list[Commenter]:
    """Those with this text, as `model.words.fold` writes it, in their username; newest first. Looks at all
    comments."""
    rows = conn.execute(
        "WITH told AS MATERIALIZED (SELECT max(event_id) AS newest, connection_id, igsid, username FROM events"
        " WHERE account_id=:account AND kind IN ('comment','live_comment') AND verdict<>'own'"
        " AND username IS NOT NULL GROUP BY connection_id, igsid, username)"
        " SELECT newest, connection_id, igsid, username FROM told WHERE instr(folded(username), :text)"
        " AND NOT EXISTS (SELECT 1 FROM contacts p WHERE p.connection_id=told.connection_id AND p.igsid=told.igsid)"
        " AND NOT EXISTS (SELECT 1 FROM contact_ids i"
        " WHERE i.connection_id=told.connection_id AND i.igsid=told.igsid)"
        " AND (igsid IS NOT NULL OR NOT EXISTS (SELECT 1 FROM contacts p WHERE p.account_id=:account"
        " AND p.connection_id=told.connection_id AND p.username=told.username))"
        " ORDER BY newest DESC LIMIT :limit",
        {"account": account_id, "text": folded, "limit": -1 if limit is None else limit},
    )
    return [Commenter(*row) for row in rows]


def commenter(conn: Connection, account_id: str, event_id: str) -> Commenter | None:
    """Who wrote this comment; None: nobody did, or a contact."""
    row = conn.execute(
        "SELECT event_id, connection_id, igsid, username FROM events e WHERE account_id=? AND event_id=?"
        " AND kind IN ('comment','live_comment') AND verdict<>'own' AND username IS NOT NULL"
        " AND NOT EXISTS (SELECT 1 FROM contacts p WHERE p.connection_id=e.connection_id AND p.igsid=e.igsid)",
        (account_id, event_id),
    ).fetchone()
    return None if row is None else Commenter(*row)


def by_igsid(conn: Connection, connection_id: str, igsid: str) -> str | None:
    """The id of the contact that Instagram knows by this id, also by another one of theirs."""
    row = conn.execute(
        "SELECT contact_id FROM contacts WHERE connection_id=:connection AND igsid=:igsid"
        " UNION ALL SELECT contact_id FROM contact_ids WHERE connection_id=:connection AND igsid=:igsid",
        {"connection": connection_id, "igsid": igsid},
    ).fetchone()
    return None if row is None else str(row[0])


def forget_note(conn: Connection, event_id: str, text: str) -> None:
    """The note for whoever takes over, where it quotes what an event said that its author has taken back."""
    conn.execute(
        "UPDATE contacts SET paused_note=NULL WHERE instr(paused_note, :text)>0 AND contact_id IN"
        " (SELECT r.contact_id FROM turns t JOIN runs r ON r.run_id=t.run_id WHERE t.event_id=:event)",
        {"text": text, "event": event_id},
    )


def known_as(conn: Connection, account_id: str, who: str) -> list[tuple[str, str]]:
    """(connection, id of the person) of everybody whom `@username`, an IGSID, or an id of theirs, of what they did or
    of what was sent to them names: also by a name of before, and people of whom there are events alone."""
    rows = conn.execute(
        "SELECT connection_id, igsid FROM contacts WHERE account_id=:account"
        " AND (contact_id=upper(:who) OR igsid=:who OR username=:name)"
        " UNION SELECT p.connection_id, p.igsid FROM contact_ids i JOIN contacts p ON p.contact_id=i.contact_id"
        " WHERE i.account_id=:account AND i.igsid=:who"
        " UNION SELECT e.connection_id, coalesce(p.igsid, e.igsid) FROM events e"
        " LEFT JOIN contact_ids i ON i.connection_id=e.connection_id AND i.igsid=e.igsid"
        " LEFT JOIN contacts p ON p.contact_id=i.contact_id WHERE e.account_id=:account AND e.igsid IS NOT NULL"
        " AND (e.event_id=upper(:who) OR e.igsid=:who OR e.username=:name OR e.mid=:who OR e.comment_id=:who)"
        " UNION SELECT p.connection_id, p.igsid FROM outbox o JOIN contacts p ON p.contact_id=o.contact_id"
        " WHERE o.account_id=:account AND (o.item_id=upper(:who) OR o.run_id=upper(:who) OR o.message_id=:who)",
        {"account": account_id, "who": who, "name": who.removeprefix("@").lower()},
    )
    return [(connection_id, igsid) for connection_id, igsid in rows]


def known_by_name_alone(conn: Connection, account_id: str, who: str) -> list[tuple[str, str]]:
    """(connection, username) of comments that Instagram told without an id, by this username or id of theirs."""
    rows = conn.execute(
        "SELECT DISTINCT connection_id, lower(username) FROM events WHERE account_id=:account AND igsid IS NULL"
        " AND username IS NOT NULL AND (username=:name COLLATE NOCASE OR event_id=upper(:who) OR comment_id=:who)",
        {"account": account_id, "who": who, "name": who.removeprefix("@")},
    )
    return [(connection_id, name) for connection_id, name in rows]


def field_names(conn: Connection, account_id: str) -> list[str]:
    """Of all fields that somebody has a value in."""
    rows = conn.execute(
        "SELECT DISTINCT field FROM contact_fields WHERE account_id=? ORDER BY field", (account_id,)
    )
    return [field for (field,) in rows]


def last_seen(conn: Connection, contact_id: str) -> datetime | None:
    """When this person was heard from; None when there is nobody of this id."""
    row = conn.execute("SELECT last_seen_at FROM contacts WHERE contact_id=?", (contact_id,)).fetchone()
    return None if row is None else instant(row[0])


def undisclosed_without_message(conn: Connection, contact_id: str) -> None:
    """Nothing has reached this person or may still do: the line that a machine writes is yet to be said."""
    conn.execute(
        "UPDATE contacts SET disclosed_at=NULL WHERE contact_id=:contact AND NOT EXISTS (SELECT 1 FROM outbox"
        " WHERE contact_id=:contact AND kind IN ('message','private_reply')"
        " AND status IN ('queued','held','sending','sent','unknown'))",
        {"contact": contact_id},
    )
