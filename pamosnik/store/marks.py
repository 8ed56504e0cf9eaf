"""Whether anything of an account has changed: pages that are open ask this once a second."""

from pamosnik._sqlite import Connection

_WHAT = (
    # What came in, and what flows told one another; the few that wait by an index of their own.
    "SELECT max(event_id) FROM events WHERE account_id=:account",
    "SELECT count(*) FROM events WHERE verdict='pending' AND +account_id=:account",
    # What goes out: made, and on its way to an end.
    "SELECT created_at || kind || due_at FROM outbox WHERE account_id=:account ORDER BY seq DESC LIMIT 1",
    "SELECT group_concat(status || n) FROM (SELECT status, count(*) AS n FROM outbox WHERE account_id=:account"
    " AND status IN ('queued', 'held', 'sending', 'unknown') GROUP BY status)",
    # Decisions, clicks and sends: each counts something.
    "SELECT sum(n) FROM totals WHERE account_id=:account AND day=:day"
    " AND connection_id IN (SELECT connection_id FROM connections WHERE account_id=:account)",
    # What people changed, by page, command or API. Its number would count other accounts' changes, too.
    "SELECT at || action FROM audit WHERE account_id=:account ORDER BY id DESC LIMIT 1",
    "SELECT group_concat(code || connection_id || since || message) FROM notices WHERE account_id IN (:account, '')",
)


def of_account(conn: Connection, account_id: str, day: str) -> tuple[object, ...]:
    """Another one than before as soon as a page of the account may show something else. `day`: today, as the account
    counts."""
    given = {"account": account_id, "day": day}
    return tuple(row[0] for what in _WHAT for row in conn.execute(what, given))
