"""Flow files: validate, apply, list, show."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pamosnik.commands.common import (
    Json,
    Yes,
    confirm,
    note,
    now,
    open_home,
    print_facts,
    print_json,
    print_table,
    say,
    shown,
)
from pamosnik.errors import InvalidFlows, NotFound, UsageError

if TYPE_CHECKING:
    from pamosnik.flows.load import Loaded
    from pamosnik.flows.plan import Plan
    from pamosnik.store.flows import AppliedFlow

Files = Annotated[list[Path], typer.Argument(help="Flow files, or folders of them.")]


def register(app: typer.Typer) -> None:
    flows = typer.Typer(help="Flow files: check, apply, look.", rich_markup_mode=None, no_args_is_help=True)
    flows.command()(validate)
    flows.command()(apply)
    flows.command()(schema)
    flows.command("list")(list_)
    flows.command()(show)
    app.add_typer(flows, name="flows")


def validate(
    files: Files,
    as_json: Json = False,
    strict: Annotated[bool, typer.Option("--strict", help="Warnings count as errors.")] = False,
) -> None:
    """Checks flow files; needs no home, no network, no account."""
    from pamosnik.flows.load import load, read_files

    loaded = load(read_files(files), now=now())
    if as_json:
        print_json(_problems(loaded))
    else:
        _show_problems(loaded)
    if loaded.has_errors or (strict and loaded.has_warnings):
        raise typer.Exit(InvalidFlows.exit_code)
    if not as_json:
        note(f"{len(loaded.flows)} flow{'s' if len(loaded.flows) != 1 else ''} checked, no errors.")


def _problems(loaded: "Loaded") -> Sequence[dict[str, object]]:
    return [
        {
            "file": p.file,
            "line": p.line,
            "column": p.column,
            "severity": p.severity.value,
            "code": p.code,
            "message": p.message,
            "hint": p.hint,
        }
        for p in loaded.problems
    ]


def _show_problems(loaded: "Loaded") -> None:
    from pamosnik.flows.problems import render

    for problem in loaded.problems:
        say(render(problem, loaded.texts.get(problem.file)))


def apply(
    files: Files,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the plan and change nothing.")] = False,
    prune: Annotated[
        bool, typer.Option("--prune", help="Remove applied flows that stand in no file.")
    ] = False,
    yes: Yes = False,
    note_text: Annotated[str | None, typer.Option("--note", help="Kept in the history.")] = None,
    as_json: Json = False,
) -> None:
    """Makes flow files live: shows what would change, asks, applies."""
    from pamosnik.flows.load import read_files
    from pamosnik.flows.plan import lines
    from pamosnik.services import flows

    with open_home() as home:
        conn = home.database.connection
        written = read_files(files)
        proposal = flows.propose(
            conn,
            home.account.id,
            written,
            prune=prune,
            can_mail=home.settings.mail is not None,
            now=now(),
            is_public=home.settings.public_url is not None,
            environ=os.environ,
        )
        if proposal.loaded.has_errors:
            if as_json:
                print_json(_problems(proposal.loaded))
            else:
                _show_problems(proposal.loaded)
            raise InvalidFlows("Nothing was applied: the files have errors.", hint="Mend them and try again.")
        if not as_json:
            _show_problems(proposal.loaded)
        if not as_json or not (yes or dry_run):
            # The plan belongs to the question, too: in JSON mode beside the answer, on stderr.
            for line in lines(proposal.plan):
                note(line) if as_json else say(line)
        empty = proposal.plan.is_empty
        applied = not empty and not dry_run and confirm("Apply this?", yes=yes)
        if applied:
            home.database.write(
                lambda conn: flows.apply(
                    conn, home.account.id, proposal, note=note_text, actor="command", now=now()
                )
            )
    if as_json:
        print_json({**_plan_json(proposal.plan), "applied": applied or (empty and not dry_run)})
    if empty:
        note("Nothing to change: this is applied already.")
    elif applied:
        note("Applied.")
        if flows.has_entrances(proposal):
            note("`pamosnik serve` brings opening questions and the menu to Instagram.")
    else:
        note("Nothing was changed (--dry-run)." if dry_run else "Nothing was changed.")


def _plan_json(plan: "Plan") -> dict[str, object]:
    return {
        "changes": [
            {
                "flow": c.flow_id,
                "change": c.kind.value,
                "title": c.title,
                "version": c.version,
                "people": c.people,
            }
            for c in plan.changes
        ],
        "settings_changed": plan.settings_changed,
        "codes": [{"pool": one.pool, "new": one.new, "withdrawn": one.gone} for one in plan.codes],
    }


def schema(
    output: Annotated[Path | None, typer.Option("-o", "--output", help="File to write it to.")] = None,
) -> None:
    """Prints the JSON Schema of flow files: editors complete, explain and check with it."""
    import json

    from pamosnik.flows import json_schema

    written = json.dumps(json_schema.document(), ensure_ascii=False, indent=1)
    if output is None:
        say(written)
        return
    try:
        output.write_text(f"{written}\n", encoding="utf-8")
    except OSError as error:
        raise UsageError(
            f"{output} cannot be written: {error.strerror}.", hint="Check the path and who may write there."
        ) from error
    note(f"Written to {output}.")


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
