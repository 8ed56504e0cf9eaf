"""Flow files as files: nothing here needs a home, a network or an account, but for reading what is there."""

from pathlib import Path
from typing import Annotated

import typer

from pamosnik.commands.common import Json, note, now, print_json, say
from pamosnik.commands.files import unwritable
from pamosnik.commands.flow_problems import Files, problems_json, show_problems
from pamosnik.errors import InvalidFlows


def validate(
    files: Files,
    as_json: Json = False,
    strict: Annotated[bool, typer.Option("--strict", help="Warnings count as errors.")] = False,
) -> None:
    """Checks flow files; needs no home, no network, no account."""
    from pamosnik.flows.load import load, read_files

    loaded = load(read_files(files), now=now())
    if as_json:
        print_json(problems_json(loaded))
    else:
        show_problems(loaded)
    if loaded.has_errors or (strict and loaded.has_warnings):
        raise typer.Exit(InvalidFlows.exit_code)
    if not as_json:
        note(f"{len(loaded.flows)} flow{'s' if len(loaded.flows) != 1 else ''} checked, no errors.")


def schema(
    output: Annotated[Path | None, typer.Option("-o", "--output", help="File to write it to.")] = None,
) -> None:
    """Prints the JSON Schema of flow files: editors complete, explain and check with it."""
    import json

    from pamosnik.flows import json_schema

    written = json.dumps(json_schema.document(), ensure_ascii=False, indent=1)
    if output is None:
        say(written)
        return
    try:
        output.write_text(f"{written}\n", encoding="utf-8")
    except OSError as error:
        raise unwritable(output, error) from error
    note(f"Written to {output}.")
