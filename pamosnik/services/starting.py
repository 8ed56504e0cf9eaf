"""Starting a flow for one person, because somebody asked for it: the rules of flows and of Instagram hold all the
same."""

from pamosnik._sqlite import Connection
from pamosnik.engine import admission
from pamosnik.engine.admission import Occasion
from pamosnik.errors import NotFound, PamosnikError
from pamosnik.model.contact import Contact
from pamosnik.model.flow import Flow
from pamosnik.model.run import Origin
from pamosnik.services import flow_history, people, turn
from pamosnik.services.library import Library
from pamosnik.services.people import By
from pamosnik.services.reading import runs as run_reading
from pamosnik.services.scene import Scene, facts_as_told, open_scene
from pamosnik.services.shapes import Shape
from pamosnik.store import accounts, runs
from pamosnik.store.connections import ConnectionStatus

_NOBODY_CAME = Origin(came_from=None, event_id=None)


def start(conn: Connection, library: Library, by: By, flow_id: str, who: str) -> Shape:
    """The run that begins, after its first turn. `who`: as `people.named` takes it. Raises `NotFound` for the flow,
    and `PamosnikError` for the person and for what is against it."""
    flow_history.applied_flow(conn, by.account.id, flow_id, "show")
    try:
        contact = people.named(conn, by.account, who)
    except NotFound as error:
        raise PamosnikError(f"Nothing was started: {error.message}", hint=error.hint) from error
    scene = open_scene(conn, library, by.account.id, contact.connection_id, by.now)
    flow = scene.catalog.flows[flow_id]
    reason = _person(contact, scene, flow) or _flow(contact, scene, flow)
    if reason is not None:
        raise PamosnikError(f"Nothing was started: {reason}.")
    run = turn.begin(scene, contact, flow, _NOBODY_CAME, None)
    accounts.audit(conn, by.account.id, actor=by.actor, action="flows start", subject=flow_id, now=by.now)
    return run_reading.named(conn, by.account, run.id)[0].shape()


def _person(contact: Contact, scene: Scene, flow: Flow) -> str | None:
    """What is against writing to them now."""
    connected = scene.connected
    if connected.status is not ConnectionStatus.ACTIVE:
        return f"@{connected.username} cannot send now, its connection is {connected.status.value}"
    if not flow.is_for(connected.username):
        return f"the flow does not play on @{connected.username}"
    if contact.opted_out_at is not None:
        return "this person has opted out"
    if not contact.window_open(scene.now):
        return "this person has not written in the last 24 hours, and Instagram takes no message to them"
    if contact.unreachable_since is not None:
        return "Instagram says that this person cannot be reached; their next message changes that"
    if contact.paused_until is not None and scene.now < contact.paused_until:
        return "automation is paused for this person"
    return None


def _flow(contact: Contact, scene: Scene, flow: Flow) -> str | None:
    """What is against the flow for them, as when an event would start it."""
    starts = runs.starts(scene.conn, contact.id)
    facts = facts_as_told(scene, contact, first_time=flow.id not in starts)
    against = admission.against(
        flow,
        facts,
        Occasion(),
        paused=scene.catalog.paused,
        starts=starts,
        live=runs.live_runs(scene.conn, contact.id),
        now=scene.now,
    )
    return None if against is None else against.sentence
