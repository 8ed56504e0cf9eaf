"""The command that somebody typed, once more: with the words that it lacked."""

import shlex
from collections.abc import Sequence

from pamosnik.errors import Again


def typed_again(arguments: Sequence[str], again: Again) -> str:
    """`arguments`: as they were typed, without the program's name."""
    before, after = _at_the_end_of_options(arguments)
    given = {word: again.add[n + 1 : n + 2] for n, word in enumerate(again.add) if word.startswith("-")}
    kept: list[str] = []
    words = iter(before)
    for word in words:
        name, sign, _ = word.partition("=")
        if name not in given:
            kept.append(word)
        elif not sign and given[name] and not given[name][0].startswith("-"):
            next(words, None)  # its value
    changed = [again.instead.get(word, word) for word in (*kept, *again.add, *after)]
    return shlex.join(["pamosnik", *changed])


def _at_the_end_of_options(arguments: Sequence[str]) -> tuple[list[str], list[str]]:
    """What stands before `--`, and from there on."""
    end = arguments.index("--") if "--" in arguments else len(arguments)
    return list(arguments[:end]), list(arguments[end:])
