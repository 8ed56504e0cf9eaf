"""Health: status."""

from datetime import UTC, datetime
from functools import partial
from typing import Annotated

import typer

from pamosnik.commands.common import Json, about_errors, now, open_home, print_json, say, say_coloured, shown
from pamosnik.errors import DaemonNotRunning

_WELL, _WORTH_A_LOOK, _BAD = "green", "yellow", "bold red"
"""Colours say nothing that words do not say."""


def register(app: typer.Typer) -> None:
    app.command()(status)


def status(
    require_daemon: Annotated[
        bool, typer.Option("--require-daemon", help="Exit with 7 when the daemon is not running.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Health at a glance."""
    from pamosnik.security import keyring
    from pamosnik.services import home as homes
    from pamosnik.services.reading import machine
    from pamosnik.services.reading import problems as problem_reading
    from pamosnik.services.reading import status as status_reading

    with open_home() as home:
        since = homes.daemon_since(home.settings.home)
        # A running daemon looks by itself, and tells.
        key = None if since is not None else keyring.trouble_outside(home.settings.key_file)
        found = home.read(
            partial(
                status_reading.of_account,
                account=home.account,
                running=since is not None,
                since=None if since is None else datetime.fromtimestamp(since, UTC),
                now=now(),
                public_address=homes.public_address(home.settings),
                storage=[
                    *problem_reading.storage(
                        homes.refused_storage(home.settings),
                        home.database.wal_bytes(),
                        free_bytes=machine.free_bytes(home.settings.home),
                    ),
                    *problem_reading.key_file(key),
                ],
            )
        )
    if as_json:
        print_json(found)
    else:
        _show(found)
        assert isinstance(found["problems"], list)
        about_errors(home, (problem["message"] for problem in found["problems"]))
    if require_daemon and since is None:
        raise DaemonNotRunning("The daemon is not running.", hint="Try: pamosnik serve")


def _show(found: dict[str, object]) -> None:
    queue, events, daemon = found["queue"], found["events"], found["daemon"]
    connections, problems, notes = found["connections"], found["problems"], found["notes"]
    assert isinstance(queue, dict)
    assert isinstance(events, dict)
    assert isinstance(daemon, dict)
    assert isinstance(connections, list)
    assert isinstance(problems, list)
    assert isinstance(notes, list)
    say_coloured(("Everything is in order.", _WELL) if found["healthy"] else ("Needs you:", _BAD))
    for problem in problems:
        say_coloured("  ", (problem["message"], _BAD), f" {problem['fix']}")
    for noted in notes:
        say_coloured(("Note:", _WORTH_A_LOOK), f" {noted['message']} {noted['fix']}")
    running, since = daemon["running"], f" since {shown(daemon['since'])}" if daemon["running"] else ""
    say_coloured("daemon       ", ("running", _WELL) if running else ("not running", _BAD), since)
    if daemon["public_address"] is not None:
        say(f"address      {daemon['public_address']}")
    for connected in connections:
        until = f"login valid until {shown(connected['token_expires_at'])}"
        if connected["delete_after"] is not None:
            until = f"its data will be deleted on {shown(connected['delete_after'])}"
        status = connected["status"]
        style = _WELL if status == "active" else _BAD
        say_coloured(f"connection   @{connected['username']} ", (status, style), f", {until}")
    counts = ", ".join(f"{queue[name]} {name}" for name in ("queued", "sending", "held"))
    say_coloured(
        f"queue        {counts}, ",
        (f"{queue['unknown']} unknown", _WORTH_A_LOOK if queue["unknown"] else ""),
        "; ",
        (f"{queue['will_expire']} will expire", _BAD if queue["will_expire"] else ""),
    )
    if queue["last_due_at"] is not None:
        say(f"             the last one leaves at {shown(queue['last_due_at'])}")
    say(f"events       {events['pending']} waiting; last at {shown(events['last_at'])}")
    _show_broadcasts(found["broadcasts"])


def _show_broadcasts(found: object) -> None:
    from pamosnik.services.reading import broadcasts

    assert isinstance(found, dict)
    for planned in found["planned"][:3]:
        say(f"broadcast    {planned['flow']} to @{planned['connection']} at {shown(planned['at'])}")
    for latest in found["latest"]:
        became = broadcasts.sentence(latest)
        say(f"             {latest['flow']} at {shown(latest['planned_at'])}: {became}")
