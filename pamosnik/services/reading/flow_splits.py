"""The ways of a `split` side by side, and whether their difference means something."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist

from pamosnik.store import stats

ENOUGH = 30
"""Runs on each way, and `_ENOUGH_OF_EACH` that completed and that did not: below that the test says nothing."""
_ENOUGH_OF_EACH = 5
SURE = 0.05
"""So rarely may chance alone make such a difference."""


@dataclass(frozen=True, slots=True)
class Share:
    """One way of a `split`."""

    name: str
    started: int
    completed: int

    @property
    def rate(self) -> float | None:
        """Of those who took it; None: nobody did."""
        return self.completed / self.started if self.started else None


@dataclass(frozen=True, slots=True)
class Comparison:
    shares: tuple[Share, ...]
    sentence: str


def compared(
    names: Sequence[Sequence[str]], counted: Mapping[str, Mapping[str, int]]
) -> tuple[Comparison, ...]:
    """`names`: the ways of each `split` of a version; `counted`: as of `FlowCounts.splits`."""
    made = []
    for ways in names:
        shares = tuple(_share(name, counted.get(name, {})) for name in ways)
        made.append(Comparison(shares, sentence(shares)))
    return tuple(made)


def _share(name: str, counted: Mapping[str, int]) -> Share:
    return Share(name, counted.get(stats.STARTED, 0), counted.get(stats.COMPLETED, 0))


def sentence(shares: Sequence[Share]) -> str:
    """Whether the best way is better than the next best by more than chance."""
    few = [share for share in shares if share.started < ENOUGH]
    if few:
        least = min(few, key=lambda share: share.started)
        return f"Too early to say: each way needs at least {ENOUGH} people, and {least.name} has {least.started}."
    best, other = sorted(shares, key=lambda share: -(share.rate or 0.0))[:2]
    completed, started = best.completed + other.completed, best.started + other.started
    if min(completed, started - completed) < 2 * _ENOUGH_OF_EACH:
        return "Too early to say: too few have completed, or too few have not, to compare the ways."
    chance = min(by_chance(best, other) * (len(shares) - 1), 1.0)
    rates = f"{best.rate:.0%} against {other.rate:.0%} of {other.name}"
    if chance < SURE:
        return (
            f"{best.name} completes more often, {rates}, and chance alone makes such a difference in fewer than"
            f" {_in_a_hundred(chance)} of 100 cases."
        )
    return (
        f"No difference to rely on yet: {best.name} is ahead, {rates}, but chance alone makes such a difference in"
        f" about {chance * 100:.0f} of 100 cases."
    )


def _in_a_hundred(chance: float) -> int:
    return max(math.ceil(chance * 100), 1)


def by_chance(one: Share, other: Share) -> float:
    """How likely a difference at least as large is if both ways were equally good: the two-sided test of two
    proportions, with their common rate."""
    common = (one.completed + other.completed) / (one.started + other.started)
    spread = math.sqrt(common * (1 - common) * (1 / one.started + 1 / other.started))
    apart = abs(one.completed / one.started - other.completed / other.started)
    return 2 * (1 - NormalDist().cdf(apart / spread)) if spread else 1.0
