"""What strangers on the internet send: one daemon takes all of it, with few descriptors, and lives."""

import socket
from collections.abc import Iterator

import pytest

from pamosnik.daemon import http_line
from pamosnik.instagram.webhook import sign
from tests.daemon import events, wire
from tests.daemon.shop import PASSWORD, free_port
from tests.daemon.wire import Answer, ask, get

PUBLIC = "pamosnik.shop.example"
SLOW = 500
FILES = 256

HOST = b"Host: 127.0.0.1\r\n"
CLOSE = HOST + b"Connection: close\r\n"


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    folder = tmp_path_factory.mktemp("attacked")
    wire.make_home(folder)
    with wire.a_daemon(folder, files=FILES, PAMOSNIK_PUBLIC_URL=f"https://{PUBLIC}") as port:
        yield port
        wire.lives(port)


# --- headers on every answer -----------------------------------------------------------------------------

ANSWERS = {
    "page": ("GET", "/login", 200),
    "redirect": ("GET", "/", 303),
    "text": ("GET", "/healthz", 200),
    "json": ("GET", "/readyz", 200),
    "style sheet": ("GET", "/style.css", 200),
    "not found": ("GET", "/nowhere", 404),
    "no link": ("GET", "/l/nothing", 404),
    "wrong method": ("POST", "/healthz", 405),
    "odd method": ("TRACE", "/", 405),
    "refused": ("POST", "/webhooks/instagram", 403),
    "head": ("HEAD", "/login", 200),
}


def _walled(answer: Answer) -> None:
    (policy,) = answer.header("content-security-policy")
    assert policy.startswith("default-src 'none'; ")
    for part in ("base-uri 'none'", "frame-ancestors 'none'", "form-action 'self'"):
        assert part in policy
    assert "unsafe" not in policy
    assert answer.header("x-content-type-options") == ["nosniff"]
    assert answer.header("x-frame-options") == ["DENY"]
    assert answer.header("referrer-policy") == ["same-origin"]
    assert answer.header("cross-origin-opener-policy") == ["same-origin"]
    assert answer.header("cross-origin-resource-policy") == ["same-origin"]
    assert answer.header("permissions-policy")
    assert answer.header("x-robots-tag") == ["noindex, nofollow"]
    assert answer.header("server") == []
    assert answer.header("x-powered-by") == []


@pytest.mark.parametrize(("method", "path", "status"), ANSWERS.values(), ids=ANSWERS)
def test_every_answer_has_the_careful_headers(port: int, method: str, path: str, status: int) -> None:
    answer = get(port, path, method=method)
    assert answer.status == status
    _walled(answer)
    kept = "no-cache" if path == "/style.css" else "no-store"
    assert answer.header("cache-control") == [kept]
    assert answer.header("strict-transport-security") == []


@pytest.mark.parametrize("path", ["/login", "/", "/nowhere", "/style.css", "/healthz"])
def test_https_is_for_always_where_it_is_used(port: int, path: str) -> None:
    raw = f"GET {path} HTTP/1.1\r\nHost: {PUBLIC}\r\nConnection: close\r\n\r\n".encode()
    assert ask(port, raw).header("strict-transport-security") == ["max-age=31536000"]
    believed = get(port, path, "X-Forwarded-Proto: https", "Forwarded: proto=https")
    assert believed.header("strict-transport-security") == []


def test_the_style_sheet_is_asked_for_once(port: int) -> None:
    (tag,) = get(port, "/style.css").header("etag")
    again = get(port, "/style.css", f"If-None-Match: {tag}")
    assert (again.status, again.body) == (304, "")
    _walled(again)


@pytest.mark.parametrize(
    "path", ["/login", "/", "/healthz", "/readyz", "/style.css", "/l/nothing", "/nowhere"]
)
def test_head_says_what_get_says_without_the_rest(port: int, path: str) -> None:
    by_get, by_head = get(port, path), get(port, path, method="HEAD")
    assert (by_head.status, by_head.body) == (by_get.status, "")
    assert by_head.header("content-length") == by_get.header("content-length")


def test_browsers_get_a_page_and_others_a_line(port: int) -> None:
    page = get(port, "/nowhere", "Accept: text/html,*/*")
    assert page.status == 404
    assert "<h1>There is nothing here</h1>" in page.body
    assert get(port, "/nowhere").body == "Not Found"


# --- what is no request ----------------------------------------------------------------------------------

