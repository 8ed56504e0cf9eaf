"""The tunnel: a program of others that leads a public address to this machine. It is started, asked for its address,
watched, and started again when it ends or its address does not answer, with growing gaps.

Nobody else's word counts for "it works": the daemon asks its own `/healthz` through the public address. What the
program prints is looked through for the address and told nobody, for it may hold tokens of the program's.
"""

import asyncio
import errno
import logging
import os
import signal
import socket
import ssl
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

import aiohttp

from pamosnik import frozen
from pamosnik._sqlite import Connection
from pamosnik.clock import Clock
from pamosnik.daemon import guardian
from pamosnik.daemon.callback import Callback
from pamosnik.daemon.waiting import happens
from pamosnik.errors import StorageRefused
from pamosnik.services.public_address import PublicAddress
from pamosnik.services.tunnels import Tunnel
from pamosnik.store import notices
from pamosnik.store.shared_writer import Writer

DOWN, OTHER_ADDRESS = "tunnel_down", "tunnel_other_address"

LINE_BYTES = 8192
"""Longer ones are no lines: what came first is dropped."""
_END_WITHIN_S = 0.8
"""So long a program may take to end by itself: the daemon's stop asks its parts again after a second."""
_PROXIES = {f"{kind}_proxy" for kind in ("http", "https", "no", "all")}
_PASSED_ON = {
    *("PATH", "HOME", "USER", "LOGNAME", "SHELL", "TMPDIR", "TZ", "LANG", "LANGUAGE"),
    *("SSL_CERT_FILE", "SSL_CERT_DIR"),
    *_PROXIES,
    *map(str.upper, _PROXIES),
}
_PASSED_ON_BEGINNINGS = ("LC_", "XDG_", "SSH_", "NGROK_", "TUNNEL_", "TS_")

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Pace:
    """Seconds."""

    first_gap: float = 1.0
    longest_gap: float = 300.0
    """Between two starts; each gap is twice the one before, until the address answers."""
    address_within: float = 60.0
    check_every: float = 30.0
    check_failed_every: float = 5.0
    check_within: float = 10.0
    failures: int = 6
    """In a row, before it is started again: a quick tunnel would come back with another address."""


class _NoAnswer(Exception):
    """What is wrong with the public address."""


class _Offline(Exception):
    """Nothing can be reached from here: that says nothing about the tunnel."""


