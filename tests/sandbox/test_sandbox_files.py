"""Media that is really fetched: §4.2, with the switch `fetch_files`."""

import asyncio
import io
import json
from collections.abc import AsyncIterator

import aiohttp
import pytest
from aiohttp import web

from pamosnik.sandbox import rules

from .shop import Shop

pytestmark = pytest.mark.anyio


@pytest.fixture
async def host(shop: Shop) -> AsyncIterator[str]:
    """`/<bytes>/<content type with a dash>/<name>`."""

    async def answer(request: web.Request) -> web.Response:
        body = b"x" * int(request.match_info["size"])
        return web.Response(body=body, content_type=request.match_info["type"].replace("-", "/"))

    app = web.Application()
    app.add_routes([web.get("/{size}/{type}/{name}", answer)])
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    await shop.act("switches", fetch_files=True)
    yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


ROWS = [
    ("§4.2 image of 8 MB", "image", f"/{rules.IMAGE_BYTES}/image-png/a.png", None),
    ("§4.2 image over 8 MB", "image", f"/{rules.IMAGE_BYTES + 1}/image-png/a.png", 2018109),
    ("§4.2 pdf of 25 MB", "file", f"/{rules.FILE_BYTES}/application-pdf/a.pdf", None),
    ("§4.2 pdf over 25 MB", "file", f"/{rules.FILE_BYTES + 1}/application-pdf/a.pdf", 2018109),
    ("§4.2 image that is text", "image", "/5/text-html/a.png", 2018047),
    ("§4.2 audio whose type is video/mp4", "audio", "/5/video-mp4/a.mp4", None),
    ("§4.2 video that is audio", "video", "/5/audio-mpeg/a.mp4", 2018047),
    ("§9.2 no such file", "image", "/a.png", 2018008),
]


@pytest.mark.parametrize(("kind", "path", "subcode"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS])
async def test_files(shop: Shop, host: str, kind: str, path: str, subcode: int | None) -> None:
    message = {"attachment": {"type": kind, "payload": {"url": host + path}}}
    answer = await shop.send({"id": await shop.writes("anna")}, message)
    if subcode is None:
        assert answer.status == 200, answer.body
    else:
        assert answer.error == (400, 100, subcode)


async def test_nobody_listens(shop: Shop, host: str) -> None:
    message = {"attachment": {"type": "image", "payload": {"url": "http://127.0.0.1:9/a.png"}}}
    assert (await shop.send({"id": await shop.writes("anna")}, message)).error == (400, 100, 2018008)


async def test_files_elsewhere_are_believed(shop: Shop, host: str) -> None:
    message = {"attachment": {"type": "image", "payload": {"url": "https://shop.invalid/a.png"}}}
    sent = await asyncio.wait_for(shop.send({"id": await shop.writes("anna")}, message), 5)
    assert sent.status == 200


UPLOADS = [
    ("§4.4 filedata", "image", "a.png", "image/png", 5, None),
    ("§4.4 filedata of a wrong type", "image", "a.txt", "text/plain", 5, 2018047),
    ("§4.4 filedata too big", "image", "a.png", "image/png", rules.IMAGE_BYTES + 1, 2018109),
]


@pytest.mark.parametrize(
    ("kind", "name", "content_type", "size", "subcode"),
    [row[1:] for row in UPLOADS],
    ids=[row[0] for row in UPLOADS],
)
async def test_uploads(
    shop: Shop, kind: str, name: str, content_type: str, size: int, subcode: int | None
) -> None:
    form = aiohttp.FormData()
    form.add_field("platform", "instagram")
    form.add_field("message", json.dumps({"attachment": {"type": kind, "payload": {"is_reusable": True}}}))
    form.add_field("filedata", io.BytesIO(b"x" * size), filename=name, content_type=content_type)
    answer = await shop.call("POST", f"/v26.0/{shop.sandbox.ig_id}/message_attachments", data=form)
    if subcode is not None:
        assert answer.error == (400, 100, subcode)
        return
    image = {"attachment": {"type": kind, "payload": {"attachment_id": answer.body["attachment_id"]}}}
    assert (await shop.send({"id": await shop.writes("anna")}, image)).status == 200
