"""The daemon as a service of systemd."""

import dataclasses
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pamosnik import terminal
from pamosnik.commands.common import Json, Yes, note, print_facts, print_json, require_yes
from pamosnik.errors import DaemonNotRunning

if TYPE_CHECKING:
    from pamosnik.services.service import Manager

Name = Annotated[str, typer.Option("--name", help="Of the service: one for each home on the machine.")]
System = Annotated[
    bool | None,
    typer.Option("--system/--user", help="Of the machine, or your own. Default: the machine's for root."),
]


def register(app: typer.Typer) -> None:
    group = typer.Typer(help="The daemon as a service of systemd.", no_args_is_help=True)
    group.command("install")(install)
    group.command("status")(status)
    group.command("uninstall")(uninstall)
    app.add_typer(group, name="service")


def install(
    name: Name = "pamosnik",
    system: System = None,
    tls_cert: Annotated[
        Path | None, typer.Option("--tls-cert", help="As of serve.", dir_okay=False, exists=True)
    ] = None,
    tls_key: Annotated[
        Path | None, typer.Option("--tls-key", help="As of serve.", dir_okay=False, exists=True)
    ] = None,
    insecure_http: Annotated[bool, typer.Option("--insecure-http", help="As of serve.")] = False,
    only_print: Annotated[bool, typer.Option("--print", help="Print the unit, change nothing.")] = False,
) -> None:
    """Lets systemd run `pamosnik serve`: now, with the machine, and again whenever it ends. Settings of your
    environment go into pamosnik.toml. A second time it is written anew and restarted."""
    from pamosnik import config
    from pamosnik.services import home, service, service_unit
    from pamosnik.store.damage import require_there

    settings = config.load()
    require_there(settings.database)
    service.require_name(name)
    options = _options(tls_cert, tls_key, insecure_http=insecure_http)
    root = os.geteuid() == 0
    if not root:  # who installs the service of another user, whose the home is
        home.require_private(settings)
    if only_print:
        at = service.Manager(root if system is None else system)
        terminal.out(service_unit.text(service.unit(settings, name, at, options)).rstrip("\n"))
        return
    at = service.manager(system=system)
    done = service.install(settings, name, at, os.environ, options)
    note(f"{'Written' if done.changed else 'As it was'}: {done.file}")
    if done.taken_over:
        note(
            f"From your environment into {settings.home / config.SETTINGS_FILE}: {', '.join(done.taken_over)}"
        )
    note(f"Pamosnik runs as {name}.service. Its log: {at.journal(name)}")
    if not done.lingers:
        note("It ends when you log out. To let it go on, and start with the machine: loginctl enable-linger")


def _options(chain: Path | None, key: Path | None, *, insecure_http: bool) -> list[str]:
    """What the service gives to `serve`."""
    files = (("--tls-cert", chain), ("--tls-key", key))
    words = [word for name, file in files if file is not None for word in (name, str(file.absolute()))]
    return [*words, *(["--insecure-http"] if insecure_http else [])]


def status(name: Name = "pamosnik", system: System = None, as_json: Json = False) -> None:
    """How the service is; exit code 7 when it does not run."""
    from pamosnik.services import service

    at = service.manager(system=system)
    found = service.look(service.require_name(name), at)
    if as_json:
        print_json(dataclasses.asdict(found))
    else:
        print_facts(
            [
                ("service", f"{name}.service"),
                ("state", found.state if found.installed else "not installed"),
                ("starts with the machine", found.enabled),
                ("process", found.pid),
                ("restarts", found.restarts),
                ("says", found.status),
            ]
        )
    if not found.active:
        raise DaemonNotRunning(f"{name}.service does not run.", hint=_how_to_start(found.installed, name, at))


def uninstall(name: Name = "pamosnik", system: System = None, yes: Yes = False) -> None:
    """Stops the service and takes it away. The home with everything in it stays."""
    from pamosnik.services import service

    at = service.manager(system=system)
    service.require_name(name)
    require_yes(f"Stop {name}.service and take it away?", yes=yes)
    note(f"Gone: {service.uninstall(name, at)}. The home is as it was.")


def _how_to_start(installed: bool, name: str, at: "Manager") -> str:
    return f"Try: {at.journal(name)} -n 20" if installed else "Try: pamosnik service install"
