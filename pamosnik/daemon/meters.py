"""What the daemon counts while it runs, beside what stands in the database; it begins at 0 with each start."""

from collections import Counter
from dataclasses import dataclass, field

from prometheus_client import Histogram

from pamosnik.model.outbox import OutboxItem, Outcome

_COMMIT_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5)


def _commits() -> Histogram:
    return Histogram(
        "pamosnik_commit_seconds",
        "How long a transaction took, with everything that was committed together.",
        buckets=_COMMIT_S,
        registry=None,
    )


@dataclass(frozen=True, slots=True)
class Meters:
    attempts: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    """(account, kind, outcome) → requests to Meta that send or do something."""
    deliveries: Counter[str] = field(default_factory=Counter)
    """What became of webhook deliveries: `accepted`, `bad_signature`, `unreadable`."""
    commits: Histogram = field(default_factory=_commits)

    def attempted(self, item: OutboxItem, outcome: Outcome) -> None:
        self.attempts[item.account_id, item.kind.value, outcome.kind.value] += 1
