"""Forgetting people by command: the answer to somebody who wants their data deleted."""

from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from pamosnik.commands import previews
from pamosnik.commands.common import Home, Json, Yes, confirm, note, now, open_home, print_json
from pamosnik.commands.receipts import Begun, finish
from pamosnik.errors import Declined, NotFound

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pamosnik.services.erasing import Someone

_STAYS = (
    "a hash by which they are not brought back, and known again if they had opted out",
    "numbers of the days, which name nobody; a receipt without names",
    "what others wrote, even where it names them",
    "backups: restoring one deletes them again",
    *previews.STAYS_ANYWAY,
)


def register(contacts: typer.Typer) -> None:
    contacts.command("forget")(forget)


def forget(
    who: Annotated[
        str,
        typer.Argument(help="@username (also one of before), Instagram id, or an id of something of theirs."),
    ],
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only says what would go, and what would stay.")
    ] = False,
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Deletes everything about a person. Only that they opted out stays, as a hash that names nobody."""
    from pamosnik.services import erasing

    with open_home() as home:
        settings = home.settings
        found = home.read(lambda conn: erasing.people(conn, home.account.id, who))
        if dry_run:
            _say_what_would_go(home, who, found, as_json)
            return
        begun = [_begin(home, someone) for someone in found if confirm(_question(someone), yes=yes)]
        if not found:
            begun = _under_way(home, who)
    if not begun:
        raise Declined("Nothing was changed.")
    finish(settings, begun, as_json=as_json, as_list=True)


def _say_what_would_go(home: Home, who: str, found: "Sequence[Someone]", as_json: bool) -> None:
    from pamosnik.privacy import would_go

    if not found:
        raise NotFound(f"Nothing is stored about {who}.", hint="Try: pamosnik contacts list")
    rows = []
    for one in found:
        counted = home.read(
            partial(
                would_go.of_person,
                connection_id=one.connection.id,
                contact_id=one.contact_id,
                igsids=one.igsids,
            )
        )
        named = {"username": one.username, "igsid": one.igsid, "connection": one.connection.username}
        rows.append({**named, **previews.shape(counted, _STAYS)})
        if not as_json:
            previews.tell(_whom(one), counted, _STAYS)
    if as_json:
        print_json(rows)


def _under_way(home: Home, who: str) -> list[Begun]:
    """Whoever is killed while a person's traces are removed finds no person any more. Raises `NotFound`."""
    from pamosnik.privacy import proof
    from pamosnik.store import deletions
    from pamosnik.store.deletions import Scope

    open_ones = home.read(lambda conn: deletions.of_account(conn, home.account.id, scope=Scope.PERSON))
    gone = [Begun(one.id, proof.NOTHING) for one in open_ones if one.rows_gone_at is not None]
    if not gone:
        raise NotFound(f"Nothing is stored about {who}.", hint="Try: pamosnik contacts list")
    note(
        f"Nothing is stored about {who}. Of somebody else's deletion, or theirs, the end is missing: going on."
    )
    return gone


def _question(someone: "Someone") -> str:
    return f"Delete everything about {_whom(someone)}: what they wrote, what they were sent, their tags and fields?"


def _whom(someone: "Someone") -> str:
    name = "somebody" if someone.username is None else f"@{someone.username}"
    known = "by name alone" if someone.by_name_alone else f"Instagram id {someone.igsid}"
    return f"{name} ({known}, known to {someone.connection.username})"


def _begin(home: Home, someone: "Someone") -> Begun:
    from pamosnik.privacy import proof
    from pamosnik.services import erasing
    from pamosnik.store.deletions import Cause

    # Before the first row goes, and in memory alone.
    needles = home.read(lambda conn: proof.of_person(conn, someone.connection.id, someone.igsids))
    begin = erasing.begin_forget
    deletion_id = home.write(
        lambda conn: begin(conn, someone, cause=Cause.COMMAND, actor="command", now=now())
    )
    return Begun(deletion_id, needles, proof.Where("connection_id", someone.connection.id))
