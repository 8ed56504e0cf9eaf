"""`events replay`: what nothing answered, tried again with the flows of now."""

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from pamosnik import terminal
from pamosnik.commands.common import (
    Home,
    Json,
    Since,
    Yes,
    counted,
    note,
    now,
    open_home,
    print_json,
    print_table,
    require_yes,
    since_instant,
)
from pamosnik.errors import Again, PamosnikError, UsageError

if TYPE_CHECKING:
    from pamosnik.services.reading.events import Event
    from pamosnik.services.replaying import Replayed

_UNLESS_SAID = timedelta(days=7)
"""Older comments cannot be answered privately any more."""

What = Annotated[
    list[str] | None, typer.Argument(help="Event, comment or message ids; @username for their latest.")
]
Flow = Annotated[str | None, typer.Option(help="Only what this flow takes now.")]
Words = Annotated[str | None, typer.Option(help="Only who wrote just these words.")]
Again_ = Annotated[bool, typer.Option("--again", help="Also what a flow or a human has answered.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only show what would happen.")]


def replay(
    what: What = None,
    since: Since = None,
    flow: Flow = None,
    words: Words = None,
    again: Again_ = False,
    dry_run: DryRun = False,
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Tries again with the flows of now what nothing answered; of several things that a person wrote, the latest."""
    if not what and since is None and flow is None and words is None:
        raise UsageError(
            "Which events?",
            hint="Name them, or say --since, --words or --flow.",
            again=Again(("--since", "1d", "--dry-run")),
        )
    if again and not what:
        raise UsageError("--again is for events that are named.", hint="Try: pamosnik events list")
    with open_home() as home:
        events = _named(home, what) if what else _missed(home, since, words)
        trial = _each(home, events, flow, again=again, dry_run=True)
        if what and not any(one.tried for one in trial):
            reasons = " ".join(dict.fromkeys(one.reason for one in trial))
            raise PamosnikError(f"Nothing is to be sent: {reasons}", hint=_hint(events, trial))
        rows = _rows(events, trial, flow)
        if not dry_run:
            able = [event for event, one in zip(events, trial, strict=True) if one.tried]
            if not as_json:
                _print(rows)
            if able:
                require_yes(f"Answer {counted(len(able), 'person', 'people')} now?", yes=yes)
            done = _each(home, able, flow, again=again, dry_run=False)
            rows = _rows(able, done, flow)
    if as_json:
        print_json(rows)
    elif dry_run:
        _print(rows)
        note("Nothing was changed: --dry-run shows what would happen.")
    else:
        _tell(done)


def _named(home: Home, what: Sequence[str]) -> "list[Event]":
    from pamosnik.services.reading import events as event_reading

    def found() -> "Iterator[Event]":
        for one in what:
            yield home.read(lambda conn, one=one: event_reading.named(conn, home.account, one)[0])  # type: ignore[misc]

    return list({event.id: event for event in found()}.values())


def _missed(home: Home, since: str | None, words: str | None) -> "list[Event]":
    from pamosnik.services import replaying

    begin = since_instant(home, since) or now() - _UNLESS_SAID
    group = replaying.Group(words=words)
    return home.read(lambda conn: replaying.of_group(conn, home.account, group, begin))


def _each(
    home: Home, events: "Sequence[Event]", flow: str | None, *, again: bool, dry_run: bool
) -> "list[Replayed]":
    """Each in a transaction of its own: a daemon that runs beside is not kept waiting."""
    from pamosnik.services import flow_history, replaying
    from pamosnik.services.home import public_address
    from pamosnik.services.library import Library
    from pamosnik.services.people import By
    from pamosnik.services.public_address import PublicAddress

    library = Library(PublicAddress(public_address(home.settings)))
    if flow is not None:
        home.read(lambda conn: flow_history.applied_flow(conn, home.account.id, flow, "show"))
    done = []
    with _progress(len(events), "Looking" if dry_run else "Answering") as step:
        for event in events:
            by = By(home.account, "command", now())
            done.append(
                home.write(
                    lambda conn, event=event, by=by: replaying.replay(  # type: ignore[misc]
                        conn, library, by, event.id, taken_too=again, only_flow=flow, dry_run=dry_run
                    )
                )
            )
            step()
    return done


def _rows(events: "Sequence[Event]", done: "Sequence[Replayed]", flow: str | None) -> list[dict[str, object]]:
    """Where a flow is named, what it does not take is no part of the answer."""
    pairs = zip(events, done, strict=True)
    return [{**event.shape(), **one.shape()} for event, one in pairs if one.tried or flow is None]


def _print(rows: Sequence[dict[str, object]]) -> None:
    columns = [
        ("at", "When"),
        ("kind", "What"),
        ("from", "Who"),
        ("text", "Text"),
        ("tried", "Answered"),
        ("reason", "How, or why not"),
        ("id", "Id"),
    ]
    print_table(rows, columns, "Nothing of that was left without an answer.")


def _hint(events: "Sequence[Event]", trial: "Sequence[Replayed]") -> str | None:
    """What to do about an only one."""
    from pamosnik.services.replaying import TAKEN

    if len(events) != 1:
        return None
    if trial[0].verdict in TAKEN:
        return f"To try it all the same: pamosnik events replay {events[0].id} --again"
    return f"Try: pamosnik why {events[0].id}"


def _tell(done: "Sequence[Replayed]") -> None:
    tried = [one for one in done if one.tried]
    note(f"{counted(len(tried), 'event was', 'events were')} tried again.")
    for one in done:
        if not one.tried:
            note(f"{one.event_id} was left as it was: {one.reason}")
    if tried:
        note("What leaves, and when: pamosnik queue list --open")


@contextmanager
def _progress(steps: int, word: str) -> Iterator[Callable[[], None]]:
    """A bar where somebody waits before a terminal."""
    if not sys.stderr.isatty() or os.environ.get("PAMOSNIK_QUIET") or steps < 2:
        yield lambda: None
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn(word), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=terminal.console(aside=True), transient=True) as bar:
        task = bar.add_task("replay", total=steps)
        yield lambda: bar.advance(task)