BODY_AFTER = b"\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\n" + HOST + b"\r\n"
POST = b"POST /login HTTP/1.1\r\n" + HOST
GARBAGE = {
    "nothing in particular": b"\x00\xff\xfe garbage \r\n\r\n",
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 200,
    "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "HTTP/0.9": b"GET /healthz\r\n\r\n",
    "HTTP/2.0 by name": b"GET /healthz HTTP/2.0\r\n" + HOST + b"\r\n",
    "a proxy's target": b"GET http://evil.example/ HTTP/1.1\r\n" + HOST + b"\r\n",
    "a target without a path": b"GET http://evil.example HTTP/1.1\r\n" + HOST + b"\r\n",
    "a tunnel": b"CONNECT evil.example:443 HTTP/1.1\r\n" + HOST + b"\r\n",
    "a star": b"OPTIONS * HTTP/1.1\r\n" + HOST + b"\r\n",
    "a made-up method": b"STEAL / HTTP/1.1\r\n" + HOST + b"\r\n",
    "no host": b"GET /healthz HTTP/1.1\r\n\r\n",
    "two hosts": b"GET /healthz HTTP/1.1\r\n" + HOST + b"Host: evil.example\r\n\r\n",
    "a host that is a path": b"GET /healthz HTTP/1.1\r\nHost: x/api/\r\n\r\n",
    "a host with a user": b"GET /healthz HTTP/1.1\r\nHost: a@evil.example\r\n\r\n",
    "a host with a question": b"GET /healthz HTTP/1.1\r\nHost: x?y\r\n\r\n",
    "NUL in the path": b"GET /\x00 HTTP/1.1\r\n" + HOST + b"\r\n",
    "NUL in a header": b"GET / HTTP/1.1\r\n" + HOST + b"X: a\x00b\r\n\r\n",
    "a folded header": b"GET / HTTP/1.1\r\n" + HOST + b"X: a\r\n b\r\n\r\n",
    "a space before the colon": b"GET / HTTP/1.1\r\n" + HOST + b"X : a\r\n\r\n",
    "bare line feeds": b"GET /healthz HTTP/1.1\nHost: x\n\n",
    "a letter that is no ASCII": "GET /zażółć HTTP/1.1\r\n".encode() + HOST + b"\r\n",
    "two lengths": POST + b"Content-Length: 3\r\nContent-Length: 5\r\n" + BODY_AFTER,
    "the same length twice": POST + b"Content-Length: 5\r\nContent-Length: 5\r\n" + BODY_AFTER,
    "a length and chunks": POST + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n" + BODY_AFTER,
    "chunks and a length": POST + b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n" + BODY_AFTER,
    "chunks by another name": POST + b"Transfer-Encoding: xchunked\r\n" + BODY_AFTER,
    "chunks and something": POST + b"Transfer-Encoding: identity, chunked\r\n" + BODY_AFTER,
    "chunks twice": POST + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n" + BODY_AFTER,
    "chunks of an older version": POST.replace(b"1.1", b"1.0")
    + b"Transfer-Encoding: chunked\r\n"
    + BODY_AFTER,
    "a negative length": POST + b"Content-Length: -1\r\n" + BODY_AFTER,
    "a length with a sign": POST + b"Content-Length: +5\r\n" + BODY_AFTER,
    "an immense length": POST + b"Content-Length: " + b"9" * 40 + b"\r\n" + BODY_AFTER,
    "an immense chunk": POST + b"Transfer-Encoding: chunked\r\n\r\n" + b"f" * 20 + b"\r\nx",
    "a negative chunk": POST + b"Transfer-Encoding: chunked\r\n\r\n-5\r\nx",
}


@pytest.mark.parametrize("raw", GARBAGE.values(), ids=GARBAGE)
def test_what_is_no_request_is_refused(port: int, raw: bytes) -> None:
    """And one that others may read as two is answered once."""
    answer = ask(port, raw)
    assert answer.status in (400, 405, 505), answer
    _walled(answer)
    assert answer.header("connection") == ["close"]
    assert "HTTP/1.1" not in answer.body
    assert len(answer.body) < 60


# --- too much --------------------------------------------------------------------------------------------

