"""People's profiles at Instagram: asked for before a flow may take what somebody did, and what came of asking.

An event whose flow depends on the profile stays pending while Instagram is asked, a few seconds at most, and what the
same person does meanwhile waits behind it.
"""

from datetime import datetime, timedelta
from enum import Enum

from pamosnik._sqlite import Connection
from pamosnik.engine import profile
from pamosnik.instagram import errors
from pamosnik.model.contact import Contact, Profile
from pamosnik.model.event import Event
from pamosnik.model.outbox import SETTLED, ItemKind, ItemStatus, OutboxItem, Outcome, OutcomeKind, OutMessage
from pamosnik.services import logins, removal
from pamosnik.store import connections, contacts, errands, notices, outbox

REFUSED = "profiles_refused"
AGAIN_AFTER = timedelta(minutes=1)
"""After no answer."""
REFUSED_FOR = timedelta(hours=1)
"""After an answer that does not change soon."""
NO_CONSENT = 230
"""Meta's code for a profile of somebody who has not written or tapped, or has blocked the account."""
_ORDINAL = 1000
"""Apart from what an event itself says to the person."""
_LATE = timedelta(seconds=2)


class Asked(Enum):
    """How far asking for an event has come."""

    NOT_YET = "not yet"
    UNDER_WAY = "under way"
    TOLD = "told"
    UNTOLD = "untold"


def asked(conn: Connection, event: Event, now: datetime) -> Asked:
    item = errands.of_event(conn, event.id)
    if item is None:
        return Asked.NOT_YET
    if item.status in SETTLED:
        return Asked.TOLD if item.status is ItemStatus.SENT else Asked.UNTOLD
    return Asked.UNTOLD if _too_late(item, now) else Asked.UNDER_WAY


def _too_late(item: OutboxItem, now: datetime) -> bool:
    return now >= (item.first_attempt_at or item.due_at) + profile.WITHIN + _LATE


def ask(conn: Connection, event: Event, contact: Contact, now: datetime) -> None:
    """Whether a flow takes this event depends on the person's profile."""
    outbox.add(
        conn,
        outbox.NewItem(
            account_id=contact.account_id,
            connection_id=contact.connection_id,
            contact_id=contact.id,
            source=event.id,
            turn=0,
            ordinal=_ORDINAL,
            run_id=None,
            flow_id=None,
            step=None,
            kind=ItemKind.LOOKUP,
            lane=f"e:{event.id}",
            content=OutMessage(),
            igsid=contact.igsid,
            due_at=now,
            deadline=None,
            task={"event": event.id},
        ),
        now,
    )


def others_first(conn: Connection, contact_id: str, event: Event, now: datetime) -> bool:
    """Whether something that this person did before is still waiting for their profile."""
    return any(
        item.task.get("event") != event.id and not _too_late(item, now)
        for item in errands.before_a_flow(conn, contact_id)
    )


# --- what came of it -------------------------------------------------------------------------------------


def told(conn: Connection, item: OutboxItem, found: Profile, now: datetime) -> None:
    contacts.learn_profile(conn, item.contact_id, found, now)
    notices.settle(conn, item.account_id, item.connection_id, REFUSED)


def untold(conn: Connection, item: OutboxItem, outcome: Outcome, now: datetime) -> None:
    """Instagram did not tell: it is not asked about this person again for a while."""
    again_at = now + AGAIN_AFTER
    if outcome.code == NO_CONSENT:
        again_at = contacts.UNTIL_THEY_WRITE
    elif outcome.kind is OutcomeKind.PERMANENT:
        again_at = now + REFUSED_FOR
    contacts.profile_untold(conn, item.contact_id, outcome.reason, again_at)
    asked_at = item.last_attempt_at or now
    if errors.app_removed(outcome):
        removal.app_removed(conn, item.connection_id, asked_at=asked_at, now=now)
    elif outcome.kind is OutcomeKind.LOGIN and not _renewed(conn, item.connection_id, asked_at):
        logins.ended(conn, item.connection_id, outcome.reason, now)
    elif outcome.kind is OutcomeKind.CONFIGURATION:
        _refused(conn, item, outcome, now)


def _renewed(conn: Connection, connection_id: str, asked_at: datetime) -> bool:
    issued_at = connections.load(conn, connection_id).token_issued_at
    return issued_at is not None and issued_at > asked_at


def _refused(conn: Connection, item: OutboxItem, outcome: Outcome, now: datetime) -> None:
    username = connections.load(conn, item.connection_id).username
    message = (
        f"Instagram does not tell {username} about people who write: {outcome.reason}."
        " Names and what conditions ask for stay unknown."
    )
    notices.raise_notice(
        conn, item.account_id, item.connection_id, REFUSED, message, errors.remedy(outcome), now
    )
