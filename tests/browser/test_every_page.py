"""Every page of the status page in Debian's Chromium, at desk and phone size, light and dark: nothing that an
accessibility engine minds, no complaint, nobody else asked; light, and kept up to date while it is open."""

import re
from collections.abc import AsyncIterator
from functools import partial
from urllib.parse import urljoin, urlsplit

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, Response, expect

from pamosnik.store import accounts, notices
from tests.browser.lived_in import DESK, PHONE, LivedIn, Window, lived_in

pytestmark = [pytest.mark.anyio, pytest.mark.browser]

WIDER = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
TWICE = "[...document.querySelectorAll('[id]')].map(e => e.id).filter((id, n, all) => all.indexOf(id) != n)"
FIRST_PAGE_BYTES = 150_000
_ID = re.compile(r"/(?:[0-9A-HJKMNP-TV-Z]{26}|[0-9a-f]{12,64})(?=/|$)")


@pytest.fixture(scope="module")
async def shop(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[LivedIn]:
    async with lived_in(tmp_path_factory.mktemp("lived"), days=2, per_day=40) as running:
        yield running


async def _each_page(window: Window, *, filters: int) -> AsyncIterator[str]:
    """Goes to everything that links lead to, one page of each kind; its address. `filters`: with so many words in the
    address at most. A page with several looks as it does with each of them."""
    left, seen = [f"{window.address}/"], set[str]()
    while left:
        url = left.pop(0)
        kind, parts = _kind(url), urlsplit(url)
        if kind in seen or not url.startswith(f"{window.address}/") or parts.path.endswith(".csv"):
            continue
        # A login with Instagram leads away: tests/browser/test_connect_page.py.
        if parts.query.count("=") > filters or parts.path.startswith("/connect/"):
            continue
        seen.add(kind)
        answer = await window.page.goto(url)
        if answer is None or answer.status != 200:
            window.complaints.append(f"{url} is not there")
            continue
        yield url.removeprefix(window.address)
        found = await window.page.eval_on_selector_all("a", "all => all.map(one => one.getAttribute('href'))")
        left += [urljoin(url, href).partition("#")[0] for href in found if href]


def _kind(url: str) -> str:
    """The same for pages that are about another thing of the same kind, or show another part."""
    parts = urlsplit(url)
    names = sorted(pair.partition("=")[0] for pair in parts.query.split("&"))
    return f"{_ID.sub('/ID', parts.path)}?{names}"


CONTROLS = """() => {
  const radios = one => one.type === "radio" ? `${one.form?.action} ${one.name}` : "";
  const seen = new Set();
  const all = document.querySelectorAll("a[href], button, input, select, textarea, summary, [tabindex]");
  return [...all].filter(one => {
    if (one.disabled || one.type === "hidden" || one.tabIndex < 0 || !one.checkVisibility()) return false;
    if (!radios(one)) return true;
    return !seen.has(radios(one)) && seen.add(radios(one));
  }).length;
}"""
FOCUSED = """() => {
  const one = document.activeElement, style = getComputedStyle(one), place = one.getBoundingClientRect();
  if (one === document.body) return null;
  window.walked = window.walked || [];
  const within = window.walked.at(-1) === one;
  const again = !within && window.walked.includes(one);
  window.walked.push(one);
  const marked = (style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0) || style.boxShadow !== "none";
  const shown = place.width > 0 && place.bottom > 0 && place.top < innerHeight;
  return {name: one.outerHTML.slice(0, 90), again, within, marked, shown};
}"""


async def test_the_keyboard_reaches_everything_and_shows_where_it_is(
    shop: LivedIn, chromium: Browser
) -> None:
    wrong = []
    async with shop.window(chromium, DESK, "light") as window:
        async for path in _each_page(window, filters=0):
            page, reached = window.page, 0
            for _ in range(1000):
                await page.keyboard.press("Tab")
                at = await page.evaluate(FOCUSED)
                if at is None or at["again"]:
                    break
                if at["within"]:
                    continue  # a date has three places, and the browser shows which
                reached += 1
                if not (at["marked"] and at["shown"]):
                    wrong.append(f"{path}: nobody sees that the keyboard is at {at['name']}")
            there = await page.evaluate(CONTROLS)
            if reached != there:
                wrong.append(f"{path}: the keyboard reaches {reached} of {there}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize(
    ("size", "scheme", "filters"), [(DESK, "light", 1), (PHONE, "dark", 0)], ids=["desk", "phone"]
)
async def test_no_page_shuts_anybody_out(
    shop: LivedIn, chromium: Browser, size: tuple[int, int], scheme: str, filters: int
) -> None:
    wrong, looked_at = [], set()
    async with shop.window(chromium, size, scheme) as window:
        async for path in _each_page(window, filters=filters):
            looked_at.add(_kind(path))
            found = await Axe().run(window.page)
            wrong += [
                f"{path}: {one['id']}: {node['html'][:120]}"
                for one in found.response["violations"]
                for node in one["nodes"]
            ]
            if await window.page.evaluate(WIDER) != 0:
                wrong.append(f"{path} is wider than the screen")
            wrong += [f"{path} has two {name}" for name in await window.page.evaluate(TWICE)]
    assert wrong == []
    assert window.complaints == []
    assert len(looked_at) > 20, looked_at


async def test_the_first_page_is_light(shop: LivedIn, chromium: Browser) -> None:
    answers: list[Response] = []
    async with shop.window(chromium, PHONE, "light") as window:
        window.page.on("response", lambda answer: answers.append(answer))
        await window.page.goto(f"{window.address}/", wait_until="load")
        sizes = {
            one.url: len(await one.body())
            for one in answers
            if not one.url.partition("?")[0].endswith("/live")
        }
    assert sum(sizes.values()) < FIRST_PAGE_BYTES, sizes


async def test_an_open_page_shows_news_and_leaves_what_somebody_is_at(
    shop: LivedIn, chromium: Browser
) -> None:
    async with shop.window(chromium, DESK, "light") as window:
        page = window.page
        await page.goto(f"{window.address}/")
        await page.evaluate(
            "document.getElementById('main').insertAdjacentHTML('afterbegin',"
            " '<form><label>Words <input name=words></label></form>'); window.stayed = true"
        )
        await page.get_by_label("Words").fill("half typed")
        await _tell(shop, "A mast has fallen.")
        await expect(page.get_by_text("A mast has fallen.")).to_be_visible()
        await expect(page.get_by_label("Words")).to_have_value("half typed")
        await expect(page.get_by_label("Words")).to_be_focused()
        assert await page.evaluate("window.stayed"), "the page was loaded anew"
        await _tell(shop, "It stands again.")
        await expect(page.get_by_text("It stands again.")).to_be_visible()
        await expect(page.get_by_text("A mast has fallen.")).to_have_count(0)
    assert window.complaints == []


async def _tell(shop: LivedIn, message: str) -> None:
    account = accounts.every(shop.site.reader.connection)[0]
    tell = partial(notices.raise_notice, account_id=account.id, connection_id="", code="mast")
    await shop.site.writer.write(partial(tell, message=message, fix="Wait.", now=shop.clock.now()))
