"""What flow files would change, and changing it."""

import os
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pamosnik import terminal
from pamosnik.commands import flow_replay, flow_tests
from pamosnik.commands.common import Json, Yes, note, now, open_home, print_json, require_yes
from pamosnik.commands.flow_problems import Files, problems_json, show_problems
from pamosnik.commands.plan_screen import show_plan
from pamosnik.errors import Again, ChangesPending, InvalidFlows

if TYPE_CHECKING:
    from collections.abc import Collection

    from pamosnik.commands.common import Home
    from pamosnik.services.flows import Proposal

ALREADY = "Nothing to change: this is applied already."
NOTHING_ELSE = "Nothing else to change: the rest is applied already."


Prune = Annotated[bool, typer.Option("--prune", help="Remove applied flows that stand in no file.")]
Full = Annotated[bool, typer.Option("--full", help="Show long changes to their end.")]


def diff(
    files: Files,
    prune: Prune = False,
    full: Full = False,
    replay: flow_replay.Length = None,
    everybody: flow_replay.Everybody = False,
    as_json: Json = False,
) -> None:
    """Shows what `flows apply` would change, and changes nothing; exit code 3 when there is something."""
    from pamosnik.services import flow_plans, peaks

    long = flow_replay.length(replay, everybody=everybody)
    with open_home() as home:
        proposal = _proposed(home, files, prune=prune, as_json=as_json, over_rollback=True)
        busiest = home.read(lambda conn: peaks.peaks(conn, home.account.id, proposal, now()))
        if not as_json:
            show_plan(proposal.plan, full=full, beside=peaks.peak_lines(busiest, home.account.timezone))
        record = None if long is None or proposal.plan.is_empty else flow_replay.read(home, long)
    played = None if record is None else flow_replay.play(record, proposal)
    if as_json:
        more = {} if long is None else {"replay": played and flow_replay.as_json(played)}
        print_json({**flow_plans.plan_json(proposal.plan, busiest), **more})
    elif played is not None:
        flow_replay.show(played, everybody=everybody, full=full)
    if proposal.plan.is_empty:
        note(ALREADY)
        return
    raise typer.Exit(ChangesPending.exit_code)


def apply(
    files: Files,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the plan and change nothing.")] = False,
    prune: Prune = False,
    yes: Yes = False,
    note_text: Annotated[str | None, typer.Option("--note", help="Kept in the history.")] = None,
    require_tests: flow_tests.Require = False,
    full: Full = False,
    over_rollback: Annotated[
        bool, typer.Option("--over-rollback", help="Also change flows that were rolled back.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Makes flow files live: shows what would change, plays the tests, asks, applies."""
    from pamosnik.services import flow_plans, flows, peaks

    with open_home() as home:
        proposal = _to_apply(
            home, files, prune=prune, as_json=as_json, over_rollback=over_rollback, ask=not (yes or dry_run)
        )
        busiest = home.read(lambda conn: peaks.peaks(conn, home.account.id, proposal, now()))
        if not as_json or not (yes or dry_run):
            # The plan belongs to the question, too: in JSON mode beside the answer, on stderr.
            beside = peaks.peak_lines(busiest, home.account.timezone)
            show_plan(proposal.plan, full=full, beside=beside, aside=as_json)
        empty = proposal.plan.is_empty
        tests = None if empty and not require_tests else flow_tests.of_plan(home, proposal)
        if tests is not None:
            flow_tests.tell(tests, files, aside=as_json)
        refused = require_tests and not flow_tests.all_pass(tests)
        applied = not (empty or dry_run or refused)
        if applied:
            require_yes("Apply this?", yes=yes, otherwise="Nothing was applied.")
            home.write(
                lambda conn: flows.apply(
                    conn, home.account.id, proposal, note=note_text, actor="command", now=now()
                )
            )
        if empty and proposal.agreed and not (dry_run or refused):
            home.write(lambda conn: flows.agree(conn, home.account.id, proposal, actor="command", now=now()))
    if as_json:
        print_json(
            {
                **flow_plans.plan_json(proposal.plan, busiest),
                "applied": applied or (empty and not dry_run),
                "tests": None if tests is None else flow_tests.in_short(tests),
            }
        )
    for flow in sorted(proposal.stays):
        note(_stays(flow, proposal))
    if refused:
        flow_tests.refuse(tests, files)
    note(_end(proposal, applied=applied))
    if applied and flows.has_entrances(proposal):
        note("`pamosnik serve` brings opening questions and the menu to Instagram.")


def _to_apply(
    home: "Home", files: list[Path], *, prune: bool, as_json: bool, over_rollback: bool, ask: bool
) -> "Proposal":
    """`ask`: about flows that were rolled back, where somebody can answer."""
    propose = partial(_proposed, home, files, prune=prune, as_json=as_json, refusal="Nothing was applied:")
    proposal = propose(over_rollback=over_rollback)
    if ask and proposal.stays and (over := _over_rollback(proposal)):
        return propose(over_rollback=over, again=True)
    return proposal


def _end(proposal: "Proposal", *, applied: bool) -> str:
    """How it ended, in a sentence."""
    if proposal.plan.is_empty:
        return NOTHING_ELSE if proposal.stays else ALREADY
    if applied:
        return "Applied."
    return "Nothing was changed (--dry-run)."


def _stays(flow: str, proposal: "Proposal") -> str:
    if _in_file(flow, proposal):
        return f"{flow} stays rolled back; the file says something else. To apply that: --over-rollback"
    return f"{flow} stays rolled back; it stands in no file. To take it out: --over-rollback"


def _instead(flow: str, proposal: "Proposal") -> str:
    return "Apply what the files say now" if _in_file(flow, proposal) else "It stands in no file; take it out"


def _in_file(flow: str, proposal: "Proposal") -> bool:
    return any(one.id == flow for one in proposal.loaded.flows)


def _over_rollback(proposal: "Proposal") -> list[str]:
    """Flows for which somebody on a terminal says so; without one they stay as they are."""
    if not sys.stdin.isatty():
        return []
    told = {change.flow_id: change.rolled_back for change in proposal.plan.changes}
    return [
        flow
        for flow in sorted(proposal.stays)
        if (one := told[flow]) is not None
        and terminal.sure(f"{flow} was rolled back on {one.told}. {_instead(flow, proposal)}?")
    ]


def _proposed(
    home: "Home",
    files: list[Path],
    *,
    prune: bool,
    as_json: bool,
    over_rollback: "bool | Collection[str]" = False,
    again: bool = False,
    refusal: str = "There is no plan:",
) -> "Proposal":
    """The files read against what is applied, their problems shown. Raises `InvalidFlows`."""
    from pamosnik.flows.load import read_files
    from pamosnik.services import flows
    from pamosnik.services.home import is_public

    written = read_files(files)
    unset = home.database.read(lambda conn: flows.unset(conn, home.account.id, os.environ))
    proposal = home.read(
        lambda conn: flows.propose(
            conn,
            home.account.id,
            written,
            prune=prune,
            can_mail=home.settings.mail is not None,
            now=now(),
            is_public=is_public(home.settings),
            unset=unset,
            over_rollback=over_rollback,
        )
    )
    if proposal.loaded.has_errors:
        if as_json:
            print_json(problems_json(proposal.loaded))
        else:
            show_problems(proposal.loaded)
        raise InvalidFlows(f"{refusal} the files have errors.", hint="Mend them.", again=Again())
    if not (as_json or again):
        show_problems(proposal.loaded)
    return proposal
