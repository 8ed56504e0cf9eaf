"""The phone page in Debian's Chromium, at desk and phone size, with the real daemon behind it as the demo has it."""

import json
import os
import pty
import re
import shutil
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Locator, Page, expect, sync_playwright

pytestmark = pytest.mark.browser

EVIL = "<img src=x onerror=alert(1)><script>alert(2)</script>"
_numbers = count(1)


class World:
    """The running demo, and people to act in it."""

    def __init__(self, base: str) -> None:
        self.base = base

    def act(self, path: str, /, **what: object) -> Any:
        request = urllib.request.Request(
            f"{self.base}/sandbox/{path}", json.dumps(what).encode(), {"content-type": "application/json"}
        )
        with urllib.request.urlopen(request) as answer:
            return json.load(answer)

    def get(self, path: str) -> Any:
        with urllib.request.urlopen(self.base + path) as answer:
            return json.load(answer)

    def newcomer(self, **properties: object) -> str:
        """Somebody whom neither the shop nor Pamosnik has met."""
        username = f"visitor{next(_numbers)}"
        self.act("people", username=username, name=username.capitalize(), **properties)
        return username

    def graph(self, username: str, **what: object) -> None:
        """The first shop writes or acts by the API, as any program could."""
        account = self.get("/sandbox/state")["accounts"][0]
        igsid = self.act("people", username=username, account=account["username"])["igsid"]
        body = json.dumps({"recipient": {"id": igsid}, **what}).encode()
        headers = {"authorization": f"Bearer {account['token']}", "content-type": "application/json"}
        with urllib.request.urlopen(urllib.request.Request(f"{self.base}/me/messages", body, headers)):
            pass

    def profile(self, **parts: object) -> None:
        """The first shop registers opening questions or a menu."""
        token = self.get("/sandbox/state")["accounts"][0]["token"]
        lists = {part: [{"locale": "default", "call_to_actions": shown}] for part, shown in parts.items()}
        body = json.dumps({"platform": "instagram", **lists}).encode()
        headers = {"authorization": f"Bearer {token}", "content-type": "application/json"}
        request = urllib.request.Request(f"{self.base}/me/messenger_profile", body, headers)
        with urllib.request.urlopen(request):
            pass


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    """`pamosnik demo` on a terminal, once it has played its conversation."""
    ours, theirs = pty.openpty()
    demo = subprocess.Popen(
        [sys.executable, "-m", "pamosnik", "demo"],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env={**os.environ, "PAMOSNIK_NO_BROWSER": "1"},
    )
    os.close(theirs)
    said = b""
    while b"Ctrl-C ends" not in said:
        said += os.read(ours, 4096)
    found = re.search(r"(http://\S+)/phone\s", said.decode())
    assert found is not None
    try:
        yield World(found[1])
    finally:
        demo.send_signal(signal.SIGINT)
        assert demo.wait(20) == 0
        os.close(ours)


@pytest.fixture(scope="module")
def alone() -> Iterator[World]:
    """`pamosnik sandbox`: two shops and no program that answers."""
    command = [sys.executable, "-u", "-m", "pamosnik", "sandbox", "--port", "0"]
    sandbox = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert sandbox.stdout is not None
    found = None
    while found is None:
        found = re.match(r"phone page\s+(http://\S+)/phone$", sandbox.stdout.readline())
    world = World(found[1])
    world.act("accounts", username="bens_bikes", name="Ben’s Bikes")
    yield world
    sandbox.send_signal(signal.SIGINT)
    assert sandbox.wait(20) == 0
    sandbox.stdout.close()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    chromium = shutil.which("chromium")
    assert chromium is not None, "the browser tests need Debian's Chromium: apt-get install chromium"
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield running
        running.close()


@dataclass
class Phone:
    """The page as one person has it, and what it did that it must not do."""

    page: Page
    world: World
    wide: bool
    asked: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.on("console", self._heard)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def _heard(self, message: ConsoleMessage) -> None:
        # A sandbox without fault switches answers 404 once, which Chromium writes into the console.
        if message.type in ("error", "warning") and "/sandbox/faults" not in message.location["url"]:
            self.complaints.append(f"{message.text} {message.location}")

    def open(self, username: str, view: str = "feed") -> None:
        self.page.goto(f"{self.world.base}/phone/#/{username}/{view}")
        expect(self.page.locator(f"#view-{view.split('/')[0]}")).to_be_visible()

    def go(self, tab: str) -> None:
        self.page.get_by_role("navigation", name="Phone").get_by_role("link", name=re.compile(tab)).click()

    def behind(self) -> Locator:
        """The column beside the phone; on a phone the sheet has to be opened."""
        if not self.wide:
            self.page.keyboard.press("Escape")
            self.page.keyboard.press("Escape")
            self.go("Behind the scenes")
        return self.page.locator("#desk")

    def bubble(self, text: str) -> Locator:
        return self.page.locator("#bubbles .message", has_text=text)


