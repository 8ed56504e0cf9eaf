"""Every command there is, as the program itself lists them: for what must hold whichever one runs."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import typer

from pamosnik import cli

_STAYS = {"serve", "demo", "sandbox", "chat"}
"""They go on until somebody ends them."""
_OUT_OF_HOME = {"service", "restore"}
"""They change what lies outside of the home, or all of it."""


def every_command(arguments: Mapping[str, str], anything: str) -> Iterator[list[str]]:
    """Each with its arguments by name, `anything` for others; with and without --json. Changes come last."""
    leaves = list(_leaves(typer.main.get_command(cli.app), ()))
    leaves.sort(key=lambda leaf: "--yes" in _options(leaf[1]))
    for path, command in leaves:
        if path[0] in _STAYS | _OUT_OF_HOME:
            continue
        words = list(path)
        for param in command.params:
            if param.param_type_name == "argument":
                words.append(arguments.get(str(param.name), anything))
            elif param.required:
                words += [param.opts[0], arguments.get(str(param.name), anything)]
        if "--yes" in _options(command):
            words.append("--yes")
        yield words
        if "--json" in _options(command):
            yield [*words, "--json"]


def parameters() -> Iterator[tuple[tuple[str, ...], Any]]:
    """What all commands take: arguments and options, with the command's path."""
    for path, command in _leaves(typer.main.get_command(cli.app), ()):
        for param in command.params:
            yield path, param


def _leaves(
    command: object, path: tuple[str, ...]
) -> Iterator[tuple[tuple[str, ...], typer.core.TyperCommand]]:
    inner = getattr(command, "commands", None)
    if inner is None:
        assert isinstance(command, typer.core.TyperCommand)
        yield path, command
        return
    for name, one in inner.items():
        yield from _leaves(one, (*path, name))


def _options(command: typer.core.TyperCommand) -> Sequence[str]:
    return [name for param in command.params if param.param_type_name == "option" for name in param.opts]
