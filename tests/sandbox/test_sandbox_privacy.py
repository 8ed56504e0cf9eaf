"""Privacy callbacks: §10.1 and §12.12 of meta-platform."""

import base64
import hashlib
import hmac
import json
from typing import Any

import pytest
from aiohttp import web

from .shop import Shop

pytestmark = pytest.mark.anyio


class Callback:
    """An address that keeps what it is told and answers as set."""

    def __init__(self) -> None:
        self.forms: list[str] = []
        self.status = 200
        self.answer: str = json.dumps({"url": "https://a.example/deletion?id=1", "confirmation_code": "1"})
        self.url = ""

    async def post(self, request: web.Request) -> web.Response:
        assert request.content_type == "application/x-www-form-urlencoded"
        self.forms.append(str((await request.post())["signed_request"]))
        return web.Response(status=self.status, text=self.answer)


@pytest.fixture
async def callback(shop: Shop) -> Any:
    callback = Callback()
    app = web.Application()
    app.add_routes([web.post("/privacy", callback.post)])
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    callback.url = f"http://{host}:{port}/privacy"
    yield callback
    await runner.cleanup()


def opened(signed: str, secret: str) -> Any:
    """Verified as the document says: HMAC over the second part as received."""
    mac, _, payload = signed.partition(".")
    padded = mac + "=" * (-len(mac) % 4)
    expected = hmac.new(secret.encode(), payload.encode(), hashlib.sha256).digest()
    assert hmac.compare_digest(base64.urlsafe_b64decode(padded), expected)
    assert "=" not in signed
    return json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))


@pytest.mark.parametrize("secret", ["instagram", "meta"], ids=["§10.1 Instagram secret", "§10.1 Meta secret"])
@pytest.mark.parametrize("user_id", ["asid", "ig_id"], ids=["§10.1 ASID", "§10.1 IG_ID"])
async def test_data_deletion(shop: Shop, callback: Callback, secret: str, user_id: str) -> None:
    report = await shop.act("data_deletion", url=callback.url, secret=secret, user_id=user_id)
    assert (report["status"], report["accepted"], report["problem"]) == (200, True, None)
    app, account = shop.sandbox.world.app, shop.sandbox.world.account_named(None)
    payload = opened(callback.forms[0], app.secret if secret == "instagram" else app.meta_secret)
    assert payload["algorithm"] == "HMAC-SHA256"
    assert payload["expires"] > payload["issued_at"] == int(shop.clock.now().timestamp())
    assert payload["user_id"] == (account.asid if user_id == "asid" else account.ig_id)
    assert report["signed_request"] == callback.forms[0]
    assert (await shop.get("/me")).status == 200


async def test_deauthorize_ends_tokens_and_subscription(shop: Shop, callback: Callback) -> None:
    """§10.1: and the configured address is used; `expires` may be absent."""
    await shop.connect()
    await shop.act("configure", deauthorize_url=callback.url)
    report = await shop.act("deauthorize", expires=False)
    assert report["accepted"] is True
    assert "expires" not in opened(callback.forms[0], shop.sandbox.app_secret)
    assert (await shop.get("/me")).error == (400, 190, 458)
    assert (await shop.look("state"))["accounts"][0]["subscribed_fields"] == []


@pytest.mark.parametrize(
    ("status", "answer", "told"),
    [
        (500, "{}", "answered 500"),
        (302, "{}", "answered 302"),
        (200, "thanks", "not JSON"),
        (200, "{}", "lacks"),
        (200, '{"url": "https://a.example"}', "lacks"),
        (200, '["url"]', "lacks"),
    ],
)
async def test_answers_that_are_not_enough(
    shop: Shop, callback: Callback, status: int, answer: str, told: str
) -> None:
    callback.status, callback.answer = status, answer
    report = await shop.act("data_deletion", url=callback.url)
    assert report["accepted"] is False
    assert told in report["problem"]


async def test_nobody_answers(shop: Shop) -> None:
    report = await shop.act("data_deletion", url="http://127.0.0.1:9/privacy")
    assert (report["status"], report["accepted"]) == (None, False)
    assert "did not answer" in report["problem"]


@pytest.mark.parametrize(
    "body",
    [{}, {"url": "http://127.0.0.1:9/", "secret": "none"}, {"url": "http://127.0.0.1:9/", "user_id": "x"}],
)
async def test_wrong_requests(shop: Shop, body: Any) -> None:
    for name in ("deauthorize", "data_deletion"):
        assert (await shop.call("POST", f"/sandbox/{name}", json=body)).status == 400
    assert (await shop.get("/me")).status == 200
