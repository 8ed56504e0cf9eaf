"""The composition root: opens the home, puts the parts together, owns the signals, and stops in order."""

import asyncio
import contextlib
import logging
import signal
import socket
import threading
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import uvicorn
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from starlette.types import ASGIApp

from pamosnik import _sqlite
from pamosnik._sqlite import Connection
from pamosnik.clock import Clock, SteadyClock
from pamosnik.config import Config
from pamosnik.daemon import housekeeping, http_line
from pamosnik.daemon.account_mails import AccountMails
from pamosnik.daemon.alerts import Alerter
from pamosnik.daemon.aside import Aside
from pamosnik.daemon.broadcaster import Broadcaster
from pamosnik.daemon.catch_up import CatchUp
from pamosnik.daemon.doers import doers, outside
from pamosnik.daemon.entrances import EntranceKeeper
from pamosnik.daemon.eraser import Eraser
from pamosnik.daemon.errands import ErrandRunner
from pamosnik.daemon.exports import Exports
from pamosnik.daemon.gate import Gate
from pamosnik.daemon.key_watch import KeyWatch
from pamosnik.daemon.posts import PostFinder
from pamosnik.daemon.reception import Reception
from pamosnik.daemon.retainer import Retainer
from pamosnik.daemon.runner import Runner
from pamosnik.daemon.sender import STOP_WITHIN_S, Sender
from pamosnik.daemon.settler import Settler
from pamosnik.daemon.time_keeper import TimeKeeper
from pamosnik.daemon.tokens import TokenKeeper
from pamosnik.daemon.tools import Tools
from pamosnik.daemon.web import make_app
from pamosnik.errors import DatabaseDamaged, HomeError, StorageRefused
from pamosnik.instagram.client import Instagram
from pamosnik.mail import Mailer
from pamosnik.security.held_keys import HeldKeys, bring_up_to_date
from pamosnik.services import alerts, home, intake, sending
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
) -> None:
    """Runs until SIGTERM, SIGINT or `stop`. `on_ready` gets the address once connections are accepted.

    `clock`: a `SteadyClock` hears Instagram's time, and nothing is sent before; any other is taken as right.
    A further signal changes nothing: the end is near already, and cutting it short would leave more to settle.
    Raises `HomeError` when the home cannot be used; `DatabaseDamaged` at start or as soon as a damaged page is met.
    """
    stop = stop or asyncio.Event()
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
                    tools = Tools(writer, reader, instagram, keys, clock, settings.public_url)
                    await _run(
                        settings,
                        clock,
                        writer,
                        tools,
                        Walled(for_one),
                        aside,
                        reception,
                        KeyWatch(keys, lock, writer, clock),
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
    *,
    looked_through: bool,
    on_ready: Callable[[str], None],
    stop: asyncio.Event,
) -> None:
    await _look_back(settings, clock, writer)
    workers = _put_together(settings, tools, writer, clock, await _alerter(settings, tools))
    reception.on_events = workers.runner.wake
    app = make_app(
        settings,
        writer,
        tools.reader,
        own,
        aside,
        reception,
        clock,
        mails=workers.account_mails,
        exports=workers.exports,
        on_events=workers.runner.wake,
        on_deletion=workers.eraser.wake,
    )
    # Whoever connects before this gets "refused" and tries again: nothing is accepted that could not be stored.
    listener = _listen(settings.host, settings.port)
    server = _server(app)
    async with asyncio.TaskGroup() as group:

        def begin(run: Callable[[], Awaitable[None]], name: str) -> asyncio.Task[None]:
            return group.create_task(_part(run, writer), name=name)

        group.create_task(server.serve(sockets=[listener]), name="web")
        if workers.alerter is not None:
            begin(workers.alerter.run, "alerts")
        begin(workers.account_mails.run, "account mails")
        on_ready(f"http://{_shown(settings.host)}:{listener.getsockname()[1]}")
        tasks = [
            begin(partial(_watch, writer, workers), "watch"),
            begin(reception.run, "reception"),
            begin(key_watch.run, "keys"),
            begin(workers.exports.run, "exports"),
            group.create_task(_stop_when_writer_failed(writer, stop), name="writer"),
        ]
        if workers.time_keeper is not None:
            tasks.append(begin(workers.time_keeper.run, "time"))
        if not looked_through:
            tasks.append(group.create_task(_look_through(settings.database, writer), name="look"))
        await _first(stop, workers.time_known, within_s=TIME_WITHIN_S)
        tasks += [
            begin(workers.runner.run, "runner"),
            begin(workers.settler.run, "settler"),
            begin(workers.catch_up.run, "catch up"),
            # Whoever wants something deleted need not wait until Instagram can be reached.
            begin(workers.eraser.run, "eraser"),
        ]
        await _first(stop, workers.time_known)
        if not stop.is_set():
            begin(workers.sender.run, "sender")
            begin(workers.errands.run, "errands")
            tasks.append(begin(workers.broadcaster.run, "broadcaster"))
            tasks.append(begin(workers.entrances.run, "entrances"))
            housekeeping.remove_old_backups(workers.scheduler, writer, clock, settings.home)
            workers.scheduler.start()
            await stop.wait()
            workers.scheduler.shutdown(wait=False)
        log.info("Stopping", extra={"action": "stop"})
        writer.hurry()
        # The front door first, so that nothing new comes in while the rest finishes.
        server.should_exit = True
        await _end(workers, tasks)
    if writer.failure is not None:
        raise writer.failure


