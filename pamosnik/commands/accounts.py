"""Accounts: who may log in. Whoever has the machine may list, make and correct them all."""

import os
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from pamosnik.commands import asking
from pamosnik.commands.asking import Email, Name, PasswordStdin, Timezone
from pamosnik.commands.common import (
    All,
    Home,
    Json,
    Limit,
    Since,
    Yes,
    how_many,
    note,
    now,
    open_home,
    open_machine,
    print_json,
    print_table,
    require_yes,
    shown,
    since_instant,
)
from pamosnik.errors import Again, NotFound, UsageError

if TYPE_CHECKING:
    from pamosnik.config import Config
    from pamosnik.services.account_letters import AccountLetter
    from pamosnik.store.accounts import Account

_ACTOR = "command"


def register(app: typer.Typer) -> None:
    accounts = typer.Typer(help="Who may log in.", rich_markup_mode=None, no_args_is_help=True)
    accounts.command("list")(list_)
    accounts.command("create")(create)
    accounts.command("set")(set_)
    accounts.command("passwd")(passwd)
    accounts.command("history")(history)
    sessions = typer.Typer(help="Logins at the status page.", rich_markup_mode=None, no_args_is_help=False)
    sessions.callback(invoke_without_command=True)(_sessions)
    sessions.command("list")(sessions_list)
    sessions.command("revoke")(sessions_revoke)
    accounts.add_typer(sessions, name="sessions")
    app.add_typer(accounts, name="accounts")


def list_(as_json: Json = False) -> None:
    """All accounts of this home, the oldest first."""
    from pamosnik.services import accounts as service
    from pamosnik.store import accounts

    with open_machine() as machine:
        at = now()
        rows = machine.database.read(
            lambda conn: [service.shape(conn, account, at) for account in accounts.every(conn)]
        )
    if as_json:
        print_json(rows)
        return
    columns = [
        ("email", "E-mail"),
        ("name", "Name"),
        ("timezone", "Time zone"),
        ("connections", "Instagram"),
        ("created_at", "Made"),
        ("adult_stated_at", "Adult, stated"),
        ("sessions", "Logins"),
    ]
    days = [
        {**row, **{key: shown(row[key])[:10] for key in ("created_at", "adult_stated_at")}} for row in rows
    ]
    print_table(days, columns, "There is no account yet. Try: pamosnik init")


def create(
    name: Name = None,
    email: Email = None,
    password_stdin: PasswordStdin = False,
    timezone: Timezone = None,
    yes: Yes = False,
) -> None:
    """Makes another account in this home. It states that the account's holder is an adult."""
    from pamosnik.services import accounts as service
    from pamosnik.services import keys

    with open_machine() as machine:
        with keys.wrapping(machine.settings):
            pass  # keys that do not open are told before anything is asked
        new = asking.account(
            name,
            email,
            timezone,
            password_stdin=password_stdin,
            yes=yes,
            command="pamosnik accounts create",
            free=lambda address: service.require_free(machine.database.connection, address),
        )
        prepared = service.prepare(new, now())
        with keys.wrapping(machine.settings) as ring:
            made = service.make(machine.database, ring, prepared)
    note(f"Made the account {made.email} ({made.timezone}). It is recorded that its holder is an adult.")
    note(f"Next: pamosnik connect --token-stdin --account {made.email}")


