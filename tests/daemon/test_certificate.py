"""TLS without a proxy: files that change, do not fit each other, end; connections that never get as far."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from pamosnik.daemon import http_line
from pamosnik.daemon.certificate import Certificate
from pamosnik.errors import HomeError
from pamosnik.store import notices
from tests.certificates import PEM, Authority, Pair, authority
from tests.cli.in_process import in_this_process
from tests.daemon.front_desk import START, FrontDesk, front_desk

Line = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@dataclass(frozen=True, slots=True)
class Site:
    desk: FrontDesk
    certified_by: Authority
    chain: Path
    key: Path
    first: Pair

    @asynccontextmanager
    async def line(self, *, plain: bool = False) -> AsyncIterator[Line]:
        tls = None if plain else self.certified_by.trust
        name = None if plain else "127.0.0.1"
        port = self.desk.settings.port
        reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=tls, server_hostname=name)
        try:
            yield reader, writer
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    async def shows(self) -> int:
        """The number of the certificate that a new connection sees, and that its authority vouches for."""
        async with self.line() as (_, writer):
            return _number(writer)

    def told(self) -> set[str]:
        return {one.code for one in notices.every(self.desk.conn) if one.code.startswith("certificate")}

    async def until(self, told: set[str], shows: Pair) -> None:
        for _ in range(500):
            if self.told() == told and await self.shows() == shows.number:
                return
            await asyncio.sleep(0.02)
        raise AssertionError((self.told(), await self.shows()))


def _number(writer: asyncio.StreamWriter) -> int:
    shown = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
    return x509.load_der_x509_certificate(shown).serial_number


@asynccontextmanager
async def site(folder: Path, **how: object) -> AsyncIterator[Site]:
    known, chain, key = authority(folder / "tls"), folder / "tls" / "chain.pem", folder / "tls" / "key.pem"
    first = known.certify("127.0.0.1", **how)  # type: ignore[arg-type]
    first.put(chain, key)
    async with front_desk(folder, mail=False, certificate=Certificate(chain, key)) as desk:
        yield Site(desk, known, chain, key, first)


async def _ask(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, path: str) -> str:
    writer.write(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
    return (await reader.readuntil(b"\r\n\r\n")).decode()


@pytest.mark.anyio
async def test_the_pages_come_over_https_and_say_so(tmp_path: Path) -> None:
    async with site(tmp_path) as running:
        async with running.line() as line:
            head = await _ask(*line, "/login")
            assert line[1].get_extra_info("ssl_object").version() == "TLSv1.3"
        assert head.startswith("HTTP/1.1 200")
        assert "strict-transport-security:" in head.lower()
        async with running.line(plain=True) as line:
            with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
                await _ask(*line, "/login")


@pytest.mark.anyio
async def test_a_new_pair_counts_for_new_connections_and_open_ones_go_on(tmp_path: Path) -> None:
    async with site(tmp_path) as running, running.line() as line:
        second = running.certified_by.certify("127.0.0.1")
        second.put(running.chain, running.key)
        await running.until(set(), second)
        assert (await _ask(*line, "/healthz")).startswith("HTTP/1.1 200")
        assert _number(line[1]) == running.first.number


@pytest.mark.anyio
async def test_files_that_do_not_fit_yet_change_nothing_and_are_told(tmp_path: Path) -> None:
    async with site(tmp_path) as running:
        second = running.certified_by.certify("127.0.0.1")
        running.chain.write_bytes(second.chain)
        await running.until({"certificate_unreadable"}, running.first)
        running.key.unlink()
        await running.until({"certificate_unreadable"}, running.first)
        second.put(running.chain, running.key)
        await running.until(set(), second)


@pytest.mark.anyio
async def test_one_that_has_ended_takes_no_place_of_one_that_lasts(tmp_path: Path) -> None:
    async with site(tmp_path) as running:
        ended = running.certified_by.certify("127.0.0.1", ends_at=START - timedelta(days=1))
        ended.put(running.chain, running.key)
        await running.until({"certificate_unreadable"}, running.first)
        (notice,) = notices.every(running.desk.conn)
        assert "has ended already" in notice.message
        second = running.certified_by.certify("127.0.0.1")
        second.put(running.chain, running.key)
        await running.until(set(), second)


@pytest.mark.anyio
async def test_the_owner_hears_before_it_ends(tmp_path: Path) -> None:
    async with site(tmp_path, ends_at=START + timedelta(days=8)) as running:
        assert running.told() == set()
        running.desk.later(days=1, seconds=1)
        for _ in range(500):
            if running.told():
                break
            await asyncio.sleep(0.02)
        (notice,) = notices.every(running.desk.conn)
        assert notice.code == "certificate_ending"
        assert f"{START + timedelta(days=8):%Y-%m-%d at %H:%M} UTC" in notice.message
        renewed = running.certified_by.certify("127.0.0.1", ends_at=START + timedelta(days=90))
        renewed.put(running.chain, running.key)
        for _ in range(500):
            if not running.told():
                break
            await asyncio.sleep(0.02)
        assert running.told() == set()


@pytest.mark.anyio
async def test_a_start_without_a_certificate_forgets_what_was_told(tmp_path: Path) -> None:
    async with front_desk(tmp_path, mail=False) as desk:
        notices.raise_notice(desk.conn, "", "", "certificate_ending", "m", "f", START)
    async with front_desk(tmp_path / "again", mail=False) as desk:
        assert [one.code for one in notices.every(desk.conn)] == []


@pytest.mark.anyio
async def test_handshakes_that_are_not_gone_on_with_are_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_line, "HEAD_S", 0.2)
    async with site(tmp_path) as running:
        async with running.line(plain=True) as (reader, writer):
            writer.write(b"\x16\x03\x01")
            with contextlib.suppress(ConnectionResetError):
                assert await asyncio.wait_for(reader.read(), timeout=20) == b""
        assert await running.shows() == running.first.number


# --- what is no certificate ------------------------------------------------------------------------------


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path, Authority]:
    known, chain, key = authority(tmp_path), tmp_path / "chain.pem", tmp_path / "key.pem"
    known.certify("shop.example").put(chain, key)
    return chain, key, known


def _refused(chain: Path, key: Path) -> str:
    with pytest.raises(HomeError) as refused:
        Certificate(chain, key)
    assert refused.value.hint is not None
    return refused.value.message


def test_a_file_that_is_not_there_is_named(files: tuple[Path, Path, Authority]) -> None:
    chain, key, _ = files
    key.unlink()
    assert _refused(chain, key) == f"There is no file {key}."


def test_a_key_of_another_certificate_is_refused(files: tuple[Path, Path, Authority]) -> None:
    chain, key, known = files
    key.write_bytes(known.certify("shop.example").key)
    assert "do not go together: key values mismatch" in _refused(chain, key)


def test_a_key_that_every_user_can_read_is_refused(files: tuple[Path, Path, Authority]) -> None:
    chain, key, _ = files
    key.chmod(0o644)
    assert _refused(chain, key) == f"Every user of this machine can read {key}."


def test_a_key_with_a_passphrase_is_refused_and_not_asked_for(files: tuple[Path, Path, Authority]) -> None:
    chain, key, _ = files
    opened = serialization.load_pem_private_key(key.read_bytes(), None)
    sealing = serialization.BestAvailableEncryption(b"words")
    key.write_bytes(opened.private_bytes(PEM, serialization.PrivateFormat.PKCS8, sealing))
    assert _refused(chain, key) == "The key is sealed with a passphrase."


@pytest.mark.parametrize(
    "content", [b"", b"nothing", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"]
)
def test_what_is_no_certificate_is_refused(files: tuple[Path, Path, Authority], content: bytes) -> None:
    chain, key, _ = files
    chain.write_bytes(content)
    assert f"{chain} and {key} do not go together" in _refused(chain, key)


def test_old_versions_of_tls_are_refused(files: tuple[Path, Path, Authority]) -> None:
    chain, key, _ = files
    assert Certificate(chain, key).context.minimum_version == ssl.TLSVersion.TLSv1_2


def test_serve_wants_both_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    command = in_this_process(monkeypatch, tmp_path / "home")
    done = command("serve", "--tls-cert", "chain.pem")
    assert (done.returncode, done.stderr) == (
        2,
        "A certificate and its key belong together.\nGive --tls-key, too.\n",
    )
    done = command("serve", "--tls-cert", str(tmp_path / "a"), "--tls-key", str(tmp_path / "b"))
    assert done.returncode == 1
    assert f"There is no file {tmp_path / 'a'}." in done.stderr
