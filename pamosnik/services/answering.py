"""An event gets its verdict: who wrote, whether they may be answered, and which flow or question takes it.

Each function here runs inside one transaction of the caller's: the verdict, the run, what is remembered of the
person, the waits, the outbox and the trace are stored together or not at all.
"""

from datetime import datetime, timedelta
from typing import assert_never

from pamosnik._sqlite import Connection
from pamosnik.engine import choose, payload, profile
from pamosnik.engine.catalog import came_from
from pamosnik.engine.choose import Cause, Choice, LookUp, Nobody, OpenWait, Person, Resume, Start, Tap
from pamosnik.engine.clock_times import on_the_clock
from pamosnik.engine.match import Heard
from pamosnik.instagram import limits
from pamosnik.instagram.webhook import message_key
from pamosnik.model.contact import Contact, PausedBy
from pamosnik.model.decision import Answered, Check, Facts, NotUnderstood, Stimulus, Tapped
from pamosnik.model.event import (
    CHANGES,
    COMMENTS,
    INBOUND_MESSAGES,
    MESSAGES,
    SILENT,
    Event,
    EventKind,
    Verdict,
)
from pamosnik.model.outbox import HeldFor, ItemStatus
from pamosnik.model.run import Origin, Run, WaitKind, asked_by
from pamosnik.model.step import ForgetMe
from pamosnik.services import arrivals, changes, echoes, old_taps, profiles, safety_words, turn
from pamosnik.services.library import Library
from pamosnik.services.numbers import today
from pamosnik.services.posts import posts_of
from pamosnik.services.profiles import Asked
from pamosnik.services.scene import Scene, fate_is_open, meet, open_scene, say
from pamosnik.services.unsent import forget_message
from pamosnik.store import contacts, inbox, outbox, runs, stats

BEFORE_CONNECTION_TOLERANCE = timedelta(seconds=5)


def take_event(conn: Connection, library: Library, event_id: str, now: datetime) -> Verdict | None:
    """Gives a pending event its verdict; None when it has one already or is gone, PENDING when it has to wait."""
    event = inbox.load(conn, event_id)
    if event is None or event.incoming.verdict is not Verdict.PENDING:
        return None
    scene = open_scene(conn, library, event.account_id, event.connection_id, now)
    if event.at < scene.connected.connected_at - BEFORE_CONNECTION_TOLERANCE:
        return say(scene, event, Verdict.NOTED, "it happened before the account was connected")
    match event.kind:
        case EventKind.ECHO:
            return echoes.echo(scene, event)
        case EventKind.SEEN:
            return echoes.seen(scene, event)
        case EventKind.DELETION:
            if event.incoming.mid is not None:
                forget_message(conn, event.connection_id, event.incoming.mid, now)
            return say(scene, event, Verdict.NOTED, "the person deleted a message; its content is erased")
        case kind if kind in INBOUND_MESSAGES and inbox.deleted(conn, event):
            assert event.incoming.mid is not None
            inbox.forget_content(conn, event.connection_id, event.incoming.mid)
            return say(scene, event, Verdict.NOTED, "the person deleted this message before it was read")
        case EventKind.REACTION if not scene.catalog.takes_reactions:
            return say(scene, event, Verdict.NOTED, "no flow waits for reactions")
        case EventKind.REACTION if _wrote_it(conn, event):
            return say(scene, event, Verdict.NOTED, "the person reacted to a message of their own")
        case kind if kind in CHANGES:
            return _from_flow(scene, event)
        case kind if kind in INBOUND_MESSAGES or kind in COMMENTS or kind in SILENT:
            return _from_person(scene, event)
        case _:
            return say(scene, event, Verdict.NOTED, "no flow listens to this kind of event")


def _wrote_it(conn: Connection, event: Event) -> bool:
    """Whether the message that somebody reacted to is one of the person's own."""
    mid = event.incoming.mid
    return mid is not None and bool(inbox.known(conn, event.connection_id, [message_key(mid)]))


