"""Whether a flow may start now for a person, and what is against it. A sentence for people each."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from pamosnik.engine import conditions
from pamosnik.engine.clock_times import on_the_clock
from pamosnik.model.condition import CameFrom, Condition
from pamosnik.model.decision import Facts
from pamosnik.model.flow import ONCE, Flow, FlowState, Mode, Pause


class Ground(StrEnum):
    """Why it does not start, for counting."""

    PAUSED = "flow_paused"
    INACTIVE = "not_active"
    ONLY_IF = "only_if"
    LIMITS = "limits"
    MODE = "already_in_it"


@dataclass(frozen=True, slots=True)
class Against:
    ground: Ground
    sentence: str


@dataclass(frozen=True, slots=True)
class Occasion:
    """What would start it: an event, or the clock, which has nothing of this."""

    text: str | None = None
    came_from: CameFrom | None = None
    media_id: str | None = None


def against(
    flow: Flow,
    facts: Facts,
    occasion: Occasion,
    *,
    paused: Mapping[str, Pause],
    starts: Mapping[str, Mapping[str, datetime]],
    live: Mapping[str, Sequence[str]],
    now: datetime,
    may_be_told: Callable[[Condition], bool] = lambda _: False,
) -> Against | None:
    """None when nothing is. `paused`: by command; `starts`, `live`: as in `choose.Person`; `may_be_told`: of what is
    unknown, whether it may be known in a moment."""
    before = starts.get(flow.id, {})
    return (
        against_flow(flow, paused=paused, timezone=facts.timezone, now=now)
        or _against_person(flow, replace(facts, first_time=not before), occasion, now, may_be_told)
        or against_limits(flow, before, occasion, facts.timezone, now)
        or _against_mode(flow, live)
    )


def against_flow(flow: Flow, *, paused: Mapping[str, Pause], timezone: str, now: datetime) -> Against | None:
    """What is against it whoever the person is."""
    pause = against_pause(flow, paused.get(flow.id), timezone)
    if pause is not None:
        return pause
    if flow.active.from_ is not None and now < flow.active.from_:
        return Against(Ground.INACTIVE, f"active only from {on_the_clock(flow.active.from_, timezone)}")
    if flow.active.until is not None and now >= flow.active.until:
        return Against(Ground.INACTIVE, f"active only until {on_the_clock(flow.active.until, timezone)}")
    return None


def against_pause(flow: Flow, pause: Pause | None, timezone: str) -> Against | None:
    """A paused flow starts nobody, by whatever way: who paused it, and how it goes on."""
    if pause is not None:
        who = "by command" if pause.by == "command" else f"by {pause.by}"
        since = on_the_clock(pause.since, timezone)
        return Against(
            Ground.PAUSED,
            f"the flow is paused ({who}, since {since}; `pamosnik flows resume {flow.id}` ends it)",
        )
    if flow.state is FlowState.PAUSED:
        return Against(Ground.PAUSED, "the flow is paused in its file (`state: paused`)")
    return None


def holds(condition: Condition, facts: Facts, occasion: Occasion, now: datetime) -> bool | None:
    return conditions.holds(condition, facts, text=occasion.text, came_from=occasion.came_from, now=now)


def first_untrue(
    wanted: Sequence[Condition],
    facts: Facts,
    occasion: Occasion,
    now: datetime,
    may_be_told: Callable[[Condition], bool] = lambda _: False,
) -> tuple[Condition, bool | None] | None:
    """The first condition that does not hold, with False or, where it cannot be known, None."""
    for condition in wanted:
        found = holds(condition, facts, occasion, now)
        if found is not True and not (found is None and may_be_told(condition)):
            return condition, found
    return None


def _against_person(
    flow: Flow, facts: Facts, occasion: Occasion, now: datetime, may_be_told: Callable[[Condition], bool]
) -> Against | None:
    untrue = first_untrue(flow.only_if, facts, occasion, now, may_be_told)
    if untrue is None:
        return None
    condition, found = untrue
    state = "is not known" if found is None else "is not true"
    return Against(Ground.ONLY_IF, f"only_if: {conditions.describe(condition)} {state}")


def against_limits(
    flow: Flow, before: Mapping[str, datetime], occasion: Occasion, timezone: str, now: datetime
) -> Against | None:
    if not before:
        return None
    limit = flow.limits.per_person
    if limit == ONCE:
        return Against(Ground.LIMITS, "limits: per_person once, and this person had it")
    if isinstance(limit, timedelta) and max(before.values()) + limit > now:
        again = on_the_clock(max(before.values()) + limit, timezone)
        return Against(Ground.LIMITS, f"limits: per_person, again after {again}")
    if flow.limits.per_post and (occasion.media_id or "") in before:
        return Against(Ground.LIMITS, "limits: per_post once, and this person had it for this post")
    return None


def _against_mode(flow: Flow, live: Mapping[str, Sequence[str]]) -> Against | None:
    if flow.mode is Mode.SINGLE and live.get(flow.id):
        return Against(Ground.MODE, "mode single: this person is already in it")
    return None
