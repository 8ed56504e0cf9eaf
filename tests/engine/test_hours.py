"""Hours by what clocks show: past midnight, on dates, in zones of their own, and when summer time begins or ends."""

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pamosnik.engine.conditions import describe, holds
from pamosnik.engine.hours import is_open
from pamosnik.flows.compile import compile_settings
from pamosnik.model.book import Settings
from pamosnik.model.condition import AllOf, CameFrom, Condition, During, NoneOf, Outside
from pamosnik.model.contact import Contact
from pamosnik.model.decision import Facts
from pamosnik.model.hours import Span
from tests.flows.files import read

WARSAW = ZoneInfo("Europe/Warsaw")
SHOP = """
version: 1
hours:
  open:
    - { days: mon to fri, from: "09:00", to: "17:00" }
    - { days: sat, from: "10:00", to: "14:00" }
  bar: { days: [fri, sat], from: "20:00", to: "02:30" }
  holidays: { days: ["2026-12-25", 2026-12-26] }
  evening: { from: "18:00" }
  early: { to: "08:30" }
  weekend: sat to mon
  tokyo: { from: "09:00", to: "17:00", zone: Asia/Tokyo }
"""


def _settings() -> Settings:
    loaded = read(SHOP)
    assert loaded.problems == ()
    return compile_settings(loaded.settings)


HOURS = _settings().hours


@pytest.mark.parametrize(
    ("hours", "local", "expected"),
    [
        ("open", "2026-12-02 09:00", True),
        ("open", "2026-12-02 08:59", False),
        ("open", "2026-12-02 16:59", True),
        ("open", "2026-12-02 17:00", False),
        ("open", "2026-12-05 10:00", True),
        ("open", "2026-12-05 16:00", False),
        ("open", "2026-12-06 11:00", False),
        ("bar", "2026-12-04 19:59", False),
        ("bar", "2026-12-04 20:00", True),
        ("bar", "2026-12-05 02:29", True),
        ("bar", "2026-12-05 02:30", False),
        ("bar", "2026-12-06 00:00", True),
        ("bar", "2026-12-04 01:00", False),
        ("bar", "2026-12-06 21:00", False),
        ("holidays", "2026-12-24 23:59", False),
        ("holidays", "2026-12-25 00:00", True),
        ("holidays", "2026-12-26 23:59", True),
        ("holidays", "2026-12-27 00:00", False),
        ("evening", "2026-12-02 17:59", False),
        ("evening", "2026-12-02 23:59", True),
        ("evening", "2026-12-03 00:00", False),
        ("early", "2026-12-02 00:00", True),
        ("early", "2026-12-02 08:30", False),
        ("weekend", "2026-12-07 23:00", True),
        ("weekend", "2026-12-08 00:00", False),
        ("tokyo", "2026-12-02 01:00", True),
        ("tokyo", "2026-12-02 09:00", False),
        # Clocks skip 02:00 to 03:00 on 29 March and show it twice on 25 October: a Sunday each time.
        ("bar", "2026-03-29 01:59", True),
        ("bar", "2026-03-29 03:00", False),
        ("bar", "2026-10-25 02:29", True),
    ],
)
def test_hours(hours: str, local: str, expected: bool) -> None:
    now = datetime.fromisoformat(local).replace(tzinfo=WARSAW).astimezone(UTC)
    assert is_open(HOURS[hours], now, "Europe/Warsaw") is expected


def test_what_clocks_show_twice_opens_and_closes_once() -> None:
    second = datetime(2026, 10, 25, 2, 10, tzinfo=WARSAW, fold=1).astimezone(UTC)
    assert not is_open(HOURS["bar"], second, "Europe/Warsaw")
    late = (Span(from_=time(2, 30), to=time(5)),)
    assert is_open(late, second, "Europe/Warsaw")


_CHANGES = (
    ("Europe/Warsaw", date(2026, 3, 29)),
    ("Europe/Warsaw", date(2026, 10, 25)),
    ("America/New_York", date(2026, 3, 8)),
    ("America/New_York", date(2026, 11, 1)),
    ("Australia/Lord_Howe", date(2026, 4, 5)),
    ("Australia/Lord_Howe", date(2026, 10, 4)),
    ("America/Santiago", date(2026, 4, 4)),
    ("America/Santiago", date(2026, 9, 6)),
    ("America/Havana", date(2026, 11, 1)),
    ("Asia/Tokyo", date(2026, 3, 29)),
)
_MINUTES = st.integers(0, 95).map(lambda quarter: time(quarter // 4, quarter % 4 * 15))


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(_CHANGES), st.integers(-1, 1), _MINUTES, _MINUTES)
def test_around_a_change_of_clocks(change: tuple[str, date], ahead: int, begin: time, end: time) -> None:
    """The hours of one day: what clocks show decides wherever it is plain, and they open and close once."""
    zone, around = ZoneInfo(change[0]), change[1]
    day = around + timedelta(days=ahead)
    hours = (Span(dates=frozenset({day}), from_=begin, to=end),)
    opens = datetime.combine(day, begin)
    closes = datetime.combine(day if begin < end else day + timedelta(days=1), end)
    first = datetime.combine(around, time(), tzinfo=zone).astimezone(UTC) - timedelta(days=2)
    seen = []
    for quarter in range(4 * 24 * 6):
        now = first + timedelta(minutes=15 * quarter)
        seen.append(is_open(hours, now, change[0]))
        local = now.astimezone(zone)
        if local.utcoffset() == local.replace(fold=1 - local.fold).utcoffset():
            assert seen[-1] is (opens <= local.replace(tzinfo=None) < closes)
    assert sum(a is not b for a, b in pairwise(seen)) in (0, 2)


def _holds(condition: Condition, hour: int) -> bool | None:
    facts = Facts(Contact("c", "a", "k", "900"), _settings(), "Europe/Warsaw", "rose.shop")
    now = datetime(2026, 12, 2, hour, tzinfo=WARSAW)
    return holds(condition, facts, text=None, came_from=CameFrom.DM, now=now)


def test_conditions_of_hours() -> None:
    assert [_holds(During("open"), hour) for hour in (8, 9, 17)] == [False, True, False]
    assert [_holds(Outside("open"), hour) for hour in (8, 9, 17)] == [True, False, True]
    assert _holds(AllOf((During("open"), Outside("holidays"))), 12) is True
    assert describe(Outside("open")) == "outside: open"


def test_hours_that_are_gone_satisfy_nothing() -> None:
    gone = (During("gone"), Outside("gone"), NoneOf((During("gone"),)), NoneOf((Outside("gone"),)))
    assert {_holds(condition, 12) for condition in gone} == {None}