MANY = b"".join(b"X-%d: y\r\n" % number for number in range(http_line.HEADERS + 1))
IMMENSE = 4 << 20
TOO_MUCH = {
    "a long address": (b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\n" + HOST + b"\r\n", 414),
    "an endless address": (b"GET /" + b"a" * IMMENSE, 414),
    "a long header": (b"GET / HTTP/1.1\r\n" + HOST + b"Cookie: " + b"a" * 20_000 + b"\r\n\r\n", 431),
    "an endless header": (b"GET / HTTP/1.1\r\n" + HOST + b"Cookie: " + b"a" * IMMENSE, 431),
    "an endless name": (b"GET / HTTP/1.1\r\n" + HOST + b"a" * IMMENSE, 431),
    "many headers": (b"GET / HTTP/1.1\r\n" + HOST + MANY + b"\r\n", 431),
    "headers without end": (b"GET / HTTP/1.1\r\n" + HOST + b"A: b\r\n" * 500_000, 431),
    "a body where none belongs": (b"GET /login HTTP/1.1\r\n" + CLOSE + b"Content-Length: 1\r\n\r\nx", 413),
    "chunks where none belong": (
        b"GET /login HTTP/1.1\r\n" + CLOSE + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        413,
    ),
    "a gigabyte, announced": (POST + b"Connection: close\r\nContent-Length: 1000000000\r\n\r\n", 413),
    "a gigabyte to a wrong address": (
        b"POST /nowhere HTTP/1.1\r\n" + CLOSE + b"Content-Length: 1000000000\r\n\r\n",
        413,
    ),
    "a gigabyte for Meta": (
        b"POST /webhooks/instagram HTTP/1.1\r\n" + CLOSE + b"Content-Length: 1000000000\r\n\r\n",
        413,
    ),
    "a form of 70 kB": (POST + b"Connection: close\r\nContent-Length: 70000\r\n\r\n" + b"x" * 70_000, 413),
    "a form in chunks": (
        POST
        + b"Content-Type: application/x-www-form-urlencoded\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n"
        + b"\r\n"
        + (b"2000\r\n" + b"x" * 0x2000 + b"\r\n") * 10
        + b"0\r\n\r\n",
        413,
    ),
}


@pytest.mark.parametrize(("raw", "status"), TOO_MUCH.values(), ids=TOO_MUCH)
def test_what_is_too_much_is_refused(port: int, raw: bytes, status: int) -> None:
    answer = ask(port, raw)
    # Whoever still sends when the line is closed may lose the answer; that it is closed is what counts.
    assert answer.status in ({status, 0} if len(raw) > 1 << 20 else {status}), answer
    if answer.status:
        _walled(answer)


def test_trailers_have_an_end(port: int) -> None:
    """They come after the body, and the parser would keep them all."""
    head = POST + b"Transfer-Encoding: chunked\r\n\r\n0\r\n"
    assert wire.is_cut_off(port, head, b"X: " + b"y" * 8000 + b"\r\n")
    assert wire.is_cut_off(port, head + b"X: ", b"y" * 8000)


@pytest.mark.parametrize(("behind", "status"), [(False, 200), (True, 403)], ids=["header", "trailer"])
def test_what_comes_after_the_body_is_no_header(port: int, behind: bool, status: int) -> None:
    """Whoever stands before us has looked at the headers, and not at this."""
    body = events.encode(events.envelope())
    signature = f"X-Hub-Signature-256: {sign(body, wire.SECRET)}\r\n".encode()
    head = (
        b"POST /webhooks/instagram HTTP/1.1\r\n"
        + HOST
        + b"Connection: close\r\nTransfer-Encoding: chunked\r\n"
    )
    chunks = b"%x\r\n%s\r\n0\r\n" % (len(body), body)
    before, after = (b"", signature) if behind else (signature, b"")
    assert ask(port, head + before + b"\r\n" + chunks + after + b"\r\n").status == status


def test_a_chunk_has_an_end(port: int) -> None:
    """What is written behind its size is no body, and still is bytes; and there may be any number of chunks."""
    head = b"POST /webhooks/instagram HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n"
    assert wire.is_cut_off(port, head + b"1;", b"x" * 8000)
    nobody_reads = head.replace(b"/webhooks/instagram", b"/nowhere")
    assert wire.is_cut_off(port, nobody_reads, b"2000\r\n" + b"x" * 0x2000 + b"\r\n")


def test_a_body_comes_in_no_more_parts_than_it_needs(port: int) -> None:
    """Each costs as much, however small it is."""
    head = b"POST /webhooks/instagram HTTP/1.1\r\n" + CLOSE + b"Transfer-Encoding: chunked\r\n\r\n"
    for size, parts, status in ((1, 900, 403), (1, 1100, 413), (200, 5000, 403)):
        part = b"%x\r\n%s\r\n" % (size, b"x" * size)
        assert ask(port, head + part * parts + b"0\r\n\r\n").status == status


# --- too many, too slow ----------------------------------------------------------------------------------

HANGING = (
    b"",
    b"G",
    b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-",
    POST + b"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 1000\r\n\r\nhalf",
    b"POST /webhooks/instagram HTTP/1.1\r\n" + HOST + b"Content-Length: 4000000\r\n\r\n{",
    b"POST /webhooks/instagram HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n",
    b"POST /webhooks/instagram HTTP/1.1\r\n" + HOST + b"Content-Length: 1000000000\r\n\r\n",
    b"GET /style.css HTTP/1.1\r\n" + HOST + b"\r\n",
    b"\x16\x03\x01",
    b"\r\n",
)


def test_it_answers_while_five_hundred_lines_hang(port: int) -> None:
    """More of them than it may have descriptors."""
    held: list[socket.socket] = []
    try:
        for number in range(SLOW):
            line = wire.connect(port)
            held.append(line)
            line.sendall(HANGING[number % len(HANGING)])
            if number % 50 == 49:
                wire.lives(port)
    finally:
        for line in held:
            line.close()
    wire.lives(port)


# --- paths -----------------------------------------------------------------------------------------------

PATHS = (
    "/l///evil.example",
    "/l/%2F%2Fevil.example",
    "/l/https:%2F%2Fevil.example",
    "/l/%0d%0aLocation:%20https://evil.example",
    "/l/%00",
    "/l/" + "a" * 5000,
    "/l/..%2F..%2Flogin",
    "/l/' OR 1=1 --".replace(" ", "%20"),
    "/l/%ff%fe",
    "//evil.example",
    "//evil.example/..",
    "/%5cevil.example",
    "/..//evil.example",
    "/style.css/",
    "/login/",
    "/../../etc/passwd",
    "/..%2f..%2fetc%2fpasswd",
    "/style.css/../../web.py",
    "/style.css%00.html",
    "/pages/login.html",
    "/static/../../pamosnik.db",
    "/pamosnik.db",
    "/master.key",
    "/%2e%2e/%2e%2e/master.key",
    "/.git/config",
    "/.env",
    "/%0d%0aSet-Cookie:%20pamosnik_session=x",
    "/docs",
    "/openapi.json",
    "/debug",
)


@pytest.mark.parametrize("path", PATHS)
def test_odd_paths_lead_nowhere(port: int, path: str) -> None:
    for name in ("127.0.0.1", "evil.example"):
        raw = f"GET {path} HTTP/1.1\r\nHost: {name}\r\nConnection: close\r\n\r\n".encode()
        answer = ask(port, raw)
        assert answer.status in (400, 404), answer
        assert answer.header("location") == []
        assert answer.header("set-cookie") == []
        assert "root:" not in answer.body


@pytest.mark.parametrize("path", ["/", "/login?next=//evil.example", "/?next=https://evil.example"])
def test_no_redirect_follows_the_request(port: int, path: str) -> None:
    asked = (
        f"GET {path} HTTP/1.1",
        "Host: evil.example",
        "X-Forwarded-Host: evil.example",
        "Connection: close",
    )
    for place in ask(port, "\r\n".join((*asked, "", "")).encode()).header("location"):
        assert place == "/login"


@pytest.mark.parametrize(
    "headers",
    [
        ("Sec-Fetch-Site: cross-site",),
        ("Sec-Fetch-Site: same-site",),
        ("Origin: https://evil.example",),
        ("Origin: null",),
        (f"Origin: http://127.0.0.1:{free_port()}",),
    ],
)
@pytest.mark.parametrize("path", ["/login", "/logout"])
def test_forms_of_other_pages_change_nothing(port: int, path: str, headers: tuple[str, ...]) -> None:
    body = f"email=rosa%40shop.example&password={PASSWORD.replace(' ', '+')}"
    sent = ("Content-Type: application/x-www-form-urlencoded", f"Content-Length: {len(body)}", *headers)
    lines = (f"POST {path} HTTP/1.1", "Host: 127.0.0.1", "Connection: close", *sent, "", body)
    answer = ask(port, "\r\n".join(lines).encode())
    opened = [one for one in answer.header("set-cookie") if "max-age=0" not in one.lower()]
    assert not any("session" in one for one in opened)
    assert answer.status in (303, 403)
