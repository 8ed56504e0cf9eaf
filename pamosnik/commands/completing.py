"""What a shell offers while a command is typed: ids and names of the home it is about. Nothing where there is none.

Typer completes commands, options and their fixed values by itself, and asks these functions for the rest. They answer
with nothing rather than with an error: it would stand in the middle of the line that somebody types.
"""

import contextlib
import os
import shlex
from collections.abc import Callable, Container, Sequence
from typing import TYPE_CHECKING

from pamosnik.errors import PamosnikError

if TYPE_CHECKING:
    from pamosnik.commands.common import Home

_BASH_WORDS, _BASH_INDEX = "COMP_WORDS", "COMP_CWORD"
_LINE = "_TYPER_COMPLETE_ARGS"
"""zsh and fish hand over the line so far."""


def flows(incomplete: str) -> list[str]:
    """Ids of applied flows."""

    def ids(home: "Home") -> list[str]:
        from pamosnik.store import flows as stored

        return [flow.flow_id for flow in home.read(lambda conn: stored.applied(conn, home.account.id))]

    return _of_home(ids, incomplete)


def connections(incomplete: str) -> list[str]:
    """Usernames of connected accounts."""

    def usernames(home: "Home") -> list[str]:
        from pamosnik.store import connections as stored

        return [one.username for one in home.read(lambda conn: stored.of_account(conn, home.account.id))]

    return _of_home(usernames, incomplete)


def starters(incomplete: str) -> list[str]:
    """Names of the flow files to start from. What each does would break the lines of zsh and fish."""
    from pamosnik.commands import flow_starters

    return [one for one in flow_starters.told() if one.startswith(incomplete)]


def _of_home(find: "Callable[[Home], Sequence[str]]", incomplete: str) -> list[str]:
    from pamosnik.commands.common import open_home

    os.environ["PAMOSNIK_QUIET"] = "1"
    with contextlib.suppress(PamosnikError), open_home() as home:
        return sorted(one for one in find(home) if one.startswith(incomplete))
    return []


# --- options that may stand anywhere ---------------------------------------------------------------------


def set_aside(take: Callable[[list[str]], list[str]], options: Container[str]) -> bool:
    """Takes what may stand anywhere out of the line that a shell wants completed; `take` gives back what is left.

    False: what is being typed is the value of such an option, about which the shell knows more than we do.
    """
    environ = os.environ
    if _BASH_INDEX in environ:
        words, index = environ[_BASH_WORDS].split("\n"), int(environ[_BASH_INDEX])
        # bash takes --home=FOLDER for three words.
        before, typed = "\n".join(words[1:index]).replace("\n=\n", "=").split("\n"), words[index : index + 1]
        rest = take(list(filter(None, before)))
        environ[_BASH_WORDS] = "\n".join((words[0], *rest, *typed))
        environ[_BASH_INDEX] = str(1 + len(rest))
        return before[-1] not in options
    if _LINE not in environ:
        return True  # it asks for the script, or is another shell
    with contextlib.suppress(ValueError):  # a quotation mark is still open
        line = environ[_LINE]
        words = shlex.split(line)
        end = len(words) if line.endswith(" ") else len(words) - 1
        rest = take(words[1:end])
        environ[_LINE] = " ".join(
            (*map(shlex.quote, (*words[:1], *rest)), shlex.quote(words[end]) if words[end:] else "")
        )
        return words[end - 1] not in options
    return True
