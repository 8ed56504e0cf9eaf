"""STOP, START and the words for a human: before everything else."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from pamosnik._sqlite import Connection
from pamosnik.engine import sentences
from pamosnik.instagram import limits
from pamosnik.model import safety
from pamosnik.model.book import Sentence
from pamosnik.model.contact import Contact, PausedBy
from pamosnik.model.event import Event, Verdict
from pamosnik.model.outbox import ItemKind, OutMessage
from pamosnik.model.words import fold, trim
from pamosnik.services import effects
from pamosnik.services.library import Library
from pamosnik.services.scene import Scene, meet, open_scene, say
from pamosnik.store import contacts, inbox, outbox, runs

HUMAN_TAKES_OVER_FOR = timedelta(hours=12)


def heed(scene: Scene, event: Event, contact: Contact) -> Verdict | None:
    """STOP, START and the words for a human, before everything else. The whole text has to be one of them."""
    said = trim(fold(event.incoming.text or ""))
    if not said:
        return None
    settings = scene.settings
    built_in = safety.words(settings.language)
    if said in _folded(built_in.stop, settings.stop_words):
        return _opt_out(scene, event, contact)
    if said in _folded(built_in.start, settings.start_words) and contact.opted_out_at is not None:
        contacts.set_opted_out(scene.conn, contact.id, None)
        _confirm(scene, event, contact, Sentence.STARTED)
        return say(scene, event, Verdict.NOTED, "the person wants automatic messages again")
    if said in _folded(built_in.human, settings.human_words) and contact.opted_out_at is None:
        contacts.pause(
            scene.conn, contact.id, scene.now + HUMAN_TAKES_OVER_FOR, PausedBy.HAND_OVER, "asked for a human"
        )
        _confirm(scene, event, contact, Sentence.HUMAN_CALLED)
        return say(scene, event, Verdict.HANDED_OVER, "the person asked for a human")
    return None


def heed_answered(conn: Connection, library: Library, event_id: str, now: datetime) -> None:
    """STOP and START count although somebody has answered them already; they are not confirmed once more."""
    event = inbox.load(conn, event_id)
    assert event is not None
    scene = open_scene(conn, library, event.account_id, event.connection_id, now)
    said, settings = trim(fold(event.incoming.text or "")), scene.settings
    built_in = safety.words(settings.language)
    stop = said in _folded(built_in.stop, settings.stop_words)
    if not stop and said not in _folded(built_in.start, settings.start_words):
        return
    contact = meet(scene, event)
    if stop != (contact.opted_out_at is not None):
        contacts.set_opted_out(conn, contact.id, now if stop else None)
    if stop:
        for run_id in runs.unfinished(conn, contact.id):
            effects.stop_run(conn, run_id, "the person opted out", now)


def _folded(*words: Sequence[str]) -> set[str]:
    return {trim(fold(word)) for group in words for word in group}


def _opt_out(scene: Scene, event: Event, contact: Contact) -> Verdict:
    already = contact.opted_out_at is not None
    if not already:
        contacts.set_opted_out(scene.conn, contact.id, scene.now)
        for run_id in runs.unfinished(scene.conn, contact.id):
            effects.stop_run(scene.conn, run_id, "the person opted out", scene.now)
        _confirm(scene, event, contact, Sentence.STOPPED)
    return say(scene, event, Verdict.OPTED_OUT, "the person opted out" + (" before" if already else ""))


def _confirm(scene: Scene, event: Event, contact: Contact, sentence: Sentence) -> None:
    text = sentences.say(scene.settings, sentence)
    line = sentences.disclosure(scene.settings)
    if line is not None and contact.disclosed_at is None:
        text = f"{line}\n{text}"
        contacts.set_disclosed(scene.conn, contact.id, scene.now)
    outbox.add(
        scene.conn,
        outbox.NewItem(
            account_id=event.account_id,
            connection_id=event.connection_id,
            contact_id=contact.id,
            source=event.id,
            turn=0,
            ordinal=0,
            run_id=None,
            flow_id=None,
            step=None,
            kind=ItemKind.MESSAGE,
            lane=outbox.person_lane(contact.id),
            content=OutMessage(text=text),
            igsid=contact.igsid,
            due_at=scene.now,
            deadline=event.at + limits.WINDOW,
        ),
        scene.now,
    )
