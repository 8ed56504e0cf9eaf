"""What is asked of people: texts, again until they can be taken, and passwords, which are never shown."""

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated

import typer

from pamosnik import terminal, unsaid
from pamosnik.commands.common import note, require_yes
from pamosnik.errors import PamosnikError, UsageError

if TYPE_CHECKING:
    from pamosnik.services.accounts import NewAccount

Name = Annotated[str | None, typer.Option(help="Name of the business.")]
Email = Annotated[str | None, typer.Option(help="E-mail address to log in with.")]
Timezone = Annotated[str | None, typer.Option(help="Time zone, like Europe/Warsaw.")]
PasswordStdin = Annotated[
    bool, typer.Option("--password-stdin", help="Read the password from standard input.")
]
_LONGEST_LINE = 100_000


def account(
    name: str | None,
    email: str | None,
    timezone: str | None,
    *,
    password_stdin: bool,
    yes: bool,
    command: str,
    free: Callable[[str], object] = lambda _: None,
) -> "NewAccount":
    """What a new account needs: what is not given is asked for, and who is asked states that its holder is an adult.
    Scripts state it by making one. `free` raises when an e-mail address is another account's."""
    from pamosnik.security import passwords
    from pamosnik.services import account_words, accounts, home

    there = sys.stdin.isatty()
    if not there and (name is None or email is None or not password_stdin):
        raise UsageError(
            "Nobody can be asked here.",
            hint=f"Try: {command} --name NAME --email EMAIL --password-stdin < FILE",
        )

    def address(given: str) -> str:
        found = account_words.email(given)
        free(found)
        return found

    name = text("Name of the business", account_words.name) if name is None else account_words.name(name)
    email = text("E-mail address to log in with", address) if email is None else address(email)
    zone = home.local_timezone() if timezone is None else account_words.timezone(timezone)
    if timezone is None and there and not password_stdin:
        zone = text("Time zone", account_words.timezone, default=zone)
    given = password(
        from_stdin=password_stdin,
        check=lambda typed: passwords.require_good(typed, (name, email)),
        command=command,
    )
    if there and not password_stdin:
        require_yes(f"{accounts.ADULT} Make this account?", yes=yes, otherwise="Nothing was made.")
    return accounts.NewAccount(name, email, given, zone)


def text(question: str, check: Callable[[str], object], default: str | None = None) -> str:
    """Asked on the terminal until `check` does not raise."""
    while True:
        answer = terminal.ask(question, default=default)
        if _good(check, answer):
            return answer


def password(*, from_stdin: bool, check: Callable[[str], object], command: str) -> str:
    """The first line of standard input; or typed twice on the terminal, until `check` does not raise. `command`: how
    a script gives it."""
    if from_stdin:
        given = unsaid.keep(first_line("password", f"{command} --password-stdin"))
        check(given)
        return given
    if not sys.stdin.isatty():
        raise UsageError(
            "There is no password, and nobody can be asked here.",
            hint=f"Try: {command} --password-stdin < FILE",
        )
    while True:
        typed = terminal.ask("Password (10 characters or more)", hidden=True)
        if not _good(check, typed):
            continue
        if terminal.ask("The same again", hidden=True) == typed:
            return typed
        note("The two are not the same.")


def _good(check: Callable[[str], object], answer: str) -> bool:
    try:
        check(answer)
    except PamosnikError as refused:
        note(refused.message)
        if refused.hint is not None:
            note(refused.hint)
        return False
    return True


def first_line(what: str, command: str) -> str:
    """Of standard input, where `command` reads it: without the end of the line, which Windows writes as two signs,
    and without its mark at the beginning."""
    try:
        line = sys.stdin.readline(_LONGEST_LINE)
    except UnicodeDecodeError:
        raise UsageError(
            f"The {what} on standard input is not UTF-8.",
            hint=f"Save the file as UTF-8. Try: {command} < FILE",
        ) from None
    given = line.removesuffix("\n").removesuffix("\r").removeprefix("\ufeff")
    if not given:
        raise UsageError(
            f"There is no {what} on standard input: it is empty, or its first line is.",
            hint=f"Try: {command} < FILE",
        )
    return given
