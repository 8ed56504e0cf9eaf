"""Conversations as people have them, on a real daemon with the sandbox as Instagram."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from tests.crash.daemon import ROOT, Shop, open_shop

pytestmark = pytest.mark.anyio

EXAMPLE = (ROOT / "flows.example.yaml").read_text("utf-8")
WORDS = """\
version: 1
disclosure: "A machine writes."
flows:
  polish: { when: [dm: "cen*"], do: [send: "PL"] }
  russian: { when: [dm: цена], do: [send: "RU"] }
  arabic: { when: [dm: سعر], do: [send: "AR"] }
  thai: { when: [dm: ราคา], do: [send: "TH"] }
  fire: { when: [dm: "🔥"], do: [send: "FIRE"] }
  leave:
    when: [dm: leave, comment: leave]
    limits: once
    do:
      - choose: [{ if: { came_from: dm }, do: [{ send: "You will not read this." }] }]
      - opt_out
  quiz:
    when: [dm: quiz]
    do:
      - ask:
          question: "Tea or coffee?"
          choices: [{ label: Green tea, do: [{ tag: tea }] }, { label: Black coffee, do: [{ tag: coffee }] }]
          if_not_understood: { say: "One of the two, please.", tries: 1 }
      - send: "Thank you."
"""


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def _says(shop: Shop, username: str, *texts: str) -> None:
    """Writes one message after the other, each when Pamosnik has come to rest."""
    await shop.act("/people", username=username)
    for text in texts:
        await shop.act("/dm", person=username, text=text)
        await shop.act("/settle")
        await shop.quiet()


async def _latest(shop: Shop, text: str) -> Any:
    events = await shop.read("events", "list")
    return next(event for event in events if event["text"] == text and event["kind"] != "echo")


async def test_comment_private_reply_public_reply_tap_goal(tmp_path: Path) -> None:
    async with open_shop(tmp_path, EXAMPLE) as shop:
        comment = await shop.act("/comment", person="anna", text="PRICE!! 🙏")
        await shop.act("/settle")
        await shop.quiet()
        assert len(await shop.written_to("anna")) == 1
        assert len(await shop.public_replies(comment)) == 1
        async with shop.session.get(f"{shop.sandbox.base_url}/sandbox/requests") as answer:
            posts = [r["path"] for r in await answer.json() if r["method"] == "POST"]
        sent = [path for path in posts if path.endswith(("/messages", "/replies"))]
        assert [path.rsplit("/", 1)[1] for path in sent] == ["messages", "replies"]
        # A button's label can be typed instead of tapped, with a letter missing.
        await _says(shop, "anna", "snd it to me")
        assert (await shop.written_to("anna"))[-1] == "Here you are: https://shop.example/prices"
        [anna] = [c for c in await shop.read("contacts", "list") if c["username"] == "anna"]
        assert anna["tags"] == ["got-prices"]
        [flow] = [f for f in (await shop.read("stats"))["flows"] if f["flow"] == "price-list"]
        assert {k: flow[k] for k in ("started", "sent", "clicked", "replied", "completed", "goals")} == {
            "started": 1,
            "sent": 1,
            "clicked": 1,
            "replied": 1,
            "completed": 1,
            "goals": {"got-prices": 1},
        }
        why = await shop.read("why", str(comment["id"]))
        assert (why["verdict"], why["flow"]) == ("started", "price-list")


async def test_answers_by_number_spelling_and_not_at_all(tmp_path: Path) -> None:
    async with open_shop(tmp_path, WORDS) as shop:
        await _says(shop, "a", "quiz", "2")
        await _says(shop, "b", "quiz", "gren tea!")
        await _says(shop, "c", "quiz", "water", "black coffee")
        await _says(shop, "d", "quiz", "water", "juice")
        question = "A machine writes.\nTea or coffee?"
        assert await shop.written_to("a") == [question, "Thank you."]
        assert await shop.written_to("c") == [question, "One of the two, please.", "Thank you."]
        assert (await shop.written_to("d"))[-1] == "A person will answer you here."
        people = {c["igsid"]: c for c in await shop.read("contacts", "list")}
        assert sorted(tag for person in people.values() for tag in person["tags"]) == [
            "coffee",
            "coffee",
            "tea",
        ]
        assert sum(person["paused_until"] is not None for person in people.values()) == 1


async def test_keywords_in_many_scripts(tmp_path: Path) -> None:
    said = {
        "Jaka CENA?": "PL",
        "ocena": None,
        "ЦЕНА??": "RU",
        "كم السِعر": None,
        "سِعْر؟": "AR",
        "ขอราคาหน่อย": "TH",
        "love it🔥": "FIRE",
    }
    async with open_shop(tmp_path, WORDS) as shop:
        for number, text in enumerate(said):
            await shop.act("/people", username=f"p{number}")
            await shop.act("/dm", person=f"p{number}", text=text)
        await shop.act("/settle")
        await shop.quiet()
        for number, (text, answer) in enumerate(said.items()):
            expected = [] if answer is None else [f"A machine writes.\n{answer}"]
            assert await shop.written_to(f"p{number}") == expected, text


async def test_stop_start_and_a_human(tmp_path: Path) -> None:
    async with open_shop(tmp_path, WORDS) as shop:
        await _says(shop, "a", "quiz", "Stop!", "quiz", "stop")
        assert len(await shop.written_to("a")) == 2
        assert (await _latest(shop, "quiz"))["verdict"] == "opted_out"
        await _says(shop, "a", "START", "цена")
        assert (await shop.written_to("a"))[-1] == "RU"
        await _says(shop, "b", "human", "quiz")
        assert await shop.written_to("b") == ["A machine writes.\nA person will answer you here."]
        assert (await _latest(shop, "quiz"))["verdict"] == "handed_over"


async def test_a_flow_opts_out_as_the_word_stop_does(tmp_path: Path) -> None:
    stopped = "You will get no more automatic messages. Write START to get them again."
    async with open_shop(tmp_path, WORDS) as shop:
        await _says(shop, "a", "leave", "цена", "stop")
        assert await shop.written_to("a") == [f"A machine writes.\n{stopped}"]
        assert (await _latest(shop, "цена"))["verdict"] == "opted_out"
        await _says(shop, "b", "quiz", "leave", "START", "Green tea", "цена")
        again = "Welcome back! You will get automatic messages again."
        assert (await shop.written_to("b"))[1:] == [stopped, again, "RU"]
        # Nobody is written to who has only commented; they count as opted out all the same.
        await shop.act("/people", username="c")
        await shop.act("/comment", person="c", text="leave")
        await shop.act("/settle")
        await shop.quiet()
        assert await shop.written_to("c") == []
        assert sum(person["opted_out"] for person in await shop.read("contacts", "list")) == 2


async def test_the_owner_writing_from_the_phone_pauses_that_person_only(tmp_path: Path) -> None:
    async with open_shop(tmp_path, WORDS) as shop:
        await _says(shop, "a", "hello")
        await shop.act("/owner_message", person="a", text="I am here myself")
        await _says(shop, "a", "quiz")
        await _says(shop, "b", "quiz")
        assert await shop.written_to("a") == ["I am here myself"]
        assert len(await shop.written_to("b")) == 1
        verdicts = {e["verdict"] for e in await shop.read("events", "list") if e["text"] == "quiz"}
        assert verdicts == {"paused", "started"}


async def test_buttons_refused_in_private_replies_become_text(tmp_path: Path) -> None:
    async with open_shop(tmp_path, EXAMPLE) as shop:
        await shop.act("/switches", private_reply_buttons=False)
        for person in ("anna", "ben"):
            await shop.act("/comment", person=person, text="price")
            await shop.act("/settle")
            await shop.quiet()
            [text] = await shop.written_to(person)
            assert text.endswith("Reply: Send it to me")
        items = [i for i in await shop.read("queue", "list") if i["kind"] == "private_reply"]
        # Learned once: the second person's message went out as text at once.
        assert [item["attempts"] for item in reversed(items)] == [2, 1]
        await _says(shop, "anna", "Send it to me")
        assert (await shop.written_to("anna"))[-1].startswith("Here you are")


async def test_a_refused_private_reply_cancels_the_public_one(tmp_path: Path) -> None:
    async with open_shop(tmp_path, EXAMPLE) as shop:
        await shop.act("/switches", delay_s=0.5)
        comment = await shop.act("/comment", person="anna", text="price")
        await shop.act("/delete_comment", id=comment["id"])
        await asyncio.sleep(0.6)
        await shop.act("/settle")
        await shop.quiet()
        by_kind = {item["kind"]: item for item in await shop.read("queue", "list")}
        assert by_kind["private_reply"]["status"] == "failed"
        assert by_kind["comment_reply"]["status"] == "cancelled"
        [run] = await shop.read("runs", "list")
        assert run["status"] == "failed"


async def test_a_revoked_login_holds_the_queue_until_connected_again(tmp_path: Path) -> None:
    async with open_shop(tmp_path, WORDS) as shop:
        await shop.act("/revoke", subcode=460)
        await _says(shop, "a", "цена")
        assert await shop.written_to("a") == []
        [connection] = await shop.read("connections", "list")
        assert connection["status"] == "needs_login"
        assert "needs_login" in [p["code"] for p in (await shop.read("status"))["problems"]]
        token = await shop.act("/token")
        await shop.command("connect", "--token-stdin", given=f"{token['token']}\n")
        for _ in range(100):
            if await shop.written_to("a"):
                break
            await asyncio.sleep(0.05)
        assert await shop.written_to("a") == ["A machine writes.\nRU"]
        assert (await shop.read("status"))["problems"] == []


async def test_the_owner_removes_the_app_and_comes_back_within_a_day(tmp_path: Path) -> None:
    async with open_shop(tmp_path, WORDS) as shop:
        await _says(shop, "a", "цена")
        await shop.act("/deauthorize", url=f"{shop.hook}/deauthorize")
        with pytest.raises(AssertionError, match="has ended"):
            await shop.command("connections", "refresh")
        [connection] = await shop.read("connections", "list")
        assert connection["status"] == "disconnected"
        assert connection["delete_after"] is not None
        token = await shop.act("/token")
        await shop.command("connect", "--token-stdin", given=f"{token['token']}\n")
        await _says(shop, "a", "سعر")
        assert await shop.written_to("a") == ["A machine writes.\nRU", "AR"], "it still knows this person"
        status = await shop.read("status")
        assert status["connections"][0]["delete_after"] is None
        assert status["problems"] == []
