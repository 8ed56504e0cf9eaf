"""Tracked links and their clicks."""

from dataclasses import dataclass
from datetime import datetime

from pamosnik._sqlite import Connection
from pamosnik.services.shapes import Shape, iso
from pamosnik.store import reads
from pamosnik.store.accounts import Account
from pamosnik.store.times import optional_instant


@dataclass(frozen=True, slots=True)
class Link:
    name: str | None
    address: str
    step: str
    clicks: int
    first_click_at: datetime | None
    last_click_at: datetime | None

    def shape(self) -> Shape:
        return {
            "name": self.name,
            "address": self.address,
            "step": self.step,
            "clicks": self.clicks,
            "first_click_at": iso(self.first_click_at),
            "last_click_at": iso(self.last_click_at),
        }


def sent(
    conn: Connection, account: Account, *, run_id: str | None = None, event_id: str | None = None
) -> list[Link]:
    """Tracked links that a run, or the turns of an event, sent, in that order."""
    return [
        Link(row[0], row[1], row[2], row[3], optional_instant(row[4]), optional_instant(row[5]))
        for row in reads.links(conn, account.id, run_id=run_id, event_id=event_id)
    ]
