"""Days as the account's owner counts them."""

from datetime import datetime
from zoneinfo import ZoneInfo

from pamosnik._sqlite import Connection
from pamosnik.store import accounts


def day_of(now: datetime, timezone: str) -> str:
    """YYYY-MM-DD in the account's time zone: the day that numbers are counted under."""
    return f"{now.astimezone(ZoneInfo(timezone)):%Y-%m-%d}"


def today(conn: Connection, account_id: str, now: datetime) -> str:
    """The same, of an account that exists."""
    account = accounts.load(conn, account_id)
    assert account is not None
    return day_of(now, account.timezone)
