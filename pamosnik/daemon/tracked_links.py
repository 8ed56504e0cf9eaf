"""Tracked links: `/l/{token}` counts who came and leads on to the one address that the link was made for."""

import re
from collections.abc import Callable
from functools import partial
from importlib import resources

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from pamosnik.clock import Clock
from pamosnik.model.addresses import is_web_address
from pamosnik.services import clicks
from pamosnik.store import links
from pamosnik.store.database import Database
from pamosnik.store.writer import GroupWriter

_NO_PERSON = re.compile(
    r"facebookexternalhit|facebookcatalog|facebot|meta-external|whatsapp/|bot/|crawler|spider|preview|slurp",
    re.IGNORECASE,
)
"""In the User-Agent of what looks at a page to show or to index it; Meta's own fetch addresses that are sent, for
their previews. `bot` alone would take phones of the brand Cubot."""
_AHEAD_OF_TIME = ("sec-purpose", "purpose", "x-purpose", "x-moz")
"""Headers that browsers send when they fetch what nobody has asked for yet."""


class TrackedLinks:
    """Never an open redirect: the address comes from the database, the request only names the link."""

    def __init__(
        self, writer: GroupWriter, reader: Database, clock: Clock, *, on_click: Callable[[], None]
    ) -> None:
        """`on_click` is called when a click may have woken a run."""
        self._writer = writer
        self._reader = reader
        self._clock = clock
        self._on_click = on_click
        self._unknown = (
            resources.files("pamosnik.daemon").joinpath("pages", "unknown_link.html").read_text("utf-8")
        )

    def routes(self) -> list[Route]:
        return [Route(f"{clicks.PATH}{{token}}", self.follow, methods=["GET"])]

    async def follow(self, request: Request) -> Response:
        """Machines are led on, too, and counted apart; HEAD is not counted."""
        token = request.path_params["token"]
        address = links.address_of(self._reader.connection, token)
        if address is None or not is_web_address(address):
            return HTMLResponse(self._unknown, 404)
        if request.method == "GET":
            await self._count(token, _by_a_person(request))
        return RedirectResponse(address, 302)

    async def _count(self, token: str, by_a_person: bool) -> None:
        """Whoever clicked is led on even where the click cannot be stored, or not soon."""
        now = self._clock.now()
        if by_a_person:
            await self._writer.note(partial(clicks.clicked, token=token, now=now), then=self._on_click)
        else:
            await self._writer.note(partial(clicks.previewed, token=token, now=now))


def _by_a_person(request: Request) -> bool:
    agent = request.headers.get("user-agent", "")
    ahead = any("prefetch" in request.headers.get(name, "").lower() for name in _AHEAD_OF_TIME)
    return not ahead and _NO_PERSON.search(agent) is None
