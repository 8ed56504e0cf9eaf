"""What would be applied, and where in the files each of its values stands."""

import datetime
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from pamosnik.flows.bodies import Raw
from pamosnik.flows.problems import Problem, Severity
from pamosnik.flows.source import Mark

_LINES_OF_A_TEXT = 50
Unset = Callable[[str], tuple[str, str] | None]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What would be applied: these files, and what stays beside them."""

    flows: Mapping[str, Raw]
    settings: Raw
    here: frozenset[str]
    """Ids of the flows that stand in these files: only they can be blamed."""
    places: Mapping[str, tuple[str, Mark]]
    """Path of a value (`FLOW:do.0.text`) → where it stands."""
    broken: frozenset[str] = frozenset()
    """Paths of values of which a part could not be read: nothing is concluded from what they lack."""
    lost: frozenset[str] | None = frozenset()
    """Every word of what could not be read; None when that may be anything."""
    applied: frozenset[str] = frozenset()
    """Ids of the flows that are applied now, whatever becomes of them."""
    lines: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """File → what stands in it."""
    tests: Mapping[str, Sequence[Raw]] = field(default_factory=dict)
    """Place → the tests over several flows that stand in one file."""
    connected: tuple[str, ...] | None = None
    """Usernames of the account's connections; None: no machine that would know is asked."""
    can_mail: bool | None = None
    """Whether a mail server is set; None: likewise."""
    now: datetime.datetime | None = None
    """None: nothing is past."""
    is_public: bool | None = None
    """Whether the machine has a public address; None: likewise."""
    unset: Unset | None = None
    """What is wrong with a variable of the environment, and what to do; None: likewise."""

    def may_be_lost(self, name: str) -> bool:
        """Whether a name may stand in what could not be read."""
        return self.lost is None or name in self.lost

    def knows_triggers(self, flow_id: str) -> bool:
        """Whether all triggers of a flow could be read, and no key that might have been `when` was not."""
        return not {f"{flow_id}:", f"{flow_id}:when"} & self.broken

    def problem(
        self, path: str, code: str, message: str, hint: str | None = None, severity: Severity = Severity.ERROR
    ) -> Problem:
        """A problem at the nearest known place at or above a path."""
        known = path
        while known not in self.places and "." in known:
            known = known.rpartition(".")[0]
        if known not in self.places:
            known = f"{path.partition(':')[0]}:"
        file, mark = self.places.get(known, ("", Mark(1, 1)))
        return Problem(file, mark.line, mark.column, severity, code, message, hint)

    def moved(self, problem: Problem, pattern: str) -> Problem:
        """A problem of a text at what a pattern finds within it."""
        lines = self.lines.get(problem.file, ())
        for number in range(problem.line, min(problem.line + _LINES_OF_A_TEXT, len(lines) + 1)):
            start = problem.column - 1 if number == problem.line else 0
            if found := re.compile(pattern).search(lines[number - 1], start):
                return replace(problem, line=number, column=found.start() + 1)
        return problem
