"""Looking for what is wrong: doctor."""

import os
from typing import TYPE_CHECKING, Annotated

import typer

from pamosnik.commands.common import Json, print_json, say
from pamosnik.errors import CheckFailed

if TYPE_CHECKING:
    from pamosnik.config import Config
    from pamosnik.services.doctor import Check

_MARKS = {"good": "ok", "note": "note", "bad": "BAD", "skipped": "–"}


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

    settings = config.load()
    only = _account(settings)
    found = []
    for check in checks.examine(settings, only):
        outcome = _mended(check) if fix and check.mend is not None else check
        found.append(outcome)
        if not as_json:
            _print(outcome)
    if as_json:
        print_json([checks.as_json(check) for check in found])
    bad = sum(check.found is checks.Found.BAD for check in found)
    if bad:
        raise CheckFailed(f"{bad} of {len(found)} checks found something wrong.")
    if not as_json:
        say("Nothing is wrong.")


def _mended(check: "Check") -> "Check":
    from pamosnik.services.doctor import Check, Found

    assert check.mend is not None
    try:
        check.mend()
    except OSError as error:
        return Check(
            check.name, Found.BAD, f"{check.message} It could not be mended: {error.strerror}.", check.fix
        )
    return Check(check.name, Found.GOOD, f"Mended: {check.message}", check.then)


def _print(check: "Check") -> None:
    say(f"{_MARKS[check.found.value]:<5} {check.name}: {check.message}")
    if check.fix is not None:
        say(f"      {check.fix}")


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
