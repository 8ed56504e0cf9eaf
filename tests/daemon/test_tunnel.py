"""The tunnel is opened, watched and opened again; what it prints stays with it, and it ends with the daemon."""

import asyncio
import errno
import logging
import os
import signal
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.client_reqrep import ConnectionKey

from pamosnik import config
from pamosnik.clock import VirtualClock
from pamosnik.daemon import tunnel as tunnels_of_daemon
from pamosnik.daemon.callback import Callback
from pamosnik.daemon.tunnel import Pace, TunnelKeeper
from pamosnik.services import tunnels
from pamosnik.services.public_address import PublicAddress
from pamosnik.store import notices
from tests.homes import with_one_account

from .front_desk import START
from .site import Site, open_site
from .tunnels import Program, program, until

pytestmark = pytest.mark.anyio

QUICK = Pace(
    first_gap=0.05,
    longest_gap=0.2,
    address_within=5.0,
    check_every=0.1,
    check_failed_every=0.05,
    check_within=5.0,
    failures=3,
)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@dataclass
class Kept:
    """A keeper at work, and what it did."""

    site: Site
    program: Program
    address: PublicAddress
    told: list[str | None] = field(default_factory=list)

    @property
    def notices(self) -> dict[str, str]:
        return {one.code: f"{one.message} {one.fix}" for one in notices.every(self.site.reader.connection)}

    async def asks(self, path: str = "/healthz") -> int:
        """Through the tunnel."""
        trust = self.program.certified_by.trust
        async with (
            aiohttp.ClientSession() as http,
            http.get(f"{self.address.url}{path}", ssl=trust, allow_redirects=False) as answer,
        ):
            return answer.status

    async def is_open(self) -> None:
        await until(lambda: self.address.url is not None and "tunnel_down" not in self.notices)


@asynccontextmanager
async def _kept(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    *behaviour: str,
    pace: Pace = QUICK,
    fixed: str | None = None,
    port: int | None = None,
    name: str = "127.0.0.1",
    moves: bool = False,
) -> AsyncIterator[Kept]:
    """`port`: where the tunnel leads to, other than the site."""
    with_one_account(folder / "home")
    settings = config.load({"home": str(folder / "home")}, environ={})
    its = program(folder / "program", *behaviour, name=name)
    monkeypatch.setenv("SSL_CERT_FILE", str(its.certified_by.file))
    clock, address = VirtualClock(START), PublicAddress(fixed)
    async with open_site(settings, clock) as site:
        kept = Kept(site, its, address)
        keeper = TunnelKeeper(
            replace(tunnels.parse(its.kind), moves=moves),
            "127.0.0.1",
            port or int(site.address.rpartition(":")[2]),
            address,
            Callback(settings, site.writer, clock),
            site.writer,
            clock,
            on_address=lambda: kept.told.append(address.url),
            pace=pace,
        )
        keeping = asyncio.create_task(keeper.run())
        try:
            yield kept
        finally:
            keeping.cancel()
            await asyncio.wait([keeping])
        await until(lambda: its.alive == [])


async def test_a_tunnel_is_opened_and_leads_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with _kept(tmp_path, monkeypatch, "good") as kept:
        await until(lambda: kept.told)
        assert kept.told == [kept.address.url]
        assert await kept.asks() == 200
        assert len(kept.program.started) == 1


