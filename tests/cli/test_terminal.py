"""What strangers wrote, on the owner's terminal: it is read, and never obeyed."""

import ast
import asyncio
import json
import re
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pamosnik import terminal
from tests.cli.every_command import every_command
from tests.cli.in_process import in_this_process
from tests.daemon import events
from tests.daemon.fake import Trouble
from tests.daemon.machine import machine

ROOT = Path(__file__).parents[2] / "pamosnik"
HOSTILE = (
    "price \x1b]0;owned\x07\x1b[2J\x9b31m\x90q\x9c\u202egnp\u2066x\u2069\u200b\x7f\x08\r\nFORGED: yes\rFORGED"
)
_HOSTILE_FLOWS = f"""
version: 1
flows:
  price:
    title: {json.dumps(HOSTILE)}
    when: [dm: [{json.dumps(HOSTILE[:40])}, price]]
    do:
      - send: {{ text: {json.dumps(HOSTILE)}, buttons: [{{ label: "a\\e[2Jb", url: "https://a.example" }}] }}
    tests:
      - name: {json.dumps(HOSTILE)}
        steps: [{{ dm: {json.dumps(HOSTILE)} }}, {{ expect: {{ dm: {json.dumps(HOSTILE)} }} }}]
"""
OBEYED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")
_FILES = (["flows", "graph"], ["flows", "export"], ["flows", "show"])
"""They print files, in which lines of a text are lines."""
OWN_WAYS = {
    "rehearsal/screen.py": "moves the cursor, with nothing of anybody's in it",
    "flows/reference.py": "makes a page of the documentation",
    "model/diagram.py": "makes a page of the documentation",
    "cli_reference.py": "makes a page of the documentation",
    "instagram/catalogue.py": "makes a page of the documentation",
    "store/migrations.py": "makes store/schema.sql",
    "terminal.py": "is the way",
}


@given(st.text())
def test_nothing_is_left_that_a_terminal_obeys(text: str) -> None:
    assert OBEYED.search(terminal.clean(text)) is None
    assert "\n" not in terminal.one_line(text)
    assert terminal.clean(terminal.clean(text)) == terminal.clean(text)
    terminal.clean(text).encode()


@pytest.mark.parametrize(
    "text",
    [
        "Zażółć gęślą jaźń\n\tdwa",
        "مرحبا\u200f (2)\u200e",
        "שלום, \u200f!",
        "می\u200cخواهم",
        "👨\u200d👩\u200d👧 ❤\ufe0f",
        "\U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",
    ],
)
def test_every_script_is_read_as_it_was_written(text: str) -> None:
    assert terminal.clean(text) == text


def test_what_would_have_been_obeyed_is_seen() -> None:
    assert terminal.clean("a\x1b[31mb\x9b2Jc") == "a[31mb2Jc"
    assert terminal.one_line("a\r\nb") == "a ⏎ b"
    assert terminal.clean("hidden \U000e0041\U000e0042") == "hidden "


@given(st.text(), st.text())
def test_json_is_harmless_and_exact(name: str, value: str) -> None:
    written = terminal.json_text({name: [value]})
    assert OBEYED.search(written) is None
    assert re.search("[\ud800-\udfff]", written) is None
    assert json.loads(written) == {name: [value]}


def test_json_for_a_terminal_without_unicode(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with (tmp_path / "out").open("w", encoding="iso8859-2") as out:
        monkeypatch.setattr(sys, "stdout", out)
        assert json.loads(terminal.json_text("💌\x9b")) == "💌\x9b"
        assert terminal.json_text("💌").isascii()


def test_nothing_is_printed_past_it() -> None:
    found = set()
    for path in ROOT.rglob("*.py"):
        name = path.relative_to(ROOT).as_posix()
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and _prints(ast.unparse(node.func)):
                found.add(name)
    assert found == set(OWN_WAYS)


def _prints(call: str) -> bool:
    return bool(
        re.fullmatch(r"(sys\.)?(stdout|stderr)\.write(lines)?|print|Console", call)
        or re.search(r"^(typer|click)\.(echo|secho|confirm|prompt)", call)
    )


def test_no_command_prints_what_a_terminal_obeys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = asyncio.run(_talked_with_by_strangers(tmp_path))
    monkeypatch.setenv("PAMOSNIK_META_URL", "http://127.0.0.1:9")
    command = in_this_process(monkeypatch, home)
    monkeypatch.chdir(tmp_path)  # where exports go
    file = tmp_path / "hostile.yaml"
    file.write_text(_HOSTILE_FLOWS, "utf-8")
    known = {"what": "7001", "who": "7001", "run": "7001", "username": "shop", "email": "rosa@shop.example"}
    known |= {"files": str(file), "flow": "price", "flows": "price"}
    texts = 0
    for words in (*every_command(known, anything=HOSTILE), *every_command({}, anything=HOSTILE)):
        said = command(*words, given="three random words\n")
        for stream in (said.stdout, said.stderr):
            assert OBEYED.search(stream) is None, (words, stream)
            forged = [line for line in stream.split("\n") if line.startswith("FORGED")]
            assert forged == [] or words[:2] in _FILES, (words, stream)
        assert "Traceback" not in said.stderr, (words, said.stderr)
        if "--json" in words and said.stdout:
            texts += json.dumps(HOSTILE)[1:-1] in json.dumps(json.loads(said.stdout))
    command("flows", "test", str(file), "--junit", str(tmp_path / "junit.xml"))
    assert OBEYED.search((tmp_path / "junit.xml").read_text("utf-8")) is None
    assert texts > 3  # they were there to be printed


async def _talked_with_by_strangers(folder: Path) -> Path:
    async with machine(folder) as shop:
        shop.fake.trouble = lambda call: Trouble(400, 100, message=HOSTILE) if call.is_public_reply else None
        value = events.comment("7001", HOSTILE, username=f"anna{HOSTILE}", comment_id=f"c1{HOSTILE}")
        await shop.deliver(events.change(value))
        await shop.deliver(events.talk(events.message("7002", "size", mid=f"m1{HOSTILE}")))
        await shop.works()
        await shop.deliver(events.talk(events.message("7002", HOSTILE)))
        await shop.deliver(events.talk(events.message("7003\x1b[2J", HOSTILE)))
        await shop.works()
        return shop.reader.path.parent
