"""Talking to flows before anybody else does: chat."""

import os
import sys
from datetime import datetime
from typing import Annotated

import typer

from pamosnik.commands.common import paragraph
from pamosnik.commands.flow_problems import Files
from pamosnik.errors import Again, InvalidFlows, UsageError


def register(app: typer.Typer) -> None:
    app.command()(chat)


def chat(
    files: Files,
    at: Annotated[
        str | None, typer.Option("--at", help='When it plays, like "2026-12-01 23:00", on the files\' clock.')
    ] = None,
) -> None:
    """Talk to flow files as somebody on Instagram: no home, no network, no account."""
    from pamosnik.flows.load import load, read_files
    from pamosnik.flows.problems import render

    start = _instant(at)
    texts = read_files(files)
    loaded = load(texts)
    for problem in loaded.problems:
        paragraph(render(problem, loaded.texts.get(problem.file)))
    if loaded.has_errors:
        raise typer.Exit(InvalidFlows.exit_code)
    from pamosnik.rehearsal import chat as rehearsal

    plain = bool(os.environ.get("NO_COLOR")) or os.environ.get("TERM") == "dumb"
    rehearsal.talk(files, texts, start, colour=sys.stdout.isatty() and not plain)


def _instant(written: str | None) -> datetime | None:
    """Without a zone: the files' own holds."""
    if written is None:
        return None
    try:
        return datetime.strptime(written.replace("T", " "), "%Y-%m-%d %H:%M")  # noqa: DTZ007
    except ValueError:
        raise UsageError(f"--at {written} is no time.", again=Again(("--at", "2026-12-01 23:00"))) from None