class TunnelKeeper:
    """Keeps one tunnel open. `run` ends when it is cancelled, and the program with it."""

    def __init__(
        self,
        tunnel: Tunnel,
        host: str,
        port: int,
        address: PublicAddress,
        callback: Callback,
        writer: Writer,
        clock: Clock,
        *,
        on_address: Callable[[], None],
        pace: Pace | None = None,
    ) -> None:
        """`host`, `port`: where the daemon is reached on this machine. `on_address`: called when the public address
        may have changed."""
        self._tunnel = tunnel
        self._command = tunnel.command(host, port)
        self._address = address
        self._callback = callback
        self._writer = writer
        self._clock = clock
        self._on_address = on_address
        self._pace = pace or Pace()
        self._named: str | None = None
        """The address that the running program has named."""
        self._has_named = asyncio.Event()
        self._answered = False
        """Whether the address has answered since the program was started, or since the network was gone."""
        self._offline = False
        """Whether it was told that there is no network."""
        self._why = "Pamosnik was started anew"
        """Why the program had to be started; at first, what is told of an earlier run."""
        self._told: str | None = None
        """What was told since the program was started."""

    async def run(self) -> None:
        gap = self._pace.first_gap
        async with _http() as http:
            while True:
                self._named, self._answered, self._offline = None, False, False
                self._told = None
                self._has_named.clear()
                why = await self._once(http)
                if self._answered:
                    gap = self._pace.first_gap
                log.warning("The tunnel is started again: %s", why, extra={"action": "tunnel.again"})
                await self._tell(partial(self._is_down, why=why))
                self._why = why
                await asyncio.sleep(gap)
                gap = min(gap * 2, self._pace.longest_gap)

    async def _once(self, http: aiohttp.ClientSession) -> str:
        """From a start of the program until it ends or has to; says why."""
        try:
            process = await _start(self._command)
        except OSError as error:
            return f"it cannot be started ({error.strerror})"
        assert process.stdout is not None
        await self._is_still_down(f"{self._why}; it was started again, and does not lead here yet")
        reading = asyncio.create_task(self._read(process.stdout))
        ended = asyncio.create_task(process.wait())
        watching = asyncio.create_task(self._watch(http))
        try:
            await asyncio.wait((ended, watching), return_when=asyncio.FIRST_COMPLETED)
            return watching.result() if watching.done() else "the program has ended"
        finally:
            for task in (watching, ended):
                task.cancel()
            await _end(process)
            reading.cancel()
            await asyncio.gather(reading, ended, watching, return_exceptions=True)

    # --- its address ---------------------------------------------------------------------------------

    async def _read(self, output: asyncio.StreamReader) -> None:
        """To its end, so that the program is never held up by what it prints."""
        rest = b""
        while part := await output.read(LINE_BYTES):
            *lines, rest = (rest + part).replace(b"\r", b"\n").split(b"\n")
            rest = rest[-LINE_BYTES:]
            for line in lines:
                await self._heard(line[-LINE_BYTES:].decode("utf-8", "replace"))

    async def _heard(self, line: str) -> None:
        url = self._tunnel.address_in(line)
        if url is None or url == self._named or (self._named is not None and not self._tunnel.moves):
            return
        self._named = url
        self._address.found(url)
        log.info("The tunnel's address is %s", url, extra={"action": "tunnel.address"})
        self._on_address()
        self._has_named.set()
        await self._tell(self._compare)

    def _compare(self, conn: Connection) -> None:
        """The address that is set counts; that the tunnel has another one is told."""
        fixed, named = self._address.fixed, self._named
        if fixed is None or named is None or fixed == named:
            notices.settle(conn, "", "", OTHER_ADDRESS)
            return
        message = f"The tunnel's address is {named}, but PAMOSNIK_PUBLIC_URL is {fixed}: the one that is set counts."
        fix = "Unset PAMOSNIK_PUBLIC_URL and restart, if it does not lead to this tunnel."
        if notices.raise_notice(conn, "", "", OTHER_ADDRESS, message, fix, self._clock.now()):
            log.warning("%s", message, extra={"action": "tunnel.other_address"})

    # --- whether it answers --------------------------------------------------------------------------

    async def _watch(self, http: aiohttp.ClientSession) -> str:
        """Returns when the program has to be started again, with the reason."""
        if self._tunnel.names_address:
            try:
                async with asyncio.timeout(self._pace.address_within):
                    await self._has_named.wait()
            except TimeoutError:
                return "it names no address"
        failures = 0
        while True:
            self._has_named.clear()
            url = self._address.url
            assert url is not None
            try:
                await self._ask(http, url)
            except _Offline:
                # The program gets nowhere either, and goes on by itself: with the address that it has.
                await self._is_offline()
                failures = 0
            except _NoAnswer as trouble:
                failures += 1
                await self._is_still_down(f"its program runs, but {url} {trouble}")
                if failures >= self._pace.failures:
                    return f"{url} {trouble}"
            else:
                failures = 0
                await self._answers(url)
            well = self._answered and not failures
            wait_s = self._pace.check_every if well else self._pace.check_failed_every
            # Some services give another address while their program runs.
            await happens(self._has_named, within=timedelta(seconds=wait_s))

    async def _ask(self, http: aiohttp.ClientSession, url: str) -> None:
        """Goes the way to us and back. Raises `_NoAnswer`, and `_Offline`."""
        try:
            async with (
                asyncio.timeout(self._pace.check_within),
                http.get(f"{url}/healthz", allow_redirects=False) as answer,
            ):
                said = await answer.content.read(16)
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            if is_offline(error):
                raise _Offline from None
            raise _NoAnswer(f"does not answer ({type(error).__name__})") from None
        if 300 <= answer.status < 400:
            raise _NoAnswer(f"leads elsewhere ({answer.status})")
        if answer.status != 200:
            raise _NoAnswer(f"answers {answer.status}")
        if said != b"ok":
            raise _NoAnswer("is answered by another program")

    async def _answers(self, url: str) -> None:
        if not self._answered:
            log.info("%s leads here", url, extra={"action": "tunnel.open"})
            if not await self._tell(_is_up):
                return
            self._offline, self._answered = False, True
        with suppress(StorageRefused):
            await self._callback.leads_here(url)

    async def _is_offline(self) -> None:
        if not self._offline and await self._tell(self._has_no_network):
            self._offline, self._answered = True, False

    # --- what is told --------------------------------------------------------------------------------

    async def _tell(self, write: Callable[[Connection], None]) -> bool:
        """Whether it could be stored; it is told again with the next change."""
        try:
            await self._writer.write(write)
        except StorageRefused:
            return False
        return True

    async def _is_still_down(self, why: str) -> None:
        """What is the cause by now, where it was told that it is down: the first one may be long over."""
        if not self._answered and why != self._told and await self._tell(partial(self._cause_is, why=why)):
            self._told = why

    def _cause_is(self, conn: Connection, *, why: str) -> None:
        if notices.since(conn, "", "", DOWN) is not None:
            self._is_down(conn, why=why)

    def _has_no_network(self, conn: Connection) -> None:
        message = "This machine has no network: Meta cannot reach it."
        fix = "Nothing to do at Pamosnik: it goes on by itself once there is one."
        notices.raise_notice(conn, "", "", DOWN, message, fix, self._clock.now())

    def _is_down(self, conn: Connection, *, why: str) -> None:
        name = self._tunnel.name
        message = f"The tunnel ({name}) is down: {why}. Meta cannot reach this machine."
        fix = "Pamosnik goes on starting it. If that does not help, run it by hand to see what it says"
        # A command of the owner's own may hold a token.
        by_hand = "." if name == "command" else f". Try: {' '.join(self._command)}"
        notices.raise_notice(conn, "", "", DOWN, message, fix + by_hand, self._clock.now())


