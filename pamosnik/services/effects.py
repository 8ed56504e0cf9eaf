"""Writing down what a turn decided: contact changes, outbox items, numbers; in the turn's transaction."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from pamosnik._sqlite import Connection
from pamosnik.ids import new_id
from pamosnik.instagram import limits
from pamosnik.instagram.webhook import seen_key
from pamosnik.model.contact import Contact, PausedBy
from pamosnik.model.decision import (
    Act,
    AddTag,
    CountGoal,
    CountShare,
    Decision,
    Disclosed,
    ForgetPerson,
    GiveOut,
    PauseContact,
    RemoveTag,
    ReplyToComment,
    RunErrand,
    SendMessage,
    SetField,
    StartRun,
    StopMessages,
    TellOwner,
)
from pamosnik.model.event import EventKind
from pamosnik.model.flow import Flow
from pamosnik.model.outbox import SETTLED, HeldFor, ItemKind, ItemStatus, OutboxItem, OutMessage
from pamosnik.model.run import ENDED, Run, RunStatus, WaitKind
from pamosnik.model.step import Ask, ForgetMe, GiveCode, RunFlow, Send, Step
from pamosnik.services import actions, clicks, letters, posts
from pamosnik.store import codes, contacts, inbox, links, outbox, quoted, runs, stats
from pamosnik.store.consents import How

new_run_id = new_id

POST_KNOWN_WITHIN = timedelta(minutes=2)
_GOES_ALL_THE_SAME = frozenset({ItemKind.EMAIL, ItemKind.COMMENT_ACTION})
"""Whatever becomes of the run."""


@dataclass(frozen=True, slots=True)
class Recorded:
    run: Run
    """As it was stored: its origin knows the private reply now."""
    flows_to_start: tuple[str, ...]
    changes: tuple[tuple[EventKind, str], ...]
    """Tags that are new and fields that were set, which other flows may wait for."""


def record(
    conn: Connection, flow: Flow, decision: Decision, contact: Contact, *, day: str, now: datetime
) -> Recorded:
    """Stores a decision. Repeating it for the same turn puts nothing into the outbox twice."""
    run = decision.run
    to_start: list[str] = []
    changes: list[tuple[EventKind, str]] = []
    stops: StopMessages | None = None
    forgets: ForgetPerson | None = None
    for ordinal, effect in enumerate(decision.effects):
        match effect:
            case SendMessage():
                run = _put_message(conn, run, effect, contact, ordinal, day, now)
            case ReplyToComment():
                _put_reply(conn, run, effect, contact, ordinal, now)
            case Act():
                new = _new(run, effect.step, OutMessage(), contact, ordinal, now)
                actions.put(conn, run, effect, new, now)
            case RunErrand():
                _put_errand(conn, run, effect, contact, ordinal, now)
            case AddTag():
                if contacts.add_tag(conn, contact, effect.tag, now):
                    changes.append((EventKind.TAG_ADDED, effect.tag))
            case RemoveTag():
                contacts.remove_tag(conn, contact, effect.tag)
            case SetField():
                contacts.set_field(conn, contact, effect.field, effect.value, now, counted=effect.counted)
                if effect.value is not None:
                    changes.append((EventKind.FIELD_SET, effect.field))
            case GiveOut():
                codes.give(conn, contact, effect.pool, effect.code, now)
            case Disclosed():
                contacts.set_disclosed(conn, contact.id, now)
            case PauseContact():
                _hand_over(conn, run, effect, contact, ordinal, now)
            case TellOwner():
                _tell_owner(conn, run, effect, contact, ordinal, now)
            case StopMessages():
                stops = effect
            case ForgetPerson():
                forgets = effect
            case StartRun():
                to_start.append(effect.flow_id)
            case CountGoal():
                stats.mark_run(conn, run.id, stats.GOAL + effect.name, day)
                stats.mark_completed(conn, run.id, day)
            case CountShare():
                stats.mark_run(conn, run.id, stats.share(effect.name, stats.STARTED), day)
    runs.save(conn, run)
    stats.mark_steps(conn, run, (check.what for check in decision.trace if check.what in flow.steps), day)
    # This turn may have begun to wait for a tag before it gave it.
    given = [effect.tag for effect in decision.effects if isinstance(effect, AddTag)]
    runs.wake(conn, contact.id, WaitKind.FOR_TAG, given, now)
    _count_end(conn, flow, run, day)
    _settle_public_replies(conn, flow, run, hands_on=bool(to_start), now=now)
    if stops is not None:
        _stop_messages(conn, run, stops, len(decision.effects), now)
    if forgets is not None:
        _forget(conn, run, forgets, len(decision.effects), now)
    return Recorded(run, tuple(to_start), tuple(dict.fromkeys(changes)))


def _count_end(conn: Connection, flow: Flow, run: Run, day: str) -> None:
    if run.status is RunStatus.COMPLETED and not flow.has_goal:
        stats.mark_completed(conn, run.id, day)
    elif run.status is RunStatus.FAILED:
        stats.mark_run(conn, run.id, stats.FAILED, day)
    elif run.status is RunStatus.EXPIRED:
        stats.mark_run(conn, run.id, stats.EXPIRED, day)


def _put_message(
    conn: Connection, run: Run, effect: SendMessage, contact: Contact, ordinal: int, day: str, now: datetime
) -> Run:
    origin = run.origin
    if effect.private_reply:
        assert origin.comment_at is not None
        within = limits.LIVE_PRIVATE_REPLY_WITHIN if origin.live else limits.PRIVATE_REPLY_WITHIN
        deadline = origin.comment_at + within
        item_id = outbox.add(
            conn,
            replace(
                _new(run, effect.step, effect.content, contact, ordinal, now),
                kind=ItemKind.PRIVATE_REPLY,
                comment_id=origin.comment_id,
                deadline=deadline,
                live=origin.live,
            ),
            now,
        )
        run = replace(run, origin=replace(origin, private_item=item_id))
    else:
        new = _new(run, effect.step, effect.content, contact, ordinal, now)
        if contact.window_open(now):
            new = replace(new, deadline=contact.window_open_until, due_at=now + effect.delay)
        elif origin.comment_at is not None or origin.silent:
            # Only the person's answer opens the window after a comment, a reaction, an opened link.
            until = (origin.comment_at or run.started_at) + limits.PRIVATE_REPLY_WITHIN
            new = replace(
                new, held_for=HeldFor.ANSWER, deadline=until, reason="waits for the person's answer"
            )
        if posts.shared(conn, run.connection_id, effect.content) is None:
            # Nobody else waits long for a link that may name no post of this account.
            new = replace(new, deadline=min(new.deadline or now, new.due_at + POST_KNOWN_WITHIN))
        item_id = outbox.add(conn, new, now)
    for link in effect.links:
        links.add(conn, run, effect.step, item_id, link, now)
    if effect.variant is not None:
        runs.use_variant(conn, run, effect.step, effect.variant, public=False)
    return run


def _new(
    run: Run, step: str | None, content: OutMessage, contact: Contact, ordinal: int, now: datetime
) -> outbox.NewItem:
    return outbox.NewItem(
        account_id=run.account_id,
        connection_id=run.connection_id,
        contact_id=run.contact_id,
        source=run.id,
        turn=run.turn,
        ordinal=ordinal,
        run_id=run.id,
        flow_id=run.flow_id,
        step=step,
        kind=ItemKind.MESSAGE,
        lane=outbox.person_lane(run.contact_id),
        content=content,
        igsid=contact.igsid,
        due_at=now,
        deadline=now + limits.WINDOW,
    )


def _put_reply(
    conn: Connection, run: Run, effect: ReplyToComment, contact: Contact, ordinal: int, now: datetime
) -> None:
    """Held at first: `_settle_public_replies` lets it go as soon as nothing speaks against it."""
    comment_id = run.origin.top_comment_id
    assert comment_id is not None
    outbox.add(
        conn,
        replace(
            _new(run, effect.step, OutMessage(text=effect.text), contact, ordinal, now),
            kind=ItemKind.COMMENT_REPLY,
            lane=outbox.comment_lane(comment_id, contact.id),
            comment_id=comment_id,
            due_at=now + effect.delay,
            deadline=None,
            held_for=HeldFor.PRIVATE_REPLY,
            reason="waits until the private message was accepted",
        ),
        now,
    )
    if effect.variant is not None:
        runs.use_variant(conn, run, effect.step, effect.variant, public=True)


def _put_errand(
    conn: Connection, run: Run, effect: RunErrand, contact: Contact, ordinal: int, now: datetime
) -> None:
    """In a lane of its own: it waits for nobody, and nobody waits for it but its step."""
    outbox.add(
        conn,
        replace(
            _new(run, effect.step, OutMessage(), contact, ordinal, now),
            kind=effect.kind,
            lane=f"e:{run.id}:{run.turn}:{ordinal}",
            deadline=None,
            task=effect.task,
        ),
        now,
    )


def _hand_over(
    conn: Connection, run: Run, effect: PauseContact, contact: Contact, ordinal: int, now: datetime
) -> None:
    contacts.pause(conn, contact.id, effect.until, PausedBy.HAND_OVER, effect.note)
    if letters.is_news(contact, now):
        task = letters.hand_over(conn, contact, run.flow_id, effect.note, effect.until)
        letters.put(conn, task, _new(run, run.step, OutMessage(), contact, ordinal, now), now)


def _tell_owner(
    conn: Connection, run: Run, effect: TellOwner, contact: Contact, ordinal: int, now: datetime
) -> None:
    task = letters.note(conn, contact, run.flow_id, effect.text, effect.to)
    letters.put(conn, task, _new(run, effect.step, OutMessage(), contact, ordinal, now), now)


def _settle_public_replies(conn: Connection, flow: Flow, run: Run, *, hands_on: bool, now: datetime) -> None:
    """A public reply follows the private message; where there will be none it goes at once."""
    private = None if run.origin.private_item is None else outbox.load(conn, run.origin.private_item)
    will_send = hands_on or (run.status not in ENDED and any(_sends(step) for step in flow.steps.values()))
    comment_id = run.origin.top_comment_id
    if comment_id is None:
        return
    for item in outbox.open_public_replies(conn, comment_id, run.contact_id):
        if item.status is not ItemStatus.HELD or item.held_for is not HeldFor.PRIVATE_REPLY:
            continue
        if private is not None:
            outbox.depend_on(conn, item, private.id)
            follow_private(conn, item, private, now)
        elif not will_send:
            outbox.move(conn, item, ItemStatus.QUEUED, now=now)


def _sends(step: Step) -> bool:
    return isinstance(step, Send | Ask | ForgetMe | RunFlow) or (
        isinstance(step, GiveCode) and step.text is not None
    )


def follow_private(conn: Connection, item: OutboxItem, private: OutboxItem, now: datetime) -> None:
    """What the end of a private message means for the public reply that announces it. What is done to the comment
    only comes after it, whatever its end."""
    done_to_comment = item.kind is ItemKind.COMMENT_ACTION and private.status in SETTLED
    if private.status is ItemStatus.SENT or done_to_comment:
        outbox.move(conn, item, ItemStatus.QUEUED, now=now)
    elif private.status in (ItemStatus.FAILED, ItemStatus.EXPIRED, ItemStatus.CANCELLED):
        reason = f"the private message did not go out: {private.reason or private.status.value}"
        outbox.move(conn, item, ItemStatus.CANCELLED, now=now, reason=reason)


def delivered(
    conn: Connection, item: OutboxItem, *, message_id: str | None, reason: str | None, day: str, now: datetime
) -> None:
    """An item was accepted: by Meta's answer, or by evidence."""
    outbox.move(conn, item, ItemStatus.SENT, now=now, message_id=message_id, reason=reason)
    if item.run_id is not None and item.kind in (ItemKind.MESSAGE, ItemKind.PRIVATE_REPLY):
        stats.mark_run(conn, item.run_id, stats.SENT, day)
        clicks.sent(conn, item.id, day)
        # A receipt may come before it is known which message it is of.
        if message_id is not None and inbox.known(
            conn, item.connection_id, [seen_key(message_id, item.igsid)]
        ):
            stats.mark_run(conn, item.run_id, stats.SEEN, day)
    quoted.forget_taken_back(conn, item.id)
    let_followers_go(conn, item.id, now)


