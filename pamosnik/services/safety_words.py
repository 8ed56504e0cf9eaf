"""STOP, START and the words for a human: before everything else."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from pamosnik._sqlite import Connection
from pamosnik.engine import sentences
from pamosnik.instagram import limits
from pamosnik.model import safety
from pamosnik.model.book import Sentence, Settings
from pamosnik.model.contact import Contact, PausedBy
from pamosnik.model.event import Event, Verdict
from pamosnik.model.words import fold, trim
from pamosnik.services import effects, letters
from pamosnik.services.library import Library
from pamosnik.services.scene import Scene, meet, open_scene, say
from pamosnik.store import contacts, inbox
from pamosnik.store.consents import How

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
        contacts.opt_in(scene.conn, contact.id, How.WORDS, scene.now)
        _confirm(scene, event, contact, Sentence.STARTED)
        return say(scene, event, Verdict.NOTED, "the person wants automatic messages again")
    if said in _folded(built_in.human, settings.human_words) and contact.opted_out_at is None:
        until = scene.now + HUMAN_TAKES_OVER_FOR
        contacts.pause(scene.conn, contact.id, until, PausedBy.HAND_OVER, "asked for a human")
        if letters.is_news(contact, scene.now):
            effects.mail_outside_flows(
                scene.conn,
                contact,
                letters.hand_over(scene.conn, contact, None, None, until),
                source=event.id,
                ordinal=1,
                now=scene.now,
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
    if stop == (contact.opted_out_at is not None):
        return
    if stop:
        effects.opt_out(conn, contact.id, How.WORDS, now)
    else:
        contacts.opt_in(conn, contact.id, How.WORDS, now)


def meanings(settings: Settings, text: str) -> Mapping[str, bool]:
    """For each kind of safety word whether a text, as a whole, is one."""
    said, built_in = trim(fold(text)), safety.words(settings.language)
    return {
        "stop": said in _folded(built_in.stop, settings.stop_words),
        "start": said in _folded(built_in.start, settings.start_words),
        "human": said in _folded(built_in.human, settings.human_words),
    }


def _folded(*words: Sequence[str]) -> set[str]:
    return {trim(fold(word)) for group in words for word in group}


def _opt_out(scene: Scene, event: Event, contact: Contact) -> Verdict:
    already = contact.opted_out_at is not None
    if not already:
        effects.opt_out(scene.conn, contact.id, How.WORDS, scene.now)
        _confirm(scene, event, contact, Sentence.STOPPED)
    return say(scene, event, Verdict.OPTED_OUT, "the person opted out" + (" before" if already else ""))


def _confirm(scene: Scene, event: Event, contact: Contact, sentence: Sentence) -> None:
    effects.say_outside_flows(
        scene.conn,
        contact,
        sentences.say(scene.settings, sentence),
        sentences.disclosure(scene.settings),
        source=event.id,
        deadline=event.at + limits.WINDOW,
        now=scene.now,
    )
