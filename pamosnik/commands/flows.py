"""Flows: check, apply, look."""

from collections.abc import Mapping
from typing import Annotated

import typer

from pamosnik import terminal
from pamosnik.commands import (
    completing,
    flow_export,
    flow_files,
    flow_formatting,
    flow_history,
    flow_match,
    flow_pauses,
    flow_pictures,
    flow_plans,
    flow_starters,
    flow_tests,
    flow_words,
)
from pamosnik.commands.common import Json, open_home, print_facts, print_json, print_table, say, shown


def register(app: typer.Typer) -> None:
    flows = typer.Typer(help="Flow files: check, apply, look.", rich_markup_mode=None, no_args_is_help=True)
    flows.command()(flow_starters.new)
    flows.command()(flow_files.validate)
    flows.command()(flow_formatting.fmt)
    flows.command()(flow_plans.diff)
    flows.command()(flow_plans.apply)
    flows.command("test")(flow_tests.play)
    flows.command()(flow_files.schema)
    flows.command()(flow_match.match)
    flows.command()(flow_words.explain)
    flows.command()(flow_pictures.graph)
    flows.command("list")(list_)
    flows.command()(show)
    flows.command()(flow_export.export)
    flows.command()(flow_history.history)
    flows.command()(flow_history.rollback)
    flows.command()(flow_pauses.pause)
    flows.command()(flow_pauses.resume)
    app.add_typer(flows, name="flows")


def list_(as_json: Json = False) -> None:
    """Applied flows, in the order they are asked."""
    from pamosnik.services.reading import flows as flow_reading

    with open_home() as home:
        rows = home.read(lambda conn: flow_reading.applied(conn, home.account))
    if as_json:
        print_json(rows)
        return
    told = [{**row, "state": _state(row)} for row in rows]
    print_table(
        told,
        [
            ("flow", "Flow"),
            ("title", "Title"),
            ("state", "State"),
            ("people", "In it"),
            ("applied_at", "Applied"),
        ],
        "No flow is applied. Try: pamosnik flows new",
    )


def show(
    flow: Annotated[str, typer.Argument(help="Id of the flow.", autocompletion=completing.flows)],
    as_json: Json = False,
) -> None:
    """One applied flow: its triggers and steps as they are understood."""
    from pamosnik.services.reading import broadcasts as broadcast_reading
    from pamosnik.services.reading import flows as flow_reading

    with open_home() as home:
        found = home.read(lambda conn: flow_reading.whole(conn, home.account, flow))
    if as_json:
        print_json(found)
        return
    bound, planned, broadcasts = found["bound_posts"], found["planned"], found["broadcasts"]
    assert isinstance(bound, dict)
    assert isinstance(planned, list)
    assert isinstance(broadcasts, list)
    print_facts(
        [
            ("flow", flow),
            ("title", found["title"]),
            ("version", str(found["version"])[:16]),
            ("state", _pause(found)),
            *([("rolled back", found["rolled_back_at"])] if found["rolled_back_at"] else []),
            *((f"next post of @{name}", media) for name, media in bound.items()),
            *((f"next to @{one['connection']}", shown(one["at"])) for one in planned),
            *((shown(one["planned_at"]), broadcast_reading.sentence(one)) for one in broadcasts),
        ]
    )
    import yaml

    say("")
    terminal.out(yaml.safe_dump(found["body"], allow_unicode=True, sort_keys=False).rstrip("\n"))


def _pause(state: Mapping[str, object]) -> str:
    """Whether it starts anybody and, if not, who says so and since when."""
    if state["paused_at"] is not None:
        return f"paused by {state['paused_by']}, since {shown(state['paused_at'])}"
    return "paused in its file" if state["paused_in_file"] else "live"


def _state(row: Mapping[str, object]) -> str:
    """How a flow stands, in a word or two."""
    state = "paused in its file" if row["paused_in_file"] and row["paused_at"] is None else str(row["state"])
    return f"{state}, rolled back" if row["rolled_back_at"] else state