@dataclass(frozen=True, slots=True)
class _Workers:
    runner: Runner
    sender: Sender
    errands: ErrandRunner
    entrances: EntranceKeeper
    settler: Settler
    catch_up: CatchUp
    broadcaster: Broadcaster
    eraser: Eraser
    time_keeper: TimeKeeper | None
    time_known: asyncio.Event
    alerter: Alerter | None
    account_mails: AccountMails
    exports: Exports
    scheduler: AsyncIOScheduler


def _put_together(
    settings: Config, tools: Tools, writer: GroupWriter, clock: Clock, alerter: Alerter | None
) -> _Workers:
    """Each wakes those whom it has given something to do."""
    sender = Sender(tools)

    def decided() -> None:
        sender.wake()
        errands.wake()

    runner = Runner(tools, PostFinder(tools), decided)
    errands = ErrandRunner(tools, doers(tools, outside(settings)), runner.wake)

    def found_out() -> None:
        runner.wake()
        sender.wake()

    gate = Gate(clock)
    settler = Settler(tools, gate, found_out)

    time_known = asyncio.Event()
    eraser = Eraser(tools, runner.wake, time_is_known=time_known.is_set)

    def recorded() -> None:
        runner.wake()
        settler.wake()
        eraser.wake()

    sender.on_settled = recorded
    exports = Exports(settings.home, tools.reader, clock)
    time_keeper = TimeKeeper(tools, clock, time_known) if isinstance(clock, SteadyClock) else None
    if time_keeper is None:
        time_known.set()
    return _Workers(
        runner,
        sender,
        errands,
        EntranceKeeper(tools),
        settler,
        CatchUp(tools, gate, runner.wake),
        Broadcaster(tools, sender.wake),
        eraser,
        time_keeper,
        time_known,
        alerter,
        AccountMails.under(settings, writer, tools.reader, clock),
        exports,
        housekeeping.schedule(writer, clock, TokenKeeper(tools), exports, Retainer(tools, settings.ages)),
    )


async def _end(workers: _Workers, tasks: Sequence[asyncio.Task[None]]) -> None:
    """Sender, errands and mails finish what is under way; the others ask Instagram for what can be asked again, and
    what they handed to the writer is stored all the same."""
    workers.sender.stop()
    workers.errands.stop()
    if workers.alerter is not None:
        workers.alerter.stop()
    workers.account_mails.stop()
    while going := [task for task in tasks if not task.done()]:
        for task in going:
            task.cancel()
        # Once is not enough where a library takes the cancellation for its own.
        await asyncio.wait(going, timeout=1)


async def _look_back(settings: Config, clock: Clock, writer: GroupWriter) -> None:
    """What an end in the middle of something has left, and what is told at each start."""
    now = clock.now()
    interrupted = await writer.write(partial(sending.found_after_crash, now=now))
    if interrupted:
        log.warning(
            "%d messages were under way when Pamosnik ended", interrupted, extra={"action": "start.unknown"}
        )
    await writer.write(partial(sending.try_held_again, now=now))
    await writer.write(partial(_tell_of_missing_secret, missing=not settings.webhook_secrets, now=now))


def _server(app: ASGIApp) -> _Server:
    return _Server(
        uvicorn.Config(
            app,
            http=type("Line", (http_line.Line,), {"at_most": http_line.lines_at_most()}),
            ws="none",
            lifespan="off",
            proxy_headers=False,
            server_header=False,
            access_log=False,
            log_config=None,
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


def _shown(host: str) -> str:
    return f"[{host}]" if ":" in host else host


@contextlib.contextmanager
def _signals(stop: asyncio.Event) -> Iterator[None]:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    try:
        yield
    finally:
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)


async def _watch(writer: GroupWriter, workers: _Workers) -> None:
    """Notices what the command line changed, and when storage refuses or works again.

    Asked on the writer's connection: elsewhere our own commits count.
    """
    last = None
    while True:
        look = _data_version if writer.storage.problem is None else _try_to_store
        with contextlib.suppress(StorageRefused):
            version = await writer.write(look)
            if last is not None and version != last:
                workers.runner.wake()
                workers.sender.wake()
                workers.errands.wake()
                workers.broadcaster.wake()
                workers.entrances.wake()
                workers.eraser.wake()
            last = version
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


async def _part(run: Callable[[], Awaitable[None]], writer: GroupWriter) -> None:
    """A part that meets damage while it reads, or can write no more, ends quietly: the stop is under way."""
    try:
        await run()
    except Exception as error:
        if isinstance(error, (_sqlite.Error, DatabaseDamaged)):
            writer.met_damage(error)
        if writer.failure is None:
            raise


async def _look_through(path: Path, writer: GroupWriter) -> None:
    """The rest of a database that is too big to be looked through before the start."""
    stopped = threading.Event()
    try:
        await asyncio.to_thread(look_for_damage, path, lambda: not stopped.is_set())
    except DatabaseDamaged as error:
        writer.met_damage(error)
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
