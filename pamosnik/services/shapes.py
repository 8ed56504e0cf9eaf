"""What the shapes of the JSON contract are made of. It imports nothing heavy: every command needs it."""

from datetime import datetime
from zoneinfo import ZoneInfo

Shape = dict[str, object]


def iso(moment: datetime | None) -> str | None:
    """2026-12-02T11:00:00Z"""
    return None if moment is None else f"{moment:%Y-%m-%dT%H:%M:%SZ}"


def local(moment: datetime | None, zone: ZoneInfo) -> str:
    """2026-12-02 12:00, for people; a dash for no time."""
    return "–" if moment is None else f"{moment.astimezone(zone):%Y-%m-%d %H:%M}"
