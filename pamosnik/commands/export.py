"""export: everything of an account as a ZIP; contacts export: what is kept of one person."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pamosnik.commands.bars import progress_bar
from pamosnik.commands.common import Json, counted, note, now, open_home, print_facts, print_json

if TYPE_CHECKING:
    from pamosnik.privacy.export_archive import OnProgress
    from pamosnik.services.exporting import Made

Output = Annotated[
    Path | None,
    typer.Option("--output", "-o", help="The ZIP to make; without it one in this folder, named by the time."),
]


def register(app: typer.Typer) -> None:
    app.command()(export)


def register_person(contacts: typer.Typer) -> None:
    contacts.command("export")(export_person)


def export(output: Output = None, as_json: Json = False) -> None:
    """Everything of the account as a ZIP: JSON, CSV, a page that explains it, a manifest. No token, no hash."""
    from pamosnik.services import exporting

    with open_home() as home:
        at = now()
        target = output or exporting.free_path(Path.cwd(), home.account, at)
        _make(
            lambda on_progress: exporting.account(home, home.account, target, "command", at, on_progress),
            as_json,
        )


def export_person(
    who: Annotated[str, typer.Argument(help="@username, Instagram id, or the id of something they wrote.")],
    output: Output = None,
    as_json: Json = False,
) -> None:
    """Everything that is kept of a person as a ZIP, to answer who asks for their data."""
    from pamosnik.services import exporting

    with open_home() as home:
        at = now()
        target = output or exporting.free_path(Path.cwd(), home.account, at, of_person=True)
        _make(
            lambda on_progress: exporting.person(home, home.account, who, target, "command", at, on_progress),
            as_json,
        )


def _make(make: "Callable[[OnProgress], Made]", as_json: bool) -> None:
    with progress_bar("Export") as on_progress:
        made = make(on_progress)
    if as_json:
        print_json({"file": str(made.path), "bytes": made.size_bytes, **made.manifest.as_json()})
        return
    counts = made.manifest.counts
    shown = ("contact", "message", "comment", "event", "run")
    print_facts(
        [
            ("file", str(made.path)),
            ("holds", ", ".join(counted(counts[f"{one}s"], one) for one in shown)),
        ]
    )
    note(
        "It holds what people wrote: keep it where only you can read it. index.html inside says what is there."
    )