@pytest.fixture(params=[(1280, 900), (390, 844)], ids=["desk", "phone"])
def size(request: pytest.FixtureRequest) -> tuple[int, int]:
    found: tuple[int, int] = request.param
    return found


@pytest.fixture
def phone(browser: Browser, world: World, size: tuple[int, int]) -> Iterator[Phone]:
    yield from _held(browser, world, *size)


@pytest.fixture
def phone_alone(browser: Browser, alone: World, size: tuple[int, int]) -> Iterator[Phone]:
    yield from _held(browser, alone, *size)


def _held(browser: Browser, world: World, width: int, height: int) -> Iterator[Phone]:
    """Whatever a test does: no request leaves the host, the console stays clean, nothing is wider than the page."""
    context = browser.new_context(viewport={"width": width, "height": height})
    opened = Phone(context.new_page(), world, wide=width > 1000)
    yield opened
    elsewhere = [
        url for url in opened.asked if urlsplit(url).netloc != urlsplit(world.base).netloc and url != "data:,"
    ]
    overflow = opened.page.evaluate(
        "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    )
    context.close()
    assert elsewhere == []
    assert opened.complaints == []
    assert overflow == 0, "the page is wider than the screen"


def test_a_newcomer_comments_accepts_taps_and_gets_the_list(phone: Phone, world: World) -> None:
    page, me = phone.page, world.newcomer()
    phone.open(me)
    post = page.locator("article").first
    post.get_by_label(re.compile("^Comment on the post")).fill("Price, please")
    page.keyboard.press("Enter")
    mine = post.get_by_role("list", name="Comments").get_by_role("listitem").filter(has_text="Price, please")
    expect(mine.get_by_role("list", name="Replies")).to_contain_text("rosas_shop")
    phone.go("Messages, 1 unread")
    request = page.get_by_role("list", name="Message requests").get_by_role("link")
    expect(request).to_contain_text("Rosa's Shop")
    request.click()
    expect(page.get_by_text("Answers your comment")).to_be_visible()
    expect(page.get_by_label("Message", exact=True)).to_be_hidden()
    page.get_by_role("button", name="Accept").click()
    page.get_by_role("button", name="Send it to me", exact=True).click()
    expect(page.get_by_role("link", name="https://shop.example/prices")).to_have_attribute(
        "rel", "noopener noreferrer"
    )
    behind = phone.behind()
    expect(behind.get_by_text("completed")).to_be_visible()
    expect(behind.get_by_text("got-prices", exact=True)).to_be_visible()
    expect(behind.locator(".entries")).to_contain_text("private reply")


def test_from_a_conversation_one_looks_behind_the_scenes_and_back(browser: Browser, world: World) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    phone = Phone(context.new_page(), world, wide=False)
    page, me = phone.page, world.newcomer()
    world.act("comment", person=me, text="Lovely")
    phone.open(me)
    reply = page.get_by_role("button", name=f"Reply to {me}").bounding_box()
    assert reply is not None
    assert reply["height"] >= 40
    phone.open(me, "chat/rosas_shop")
    page.get_by_role("link", name="Behind the scenes", exact=True).click()
    last = page.get_by_role("tab", name="At the shop").bounding_box()
    assert last is not None
    assert last["x"] + last["width"] <= 390
    page.get_by_role("link", name="Back to the phone").click()
    expect(page.get_by_role("heading", name="Rosa's Shop")).to_be_visible()
    context.close()


def test_a_request_is_not_seen_before_it_is_accepted(phone: Phone, world: World) -> None:
    me = world.newcomer()
    world.act("comment", person=me, text="price")
    phone.open(me, "chat/rosas_shop")
    expect(phone.bubble("Tap and the list is yours.")).to_be_visible()
    assert _shop(world, me)["unread"] == 1
    phone.page.get_by_role("button", name="Accept").click()
    expect(phone.page.get_by_label("Message", exact=True)).to_be_focused()
    _until_read(phone, world, me)


def _shop(world: World, me: str) -> Any:
    return world.get(f"/phone/state?person={me}")["shops"][0]


def _until_read(phone: Phone, world: World, me: str) -> None:
    """The page's own title counts what is unread."""
    expect(phone.page).not_to_have_title(re.compile(r"^\(\d+\)"))
    assert _shop(world, me)["unread"] == 0


def test_quick_replies_show_above_the_composer_and_go_with_the_tap(phone: Phone, world: World) -> None:
    page, me = phone.page, world.newcomer()
    phone.open(me, "chat/rosas_shop")
    page.get_by_label("Message", exact=True).fill("rezerwacja")
    page.keyboard.press("Enter")
    expect(phone.bubble("For which day?")).to_be_visible()
    page.get_by_label("Message", exact=True).fill("24.12.")
    page.get_by_role("button", name="Send", exact=True).click()
    chips = page.get_by_role("group", name="Quick replies")
    chips.get_by_role("button", name="2", exact=True).click()
    expect(phone.bubble("Noted: 2 people on 2026-12-24.")).to_be_visible()
    expect(chips).to_be_hidden()
    behind = phone.behind()
    expect(behind.locator("dl.facts").first).to_contain_text("2026-12-24")
    expect(behind.get_by_text("a question was answered").first).to_be_visible()


def test_a_story_is_answered_and_the_shop_mentioned(phone: Phone, world: World) -> None:
    page, me = phone.page, world.newcomer()
    phone.open(me)
    page.get_by_role("link", name="Story of rosas_shop").click()
    expect(page.get_by_text("Fresh peonies this morning")).to_be_visible()
    page.get_by_label("Reply to the story").fill("love")
    page.keyboard.press("Enter")
    expect(page.get_by_text("You replied to their story")).to_be_visible()
    expect(phone.bubble("Automated reply.")).to_be_visible()
    page.keyboard.press("Escape")
    phone.go("Home")
    page.get_by_role("button", name="Your story").click()
    page.get_by_role("button", name="Post a story that mentions the shop").click()
    expect(page.get_by_role("alert")).to_contain_text("mentions @rosas_shop")
    expect(phone.behind()).to_contain_text("story mention")


def test_a_broadcast_takes_comments_and_ends(phone: Phone, world: World) -> None:
    page, me = phone.page, world.newcomer()
    live = world.act("posts", kind="live")["id"]
    phone.open(me)
    page.get_by_role("link", name="rosas_shop is live").click()
    page.get_by_label("Comment on the broadcast").fill("Hello from here")
    page.keyboard.press("Enter")
    expect(page.get_by_role("list", name="Comments of the broadcast")).to_contain_text("Hello from here")
    world.act("end_live")
    expect(page.get_by_role("alert")).to_have_text("The broadcast is over.")
    expect(page.locator("#view-feed")).to_be_visible()
    assert live


def test_who_has_blocked_the_shop_reads_it_in_words(phone: Phone, world: World) -> None:
    page, me = phone.page, world.newcomer()
    phone.open(me)
    page.get_by_role("button", name=re.compile("Play somebody else")).click()
    page.get_by_label("Has blocked the shop").check()
    page.keyboard.press("Escape")
    phone.go("Messages")
    page.get_by_role("list", name="Conversations").get_by_role("link").click()
    expect(page.get_by_text(f"{me.capitalize()} has blocked the shop")).to_be_visible()
    expect(page.get_by_label("Message", exact=True)).to_be_hidden()
    page.get_by_role("button", name="Unblock").click()
    expect(page.get_by_label("Message", exact=True)).to_be_visible()


def test_what_strangers_write_stays_text(phone: Phone, world: World) -> None:
    page, me = phone.page, world.newcomer()
    evil = "evil<script>alert(3)<script>"
    world.act("people", username=evil, name=EVIL)
    world.act("comment", person=evil, text=EVIL)
    world.act("dm", person=me, text=EVIL)
    world.graph(me, message={"text": EVIL})
    phone.open(me)
    expect(page.locator("article").first.get_by_text(EVIL).first).to_be_visible()
    phone.go("Messages")
    page.get_by_role("list", name="Conversations").get_by_role("link").click()
    expect(page.locator("#bubbles").get_by_text(EVIL)).to_have_count(2)
    page.keyboard.press("Escape")
    page.get_by_role("button", name=re.compile("Play somebody else")).click()
    expect(page.get_by_role("button", name=evil)).to_be_visible()
    assert page.locator("img[src=x]").count() == 0
    world.act("people", username=evil, name="Evil")


def test_following_at_the_top_of_a_conversation(phone: Phone, world: World) -> None:
    page, me = phone.page, world.newcomer()
    phone.open(me)
    phone.go("Messages")
    page.get_by_role("list", name="Conversations").get_by_role("link").first.click()
    page.get_by_role("button", name="Follow", exact=True).click()
    expect(page.get_by_text("you follow this shop")).to_be_visible()
    page.get_by_role("button", name="Unfollow").click()
    expect(page.get_by_text("you don’t follow this shop")).to_be_visible()
    page.keyboard.press("Escape")
    page.get_by_role("button", name=re.compile("Play somebody else")).click()
    page.get_by_label("Is verified").check()
    expect(page.get_by_label("Is verified")).to_be_checked()


def test_the_keyboard_alone_is_enough(phone: Phone, world: World) -> None:
    page, me = phone.page, world.newcomer(follows=True)
    phone.open(me)
    _tab_to(page, "Comment on the post")
    page.keyboard.type("price")
    page.keyboard.press("Enter")
    expect(page.get_by_role("link", name="Messages, 1 unread")).to_be_visible()
    _tab_to(page, "Messages, 1 unread")
    page.keyboard.press("Enter")
    _tab_to(page, "Rosa's Shop")
    page.keyboard.press("Enter")
    expect(page.get_by_label("Message", exact=True)).to_be_focused()
    _tab_to(page, "Send it to me", back=True)
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline == "solid", "the focus is not visible"
    page.keyboard.press("Enter")
    expect(phone.bubble("https://shop.example/prices")).to_be_visible()
    expect(page.get_by_label("Message", exact=True)).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_role("heading", name="Messages")).to_be_visible()
    _tab_to(page, "Play somebody else", back=True)
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog", name="Who are you?")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
    expect(page.get_by_role("button", name=re.compile("Play somebody else"))).to_be_focused()


