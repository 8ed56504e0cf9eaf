"""How long things are kept, and what would go now: retention show and run."""

import contextlib
import os
import sys
from collections.abc import Callable, Iterator
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from pamosnik import terminal
from pamosnik.commands.common import (
    Json,
    Yes,
    counted,
    note,
    now,
    open_home,
    print_json,
    print_table,
    require_yes,
    say,
)
from pamosnik.errors import PamosnikError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pamosnik._sqlite import Connection
    from pamosnik.commands.common import Home
    from pamosnik.privacy.retention import Overview, Rules

_COLUMNS = (
    ("kind", "What"),
    ("keep", "Kept for"),
    ("source", "Set in"),
    ("stored", "Stored"),
    ("goes", "Would go now"),
    ("oldest", "Oldest"),
)


def register(app: typer.Typer) -> None:
    retention = typer.Typer(help="How long things are kept.", rich_markup_mode=None, no_args_is_help=True)
    retention.callback()(_retention)
    retention.command("show")(show)
    retention.command("run")(run)
    app.add_typer(retention, name="retention")


def _retention() -> None:
    pass


def show(as_json: Json = False) -> None:
    """What is kept how long, how much of it is stored, and how much would go now."""
    from pamosnik.services import kept

    with open_home() as home:
        found = _overview(home, _rules(home))
        shape = kept.shape(found, home.settings.sources)
    if as_json:
        print_json(shape)
        return
    _print(shape)


def run(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would go.")] = False,
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Deletes now what is older than it is to be kept; the daemon does it once a day."""
    from pamosnik.services import carrying_out, kept

    with open_home() as home:
        rules = _rules(home)
        _require_time(home)
        found = _overview(home, rules)
        if dry_run:
            _tell(found, home, as_json)
            note("Nothing was deleted.")
            return
        if found.goes and not as_json:
            _print(kept.shape(found, home.settings.sources))
        if found.goes:
            require_yes(
                f"Delete {counted(found.goes, 'row')} for good?", yes=yes, otherwise="Nothing was deleted."
            )
        # Also when nothing goes: one that was broken off comes to its end.
        _delete(home, rules, found.goes)
        settings, sources = home.settings, home.settings.sources
        after = _overview(home, rules)
    if not carrying_out.remove_traces(settings, home.account.id):
        note("Traces of them in the file are removed by the daemon, within some minutes.")
    if as_json:
        print_json(kept.shape(after, sources))
        return
    gone = {} if after.last is None else after.last.gone
    say(
        f"Deleted: {', '.join(f'{kind} {n}' for kind, n in gone.items())}." if gone else "Nothing is too old."
    )


def _tell(found: "Overview", home: "Home", as_json: bool) -> None:
    from pamosnik.services import kept

    shape = kept.shape(found, home.settings.sources)
    if as_json:
        print_json(shape)
        return
    _print(shape)


def _rules(home: "Home") -> "Rules":
    from pamosnik.services import kept

    return home.read(lambda conn: kept.rules(conn, home.account.id, home.settings.ages))


def _overview(home: "Home", rules: "Rules") -> "Overview":
    from pamosnik.privacy import retention

    at = now()
    return home.read(lambda conn: retention.overview(conn, home.account.id, rules, at))


def _require_time(home: "Home") -> None:
    """By a clock that has jumped ahead everything is old."""
    from pamosnik.store import notices

    if home.read(lambda conn: notices.since(conn, "", "", notices.CLOCK_WRONG)) is not None:
        raise PamosnikError(
            "The clock of this machine is wrong: nobody knows what is old.",
            hint="Set it right. Try: timedatectl set-ntp true",
        )


# --- deleting --------------------------------------------------------------------------------------------


def _begin(conn: "Connection", account_id: str, at: datetime) -> None:
    from pamosnik.privacy import retention
    from pamosnik.store import accounts

    retention.begin(conn, account_id, at)
    accounts.audit(conn, account_id, actor="command", action="retention run", subject=None, now=at)


def _delete(home: "Home", rules: "Rules", goes: int) -> None:
    """In short transactions: a daemon goes on meanwhile."""
    from pamosnik.privacy import retention
    from pamosnik.privacy.retention import Place

    account_id, at = home.account.id, now()
    home.write(lambda conn: _begin(conn, account_id, at))
    place: Place | None = Place()
    with _progress(goes) as gone:
        while place is not None:
            place = home.write(
                partial(retention.some, account_id=account_id, rules=rules, place=place, now=at)
            )
            gone(home.read(partial(retention.gone_so_far, account_id=account_id)))
    home.write(lambda conn: retention.end(conn, account_id, now()))


@contextlib.contextmanager
def _progress(total: int) -> Iterator[Callable[[int], None]]:
    """A bar where somebody waits before a terminal."""
    if not sys.stderr.isatty() or os.environ.get("PAMOSNIK_QUIET"):
        yield lambda _: None
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("Deleting"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=terminal.console(aside=True), transient=True) as bar:
        task = bar.add_task("delete", total=total)
        yield lambda gone: bar.update(task, completed=min(gone, total))


# --- telling ---------------------------------------------------------------------------------------------


def _print(shape: "Mapping[str, object]") -> None:
    kinds, fields, last = shape["kinds"], shape["fields"], shape["last"]
    assert isinstance(kinds, list)
    assert isinstance(fields, list)
    named: Sequence[dict[str, object]] = [{**one, "kind": f"field {one['field']}"} for one in fields]
    print_table([*kinds, *named], _COLUMNS, "")
    if isinstance(last, dict):
        from pamosnik.commands.common import shown

        end = shown(last["gone"]) if last["gone"] else "nothing was too old"
        if last["ended_at"] is None:
            end = "it is under way, or was broken off; the next time goes on"
        say(f"Last time: {shown(last['began_at'])}: {end}")
    else:
        say("Nothing was deleted for its age yet.")
