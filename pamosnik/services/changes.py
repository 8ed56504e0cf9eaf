"""What a step of a flow did to what is known of a person, where another flow waits for it: an event like any other.

It is written down in the transaction of the step and takes a turn of its own, so that a crash neither loses nor
repeats it.
"""

from pamosnik.engine.choose import Cause
from pamosnik.model.contact import Contact
from pamosnik.model.event import Event, EventKind, Incoming
from pamosnik.services.effects import Recorded
from pamosnik.services.scene import Scene
from pamosnik.store import inbox


def note(scene: Scene, recorded: Recorded, contact: Contact) -> None:
    """Events for the flows that wait; without one there is none."""
    run = recorded.run
    for kind, name in recorded.changes:
        if not scene.catalog.waits_for(kind, name) - {run.flow_id}:
            continue
        incoming = Incoming(
            ig_id=scene.connected.ig_id,
            key=f"f:{run.id}:{run.turn}:{kind.value}:{name}",
            kind=kind,
            occurred_at=scene.now,
            igsid=contact.igsid,
            username=contact.username,
            changed=name,
            by_run=run.id,
        )
        added = inbox.add(
            scene.conn,
            account_id=run.account_id,
            connection_id=run.connection_id,
            incoming=incoming,
            now=scene.now,
        )
        if added is not None:
            inbox.doubt_like_run(scene.conn, added[0], run.id)


def told(event: Event, cause: Cause) -> str:
    """What happened, in words."""
    name = event.incoming.changed
    if event.kind is EventKind.TAG_ADDED:
        return f"the flow {cause.flow_id} gave the tag {name}"
    return f"the flow {cause.flow_id} set the field {name}"
