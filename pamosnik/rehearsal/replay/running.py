"""A replay from beginning to end."""

from collections.abc import Callable
from functools import partial

from pamosnik.rehearsal.replay.comparing import compare
from pamosnik.rehearsal.replay.playing import Playing
from pamosnik.rehearsal.replay.record import Record
from pamosnik.rehearsal.replay.report import Replay
from pamosnik.services import flows
from pamosnik.services.flows import Proposal
from pamosnik.store import flows as flow_store


def run(record: Record, proposal: Proposal, on_step: Callable[[], None]) -> Replay:
    """Plays a record twice, with what is applied and with what the proposal would make of it, and compares.

    `on_step` is called twice for every event.
    """
    with record.copy() as applied:
        before = Playing(record, applied).play(on_step)
    with record.copy() as proposed:
        proposed.write(
            partial(
                flows.apply,
                account_id=record.account_id,
                proposal=proposal,
                note=None,
                actor="replay",
                now=record.since,
            )
        )
        after = Playing(record, proposed).play(on_step)
    return Replay(record, compare(record.events, before, after, renamed=_renamed(record, proposal)))


def _renamed(record: Record, proposal: Proposal) -> dict[str, str]:
    """New id → the applied one, of flows that a file renames."""
    applied = {flow.flow_id for flow in flow_store.applied(record.before.connection, record.account_id)}
    names = {flow.id: str(flow.body.get("was", flow.id)) for flow in proposal.loaded.flows}
    return {new: old for new, old in names.items() if old in applied and new not in applied}