async def test_one_that_is_killed_comes_back_with_its_new_address(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with _kept(tmp_path, monkeypatch, "good") as kept:
        await until(lambda: kept.told)
        before = kept.address.url
        os.kill(kept.program.started[0], signal.SIGKILL)
        await until(lambda: len(kept.told) == 2)
        assert kept.address.url == kept.told[1] != before
        assert await kept.asks() == 200
        await kept.is_open()


async def test_one_whose_address_stops_answering_is_opened_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with _kept(tmp_path, monkeypatch, "good") as kept:
        await until(lambda: kept.told)
        first = kept.program.started[0]
        os.kill(first, signal.SIGUSR1)
        await until(lambda: len(kept.told) == 2)
        assert first not in kept.program.alive
        assert await kept.asks() == 200


async def test_one_that_moves_while_it_runs_is_followed_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rarely = replace(QUICK, check_every=3600.0)
    async with _kept(tmp_path, monkeypatch, "good", pace=rarely, moves=True) as kept:
        await until(lambda: f"{kept.address.url}/webhooks" in kept.notices.get("callback_address", ""))
        os.kill(kept.program.started[0], signal.SIGUSR2)
        await until(lambda: len(kept.told) == 2)
        # What is to be told to Meta is told as soon as it leads here, long before the next question.
        await until(lambda: f"{kept.told[1]}/webhooks" in kept.notices["callback_address"])
        assert len(kept.program.started) == 1


async def test_only_the_first_address_counts_where_strangers_may_have_others_printed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with _kept(tmp_path, monkeypatch, "good") as kept:
        await kept.is_open()
        first = kept.address.url
        os.kill(kept.program.started[0], signal.SIGUSR2)
        # The first one does not answer any more, so the program is started again; then it may name one.
        await until(lambda: len(kept.told) == 2)
        assert len(kept.program.started) == 2
        assert kept.told == [first, kept.address.url]


@pytest.mark.parametrize(
    ("behaviour", "why"),
    [
        ("dies", "the program has ended"),
        ("silent", "it names no address"),
        ("hangs", "does not answer"),
    ],
)
async def test_what_does_not_work_is_told_tried_again_and_mended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, behaviour: str, why: str
) -> None:
    pace = Pace(0.3, 0.3, 1.0, 0.1, 0.05, 5.0, 2)
    async with _kept(tmp_path, monkeypatch, behaviour, behaviour, "good", pace=pace) as kept:
        await until(lambda: "tunnel_down" in kept.notices)
        assert why in kept.notices["tunnel_down"]
        assert str(kept.program.folder) not in kept.notices["tunnel_down"]
        await until(lambda: len(kept.program.started) == 3)
        await kept.is_open()
        assert await kept.asks() == 200


async def test_the_cause_that_is_told_is_the_present_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """“The program has ended” stood there while it ran again and nobody reached it."""
    patient = replace(QUICK, failures=10_000)
    async with _kept(tmp_path, monkeypatch, "good", "hangs", pace=patient) as kept:
        await kept.is_open()
        os.kill(kept.program.started[0], signal.SIGKILL)
        await until(lambda: "its program runs, but https://" in kept.notices.get("tunnel_down", ""))
        assert "does not answer" in kept.notices["tunnel_down"]
        assert "has ended" not in kept.notices["tunnel_down"]


