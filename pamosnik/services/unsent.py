"""A message that its author has taken back."""

from datetime import datetime

from pamosnik._sqlite import Connection
from pamosnik.model.outbox import ERRANDS, ItemStatus
from pamosnik.store import connections, contacts, deletions, inbox, links, outbox, quoted, runs


def forget_message(conn: Connection, connection_id: str, mid: str, now: datetime) -> None:
    """A person unsent a message: what it said goes from the inbox, the runs, the fields and the outbox.
    https://developers.facebook.com/terms/ : deleted messages must not be kept."""
    said = inbox.said(conn, connection_id, mid)
    if said:
        deletions.leave_traces(conn, connections.load(conn, connection_id).account_id, now)
    for event_id, text in said:
        runs.forget_said(conn, event_id)
        if text is not None:
            for item in quoted.waiting(conn, event_id, text):
                reason = "it quotes a message that the person has taken back"
                outbox.move(conn, item, ItemStatus.CANCELLED, now=now, reason=reason)
                if item.kind in ERRANDS:
                    outbox.tell_run(conn, item.id)
            quoted.forget(conn, event_id, text)
            links.forget_quoting(conn, event_id, text)
            contacts.forget_note(conn, event_id, text)
    inbox.forget_content(conn, connection_id, mid)
