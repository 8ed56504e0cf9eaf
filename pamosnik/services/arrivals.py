"""What people did, counted: for the numbers of days and posts, which stay when the events are gone."""

from pamosnik._sqlite import Connection
from pamosnik.model.event import COMMENTS, INBOUND_MESSAGES, SILENT, Event, Verdict
from pamosnik.store import stats

_NOT_COUNTED = frozenset(
    {Verdict.PENDING, Verdict.NOTED, Verdict.DUPLICATE, Verdict.OWN, Verdict.TEST, Verdict.UNSUPPORTED}
)
_KINDS = INBOUND_MESSAGES | COMMENTS | SILENT


def count(conn: Connection, event: Event, verdict: Verdict, day: str, n: int = 1) -> None:
    """Once, when an event gets its verdict; with `n` -1 when it loses it. `day`: YYYY-MM-DD of the account."""
    if event.kind not in _KINDS or verdict in _NOT_COUNTED:
        return
    post = event.incoming.media_id if event.kind in COMMENTS else None
    whose = (event.account_id, event.connection_id, "")
    stats.count(conn, *whose, stats.RECEIVED + event.kind.value, day, media_id=post or "", n=n)
    if verdict in (Verdict.STARTED, Verdict.RESUMED):
        stats.count(conn, *whose, stats.ANSWERED + event.kind.value, day, media_id=post or "", n=n)
