"""What has to be so that Pamosnik can work, looked at one by one: each check says what it found and what to do.

A check never ends the others: what it cannot look at, it says. `--fix` mends what needs nobody's word.
"""

import asyncio
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from functools import partial
from pathlib import Path

from pamosnik.config import Config, require_private
from pamosnik.errors import HomeError, PamosnikError
from pamosnik.mail import Mailer
from pamosnik.security import keyring
from pamosnik.services import credentials, home
from pamosnik.store import accounts, connections
from pamosnik.store.damage import look_for_damage, require_there
from pamosnik.store.database import open_database

_ROTATE = "If others use this machine, they may have read the key. Try: pamosnik keys rotate"


class Found(Enum):
    """How a check ended."""

    GOOD = "good"
    NOTE = "note"
    """It works; something could be better, or is left out on purpose."""
    BAD = "bad"
    SKIPPED = "skipped"
    """Another check has to be good first."""


@dataclass(frozen=True, slots=True)
class Check:
    """What one check found."""

    name: str
    """Never changes its meaning: scripts rely on it."""
    found: Found
    message: str
    fix: str | None = None
    """The exact step to take; None when there is nothing to do."""
    mend: Callable[[], None] | None = field(default=None, compare=False)
    """What `--fix` does; None when only a person can."""
    then: str | None = None
    """What is left to a person after `--fix`."""


def examine(settings: Config, only_account: str | None = None) -> Iterator[Check]:
    """All checks, each as soon as it is done. `only_account`: an account's id; None looks at the logins of all."""
    folder = _folder(settings)
    yield folder
    looked_into = folder.found is Found.GOOD or folder.mend is not None
    yield _files(settings) if looked_into else _skipped("files", "the home folder")
    database = _database(settings)
    yield database
    key = _key(settings)
    yield key
    able = database.found is key.found is Found.GOOD
    yield from _logins(settings, only_account) if able else [_skipped("login", "database and key")]
    yield _secrets(settings)
    yield _address(settings)
    yield _mail(settings)
    yield _daemon(settings)


def as_json(check: Check) -> Mapping[str, object]:
    return {
        "name": check.name,
        "status": check.found.value,
        "message": check.message,
        "fix": check.fix,
    }


def _skipped(name: str, waits_for: str) -> Check:
    return Check(name, Found.SKIPPED, f"Not looked at: {waits_for} must be in order first.")


def _bad(name: str, error: PamosnikError) -> Check:
    return Check(name, Found.BAD, error.message, error.hint)


# --- the machine -----------------------------------------------------------------------------------------


def _folder(settings: Config) -> Check:
    where = settings.home
    if not where.is_dir():
        return Check("home", Found.BAD, f"There is no home folder at {where}.", "Try: pamosnik init")
    try:
        require_private(where)
    except HomeError as error:
        ours = where.stat().st_uid == os.geteuid()
        mend = partial(where.chmod, 0o700) if ours else None
        return Check("home", Found.BAD, error.message, error.hint, mend, _ROTATE)
    if not os.access(where, os.W_OK | os.X_OK):
        return Check(
            "home",
            Found.BAD,
            f"{where} cannot be written to.",
            "It must belong to the user that runs Pamosnik.",
        )
    return Check("home", Found.GOOD, f"{where} belongs to its owner alone.")


def _files(settings: Config) -> Check:
    """Everything in the home, however it came there."""
    open_to_others = [path for path in _inside(settings.home) if path.stat().st_mode & 0o077]
    if not open_to_others:
        return Check("files", Found.GOOD, "No file in it is open to other users.")
    names = ", ".join(str(path.relative_to(settings.home)) for path in open_to_others[:5])
    more = "" if len(open_to_others) <= 5 else f" and {len(open_to_others) - 5} more"

    def close() -> None:
        for path in open_to_others:
            path.chmod(0o700 if path.is_dir() else 0o600)

    return Check(
        "files",
        Found.BAD,
        f"Other users could read: {names}{more}.",
        f"Try: chmod -R go= {settings.home}",
        close,
    )


def _inside(folder: Path) -> Iterator[Path]:
    """Files and folders, links left out: what they lead to is another's business."""
    for path in sorted(folder.iterdir()):
        if path.is_symlink():
            continue
        if path.is_file() or path.is_dir():
            yield path
        if path.is_dir():
            yield from _inside(path)


