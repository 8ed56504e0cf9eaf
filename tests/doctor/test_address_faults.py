"""Faults of the public address: name, certificate, redirects, what answers there. A real server, asked over TLS."""

import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from aiohttp import web

from tests.certificates import STRANGER, Authority, Pair, authority
from tests.doctor.clinic import VERIFY_TOKEN, Clinic, Found
from tests.doctor.site import site

pytestmark = pytest.mark.anyio


def _named(found: Found, name: str, *words: str) -> None:
    check = found.one(name)
    told = f"{check['message']} {check['fix']}"
    assert check["status"] == "bad", found.checks
    assert [word for word in words if word not in told] == [], told
    # Meta is told of the clinic's own address, so that another one is told as that, too.
    assert [other for other in found.bad if other not in (name, "app_callback")] == []
    assert found.said.returncode == 5


def _context(folder: Path, pair: Pair) -> ssl.SSLContext:
    both = folder / "site.pem"
    both.write_bytes(pair.chain + pair.key)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(both)
    return context


def _expired(known: Authority, _: Path) -> Pair:
    return known.certify("127.0.0.1", ends_at=datetime.now(UTC) - timedelta(days=2))


def _not_yet(known: Authority, _: Path) -> Pair:
    return known.certify("127.0.0.1", begins_at=datetime.now(UTC) + timedelta(days=2))


def _other_name(known: Authority, _: Path) -> Pair:
    return known.certify("other.example")


def _self_signed(known: Authority, _: Path) -> Pair:
    return known.self_signed("127.0.0.1")


def _incomplete(known: Authority, folder: Path) -> Pair:
    return known.under_another(folder).certify("127.0.0.1")


@pytest.mark.parametrize(
    ("made", "word", "fix"),
    [
        (_expired, "has expired", "certbot renew"),
        (_not_yet, "not valid yet", "timedatectl"),
        (_other_name, "for another name", "PAMOSNIK_PUBLIC_URL"),
        (_self_signed, "self-signed", "Let's Encrypt"),
        (_incomplete, "chain of its certificate is incomplete", "fullchain.pem"),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
async def test_certificates(shop: Clinic, tmp_path: Path, made: object, word: str, fix: str) -> None:
    pair = made(shop.certified_by, tmp_path / "more")  # type: ignore[operator]
    async with site(VERIFY_TOKEN, _context(tmp_path, pair)) as other:
        found = await shop.look(PUBLIC_URL=other.url)
    _named(found, "certificate", word, fix)
    assert found.status("handshake") == "skipped"


async def test_an_authority_that_nobody_knows(shop: Clinic, tmp_path: Path) -> None:
    stranger = authority(tmp_path / "stranger", STRANGER)
    pair = stranger.certify("127.0.0.1")
    whole = Pair(pair.chain + stranger.file.read_bytes(), pair.key, pair.number)
    both = tmp_path / "whole.pem"
    both.write_bytes(pair.key + whole.chain)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(both)
    async with site(VERIFY_TOKEN, context) as other:
        _named(await shop.look(PUBLIC_URL=other.url), "certificate", "nobody knows", "everybody trusts")


async def test_no_tls_where_tls_should_be(shop: Clinic) -> None:
    async with site(VERIFY_TOKEN) as plain:
        address = plain.url.replace("http:", "https:")
        _named(await shop.look(PUBLIC_URL=address), "certificate", "does not speak TLS", "--tls-cert")


async def test_a_name_that_is_none(shop: Clinic) -> None:
    found = await shop.look(PUBLIC_URL="https://nowhere.invalid")
    _named(found, "address_name", "nowhere.invalid", "does not resolve", "DNS record")
    assert found.status("certificate") == "skipped"


async def test_a_private_address_for_meta_itself(shop: Clinic) -> None:
    found = await shop.look(PUBLIC_URL="https://192.168.77.1:9", META_URL="https://8.8.8.8:9")
    assert "in a private network" in found.one("address_name")["message"]


async def test_redirects_are_followed_to_their_end_for_telling(shop: Clinic) -> None:
    async with site(VERIFY_TOKEN, shop.certified_by.server()) as bare:

        async def to_www(request: web.Request) -> web.StreamResponse:
            raise web.HTTPMovedPermanently(f"{shop.site.url}{request.path_qs}")

        bare.instead = to_www
        found = await shop.look(PUBLIC_URL=bare.url)
        _named(found, "redirects", f"leads on to {shop.site.url}", "Callback URL", "/webhooks/instagram")
        assert set(bare.asked) == {"/healthz"}  # nobody was shown the verify token


@pytest.mark.parametrize(
    "place", ["https://[", "ftp://other.example/x", "/elsewhere", "https://nowhere.invalid/x"]
)
async def test_a_redirect_to_anything_is_told(shop: Clinic, place: str) -> None:
    async def away(_: web.Request) -> web.StreamResponse:
        return web.Response(status=302, headers={"Location": place})

    shop.site.instead = away
    _named(await shop.look(), "redirects", "leads on to")


async def test_an_address_without_tls_leads_to_the_one_with(shop: Clinic) -> None:
    async with site(VERIFY_TOKEN) as plain:

        async def to_https(request: web.Request) -> web.StreamResponse:
            raise web.HTTPFound(f"{shop.site.url}{request.path_qs}")

        plain.instead = to_https
        found = await shop.look(PUBLIC_URL=plain.url)
    assert {"address", "redirects"} <= set(found.bad)
    assert f"leads on to {shop.site.url}" in found.one("redirects")["message"]


async def test_a_tunnel_without_a_program(shop: Clinic) -> None:
    async def nobody(_: web.Request) -> web.StreamResponse:
        return web.Response(status=502)

    shop.site.instead = nobody
    _named(await shop.look(), "reached", "answers 502", "Start the tunnel or proxy again")
    shop.daemon.close()
    assert (await shop.look()).status("reached") == "skipped"


async def test_another_program_answers(shop: Clinic) -> None:
    async def stranger(_: web.Request) -> web.StreamResponse:
        return web.Response(text="<h1>It works!</h1>", content_type="text/html")

    shop.site.instead = stranger
    _named(await shop.look(), "reached", "Something else than Pamosnik", "to port 8788")
    assert set(shop.site.asked) == {"/healthz"}


async def test_another_verify_token(shop: Clinic) -> None:
    shop.site.verify_token = "another-one"
    _named(await shop.look(), "handshake", "verify token", "Start `pamosnik serve` again")


async def test_the_challenge_does_not_come_back(shop: Clinic) -> None:
    async def ok(_: web.Request) -> web.StreamResponse:
        return web.Response(text="ok")

    shop.site.instead = ok
    _named(await shop.look(), "handshake", "does not answer Meta's handshake", "unchanged, query and all")


async def test_the_webhook_alone_leads_elsewhere(shop: Clinic) -> None:
    async def to_a_login(request: web.Request) -> web.StreamResponse:
        if request.path == "/healthz":
            return web.Response(text="ok")
        raise web.HTTPFound(f"https://login.example/?next={request.path_qs}")

    shop.site.instead = to_a_login
    found = await shop.look()
    _named(found, "handshake", "leads on to another address")
    assert VERIFY_TOKEN not in found.said.stdout


async def test_no_public_address(shop: Clinic) -> None:
    found = await shop.look(PUBLIC_URL="")
    assert found.status("address") == "note"
    assert {found.status(name) for name in ("address_name", "certificate", "handshake")} == {"skipped"}
