"""What the page "Your data" shows: what is stored, what was agreed to, what is being deleted, and who did what. Times
are for people, in the account's time zone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from pamosnik._sqlite import Connection
from pamosnik.ages import Ages
from pamosnik.clock import local_minute
from pamosnik.flows import durations
from pamosnik.services import kept_fields, people
from pamosnik.services.reading import people as people_reading
from pamosnik.services.shapes import Shape
from pamosnik.store import accounts, aging, connections, consents, contacts, deletions, reads
from pamosnik.store.accounts import Account
from pamosnik.store.connections import Connected
from pamosnik.store.consents import Consent, How, What
from pamosnik.store.deletions import Cause, MetaTold, Receipt, Scope

NEWEST = 100
RECEIPTS_SHOWN = 20


@dataclass(frozen=True, slots=True)
class ConnectionRow:
    id: str
    username: str
    status: str
    connected: str
    deleting: bool
    """Its data is going already."""


@dataclass(frozen=True, slots=True)
class Deletion:
    """A receipt, in words. It names nobody."""

    what: str
    why: str
    began: str
    ended: str | None
    """None: under way."""
    state: str
    counts: Sequence[tuple[str, int]]
    to_do: str | None
    """What is left to the holder."""


@dataclass(frozen=True, slots=True)
class Agreed:
    at: str
    who: str | None
    """The person; None: the account's holder."""
    what: str
    how: str


@dataclass(frozen=True, slots=True)
class Done:
    at: str
    who: str
    what: str
    subject: str | None


@dataclass(frozen=True, slots=True)
class Kept:
    """How long things are kept, and when what was older was removed last."""

    rows: Sequence[tuple[str, str]]
    """What, and for how long."""
    last: str | None
    """None: never yet."""
    gone: Sequence[tuple[str, int]]
    """How much went then."""


@dataclass(frozen=True, slots=True)
class DataView:
    stored: Sequence[tuple[str, int]]
    connections: Sequence[ConnectionRow]
    deletions: Sequence[Deletion]
    kept: Kept
    agreed: Sequence[Agreed]
    done: Sequence[Done]

    @property
    def deleting(self) -> bool:
        return any(one.ended is None for one in self.deletions)


def overview(conn: Connection, account: Account, ages: Ages) -> DataView:
    """All of one account, read on one snapshot. `ages`: how long this installation keeps things."""
    zone = account.timezone
    return DataView(
        stored=stored(conn, account.id),
        connections=[_connection(conn, one, zone) for one in connections.of_account(conn, account.id)],
        deletions=under_way(conn, account),
        kept=_kept(conn, account, ages),
        agreed=[_agreed(conn, one, zone) for one in consents.of_account(conn, account.id, NEWEST)],
        done=[
            Done(local_minute(one.at, zone), one.actor, one.action, one.subject)
            for one in accounts.audited(conn, account.id, NEWEST)
        ],
    )


def under_way(conn: Connection, account: Account) -> list[Deletion]:
    """Deletions, the newest first: those that have ended, too."""
    found = deletions.newest(conn, account.id, RECEIPTS_SHOWN)
    return [deletion(one, account.timezone) for one in found]


def stored(conn: Connection, account_id: str, connection_id: str | None = None) -> list[tuple[str, int]]:
    """How many of what people would ask for; of one connection or of all."""
    return [(name, n) for name, n in reads.stored(conn, account_id, connection_id).items()]


def connection(conn: Connection, account: Account, connection_id: str) -> ConnectionRow | None:
    """None: the account has none of this id."""
    for one in connections.of_account(conn, account.id):
        if one.id == connection_id:
            return _connection(conn, one, account.timezone)
    return None


def person(conn: Connection, account: Account, person_id: str) -> Shape | None:
    """A contact, or by the id of a comment whoever wrote it and is none. None: nobody of the account's."""
    found = people_reading.by_id(conn, account, [person_id])
    if found:
        return found[0].shape()
    commenter = contacts.commenter(conn, account.id, person_id)
    return None if commenter is None else people.commenter_shape(conn, commenter)


