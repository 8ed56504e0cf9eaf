"""The one way to a terminal: nothing that strangers wrote is obeyed there, or disguises what stands beside it.

Names, messages and captions come from whoever writes to the shop; a terminal obeys some of the characters they may
hold. All that commands print goes through here (`tests/cli/test_terminal.py` looks for other ways), and loses

- control characters, ESC and the 8-bit ones among them; what they would have said stays as plain letters: `[2J`;
- signs that turn the direction of what follows (U+202A to 202E, U+2066 to 2069), with which a line reads otherwise
  than it is written, and invisible ones that only spoof. What Arabic, Hebrew and emoji need stays: the marks U+200E,
  U+200F and U+061C, joiners, variation selectors, the tags inside of a flag.

Colours and cursor moves are added after this, by `console`. In a pipe it is the same, because a pipe may lead to a
terminal, with two exceptions. JSON escapes such characters and so keeps them: it is exact for whoever parses it. And
files that are printed as they are written (`as_written`) leave exactly into a pipe.
"""

import json
import re
import sys
from collections.abc import Iterable
from typing import IO, TYPE_CHECKING, Any

import typer

from pamosnik import unsaid

if TYPE_CHECKING:
    from rich.console import Console

_FLAG = "\U0001f3f4[\U000e0020-\U000e007e]+\U000e007f"
_SPOOFS = "\u00ad\u180e\u200b\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\U000e0000-\U000e007f"
_CONTROL = "\x00-\x08\x0b-\x1f\x7f-\x9f"
_UNWANTED = re.compile(f"({_FLAG})|[{_CONTROL}{_SPOOFS}]")
_ESCAPED = re.compile(f"[\x7f-\x9f\u061c\u200e\u200f\ud800-\udfff{_SPOOFS}]")
_HALVES = re.compile("[\ud800-\udfff]")
_LINE_END = "⏎"


def clean(text: str) -> str:
    """The text without what a terminal obeys and what disguises it. Line ends and tabs stay."""
    if text.isascii() and text.isprintable():
        return text
    text = _UNWANTED.sub(lambda found: found[1] or "", text)
    return _HALVES.sub("\ufffd", text)


def one_line(text: str) -> str:
    """The text clean and on one line, so that nobody's line ends can forge a line of ours."""
    return f" {_LINE_END} ".join(clean(text.replace("\r\n", "\n").replace("\r", "\n")).split("\n"))


def out(text: str) -> None:
    """To stdout, with an end of line. Line ends in the text are ours: those of strangers went by `one_line`."""
    sys.stdout.write(f"{clean(text)}\n")


def err(text: str) -> None:
    """To stderr, at once. Its further lines stand further in, as one that somebody's line end forged does."""
    sys.stderr.write(clean(text).replace("\n", "\n  ") + "\n")
    sys.stderr.flush()


def as_written(text: str) -> None:
    """A file to stdout: exactly, unless a terminal would read it."""
    sys.stdout.write(clean(text) if sys.stdout.isatty() else text)


def takes_unicode() -> bool:
    """Whether stdout can show any letter."""
    return (getattr(sys.stdout, "encoding", None) or "utf-8").lower().startswith("utf")


def json_text(value: object) -> str:
    """JSON for people to read, harmless on a terminal, and exact for whoever parses it."""
    written = json.dumps(value, ensure_ascii=not takes_unicode(), indent=2)
    return escaped(written)


def escaped(written: str) -> str:
    """JSON with escapes for what a terminal obeys; it says the same."""
    return _ESCAPED.sub(_escape, written)


def _escape(found: re.Match[str]) -> str:
    return json.dumps(found[0])[1:-1] if found[0] != "\x7f" else "\\u007f"


def sure(question: str, *, default: bool = False) -> bool:
    """Asks on a terminal."""
    return typer.confirm(clean(question), default=default, err=True)


def ask(question: str, *, default: str | None = None, hidden: bool = False, twice: bool = False) -> str:
    """Asks on a terminal. `hidden`: what is typed does not show; `twice`: and is to be typed again."""
    answer = str(
        typer.prompt(clean(question), default=default, hide_input=hidden, confirmation_prompt=twice, err=True)
    )
    return unsaid.keep(answer) if hidden else answer


def console(
    *, aside: bool = False, file: IO[str] | None = None, width: int | None = None, colours: bool = True
) -> "Console":
    """Rich's, whose texts are clean whatever is printed. `aside`: on stderr."""
    from rich.console import Console, ConsoleOptions, RenderableType
    from rich.segment import Segment

    class Clean(Console):
        def render(
            self, renderable: RenderableType, options: ConsoleOptions | None = None
        ) -> Iterable[Segment]:
            for segment in super().render(renderable, options):
                # Rich's own cursor moves are controls, its colours the style.
                yield segment if segment.control else segment._replace(text=clean(segment.text))

    options: dict[str, Any] = {"highlight": False, "markup": False, "emoji": False}
    return Clean(stderr=aside, file=file, width=width, color_system="auto" if colours else None, **options)


def write_what_it_can() -> None:
    """What a terminal's character set does not have is written as `\\u017c`: no reason to end with an error."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="backslashreplace")
