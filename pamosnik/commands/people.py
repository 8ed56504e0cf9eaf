"""People: contacts list and show."""

from typing import Annotated

import typer

from pamosnik.commands.common import (
    All,
    Json,
    Limit,
    how_many,
    open_home,
    print_facts,
    print_json,
    print_table,
    say,
)

_EVERYBODY = 1_000_000


def register(app: typer.Typer) -> None:
    contacts = typer.Typer(help="People.", rich_markup_mode=None, no_args_is_help=True)
    contacts.command("list")(list_)
    contacts.command("show")(show)
    app.add_typer(contacts, name="contacts")


def list_(limit: Limit = None, everything: All = False, as_json: Json = False) -> None:
    """People heard from, the latest first."""
    from pamosnik.services import reading

    with open_home() as home:
        most = how_many(limit, everything, as_json) or _EVERYBODY
        rows = reading.people(home.database.connection, home.account, limit=most)
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
    who: Annotated[str, typer.Argument(help="@username or Instagram id.")], as_json: Json = False
) -> None:
    """One person, and everything remembered about them."""
    from pamosnik.services import reading

    with open_home() as home:
        found = reading.person(home.database.connection, home.account, who)
    if as_json:
        print_json(found[0])
        return
    for number, person in enumerate(found):
        if number:
            say("")
        print_facts(list(person.items()))
