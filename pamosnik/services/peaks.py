"""What a plan would have made of the comments of the last days: the busiest hour of private replies, then and now."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from pamosnik._sqlite import Connection
from pamosnik.engine.catalog import Catalog
from pamosnik.engine.takings import Asked, Comment, Place, Taken, alike, private_replies
from pamosnik.flows.compile import compile_flow, compile_settings
from pamosnik.flows.durations import written
from pamosnik.flows.plan_lines import Said, Tone
from pamosnik.instagram import limits
from pamosnik.model.book import Book
from pamosnik.outbox.pacing import HOUR
from pamosnik.outbox.peaks import Jam, busiest_hour, jam
from pamosnik.services.flows import Proposal
from pamosnik.services.library import Library
from pamosnik.services.shapes import Shape, iso
from pamosnik.store import connections, inbox
from pamosnik.store import flows as flow_store

LOOKS_BACK = timedelta(days=30)
FLOWS_NAMED = 4


@dataclass(frozen=True, slots=True)
class Peak:
    """Of one connection."""

    connection: str
    comments: int
    """How many were recorded."""
    before: int
    """Private replies in the busiest hour with the flows that are applied."""
    after: int
    begins_at: datetime | None
    """Of the busiest hour with the new flows; None: they would not have answered any."""
    flows: Mapping[str, int]
    """What each flow has in that hour, the most first."""
    jam: Jam

    @property
    def over(self) -> bool:
        """More than Meta allows."""
        return self.after > limits.PRIVATE_REPLIES_PER_HOUR

    @property
    def rises(self) -> bool:
        return self.after > self.before


def peaks(conn: Connection, account_id: str, proposal: Proposal, now: datetime) -> tuple[Peak, ...]:
    """By connection. Empty when the plan leaves alone which comments are answered, or none were recorded."""
    before = Library().catalog(conn, account_id)
    after, renamed = _afterwards(before, proposal), proposal.plan.renamed
    if alike(before, after, renamed):
        return ()
    found = []
    for connected in connections.of_account(conn, account_id):
        comments = _comments(conn, account_id, connected.id, now)
        if not comments:
            continue
        codes, bound = flow_store.shortcodes(conn, connected.id), flow_store.bound_posts(conn, connected.id)
        then = {**bound, **{new: bound[old] for new, old in renamed.items() if old in bound}}
        books = [
            Asked(before, Place(connected.username, codes, bound)),
            Asked(after, Place(connected.username, codes, then)),
        ]
        old, new = private_replies(books, comments, now)
        found.append(_peak(connected.username, len(comments), old, new))
    return tuple(found)


def _afterwards(before: Catalog, proposal: Proposal) -> Catalog:
    """What the applied flows would be."""
    bodies = {flow.id: flow.body for flow in proposal.loaded.flows}
    flows = []
    for flow_id in proposal.plan.order:
        if flow_id in bodies:
            flows.append(compile_flow(flow_id, bodies[flow_id], timezone=proposal.timezone))
        else:
            flows.append(before.flows[flow_id])
    paused = {new: before.paused[old] for new, old in proposal.plan.renamed.items() if old in before.paused}
    return Catalog(
        Book(tuple(flows), compile_settings(proposal.loaded.settings)), paused={**before.paused, **paused}
    )


def _comments(conn: Connection, account_id: str, connection_id: str, now: datetime) -> list[Comment]:
    """The earliest first."""
    since = now - LOOKS_BACK
    rows = inbox.comments_since(conn, account_id, connection_id, since)
    # What was found late, by reading the comments of a post, may have been written long before.
    return sorted((Comment(*row) for row in rows if row[0] >= since), key=lambda comment: comment.at)


def _peak(connection: str, comments: int, old: Sequence[Taken], new: Sequence[Taken]) -> Peak:
    before, after = busiest_hour([at for at, _ in old]), busiest_hour([at for at, _ in new])
    begins = None if after is None else after.begins_at
    inside = Counter(flow_id for at, flow_id in new if begins is not None and begins <= at < begins + HOUR)
    return Peak(
        connection,
        comments,
        0 if before is None else before.count,
        0 if after is None else after.count,
        begins,
        dict(inside.most_common()),
        jam([at for at, _ in new]),
    )


def peak_lines(found: Sequence[Peak], zone: str) -> Iterator[Said]:
    """Of the connections whose busiest hour grows, or is more than Instagram allows. `zone`: of the clock times."""
    for peak in found:
        if peak.begins_at is None or not (peak.rises or peak.over):
            continue
        of = f"{peak.comments:,} recorded comment{'' if peak.comments == 1 else 's'}"
        yield Said(f"! private replies of @{peak.connection}, by its {of} of the last 30 days", Tone.CHANGED)
        hour = f"{peak.begins_at.astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M}"
        before = f"{peak.before:,} with the flows that are applied"
        yield Said(f"    In the busiest hour, from {hour}: {peak.after:,} ({before}).")
        yield Said(f"    {_by(peak.flows)}")
        if peak.over:
            yield Said(f"    {_over(peak)}", Tone.GONE)


def _by(flows: Mapping[str, int]) -> str:
    if len(flows) == 1:
        return f"All by {next(iter(flows))}."
    named = [f"{flow} {count:,}" for flow, count in list(flows.items())[:FLOWS_NAMED]]
    rest = sum(flows.values()) - sum(list(flows.values())[:FLOWS_NAMED])
    return f"By {', '.join([*named, *([f'others {rest:,}'] if rest else [])])}."


def _over(peak: Peak) -> str:
    minutes = -(-peak.jam.longest_wait // timedelta(minutes=1))
    wait = written(minutes * 60)
    told = f"Instagram allows {limits.PRIVATE_REPLIES_PER_HOUR} an hour: the last would have waited {wait}."
    if peak.jam.too_late:
        days = limits.PRIVATE_REPLY_WITHIN.days
        told += f" {peak.jam.too_late:,} would never have got theirs: that is possible for {days} days only."
    return told


def peak_json(peak: Peak) -> Shape:
    return {
        "connection": peak.connection,
        "comments": peak.comments,
        "before": peak.before,
        "after": peak.after,
        "begins_at": iso(peak.begins_at),
        "flows": dict(peak.flows),
        "limit": limits.PRIVATE_REPLIES_PER_HOUR,
        "longest_wait_s": int(peak.jam.longest_wait.total_seconds()),
        "too_late": peak.jam.too_late,
    }
