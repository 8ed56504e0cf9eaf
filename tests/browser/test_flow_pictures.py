"""Pictures of flows in Debian's Chromium: text stays in its box, and the picture follows dark mode and print."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from pamosnik.flows.compile import compile_flow
from pamosnik.flows.graph.layout import draw
from pamosnik.flows.graph.outline import outline
from pamosnik.flows.graph.svg import render

pytestmark = pytest.mark.browser

TEXTS = {
    "pl": "Zażółć gęślą jaźń! Cennik już czeka: https://sklep.example/cennik?źródło=post",
    "de": "Donaudampfschifffahrtsgesellschaftskapitänsmütze für Größe XXL, WWWWWW MMMMMM",
    "ar": "مرحبا! اضغط على الزر لتصلك قائمة الأسعار كاملة صصصص شششش ضضضض",
    "ja": "価格表をお送りします。どうぞよろしくお願いいたします。ありがとうございます",
    "ru": "ЩЩЩЩЩЩ Здравствуйте! Прайс-лист ждёт вас, подробности ниже",
    "emoji": "👩‍👩‍👧‍👦 🇵🇱🇩🇪 ❤️‍🔥👍🏽 🎁🎁🎁🎁🎁🎁🎁🎁🎁🎁 ☀️ → ⇒ ∑ €",
    "thin": "iiiiiii lllll jjjjj 1111 ..... ,,,,, !!!!!!! |||||",
    "el": "Καλημέρα! Ο τιμοκατάλογος σας περιμένει ΩΩΩΩ ΜΜΜΜ",
    "he": "שלום! מחירון מלא מחכה לכם כאן",
    "hi": "नमस्ते! मूल्य सूची यहाँ है, कृपया देखें",
    "th": "สวัสดีค่ะ รายการราคาอยู่ที่นี่ ขอบคุณมากค่ะ",
    "vi": "Xin chào! Bảng giá đầy đủ ở đây, cảm ơn bạn rất nhiều",
}
LEAVING = """() => [...document.querySelectorAll('g.node')].flatMap(node => {
  const boxes = [...node.querySelectorAll('.box, .pill')].map(box => box.getBBox());
  return [...node.querySelectorAll('text')].filter(text => {
    const line = text.getBBox();
    return boxes.length && !boxes.some(box =>
      line.x >= box.x - 0.5 && line.x + line.width <= box.x + box.width + 0.5 &&
      line.y >= box.y - 3 && line.y + line.height <= box.y + box.height + 3);
  }).map(text => node.dataset.path + ': ' + text.textContent);
})"""
OUTSIDE = """() => {
  const whole = document.documentElement.viewBox.baseVal;
  return [...document.querySelectorAll('text')].filter(text => {
    const line = text.getBBox();
    return line.x < 0 || line.x + line.width > whole.width || line.y < 0 || line.y + line.height > whole.height;
  }).map(text => text.textContent);
}"""
OVER = """() => {
  const lines = [...document.querySelectorAll('text')].map(text => [text.getBBox(), text.textContent]);
  return lines.flatMap(([a, one], number) => lines.slice(number + 1).filter(([b]) =>
    a.x < b.x + b.width && b.x < a.x + a.width && a.y + 3 < b.y + b.height - 3 && b.y + 3 < a.y + a.height - 3
  ).map(([, other]) => one + ' / ' + other));
}"""


def picture(text: str, folder: Path) -> Path:
    button = {"label": text[:20], "do": [{"do": "tag", "tag": text[:12]}, {"do": "wait", "for": 5400}]}
    body = {
        "title": text,
        "when": [{"trigger": "dm", "words": text.split()}],
        "only_if": [{"if": "has_not_tag", "value": text[:30]}],
        "do": [
            {"do": "send", "text": text, "buttons": [button, {**button, "label": text[-20:]}]},
            {"do": "ask", "question": text, "choices": [{"label": text[n : n + 20]} for n in range(5)]},
            {
                "do": "choose",
                "choose": [
                    {"if": [{"if": "has_tag", "value": text}], "do": [{"do": "goal", "goal": text[:20]}]},
                    {"else": [{"do": "hand_over", "note": text}, {"do": "run", "run": text[:30]}]},
                ],
            },
        ],
    }
    file = folder / "flow.svg"
    file.write_text(render(draw([outline(compile_flow("shop", body, timezone="UTC"), "en")])), "utf-8")
    return file


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    chromium = shutil.which("chromium")
    assert chromium is not None, "the browser tests need Debian's Chromium: apt-get install chromium"
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield running
        running.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(color_scheme="light")
    yield context.new_page()
    context.close()


def test_text_of_every_script_stays_in_its_box_and_lies_over_no_other(page: Page, tmp_path: Path) -> None:
    for name, text in TEXTS.items():
        page.goto(picture(text, tmp_path).as_uri())
        assert page.evaluate(LEAVING) == [], name
        assert page.evaluate(OUTSIDE) == [], name
        assert page.evaluate(OVER) == [], name


def test_the_picture_is_dark_in_a_dark_browser_and_dark_on_white_when_printed(
    page: Page, tmp_path: Path
) -> None:
    page.goto(picture("Hello", tmp_path).as_uri())

    def shades() -> tuple[int, int]:
        """How light the page and its text are, of 765."""
        found = page.evaluate(
            """() => ['.page', '.message text.t-text'].map(place =>
              getComputedStyle(document.querySelector(place)).fill.match(/\\d+/g).map(Number)
                .reduce((sum, part) => sum + part))"""
        )
        return found[0], found[1]

    light = shades()
    page.emulate_media(color_scheme="dark")
    dark = shades()
    page.emulate_media(color_scheme="dark", media="print")
    printed = shades()
    assert light[0] > 700 > 150 > light[1]
    assert dark[0] < 150 < 600 < dark[1]
    assert printed[0] == 765
    assert printed[1] < 150


@pytest.mark.parametrize(("steps", "pages"), [(5, 1), (14, 1), (40, 3)])
def test_a_picture_little_higher_than_a_page_is_printed_on_one(
    page: Page, tmp_path: Path, steps: int, pages: int
) -> None:
    body = {"title": "Shop", "when": [], "do": [{"do": "send", "text": "Hello there"}] * steps}
    file = tmp_path / "flow.svg"
    file.write_text(render(draw([outline(compile_flow("shop", body, timezone="UTC"), "en")])), "utf-8")
    page.goto(file.as_uri())
    printed = page.pdf(format="A4")
    assert [int(count) for count in re.findall(rb"/Count (\d+)", printed)] == [pages]


def test_a_picture_loads_nothing_and_says_nothing_to_the_console(page: Page, tmp_path: Path) -> None:
    asked: list[str] = []
    said: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: said.append(message.text))
    address = picture("</style><script>alert(1)</script>", tmp_path).as_uri()
    page.goto(address)
    assert asked == [address]
    assert said == []
