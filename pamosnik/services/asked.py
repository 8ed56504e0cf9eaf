"""Times as people and scripts ask for them: since two hours ago, since a day, until a day."""

import contextlib
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from pamosnik.errors import Again, UsageError
from pamosnik.flows import durations

_FORMS = ("%Y-%m-%d", "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M:%SZ")


def moment(name: str, written: str | None, now: datetime) -> datetime | None:
    """`2h` or `3d` ago, `2026-12-01`, `2026-12-01 09:00` or `2026-12-01T09:00:00Z` (UTC). Raises `UsageError`."""
    if written is None:
        return None
    with contextlib.suppress(OverflowError):
        ago = _ago(written, now)
        if ago is not None:
            return ago
    for form in _FORMS:
        with contextlib.suppress(ValueError):
            return datetime.strptime(written, form).replace(tzinfo=UTC)
    raise UsageError(
        f"{name} {written} is no time.",
        hint="Write it like 2h, 3d or 2026-12-01.",
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
