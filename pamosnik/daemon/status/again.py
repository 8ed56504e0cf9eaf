"""What nothing answered, tried again with the flows of now: one event, or everybody who wrote the same."""

from functools import partial

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from pamosnik._sqlite import Connection
from pamosnik.daemon.status.parts import StatusParts
from pamosnik.daemon.visitors import Form, Visitor
from pamosnik.errors import PamosnikError
from pamosnik.model.event import Verdict
from pamosnik.services import replaying
from pamosnik.services.library import Library
from pamosnik.services.people import By
from pamosnik.services.reading import events as event_reading
from pamosnik.services.replaying import AT_ONCE, Group

EVENTS = "/events"
MISSED = "/events/missed"
PATH = f"{MISSED}/answer"
_CHARS = 1000


class AgainPages:
    def __init__(self, parts: StatusParts) -> None:
        self._parts = parts
        self._library = Library(parts.address)
        """For the writer's thread alone."""

    def routes(self) -> list[Route]:
        return [
            self._parts.shown(PATH, self._group),
            self._parts.done(PATH, self._several, refused=MISSED),
            self._parts.done(f"{EVENTS}/{{id}}/replay", self._one, refused=f"{EVENTS}/{{id}}"),
        ]

    async def _group(self, request: Request, visitor: Visitor) -> Response:
        """Who would be answered, before anybody is."""
        now, group = self._parts.clock.now(), _group(request)
        read = partial(replaying.candidates, account=visitor.account, group=group, now=now)
        found, more = await self._parts.read(visitor, read)
        able = [one.event.id for one in found if one.against is None]
        values = {"group": group, "found": found, "able": able, "more": more}
        return self._parts.page("events_again.html", visitor, values, page=EVENTS)

    def _several(self, conn: Connection, by: By, _: Request, form: Form) -> str:
        """Just those that the page has shown; what was answered since stays as it is."""
        ids = list(dict.fromkeys(form.get("events", "").split()))[:AT_ONCE]
        known = [one for one in ids if event_reading.exists(conn, by.account, one)]
        done = [replaying.replay(conn, self._library, by, one) for one in known]
        answered = sum(one.tried for one in done)
        return f"{MISSED}?answered={answered}&left={len(done) - answered}"

    def _one(self, conn: Connection, by: By, request: Request, _: Form) -> str:
        """A second click leads to what the first has done."""
        event_id = request.path_params["id"]
        before = event_reading.by_id(conn, by.account, event_id)
        if Verdict(before.verdict) in (Verdict.STARTED, Verdict.RESUMED, Verdict.PENDING):
            return f"{EVENTS}/{event_id}?told=taken"
        done = replaying.replay(conn, self._library, by, event_id)
        if not done.tried:
            raise PamosnikError(f"Nothing is sent. {done.reason}")
        return f"{EVENTS}/{event_id}?told=again"


def _group(request: Request) -> Group:
    def given(name: str) -> str | None:
        return request.query_params.get(name, "")[:_CHARS] or None

    return Group(
        kind=given("kind"),
        words=given("words"),
        connection=given("connection"),
        flow=given("flow"),
        reason=given("reason"),
    )
