"""How a request came here: what headers say, and which of them are believed."""

import pytest
from starlette.requests import HTTPConnection

from pamosnik import config
from pamosnik.daemon.reached import Reached
from pamosnik.errors import UsageError
from pamosnik.services.public_address import PublicAddress

PUBLIC = "https://pamosnik.shop.example"


def _request(*headers: tuple[str, str], scheme: str = "http") -> HTTPConnection:
    raw = [(name.encode(), value.encode()) for name, value in headers]
    return HTTPConnection({"type": "http", "scheme": scheme, "path": "/", "headers": raw})


@pytest.mark.parametrize(
    "host", ["pamosnik.shop.example", "Pamosnik.Shop.Example", "pamosnik.shop.example:443"]
)
def test_the_public_name_is_https(host: str) -> None:
    assert Reached(PublicAddress(PUBLIC)).by_https(_request(("host", host)))


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1:8788",
        "pamosnik.shop.example:8788",
        "pamosnik.shop.example.evil.example",
        "evil.example@pamosnik.shop.example",
        "",
        "[",
    ],
)
def test_other_names_are_not(host: str) -> None:
    assert not Reached(PublicAddress(PUBLIC)).by_https(_request(("host", host)))
    assert not Reached(PublicAddress()).by_https(_request(("host", host)))


def test_a_public_address_without_https_is_none() -> None:
    assert not Reached(PublicAddress("http://127.0.0.1:8788")).by_https(_request(("host", "127.0.0.1:8788")))


def test_two_names_are_none() -> None:
    twice = _request(("host", "pamosnik.shop.example"), ("host", "evil.example"))
    assert not Reached(PublicAddress(PUBLIC)).by_https(twice)
    assert not Reached(PublicAddress(PUBLIC)).same_site(_request(("origin", PUBLIC), ("origin", PUBLIC)))


def test_a_proxy_counts_only_where_it_is_trusted() -> None:
    said = _request(("host", "127.0.0.1:8788"), ("x-forwarded-proto", "https"))
    assert not Reached(PublicAddress(PUBLIC)).by_https(said)
    assert Reached(PublicAddress(PUBLIC), proxy_headers=True).by_https(said)
    assert not Reached(PublicAddress(), proxy_headers=True).by_https(_request(("host", "127.0.0.1:8788")))


def test_of_several_proxies_the_nearest_counts() -> None:
    trusting = Reached(PublicAddress(), proxy_headers=True)
    assert not trusting.by_https(_request(("x-forwarded-proto", "https, http")))
    assert trusting.by_https(_request(("x-forwarded-proto", "http"), ("x-forwarded-proto", "HTTPS")))


def test_a_connection_with_tls_is_https() -> None:
    assert Reached(PublicAddress()).by_https(_request(scheme="https"))


@pytest.mark.parametrize(
    ("headers", "ours"),
    [
        ([], True),
        ([("sec-fetch-site", "same-origin")], True),
        ([("sec-fetch-site", "none")], True),
        ([("sec-fetch-site", "same-site")], False),
        ([("sec-fetch-site", "cross-site")], False),
        ([("sec-fetch-site", "cross-site"), ("origin", PUBLIC)], False),
        ([("origin", PUBLIC)], True),
        ([("origin", "http://127.0.0.1:8788")], True),
        ([("origin", "https://127.0.0.1:8788")], True),
        ([("origin", "http://127.0.0.1:9999")], False),
        ([("origin", "http://pamosnik.shop.example")], False),
        ([("origin", f"{PUBLIC}.evil.example")], False),
        ([("origin", "null")], False),
        ([("origin", "")], False),
        ([("origin", "chrome-extension://abcdef")], False),
        ([("origin", "http://[")], False),
    ],
)
def test_whose_page_a_form_comes_from(headers: list[tuple[str, str]], ours: bool) -> None:
    request = _request(("host", "127.0.0.1:8788"), *headers)
    assert Reached(PublicAddress(PUBLIC)).same_site(request) is ours


def test_proxies_are_not_trusted_unless_it_is_said() -> None:
    assert not config.load({"home": "/nowhere"}, environ={}).trusts_proxy
    said = {"PAMOSNIK_PROXY_HEADERS": "trust"}
    assert config.load({"home": "/nowhere"}, environ=said).trusts_proxy
    with pytest.raises(UsageError, match="proxy_headers"):
        config.load({"home": "/nowhere"}, environ={"PAMOSNIK_PROXY_HEADERS": "yes"})


@pytest.mark.parametrize(
    "address",
    [
        "https://[x",
        "https://shop.example:none",
        "https://shop.example:0",
        "https://shop example",
        "https://:password@shop.example",
        "ftp://shop.example",
        "https://",
    ],
)
def test_an_address_of_the_settings_must_be_one(address: str) -> None:
    with pytest.raises(UsageError, match="is no address"):
        config.load({"home": "/nowhere"}, environ={"PAMOSNIK_PUBLIC_URL": address})
