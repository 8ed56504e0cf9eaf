"""Tracked links and their clicks."""

from pamosnik._sqlite import Connection
from pamosnik.services.shapes import Shape, iso
from pamosnik.store import reads
from pamosnik.store.accounts import Account
from pamosnik.store.times import optional_instant


def sent(
    conn: Connection, account: Account, *, run_id: str | None = None, event_id: str | None = None
) -> list[Shape]:
    """Tracked links that a run, or the turns of an event, sent, in that order."""
    return [
        {
            "name": row[0],
            "address": row[1],
            "step": row[2],
            "clicks": row[3],
            "first_click_at": iso(optional_instant(row[4])),
            "last_click_at": iso(optional_instant(row[5])),
        }
        for row in reads.links(conn, account.id, run_id=run_id, event_id=event_id)
    ]
