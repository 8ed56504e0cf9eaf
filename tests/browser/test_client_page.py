"""A month as a page for a client, as a browser opens the file: at a desk, on a phone, in the dark, and on paper."""

from dataclasses import replace
from pathlib import Path
from typing import Literal

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser

from pamosnik.services import client_page
from pamosnik.services.client_page import Month
from pamosnik.services.reading.numbers import WORDS, FlowCounts
from pamosnik.services.reading.statistics import CAME_IN, Day, Days, KindCounts, LinkCounts, PostCounts
from tests.browser.lived_in import DESK, PHONE

pytestmark = [pytest.mark.anyio, pytest.mark.browser]
WIDER = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
LONG = "Donaudampfschifffahrtsgesellschaft" * 4
DAYS = Days("2026-10-01", "2026-10-31")
RUNS = dict.fromkeys(WORDS, 1_234_567)
FULL = Month(
    account="Róże i peonie",
    connections=["roses.berlin", "a_name_of_thirty_characters.xx"],
    name="October 2026",
    days=DAYS,
    so_far=False,
    by_day=[
        Day(day, {**RUNS, **dict.fromkeys(CAME_IN, 900_000 if at == 16 else at)})
        for at, day in enumerate(DAYS.each())
    ],
    kinds=[KindCounts("comment", 900_000, 4), KindCounts("reaction", 1, 0)],
    flows=[FlowCounts(LONG, "roses.berlin", RUNS, {LONG: 12}, {}, {})],
    titles={},
    posts=[
        PostCounts("1784", LONG, "https://www.instagram.com/p/x/", None, 9, 9, RUNS, "roses.berlin"),
        PostCounts("1785", None, None, None, 1_000_000, 9, RUNS, "roses.berlin"),
    ],
    links=[LinkCounts("prices", LONG, 9, 8, 7, 6, "roses.berlin")],
    before=Days("2026-09-01", "2026-09-30"),
    counted_before={"received": 3, "started": 1_234_567, "completed": 2_000_000},
    connected_on="2026-08-01",
    made="2026-11-01 09:00",
    timezone="Europe/Warsaw",
)
EMPTY = replace(
    FULL,
    by_day=[Day(day, dict.fromkeys((*CAME_IN, *WORDS), 0)) for day in DAYS.each()],
    connected_on="2026-11-01",
)


@pytest.mark.parametrize("month", [FULL, EMPTY], ids=["full", "empty"])
async def test_a_client_can_read_it_wherever_it_is_opened(
    chromium: Browser, tmp_path: Path, month: Month
) -> None:
    file = tmp_path / "month.html"
    file.write_text(client_page.page(month), "utf-8")
    wrong = [
        *await _seen(chromium, file, DESK, "light"),
        *await _seen(chromium, file, PHONE, "dark"),
    ]
    assert wrong == []


async def _seen(
    chromium: Browser, file: Path, size: tuple[int, int], scheme: Literal["light", "dark"]
) -> list[str]:
    """What is wrong with it there."""
    wrong: list[str] = []
    context = await chromium.new_context(viewport={"width": size[0], "height": size[1]}, color_scheme=scheme)
    page = await context.new_page()
    page.on("console", lambda said: wrong.append(said.text))
    page.on("request", lambda one: None if one.url == file.as_uri() else wrong.append(one.url))
    await page.goto(file.as_uri())
    found = await Axe().run(page)
    wrong += [
        f"{one['id']}: {node['html'][:120]}" for one in found.response["violations"] for node in one["nodes"]
    ]
    if await page.evaluate(WIDER):
        wrong.append(f"wider than {size}")
    await context.close()
    return wrong


async def test_it_prints_on_a4_in_daylight(chromium: Browser, tmp_path: Path) -> None:
    file = tmp_path / "month.html"
    file.write_text(client_page.page(FULL), "utf-8")
    context = await chromium.new_context(viewport={"width": 700, "height": 900}, color_scheme="dark")
    page = await context.new_page()
    await page.goto(file.as_uri())
    await page.emulate_media(media="print")
    assert await page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert await page.evaluate(WIDER) == 0
    printed = await page.pdf(prefer_css_page_size=True)
    assert 1 < printed.count(b"/Type /Page\n") + printed.count(b"/Type /Page ") <= 6
    # Points of an A4 page.
    assert b"/MediaBox [0 0 594.95996 841.91998]" in printed or b"/MediaBox [0 0 595" in printed
    await context.close()