def fail_event(conn: Connection, event_id: str, now: datetime) -> None:
    """After its turn failed twice: the event's end is `error`."""
    decided = inbox.decide(
        conn,
        event_id,
        Verdict.ERROR,
        now=now,
        reason="Pamosnik failed on it twice; the log of that time names the place",
    )
    event = inbox.load(conn, event_id)
    if decided and event is not None:
        assert event.decided_at is not None
        arrivals.count(conn, event, Verdict.ERROR, today(conn, event.account_id, event.decided_at))
        _heard_at_least(conn, event, now)


def _heard_at_least(conn: Connection, event: Event, now: datetime) -> None:
    """They wrote, whatever failed: the owner may answer."""
    if event.kind not in INBOUND_MESSAGES or event.incoming.igsid is None:
        return
    contact = contacts.meet(
        conn,
        account_id=event.account_id,
        connection_id=event.connection_id,
        igsid=event.incoming.igsid,
        username=event.incoming.username,
        now=now,
    )
    contacts.heard_from(conn, contact.id, at=event.at, window_until=event.at + limits.WINDOW)


def _from_person(scene: Scene, event: Event) -> Verdict:
    contact = meet(scene, event)
    if contact.forget_at is not None:
        return Verdict.PENDING  # what is left of it after the eraser is a new person's
    verdict = _answered(scene, event, contact)
    if event.kind in INBOUND_MESSAGES and verdict not in (Verdict.RESUMED, Verdict.PENDING):
        replies_to = stats.latest_sent_run(scene.conn, contact.id, scene.now - limits.PRIVATE_REPLY_WITHIN)
        if replies_to is not None:
            stats.mark_run(scene.conn, replies_to, stats.REPLIED, scene.day)
    return verdict


def _answered(scene: Scene, event: Event, contact: Contact) -> Verdict:
    # Also when it comes round again, having waited for something.
    first_message = event.kind in INBOUND_MESSAGES and contact.first_message_at in (None, event.at)
    if event.kind in INBOUND_MESSAGES:
        # What is tried again was heard when it came.
        contact = _heard(scene, event, contact) if event.decided_at is None else contact
        verdict = safety_words.heed(scene, event, contact)
        if verdict is not None:
            return verdict
    if contact.opted_out_at is not None:
        return say(scene, event, Verdict.OPTED_OUT, "this person opted out; only START undoes it")
    if contact.paused_until is not None and scene.now < contact.paused_until:
        return _paused(scene, event, contact)
    if event.kind in INBOUND_MESSAGES and _asked_or_not(scene, contact):
        return Verdict.PENDING
    return _offered(scene, event, contact, first_message=first_message)


def _from_flow(scene: Scene, event: Event) -> Verdict:
    """A tag or field that other flows wait for: nothing that the person did."""
    run = runs.load(scene.conn, event.incoming.by_run or "")
    contact = None if run is None else contacts.load(scene.conn, run.contact_id)
    if run is None or contact is None:
        return say(scene, event, Verdict.NOTED, "the run that did this is not kept any more")
    if contact.forget_at is not None:
        return say(scene, event, Verdict.NOTED, "this person is being forgotten")
    if contact.opted_out_at is not None:
        return say(scene, event, Verdict.OPTED_OUT, "this person opted out; only START undoes it")
    if contact.paused_until is not None and scene.now < contact.paused_until:
        return _paused(scene, event, contact)
    return _offered(scene, event, contact, cause=Cause(run.flow_id, run.origin.came_from))


def _offered(
    scene: Scene, event: Event, contact: Contact, *, first_message: bool = False, cause: Cause | None = None
) -> Verdict:
    """Whoever may answer it does. `cause`: of what another flow did."""
    if profiles.others_first(scene.conn, contact.id, event, scene.now):
        return Verdict.PENDING
    choice, trace = _choose(scene, event, contact, first_message=first_message, cause=cause)
    if not isinstance(choice, LookUp):
        return _take(scene, event, contact, choice, trace, cause=cause)
    match profiles.asked(scene.conn, event, scene.now):
        case Asked.NOT_YET:
            profiles.ask(scene.conn, event, contact, scene.now)
            return Verdict.PENDING
        case Asked.UNDER_WAY:
            return Verdict.PENDING
        case Asked.UNTOLD:
            contact = profile.unknown(contact)
    choice, trace = _choose(
        scene, event, contact, first_message=first_message, cause=cause, profile_asked=True
    )
    return _take(scene, event, contact, choice, trace, cause=cause, profile_asked=True)