def seen_in_echo(conn: Connection, item: OutboxItem, mid: str, day: str, now: datetime) -> None:
    """The echo came before Meta's answer, or instead of it: the message is not repeated, whatever was planned."""
    if item.status in (ItemStatus.UNKNOWN, ItemStatus.QUEUED):
        delivered(conn, item, message_id=mid, reason="settled by its echo", day=day, now=now)
    else:
        outbox.note_message_id(conn, item.id, mid)


def let_followers_go(conn: Connection, private_id: str, now: datetime) -> None:
    """Public replies that waited for this private message."""
    private = outbox.load(conn, private_id)
    assert private is not None
    for item in outbox.waiting_on(conn, private_id):
        follow_private(conn, item, private, now)


def _stop_messages(conn: Connection, run: Run, effect: StopMessages, ordinal: int, now: datetime) -> None:
    opt_out(conn, run.contact_id, How.FLOW, now)
    stop_run(conn, run.id, "the person opted out", now)
    _confirm(conn, run, effect, ordinal, now)


def _forget(conn: Connection, run: Run, effect: ForgetPerson, ordinal: int, now: datetime) -> None:
    """From now on nothing is done for this person but telling them; then the eraser comes (`privacy.forget`)."""
    for run_id in (run.id, *runs.unfinished(conn, run.contact_id)):
        stop_run(conn, run_id, "the person is forgotten", now)
    contacts.set_forget(conn, run.contact_id, effect.said_at)
    _confirm(conn, run, effect, ordinal, now)