def _tab_to(page: Page, name: str, *, back: bool = False) -> None:
    """Tab until what has the focus carries that name."""
    for _ in range(80):
        page.keyboard.press("Shift+Tab" if back else "Tab")
        found = page.evaluate(
            "(() => { const one = document.activeElement; if (one === document.body) return '';"
            " return [one.ariaLabel, one.labels?.[0]?.textContent, one.textContent].join(' ') })()"
        )
        if name in found:
            return
    raise AssertionError(f"the keyboard does not reach {name!r}")


def test_a_draft_the_focus_and_the_place_survive_what_arrives(phone: Phone, world: World) -> None:
    page, me = phone.page, world.newcomer()
    for number in range(30):
        world.act("dm", person=me, text=f"line {number}")
    phone.open(me, "chat/rosas_shop")
    expect(phone.bubble("line 29")).to_be_in_viewport()
    page.get_by_label("Message", exact=True).fill("half a sen")
    page.locator("#chat-scroll").evaluate("(one) => { one.scrollTop = 0 }")
    world.graph(me, message={"text": "While you were reading"})
    page.get_by_role("button", name="New messages").wait_for()
    assert page.locator("#chat-scroll").evaluate("(one) => one.scrollTop") == 0
    expect(page.get_by_label("Message", exact=True)).to_have_value("half a sen")
    expect(page.get_by_label("Message", exact=True)).to_be_focused()
    expect(page.locator("#announce")).to_contain_text("rosas_shop wrote: While you were reading")
    page.get_by_role("button", name="New messages").click()
    expect(phone.bubble("While you were reading")).to_be_in_viewport()
    page.keyboard.press("Escape")
    page.get_by_role("list", name="Conversations").get_by_role("link").click()
    expect(page.get_by_label("Message", exact=True)).to_have_value("half a sen")


