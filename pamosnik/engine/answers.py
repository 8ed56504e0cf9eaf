"""Reading answers: which choice somebody meant, or the value a text holds."""

import re
from collections.abc import Sequence
from datetime import datetime
from difflib import SequenceMatcher
from typing import assert_never
from zoneinfo import ZoneInfo

from pamosnik.engine.dates import find_date
from pamosnik.model.event import Attachment
from pamosnik.model.step import Accept
from pamosnik.model.words import fold, tokens, trim

_TOP_LEVEL = r"(?:xn--[a-z0-9-]{2,59}|[^\W\d_]{2,63})(?![\w-])"
_EMAIL = re.compile(rf"[^\s@<>(),;:\"]+@[^\s@<>(),;:\"]+\.{_TOP_LEVEL}", re.IGNORECASE)
_PHONE = re.compile(r"\+?[\d(][\d\s().\-/]{4,}\d")
_NUMBER = re.compile(r"[-+−]?\d[\d.,' \u00a0\u202f]*")
_URL = re.compile(rf"(?:https?://)?(?:[\w-]+\.)+{_TOP_LEVEL}(?::\d+)?(?:[/?#][^\s]*)?", re.IGNORECASE)
_KEYCAP = "\u20e3"
"""What makes 1 a key: people answer 1️⃣ and mean 1."""
_CLOSE = 0.8
"""How alike a typed label must be: one letter in five may be wrong."""


def choose_option(labels: Sequence[str], text: str | None, *, whole_only: bool = False) -> int | None:
    """The label somebody meant: written out, by its number, in a close spelling, or within a sentence.

    `whole_only` leaves the last one out. None when no label fits, or several do equally well.
    """
    heard = trim(fold(text or ""))
    if not heard:
        return None
    folded = [trim(fold(label)) for label in labels]
    if heard in folded:
        return folded.index(heard)
    number = heard.replace(_KEYCAP, "")
    plain = [label.replace(_KEYCAP, "") for label in folded]
    if plain.count(number) == 1:
        return plain.index(number)
    # Where the labels are numbers themselves, a number is meant as a label.
    if number.isdecimal() and not any(label.isdecimal() for label in plain):
        return int(number) - 1 if len(number) < 4 and 1 <= int(number) <= len(labels) else None
    by_spelling = _closest(folded, heard)
    if by_spelling is not None or whole_only:
        return by_spelling
    return _within(folded, heard)


def _closest(labels: Sequence[str], heard: str) -> int | None:
    begun = sum(label.startswith(heard) for label in labels)
    if len(heard) < 4 or begun > 1:
        return None  # the shortest of several labels that begin like this is no more meant than the others
    likeness = [SequenceMatcher(None, heard, label).ratio() if len(label) > 3 else 0.0 for label in labels]
    best = max(likeness, default=0.0)
    return likeness.index(best) if best >= _CLOSE and likeness.count(best) == 1 else None


def _within(labels: Sequence[str], heard: str) -> int | None:
    """The one label that appears in a longer text as a word or phrase."""
    said = f" {' '.join(token for token, _ in tokens(heard))} "
    found = [
        number
        for number, label in enumerate(labels)
        if f" {' '.join(token for token, _ in tokens(label))} " in said and tokens(label)
    ]
    return found[0] if len(found) == 1 else None


def understand(
    accept: Accept,
    text: str | None,
    attachments: Sequence[Attachment],
    *,
    choices: Sequence[str] = (),
    language: str,
    zone: str,
    now: datetime,
) -> str | None:
    """The value of an answer in its normal form; None when it does not fit."""
    written = (text or "").strip()
    match accept:
        case Accept.TEXT:
            return written or None
        case Accept.ANYTHING:
            return written or _attachment(attachments, None)
        case Accept.IMAGE:
            return _attachment(attachments, "image")
        case Accept.EMAIL:
            return _email(written)
        case Accept.PHONE:
            return _phone(written)
        case Accept.NUMBER:
            return _number(written.replace(_KEYCAP, "").replace("\ufe0f", ""))
        case Accept.URL:
            return _url(written)
        case Accept.CHOICE:
            number = choose_option(choices, written)
            return None if number is None else choices[number]
        case Accept.DATE:
            today = now.astimezone(ZoneInfo(zone)).date()
            found = find_date(written, today=today, month_first=language == "en")
            return None if found is None else found.isoformat()
        case _:
            assert_never(accept)


def _attachment(attachments: Sequence[Attachment], kind: str | None) -> str | None:
    for attachment in attachments:
        if kind is None or attachment.type == kind:
            return attachment.url or f"({attachment.type})"
    return None


def _email(written: str) -> str | None:
    found = _EMAIL.search(written)
    if found is None:
        return None
    name, _, domain = found[0].rstrip(".").rpartition("@")
    return f"{name}@{domain.lower()}"


def _phone(written: str) -> str | None:
    found = _PHONE.search(written)
    if found is None:
        return None
    digits = "".join(char for char in found[0] if char.isdecimal())
    if not 6 <= len(digits) <= 15:
        return None
    return ("+" if found[0].startswith("+") else "") + digits


def _number(written: str) -> str | None:
    found = _NUMBER.findall(written)
    if len(found) != 1:
        return None
    raw = re.sub(r"['\s\u00a0\u202f]", "", found[0]).replace("−", "-").rstrip(".,").removeprefix("+")
    # Digits of every script: ٣ is 3.
    return _plain_number("".join(str(int(char)) if char.isdecimal() else char for char in raw))


def _plain_number(raw: str) -> str | None:
    """Without grouping, with a dot: `1.200,50` and `1,200.50` are both 1200.50. None: a date or such."""
    last_dot, last_comma = raw.rfind("."), raw.rfind(",")
    if last_dot >= 0 and last_comma >= 0:
        point = max(last_dot, last_comma)
        whole = _ungrouped(re.split(r"[.,]", raw[:point]))
        return None if whole is None else f"{whole}.{raw[point + 1 :]}"
    groups = raw.split("." if last_dot >= 0 else ",")
    if len(groups) == 2 and (len(groups[1]) != 3 or groups[0].lstrip("-") in ("", "0")):
        return ".".join(groups)
    return _ungrouped(groups)


def _ungrouped(groups: Sequence[str]) -> str | None:
    """`1`, `200`, `000` are 1200000: after the first, groups have three digits."""
    fits = len(groups[0].lstrip("-")) <= 3 and all(len(group) == 3 for group in groups[1:])
    return "".join(groups) if fits or len(groups) == 1 else None


def _url(written: str) -> str | None:
    found = _URL.search(written)
    if found is None or "@" in written[max(0, found.start() - 1) : found.start() + 1]:
        return None
    address = found[0].rstrip(".,;!?)")
    return address if address.lower().startswith(("http://", "https://")) else f"https://{address}"
