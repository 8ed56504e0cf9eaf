"""Faults of the app and of the account at Instagram: each is named, with the step that mends it."""

import json
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest

from pamosnik.instagram import webhook
from pamosnik.instagram.app_pair import Pair, pair
from pamosnik.instagram.graph import Answer
from pamosnik.model.outbox import Outcome, OutcomeKind
from pamosnik.services import intake
from pamosnik.services.doctor import subscribed
from pamosnik.services.doctor.clock import of_clock
from pamosnik.store import connections
from tests.doctor.clinic import META_ID, Clinic, Found

pytestmark = pytest.mark.anyio

REVOKED = {
    458: "removed the app",
    459: "checkpoint",
    460: "Generate access tokens",
    463: "pamosnik connect --token-stdin",
    464: "Confirm the account's e-mail",
    467: "Generate access tokens",
}


def _named(found: Found, name: str, *words: str, status: str = "bad") -> None:
    """This check alone is bad, and message and remedy hold these words."""
    check = found.one(name)
    told = f"{check['message']} {check['fix']}"
    assert check["status"] == status, found.checks
    assert [word for word in words if word not in told] == [], told
    assert found.bad == ([name] if status == "bad" else [])
    assert found.said.returncode == (5 if status == "bad" else 0)
    assert check["connection"] in (None, "rosas_shop")


# --- the token and the account ---------------------------------------------------------------------------


@pytest.mark.parametrize("subcode", REVOKED)
async def test_the_token_is_not_taken(shop: Clinic, subcode: int) -> None:
    await shop.act("revoke", subcode=subcode)
    _named(await shop.look(), "token", f"190/{subcode}", REVOKED[subcode])


async def test_no_tester_role(shop: Clinic) -> None:
    await shop.act("switches", has_role=False)
    found = await shop.look()
    _named(found, "role", "Instagram tester", "App roles → Roles", "Tester invites → Accept")
    assert found.status("token") == "good"


async def test_message_access_is_switched_off(shop: Clinic) -> None:
    await shop.act("faults", fault="message_access_200_2534041", endpoint="conversations")
    _named(await shop.look(), "message_access", "200/2534041", "Allow access to messages", "Connected tools")


@pytest.mark.parametrize(
    ("endpoint", "fault", "scope"),
    [
        ("conversations", "permission_10", "instagram_business_manage_messages"),
        ("conversations", "permission_200", "instagram_business_manage_messages"),
        ("comments", "permission_10", "instagram_business_manage_comments"),
        ("comments", "permission_200", "instagram_business_manage_comments"),
    ],
)
async def test_a_permission_is_missing(shop: Clinic, endpoint: str, fault: str, scope: str) -> None:
    await shop.act("faults", fault=fault, endpoint=endpoint)
    _named(await shop.look(), "permissions", f"{scope} is missing", "Add all required permissions")


async def test_even_the_account_may_not_be_read(shop: Clinic) -> None:
    await shop.act("faults", fault="permission_10", endpoint="me")
    _named(await shop.look(), "permissions", "instagram_business_basic")


async def test_a_personal_account(shop: Clinic) -> None:
    shop.change_account(account_type="PERSONAL")
    _named(await shop.look(), "account_type", "professional account", "Business or Creator")


async def test_a_creator_account_is_fine(shop: Clinic) -> None:
    shop.change_account(account_type="MEDIA_CREATOR")
    found = await shop.look()
    assert found.bad == []
    assert "creator account" in found.one("account_type")["message"]


async def test_the_app_scoped_id_is_stored(shop: Clinic) -> None:
    await shop.write("UPDATE connections SET ig_id=asid, asid=NULL, token_sealed=token_sealed")
    await shop.seal_again()
    _named(await shop.look(), "account_id", "`user_id`", shop.sandbox.ig_id, "pamosnik connect")


