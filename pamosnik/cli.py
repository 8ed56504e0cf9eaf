"""The command line. A command parses, calls one service, prints. Everything heavy is imported inside commands, so
that `--help` answers at once.
"""

import io
import os
import sys
from contextvars import copy_context

import typer
from typer.exceptions import Abort, TyperException

from pamosnik import terminal, unsaid
from pamosnik.commands import (
    accounts,
    api_tokens,
    backup,
    chat,
    completing,
    delete_account,
    disconnect,
    doctor,
    export,
    flows,
    history,
    import_,
    keys,
    link,
    people,
    retention,
    service,
    setup,
    stats,
    status,
    upgrading,
)
from pamosnik.commands.again import typed_again
from pamosnik.errors import PamosnikError

_COMPLETING = "_PAMOSNIK_COMPLETE"
"""Set by the shell's function that completes."""
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
service.register(app)
flows.register(app)
chat.register(app)
link.register(app)
stats.register(app)
status.register(app)
history.register(app)
people.register(app)
accounts.register(app)
api_tokens.register(app)
export.register(app)
backup.register(app)
import_.register(app)
retention.register(app)
doctor.register(app)
disconnect.register(app)
delete_account.register(app)


def main() -> None:
    """Runs the command line; turns errors into text and exit codes in this one place."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """Runs one command; returns its exit code."""
    terminal.write_what_it_can()
    try:
        if _COMPLETING in os.environ and not completing.set_aside(_take_global, _GLOBAL):
            return 0
        given = _take_global(arguments)
        # What a command sets for itself, like whose clock times are told on, ends with it.
        ended = copy_context().run(_run, given)
        return ended if isinstance(ended, int) else 0
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    except PamosnikError as error:
        terminal.err(unsaid.hide(error.message))
        if error.hint is not None:
            terminal.err(unsaid.hide(error.hint))
        if error.again is not None:
            terminal.err(unsaid.hide(f"Try: {typed_again(arguments, error.again)}"))
        return error.exit_code
    except TyperException as error:
        return _misused(error)
    except Abort:
        terminal.err("Nothing was answered.")
        return 130
    except BrokenPipeError:
        # The reader of our output has seen enough; so has the interpreter's own flush at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        terminal.err("")
        return 130
    except Exception as error:  # noqa: BLE001 - a mistake of ours: shown by us, for its traceback may quote a secret
        from pamosnik import logs

        terminal.err(logs.told(error))
        return 1


def _run(given: list[str]) -> object:
    upgrading.COMMAND.set(tuple(given))
    return app(args=given, prog_name="pamosnik", standalone_mode=False)


def _misused(error: TyperException) -> int:
    """Typer's own words, or the help where nothing was asked for."""
    told = io.StringIO()
    show = getattr(error, "show", None)
    if show is None:
        told.write(error.message)
    else:
        show(file=told)
    for line in told.getvalue().rstrip("\n").split("\n"):
        terminal.err(unsaid.hide(line))
    return error.exit_code


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
