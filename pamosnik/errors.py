"""The errors a person can act on, grouped by who has to act.

PamosnikError            what happened, and a hint that says what to do
├── UsageError           the command was called wrongly                       exit 2
├── ChangesPending       `flows diff` found something                         exit 3
├── InvalidFlows         a flow file has problems                             exit 4
├── CheckFailed          a flow test or a doctor check failed                 exit 5
├── NeedsAuthorisation   Instagram wants the owner to log in                  exit 6
├── DaemonNotRunning     the command needs `pamosnik serve`                   exit 7
├── PlanOutdated         something was applied since the plan was made         exit 1
├── NotFound             no such event, contact, flow, run, queue item        exit 1
└── HomeError            home folder, database, key or lock cannot be used    exit 1
    ├── StorageRefused   disk, lock or file refuse the database at the moment exit 1
    └── DatabaseDamaged  the database's bytes are broken: only a backup helps exit 1

Everything else that is raised is our mistake and surfaces with its traceback.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Again:
    """What the command that was typed needs to be tried again. Who knows the words that were typed shows it whole."""

    add: tuple[str, ...] = ()
    """Words that it lacks, like `--yes`; an option that was given goes."""
    instead: Mapping[str, str] = field(default_factory=dict)
    """A word that was typed → what is to stand in its place."""


class PamosnikError(Exception):
    """What happened (`message`), and what the reader can do about it (`hint`, may be None, and `again`)."""

    exit_code = 1

    def __init__(self, message: str, *, hint: str | None = None, again: Again | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.again = again


class UsageError(PamosnikError):
    """The command was called wrongly."""

    exit_code = 2


class Declined(PamosnikError):
    """Whoever was asked said no: nothing was done."""


class ChangesPending(PamosnikError):
    """There is something to apply."""

    exit_code = 3


class InvalidFlows(PamosnikError):
    """A flow file has problems; they were printed."""

    exit_code = 4


class CheckFailed(PamosnikError):
    """A flow test or a doctor check failed."""

    exit_code = 5


class NeedsAuthorisation(PamosnikError):
    """Instagram wants the owner to log in (again)."""

    exit_code = 6


class DaemonNotRunning(PamosnikError):
    """The command needs a running daemon."""

    exit_code = 7


class NotFound(PamosnikError):
    """The thing named on the command line or in an address does not exist in this account."""


class PlanOutdated(PamosnikError):
    """What is applied is not what a plan was made for; nothing was changed."""


class HomeError(PamosnikError):
    """The home folder, its database, key or lock cannot be used as it is."""


class StorageRefused(HomeError):
    """The database cannot be read or written at the moment. Nothing of the change was stored."""


class DatabaseDamaged(HomeError):
    """The bytes of the database are broken. Trying again cannot help, and writing on could make it worse."""
