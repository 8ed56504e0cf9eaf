"""What became of flows, and going back to an earlier version."""

import os
from typing import TYPE_CHECKING, Annotated

import typer

from pamosnik.commands import completing
from pamosnik.commands.common import (
    All,
    Json,
    Limit,
    Since,
    Yes,
    how_many,
    note,
    now,
    open_home,
    print_json,
    print_table,
    require_yes,
    say,
    shown,
    since_instant,
)
from pamosnik.commands.plan_screen import show_plan
from pamosnik.errors import InvalidFlows

if TYPE_CHECKING:
    from pamosnik.commands.common import Home
    from pamosnik.services.rolling_back import RollBack


def history(
    flow: Annotated[
        str | None,
        typer.Argument(help="Id of the flow; without it, of all flows.", autocompletion=completing.flows),
    ] = None,
    limit: Limit = None,
    everything: All = False,
    since: Since = None,
    as_json: Json = False,
) -> None:
    """What became of a flow: added, changed, rolled back, renamed, paused, removed; the newest first."""
    from pamosnik.services import flow_history
    from pamosnik.services.rolling_back import SHORT

    with open_home() as home:
        account, after, newest = (
            home.account.id,
            since_instant(home, since),
            how_many(limit, everything, as_json),
        )
        rows = home.read(lambda conn: flow_history.history(conn, account, flow, since=after, limit=newest))
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
    print_table(told, columns, "Nothing was applied yet. Try: pamosnik flows new")


def _what(row: dict[str, object]) -> str:
    change = str(row["change"]).replace("_", " ")
    return f"{change}, was {row['former_id']}" if row["former_id"] else change


def rollback(
    flow: Annotated[str, typer.Argument(help="Id of the flow.", autocompletion=completing.flows)],
    version: Annotated[
        str | None,
        typer.Argument(help="Version, by its first characters; without it, the one before this one."),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the plan and change nothing.")] = False,
    note_text: Annotated[str | None, typer.Option("--note", help="Kept in the history.")] = None,
    full: Annotated[bool, typer.Option("--full", help="Show long changes to their end.")] = False,
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Goes back to an earlier version of a flow, or brings a removed flow back; `apply` leaves it so."""
    from pamosnik.services import rolling_back
    from pamosnik.store.flow_history import By

    with open_home() as home:
        proposal = _proposed(home, flow, version)
        done = False
        if proposal.is_there:
            note(_already(proposal, named=version is not None))
        else:
            _show(proposal, full=full, as_json=as_json, asks=not (yes or dry_run))
            if proposal.problems:
                _refuse(proposal, as_json=as_json)
            if not dry_run:
                require_yes("Roll back?", yes=yes)
                done = True
        if done:
            by = By("command", now(), note_text)
            account = home.account.id
            home.write(lambda conn: rolling_back.roll_back(conn, account, proposal, by))
    if as_json:
        print_json({**rolling_back.as_json(proposal), "applied": done or (proposal.is_there and not dry_run)})
    if done:
        note(
            f"Rolled back. `flows apply` leaves {flow} so until its file says the same, or with --over-rollback."
        )
    elif not proposal.is_there:
        note("Nothing was changed (--dry-run).")


def _proposed(home: "Home", flow: str, version: str | None) -> "RollBack":
    from pamosnik.services import flows, rolling_back
    from pamosnik.services.home import is_public

    settings = home.settings
    unset = home.database.read(lambda conn: flows.unset(conn, home.account.id, os.environ))
    machine = rolling_back.Machine(settings.mail is not None, is_public(settings), unset, now())
    return home.read(lambda conn: rolling_back.propose(conn, home.account.id, flow, version, machine))


def _already(proposal: "RollBack", *, named: bool) -> str:
    from pamosnik.services.rolling_back import SHORT
    from pamosnik.services.shapes import iso

    flow, version = proposal.flow_id, proposal.version.version[:SHORT]
    assert proposal.applied is not None
    since = proposal.applied.rolled_back_at
    if named or since is None:
        return f"{flow} is at {version} already."
    return (
        f"{flow} is rolled back to {version} already, since {shown(iso(since))}. To go further back name a version;"
        f" `pamosnik flows history {flow}` lists them."
    )


def _show(proposal: "RollBack", *, full: bool, as_json: bool, asks: bool) -> None:
    """The plan belongs to the question, too: in JSON mode beside the answer, on stderr."""
    if as_json and not asks:
        return
    from pamosnik.services.rolling_back import headline

    told = note if as_json else say
    told(headline(proposal, lambda at: shown(at)))
    show_plan(proposal.plan, full=full, aside=as_json, counted=False)


def _refuse(proposal: "RollBack", *, as_json: bool) -> None:
    from pamosnik.services import rolling_back

    if as_json:
        print_json({**rolling_back.as_json(proposal), "applied": False})
    for problem in proposal.problems:
        said = f"{problem.place}: {problem.message} [{problem.code}]"
        note(said) if as_json else say(said)
        if problem.hint and not as_json:
            say(f"    {problem.hint}")
    version = proposal.version.version[: rolling_back.SHORT]
    raise InvalidFlows(
        f"Nothing was rolled back: {version} no longer fits what is applied now.",
        hint=f"Put back what it needs, or choose another version. Try: pamosnik flows history {proposal.flow_id}",
    )