def _choose(
    scene: Scene,
    event: Event,
    contact: Contact,
    *,
    first_message: bool,
    cause: Cause | None,
    profile_asked: bool = False,
) -> tuple[Choice, tuple[Check, ...]]:
    posts = posts_of(scene.conn, scene.catalog, event)
    choice, trace = choose.choose(
        event,
        Heard.of(event.incoming.text),
        scene.catalog,
        _person(scene, event, contact, first_message=first_message, profile_asked=profile_asked),
        tap=_tap(scene, event, contact),
        posts=posts,
        now=scene.now,
        cause=cause,
    )
    if posts.untold:
        trace = (Check("post", "unknown", "Instagram did not tell which post this is"), *trace)
    if profile_asked or profile.is_fresh(contact, scene.now):
        trace = (Check("profile", "asked", profile.told(contact)), *trace)
    return choice, trace


def _take(
    scene: Scene,
    event: Event,
    contact: Contact,
    choice: Choice,
    trace: tuple[Check, ...],
    *,
    cause: Cause | None,
    profile_asked: bool = False,
) -> Verdict:
    if event.kind in INBOUND_MESSAGES and event.decided_at is None:
        _ask_no_more_to_forget(scene, contact, event, choice)
    match choice:
        case Start():
            run = turn.begin(
                scene, contact, choice.flow, _origin(event, cause), event, profile_asked=profile_asked
            )
            return say(
                scene,
                event,
                Verdict.STARTED,
                choice.detail if cause is None else changes.told(event, cause),
                flow_id=choice.flow.id,
                run_id=run.id,
                trace=trace,
            )
        case Resume():
            resumed = runs.load(scene.conn, choice.run_id)
            assert resumed is not None
            runs.doubt_like(scene.conn, resumed.id, event.id)
            turn.go_on(scene, contact, resumed, choice.stimulus, event)
            stats.mark_run(scene.conn, resumed.id, stats.REPLIED, scene.day)
            return say(
                scene,
                event,
                Verdict.RESUMED,
                _resumed_by(choice.stimulus, resumed),
                flow_id=resumed.flow_id,
                run_id=resumed.id,
                trace=trace,
            )
        case Nobody():
            return say(scene, event, choice.verdict, choice.reason, flow_id=choice.flow_id, trace=trace)
        case LookUp():
            raise AssertionError("Instagram was asked already")
        case _:
            assert_never(choice)


def _ask_no_more_to_forget(scene: Scene, contact: Contact, event: Event, choice: choose.Choice) -> None:
    """Whoever was asked whether to be forgotten and said something else is not asked any more: a later yes would
    answer something else."""
    answered = getattr(choice.stimulus, "wait_id", None) if isinstance(choice, Resume) else None
    for run_id, wait in runs.waiting_for_person(scene.conn, contact.id):
        run = runs.load(scene.conn, run_id)
        flow = None if run is None else turn.flow_of(scene, run)
        if run is None or flow is None or wait.id == answered:
            continue
        asked = isinstance(flow.steps.get(wait.path), ForgetMe)
        if asked and not outbox.still_to_leave(scene.conn, run_id, wait.path):
            turn.go_on(scene, contact, run, NotUnderstood(wait.id, event), event)


def _asked_or_not(scene: Scene, contact: Contact) -> bool:
    """Whether a question to this person may have arrived or not: what they write waits until that is known.

    Not for long: after `EVIDENCE_WITHIN` the question counts as asked.
    """
    asked = {
        (run_id, asked_by(wait))
        for run_id, wait in runs.waiting_for_person(scene.conn, contact.id)
        if wait.kind in (WaitKind.ANSWER, WaitKind.FOR_ANSWER)
    }
    return any(
        (item.run_id, item.step) in asked and fate_is_open(item, scene.now)
        for item in outbox.open_of_person(scene.conn, contact.id)
    )


