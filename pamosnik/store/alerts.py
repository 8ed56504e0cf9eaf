"""What owners were mailed about: a row for each cause, kept after it is mended so that flapping is noticed."""

from dataclasses import dataclass
from datetime import datetime

from pamosnik._sqlite import Connection
from pamosnik.store.times import instant, ms, optional_instant


@dataclass(frozen=True, slots=True)
class Alert:
    """The last mail about a cause."""

    account_id: str
    """'' when it concerns the whole installation; so is `connection_id` when it concerns no connection."""
    connection_id: str
    cause: str
    open: bool
    """Whether it said that something is wrong; otherwise, that it is mended."""
    step: int
    """How grave it was: what grows graver is told again."""
    message: str
    mailed_at: datetime
    gone_since: datetime | None
    """Since when what was told is no longer so; None: it still is."""


def every(conn: Connection) -> list[Alert]:
    rows = conn.execute(
        "SELECT account_id, connection_id, cause, open, step, message, mailed_at, gone_since FROM alerts"
    )
    return [
        Alert(
            account_id=r[0],
            connection_id=r[1],
            cause=r[2],
            open=bool(r[3]),
            step=r[4],
            message=r[5],
            mailed_at=instant(r[6]),
            gone_since=optional_instant(r[7]),
        )
        for r in rows
    ]


def put(conn: Connection, alert: Alert) -> None:
    """Takes the place of what was known of this cause."""
    conn.execute(
        "INSERT OR REPLACE INTO alerts (account_id, connection_id, cause, open, step, message, mailed_at, gone_since)"
        " VALUES (?,?,?,?,?,?,?,?)",
        (
            alert.account_id,
            alert.connection_id,
            alert.cause,
            alert.open,
            alert.step,
            alert.message,
            ms(alert.mailed_at),
            ms(alert.gone_since),
        ),
    )
