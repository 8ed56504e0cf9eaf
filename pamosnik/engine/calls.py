"""`call`: what is asked, and what becomes of the answer."""

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta

from pamosnik.engine import answers
from pamosnik.engine.working import SAVED, Turn
from pamosnik.model.book import FieldSpec
from pamosnik.model.decision import EffectSettled
from pamosnik.model.outbox import ItemKind, ItemStatus
from pamosnik.model.step import Accept, Call, FieldType, JsonText
from pamosnik.model.text import Text
from pamosnik.model.words import fold

_REPEATS = 4
_SLACK = timedelta(minutes=10)
"""For the time between the attempts, and for a machine that starts again meanwhile."""
_VALUE_CHARS = 1000
_NO_BODY = ("GET", "DELETE")
_NUMBER = re.compile(r"[-+]?[0-9]+(\.[0-9]+)?")
_DAY = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})([T ].*)?")


def do(turn: Turn, step: Call, branch: str) -> tuple[str | None, str] | None:
    """Sends for the answer the first time; the second time tells path and branch to go on with."""
    came_back = turn.take_result(step.at)
    if came_back is None:
        within = step.timeout * _REPEATS + _SLACK
        turn.errand(step.at, ItemKind.CALL, _task(turn, step), within, branch)
        turn.note(step.at, "waits", f"for the answer of {step.webhook}")
        return None
    reason = came_back.reason if came_back.status is not ItemStatus.SENT else _keep(turn, step, came_back)
    if reason is None:
        turn.note(step.at, "done", f"{step.webhook} has answered")
        return step.at.next, branch
    turn.note(step.at, "failed", f"{step.webhook}: {reason}")
    return (step.if_it_fails if step.if_it_fails is not None else step.at.next), branch


def _task(turn: Turn, step: Call) -> Mapping[str, str]:
    task = {
        "webhook": step.webhook,
        "method": step.method,
        "timeout_s": f"{step.timeout.total_seconds():g}",
        "save": json.dumps(dict(step.save), ensure_ascii=False),
    }
    if step.method not in _NO_BODY:
        return {**task, "body": json.dumps(_body(turn, step), ensure_ascii=False)}
    if step.json is not None:
        pairs = list(_flat(_filled(turn, step.json)).items())
    else:
        pairs = [(name, turn.values().get(name) or "") for name in step.names or ()]
    return {**task, "query": json.dumps(pairs, ensure_ascii=False)} if pairs else task


def _body(turn: Turn, step: Call) -> object:
    """What `send` says; without it, or with names alone, who and where it is, and fields."""
    if step.json is not None:
        return _filled(turn, step.json)
    contact, values = turn.contact, turn.values()
    return {
        "event_id": turn.run.origin.event_id,
        "connection": turn.facts.connection_username,
        "flow": turn.flow.id,
        "run": turn.run.id,
        "contact": {
            "username": contact.username,
            "igsid": contact.igsid,
            "name": contact.name,
            "tags": sorted(contact.tags),
        },
        "fields": {
            name: values.get(name)
            for name in (turn.facts.settings.fields if step.names is None else step.names)
        },
    }


def _filled(turn: Turn, value: JsonText) -> object:
    if isinstance(value, Text):
        return turn.fill(value)
    if isinstance(value, Mapping):
        return {key: _filled(turn, inner) for key, inner in value.items()}
    if isinstance(value, tuple):
        return [_filled(turn, inner) for inner in value]
    return value


def _flat(filled: object) -> Mapping[str, str]:
    assert isinstance(filled, dict)
    words = {True: "true", False: "false", None: ""}
    return {
        key: words[value] if value is None or isinstance(value, bool) else str(value)
        for key, value in filled.items()
    }


def _keep(turn: Turn, step: Call, came_back: EffectSettled) -> str | None:
    """Writes what came back into fields and variables; all of it, or nothing and why."""
    kept: dict[str, str | None] = {}
    for name, _ in step.save:
        value = came_back.result.get(name)
        spec = turn.facts.settings.fields.get(name)
        fits = value if value is None or spec is None else _as(turn, spec, value)
        if value is not None and (fits is None or len(fits) > _VALUE_CHARS):
            kind = "text" if spec is None else spec.type.value
            return f"what it answered for {name} is no {kind} that fits"
        kept[name] = fits
    data = dict(turn.run.data)
    for name, value in kept.items():
        if name in turn.facts.settings.fields:
            turn.set_field(name, value)
        elif value is None:
            data.pop(f"{SAVED}{name}", None)
        else:
            data[f"{SAVED}{name}"] = value
    turn.run = replace(turn.run, data=data)
    return None


def _as(turn: Turn, spec: FieldSpec, value: str) -> str | None:
    """In the normal form of a field. Machines are not guessed at as people are."""
    match spec.type:
        case FieldType.NUMBER:
            return value.removeprefix("+") if _NUMBER.fullmatch(value) else None
        case FieldType.DATE:
            day = _DAY.fullmatch(value)
            return day[1] if day is not None and _is_day(day[1]) else None
        case FieldType.CHOICE:
            return next((choice for choice in spec.choices if fold(choice) == fold(value)), None)
        case _:
            settings, facts = turn.facts.settings, turn.facts
            return answers.understand(
                Accept(spec.type.value),
                value,
                (),
                language=settings.language,
                zone=settings.timezone or facts.timezone,
                now=turn.now,
            )


def _is_day(written: str) -> bool:
    try:
        date.fromisoformat(written)
    except ValueError:
        return False
    return True
