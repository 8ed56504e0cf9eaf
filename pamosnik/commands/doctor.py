"""Looking for what is wrong: doctor."""

import os
import textwrap
from collections.abc import Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from pamosnik.commands.common import Json, counted, note, print_json, say, width
from pamosnik.errors import CheckFailed, PamosnikError

if TYPE_CHECKING:
    from pamosnik.config import Config
    from pamosnik.services.doctor import Check

_MARKS = {"good": "ok", "note": "note", "bad": "BAD", "skipped": "–"}
_TITLES = {
    "machine": "This machine",
    "app": "The app at Meta",
    "address": "The public address",
    "account": "Instagram accounts",
    "webhooks": "What comes in",
    "flows": "Flows",
}
_INDENT = 6


def register(app: typer.Typer) -> None:
    app.command()(doctor)


def doctor(
    fix: Annotated[
        bool, typer.Option("--fix", help="Mend what can be mended without asking anybody.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Looks at what has to be so that Pamosnik works, and says what to do; exit 5 when something is wrong."""
    from pamosnik import config
    from pamosnik.services import doctor as checks

    bad_mail: list[PamosnikError] = []
    settings = config.load(on_bad_mail=bad_mail.append)
    only = _account(settings)
    if not as_json:
        note("Looking at machine, address, Meta and flows: a moment, please.")
    examine = partial(checks.examine, settings, only, bad_mail[0] if bad_mail else None)
    found = examine()
    if fix and any(check.mend is not None for check in found):
        mended = [_mended(check) for check in found if check.mend is not None]
        found = _looked_again(mended, examine())
    if as_json:
        print_json([checks.as_json(check) for check in found])
    else:
        _print(found)
    bad = sum(check.found is checks.Found.BAD for check in found)
    if bad:
        raise CheckFailed(f"{bad} of {len(found)} checks found something wrong.")
    if not as_json:
        say("Nothing is wrong.")


def _mended(check: "Check") -> "Check":
    from dataclasses import replace

    from pamosnik.services.doctor import Found

    assert check.mend is not None
    try:
        check.mend()
    except (OSError, PamosnikError) as error:
        why = error.message if isinstance(error, PamosnikError) else f"{error.strerror}."
        return replace(check, message=f"{check.message} It could not be mended: {why}", mend=None)
    return replace(check, found=Found.GOOD, message=f"Mended: {check.message}", fix=check.then, mend=None)


def _looked_again(mended: "Sequence[Check]", found: "Sequence[Check]") -> "list[Check]":
    """What is found after mending, for one fault hides others; what was mended, and is good now, says so."""
    from pamosnik.services.doctor import Found

    told = {(check.name, check.connection): check for check in mended}

    def of_both(check: "Check") -> "Check":
        before = told.get((check.name, check.connection))
        if before is None or (check.found is Found.BAD and before.found is Found.GOOD):
            return check
        return before

    return [of_both(check) for check in found]


# --- for people ------------------------------------------------------------------------------------------


def _print(found: "Sequence[Check]") -> None:
    """What is bad first, then everything by what it is about."""
    from pamosnik.services.doctor import Found, Group

    bad = [check for check in found if check.found is Found.BAD]
    if bad:
        say("Wrong, and what to do:")
        for check in bad:
            _print_one(check)
        say("")
    for group in Group:
        rest = [check for check in found if check.group is group and check.found is not Found.BAD]
        if rest:
            say(_TITLES[group.value])
            for check in rest:
                if check.found is not Found.SKIPPED:
                    _print_one(check)
            for line in _left_out([check for check in rest if check.found is Found.SKIPPED]):
                _wrapped(f"{_MARKS['skipped']:<{_INDENT}}", line)
            say("")
    say(_counted(found))


def _print_one(check: "Check") -> None:
    _wrapped(f"{_MARKS[check.found.value]:<{_INDENT}}", f"{_named(check)}: {check.message}")
    if check.fix is not None:
        _wrapped(f"{'':<{_INDENT}}→ ", check.fix)


def _named(check: "Check") -> str:
    return check.name if check.connection is None else f"{check.name} @{check.connection}"


def _left_out(skipped: "Sequence[Check]") -> Iterator[str]:
    """Those with the same reason in one line."""
    by_reason: dict[tuple[str | None, str], list[str]] = {}
    for check in skipped:
        by_reason.setdefault((check.connection, check.message), []).append(check.name)
    for (connection, message), names in by_reason.items():
        whose = "" if connection is None else f" @{connection}"
        yield f"{', '.join(names)}{whose}: {message}"


def _wrapped(first: str, text: str) -> None:
    """On a terminal as wide as it is, in a pipe one line."""
    columns = width()
    if columns is None:
        say(f"{first}{text}")
        return
    lines = textwrap.wrap(text, max(columns - len(first), 20), break_long_words=False, break_on_hyphens=False)
    for number, line in enumerate(lines):
        say(f"{first if number == 0 else ' ' * len(first)}{line}")


def _counted(found: "Sequence[Check]") -> str:
    """How many there are of each."""
    of = [check.found.value for check in found]
    parts = (
        f"{of.count('bad')} bad",
        counted(of.count("note"), "note"),
        f"{of.count('good')} good",
        f"{of.count('skipped')} not looked at",
    )
    return f"{counted(len(found), 'check')}: {', '.join(parts)}."


def _account(settings: "Config") -> str | None:
    """The id of the account that was chosen; None: all of the machine."""
    from pamosnik.config import ACCOUNT_VARIABLE
    from pamosnik.errors import HomeError
    from pamosnik.services import home
    from pamosnik.store.database import open_database

    chosen = os.environ.get(ACCOUNT_VARIABLE)
    if not chosen:
        return None
    try:
        with open_database(settings.database) as database:
            return home.choose_account(database, chosen).id
    except HomeError:
        return None  # the check of the database says what is wrong with it