def _resumed_by(stimulus: Stimulus, run: Run) -> str:
    if isinstance(stimulus, Tapped):
        return "a button was chosen" if stimulus.value is None else "an earlier question was answered again"
    if isinstance(stimulus, NotUnderstood):
        return "the answer did not fit the question"
    awaited = {wait.id for wait in run.waits if wait.kind is WaitKind.FOR_ANSWER}
    if isinstance(stimulus, Answered) and stimulus.wait_id in awaited:
        return "the flow waited for an answer"
    return "a question was answered"


def _heard(scene: Scene, event: Event, contact: Contact) -> Contact:
    """They wrote: the window opens, and what waited for their answer may go."""
    until = event.at + limits.WINDOW
    contacts.heard_from(scene.conn, contact.id, at=event.at, window_until=until)
    outbox.prolong(scene.conn, contact.id, until)
    for item in outbox.open_of_person(scene.conn, contact.id):
        if item.status is ItemStatus.HELD and item.held_for is HeldFor.ANSWER:
            outbox.move(scene.conn, item, ItemStatus.QUEUED, now=scene.now, due_at=scene.now)
    heard = contacts.load(scene.conn, contact.id)
    assert heard is not None
    return heard


def _paused(scene: Scene, event: Event, contact: Contact) -> Verdict:
    assert contact.paused_until is not None
    until = on_the_clock(contact.paused_until, scene.timezone)
    if contact.paused_by is PausedBy.HAND_OVER:
        return say(scene, event, Verdict.HANDED_OVER, f"a human has taken over until {until}")
    return say(
        scene, event, Verdict.PAUSED, f"the owner writes with this person; automation rests until {until}"
    )


# --- who it is, what was tapped, where -------------------------------------------------------------------


def _person(
    scene: Scene, event: Event, contact: Contact, *, first_message: bool, profile_asked: bool
) -> Person:
    waits = []
    for run_id, wait in runs.waiting_for_person(scene.conn, contact.id):
        asked = asked_by(wait)
        if asked is not None and outbox.still_to_leave(scene.conn, run_id, asked):
            continue  # nobody answers a question that has not arrived
        if event.decided_at is not None and wait.opened_at > event.at:
            continue  # nor with what they said before it, which is tried again now
        run = runs.load(scene.conn, run_id)
        flow = None if run is None else turn.flow_of(scene, run)
        if flow is not None:
            waits.append(OpenWait(run_id, flow, wait))
    return Person(
        facts=Facts(
            contact=contact,
            settings=scene.settings,
            timezone=scene.timezone,
            connection_username=scene.connected.username,
            profile_asked=profile_asked,
        ),
        first_message=first_message,
        waits=tuple(waits),
        live=runs.live_runs(scene.conn, contact.id),
        starts=runs.starts(scene.conn, contact.id),
    )


def _tap(scene: Scene, event: Event, contact: Contact) -> Tap | None:
    """The button a payload names, if it belongs to a run of the person who tapped."""
    target = payload.from_payload(event.incoming.payload)
    if target is None:
        return None
    run = runs.load(scene.conn, target.run_id)
    run = run or old_taps.run_again(scene, contact, target, _origin(event, None))
    if run is None or run.contact_id != contact.id:
        return None
    flow = turn.flow_of(scene, run)
    option = None if flow is None else flow.options.get(target.option)
    return None if flow is None or option is None else Tap(run, flow, option)


def _origin(event: Event, cause: Cause | None) -> Origin:
    incoming = event.incoming
    comment = event.kind in COMMENTS
    return Origin(
        came_from=came_from(event) if cause is None else cause.came_from,
        event_id=event.id,
        text=incoming.text,
        comment_id=incoming.comment_id if comment else None,
        top_comment_id=(incoming.parent_id or incoming.comment_id) if comment else None,
        comment_at=event.at if comment else None,
        live=event.kind is EventKind.LIVE_COMMENT,
        message_id=incoming.mid if event.kind in MESSAGES else None,
        silent=event.kind in SILENT,
        media_id=incoming.media_id if comment else None,
    )
