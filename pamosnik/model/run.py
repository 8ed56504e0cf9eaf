"""Runs: one contact going through one version of one flow."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from pamosnik.model.condition import CameFrom
from pamosnik.model.flow import Mode


class RunStatus(StrEnum):
    ACTIVE = "active"
    """Something of ours is under way and the run goes on by itself when it is settled."""
    WAITING = "waiting"
    """For the person, or for a time."""
    COMPLETED = "completed"
    STOPPED = "stopped"
    """Ended early on purpose: restarted, opted out, cancelled, removed."""
    FAILED = "failed"
    EXPIRED = "expired"
    """Nobody answered while an answer was possible."""


RUN_TRANSITIONS: Mapping[RunStatus, frozenset[RunStatus]] = {
    RunStatus.ACTIVE: frozenset(RunStatus),
    RunStatus.WAITING: frozenset(RunStatus),
    # A tap on an old button does its branch again; the run keeps the end it had.
    RunStatus.COMPLETED: frozenset({RunStatus.COMPLETED}),
    RunStatus.STOPPED: frozenset({RunStatus.STOPPED}),
    RunStatus.FAILED: frozenset({RunStatus.FAILED}),
    # ... but nobody had answered: a late tap brings an expired run back.
    RunStatus.EXPIRED: frozenset(
        {RunStatus.EXPIRED, RunStatus.ACTIVE, RunStatus.WAITING, RunStatus.COMPLETED}
    ),
}
"""Which status may follow which. The store refuses everything else."""

ENDED = frozenset({RunStatus.COMPLETED, RunStatus.STOPPED, RunStatus.FAILED, RunStatus.EXPIRED})


class WaitKind(StrEnum):
    TIMER = "timer"
    """A `wait` step: goes on at `due_at`."""
    ANSWER = "answer"
    """An `ask` step: gives up at `due_at`."""
    TAP = "tap"
    """Buttons or chips that do something: nobody may tap them with effect on the run's end after `due_at`."""
    EFFECT = "effect"
    """A call or look-up whose outcome the step needs."""
    FOR_ANSWER = "for_answer"
    """A `wait_for` that any answer ends, likewise those below; each gives up at `due_at`."""
    FOR_TAP = "for_tap"
    FOR_CLICK = "for_click"
    FOR_TAG = "for_tag"


@dataclass(frozen=True, slots=True)
class RunWait:
    """One place where a run stands still; several when a tapped branch goes on beside the main line."""

    id: str
    kind: WaitKind
    path: str
    """Of the step that waits."""
    opened_at: datetime
    due_at: datetime
    tries: int = 0
    """How many answers did not fit."""
    branch: str = ""
    """Path of the option whose `do` this wait belongs to; empty on the main line."""
    what: str | None = None
    """Of a `wait_for`: the name or address of the link, the tag; for answers and taps the path of the message before
    it, which has to arrive first."""
    woken: bool = False
    """The click or tag has come; the run goes on with its next turn."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a run came from; goes along when `run:` moves on to another flow."""

    came_from: CameFrom | None
    """None: nobody came, a broadcast began."""
    event_id: str | None
    text: str | None = None
    """What the person wrote: the variable `text`."""
    comment_id: str | None = None
    """The comment that started it; None for runs that no comment started."""
    top_comment_id: str | None = None
    """The comment a public reply is attached to: Instagram hangs replies to replies below it."""
    comment_at: datetime | None = None
    live: bool = False
    """A comment during a live broadcast: private reply while broadcasting only, no public reply."""
    media_id: str | None = None
    message_id: str | None = None
    """Meta's id of the message that started it; None for taps, comments and everything else."""
    silent: bool = False
    """They reacted or opened a link, which opens no window: messages may have to wait until they write."""
    private_item: str | None = None
    """Outbox item of the private reply, once there is one."""


@dataclass(frozen=True, slots=True)
class Run:
    """A run at rest. `turn` is the number of decisions committed for it."""

    id: str
    account_id: str
    connection_id: str
    contact_id: str
    flow_id: str
    version: str
    mode: Mode
    status: RunStatus
    origin: Origin
    started_at: datetime
    turn: int = 0
    waits: tuple[RunWait, ...] = ()
    answer: str | None = None
    """The last answer: the variable `answer`."""
    step: str | None = None
    """Path of the step it last came to, for people."""
    taps_open: bool = False
    """Whether its last message has buttons or chips with a `do`: it completes with one of them."""
    main_done: bool = False
    """Whether the main line reached its end."""
    finished_at: datetime | None = None
    reason: str | None = None
    """Why it failed, stopped or expired, in a sentence."""
    data: Mapping[str, str] = field(default_factory=dict)
    """Small counters of steps, e.g. how often `again` went back."""


def asked_by(wait: RunWait) -> str | None:
    """Path of the step whose message a person answers or taps where a run waits; None for other waits."""
    match wait.kind:
        case WaitKind.ANSWER | WaitKind.TAP:
            return wait.path
        case WaitKind.FOR_ANSWER | WaitKind.FOR_TAP:
            return wait.what
        case _:
            return None
