"""The sandbox as one object: the world, its deliveries, and the HTTP server, inside the caller's event loop.

sandbox = Sandbox()
await sandbox.start(host="127.0.0.1", port=0, clock=SystemClock())
…                                   # sandbox.base_url stands for https://graph.instagram.com
await sandbox.stop()
"""

import asyncio
import contextlib
import socket
from collections.abc import Coroutine, Iterator

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route

from pamosnik.clock import Clock
from pamosnik.errors import UsageError
from pamosnik.sandbox import rules
from pamosnik.sandbox.control import Control
from pamosnik.sandbox.dated import Dated
from pamosnik.sandbox.endings import Protocol
from pamosnik.sandbox.faults import Faults
from pamosnik.sandbox.graph import Graph
from pamosnik.sandbox.phone.app import Endpoint, Phone, page_before, to_page
from pamosnik.sandbox.phone.behind import Behind, Observer
from pamosnik.sandbox.phone.guard import Guard
from pamosnik.sandbox.things import Account, MediaKind, Person, TokenKind
from pamosnik.sandbox.webhooks import Deliverer
from pamosnik.sandbox.world import World

# those that Graph has not, too: it refuses them in its own words
_METHODS = ["GET", "POST", "DELETE", "PUT", "PATCH", "OPTIONS"]
_TICK_S = 0.1


class _Server(uvicorn.Server):
    """Leaves the signals to whoever owns the process, and says when it listens."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listening = asyncio.Event()
        self.leaving = asyncio.Event()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def main_loop(self) -> None:
        """Like uvicorn's, but leaves at once instead of at the next tenth of a second."""
        ticks = 0
        while not await self.on_tick(ticks):
            ticks += 1
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.leaving.wait(), _TICK_S)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        self.listening.set()


class _Running:
    """What exists between `start` and `stop`."""

    def __init__(self, world: World, host: str, listener: socket.socket, observer: Observer | None) -> None:
        self.world = world
        self.listener = listener
        self.deliverer = Deliverer(world)
        self.graph = Graph(world, self.deliverer)
        self.server = _Server(_config(world, self.deliverer, self.graph, host, observer))
        self.delivering = asyncio.create_task(self.deliverer.run(), name="sandbox deliveries")
        self.serving = asyncio.create_task(self.server.serve(sockets=[listener]), name="sandbox server")


class Sandbox:
    """A fake Instagram. The properties are of the first account; `/sandbox/state` knows all."""

    def __init__(self) -> None:
        self._running: _Running | None = None

    async def start(
        self,
        *,
        host: str,
        port: int,
        clock: Clock,
        seed_world: bool = True,
        world: World | None = None,
        observer: Observer | None = None,
    ) -> None:
        """Listens when it returns; port 0 takes a free one. Raises `OSError` when the port is taken.

        `world` goes on with that one, as `saved.load` gives it, instead of a new one. The phone page shows beside the
        phone what `observer` says; without one, the traffic on the wire.
        """
        if self._running is not None:
            raise UsageError("the sandbox is running already")
        if world is None:
            world = World(clock)
            if seed_world:
                seed(world)
        running = _Running(world, host, _listen(host, port), observer)
        self._running = running
        await _first(running.server.listening.wait(), running.serving)

    async def stop(self) -> None:
        """Gives up what is not delivered yet. Does nothing when it is not running."""
        running, self._running = self._running, None
        if running is None:
            return
        running.delivering.cancel()
        running.graph.held.release()
        running.server.should_exit = True
        running.server.leaving.set()
        await asyncio.wait((running.delivering, running.serving))
        running.listener.close()
        for task in (running.delivering, running.serving):
            if not task.cancelled():
                task.result()

    async def settle(self) -> None:
        """Returns when every delivery is done, retries included; a broken worker raises its error here."""
        running = self._get()
        await _first(running.deliverer.settle(), running.delivering)

    @property
    def world(self) -> World:
        return self._get().world

    @property
    def faults(self) -> Faults:
        return self._get().graph.faults

    @property
    def base_url(self) -> str:
        """Without a slash at the end."""
        host, port = self._get().listener.getsockname()[:2]
        return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"

    @property
    def token(self) -> str:
        """The first long-lived token, as the dashboard gave it."""
        return self.world.tokens_of(self._account())[0].value

    @property
    def ig_id(self) -> str:
        return self._account().ig_id

    @property
    def username(self) -> str:
        return self._account().username

    @property
    def app_secret(self) -> str:
        return self.world.app.secret

    def _account(self) -> Account:
        if not self.world.accounts:
            raise UsageError("the sandbox has no account yet", hint="POST /sandbox/accounts makes one.")
        return next(iter(self.world.accounts.values()))

    def _get(self) -> _Running:
        if self._running is None:
            raise UsageError("the sandbox is not running")
        return self._running


def seed(world: World) -> None:
    """One shop with a post and a reel, and three people of whom anna follows it."""
    shop = world.add_account("rosas_shop", "Rosa's Shop")
    world.issue_token(shop, TokenKind.LONG)
    world.add_media(shop, MediaKind.REEL, "How we bind a bouquet")
    world.add_media(shop, MediaKind.POST, "Autumn sale! Comment LINK and we send it to you.")
    world.put_person(Person("anna", "Anna", follower_count=312, follows=frozenset({shop.ig_id})))
    world.put_person(Person("ben", "Ben", follower_count=48))
    world.put_person(Person("chen", "Chen 陈", follower_count=1204, verified=True))


def _config(
    world: World, deliverer: Deliverer, graph: Graph, host: str, observer: Observer | None
) -> uvicorn.Config:
    control = Control(world, deliverer, graph)
    phone = Phone(world, Behind(world, deliverer, graph, observer))
    app = Starlette(
        routes=[
            Mount("/sandbox", Guard(control.app(), host)),
            Mount("/phone", Guard(phone.app(), host)),
            Route("/phone", to_page),
            Route("/", page_before(_front_door(graph.endpoint)), methods=_METHODS),
            Route("/{path:path}", graph.endpoint, methods=_METHODS),
        ]
    )
    return uvicorn.Config(
        Dated(app, world.clock),
        http=Protocol,
        date_header=False,
        access_log=False,
        log_config=None,
        lifespan="off",
        ws="none",
        timeout_graceful_shutdown=1,
    )


def _front_door(graph: Endpoint) -> Endpoint:
    """Says where everything is to who calls the bare address."""

    async def endpoint(request: Request) -> Response:
        if request.method not in ("GET", "HEAD"):
            return await graph(request)
        base = str(request.base_url).rstrip("/")
        return JSONResponse(
            {
                "this is": "the sandbox, a fake Instagram",
                "phone": f"{base}/phone",
                "people and switches": f"{base}/sandbox/",
                "graph": f"{base}/v{rules.NEWEST_VERSION}.0",
            }
        )

    return endpoint


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio switches Nagle's algorithm off only for sockets that name TCP; with it, answers take 40 ms
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
    except OSError:
        listener.close()
        raise
    return listener


async def _first(what: Coroutine[None, None, object], owner: asyncio.Task[None]) -> None:
    """Waits for `what`; raises the owner's error when the owner ends before."""
    waiting = asyncio.ensure_future(what)
    await asyncio.wait((waiting, owner), return_when=asyncio.FIRST_COMPLETED)
    if not waiting.done():
        waiting.cancel()
        owner.result()
        raise RuntimeError(f"{owner.get_name()} ended")
