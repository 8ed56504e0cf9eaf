"""Files of codes: one code per line, or a table with a column `code`. What stands in them is never shown."""

import csv
import io
import re
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path

MOST_CODES = 100_000
"""They are stored in one go, and webhooks wait meanwhile."""
MOST_BYTES = 64 << 20
CODE_BYTES = 200
"""A message has 1000."""

_COLUMN = "code"
_SEPARATORS = ",;\t"
_TOLD_SEPARATOR = re.compile(r"sep=(\S)\s*", re.IGNORECASE)
"""What spreadsheets write into the first line."""
_ONE_PER_LINE = "Write one code per line, or name its column `code` in the first line."


class BadCodes(Exception):
    """A file that no code can be taken from. `seen`: it is there."""

    def __init__(self, message: str, hint: str, *, seen: bool = True) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.seen = seen


def read_codes(path: Path) -> tuple[str, ...]:
    """Each code once, in the order of the file. Raises `BadCodes`."""
    try:
        written = _bytes(path).decode("utf-8-sig")
    except UnicodeDecodeError:
        hint = "Save it with the encoding UTF-8 (in a spreadsheet: CSV UTF-8)."
        raise BadCodes("the codes file is not UTF-8 text", hint) from None
    except FileNotFoundError:
        hint = "Its path counts from the folder of the flow file."
        raise BadCodes("there is no such codes file", hint, seen=False) from None
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or "its name is no path"
        raise BadCodes(
            f"the codes file cannot be read: {why}", "Check the path, and who may read it.", seen=False
        ) from None
    return parse_codes(written)


def _bytes(path: Path) -> bytes:
    """A pipe would be waited for without end, a device read without end."""
    if not stat.S_ISREG(path.stat().st_mode):
        hint = "Name a file with codes, not a folder, a pipe or a device."
        raise BadCodes("the codes file cannot be read: it is no plain file", hint, seen=False)
    with path.open("rb") as file:
        found = file.read(MOST_BYTES + 1)
    if len(found) > MOST_BYTES:
        raise BadCodes("the codes file is larger than 64 MB", f"A pool takes {MOST_CODES} codes at most.")
    return found


def parse_codes(written: str) -> tuple[str, ...]:
    """Each code once. Raises `BadCodes`, which names the line and never the code."""
    found: dict[str, None] = {}
    try:
        for line, code in _cells(written):
            _require_sayable(line, code)
            found.setdefault(code)
            if len(found) > MOST_CODES:
                raise BadCodes(
                    f"the codes file holds more than {MOST_CODES} codes",
                    "Take a part of them; apply the file again with the rest when these run low.",
                )
    except csv.Error:
        raise BadCodes("the codes file is no CSV that can be read", _ONE_PER_LINE) from None
    return tuple(found)


def as_table(codes: Iterable[str]) -> str:
    """A file that `parse_codes` reads the same from, whatever signs are in the codes."""
    made = io.StringIO()
    csv.writer(made, lineterminator="\n").writerows([(_COLUMN,), *((code,) for code in codes)])
    return made.getvalue()


def _cells(written: str) -> Iterator[tuple[int, str]]:
    """(line, code) of every line that has one."""
    lines = written.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    first = next((number for number, line in enumerate(lines) if line.strip()), 0)
    told = _TOLD_SEPARATOR.fullmatch(lines[first])
    if told is not None:
        lines[first] = ""
    separator = told[1] if told else max(_SEPARATORS, key=lines[first].count)
    rows = csv.reader((f"{line}\n" for line in lines), delimiter=separator)
    column: int | None = None
    begun = False
    for row in rows:
        cells = [cell.strip() for cell in row]
        if not any(cells):
            continue
        names = () if begun else tuple(cell.casefold() for cell in cells)
        begun = True
        if _COLUMN in names:
            column = names.index(_COLUMN)
        elif column is not None:
            if column < len(cells) and cells[column]:
                yield rows.line_num, cells[column]
        elif any(cells[1:]) or any(sign in cells[0] for sign in _SEPARATORS):
            raise BadCodes(f"line {rows.line_num} of the codes file has several columns", _ONE_PER_LINE)
        else:
            yield rows.line_num, cells[0]


def _require_sayable(line: int, code: str) -> None:
    if "\n" in code:
        raise BadCodes(
            f"in the codes file a quote is opened and not closed before line {line}", "Take the quote out."
        )
    if not code.isprintable():
        raise BadCodes(f"line {line} of the codes file holds an invisible character", "Type that line again.")
    if len(code.encode()) > CODE_BYTES:
        raise BadCodes(
            f"line {line} of the codes file is longer than {CODE_BYTES} bytes",
            "A code must fit into a message.",
        )
