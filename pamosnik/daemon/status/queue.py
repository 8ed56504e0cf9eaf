"""The queue: why it is long, what waits for what, and what can be done about a single item."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from pamosnik._sqlite import Connection
from pamosnik.daemon.status.parts import StatusParts, told, with_words
from pamosnik.daemon.visitors import Form, Visitor
from pamosnik.errors import PamosnikError, UsageError
from pamosnik.model.outbox import ItemStatus, OutboxItem
from pamosnik.services import queue
from pamosnik.services.people import By
from pamosnik.services.queue import Fate
from pamosnik.services.reading import backlog, standing
from pamosnik.services.reading import queue as queue_reading
from pamosnik.services.reading.backlog import Backlog
from pamosnik.services.reading.holding import Holds
from pamosnik.services.reading.queue import Item, LookedThrough
from pamosnik.store import reads
from pamosnik.store.accounts import Account
from pamosnik.store.reads import QueueFilter

PATH = "/queue"
ONE = "/queue/{id}"
ROWS = 50
ROWS_OF_A_GROUP = 5

STATES: Mapping[str, tuple[str, ItemStatus | None]] = {
    "sent": ("sent", ItemStatus.SENT),
    "failed": ("failed", ItemStatus.FAILED),
    "expired": ("too late", ItemStatus.EXPIRED),
    "cancelled": ("called off", ItemStatus.CANCELLED),
    "all": ("everything", None),
}
"""Word of the address → what it is called, and which items it shows; without a word: what is not out yet."""

TOLD = {
    "retry": "It is in the queue again.",
    "cancel": "It was called off.",
    "sent": "It counts as sent.",
    "resend": "It will be sent again.",
    "drop": "It was left unsent.",
}


@dataclass(frozen=True, slots=True)
class _Waiting:
    backlogs: Sequence[tuple[str, Backlog]]
    """By connection."""
    whole: Backlog
    newest: Mapping[Holds, Sequence[Item]]
    """Some of each group."""
    counts: Mapping[str, int]


class QueuePages:
    def __init__(self, parts: StatusParts) -> None:
        self._parts = parts

    def routes(self) -> list[Route]:
        parts = self._parts
        return [
            parts.shown(PATH, self._list),
            parts.shown(ONE, self._one),
            parts.done(f"{ONE}/retry", _retry, refused=ONE),
            parts.done(f"{ONE}/cancel", _cancel, refused=ONE),
            parts.done(f"{ONE}/settle", _settle, refused=ONE),
        ]

    async def _list(self, request: Request, visitor: Visitor) -> Response:
        asked = request.query_params
        if asked.get("show") in STATES:
            return await self._settled(request, visitor, asked["show"])
        cause = asked.get("why")
        if cause in set(Holds):
            return await self._group(request, visitor, Holds(cause))
        now = self._parts.clock.now()
        waiting = await self._parts.read(visitor, partial(_waiting, account=visitor.account, now=now))
        zone = visitor.account.timezone
        values = {
            "sentences": [(name, one.sentence(zone, now)) for name, one in waiting.backlogs],
            "counts": waiting.counts,
            "groups": waiting.whole.groups,
            "newest": waiting.newest,
            "rows_of_a_group": ROWS_OF_A_GROUP,
            **_filters(None),
        }
        return self._parts.page("queue.html", visitor, values, page=PATH)

    async def _group(self, request: Request, visitor: Visitor, cause: Holds) -> Response:
        """All that waits for the same, the newest first."""
        before, now = request.query_params.get("before"), self._parts.clock.now()

        def read(conn: Connection) -> list[Item]:
            around = standing.outside(conn, visitor.account, now)
            waiting = standing.placed(conn, visitor.account, around, now, before=before)
            ids = [one.id for one in waiting if one.holds is cause][: ROWS + 1]
            return queue_reading.some(conn, visitor.account, ids, around, now)

        items = await self._parts.read(visitor, read)
        older = with_words(PATH, why=cause.value, before=items[ROWS - 1].id) if len(items) > ROWS else None
        values = {"items": items[:ROWS], "cause": cause, "older": older, **_filters(None)}
        return self._parts.page("queue_group.html", visitor, values, page=PATH)

    async def _settled(self, request: Request, visitor: Visitor, word: str) -> Response:
        before = request.query_params.get("before")
        called, status = STATES[word]

        def read(conn: Connection) -> LookedThrough:
            return queue_reading.in_state(
                conn, visitor.account, status, now=self._parts.clock.now(), limit=ROWS, before=before
            )

        found = await self._parts.read(visitor, read)
        values = {
            "found": found,
            "called": called,
            "word": word,
            "first": before is None,
            "older": with_words(PATH, show=word, before=found.before) if found.before else None,
            **_filters(word),
        }
        return self._parts.page("queue_ended.html", visitor, values, page=PATH)

    async def _one(self, request: Request, visitor: Visitor) -> Response:
        now = self._parts.clock.now()
        read = partial(_item, account=visitor.account, what=request.path_params["id"], now=now)
        item, whole = await self._parts.read(visitor, read)
        values = {
            "item": item,
            "whole": whole,
            "seen": _seen(whole),
            "in_time": whole.deadline is None or whole.deadline > now,
            "told": told(request, TOLD),
        }
        return self._parts.page("queue_item.html", visitor, values, page=PATH)


def _filters(shown: str | None) -> Mapping[str, object]:
    """Which lists there are, and which of them is shown."""
    links = [
        ("not out yet", PATH, None),
        *((name, with_words(PATH, show=word), word) for word, (name, _) in STATES.items()),
    ]
    return {"filters": [(name, address, word == shown) for name, address, word in links]}


def _waiting(conn: Connection, account: Account, now: datetime) -> _Waiting:
    around = standing.outside(conn, account, now)
    waiting = standing.placed(conn, account, around, now)
    whole = backlog.of(waiting)
    shown = {item_id for group in whole.groups for item_id in group.ids[:ROWS_OF_A_GROUP]}
    newest: dict[Holds, list[Item]] = {group.holds: [] for group in whole.groups}
    for item in queue_reading.some(conn, account, shown, around, now):
        assert item.holds is not None
        newest[item.holds].append(item)
    counts = reads.queue_counts(conn, account.id)
    return _Waiting(
        backlog.by_connection(waiting),
        whole,
        newest,
        {name: counts.get(name, 0) for name in ("queued", "held", "sending", "unknown")},
    )


def _item(conn: Connection, account: Account, what: str, now: datetime) -> tuple[Item, OutboxItem]:
    """Raises `NotFound`."""
    whole = queue.named(conn, account, what)
    (item,) = queue_reading.newest(conn, account, QueueFilter(item_id=whole.id), now=now)
    return item, whole


# --- what is done with one -------------------------------------------------------------------------------


def _retry(conn: Connection, by: By, request: Request, form: Form) -> str:
    item = _as_it_was_shown(conn, by, request, form)
    return _leads_to(queue.retry(conn, by.account, item.id, actor=by.actor, now=by.now), "retry")


def _cancel(conn: Connection, by: By, request: Request, form: Form) -> str:
    item = _as_it_was_shown(conn, by, request, form)
    return _leads_to(queue.cancel(conn, by.account, item.id, actor=by.actor, now=by.now), "cancel")


def _settle(conn: Connection, by: By, request: Request, form: Form) -> str:
    item = _as_it_was_shown(conn, by, request, form)
    said = form.get("fate", "")
    if said not in set(Fate):
        raise UsageError("What became of it?", hint="Choose one of the three.")
    done = queue.settle(conn, by.account, item.id, Fate(said), actor=by.actor, now=by.now)
    return _leads_to(done, said)


def _as_it_was_shown(conn: Connection, by: By, request: Request, form: Form) -> OutboxItem:
    """A form that is sent twice, or from a page of long ago, must not send a message once more: it counts as long as
    nothing has become of the item since. Raises `NotFound`, and `PamosnikError` when something has."""
    item = queue.named(conn, by.account, request.path_params["id"])
    if form.get("seen") != _seen(item):
        raise PamosnikError(
            f"Something has become of it since this page was shown: it is {item.status.value} now.",
            hint="Look at it again.",
        )
    return item


def _seen(item: OutboxItem) -> str:
    """Differs as soon as something has become of it."""
    return f"{item.status.value}-{item.attempts}"


def _leads_to(item_id: str, what: str) -> str:
    return with_words(f"{PATH}/{item_id}", told=what)