def test_cards_pictures_links_and_the_rest_of_a_message(phone: Phone, world: World) -> None:
    page, me = phone.page, world.newcomer()
    world.act("dm", person=me, text="Hi")
    buttons = [
        {"type": "web_url", "title": "Open", "url": "https://shop.example/a"},
        {"type": "web_url", "title": "Bad", "url": "javascript:alert(1)"},
    ]
    card = {
        "title": "Wreath",
        "subtitle": "12 €",
        "image_url": "https://shop.example/w.png",
        "buttons": buttons,
    }
    payload = {"template_type": "generic", "elements": [card, {**card, "title": "Bouquet"}]}
    world.graph(me, message={"attachment": {"type": "template", "payload": payload}})
    phone.open(me, "chat/rosas_shop")
    cards = page.get_by_role("list", name="2 cards")
    expect(cards.get_by_role("listitem")).to_have_count(2)
    link = cards.get_by_role("link", name="Open").first
    expect(link).to_have_attribute("target", "_blank")
    expect(link).to_have_attribute("rel", "noopener noreferrer")
    expect(cards.get_by_role("link", name="Bad")).to_have_count(0)
    expect(cards.get_by_role("button", name=re.compile("Show the picture")).first).to_contain_text(
        "shop.example"
    )
    page.get_by_role("button", name="Send a picture").click()
    page.get_by_role("button", name="A receipt").click()
    expect(page.get_by_role("img", name="A picture")).to_be_visible()


