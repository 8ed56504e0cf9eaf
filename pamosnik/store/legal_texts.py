"""What `/privacy`, `/terms` and `/data-deletion` say: every text that was ever set, with the day it came into effect.

A text is never changed or removed; a newer one takes its place from its day on.
"""

from dataclasses import dataclass
from datetime import datetime

from pamosnik._sqlite import Connection
from pamosnik.store.times import instant, ms

PAGES = ("privacy", "terms", "data-deletion")


@dataclass(frozen=True, slots=True)
class LegalText:
    page: str
    number: int
    """From 1, in the order in which they were set."""
    body: str | None
    """Markdown; None: the text that comes with Pamosnik."""
    effective_at: datetime
    made_at: datetime


def put(
    conn: Connection, account_id: str, page: str, body: str | None, effective_at: datetime, now: datetime
) -> int:
    """Adds a text to `page`, one of `PAGES`; its number."""
    (number,) = conn.execute(
        "SELECT coalesce(max(number), 0)+1 FROM legal_texts WHERE account_id=? AND page=?", (account_id, page)
    ).fetchone()
    conn.execute(
        "INSERT INTO legal_texts (account_id, page, number, body, effective_at, made_at) VALUES (?,?,?,?,?,?)",
        (account_id, page, number, body, ms(effective_at), ms(now)),
    )
    return int(number)


def of(conn: Connection, account_id: str, page: str) -> list[LegalText]:
    """All texts of a page, the one set last first."""
    rows = conn.execute(
        "SELECT page, number, body, effective_at, made_at FROM legal_texts WHERE account_id=? AND page=?"
        " ORDER BY number DESC",
        (account_id, page),
    )
    return [LegalText(r[0], r[1], r[2], instant(r[3]), instant(r[4])) for r in rows]
