"""Why the queue is as long as it is: for each connection what waits for what, when the last of it will be out, and
what will be too late. Counted from the very items that the queue's list shows."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from pamosnik.clock import local_minute
from pamosnik.model.outbox import ItemStatus
from pamosnik.services.reading.holding import Holds
from pamosnik.services.reading.queue import Item


@dataclass(frozen=True, slots=True)
class Group:
    """What waits for the same."""

    holds: Holds
    items: Sequence[Item]
    """The latest made first."""


@dataclass(frozen=True, slots=True)
class Backlog:
    """What has not left yet, of one connection or of all."""

    groups: Sequence[Group]
    """What needs the owner first."""
    last_out: datetime | None
    """When the last of what leaves by itself will be out; None: nothing is queued."""
    too_late: int

    @property
    def waiting(self) -> int:
        return sum(len(group.items) for group in self.groups)

    def sentence(self, zone: str, now: datetime) -> str:
        """How many wait, what holds them, until when."""
        why = ", ".join(f"{len(group.items):,} {group.holds.words}" for group in self.groups)
        late = f"{self.too_late:,} will be too late" if self.too_late else "none will be too late"
        if self.last_out is None:
            out = "nothing of it leaves by itself"
        elif self.last_out <= now:
            out = "what can leave by itself leaves now"
        else:
            out = f"the last one leaves at about {local_minute(self.last_out, zone)}"
        return f"{self.waiting:,} not out yet: {why}. As things stand {out}; {late}."


def by_connection(items: Sequence[Item]) -> Sequence[tuple[str, Backlog]]:
    """(connection, what it has not sent yet); connections without any are left out. `items`: as for `of`."""
    names = sorted({item.connection for item in items})
    return [(name, of(item for item in items if item.connection == name)) for name in names]


def of(items: Iterable[Item]) -> Backlog:
    """`items`: such as have not come to their end, the latest made first."""
    by_cause: dict[Holds, list[Item]] = {}
    last_out: datetime | None = None
    too_late = 0
    for item in items:
        if item.holds is None:
            continue
        by_cause.setdefault(item.holds, []).append(item)
        too_late += item.too_late
        if item.status == ItemStatus.QUEUED:
            out = item.due_at if item.expected_at is None else max(item.due_at, item.expected_at)
            last_out = out if last_out is None else max(last_out, out)
    return Backlog(
        [Group(cause, by_cause[cause]) for cause in Holds if cause in by_cause], last_out, too_late
    )
