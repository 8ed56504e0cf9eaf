"""Values that several parts of the language share: words, times, days."""

import re
from datetime import date, datetime

from pamosnik.flows import source
from pamosnik.flows.kinds import DURATION, duration, integer, list_of, mapping_of, name, one_of, text
from pamosnik.flows.reader import Json, Key, Read, Reader, is_braced_text, items
from pamosnik.flows.shapes import AnyJson, AnyText, Either, ListOf, Whole, Written, shaped
from pamosnik.flows.source import Node, Scalar
from pamosnik.model import emoji
from pamosnik.model.text import MatchMode

POST_LINK = re.compile(r"https?://(?:www\.)?instagram\.com/(?:[\w.]+/)?(?:p|reel|reels|tv)/[\w-]+")

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

texts = list_of(text)
METHODS = ("POST", "GET", "PUT", "PATCH", "DELETE")


@shaped(AnyText())
def word(reader: Reader, node: Node, path: str) -> Json:
    found = text(reader, node, path)
    if isinstance(node, Scalar) and node.plain and isinstance(found, str) and ", " in found:
        several = ", ".join(part.strip() for part in found.split(",") if part.strip())
        message = "this is one keyword with a comma in it"
        reader.warn(node.mark, "comma-in-word", message, f"Put several into [ ]: [{several}]")
    if isinstance(found, str) and not found.strip("*").strip():
        reader.error(node.mark, "empty-word", "a keyword needs at least one character beside *")
        return None
    return found


words = list_of(word)
_MATCH = one_of(*MatchMode)
WORDS = Key("words", words, "Keywords or phrases; one of them is enough. A keyword may end in `*`.")
MATCH_KEY = Key("match", _MATCH, "How to look: `whole_word` (default), `exact`, `starts_with`, `contains`, …")
BUT_NOT = Key("but_not", words, "Words that forbid a match.")


@shaped(DURATION)
def some_time(reader: Reader, node: Node, path: str) -> Json:
    """A duration longer than nothing."""
    found = duration(reader, node, path)
    if found == 0:
        reader.error(node.mark, "no-time", "this is no time at all", "Write it like 90s, 10m, 2h or 3d.")
        return None
    return found


@shaped(Whole(1, 20))
def at_least_one(reader: Reader, node: Node, path: str) -> Json:
    found = integer(reader, node, path)
    if isinstance(found, int) and not 1 <= found <= 20:
        reader.error(node.mark, "number-expected", "a number from 1 to 20 is expected here")
        return None
    return found


@shaped(Whole(1))
def at_least_one_code(reader: Reader, node: Node, path: str) -> Json:
    found = integer(reader, node, path)
    if isinstance(found, int) and found < 1:
        reader.error(node.mark, "number-expected", "a number from 1 on is expected here")
        return None
    return found


_PLAIN_NUMBER = re.compile(r"-?(0|[1-9]\d{0,14})(\.\d{1,10})?")
_PLAIN_WORDS: dict[str, Json] = {"true": True, "false": False, "null": None, "~": None, "": None}


@shaped(AnyJson())
def json_value(reader: Reader, node: Node, path: str) -> Json:
    """JSON as YAML writes it: numbers, true, false and null are what they look like, unless they stand in quotes."""
    reader.positions[path] = node.mark
    if isinstance(node, source.Sequence):
        return [json_value(reader, item, f"{path}.{number}") for number, item in enumerate(node.items)]
    if isinstance(node, source.Mapping):
        # A dot or a colon would look like a part of the path.
        return {
            key.value: json_value(reader, value, f"{path}.{re.sub('[.:]', '_', key.value)}")
            for key, value in node.entries
        }
    if node.plain and node.value in _PLAIN_WORDS:
        return _PLAIN_WORDS[node.value]
    if node.plain and _PLAIN_NUMBER.fullmatch(node.value):
        return float(node.value) if "." in node.value else int(node.value)
    return node.value


@shaped(Either(lambda: (list_of(name), mapping_of(json_value, text))))
def sent(reader: Reader, node: Node, path: str) -> Json:
    """Names of what is sent, or JSON."""
    if not isinstance(node, source.Mapping):
        return list_of(name)(reader, node, path)
    if is_braced_text(node):
        reader.braces_without_quotes(node)
        return None
    return json_value(reader, node, path)


@shaped(Written(r"^\s*[^\s.]+(\.[^\s.]+)*\s*$", ("customer.discount",), or_number=True))
def json_path(reader: Reader, node: Node, path: str) -> Json:
    """Keys and numbers of items, with dots between."""
    found = text(reader, node, path)
    if isinstance(found, str) and not re.fullmatch(r"[^\s.]+(\.[^\s.]+)*", found.strip()):
        hint = "Write it like customer.discount, or items.0.price for the first of a list."
        reader.error(node.mark, "path-expected", "a path into the answer is expected here", hint)
        return None
    return found.strip() if isinstance(found, str) else None


