"""Disconnecting an Instagram account: consent is withdrawn, and its data goes."""

from typing import TYPE_CHECKING, Annotated

import typer

from pamosnik.commands import completing, previews
from pamosnik.commands.common import Home, Json, Yes, note, now, open_home, print_json, require_yes
from pamosnik.commands.receipts import Begun, finish
from pamosnik.errors import NotFound

if TYPE_CHECKING:
    from pamosnik.store.connections import Connected

_STAYS = (
    "flows, their history, codes and texts of legal pages",
    "that it was connected and disconnected, and when; a receipt without names",
    "backups: restoring one deletes it again",
    *previews.STAYS_ANYWAY,
)


def register(app: typer.Typer) -> None:
    app.command("disconnect")(disconnect)


def disconnect(
    username: Annotated[
        str,
        typer.Argument(
            help="Username or Instagram id of the connected account.", autocompletion=completing.connections
        ),
    ],
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only says what would go, and what would stay.")
    ] = False,
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Withdraws consent for a connected Instagram account, tells Meta, and deletes all of its data."""
    from pamosnik.privacy import proof
    from pamosnik.services import erasing
    from pamosnik.store import deletions
    from pamosnik.store.deletions import Cause, Scope

    with open_home() as home:
        account_id, settings = home.account.id, home.settings
        connected = home.read(lambda conn: erasing.named(conn, account_id, username))
        if connected is None:
            open_ones = home.read(lambda c: deletions.of_account(c, account_id, scope=Scope.CONNECTION))
            under_way = [receipt for receipt in open_ones if receipt.rows_gone_at is not None]
            if not under_way:
                raise NotFound(f"{username} is not connected.", hint="Try: pamosnik connections list")
            if dry_run:
                previews.only_traces()
                return
            note("A deletion is under way already; its rows are gone. Going on with it.")
            begun = [Begun(receipt.id, proof.NOTHING) for receipt in under_way]
        elif dry_run:
            _say_what_would_go(home, connected, as_json)
            return
        else:
            connection_id, name = connected.id, connected.username
            before = home.read(lambda conn: deletions.open_for(conn, connection_id))
            if before is None:
                require_yes(
                    f"Disconnect {name} and delete all of its data: people, conversations, runs, numbers?"
                    " Flows stay.",
                    yes=yes,
                )
            # Before the first row goes, and in memory alone.
            needles = home.read(lambda conn: proof.of_connection(conn, connection_id))
            begin = erasing.begin_disconnect
            deletion_id = home.write(
                lambda c: begin(c, connection_id, cause=Cause.COMMAND, actor="command", now=now())
            )
            begun = [Begun(deletion_id, needles, proof.Where("connection_id", connection_id))]
    finish(settings, begun, as_json=as_json)


def _say_what_would_go(home: Home, connected: "Connected", as_json: bool) -> None:
    from pamosnik.privacy import would_go

    found = home.read(lambda conn: would_go.of_connection(conn, connected))
    if as_json:
        print_json(
            {
                "username": connected.username,
                "ig_id": connected.ig_id,
                **previews.shape(found, _STAYS),
            }
        )
        return
    previews.tell(f"the connection {connected.username}", found, _STAYS)