def _database(settings: Config) -> Check:
    try:
        require_there(settings.database)
        look_for_damage(settings.database, lambda: True)
        with open_database(settings.database) as database:
            known = len(accounts.every(database.connection))
    except PamosnikError as error:
        return _bad("database", error)
    if not known:
        return Check("database", Found.BAD, "There is no account in it yet.", "Try: pamosnik init")
    return Check("database", Found.GOOD, "Every page of it is whole, and it fits this version.")


def _key(settings: Config) -> Check:
    if not (os.path.lexists(settings.key_file) or settings.database.exists()):
        return _skipped("key", "the database")  # `init` makes both
    try:
        keyring.load(settings.key_file, settings.passphrase)
    except PamosnikError as error:
        return _bad("key", error)
    if settings.passphrase is None:
        return Check(
            "key", Found.GOOD, f"{settings.key_file.name} opens. It is not sealed with a passphrase."
        )
    return Check("key", Found.GOOD, f"{settings.key_file.name} opens with the passphrase.")


def _daemon(settings: Config) -> Check:
    if settings.home.is_dir() and home.daemon_running(settings.home):
        return Check("daemon", Found.GOOD, "pamosnik serve is running.")
    return Check("daemon", Found.NOTE, "pamosnik serve is not running.", "Try: pamosnik serve")


# --- Instagram -------------------------------------------------------------------------------------------


def _logins(settings: Config, only_account: str | None) -> Iterator[Check]:
    """Whether each stored login opens and is in use; Instagram is not asked."""
    keys = keyring.load(settings.key_file, settings.passphrase)
    with open_database(settings.database) as database:
        conn = database.connection
        wanted = [one for one in accounts.every(conn) if only_account in (None, one.id)]
        connected = [one for account in wanted for one in connections.of_account(conn, account.id)]
        for one in connected:
            try:
                credentials.token(conn, keys, one)
            except PamosnikError as error:
                yield Check("login", Found.BAD, f"@{one.username}: {error.message}", error.hint)
                continue
            if one.status is connections.ConnectionStatus.ACTIVE:
                yield Check("login", Found.GOOD, f"@{one.username}: it opens, and is in use.")
            else:
                stopped = f"@{one.username}: it is not in use ({one.status.value})."
                yield Check("login", Found.BAD, stopped, "Try: pamosnik connect")
    if not connected:
        yield Check("login", Found.NOTE, "No Instagram account is connected.", "Try: pamosnik connect")


def _secrets(settings: Config) -> Check:
    if not settings.webhook_secrets:
        return Check(
            "app_secret",
            Found.BAD,
            "No app secret is set: every webhook is refused.",
            "Set PAMOSNIK_INSTAGRAM_APP_SECRET to the secret from Meta's dashboard.",
        )
    if settings.verify_token is None:
        return Check(
            "app_secret",
            Found.BAD,
            "No verify token is set: Meta's handshake is refused.",
            "Set PAMOSNIK_VERIFY_TOKEN to words of your own, the same as in Meta's dashboard.",
        )
    return Check("app_secret", Found.GOOD, "An app secret and a verify token are set.")


def _address(settings: Config) -> Check:
    address = settings.public_url
    if address is None:
        return Check(
            "address",
            Found.NOTE,
            "No public address is set: links in messages are not tracked, and mails lead to this machine only.",
            "Set PAMOSNIK_PUBLIC_URL to the https address of the tunnel or domain.",
        )
    if not address.startswith("https:"):
        return Check(
            "address",
            Found.BAD,
            f"{address} is not encrypted: Meta sends nothing there, and the login cookie could be read on its way.",
            "Set PAMOSNIK_PUBLIC_URL to an https address.",
        )
    return Check("address", Found.GOOD, f"{address} is encrypted.")


# --- mail ------------------------------------------------------------------------------------------------


def _mail(settings: Config) -> Check:
    """Connects to the mail server and logs in; sends nothing."""
    if settings.mail is None:
        return Check(
            "mail",
            Found.NOTE,
            "No mail server is set: no alerts, no mails of flows, and a forgotten password is reset on this machine.",
            "Set PAMOSNIK_SMTP_URL, like smtps://user:password@mail.example.",
        )
    try:
        asyncio.run(Mailer(settings.mail).check())
    except PamosnikError as error:
        return _bad("mail", error)
    return Check("mail", Found.GOOD, f"{settings.mail.host} takes mails from {settings.mail.sender}.")
