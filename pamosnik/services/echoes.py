"""Echoes of what was sent, and receipts of what was read."""

from datetime import timedelta

from pamosnik.engine.clock_times import on_the_clock
from pamosnik.model.contact import PausedBy
from pamosnik.model.event import Event, Verdict
from pamosnik.model.outbox import ItemStatus, OutMessage
from pamosnik.outbox import settling
from pamosnik.services import effects
from pamosnik.services.scene import Scene, fate_is_open, meet, say
from pamosnik.store import contacts, outbox, stats

OWNER_PAUSES_FOR = timedelta(hours=12)


def echo(scene: Scene, event: Event) -> Verdict:
    """Our own sends come back; what we did not send, the owner wrote from the phone."""
    mid = event.incoming.mid
    if mid is not None and outbox.by_message_id(scene.conn, event.connection_id, mid) is not None:
        return say(scene, event, Verdict.OWN, "the echo of a message Pamosnik sent")
    contact = meet(scene, event)
    for item in outbox.perhaps_delivered(scene.conn, contact.id):
        if _same_content(item.content, event):
            if mid is not None:
                effects.seen_in_echo(scene.conn, item, mid, scene.day, scene.now)
            return say(scene, event, Verdict.OWN, "the echo of a message Pamosnik sent")
    open_items = outbox.open_of_person(scene.conn, contact.id)
    if any(item.status is ItemStatus.SENDING or fate_is_open(item, scene.now) for item in open_items):
        # Meta's answer, or evidence, may still name this message as ours: only then is it known who wrote.
        return Verdict.PENDING
    until = event.at + OWNER_PAUSES_FOR
    if contact.paused_until is None or contact.paused_until < until:
        contacts.pause(scene.conn, contact.id, until, PausedBy.OWNER)
    rests_until = on_the_clock(until, scene.timezone)
    reason = f"the owner wrote from the phone: automation rests for this person until {rests_until}"
    return say(scene, event, Verdict.NOTED, reason)


def _same_content(content: OutMessage, event: Event) -> bool:
    types = {attachment.type for attachment in event.incoming.attachments}
    return settling.same_content(content, event.incoming.text, types=types)


def seen(scene: Scene, event: Event) -> Verdict:
    item = None
    if event.incoming.mid is not None:
        item = outbox.by_message_id(scene.conn, event.connection_id, event.incoming.mid)
    if item is not None and item.run_id is not None:
        stats.mark_run(scene.conn, item.run_id, stats.SEEN, scene.day)
    return say(scene, event, Verdict.NOTED, "the person has seen the message")
