"""Flows as the owner handles them: look at what apply would change, apply, pause."""

import json
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import cast

from pamosnik._sqlite import Connection
from pamosnik.errors import PlanOutdated
from pamosnik.flows import former, still_used
from pamosnik.flows.compile import compile_settings, version_of
from pamosnik.flows.load import AppliedSource, File, Loaded, load
from pamosnik.flows.outcome import Outcome, Unset
from pamosnik.flows.plan import Applied, ChangeKind, CodesChange, Plan, plan
from pamosnik.flows.standing import Standing, in_short, runs_of, step_at
from pamosnik.model.run import WaitKind
from pamosnik.services import broadcasts, codes, rolled_back, webhooks
from pamosnik.services.codes import PoolChange
from pamosnik.services.library import Library
from pamosnik.store import accounts, applying, connections, flow_history, imports
from pamosnik.store import flows as flow_store
from pamosnik.store.flow_history import By
from pamosnik.store.flows import AppliedFlow, NewFlow


@dataclass(frozen=True, slots=True)
class Proposal:
    """Files read against what is applied, and what they would change."""

    loaded: Loaded
    plan: Plan
    codes: tuple[PoolChange, ...]
    revision: int
    """Of what was applied then: nothing else is what this plan changes."""
    timezone: str
    """Of clock times that name none."""
    stays: frozenset[str] = frozenset()
    """Flows that stay rolled back, although the files say something else."""
    agreed: frozenset[str] = frozenset()
    """Flows of which the files say what they were rolled back to: they count as rolled back no longer."""


def propose(
    conn: Connection,
    account_id: str,
    files: Sequence[File],
    *,
    prune: bool,
    made_up: bool = False,
    can_mail: bool | None = None,
    unset: Unset | None = None,
    now: datetime | None = None,
    is_public: bool | None = None,
    over_rollback: bool | Collection[str] = False,
    code_files: bool = True,
) -> Proposal:
    """Reads and checks; changes nothing. `made_up`: on a stage, where nobody is really connected. `can_mail`: whether
    this machine has a mail server; `unset`: what is wrong with a variable of its environment; `is_public`: whether it
    has a public address. None: nobody asks. `now`: None where nothing is past. `over_rollback`: flows, or all, that
    need not stay rolled back. `code_files`: whether the files that pools name are read; else these stay as they are.
    """
    revision = flow_store.revision(conn, account_id)
    flows = flow_store.applied(conn, account_id)
    applied = {flow.flow_id: _as_applied(flow) for flow in flows}
    bodies = {} if prune else {flow_id: flow.body for flow_id, flow in applied.items()}
    settings = json.loads(flow_store.settings(conn, account_id))
    around = Outcome(
        flows=bodies,
        settings=settings,
        here=frozenset(),
        places={},
        applied=frozenset(applied),
        connected=None if made_up else usernames(conn, account_id),
        can_mail=can_mail,
        now=now,
        is_public=is_public,
        unset=unset,
    )
    loaded = _loaded(conn, account_id, files, around, prune=prune, code_files=code_files)
    taken_out = _taken_out(conn, account_id, loaded)
    notes = former.unknown(loaded.flows, applied.keys() | taken_out | _came_back(conn, account_id, loaded))
    loaded = loaded.with_problems(notes)
    file = files[0][0] if files else ""
    loaded, marks = rolled_back.leave(loaded, flows, around, prune=prune, over=over_rollback, file=file)
    code_changes = _code_changes(conn, account_id, loaded, made_up=made_up)
    found = plan(
        loaded,
        applied,
        applied_settings=settings,
        in_flight=flow_store.in_flight(conn, account_id),
        codes=tuple(CodesChange(one.pool, len(one.new), len(one.gone)) for one in code_changes),
        prune=prune,
        taken_out=taken_out,
        stays=marks.stays,
    )
    zone = accounts.timezone(conn, account_id)
    return Proposal(
        loaded,
        rolled_back.told(with_people(conn, account_id, found), marks, zone),
        code_changes,
        revision,
        str(loaded.settings.get("timezone", zone)),
        frozenset(marks.stays),
        marks.agreed,
    )


def _loaded(
    conn: Connection,
    account_id: str,
    files: Sequence[File],
    around: Outcome,
    *,
    prune: bool,
    code_files: bool,
) -> Loaded:
    """What the files say, checked with what stays around them."""
    loaded = load(
        files,
        applied=AppliedSource(around.flows, {} if prune else around.settings),
        connected=around.connected,
        can_mail=around.can_mail,
        now=around.now,
        is_public=around.is_public,
        unset=around.unset,
        code_files=code_files,
    )
    if prune and files:
        return _leave_what_is_needed(conn, account_id, loaded, around.settings, files[0][0])
    return loaded


def _code_changes(
    conn: Connection, account_id: str, loaded: Loaded, *, made_up: bool
) -> tuple[PoolChange, ...]:
    pools = cast("Mapping[str, object]", loaded.settings.get("codes", {}))
    return codes.changes(conn, account_id, codes.made_up(pools) if made_up else loaded.codes, pools)


