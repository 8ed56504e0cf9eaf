"""What is wrong in a flow file, where, and what to do."""

from dataclasses import dataclass
from enum import StrEnum


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
        lines += [f"    {line}", "    " + _blank(line[: problem.column - 1]) + "^"]
    if problem.hint is not None:
        lines.append(f"    {problem.hint}")
    return "\n".join(lines)


def _blank(text: str) -> str:
    return "".join("\t" if char == "\t" else " " for char in text)
