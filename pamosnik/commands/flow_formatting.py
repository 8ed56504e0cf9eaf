"""Flow files in one canonical layout."""

import shlex
from pathlib import Path
from typing import Annotated

import typer

from pamosnik import terminal
from pamosnik.commands.common import note, say
from pamosnik.commands.files import write_whole
from pamosnik.commands.flow_problems import Files
from pamosnik.errors import InvalidFlows, UsageError


def fmt(
    files: Files,
    check: Annotated[
        bool, typer.Option("--check", help="Change nothing; exit 1 if a file would change, and name it.")
    ] = False,
    stdout: Annotated[
        bool, typer.Option("--stdout", help="Print the one file as it would be, and change nothing.")
    ] = False,
) -> None:
    """Puts flow files into one layout: spaces, empty lines, the order of keys. Comments and meaning stay."""
    from pamosnik.flows.formatting import Formatted, LeftAsItIs, formatted
    from pamosnik.flows.load import read_files
    from pamosnik.flows.problems import Problem, render

    found = read_files(files)
    if stdout and (check or len(found) > 1):
        raise UsageError(
            "--stdout prints one file.", hint=f"Try: pamosnik flows fmt --stdout {shlex.quote(str(files[0]))}"
        )
    changed, same, bad = 0, 0, 0
    for name, text in found:
        problems = (text,) if isinstance(text, Problem) else ()
        made = None if isinstance(text, Problem) else formatted(text, name)
        match made:
            case Formatted(new) if stdout:
                terminal.as_written(new)
            case Formatted(new) if new.encode() == Path(name).read_bytes():
                same += 1
            case Formatted(new):
                changed += 1
                say(name)
                if not check:
                    write_whole(Path(name), new)
            case LeftAsItIs(reason):
                same += 1
                note(f"{name} is left as it is: {reason}.")
                if stdout:
                    terminal.as_written(str(text))
            case _:
                bad += 1
                for problem in problems if made is None else made.problems:
                    told = render(problem, None if made is None else str(text))
                    (terminal.err if stdout else terminal.out)(told)
    if not stdout:
        note(_summary(changed, same, bad, check=check))
    if bad:
        raise typer.Exit(InvalidFlows.exit_code)
    if check and changed:
        raise typer.Exit(1)


def _summary(changed: int, same: int, bad: int, *, check: bool) -> str:
    counts = (
        (changed, "would change" if check else "formatted"),
        (same, "unchanged"),
        (bad, "not touched for its errors" if bad == 1 else "not touched for their errors"),
    )
    told = [f"{count} {'file' if count == 1 else 'files'} {what}" for count, what in counts if count]
    return f"{', '.join(told)}."
