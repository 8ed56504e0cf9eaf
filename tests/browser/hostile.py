"""A browser that tells whatever a page did that none of ours does, and a logged-in visitor in it."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urljoin, urlsplit

from playwright.sync_api import Browser, ConsoleMessage, Dialog, Page, sync_playwright

from tests.daemon.shop import EMAIL, PASSWORD


@contextmanager
def chromium(*arguments: str) -> Iterator[Browser]:
    path = shutil.which("chromium")
    assert path is not None, "the browser tests need Debian's Chromium: apt-get install chromium"
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", *arguments])
        yield running
        running.close()


class Watched:
    """A page, and what it complained about: dialogs, errors, refused content."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.complaints: list[str] = []
        page.on("dialog", self._dialog)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("console", self._console)

    def _dialog(self, dialog: Dialog) -> None:
        self.complaints.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def _console(self, said: ConsoleMessage) -> None:
        if said.type == "error":
            self.complaints.append(said.text)

    def log_in(self, address: str) -> None:
        self.page.goto(f"{address}/login")
        self.page.get_by_label("E-mail").fill(EMAIL)
        self.page.get_by_label("Password").fill(PASSWORD)
        self.page.get_by_role("button", name="Log in").click()
        self.page.get_by_role("heading", name="Overview").wait_for()

    def every_page(self, address: str) -> Iterator[str]:
        """Goes to each page that links lead to, from the first one on; its address. Lists have one filter at a time:
        with several they show no more."""
        left, seen = [f"{address}/"], set()
        while left:
            url = left.pop(0)
            parts = urlsplit(url)
            if url in seen or parts.netloc != urlsplit(address).netloc or parts.path.endswith(".csv"):
                continue
            # A login with Instagram leads away from here.
            if parts.query.count("=") > 1 or parts.path.startswith("/connect/"):
                continue
            seen.add(url)
            assert self.page.goto(url) is not None
            yield urlsplit(url).path
            found = self.page.eval_on_selector_all("a", "all => all.map(one => one.getAttribute('href'))")
            left += [urljoin(url, href).partition("#")[0] for href in found if href]
