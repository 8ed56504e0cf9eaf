"""Setting up: init, connections, serve, demo, sandbox, config, version."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pamosnik import terminal
from pamosnik.commands import asking, completing, connect, upgrading
from pamosnik.commands.asking import Email, Name, PasswordStdin, Timezone
from pamosnik.commands.common import (
    Json,
    Yes,
    note,
    now,
    open_home,
    print_facts,
    print_json,
    print_table,
    say,
    shown,
)
from pamosnik.errors import Again, CheckFailed, DaemonNotRunning, UsageError

if TYPE_CHECKING:
    from pamosnik.daemon.certificate import Certificate

_LOOPBACK = ("127.0.0.1", "::1", "localhost")


def register(app: typer.Typer) -> None:
    app.command()(demo)
    app.command()(init)
    connect.register(app)
    app.command()(serve)
    connections = typer.Typer(
        help="Connected Instagram accounts.", rich_markup_mode=None, no_args_is_help=False
    )
    connections.callback(invoke_without_command=True)(_connections)
    connections.command("list")(connections_list)
    connections.command("show")(connections_show)
    connections.command("refresh")(connections_refresh)
    connections.command("test")(connections_test)
    app.add_typer(connections, name="connections")
    app.command()(sandbox)
    config = typer.Typer(help="Settings.", rich_markup_mode=None, no_args_is_help=True)
    config.callback()(_config)
    config.command("show")(config_show)
    app.add_typer(config, name="config")
    app.command()(version)


def demo(
    once: Annotated[bool, typer.Option("--once", help="End after the conversation.")] = False,
    port: Annotated[int, typer.Option(help="Port of the daemon; 0 takes a free one.")] = 0,
) -> None:
    """Plays a comment and a conversation with a fake Instagram: no set-up, no Meta account."""
    import asyncio

    from pamosnik.rehearsal import demo as rehearsal

    stay = not once and sys.stdout.isatty() and sys.stdin.isatty()
    raise typer.Exit(asyncio.run(rehearsal.play(port=port, stay=stay, say=terminal.out)))


def init(
    name: Name = None,
    email: Email = None,
    password_stdin: PasswordStdin = False,
    timezone: Timezone = None,
    yes: Yes = False,
) -> None:
    """Makes the home folder, keys, database and first account. It states that the account's holder is an adult."""
    from pamosnik import config
    from pamosnik.services import home

    settings = config.load()
    if not home.daemon_running(settings.home):
        upgrading.bring_up_to_date(settings)
    if home.has_account(settings):
        note(f"There is an account already in {settings.home}; nothing was changed.")
        return
    new = asking.account(
        name, email, timezone, password_stdin=password_stdin, yes=yes, command="pamosnik init"
    )
    account, _ = home.initialise(settings, new, now())
    note(f"Made {settings.home} with the account {account.email} ({account.timezone}).")
    note("It is recorded that its holder is an adult.")
    for line in _next_steps(settings.home / config.SETTINGS_FILE):
        note(line)


def _next_steps(settings_file: Path) -> tuple[str, ...]:
    """docs/guide.md in a few lines."""
    return (
        "Next, with Meta's dashboard open at “API setup with Instagram login” (docs/guide.md has every step):",
        "  1. export PAMOSNIK_INSTAGRAM_APP_SECRET=…      the Instagram app secret on that page",
        "  2. pamosnik connect --token-stdin              paste a token: Generate token, on the same page",
        "  3. pamosnik flows new price-list               change the file; pamosnik flows apply price-list.yaml",
        "  4. pamosnik serve --tunnel cloudflared         it says the public address",
        "  5. Configure webhooks: the address with /webhooks/instagram behind it as callback URL, and the",
        f"     verify_token that stands in {settings_file}; then publish the app",
        "Whether all is as it should be: pamosnik doctor",
    )


def _connections(context: typer.Context) -> None:
    if context.invoked_subcommand is None:
        connections_list(as_json=False)


