"""The link of a flow on its page: what a camera reads is where the link leads."""

import base64
from pathlib import Path

import pytest
import zxingcpp
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, BrowserContext, expect

from pamosnik.daemon.visitors import SESSION_COOKIE
from tests.daemon.front_desk import front_desk
from tests.daemon.talk import Talk

pytestmark = [pytest.mark.anyio, pytest.mark.browser]

FLOWS = """
version: 1
flows:
  flyer: { when: [link: flyer], do: [send: Hello] }
  price: { when: [dm: price], do: [send: "Our prices."] }
"""
GREYS = """async url => {
  const picture = new Image();
  picture.src = url;
  await picture.decode();
  const {width, height} = picture, canvas = new OffscreenCanvas(width, height), on = canvas.getContext("2d");
  on.drawImage(picture, 0, 0);
  const pixels = on.getImageData(0, 0, width, height).data;
  return [width, height, Array.from({length: width * height}, (_, place) => pixels[place * 4])];
}"""


async def _read(context: BrowserContext, png: bytes) -> str:
    """What is in the code. The browser unpacks the picture, on a page that is not ours."""
    page = await context.new_page()
    url = f"data:image/png;base64,{base64.b64encode(png).decode()}"
    width, height, greys = await page.evaluate(GREYS, url)
    (found,) = zxingcpp.read_barcodes(memoryview(bytes(greys)).cast("B", (height, width)))
    return str(found.text)


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_a_camera_reads_the_code(tmp_path: Path, chromium: Browser, scheme: str) -> None:
    async with front_desk(tmp_path, mail=False) as desk:
        Talk.begin(desk, FLOWS)
        here = desk.browser()
        await here.log_in()
        assert "ig.me" not in (await here.get("/flows/price")).text
        context = await chromium.new_context(
            viewport={"width": 390, "height": 844}, color_scheme="dark" if scheme == "dark" else "light"
        )
        token = here.cookies[SESSION_COOKIE]
        await context.add_cookies([{"name": SESSION_COOKIE, "value": token, "url": desk.address}])
        page = await context.new_page()
        await page.goto(f"{desk.address}/flows/flyer")
        await page.get_by_text("Its link, also as a QR code").click()
        link = page.get_by_role("link", name="https://ig.me/m/shop?ref=flyer")
        await expect(link).to_be_visible()
        code = page.get_by_role("img", name="QR code of https://ig.me/m/shop?ref=flyer")
        assert await _read(context, await code.screenshot()) == "https://ig.me/m/shop?ref=flyer"
        found = await Axe().run(page)
        assert [(one["id"], one["nodes"]) for one in found.response["violations"]] == []
        await context.close()