async def test_the_token_is_of_another_account(shop: Clinic) -> None:
    await shop.write("UPDATE connections SET ig_id='17841499999999999'")
    await shop.seal_again()
    _named(await shop.look(), "account_id", "another Instagram account", "17841499999999999")


async def test_instagram_names_the_account_by_its_id_for_the_app(shop: Clinic) -> None:
    """It was called another account."""
    await shop.write("UPDATE connections SET asid=ig_id, ig_id='17841499999999999'")
    await shop.seal_again()
    found = await shop.look()
    _named(found, "account_id", "the account that was connected", "connections test", status="note")


async def test_the_account_was_renamed(shop: Clinic) -> None:
    shop.change_account(username="rosas_flowers")
    _named(await shop.look(), "username", "rosas_flowers", "pamosnik connect", status="note")


async def test_the_token_ends_soon_or_has_ended(shop: Clinic) -> None:
    day = 86_400_000
    await shop.write(
        f"UPDATE connections SET token_expires_at=unixepoch()*1000+5*{day}, token_issued_at=unixepoch()*1000-55*{day}"
    )
    _named(await shop.look(), "token_age", "4 days left", "pamosnik connections refresh", status="note")
    await shop.write(f"UPDATE connections SET token_expires_at=unixepoch()*1000-{day}")
    _named(await shop.look(), "token_age", "ended on", "Generate access tokens")


async def test_a_login_that_needs_its_owner(shop: Clinic) -> None:
    await shop.write("UPDATE connections SET status='needs_login', reason='the login has expired'")
    _named(await shop.look(), "login", "needs_login: the login has expired", "pamosnik connect")


async def test_a_login_that_is_gone_says_why(shop: Clinic) -> None:
    await shop.write(
        "UPDATE connections SET status='disconnected', token_sealed=NULL,"
        " reason='the owner has removed the app (Meta''s error 190/458)'"
    )
    found = await shop.look()
    _named(found, "login", "has no login any more", "190/458", "pamosnik connect")
    assert found.status("token") == "skipped"


async def test_sending_is_blocked(shop: Clinic) -> None:
    await shop.write(
        "UPDATE connections SET rest_until=unixepoch()*1000+3600000,"
        " rest_reason='Meta has blocked it for a while (Meta''s error 368)'"
    )
    _named(await shop.look(), "sending", "Meta's error 368", "Account Status")


async def test_refused_although_the_person_had_just_written(shop: Clinic) -> None:
    await shop.act("dm", person="anna", text="price?")
    await shop.heard("message", igsid="900000000000011", text="price?")
    await shop.failed(
        "900000000000011", "the 24-hour window of this person is closed (Meta's error 10/2534022)"
    )
    _named(await shop.look(), "advanced_access", "10/2534022", "Request Advanced Access")


async def test_only_people_with_a_role_can_be_written_to(shop: Clinic) -> None:
    await shop.failed("900000000000011", "before App Review … (Meta's error 200/2018028)")
    _named(await shop.look(), "advanced_access", "without a role", "App Review")


# --- webhooks of the account and of the app --------------------------------------------------------------


async def test_the_account_is_not_subscribed_and_is_again(shop: Clinic) -> None:
    shop.change_account(subscribed_fields=())
    _named(await shop.look(), "subscription", "not subscribed", "pamosnik doctor --fix")
    mended = await shop.look("--fix")
    assert (mended.bad, mended.said.returncode) == ([], 0)
    assert mended.one("subscription")["message"].startswith("Mended: ")
    assert "comments" in shop.account.subscribed_fields
    history = await shop.run("accounts", "history", "--json")
    assert "webhooks subscribed" in history.stdout


async def test_the_subscription_lacks_what_a_flow_needs(shop: Clinic) -> None:
    shop.change_account(subscribed_fields=("messages", "messaging_postbacks"))
    _named(await shop.look(), "subscription", "comments (the flow price)", "--fix")
    shop.change_account(subscribed_fields=("messages", "messaging_postbacks", "comments"))
    _named(await shop.look(), "subscription", "message_reactions", "no flow needs", status="note")