def forget_notices(conn: Connection) -> None:
    """Of a start with a tunnel, when there is none now."""
    for code in (DOWN, OTHER_ADDRESS):
        notices.settle(conn, "", "", code)


def _is_up(conn: Connection) -> None:
    notices.settle(conn, "", "", DOWN)


def is_offline(error: BaseException) -> bool:
    """Whether it is this machine that has no network, as far as the error tells."""
    known: BaseException | None = error
    while known is not None:
        if isinstance(known, socket.gaierror):
            return known.errno == socket.EAI_AGAIN
        if isinstance(known, OSError) and known.errno in (errno.ENETUNREACH, errno.ENETDOWN):
            return True
        known = getattr(known, "os_error", None) or known.__cause__
    return False


def _http() -> aiohttp.ClientSession:
    """A new connection each time, to wherever the name leads by then."""
    connector = aiohttp.TCPConnector(
        ssl=ssl.create_default_context(), force_close=True, use_dns_cache=False, limit=2
    )
    return aiohttp.ClientSession(connector=connector, trust_env=False, auto_decompress=False)


# --- the program -----------------------------------------------------------------------------------------


async def _start(command: Sequence[str]) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *frozen.guarding(guardian.__file__),
        *command,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env=passed_on(os.environ) | frozen.for_ourselves(os.environ),
        start_new_session=True,
    )


def passed_on(environ: Mapping[str, str]) -> dict[str, str]:
    """What the program may know of our environment: what programs like it need, and nothing that may be a secret of
    Pamosnik's or of the flows."""
    return {
        name: value
        for name, value in environ.items()
        if name in _PASSED_ON or name.startswith(_PASSED_ON_BEGINNINGS)
    }


async def _end(process: asyncio.subprocess.Process) -> None:
    """Asks the whole group to end, then ends it."""
    _signal(process, signal.SIGTERM)
    try:
        with suppress(TimeoutError):
            async with asyncio.timeout(_END_WITHIN_S):
                await process.wait()
    finally:
        _signal(process, signal.SIGKILL)
    await process.wait()


def _signal(process: asyncio.subprocess.Process, number: signal.Signals) -> None:
    # The group may be there while its leader is gone: what the program had started.
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, number)
