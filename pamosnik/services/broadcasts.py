"""Broadcasts: what the clock starts, for everybody in the audience whose window is open.

`plan` writes down when each flow's next one is due. When that time has come, `begin` makes a broadcast of it and
plans the next; `choose_some` looks at the next people and starts runs for those who can be reached. Each is one short
transaction that also notes how far it came: killed anywhere it goes on there, and nobody gets it twice.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from pamosnik._sqlite import Connection
from pamosnik.engine import admission, schedule_times
from pamosnik.engine.admission import Occasion
from pamosnik.ids import new_id
from pamosnik.model.contact import Contact
from pamosnik.model.flow import Flow
from pamosnik.model.run import Origin
from pamosnik.model.trigger import ScheduleTrigger
from pamosnik.services import turn
from pamosnik.services.library import Library
from pamosnik.services.scene import Scene, facts_as_told, open_scene
from pamosnik.store import accounts, connections, contacts, runs, stats
from pamosnik.store import broadcasts as store
from pamosnik.store.broadcasts import Broadcast, NewBroadcast, Planned
from pamosnik.store.connections import ConnectionStatus

LATE = timedelta(hours=3)
"""So long after its time a broadcast may still begin or go on: a laptop that was asleep makes up for it; what was
meant for the morning does not come at night."""

LOOKED_AT_ONCE = 200
STARTED_AT_ONCE = 20
"""Of one transaction, whichever comes first: some ten milliseconds."""

BACKLOG = 300
"""Messages under way for which a broadcast waits: somebody who writes meanwhile waits seconds for an answer."""

_MISSED = "Pamosnik was not running, or this account could not send, until 3 hours after its time"
_NOBODY = Occasion()
_BROADCAST = Origin(came_from=None, event_id=None)


class Skip(StrEnum):
    """Why somebody of the audience was not reached, beside the grounds of `engine.admission`."""

    WINDOW_CLOSED = "window_closed"
    OPTED_OUT = "opted_out"
    HUMAN = "human_has_it"
    UNREACHABLE = "unreachable"
    TOO_LATE = "too_late"
    ERROR = "error"


SENTENCES = {
    Skip.WINDOW_CLOSED: "window closed",
    Skip.OPTED_OUT: "opted out",
    Skip.HUMAN: "a human has the conversation",
    Skip.UNREACHABLE: "cannot receive messages",
    Skip.TOO_LATE: "it was too late",
    Skip.ERROR: "Pamosnik failed on them; see the log",
    admission.Ground.ONLY_IF: "only_if",
    admission.Ground.LIMITS: "limits",
    admission.Ground.MODE: "in it already",
}


def schedules(flow: Flow) -> list[ScheduleTrigger]:
    return [trigger for trigger in flow.triggers if isinstance(trigger, ScheduleTrigger)]


# --- planning --------------------------------------------------------------------------------------------


def plan(conn: Connection, library: Library, account_id: str, now: datetime) -> None:
    """Brings what is planned in line with the applied flows and the connections. What is planned already stays."""
    account = accounts.load(conn, account_id)
    assert account is not None
    book = library.catalog(conn, account_id).book
    zone = book.settings.timezone or account.timezone
    keep = set()
    for flow in book.flows:
        triggers = schedules(flow)
        if not triggers:
            continue
        timing = "; ".join(sorted(trigger.timing(zone) for trigger in triggers))
        for connected in connections.of_account(conn, account_id):
            if not flow.is_for(connected.username):
                continue
            keep.add((connected.id, flow.id))
            if store.timing(conn, connected.id, flow.id) != timing:
                due_at = schedule_times.next_time(triggers, now, zone)
                store.plan(conn, account_id, connected.id, flow.id, timing, due_at)
    store.keep_only(conn, account_id, keep)


def due(conn: Connection, now: datetime) -> list[Planned]:
    """Whose time has come."""
    return store.due(conn, now, now - LATE)


def begin(conn: Connection, library: Library, planned: Planned, now: datetime) -> None:
    """Makes a broadcast of what is due, and plans the next. Of several that were missed only the last one counts."""
    if store.due_at(conn, planned.connection_id, planned.flow_id) != planned.due_at:
        return  # the flows were applied anew meanwhile
    scene = open_scene(conn, library, planned.account_id, planned.connection_id, now)
    flow = scene.catalog.flows.get(planned.flow_id)
    if flow is None:
        store.move_on(conn, planned, None)
        return
    triggers, zone = schedules(flow), scene.settings.timezone or scene.timezone
    store.move_on(conn, planned, schedule_times.next_time(triggers, now, zone))
    since = max(planned.due_at - timedelta(milliseconds=1), now - LATE)
    at = schedule_times.latest_time(triggers, since, now, zone)
    reason = _MISSED if at is None else None
    against = admission.against_flow(flow, paused=scene.catalog.paused, timezone=scene.timezone, now=now)
    new = NewBroadcast(
        id=new_id(now),
        version=flow.version,
        planned_at=at or planned.due_at,
        triggers=[] if at is None else schedule_times.due_at(triggers, at, zone),
        reason=reason if against is None else against.sentence,
    )
    store.begin(conn, planned, new, now)


# --- the audience ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Going:
    """A broadcast that is under way, and where it plays."""

    scene: Scene
    flow: Flow
    audiences: Sequence[ScheduleTrigger]
    late: bool


def choose_some(
    conn: Connection, library: Library, broadcast_id: str, now: datetime, *, at_most: int = LOOKED_AT_ONCE
) -> bool:
    """Looks at the next people of the audience. False: nothing to do now, it is over or has to wait."""
    broadcast = store.load(conn, broadcast_id)
    if broadcast is None or broadcast.finished_at is not None:
        return False
    scene = open_scene(conn, library, broadcast.account_id, broadcast.connection_id, now)
    ends = _ends(scene, broadcast)
    if ends is not None:
        store.finish(conn, broadcast.id, now, ends)
        return True
    late = now > broadcast.planned_at + LATE
    if not late and _has_to_wait(scene):
        return False
    flow = library.flow(conn, broadcast.account_id, broadcast.flow_id, broadcast.version)
    assert flow is not None
    known = schedules(flow)
    going = _Going(scene, flow, [known[number] for number in broadcast.triggers], late)
    people = store.audience(conn, broadcast, at_most)
    if not people:
        store.finish(conn, broadcast.id, now)
        return True
    _look_at(going, broadcast, people)
    return True


def _ends(scene: Scene, broadcast: Broadcast) -> str | None:
    """Why it does not go on: the owner has taken the flow out or paused it."""
    applied = scene.catalog.flows.get(broadcast.flow_id)
    if applied is None:
        return "the flow was taken out"
    against = admission.against_flow(
        applied, paused=scene.catalog.paused, timezone=scene.timezone, now=scene.now
    )
    return None if against is None else against.sentence


def _has_to_wait(scene: Scene) -> bool:
    if scene.connected.status is not ConnectionStatus.ACTIVE:
        return True
    return store.waiting_messages(scene.conn, scene.connected.id, scene.now, BACKLOG) >= BACKLOG


def _look_at(going: _Going, broadcast: Broadcast, people: Sequence[str]) -> None:
    reached, skipped, looked_until = 0, Counter[str](), broadcast.looked_until
    for contact_id in people:
        looked_until = contact_id
        word = _one(going, contact_id)
        if word == "":
            reached += 1
        elif word is not None:
            skipped[word] += 1
        if reached >= STARTED_AT_ONCE:
            break
    store.note(going.scene.conn, broadcast, looked_until=looked_until, reached=reached, skipped=skipped)
    _count(going.scene, broadcast, skipped)


def _one(going: _Going, contact_id: str) -> str | None:
    """Starts the run of one person: empty. Else why not, or None for somebody who is not in the audience."""
    scene = going.scene
    contact = contacts.load(scene.conn, contact_id)
    assert contact is not None
    starts = runs.starts(scene.conn, contact_id)
    facts = facts_as_told(scene, contact, first_time=going.flow.id not in starts)
    if not any(
        admission.first_untrue(trigger.audience, facts, _NOBODY, scene.now) is None
        for trigger in going.audiences
    ):
        return None
    cannot = _cannot(contact, going)
    if cannot is not None:
        return cannot
    against = admission.against(
        going.flow,
        facts,
        _NOBODY,
        paused=scene.catalog.paused,
        starts=starts,
        live=runs.live_runs(scene.conn, contact_id),
        now=scene.now,
    )
    if against is not None:
        return against.ground
    turn.begin(scene, contact, going.flow, _BROADCAST, None)
    return ""


def _cannot(contact: Contact, going: _Going) -> Skip | None:
    now = going.scene.now
    if going.late:
        return Skip.TOO_LATE
    if contact.opted_out_at is not None or contact.forget_at is not None:
        return Skip.OPTED_OUT
    if not contact.window_open(now):
        return Skip.WINDOW_CLOSED
    if contact.unreachable_since is not None:
        return Skip.UNREACHABLE
    if contact.paused_until is not None and now < contact.paused_until:
        return Skip.HUMAN
    return None


def pass_over(conn: Connection, library: Library, broadcast_id: str, now: datetime) -> None:
    """The next person's turn failed: the others go on."""
    broadcast = store.load(conn, broadcast_id)
    people = [] if broadcast is None else store.audience(conn, broadcast, 1)
    if broadcast is None or not people:
        return
    failed = Counter[str]({Skip.ERROR: 1})
    store.note(conn, broadcast, looked_until=people[0], reached=0, skipped=failed)
    _count(open_scene(conn, library, broadcast.account_id, broadcast.connection_id, now), broadcast, failed)


def _count(scene: Scene, broadcast: Broadcast, skipped: Counter[str]) -> None:
    for word, n in skipped.items():
        stats.count(
            scene.conn,
            broadcast.account_id,
            broadcast.connection_id,
            broadcast.flow_id,
            stats.SKIPPED + word,
            scene.day,
            n=n,
        )
