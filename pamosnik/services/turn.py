"""One engine turn of a run: decide, and write down what was decided; then on in another flow, if the flow says so.

Each function here runs inside one transaction of the caller's.
"""

from pamosnik.engine.decide import decide
from pamosnik.model.contact import Contact
from pamosnik.model.decision import Facts, Started, Stimulus, Tapped
from pamosnik.model.event import Event
from pamosnik.model.flow import Flow, Mode
from pamosnik.model.run import Origin, Run, RunStatus
from pamosnik.model.step import Awaited, WaitFor
from pamosnik.services import changes, clicks, codes, effects
from pamosnik.services.scene import Scene
from pamosnik.store import codes as code_store
from pamosnik.store import contacts, links, runs, stats
from pamosnik.store import flows as flow_store

FLOWS_IN_A_ROW = 20
"""`run:` may lead from flow to flow; more than this in one turn is a circle."""


class EndlessRunsError(RuntimeError):
    """Flows that start each other without end."""


def begin(
    scene: Scene,
    contact: Contact,
    flow: Flow,
    origin: Origin,
    event: Event | None,
    *,
    started_by: str | None = None,
    in_a_row: int = 0,
    profile_asked: bool = False,
) -> Run:
    """A run and its first turn. `event`: None for a broadcast; `started_by`: the run that goes on in this flow."""
    if in_a_row > FLOWS_IN_A_ROW:
        raise EndlessRunsError(f"flow {flow.id} starts flows that start each other without end")
    if flow.mode is Mode.RESTART and in_a_row == 0:
        for run_id in runs.live_runs(scene.conn, contact.id).get(flow.id, []):
            effects.stop_run(scene.conn, run_id, "restarted", scene.now)
    run = Run(
        id=effects.new_run_id(scene.now),
        account_id=scene.account_id,
        connection_id=scene.connected.id,
        contact_id=contact.id,
        flow_id=flow.id,
        version=flow.version,
        mode=flow.mode,
        status=RunStatus.ACTIVE,
        origin=origin,
        started_at=scene.now,
    )
    first_time = flow.id not in runs.starts(scene.conn, contact.id)
    runs.insert(scene.conn, run)
    if started_by is not None:
        runs.doubt_like_run(scene.conn, run.id, started_by)
    elif event is not None:
        runs.doubt_like(scene.conn, run.id, event.id)
    runs.count_start(scene.conn, run)
    stats.mark_run(scene.conn, run.id, stats.STARTED, scene.day)
    go_on(
        scene,
        contact,
        run,
        Started(),
        event,
        first_time=first_time,
        in_a_row=in_a_row,
        profile_asked=profile_asked,
    )
    return run


def go_on(
    scene: Scene,
    contact: Contact,
    run: Run,
    stimulus: Stimulus,
    event: Event | None,
    *,
    first_time: bool = False,
    in_a_row: int = 0,
    profile_asked: bool = False,
) -> None:
    """Decides and writes down what is decided; goes on in another flow where the flow says so."""
    flow = flow_of(scene, run)
    assert flow is not None
    ways = scene.catalog.ways(run.started_at, scene.timezone)
    facts = Facts(
        contact=contact,
        settings=scene.settings,
        timezone=scene.timezone,
        connection_username=scene.connected.username,
        profile_asked=profile_asked,
        first_time=first_time,
        last_variants=runs.last_variants(scene.conn, run.connection_id, run.flow_id, contact.id),
        can_start=ways.open,
        closed=ways.closed,
        codes=codes.of_flow(scene.conn, scene.account_id, contact.id, flow),
        code=code_store.latest_of_person(scene.conn, contact.id),
        draws_from=_draws_from(scene, contact, run.flow_id),
        tracking=clicks.tracking(scene.library.public_url),
        clicked=links.clicked(scene.conn, run.id) if _waits_for_clicks(flow) else frozenset(),
    )
    decision = decide(flow, run, stimulus, facts, scene.now)
    if isinstance(stimulus, Tapped):
        stats.mark_run(scene.conn, run.id, stats.CLICKED, scene.day)
    recorded = effects.record(scene.conn, flow, decision, contact, day=scene.day, now=scene.now)
    runs.record_turn(
        scene.conn,
        recorded.run,
        stimulus=type(stimulus).__name__,
        event_id=None if event is None else event.id,
        trace=decision.trace,
        now=scene.now,
    )
    if codes.gives(flow):
        codes.tell_if_low(scene.conn, scene.account_id, scene.settings, scene.now)
    changes.note(scene, recorded, contact)
    for flow_id in recorded.flows_to_start:
        known = contacts.load(scene.conn, contact.id)
        assert known is not None
        now_called = ways.moved.get(flow_id, flow_id)
        following = scene.library.following(scene.conn, scene.account_id, now_called)
        begin(scene, known, following, recorded.run.origin, event, started_by=run.id, in_a_row=in_a_row + 1)


def _draws_from(scene: Scene, contact: Contact, flow_id: str) -> str:
    first_id = flow_store.first_id(scene.conn, scene.account_id, flow_id)
    return f"{scene.connected.ig_id}|{contact.igsid}|{first_id}"


def _waits_for_clicks(flow: Flow) -> bool:
    return any(isinstance(s, WaitFor) and s.awaited is Awaited.CLICK for s in flow.steps.values())


def flow_of(scene: Scene, run: Run) -> Flow | None:
    return scene.library.flow(scene.conn, scene.account_id, run.flow_id, run.version)
