"""The command line. A command parses, calls one service, prints. Everything heavy is imported inside commands, so
that `--help` answers at once.
"""

import os
import sys

import typer

from pamosnik.commands import (
    accounts,
    api_tokens,
    backup,
    chat,
    doctor,
    flows,
    history,
    keys,
    people,
    setup,
    status,
)
from pamosnik.errors import PamosnikError

_GLOBAL = {"--account": "PAMOSNIK_ACCOUNT", "--home": "PAMOSNIK_HOME"}

app = typer.Typer(
    name="pamosnik",
    help="Runs a small business's Instagram conversations from its own machine.\n\n"
    "Everywhere: --account EMAIL (with several accounts in one home), --home FOLDER, --quiet.\n"
    "First steps: pamosnik demo · pamosnik init · pamosnik connect --token-stdin · pamosnik serve",
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    no_args_is_help=True,
)
setup.register(app)
keys.register(app)
flows.register(app)
chat.register(app)
status.register(app)
history.register(app)
people.register(app)
accounts.register(app)
api_tokens.register(app)
backup.register(app)
doctor.register(app)


def main() -> None:
    """Runs the command line; turns errors into text and exit codes in this one place."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """Runs one command; returns its exit code."""
    try:
        app(args=_take_global(arguments), prog_name="pamosnik", standalone_mode=True)
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    except PamosnikError as error:
        sys.stderr.write(f"{error.message}\n")
        if error.hint is not None:
            sys.stderr.write(f"{error.hint}\n")
        return error.exit_code
    except BrokenPipeError:
        # The reader of our output has seen enough; so has the interpreter's own flush at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except KeyboardInterrupt:
        sys.stderr.write("\n")
        return 130
    return 0


def _take_global(arguments: list[str]) -> list[str]:
    """Options that may stand anywhere go into the environment, where the settings look for them."""
    rest: list[str] = []
    waiting = iter(arguments)
    for argument in waiting:
        name, sign, value = argument.partition("=")
        if argument == "--":
            rest += [argument, *waiting]
        elif argument == "--quiet":
            os.environ["PAMOSNIK_QUIET"] = "1"
        elif name in _GLOBAL:
            os.environ[_GLOBAL[name]] = value if sign else next(waiting, "")
        else:
            rest.append(argument)
    return rest
