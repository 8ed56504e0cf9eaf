"""Checks flows that stand in no file: versions of earlier, against what is applied and set now.

The rules are those of files. A problem says the step instead of a line.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from pamosnik.flows.bodies import Raw, steps
from pamosnik.flows.load import CHECKS
from pamosnik.flows.outcome import Outcome
from pamosnik.flows.problems import Problem, Severity
from pamosnik.flows.source import Mark


@dataclass(frozen=True, slots=True)
class Misfit:
    """What is wrong with a flow now."""

    flow_id: str
    path: str
    """Of the step or trigger: `do.1`, `when.0`; empty: of the flow."""
    step: str | None
    """The verb of that step."""
    code: str
    message: str
    hint: str | None

    @property
    def place(self) -> str:
        """Where, in words."""
        if self.step is not None:
            return f"`{self.step}` ({self.path})"
        return f"`{self.path.partition('.')[0]}`" if self.path else "the flow"


def misfits(outcome: Outcome, flow_ids: Collection[str]) -> list[Misfit]:
    """The errors of these flows. `outcome`: what would be applied; who is in the files does not matter."""
    places = _Everywhere(flow_ids)
    checked = Outcome(
        flows=outcome.flows,
        settings=outcome.settings,
        here=frozenset(flow_ids),
        places=places,
        applied=outcome.applied,
        connected=outcome.connected,
        can_mail=outcome.can_mail,
        now=outcome.now,
        is_public=outcome.is_public,
        unset=outcome.unset,
    )
    problems = {problem for check in CHECKS for problem in check(checked)}
    errors = sorted(one for one in problems if one.severity is Severity.ERROR and one.file in places)
    return [_misfit(outcome.flows, one) for one in errors]


class _Everywhere(Mapping[str, tuple[str, Mark]]):
    """Every path of these flows is a place of its own; nothing else has one."""

    def __init__(self, flow_ids: Collection[str]) -> None:
        self._flow_ids = frozenset(flow_ids)

    def __contains__(self, path: object) -> bool:
        return isinstance(path, str) and ":" in path and path.partition(":")[0] in self._flow_ids

    def __getitem__(self, path: str) -> tuple[str, Mark]:
        if path not in self:
            raise KeyError(path)
        return path, Mark(1, 1)

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0


def _misfit(flows: Mapping[str, Raw], problem: Problem) -> Misfit:
    flow_id, _, inside = problem.file.partition(":")
    verbs = {step.path.partition(":")[2]: str(step.raw["do"]) for step in steps(flow_id, flows[flow_id])}
    path = inside
    while path and path not in verbs:
        path = path.rpartition(".")[0]
    if not path:
        found = re.match(r"when\.\d+|\w*", inside)
        path = found[0] if found else ""
    return Misfit(flow_id, path, verbs.get(path), problem.code, problem.message, problem.hint)
