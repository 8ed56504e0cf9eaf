"""`/sandbox/…`: a small HTTP API that plays the people, the owner, and the app's dashboard.

Every address takes and answers JSON. `account` (a username) may be left out while there is one account, `post`
for the newest post or reel. What cannot be done answers 400, what does not exist 404, both as `{"error": …}`.
`GET /sandbox/` lists the addresses.
"""

from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from pamosnik.errors import NotFound, PamosnikError, UsageError
from pamosnik.sandbox import desk, entrances, views
from pamosnik.sandbox.acts import Act, Acts, Address
from pamosnik.sandbox.graph import Graph
from pamosnik.sandbox.params import Params, read_object
from pamosnik.sandbox.things import Comment, Json, Message
from pamosnik.sandbox.webhooks import Deliverer
from pamosnik.sandbox.world import World


@dataclass(frozen=True, slots=True)
class _Look:
    """An address that waits, or answers more than an object."""

    address: Address
    answer: Callable[[Request], Awaitable[object]]


class Control:
    """The people and the switches of one world."""

    def __init__(self, world: World, deliverer: Deliverer, graph: Graph) -> None:
        self._world = world
        self._deliverer = deliverer
        self._graph = graph
        self._acts = Acts(world)

    def app(self) -> Starlette:
        acts = [
            Route(act.address.path, _endpoint(act.do), methods=["POST"])
            for act in (*self._acts.all(), *self._desk())
        ]
        looks = [
            Route(look.address.path, _guarded(look.answer), methods=[look.address.method])
            for look in self._looks()
        ]
        return Starlette(
            routes=[*acts, *looks], exception_handlers={404: self._no_address, 405: self._no_address}
        )

    async def _no_address(self, request: Request, problem: Exception) -> Response:
        """An address that there is not, or not for that method."""
        path = "/" + request.url.path.removeprefix("/sandbox").lstrip("/")
        if isinstance(problem, HTTPException) and problem.status_code == 405:
            allowed = (problem.headers or {}).get("Allow", "").split(", ")
            methods = [one.method for one in self.addresses() if one.path == path] or sorted(allowed)
            said = f"/sandbox{path} does not take {request.method}"
            return JSONResponse({"error": said, "hint": f"Call it with {' or '.join(methods)}."}, 405)
        said = f"there is no address /sandbox{path}"
        return JSONResponse({"error": said, "hint": "GET /sandbox/ lists the addresses."}, 404)

    def addresses(self) -> tuple[Address, ...]:
        """All of them, as the documentation lists them."""
        acts = (act.address for act in (*self._acts.all(), *self._desk()))
        return (*acts, *(look.address for look in self._looks()))

    def _desk(self) -> tuple[Act, ...]:
        world, deliverer, armed = self._world, self._deliverer, self._graph.faults
        return (
            _desk_act(
                "accounts",
                lambda params: desk.add_account(world, params),
                "username, name?, account_type?",
                "another professional account, with a token",
            ),
            _desk_act(
                "token",
                lambda params: desk.new_token(world, params),
                "account?",
                "a further long-lived token",
            ),
            _desk_act(
                "revoke",
                lambda params: desk.revoke(world, params),
                "subcode?, account?",
                "all tokens of the account answer 190 with that subcode (460)",
            ),
            _desk_act(
                "switches",
                lambda params: desk.switch(world, deliverer, params),
                "any switch, account?",
                "sets switches; answers like state",
            ),
            _desk_act(
                "faults",
                lambda params: desk.arm(world, armed, params),
                "fault, endpoint?, person?, nth?, times?",
                "makes Graph calls fail; answers the active row",
            ),
            _desk_act(
                "clear_faults", lambda params: desk.clear(armed, params), "id?", "ends one fault, or all"
            ),
            _desk_act(
                "use_flow",
                lambda params: desk.use_flow(world, params),
                "flow_id, used?",
                "an ad uses a welcome flow, or stops to",
            ),
            _desk_act(
                "test_event",
                self._test_event,
                "shape?",
                "the dashboard's test: changes (default) or messaging",
            ),
        )

    def _looks(self) -> tuple[_Look, ...]:
        return (
            _look(
                "POST",
                "configure",
                self._configure,
                ", ".join(f"{name}?" for name in desk.CONFIGURE),
                _CONFIGURE,
            ),
            _look("POST", "settle", self._settle, "", "waits until every delivery is done"),
            _look(
                "POST",
                "deauthorize",
                self._deauthorize,
                "url?, secret?, user_id?, expires?, account?",
                "the owner removes the app: tokens and subscription end, the callback is made and reported",
            ),
            _look(
                "POST",
                "data_deletion",
                self._data_deletion,
                "url?, secret?, user_id?, expires?, account?",
                "asks the app to delete data, and reports its answer",
            ),
            _look("GET", "faults", self._faults, "", "the catalog, and what is active"),
            _look("GET", "state", self._state, "", "app, accounts with tokens, people, switches"),
            _look("GET", "thread/{username}", self._thread, "account?", "one conversation, oldest first"),
            _look("GET", "comments", self._comments, "post?, account?", "comments of a post, oldest first"),
            _look(
                "GET", "entrances", self._entrances, "account?", "ice breakers and menu as a person sees them"
            ),
            _look("GET", "requests", self._requests, "", "the Graph calls made, without secrets"),
            _look("GET", "deliveries", self._deliveries, "", "the webhook POSTs made"),
            _look("GET", "", self._addresses, "", "these addresses"),
        )

    def _test_event(self, params: Params) -> Json:
        shape = params.text_or_none("shape") or "changes"
        if shape not in ("changes", "messaging"):
            raise UsageError("shape is changes or messaging")
        self._deliverer.offer_test(before=shape == "messaging")
        return {}

    async def _configure(self, request: Request) -> object:
        """Answers after the handshake; nothing changes when it fails."""
        params = await _body(request)
        await self._deliverer.configure(desk.configured(self._world.app, params))
        return desk.app_state(self._world.app)

    async def _settle(self, _: Request) -> object:
        await self._deliverer.settle()
        return {}

    async def _deauthorize(self, request: Request) -> object:
        return await desk.deauthorize(self._world, await _body(request))

    async def _data_deletion(self, request: Request) -> object:
        return await desk.delete_data(self._world, await _body(request))

    async def _faults(self, _: Request) -> object:
        return desk.known_faults(self._graph.faults)

    async def _thread(self, request: Request) -> object:
        account = self._world.account_named(request.query_params.get("account"))
        person = self._world.person_named(request.path_params["username"])
        thread = self._world.thread_with(account, self._world.igsid(account, person))
        shown = () if thread is None else self._world.messages_in(thread)
        return [_bubble(message) for message in shown]

    async def _comments(self, request: Request) -> object:
        params = Params(request.query_params)
        media = self._acts.post(self._acts.account(params), params)
        newest_first = self._world.comments_on(media)
        return [self._comment_shown(comment) for comment in reversed(newest_first)]

    async def _entrances(self, request: Request) -> object:
        account = self._world.account_named(request.query_params.get("account"))
        questions = [known.question for one in account.ice_breakers for known in one.questions]
        menu = [{"type": item.kind.value, "title": item.title} for item in entrances.menu_items(account)]
        return {"ice_breakers": questions, "menu": menu}

    async def _requests(self, _: Request) -> object:
        return [asdict(one) | {"at": views.iso(one.at)} for one in self._graph.requests]

    async def _deliveries(self, _: Request) -> object:
        return [asdict(one) | {"at": views.iso(one.at)} for one in self._deliverer.log]

    async def _state(self, _: Request) -> object:
        return desk.state(self._world, self._deliverer)

    async def _addresses(self, _: Request) -> object:
        return [asdict(address) for address in self.addresses()]

    def _comment_shown(self, comment: Comment) -> Json:
        replies = [self._comment_shown(reply) for reply in self._world.replies_to(comment)]
        author = "business" if comment.igsid is None else "person"
        return {
            "id": comment.id,
            "from": author,
            "username": comment.username,
            "text": comment.text,
            "hidden": comment.hidden,
            "at": views.iso(comment.created_at),
            "replies": replies,
        }


