"""Which ways through the flows the tests have gone."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pamosnik.engine.steps import TAKES_THE_WAY
from pamosnik.flows.ways import STARTED, Way
from pamosnik.rehearsal.walks import Walk

_IN_VAIN = "ignored"
"""What a trace says of a tap while the steps of the button are still under way."""


@dataclass(frozen=True, slots=True)
class Coverage:
    reached: tuple[Way, ...]
    missed: tuple[Way, ...]

    @property
    def of(self) -> int:
        return len(self.reached) + len(self.missed)


def coverage(ways: Iterable[Way], walks: Iterable[Walk]) -> Coverage:
    by_flow: dict[str, list[Walk]] = {}
    for walk in walks:
        by_flow.setdefault(walk.flow, []).append(walk)
    reached: list[Way] = []
    missed: list[Way] = []
    for way in ways:
        was_there = any(_went(way, walk) for walk in by_flow.get(way.flow, ()))
        (reached if was_there else missed).append(way)
    return Coverage(tuple(reached), tuple(missed))


def _went(way: Way, walk: Walk) -> bool:
    parts = way.path.split(".")
    if way.path == STARTED:
        return True
    if parts[0] == "when":
        return int(parts[1]) in walk.triggers
    step = ".".join(parts[:-2])
    if parts[-2] == "choose":
        return (step, "done", f"branch {int(parts[-1]) + 1}") in walk.checks
    if parts[-2] == "split":
        return any(
            path == step and said == TAKES_THE_WAY and detail.startswith(f"{way.name}, ")
            for path, said, detail in walk.checks
        )
    return _stepped(way.path, walk.checks)


def _stepped(way: str, checks: Sequence[tuple[str, str, str]]) -> bool:
    """Whether a run has been at the button, or at a step behind it."""
    return any((path == way and said != _IN_VAIN) or path.startswith(f"{way}.") for path, said, _ in checks)
