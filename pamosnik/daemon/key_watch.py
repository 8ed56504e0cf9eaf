"""Follows the key file while the daemon runs, and says which one it has read."""

import asyncio
import logging
from collections.abc import Sequence
from contextlib import suppress

from pamosnik._sqlite import Connection
from pamosnik.clock import Clock
from pamosnik.errors import StorageRefused
from pamosnik.security.held_keys import HeldKeys
from pamosnik.security.keyring import KeyFileError, Stamp
from pamosnik.services import home, lost_key
from pamosnik.store import notices
from pamosnik.store.connections import Connected
from pamosnik.store.shared_writer import Writer

EVERY_S = 0.5
"""A rotation waits for it."""
NOTICE = "key_file"

log = logging.getLogger(__name__)


class KeyWatch:
    """A file that does not open changes nothing for the daemon, which holds what it had; the owner is told."""

    def __init__(self, keys: HeldKeys, lock: home.Lock, writer: Writer, clock: Clock) -> None:
        self._keys, self._lock, self._writer, self._clock = keys, lock, writer, clock
        self._told: tuple[Stamp | None, KeyFileError | None] | None = None

    async def run(self) -> None:
        while True:
            with suppress(StorageRefused):  # told again in the next round
                await self.look()
            await asyncio.sleep(EVERY_S)

    async def look(self) -> None:
        """Reads the file when it is another one; what a worker met may have made it read before."""
        if self._keys.changed():
            with suppress(KeyFileError):
                await asyncio.to_thread(self._keys.follow)
        now_held = self._keys.looked_at, self._keys.trouble
        if now_held != self._told:
            await self._tell(*now_held)
            self._told = now_held

    async def _tell(self, looked_at: Stamp | None, trouble: KeyFileError | None) -> None:
        self._lock.tell_keys(looked_at, held=trouble is None)
        if trouble is None:
            log.info("The key file was read", extra={"action": "keys.read"})
            for connected in await self._writer.write(self._works):
                about = {"action": "keys.found_again", "connection": connected.id}
                log.info("A login opens again, with the key that was put back", extra=about)
            return
        message = f"{trouble.message} `pamosnik serve` holds what it had read before, until it ends."
        log.error("%s %s", message, trouble.hint, extra={"action": "keys.unreadable"})
        fix, now = trouble.hint or "", self._clock.now()
        await self._writer.write(lambda conn: notices.raise_notice(conn, "", "", NOTICE, message, fix, now))

    def _works(self, conn: Connection) -> Sequence[Connected]:
        notices.settle(conn, "", "", NOTICE)
        return lost_key.found_again(conn, self._keys)
