"""The composition root: opens the home, puts the parts together, owns the signals, and stops in order."""

import asyncio
import contextlib
import logging
import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import uvicorn
from starlette.types import ASGIApp

from pamosnik import _sqlite
from pamosnik._sqlite import Connection
from pamosnik.clock import Clock, SteadyClock
from pamosnik.config import Config
from pamosnik.daemon import callback as callback_notices
from pamosnik.daemon import certificate as certificates
from pamosnik.daemon import housekeeping, http_line
from pamosnik.daemon import tunnel as tunnel_notices
from pamosnik.daemon.alerts import Alerter
from pamosnik.daemon.aside import Aside
from pamosnik.daemon.callback import Callback
from pamosnik.daemon.certificate import Certificate, CertificateWatch
from pamosnik.daemon.key_watch import KeyWatch
from pamosnik.daemon.nightly import Nightly
from pamosnik.daemon.reached import reached_here
from pamosnik.daemon.reception import Reception
from pamosnik.daemon.sender import STOP_WITHIN_S
from pamosnik.daemon.service_manager import ServiceManager
from pamosnik.daemon.tools import Tools
from pamosnik.daemon.tunnel import TunnelKeeper
from pamosnik.daemon.web import make_app
from pamosnik.daemon.workers import Going, Workers, put_together
from pamosnik.errors import DatabaseDamaged, HomeError, StorageRefused, UsageError
from pamosnik.instagram.client import Instagram
from pamosnik.mail import Mailer
from pamosnik.security.held_keys import HeldKeys, bring_up_to_date
from pamosnik.services import alerts, home, intake, sending, tunnels
from pamosnik.services.public_address import PublicAddress
from pamosnik.services.tunnels import Tunnel
from pamosnik.store import notices, spill
from pamosnik.store.damage import look_for_damage, look_quickly, require_there
from pamosnik.store.database import open_database
from pamosnik.store.refusals import storage_error
from pamosnik.store.spill import Spill
from pamosnik.store.walls import Walled
from pamosnik.store.writer import GroupWriter

LOOK_FOR_CHANGES_S = 1.0
"""How soon a change made by the command line is noticed."""

TIME_WITHIN_S = 3.0
"""So long turns wait for Instagram to tell the time; sending, and whatever cannot be undone, waits until it has."""

ACCEPTED_AT_ONCE = 256
"""The loop accepts so many in one go, before any of them is looked at."""

_TRIED = "storage_tried"

log = logging.getLogger(__name__)


