"""What is queued: when it leaves at Meta's pace, and what will be too late."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from pamosnik._sqlite import Connection
from pamosnik.clock import local_minute
from pamosnik.model.outbox import ItemKind, ItemStatus, Quota
from pamosnik.outbox.pacing import COUNTS_FOR, Usage, outlook
from pamosnik.store import attempts, connections, outbox, reads
from pamosnik.store.accounts import Account
from pamosnik.store.connections import Connected, ConnectionStatus
from pamosnik.store.times import instant

SOON = timedelta(hours=1)
_A_MOMENT = timedelta(minutes=1)
_PRIVATE = ItemKind.PRIVATE_REPLY.value


def leaving(conn: Connection, connected: Sequence[Connected], now: datetime) -> dict[str, datetime | None]:
    """Private replies that wait for Meta's hour, or for a rest to be over: when each leaves; None: never in time."""
    leaves: dict[str, datetime | None] = {}
    for one in connected:
        if one.status is not ConnectionStatus.ACTIVE:
            continue
        waiting = outbox.waiting(conn, one.id, Quota.PRIVATE_REPLY)
        if not waiting:
            continue
        rest, _ = connections.quota_rests(conn, one.id).get(Quota.PRIVATE_REPLY, (now, ""))
        start = max(now, one.rest_until or now, rest)
        sent = attempts.times(conn, one.id, Quota.PRIVATE_REPLY, start - COUNTS_FOR)
        usage = connections.usage(conn, one.id).get(Quota.PRIVATE_REPLY)
        gap = timedelta() if usage is None else Usage(*usage).gap(Quota.PRIVATE_REPLY, start)
        found = outlook([deadline for _, deadline in waiting], sent, start, gap=gap)
        for (item_id, _), at in zip(waiting, found.leaves, strict=True):
            if at is None or at > now + _A_MOMENT:
                leaves[item_id] = at
    return leaves


def slowed(conn: Connection, connected: Sequence[Connected], now: datetime) -> dict[str, int]:
    """Connections whose private replies leave more slowly for Meta's usage headers, and the percent they say."""
    heard = {one.id: connections.usage(conn, one.id).get(Quota.PRIVATE_REPLY) for one in connected}
    return {
        name: usage[0]
        for name, usage in heard.items()
        if usage is not None and Usage(*usage).gap(Quota.PRIVATE_REPLY, now)
    }


def last_out(leaves: Iterable[datetime | None], last_due: int | None) -> datetime | None:
    """When the last queued item will be out."""
    due = None if last_due is None else instant(last_due)
    return max((at for at in (due, *leaves) if at is not None), default=None)


def will_expire(
    conn: Connection, account: Account, leaves: Mapping[str, datetime | None], now: datetime
) -> int:
    """What is too late at Meta's pace, and what else has less than an hour left."""
    soon = reads.queue_expiring(conn, account.id, now + SOON, but_not=_PRIVATE)
    return soon + sum(at is None for at in leaves.values())


def prospects(conn: Connection, account: Account, now: datetime) -> str | None:
    """How long what is queued takes, in a sentence; None when nothing waits."""
    queued = reads.queue_counts(conn, account.id).get(ItemStatus.QUEUED.value, 0)
    if not queued:
        return None
    leaves = leaving(conn, connections.of_account(conn, account.id), now)
    last = last_out(leaves.values(), reads.queue_times(conn, account.id)[1])
    late = will_expire(conn, account, leaves, now)
    out = (
        "leaves now"
        if last is None or last <= now
        else f"leaves at about {local_minute(last, account.timezone)}"
    )
    lost = f"{late} will be too late" if late else "none will be too late"
    return f"{queued} queued: the last one {out}; {lost}."
