"""The ssh tunnel, against a real OpenSSH server with a web server before it, as on a machine of one's own."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import pytest

from pamosnik import config
from pamosnik.clock import VirtualClock
from pamosnik.daemon.callback import Callback
from pamosnik.daemon.tunnel import Pace, TunnelKeeper
from pamosnik.services import tunnels
from pamosnik.services.public_address import PublicAddress
from pamosnik.store import notices
from tests.certificates import Authority, authority
from tests.homes import with_one_account

from .front_desk import START
from .shop import free_port
from .site import Site, open_site
from .ssh_server import SshServer, ssh_server
from .tunnels import until

pytestmark = pytest.mark.anyio

QUICK = Pace(0.1, 0.5, 5.0, 0.1, 0.05, 5.0, failures=200)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@dataclass
class Place:
    site: Site
    server: SshServer
    trust: Authority
    address: PublicAddress

    @property
    def notices(self) -> dict[str, str]:
        return {one.code: f"{one.message} {one.fix}" for one in notices.every(self.site.reader.connection)}

    async def asks(self) -> int:
        """Through web server and tunnel; 0: nobody answers."""
        try:
            async with (
                aiohttp.ClientSession() as http,
                http.get(f"{self.address.url}/healthz", ssl=self.trust.trust) as answer,
            ):
                return answer.status
        except aiohttp.ClientError:
            return 0

    async def answers(self) -> None:
        for _ in range(500):
            if await self.asks() == 200 and "tunnel_down" not in self.notices:
                return
            await asyncio.sleep(0.02)
        raise AssertionError((self.notices, (self.server.folder / "log").read_text()))


@asynccontextmanager
async def _web_server(known: Authority, port: int) -> AsyncIterator[int]:
    """Takes https and hands it to this port; its own port."""

    async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while part := await reader.read(65536):
                writer.write(part)
                await writer.drain()
        except OSError:
            pass
        finally:
            writer.close()

    async def visit(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            there, back = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            writer.close()
            return
        await asyncio.gather(carry(reader, back), carry(there, writer))

    server = await asyncio.start_server(visit, "127.0.0.1", 0, ssl=known.server())
    async with server:
        yield server.sockets[0].getsockname()[1]


@asynccontextmanager
async def _place(
    folder: Path, monkeypatch: pytest.MonkeyPatch, kind: str, *, banner: bool = False
) -> AsyncIterator[Place]:
    """`kind`: with {client} and {ssh} and {remote}, which are known only here; `banner`: the server tells the address
    to whoever logs in, as services do; otherwise it is set."""
    with_one_account(folder / "home")
    settings, clock = config.load({"home": str(folder / "home")}, environ={}), VirtualClock(START)
    known, remote = authority(folder / "tls"), free_port()
    monkeypatch.setenv("SSL_CERT_FILE", str(known.file))
    async with _web_server(known, remote) as port, open_site(settings, clock) as site:
        url = f"https://127.0.0.1:{port}"
        says = f"ForceCommand echo 'a.b tunneled with tls termination, {url}'; exec sleep 600"
        with ssh_server(folder / "ssh", *([says] if banner else [])) as server:
            address = PublicAddress(None if banner else url)
            told = kind.replace("{client}", str(server.client)).replace("{ssh}", str(server.port))
            keeper = TunnelKeeper(
                tunnels.parse(told.replace("{remote}", str(remote))),
                "127.0.0.1",
                int(site.address.rpartition(":")[2]),
                address,
                Callback(settings, site.writer, clock),
                site.writer,
                clock,
                on_address=lambda: None,
                pace=QUICK,
            )
            keeping = asyncio.create_task(keeper.run())
            try:
                yield Place(site, server, known, address)
            finally:
                keeping.cancel()
                await asyncio.wait([keeping])


FORWARDED = "-R 127.0.0.1:{remote}:127.0.0.1:{port}"


@pytest.mark.parametrize("destination", ["127.0.0.1:{ssh}", "shop"])
async def test_a_server_of_ones_own_leads_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, destination: str
) -> None:
    async with _place(tmp_path, monkeypatch, f"ssh:-F {{client}} {FORWARDED} {destination}") as place:
        await place.answers()
    assert "session" not in (tmp_path / "ssh" / "log").read_text().lower()


async def test_a_lost_server_is_gone_back_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with _place(tmp_path, monkeypatch, f"ssh:-F {{client}} {FORWARDED} shop") as place:
        await place.answers()
        place.server.stop()
        await until(lambda: "tunnel_down" in place.notices)
        assert await place.asks() == 0
        place.server.start()
        await place.answers()


async def test_a_service_that_tells_the_address_to_whoever_logs_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kind = f"ssh:-F {{client}} {FORWARDED} localhost.run"
    async with _place(tmp_path, monkeypatch, kind, banner=True) as place:
        await until(lambda: place.address.url is not None)
        await place.answers()


async def test_a_server_that_shows_another_key_is_not_talked_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kind = f"ssh:-F {{client}} -o HostKeyAlias=another {FORWARDED} shop"
    async with _place(tmp_path, monkeypatch, kind) as place:
        await until(lambda: "tunnel_down" in place.notices)
        told = place.notices["tunnel_down"]
        assert "The tunnel (ssh:shop) is down: the program has ended." in told
        assert "Try: ssh -F " in told
        assert await place.asks() == 0


async def test_a_port_that_is_taken_on_the_server_ends_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kind = "ssh:-F {client} -R 127.0.0.1:{ssh}:127.0.0.1:{port} shop"
    async with _place(tmp_path, monkeypatch, kind) as place:
        await until(lambda: "the program has ended" in place.notices.get("tunnel_down", ""))
