"""Reads tests/flows/corpus, whose README says how it is written."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from pamosnik.flows.problems import Severity

CORPUS = Path(__file__).with_name("corpus")
_SIGNS_OF_SIGNS = str.maketrans({"⍽": "\u00a0", "␤": "\u2028"})
"""What nobody would see: a no-break space, a line separator."""
_BEHIND = re.compile(r"\s*# <([-~.]) (.*)$")
_BELOW = re.compile(r"^\s*#\s*\^ <([-~.]) (.*)$")
_SIGNS = {"-": Severity.ERROR, "~": Severity.WARNING, ".": Severity.NOTE}


@dataclass(frozen=True, slots=True)
class Expected:
    file: str
    line: int
    column: int | None
    severity: Severity
    words: tuple[str, ...]


@dataclass(slots=True)
class Case:
    title: str
    files: dict[str, str] = field(default_factory=dict)
    expected: list[Expected] = field(default_factory=list)


def cases(folder: str) -> list[Case]:
    return [case for path in sorted((CORPUS / folder).glob("*.txt")) for case in _cases(path)]


def _cases(path: Path) -> Iterator[Case]:
    head, *parts = re.split(r"^=== ", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    shared = "".join(line for line in head.splitlines(keepends=True) if not line.startswith("##"))
    for part in parts:
        title, _, body = part.partition("\n")
        whole = title.endswith("(whole)")
        yield _case(f"{path.stem}: {title.strip()}", body if whole else shared + body)


def _case(title: str, text: str) -> Case:
    case = Case(title)
    name = "shop.yaml"
    lines: list[str] = []
    for line in text.translate(_SIGNS_OF_SIGNS).rstrip("\n").split("\n"):
        another = re.fullmatch(r"--- (\S+\.yaml)", line)
        if another is not None:
            if lines:
                case.files[name] = _joined(lines)
            name, lines = another[1], []
        elif (below := _BELOW.match(line)) is not None:
            case.expected.append(_expected(name, len(lines), line.index("^") + 1, below))
        elif (behind := _BEHIND.search(line)) is not None:
            lines.append(line[: behind.start()])
            case.expected.append(_expected(name, len(lines), None, behind))
        else:
            lines.append(line)
    case.files[name] = _joined(lines)
    return case


def _joined(lines: list[str]) -> str:
    return "\n".join(lines) + "\n"


def _expected(file: str, line: int, column: int | None, mark: re.Match[str]) -> Expected:
    words = tuple(word.strip() for word in mark[2].split(";"))
    return Expected(file, line, column, _SIGNS[mark[1]], words)
