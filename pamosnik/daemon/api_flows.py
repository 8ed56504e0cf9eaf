"""What programs change of the flows: pausing, starting one for a person, and flow files, as the commands do it.

Files are read beside the writer, on a snapshot; what is written names the revision that the plan was made for. A
plan is for looking at first, so `apply` wants the word that `plan` gave: it stands for what was applied then, the
files and the options, and nothing else than what was shown is applied.
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import cast

from pamosnik._sqlite import Connection
from pamosnik.daemon.api_bodies import Given, named_texts, text, yes_or_no
from pamosnik.errors import InvalidFlows, PamosnikError, PlanOutdated
from pamosnik.flows.outcome import Unset
from pamosnik.services import flow_plans, flows, pausing, starting
from pamosnik.services.flows import Proposal
from pamosnik.services.library import Library
from pamosnik.services.people import By
from pamosnik.services.public_address import PublicAddress
from pamosnik.services.shapes import Shape
from pamosnik.store import flow_history

FILES_BYTES = 2 << 20
"""A body with flow files."""
Work = Callable[[Connection], Shape]
"""What is left for the writer's transaction."""


@dataclass(frozen=True, slots=True)
class Machine:
    """What the rules of flow files have to know of where the flows run."""

    can_mail: bool
    address: PublicAddress
    unset: Unset
    """What is wrong with a variable of the environment, for this account."""


class BadFiles(InvalidFlows):
    """Files with errors; nothing was applied."""

    def __init__(self, problems: list[Shape]) -> None:
        super().__init__("The files have errors.", hint="Mend them: each stands in problems.")
        self.problems = problems


# --- pausing ---------------------------------------------------------------------------------------------


def pause(conn: Connection, by: By, flow_id: str, _: Given) -> Shape:
    (done,) = pausing.pause(conn, by.account.id, [flow_id], flow_history.By(by.actor, by.now))
    return done.as_json()


def resume(conn: Connection, by: By, flow_id: str, _: Given) -> Shape:
    (done,) = pausing.resume(conn, by.account.id, [flow_id], flow_history.By(by.actor, by.now))
    return done.as_json()


# --- starting one ----------------------------------------------------------------------------------------


def start(conn: Connection, by: By, flow_id: str, given: Given, machine: Machine) -> Work:
    """Compiles the applied flows ahead; the writer has to do it again only if something was applied meanwhile."""
    library, who = Library(machine.address), text(given, "contact")
    library.catalog(conn, by.account.id)
    return lambda writing: starting.start(writing, library, by, flow_id, who)


# --- flow files ------------------------------------------------------------------------------------------


def _proposed(conn: Connection, by: By, given: Given, machine: Machine) -> Proposal:
    """Reads the files against what is applied. Raises `BadFiles`, and `UsageError` for the body."""
    proposal = flows.propose(
        conn,
        by.account.id,
        named_texts(given, "files"),
        prune=yes_or_no(given, "prune"),
        over_rollback=yes_or_no(given, "over_rollback"),
        can_mail=machine.can_mail,
        is_public=machine.address.url is not None,
        unset=machine.unset,
        now=by.now,
        code_files=False,
    )
    if proposal.loaded.has_errors:
        raise BadFiles(flow_plans.problems_json(proposal.loaded.problems))
    _require_public(proposal)
    return proposal


def _require_public(proposal: Proposal) -> None:
    """Whoever holds a token may be far away: what lies in the machine's network is opened on the machine."""
    changed = {one.name for one in proposal.plan.settings if one.after is not None}
    webhooks = cast("Mapping[str, Mapping[str, object]]", proposal.loaded.settings.get("webhooks", {}))
    for name, webhook in webhooks.items():
        if webhook.get("allow_private") and f"webhooks.{name}" in changed:
            raise PamosnikError(
                f"The webhook {name} says `allow_private`, and that is not taken over the API.",
                hint="Apply these files on the machine itself. Try: pamosnik flows apply FILES",
            )


def plan(conn: Connection, by: By, _: str, given: Given, machine: Machine) -> Work:
    proposal = _proposed(conn, by, given, machine)
    return lambda _writing: {**_told(proposal), "revision": _revision(proposal, given)}


def apply(conn: Connection, by: By, _: str, given: Given, machine: Machine) -> Work:
    proposal = _proposed(conn, by, given, machine)
    note = text(given, "note") if "note" in given else None
    if text(given, "revision") != _revision(proposal, given):
        raise PlanOutdated(
            "Nothing was applied: this revision is of another plan.",
            hint="Either something was applied since, or these are other files or options. Ask flows/plan again.",
        )
    return partial(_apply, by=by, proposal=proposal, note=note)


def _apply(conn: Connection, by: By, proposal: Proposal, note: str | None) -> Shape:
    if not proposal.plan.is_empty:
        flows.apply(conn, by.account.id, proposal, note=note, actor=by.actor, now=by.now)
    elif proposal.agreed:
        flows.agree(conn, by.account.id, proposal, actor=by.actor, now=by.now)
    return {**_told(proposal), "applied": True}


def _told(proposal: Proposal) -> Mapping[str, object]:
    """As `flows diff` has it, without what takes long to find out."""
    told = flow_plans.plan_json(proposal.plan)
    del told["peaks"]
    return {**told, "problems": flow_plans.problems_json(proposal.loaded.problems)}


def _revision(proposal: Proposal, given: Given) -> str:
    asked = [named_texts(given, "files"), yes_or_no(given, "prune"), yes_or_no(given, "over_rollback")]
    told = hashlib.sha256(json.dumps(asked).encode()).hexdigest()
    return f"{proposal.revision}-{told[:24]}"
