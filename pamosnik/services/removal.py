"""The owner has removed the app from their Instagram account: a deauthorisation, told by error 190/458 on any call.

Meta's terms want the data deleted (https://developers.facebook.com/terms/ , 3.d). It is kept for a day: one answer of
Instagram's alone must not destroy a business's memory, and whoever connects again in that time loses nothing.
"""

from datetime import datetime, timedelta

from pamosnik._sqlite import Connection
from pamosnik.clock import local_minute
from pamosnik.services import logins
from pamosnik.store import accounts, connections, consents, notices, outbox
from pamosnik.store.connections import ConnectionStatus
from pamosnik.store.consents import How, What

GRACE = timedelta(hours=24)
REASON = "the owner has removed the app from their Instagram account (Meta's error 190/458)"


def app_removed(conn: Connection, connection_id: str, *, asked_at: datetime, now: datetime) -> None:
    """Destroys the token, holds the queue, sets the time of the deletion and tells the owner, once.

    `asked_at`: when the call was made that was answered so. An answer that concerns a token older than the present
    one changes nothing.
    """
    connected = connections.load(conn, connection_id)
    renewed = connected.token_issued_at is not None and connected.token_issued_at > asked_at
    if connected.status is ConnectionStatus.DISCONNECTED or renewed:
        return
    account = accounts.load(conn, connected.account_id)
    assert account is not None
    delete_after = now + GRACE
    connections.disconnect(conn, connection_id, REASON, delete_after)
    outbox.hold_for_login(conn, connection_id, f"{REASON}; waits until you connect again")
    notices.settle(conn, connected.account_id, connection_id)
    notices.raise_notice(
        conn,
        connected.account_id,
        connection_id,
        logins.APP_REMOVED,
        f"The app was removed from the Instagram account {connected.username}: nothing is received or sent any more,"
        f" and its data will be deleted on {local_minute(delete_after, account.timezone)} ({account.timezone}).",
        "To keep everything, run `pamosnik connect` before then.",
        now,
        step=logins.AT_REMOVAL,
    )
    consents.note(
        conn, connected.account_id, What.DISCONNECT, How.INSTAGRAM, now, connection_id=connection_id
    )
    accounts.audit(
        conn,
        connected.account_id,
        actor="instagram",
        action="deauthorised by Instagram",
        subject=connection_id,
        now=now,
    )