def _as_applied(flow: AppliedFlow) -> Applied:
    return Applied(flow.version, flow.title, json.loads(flow.body), paused=flow.paused_at is not None)


def for_a_stage(conn: Connection, account_id: str, loaded: Loaded, timezone: str) -> Proposal:
    """Everything that was loaded, where nothing is applied yet and nobody is really connected; codes are made up."""
    pools = cast("Mapping[str, object]", loaded.settings.get("codes", {}))
    code_changes = codes.changes(conn, account_id, codes.made_up(pools), pools)
    found = plan(loaded, {}, applied_settings={}, in_flight={}, prune=True)
    return Proposal(loaded, found, code_changes, flow_store.revision(conn, account_id), timezone)


def _taken_out(conn: Connection, account_id: str, loaded: Loaded) -> frozenset[str]:
    """Former ids in these files that were applied once: what is known of such a flow follows, too."""
    ids = {str(flow.body["was"]) for flow in loaded.flows if "was" in flow.body}
    return frozenset(was for was in ids if flow_store.ever_applied(conn, account_id, was))


def _came_back(conn: Connection, account_id: str, loaded: Loaded) -> frozenset[str]:
    """Flows of these files with a former id that were applied once under the present one."""
    ids = {flow.id for flow in loaded.flows if "was" in flow.body}
    return frozenset(flow_id for flow_id in ids if flow_store.ever_applied(conn, account_id, flow_id))


def with_people(conn: Connection, account_id: str, found: Plan) -> Plan:
    """The plan, and where the people stand in the flows that it changes."""
    places: dict[str, list[tuple[str, str, str, int]]] = {}
    for flow_id, version, path, kind, people in flow_store.standing(conn, account_id):
        places.setdefault(flow_id, []).append((version, path, kind, people))
    led_from = _led_from(conn, account_id, found)
    changes = []
    for change in found.changes:
        now_called = change.was or change.flow_id
        if change.changes and now_called in places:
            standing = tuple(_standing(conn, account_id, now_called, places[now_called]))
            change = replace(change, standing=standing)
        if change.kind is ChangeKind.ADDED:
            pause = flow_history.paused_when_removed(conn, account_id, now_called)
            change = replace(change, comes_back_paused=pause is not None)
        changes.append(replace(change, led_from=led_from.get(change.flow_id, ())))
    return replace(found, changes=tuple(changes))


def _led_from(conn: Connection, account_id: str, found: Plan) -> Mapping[str, tuple[str, ...]]:
    """Flow that goes → flows in which people are whose version goes on in it."""
    gone = {change.flow_id for change in found.changes if change.kind is ChangeKind.REMOVED}
    if not gone:
        return {}
    leads: dict[str, set[str]] = {}
    now_called = _now_called(conn, account_id)
    for flow_id, body, _ in flow_store.versions_in_flight(conn, account_id):
        targets = {now for name in runs_of(json.loads(body)) for now in now_called(name)}
        for target in gone.intersection(targets) - {flow_id}:
            leads.setdefault(target, set()).add(flow_id)
    return {target: tuple(sorted(flows)) for target, flows in leads.items()}


def _standing(
    conn: Connection, account_id: str, flow_id: str, places: Sequence[tuple[str, str, str, int]]
) -> Iterator[Standing]:
    bodies: dict[str, Mapping[str, object]] = {}
    for version, path, kind, people in places:
        if version not in bodies:
            kept = flow_store.version(conn, account_id, flow_id, version)
            bodies[version] = {} if kept is None else json.loads(kept[0])
        step = in_short(step_at(bodies[version], path))
        yield Standing(version, path, WaitKind(kind), people, step)


def _leave_what_is_needed(
    conn: Connection, account_id: str, loaded: Loaded, before: Mapping[str, object], file: str
) -> Loaded:
    """--prune takes no settings from people who are in a flow that needs them."""
    in_flight = [
        still_used.InFlight(flow_id, json.loads(body), people)
        for flow_id, body, people in flow_store.versions_in_flight(conn, account_id)
    ]
    settings, said = still_used.leave(
        loaded.settings, before, in_flight, _last_bodies(conn, account_id), file
    )
    return replace(loaded.with_problems(said), settings=settings)


def _last_bodies(conn: Connection, account_id: str) -> still_used.BodiesOf:
    """What a flow says now or, if it was taken out, said last; of an id that was given away, of both flows."""
    versions = {
        **flow_history.taken_out(conn, account_id),
        **{flow.flow_id: flow.version for flow in flow_store.applied(conn, account_id)},
    }

    now_called = _now_called(conn, account_id)

    def bodies_of(name: str) -> Sequence[Mapping[str, object]]:
        kept = (
            flow_store.version(conn, account_id, flow_id, versions[flow_id])
            for flow_id in now_called(name)
            if flow_id in versions
        )
        return [json.loads(one[0]) for one in kept if one is not None]

    return bodies_of


