"""Whole conversations over real HTTP, from the comment to the numbers."""

import re
from pathlib import Path

import pytest

from tests.daemon.events import IG_ID
from tests.daemon.shop import Shop, open_shop

pytestmark = pytest.mark.anyio


def _moment(text: object) -> bool:
    return (
        isinstance(text, str)
        and re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|\+00:00)", text) is not None
    )


async def test_from_the_comment_to_the_statistics(tmp_path: Path) -> None:
    async with open_shop(tmp_path) as shop:
        comment = await shop.comment("9001", "Price please!")
        await shop.settles("9001", 1)
        await shop.quiet()
        assert shop.fake.order == ["private", "public"]
        assert shop.fake.thread("9001") == ["Automated reply.\nHi anna! Tap and the list is yours."]
        assert shop.fake.last("9001").comment_id == comment
        assert len(shop.fake.public(comment)) == 1
        await shop.tap("9001", "Send it to me")
        assert (await shop.settles("9001", 2))[1:] == ["Here you are."]
        await shop.quiet()
        await _check_reads(shop)
        await _check_ids(shop, comment)


async def _check_ids(shop: Shop, comment: str) -> None:
    """Pamosnik's own ids and Meta's are understood alike."""
    (run,) = await shop.read("runs", "list")
    (contact,) = await shop.read("contacts", "list")
    postback = next(e for e in await shop.read("events", "list") if e["kind"] == "postback")
    sent = shop.fake.sent[0].mid
    for what in (run["id"], comment, postback["id"], postback["message_id"], "@anna", "9001", sent):
        assert (await shop.read("runs", "show", what))["id"] == run["id"], what
    for what in (contact["id"], "@anna", "anna", "9001", comment, postback["id"], postback["message_id"]):
        assert (await shop.read("contacts", "show", what))["id"] == contact["id"], what
    last = (await shop.read("queue", "list"))[0]
    for what in (
        postback["id"],
        postback["id"].lower(),
        postback["message_id"],
        "@anna",
        "9001",
        run["id"],
        last["id"],
        last["message_id"],
    ):
        assert (await shop.read("why", what))["id"] == postback["id"], what
    for what in ("shop", "@Shop", IG_ID):
        assert (await shop.read("connections", "show", what))["username"] == "shop", what
    for name in ("contacts", "runs", "queue", "events"):
        assert await shop.read(name, "list", "--since", "1h"), name
        assert await shop.read(name, "list", "--since", "2099-01-01") == [], name


async def _check_reads(shop: Shop) -> None:
    """The shapes that scripts rely on, after one conversation."""
    (flow,) = [row for row in (await shop.read("stats"))["flows"] if row["flow"] == "price"]
    assert flow["goals"] == {"got-prices": 1}
    counted = {name: flow[name] for name in ("started", "completed", "sent", "replied", "failed", "expired")}
    assert counted == {"started": 1, "completed": 1, "sent": 1, "replied": 1, "failed": 0, "expired": 0}
    (contact,) = await shop.read("contacts", "list")
    assert (contact["username"], contact["igsid"], contact["tags"]) == ("anna", "9001", ["got-prices"])
    assert _moment(contact["window_open_until"])
    (run,) = await shop.read("runs", "list")
    assert (run["flow"], run["status"]) == ("price", "completed")
    assert _moment(run["started_at"])
    assert _moment(run["finished_at"])
    queue = await shop.read("queue", "list")
    assert {item["status"] for item in queue} == {"sent"}
    assert sorted(item["kind"] for item in queue) == ["comment_reply", "message", "private_reply"]
    sent = {one.mid for one in shop.fake.sent}
    assert {item["message_id"] for item in queue if item["kind"] != "comment_reply"} == sent
    verdicts = {(event["kind"], event["verdict"]) for event in await shop.read("events", "list")}
    assert verdicts == {("comment", "started"), ("comment", "own"), ("postback", "resumed"), ("echo", "own")}
    status = await shop.read("status")
    assert status["healthy"] is True, status["problems"]
    assert status["daemon"]["running"] is True
    (connection,) = await shop.read("connections", "list")
    assert (connection["username"], connection["status"]) == ("shop", "active")


async def test_keywords_in_many_scripts(tmp_path: Path) -> None:
    taken = [
        "Ile to CENA???",
        "цена?",
        "Цена",
        "كم السِّعر؟ سعر",
        "ราคาเท่าไหร่",
        "💌",
        "💌💌 !",
        "ＰＲＩＣＥ",
        "p\u200brice",
    ]
    left = ["ocena", "priceless", "سعرات", "💔", "стоценан"]
    async with open_shop(tmp_path) as shop:
        people = {f"91{number:03}": text for number, text in enumerate(taken)}
        others = {f"92{number:03}": text for number, text in enumerate(left)}
        for igsid, text in {**people, **others}.items():
            await shop.comment(igsid, text, username=f"u{igsid}")
        await shop.quiet()
        assert {text for igsid, text in people.items() if len(shop.fake.thread(igsid)) == 1} == set(taken)
        assert {text for igsid, text in others.items() if shop.fake.thread(igsid)} == set()


async def test_answers_that_are_typed_or_tapped_late(tmp_path: Path) -> None:
    answers = {"9301": "medium", "9302": "2", "9303": "Medum", "9304": " MEDIUM!"}
    async with open_shop(tmp_path) as shop:
        for igsid in answers:
            await shop.write(igsid, "size")
        for igsid in answers:
            await shop.settles(igsid, 1)
        for igsid, answer in answers.items():
            await shop.write(igsid, answer)
        await shop.quiet()
        assert [shop.fake.thread(igsid)[1:] for igsid in answers] == [["Noted: Medium"]] * len(answers)
        # A button of a message that is long out of sight still works, and again.
        await shop.comment("9310", "price", username="late")
        await shop.settles("9310", 1)
        await shop.write("9310", "size")
        await shop.settles("9310", 2)
        await shop.tap("9310", "Send it to me")
        await shop.settles("9310", 3)
        assert shop.fake.thread("9310")[2] == "Here you are."
        await shop.tap("9310", "Large")
        assert (await shop.settles("9310", 4))[3] == "Noted: Large"
