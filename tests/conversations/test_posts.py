"""Flows for one post: named by its link, or the next one."""

import asyncio
from pathlib import Path

import pytest

from tests.crash.daemon import Shop, open_shop

pytestmark = pytest.mark.anyio

FLOWS = """\
version: 1
flows:
  linked:
    when: [comment: {{ words: price, post: "{link}" }}]
    limits: {{ per_person: 1h }}
    do: [send: "linked"]
  newest:
    when: [comment: {{ words: price, post: next }}]
    limits: {{ per_person: 1h }}
    do: [send: "next"]
  everywhere:
    when: [comment: {{ words: price }}]
    limits: {{ per_person: 1h }}
    do: [send: "any"]
"""


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def _flow_of(shop: Shop, person: str, post: str) -> str:
    await shop.act("/people", username=person)
    comment = await shop.act("/comment", person=person, text="price", post=post)
    await shop.act("/settle")
    await shop.quiet()
    return str((await shop.read("why", str(comment["id"])))["flow"])


async def test_a_named_post_wins_and_next_is_bound_once(tmp_path: Path) -> None:
    async with open_shop(tmp_path, "version: 1\nflows: { idle: { do: [stop] } }\n") as shop:
        linked = await shop.act("/posts", caption="linked", kind="post")
        file = tmp_path / "linked.yaml"
        file.write_text(FLOWS.format(link=linked["permalink"]), "utf-8")
        await shop.command("flows", "apply", str(file), "--yes")
        # Meta tells whole seconds: a post of the same second would not count as later.
        await asyncio.sleep(1.1)
        first = await shop.act("/posts", caption="the next one", kind="reel")
        later = await shop.act("/posts", caption="one after it", kind="post")
        assert await _flow_of(shop, "a", str(linked["id"])) == "linked"
        assert await _flow_of(shop, "b", str(later["id"])) == "everywhere"
        assert await _flow_of(shop, "c", str(first["id"])) == "newest"
        shown = await shop.read("flows", "show", "newest")
        assert shown["bound_posts"] == {"rosas_shop": first["id"]}