def test_reacting_unsending_and_sharing(phone: Phone, world: World) -> None:
    page, me = phone.page, world.newcomer()
    world.act("dm", person=me, text="Oops")
    world.graph(me, message={"text": "Hello there"})
    phone.open(me, "chat/rosas_shop")
    phone.bubble("Hello there").hover()
    page.get_by_role("button", name="Options for the message “Hello there”").click()
    page.get_by_role("group", name="React").get_by_role("button", name="👍").click()
    expect(phone.bubble("Hello there")).to_contain_text("👍")
    page.get_by_role("button", name="Options for your message “Oops”").click()
    page.get_by_role("button", name="Unsend").click()
    expect(phone.bubble("Oops")).to_have_count(0)
    page.keyboard.press("Escape")
    phone.go("Home")
    page.get_by_role("button", name="Send this post to the shop").first.click()
    expect(page.locator("#bubbles figcaption")).to_contain_text("Our winter prices are out.")
    noted = phone.behind().locator(".entries > li")
    expect(noted.filter(has_text="reaction")).to_contain_text("noted")
    expect(noted.filter(has_text="deletion")).to_contain_text("noted")


def test_somebody_new_can_be_added_and_played(phone: Phone, world: World) -> None:
    page = phone.page
    username = f"dora{next(_numbers)}"
    phone.open("anna")
    page.get_by_role("button", name=re.compile("Play somebody else")).click()
    page.get_by_label("Username").fill(username)
    page.get_by_label("Name", exact=True).fill("Dora K")
    page.keyboard.press("Enter")
    expect(page).to_have_title(re.compile("Dora K’s phone"))
    expect(phone.behind()).to_contain_text(
        "Pamosnik has not met Dora K yet. Comment PRICE under the first post"
    )
    assert username in world.get("/sandbox/state")["people"]


def test_switches_change_the_sandbox_and_a_revoked_token_shows(phone: Phone, world: World) -> None:
    page = phone.page
    phone.open(world.newcomer())
    behind = phone.behind()
    behind.get_by_role("tab", name="What can go wrong").click()
    behind.get_by_label(re.compile("^Private replies may carry buttons")).uncheck()
    copies = behind.get_by_label(re.compile("^Extra copies of every webhook"))
    copies.fill("2")
    copies.press("Tab")
    behind.get_by_label(re.compile("^The app is live")).uncheck()
    expect(behind.get_by_label(re.compile("^The app is live"))).not_to_be_checked()
    for _ in range(400):
        state = world.get("/sandbox/state")
        switched = (state["app"]["live"], state["switches"]["duplicates"])
        if (*switched, state["accounts"][0]["private_reply_buttons"]) == (False, 2, False):
            break
        page.wait_for_timeout(50)
    else:
        pytest.fail(f"the switches did not arrive: {state['app']}, {state['switches']}")
    world.act("configure", live=True)
    world.act("switches", duplicates=0, private_reply_buttons=True)
    expect(behind.get_by_label(re.compile("^The app is live"))).to_be_checked()


def test_calls_fail_on_demand_where_the_sandbox_can(phone: Phone, world: World) -> None:
    phone.open(world.newcomer())
    behind = phone.behind()
    behind.get_by_role("tab", name="What can go wrong").click()
    heading = behind.get_by_role("heading", name="Calls that fail")
    expect(behind.get_by_label(re.compile("^The app is live"))).to_be_checked()
    if not _has_faults(world):
        expect(heading).to_be_hidden()
        return
    expect(heading).to_be_visible()
    behind.get_by_label("To which call").select_option("profile")
    behind.get_by_label("How often").fill("3")
    behind.get_by_role("button", name="Switch on").click()
    active = behind.get_by_role("list", name="Faults that are on")
    expect(active).to_contain_text("profile, 3 left")
    active.get_by_role("button", name=re.compile("Switch off")).click()
    expect(active.get_by_role("listitem")).to_have_count(0)


