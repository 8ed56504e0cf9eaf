"""docs/cli.md, written from the commands: `python -m pamosnik.cli_reference > docs/cli.md`."""

import inspect
import sys
from collections.abc import Iterator
from typing import Any

import typer.main

from pamosnik.cli import app

_HEAD = """\
# Commands

Written from the commands by `python -m pamosnik.cli_reference`; do not edit.

Everywhere: `--account EMAIL` (with several accounts in one home), `--home FOLDER`, `--quiet`. `--json` gives the
shapes of [json.md](json.md). Data goes to stdout, notes to stderr. Exit codes: 0 done, 1 failed or
declined, 2 wrong usage, 4 invalid flow file, 6 Instagram authorisation needed, 7 daemon not running.
"""
_NOT_SHOWN = ("--help", "--install-completion", "--show-completion")


def commands() -> Iterator[tuple[str, Any]]:
    """(name, command) of every command, in the order of the help."""
    yield from _walk(typer.main.get_command(app), "")


def _walk(command: Any, name: str) -> Iterator[tuple[str, Any]]:
    inner = getattr(command, "commands", None)
    if not inner:
        yield name, command
        return
    for sub_name, sub in inner.items():
        yield from _walk(sub, f"{name} {sub_name}".strip())


def reference() -> str:
    """The whole page."""
    return "\n".join([_HEAD, *(_part(name, command) for name, command in commands())])


def _part(name: str, command: Any) -> str:
    rows = [_row(p) for p in command.params if not set(p.opts) & set(_NOT_SHOWN)]
    table = "\n".join(["\n| | |\n|---|---|", *rows]) + "\n" if rows else ""
    return f"## `pamosnik {name}`\n\n{inspect.cleandoc(command.help or '')}\n{table}"


def _row(parameter: Any) -> str:
    doc = getattr(parameter, "help", None) or ""
    if parameter.param_type_name == "argument":
        return f"| `{parameter.name.upper()}` | {doc} |"
    return f"| `{parameter.opts[0]}` | {doc} |"


if __name__ == "__main__":
    sys.stdout.write(reference())
