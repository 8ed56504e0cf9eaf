"""Keeping applied flows from starting, and letting them start again."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from pamosnik.commands import completing
from pamosnik.commands.common import Json, note, now, open_home, print_json, shown
from pamosnik.errors import PamosnikError, UsageError

if TYPE_CHECKING:
    from pamosnik.services.pausing import Paused

Flows = Annotated[list[str] | None, typer.Argument(help="Ids of flows.", autocompletion=completing.flows)]
Every = Annotated[bool, typer.Option("--all", help="All applied flows.")]


def pause(flows: Flows = None, everything: Every = False, as_json: Json = False) -> None:
    """Flows start nobody until `flows resume`, whatever is applied; whoever is in one goes on."""
    for one in _set(flows, everything, as_json, paused=True):
        note(_paused(one))
        if one.led_to_by:
            leading = " and ".join(one.led_to_by)
            verb = "leads" if len(one.led_to_by) == 1 else "lead"
            note(f"  {leading} {verb} into it (`run:`): whoever comes there now goes no further.")


def resume(flows: Flows = None, everything: Every = False, as_json: Json = False) -> None:
    """Flows that `flows pause` paused may start again."""
    found = _set(flows, everything, as_json, paused=False)
    for one in found:
        if not one.flow.paused_in_file:
            said = "starts people again." if one.changed else "is not paused."
            note(f"{one.flow.flow_id} {said}")
    in_file = [one.flow.flow_id for one in found if one.flow.paused_in_file]
    for flow_id in in_file[:-1]:
        note(_still(flow_id))
    if in_file:
        hint = "Then apply the file. Try: pamosnik flows apply FILE"
        raise PamosnikError(_still(in_file[-1]), hint=hint)


def _set(flows: list[str] | None, everything: bool, as_json: bool, *, paused: bool) -> "Sequence[Paused]":
    from pamosnik.services import pausing
    from pamosnik.store import flows as store
    from pamosnik.store.flow_history import By

    if bool(flows) == everything:
        word = "pause" if paused else "resume"
        raise UsageError("Which flows?", hint=f"Name them, or all. Try: pamosnik flows {word} --all")
    change = pausing.pause if paused else pausing.resume
    with open_home() as home:
        account = home.account.id
        ids = flows or [one.flow_id for one in home.read(lambda conn: store.applied(conn, account))]
        by = By("command", now())
        found = home.write(lambda conn: change(conn, account, ids, by))
        if as_json:
            print_json([one.as_json() for one in found])
        if not found:
            note("No flow is applied.")
    return found


def _paused(one: "Paused") -> str:
    from pamosnik.services.shapes import iso

    name = one.flow.flow_id
    if not one.changed:
        return f"{name} is paused already, since {shown(iso(one.flow.paused_at))}."
    people = {0: "", 1: " 1 person is in it and goes on."}.get(
        one.people, f" {one.people} people are in it and go on."
    )
    return f"{name} is paused: it starts nobody until `pamosnik flows resume {name}`.{people}"


def _still(flow_id: str) -> str:
    mend = "Change its line `state: paused` to `state: live`, or take it out."
    return f"{flow_id} stays paused: its file says so. {mend}"
