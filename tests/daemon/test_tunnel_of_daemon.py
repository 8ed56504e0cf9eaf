"""`pamosnik serve --tunnel`, as processes: Meta (the sandbox), the daemon, the tunnel's program between them."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import aiohttp
import pytest

from pamosnik import config
from pamosnik.instagram import meta_app
from pamosnik.instagram.meta_app import MetaApp
from pamosnik.sandbox.things import App
from pamosnik.services import home
from pamosnik.store import notices
from pamosnik.store.database import open_database
from tests.crash import forked
from tests.homes import with_one_account

from .shop import free_port
from .tunnels import Program, program, until

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@contextmanager
def _process(
    words: tuple[str, ...], environment: Mapping[str, str], log: Path
) -> Iterator[subprocess.Popen[bytes]]:
    with log.open("ab") as file:
        process = subprocess.Popen(
            [sys.executable, "-m", "pamosnik", *words],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=file,
        )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def _environment(folder: Path, its: Program, **more: str) -> dict[str, str]:
    plain = {name: value for name, value in os.environ.items() if not name.startswith("PAMOSNIK")}
    own = {"PAMOSNIK_HOME": str(folder / "home"), "PAMOSNIK_TUNNEL": its.kind}
    return {**plain, **own, "SSL_CERT_FILE": str(its.certified_by.file), **more}


@asynccontextmanager
async def _meta(folder: Path, environment: Mapping[str, str]) -> AsyncIterator[tuple[str, str, str]]:
    """The sandbox; its address and the Meta app's pair."""
    port = free_port()
    base, log = f"http://127.0.0.1:{port}", folder / "meta.log"
    with _process(("sandbox", "--port", str(port)), environment, log):
        async with aiohttp.ClientSession() as http:
            for _ in range(500):
                try:
                    async with http.get(f"{base}/sandbox/state") as answer:
                        assert answer.status == 200
                        break
                except aiohttp.ClientError:
                    await asyncio.sleep(0.02)
            else:
                raise AssertionError(log.read_text())
            secret = "5e" * 16
            async with http.post(f"{base}/sandbox/configure", json={"meta_app_secret": secret}) as answer:
                assert answer.status == 200, await answer.text()
        yield base, App("", "", "").meta_app_id, secret


async def _callback(base: str, app_id: str, secret: str) -> str | None:
    async with MetaApp(app_id, secret, version="v26.0", meta_url=base) as app:
        found = meta_app.subscription(await app.subscriptions())
    return None if found is None else found.callback_url


async def test_service_comes_back_by_itself_and_nothing_outlives_the_daemon(tmp_path: Path) -> None:
    with_one_account(tmp_path / "home")
    its = program(tmp_path / "program", "good")
    async with _meta(tmp_path, _environment(tmp_path, its)) as (base, app_id, secret):
        environment = _environment(
            tmp_path,
            its,
            PAMOSNIK_META_URL=base,
            PAMOSNIK_META_APP_ID=app_id,
            PAMOSNIK_META_APP_SECRET=secret,
        )
        settings = config.load({"home": str(tmp_path / "home")}, environ={})
        log = tmp_path / "daemon.log"
        with _process(("serve", "--port", str(free_port())), environment, log) as daemon:

            async def is_told() -> str:
                """The address that the daemon tells commands, once Meta was told it, too."""
                for _ in range(1500):
                    url = home.public_address(settings)
                    if url and await _callback(base, app_id, secret) == f"{url}/webhooks/instagram":
                        return url
                    await asyncio.sleep(0.02)
                raise AssertionError(log.read_text())

            first = await is_told()
            os.kill(its.started[0], signal.SIGKILL)
            await until(lambda: home.public_address(settings) != first, within_s=30)
            second = await is_told()
            assert second != first
            assert len(its.alive) == 1
            daemon.kill()
            daemon.wait()
            await until(lambda: its.alive == [])
            assert home.public_address(settings) is None
    assert "tk_very_secret" not in log.read_text()


