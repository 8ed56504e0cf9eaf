"""People: contacts list, find and show; what changes them is in `people_changes`, what deletes in `people_forget`."""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from pamosnik.clock import ago
from pamosnik.commands import export, people_changes, people_forget
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

if TYPE_CHECKING:
    from pamosnik.services.shapes import Shape


def register(app: typer.Typer) -> None:
    contacts = typer.Typer(help="People.", rich_markup_mode=None, no_args_is_help=True)
    contacts.command("list")(list_)
    contacts.command("find")(find)
    contacts.command("show")(show)
    people_changes.register(contacts)
    export.register_person(contacts)
    people_forget.register(contacts)
    app.add_typer(contacts, name="contacts")


def list_(limit: Limit = None, everything: All = False, since: Since = None, as_json: Json = False) -> None:
    """People heard from, the latest first."""
    from pamosnik.services.reading import people as people_reading

    with open_home() as home:
        newest = how_many(limit, everything, as_json)
        found = home.read(
            lambda conn: people_reading.newest(
                conn, home.account, limit=newest, since=since_instant(home, since)
            )
        )
    _print([person.shape() for person in found], as_json, "Nobody was heard from yet.")


def find(
    text: Annotated[str, typer.Argument(help="Part of a name, username, tag, field or note.")],
    limit: Limit = None,
    everything: All = False,
    as_json: Json = False,
) -> None:
    """People by what is known of them, the latest heard from first; behind them those of whom there are comments
    alone. Case and accents do not matter."""
    from pamosnik.services import people

    with open_home() as home:
        newest = how_many(limit, everything, as_json)
        rows = home.read(lambda conn: people.find_everybody(conn, home.account, text, limit=newest))
    _print(rows, as_json, f"Nothing that is known of anybody has “{text}” in it.")


def _print(rows: "Sequence[Shape]", as_json: bool, empty: str) -> None:
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
    print_table(rows, columns, empty)


def show(
    who: Annotated[str, typer.Argument(help="@username, Instagram id, or the id of something they wrote.")],
    as_json: Json = False,
) -> None:
    """One person, and everything remembered about them. JSON has the one heard from last."""
    from pamosnik.services.reading import people as people_reading

    with open_home() as home:
        found = home.read(lambda conn: people_reading.named(conn, home.account, who))
    if as_json:
        print_json(found[0].shape())
        if len(found) > 1:
            ids = ", ".join(f"{person.id} (@{person.connection})" for person in found)
            note(f"{len(found)} connected accounts know this person; name one by its id: {ids}")
        return
    for number, person in enumerate(found):
        if number:
            say("")
        print_facts([(name, _with_age(name, value)) for name, value in person.shape().items()])


def _with_age(name: str, value: object) -> object:
    """What Instagram told has an age: it may be different by now."""
    if name != "facts_at" or value is None:
        return value
    return f"{shown(value)}, {ago(now() - datetime.fromisoformat(str(value)))}"
