"""`flows match`: which keyword of which flow takes a text."""

from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pamosnik.commands.common import Json, now, open_home, print_json, say, width
from pamosnik.commands.flow_problems import problems_json, show_problems
from pamosnik.errors import InvalidFlows, UsageError

if TYPE_CHECKING:
    from pamosnik.services.matching import Answer, Ground, Taker, Told


class As(StrEnum):
    """How a text is written."""

    COMMENT = "comment"
    LIVE_COMMENT = "live_comment"
    DM = "dm"
    STORY_REPLY = "story_reply"


_HEADINGS = {
    "comment": "As a comment",
    "live_comment": "As a comment during a live broadcast",
    "dm": "As a direct message",
    "story_reply": "As an answer to a story",
}
_SAFETY = {
    "stop": "“{}” is a word for STOP: the person gets nothing more until they write START, and no flow sees it.",
    "start": "“{}” is a word for START: of somebody who opted out it undoes that, and no flow sees it.",
    "human": "“{}” calls a human: automation rests for this person, and no flow sees it.",
}
_SHOWN = 60
"""Characters of a text that are repeated."""


def match(
    text: Annotated[str, typer.Argument(help="What somebody writes.")],
    files: Annotated[
        list[Path] | None, typer.Argument(help="Flow files, or folders of them; without, what is applied.")
    ] = None,
    as_kind: Annotated[
        As | None, typer.Option("--as", help="How it is written; without, each way that a flow listens to.")
    ] = None,
    post: Annotated[
        str | None, typer.Option("--post", help="Link or id of the post under which a comment stands.")
    ] = None,
    connection: Annotated[
        str | None, typer.Option("--connection", help="Username of the account that gets it.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Which keyword of which flow takes a text, who comes next, and what came close."""
    from pamosnik.services import matching

    if post is not None and as_kind not in (None, As.COMMENT):
        raise UsageError("--post goes with comments only.", hint="Try: --as comment")
    text = text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    ground = _of_files(files, post, connection, as_json=as_json) if files else _applied(post, connection)
    told = matching.told(ground, text, None if as_kind is None else as_kind.value, now=now())
    if as_json:
        print_json(told.as_json())
        return
    columns = width()
    for line in _lines(told):
        for part in (line,) if columns is None else _wrapped(line, columns):
            say(part)


def _wrapped(line: str, columns: int) -> Iterator[str]:
    from pamosnik.flows.explain.page import wrapped

    indent = " " * (len(line) - len(line.lstrip(" ")))
    return wrapped(line.lstrip(" "), indent, indent and f"{indent}  ", columns)


def _of_files(files: list[Path], post: str | None, connection: str | None, *, as_json: bool) -> "Ground":
    from pamosnik.flows.load import load, read_files
    from pamosnik.services import matching

    loaded = load(read_files(files))
    if loaded.has_errors:
        print_json(problems_json(loaded)) if as_json else show_problems(loaded)
        raise typer.Exit(InvalidFlows.exit_code)
    return matching.in_files(loaded, post, connection)


def _applied(post: str | None, connection: str | None) -> "Ground":
    from pamosnik.services import matching

    with open_home() as home:
        return home.read(lambda conn: matching.applied(conn, home.account, post, connection))


def _lines(told: "Told") -> Iterator[str]:
    text, answers = told.text, told.answers
    if not told.read_as:
        yield "There is nothing to read in this text: only flows that take any message may take it."
        yield ""
    elif told.read_as != " ".join(text.split()).casefold():
        yield f"It is read as “{_short(told.read_as)}”."
        yield ""
    if not answers:
        yield "No flow listens to comments, messages or answers to stories."
    for number, answer in enumerate(answers):
        if number:
            yield ""
        yield f"{_HEADINGS[answer.kind]}:"
        yield from (f"  {line}" for line in _about(answer, text))
    if any(answer.kind in ("dm", "story_reply") and answer.safety != "stop" for answer in answers):
        yield ""
        yield "A question that waits for this person's answer comes before the flows, if the text answers it."
        if told.gives_way:
            yield "One that takes any text gives way: the whole text is a keyword."


def _about(answer: "Answer", text: str) -> Iterator[str]:
    from pamosnik.services.matching import came_close

    if answer.safety is not None:
        yield _SAFETY[answer.safety].format(_short(text.strip()))
        if answer.safety == "stop":
            return
        if answer.takers:
            yield "If that does not apply:"
    if answer.winner is not None:
        yield f"{answer.winner.flow.id} takes it{_by(answer.winner)}: {answer.because}."
        yield from _asks(answer.winner)
    elif answer.safety is None:
        yield "No flow takes it."
    for taker in answer.takers:
        if taker.against is not None:
            yield f"{taker.flow.id} (`{taker.trigger}`{_word(taker)}) steps aside: {taker.against}."
    after = [one for one in answer.takers if one.against is None and one is not answer.winner]
    for taker in after:
        yield f"Next comes {taker.flow.id}{_by(taker)}."
        yield from _asks(taker)
    yield from (came_close(near) for near in answer.near)
    if answer.advice is not None:
        yield answer.advice


def _by(taker: "Taker") -> str:
    return f" by `{taker.trigger}`{_word(taker)}"


def _word(taker: "Taker") -> str:
    return "" if taker.keyword is None else f" “{taker.keyword}”"


def _asks(taker: "Taker") -> Iterator[str]:
    for asked in taker.asks:
        yield f"  asks first: {asked}"


def _short(text: str) -> str:
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"
