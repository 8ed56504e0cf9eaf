"""What the clock can start, and what makes no sense where nobody has written or commented."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import cast
from zoneinfo import ZoneInfo, available_timezones

from pamosnik.flows.bodies import Raw, steps, triggers
from pamosnik.flows.outcome import Outcome
from pamosnik.flows.problems import Problem, Severity
from pamosnik.model import cron

_OFTEN = 24
"""More than once an hour."""
_OF_AN_EVENT = {"came_from": "nobody has come from anywhere", "text": "nobody has written anything"}


def check(outcome: Outcome) -> list[Problem]:
    """All problems of the broadcasts in these files."""
    found: list[Problem] = []
    for flow_id in sorted(outcome.here):
        body = outcome.flows[flow_id]
        schedules = [(n, one) for n, one in enumerate(triggers(body)) if one["trigger"] == "schedule"]
        for number, trigger in schedules:
            place = f"{flow_id}:when.{number}"
            if place not in outcome.broken:
                found += _when(outcome, place, trigger)
            found += _audience(outcome, f"{place}.audience", cast("list[Raw]", trigger.get("audience", [])))
        if schedules and len(schedules) == len(triggers(body)) and outcome.knows_triggers(flow_id):
            found += _nobody_came(outcome, flow_id, body)
    return found


def _when(outcome: Outcome, place: str, trigger: Raw) -> Iterator[Problem]:
    at = str(trigger.get("at", ""))
    if ("at" in trigger) == ("cron" in trigger):
        message = "a schedule needs either `at`, the time, or `cron`"
        hint = 'Write it like: schedule: { days: mon to fri, at: "09:00" }'
        yield outcome.problem(place, "schedule-when", message, hint)
    elif "days" in trigger and ("cron" in trigger or " " in at):
        other = "cron" if "cron" in trigger else "at"
        message = f"`days` cannot stand beside this `{other}`, which names its days itself"
        yield outcome.problem(f"{place}.days", "schedule-when", message, "Leave one of the two out.")
    elif "cron" in trigger:
        times = len(cron.parse(str(trigger["cron"])).times)
        if times > _OFTEN:
            message = f"this goes out {times} times on such a day"
            hint = "The first field is the minute, the second the hour: 0 9 * * * is once a day, at 09:00."
            yield outcome.problem(f"{place}.cron", "schedule-often", message, hint, Severity.WARNING)
    elif (last := _last_of(trigger)) is not None and _is_past(outcome, trigger, last):
        where = f"{place}.at" if " " in at else f"{place}.days"
        message = f"{last:%Y-%m-%d %H:%M} is past: this broadcast does not happen any more"
        hint = "Mend the date, or take the trigger out."
        yield outcome.problem(where, "schedule-past", message, hint, Severity.WARNING)


def _last_of(trigger: Raw) -> datetime | None:
    """When it happens for the last time; None when it goes on for ever."""
    at, days = str(trigger["at"]), cast("list[int | str]", trigger.get("days", []))
    if " " in at:
        return datetime.strptime(at, "%Y-%m-%d %H:%M")  # noqa: DTZ007
    dates = [day for day in days if isinstance(day, str)]
    if not dates or len(dates) < len(days):
        return None
    return datetime.strptime(f"{max(dates)} {at}", "%Y-%m-%d %H:%M")  # noqa: DTZ007


def _is_past(outcome: Outcome, trigger: Raw, moment: datetime) -> bool:
    """By a day's grace where nobody has named the time zone."""
    if outcome.now is None:
        return False
    zone = trigger.get("zone", outcome.settings.get("timezone"))
    if zone not in available_timezones():
        return moment.replace(tzinfo=outcome.now.tzinfo) + timedelta(days=1) <= outcome.now
    return moment.replace(tzinfo=ZoneInfo(str(zone))) <= outcome.now


def _audience(outcome: Outcome, path: str, raw: list[Raw]) -> Iterator[Problem]:
    for here, condition in _conditions(path, raw):
        kind = str(condition["if"])
        if kind in _OF_AN_EVENT:
            message = f"`{kind}` is never true in an audience: {_OF_AN_EVENT[kind]}"
            yield outcome.problem(here, "audience", message, "Use tags or fields that flows have given.")
        elif kind == "window_open" and condition["value"] is False:
            message = "Instagram lets you write only to people whose window is open: this is nobody"
            yield outcome.problem(here, "audience", message, "Leave it out.")


def _nobody_came(outcome: Outcome, flow_id: str, body: Raw) -> Iterator[Problem]:
    """A flow that only the clock starts."""
    asked = list(_conditions(f"{flow_id}:only_if", cast("list[Raw]", body.get("only_if", []))))
    for step in steps(flow_id, body):
        for number, branch in enumerate(cast("list[Raw]", step.raw.get("choose", []))):
            inner = cast("list[Raw]", branch.get("if", []))
            asked += _conditions(f"{step.path}.choose.{number}.if", inner)
    for here, condition in asked:
        if (kind := str(condition["if"])) in _OF_AN_EVENT:
            message = (
                f"`{kind}` is never true here: only the clock starts this flow, and {_OF_AN_EVENT[kind]}"
            )
            yield outcome.problem(here, "no-event", message, "Take it out.", Severity.WARNING)


def _conditions(path: str, raw: list[Raw]) -> Iterator[tuple[str, Raw]]:
    """Each with its place, nested ones included."""
    for number, condition in enumerate(raw):
        here = f"{path}.{number}"
        yield here, condition
        if condition["if"] in ("any", "all", "none"):
            inner = cast("list[Raw]", condition["value"])
            yield from _conditions(f"{here}.{condition['if']}", inner)
