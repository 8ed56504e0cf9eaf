"""Durations as people write them, like 90s, 2h or 1h30m; and as they were meant, like `3 hours`."""

import re
from datetime import timedelta

A_DURATION = r"(?=\d)(\d{1,6}d)?(\d{1,6}h)?(\d{1,6}m)?(\d{1,7}s)?"
"""A pattern that JavaScript knows, too."""
_DURATION = re.compile(r"(?:(\d{1,6})d)?(?:(\d{1,6})h)?(?:(\d{1,6})m)?(?:(\d{1,7})s)?")

_IN_WORDS = re.compile(r"(\d{1,6}) *([a-zµ]*)\.?")
_UNITS = (("mo", "d", 30), ("w", "d", 7), ("d", "d", 1), ("h", "h", 1), ("m", "m", 1), ("s", "s", 1))
"""How a unit begins in words, how it is written, and how many there are."""


def as_a_duration(written: str) -> str:
    """`3 hours` as it was meant."""
    parts = _IN_WORDS.findall(written.strip().lower())
    made = ""
    for number, unit in parts:
        known = next(((sign, times) for begins, sign, times in _UNITS if unit.startswith(begins)), None)
        made += "" if known is None else f"{int(number) * known[1]}{known[0]}"
    if made and seconds(made) is not None:
        return f"Write it like {made}."
    if len(parts) == 1 and written.strip().isdecimal():
        number = parts[0][0]
        return f"Say of what: {number}s, {number}m, {number}h or {number}d."
    return "Write it like 90s, 10m, 2h, 3d or 1h30m."


def seconds(written: str) -> int | None:
    """The seconds of a duration as it is written; None when it is none."""
    found = _DURATION.fullmatch(written.strip())
    if found is None or not any(found.groups()):
        return None
    days, hours, minutes, rest = (int(part or 0) for part in found.groups())
    return int(timedelta(days=days, hours=hours, minutes=minutes, seconds=rest).total_seconds())


def written(seconds: int) -> str:
    """The usual way to write it: 90 → `90s`, 86400 → `24h`, 5400 → `1h30m`, 172800 → `2d`."""
    if seconds < 120 and seconds % 60:
        return f"{seconds}s"
    parts = []
    for unit, size in (("d", 86_400), ("h", 3600), ("m", 60), ("s", 1)):
        if unit == "d" and seconds < 2 * size:
            continue
        count, seconds = divmod(seconds, size)
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts) or "0s"