async def test_without_the_app_s_pair_the_owner_is_told_until_meta_has_called(tmp_path: Path) -> None:
    with_one_account(tmp_path / "home")
    its = program(tmp_path / "program", "good")
    settings = config.load({"home": str(tmp_path / "home")}, environ={})
    with (
        _process(("serve", "--port", str(free_port())), _environment(tmp_path, its), tmp_path / "log"),
        open_database(settings.database) as database,
    ):

        def told() -> dict[str, str]:
            return {one.code: one.fix for one in notices.every(database.connection)}

        await until(lambda: "callback_address" in told(), within_s=30)
        url = home.public_address(settings)
        assert f"callback URL {url}/webhooks/instagram," in told()["callback_address"]
        asked = {
            "hub.mode": "subscribe",
            "hub.challenge": "7",
            "hub.verify_token": str(settings.verify_token),
        }
        trust, address = its.certified_by.trust, f"{url}/webhooks/instagram"
        async with aiohttp.ClientSession() as http:
            async with http.get(address, params={**asked, "hub.verify_token": "?"}, ssl=trust) as answer:
                assert answer.status == 403
            assert "callback_address" in told()
            async with http.get(address, params=asked, ssl=trust) as answer:
                assert await answer.text() == "7"
        assert "callback_address" not in told()


async def test_a_stop_ends_the_program_too(tmp_path: Path) -> None:
    with_one_account(tmp_path / "home")
    its = program(tmp_path / "program", "family")
    environment = _environment(tmp_path, its)
    words = ("serve", "--port", str(free_port()))
    with _process(words, environment, tmp_path / "daemon.log") as daemon:
        await until(lambda: len(its.alive) == 2)
        daemon.terminate()
        assert await asyncio.to_thread(daemon.wait) == 0
        await until(lambda: its.alive == [])


def _refused(folder: Path, *words: str, **environment: str) -> forked.Said:
    with_one_account(folder / "home")
    plain = {name: value for name, value in os.environ.items() if not name.startswith("PAMOSNIK")}
    return forked.run(("serve", *words), {**plain, "PAMOSNIK_HOME": str(folder / "home"), **environment})


@pytest.mark.parametrize(
    ("words", "told", "hint"),
    [
        (("--tunnel", "frp"), "There is no tunnel of this kind: frp.", "It can be cloudflared"),
        (
            ("--tunnel", "ssh:shop@server.example"),
            "does not say its public address",
            "Set PAMOSNIK_PUBLIC_URL",
        ),
        (
            ("--tunnel", "command:/nowhere/at-all {port}"),
            "The program /nowhere/at-all is not on this machine.",
            "install it",
        ),
    ],
)
def test_what_cannot_work_is_told_before_the_start(
    tmp_path: Path, words: tuple[str, ...], told: str, hint: str
) -> None:
    said = _refused(tmp_path, *words)
    assert said.returncode == 2
    assert told in said.stderr.replace("\n", " ")
    assert hint in said.stderr.replace("\n", " ")
    assert "listens on" not in said.stderr


def test_a_missing_program_is_named_with_where_to_get_it(tmp_path: Path) -> None:
    said = _refused(tmp_path, "--tunnel", "cloudflared", PATH="/nowhere")
    assert said.returncode == 2
    assert "The program cloudflared is not on this machine." in said.stderr
    assert "developers.cloudflare.com" in said.stderr


def test_config_show_tells_the_tunnel_but_no_command_line(tmp_path: Path) -> None:
    with_one_account(tmp_path / "home")
    plain = {name: value for name, value in os.environ.items() if not name.startswith("PAMOSNIK")}
    for kind, shown in (
        ("ssh:shop@server.example", "ssh:shop@server.example"),
        ("command:x --token t0k3n", "command:(hidden)"),
    ):
        environment = {**plain, "PAMOSNIK_HOME": str(tmp_path / "home"), "PAMOSNIK_TUNNEL": kind}
        said = forked.run(("config", "show"), environment)
        assert shown in said.stdout
        assert "t0k3n" not in said.stdout + said.stderr
