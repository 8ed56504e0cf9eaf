"""What is wrong in a flow file, where, and what to do."""

import unicodedata
from dataclasses import dataclass
from enum import StrEnum

_SHOWN = 160
"""Characters of a longer line that are shown around the place."""


class Severity(StrEnum):
    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """Lines and columns count from 1. `code` never changes its meaning."""

    file: str
    line: int
    column: int
    severity: Severity
    code: str
    message: str
    hint: str | None = None


def render(problem: Problem, source: str | None) -> str:
    """`file:line:column: error: message`, the line with a caret, and the hint."""
    place = f"{problem.file}:{problem.line}:{problem.column}"
    lines = [f"{place}: {problem.severity.value}: {problem.message} [{problem.code}]"]
    written = (source or "").split("\n")
    if 0 < problem.line <= len(written) and written[problem.line - 1].strip():
        line = written[problem.line - 1].rstrip("\r")
        start = max(0, problem.column - 1 - _SHOWN // 2) if len(line) > _SHOWN else 0
        end = start + _SHOWN
        cut = "…" if start else ""
        shown = f"{cut}{line[start:end]}{'…' if end < len(line) else ''}"
        lines += [f"    {shown}", "    " + _blank(cut + line[start : problem.column - 1]) + "^"]
    if problem.hint is not None:
        lines.append(f"    {problem.hint}")
    return "\n".join(lines)


def _blank(text: str) -> str:
    """As wide as the text: some letters take two columns, and some none."""
    return "".join("\t" if char == "\t" else " " * _columns(char) for char in text)


def _columns(char: str) -> int:
    if unicodedata.combining(char) or unicodedata.category(char) in ("Cf", "Mn", "Me"):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1
