"""A replay from beginning to end."""

from collections.abc import Callable
from functools import partial

from pamosnik.rehearsal.replay.comparing import compare
from pamosnik.rehearsal.replay.playing import Playing
from pamosnik.rehearsal.replay.record import Record
from pamosnik.rehearsal.replay.report import Replay
from pamosnik.services import flows
from pamosnik.services.flows import Proposal


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
    # New id of a flow → the one it has until then.
    renamed = {change.flow_id: change.was for change in proposal.plan.changes if change.was is not None}
    return Replay(record, compare(record.events, before, after, renamed=renamed))
