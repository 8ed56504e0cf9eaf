"""What other sites can do with a browser in which somebody is logged in: nothing. Our own page can all of it."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from tests.browser.hostile import Watched, chromium
from tests.daemon import wire
from tests.daemon.shop import EMAIL, PASSWORD

pytestmark = pytest.mark.browser

IN_THE_HOUSE = "shop.test"
"""A name without https that is not this machine's: browsers treat it as any machine of a local network."""


class _Evil(BaseHTTPRequestHandler):
    """Gives back the page that its address holds."""

    def do_GET(self) -> None:
        page = parse_qs(urlsplit(self.path).query).get("page", [""])[0].encode()
        self.send_response(200)
        self.send_header("content-type", "text/html; charset=utf-8")
        self.send_header("content-length", str(len(page)))
        self.end_headers()
        self.wfile.write(page)

    def log_request(self, code: object = "-", size: object = "-") -> None:
        pass


@contextmanager
def _another_program() -> Iterator[int]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Evil)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    folder = tmp_path_factory.mktemp("shop")
    wire.make_home(folder)
    with wire.a_daemon(folder) as port:
        yield port


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    rules = f"MAP {IN_THE_HOUSE} 127.0.0.1, MAP evil.test 127.0.0.1"
    with chromium(f"--host-resolver-rules={rules}") as running:
        yield running


@pytest.fixture(params=["127.0.0.1", "localhost", "evil.test"])
def evil(request: pytest.FixtureRequest) -> Iterator[str]:
    """Another program on this machine, which cookies do not tell apart from us; two other sites."""
    with _another_program() as port:
        yield f"http://{request.param}:{port}/"


@pytest.fixture(scope="module")
def visitor(browser: Browser, port: int) -> Iterator[BrowserContext]:
    """Somebody who is logged in, and stays so whatever the tests do."""
    context = browser.new_context()
    Watched(context.new_page()).log_in(_ours(port))
    yield context
    context.close()


@pytest.fixture
def page(browser: Browser, visitor: BrowserContext) -> Iterator[Page]:
    """A new window of theirs."""
    context = browser.new_context(storage_state=visitor.storage_state())
    yield Watched(context.new_page()).page
    context.close()


def _ours(port: int) -> str:
    return f"http://127.0.0.1:{port}"


def _shows(page: Page, evil: str, html: str) -> None:
    page.goto(evil)
    page.evaluate("html => { document.open(); document.write(html); document.close() }", html)


def _is_logged_in(page: Page, port: int) -> bool:
    page.goto(_ours(port))
    return page.url == f"{_ours(port)}/"


@pytest.mark.parametrize("kind", ["application/x-www-form-urlencoded", "text/plain", "multipart/form-data"])
def test_a_form_elsewhere_logs_nobody_out(page: Page, port: int, evil: str, kind: str) -> None:
    _shows(
        page,
        evil,
        f"<form method=post enctype='{kind}' action='{_ours(port)}/logout'><button>Win</button></form>",
    )
    page.get_by_role("button").click()
    page.get_by_role("heading", name="This form was not taken").wait_for()
    assert _is_logged_in(page, port)


def test_a_form_elsewhere_logs_nobody_in(browser: Browser, port: int, evil: str) -> None:
    """As somebody whose messages the visitor would then read, or write to."""
    page = browser.new_page()
    fields = f"<input name=email value='{EMAIL}'><input name=password value='{PASSWORD}'>"
    for frame in ("", "<iframe name=inside sandbox='allow-forms'></iframe>"):
        target = "inside" if frame else "_self"
        form = f"<form method=post target={target} action='{_ours(port)}/login'>{fields}<button>Win</button></form>"
        _shows(page, evil, frame + form)
        page.get_by_role("button").click()
        page.wait_for_load_state("networkidle")
        assert [one for one in page.context.cookies() if "session" in str(one.get("name"))] == []
    page.close()


def test_a_script_elsewhere_reads_nothing(page: Page, port: int, evil: str) -> None:
    page.goto(evil)
    ask = """async ([url, how]) => {
        try { const answer = await fetch(url, how); return answer.type + await answer.text() }
        catch { return "refused" }
    }"""
    for path in ("/", "/people.csv", "/healthz", "/api/v1/status"):
        assert page.evaluate(ask, [_ours(port) + path, {"credentials": "include"}]) == "refused", path
        blind = page.evaluate(ask, [_ours(port) + path, {"credentials": "include", "mode": "no-cors"}])
        assert blind in ("refused", "opaque"), path
    for how in ({"method": "POST"}, {"method": "POST", "mode": "no-cors"}, {"method": "DELETE"}):
        page.evaluate(ask, [f"{_ours(port)}/logout", {"credentials": "include", **how}])
    load = """url => new Promise(done => {
        const one = document.createElement("script"); one.src = url;
        one.onload = () => done("loaded"); one.onerror = () => done("refused"); document.head.append(one) })"""
    assert page.evaluate(load, f"{_ours(port)}/events.csv") == "refused"
    assert _is_logged_in(page, port)


@pytest.mark.parametrize("path", ["/", "/login", "/healthz", "/nowhere"])
def test_no_page_can_be_framed(page: Page, port: int, evil: str, path: str) -> None:
    _shows(page, evil, f"<iframe src='{_ours(port)}{path}'></iframe>")
    page.wait_for_load_state("networkidle")
    for _ in range(200):  # a refused frame gets its address a moment after the network has come to rest
        if page.frames[1].url:
            break
        page.wait_for_timeout(50)
    assert page.frames[1].url == "chrome-error://chromewebdata/"


def test_a_page_that_opened_ours_has_no_hold_on_it(page: Page, port: int, evil: str) -> None:
    page.goto(evil)
    with page.context.expect_page() as opened:
        page.evaluate("url => { window.other = window.open(url) }", _ours(port))
    opened.value.wait_for_load_state()
    # To whoever opened it, it looks closed.
    page.wait_for_function("window.other.closed", polling=50)
    assert opened.value.evaluate("window.opener") is None


def test_our_own_forms_work_in_a_local_network(browser: Browser, port: int) -> None:
    """Without https browsers send no Sec-Fetch-Site, and Origin only if the referrer policy lets them."""
    context = browser.new_context()
    visitor = Watched(context.new_page())
    visitor.log_in(f"http://{IN_THE_HOUSE}:{port}")
    visitor.page.get_by_role("button", name="Log out").click()
    visitor.page.get_by_role("button", name="Log in").wait_for()
    context.close()