def _now_called(conn: Connection, account_id: str) -> Callable[[str], Sequence[str]]:
    """The ids now of the flows that have, or once had, an id."""
    former: dict[str, list[str]] = {}
    for _, old, now in flow_history.renamings(conn, account_id):
        former.setdefault(old, []).append(now)
    return lambda name: [*dict.fromkeys((name, *former.get(name, ())))]


def has_entrances(proposal: Proposal) -> bool:
    """Whether a flow of the files wants opening questions or menu items at Instagram."""
    triggers = (
        trigger
        for flow in proposal.loaded.flows
        for trigger in cast("Sequence[Mapping[str, object]]", flow.body.get("when", ()))
    )
    return any(trigger["trigger"] in ("ice_breaker", "menu") for trigger in triggers)


def unset(conn: Connection, account_id: str, environ: Mapping[str, str]) -> Unset:
    """Finds what is wrong with variables that the account's flows name. `conn` is the machine's: whose a variable is
    hangs on the names of all accounts."""
    may_read = webhooks.readable(conn, account_id)
    prefixes = [webhooks.prefix_of(username) for username in usernames(conn, account_id)]

    def look(name: str) -> tuple[str, str] | None:
        if not may_read(name):
            hint = f"Begin it with {' or '.join(prefixes)}." if prefixes else "Try: pamosnik connect"
            return f"several accounts share this machine, and {name} is none of this account's", hint
        if not environ.get(name, "").strip():
            return f"{name} is not set in the environment", "Set it here and for `pamosnik serve`."
        return None

    return look


def usernames(conn: Connection, account_id: str) -> tuple[str, ...]:
    return tuple(one.username for one in connections.of_account(conn, account_id))


def apply(
    conn: Connection, account_id: str, proposal: Proposal, *, note: str | None, actor: str, now: datetime
) -> None:
    """Makes the proposal what is applied. People in flight finish the version they began.

    Raises `PlanOutdated`, and changes nothing, when something else has been applied since, or somebody has come to
    need what would go.
    """
    imports.require_none(conn, account_id)
    _require_up_to_date(conn, account_id, proposal)
    new = [
        NewFlow(
            flow_id=flow.id,
            version=version_of(flow.body),
            title=str(flow.body.get("title", flow.id)),
            body=json.dumps(
                {key: value for key, value in flow.body.items() if key != "was"}, ensure_ascii=False
            ),
            timezone=proposal.timezone,
            was=str(flow.body["was"]) if "was" in flow.body else None,
            stays_rolled_back=flow.id in proposal.stays,
        )
        for flow in proposal.loaded.flows
    ]
    removed = [c.flow_id for c in proposal.plan.changes if c.kind is ChangeKind.REMOVED]
    settings = json.dumps(proposal.loaded.settings, ensure_ascii=False)
    by = By(actor, now, note)
    applying.put(conn, account_id, new, removed, settings, by, order=proposal.plan.order)
    next_posts(conn, account_id, new, removed, now)
    codes.carry_out(conn, account_id, proposal.codes)
    codes.tell_if_low(conn, account_id, compile_settings(proposal.loaded.settings), now)
    broadcasts.plan(conn, Library(), account_id, now)
    accounts.audit(conn, account_id, actor=actor, action="flows apply", subject=None, now=now)


def agree(conn: Connection, account_id: str, proposal: Proposal, *, actor: str, now: datetime) -> None:
    """The files say what flows were rolled back to, and nothing else changes; unless something has changed since."""
    if flow_store.revision(conn, account_id) == proposal.revision:
        applying.unmark(conn, account_id, proposal.agreed)
        accounts.audit(conn, account_id, actor=actor, action="flows agree", subject=None, now=now)


def _require_up_to_date(conn: Connection, account_id: str, proposal: Proposal) -> None:
    changed = None
    if flow_store.revision(conn, account_id) != proposal.revision:
        changed = "the applied flows have changed since this plan was made"
    elif any(setting.after is None for setting in proposal.plan.settings):
        before = json.loads(flow_store.settings(conn, account_id))
        left = _leave_what_is_needed(conn, account_id, proposal.loaded, before, "")
        if left.settings != proposal.loaded.settings or left.has_errors:
            changed = "somebody has come into a flow that needs what this plan would take away"
    if changed is not None:
        hint = "Look at what it would change now. Try: pamosnik flows diff FILES"
        raise PlanOutdated(f"Nothing was applied: {changed}.", hint=hint)


def next_posts(
    conn: Connection, account_id: str, new: Sequence[NewFlow], removed: Sequence[str], now: datetime
) -> None:
    """`post: next` counts from the version that first said it."""
    for flow in new:
        says_next = any(
            "next" in trigger.get("post", ()) for trigger in json.loads(flow.body).get("when", ())
        )
        if not says_next:
            flow_store.forget_next_post(conn, account_id, flow.flow_id)
            continue
        for connected in connections.of_account(conn, account_id):
            flow_store.expect_next_post(conn, account_id, connected.id, flow.flow_id, flow.version, now)
    for flow_id in removed:
        flow_store.forget_next_post(conn, account_id, flow_id)
