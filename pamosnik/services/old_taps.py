"""Taps on buttons of runs that are not kept any more. The button itself names flow, version and place, and versions
stay: it does what it says."""

from pamosnik.engine.payload import TapTarget
from pamosnik.ids import is_id
from pamosnik.model.contact import Contact
from pamosnik.model.run import Origin, Run, RunStatus
from pamosnik.services.scene import Scene
from pamosnik.store import runs


def run_again(scene: Scene, contact: Contact, target: TapTarget, origin: Origin) -> Run | None:
    """The run as far as its button tells of it, stored as one that has ended. None for a payload that is none of
    ours, and for a button that does nothing."""
    if not is_id(target.run_id):
        return None
    flow = scene.library.flow(scene.conn, scene.account_id, target.flow_id, target.version)
    option = None if flow is None else flow.options.get(target.option)
    if flow is None or option is None or not option.does_something:
        return None
    run = Run(
        id=target.run_id,
        account_id=scene.account_id,
        connection_id=scene.connected.id,
        contact_id=contact.id,
        flow_id=flow.id,
        version=flow.version,
        mode=flow.mode,
        status=RunStatus.COMPLETED,
        origin=origin,
        started_at=scene.now,
        finished_at=scene.now,
    )
    runs.insert_again(scene.conn, run)
    return runs.load(scene.conn, run.id)
