"""Paths, login and tokens: rules 1 and 2."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from .shop import Answer, Shop

pytestmark = pytest.mark.anyio

SCOPES = "instagram_business_basic,instagram_business_manage_messages"
BACK = "https://pamosnik.example/back"


async def authorize(shop: Shop, **more: str) -> Answer:
    app_id = (await shop.look("state"))["app"]["app_id"]
    query = {"client_id": app_id, "redirect_uri": BACK, "response_type": "code", "scope": SCOPES, **more}
    return await shop.call("GET", "/oauth/authorize", params=query)


async def exchange(shop: Shop, code: str, redirect_uri: str = BACK) -> Answer:
    form = {
        "client_id": (await shop.look("state"))["app"]["app_id"],
        "client_secret": shop.sandbox.app_secret,
        "grant_type": "authorization_code",
        "redirect_uri": redirect_uri,
        "code": code,
    }
    return await shop.call("POST", "/oauth/access_token", data=form)


async def log_in(shop: Shop) -> Any:
    location = (await authorize(shop, state="s1")).headers["Location"]
    query = parse_qs(urlsplit(location).query)
    assert location.endswith("#_")
    assert query["state"] == ["s1"]
    return query["code"][0]


async def lengthen(shop: Shop, short: str) -> Answer:
    query = {
        "grant_type": "ig_exchange_token",
        "client_secret": shop.sandbox.app_secret,
        "access_token": short,
    }
    return await shop.call("GET", "/access_token", params=query)


async def refresh(shop: Shop, token: str) -> Answer:
    query = {"grant_type": "ig_refresh_token", "access_token": token}
    return await shop.call("GET", "/refresh_access_token", params=query)


async def test_login_from_code_to_refreshed_token(shop: Shop) -> None:
    code = await log_in(shop)
    granted = (await exchange(shop, code)).body["data"][0]
    assert granted["permissions"] == SCOPES
    assert granted["user_id"] != shop.sandbox.ig_id
    long = (await lengthen(shop, granted["access_token"])).body
    assert long["token_type"] == "bearer"
    assert long["expires_in"] == 60 * 86400
    assert (await refresh(shop, long["access_token"])).error == (400, 100, None)
    shop.later(hours=25)
    assert (await refresh(shop, long["access_token"])).body["access_token"].startswith("IGAA")
    shop.later(days=60)
    assert (await refresh(shop, long["access_token"])).error == (400, 190, 463)


@pytest.mark.parametrize("scope", ["business_basic", "instagram_basic", "nonsense"])
async def test_old_and_unknown_scopes_are_refused(shop: Shop, scope: str) -> None:
    """§1.1"""
    refused = await authorize(shop, scope=f"instagram_business_basic,{scope}")
    assert refused.error == (400, 100, None)
    assert refused.body["error"]["message"] == f"(#100) Invalid scope: {scope}"


async def test_a_login_leads_back_to_a_registered_address_alone(shop: Shop) -> None:
    """§2.2: the exact one."""
    await shop.act("configure", redirect_uris=[BACK, "https://pamosnik.example/other"])
    assert (await authorize(shop)).status == 302
    for strange in (f"{BACK}/", "https://elsewhere.example/"):
        assert (await authorize(shop, redirect_uri=strange)).error == (400, 100, None)
    await shop.act("configure", redirect_uris=[])
    assert (await authorize(shop, redirect_uri="https://elsewhere.example/")).status == 302


async def test_a_refused_exchange_leaves_the_code(shop: Shop) -> None:
    """§2.2"""
    code = await log_in(shop)
    assert (await exchange(shop, code, "https://elsewhere.example/")).status == 400
    assert (await exchange(shop, code)).status == 200


async def test_code_works_once_and_for_its_address(shop: Shop) -> None:
    code = await log_in(shop)
    assert (await exchange(shop, code)).status == 200
    again = await exchange(shop, code)
    assert (again.status, again.body["error_type"], again.body["code"]) == (400, "OAuthException", 400)
    assert (await exchange(shop, await log_in(shop), BACK + "/")).status == 400


async def test_old_code_and_short_token_expire(shop: Shop) -> None:
    code = await log_in(shop)
    short = (await exchange(shop, await log_in(shop))).body["data"][0]["access_token"]
    shop.later(minutes=61)
    assert (await exchange(shop, code)).status == 400
    assert (await shop.call("GET", "/me", token=short)).error == (400, 190, 463)


async def test_denied_login(shop: Shop) -> None:
    location = (await authorize(shop, deny="true")).headers["Location"]
    assert parse_qs(urlsplit(location).query)["error_reason"] == ["user_denied"]


async def test_me_with_and_without_version_and_by_any_id(shop: Shop) -> None:
    me = (await shop.get("/me", fields="user_id,id,username,account_type")).body
    assert me["user_id"] == shop.sandbox.ig_id
    assert me["username"] == "rosas_shop"
    for name in ("me", me["user_id"], me["id"]):
        assert (await shop.call("GET", f"/{name}")).body == {"id": me["id"]}
    assert (await shop.call("GET", f"/v21.0/me?access_token={shop.sandbox.token}")).status == 200


async def test_malformed_paths(shop: Shop) -> None:
    for path in ("/v26.0/v26.0/me", "/v99.0/me", "/v26.0/me/nothing/at/all", "/v26.0"):
        assert (await shop.call("GET", path)).error == (500, 2500, None), path


async def test_unknown_field(shop: Shop) -> None:
    answer = await shop.get("/me", fields="id,shoe_size")
    assert answer.error == (400, 100, None)
    assert "Tried accessing nonexisting field (shoe_size)" in answer.body["error"]["message"]


async def test_token_in_the_query_needs_no_header(shop: Shop) -> None:
    url = f"{shop.sandbox.base_url}/v26.0/me"
    async with shop.http.get(url, params={"access_token": shop.sandbox.token}) as answer:
        assert answer.status == 200
        assert answer.headers["instagram-api-version"] == "v26.0"
    async with shop.http.get(url) as answer:
        assert (await answer.json())["error"]["code"] == 190
        assert answer.headers["www-authenticate"].startswith("OAuth")


async def test_revoked_tokens_say_why(shop: Shop) -> None:
    await shop.act("revoke", subcode=458)
    assert (await shop.get("/me")).error == (400, 190, 458)
    fresh = (await shop.act("token"))["token"]
    assert (await shop.call("GET", "/me", token=fresh)).status == 200


async def test_missing_scope_and_missing_role(shop: Shop) -> None:
    igsid = await shop.writes("anna")
    await shop.act("switches", scopes=["instagram_business_basic"])
    assert (await shop.send({"id": igsid}, {"text": "Hi"})).error == (403, 10, None)
    assert (await shop.get("/me")).status == 200
    await shop.act("switches", has_role=False)
    refused = await shop.get("/me")
    assert refused.error == (400, 100, None)
    assert refused.body["error"]["message"] == "Unsupported request - method type: get"


async def test_requests_are_kept_without_tokens(shop: Shop) -> None:
    await shop.call("GET", "/v26.0/me", params={"access_token": shop.sandbox.token, "fields": "id"})
    await refresh(shop, shop.sandbox.token)
    kept = await shop.look("requests")
    assert [(one["method"], one["path"], one["status"]) for one in kept] == [
        ("GET", "/v26.0/me", 200),
        ("GET", "/refresh_access_token", 400),
    ]
    assert shop.sandbox.token not in str(kept)


async def test_subscribed_apps(shop: Shop) -> None:
    path = f"/v26.0/{shop.sandbox.ig_id}/subscribed_apps"
    assert (await shop.call("GET", path)).body == {"data": []}
    wrong = await shop.call("POST", path, params={"subscribed_fields": "messages,message_reads"})
    assert wrong.error == (400, 100, None)
    assert "subscribed_fields[1] must be one of" in wrong.body["error"]["message"]
    await shop.call("POST", path, data={"subscribed_fields": "messages,comments"})
    subscribed = (await shop.call("GET", path)).body["data"][0]
    assert subscribed["subscribed_fields"] == ["messages", "comments"]
    assert (await shop.call("DELETE", "/v26.0/me/subscribed_apps")).body == {"success": True}
    assert (await shop.call("GET", path)).body == {"data": []}