@pytest.mark.parametrize(
    ("apps", "ids", "ours", "others"),
    [
        ([("1", "Mine")], ("1", "2"), ["1"], []),
        ([("9", "Chat tool"), ("2", "Mine")], ("1", "2"), ["2"], ["9"]),
        ([("9", "Chat tool")], ("1", "2"), [], ["9"]),
        ([("9", "Pamosnik of Rosa"), ("8", "Chat tool")], ("1", "2"), ["9"], ["8"]),
        ([("9", "Mine")], ("1", None), ["9"], []),
        ([], (None, None), [], []),
    ],
)
def test_which_app_is_ours(
    apps: list[tuple[str, str]], ids: tuple[str | None, str | None], ours: list[str], others: list[str]
) -> None:
    found = subscribed.ours_of([{"id": app_id, "name": name} for app_id, name in apps], ids)
    assert tuple([one["id"] for one in part] for part in found) == (ours, others)


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (
            {"error_type": "OAuthException", "code": 400, "error_message": "Invalid platform app"},
            Pair.WRONG_ID,
        ),
        ({"code": 400, "error_message": "Error validating client secret"}, Pair.WRONG_SECRET),
        ({"error": {"message": "Invalid client_secret", "code": 1}}, Pair.WRONG_SECRET),
        ({"code": 400, "error_message": "Matching code was not found or was already used"}, Pair.ACCEPTED),
        ({"error": {"message": "Service temporarily unavailable"}}, Pair.UNTOLD),
        ({}, Pair.UNTOLD),
    ],
)
def test_what_instagram_says_of_a_pair(body: dict[str, object], says: Pair) -> None:
    assert pair(Answer(Outcome(OutcomeKind.PERMANENT, "refused"), body)) is says


async def test_a_subscription_that_cannot_be_mended_says_why(shop: Clinic) -> None:
    shop.change_account(subscribed_fields=())
    await shop.act("faults", fault="no_role_100", endpoint="subscribed_apps", nth=2)
    found = await shop.look("--fix")
    assert found.bad == ["subscription"]
    assert (
        "It could not be mended: Instagram refused the subscription" in found.one("subscription")["message"]
    )


async def test_the_apps_pair_is_wrong(shop: Clinic) -> None:
    _named(await shop.look(META_APP_SECRET="f" * 32), "meta_app", "as a pair", "App settings → Basic")


async def test_the_app_is_not_subscribed(shop: Clinic) -> None:
    shop.change_app(callback_url=None)
    _named(await shop.look(), "app_subscription", "not subscribed", "Configure webhooks", "--fix")


async def test_the_app_sends_elsewhere(shop: Clinic) -> None:
    shop.change_app(callback_url="https://old.example/webhooks/instagram")
    _named(await shop.look(), "app_callback", "https://old.example/webhooks/instagram", shop.site.url)


async def test_the_app_lacks_a_field_that_a_flow_needs(shop: Clinic) -> None:
    shop.change_app(fields=shop.app.fields - {"comments"})
    _named(await shop.look(), "app_fields", "comments (the flow price)", "Manage: subscribe comments")


async def test_the_instagram_pair_is_wrong(shop: Clinic) -> None:
    found = await shop.look(INSTAGRAM_APP_ID="1299999999999999")
    assert found.status("instagram_app") == "bad"
    assert "API setup with Instagram login, at the top" in found.one("instagram_app")["fix"]


async def test_one_id_stands_for_both_apps(shop: Clinic) -> None:
    found = await shop.look(INSTAGRAM_APP_ID=META_ID)
    assert "app_ids" in found.bad
    assert "Invalid platform app" in found.one("app_ids")["message"]


async def test_a_secret_stands_for_an_id_and_is_not_shown(shop: Clinic) -> None:
    secret = "9" * 31 + "a"
    found = await shop.look(META_APP_ID=secret)
    assert "looks like a secret" in found.one("app_ids")["message"]
    assert secret not in found.said.stdout


