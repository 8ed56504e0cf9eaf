"""The workers of the daemon: what each is given, when it begins, and how it ends."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from apscheduler.schedulers.asyncio import AsyncIOScheduler

from pamosnik import _sqlite
from pamosnik.clock import Clock, SteadyClock
from pamosnik.config import Config
from pamosnik.daemon import housekeeping
from pamosnik.daemon.account_mails import AccountMails
from pamosnik.daemon.alerts import Alerter
from pamosnik.daemon.broadcaster import Broadcaster
from pamosnik.daemon.catch_up import CatchUp
from pamosnik.daemon.doers import doers, outside
from pamosnik.daemon.entrances import EntranceKeeper
from pamosnik.daemon.eraser import Eraser
from pamosnik.daemon.errands import ErrandRunner
from pamosnik.daemon.exports import Exports
from pamosnik.daemon.gate import Gate
from pamosnik.daemon.posts import PostFinder
from pamosnik.daemon.retainer import Retainer
from pamosnik.daemon.runner import Runner
from pamosnik.daemon.sender import Sender
from pamosnik.daemon.settler import Settler
from pamosnik.daemon.time_keeper import TimeKeeper
from pamosnik.daemon.tokens import TokenKeeper
from pamosnik.daemon.tools import Tools
from pamosnik.errors import DatabaseDamaged
from pamosnik.store.writer import GroupWriter


class Going:
    """The parts of the daemon that run, as tasks of one group: if one dies, all end."""

    def __init__(self, group: asyncio.TaskGroup, writer: GroupWriter) -> None:
        self._group = group
        self._writer = writer
        self._tasks: list[asyncio.Task[None]] = []

    def begin(self, run: Callable[[], Awaitable[None]], name: str) -> None:
        """A part that `end` cancels: it asks Instagram for what can be asked again, and what it has handed to the
        writer is stored all the same."""
        self._tasks.append(self._group.create_task(_part(run, self._writer), name=name))

    def begin_and_leave(self, run: Callable[[], Awaitable[None]], name: str) -> None:
        """A part that ends by itself when it is stopped."""
        self._group.create_task(_part(run, self._writer), name=name)

    async def end(self) -> None:
        while going := [task for task in self._tasks if not task.done()]:
            for task in going:
                task.cancel()
            # Once is not enough where a library takes the cancellation for its own.
            await asyncio.wait(going, timeout=1)


async def _part(run: Callable[[], Awaitable[None]], writer: GroupWriter) -> None:
    """A part that meets damage while it reads, or can write no more, ends quietly: the stop is under way."""
    try:
        await run()
    except Exception as error:
        if isinstance(error, (_sqlite.Error, DatabaseDamaged)):
            writer.met_damage(error)
        if writer.failure is None:
            raise


@dataclass(frozen=True, slots=True)
class Workers:
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

    def begin_mails(self, going: Going) -> None:
        """Those who finish what is under way when they are stopped."""
        if self.alerter is not None:
            going.begin_and_leave(self.alerter.run, "alerts")
        going.begin_and_leave(self.account_mails.run, "account mails")

    def begin_at_once(self, going: Going) -> None:
        """Who needs neither Instagram nor its time."""
        going.begin(self.exports.run, "exports")
        if self.time_keeper is not None:
            going.begin(self.time_keeper.run, "time")

    def begin_turns(self, going: Going) -> None:
        """Who need not wait for the time any longer than `main.TIME_WITHIN_S`."""
        going.begin(self.runner.run, "runner")
        going.begin(self.settler.run, "settler")
        going.begin(self.catch_up.run, "catch up")
        # Whoever wants something deleted need not wait until Instagram can be reached.
        going.begin(self.eraser.run, "eraser")

    def begin_sending(self, going: Going) -> None:
        """Whose work cannot be undone, and what is done at certain times: once the time is known."""
        going.begin_and_leave(self.sender.run, "sender")
        going.begin_and_leave(self.errands.run, "errands")
        going.begin(self.broadcaster.run, "broadcaster")
        going.begin(self.entrances.run, "entrances")
        self.scheduler.start()

    def look_again(self) -> None:
        """Somebody else has changed the database."""
        self.runner.wake()
        self.sender.wake()
        self.errands.wake()
        self.broadcaster.wake()
        self.entrances.wake()
        self.eraser.wake()

    def stop(self) -> None:
        """Sender, errands and mails finish what is under way."""
        self.sender.stop()
        self.errands.stop()
        if self.alerter is not None:
            self.alerter.stop()
        self.account_mails.stop()


def put_together(
    settings: Config, tools: Tools, writer: GroupWriter, clock: Clock, alerter: Alerter | None
) -> Workers:
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
    return Workers(
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
        AccountMails.under(settings, writer, tools.reader, clock, tools.address),
        exports,
        housekeeping.schedule(writer, clock, TokenKeeper(tools), exports, Retainer(tools, settings.ages)),
    )
