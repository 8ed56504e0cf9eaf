"""Events for people who look for some of them: the newest first, filtered, and never more than `LOOKED_AT` looked at
in one go, however rare what is asked for.

A list walks along one index: of all the account's events, of a post's, of a person's, or of those that nothing
answered. Where a walk of that length ends is found first, which reads the index alone.
"""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from pamosnik._sqlite import Connection
from pamosnik.ids import earliest
from pamosnik.model.event import EventKind, Verdict
from pamosnik.store.reads import AFTER_ALL, EVENT_COLUMNS
from pamosnik.store.times import instant

LOOKED_AT = 20_000
"""On a slow machine this takes a tenth of a second where texts are compared."""

_MISSED = frozenset({Verdict.NO_MATCH, Verdict.FILTERED, Verdict.ERROR, Verdict.UNSUPPORTED})
_IS_MISSED = "e.verdict IN ('no_match', 'filtered', 'error', 'unsupported')"
"""As the index `events_missed` has it: SQLite takes it for a condition of these words alone."""

_IN_TEXT = (
    "(instr(lower({0}), :text) OR (({0} GLOB :foreign OR {0} GLOB '*  *') AND instr(folded({0}), :text)))"
)
"""What is plain ASCII is compared without leaving SQLite: folding ten thousands of texts takes too long."""
_FOREIGN = "*[^ -~]*"
_IN_NAME = "instr(lower({0}), :text)"
_HAS_TEXT = (
    f"({_IN_TEXT.format('e.text')} OR CASE WHEN e.username IS NOT NULL THEN {_IN_NAME.format('e.username')}"  # noqa: S608
    " ELSE EXISTS (SELECT 1 FROM contacts p WHERE p.connection_id=e.connection_id AND p.igsid=e.igsid"
    f" AND {_IN_NAME.format('p.username')}) END)"
)
"""Whoever comments is named in the event; who writes is known as a person alone."""


@dataclass(frozen=True, slots=True)
class EventFilter:
    """Which events are asked for; None: all."""

    kinds: frozenset[EventKind] | None = None
    verdicts: frozenset[Verdict] | None = None
    flow_id: str | None = None
    connection_id: str | None = None
    media_id: str | None = None
    """With the post's connection."""
    igsids: Collection[str] = ()
    """With the person's connection."""
    since: datetime | None = None
    """When it arrived, and before when, as ids tell it."""
    until: datetime | None = None
    text: str | None = None
    """As `model.words.fold` writes it: in the text or in the person's username."""
    before: str | None = None
    """Only what arrived before the event of this id."""

    @property
    def asks(self) -> bool:
        """Whether an event on the way may be none of them. All events of a post or a person are of one connection."""
        several = not self.igsids and self.media_id is None
        return any((self.kinds, self.verdicts, self.flow_id, self.text, several and self.connection_id))


@dataclass(frozen=True, slots=True)
class Walked:
    """What a list found on its way."""

    rows: list[tuple[Any, ...]] = field(default_factory=list)
    """Of `reads.EVENT_COLUMNS`."""
    stopped_at: str | None = None
    """The last event that was looked at, where there are more behind it."""
    stopped_on: datetime | None = None
    """When that one arrived."""


def walk(
    conn: Connection, account_id: str, wanted: EventFilter, *, limit: int, most: int = LOOKED_AT
) -> Walked:
    """The newest events of those that are asked for, among the first so many on the way."""
    along, asked, values = _conditions(account_id, wanted)
    stopped = _end_of_walk(conn, along, values, most) if wanted.asks else None
    if stopped is not None:
        values["from"] = stopped[0]
    conditions = "".join(f" AND {one}" for one in asked)
    rows = conn.execute(
        f"SELECT {EVENT_COLUMNS} FROM events e JOIN connections c USING (connection_id)"  # noqa: S608 - no values
        f" WHERE {along}{conditions} ORDER BY e.event_id DESC LIMIT :limit",
        {**values, "limit": limit},
    ).fetchall()
    return Walked(rows) if stopped is None else Walked(rows, *stopped)


