"""The routes under `/phone`: the page, its state, and the two things that only a finger can point at.

Everything else people do is a POST to `/sandbox/…`.
"""

import hashlib
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from importlib import resources

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from pamosnik.errors import NotFound, PamosnikError, UsageError
from pamosnik.sandbox import people
from pamosnik.sandbox.params import Params
from pamosnik.sandbox.phone.behind import ACTIONS, Behind
from pamosnik.sandbox.phone.state import Looking, snapshot
from pamosnik.sandbox.phone.words import words
from pamosnik.sandbox.things import Account, Json, Message, Person
from pamosnik.sandbox.world import World

Endpoint = Callable[[Request], Awaitable[Response]]

_ADDRESS = "/phone/"
_PAGE = "page.html"
_TYPES = {"css": "text/css", "html": "text/html", "js": "text/javascript", "svg": "image/svg+xml"}


@dataclass(frozen=True, slots=True)
class _File:
    content: bytes
    media_type: str


class Phone:
    """The page of one world."""

    def __init__(self, world: World, behind: Behind) -> None:
        self._world = world
        self._behind = behind
        self._files = _load_files()
        # ids of threads; Instagram keeps this with the person, and no webhook tells it
        self._accepted: set[str] = set()

    def app(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/", self._file),
                Route("/state", _guarded(self._state)),
                Route("/tap", _guarded(self._tap), methods=["POST"]),
                Route("/accept", _guarded(self._accept), methods=["POST"]),
                Route("/words", _words),
                *(Route(f"/{name}", _guarded(self._action(name)), methods=["POST"]) for name in ACTIONS),
                Route("/{name:path}", self._file),
            ]
        )

    async def _file(self, request: Request) -> Response:
        file = self._files.get(request.path_params.get("name", _PAGE))
        if file is None:
            raise HTTPException(404)
        # never an old script beside a new page
        return Response(file.content, media_type=file.media_type, headers={"cache-control": "no-cache"})

    async def _state(self, request: Request) -> Response:
        """The whole view of `person` (or the first one) at `shop`; 304 while nothing changed."""
        looking = self._looking(Params(request.query_params))
        body = snapshot(looking)
        body["behind"] = await self._behind.shown(looking.account, looking.person)
        content = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
        tag = f'"{hashlib.sha256(content).hexdigest()[:32]}"'
        headers = {"etag": tag, "cache-control": "no-cache"}
        if request.headers.get("if-none-match") == tag:
            return Response(status_code=304, headers=headers)
        return Response(content, media_type="application/json", headers=headers)

    async def _tap(self, request: Request) -> Response:
        """Taps the chip or button `title` of the message `mid`, a button on the `card` of that number."""
        params = Params(await _body(request))
        looking = self._looking(params)
        mid, title = params.text("mid"), params.text("title")
        card = params.integer("card") if "card" in params else None
        shown = next((one for one in looking.messages if one.mid == mid), None)
        if shown is None or not shown.from_business:
            raise NotFound("that message is no longer there")
        tapped = _tap(self._world, looking.account, looking.person, shown, title, card)
        return JSONResponse({"mid": tapped.mid})

    async def _accept(self, request: Request) -> Response:
        """The person takes the shop's conversation out of their Requests."""
        thread = self._looking(Params(await _body(request))).thread
        if thread is None:
            raise NotFound("there is no request to accept")
        self._accepted.add(thread.id)
        return JSONResponse({})

    def _action(self, name: str) -> Endpoint:
        """Has the program that is observed do it."""

        async def endpoint(request: Request) -> Response:
            looking = self._looking(Params(await _body(request)))
            await self._behind.act(name, looking.account, looking.person)
            return JSONResponse({})

        return endpoint

    def _looking(self, params: Params) -> Looking:
        world = self._world
        if not world.people or not world.accounts:
            raise NotFound("the world is empty", hint="It needs a shop and a person.")
        named = params.text_or_none("person")
        person = next(iter(world.people.values())) if named is None else world.person_named(named)
        shop = params.text_or_none("shop") or next(iter(world.accounts.values())).username
        return Looking(world, person, world.account_named(shop), self._accepted)


async def _words(_: Request) -> Response:
    return JSONResponse(words())


async def to_page(_: Request) -> Response:
    return RedirectResponse(_ADDRESS, 302)


def page_before(graph: Endpoint) -> Endpoint:
    """The bare address opens the phone for a person with a browser; everything else there is Graph's.

    Only browsers send `Sec-Fetch-Mode: navigate`, so no client of the Graph API is ever sent away.
    """

    async def endpoint(request: Request) -> Response:
        if request.method == "GET" and request.headers.get("sec-fetch-mode") == "navigate":
            return RedirectResponse(_ADDRESS, 302)
        return await graph(request)

    return endpoint


def _tap(
    world: World, account: Account, person: Person, shown: Message, title: str, card: int | None
) -> Message:
    """`people.tap` takes the newest of that title; a finger may also point at an older button."""
    tapped = None
    for button in people.buttons_on(shown.content, card):
        if button.title == title:
            tapped = people.tap_button(world, account, person, button).message
    if title in {chip.title for chip in shown.content.chips}:
        tapped = people.tap(world, account, person, title).message
    if tapped is None:
        raise NotFound(f"there is no {title!r} to tap any more")
    return tapped


async def _body(request: Request) -> Json:
    try:
        body = await request.json()
    except ValueError:
        raise UsageError("the body is not valid JSON") from None
    if not isinstance(body, dict):
        raise UsageError("the body must be a JSON object")
    return body


def _guarded(answer: Endpoint) -> Endpoint:
    async def endpoint(request: Request) -> Response:
        try:
            return await answer(request)
        except PamosnikError as problem:
            status = 404 if isinstance(problem, NotFound) else 400
            return JSONResponse({"error": problem.message, "hint": problem.hint}, status)

    return endpoint


def _load_files() -> dict[str, _File]:
    """Everything under `static`, by its path there."""
    folder = resources.files("pamosnik.sandbox.phone").joinpath("static")
    found = {file.name: file for file in folder.iterdir() if file.is_file()}
    found |= {f"samples/{file.name}": file for file in folder.joinpath("samples").iterdir()}
    return {name: _File(file.read_bytes(), _TYPES[name.rpartition(".")[2]]) for name, file in found.items()}
