"""What came in, and what became of it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pamosnik._sqlite import Connection
from pamosnik.errors import NotFound
from pamosnik.services.shapes import Shape, iso
from pamosnik.store import reads
from pamosnik.store.accounts import Account
from pamosnik.store.times import instant

KINDS: Mapping[str, str] = {
    "comment": "comment",
    "live_comment": "live comment",
    "message": "message",
    "story_reply": "story reply",
    "story_mention": "story mention",
    "shared_post": "shared post",
    "reaction": "reaction",
    "postback": "tap",
    "referral": "came by a link or an ad",
    "seen": "seen",
    "edit": "edited message",
    "deletion": "deleted message",
    "echo": "sent by the account",
    "handover": "taken by another app",
    "unsupported": "something unknown",
    "tag_added": "new tag",
    "field_set": "new value of a field",
}
"""Kinds as pages call them."""
OUTCOMES: Mapping[str, str] = {
    "started": "started {flow}",
    "resumed": "went on in {flow}",
    "no_match": "no flow took it",
    "filtered": "{flow} did not take it",
    "noted": "noted",
    "paused": "left to the owner",
    "handed_over": "left to a human",
    "opted_out": "opted out",
    "duplicate": "came twice",
    "own": "the account's own",
    "test": "a test",
    "unsupported": "not understood",
    "error": "failed",
    "pending": "waits for its turn",
}
"""Verdicts as pages call them."""


@dataclass(frozen=True, slots=True)
class Event:
    """Something Meta told, or a change that another flow made."""

    id: str
    kind: str
    username: str | None
    """As the event says it, or as it is known of the person."""
    igsid: str | None
    text: str | None
    at: datetime
    """When it happened; where Meta did not say, when it arrived."""
    verdict: str
    flow: str | None
    reason: str | None
    run: str | None
    comment_id: str | None
    message_id: str | None
    seen_times: int
    recovered: bool
    connection: str
    trace: str | None
    """As it stands in its row: JSON."""

    @property
    def who(self) -> str:
        """For people."""
        return f"@{self.username}" if self.username else (self.igsid or "–")

    @property
    def called(self) -> str:
        """What it is, for people."""
        return KINDS[self.kind]

    @property
    def outcome(self) -> str:
        """What became of it, for people."""
        return OUTCOMES[self.verdict].format(flow=self.flow)

    def shape(self) -> Shape:
        return {
            "id": self.id,
            "kind": self.kind,
            "from": {"username": self.username, "igsid": self.igsid},
            "text": self.text,
            "at": iso(self.at),
            "verdict": self.verdict,
            "flow": self.flow,
            "reason": self.reason,
            "run": self.run,
            "comment_id": self.comment_id,
            "message_id": self.message_id,
            "seen_times": self.seen_times,
            "recovered": self.recovered,
            "connection": self.connection,
        }


def newest(
    conn: Connection,
    account: Account,
    *,
    limit: int | None,
    since: datetime | None,
    before: str | None = None,
) -> list[Event]:
    """The latest first; `before`: those older than the event of this id."""
    rows = reads.events(conn, account.id, limit=limit, since=since, before=before)
    return [of_row(row) for row in rows]


def named(conn: Connection, account: Account, what: str) -> tuple[Event, list[list[str]]]:
    """The event that an id names (the latest of a person), and the checks behind its verdict."""
    row = reads.event(conn, account.id, what.upper())
    if row is None:
        row = next(iter(reads.find_events(conn, account.id, what)), None)
    if row is None:
        raise NotFound(f"No event is known by {what}.", hint="Try: pamosnik events list")
    found = of_row(row)
    return found, _checks(conn, found)


def by_id(conn: Connection, account: Account, event_id: str) -> Event:
    """Raises `NotFound`."""
    row = reads.event(conn, account.id, event_id)
    if row is None:
        raise NotFound(f"There is no event {event_id}.", hint="Try: pamosnik events list")
    return of_row(row)


def exists(conn: Connection, account: Account, event_id: str) -> bool:
    return reads.event(conn, account.id, event_id) is not None


def _checks(conn: Connection, found: Event) -> list[list[str]]:
    checks: list[list[str]] = json.loads(found.trace) if found.trace else []
    for trace in reads.turns_of(conn, found.id):
        # A `run:` that led nowhere: what the person waits for does not come.
        checks += [check for check in json.loads(trace) if check[:2] == ["run", "skipped"]]
    for trace in reads.went_on(conn, found.id):
        checks += [check for check in json.loads(trace) if check[2]]
    return checks


def whole(conn: Connection, account: Account, what: str) -> Shape:
    """The event that an id names, with its trace."""
    found, checks = named(conn, account, what)
    return {**found.shape(), "trace": checks}


def of_row(row: tuple[Any, ...]) -> Event:
    """Of `reads.EVENT_COLUMNS`."""
    return Event(
        id=row[0],
        kind=row[1],
        username=row[2] or row[16],
        igsid=row[3],
        text=row[4],
        at=instant(row[5] if row[5] is not None else row[6]),
        verdict=row[7],
        flow=row[8],
        reason=row[9],
        run=row[10],
        comment_id=row[12],
        message_id=row[13],
        seen_times=row[14],
        recovered=bool(row[17]),
        connection=row[15],
        trace=row[11],
    )
