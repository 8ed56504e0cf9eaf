"""Flows as pictures."""

import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pamosnik import terminal
from pamosnik.commands.common import note
from pamosnik.commands.files import unwritable
from pamosnik.commands.flow_problems import Files
from pamosnik.errors import Again, InvalidFlows, NotFound, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pamosnik.flows.graph.outline import Outline
    from pamosnik.flows.load import File


class Format(StrEnum):
    SVG = "svg"
    MERMAID = "mermaid"


_SUFFIXES = {".svg": Format.SVG, ".mmd": Format.MERMAID, ".mermaid": Format.MERMAID, ".md": Format.MERMAID}


def graph(
    files: Files,
    flow: Annotated[str | None, typer.Option("--flow", help="Only this flow.")] = None,
    kind: Annotated[
        Format | None,
        typer.Option(
            "--format", help="svg for people, mermaid for Markdown; else what the file's name says."
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "-o",
            "--output",
            help="File to write to, or a folder (a name without a dot): one file for each flow.",
        ),
    ] = None,
) -> None:
    """Draws flow files; needs no home, no network, no account.

    Everything stands in one picture, one flow below the other, or in a file for each flow when -o is a folder.
    """
    from pamosnik.flows.load import read_files

    outlines = _outlines(read_files(files), flow)
    if output is None:
        if sys.stdout.isatty():
            note("Written to the terminal. Try: -o flows.svg")
        terminal.as_written(_rendered(outlines, kind or Format.SVG))
        return
    if output.is_dir() or not output.suffix:
        _write_each(outlines, output, kind or Format.SVG)
        return
    wanted = kind or _SUFFIXES.get(output.suffix.lower())
    if wanted is None:
        raise UsageError(
            f"What to write into {output}, its name does not say.",
            hint="End it in .svg, .mmd or .md, or say the format.",
            again=Again(("--format", "svg")),
        )
    _write(output, _rendered(outlines, wanted, fenced=output.suffix.lower() == ".md"))
    note(f"Written to {output}.")


def _outlines(written: "Sequence[File]", wanted: str | None) -> "list[Outline]":
    from pamosnik.flows.compile import compile_flow
    from pamosnik.flows.graph.outline import outline
    from pamosnik.flows.load import load
    from pamosnik.flows.problems import render

    loaded = load(written)
    if loaded.has_errors:
        # Not on stdout: that may be on its way into a file as the picture.
        for problem in loaded.problems:
            terminal.err(render(problem, loaded.texts.get(problem.file)))
        raise InvalidFlows("Nothing was drawn: the files have errors.", hint="Mend them.", again=Again())
    known = [one.id for one in loaded.flows]
    if wanted is not None and wanted not in known:
        raise NotFound(
            f"There is no flow {wanted} in these files.", hint=f"There are: {', '.join(known) or 'none'}"
        )
    if not known:
        raise NotFound("There is no flow in these files.", hint="Flows stand under `flows:`.")
    language = str(loaded.settings.get("language", "en"))
    zone = str(loaded.settings.get("timezone", "UTC"))
    return [
        outline(compile_flow(one.id, one.body, timezone=zone), language)
        for one in loaded.flows
        if wanted in (None, one.id)
    ]


def _rendered(
    outlines: "list[Outline]", kind: Format, *, places: dict[str, str] | None = None, fenced: bool = False
) -> str:
    if kind is Format.MERMAID:
        from pamosnik.flows.graph import mermaid

        drawn = mermaid.render(outlines)
        return f"```mermaid\n{drawn}```\n" if fenced else drawn
    from pamosnik.flows.graph import layout, svg

    return svg.render(layout.draw(outlines), places=places)


def _write_each(outlines: "list[Outline]", folder: Path, kind: Format) -> None:
    suffix = "svg" if kind is Format.SVG else "mmd"
    names = {one.flow: f"{one.flow}.{suffix}" for one in outlines}
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise unwritable(folder, error) from error
    for one in outlines:
        _write(folder / names[one.flow], _rendered([one], kind, places=names))
    note(f"{len(outlines)} file{'s' if len(outlines) != 1 else ''} written to {folder}.")


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise unwritable(path, error) from error