class _Server(uvicorn.Server):
    """Without uvicorn's own signal handling: it would raise the signal again before the other parts end. It ends the
    lines of those who are too slow."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """uvicorn's own knows no end for a handshake that is not gone on with: asyncio's is a minute."""
        if self.config.ssl is None or sockets is None:
            await super().startup(sockets)
            return
        loop = asyncio.get_running_loop()
        self.servers = [
            await loop.create_server(
                self._line,
                sock=one,
                ssl=self.config.ssl,
                ssl_handshake_timeout=http_line.HEAD_S,
                backlog=self.config.backlog,
            )
            for one in sockets
        ]
        self.started = True

    def _line(self) -> asyncio.Protocol:
        return self.config.http_protocol_class(  # type: ignore[call-arg]
            config=self.config, server_state=self.server_state, app_state={}
        )

    async def on_tick(self, counter: int) -> bool:
        """Called ten times a second."""
        if counter % 10 == 0:
            http_line.look_at(self.server_state.connections, asyncio.get_running_loop().time())
        return await super().on_tick(counter)


async def serve(
    settings: Config,
    clock: Clock,
    *,
    on_ready: Callable[[str], None] = lambda _: None,
    stop: asyncio.Event | None = None,
    certificate: Certificate | None = None,
) -> None:
    """Runs until SIGTERM, SIGINT, the end of its terminal or `stop`. `on_ready` gets the address once connections are
    accepted. `certificate`: None listens without encryption.

    `clock`: a `SteadyClock` hears Instagram's time, and nothing is sent before; any other is taken as right.
    A further signal changes nothing: the end is near already, and cutting it short would leave more to settle.
    Raises `HomeError` when the home cannot be used; `DatabaseDamaged` at start or as soon as a damaged page is met.
    """
    stop = stop or asyncio.Event()
    manager = ServiceManager(os.environ)
    tunnel = _tunnel(settings, certificate)
    with _signals(stop), home.lock(settings.home) as lock:
        if bring_up_to_date(settings.key_file, settings.passphrase):
            log.info("The key file was sealed anew", extra={"action": "start.sealed"})
        keys = HeldKeys(settings.key_file, settings.passphrase)
        require_there(settings.database)
        looked_through = look_quickly(settings.database)
        with (
            _one_error(settings.database),
            open_database(settings.database, migrate=True) as database,
            open_database(settings.database) as reader,
            open_database(settings.database) as for_one,
            Aside(settings.database) as aside,
            Spill(settings.home / spill.NAME) as incoming,
        ):
            intake.take_over(database, settings.home)
            writer = GroupWriter(database)
            writer.storage.tell = lock.tell
            reception = Reception(writer, reader, clock, incoming)
            try:
                async with Instagram(
                    version=settings.graph_version,
                    meta_url=settings.meta_url,
                    on_answer=clock.answered if isinstance(clock, SteadyClock) else lambda _: None,
                ) as instagram:
                    tools = Tools(writer, reader, instagram, keys, clock, PublicAddress(settings.public_url))
                    writer.on_commit = tools.meters.commits.observe
                    await _run(
                        settings,
                        clock,
                        writer,
                        tools,
                        Walled(for_one),
                        aside,
                        reception,
                        KeyWatch(keys, lock, writer, clock),
                        lock,
                        certificate=certificate,
                        manager=manager,
                        tunnel=tunnel,
                        looked_through=looked_through,
                        on_ready=on_ready,
                        stop=stop,
                    )
            finally:
                writer.hurry()
                await writer.close()
                await reception.close()


async def _run(
    settings: Config,
    clock: Clock,
    writer: GroupWriter,
    tools: Tools,
    own: Walled,
    aside: Aside,
    reception: Reception,
    key_watch: KeyWatch,
    lock: home.Lock,
    *,
    certificate: Certificate | None,
    manager: ServiceManager,
    tunnel: Tunnel | None,
    looked_through: bool,
    on_ready: Callable[[str], None],
    stop: asyncio.Event,
) -> None:
    await _look_back(settings, clock, writer, certificate)
    workers = put_together(settings, tools, writer, clock, await _alerter(settings, tools))
    reception.on_events = workers.runner.wake
    callback = None if tunnel is None else Callback(settings, writer, clock)
    server = _server(
        make_app(
            settings,
            writer,
            tools.reader,
            own,
            aside,
            reception,
            clock,
            address=tools.address,
            mails=workers.account_mails,
            exports=workers.exports,
            instagram=tools.instagram,
            ending=stop,
            on_events=workers.runner.wake,
            on_change=workers.look_again,
            on_deletion=workers.eraser.wake,
            meters=tools.meters,
            callback=callback,
        ),
        certificate,
    )
    # Whoever connects before this gets "refused" and tries again: nothing is accepted that could not be stored.
    listener = _listen(settings.host, settings.port)
    async with asyncio.TaskGroup() as group:
        going = Going(group, writer)
        group.create_task(server.serve(sockets=[listener]), name="web")
        workers.begin_mails(going)
        here = _address(reached_here(settings.host), listener, certificate)

        def tell_addresses() -> None:
            lock.tell_addresses(here, tools.address.url)

        tell_addresses()
        on_ready(_address(settings.host, listener, certificate))
        manager.ready(_address(settings.host, listener, certificate))
        going.begin(partial(_watch, writer, workers, manager), "watch")
        going.begin(manager.watch, "watchdog")
        going.begin(reception.run, "reception")
        going.begin(key_watch.run, "keys")
        if certificate is not None:
            going.begin(CertificateWatch(certificate, writer, clock).run, "certificate")
        going.begin(partial(_stop_when_writer_failed, writer, stop), "writer")
        if tunnel is not None and callback is not None:
            port = listener.getsockname()[1]
            leads_to = (reached_here(settings.host), port, tools.address)
            keeper = TunnelKeeper(tunnel, *leads_to, callback, writer, clock, on_address=tell_addresses)
            going.begin(keeper.run, "tunnel")
        workers.begin_at_once(going)
        if not looked_through:
            going.begin(partial(_look_through, settings.database), "look")
        await _work(settings, clock, writer, workers, going, stop)
        log.info("Stopping", extra={"action": "stop"})
        manager.stopping()
        writer.hurry()
        # The front door first, so that nothing new comes in while the rest finishes.
        server.should_exit = True
        workers.stop()
        await going.end()
    if writer.failure is not None:
        raise writer.failure


async def _work(
    settings: Config, clock: Clock, writer: GroupWriter, workers: Workers, going: Going, stop: asyncio.Event
) -> None:
    """Turns as soon as the time is known, or should be; what cannot be undone only when it is; until `stop`."""
    await _first(stop, workers.time_known, within_s=TIME_WITHIN_S)
    workers.begin_turns(going)
    await _first(stop, workers.time_known)
    if stop.is_set():
        return
    workers.begin_sending(going)
    housekeeping.look_after_backups(workers.scheduler, writer, Nightly(settings, writer, clock))
    await stop.wait()
    workers.scheduler.shutdown(wait=False)


def _tunnel(settings: Config, certificate: Certificate | None) -> Tunnel | None:
    """Raises `UsageError` where it could not work."""
    if settings.tunnel is None:
        return None
    if certificate is not None:
        raise UsageError(
            "A tunnel brings https of its own.", hint="Leave out --tls-cert and --tls-key, or the tunnel."
        )
    tunnel = tunnels.parse(settings.tunnel)
    tunnels.require(tunnel, public_url=settings.public_url)
    return tunnel


async def _look_back(
    settings: Config, clock: Clock, writer: GroupWriter, certificate: Certificate | None
) -> None:
    """What an end in the middle of something has left, and what is told at each start."""
    now = clock.now()
    interrupted = await writer.write(partial(sending.found_after_crash, now=now))
    if interrupted:
        log.warning(
            "%d messages were under way when Pamosnik ended", interrupted, extra={"action": "start.unknown"}
        )
    await writer.write(partial(sending.try_held_again, now=now))
    await writer.write(partial(_tell_of_missing_secret, missing=not settings.webhook_secrets, now=now))
    if certificate is None:
        await writer.write(certificates.forget_notices)
    if settings.tunnel is None:
        await writer.write(tunnel_notices.forget_notices)
        await writer.write(callback_notices.forget_notices)


def _server(app: ASGIApp, certificate: Certificate | None) -> _Server:
    return _Server(
        uvicorn.Config(
            app,
            http=type(
                "Line",
                (http_line.Line,),
                {"at_most": http_line.lines_at_most(handshakes=certificate is not None)},
            ),
            ws="none",
            lifespan="off",
            proxy_headers=False,
            server_header=False,
            access_log=False,
            log_config=None,
            ssl_context_factory=None if certificate is None else lambda *_: certificate.context,
            backlog=ACCEPTED_AT_ONCE,
            timeout_keep_alive=http_line.IDLE_S,
            timeout_graceful_shutdown=STOP_WITHIN_S,
        )
    )


async def _first(*events: asyncio.Event, within_s: float | None = None) -> None:
    """Returns when the first of them has happened, or the time is over."""
    waiting = [asyncio.create_task(event.wait()) for event in events]
    try:
        await asyncio.wait(waiting, timeout=within_s, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in waiting:
            task.cancel()


async def _alerter(settings: Config, tools: Tools) -> Alerter | None:
    """None without a mail server; that mail failed while there was one is no problem any more."""
    if settings.mail is None:
        await tools.writer.write(alerts.mail_works)
        return None
    return Alerter(tools, Mailer(settings.mail), settings.operator_email)


def _tell_of_missing_secret(conn: Connection, *, missing: bool, now: datetime) -> None:
    """Without a secret every delivery is refused: that must not look like silence."""
    if not missing:
        notices.settle(conn, "", "", "no_app_secret")
        return
    message, fix = (
        "No app secret is set: every webhook is refused.",
        "Set PAMOSNIK_INSTAGRAM_APP_SECRET and restart.",
    )
    log.warning("%s %s", message, fix, extra={"action": "start.no_secret"})
    notices.raise_notice(conn, "", "", "no_app_secret", message, fix, now)


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # Named, so that asyncio switches Nagle's algorithm off: it would hold small answers for 40 ms.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise HomeError(
            f"Cannot listen on {host}:{port}: {error.strerror}.",
            hint="Another program may have this port. Take another one with --port.",
        ) from error
    listener.listen(2048)
    listener.setblocking(False)
    return listener


def _address(host: str, listener: socket.socket, certificate: Certificate | None) -> str:
    scheme = "http" if certificate is None else "https"
    shown = f"[{host}]" if ":" in host and not host.startswith("[") else host
    return f"{scheme}://{shown}:{listener.getsockname()[1]}"


@contextlib.contextmanager
def _signals(stop: asyncio.Event) -> Iterator[None]:
    loop = asyncio.get_running_loop()
    numbers = [signal.SIGTERM, signal.SIGINT]
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # nohup: it goes on without its terminal
        numbers.append(signal.SIGHUP)
    for number in numbers:
        loop.add_signal_handler(number, stop.set)
    try:
        yield
    finally:
        for number in numbers:
            loop.remove_signal_handler(number)


async def _watch(writer: GroupWriter, workers: Workers, manager: ServiceManager) -> None:
    """Notices what the command line changed, and when storage refuses or works again.

    Asked on the writer's connection: elsewhere our own commits count.
    """
    last = None
    while True:
        look = _data_version if writer.storage.problem is None else _try_to_store
        with contextlib.suppress(StorageRefused):
            version = await writer.write(look)
            if last is not None and version != last:
                workers.look_again()
            last = version
        problem = writer.storage.problem
        manager.stored(None if problem is None else problem.message)
        await asyncio.sleep(LOOK_FOR_CHANGES_S)


def _data_version(conn: Connection) -> int:
    version: int = conn.execute("PRAGMA data_version").fetchone()[0]
    return version


def _try_to_store(conn: Connection) -> int:
    """Makes a row and removes it: a transaction without changes would succeed on a full disk, too."""
    notices.raise_notice(conn, "", "", _TRIED, "", "", datetime.now(UTC))
    notices.settle(conn, "", "", _TRIED)
    return _data_version(conn)


# --- when nothing can be written any more ----------------------------------------------------------------


async def _stop_when_writer_failed(writer: GroupWriter, stop: asyncio.Event) -> None:
    """Half a daemon that cannot write would lose what it takes in: all of it stops, in order."""
    await writer.failed.wait()
    damaged = isinstance(writer.failure, DatabaseDamaged)
    log.error(
        "%s Nothing more is taken in or sent; Pamosnik ends.",
        writer.failure if damaged else "A mistake of Pamosnik's own ended its writer.",
        extra={"action": "stop.damaged" if damaged else "stop.writer_failed"},
    )
    stop.set()


async def _look_through(path: Path) -> None:
    """The rest of a database that is too big to be looked through before the start."""
    stopped = threading.Event()
    try:
        await asyncio.to_thread(look_for_damage, path, lambda: not stopped.is_set())
    finally:
        stopped.set()


@contextlib.contextmanager
def _one_error(path: Path) -> Iterator[None]:
    """What ended the parts together, as one `HomeError` where disk, file or a lock are the cause."""
    try:
        yield
    except BaseExceptionGroup as group:
        told = _told(group, path)
        if told is None:
            raise
        log.error("%s Pamosnik ends.", told.message, extra={"action": "stop.storage"})  # noqa: TRY400
        raise told from group


def _told(group: BaseExceptionGroup[BaseException], path: Path) -> HomeError | None:
    for error in group.exceptions:
        if isinstance(error, HomeError):
            return error
        if _sqlite.code_of(error) is not None:
            return storage_error(path, error)
    return None
