"""What came in and what was refused lately, in numbers: what `doctor` judges the way from and to Meta by."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from pamosnik._sqlite import Connection
from pamosnik.model.event import INBOUND_MESSAGES, Verdict
from pamosnik.store.times import instant, ms

LOOKED_AT = 20_000
"""Events, the newest: who looks more often than that many come in misses nothing."""

_NEWEST = (
    "(SELECT connection_id, kind, verdict, recovered, received_at, mid, by_run FROM events"
    " WHERE account_id=:account ORDER BY event_id DESC LIMIT :most)"
)


@dataclass(frozen=True, slots=True)
class Heard:
    """Events of one kind that came in one way."""

    kind: str
    test: bool
    """Made by the Test button of Meta's dashboard."""
    recovered: bool
    """No webhook told it: it was found by reading."""
    count: int
    last_at: datetime


def _newest(account_id: str, connection_id: str) -> dict[str, object]:
    return {"account": account_id, "connection": connection_id, "most": LOOKED_AT}


def lately(conn: Connection, account_id: str, connection_id: str) -> list[Heard]:
    """Of what is kept."""
    rows = conn.execute(
        f"SELECT kind, verdict=:test, recovered, count(*), max(received_at) FROM {_NEWEST}"  # noqa: S608 - our own text
        " WHERE connection_id=:connection AND by_run IS NULL GROUP BY 1, 2, 3",
        {**_newest(account_id, connection_id), "test": Verdict.TEST.value},
    )
    return [Heard(row[0], bool(row[1]), bool(row[2]), row[3], instant(row[4])) for row in rows]


def written_elsewhere(conn: Connection, account_id: str, connection_id: str, since: datetime) -> int:
    """Echoes of messages that did not leave from here: the owner's own, or another tool's."""
    (count,) = conn.execute(
        f"SELECT count(*) FROM {_NEWEST} WHERE connection_id=:connection AND kind='echo' AND received_at>=:since"  # noqa: S608
        " AND mid NOT IN (SELECT message_id FROM outbox WHERE connection_id=:connection AND message_id IS NOT NULL)",
        {**_newest(account_id, connection_id), "since": ms(since)},
    ).fetchone()
    return int(count)


def refusals(conn: Connection, connection_id: str, since: datetime) -> Mapping[str, int]:
    """Reason → how many messages failed with it."""
    rows = conn.execute(
        "SELECT reason, count(*) FROM outbox WHERE connection_id=? AND status='failed' AND reason IS NOT NULL"
        " AND last_attempt_at>=? GROUP BY reason",
        (connection_id, ms(since)),
    )
    return dict(rows.fetchall())


def refused_just_after_writing(
    conn: Connection, connection_id: str, since: datetime, within: timedelta, codes: Collection[str]
) -> int:
    """Messages that failed with one of these codes of Meta's (like 10/2534022) although the person had written that
    short a time before."""
    kinds = ", ".join(f"'{kind.value}'" for kind in sorted(INBOUND_MESSAGES))
    said = " OR ".join("o.reason LIKE ?" for _ in codes)
    (count,) = conn.execute(
        "SELECT count(*) FROM outbox AS o WHERE o.connection_id=? AND o.status='failed' AND o.last_attempt_at>=?"  # noqa: S608
        f" AND ({said}) AND EXISTS (SELECT 1 FROM events AS e WHERE e.connection_id=o.connection_id"
        f" AND e.igsid=o.igsid AND e.kind IN ({kinds})"
        " AND coalesce(e.occurred_at, e.received_at) BETWEEN o.last_attempt_at-? AND o.last_attempt_at)",
        (connection_id, ms(since), *(f"%{code})%" for code in codes), int(within.total_seconds() * 1000)),
    ).fetchone()
    return int(count)
