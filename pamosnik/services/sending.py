"""What the sender asks the database: what may leave now, and what an answer changes."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from pamosnik._sqlite import Connection
from pamosnik.instagram import bodies, errors
from pamosnik.model.contact import Contact, PausedBy
from pamosnik.model.outbox import (
    ERRANDS,
    REPEATABLE,
    HeldFor,
    ItemKind,
    ItemStatus,
    OutboxItem,
    Outcome,
    OutcomeKind,
    Quota,
    RestOf,
)
from pamosnik.outbox import pacing, policy, settling
from pamosnik.outbox.policy import Done, GiveUp, Hold, NeedsOwner, Permit, Refuse, Retry, Settle
from pamosnik.services import effects, errands, logins, posts, removal, sending_notices
from pamosnik.services.numbers import today
from pamosnik.store import attempts, connections, contacts, evidence, outbox, quoted, runs, stats
from pamosnik.store.connections import ConnectionStatus, PrivateReplyButtons
from pamosnik.store.consents import How

_BLOCKED = 551
WAITS_FOR_POST = "waits until Instagram tells which post the link names"
POST_AGAIN_AFTER = timedelta(seconds=5)
MAY_HAVE_LEFT = "a backup was restored: it may have been sent before; Instagram is asked"
HUMAN_TAKES_OVER_FOR = timedelta(hours=12)


@dataclass(frozen=True, slots=True)
class Claimed:
    """An item that is `sending`, committed, and the body to send."""

    item: OutboxItem
    body: str


def claim(
    conn: Connection, connection_id: str, quota: Quota, room: int, media_room: int, now: datetime
) -> list[Claimed]:
    """Takes what may leave now, at most `room` items of which `media_room` with pictures. Commit before sending."""
    in_the_hour, _ = attempts.counted(conn, connection_id, Quota.PRIVATE_REPLY, now - pacing.COUNTS_FOR)
    private_room = pacing.hourly_room(in_the_hour)
    if quota is Quota.PRIVATE_REPLY:
        room = min(room, private_room)
    if room <= 0:
        return []
    connected = connections.load(conn, connection_id)
    if connected.status is not ConnectionStatus.ACTIVE:
        return []
    claimed: list[Claimed] = []
    ready = outbox.claimable(conn, connection_id, quota, now, room, private_replies_wait=private_room == 0)
    for item in ready:
        if pacing.has_media(item):
            if media_room <= 0:
                continue
            media_room -= 1
        taken = _take(conn, item, connected.private_reply_buttons, now)
        if taken is not None:
            claimed.append(taken)
    return claimed


def _take(conn: Connection, item: OutboxItem, buttons: PrivateReplyButtons, now: datetime) -> Claimed | None:
    contact = contacts.load(conn, item.contact_id)
    assert contact is not None
    match policy.permit(item, contact, now):
        case Permit() if item.doubt_from is not None and item.kind not in REPEATABLE:
            outbox.presume_sent(conn, item, now)
            presumed = replace(item, status=ItemStatus.SENDING, last_attempt_at=now)
            _uncertain(conn, presumed, MAY_HAVE_LEFT, today(conn, item.account_id, now), now)
        case Permit():
            return _begin(conn, item, buttons, now)
        case Hold(until=until, reason=reason):
            # Not before the pause is over: the status stays `queued`.
            outbox.put_off(conn, item.id, until, reason)
        case Refuse(status=status, reason=reason):
            end(conn, item, status, reason, now)
    return None


def _begin(conn: Connection, item: OutboxItem, buttons: PrivateReplyButtons, now: datetime) -> Claimed | None:
    content = posts.shared(conn, item.connection_id, item.content)
    if content is None:
        outbox.put_off(conn, item.id, now + POST_AGAIN_AFTER, WAITS_FOR_POST)
        return None
    refused = item.kind is ItemKind.PRIVATE_REPLY and buttons is PrivateReplyButtons.REFUSED
    body = item.wire or bodies.wire(replace(item, content=content), plain=item.plain or refused)
    outbox.start_attempt(conn, item, body, now)
    return Claimed(item, body)


def record(
    conn: Connection, item_id: str, outcome: Outcome, now: datetime, *, silent_since: datetime | None = None
) -> None:
    """Writes down what became of an attempt. Does nothing when evidence has settled the item meanwhile.

    `silent_since`: no attempt of this connection was answered since then.
    """
    item = outbox.load(conn, item_id)
    if item is None or item.status is not ItemStatus.SENDING:
        return
    if silent_since is not None:
        sending_notices.silent(conn, item, silent_since, now)
    if item.quota is Quota.PRIVATE_REPLY:
        attempts.answered(conn, item, now)
    day = today(conn, item.account_id, now)
    _mind_limits(conn, item, outcome, now)
    match policy.after(outcome, item, now):
        case Done(reason=reason):
            effects.delivered(conn, item, message_id=outcome.message_id, reason=reason, day=day, now=now)
            _learn(conn, item, outcome)
        case Retry(at=at, reason=reason, plain=plain, uncertain=uncertain):
            outbox.move(
                conn,
                item,
                ItemStatus.QUEUED,
                now=now,
                reason=reason,
                due_at=at,
                plain=True if plain else None,
                uncertain=True if uncertain else None,
                forget_wire=plain,
            )
        case Settle(reason=reason):
            _uncertain(conn, item, reason, day, now)
        case GiveUp(reason=reason):
            if outcome.subcode in errors.OUTSIDE_WINDOW and _contact(conn, item).window_open(now):
                reason = sending_notices.access_level(conn, item, now)
            end(conn, item, ItemStatus.FAILED, reason, now)
            _remember_person(conn, item, outcome, now)
            if outcome.subcode == errors.PRIVATE_REPLY_REFUSED:
                sending_notices.answered_by_another(conn, item, reason, now)
        case NeedsOwner(login=True) if _renewed_since(conn, item):
            reason = "the login was renewed meanwhile"
            outbox.move(conn, item, ItemStatus.QUEUED, now=now, due_at=now, reason=reason)
        case NeedsOwner(reason=reason, login=login):
            outbox.move(conn, item, ItemStatus.HELD, now=now, held_for=HeldFor.LOGIN, reason=reason)
            if errors.app_removed(outcome):
                asked_at = item.last_attempt_at or now
                removal.app_removed(conn, item.connection_id, asked_at=asked_at, now=now)
            elif login:
                logins.ended(conn, item.connection_id, reason, now)
            else:
                sending_notices.refused(conn, item, reason, errors.remedy(outcome), now)
                # A restart, too, begins with one.
                connected = connections.load(conn, item.connection_id)
                connections.rest_quota(conn, connected, item.quota, now + pacing.FIRST_REFUSAL, reason)


def _renewed_since(conn: Connection, item: OutboxItem) -> bool:
    """Whether the attempt was made with an older token than the present one."""
    issued_at = connections.load(conn, item.connection_id).token_issued_at
    return issued_at is not None and item.last_attempt_at is not None and item.last_attempt_at < issued_at


def _mind_limits(conn: Connection, item: OutboxItem, outcome: Outcome, now: datetime) -> None:
    """A limit of account or app rests what it concerns; a block for its behaviour is told to the owner, once."""
    if outcome.kind is OutcomeKind.SENT and sending_notices.over(conn, item):
        release_held(conn, item.connection_id, now, quota=item.quota)
    if outcome.kind is OutcomeKind.SENT and outcome.pause_s is None:
        connections.quota_rest_over(conn, item.connection_id, item.quota, now)
    _mind_usage(conn, item, outcome, now)
    if outcome.pause_s is None or outcome.rest_of is RestOf.ITEM:
        return
    until = now + timedelta(seconds=outcome.pause_s)
    if outcome.rest_of is RestOf.QUOTA:
        why = outcome.reason if outcome.kind is OutcomeKind.BACK_OFF else "Meta's usage headers say 100 %"
        connected = connections.load(conn, item.connection_id)
        connections.rest_quota(conn, connected, item.quota, until, why)
        return
    if outcome.rest_of is RestOf.APP:
        connections.rest_all(conn, until, outcome.reason)
        return
    connections.rest(conn, item.connection_id, until, outcome.reason)
    if outcome.pause_s >= errors.LONG_REST.total_seconds():
        sending_notices.restricted(conn, item, outcome.reason, now)


def _mind_usage(conn: Connection, item: OutboxItem, outcome: Outcome, now: datetime) -> None:
    """Keeps the newest usage header of a kind, from the first one on that slows it down."""
    if outcome.usage_percent is None:
        return
    if outcome.usage_percent >= pacing.SLOWER_FROM or item.quota in connections.usage(
        conn, item.connection_id
    ):
        connected = connections.load(conn, item.connection_id)
        connections.heard_usage(conn, connected, item.quota, outcome.usage_percent, now)


def _uncertain(conn: Connection, item: OutboxItem, reason: str, day: str, now: datetime) -> None:
    outbox.move(conn, item, ItemStatus.UNKNOWN, now=now, reason=reason, uncertain=True)
    if item.message_id is not None:
        # Its echo came while the request was under way.
        unknown = replace(item, status=ItemStatus.UNKNOWN)
        effects.delivered(
            conn, unknown, message_id=item.message_id, reason="settled by its echo", day=day, now=now
        )
        return
    attempted_at = item.last_attempt_at or now
    first = settling.next_look(0, attempted_at, now)
    evidence.look_for(conn, item.id, first, looks=0, not_there_at=None)


def _learn(conn: Connection, item: OutboxItem, outcome: Outcome) -> None:
    contact = contacts.load(conn, item.contact_id)
    if contact is not None and outcome.recipient_id is not None:
        contacts.also_known_as(conn, contact, outcome.recipient_id)
    has_buttons = item.content.spelled_out is not None and not item.content.cards
    if item.kind is ItemKind.PRIVATE_REPLY and has_buttons:
        # Only a fallback that went through proves that it was the buttons Instagram minded.
        learned = PrivateReplyButtons.REFUSED if item.plain else PrivateReplyButtons.ACCEPTED
        connected = connections.load(conn, item.connection_id)
        if connected.private_reply_buttons is PrivateReplyButtons.UNTRIED or item.plain:
            connections.learn_buttons(conn, item.connection_id, learned)


def end(conn: Connection, item: OutboxItem, status: ItemStatus, reason: str, now: datetime) -> None:
    """An item that will not leave any more: its public reply and its run hear of it."""
    outbox.move(conn, item, status, now=now, reason=reason)
    if item.run_id is not None and status is ItemStatus.FAILED and item.kind is not ItemKind.SENDER_ACTION:
        stats.mark_run(conn, item.run_id, stats.FAILED, today(conn, item.account_id, now))
    if item.kind is ItemKind.PRIVATE_REPLY:
        effects.let_followers_go(conn, item.id, now)
    if item.kind in ERRANDS or item.kind in (ItemKind.PRIVATE_REPLY, ItemKind.MESSAGE):
        outbox.tell_run(conn, item.id)
    if item.kind in (ItemKind.PRIVATE_REPLY, ItemKind.MESSAGE):
        contacts.undisclosed_without_message(conn, item.contact_id)
    quoted.forget_taken_back(conn, item.id)


def _remember_person(conn: Connection, item: OutboxItem, outcome: Outcome, now: datetime) -> None:
    if outcome.code == _BLOCKED and outcome.subcode is None:
        contacts.opt_out(conn, item.contact_id, How.BLOCK, now)
        for run_id in runs.unfinished(conn, item.contact_id):
            effects.stop_run(conn, run_id, "the person has blocked the account", now)
    elif outcome.subcode in errors.OTHER_APP_OWNS_THREAD or outcome.code in errors.OTHER_APP_OWNS_THREAD:
        until = now + HUMAN_TAKES_OVER_FOR
        contacts.pause(conn, item.contact_id, until, PausedBy.HAND_OVER, "another app handles it")
    elif outcome.subcode in errors.UNREACHABLE:
        contacts.set_unreachable(conn, item.contact_id, now)


def found_after_crash(conn: Connection, now: datetime) -> int:
    """At start: messages that may have left when the process ended are `unknown`; errands, and what may be repeated,
    begin again. Returns how many messages."""
    interrupted = outbox.interrupted(conn)
    for errand in (item for item in interrupted if item.kind in ERRANDS):
        errands.again(conn, errand.id, now, "Pamosnik ended while it was under way", now)
    for action in (item for item in interrupted if item.kind in REPEATABLE):
        reason = "Pamosnik ended while it was under way"
        outbox.move(conn, action, ItemStatus.QUEUED, now=now, due_at=now, reason=reason, uncertain=True)
    found = [item for item in interrupted if item.kind not in ERRANDS | REPEATABLE]
    for item in found:
        _uncertain(
            conn, item, "Pamosnik ended while it was being sent", today(conn, item.account_id, now), now
        )
    return len(found)


def try_held_again(conn: Connection, now: datetime) -> None:
    """At start: whether the owner has mended something meanwhile nobody knows."""
    for connected in connections.with_tokens(conn):
        release_held(conn, connected.id, now)


def expire(conn: Connection, now: datetime, limit: int) -> int:
    """Ends what waited too long; returns how many."""
    late = outbox.too_late(conn, now, limit)
    for item in late:
        refusal = policy.permit(replace(item, status=ItemStatus.QUEUED), _contact(conn, item), now)
        reason = refusal.reason if isinstance(refusal, Refuse) else "too late"
        end(conn, item, ItemStatus.EXPIRED, reason, now)
    return len(late)


def _contact(conn: Connection, item: OutboxItem) -> Contact:
    contact = contacts.load(conn, item.contact_id)
    assert contact is not None
    return contact


def try_one_held(conn: Connection, connection_id: str, quota: Quota, now: datetime) -> bool:
    """Lets one go of what waits for the owner, the first to be too late; False when nothing waits."""
    held = [item for item in outbox.held_for_owner(conn, connection_id) if item.quota is quota]
    if not held:
        return False
    first = min(held, key=lambda item: item.deadline or datetime.max.replace(tzinfo=UTC))
    outbox.move(conn, first, ItemStatus.QUEUED, now=now, due_at=now, reason=first.reason)
    return True


def release_held(conn: Connection, connection_id: str, now: datetime, *, quota: Quota | None = None) -> int:
    """What waited for the owner may go, all of it or what counts against one quota. Returns how many."""
    held = [i for i in outbox.held_for_owner(conn, connection_id) if quota in (None, i.quota)]
    for item in held:
        outbox.move(conn, item, ItemStatus.QUEUED, now=now, due_at=max(item.due_at, now))
    return len(held)