def _confirm(
    conn: Connection, run: Run, effect: StopMessages | ForgetPerson, ordinal: int, now: datetime
) -> None:
    """The last words of Pamosnik's own, if the window is open."""
    contacts.undisclosed_without_message(conn, run.contact_id)
    contact = contacts.load(conn, run.contact_id)
    assert contact is not None
    if contact.window_open(now):
        assert contact.window_open_until is not None
        say_outside_flows(
            conn,
            contact,
            effect.confirmation,
            effect.disclosure,
            source=run.id,
            turn=run.turn,
            ordinal=ordinal,
            deadline=contact.window_open_until,
            now=now,
        )


def opt_out(conn: Connection, contact_id: str, how: How, now: datetime) -> None:
    """No automatic message any more, and every run that waits for something ends."""
    contacts.opt_out(conn, contact_id, how, now)
    for run_id in runs.unfinished(conn, contact_id):
        stop_run(conn, run_id, "the person opted out", now)


def say_outside_flows(
    conn: Connection,
    contact: Contact,
    text: str,
    disclosure: str | None,
    *,
    source: str,
    turn: int = 0,
    ordinal: int = 0,
    deadline: datetime,
    now: datetime,
) -> None:
    """A sentence of Pamosnik's own: it names no flow, so it passes where flows may not write."""
    if disclosure is not None and contact.disclosed_at is None:
        text = f"{disclosure}\n{text}"
        contacts.set_disclosed(conn, contact.id, now)
    outbox.add(
        conn,
        outbox.NewItem(
            account_id=contact.account_id,
            connection_id=contact.connection_id,
            contact_id=contact.id,
            source=source,
            turn=turn,
            ordinal=ordinal,
            run_id=None,
            flow_id=None,
            step=None,
            kind=ItemKind.MESSAGE,
            lane=outbox.person_lane(contact.id),
            content=OutMessage(text=text),
            igsid=contact.igsid,
            due_at=now,
            deadline=deadline,
        ),
        now,
    )


