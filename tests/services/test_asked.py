"""Days and instants that people and programs ask for, on the account's clock."""

from datetime import UTC, datetime

import pytest

from pamosnik.errors import UsageError
from pamosnik.services import asked

NOW = datetime(2026, 4, 5, 12, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("written", "zone", "meant"),
    [
        ("2h", "Pacific/Auckland", "2026-04-05T10:30:00+00:00"),
        ("2026-12-01", "UTC", "2026-12-01T00:00:00+00:00"),
        # Summer in Auckland, and the day on which it ends; half an hour in St. John's.
        ("2026-12-01", "Pacific/Auckland", "2026-11-30T11:00:00+00:00"),
        ("2026-04-05", "Pacific/Auckland", "2026-04-04T11:00:00+00:00"),
        ("2026-04-06", "Pacific/Auckland", "2026-04-05T12:00:00+00:00"),
        ("2026-12-01 09:00", "America/St_Johns", "2026-12-01T12:30:00+00:00"),
        ("2026-12-01T09:00", "America/St_Johns", "2026-12-01T12:30:00+00:00"),
        # What names its zone means that, as programs write it.
        ("2026-12-01T09:00:00Z", "Pacific/Auckland", "2026-12-01T09:00:00+00:00"),
        ("2026-12-01T09:00:00+00:00", "Pacific/Auckland", "2026-12-01T09:00:00+00:00"),
        ("2026-12-01T09:00:00.250Z", "Pacific/Auckland", "2026-12-01T09:00:00.250000+00:00"),
        ("2026-12-01T09:00:00+02:00", "Pacific/Auckland", "2026-12-01T07:00:00+00:00"),
    ],
)
def test_an_instant(written: str, zone: str, meant: str) -> None:
    found = asked.moment("since", written, NOW, zone)
    assert found is not None
    assert found.isoformat() == meant


@pytest.mark.parametrize("written", ["", "soon", "2026-13-01", "999999999d", "0001-01-01", "09:00"])
def test_what_is_no_instant(written: str) -> None:
    with pytest.raises(UsageError, match="is no time"):
        asked.moment("since", written, NOW, "Pacific/Auckland")


@pytest.mark.parametrize(
    ("zone", "today"),
    [
        ("Pacific/Auckland", "2026-04-06"),
        ("America/St_Johns", "2026-04-05"),
        ("Pacific/Midway", "2026-04-05"),
    ],
)
def test_a_day_is_that_of_the_account(zone: str, today: str) -> None:
    assert asked.day("since", "1m", NOW, zone) == today
