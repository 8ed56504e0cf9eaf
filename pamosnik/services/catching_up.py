"""What webhooks did not tell: messages and comments found by reading become events like any other, but marked.

Not answered are: what happened before the account was connected, and what the owner or another tool has answered
since. A webhook that comes late is a repetition of the event that is there.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from pamosnik._sqlite import Connection
from pamosnik.instagram import limits, reading
from pamosnik.instagram.reading import Conversation, Read, Reply
from pamosnik.model.event import Incoming, Verdict
from pamosnik.services import safety_words
from pamosnik.services.library import Library
from pamosnik.store import connections, inbox, outbox
from pamosnik.store import flows as flow_store
from pamosnik.store.aging import READ_BACK
from pamosnik.store.connections import Connected

WEBHOOK_FIRST = timedelta(seconds=30)
"""What is younger may still be on its way: a webhook tells more than reading does."""
ANSWERED = "answered since by you or another tool"


def missed_messages(
    conn: Connection, connected: Connected, conversation: Conversation, now: datetime
) -> list[Incoming]:
    """Messages of the person that no webhook told, the oldest first."""
    if conversation.igsid is None:
        return []
    from_us, since = (None, connected.ig_id), _looked_back_to(conn, connected)
    theirs = [m for m in conversation.messages if m.from_id not in from_us and _new(m, since, now)]
    told = inbox.known(conn, connected.id, [reading.recovered_message(m, "", "").key for m in theirs])
    answered_at = _answered_at(conn, connected, conversation)
    found = []
    for message in reversed(theirs):
        item = reading.recovered_message(message, connected.ig_id, conversation.igsid)
        if item.key in told:
            continue
        if answered_at is not None and message.at is not None and message.at <= answered_at:
            item = replace(item, verdict=Verdict.NOTED, reason=ANSWERED)
        found.append(item)
    return found


def _new(message: Read, since: datetime, now: datetime) -> bool:
    return message.at is not None and since <= message.at <= now - WEBHOOK_FIRST


def _looked_back_to(conn: Connection, connected: Connected) -> datetime:
    """What is older was read before, and may be too old to be kept: a conversation shows it once more when somebody
    writes in it. Asked anew each time, for retention goes on meanwhile."""
    read_until = connections.read_until(conn, connected.id)
    since = _since(connected)
    return since if read_until is None else max(since, read_until - READ_BACK)


def _since(connected: Connected) -> datetime:
    """Meta tells whole seconds here."""
    return connected.connected_at - timedelta(seconds=1)


def _answered_at(conn: Connection, connected: Connected, conversation: Conversation) -> datetime | None:
    """When somebody else than Pamosnik wrote for the business last."""
    ours = [m for m in conversation.messages if m.from_id == connected.ig_id and m.at is not None]
    sent = outbox.sent_ids(conn, connected.id, [m.mid for m in ours])
    others = [m.at for m in ours if m.mid not in sent and m.at is not None]
    return max(others, default=None)


def missed_comments(
    conn: Connection, connected: Connected, media_id: str, comments: Sequence[Reply], now: datetime
) -> list[Incoming]:
    """Comments and replies that no webhook told, the oldest first."""
    all_ = [(comment, None) for comment in comments]
    below = [(reply, comment.id) for comment in comments for reply in comment.replies]
    items = [
        (reading.recovered_comment(reply, connected.ig_id, media_id, parent), reply)
        for reply, parent in (*all_, *below)
        if _fresh(reply, connected, now) and not is_own(reply, connected)
    ]
    told = inbox.known(conn, connected.id, [item.key for item, _ in items])
    found = []
    for item, reply in sorted(items, key=lambda pair: str(pair[0].occurred_at)):
        if item.key in told:
            continue
        if _answered_below(conn, connected, reply):
            found.append(replace(item, verdict=Verdict.NOTED, reason=ANSWERED))
        else:
            found.append(item)
    return found


def _fresh(reply: Reply, connected: Connected, now: datetime) -> bool:
    """Old enough for its webhook to have come, young enough to be answered."""
    if reply.at is None or reply.from_id is None:
        return False
    earliest = max(_since(connected), now - limits.PRIVATE_REPLY_WITHIN)
    return earliest <= reply.at <= now - WEBHOOK_FIRST


def is_own(reply: Reply, connected: Connected) -> bool:
    """Whether the account itself wrote this."""
    if reply.from_id is not None:
        return reply.from_id in (connected.ig_id, connected.asid)
    return reply.username is not None and reply.username.casefold() == connected.username.casefold()


def _answered_below(conn: Connection, connected: Connected, comment: Reply) -> bool:
    own = [reply.id for reply in comment.replies if is_own(reply, connected)]
    return bool(own) and bool(set(own) - outbox.sent_ids(conn, connected.id, own))


def take_in_messages(
    conn: Connection, library: Library, connected: Connected, conversation: Conversation, now: datetime
) -> int:
    """Missed messages become events; returns how many. A STOP counts even if it has been answered since."""
    new = _store(conn, connected, missed_messages(conn, connected, conversation, now), now)
    for event_id, item in new:
        if item.reason == ANSWERED:
            safety_words.heed_answered(conn, library, event_id, now)
    return len(new)


def take_in_comments(
    conn: Connection, connected: Connected, media_id: str, comments: Sequence[Reply], now: datetime
) -> int:
    """Likewise missed comments."""
    return len(_store(conn, connected, missed_comments(conn, connected, media_id, comments, now), now))


def too_young(comments: Sequence[Reply], now: datetime) -> bool:
    """Whether some must be looked at again because their webhook may still come."""
    everyone = (*comments, *(reply for comment in comments for reply in comment.replies))
    return any(reply.at is not None and reply.at > now - WEBHOOK_FIRST for reply in everyone)


def _store(
    conn: Connection, connected: Connected, items: Iterable[Incoming], now: datetime
) -> list[tuple[str, Incoming]]:
    """Those that were new, with their event's id."""
    new = []
    for item in items:
        added = inbox.add(
            conn,
            account_id=connected.account_id,
            connection_id=connected.id,
            incoming=item,
            now=now,
        )
        if added is not None and added[1]:
            new.append((added[0], item))
    return new


def posts_to_read(
    conn: Connection, library: Library, connected: Connected, counts: dict[str, int]
) -> tuple[list[str], list[str]]:
    """(posts whose number of comments has changed since they were read, named posts that are not in the list)."""
    before = flow_store.comments_read(conn, connected.id)
    changed = [media_id for media_id, count in counts.items() if before.get(media_id, 0) != count]
    named = flow_store.named_posts(
        conn, connected.id, library.catalog(conn, connected.account_id).named_posts
    )
    return changed, sorted(named - counts.keys())
