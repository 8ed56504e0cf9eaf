"""Everything Instagram can answer instead of yes, and what becomes of the message, its public reply and its run."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from tests.daemon.fake import Call, Trouble, calm
from tests.daemon.shop import Shop, open_shop

pytestmark = pytest.mark.anyio


async def _items(shop: Shop, kind: str) -> list[Any]:
    return [item for item in await shop.read("queue", "list") if item["kind"] == kind]


async def _statuses(shop: Shop, kind: str) -> list[str]:
    return [item["status"] for item in await _items(shop, kind)]


async def test_a_refused_private_reply_takes_its_public_reply_along(tmp_path: Path) -> None:
    async with open_shop(tmp_path) as shop:
        shop.fake.trouble = lambda call: Trouble(400, 100, 2534025) if call.is_private_reply else None
        comment = await shop.comment("7101")
        await shop.quiet()
        (private,) = await _items(shop, "private_reply")
        assert (private["status"], private["attempts"]) == ("failed", 1)
        assert private["reason"]
        (public,) = await _items(shop, "comment_reply")
        assert public["status"] == "cancelled"
        assert public["reason"]
        assert shop.fake.public(comment) == []
        (run,) = await shop.read("runs", "list")
        assert run["status"] == "failed"
        (flow,) = [row for row in (await shop.read("stats"))["flows"] if row["flow"] == "price"]
        assert (flow["started"], flow["failed"], flow["completed"]) == (1, 1, 0)


async def test_refused_buttons_become_text_and_that_is_remembered(tmp_path: Path) -> None:
    def no_buttons(call: Call) -> Trouble | None:
        attachment = call.is_private_reply and "attachment" in call.body["message"]
        return Trouble(400, 100, None, "(#100) Invalid") if attachment else None

    async with open_shop(tmp_path) as shop:
        shop.fake.trouble = no_buttons
        await shop.comment("7201", username="a")
        await shop.settles("7201", 1)
        await shop.quiet()
        await shop.comment("7202", username="b")
        await shop.settles("7202", 1)
        await shop.quiet()
        assert [shop.fake.last(igsid).kind for igsid in ("7201", "7202")] == ["text", "text"]
        assert all("Send it to me" in shop.fake.last(igsid).text for igsid in ("7201", "7202"))
        assert len([call for call in shop.fake.calls if call.is_private_reply]) == 3
        assert len(shop.fake.replies) == 2
        # The label, typed, does what the tap would have done.
        await shop.write("7202", "send it to me")
        assert (await shop.settles("7202", 2))[1] == "Here you are."


async def test_a_dead_token_holds_the_queue_until_the_owner_connects_again(tmp_path: Path) -> None:
    async with open_shop(tmp_path) as shop:
        shop.fake.token = "IGAAanothertoken9876543210secret"
        await shop.write("7301", "price")
        await _until(shop, "needs_login")
        await shop.write("7302", "price")
        await shop.comment("7303", username="c")
        await asyncio.sleep(0.5)
        assert shop.fake.sent == []
        assert len([call for call in shop.fake.calls if call.is_send]) <= 2
        status = await shop.read("status")
        assert status["healthy"] is False
        assert "needs_login" in {problem["code"] for problem in status["problems"]}
        assert all(problem["message"] and problem["fix"] for problem in status["problems"])
        await shop.connect()
        for igsid in ("7301", "7302", "7303"):
            await shop.settles(igsid, 1)
        await shop.quiet()
        assert [len(shop.fake.thread(igsid)) for igsid in ("7301", "7302", "7303")] == [1, 1, 1]
        (connection,) = await shop.read("connections", "list")
        assert connection["status"] == "active"
        assert (await shop.read("status"))["problems"] == []


async def _until(shop: Shop, connection_status: str) -> None:
    for _ in range(600):
        (connection,) = await shop.read("connections", "list")
        if connection["status"] == connection_status:
            return
        await asyncio.sleep(0.05)
    raise AssertionError(connection)


UNCERTAIN = {
    "500 without delivery": Trouble(500, 2),
    "500 with delivery": Trouble(500, 1, done=True),
    "400 code 1": Trouble(400, 1, done=True),
    "HTML": Trouble(503, html=True),
    "hung up after reading": Trouble(hang_up=True),
    "hung up after delivery": Trouble(hang_up=True, done=True),
}


async def test_what_may_have_gone_out_is_not_sent_again(tmp_path: Path) -> None:
    people = {f"74{number:02}": trouble for number, trouble in enumerate(UNCERTAIN.values())}

    def wrong(call: Call) -> Trouble | None:
        if call.is_send:
            return people.get(call.body["recipient"].get("id"))
        # No evidence either: on a slow machine the first look came before the statuses were read.
        return Trouble(503, 2)

    async with open_shop(tmp_path) as shop:
        shop.fake.echoes, shop.fake.trouble = "none", wrong
        for igsid in people:
            await shop.write(igsid, "price")
        await shop.quiet()
        assert await _statuses(shop, "message") == ["unknown"] * len(people)
        await shop.stop()
        shop.fake.trouble = calm
        await shop.start()
        await asyncio.sleep(1.5)
        # Evidence may have settled those that arrived; nobody got anything twice.
        assert set(await _statuses(shop, "message")) <= {"unknown", "sent"}
        tried = [call.body["recipient"]["id"] for call in shop.fake.calls if call.is_send]
        assert sorted(tried) == sorted(people)
        assert {igsid for igsid in people if shop.fake.thread(igsid)} == {
            i for i, t in people.items() if t.done
        }


async def test_an_echo_settles_what_was_unknown(tmp_path: Path) -> None:
    await asyncio.gather(*(_settled_by_echo(tmp_path / echoes, echoes) for echoes in ("before", "after")))


async def _settled_by_echo(folder: Path, echoes: str) -> None:
    async with open_shop(folder) as shop:
        shop.fake.echoes = echoes
        shop.fake.trouble = lambda call: Trouble(hang_up=True, done=True) if call.is_private_reply else None
        comment = await shop.comment("7501")
        await shop.settles("7501", 1)
        await shop.quiet()
        for _ in range(20):
            if shop.fake.public(comment):
                break
            await asyncio.sleep(0.1)
        assert await _statuses(shop, "private_reply") == ["sent"]
        assert len(shop.fake.public(comment)) == 1
        assert len(shop.fake.thread("7501")) == 1
        contacts = {c["igsid"]: c["paused_until"] for c in await shop.read("contacts", "list")}
        assert contacts["7501"] is None


async def test_nobody_listening_is_tried_again(tmp_path: Path) -> None:
    async with open_shop(tmp_path) as shop:
        # The daemon asks Instagram for the time first: without an answer it would send nothing at all.
        for _ in range(200):
            if any(call.path == "/me" for call in shop.fake.calls[-3:]):
                break
            await asyncio.sleep(0.05)
        await asyncio.sleep(0.2)
        await shop.fake.stop()
        await shop.comment("7601")
        for _ in range(300):
            items = await _items(shop, "private_reply")
            if items and items[0]["attempts"]:
                break
            await asyncio.sleep(0.1)
        (item,) = items
        assert item["status"] in ("queued", "sending")
        assert item["attempts"] >= 1
        await shop.fake.start()
        assert len(await shop.settles("7601", 1, within_s=15)) == 1
        await shop.quiet()
        assert await _statuses(shop, "private_reply") == ["sent"]


async def test_a_slow_instagram_holds_nobody_else_up(tmp_path: Path) -> None:
    def slow(call: Call) -> Trouble | None:
        return Trouble(slow_s=2.5, passes=True) if call.is_send and _to(call) == "7701" else None

    async with open_shop(tmp_path) as shop:
        shop.fake.trouble = slow
        await shop.write("7701", "price")
        for number in range(20):
            await shop.write(f"78{number:02}", "price")
        for number in range(20):
            await shop.settles(f"78{number:02}", 1)
        assert shop.fake.thread("7701") == []
        await shop.settles("7701", 1)
        await shop.quiet()
        assert set(await _statuses(shop, "message")) == {"sent"}


def _to(call: Call) -> str | None:
    recipient: dict[str, str] = call.body["recipient"]
    return recipient.get("id")


async def test_permanent_refusals_fail_once_and_say_why(tmp_path: Path) -> None:
    people = {
        "7901": Trouble(403, 10, 2534022),
        "7902": Trouble(400, 551),
        "7903": Trouble(400, 551, 1545041),
        "7904": Trouble(400, 100, 2534014),
        "7905": Trouble(400, 100),
    }

    def wrong(call: Call) -> Trouble | None:
        return people.get(_to(call) or "") if call.is_send else None

    async with open_shop(tmp_path) as shop:
        shop.fake.trouble = wrong
        for igsid in people:
            await shop.write(igsid, "price")
        await shop.quiet()
        items = await _items(shop, "message")
        assert {(item["status"], item["attempts"]) for item in items} == {("failed", 1)}
        assert all(item["reason"] for item in items)
        contacts = {c["igsid"]: c for c in await shop.read("contacts", "list")}
        assert {igsid for igsid, c in contacts.items() if c["opted_out"]} == {"7902"}
        assert {igsid for igsid, c in contacts.items() if c["unreachable"]} == {"7903"}


async def test_the_owner_settles_an_unknown_message_by_command(tmp_path: Path) -> None:
    async with open_shop(tmp_path) as shop:
        shop.fake.lists, shop.fake.echoes = "none", "none"
        wrong = iter([Trouble(500, 2)])
        shop.fake.trouble = lambda call: next(wrong, None) if call.is_send else None
        await shop.write("9001", "size")
        for _ in range(600):
            (item,) = await shop.read("queue", "list")
            if item["status"] == "unknown":
                break
            await asyncio.sleep(0.05)
        retried = await shop.try_command("queue", "retry", item["id"], "--yes")
        assert retried.code == 1
        assert f"queue settle {item['id']} --resend" in retried.err
        assert (await shop.try_command("queue", "settle", item["id"], "--yes")).code == 2
        settled = await shop.read("queue", "settle", item["id"], "--resend", "--yes")
        assert settled["status"] == "queued"
        assert await shop.settles("9001", 1) == ["Automated reply.\nWhich size?"]
        again = await shop.try_command("queue", "settle", item["id"], "--sent", "--yes")
        assert again.code == 1
        assert "nothing to settle" in again.err
