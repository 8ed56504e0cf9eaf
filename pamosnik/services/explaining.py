"""`why`: one sentence on what happened to an event, the checks behind it, and what to do."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from pamosnik._sqlite import Connection
from pamosnik.engine.match import Heard
from pamosnik.engine.nearness import closest
from pamosnik.model.event import CHANGES, Event, EventKind
from pamosnik.services.library import Library
from pamosnik.services.matching import came_close
from pamosnik.services.posts import posts_of
from pamosnik.services.reading import events, queue
from pamosnik.services.reading import links as link_reading
from pamosnik.services.shapes import Shape
from pamosnik.store import connections, inbox
from pamosnik.store.accounts import Account
from pamosnik.store.reads import QueueFilter

_WORDS = {
    "started": "started the flow {flow}",
    "resumed": "went on in the flow {flow}",
    "no_match": "was taken by no flow",
    "filtered": "fits the flow {flow}, which did not take it",
    "noted": "was noted; nothing had to be done",
    "paused": "was not answered",
    "handed_over": "was not answered",
    "opted_out": "was not answered",
    "own": "is the account's own",
    "test": "is a test of Meta's dashboard",
    "unsupported": "cannot be understood by this version",
    "error": "could not be worked on",
    "pending": "waits for its turn",
}


_KINDS = {"tag_added": "new tag", "field_set": "new value of a field"}
"""What other kinds are called is their name."""


@dataclass(frozen=True, slots=True)
class Why:
    event: Shape
    sentence: str
    checks: Sequence[Sequence[str]]
    sent: Sequence[Shape]
    """What it put into the outbox, in order."""
    advice: str | None
    links: Sequence[Shape] = ()
    """Tracked links that it sent, with their clicks."""

    def as_json(self) -> Shape:
        return {
            **self.event,
            "sentence": self.sentence,
            "checks": [list(check) for check in self.checks],
            "queue": list(self.sent),
            "links": list(self.links),
            "advice": self.advice,
        }


def why(conn: Connection, account: Account, what: str, now: datetime) -> Why:
    """About the event that an id names, or a person's latest. Raises `NotFound`."""
    event, checks = events.named(conn, account, what)
    done = _WORDS[event.verdict].format(flow=event.flow)
    kind = _KINDS.get(event.kind, event.kind.replace("_", " "))
    reason = f": {event.reason}" if event.reason else ""
    of_it = QueueFilter(event_id=event.id)
    sent = [item.shape() for item in reversed(queue.newest(conn, account, of_it, now=now))]
    advice = None
    if event.verdict == "no_match":
        advice = _advice(conn, account, event.id)
    links = [link.shape() for link in link_reading.sent(conn, account, event_id=event.id)]
    return Why(event.shape(), f"This {kind} {done}{reason}.", checks, sent, advice, links)


def _advice(conn: Connection, account: Account, event_id: str) -> str:
    """Judged by what is applied now."""
    catalog = Library().catalog(conn, account.id)
    event = inbox.load(conn, event_id)
    assert event is not None
    if event.kind in CHANGES:
        return "The flow that waits for it is for other connected accounts (`connections`)."
    if event.kind is EventKind.REFERRAL:
        return _open_door(event)
    username = connections.load(conn, event.connection_id).username
    heard = Heard.of(event.incoming.text)
    near = closest(catalog, event, heard, posts=posts_of(conn, catalog, event), username=username, most=1)
    if near:
        return came_close(near[0])
    if not catalog.book.flows:
        return "No flow is applied. Try: pamosnik flows apply flows.yaml"
    return "No keyword comes close. Add one to a flow, or a flow with `anything_else`."


def _open_door(event: Event) -> str:
    if event.incoming.ad_id is not None:
        return f"To answer people who come through this ad, give a flow the trigger `ad: {event.incoming.ad_id}`."
    if event.incoming.ref:
        return f"To answer people who open this link, give a flow the trigger `link: {event.incoming.ref}`."
    return "To answer people who open a link of yours, give a flow the trigger `link`."