def _has_faults(world: World) -> bool:
    try:
        return bool(world.get("/sandbox/faults"))
    except urllib.error.HTTPError:
        return False


def test_typing_and_seen_show_while_they_last(phone: Phone, world: World) -> None:
    me = world.newcomer()
    phone.open(me, "chat/rosas_shop")
    phone.page.get_by_label("Message", exact=True).fill("rezerwacja")
    phone.page.keyboard.press("Enter")
    expect(phone.bubble("For which day?")).to_be_visible()
    world.graph(me, sender_action="typing_on")
    expect(phone.page.locator("#typing")).to_be_visible()
    world.graph(me, sender_action="typing_off")
    expect(phone.page.locator("#typing")).to_be_hidden()
    world.act("owner_message", person=me, text="A moment")
    world.act("dm", person=me, text="Fine")
    expect(phone.bubble("Fine")).to_be_visible()
    expect(phone.page.locator("#seen")).to_be_hidden()
    world.graph(me, sender_action="mark_seen")
    expect(phone.page.locator("#seen")).to_contain_text("Seen ")


def test_without_a_program_the_wire_and_the_way_to_connect_are_shown(
    phone_alone: Phone, alone: World
) -> None:
    me = alone.newcomer(account="rosas_shop")
    phone_alone.open(me)
    alone.act("dm", person=me, account="rosas_shop", text="Hello")
    alone.graph(me, message={"text": "Hi"})
    behind = phone_alone.behind()
    expect(behind.get_by_role("heading", name="What goes over the wire")).to_be_visible()
    expect(behind.get_by_text("PAMOSNIK_META_URL")).to_be_visible()
    expect(behind.get_by_text(alone.base, exact=True)).to_be_visible()
    call = behind.get_by_role("list", name="Graph calls received").get_by_role("listitem").first
    expect(call).to_contain_text("POST /me/messages")
    expect(call).to_contain_text("200")


def test_each_shop_has_its_own_conversation(phone_alone: Phone, alone: World) -> None:
    page, me = phone_alone.page, alone.newcomer(account="rosas_shop")
    phone_alone.open(me, "inbox")
    talks = page.get_by_role("list", name="Conversations").get_by_role("link")
    expect(talks).to_have_count(2)
    talks.filter(has_text="Ben’s Bikes").click()
    expect(page.get_by_role("heading", name="Ben’s Bikes")).to_be_visible()
    page.get_by_label("Message", exact=True).fill("Do you mend bikes?")
    page.keyboard.press("Enter")
    expect(phone_alone.bubble("Do you mend bikes?")).to_be_visible()
    page.keyboard.press("Escape")
    expect(talks.filter(has_text="Ben’s Bikes")).to_contain_text("You: Do you mend bikes?")
    expect(talks.filter(has_text="Rosa's Shop")).to_contain_text("Say hello")


def test_opening_questions_the_menu_and_a_link(phone_alone: Phone, alone: World) -> None:
    page, me = phone_alone.page, alone.newcomer(account="rosas_shop")
    questions = [{"question": EVIL, "payload": "EVIL"}, {"question": "Do you ship?", "payload": "SHIP"}]
    items = [
        {"type": "postback", "title": "Opening hours", "payload": "HOURS"},
        {"type": "web_url", "title": "Our shop", "url": "https://shop.example/"},
    ]
    alone.profile(ice_breakers=questions, persistent_menu=items)
    phone_alone.open(me, "chat/rosas_shop")
    page.get_by_role("button", name="Arrive by a link").click()
    page.get_by_label("What stands behind ref=").fill("flyer7")
    page.get_by_role("button", name="Open the link").click()
    expect(page.locator("#toast")).to_contain_text("with the first thing you write or tap")
    group = page.get_by_role("group", name="Opening questions")
    expect(group.get_by_role("button")).to_have_text([EVIL, "Do you ship?"])
    group.get_by_role("button", name="Do you ship?").click()
    expect(phone_alone.bubble("Do you ship?")).to_be_visible()
    expect(group).to_be_hidden()
    page.get_by_role("button", name="Menu of the shop").click()
    expect(page.get_by_role("link", name="Our shop")).to_have_attribute("rel", "noopener noreferrer")
    page.get_by_role("button", name="Opening hours").click()
    expect(phone_alone.bubble("Opening hours")).to_be_visible()
    page.get_by_role("button", name="Arrive by a link").click()
    page.get_by_role("button", name="Open the link").click()
    expect(page.locator("#sheet")).to_be_hidden()


