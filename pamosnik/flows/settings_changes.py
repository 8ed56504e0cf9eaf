"""What changes in the settings that all flows share, entry by entry, in the words of the file."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import cast

from pamosnik.flows import durations
from pamosnik.flows.as_written import days_as_written
from pamosnik.flows.normal import Raw, strings

DEFAULTS = {
    "timezone": "the account's",
    "language": "en",
    "disclosure": "built-in text",
}
"""What holds where a file does not say it."""


@dataclass(frozen=True, slots=True)
class SettingChange:
    """One entry. `before`, `after`: as it is written, shortly; None: it is not there."""

    name: str
    before: str | None
    after: str | None


def setting_changes(before: Raw, after: Raw) -> Iterator[SettingChange]:
    """In the order of the file, what goes last."""
    old, new = dict(_entries(before)), dict(_entries(after))
    for name in (*new, *(name for name in old if name not in new)):
        change = SettingChange(name, _said(name, old), _said(name, new))
        same = change.before == change.after if name in DEFAULTS else old.get(name) == new.get(name)
        if not same:
            yield change


def _entries(settings: Raw) -> Iterator[tuple[str, object]]:
    for key, value in settings.items():
        if isinstance(value, Mapping):
            yield from ((f"{key}.{name}", inner) for name, inner in value.items())
        else:
            yield key, value


def _said(name: str, entries: Mapping[str, object]) -> str | None:
    if name not in entries:
        return DEFAULTS.get(name)
    value = entries[name]
    kind = name.partition(".")[0]
    said = _IN_WORDS.get(kind, str)(value)
    # A plan has one line for each entry: another line of a text could pass for one of the plan.
    return json.dumps(said, ensure_ascii=False) if "\n" in said else said


def _disclosure(value: object) -> str:
    if isinstance(value, bool):
        return DEFAULTS["disclosure"] if value else "false (none)"
    return str(value)


def _field(value: object) -> str:
    raw = cast("Raw", value)
    parts = [str(raw.get("type", "?"))]
    if "choices" in raw:
        parts.append(", ".join(strings(raw, "choices")))
    if "keep_for" in raw:
        parts.append(f"kept for {durations.written(cast('int', raw['keep_for']))}")
    return "; ".join(parts)


def _hours(value: object) -> str:
    spans = []
    for raw in cast("list[Raw]", value):
        days = cast("list[int | str]", raw.get("days", []))
        parts = [", ".join(days_as_written(days))] if days else []
        if "from" in raw or "to" in raw:
            parts.append(f"{raw.get('from', '00:00')}-{raw.get('to', '24:00')}")
        if "zone" in raw:
            parts.append(f"({raw['zone']})")
        spans.append(" ".join(parts))
    return "; ".join(spans)


def _codes(value: object) -> str:
    raw = cast("Raw", value)
    warn = f"; warn me below {raw['warn_me_below']}" if "warn_me_below" in raw else ""
    return f"{raw.get('file', '?')}{warn}"


def _webhook(value: object) -> str:
    raw = cast("Raw", value)
    parts = [str(raw.get("url") or f"from {raw.get('url_from', '?')}")]
    if "secret_from" in raw:
        parts.append(f"signed with {raw['secret_from']}")
    if raw.get("allow_private"):
        parts.append("may be private")
    return "; ".join(parts)


def _words(value: object) -> str:
    return ", ".join(cast("list[str]", value))


_IN_WORDS: Mapping[str, Callable[[object], str]] = {
    "disclosure": _disclosure,
    "fields": _field,
    "hours": _hours,
    "words": _words,
    "codes": _codes,
    "webhooks": _webhook,
}
