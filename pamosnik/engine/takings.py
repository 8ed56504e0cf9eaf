"""Which comments the flows of a book would answer with a private message, as far as the comments alone tell.

That is the most it can be: `only_if` is taken to hold, nobody is in a flow already, and nobody had one before.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from pamosnik.engine.admission import Occasion, against_limits
from pamosnik.engine.catalog import Catalog, Posts
from pamosnik.engine.match import Heard
from pamosnik.model.event import Event, EventKind, Incoming
from pamosnik.model.flow import Flow, FlowState
from pamosnik.model.step import Ask, ForgetMe, GiveCode, RunFlow, Send
from pamosnik.model.trigger import CommentTrigger


@dataclass(frozen=True, slots=True)
class Comment:
    """Somebody's comment under a post or reel."""

    at: datetime
    igsid: str
    text: str
    media_id: str | None
    parent_id: str | None


@dataclass(frozen=True, slots=True)
class Place:
    """Where they stand: the connection's username, and what is known of its posts."""

    username: str
    shortcodes: Mapping[str, str | None]
    """Media id → the part of its link that names it."""
    bound: Mapping[str, str]
    """Flow id → the post that `post: next` came to mean."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A book, and the place where its flows would have been asked."""

    catalog: Catalog
    place: Place


Taken = tuple[datetime, str]
"""When, and by which flow."""


def private_replies(books: Sequence[Asked], comments: Iterable[Comment], now: datetime) -> list[list[Taken]]:
    """For each book, of the comments that would get a private message. `comments`: the earliest first.

    `active` counts only where it is over: what is to come is looked at as if it had been there.
    """
    all_takes = [_Takes(book, now) for book in books]
    # People write the same few words under the same few posts: each is looked up once.
    known: dict[tuple[str, str | None, bool], list[tuple[Flow, ...]]] = {}
    for comment in comments:
        key = (comment.text, comment.media_id, comment.parent_id is None)
        fitting = known.get(key)
        if fitting is None:
            event, heard = _event(comment), Heard.of(comment.text)
            fitting = known[key] = [takes.fitting(event, heard) for takes in all_takes]
        for takes, flows in zip(all_takes, fitting, strict=True):
            takes.take(comment, flows)
    return [takes.taken for takes in all_takes]


class _Takes:
    """What the flows of one book would have taken so far."""

    def __init__(self, book: Asked, now: datetime) -> None:
        self._book, self._now = book, now
        self._starts: dict[tuple[str, str], dict[str, datetime]] = {}
        self._writes = {flow_id: writes(book.catalog, flow_id) for flow_id in book.catalog.flows}
        self.taken: list[Taken] = []

    def fitting(self, event: Event, heard: Heard) -> tuple[Flow, ...]:
        """Flows that could take it, the one to be asked first at the front."""
        catalog, place = self._book.catalog, self._book.place
        posts = Posts(place.shortcodes.get(event.incoming.media_id or ""), place.bound)
        found = catalog.candidates(event, heard, first_message=False, posts=posts, username=place.username)
        return tuple(candidate.flow for candidate in found if self._may_start(candidate.flow))

    def _may_start(self, flow: Flow) -> bool:
        paused = flow.state is FlowState.PAUSED or flow.id in self._book.catalog.paused
        return not paused and (flow.active.until is None or self._now < flow.active.until)

    def take(self, comment: Comment, flows: Iterable[Flow]) -> None:
        occasion = Occasion(comment.text, media_id=comment.media_id)
        for flow in flows:
            before = self._starts.setdefault((flow.id, comment.igsid), {})
            if against_limits(flow, before, occasion, "UTC", comment.at) is None:
                before[comment.media_id or ""] = comment.at
                if self._writes[flow.id]:
                    self.taken.append((comment.at, flow.id))
                return


def _event(comment: Comment) -> Event:
    incoming = Incoming(
        ig_id="",
        key="",
        kind=EventKind.COMMENT,
        text=comment.text,
        media_id=comment.media_id,
        parent_id=comment.parent_id,
    )
    return Event("", "", "", incoming, comment.at, 0)


def writes(catalog: Catalog, flow_id: str) -> bool:
    """Whether a run that begins in this flow may send a message."""
    todo, seen = [flow_id], set[str]()
    while todo:
        flow = catalog.flows.get(todo.pop())
        if flow is None or flow.id in seen:
            continue
        seen.add(flow.id)
        for step in flow.steps.values():
            match step:
                case Send() | Ask() | ForgetMe():
                    return True
                case GiveCode() if step.text is not None:
                    return True
                case RunFlow():
                    todo.append(step.flow)
    return False


def alike(one: Catalog, other: Catalog, renamed: Mapping[str, str]) -> bool:
    """Whether two books take the same comments. `renamed`: id in the other → id in the one."""
    return _of_comments(one, {}) == _of_comments(other, renamed)


def _of_comments(catalog: Catalog, renamed: Mapping[str, str]) -> list[object]:
    return [
        (
            renamed.get(flow.id, flow.id),
            triggers,
            flow.priority,
            flow.limits,
            flow.active.until,
            flow.state,
            flow.id in catalog.paused,
            flow.connections,
            writes(catalog, flow.id),
        )
        for flow in catalog.book.flows
        if (triggers := [trigger for trigger in flow.triggers if isinstance(trigger, CommentTrigger)])
    ]