def _end_of_walk(
    conn: Connection, along: str, values: dict[str, object], most: int
) -> tuple[str, datetime] | None:
    """None: the way is shorter."""
    ids = conn.execute(
        f"SELECT e.event_id FROM events e WHERE {along} ORDER BY e.event_id DESC LIMIT 2 OFFSET :places",  # noqa: S608
        {**values, "places": most - 1},
    ).fetchall()
    if len(ids) < 2:
        return None
    (event_id,) = ids[0]
    (at,) = conn.execute("SELECT received_at FROM events WHERE event_id=?", (event_id,)).fetchone()
    return event_id, instant(at)


_OURS = "EXISTS (SELECT 1 FROM connections o WHERE o.connection_id=:connection AND o.account_id=:account)"
"""Asked once: the account of each event stands in no index of people or posts, and would have to be fetched."""


def _conditions(account_id: str, wanted: EventFilter) -> tuple[str, list[str], dict[str, object]]:
    """What the way goes along, what is asked of each event on it, and the values of both. With `+` a column is
    compared and no index is looked for by it."""
    before = min(wanted.before or AFTER_ALL, AFTER_ALL if wanted.until is None else earliest(wanted.until))
    values: dict[str, object] = {
        "account": account_id,
        "connection": wanted.connection_id,
        "media": wanted.media_id,
        "before": before,
        "from": "" if wanted.since is None else earliest(wanted.since),
        "flow": wanted.flow_id,
        "text": wanted.text,
        "foreign": _FOREIGN,
    }
    ids = "e.event_id<:before AND e.event_id>=:from"
    asked: list[str] = []
    if wanted.igsids:
        marks = {f"igsid{number}": igsid for number, igsid in enumerate(wanted.igsids)}
        values |= marks
        named = ", ".join(f":{name}" for name in marks)
        along = f"{_OURS} AND e.connection_id=:connection AND e.igsid IN ({named}) AND {ids}"
    elif wanted.media_id is not None:
        along = f"{_OURS} AND e.connection_id=:connection AND e.media_id=:media AND {ids}"
    else:
        along = f"e.account_id=:account AND {ids}"
        if wanted.connection_id is not None:
            asked.append("e.connection_id=:connection")
    if wanted.verdicts is not None and wanted.verdicts <= _MISSED:
        along += f" AND {_IS_MISSED}"
    if wanted.verdicts is not None:
        asked.append(f"e.verdict IN ({_quoted(wanted.verdicts)})")
    if wanted.kinds is not None:
        asked.append(f"e.kind IN ({_quoted(wanted.kinds)})")
    if wanted.flow_id is not None:
        asked.append("e.flow_id=:flow")
    if wanted.text is not None:
        asked.append(_HAS_TEXT)
    return along, asked, values


def _quoted(words: Collection[EventKind] | Collection[Verdict]) -> str:
    """Words of the program's own."""
    return ", ".join(f"'{word.value}'" for word in sorted(words))


def connection_of_post(conn: Connection, account_id: str, media_id: str) -> str | None:
    """The connection under whose post people commented; None: nobody did."""
    row = conn.execute(
        "SELECT c.connection_id FROM connections c WHERE c.account_id=? AND EXISTS"
        " (SELECT 1 FROM events e WHERE e.connection_id=c.connection_id AND e.media_id=?)",
        (account_id, media_id),
    ).fetchone()
    return None if row is None else str(row[0])


# --- what nothing answered -------------------------------------------------------------------------------


class MissedRow(NamedTuple):
    """An event that no flow took, or that one refused; as the columns have it, for there are thousands."""

    event_id: str
    kind: str
    text: str | None
    igsid: str | None
    connection_id: str
    media_id: str | None
    verdict: str
    flow_id: str | None
    reason: str | None
    received_at: int

    @property
    def at(self) -> datetime:
        """When it arrived."""
        return instant(self.received_at)


def missed(conn: Connection, account_id: str, *, limit: int) -> list[MissedRow]:
    """The newest first."""
    rows = conn.execute(
        "SELECT e.event_id, e.kind, e.text, e.igsid, e.connection_id, e.media_id, e.verdict, e.flow_id, e.reason,"  # noqa: S608
        f" e.received_at FROM events e WHERE e.account_id=? AND {_IS_MISSED}"
        " AND e.verdict IN ('no_match', 'filtered') ORDER BY e.event_id DESC LIMIT ?",
        (account_id, limit),
    )
    return [MissedRow._make(row) for row in rows]
