"""Disconnecting an Instagram account: consent is withdrawn, and its data goes."""

from typing import Annotated

import typer

from pamosnik.commands.common import Json, Yes, confirm, note, now, open_home
from pamosnik.commands.receipts import Begun, finish
from pamosnik.errors import NotFound


def register(app: typer.Typer) -> None:
    app.command("disconnect")(disconnect)


def disconnect(
    username: Annotated[str, typer.Argument(help="Username or Instagram id of the connected account.")],
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
            note("A deletion is under way already; its rows are gone. Going on with it.")
            begun = [Begun(receipt.id, proof.NOTHING) for receipt in under_way]
        else:
            connection_id, name = connected.id, connected.username
            before = home.read(lambda conn: deletions.open_for(conn, connection_id))
            if before is None and not confirm(
                f"Disconnect {name} and delete all of its data: people, conversations, runs, numbers? Flows stay.",
                yes=yes,
            ):
                note("Nothing was changed.")
                raise typer.Exit(1)
            # Before the first row goes, and in memory alone.
            needles = home.read(lambda conn: proof.of_connection(conn, connection_id))
            begin = erasing.begin_disconnect
            deletion_id = home.write(
                lambda c: begin(c, connection_id, cause=Cause.COMMAND, actor="command", now=now())
            )
            begun = [Begun(deletion_id, needles, proof.Where("connection_id", connection_id))]
    finish(settings, begun, as_json=as_json)