def connections_list(as_json: Json = False) -> None:
    """Connected accounts, their state, and how long their login lasts."""
    from pamosnik.services.reading import connections as connection_reading
    from pamosnik.store import connections

    with open_home() as home:
        connected = home.read(lambda conn: connections.of_account(conn, home.account.id))
        rows = [connection_reading.shape(one) for one in connected]
    if as_json:
        print_json(rows)
        return
    columns = [
        ("username", "Account"),
        ("ig_id", "Instagram id"),
        ("status", "State"),
        ("token_expires_at", "Login valid until"),
        ("connected_at", "Connected"),
    ]
    if any(row["delete_after"] for row in rows):
        columns.append(("delete_after", "Data deleted on"))
    print_table(
        rows,
        columns,
        "Nothing is connected yet. Try: pamosnik connect",
    )


def connections_show(
    username: Annotated[
        str,
        typer.Argument(
            help="Username or Instagram id of the connected account.", autocompletion=completing.connections
        ),
    ],
    as_json: Json = False,
) -> None:
    """One connected account."""
    from pamosnik.services.reading import connections as connection_reading

    with open_home() as home:
        found = home.read(lambda conn: connection_reading.named(conn, home.account, username))
    if as_json:
        print_json(found)
        return
    print_facts(list(found.items()))