def test_a_world_started_anew_is_found_again(phone_alone: Phone) -> None:
    phone_alone.page.goto(f"{phone_alone.world.base}/phone/#/nobody.here/chat/no_shop")
    expect(phone_alone.page).to_have_title(re.compile("Anna’s phone"))
    expect(phone_alone.page.get_by_role("alert")).to_have_text("There is nobody called nobody.here here.")
    phone_alone.complaints = [one for one in phone_alone.complaints if "nobody.here" not in one]


def test_a_pause_is_said_and_can_be_ended(phone: Phone, world: World) -> None:
    me = world.newcomer()
    phone.open(me, "chat/rosas_shop")
    world.act("dm", person=me, text="hi")
    expect(phone.bubble("I answer myself")).to_be_visible()
    behind = phone.behind()
    rest = behind.get_by_text(f"Automation is paused for {me.capitalize()} until")
    expect(rest).to_be_visible()
    expect(behind.get_by_text("handed over to a human")).to_be_visible()
    expect(behind.get_by_text("times of Europe/Warsaw")).to_be_visible()
    expect(behind.locator(".steps").first).to_contain_text("step 1, send: done")
    expect(behind.locator(".sent").first).to_contain_text("Thank you for your message.")
    behind.get_by_role("button", name="Automation again").click()
    expect(rest).to_be_hidden()
    world.act("dm", person=me, text="price")
    expect(behind.locator(".sent").first).to_contain_text("Tap and the list is yours.")


def test_switches_that_are_on_are_said_above_what_happened(phone: Phone, world: World) -> None:
    me = world.newcomer()
    world.act("switches", delay_s=0.5, other_reaction=False)
    world.act("faults", fault="window_10_2534022", person="mia")
    phone.open(me)
    behind = phone.behind()
    said = behind.get_by_text("Some switches are on:").locator("..")
    expect(said).to_contain_text("Delay in seconds: 0.5; ")
    expect(said).to_contain_text("Calls that fail: 1")
    expect(said).to_contain_text('Any emoji but a heart is "other" (unconfirmed)')
    expect(behind.get_by_text("Pamosnik has heard nothing of")).to_be_visible()
    said.get_by_role("button", name="What can go wrong").click()
    expect(behind.get_by_label("What happens")).to_contain_text("Outside the 24-hour window · 10/2534022")
    behind.get_by_text("Every other switch").click()
    expect(behind.get_by_label(re.compile("^How a shared post arrives"))).to_have_value("ig_post")
    world.act("switches", delay_s=0, other_reaction=True)
    world.act("clear_faults")
    behind.get_by_role("tab", name="What happened").click()
    expect(said).to_be_hidden()


def test_after_a_revoked_token_the_demo_connects_again(phone: Phone, world: World) -> None:
    me = world.newcomer()
    phone.open(me)
    behind = phone.behind()
    behind.get_by_role("tab", name="What can go wrong").click()
    behind.get_by_role("button", name="The password was changed").click()
    world.act("dm", person=me, text="rezerwacja")
    behind.get_by_role("tab", name="What happened").click()
    expect(behind.locator(".notice.bad").first).to_be_visible()
    behind.get_by_role("tab", name="What can go wrong").click()
    behind.get_by_role("button", name="Connect again with a new token").click()
    expect(behind.get_by_text("Pamosnik is connected again")).to_be_visible()
    behind.get_by_role("tab", name="What happened").click()
    expect(behind.locator(".sent").first).to_contain_text(re.compile("sent.*For which day", re.DOTALL))


def test_a_human_word_of_the_owner_is_explained(phone: Phone, world: World) -> None:
    page, me = phone.page, world.newcomer()
    world.act("dm", person=me, text="Good morning")
    phone.open(me, "chat/rosas_shop")
    expect(phone.bubble("I answer myself")).to_be_visible()
    behind = phone.behind()
    behind.get_by_role("tab", name="At the shop").click()
    behind.get_by_label(f"Write to {me.capitalize()} by hand").fill("Hello, Rosa here")
    page.keyboard.press("Enter")
    world.act("dm", person=me, text="price")
    behind.get_by_role("tab", name="What happened").click()
    expect(behind.locator(".entries")).to_contain_text(re.compile("handed over|paused"))


