"""`flows match`: which keyword of which flow takes a text."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from pamosnik.cli import app
from pamosnik.errors import PamosnikError

ROOT = Path(__file__).parents[2]

SHOP = """
version: 1
timezone: Europe/Warsaw
flows:
  prices:
    when: [{ dm: [price, "cen*"] }, { comment: { words: [price], but_not: [refund] } }]
    only_if: [{ has_not_tag: got-prices }]
    limits: { per_person: 24h }
    do: [{ send: "…" }]
  named:
    when: [{ comment: { words: [price, list], post: "https://www.instagram.com/p/ABC/" } }]
    limits: { per_person: once }
    do: [{ send: "…" }]
  please:
    priority: 2
    when: [{ dm: price }]
    only_if: [{ text: please }]
    do: [{ send: "…" }]
  old:
    when: [{ dm: [hours] }]
    active: { until: "2025-01-01" }
    do: [{ send: "…" }]
  hello:
    when: [first_message]
    state: paused
    do: [{ send: "…" }]
  rest:
    when: [anything_else]
    connections: [rose.shop]
    do: [{ hand_over }]
"""


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    file = tmp_path / "shop.yaml"
    file.write_text(SHOP, "utf-8")
    return file


def said(*arguments: str, exit_code: int = 0) -> str:
    done = CliRunner().invoke(app, ["flows", "match", *arguments])
    failed = done.exception if isinstance(done.exception, PamosnikError) else None
    assert (done.exit_code if failed is None else failed.exit_code) == exit_code, done.output
    return done.stdout


def of(text: str, shop: Path, *options: str) -> list[dict[str, Any]]:
    answers = json.loads(said(text, str(shop), *options, "--json"))["as"]
    assert isinstance(answers, list)
    return answers


def test_the_winner_what_it_asks_and_who_comes_next(shop: Path) -> None:
    (dm,) = of("Price?", shop, "--as", "dm")
    assert (dm["flow"], dm["keyword"], dm["because"]) == (
        "prices",
        "price",
        "a keyword goes before anything else (rest)",
    )
    please, prices, hello, rest = dm["candidates"]
    assert please["against"] == "only_if: text: please is not true"
    assert prices["asks"] == ["only_if: has_not_tag: got-prices", "limits: per_person 24h"]
    assert "paused" in hello["against"]
    assert (rest["trigger"], rest["keyword"], rest["asks"]) == (
        "anything_else",
        None,
        ["connections: rose.shop"],
    )


def test_priority_goes_first_when_its_condition_on_the_text_holds(shop: Path) -> None:
    (dm,) = of("price please", shop, "--as", "dm")
    assert (dm["flow"], dm["because"]) == ("please", "its priority is 2, that of prices is 0")


def test_without_as_every_way_that_a_flow_listens_to(shop: Path) -> None:
    assert [answer["kind"] for answer in of("price", shop)] == ["comment", "dm"]


def test_a_named_post(shop: Path) -> None:
    here = of("price", shop, "--as", "comment", "--post", "https://instagram.com/reel/ABC")[0]
    assert here["because"] == "a keyword on a named post or story goes before a keyword (prices)"
    (close,) = of("list", shop, "--as", "comment")[0]["close"]
    assert close["why"] == "it takes comments on https://www.instagram.com/p/ABC/ only (`--post`)"
    (close,) = of("list", shop, "--as", "comment", "--post", "https://instagram.com/p/X")[0]["close"]
    assert close["why"] == "it is for another post"


def test_a_connection(shop: Path) -> None:
    assert of("hm", shop, "--as", "dm", "--connection", "rose.shop")[0]["flow"] == "rest"
    other = of("hm", shop, "--as", "dm", "--connection", "lily.shop")[0]
    assert [one["flow"] for one in other["candidates"]] == ["hello"]


def test_what_came_close_and_what_else_is_against_it(shop: Path) -> None:
    (comment,) = of("prcie", shop, "--as", "comment")
    assert [(one["flow"], one["letters_off"]) for one in comment["close"]] == [
        ("prices", 1),
        ("named", 1),
        ("please", 1),
    ]
    (refund,) = of("price refund", shop, "--as", "comment")[0]["close"][:1]
    assert refund["why"] == "`but_not` forbids “refund”"
    (dm,) = of("houres", shop, "--as", "dm", "--connection", "lily.shop")
    assert "active only until 2025-01-02" in dm["close"][0]["why"]


def test_nothing_takes_it_and_the_line_to_add(shop: Path) -> None:
    (comment,) = of('say "cheese"', shop, "--as", "comment")
    assert comment["flow"] is None
    assert comment["advice"] == 'Under `when:` of a flow this takes it: - comment: ["say \\"cheese"]'
    shown = said("x" * 10_000, str(shop), "--as", "comment")
    assert "one of its words" in shown
    assert len(shown) < 500


def test_safety_words_come_first(shop: Path) -> None:
    stop = said("Stop!", str(shop), "--as", "dm")
    assert "no flow sees it" in stop
    assert "question" not in stop
    human = said("human", str(shop), "--as", "dm")
    assert human.index("calls a human") < human.index("rest takes it")
    # `validate` refuses a safety word as a keyword, so nobody is told to write one.
    comment = said("stop", str(shop), "--as", "comment")
    assert "can be no keyword" in comment
    assert "Under `when:`" not in comment


@pytest.mark.parametrize(
    "text", ["", "   ", "\u200b\u2060", "\u202eecirp", "🔥🔥", "سعر", "\udce9 price", "--"]
)
def test_strange_texts_have_an_answer(shop: Path, text: str) -> None:
    done = CliRunner().invoke(app, ["flows", "match", "--as", "dm", "--", text, str(shop)])
    assert done.exit_code == 0, done.output
    assert "takes it" in done.stdout


def test_what_cannot_be_seen_is_told(shop: Path) -> None:
    assert "It is read as “price”." in said("PRI\u200bCE", str(shop))
    assert "nothing to read" in said("\u200b", str(shop))


def test_files_with_errors_are_told_and_nothing_else(tmp_path: Path) -> None:
    file = tmp_path / "bad.yaml"
    file.write_text("version: 1\nflows: { a: { do: [dance] } }\n", "utf-8")
    assert "unknown step" in said("price", str(file), exit_code=4)
    assert json.loads(said("price", str(file), "--json", exit_code=4))[0]["code"] == "unknown-step"


def test_a_post_goes_with_comments_only(shop: Path) -> None:
    assert said("price", str(shop), "--as", "dm", "--post", "123", exit_code=2) == ""


def test_what_is_applied(tmp_path: Path, shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PAMOSNIK_HOME", str(tmp_path / "home"))
    who = ["--name", "Rosa", "--email", "rosa@shop.example", "--password-stdin"]
    runner = CliRunner()
    assert runner.invoke(app, ["init", *who], input="three random words\n").exit_code == 0
    assert said("price", exit_code=1) == ""
    shop.write_text(SHOP.replace("    connections: [rose.shop]\n", ""), "utf-8")
    assert runner.invoke(app, ["flows", "apply", str(shop), "--yes"]).exit_code == 0
    assert json.loads(said("price", "--as", "dm", "--json"))["as"][0]["flow"] == "prices"
    assert said("price", "--connection", "nobody", exit_code=1) == ""


def test_the_guide_shows_what_it_really_says() -> None:
    shown = said("how mcuh is it?", str(ROOT / "flows.example.yaml"))
    assert f'flows match "how mcuh is it?" flows.example.yaml\n{shown}```' in (
        ROOT / "docs/guide.md"
    ).read_text("utf-8")
