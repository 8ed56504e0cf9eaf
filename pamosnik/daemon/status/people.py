"""Whom the business knows: the list, the search, and who waits for a human."""

from collections.abc import Mapping
from datetime import datetime
from functools import partial

from starlette.datastructures import QueryParams
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from pamosnik.daemon.status.parts import StatusParts, with_words
from pamosnik.daemon.visitors import Visitor
from pamosnik.errors import UsageError
from pamosnik.model.words import fold
from pamosnik.services import listing
from pamosnik.services.reading import waiting
from pamosnik.store.people import Wanted

PATH = "/people"
WAITING = f"{PATH}/waiting"
IN_A_PART = 50
_LONGEST_TAG = 64

WHICH: Mapping[str, str] = {"": "Everybody", "open": "Window open", "out": "Opted out"}
"""What the list can be narrowed to, and how that is called."""


def wanted(asked: QueryParams, now: datetime) -> Wanted:
    """Whom the words of an address ask for."""
    which = asked.get("which")
    return Wanted(opted_out=which == "out", open_at=now if which == "open" else None, tag=_tag(asked) or None)


def _tag(asked: QueryParams) -> str:
    return asked.get("tag", "")[:_LONGEST_TAG].strip()


class PeoplePages:
    def __init__(self, parts: StatusParts) -> None:
        self._parts = parts

    def routes(self) -> list[Route]:
        return [
            self._parts.shown(PATH, self._list),
            Route(PATH, self._found, methods=["POST"]),
            self._parts.shown(WAITING, self._waiting),
        ]

    async def _list(self, request: Request, visitor: Visitor) -> Response:
        asked = request.query_params
        which, tag = asked.get("which", ""), _tag(asked)
        place = listing.Wanted(IN_A_PART, before=asked.get("before") or None)
        try:
            rows, before = await self._read(visitor, wanted(asked, self._parts.clock.now()), place)
        except UsageError as error:
            raise HTTPException(404) from error
        older = None if before is None else with_words(PATH, which=which, tag=tag, before=before)
        values = {
            "rows": rows,
            "older": older,
            "which": which,
            "tag": tag,
            "text": "",
            "first": not place.before,
            "as_csv": with_words(f"{PATH}.csv", which=which if which in WHICH else None, tag=tag),
        }
        return await self._shown(visitor, values)

    async def _found(self, request: Request) -> Response:
        """Sent by POST: a name in an address would stay in histories and logs."""
        visitor, form = await self._parts.visitors.form(request)
        text = form.get("text", "").strip()[:200]
        called = Wanted(text=fold(text).removeprefix("@") or None)
        rows, before = await self._read(visitor, called, listing.Wanted(IN_A_PART))
        values = {"rows": rows, "older": None, "which": "", "tag": "", "text": text, "first": True}
        return await self._shown(visitor, {**values, "more": before is not None})

    async def _read(
        self, visitor: Visitor, which: Wanted, place: listing.Wanted
    ) -> tuple[object, str | None]:
        now = self._parts.clock.now()
        read = partial(listing.heard, account=visitor.account, which=which, wanted=place, now=now)
        return await self._parts.read(visitor, read)

    async def _shown(self, visitor: Visitor, values: Mapping[str, object]) -> Response:
        now = self._parts.clock.now()
        number = partial(waiting.number, account=visitor.account, now=now)
        more = {
            "waiting": await self._parts.read(visitor, number),
            "all": WHICH,
            "now": now,
            "more": False,
            "as_csv": None,
        }
        return self._parts.page("people.html", visitor, {**more, **values}, page=PATH)

    async def _waiting(self, _: Request, visitor: Visitor) -> Response:
        now = self._parts.clock.now()
        read = partial(waiting.of_account, account=visitor.account, now=now)
        rows = await self._parts.read(visitor, read)
        values = {
            "in_time": [one for one in rows if one.in_time(now)],
            "too_late": [one for one in rows if not one.in_time(now)],
            "now": now,
        }
        return self._parts.page("people_waiting.html", visitor, values, page=PATH)
