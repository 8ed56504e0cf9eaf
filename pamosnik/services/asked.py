"""Times as people and scripts ask for them: since two hours ago, since a day, until a day."""

import contextlib
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from pamosnik.errors import Again, UsageError
from pamosnik.flows import durations


def moment(name: str, written: str | None, now: datetime, timezone: str) -> datetime | None:
    """`2h` or `3d` ago, or a day or an instant as ISO 8601 has it; what names no zone is on the account's clock.
    Raises `UsageError`."""
    if written is None:
        return None
    with contextlib.suppress(OverflowError):
        ago = _ago(written, now)
        if ago is not None:
            return ago
    with contextlib.suppress(ValueError, OverflowError):
        found = datetime.fromisoformat(written)
        return (found if found.tzinfo else found.replace(tzinfo=ZoneInfo(timezone))).astimezone(UTC)
    raise UsageError(
        f"{name} {written} is no time.",
        hint="Write it like 2h, 3d, 2026-12-01 or 2026-12-01T09:00:00Z.",
        again=_instead(name, "2h"),
    )


def day(name: str, written: str | None, now: datetime, timezone: str) -> str | None:
    """A day as it is, or the day of `2h` or `3d` ago on the account's clock. Raises `UsageError`."""
    if written is None:
        return None
    with contextlib.suppress(OverflowError):
        ago = _ago(written, now)
        if ago is not None:
            return f"{ago.astimezone(ZoneInfo(timezone)):%Y-%m-%d}"
    with contextlib.suppress(ValueError):
        return f"{datetime.strptime(written, '%Y-%m-%d').replace(tzinfo=UTC):%Y-%m-%d}"
    raise UsageError(
        f"{name} {written} is no day.", hint="Write it like 2026-11-01 or 7d.", again=_instead(name, "7d")
    )


def _instead(name: str, written: str) -> Again | None:
    """`name`: an option of a command, or a part of an address."""
    return Again((name, written)) if name.startswith("--") else None


def _ago(written: str, now: datetime) -> datetime | None:
    seconds = durations.seconds(written)
    return None if seconds is None else now - timedelta(seconds=seconds)