def connections_refresh(
    username: Annotated[
        str | None,
        typer.Argument(
            help="Of the connected account; without it all that are active.",
            autocompletion=completing.connections,
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Refreshes logins now. The daemon does it by itself, weekly."""
    import asyncio

    from pamosnik.instagram.client import Instagram
    from pamosnik.security.held_keys import HeldKeys
    from pamosnik.services import tokens
    from pamosnik.services.reading import connections as connection_reading

    with open_home() as home:
        settings = home.settings
        keys = HeldKeys(settings.key_file, settings.passphrase)
        wanted = home.read(lambda conn: tokens.active(conn, home.account.id, username))

        async def ask() -> None:
            async with Instagram(version=settings.graph_version, meta_url=settings.meta_url) as instagram:
                for connected in wanted:
                    await tokens.refresh_now(home, instagram, keys, connected, now())

        asyncio.run(ask())
        rows = home.read(lambda conn: [connection_reading.named(conn, home.account, c.id) for c in wanted])
    if as_json:
        print_json(rows)
        return
    for row in rows:
        say(f"@{row['username']}: login valid until {shown(row['token_expires_at'])}")


def connections_test(
    username: Annotated[
        str | None,
        typer.Argument(
            help="Of the connected account; not needed where there is one.",
            autocompletion=completing.connections,
        ),
    ] = None,
    within: Annotated[
        int, typer.Option(min=1, max=120, help="How many minutes each step is waited for.")
    ] = 10,
) -> None:
    """Tries with a second Instagram account whether everything arrives: each webhook field, and a button."""
    from datetime import timedelta

    from pamosnik.commands import canary
    from pamosnik.services import home as home_service
    from pamosnik.services import tokens

    with open_home() as home:
        wanted = home.read(lambda conn: tokens.active(conn, home.account.id, username))
        if len(wanted) > 1:
            raise UsageError(
                f"Several accounts are connected: {', '.join(one.username for one in wanted)}.",
                hint=f"Try: pamosnik connections test {wanted[0].username}",
            )
        if not home_service.daemon_running(home.settings.home):
            raise DaemonNotRunning(
                "Nothing can arrive: the daemon is not running.", hint="Try: pamosnik serve"
            )
        if not canary.try_out(home, wanted[0], timedelta(minutes=within)):
            raise CheckFailed("Not everything arrived.", hint="Try: pamosnik doctor")


def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on.")] = None,
    tunnel: Annotated[
        str | None,
        typer.Option(
            help="Open a tunnel: cloudflared, ngrok, tailscale, ssh:HOST or command:PROGRAM (docs/tunnels.md).",
            metavar="KIND",
        ),
    ] = None,
    tls_cert: Annotated[
        Path | None,
        typer.Option(
            "--tls-cert", help="Certificate with its chain (PEM): https without a proxy.", dir_okay=False
        ),
    ] = None,
    tls_key: Annotated[
        Path | None, typer.Option("--tls-key", help="Its key (PEM), without a passphrase.", dir_okay=False)
    ] = None,
    insecure_http: Annotated[
        bool, typer.Option("--insecure-http", help="Allow an address other machines can reach, without TLS.")
    ] = False,
) -> None:
    """Runs the daemon: webhook endpoint, status page, engine, sender, housekeeping."""
    import asyncio

    import uvloop

    from pamosnik import config, logs
    from pamosnik.clock import SteadyClock
    from pamosnik.daemon import main as daemon
    from pamosnik.services import home
    from pamosnik.store.damage import require_there

    settings = config.load({"host": host, "port": None if port is None else str(port), "tunnel": tunnel})
    certificate = _certificate(tls_cert, tls_key)
    if settings.host not in _LOOPBACK and certificate is None and not insecure_http:
        raise UsageError(
            f"{settings.host} can be reached from other machines, and the connection is not encrypted.",
            hint="Let a tunnel reach 127.0.0.1, or give --tls-cert and --tls-key; or, where nobody else can listen:",
            again=Again(("--insecure-http",)),
        )
    require_there(settings.database)
    home.require_private(settings)
    if not home.daemon_running(settings.home):  # else `serve` says whose home it is
        upgrading.bring_up_to_date(settings)
    logs.set_up(settings.log_format, level=logs.LEVELS[settings.log_level])
    logs.take_what_nobody_caught()

    def ready(address: str) -> None:
        note(
            f"Pamosnik listens on {address} (status page: {address}/, webhook: {address}/webhooks/instagram)"
        )
        if not home.has_account(settings):
            note("There is no account in this home. To make one, stop Pamosnik, then: pamosnik init")

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(daemon.serve(settings, SteadyClock(), on_ready=ready, certificate=certificate))


def _certificate(chain: Path | None, key: Path | None) -> "Certificate | None":
    from pamosnik.daemon.certificate import Certificate

    if chain is None and key is None:
        return None
    if chain is None or key is None:
        lacking = "--tls-cert" if chain is None else "--tls-key"
        raise UsageError("A certificate and its key belong together.", hint=f"Give {lacking}, too.")
    return Certificate(chain.absolute(), key.absolute())


def sandbox(
    port: Annotated[int, typer.Option(help="Port to listen on.")] = 8789,
    world: Annotated[
        Path | None,
        typer.Option(help="File with a world to go on with; saved to it on stopping.", dir_okay=False),
    ] = None,
    fault: Annotated[
        list[str] | None,
        typer.Option(help="ENDPOINT:FAULT[:person=NAME][:nth=N][:times=N], may be repeated."),
    ] = None,
    virtual_clock: Annotated[
        bool, typer.Option("--virtual-clock", help="Time stands still until POST /sandbox/clock moves it.")
    ] = False,
) -> None:
    """The fake Instagram alone, for your own experiments; ends with Ctrl-C."""
    import asyncio

    from pamosnik.rehearsal import stand_alone

    if not 0 <= port <= 65535:
        raise UsageError(f"port (flag) is no port number: {port}", again=Again(("--port", "8789")))
    run = stand_alone.run(port, say, world=world, armed=fault or (), virtual_clock=virtual_clock)
    asyncio.run(run)


def _config() -> None:
    pass


def config_show(as_json: Json = False) -> None:
    """Every setting, its value and where it came from. Secrets are hidden."""
    from pamosnik import config

    rows = config.load().describe()
    if as_json:
        print_json([{"name": name, "value": value, "source": source} for name, value, source in rows])
        return
    print_facts([(name, f"{value}   ({source})") for name, value, source in rows])


def version(as_json: Json = False) -> None:
    """The version of Pamosnik, Python and SQLite."""
    import platform
    from importlib.metadata import version as installed

    from pamosnik._sqlite import sqlite_version

    facts = {"pamosnik": installed("pamosnik"), "python": platform.python_version(), "sqlite": sqlite_version}
    if as_json:
        print_json(facts)
    else:
        say(" · ".join(f"{name} {value}" for name, value in facts.items()))
