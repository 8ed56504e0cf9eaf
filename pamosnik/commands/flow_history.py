"""What became of flows, and going back to an earlier version."""

from typing import Annotated

import typer

from pamosnik.commands.common import (
    All,
    Json,
    Limit,
    Since,
    how_many,
    open_home,
    print_json,
    print_table,
    since_instant,
)

SHORT = 8
"""Characters of a version that people read and type."""


def history(
    flow: Annotated[str | None, typer.Argument(help="Id of the flow; without it, of all flows.")] = None,
    limit: Limit = None,
    everything: All = False,
    since: Since = None,
    as_json: Json = False,
) -> None:
    """What became of a flow: added, changed, rolled back, renamed, paused, removed; the newest first."""
    from pamosnik.services import flow_history

    with open_home() as home:
        rows = flow_history.history(
            home.database.connection,
            home.account.id,
            flow,
            since=since_instant(since),
            limit=how_many(limit, everything, as_json),
        )
    if as_json:
        print_json(rows)
        return
    told = [
        {
            **row,
            "change": _what(row),
            "version": None if row["version"] is None else str(row["version"])[:SHORT],
        }
        for row in rows
    ]
    columns = [("at", "When"), ("flow", "Flow"), ("change", "What"), ("version", "Version"), ("by", "By")]
    columns.append(("note", "Note"))
    print_table(told, columns, "Nothing was applied yet. Try: pamosnik flows apply flows.example.yaml")


def _what(row: dict[str, object]) -> str:
    change = str(row["change"]).replace("_", " ")
    return f"{change}, was {row['former_id']}" if row["former_id"] else change
