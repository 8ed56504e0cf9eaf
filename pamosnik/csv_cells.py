"""CSV that a shop owner may open: what strangers wrote cannot become a formula, and reading it back gives their text.

A spreadsheet takes a cell that begins with `=` (or `+ - @ | %`, a tab, a carriage return) for a formula, and a
formula can send the rest of the sheet away. Such a text gets an apostrophe in front, as spreadsheets have it
themselves. Two things beside that:

- Spaces, quotes and signs that nobody sees are no shelter, full-width forms of the signs neither.
- Where the list separator is a semicolon, as in most of Europe, a double click on a file with commas cuts texts at
  their semicolons and line ends, quotes or not. So inside of a text, too, what comes after one of those gets an
  apostrophe; there only if it can do something: call a function, start a program, fetch from another file.

A sign and digits alone are a number or a telephone number and stay. The rule asks the text only, and a text that
begins with an apostrophe before such a sign gets one more: therefore `as_meant` always finds the way back.

The file is RFC 4180 in UTF-8, every line ends in CR LF, and it begins with a byte order mark: without it Excel takes
it for the code page of its country, and `ż` is two wrong letters. `read` and Python's `utf-8-sig` skip the mark.
"""

import csv
import io
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from decimal import Decimal

Cell = str | int | float | Decimal | bool | datetime | None
"""Only texts can be a stranger's. `None` becomes an empty cell, `bool` `true` or `false`, instants ISO 8601."""

MEDIA_TYPE = "text/csv; charset=utf-8"

_BOM = b"\xef\xbb\xbf"
_UNSEEN = (
    r"[\s\x00-\x1f\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff"
    r"'\"＇＂`´‘’“”]*"
)
_SIGN = r"[=+\-@|%＝＋－＠｜％﹦﹢﹣﹫﹪−⁼⁺⁻₌₊₋]"
_FORMULA = re.compile(rf"{_UNSEEN}(?:{_SIGN}|[\t\r])")
_NUMBER = re.compile(r"[+-]?[0-9][0-9 .,]*")
_CUT = re.compile(r"([;\t\r\n])")
_INSIDE = re.compile(_UNSEEN + _SIGN)
_ACTS = re.compile(r"[(（|｜]|'!")


def encoded(columns: Sequence[str], rows: Iterable[Sequence[Cell]]) -> Iterator[bytes]:
    """The file, a piece for each row, to be sent on as they come; `b"".join` makes it whole.

    `columns` are the headings. Raises `ValueError` for a row that has more cells or fewer.
    """
    yield _BOM + _line(columns)
    for row in rows:
        if len(row) != len(columns):
            raise ValueError(f"A row has {len(row)} cells, and there are {len(columns)} columns.")
        yield _line(row)


def read(content: bytes) -> Iterator[list[str]]:
    """The rows of a file that `encoded` made, headings first, every text as it was given."""
    lines = io.StringIO(content.decode("utf-8-sig"), newline="")
    for row in csv.reader(lines, strict=True):
        yield [as_meant(cell) for cell in row]


def harmless(text: str) -> str:
    """The text as no spreadsheet takes it for a formula. `as_meant` gives the text back."""
    text = _inside(text, lambda piece: f"'{piece}")
    return f"'{text}" if _begins_a_formula(text) else text


def as_meant(cell: str) -> str:
    """The text of a cell that `harmless` made."""
    if cell.startswith("'") and _begins_a_formula(cell[1:]):
        cell = cell[1:]
    return _inside(cell, lambda piece: piece.removeprefix("'"))


def _inside(text: str, change: Callable[[str], str]) -> str:
    """`change` made to what follows a cut and could do something as a formula."""
    first, *rest = _CUT.split(text)
    acts = False
    for at in range(len(rest) - 1, -1, -1):
        piece = rest[at]
        if (begins := _INSIDE.match(piece)) and (acts or _ACTS.search(piece, begins.end())):
            rest[at] = change(piece)
        acts = acts or _ACTS.search(piece) is not None
    return first + "".join(rest)


def _begins_a_formula(text: str) -> bool:
    return _FORMULA.match(text) is not None and _NUMBER.fullmatch(text) is None


def _line(row: Sequence[Cell]) -> bytes:
    made = io.StringIO(newline="")
    csv.writer(made, lineterminator="\r\n").writerow([_written(cell) for cell in row])
    # Half a surrogate pair, as broken webhooks can bring it, has no UTF-8.
    return made.getvalue().encode("utf-8", errors="replace")


def _written(cell: Cell) -> str:
    match cell:
        case None:
            return ""
        case bool():
            return "true" if cell else "false"
        case datetime():
            return cell.isoformat()
        case str():
            return harmless(cell)
        case _:
            return str(cell)
