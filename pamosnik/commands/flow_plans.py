"""What flow files would change, and changing it."""

import os
from typing import TYPE_CHECKING, Annotated

import typer

from pamosnik.commands.common import Json, Yes, confirm, note, now, open_home, print_json, say
from pamosnik.commands.flow_problems import Files, problems_json, show_problems
from pamosnik.errors import InvalidFlows

if TYPE_CHECKING:
    from pamosnik.flows.plan import Plan


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
                print_json(problems_json(proposal.loaded))
            else:
                show_problems(proposal.loaded)
            raise InvalidFlows("Nothing was applied: the files have errors.", hint="Mend them and try again.")
        if not as_json:
            show_problems(proposal.loaded)
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
