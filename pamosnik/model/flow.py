"""A compiled flow: a flat table of steps, each of which names the step after it.

The steps of a flow file are nested; here every step has a path (`do.1.buttons.0.do.2`) and `next`, the path
of the step that follows when it is done. At the end of a branch of `choose` or of a choice of `ask`, `next`
is the step after that `choose` or `ask`; at the end of a button's branch it is None, the end. So the engine
needs no stack: a place in a flow is one path, and a run that survives a restart remembers nothing else.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from pamosnik.model.condition import Condition
from pamosnik.model.step import Option, Step
from pamosnik.model.trigger import Trigger


class Mode(StrEnum):
    """What happens when a flow triggers while this person is already in it."""

    SINGLE = "single"
    RESTART = "restart"
    PARALLEL = "parallel"


class FlowState(StrEnum):
    LIVE = "live"
    PAUSED = "paused"


@dataclass(frozen=True, slots=True)
class Pause:
    """Of a flow, by command; its file may say `state: paused` besides."""

    since: datetime
    by: str
    """Actor, as in the audit log."""


ONCE = "once"


@dataclass(frozen=True, slots=True)
class Limits:
    per_person: timedelta | str | None = None
    """A cool-down, or `ONCE`."""
    per_post: bool = False
    """Once per person and post."""


@dataclass(frozen=True, slots=True)
class Active:
    """When a flow takes anything at all; instants, both ends may be open, `until` is exclusive."""

    from_: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Flow:
    """One version of a flow. Immutable; `version` is the hash of what was written."""

    id: str
    version: str
    title: str
    triggers: tuple[Trigger, ...]
    only_if: tuple[Condition, ...]
    steps: Mapping[str, Step]
    first: str | None
    """None: a flow without steps, which completes at once."""
    limits: Limits = Limits()
    mode: Mode = Mode.SINGLE
    priority: int = 0
    active: Active = Active()
    state: FlowState = FlowState.LIVE
    connections: tuple[str, ...] = ()
    """Usernames; empty: every connection of the account."""
    options: Mapping[str, Option] = field(default_factory=dict)
    """Every button, chip and choice by its path."""
    has_goal: bool = False

    def is_for(self, username: str) -> bool:
        """Whether it plays on the connection of that name."""
        return not self.connections or username.casefold() in {one.casefold() for one in self.connections}
