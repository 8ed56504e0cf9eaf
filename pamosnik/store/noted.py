"""The audit and the consents of an account as one list: what was done, and what was agreed to."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from pamosnik._sqlite import Connection
from pamosnik.store.times import instant, ms


class Kind(StrEnum):
    DONE = "done"
    """Somebody did something: a row of the audit."""
    AGREED = "agreed"
    """Somebody agreed to something, or took it back: a consent."""


@dataclass(frozen=True, slots=True)
class Noted:
    at: datetime
    kind: Kind
    what: str
    by: str
    """Who did it; how it was agreed to."""
    subject: str | None
    """An id of Pamosnik's own: of what was changed, or of who agreed."""


def newest(
    conn: Connection, account_id: str, *, limit: int | None = None, since: datetime | None = None
) -> list[Noted]:
    """The newest first. `since`: only what is not older."""
    rows = conn.execute(
        "SELECT at, 'done' AS kind, action, actor, subject, id FROM audit WHERE account_id=:account AND at>=:since"
        " UNION ALL SELECT at, 'agreed', what, how, coalesce(contact_id, connection_id), consent_id FROM consents"
        " WHERE account_id=:account AND at>=:since"
        " ORDER BY 1 DESC, 2, 6 DESC LIMIT :limit",
        {
            "account": account_id,
            "since": 0 if since is None else ms(since),
            "limit": -1 if limit is None else limit,
        },
    )
    return [Noted(instant(row[0]), Kind(row[1]), row[2], row[3], row[4]) for row in rows]