def _connection(conn: Connection, connected: Connected, zone: str) -> ConnectionRow:
    return ConnectionRow(
        connected.id,
        connected.username,
        connected.status.value.replace("_", " "),
        local_minute(connected.connected_at, zone),
        deleting=deletions.open_for(conn, connected.id) is not None,
    )


# --- deletions -------------------------------------------------------------------------------------------

_WHAT = {
    Scope.PERSON: "A person",
    Scope.CONNECTION: "An Instagram account",
    Scope.ACCOUNT: "This account",
}
_WHY = {
    Cause.COMMAND: "by command",
    Cause.PAGE: "on this page",
    Cause.API: "over the API",
    Cause.FLOW: "the person asked for it",
    Cause.APP_REMOVED: "the app was removed in Instagram",
    Cause.META_REQUEST: "Meta asked for it",
    Cause.RETENTION: "it was too old",
    Cause.RESTORE: "a restored backup had brought it back",
}
_REMOVE_THE_APP = (
    "Instagram could not be told. Remove the app yourself: in Instagram, Settings, Website permissions,"
    " Apps and websites."
)


def deletion(receipt: Receipt, zone: str) -> Deletion:
    """Its receipt in words."""
    counts = (
        ("people", receipt.people),
        ("events", receipt.events),
        ("runs", receipt.runs),
        ("messages", receipt.messages),
    )
    ended = receipt.ended_at
    if ended is not None:
        state = f"deleted on {local_minute(ended, zone)}"
    elif receipt.rows_gone_at is not None:
        state = "the rows are gone; their traces are being removed from the file"
    else:
        state = "is being deleted"
    told = receipt.meta in (MetaTold.REFUSED, MetaTold.UNREACHABLE)
    return Deletion(
        what=_WHAT[receipt.scope],
        why=_WHY[receipt.cause],
        began=local_minute(receipt.began_at, zone),
        ended=None if ended is None else local_minute(ended, zone),
        state=state,
        counts=[(name, n) for name, n in counts if n],
        to_do=_REMOVE_THE_APP if told else None,
    )


# --- how long --------------------------------------------------------------------------------------------

_KINDS: Mapping[str, str] = {
    "events": "What came in",
    "messages": "What was sent",
    "runs": "How people went through flows",
    "contacts": "People of whom nothing was heard",
    "logs": "Who logged in",
}


def _kept(conn: Connection, account: Account, ages: Ages) -> Kept:
    fields = kept_fields.keep_for(conn, account.id)
    last = aging.last_time(conn, account.id)
    return Kept(
        rows=[
            *((what, _age(ages.of(kind))) for kind, what in _KINDS.items()),
            *((f"The field {name}", _age(age)) for name, age in sorted(fields.items())),
        ],
        last=None if last is None else local_minute(last.ended_at or last.began_at, account.timezone),
        gone=[] if last is None else list(last.gone.items()),
    )


def _age(kept: timedelta | None) -> str:
    if kept is None:
        return "as long as the account"
    if kept < timedelta(days=2):
        return durations.written(int(kept.total_seconds()))
    return f"{kept.days} days"


# --- consents --------------------------------------------------------------------------------------------

_AGREED: Mapping[What, str] = {
    What.ADULTHOOD: "You stated that you are an adult",
    What.CONNECT: "Instagram account connected",
    What.DISCONNECT: "Instagram account disconnected",
    What.OPT_IN: "wants messages again",
    What.OPT_OUT: "wants no messages",
}
_HOW: Mapping[str, str] = {
    How.COMMAND: "by command",
    How.PAGE: "on this page",
    How.INSTAGRAM: "in Instagram",
    How.WORDS: "in a message",
    How.FLOW: "in a flow",
    How.BLOCK: "blocked the business in Instagram",
    How.KEPT: "said before they were forgotten",
}


def _agreed(conn: Connection, one: Consent, zone: str) -> Agreed:
    who = None if one.contact_id is None else reads.called(conn, one.contact_id)
    return Agreed(local_minute(one.at, zone), who, _AGREED[one.what], _HOW.get(one.how, one.how))
