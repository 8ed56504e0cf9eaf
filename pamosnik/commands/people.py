"""People: contacts list and show."""

from datetime import datetime, timedelta
from typing import Annotated

import typer

from pamosnik.commands.common import (
    All,
    Json,
    Limit,
    Since,
    how_many,
    note,
    now,
    open_home,
    print_facts,
    print_json,
    print_table,
    say,
    shown,
    since_instant,
)


def register(app: typer.Typer) -> None:
    contacts = typer.Typer(help="People.", rich_markup_mode=None, no_args_is_help=True)
    contacts.command("list")(list_)
    contacts.command("show")(show)
    app.add_typer(contacts, name="contacts")


def list_(limit: Limit = None, everything: All = False, since: Since = None, as_json: Json = False) -> None:
    """People heard from, the latest first."""
    from pamosnik.services import reading

    with open_home() as home:
        newest = how_many(limit, everything, as_json)
        rows = home.read(
            lambda conn: reading.people(conn, home.account, limit=newest, since=since_instant(since))
        )
    if as_json:
        print_json(rows)
        return
    columns = [
        ("username", "Username"),
        ("igsid", "Instagram id"),
        ("tags", "Tags"),
        ("fields", "Fields"),
        ("window_open_until", "Window until"),
        ("opted_out", "Opted out"),
        ("paused_until", "Paused until"),
    ]
    print_table(rows, columns, "Nobody was heard from yet.")


def show(
    who: Annotated[str, typer.Argument(help="@username, Instagram id, or the id of something they wrote.")],
    as_json: Json = False,
) -> None:
    """One person, and everything remembered about them. JSON has the one heard from last."""
    from pamosnik.services import reading

    with open_home() as home:
        found = home.read(lambda conn: reading.person(conn, home.account, who))
    if as_json:
        print_json(found[0])
        if len(found) > 1:
            ids = ", ".join(f"{person['id']} (@{person['connection']})" for person in found)
            note(f"{len(found)} connected accounts know this person; name one by its id: {ids}")
        return
    for number, person in enumerate(found):
        if number:
            say("")
        print_facts([(name, _with_age(name, value)) for name, value in person.items()])


def _with_age(name: str, value: object) -> object:
    """What Instagram told has an age: it may be different by now."""
    if name != "facts_at" or value is None:
        return value
    return f"{shown(value)}, {age(now() - datetime.fromisoformat(str(value)))}"


def age(passed: timedelta) -> str:
    """How long ago something was, roughly."""
    minutes = int(passed.total_seconds()) // 60
    count, unit = minutes, "minute"
    if minutes >= 2 * 24 * 60:
        count, unit = minutes // (24 * 60), "day"
    elif minutes >= 2 * 60:
        count, unit = minutes // 60, "hour"
    return "just now" if minutes < 1 else f"{count} {unit}{'' if count == 1 else 's'} ago"
