"""The status page in Debian's Chromium, at desk and phone size, on a real daemon."""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

pytestmark = pytest.mark.browser

PASSWORD = "three random words"
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    home = tmp_path_factory.mktemp("home") / "pamosnik"
    environment = {**os.environ, "PAMOSNIK_HOME": str(home), "PAMOSNIK_INSTAGRAM_APP_SECRET": "x" * 32}
    pamosnik = [sys.executable, "-m", "pamosnik"]
    who = ["--name", "Rosa's Shop", "--email", "rosa@shop.example", "--timezone", "Europe/Warsaw"]
    subprocess.run(
        [*pamosnik, "init", *who, "--password-stdin"],
        env=environment,
        input=f"{PASSWORD}\n",
        text=True,
        check=True,
    )
    subprocess.run(
        [*pamosnik, "flows", "apply", str(ROOT / "flows.example.yaml"), "--yes"], env=environment, check=True
    )
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    daemon = subprocess.Popen([*pamosnik, "serve", "--port", str(port)], env=environment)
    try:
        _wait_for(f"http://127.0.0.1:{port}/readyz")
        yield f"http://127.0.0.1:{port}"
    finally:
        daemon.terminate()
        assert daemon.wait(20) == 0


def _wait_for(url: str) -> None:
    for _ in range(200):
        try:
            with urllib.request.urlopen(url):
                return
        except OSError:
            time.sleep(0.05)
    raise AssertionError(f"{url} does not answer")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    chromium = shutil.which("chromium")
    assert chromium is not None, "the browser tests need Debian's Chromium: apt-get install chromium"
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield running
        running.close()


@pytest.fixture(params=[(1280, 900), (390, 844)], ids=["desk", "phone"])
def page(browser: Browser, request: pytest.FixtureRequest) -> Iterator[Page]:
    width, height = request.param
    context = browser.new_context(viewport={"width": width, "height": height})
    opened = context.new_page()
    yield opened
    context.close()


def _log_in(page: Page, address: str, password: str = PASSWORD) -> None:
    page.goto(f"{address}/login")
    page.get_by_label("E-mail").fill("rosa@shop.example")
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Log in").click()


def test_without_login_there_is_only_the_login_page(page: Page, address: str) -> None:
    page.goto(address)
    assert page.url == f"{address}/login"


def test_a_wrong_password_says_so_and_shows_nothing(page: Page, address: str) -> None:
    _log_in(page, address, "not the password")
    assert page.get_by_role("alert").inner_text() == "E-mail or password is wrong."


def test_the_page_shows_health_flows_and_what_is_missing(page: Page, address: str) -> None:
    _log_in(page, address)
    assert page.get_by_role("banner").get_by_text("Rosa's Shop").is_visible()
    assert page.get_by_text("No Instagram account is connected.").is_visible()
    assert page.get_by_text("Ask for the day and the number of people").is_visible()
    assert page.get_by_text("Nothing came in yet.").is_visible()
    width = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert width == 0, "the page is wider than the screen"


def test_after_logout_the_session_is_over(page: Page, address: str) -> None:
    _log_in(page, address)
    page.get_by_role("button", name="Log out").click()
    page.goto(address)
    assert page.url == f"{address}/login"
