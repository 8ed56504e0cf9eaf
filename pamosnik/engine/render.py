"""Filling variables into texts, within Meta's limits."""

from collections.abc import Collection, Mapping
from datetime import datetime
from urllib.parse import quote
from zoneinfo import ZoneInfo

from pamosnik.model.addresses import begun_in
from pamosnik.model.book import Settings
from pamosnik.model.decision import Facts
from pamosnik.model.step import FieldType
from pamosnik.model.text import Text, Variable

_MORE = "…"
_MORE_WORDS = "… "
"""Behind shortened words that something follows."""
_SOMEBODYS = "\ue000"
"""Belongs to no host."""
_WHOLE = ("today", "now", "post_link", "code")
_WHOLE_TYPES = (FieldType.NUMBER, FieldType.DATE, FieldType.CHOICE)


def render(
    text: Text,
    values: Mapping[str, str | None],
    *,
    limit_bytes: int | None,
    limit_chars: int | None = None,
    prefix: str = "",
    whole: Collection[str] = (),
    owners: Collection[str] | None = None,
) -> str:
    """The text with `prefix` before it and its variables filled in; None is replaced by the stand-in.

    What pushes the text over a limit is shortened with …: the longest fill-in first, the written words last. The
    variables in `whole` are worth nothing when a part of them is missing, so the words before them give way. Whatever
    is not the owner's (`owners`; None: all is) is escaped within an address, where `&`, `#` or a space would change
    where it leads.
    """
    parts: list[str] = []
    for part in text.parts:
        theirs = owners is not None and _is_somebodys(part, values, owners)
        filled = _fill(part, values)
        parts.append(quote(filled, safe="") if theirs and begun_in("".join(parts)) else filled)
    for number, part in enumerate(text.parts):
        if isinstance(part, Variable) and not parts[number] and number:
            # "Hi {username}!" to somebody whose name Instagram has not told reads "Hi!".
            parts[number - 1] = parts[number - 1].removesuffix(" ")
    free = [n for n, part in enumerate(text.parts) if isinstance(part, Variable) and part.name not in whole]
    words = [n for n, part in enumerate(text.parts) if isinstance(part, str)]
    while not fits(prefix + "".join(parts), limit_bytes, limit_chars):
        longest = max(free, key=lambda number: len(parts[number]), default=None)
        if longest is None or len(parts[longest]) <= 1:
            longest = next((n for n in reversed(words) if len(parts[n]) > len(_MORE_WORDS)), None)
        if longest is None:
            return _cut(prefix + "".join(parts), limit_bytes, limit_chars)
        last = longest == len(parts) - 1
        parts[longest] = _shorter(parts[longest], _MORE if longest in free or last else _MORE_WORDS)
    return prefix + "".join(parts)


def _shorter(part: str, more: str) -> str:
    return part.removesuffix(more)[:-1].rstrip() + more


def whole(settings: Settings) -> frozenset[str]:
    """Variables that are never shortened: addresses, dates, numbers, choices."""
    fields = (name for name, spec in settings.fields.items() if spec.type in _WHOLE_TYPES)
    return frozenset((*_WHOLE, *settings.facts, *fields))


def _fill(part: str | Variable, values: Mapping[str, str | None]) -> str:
    if isinstance(part, str):
        return part
    value = values.get(part.name)
    return value or part.stand_in or ""


def _is_somebodys(part: str | Variable, values: Mapping[str, str | None], owners: Collection[str]) -> bool:
    """Whether anybody but the owner of the flow wrote it."""
    return isinstance(part, Variable) and part.name not in owners and bool(values.get(part.name))


def owners_words(text: Text, values: Mapping[str, str | None], owners: Collection[str]) -> str:
    """The text without what anybody but the owner of the flow wrote; a sign stands there."""
    return "".join(
        _SOMEBODYS if _is_somebodys(part, values, owners) else _fill(part, values) for part in text.parts
    )


def fits(text: str, limit_bytes: int | None, limit_chars: int | None) -> bool:
    """Whether Instagram takes a text of that length."""
    return (limit_bytes is None or len(text.encode()) <= limit_bytes) and (
        limit_chars is None or len(text) <= limit_chars
    )


def _cut(text: str, limit_bytes: int | None, limit_chars: int | None) -> str:
    while not fits(text + _MORE, limit_bytes, limit_chars):
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
