"""What one turn of the engine takes in and what it gives back. Plain data, both ways."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from pamosnik.model.book import Settings
from pamosnik.model.contact import Contact
from pamosnik.model.event import Event
from pamosnik.model.outbox import Action, ItemKind, ItemStatus, OutMessage
from pamosnik.model.run import Run

# --- what comes in ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Tracking:
    """Where tracked links lead from, and what nobody can guess about them."""

    base: str
    """Their address up to the token."""
    seed: str
    """Drawn for each turn; tokens are derived from it."""


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything a decision may look at beside the flow, the run and the stimulus."""

    contact: Contact
    settings: Settings
    timezone: str
    """The account's, for when the settings name none."""
    connection_username: str
    profile_asked: bool = False
    """What the contact holds of their profile counts now, None as unknown. Else Instagram could still tell."""
    first_time: bool = True
    """Whether this person never started this flow before."""
    post_link: str | None = None
    last_variants: Mapping[str, int] = field(default_factory=dict)
    """Step path → the variant used last: for public replies by anybody, for sends to this person."""
    can_start: frozenset[str] = frozenset()
    """Ids of the flows that are applied, and the ids they had before."""
    closed: Mapping[str, str] = field(default_factory=dict)
    """Those that start nobody because they are paused, with why."""
    codes: Mapping[str, str] = field(default_factory=dict)
    """Pool → the code that this person was given, else the next one; pools that are empty for them are not in it."""
    code: str | None = None
    """The code this person was given last: the variable `code`."""
    draws_from: str = ""
    """What the share of a `split` is derived from: Instagram's ids of business and person, and the flow's first id.
    They are the same after a restore, another connect and a renaming."""
    tracking: Tracking | None = None
    """None: no address of this machine is known outside, so links are not tracked."""
    clicked: frozenset[str] = frozenset()
    """Names and addresses of the links of this run that were clicked; only for flows that wait for a click."""


@dataclass(frozen=True, slots=True)
class Started:
    """The flow begins."""


@dataclass(frozen=True, slots=True)
class Answered:
    """The person answered the question of an `ask`."""

    wait_id: str
    value: str | None
    """Normalised (dates as 2026-12-24); None when an optional question was skipped."""
    option: str | None
    """Path of the choice that was taken."""
    event: Event


@dataclass(frozen=True, slots=True)
class NotUnderstood:
    """The person wrote something that does not fit the question, and no flow took it."""

    wait_id: str
    event: Event


@dataclass(frozen=True, slots=True)
class Tapped:
    """A button, chip or earlier choice, tapped or typed. `option` is its path."""

    option: str
    event: Event
    value: str | None = None
    """What a choice of an `ask` answers, in its normal form."""


@dataclass(frozen=True, slots=True)
class TimerFired:
    """A wait's `due_at` has come."""

    wait_id: str


@dataclass(frozen=True, slots=True)
class Woken:
    """The click or the tag came that a `wait_for` waits for."""

    wait_id: str


@dataclass(frozen=True, slots=True)
class EffectSettled:
    """A message of the run will not go out, or an errand has come to its end, well or badly."""

    item_id: str
    step: str | None
    private_reply: bool
    status: ItemStatus
    reason: str | None
    wait_id: str | None = None
    """Of an errand: the wait that it ends."""
    result: Mapping[str, str | None] = field(default_factory=dict)
    """What an errand brought back."""
    kind: ItemKind | None = None
    """Of an errand."""
    asks: bool = True
    """Whether an answer or a tap can hang on the message: on a picture or video beside it none does."""


Stimulus = Started | Answered | NotUnderstood | Tapped | TimerFired | Woken | EffectSettled

# --- what comes out --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class NewLink:
    """A tracked link in a message."""

    token: str
    address: str
    """Where it leads."""
    name: str | None
    """That the flow gave it."""


@dataclass(frozen=True, slots=True)
class SendMessage:
    """A message for the outbox; the first one of a comment's run is the private reply."""

    step: str
    content: OutMessage
    private_reply: bool = False
    variant: int | None = None
    delay: timedelta = timedelta()
    links: tuple[NewLink, ...] = ()


@dataclass(frozen=True, slots=True)
class ReplyToComment:
    """A public reply for the outbox."""

    step: str
    text: str
    delay: timedelta
    variant: int | None = None


@dataclass(frozen=True, slots=True)
class Act:
    """A reaction to a message, the sign of typing, or what is done to a comment, for the outbox."""

    step: str
    action: Action
    message_id: str | None = None
    """Of the message that is reacted to."""
    emoji: str | None = None
    within: timedelta | None = None
    """Later it makes no sense any more; None: while the window is open, and to a comment at any time."""


@dataclass(frozen=True, slots=True)
class RunErrand:
    """A call, a mail or a look-up for the outbox."""

    step: str
    kind: ItemKind
    task: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class AddTag:
    tag: str


@dataclass(frozen=True, slots=True)
class RemoveTag:
    tag: str


@dataclass(frozen=True, slots=True)
class SetField:
    field: str
    value: str | None
    """None clears it."""
    counted: bool = False
    """A sum that `add` made, which quotes nobody."""


@dataclass(frozen=True, slots=True)
class GiveOut:
    """This code is this person's now, if it was not before."""

    pool: str
    code: str


@dataclass(frozen=True, slots=True)
class Disclosed:
    """The disclosure line went into a message of this turn."""


@dataclass(frozen=True, slots=True)
class PauseContact:
    """A human takes over until then."""

    until: datetime
    note: str | None


@dataclass(frozen=True, slots=True)
class TellOwner:
    """A mail to the owner. `to`: another address than the account's."""

    step: str
    text: str
    to: str | None


@dataclass(frozen=True, slots=True)
class StopMessages:
    """This person gets no automatic messages any more; `confirmation` is the last one."""

    confirmation: str
    disclosure: str | None
    """Goes before it where no message has told yet that a machine writes."""


@dataclass(frozen=True, slots=True)
class ForgetPerson:
    """This person wants everything about them deleted."""

    said_at: datetime
    """What is older goes; what they write afterwards is a new person's."""
    confirmation: str
    disclosure: str | None


@dataclass(frozen=True, slots=True)
class StartRun:
    """`run:` — another flow goes on from here, with this run's origin."""

    flow_id: str


@dataclass(frozen=True, slots=True)
class CountGoal:
    name: str


@dataclass(frozen=True, slots=True)
class CountShare:
    """The run takes this way of a `split`."""

    name: str


Effect = (
    SendMessage
    | ReplyToComment
    | Act
    | RunErrand
    | AddTag
    | RemoveTag
    | SetField
    | GiveOut
    | Disclosed
    | PauseContact
    | TellOwner
    | StopMessages
    | ForgetPerson
    | StartRun
    | CountGoal
    | CountShare
)


@dataclass(frozen=True, slots=True)
class Check:
    """One line of a trace: what was looked at, how it came out, and in words why."""

    what: str
    """A step path, or "trigger", "only_if", "limits", …"""
    result: str
    """A word: "yes", "no", "done", "waits", …"""
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Decision:
    """The run as it is now, what has to be done, and why. Nothing in here has happened yet."""

    run: Run
    effects: tuple[Effect, ...]
    trace: tuple[Check, ...]