def set_(
    name: Name = None,
    email: Email = None,
    timezone: Timezone = None,
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Corrects name, e-mail address or time zone."""
    from pamosnik.config import ACCOUNT_VARIABLE
    from pamosnik.services import account_letters, account_words
    from pamosnik.services import accounts as service

    if name is None and email is None and timezone is None:
        raise UsageError(
            "There is nothing to change.",
            hint="Name, e-mail and time zone can be changed.",
            again=Again(("--name", "NAME")),
        )
    with open_home() as home:
        before = home.account
        if email is not None and account_words.email(email) != before.email:
            service.require_free(home.database.connection, email, but=before.id)
            require_yes(_another_address(before, account_words.email(email)), yes=yes)
        after = _corrected(home, name, email, timezone, now())
        shape = home.read(lambda conn: service.shape(conn, after, now()))
        settings = home.settings
    if as_json:
        print_json(shape)
    changed = [
        f"{what} {old} → {new}"
        for what, old, new in (
            ("name", before.name, after.name),
            ("e-mail", before.email, after.email),
            ("time zone", before.timezone, after.timezone),
        )
        if old != new
    ]
    note(f"Changed: {'; '.join(changed)}." if changed else "It is so already; nothing was changed.")
    if before.email == after.email:
        return
    if os.environ.get(ACCOUNT_VARIABLE):
        note(f"Commands mean it by --account {after.email} from now on.")
    _tell_holder(settings, account_letters.email_changed(before, after.email, now()))


def _another_address(account: "Account", email: str) -> str:
    return (
        f"The holder of {account.email} logs in with {email} from now on, and reset links that were mailed are void."
        " Change it?"
    )


def _corrected(
    home: Home, name: str | None, email: str | None, timezone: str | None, at: datetime
) -> "Account":
    """All of it or, if one is refused, nothing."""
    from pamosnik._sqlite import Connection
    from pamosnik.services import accounts as service

    def correct(conn: Connection) -> "Account":
        account_id = home.account.id
        after = service.change(conn, account_id, name=name, timezone=timezone, actor=_ACTOR, now=at)
        if email is not None:
            after = service.change_email(conn, account_id, email, actor=_ACTOR, now=at)
        return after

    return home.write(correct)


def passwd(password_stdin: PasswordStdin = False) -> None:
    """Gives the account another password; the old one is not needed. Whoever is logged in must log in again."""
    from pamosnik.security import passwords
    from pamosnik.services import account_letters
    from pamosnik.services import accounts as service

    with open_home() as home:
        account = home.account
        given = asking.password(
            from_stdin=password_stdin,
            check=lambda typed: passwords.require_good(typed, (account.name, account.email)),
            command="pamosnik accounts passwd",
        )
        hashed = service.hashed_if_good(account, given)
        ended = home.write(
            lambda conn: service.set_password(
                conn, account.id, hashed, but_session=None, actor=_ACTOR, now=now()
            )
        )
        settings = home.settings
    note(f"{account.email} has a new password; {_ended(ended)}.")
    _tell_holder(settings, account_letters.password_set_on_machine(account, now()))


def _tell_holder(settings: "Config", letter: "AccountLetter") -> None:
    """It is done already; a mail that does not go is told here, where somebody can tell the holder otherwise."""
    from pamosnik.services import told_holders

    problem = told_holders.send(settings, letter, now())
    if problem is not None:
        note(problem)


def _ended(count: int) -> str:
    if not count:
        return "nobody was logged in"
    return "1 login was ended" if count == 1 else f"{count} logins were ended"


def history(limit: Limit = None, everything: All = False, since: Since = None, as_json: Json = False) -> None:
    """What was done in the account and by whom, what was agreed to and taken back; the newest first."""
    from pamosnik.services import accounts as service

    with open_home() as home:
        after, most = since_instant(home, since), how_many(limit, everything, as_json)
        rows = home.read(lambda conn: service.history(conn, home.account.id, limit=most, since=after))
    if as_json:
        print_json(rows)
        return
    columns = [("at", "When"), ("kind", ""), ("what", "What"), ("by", "By"), ("subject", "About")]
    print_table(rows, columns, "Nothing was noted in that time.")


def _sessions(context: typer.Context, as_json: Json = False) -> None:
    if context.invoked_subcommand is None:
        sessions_list(as_json)


def sessions_list(as_json: Json = False) -> None:
    """Who is logged in at the status page, the one seen last first."""
    from pamosnik.services import accounts as service

    with open_home() as home:
        account_id = home.account.id
        rows = home.read(
            lambda conn: [service.session_shape(one) for one in service.sessions(conn, account_id, now())]
        )
    if as_json:
        print_json(rows)
        return
    columns = [
        ("id", "Session"),
        ("browser", "Browser"),
        ("created_at", "Logged in"),
        ("last_seen_at", "Last seen"),
        ("expires_at", "Ends"),
    ]
    print_table(rows, columns, "Nobody is logged in.")


def sessions_revoke(
    session: Annotated[str | None, typer.Argument(help="Id of a session.", metavar="[SESSION]")] = None,
    everyone: Annotated[bool, typer.Option("--all", help="All of the account.")] = False,
) -> None:
    """Ends a login, or all of them: that browser must log in again."""
    from pamosnik.services import accounts as service

    if (session is None) != everyone:
        raise UsageError("Name a session, or give --all.", hint="Try: pamosnik accounts sessions list")
    with open_home() as home:
        account = home.account
        if session is None:
            ended = home.write(
                lambda conn: service.end_all_sessions(conn, account.id, actor=_ACTOR, now=now())
            )
            note(f"{_ended(ended).capitalize()}.")
            return
        found = home.write(
            lambda conn: service.end_session(conn, account.id, session, actor=_ACTOR, now=now())
        )
    if not found:
        raise NotFound(
            f"{account.email} has no open session {session}.", hint="Try: pamosnik accounts sessions list"
        )
    note("The session was ended.")
