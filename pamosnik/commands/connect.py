"""Connecting an Instagram account: login with Instagram, or a token from Meta's dashboard."""

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from pamosnik import terminal, unsaid
from pamosnik.commands.common import Home, note, now, open_home, say
from pamosnik.errors import DaemonNotRunning, NeedsAuthorisation, PamosnikError, UsageError

if TYPE_CHECKING:
    from pamosnik.store.connections import Connected

_LOOKS_EVERY_S = 0.5


def register(app: typer.Typer) -> None:
    app.command()(connect)


def connect(
    token_stdin: Annotated[
        bool, typer.Option("--token-stdin", help="Read a token of Meta's dashboard from standard input.")
    ] = False,
) -> None:
    """Connects an Instagram professional account: prints where to log in with Instagram, or takes a token."""
    with open_home() as home:
        connected = _by_token(home) if token_stdin else _by_login(home)
        if connected is None:
            return
        note(f"Connected @{connected.username} ({connected.ig_id}); its webhooks are subscribed.")
        if not home.settings.webhook_secrets:
            note(
                "No app secret is set here, and without one webhooks are refused: PAMOSNIK_INSTAGRAM_APP_SECRET."
            )
        _try_out(home, connected)


def _try_out(home: Home, connected: "Connected") -> None:
    """Whether everything arrives. Where nobody can be asked, the command for it is named."""
    from datetime import timedelta

    from pamosnik.services import home as home_service

    later = f"pamosnik connections test {connected.username}"
    if not home_service.daemon_running(home.settings.home):
        note(f"Next: pamosnik serve; then, to try whether everything arrives: {later}")
    elif not (sys.stdin.isatty() and sys.stdout.isatty()):
        note(f"To try whether everything arrives: {later}")
    elif terminal.sure("Try now, with a second Instagram account, whether everything arrives?", default=True):
        from pamosnik.commands import canary

        canary.try_out(home, connected, timedelta(minutes=10))
    else:
        note(f"Later: {later}")


# --- with a token ----------------------------------------------------------------------------------------


def _by_token(home: Home) -> "Connected":
    import asyncio

    from pamosnik.instagram.client import Instagram
    from pamosnik.security import keyring
    from pamosnik.services import connecting
    from pamosnik.services import keys as machine_keys

    token = _token()
    keyring.load(home.settings.key_file, home.settings.passphrase)  # before Instagram is asked for nothing

    async def ask() -> connecting.Found:
        settings = home.settings
        async with Instagram(version=settings.graph_version, meta_url=settings.meta_url) as instagram:
            return await connecting.look_up(instagram, token)

    found = asyncio.run(ask())
    with machine_keys.wrapping(home.settings) as keys:
        return home.write(lambda conn: connecting.keep(conn, keys, home.account.id, found, now()))


def _token() -> str:
    if sys.stdin.isatty():
        token = terminal.ask("Token from Meta's dashboard (it is not shown)", hidden=True).strip()
    else:
        token = unsaid.keep(sys.stdin.readline().strip())
    if not token or any(c.isspace() for c in token) or not token.isascii():
        raise UsageError(
            "This is no token.",
            hint="Copy it again from Meta's dashboard, without spaces. Try:"
            " pamosnik connect --token-stdin < token.txt",
        )
    return token


# --- by logging in ---------------------------------------------------------------------------------------


def _by_login(home: Home) -> "Connected | None":
    """None: nobody waits for it here."""
    from pamosnik.security import tokens
    from pamosnik.services import home as home_service
    from pamosnik.services import instagram_login
    from pamosnik.store.consents import How

    here = home_service.daemon_address(home.settings)
    if here is None:
        raise DaemonNotRunning(
            "Logging in with Instagram leads back to the daemon, and it is not running.",
            hint="Start it in another terminal: pamosnik serve. To paste a token instead:"
            " pamosnik connect --token-stdin",
        )
    address = home_service.public_address(home.settings) or here
    _tell_what_lacks(home, address)
    token = tokens.new_token()
    home.write(lambda conn: instagram_login.begin(conn, home.account.id, token, how=How.COMMAND, now=now()))
    note(f"Open this address within half an hour and log in to the Instagram account of {home.account.name}.")
    note("Whoever has the address can connect an account here, once.")
    say(f"{address}{instagram_login.PATH}/{token}")
    note(
        "Meta's dashboard must have this under Business login settings, OAuth redirect URIs, letter by letter:"
    )
    note(f"  {instagram_login.redirect_uri(address)}")
    return _waited_for(home, token, address) if sys.stdin.isatty() and sys.stdout.isatty() else None


def _tell_what_lacks(home: Home, address: str) -> None:
    """No reason to stop: the daemon may have been started with other settings."""
    from pamosnik.services import instagram_login

    try:
        instagram_login.app(home.settings)
        instagram_login.require_encrypted(home.settings, address)
    except PamosnikError as error:
        note(f"{error.message} Unless `pamosnik serve` has other settings, the login will stop there.")
        note(error.hint or "")


def _waited_for(home: Home, token: str, address: str) -> "Connected | None":
    """Until the account is connected, the half hour is over, or Ctrl-C."""
    import time
    from functools import partial

    from pamosnik.commands.waiting import ctrl_c
    from pamosnik.rehearsal.browser import open_page
    from pamosnik.security.tokens import token_hash
    from pamosnik.services import instagram_login
    from pamosnik.store import connections, instagram_logins

    open_page(f"{address}{instagram_login.PATH}/{token}")
    told = None
    with ctrl_c() as pressed:
        note("Waiting for the login. Ctrl-C stops waiting; the address stays good.")
        while not pressed.yes:
            login = home.read(lambda conn: instagram_logins.find(conn, token_hash(token), now()))
            if login is None:
                raise NeedsAuthorisation(
                    "Nobody logged in within half an hour.", hint="Try: pamosnik connect"
                )
            if login.connection_id is not None:
                return home.read(partial(connections.load, connection_id=login.connection_id))
            if login.problem not in (None, told):
                note(f"Not connected yet: {login.problem}")
            told = login.problem
            time.sleep(_LOOKS_EVERY_S)
    note("Nobody waits here any more.")
    return None
