"""What came in, why each of it ended as it did, what nothing answered, and answers by hand.

Whoever looks for an id or for somebody's `@username` is led straight there.
"""

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TypeVar

from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from pamosnik._sqlite import Connection
from pamosnik.daemon.status.parts import StatusParts, told, with_words
from pamosnik.daemon.visitors import Form, Visitor
from pamosnik.ids import is_id, new_id
from pamosnik.services import event_views, missed, replying
from pamosnik.services.library import Library
from pamosnik.services.people import By
from pamosnik.services.reading import event_lists as event_lists_reading
from pamosnik.services.reading.event_lists import KINDS, VERDICTS, Found, Wanted
from pamosnik.store import connections, contacts, event_lists, flows
from pamosnik.store.accounts import Account

T = TypeVar("T")
PATH = "/events"
MISSED_PATH = "/events/missed"
_TEXT_CHARS = 200
_KIND_LINKS = (
    (None, "From people"),
    ("comments", "Comments"),
    ("messages", "Messages"),
    ("other", "Receipts and other"),
)
_VERDICT_LINKS = (
    (None, "All"),
    ("answered", "Answered"),
    ("unanswered", "Not answered"),
    ("waiting", "Waiting"),
    ("errors", "Errors"),
    ("noted", "Noted"),
)
_TOLD = {
    "message": "Your message is on its way.",
    "private": "Your private reply is on its way.",
    "public": "Your public reply is on its way.",
    "again": "It was tried again: see below what comes of it.",
    "taken": "It had been answered already: nothing more is sent.",
}


@dataclass(frozen=True, slots=True)
class Link:
    label: str
    address: str
    current: bool = False


@dataclass(frozen=True, slots=True)
class Chosen:
    """A filter that no list offers: it can be taken back only."""

    label: str
    without: str
    """The address without it."""


@dataclass(frozen=True, slots=True)
class ListView:
    wanted: Wanted
    found: Found
    kinds: Sequence[Link]
    verdicts: Sequence[Link]
    chosen: Sequence[Chosen]
    flows: Sequence[str]
    connections: Sequence[str]
    """Where there are several."""
    further: str | None
    """The address of the next part."""
    as_csv: str

    @property
    def filtered(self) -> bool:
        return replace(self.wanted, before=None) != Wanted()


class _OfThread(threading.local):
    """The flows as they were compiled: one of `Aside`'s threads does not use what another is filling."""

    def __init__(self) -> None:
        self.library = Library()


class EventsPage:
    def __init__(self, parts: StatusParts) -> None:
        self._parts = parts
        self._of_thread = _OfThread()

    def routes(self) -> list[Route]:
        done = partial(self._parts.done, refused=f"{PATH}/{{id}}")
        return [
            self._parts.shown(PATH, self._list),
            self._parts.shown(MISSED_PATH, self._missed),
            self._parts.shown(f"{PATH}/{{id}}", self._event),
            done(f"{PATH}/{{id}}/message", _message),
            done(f"{PATH}/{{id}}/private", _private),
            done(f"{PATH}/{{id}}/public", _public),
        ]

    def _with_library(self, read: Callable[..., T]) -> Callable[[Connection], T]:
        return lambda conn: read(conn, library=self._of_thread.library)

    # --- pages ---------------------------------------------------------------------------------------

    async def _list(self, request: Request, visitor: Visitor) -> Response:
        asked = wanted(request.query_params)
        found = await self._parts.read(visitor, partial(_look, account=visitor.account, wanted=asked))
        if isinstance(found, str):
            return RedirectResponse(found, 303)
        return self._parts.page("events.html", visitor, {"view": found, "group_of": group_of}, page=PATH)

    async def _missed(self, request: Request, visitor: Visitor) -> Response:
        read = partial(missed.lately, account=visitor.account, now=self._parts.clock.now())
        found = await self._parts.read(visitor, self._with_library(read))
        values = {
            "missed": found,
            "several": len({one.connection for one in found.words}) > 1,
            "looked_at": missed.LOOKED_AT,
            "done": _counted(request.query_params),
        }
        return self._parts.page("events_missed.html", visitor, values, page=PATH)

    async def _event(self, request: Request, visitor: Visitor) -> Response:
        now = self._parts.clock.now()
        read = partial(
            event_views.of_id,
            account=visitor.account,
            event_id=request.path_params["id"],
            now=now,
        )
        view = await self._parts.read(visitor, self._with_library(read))
        values = {
            "view": view,
            "group": group_of(view.event.verdict),
            "now": now,
            "key": new_id(now),
            "told": told(request, _TOLD),
        }
        return self._parts.page("event.html", visitor, values, page=PATH)