async def test_a_retired_version_of_graph(shop: Clinic) -> None:
    found = await shop.look(GRAPH_VERSION="v20.0")
    assert "graph_version" in found.bad
    assert "PAMOSNIK_GRAPH_VERSION to v26.0" in found.one("graph_version")["fix"]


# --- live or not -----------------------------------------------------------------------------------------


async def test_comments_are_counted_and_not_shown(shop: Clinic) -> None:
    await shop.act("comment", person="anna", text="hello")
    shop.change_app(live=False)
    _named(await shop.look(), "app_live", "in Development", "App Dashboard → Publish")


async def test_only_tests_of_the_dashboard_came(shop: Clinic) -> None:
    await shop.heard("comment", verdict="test")
    _named(await shop.look(), "app_live", "Only tests of Meta's dashboard", "Publish")


async def test_things_happen_that_no_webhook_tells(shop: Clinic) -> None:
    await shop.act("comment", person="anna", text="hello")
    await shop.heard("comment", recovered=1)
    _named(await shop.look(), "webhooks", "No webhook has ever come", "comments just now")


async def test_one_field_is_silent(shop: Clinic) -> None:
    await shop.act("dm", person="anna", text="price?")
    await shop.heard("comment", recovered=1)
    await shop.heard("message", text="price?")
    _named(await shop.look(), "webhooks", "No webhook of comments", "Manage: subscribe comments")


async def test_signatures_were_refused(shop: Clinic) -> None:
    await shop.write(
        "INSERT INTO notices (account_id, connection_id, code, message, fix, since, step)"
        " VALUES ('', '', 'bad_signature', 'refused', 'compare', unixepoch()*1000, 0)"
    )
    _named(await shop.look(), "signatures", "no app secret fits", "Compare both secrets")


async def test_one_refused_signature_is_told_and_nothing_is_wrong(shop: Clinic) -> None:
    """The owner with a wrong secret wants it after the first; a stranger can send one, too."""
    await shop.write(
        "INSERT INTO notices (account_id, connection_id, code, message, fix, since, step)"
        " VALUES ('', '', 'signature_refused', 'no app secret fits', 'Compare both secrets', unixepoch()*1000, 0)"
    )
    found = await shop.look()
    _named(found, "signatures", "no app secret fits", "Compare both secrets", status="note")


async def test_webhooks_name_the_account_by_its_id_for_the_app(shop: Clinic) -> None:
    async with shop.database() as database:
        (one,) = connections.every(database.connection)
        assert one.asid is not None
        (item,) = webhook.parse(json.dumps(events_of(one.asid)).encode()).items
        database.write(partial(intake.store, items=[item], now=datetime.now(UTC)))
    _named(await shop.look(), "unknown_accounts", one.asid, one.ig_id, "pamosnik connect")


def events_of(entry: str) -> object:
    """A delivery for the account of that id."""
    said = {
        "sender": {"id": "900000000000011"},
        "recipient": {"id": entry},
        "timestamp": 1790000000950,
        "message": {"mid": "aWdf_A1", "text": "price?"},
    }
    return {"object": "instagram", "entry": [{"id": entry, "time": 1790000001200, "messaging": [said]}]}


async def test_messages_are_written_elsewhere(shop: Clinic) -> None:
    for number in range(20):
        await shop.heard("echo", dedup_key=f"e{number}", event_id=f"01JECHO{number:019d}", mid=f"mid{number}")
    _named(await shop.look(), "other_apps", "20 messages", "Apps and websites", status="note")


# --- the clock -------------------------------------------------------------------------------------------


def test_a_clock_that_is_off() -> None:
    assert of_clock(timedelta(seconds=-20)).found.value == "good"
    check = of_clock(timedelta(hours=-2))
    assert (check.found.value, check.fix) == ("bad", "Set it right. Try: timedatectl set-ntp true")
    assert "2:00:00 slow" in check.message
