"""Filling variables into texts, within Meta's limits."""

from collections.abc import Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

from pamosnik.model.decision import Facts
from pamosnik.model.text import Text, Variable

_MORE = "…"


def render(
    text: Text,
    values: Mapping[str, str | None],
    *,
    limit_bytes: int | None,
    limit_chars: int | None = None,
    prefix: str = "",
) -> str:
    """The text with `prefix` before it and its variables filled in; None is replaced by the stand-in.

    What pushes the text over a limit is shortened with …: the longest fill-in first, the written words last.
    """
    parts = [_fill(part, values) for part in text.parts]
    for number, part in enumerate(text.parts):
        if isinstance(part, Variable) and not parts[number] and number:
            # "Hi {username}!" to somebody whose name Instagram has not told reads "Hi!".
            parts[number - 1] = parts[number - 1].removesuffix(" ")
    fillable = [number for number, part in enumerate(text.parts) if isinstance(part, Variable)]
    while not _fits(prefix + "".join(parts), limit_bytes, limit_chars):
        longest = max(fillable, key=lambda number: len(parts[number]), default=None)
        if longest is None or len(parts[longest]) <= 1:
            return _cut(prefix + "".join(parts), limit_bytes, limit_chars)
        parts[longest] = parts[longest].removesuffix(_MORE)[:-1].rstrip() + _MORE
    return prefix + "".join(parts)


def _fill(part: str | Variable, values: Mapping[str, str | None]) -> str:
    if isinstance(part, str):
        return part
    value = values.get(part.name)
    return value or part.stand_in or ""


def _fits(text: str, limit_bytes: int | None, limit_chars: int | None) -> bool:
    return (limit_bytes is None or len(text.encode()) <= limit_bytes) and (
        limit_chars is None or len(text) <= limit_chars
    )


def _cut(text: str, limit_bytes: int | None, limit_chars: int | None) -> str:
    while not _fits(text + _MORE, limit_bytes, limit_chars):
        text = text[:-1]
    return text.rstrip() + _MORE


def values(facts: Facts, *, text: str | None, answer: str | None, now: datetime) -> Mapping[str, str | None]:
    """What every variable stands for; None where nothing is known."""
    contact = facts.contact
    local = now.astimezone(ZoneInfo(facts.settings.timezone or facts.timezone))
    return {
        **dict.fromkeys(facts.settings.fields),
        **contact.fields,
        **facts.settings.facts,
        "username": contact.username,
        "name": contact.name,
        "first_name": (contact.name or "").split(" ")[0] or None,
        "text": text,
        "answer": answer,
        "post_link": facts.post_link,
        "code": facts.code,
        "today": f"{local:%Y-%m-%d}",
        "now": f"{local:%H:%M}",
    }
