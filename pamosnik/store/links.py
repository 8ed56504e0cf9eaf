"""Tracked links: where each token leads, who got it, and when it was clicked."""

from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote

from pamosnik._sqlite import Connection
from pamosnik.model.decision import NewLink
from pamosnik.model.run import Run
from pamosnik.store import deletions
from pamosnik.store.times import ms

_LINK = (
    "account_id, connection_id, contact_id, run_id, flow_id,"
    " coalesce((SELECT version FROM runs r WHERE r.run_id=links.run_id), ''), step, name, address"
)


@dataclass(frozen=True, slots=True)
class Link:
    """What is counted of a link belongs to this."""

    account_id: str
    connection_id: str
    contact_id: str
    run_id: str | None
    """None when the run is not kept any more."""
    flow_id: str
    version: str
    """Of the flow; '' when the run is not kept any more."""
    step: str
    name: str | None
    address: str


def add(conn: Connection, run: Run, step: str, item_id: str, link: NewLink, now: datetime) -> None:
    """A link that goes out with this item."""
    conn.execute(
        "INSERT INTO links (token, account_id, connection_id, contact_id, run_id, item_id, flow_id, step, name,"
        " address, made_at) VALUES (?,?,?,?,?,?,?,?,?,?,?) ON CONFLICT DO NOTHING",
        (
            link.token,
            run.account_id,
            run.connection_id,
            run.contact_id,
            run.id,
            item_id,
            run.flow_id,
            step,
            link.name,
            link.address,
            ms(now),
        ),
    )


def address_of(conn: Connection, token: str) -> str | None:
    """Where a token leads; None when there is no such link."""
    row = conn.execute("SELECT address FROM links WHERE token=?", (token,)).fetchone()
    return None if row is None else str(row[0])


def of_item(conn: Connection, item_id: str) -> list[Link]:
    """Those that a message went out with."""
    rows = conn.execute(f"SELECT {_LINK} FROM links WHERE item_id=? ORDER BY rowid", (item_id,))  # noqa: S608
    return [Link(*row) for row in rows]


def count_click(conn: Connection, token: str, now: datetime) -> tuple[Link, bool] | None:
    """Counts a click, and says whether it is the link's first; None when the link is gone, or its connection is being
    deleted."""
    row = conn.execute(
        "UPDATE links SET clicks=clicks+1, last_click_at=:now, first_click_at=coalesce(first_click_at, :now)"  # noqa: S608
        f" WHERE token=:token AND {deletions.UNTOUCHED} RETURNING {_LINK}, clicks",
        {"now": ms(now), "token": token},
    ).fetchone()
    return None if row is None else (Link(*row[:-1]), row[-1] == 1)


def count_preview(conn: Connection, token: str) -> Link | None:
    """Counts that a machine came; None when the link is gone, or its connection is being deleted."""
    row = conn.execute(
        "UPDATE links SET previews=previews+1"  # noqa: S608
        f" WHERE token=? AND {deletions.UNTOUCHED} RETURNING {_LINK}",
        (token,),
    ).fetchone()
    return None if row is None else Link(*row)


def clicked(conn: Connection, run_id: str) -> frozenset[str]:
    """Names and addresses of the links of a run that were clicked."""
    rows = conn.execute("SELECT name, address FROM links WHERE run_id=? AND clicks>0", (run_id,))
    return frozenset(word for row in rows for word in row if word is not None)


def newest_seen(conn: Connection, contact_id: str, link: str) -> str | None:
    """The token of the newest link of that name or address that this person was sent."""
    row = conn.execute(
        "SELECT token FROM links WHERE contact_id=:contact AND (name=:link OR address=:link)"
        " AND item_id IN (SELECT item_id FROM outbox WHERE contact_id=:contact AND status='sent')"
        " ORDER BY made_at DESC, rowid DESC LIMIT 1",
        {"contact": contact_id, "link": link},
    ).fetchone()
    return None if row is None else str(row[0])


def forget_quoting(conn: Connection, event_id: str, text: str) -> None:
    """Drops links whose address holds what an event said: the person has taken it back."""
    conn.execute(
        "DELETE FROM links WHERE instr(address, :text)+instr(address, :escaped)>0 AND item_id IN"
        " (SELECT item_id FROM outbox"
        " WHERE (source, turn) IN (SELECT run_id, turn FROM turns WHERE event_id=:event))",
        {"event": event_id, "text": text, "escaped": quote(text, safe="")},
    )