def test_a_cut_or_slow_line_is_said_calmly_and_mends_itself(phone: Phone, world: World) -> None:
    page, me = phone.page, world.newcomer()
    phone.open(me)
    expect(page.locator("article").first).to_be_visible()
    page.route("**/phone/state*", lambda route: route.abort())
    expect(page.get_by_role("status").filter(has_text="Trying again")).to_be_visible()
    page.unroute("**/phone/state*")
    expect(page.locator("#banner")).to_be_hidden()
    page.route("**/phone/state*", lambda route: None)
    expect(page.get_by_role("status").filter(has_text="Trying again")).to_be_visible()
    page.unroute("**/phone/state*")
    page.evaluate("dispatchEvent(new Event('online'))")
    expect(page.locator("#banner")).to_be_hidden()
    phone.complaints = [one for one in phone.complaints if "net::ERR_FAILED" not in one]


def test_every_control_has_a_name(phone: Phone, world: World) -> None:
    page, me = phone.page, world.newcomer()
    world.act("dm", person=me, text="rezerwacja")
    for view in ("feed", "inbox", "chat/rosas_shop", "behind"):
        page.goto(f"{world.base}/phone/#/{me}/{view}")
        page.get_by_role("heading", level=1).wait_for(state="attached")
        # Waiting in the page would evaluate a text there, which its policy forbids from the second look on.
        expect(page).to_have_title(re.compile("phone"))
        assert page.evaluate(UNNAMED) == []
        assert page.evaluate("[...document.querySelectorAll('[id]')].length") == page.evaluate(
            "new Set([...document.querySelectorAll('[id]')].map((one) => one.id)).size"
        )
    for tab in ("wrong", "shop"):
        page.evaluate(f"document.getElementById('tab-{tab}').click()")
        assert page.evaluate(UNNAMED) == []


UNNAMED = """[...document.querySelectorAll("button, a, input, select, [role=img], img")]
  .filter((one) => one.checkVisibility())
  .filter((one) => !(one.ariaLabel || one.alt !== undefined && one.alt !== null && one.tagName === "IMG"
    || [...(one.labels ?? [])].some((label) => label.textContent.trim()) || (one.tagName !== "INPUT"
    && one.tagName !== "SELECT" && one.textContent.trim())))
  .map((one) => one.outerHTML)"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_can_be_read_in_light_and_dark(browser: Browser, world: World, scheme: Any) -> None:
    context = browser.new_context(color_scheme=scheme, reduced_motion="reduce")
    page = context.new_page()
    me = world.newcomer()
    world.act("dm", person=me, text="rezerwacja")
    page.goto(f"{world.base}/phone/#/{me}/chat/rosas_shop")
    page.locator("#bubbles").get_by_text("For which day?").wait_for()
    page.locator(".verdict").first.wait_for()
    weak = page.evaluate(CONTRAST)
    moving = page.evaluate("document.getAnimations().length")
    context.close()
    assert weak == []
    assert moving == 0


CONTRAST = """(() => {
  const light = ([r, g, b]) => [r, g, b].map((v) => v / 255)
    .map((v) => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, place) => sum + v * [0.2126, 0.7152, 0.0722][place], 0);
  const colour = (text) => (text.match(/[\\d.]+/g) ?? []).map(Number);
  const ground = (one) => {
    for (let at = one; at; at = at.parentElement) {
      const style = getComputedStyle(at);
      if (style.backgroundImage !== "none") return null;
      const found = colour(style.backgroundColor);
      if (found.length === 3 || found[3] === 1) return found;
    }
    return [255, 255, 255];
  };
  return [...document.querySelectorAll("body *")]
    .filter((one) => one.checkVisibility() && [...one.childNodes].some((n) => n.nodeType === 3 && n.data.trim()))
    .filter((one) => !one.closest(".out-of-sight, .skip"))
    .map((one) => {
      const back = ground(one);
      if (back === null) return null;
      const [a, b] = [light(colour(getComputedStyle(one).color)), light(back)];
      const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
      return ratio < 4.5 ? `${ratio.toFixed(2)} ${one.className} ${one.textContent}` : null;
    }).filter(Boolean);
})()"""