_CONFIGURE = (
    "the app's dashboard; a callback address is asked for the challenge, and nothing changes if it fails"
)


def _desk_act(name: str, do: Callable[[Params], Json], takes: str, says: str) -> Act:
    return Act(Address("POST", f"/{name}", takes, says), do)


def _look(
    method: str, name: str, answer: Callable[[Request], Awaitable[object]], takes: str, says: str
) -> _Look:
    return _Look(Address(method, f"/{name}", takes, says), answer)


def _bubble(message: Message) -> Json:
    """A message as the phone shows it: a template is its cards' titles, one per line."""
    content = message.content
    text = content.text
    if content.cards:
        text = "\n".join(card.title for card in content.cards)
    card_images = [card.image_url for card in content.cards if card.image_url is not None]
    return {
        "from": "business" if message.from_business else "person",
        "text": text,
        "buttons": [button.title for button in content.buttons],
        "chips": [chip.title for chip in content.chips],
        "images": [one.url for one in content.attachments if one.kind == "image"] + card_images,
        "shop_reaction": message.business_reaction,
        "reply_to": message.reply_to_mid,
        "files": [one.url for one in content.attachments if one.kind != "image"],
        "mid": message.mid,
        "at": views.iso(message.created_at),
    }


async def _body(request: Request) -> Params:
    """A body left out is an empty one."""
    return Params(read_object(await request.body()))


def _endpoint(act: Callable[[Params], Json]) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> object:
        return act(await _body(request))

    return _guarded(answer)


def _guarded(answer: Callable[[Request], Awaitable[object]]) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        try:
            return JSONResponse(await answer(request))
        except PamosnikError as problem:
            status = 404 if isinstance(problem, NotFound) else 400
            return JSONResponse({"error": problem.message, "hint": problem.hint}, status)

    return endpoint
