"""Keeps the daemon's time right: asks Instagram for it at start and when the machine's clock jumps."""

import asyncio
import logging
from collections.abc import Callable
from datetime import timedelta
from functools import partial

from pamosnik._sqlite import Connection
from pamosnik.clock import CLOCKS_AGREE, SteadyClock
from pamosnik.daemon.tools import Tools
from pamosnik.errors import PamosnikError, StorageRefused
from pamosnik.services import credentials
from pamosnik.store import connections, notices

LOOK_EVERY_S = 10.0
FIRST_GAP_S, LONGEST_GAP_S = 0.5, 10.0
SILENCE_TOLD_AFTER = 5
"""Questions without an answer: some eight seconds or more."""
_SILENCE = "instagram_silent"

log = logging.getLogger(__name__)


class TimeKeeper:
    """Asks for the time; tells the owner when the machine's clock is wrong."""

    def __init__(
        self,
        tools: Tools,
        clock: SteadyClock,
        known: asyncio.Event,
    ) -> None:
        """`known`: set when Instagram has answered once. Nobody should send before, or let anything expire: the clock
        may be days off, and without Instagram nothing could leave anyway. Without a connection there is nothing to
        wait for."""
        self._tools = tools
        self._clock = clock
        self._ahead = timedelta()
        """The last jump of the machine's clock that Instagram was asked about."""
        self._known = known

    async def run(self) -> None:
        """Until it is cancelled."""
        await self._until_known()
        self._known.set()
        await self._note(partial(notices.settle, account_id="", connection_id="", code=_SILENCE))
        self._ahead = self._clock.machine_ahead()
        await self._tell()
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            await self.look()

    async def _until_known(self) -> None:
        gap_s, asked = FIRST_GAP_S, 0
        while await self._ask() and not self._clock.confirmed:
            asked += 1
            if asked == SILENCE_TOLD_AFTER:
                log.warning(
                    "Instagram does not answer; sending waits for it", extra={"action": "time.silence"}
                )
                await self._note(self._raise_silence)
            await asyncio.sleep(gap_s)
            gap_s = min(gap_s * 2, LONGEST_GAP_S)

    async def _ask(self) -> bool:
        """Any question: what its answer says of the time reaches the clock. False when nobody can be asked for."""
        conn = self._tools.reader.connection
        for connected in connections.with_tokens(conn):
            try:
                token = credentials.token(conn, self._tools.keys, connected)
            except PamosnikError:
                continue  # the sender tells its owner
            await self._tools.instagram.me(token)
            return True
        return False

    async def look(self) -> None:
        """Asks Instagram when the machine's clock has jumped, and tells the owner what came of it."""
        if abs(self._clock.machine_ahead() - self._ahead) <= CLOCKS_AGREE:
            return
        await self._ask()
        self._ahead = self._clock.machine_ahead()
        await self._tell()

    async def _tell(self) -> None:
        if abs(self._ahead) <= CLOCKS_AGREE:
            await self._note(
                partial(notices.settle, account_id="", connection_id="", code=notices.CLOCK_WRONG)
            )
            return
        log.warning("%s", _wrong(self._ahead), extra={"action": "time.wrong"})
        await self._note(self._raise_wrong)

    async def _note(self, change: Callable[[Connection], None]) -> None:
        try:
            await self._tools.writer.write(change)
        except StorageRefused as error:
            self._tools.writer.storage.refused(error)

    def _raise_wrong(self, conn: Connection) -> None:
        fix = "Set it right. Try: timedatectl set-ntp true"
        notices.raise_notice(conn, "", "", notices.CLOCK_WRONG, _wrong(self._ahead), fix, self._clock.now())

    def _raise_silence(self, conn: Connection) -> None:
        message = (
            "Instagram has not answered since the start: nothing is sent, and nothing expires, until it does."
        )
        fix = "Look at this machine's connection to the internet. Try: curl -sI https://graph.instagram.com"
        notices.raise_notice(conn, "", "", _SILENCE, message, fix, self._clock.now())


def _wrong(ahead: timedelta) -> str:
    off = timedelta(seconds=round(abs(ahead).total_seconds()))
    word = "ahead" if ahead > timedelta() else "behind"
    return f"The clock of this machine is {off} {word}; Pamosnik goes by Instagram's time."
