"""Reading the normal form: plain JSON that `reader` made and the database keeps."""

from collections.abc import Mapping
from datetime import timedelta
from typing import cast

from pamosnik.flows.texts import parse_text
from pamosnik.model.text import MatchMode, Text, Words

Raw = Mapping[str, object]


def list_of(raw: Raw, key: str) -> list[Raw]:
    return cast("list[Raw]", raw.get(key, []))


def map_of(raw: Raw, key: str) -> Raw:
    return cast("Raw", raw.get(key, {}))


def strings(raw: Raw, key: str) -> tuple[str, ...]:
    found = raw.get(key, ())
    return (found,) if isinstance(found, str) else tuple(cast("list[str]", found))


def seconds(raw: Raw, key: str, default: int) -> timedelta:
    return timedelta(seconds=cast("int", raw.get(key, default)))


def text(raw: Raw, key: str) -> Text | None:
    return parse_text(str(raw[key])) if key in raw else None


def words_of(raw: Raw) -> Words | None:
    words, but_not = strings(raw, "words"), strings(raw, "but_not")
    if not words and not but_not:
        return None
    return Words(words, MatchMode(str(raw.get("match", MatchMode.WHOLE_WORD))), but_not)
