"""Days as the account's owner counts them."""

from datetime import datetime
from zoneinfo import ZoneInfo


def day_of(now: datetime, timezone: str) -> str:
    """YYYY-MM-DD in the account's time zone: the day that numbers are counted under."""
    return f"{now.astimezone(ZoneInfo(timezone)):%Y-%m-%d}"
