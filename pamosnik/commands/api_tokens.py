"""Tokens of the API, for scripts: each opens one account."""

from typing import Annotated

import typer

from pamosnik.commands.common import (
    Json,
    Yes,
    note,
    now,
    open_home,
    print_json,
    print_table,
    require_yes,
    say,
    shown,
)

_ACTOR = "command"


def register(app: typer.Typer) -> None:
    tokens = typer.Typer(help="Tokens of the API, for scripts.", rich_markup_mode=None, no_args_is_help=True)
    tokens.command("create")(create)
    tokens.command("list")(list_)
    tokens.command("revoke")(revoke)
    app.add_typer(tokens, name="api-token")


def create(
    name: Annotated[str, typer.Option(help="What uses it, like spreadsheet.")], as_json: Json = False
) -> None:
    """Makes a token and prints it, this once."""
    from pamosnik.services import api_tokens

    with open_home() as home:
        account = home.account
        made, text = home.write(
            lambda conn: api_tokens.create(conn, account.id, name, actor=_ACTOR, now=now())
        )
    if as_json:
        print_json({"token": text, **api_tokens.shape(made)})
    else:
        say(text)
    note(f"{made.name}: reads what {account.email} may see. It is shown this once; keep it like a password.")


def list_(as_json: Json = False) -> None:
    """The account's tokens, the oldest first; never their texts."""
    from pamosnik.services import api_tokens

    with open_home() as home:
        account_id = home.account.id
        rows = home.read(lambda conn: api_tokens.listed(conn, account_id))
    if as_json:
        print_json(rows)
        return
    columns = [("name", "Name"), ("created_at", "Made"), ("last_used_at", "Last used"), ("id", "Id")]
    print_table(rows, columns, "There is no token. Try: pamosnik api-token create --name NAME")


def revoke(
    token: Annotated[str, typer.Argument(help="Name or id of the token.", metavar="NAME|ID")],
    yes: Yes = False,
) -> None:
    """Ends a token: whatever uses it is refused from then on."""
    from pamosnik.services import api_tokens

    with open_home() as home:
        account_id = home.account.id
        found = home.read(lambda conn: api_tokens.find(conn, account_id, token))
        used = shown(api_tokens.shape(found)["last_used_at"])
        last = "was never used" if found.last_used_at is None else f"was last used {used}"
        require_yes(f"The token {found.name} {last}. Revoke it?", yes=yes)
        home.write(lambda conn: api_tokens.revoke(conn, account_id, found.id, actor=_ACTOR, now=now()))
    note(f"The token {found.name} opens nothing any more.")
