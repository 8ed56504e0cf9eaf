"""`schedule`: what it may say, and what makes no sense where nobody has written or commented."""

from datetime import UTC, datetime, time
from itertools import islice

import pytest

from pamosnik.engine.schedule_times import times
from pamosnik.flows.load import load
from pamosnik.model.condition import HasTag
from pamosnik.model.trigger import ScheduleTrigger
from tests.flows.files import compiled, found, place

NOW = datetime(2026, 12, 2, 11, tzinfo=UTC)


def _file(schedule: str, *, do: str = 'send: "Hi"', more: str = "") -> str:
    return f"""\
version: 1
timezone: Europe/Warsaw
flows:
  a:
    when:
      - schedule: {schedule}
{more}    do: [{{ {do} }}, {{ tag: vip }}]
"""


def _trigger(schedule: str) -> ScheduleTrigger:
    (trigger,) = compiled(_file(schedule)).triggers
    assert isinstance(trigger, ScheduleTrigger)
    return trigger


def test_every_form() -> None:
    assert _trigger('"09:00"') == ScheduleTrigger(at=time(9))
    daily = _trigger(
        '{ days: [mon to wed, 2026-12-24], at: "9:00", audience: [has_tag: vip], zone: Asia/Tokyo }'
    )
    assert (daily.days, str(daily.dates[0]), daily.at) == ((0, 1, 2), "2026-12-24", time(9))
    assert (daily.audience, daily.zone) == ((HasTag("vip"),), "Asia/Tokyo")
    once = _trigger('{ at: "2026-12-4 9:30" }').once
    assert f"{once:%Y-%m-%d %H:%M}" == "2026-12-04 09:30"
    # The weekday's number is cron's: 0 is Sunday.
    sundays = _trigger('{ cron: "0 9 * * 0" }')
    assert [f"{at:%a %H:%M}" for at in islice(times(sundays, NOW, "Europe/Warsaw"), 2)] == ["Sun 08:00"] * 2


@pytest.mark.parametrize(
    ("schedule", "column", "code"),
    [
        ('{ cron: "0 9 * * 8" }', 36, "bad-cron"),
        ("{ cron: 0 25 * * mon }", 29, "bad-cron"),
        ('{ cron: "0 9 31 2 *" }', 27, "bad-cron"),
        ("{ days: mon }", 9, "schedule-when"),
        ('{ at: "09:00", cron: "0 9 * * *" }', 9, "schedule-when"),
        ('{ days: mon, cron: "0 9 * * *" }', 27, "schedule-when"),
        ('{ at: "2026-12-24 09:00", days: mon }', 51, "schedule-when"),
        ('{ at: "2026-12-24" }', 25, "time-expected"),
        ('{ at: "25:00" }', 25, "time-expected"),
        ('{ at: "2026-02-30 09:00" }', 25, "time-expected"),
        ('{ at: "09:00", zone: Mars }', 40, "unknown-timezone"),
        ('{ at: "09:00", audience: [came_from: dm] }', 45, "audience"),
        ('{ at: "09:00", audience: { none: [{ text: hi }] } }', 55, "audience"),
        ('{ at: "09:00", audience: { window_open: false } }', 46, "audience"),
        ('{ at: "09:00", audience: [has_tag: vop] }', 45, "tag-never-given"),
        ('{ at: "09:00", audience: [field: { age: 3 }] }', 54, "unknown-field"),
        ('{ cron: "* 9 * * *" }', 27, "schedule-often"),
        ('{ at: "09:00", publik: [] }', 34, "unknown-key"),
    ],
)
def test_what_is_wrong_and_where(schedule: str, column: int, code: str) -> None:
    assert found(_file(schedule)) == [(6, column, code)]


def test_a_date_that_is_past_is_a_warning() -> None:
    def at(schedule: str, now: datetime = NOW) -> list[tuple[int, int, str]]:
        return [place(problem) for problem in load([("shop.yaml", _file(schedule))], now=now).problems]

    assert at('{ at: "2026-12-02 11:59" }') == [(6, 25, "schedule-past")]
    assert at('{ at: "2026-12-02 12:01" }') == []
    assert at('{ days: [2026-11-30, 2026-12-01], at: "09:00" }') == [(6, 27, "schedule-past")]
    assert at('{ days: [2026-11-30, mon], at: "09:00" }') == []
    assert at('{ at: "2026-12-02 11:59", zone: America/New_York }') == []


def test_what_nobody_can_have_said_or_commented() -> None:
    reply = 'reply_publicly: { one_of: ["A!", "B!", "C!"] }'
    only_if = "    only_if: [came_from: dm]\n"
    assert found(_file('"09:00"', do=reply)) == [(7, 10, "no-comment")]
    assert found(_file('"09:00"', more=only_if)) == [(7, 15, "no-event")]
    mixed = _file(
        '"09:00"', do=reply, more="      - comment: price\n    limits: { per_person: 1h }\n" + only_if
    )
    assert found(mixed) == []


def test_two_broadcasts_at_the_same_time_do_not_clash() -> None:
    text = _file('"09:00"') + "  b: { when: [schedule: { at: '09:00' }], do: [send: Hello] }\n"
    assert found(text) == []
