"""The first look at a live account: whether everything that Instagram tells comes here, one field after the other.

Somebody with a second Instagram account comments, taps and writes; each webhook that arrives proves its field. The
comment TEST is answered with a private reply that has a button: it shows whether messages leave, and its tap whether
people see buttons.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum

from pamosnik._sqlite import Connection
from pamosnik.errors import PamosnikError
from pamosnik.instagram import reading
from pamosnik.instagram.client import Instagram
from pamosnik.model.event import COMMENTS as KINDS_OF_COMMENTS
from pamosnik.model.event import MESSAGES, EventKind, Verdict
from pamosnik.model.outbox import ItemStatus, OutButton, OutMessage
from pamosnik.services import replying
from pamosnik.services.people import By
from pamosnik.store import accounts, connections, inbox, outbox
from pamosnik.store.connections import Connected, PrivateReplyButtons
from pamosnik.store.inbox import Arrival

WORD = "TEST"
BUTTON = "I see it"
PAYLOAD = "pamosnik-canary"
COMMENTS, BUTTONS = "comments", "messaging_postbacks"
"""Two of Meta's fields: the second tells of taps on buttons."""
_TEXT = f"A test of Pamosnik. Is there a button “{BUTTON}” below? Tap it, please."
_WITHOUT_BUTTON = "A test of Pamosnik. Instagram takes no buttons here."
_NO_WEBHOOK = frozenset({Verdict.OWN, Verdict.TEST})
"""Echoes of what was sent here, and the dashboard's Test button: that comes from apps that are not published, too."""
_ENDED = frozenset({ItemStatus.FAILED, ItemStatus.EXPIRED, ItemStatus.CANCELLED})


@dataclass(frozen=True, slots=True)
class Probe:
    """One webhook field, and what somebody does so that Instagram tells of it."""

    field: str
    task: str
    """`{post}`, `{shop}` and `{link}` stand for the newest post, the account and its ig.me link."""
    kinds: frozenset[EventKind]


PROBES: Sequence[Probe] = (
    Probe(COMMENTS, f"comment {WORD} on {{post}}", KINDS_OF_COMMENTS),
    Probe(
        BUTTONS,
        f"open the message that has come (perhaps under Requests) and tap “{BUTTON}”",
        frozenset({EventKind.POSTBACK}),
    ),
    Probe("messages", "write anything to @{shop}", MESSAGES),
    Probe(
        "messaging_seen", "stay in the conversation, so that it counts as read", frozenset({EventKind.SEEN})
    ),
    Probe(
        "message_reactions",
        "hold a message of @{shop} and choose a heart",
        frozenset({EventKind.REACTION}),
    ),
    Probe("messaging_referral", "open {link}", frozenset({EventKind.REFERRAL})),
)
"""`live_comments` is told only during a broadcast."""


class Heard(Enum):
    """How Instagram told of it."""

    NOT = "not"
    WEBHOOK = "webhook"
    ONLY_READ = "only read"
    """It happened, and was found by reading: no webhook came."""


async def newest_post(instagram: Instagram, token: str, connected: Connected) -> str | None:
    """Its address; None: there is none, or Instagram did not tell."""
    posts = reading.objects((await instagram.media(connected.ig_id, token)).body)
    return next((reading.text(post.get("permalink")) for post in posts), None)


def told(conn: Connection, connected: Connected, probe: Probe, since: str) -> Heard:
    """What came after the event `since` that proves the field."""
    came = [
        one
        for one in inbox.arrived_after(conn, connected.id, since)
        if one.kind in probe.kinds and one.verdict not in _NO_WEBHOOK and _is_the_tap(probe, one)
    ]
    if any(not one.recovered for one in came):
        return Heard.WEBHOOK
    return Heard.ONLY_READ if came else Heard.NOT


def _is_the_tap(probe: Probe, one: Arrival) -> bool:
    return EventKind.POSTBACK not in probe.kinds or one.payload == PAYLOAD


def the_comment(conn: Connection, connected: Connected, since: str) -> Arrival | None:
    """The comment TEST, once it has its verdict; customers may comment at the same time."""
    for one in inbox.arrived_after(conn, connected.id, since):
        is_test = (one.text or "").strip(" .!").casefold() == WORD.casefold()
        if one.kind in KINDS_OF_COMMENTS and is_test and one.verdict not in (*_NO_WEBHOOK, Verdict.PENDING):
            return one
    return None


def answer(conn: Connection, by: By, comment: Arrival) -> str:
    """The private reply with the button is in the outbox: its id. Automation does not rest for whoever tests. Raises
    `PamosnikError` where the comment cannot be answered so."""
    if comment.flow_id is not None:
        raise PamosnikError(f"your flow {comment.flow_id} has answered the comment")
    event, contact = replying.commented(conn, by, comment.event_id)
    refused = replying.why_no_private(conn, event, contact, by.now)
    if refused is not None:
        raise PamosnikError(refused)
    content = OutMessage(
        text=_TEXT, buttons=(OutButton(BUTTON, payload=PAYLOAD),), spelled_out=_WITHOUT_BUTTON
    )
    item = replace(replying.private_item(event, contact, by, _TEXT), content=content)
    item_id = outbox.add(conn, item, by.now)
    accounts.audit(conn, by.account.id, actor=by.actor, action="test message", subject=item_id, now=by.now)
    return item_id


@dataclass(frozen=True, slots=True)
class Fate:
    """What became of the private reply."""

    sent: bool
    problem: str | None
    """Why it did not leave, or not yet; None: it did, or is on its way."""
    without_button: bool = False
    """Instagram took it only as a plain text."""


def fate(conn: Connection, item_id: str) -> Fate | None:
    """None: it is still on its way."""
    item = outbox.load(conn, item_id)
    if item is None:
        return Fate(False, "it was deleted")
    if item.status is ItemStatus.SENT:
        return Fate(True, None, item.plain)
    if item.status in _ENDED or item.status in (ItemStatus.HELD, ItemStatus.UNKNOWN):
        return Fate(False, item.reason or item.status.value)
    return None


def buttons_were_seen(conn: Connection, connected: Connected, *, seen: bool) -> None:
    """From now on private replies of the account have buttons, or their labels in the text."""
    learned = PrivateReplyButtons.ACCEPTED if seen else PrivateReplyButtons.REFUSED
    connections.learn_buttons(conn, connected.id, learned)
