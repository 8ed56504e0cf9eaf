"""What the owner wrote by hand, in the outbox."""

from pamosnik._sqlite import Connection
from pamosnik.model.outbox import ItemStatus


def of_form(conn: Connection, source: str) -> str | None:
    """The id of the item that this form became; None: it did not come before."""
    row = conn.execute(
        "SELECT item_id FROM outbox WHERE source=? AND turn=0 AND ordinal=0", (source,)
    ).fetchone()
    return None if row is None else str(row[0])


def private_reply(conn: Connection, contact_id: str, comment_id: str) -> ItemStatus | None:
    """How the private reply to this comment of theirs stands; None: there is none, or none that may have arrived or
    may do so yet."""
    row = conn.execute(
        "SELECT status FROM outbox WHERE contact_id=? AND comment_id=? AND kind='private_reply'"
        " AND status IN ('queued','held','sending','sent','unknown') LIMIT 1",
        (contact_id, comment_id),
    ).fetchone()
    return None if row is None else ItemStatus(row[0])
