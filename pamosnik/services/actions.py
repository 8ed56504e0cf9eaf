"""Reactions, the sign of typing, and what is done to comments: how they stand in the outbox.

They are no messages: nobody waits for them, and they wait only for what they would get in the way of.
"""

from dataclasses import replace
from datetime import datetime, timedelta

from pamosnik._sqlite import Connection
from pamosnik.model.decision import Act
from pamosnik.model.outbox import SETTLED, Action, HeldFor
from pamosnik.model.run import Run
from pamosnik.store import outbox
from pamosnik.store.outbox import NewItem


def put(conn: Connection, run: Run, act: Act, new: NewItem, now: datetime) -> None:
    """`new`: an item of the run, of no kind in particular."""
    asked = {"action": act.action.value, "message": act.message_id, "emoji": act.emoji}
    task = {name: value for name, value in asked.items() if value is not None}
    new = replace(new, kind=act.action.kind, task=task)
    if act.action is Action.TYPING:
        # Beside the conversation: no message waits for it.
        deadline = new.due_at + (act.within or timedelta())
        outbox.add(conn, replace(new, lane=f"t:{run.id}:{run.turn}:{new.ordinal}", deadline=deadline), now)
    elif act.message_id is not None:
        # One after the other to the same message; the conversation goes on beside it.
        outbox.add(conn, replace(new, lane=f"r:{act.message_id}"), now)
    else:
        outbox.add(conn, _to_comment(conn, run, new), now)


def _to_comment(conn: Connection, run: Run, new: NewItem) -> NewItem:
    """Behind the public replies to it, which Instagram refuses under a hidden comment, and behind the private one,
    which it refuses for a deleted comment."""
    origin = run.origin
    assert origin.comment_id is not None
    assert origin.top_comment_id is not None
    lane = outbox.comment_lane(origin.top_comment_id, run.contact_id)
    new = replace(new, comment_id=origin.comment_id, lane=lane, deadline=None)
    private = None if origin.private_item is None else outbox.load(conn, origin.private_item)
    if private is None or private.status in SETTLED:
        return new
    why = "waits for the private message: Instagram takes none for a comment that is gone"
    return replace(new, held_for=HeldFor.PRIVATE_REPLY, depends_on=private.id, reason=why)