async def test_a_tunnel_that_is_opened_for_the_first_time_is_not_called_down(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    patient = replace(QUICK, failures=10_000)
    async with _kept(tmp_path, monkeypatch, "hangs", pace=patient) as kept:
        await until(lambda: kept.told)
        await asyncio.sleep(0.3)
        assert "tunnel_down" not in kept.notices


class _Names:
    """Who is asked for addresses of names; nobody, while there is no network."""

    def __init__(self) -> None:
        self.asks = socket.getaddrinfo
        self.offline = False
        self.refused = 0

    def __call__(self, host: Any, *rest: Any, **more: Any) -> Any:
        if self.offline and host == "localhost":
            self.refused += 1
            raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")
        return self.asks(host, *rest, **more)


async def test_without_a_network_the_tunnel_is_left_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = _Names()
    monkeypatch.setattr(socket, "getaddrinfo", names)
    async with _kept(tmp_path, monkeypatch, "named", name="localhost") as kept:
        await until(lambda: kept.told)
        names.offline = True
        await until(lambda: "This machine has no network" in kept.notices.get("tunnel_down", ""))
        await until(lambda: names.refused > 5 * QUICK.failures)
        assert len(kept.program.started) == 1
        names.offline = False
        await kept.is_open()
        assert (len(kept.program.started), kept.told) == (1, [kept.address.url])


@pytest.mark.parametrize(
    ("error", "offline"),
    [
        (socket.gaierror(socket.EAI_AGAIN, "try again"), True),
        (socket.gaierror(socket.EAI_NONAME, "unknown"), False),
        (OSError(errno.ENETUNREACH, "unreachable"), True),
        (OSError(errno.ECONNREFUSED, "refused"), False),
        (TimeoutError(), False),
    ],
)
def test_what_tells_that_there_is_no_network(error: OSError, offline: bool) -> None:
    key = ConnectionKey("shop.example", 443, True, True, None, None, None)
    assert tunnels_of_daemon.is_offline(error) is offline
    assert tunnels_of_daemon.is_offline(aiohttp.ClientConnectorError(key, error)) is offline


async def test_rubbish_is_read_past(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with _kept(tmp_path, monkeypatch, "rubbish") as kept:
        await until(lambda: kept.told)
        assert await kept.asks() == 200


async def test_what_it_prints_is_not_logged_but_for_addresses(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    async with _kept(tmp_path, monkeypatch, "dies", "good") as kept:
        await until(lambda: kept.told)
        assert str(kept.address.url) in caplog.text
    assert "tk_very_secret" not in caplog.text


async def test_it_gets_none_of_our_secrets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PAMOSNIK_PASSPHRASE", "three hidden words")
    monkeypatch.setenv("SHOP_API_KEY", "of a webhook that flows call")
    monkeypatch.setenv("NGROK_AUTHTOKEN", "its own")
    async with _kept(tmp_path, monkeypatch, "good") as kept:
        await until(lambda: kept.told)
        got = (kept.program.folder / "environment").read_text().split()
    assert {"PATH", "SSL_CERT_FILE", "NGROK_AUTHTOKEN"} <= set(got)
    assert [name for name in got if name.startswith("PAMOSNIK") or name == "SHOP_API_KEY"] == []


async def test_another_program_behind_the_address_is_no_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def warn(_: web.Request) -> web.Response:
        return web.Response(text="<html>You are about to visit a tunnel</html>")

    async def lead(_: web.Request) -> web.Response:
        raise web.HTTPFound("https://login.example/")

    for number, (answer, why) in enumerate(
        ((warn, "answered by another program"), (lead, "leads elsewhere"))
    ):
        app = web.Application()
        app.router.add_get("/healthz", answer)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        folder = tmp_path / str(number)
        folder.mkdir()
        async with _kept(folder, monkeypatch, "good", port=runner.addresses[0][1]) as kept:
            await until(lambda: "tunnel_down" in kept.notices)
            assert why in kept.notices["tunnel_down"]
        await runner.cleanup()


async def test_an_address_that_is_set_counts_and_the_other_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with _kept(tmp_path, monkeypatch, "good", fixed="https://127.0.0.1:9") as kept:
        await until(lambda: "tunnel_other_address" in kept.notices)
        assert kept.address.url == "https://127.0.0.1:9"
        assert "https://127.0.0.1:9: the one that is set counts" in kept.notices["tunnel_other_address"]
        # Nobody answers there, whatever the tunnel says of itself.
        await until(lambda: "https://127.0.0.1:9 does not answer" in kept.notices.get("tunnel_down", ""))
        await kept.site.writer.write(tunnels_of_daemon.forget_notices)
        assert not {"tunnel_down", "tunnel_other_address"} & set(kept.notices)


@pytest.mark.parametrize("behaviour", ["family", "stubborn"])
async def test_nothing_of_it_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, behaviour: str) -> None:
    async with _kept(tmp_path, monkeypatch, behaviour) as kept:
        await until(lambda: kept.told)
        assert kept.program.alive == kept.program.started
    await until(lambda: kept.program.alive == [])