def mail_outside_flows(
    conn: Connection, contact: Contact, task: letters.Task, *, source: str, ordinal: int, now: datetime
) -> None:
    """A mail to the owner that no flow asked for."""
    new = outbox.NewItem(
        account_id=contact.account_id,
        connection_id=contact.connection_id,
        contact_id=contact.id,
        source=source,
        turn=0,
        ordinal=ordinal,
        run_id=None,
        flow_id=None,
        step=None,
        kind=ItemKind.EMAIL,
        lane="",
        content=OutMessage(),
        igsid=contact.igsid,
        due_at=now,
        deadline=None,
    )
    letters.put(conn, task, new, now)


def stop_run(conn: Connection, run_id: str, reason: str, now: datetime) -> None:
    """Ends a run early; what it has not sent yet stays here. Mails to the owner go all the same, and so does what is
    done to a comment."""
    run = runs.load(conn, run_id)
    if run is None:
        return
    if run.status not in ENDED:
        run = replace(run, status=RunStatus.STOPPED, finished_at=now, reason=reason)
    runs.save(conn, replace(run, waits=()))
    waiting = [
        i for i in outbox.open_of_run(conn, run_id) if i.status in (ItemStatus.QUEUED, ItemStatus.HELD)
    ]
    gone = [item for item in waiting if item.kind not in _GOES_ALL_THE_SAME]
    for item in gone:
        outbox.move(conn, item, ItemStatus.CANCELLED, now=now, reason=reason)
    for item in gone:
        if item.kind is ItemKind.PRIVATE_REPLY:
            let_followers_go(conn, item.id, now)
