"""What YAML refuses, said to people who do not know YAML: where they went wrong, and what to write.

The parser complains where it gives up; that is often a line or a quote after the mistake. The words it had read until
then tell where the mistake began.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import yaml

CURLY_QUOTES = "“”„‟‘’‚‛«»"
_VALUE = re.compile(r"(?P<key>^[\s-]*(?:[\w-]+: +)?)(?P<text>\S.*)$")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufffe\uffff]")
_NEW_LINE = re.compile(r"\s*(?:-|[\w-]+:)(?:\s|$)")
_TAB = re.compile(r"^ *\t")

_NOT_QUOTES = "“ and ” are no quotes to the computer"
_STRAIGHT = 'Type straight quotes: "…".'


@dataclass(frozen=True, slots=True)
class Said:
    """Lines and columns count from 1."""

    line: int
    column: int
    code: str
    message: str
    hint: str | None = None


def in_plain_words(error: yaml.YAMLError, text: str) -> Said:
    """The problem behind an error of the parser."""
    lines = text.split("\n")
    if not isinstance(error, yaml.MarkedYAMLError) or (error.problem_mark or error.context_mark) is None:
        line = next((n for n, one in enumerate(lines, 1) if _CONTROL.search(one)), 1)
        hint = "Delete them; they may be invisible."
        return Said(line, 1, "yaml", "the file holds characters that YAML does not allow", hint)
    place = error.problem_mark or error.context_mark
    assert place is not None
    at = _Place(place.line, place.column, lines, error.context_mark)
    said = f"{error.context or ''} {error.problem or ''}"
    if _TAB.match(at.text):
        hint = "Replace each tab by two spaces."
        return at.say("tab", "the line is indented with a tab; YAML takes spaces only", hint)
    if at.has_curly_quotes():
        return at.say("curly-quotes", _NOT_QUOTES, _STRAIGHT, column=at.first_curly_quote())
    if "found unexpected end of stream" in said:
        return at.at_context().say(
            "yaml-quotes", "a quote is opened here and never closed", "Close it with the same quote."
        )
    if "scanning a block scalar" in said:
        hint = "Begin the text on the next line, two spaces deeper; or put it in double quotes."
        return at.say("yaml-block", "a text under | or > begins on the next line", hint)
    before = _words_before(text, at)
    if "mapping values are not allowed" in said:
        return _a_colon_too_much(at, before)
    if "could not find expected ':'" in said:
        began = at.at_context()
        word = began.text[began.column :].strip()
        hint = f"Write it like: {word}: - or put it in quotes, if it belongs to the text above."
        return began.say("yaml-key-colon", f"a `:` is missing behind `{word}`", hint)
    if "did not find expected" in said:
        return _more_than_expected(at, before, said)
    return _else(at, said, error)


def mended(text: str, line: int, code: str) -> str | None:
    """The file with the quotes that a line lacks, so that the rest can be read; None when it is no such mistake."""
    lines = text.split("\n")
    found = _VALUE.match(lines[line - 1]) if code in ("yaml-colon", "yaml-character") else None
    if found is None or not found["key"].strip(" -"):
        return None
    value = found["text"].rstrip()
    if value[0] in "{[":
        return None  # nobody knows how many texts stand in it
    lines[line - 1] = found["key"] + quoted(value)
    return "\n".join(lines)


@dataclass(frozen=True, slots=True)
class _Place:
    """Counts from 0."""

    line: int
    column: int
    lines: Sequence[str]
    context: yaml.Mark | None

    @property
    def text(self) -> str:
        return self.lines[self.line] if self.line < len(self.lines) else ""

    def say(self, code: str, message: str, hint: str | None, *, column: int | None = None) -> Said:
        return Said(self.line + 1, (self.column if column is None else column) + 1, code, message, hint)

    def at(self, mark: yaml.Mark) -> "_Place":
        return _Place(mark.line, mark.column, self.lines, self.context)

    def at_context(self) -> "_Place":
        return self if self.context is None else self.at(self.context)

    def has_curly_quotes(self) -> bool:
        """Whether a value of this line begins with one."""
        return re.search(rf"(?:[:\-\[{{,]\s*|^\s*)[{CURLY_QUOTES}]", self.text) is not None

    def first_curly_quote(self) -> int:
        return next(n for n, char in enumerate(self.text) if char in CURLY_QUOTES)

    def indentation(self) -> str | None:
        """How far this line is indented, and how far the lines above it; None when it stands like one of them."""
        own = _spaces(self.text)
        deeper: list[int] = []
        for line in reversed(self.lines[: self.line]):
            if not line.strip() or line.lstrip().startswith("#"):
                continue
            spaces = _spaces(line)
            if spaces == own:
                return None
            if spaces < own:
                fitting = " or ".join(str(n) for n in sorted({spaces, *sorted(deeper)[:1]}))
                return f"It begins with {own} spaces; the lines above it begin with {fitting}."
            deeper.append(spaces)
        return None

    def quoted(self) -> str:
        """How to write the value of this line."""
        found = _VALUE.match(self.text)
        if found is None:
            return 'Write it like: send: "Hours: 9 to 17"'
        return f"Write it like: {found['key'].strip(' -')} {quoted(found['text'])}".replace(":  ", ": ")


def _spaces(line: str) -> int:
    return len(line) - len(line.lstrip(" "))


def quoted(written: str) -> str:
    """A text as it must be written; its own quotes may stand around it already."""
    inner = written.strip().rstrip("\r")
    if len(inner) > 1 and inner[0] == inner[-1] and inner[0] in "'\"":
        inner = inner[1:-1]
    if '"' not in inner and "\\" not in inner:
        return f'"{inner}"'
    if "'" not in inner:
        return f"'{inner}'"
    escaped = inner.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _words_before(text: str, at: _Place) -> list[yaml.ScalarToken]:
    """Every word and text that was read up to a place."""
    found: list[yaml.ScalarToken] = []
    try:
        for token in yaml.scan(text, Loader=yaml.CSafeLoader):
            if isinstance(token, yaml.ScalarToken):
                assert token.start_mark is not None
                if (token.start_mark.line, token.start_mark.column) >= (at.line, at.column):
                    break
                found.append(token)
    except yaml.YAMLError:
        pass
    return found


_TWO_KEYS = re.compile(
    r"^[\s-]*(?P<first>when|only_if|do|if|else|then|if_no_answer|if_not|if_empty|if_it_fails|flows|fields|facts|hours|"
    r"says|words|limits|active|comment|dm|ask|wait|set|field):\s+(?P<rest>(?P<second>[\w-]+):(?:\s.*)?)$"
)
"""A key, and on the same line the key that belongs below it."""


def _a_colon_too_much(at: _Place, before: list[yaml.ScalarToken]) -> Said:
    """Either a text holds a colon, or the word on a line above lacks its own, or a line is too deep."""
    two = _TWO_KEYS.match(at.text)
    if two is not None and at.column >= two.start("second"):
        message = f"`{two['first']}:` and `{two['second']}:` cannot stand on one line without {{ }}"
        hint = f"Write it like: {two['first']}: {{ {two['rest'].strip()} }}"
        return at.say("yaml-two-keys", message, hint, column=two.start("second"))
    last = before[-1] if before else None
    if (
        last is None
        or last.start_mark is None
        or last.start_mark.line == at.line
        or last.style not in ("", None)
    ):
        return at.say("yaml-colon", "a text with `: ` in it needs quotes", at.quoted())
    began = at.at(last.start_mark)
    word = began.text[began.column :].strip()
    if not began.text[: began.column].strip(" -"):
        return began.say("yaml-key-colon", f"a `:` is missing behind `{word}`", f"Write it like: {word}:")
    return at.say(
        "yaml-indentation",
        f"the line above has a value already (`{word}`), so nothing can stand deeper below it",
        "Give this line as many spaces as the line above, or put a long text in double quotes.",
        column=len(at.text) - len(at.text.lstrip()),
    )


def _more_than_expected(at: _Place, before: list[yaml.ScalarToken], said: str) -> Said:
    last = before[-1] if before else None
    rest = at.text[: at.column].rstrip()
    if "expected ',' or" in said and _NEW_LINE.match(at.text[at.column :]):
        return _not_closed(at)
    if last is not None and last.style in ("'", '"') and rest and rest[-1] == last.style:
        assert last.start_mark is not None
        began = at.at(last.start_mark)
        if began.line == at.line:
            return _quote_too_early(at, began, str(last.style), len(rest) - 1)
        if began.line < at.line and len(rest) > 0 and at.column == len(rest):
            hint = "Close it at the end of its text with the same quote."
            return began.say("yaml-quotes", "a quote is opened here and not closed on its line", hint)
    starred = re.search(r"(?:^|[:\-,\[{])\s+([*&]\S*)$", rest)
    if starred is not None:
        written = at.text[starred.start(1) :].rstrip(" }]")
        message = f"a text that begins with {starred[1][0]} needs quotes"
        return at.say("yaml-character", message, f"Write it like: {quoted(written)}", column=starred.start(1))
    opened = _brace_closed(rest)
    if opened is not None and at.text[at.column : at.column + 1] not in ("", "#"):
        written = at.text[opened:].rstrip(" }]") if at.text[opened:].count("}") > 1 else at.text[opened:]
        message = f"a text that begins with {at.text[opened]} needs quotes"
        return at.say("yaml-character", message, f"Write it like: {quoted(written)}", column=opened)
    if "expected ',' or" in said:
        return _not_closed(at)
    if "did not find expected '-' indicator" in said:
        message = "this line does not fit the list around it"
        if at.text.strip().startswith("- "):
            return at.say(
                "yaml-indentation",
                message,
                at.indentation() or "Give it as many spaces as the other `-` lines of the list have.",
            )
        hint = "Begin it with `- `, or give it as many spaces as the line above that it belongs to."
        return at.say("yaml-indentation", message, hint)
    return at.say(
        "yaml-indentation",
        "this line does not fit the lines around it",
        at.indentation() or "Check the spaces at its beginning, and the quotes of the line above.",
    )


def _not_closed(at: _Place) -> Said:
    """Where the next line looks like a new one, a bracket was not closed; else a comma may be missing."""
    opened = at.at_context()
    hint = "Put texts inside [ ] and { } in double quotes."
    if opened.line < at.line and (not at.text.strip() or _NEW_LINE.match(at.text)):
        sign = opened.text[opened.column : opened.column + 1]
        return opened.say("yaml-brackets", f"the bracket `{sign}` is opened here and not closed", hint)
    return at.say("yaml-brackets", "a comma is missing before this, or a bracket is not closed", hint)


def _quote_too_early(at: _Place, began: _Place, quote: str, closed: int) -> Said:
    """`'It's here'`: the text ends at its own quote."""
    whole = _up_to_last(at.text[began.column :], quote)
    message = f"the text ends at this {quote}, and more follows; a {quote} inside needs other quotes around"
    return at.say("yaml-quotes-inside", message, f"Write it like: {quoted(whole)}", column=closed)


def _up_to_last(written: str, quote: str) -> str:
    """A text up to the last of its quotes. With one quote more than it opens, that one may be an apostrophe."""
    if written.count(quote) > 2:
        return written[: written.rindex(quote) + 1]
    behind = written.rindex(quote) + 1
    is_apostrophe = written[behind : behind + 1].isalpha()
    return (written[1:] if is_apostrophe else written).rstrip().rstrip("]}, ")


def _brace_closed(rest: str) -> int | None:
    """Where the bracket was opened that ends there, if a value begins with it."""
    if not rest or rest[-1] not in "}]":
        return None
    opened = rest.rfind("{" if rest[-1] == "}" else "[")
    return opened if opened >= 0 and re.search(r"(?:^|[:\-,\[{])\s*$", rest[:opened]) else None


def _else(at: _Place, said: str, error: yaml.MarkedYAMLError) -> Said:
    if "cannot start any token" in said:
        hint = at.quoted()
        return at.say("yaml-character", "a text that begins with @ % * & ! { [ ` needs quotes", hint)
    if "undefined alias" in said or "scanning an alias" in said:
        return at.say("yaml-alias", *ALIAS)
    if "scanning an anchor" in said or "scanning a tag" in said or "scanning a directive" in said:
        return at.say("yaml-character", "a text that begins with @ % * & ! { [ ` needs quotes", at.quoted())
    if "unknown escape character" in said:
        message = 'a \\ inside double quotes means something only before n, t, " and \\'
        return at.say("yaml-escape", message, "Write \\\\ for the sign itself, or use single quotes.")
    if "block sequence entries are not allowed" in said:
        hint = "Begin the list on the next line; a text that begins with - needs quotes."
        return at.say("yaml-list", "a list cannot begin on this line", hint)
    return at.say("yaml", f"this is not YAML: {error.problem}", "Check quotes and indentation here.")


ALIAS = (
    "`*name` means a part marked with `&name`, and there is none; a text that begins with * needs quotes",
    'Put the text in double quotes, like "*sale*".',
)
