"""From the normal form to a `Flow`: a flat table of steps. The normal form is what the database keeps."""

import hashlib
import json
from datetime import date, datetime, time, timedelta
from typing import cast
from zoneinfo import ZoneInfo

from pamosnik.flows.compile_conditions import conditions
from pamosnik.flows.compile_steps import StepTable
from pamosnik.flows.compile_triggers import trigger
from pamosnik.flows.normal import Raw, list_of, map_of, strings, text
from pamosnik.flows.texts import with_facts
from pamosnik.model.book import FieldSpec, Sentence, Settings, Webhook
from pamosnik.model.flow import ONCE, Active, Flow, FlowState, Limits, Mode
from pamosnik.model.hours import Hours, Span
from pamosnik.model.step import (
    FieldType,
    Goal,
)

_NOT_PART_OF_VERSION = ("tests", "was")


def version_of(body: Raw) -> str:
    """SHA-256 of what was written, tests and former id left out."""
    kept = {key: value for key, value in body.items() if key not in _NOT_PART_OF_VERSION}
    canonical = json.dumps(kept, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


def compile_flow(flow_id: str, body: Raw, *, timezone: str) -> Flow:
    """The flow of a checked normal form. `timezone`: of clock times in it that name none."""
    compiler = StepTable()
    first = compiler.steps(list_of(body, "do"), "do", None)
    limits = map_of(body, "limits")
    per_person = limits.get("per_person")
    cool_down = timedelta(seconds=per_person) if isinstance(per_person, int) else None
    return Flow(
        id=flow_id,
        version=version_of(body),
        title=str(body.get("title", flow_id)),
        triggers=tuple(trigger(raw) for raw in list_of(body, "when")),
        only_if=conditions(list_of(body, "only_if")),
        steps=compiler.table,
        first=first,
        limits=Limits(
            per_person=ONCE if per_person == ONCE else cool_down,
            per_post="per_post" in limits,
        ),
        mode=Mode(str(body.get("mode", Mode.SINGLE))),
        priority=cast("int", body.get("priority", 0)),
        active=_active(map_of(body, "active"), timezone),
        state=FlowState(str(body.get("state", FlowState.LIVE))),
        connections=strings(body, "connections"),
        options=compiler.options,
        has_goal=any(isinstance(step, Goal) for step in compiler.table.values()),
    )


def compile_settings(settings: Raw) -> Settings:
    """The settings of a checked normal form."""
    words = map_of(settings, "words")
    facts = {key: str(value) for key, value in map_of(settings, "facts").items()}
    disclosure = cast("str | bool", settings.get("disclosure", True))
    return Settings(
        timezone=cast("str | None", settings.get("timezone")),
        language=str(settings.get("language", "en")),
        says={
            Sentence(key): with_facts(str(value), facts) for key, value in map_of(settings, "says").items()
        },
        fields={key: _field(cast("Raw", raw)) for key, raw in map_of(settings, "fields").items()},
        facts=facts,
        pools={
            pool: cast("int", cast("Raw", raw).get("warn_me_below", 1))
            for pool, raw in map_of(settings, "codes").items()
        },
        hours={key: _hours(cast("list[Raw]", raw)) for key, raw in map_of(settings, "hours").items()},
        webhooks={name: _webhook(cast("Raw", raw)) for name, raw in map_of(settings, "webhooks").items()},
        stop_words=strings(words, "stop"),
        start_words=strings(words, "start"),
        human_words=strings(words, "human"),
        disclosure=with_facts(disclosure, facts) if isinstance(disclosure, str) else disclosure,
    )


def _hours(raw: list[Raw]) -> Hours:
    return tuple(_span(entry) for entry in raw)


def _span(raw: Raw) -> Span:
    days = cast("list[object]", raw.get("days", []))
    return Span(
        weekdays=frozenset(day for day in days if isinstance(day, int)),
        dates=frozenset(date.fromisoformat(day) for day in days if isinstance(day, str)),
        from_=time.fromisoformat(str(raw.get("from", "00:00"))),
        to=time.fromisoformat(str(raw.get("to", "00:00"))),
        zone=cast("str | None", raw.get("zone")),
    )


def _webhook(raw: Raw) -> Webhook:
    return Webhook(
        url=text(raw, "url"),
        url_from=cast("str | None", raw.get("url_from")),
        secret_from=cast("str | None", raw.get("secret_from")),
        allow_private=bool(raw.get("allow_private", False)),
    )


def _field(raw: Raw) -> FieldSpec:
    return FieldSpec(
        type=FieldType(str(raw["type"])),
        choices=strings(raw, "choices"),
        keep_for_s=cast("int | None", raw.get("keep_for")),
    )


def _active(raw: Raw, timezone: str) -> Active:
    zone = ZoneInfo(str(raw.get("zone", timezone)))

    def instant(key: str, *, end: bool) -> datetime | None:
        written = raw.get(key)
        if written is None:
            return None
        text = str(written)
        if " " in text:
            return datetime.strptime(text, "%Y-%m-%d %H:%M").replace(tzinfo=zone)
        day = date.fromisoformat(text) + timedelta(days=1 if end else 0)
        return datetime.combine(day, time(), tzinfo=zone)

    return Active(instant("from", end=False), instant("until", end=True))
