"""Our client of the app's own subscription: against the sandbox, and against servers that answer otherwise."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp import web

from pamosnik.instagram import meta_app
from pamosnik.instagram.meta_app import AppSubscription, MetaApp
from pamosnik.model.outbox import OutcomeKind

from .shop import Shop

pytestmark = pytest.mark.anyio

FIELDS = ("messages", "comments")


def _app(shop: Shop, **other: str) -> MetaApp:
    app = shop.sandbox.world.app
    given = {"app_id": app.meta_app_id, "secret": app.meta_secret, **other}
    return MetaApp(given["app_id"], given["secret"], version="v26.0", meta_url=shop.sandbox.base_url)


async def test_a_callback_is_registered_and_read_back(shop: Shop) -> None:
    async with _app(shop) as app:
        before = await app.subscriptions()
        assert (before.outcome.kind, meta_app.subscription(before)) == (OutcomeKind.SENT, None)
        answer = await app.subscribe(shop.receiver.url, shop.receiver.token, FIELDS)
        assert meta_app.done(answer)
        found = meta_app.subscription(await app.subscriptions())
    assert found == AppSubscription(shop.receiver.url, True, tuple(sorted(FIELDS)))


async def test_a_callback_that_does_not_give_the_word_is_not_registered(shop: Shop) -> None:
    async with _app(shop) as app:
        answer = await app.subscribe(shop.receiver.url, "another word", FIELDS)
        assert not meta_app.done(answer)
        assert answer.outcome.kind is OutcomeKind.PERMANENT
        assert meta_app.subscription(await app.subscriptions()) is None


async def test_another_secret_is_refused(shop: Shop) -> None:
    async with _app(shop, secret="a wrong one") as app:
        assert (await app.subscriptions()).outcome.kind is OutcomeKind.LOGIN
        answer = await app.subscribe(shop.receiver.url, shop.receiver.token, FIELDS)
        assert (answer.outcome.kind, meta_app.done(answer)) == (OutcomeKind.LOGIN, False)


@dataclass
class _Meta:
    """Answers each request with the next of these bodies (status and JSON), and keeps what was asked."""

    answers: list[tuple[int, Any]]
    asked: list[tuple[str, str | None, dict[str, str], dict[str, str]]] = field(default_factory=list)

    async def answer(self, request: web.Request) -> web.Response:
        form = {name: str(value) for name, value in (await request.post()).items()}
        self.asked.append(
            (request.method, request.headers.get("Authorization"), dict(request.query), form),
        )
        status, body = self.answers.pop(0)
        return web.json_response(body, status=status)


@asynccontextmanager
async def _instead_of_meta(*answers: tuple[int, Any]) -> AsyncIterator[tuple[_Meta, MetaApp]]:
    meta = _Meta(list(answers))
    server = web.Application()
    server.router.add_route("*", "/v26.0/77/subscriptions", meta.answer)
    runner = web.AppRunner(server, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    async with MetaApp("77", "s3cret", version="v26.0", meta_url=f"http://{host}:{port}") as app:
        yield meta, app
    await runner.cleanup()


def _refused(code: int) -> tuple[int, Any]:
    return 400, {"error": {"message": "refused", "type": "OAuthException", "code": code}}


ANYTHING = {
    "object": "instagram",
    "callback_url": "https://shop.example/webhooks/instagram",
    "verify_token": "word",
    "fields": "messages,comments",
    "include_values": "true",
}


async def test_a_token_that_is_not_read_from_the_header_is_given_as_documented() -> None:
    async with _instead_of_meta(_refused(104), (200, {"success": "true"})) as (meta, app):
        assert meta_app.done(await app.subscribe(ANYTHING["callback_url"], "word", FIELDS))
    assert meta.asked == [
        ("POST", "Bearer 77|s3cret", {}, ANYTHING),
        ("POST", None, {}, {**ANYTHING, "access_token": "77|s3cret"}),
    ]
    async with _instead_of_meta(_refused(2500), (200, {"data": []})) as (meta, app):
        assert (await app.subscriptions()).outcome.kind is OutcomeKind.SENT
    assert meta.asked == [
        ("GET", "Bearer 77|s3cret", {}, {}),
        ("GET", None, {"access_token": "77|s3cret"}, {}),
    ]


@pytest.mark.parametrize("code", [2200, 4])
async def test_neither_a_failed_handshake_nor_a_limit_is_tried_again(code: int) -> None:
    async with _instead_of_meta(_refused(code)) as (meta, app):
        answer = await app.subscribe(ANYTHING["callback_url"], "word", FIELDS)
    assert (answer.outcome.code, meta_app.done(answer), len(meta.asked)) == (code, False, 1)


@pytest.mark.parametrize(
    ("body", "taken"),
    [({"success": True}, True), ({"success": "true"}, True), ({"success": False}, False), ({}, False)],
)
async def test_what_counts_as_taken(body: Any, taken: bool) -> None:
    async with _instead_of_meta((200, body)) as (_, app):
        assert meta_app.done(await app.subscribe(ANYTHING["callback_url"], "word", FIELDS)) is taken


@pytest.mark.parametrize(
    ("data", "found"),
    [
        ([{"object": "page", "callback_url": "https://p.example"}], None),
        ([{"object": "instagram"}], AppSubscription(None, True, ())),
        (
            [
                {
                    "object": "instagram",
                    "callback_url": "https://a.example",
                    "active": False,
                    "fields": ["messages"],
                }
            ],
            AppSubscription("https://a.example", False, ("messages",)),
        ),
        (
            [
                {
                    "object": "instagram",
                    "fields": [{"name": "comments", "version": "v26.0"}, {"version": "v1.0"}, 7.5],
                }
            ],
            AppSubscription(None, True, ("comments",)),
        ),
        ("nothing", None),
    ],
)
async def test_subscriptions_are_read_tolerantly(data: Any, found: AppSubscription | None) -> None:
    async with _instead_of_meta((200, {"data": data})) as (_, app):
        assert meta_app.subscription(await app.subscriptions()) == found


async def test_a_server_that_is_not_there_is_an_outcome() -> None:
    async with MetaApp("77", "s3cret", version="v26.0", meta_url="http://127.0.0.1:9") as app:
        answer = await app.subscriptions()
    assert answer.outcome.kind is OutcomeKind.NOT_SENT
    assert answer.outcome.reason.startswith("no connection to Meta")
