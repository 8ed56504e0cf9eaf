"""Rows of an export as JSON and as cells: instants, yes and no, and JSON columns as what they mean."""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any
from zoneinfo import ZoneInfo

from pamosnik._sqlite import Connection
from pamosnik.csv_cells import Cell
from pamosnik.store import links
from pamosnik.store.times import instant

Row = Sequence[Any]

_YES_NO = {"opted_out", "unreachable", "follows_me", "verified", "recovered"}
_JSON = {"tags", "fields", "content", "skipped", "scopes", "body"}
_TRACKED = re.compile(r"(?:/l/|%2Fl%2F)([A-Za-z0-9_-]{16})(?![A-Za-z0-9_-])", re.IGNORECASE)
_BEFORE = frozenset(" \t\r\n\"'<>\\()[]{},")
"""What no address has inside."""


class Untracked:
    """Tracked links open for whoever has their address and count as clicks of the person who got them: what leaves in
    an export has the address that each leads to in its place."""

    def __init__(self, conn: Connection) -> None:
        self._conn = conn

    def rows(self, rows: Iterable[Row]) -> Iterator[Row]:
        for row in rows:
            texts = "\n".join([cell for cell in row if isinstance(cell, str)])
            if "/l/" in texts or "%2F" in texts or "%2f" in texts:
                yield [self.text(cell) if isinstance(cell, str) else cell for cell in row]
            else:
                yield row

    def text(self, text: str) -> str:
        """Links of others, and such as are no more, stay as they are."""
        parts, begin = [], 0
        for found in _TRACKED.finditer(text):
            address = links.address_of(self._conn, found[1])
            if address is None:
                continue
            start = found.start()
            while start > begin and text[start - 1] not in _BEFORE:
                start -= 1
            # The text may be JSON.
            parts += [text[begin:start], address.replace('"', "%22").replace("\\", "%5C")]
            begin = found.end()
        return "".join([*parts, text[begin:]])


def json_rows(columns: Sequence[str], rows: Iterable[Row]) -> Iterator[bytes]:
    """An array, an object on each line: the first piece and the last one are its frame."""
    encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
    yield b"["
    before = "\n"
    for row in rows:
        yield f"{before}{encode(dict(zip(columns, row, strict=True)))}".encode()
        before = ",\n"
    yield b"]\n" if before == "\n" else b"\n]\n"


def shapes(columns: Sequence[str], rows: Iterable[Row]) -> Iterator[bytes]:
    """As `json_rows`, in the shapes of the JSON contract: times in words, `to.username` inside of `to`."""
    means = [_meaning(name) for name in columns]
    tops = list(dict.fromkeys(name.partition(".")[0] for name in columns))
    nested = any("." in name for name in columns)

    def shape(row: Row) -> Row:
        values = [value if mean is None else mean(value) for mean, value in zip(means, row, strict=True)]
        return _nested(columns, values) if nested else values

    return json_rows(tops, map(shape, rows))


def _nested(columns: Sequence[str], values: Sequence[object]) -> Sequence[object]:
    shape: dict[str, Any] = {}
    for name, value in zip(columns, values, strict=True):
        top, _, inner = name.partition(".")
        if inner:
            shape.setdefault(top, {})[inner] = value
        else:
            shape[top] = value
    return list(shape.values())


def _meaning(name: str) -> Callable[[Any], object] | None:
    """What makes the JSON value of a column; None: it is one."""
    if _is_instant(name):
        return lambda value: None if value is None else f"{instant(value):%Y-%m-%dT%H:%M:%SZ}"
    if name in _YES_NO:
        return lambda value: None if value is None else bool(value)
    if name in _JSON:
        return lambda value: None if value is None else json.loads(value)
    return None


def _is_instant(name: str) -> bool:
    return name in ("at", "deadline") or name.endswith(("_at", "_until"))


def cells(
    columns: Sequence[str], rows: Iterable[Row], fields: Sequence[str], zone: ZoneInfo
) -> tuple[Sequence[str], Iterator[Sequence[Cell]]]:
    """Headings and rows of a spreadsheet, times on the account's clock. `fields`: names of all custom fields, each a
    column of its own where people are the rows."""
    means = [_cell_of(name, zone) for name in columns]

    def plain(row: Row) -> list[Cell]:
        return [
            value if mean is None or value is None else mean(value)
            for mean, value in zip(means, row, strict=True)
        ]

    at = columns.index("fields") if "fields" in columns else None
    if at is None:
        return columns, map(plain, rows)
    headings = [*columns[:at], *(f"fields.{name}" for name in fields), *columns[at + 1 :]]

    def spread(row: Row) -> Sequence[Cell]:
        made, own = plain(row), json.loads(row[at])
        return [*made[:at], *(own.get(name) for name in fields), *made[at + 1 :]]

    return headings, map(spread, rows)


def _cell_of(name: str, zone: ZoneInfo) -> Callable[[Any], Cell] | None:
    """What makes the cell of a value that is there; None: it is one."""
    if _is_instant(name):
        return lambda value: instant(value).astimezone(zone)
    if name in _YES_NO:
        return bool
    if name == "tags":
        return lambda value: ", ".join(json.loads(value))
    return None
