"""What the commands that delete share: waiting for the end with a bar, the search afterwards, and the receipt."""

import contextlib
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from pamosnik import terminal
from pamosnik.commands.common import counted, note, print_facts, print_json, say

if TYPE_CHECKING:
    from pamosnik.config import Config
    from pamosnik.privacy.proof import Needles, Searched, Where
    from pamosnik.store.deletions import Receipt

_SCOPES = {"person": "a person", "connection": "a connected Instagram account", "account": "an account"}


@dataclass(frozen=True, slots=True, repr=False)
class Begun:
    """A deletion that was begun, and what must not be found when it has ended."""

    deletion_id: str
    needles: "Needles"
    where: "Where | None" = None
    """In which part of the database; None: nothing is looked for."""


def finish(settings: "Config", begun: Sequence[Begun], *, as_json: bool, as_list: bool = False) -> None:
    """Carries the deletions out, searches, and prints the receipts. No connection to the database may be open here.
    `as_list`: JSON is an array. Ends with exit code 1 when something was found."""
    from pamosnik.services import carrying_out, erasing

    try:
        with _bar() as on_progress:
            receipts = carrying_out.carry_out(settings, [one.deletion_id for one in begun], on_progress)
    except KeyboardInterrupt:
        note("Nothing of it is lost: it goes on with `pamosnik serve`, or with the same command again.")
        raise
    by_id = {one.deletion_id: one for one in begun}
    searched = [_search(settings, receipt, by_id[receipt.id]) for receipt in receipts]
    backups = _backups(settings)
    if as_json:
        rows = [
            {**erasing.receipt(receipt), **_searched_json(found), "backups": backups}
            for receipt, found in zip(receipts, searched, strict=True)
        ]
        print_json(rows if as_list else rows[0])
    else:
        for receipt, found in zip(receipts, searched, strict=True):
            _print(receipt, found)
        _tell_of_backups(settings, backups)
    if any(found is not None and found.found_in for found in searched):
        raise typer.Exit(1)


@contextlib.contextmanager
def _bar() -> "Iterator[Callable[[int, int], None]]":
    """A bar on stderr, if that is a terminal."""
    if not sys.stderr.isatty() or os.environ.get("PAMOSNIK_QUIET"):
        yield lambda _gone, _of: None
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=terminal.console(aside=True), transient=True) as progress:
        task = progress.add_task("Deleting", total=None)

        def on_progress(gone: int, of: int) -> None:
            what = "Deleting" if gone < of else "Writing the file anew"
            progress.update(task, completed=gone, total=of, description=what)

        yield on_progress


def _search(settings: "Config", receipt: "Receipt", begun: Begun) -> "Searched | None":
    """None when nothing is known that could be looked for: the deletion was begun by somebody else."""
    from pamosnik.privacy import proof
    from pamosnik.store.database import open_database

    needles, where, since = begun.needles, begun.where, receipt.began_at
    if where is None:
        return None
    found = proof.search(settings.home, needles)
    with open_database(settings.database) as database:
        return database.read(lambda conn: proof.judge(conn, needles, found, where, since))


def _searched_json(found: "Searched | None") -> dict[str, object]:
    if found is None:
        return {"searched": None}
    return {
        "searched": {
            "files": found.files,
            "looked_for": found.looked_for,
            "found_in": list(found.found_in),
        }
    }


def _print(receipt: "Receipt", found: "Searched | None") -> None:
    from pamosnik.services import erasing

    shape = erasing.receipt(receipt)
    facts: list[tuple[str, object]] = [
        ("receipt", receipt.id),
        ("deleted", f"the data of {_SCOPES[receipt.scope.value]}"),
        ("began", shape["began_at"]),
        ("ended", shape["ended_at"]),
        ("people", str(receipt.people)),
        ("events", str(receipt.events)),
        ("runs", str(receipt.runs)),
        ("messages", str(receipt.messages)),
    ]
    if receipt.scope.value != "person":
        facts.append(("Meta", erasing.META_TOLD[receipt.meta]))
    facts.append(("searched", _searched_words(found)))
    print_facts(facts)
    say("")


def _searched_words(found: "Searched | None") -> str:
    if found is None:
        return "for nothing: it had been begun before, and no name of it is known any more"
    if found.found_in:
        return f"STILL FOUND in {', '.join(found.found_in)}. Report this as a mistake of Pamosnik's"
    names = counted(found.looked_for, "name or id", "names and ids")
    return f"{counted(found.files, 'file')} for {names}: nothing left"


def _backups(settings: "Config") -> int:
    from pamosnik.store import backup_files

    return sum(len(backup_files.found_in(folder)) for folder in _folders(settings))


def _folders(settings: "Config") -> list[Path]:
    from pamosnik.store import backup_files

    other = settings.other_folder
    return [backup_files.folder_of(settings.home), *(() if other is None else (other,))]


def _tell_of_backups(settings: "Config", backups: int) -> None:
    if backups:
        folders = " and ".join(map(str, _folders(settings)))
        note(
            f"There may still be some of it in {counted(backups, 'backup')} in {folders}, made before. Whoever"
            " restores one deletes it again. To be rid of that, remove the files there."
        )
