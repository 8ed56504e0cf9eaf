"""Codes as people get them, on a real daemon that is killed meanwhile."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from tests.crash.daemon import Shop, open_shop

pytestmark = pytest.mark.anyio

FLOWS = """\
version: 1
disclosure: false
codes: { spring: { file: spring.csv, warn_me_below: 3 } }
flows:
  comment:
    when: { comment: code }
    limits: { per_person: once }
    do:
      - reply_publicly: { one_of: [Sent!, On its way!, Look inside!] }
      - give_code: { from: spring, text: "Yours: {code}", if_empty: [{ send: "Gone." }] }
  message:
    when: { dm: code }
    do:
      - give_code: { from: spring, if_empty: [{ send: "Gone." }, stop] }
      - send: { text: "Here: {code}", chips: [{ label: Again, do: [{ send: "Again: {code}" }] }] }
"""


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def _asks(shop: Shop, *people: str) -> None:
    for person in people:
        await shop.act("/people", username=person)
        await shop.act("/dm", person=person, text="code")
    await shop.act("/settle")
    await shop.quiet()


async def _problems(shop: Shop) -> list[Any]:
    return [p["message"] for p in (await shop.read("status"))["problems"] if p["code"] == "codes_low"]


async def test_a_code_for_each_and_the_same_again(tmp_path: Path) -> None:
    codes = tmp_path / "spring.csv"
    codes.write_text("code,until\nROSE-7001,May\nROSE-7002,May\nROSE-7003,May\n")
    async with open_shop(tmp_path, FLOWS) as shop:
        assert await _problems(shop) == []
        comment = await shop.act("/comment", person="anna", text="code")
        await shop.act("/settle")
        await shop.quiet()
        assert await shop.written_to("anna") == ["Yours: ROSE-7001"]
        assert len(await shop.public_replies(comment)) == 1
        assert await _problems(shop) == ["Few codes are left to give: spring (2)."]
        await _asks(shop, "anna", "ben")
        assert await shop.written_to("anna") == ["Yours: ROSE-7001", "Here: ROSE-7001"]
        assert await shop.written_to("ben") == ["Here: ROSE-7002"]
        await shop.act("/dm", person="ben", text="Again")
        await shop.act("/settle")
        await shop.quiet()
        assert (await shop.written_to("ben"))[-1] == "Again: ROSE-7002"
        await _asks(shop, "cleo", "dan")
        assert [await shop.written_to(who) for who in ("cleo", "dan")] in (
            [["Here: ROSE-7003"], ["Gone."]],
            [["Gone."], ["Here: ROSE-7003"]],
        )
        assert await _problems(shop) == ["Few codes are left to give: spring (none)."]
        codes.write_text("ROSE-7001\n" + "".join(f"NEW-{n}\n" for n in range(5)))
        file = str(tmp_path / "flows.yaml")
        assert (await shop.read("flows", "apply", file, "--yes"))["codes"] == [
            {"pool": "spring", "new": 5, "withdrawn": 0}
        ]
        assert await _problems(shop) == []
        assert (await shop.read("flows", "apply", file, "--yes"))["codes"] == []
        logged = shop.log.read_text()
        assert "ROSE-" not in logged
        assert "NEW-" not in logged


async def test_killed_in_the_middle_nobody_shares_and_nobody_has_two(tmp_path: Path) -> None:
    (tmp_path / "spring.csv").write_text("".join(f"ROSE-{n:03}\n" for n in range(40)))
    people = [f"p{number}" for number in range(6)]
    async with open_shop(tmp_path, FLOWS) as shop:
        for person in people:
            await shop.act("/people", username=person)
        for person in (*people, *people):
            await shop.act("/dm", person=person, text="code")
        await asyncio.sleep(0.05)
        await shop.kill()
        await shop.start()
        said: dict[str, set[str]] = {}
        for _ in range(600):
            said = {person: set(await shop.written_to(person)) for person in people}
            if all(said.values()):
                break
            await asyncio.sleep(0.1)
        assert all(len(texts) == 1 for texts in said.values()), said
        assert len({text for texts in said.values() for text in texts}) == len(people)
