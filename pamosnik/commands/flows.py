"""Flows: check, apply, look."""

from typing import TYPE_CHECKING, Annotated

import typer

from pamosnik.commands import flow_files, flow_plans
from pamosnik.commands.common import Json, open_home, print_facts, print_json, print_table, say, shown
from pamosnik.errors import NotFound

if TYPE_CHECKING:
    from pamosnik.store.flows import AppliedFlow


def register(app: typer.Typer) -> None:
    flows = typer.Typer(help="Flow files: check, apply, look.", rich_markup_mode=None, no_args_is_help=True)
    flows.command()(flow_files.validate)
    flows.command()(flow_plans.diff)
    flows.command()(flow_plans.apply)
    flows.command()(flow_files.schema)
    flows.command("list")(list_)
    flows.command()(show)
    app.add_typer(flows, name="flows")


def list_(as_json: Json = False) -> None:
    """Applied flows, in the order they are asked."""
    from pamosnik.services import reading
    from pamosnik.store import flows as store

    with open_home() as home:
        in_flight = store.in_flight(home.database.connection, home.account.id)
        rows: list[dict[str, object]] = [
            {
                "flow": f.flow_id,
                "title": f.title,
                "version": f.version,
                "state": "live" if _pause(f) is None else "paused",
                "people": in_flight.get(f.flow_id, 0),
                "applied_at": reading.iso(f.applied_at),
            }
            for f in store.applied(home.database.connection, home.account.id)
        ]
    if as_json:
        print_json(rows)
        return
    print_table(
        rows,
        [
            ("flow", "Flow"),
            ("title", "Title"),
            ("state", "State"),
            ("people", "In it"),
            ("applied_at", "Applied"),
        ],
        "No flow is applied. Try: pamosnik flows apply flows.example.yaml",
    )


def show(flow: Annotated[str, typer.Argument(help="Id of the flow.")], as_json: Json = False) -> None:
    """One applied flow: its triggers and steps as they are understood."""
    import json

    from pamosnik.services import broadcast_reading
    from pamosnik.store import flows as store

    with open_home() as home:
        applied = {f.flow_id: f for f in store.applied(home.database.connection, home.account.id)}
        found = applied.get(flow)
        if found is None:
            known = ", ".join(applied) or "none"
            raise NotFound(f"There is no flow {flow}.", hint=f"Applied are: {known}")
        bound = {
            connection: posts[flow]
            for connection, posts in _bound(home.database, home.account.id).items()
            if flow in posts
        }
        planned = broadcast_reading.planned(home.database.connection, home.account, flow)
        broadcasts = broadcast_reading.latest(home.database.connection, home.account, flow)
    body = json.loads(found.body)
    body.pop("tests", None)
    if as_json:
        print_json(
            {
                "flow": flow,
                "version": found.version,
                "body": body,
                "bound_posts": bound,
                "planned": planned,
                "broadcasts": broadcasts,
            }
        )
        return
    print_facts(
        [
            ("flow", flow),
            ("title", found.title),
            ("version", found.version[:16]),
            ("state", _pause(found) or "live"),
            *((f"next post of @{name}", media) for name, media in bound.items()),
            *((f"next to @{one['connection']}", shown(one["at"])) for one in planned),
            *((shown(one["planned_at"]), broadcast_reading.sentence(one)) for one in broadcasts),
        ]
    )
    import yaml

    say("\n" + yaml.safe_dump(body, allow_unicode=True, sort_keys=False).rstrip())


def _pause(flow: "AppliedFlow") -> str | None:
    """How it was paused; None: it was not."""
    import json

    if flow.paused_at is not None:
        return "paused"
    return "paused in its file" if json.loads(flow.body).get("state") == "paused" else None


def _bound(database: object, account_id: str) -> dict[str, dict[str, str]]:
    from pamosnik.store import connections
    from pamosnik.store import flows as store
    from pamosnik.store.database import Database

    assert isinstance(database, Database)
    conn = database.connection
    return {c.username: dict(store.bound_posts(conn, c.id)) for c in connections.of_account(conn, account_id)}
