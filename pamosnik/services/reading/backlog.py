"""Why the queue is as long as it is: for each connection what waits for what, when the last of it will be out, and
what will be too late. Counted from where each item stands, as the queue's list shows it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from pamosnik.clock import local_minute
from pamosnik.services.reading import forecast
from pamosnik.services.reading.holding import Holds
from pamosnik.services.reading.standing import Placed


@dataclass(frozen=True, slots=True)
class Group:
    """What waits for the same."""

    holds: Holds
    ids: Sequence[str]
    """Of its items, the latest made first."""

    @property
    def number(self) -> int:
        return len(self.ids)


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
        return sum(group.number for group in self.groups)

    def sentence(self, zone: str, now: datetime) -> str:
        """How many wait, what holds them, until when."""
        why = ", ".join(f"{group.number:,} {group.holds.words}" for group in self.groups)
        late = f"{self.too_late:,} will be too late" if self.too_late else "none will be too late"
        if self.last_out is None:
            out = "nothing of it leaves by itself"
        elif self.last_out <= now:
            out = "what can leave by itself leaves now"
        else:
            out = f"the last one leaves at about {local_minute(self.last_out, zone)}"
        return f"{self.waiting:,} not out yet: {why}. As things stand {out}; {late}."


def by_connection(waiting: Sequence[Placed]) -> Sequence[tuple[str, Backlog]]:
    """(connection, what it has not sent yet); connections without any are left out. `waiting`: as for `of`."""
    names = sorted({one.connection for one in waiting})
    return [(name, of(one for one in waiting if one.connection == name)) for name in names]


def of(waiting: Iterable[Placed]) -> Backlog:
    """`waiting`: the latest made first."""
    by_cause: dict[Holds, list[str]] = {}
    last_due: int | None = None
    leaves: list[datetime] = []
    too_late = 0
    for one in waiting:
        by_cause.setdefault(one.holds, []).append(one.id)
        too_late += one.too_late
        if one.due_at is not None:
            last_due = one.due_at if last_due is None else max(last_due, one.due_at)
        if one.expected_at is not None:
            leaves.append(one.expected_at)
    groups = [Group(cause, by_cause[cause]) for cause in Holds if cause in by_cause]
    return Backlog(groups, forecast.last_out(leaves, last_due), too_late)
