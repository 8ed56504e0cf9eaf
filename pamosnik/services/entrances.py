"""Keeps the opening questions and the menu at Instagram as the applied flows ask for them.

What was never registered from here is left alone: questions that the owner wrote in the Instagram app stay until a
flow has some of its own.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from pamosnik._sqlite import Connection
from pamosnik.engine import entrances, payload
from pamosnik.instagram import bodies, errors
from pamosnik.instagram.client import Instagram
from pamosnik.instagram.graph import Answer
from pamosnik.model.entrances import Entrance, Labels, Registered
from pamosnik.model.outbox import Outcome, OutcomeKind
from pamosnik.outbox.pacing import backoff
from pamosnik.services import logins, removal
from pamosnik.services.library import Library
from pamosnik.store import connections, notices
from pamosnik.store import entrances as entrance_store
from pamosnik.store.connections import Connected, ConnectionStatus

REFUSED = "entrances_refused"
TOLD_AFTER = 8
"""Failures in a row of which nobody says whose fault they are: after about ten minutes the owner hears of it."""
_REFUSED_AGAIN = timedelta(hours=6)
_NAMES = {Entrance.ICE_BREAKERS: "opening questions", Entrance.MENU: "menu"}


@dataclass(frozen=True, slots=True)
class Change:
    """One kind of entrance of one connection, as it should be."""

    connected: Connected
    entrance: Entrance
    labels: Labels


def due(conn: Connection, library: Library, now: datetime) -> list[Change]:
    """What Instagram has to be told now."""
    return [change for change, at in _missing(conn, library, now) if at <= now]


def next_due(conn: Connection, library: Library, now: datetime) -> datetime | None:
    """When it has to be told something again that it did not take."""
    return min((at for _, at in _missing(conn, library, now)), default=None)


def _missing(conn: Connection, library: Library, now: datetime) -> list[tuple[Change, datetime]]:
    found = []
    for connected in connections.with_tokens(conn):
        wanted = entrances.wanted(library.catalog(conn, connected.account_id), connected.username, now)
        known = entrance_store.of_connection(conn, connected.id)
        found += [
            (Change(connected, entrance, wanted[entrance]), _when(connected, state, wanted[entrance], now))
            for entrance, state in _different(wanted, known)
        ]
    return found


def _different(
    wanted: Mapping[Entrance, Labels], known: Mapping[Entrance, Registered]
) -> list[tuple[Entrance, Registered]]:
    states = [(entrance, known.get(entrance, Registered(()))) for entrance in Entrance]
    return [(entrance, state) for entrance, state in states if state.labels != wanted[entrance]]


def _when(connected: Connected, state: Registered, labels: Labels, now: datetime) -> datetime:
    """At once, unless Instagram wants rest or did not take the very same before."""
    times = [now if connected.rest_until is None else connected.rest_until]
    if state.try_at is not None and state.asked == labels:
        times.append(state.try_at)
    return max(times)


async def tell(instagram: Instagram, token: str, change: Change) -> Answer:
    """One request. `store.entrances.asks` has to be committed before."""
    ig_id, entrance = change.connected.ig_id, change.entrance
    if not change.labels:
        return await instagram.remove_entrances(ig_id, token, entrance)
    shown = [(label, payload.to_entrance(entrance, label)) for label in change.labels]
    return await instagram.put_entrances(ig_id, token, bodies.entrances(entrance, shown))


def record(conn: Connection, change: Change, answer: Answer, asked_at: datetime, now: datetime) -> None:
    """Writes down what Instagram said; `asked_at`: when it was asked."""
    connected, outcome = change.connected, answer.outcome
    if not connections.exists(conn, connected.id):
        return
    if errors.app_removed(outcome):
        removal.app_removed(conn, connected.id, asked_at=asked_at, now=now)
    elif connections.load(conn, connected.id).status is ConnectionStatus.DISCONNECTED:
        return
    elif outcome.kind is OutcomeKind.SENT and answer.body.get("success") is not False:
        entrance_store.taken(conn, connected.id, change.entrance, change.labels)
        _settle(conn, connected)
    elif outcome.kind is OutcomeKind.LOGIN:
        logins.ended(conn, connected.id, outcome.reason, now)
    else:
        _not_taken(conn, change, outcome, now)


def _settle(conn: Connection, connected: Connected) -> None:
    """Nothing that the owner was told of is open any more."""
    if all(state.failures == 0 for state in entrance_store.of_connection(conn, connected.id).values()):
        notices.settle(conn, connected.account_id, connected.id, REFUSED)


def _not_taken(conn: Connection, change: Change, outcome: Outcome, now: datetime) -> None:
    """Tried again: soon where it may be the moment's fault, later where Instagram said no."""
    connected = change.connected
    said_no = outcome.kind in (OutcomeKind.PERMANENT, OutcomeKind.CONFIGURATION, OutcomeKind.SENT)
    failures = entrance_store.of_connection(conn, connected.id)[change.entrance].failures + 1
    gap = _REFUSED_AGAIN if said_no else backoff(failures, connected.id)
    gap = max(gap, timedelta(seconds=outcome.pause_s or 0))
    entrance_store.try_again(conn, connected.id, change.entrance, now + gap)
    if said_no or failures >= TOLD_AFTER:
        fix = "Nothing to do at the moment: it is tried again."
        if outcome.kind is OutcomeKind.CONFIGURATION:
            fix = errors.remedy(outcome)
        elif said_no:
            fix = "Look at them in the flow files (`ice_breaker`, `menu`); change them and apply again."
        reason = "it gave no reason" if outcome.kind is OutcomeKind.SENT else outcome.reason
        message = f"Instagram did not take the {_NAMES[change.entrance]} of {connected.username}: {reason}."
        notices.raise_notice(conn, connected.account_id, connected.id, REFUSED, message, fix, now)
