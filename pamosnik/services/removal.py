"""The owner has removed the app from their Instagram account, or wants its data deleted.

A removal is a deauthorisation, told by Meta's callback or by error 190/458 on any call. Meta's terms want the data
deleted (https://developers.facebook.com/terms/ , 3.d). It is kept for a day: one answer of Instagram's alone must not
destroy a business's memory, and whoever connects again in that time loses nothing. A request to delete, which the
owner makes in so many words, is begun at once.
"""

from datetime import datetime, timedelta

from pamosnik._sqlite import Connection
from pamosnik.clock import local_minute
from pamosnik.instagram.signed_request import SignedRequest
from pamosnik.privacy import erase
from pamosnik.services import logins
from pamosnik.store import accounts, connections, consents, deletions, notices, outbox
from pamosnik.store.connections import Connected, ConnectionStatus
from pamosnik.store.consents import How, What
from pamosnik.store.deletions import Cause

GRACE = timedelta(hours=24)
REASON = "the owner has removed the app from their Instagram account (Meta's error 190/458)"
REASON_CALLBACK = "the owner has removed the app from their Instagram account (Meta's deauthorize callback)"
DELETION_ASKED = "deletion_asked"

REPEATED_FOR = timedelta(days=2)
"""Ours: Meta does not say how long it repeats a callback that was not answered."""
CLOCKS_APART = timedelta(minutes=10)
"""Ours: between Meta's clock and this machine's, and between a removal and the word of it."""


def app_removed(
    conn: Connection, connection_id: str, *, asked_at: datetime, now: datetime, reason: str = REASON
) -> None:
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
    connections.disconnect(conn, connection_id, reason, delete_after)
    outbox.hold_for_login(conn, connection_id, f"{reason}; waits until you connect again")
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
    _note_disconnect(conn, connected, now)
    accounts.audit(
        conn,
        connected.account_id,
        actor="instagram",
        action="deauthorised by Instagram",
        subject=connection_id,
        now=now,
    )


def deauthorised(conn: Connection, asked: SignedRequest, now: datetime) -> None:
    """Meta's callback says that the app was removed. An account that nothing is known of, or that is being deleted
    already, changes nothing; nor does a repetition of what was said before the owner connected again."""
    connected = connections.named(conn, asked.user_id)
    if connected is None or deletions.open_for(conn, connected.id) is not None:
        return
    app_removed(conn, connected.id, asked_at=_asked_at(asked, now), now=now, reason=REASON_CALLBACK)


def _asked_at(asked: SignedRequest, now: datetime) -> datetime:
    """An older date than Meta would repeat is no repetition, but one that means nothing."""
    if asked.issued_at is None or now - asked.issued_at > REPEATED_FOR:
        return now
    return min(now, asked.issued_at + CLOCKS_APART)


def deletion_asked(conn: Connection, asked: SignedRequest, now: datetime) -> str | None:
    """Meta's callback asks to delete the data of an Instagram account: begun with this commit, and noted under the
    request's code. The id of the deletion; None when nothing is stored, or when the same request came before."""
    if deletions.request(conn, asked.code) is not None:
        return None
    connected = connections.named(conn, asked.user_id)
    if connected is None:
        deletions.put_request(conn, asked.code, account_id="", deletion_id=None, now=now)
        return None
    deletion_id = _begin(conn, connected, now)
    deletions.put_request(conn, asked.code, account_id=connected.account_id, deletion_id=deletion_id, now=now)
    return deletion_id


def _begin(conn: Connection, connected: Connected, now: datetime) -> str:
    """The deletion that is under way already, or a new one."""
    under_way = deletions.open_for(conn, connected.id)
    if under_way is not None:
        # The receipt of a connection that goes with its account becomes part of the account's.
        return under_way.part_of or under_way.id
    notices.settle(conn, connected.account_id, connected.id)
    notices.raise_notice(
        conn,
        connected.account_id,
        connected.id,
        DELETION_ASKED,
        f"The deletion of all data of {connected.username} was asked for at Instagram: it is being deleted, and"
        " nothing is received or sent any more.",
        "Nothing to do. To begin anew when it is done: pamosnik connect",
        now,
        step=logins.AT_REMOVAL,
    )
    if connected.status is not ConnectionStatus.DISCONNECTED:
        _note_disconnect(conn, connected, now)
    return erase.begin_connection(conn, connected.id, Cause.META_REQUEST, actor="instagram", now=now)


def _note_disconnect(conn: Connection, connected: Connected, now: datetime) -> None:
    """The consent to process what Instagram tells is taken back."""
    consents.note(conn, connected.account_id, What.DISCONNECT, How.INSTAGRAM, now, connection_id=connected.id)
