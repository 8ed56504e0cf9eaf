"""Deleting an account with everything in it."""

import os
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from pamosnik import terminal
from pamosnik.commands import previews
from pamosnik.commands.common import (
    Json,
    Machine,
    Yes,
    note,
    now,
    open_machine,
    print_json,
    times_on_the_clock_of,
)
from pamosnik.commands.receipts import Begun, finish
from pamosnik.errors import Again, HomeError, UsageError

if TYPE_CHECKING:
    from pamosnik.store.accounts import Account

_STAYS = (
    "backups: restoring one deletes the account again",
    "pamosnik.toml, with the operator's name and addresses",
    *previews.STAYS_ANYWAY,
)


def register(app: typer.Typer) -> None:
    app.command("delete-account")(delete_account)


def delete_account(
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only says what would go, and what would stay.")
    ] = False,
    yes: Yes = False,
    email: Annotated[str | None, typer.Option(help="The account's e-mail, instead of typing it.")] = None,
    as_json: Json = False,
) -> None:
    """Deletes the account and everything in it: tells Meta, deletes, proves it, prints a receipt."""
    from pamosnik.config import ACCOUNT_VARIABLE
    from pamosnik.privacy import proof
    from pamosnik.services import erasing, home
    from pamosnik.store import accounts
    from pamosnik.store.deletions import Cause

    with open_machine() as machine:
        conn, settings = machine.database.connection, machine.settings
        named = os.environ.get(ACCOUNT_VARIABLE) or None
        begun = _nearly_gone(machine, email or named)
        if begun and dry_run:
            previews.only_traces()
            return
        if not begun:
            account = home.choose_account(machine.database, named, deleting_too=True)
            times_on_the_clock_of(account)
            if dry_run:
                _say_what_would_go(machine, account, as_json)
                return
            if accounts.is_deleting(conn, account.id):
                note(f"The account {account.email} is being deleted already. Going on with it.")
            else:
                _ask(account, email, yes=yes)
            # Before the first row goes, and in memory alone.
            needles = machine.database.read(lambda c: proof.of_account(c, account.id))
            begin = erasing.begin_delete_account
            deletion_id = machine.database.write(
                lambda c: begin(c, account.id, cause=Cause.COMMAND, actor="command", now=now())
            )
            begun = [Begun(deletion_id, needles, proof.Where("account_id", account.id))]
    finish(settings, begun, as_json=as_json)
    note(
        "To begin anew in this home: pamosnik init, or pamosnik accounts create when there is another account."
    )


def _nearly_gone(machine: Machine, named: str | None) -> list[Begun]:
    """Accounts whose rows are gone, but whose traces are not yet, when they are meant: nobody can name them any more,
    so whoever names an account that there is not, or has no other one, means them."""
    from pamosnik.privacy import proof
    from pamosnik.store import accounts, deletions
    from pamosnik.store.deletions import Scope

    conn = machine.database.connection
    others = accounts.every(conn)
    if others and (named is None or accounts.by_email(conn, named) is not None):
        return []
    open_ones = [one for one in deletions.under_way(conn) if one.scope is Scope.ACCOUNT]
    found = [Begun(one.id, proof.NOTHING) for one in open_ones if one.rows_gone_at is not None]
    if not found and not others:
        raise HomeError("There is no account.", hint="Try: pamosnik init")
    return found


def _say_what_would_go(machine: Machine, account: "Account", as_json: bool) -> None:
    from pamosnik.privacy import would_go

    found = machine.database.read(lambda conn: would_go.of_account(conn, account.id))
    if as_json:
        print_json({"account": account.email, **previews.shape(found, _STAYS)})
        return
    previews.tell(f"the account {account.email}", found, _STAYS)


def _ask(account: "Account", email: str | None, *, yes: bool) -> None:
    """The e-mail has to be said, so that nobody deletes another account than they meant."""
    from pamosnik.store.accounts import tidy_email

    if email is None and (yes or not sys.stdin.isatty()):
        raise UsageError(
            "Deleting an account wants its e-mail said.", again=Again(("--yes", "--email", account.email))
        )
    if email is None:
        email = terminal.ask(
            f"Everything of {account.email} will be deleted for good. Type its e-mail to go on"
        )
    elif not yes:
        raise UsageError(
            "--email is for scripts.", hint="Leave it away to be asked.", again=Again(("--yes",))
        )
    if tidy_email(email).casefold() != account.email.casefold():
        raise UsageError(
            "That is not the account's e-mail; nothing was changed.", hint="Try: pamosnik accounts list"
        )
