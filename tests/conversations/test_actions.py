"""Reactions, hidden and deleted comments, on a real daemon with the sandbox as Instagram."""

from pathlib import Path

import pytest

from tests.crash.daemon import open_shop

pytestmark = pytest.mark.anyio

FLOWS = """\
version: 1
disclosure: false
flows:
  thanks: { when: [dm: thanks, story_mention], do: [{ react: 🎉 }] }
  rude:
    when: [comment: { words: [rude], replies: true }]
    limits: { per_person: 1s }
    do: [{ send: "Please be kind." }, hide_comment]
  spam:
    when: [comment: spam]
    limits: { per_person: 1s }
    do: [{ send: "We do not want that." }, delete_comment]
"""


SHARES = """\
version: 1
disclosure: false
flows:
  look:
    when: [dm: look]
    do: [{ send: { text: "Have a look.", post: "LINK", typing: 1s, quote: true } }]
  wrong:
    when: [dm: wrong]
    do: [{ send: { post: "https://www.instagram.com/p/NOT_OURS/" } }, { send: "And then." }]
"""


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def test_a_reaction_a_hidden_comment_and_a_deleted_one(tmp_path: Path) -> None:
    async with open_shop(tmp_path, FLOWS) as shop:

        async def does(act: str, **what: object) -> dict[str, str]:
            done: dict[str, str] = await shop.act(act, **what)
            await shop.act("/settle")
            await shop.quiet()
            return done

        await does("/dm", person="anna", text="Thanks!")
        async with shop.session.get(f"{shop.sandbox.base_url}/sandbox/thread/anna") as answer:
            assert [one["shop_reaction"] for one in await answer.json()] == ["🎉"]
        rude = await does("/comment", person="anna", text="rude")
        await does("/comment", person="ben", text="spam")
        url = f"{shop.sandbox.base_url}/sandbox/comments"
        async with shop.session.get(url, params={"post": rude["post"]}) as answer:
            left = [(one["text"], one["hidden"]) for one in await answer.json()]
        assert left == [("rude", True)]
        assert await shop.written_to("anna") == ["Please be kind."]
        assert await shop.written_to("ben") == ["We do not want that."]
        queue = await shop.read("queue", "list")
        assert sorted((item["action"] or "", item["status"]) for item in queue) == [
            ("", "sent"),
            ("", "sent"),
            ("delete", "sent"),
            ("hide", "sent"),
            ("react", "sent"),
        ]
        stats = {flow["flow"]: flow["sent"] for flow in (await shop.read("stats"))["flows"]}
        assert stats["thanks"] == 0, "a reaction is no message"


async def test_a_post_by_its_link_after_typing_and_with_a_quote(tmp_path: Path) -> None:
    async with open_shop(tmp_path, FLOWS) as shop:
        made = [await shop.act("/posts", caption=f"number {number}") for number in range(60)]
        oldest = str(made[0]["id"])
        file = tmp_path / "shares.yaml"
        file.write_text(SHARES.replace("LINK", str(made[0]["permalink"])), "utf-8")
        await shop.command("flows", "apply", str(file), "--yes")
        await shop.act("/dm", person="anna", text="look")
        await shop.act("/settle")
        await shop.quiet()
        async with shop.session.get(f"{shop.sandbox.base_url}/sandbox/thread/anna") as answer:
            asked, post, text = await answer.json()
        assert f"asset_id={oldest}" in post["files"][0]
        assert (post["reply_to"], text["reply_to"]) == (asked["mid"], None)
        assert text["text"] == "Have a look."
        kinds = [(item["action"], item["status"]) for item in await shop.read("queue", "list")]
        assert kinds == [(None, "sent"), (None, "sent"), ("typing_on", "sent")]
