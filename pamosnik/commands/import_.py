"""Bringing an export into an empty account: import."""

import shlex
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pamosnik import terminal
from pamosnik.commands.bars import progress_bar
from pamosnik.commands.common import (
    Home,
    Json,
    Yes,
    counted,
    note,
    now,
    open_home,
    print_facts,
    print_json,
    say,
)
from pamosnik.errors import Declined, PamosnikError

if TYPE_CHECKING:
    from pamosnik.privacy.importing_check import Checked
    from pamosnik.privacy.importing_file import ExportFile

_KINDS = {
    "flows": ("flows",),
    "people": ("contacts",),
    "tags": ("contact_tags",),
    "fields": ("contact_fields",),
    "codes": ("codes",),
    "days_of_statistics": ("totals",),
    "consents": ("consents",),
    "legal_texts": ("legal_texts",),
    "broadcasts": ("broadcasts",),
}
"""What people know the rows by."""


def register(app: typer.Typer) -> None:
    app.command("import")(import_)


def import_(
    file: Annotated[Path, typer.Argument(help="What `pamosnik export` made.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Look at everything, change nothing.")] = False,
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Brings an export into an empty account: flows, people with tags and fields, limits, codes, statistics."""
    from pamosnik.privacy import importing_file

    with open_home() as home, importing_file.opened(file) as opened:
        with progress_bar("Check") as tell:
            checked = _check(home, opened, _counted(tell, _rows(opened)))
        if checked.problems:
            raise _refused(file, checked)
        if not dry_run:
            _ask(home, checked, yes)
            _bring_in(home, opened, checked)
    _tell(file, checked, dry_run=dry_run, as_json=as_json)


def _refused(file: Path, checked: "Checked") -> PamosnikError:
    """With every reason, not only the first."""
    reasons = "".join(f"\n- {terminal.one_line(problem)}" for problem in checked.problems)
    hint = f"When that is settled, try: pamosnik import {shlex.quote(str(file))}"
    if checked.file_problems:
        hint = "Make another one where the data is. Try: pamosnik export"
    return PamosnikError(
        f"{terminal.one_line(str(file))} cannot be imported into this account. Nothing was changed.{reasons}",
        hint=hint,
    )


def _rows(opened: "ExportFile") -> int:
    from pamosnik.privacy import importing_rows

    return sum(opened.rows_in(table) for table in importing_rows.RESTORED)


def _check(home: Home, opened: "ExportFile", advance: Callable[[int], None]) -> "Checked":
    from pamosnik.privacy import importing_check
    from pamosnik.store import ledger

    ledgers = (home.settings.home / ledger.NAME, opened.path.parent / ledger.NAME)
    return home.database.read(
        lambda conn: importing_check.check(opened, conn, home.account.id, ledgers, advance)
    )


def _bring_in(home: Home, opened: "ExportFile", checked: "Checked") -> None:
    from pamosnik.privacy import importing, importing_rows
    from pamosnik.services import logins

    at = now()
    with progress_bar("Import") as tell:
        importing.bring_in(
            home.write,
            opened,
            checked,
            at,
            lambda conn, connection_id: logins.moved(conn, connection_id, importing_rows.MOVED, at),
            _counted(tell, sum(checked.counts.values())),
        )


def _ask(home: Home, checked: "Checked", yes: bool) -> None:
    """Nothing is lost by an import, so where nobody can be asked it begins."""
    if yes or not sys.stdin.isatty():
        return
    people = counted(checked.counts["contacts"], "person", "people")
    flows = counted(checked.counts["flows"], "flow")
    if not terminal.sure(f"Import {people} and {flows} into {home.account.email}?"):
        raise Declined("Nothing was changed.")


def _tell(file: Path, checked: "Checked", *, dry_run: bool, as_json: bool) -> None:
    counts = {kind: sum(checked.counts.get(table, 0) for table in tables) for kind, tables in _KINDS.items()}
    usernames = [str(one["username"]) for one in checked.connections]
    made_at = f"{checked.created_at:%Y-%m-%dT%H:%M:%SZ}"
    if as_json:
        print_json(
            {
                "file": str(file),
                "created_at": made_at,
                "account": checked.email,
                "timezone": checked.timezone,
                "connections": usernames,
                "counts": counts,
                "forgotten": len(checked.left_out),
                "imported": not dry_run,
            }
        )
        return
    if dry_run:
        say(f"{file} can be imported{': it goes on where it stopped' if checked.resumes else ''}.")
    else:
        say(f"{file} was imported.")
    print_facts(
        [
            ("made", made_at),
            ("of", checked.email),
            *((kind.replace("_", " "), number) for kind, number in counts.items()),
            ("forgotten since", f"{len(checked.left_out)} (they do not come back)"),
            ("time zone", f"{checked.timezone} (the statistics are counted in it)"),
        ]
    )
    note("Not in an import: events, messages, runs, tracked links, logins, API tokens, the former audit.")
    if not dry_run:
        for username in usernames:
            note(f"Connect {username} again: pamosnik connect")


def _counted(tell: Callable[[int, int], None], everything: int) -> Callable[[int], None]:
    """Tells (done, all) when it hears how many more are done."""
    done = 0

    def advance(more: int) -> None:
        nonlocal done
        done += more
        tell(done, everything)

    return advance