def as_written(_reader: Reader, node: Node, _path: str) -> Json:
    """What another part of Pamosnik reads: kept as it stands."""
    if isinstance(node, Scalar):
        return node.value
    if isinstance(node, source.Sequence):
        return [as_written(_reader, item, _path) for item in node.items]
    return {key.value: as_written(_reader, value, _path) for key, value in node.entries}


_DAY = "|".join("".join(f"[{letter}{letter.upper()}]" for letter in day) for day in DAYS)
A_DAY = Written(rf"^\s*(({_DAY})( [tT][oO] ({_DAY}))?|\d{{4}}-\d\d-\d\d)\s*$", (*DAYS, "mon to fri"))


@shaped(ListOf(shaped(A_DAY)(text)))
def days(reader: Reader, node: Node, path: str) -> Json:
    """Weekdays as numbers (Monday 0) and dates as they are."""
    reader.positions[path] = node.mark
    found: list[Json] = []
    if items(node) == ():
        reader.error(node.mark, "empty-list", "days are expected here, and there are none")
        return None
    for item in items(node):
        written = item.value.strip().lower() if isinstance(item, Scalar) else ""
        first, _, last = written.partition(" to ")
        if first in DAYS and (last in DAYS or not last):
            start, end = DAYS.index(first), DAYS.index(last or first)
            found += [(start + ahead) % 7 for ahead in range((end - start) % 7 + 1)]
        elif is_date(written):
            found.append(written)
        else:
            reader.error(
                item.mark,
                "days-expected",
                "days are expected here",
                "Write them like mon, mon to fri or 2026-12-24.",
            )
            return None
    return found


def is_date(written: str) -> bool:
    try:
        date.fromisoformat(written)
    except ValueError:
        return False
    return True


_WRITTEN_MOMENT = re.compile(r"(\d{4})-(\d\d?)-(\d\d?)(?: (\d\d?:\d\d))?")


@shaped(Written(r"^\s*\d{4}-\d\d?-\d\d?( \d\d?:\d\d?)?\s*$", ("2026-12-24 09:00",)))
def instant(reader: Reader, node: Node, path: str) -> Json:
    """`YYYY-MM-DD` or `YYYY-MM-DD HH:MM`."""
    reader.positions[path] = node.mark
    written = node.value.strip() if isinstance(node, Scalar) else ""
    for form in ("%Y-%m-%d", "%Y-%m-%d %H:%M"):
        try:
            read = datetime.strptime(written, form)  # noqa: DTZ007 - the zone comes from the flow
        except ValueError:
            continue
        return read.strftime(form)
    message = no_such_moment(written) or "a date is expected here"
    reader.error(node.mark, "time-expected", message, 'Write it like "2026-12-24 09:00".')
    return None


def no_such_moment(written: str) -> str | None:
    """What is wrong with a day, or a day and a clock time, that is written well and that no calendar has."""
    parts = _WRITTEN_MOMENT.fullmatch(written)
    if parts is None:
        return None
    year, month, day = int(parts[1]), int(parts[2]), int(parts[3])
    try:
        date(year, month, day)
    except ValueError:
        return f"there is no day {year:04}-{month:02}-{day:02}"
    return f"there is no clock time {parts[4]}" if parts[4] else None


def emoji_for(key: str) -> Read:
    """One emoji."""

    @shaped(AnyText())
    def read(reader: Reader, node: Node, path: str) -> Json:
        written = text(reader, node, path)
        if not isinstance(written, str) or emoji.is_one(written):
            return written
        if emoji.are_several(written):
            one = "Write several as a list: [❤️, 🔥]" if key == "reaction" else "Take one of them."
            reader.error(node.mark, "emoji-expected", f"`{written}` is more than one emoji", one)
        else:
            reader.error(node.mark, "emoji-expected", f"`{written}` is no emoji", f"Write it like: {key}: ❤️")
        return None

    return read


@shaped(AnyText())
def own_post(reader: Reader, node: Node, path: str) -> Json:
    """The link or id of a post."""
    written = text(reader, node, path)
    if not isinstance(written, str) or written.isdecimal() or POST_LINK.match(written):
        return written
    hint = 'Copy its link in the Instagram app: "https://www.instagram.com/p/…"'
    reader.error(node.mark, "post-expected", f"`{written}` names no post", hint)
    return None