# --- what is asked for -----------------------------------------------------------------------------------


def group_of(verdict: str) -> str:
    """The word of the group that a verdict is in."""
    return next(word for word, verdicts in VERDICTS.items() if verdict in verdicts)


def wanted(query: QueryParams) -> Wanted:
    """Words that no list offers, and places that no part ended at, count as none."""

    def given(name: str, of: Mapping[str, object] | None = None) -> str | None:
        word = query.get(name, "").strip()[:_TEXT_CHARS]
        return word if word and (of is None or word in of) else None

    before = given("before")
    return Wanted(
        kind=given("kind", KINDS),
        verdict=given("verdict", VERDICTS),
        flow=given("flow"),
        post=given("post"),
        connection=given("connection"),
        person=given("person"),
        day=given("day"),
        text=given("q"),
        before=before if before is not None and is_id(before) else None,
    )


def _counted(query: QueryParams) -> tuple[int, int] | None:
    """How many were just answered, and how many left as they were; None: nobody was tried again."""
    answered, left = query.get("answered", ""), query.get("left", "")
    if not (answered.isdecimal() and left.isdecimal()) or len(answered + left) > 6:
        return None
    return int(answered), int(left)


def _address(wanted: Wanted, path: str = PATH) -> str:
    return with_words(
        path,
        kind=wanted.kind,
        verdict=wanted.verdict,
        flow=wanted.flow,
        post=wanted.post,
        connection=wanted.connection,
        person=wanted.person,
        day=wanted.day,
        q=wanted.text,
        before=wanted.before,
    )


def _look(conn: Connection, account: Account, wanted: Wanted) -> ListView | str:
    """An address where what is looked for is there."""
    if wanted.text is not None and wanted.before is None:
        event_id = event_lists_reading.straight_to(conn, account, wanted.text)
        if event_id is not None:
            return f"{PATH}/{event_id}"
        person = event_lists_reading.person_called(conn, account, wanted.text)
        if person is not None:
            return _address(replace(wanted, text=None, person=person))
    found = event_lists_reading.look(conn, account, wanted)
    first = replace(wanted, before=None)
    names = [one.username for one in connections.of_account(conn, account.id)]
    return ListView(
        wanted=wanted,
        found=found,
        kinds=[
            Link(label, _address(replace(first, kind=word)), word == wanted.kind)
            for word, label in _KIND_LINKS
        ],
        verdicts=[
            Link(label, _address(replace(first, verdict=word)), word == wanted.verdict)
            for word, label in _VERDICT_LINKS
        ],
        chosen=_chosen(conn, account, first),
        flows=[flow.flow_id for flow in flows.applied(conn, account.id)],
        connections=names if len(names) > 1 else [],
        as_csv=_address(first, f"{PATH}.csv"),
        further=None if found.before is None else _address(replace(wanted, before=found.before)),
    )


def _chosen(conn: Connection, account: Account, wanted: Wanted) -> list[Chosen]:
    chosen = []
    if wanted.person is not None:
        contact = contacts.load(conn, wanted.person)
        if contact is not None:
            name = f"@{contact.username}" if contact.username else contact.igsid
            chosen.append(Chosen(f"of {name}", _address(replace(wanted, person=None))))
    if wanted.post is not None:
        whose = event_lists.connection_of_post(conn, account.id, wanted.post)
        post = None if whose is None else flows.told(conn, whose, wanted.post)
        caption = post.caption if post is not None and post.caption else wanted.post
        chosen.append(Chosen(f"under “{_short(caption)}”", _address(replace(wanted, post=None))))
    return chosen


def _short(caption: str) -> str:
    return caption if len(caption) <= 60 else f"{caption[:59]}…"


# --- answers by hand -------------------------------------------------------------------------------------


def _message(conn: Connection, by: By, request: Request, form: Form) -> str:
    event_id = request.path_params["id"]
    person = event_views.writer(conn, by.account, event_id)
    replying.reply(conn, by, person.id, form.get("text", ""), key=form.get("key"))
    return f"{PATH}/{event_id}?told=message"


def _private(conn: Connection, by: By, request: Request, form: Form) -> str:
    event_id = request.path_params["id"]
    replying.private_reply(conn, by, event_id, form.get("text", ""), key=form.get("key"))
    return f"{PATH}/{event_id}?told=private"


def _public(conn: Connection, by: By, request: Request, form: Form) -> str:
    event_id = request.path_params["id"]
    replying.public_reply(conn, by, event_id, form.get("text", ""), key=form.get("key"))
    return f"{PATH}/{event_id}?told=public"
