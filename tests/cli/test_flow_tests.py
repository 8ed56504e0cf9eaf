"""`flows test` as a person and as a pipeline sees it."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.crash import forked
from tests.homes import with_one_account

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "flow-tests.md").read_text("utf-8")

Run = Callable[..., forked.Said]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """In an empty folder, without a home, and without colour unless `environment` says otherwise."""
    plain = {"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT), "PAMOSNIK_HOME": "/nowhere", "COLUMNS": "80"}

    def run(*arguments: str, **environment: str) -> forked.Said:
        return forked.run(("flows", "test", *arguments), {**plain, **environment}, cwd=tmp_path)

    return run


def _block(language: str) -> str:
    """The first block of the page in this language."""
    blocks: list[tuple[str, str]] = re.findall(r"^```(\w*)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    return next(text for written_in, text in blocks if written_in == language)


def test_the_page_shows_what_comes_out(run: Run, tmp_path: Path) -> None:
    (tmp_path / "prices.yaml").write_text(_block("yaml"), "utf-8")
    done = run("prices.yaml")
    assert (done.returncode, done.stderr) == (5, "")
    assert f"$ pamosnik flows test prices.yaml\n{done.stdout}" == _block("")


def test_the_example_passes_and_no_way_is_left_out(run: Run) -> None:
    done = run(str(ROOT / "flows.example.yaml"))
    assert done.returncode == 0, done.stdout
    assert "tests passed." in done.stdout
    assert "No test goes" not in done.stdout


FLOWS = """\
version: 1
disclosure: false
flows:
  hello:
    when: [dm: hello]
    do: [{ send: "Hi.\\e[31m" }]
    tests:
      - name: "says < & > \\x01 hi"
        steps:
          - dm: hello
          - expect: { dm: "Bye.\\x01" }
      - name: good
        steps:
          - dm: hello
          - expect: { dm: "Hi*" }
  lonely:
    when: [dm: nobody]
    do: [{ send: Alone. }]
"""


def test_json(run: Run, tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(FLOWS, "utf-8")
    done = run("a.yaml", "--json")
    assert done.returncode == 5
    told = json.loads(done.stdout)
    assert (told["passed"], told["failed"]) == (1, 1)
    bad, good = told["tests"]
    assert (good["name"], good["flow"], good["file"], good["line"]) == ("good", "hello", "a.yaml", 12)
    [failure] = bad["failures"]
    assert (failure["file"], failure["line"], failure["what"]) == ("a.yaml", 11, "dm")
    assert [line["kind"] for line in bad["transcript"]] == ["person", "note", "shop", "note"]
    [missed] = told["coverage"]["missed"]
    assert (missed["flow"], missed["line"], told["coverage"]["branches"]) == ("lonely", 17, 2)
    documented = (ROOT / "docs" / "json.md").read_text("utf-8")
    assert [key for key in _keys(told) if f"`{key}`" not in documented] == []


def _keys(value: object) -> set[str]:
    if isinstance(value, dict):
        return set(value) | {key for inner in value.values() for key in _keys(inner)}
    return {key for inner in value for key in _keys(inner)} if isinstance(value, list) else set()


def test_junit_is_xml_whatever_the_texts_hold(run: Run, tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(FLOWS, "utf-8")
    assert run("a.yaml", "--junit", "out.xml").returncode == 5
    root = ElementTree.parse(tmp_path / "out.xml").getroot()
    assert (root.tag, root.get("tests"), root.get("failures")) == ("testsuites", "2", "1")
    bad, good = root.iter("testcase")
    assert (good.get("name"), good.get("classname"), good.get("line"), len(good)) == (
        "good",
        "hello",
        "12",
        0,
    )
    [failure] = bad
    assert "a.yaml:11" in (failure.get("message") or "")
    assert "anna       hello" in (failure.text or "")


def test_a_file_with_errors_is_not_played(run: Run, tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(FLOWS.replace("steps:", "stepps:", 1), "utf-8")
    done = run("a.yaml")
    assert done.returncode == 4
    assert "a.yaml:9:9: error" in done.stdout
    assert [problem["line"] for problem in json.loads(run("a.yaml", "--json").stdout)] == [2, 9]


def test_no_tests_is_said_and_no_failure(run: Run, tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(FLOWS.partition("    tests:")[0], "utf-8")
    done = run("a.yaml")
    assert (done.returncode, done.stdout) == (0, "")
    assert "No tests" in done.stderr
    assert json.loads(run("a.yaml", "--json").stdout)["tests"] == []


CROWDED = """\
version: 1
disclosure: false
flows:
  hello:
    when: [dm]
    do: [{ send: { images: ["https://x.example/1.jpg"] } }, { send: Hi. }, { tag: greeted }]
    tests:
      - name: all at once
        steps:
          - dm: { image: "https://x.example/2.jpg" }
          - expect: { dm: Bye., no_tag: greeted }
"""


def test_one_time_stands_once_and_a_step_stands_once(run: Run, tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(CROWDED, "utf-8")
    said = run("a.yaml").stdout
    assert said.count("12:00") == 1, said
    assert said.count("a.yaml:11   - expect:") == 1, said
    assert (said.count("expected  "), said.count("got       ")) == (2, 2)
    assert "anna       https://x.example/2.jpg" in said


def test_only_some(run: Run, tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(FLOWS, "utf-8")
    assert run("a.yaml", "--only", "good").stdout == "ok    hello: good\n1 test passed.\n"
    assert run("a.yaml", "--only", "hello").returncode == 5
    assert run("a.yaml", "--only", "hallo").returncode == 2


def test_texts_command_no_terminal(run: Run, tmp_path: Path) -> None:
    """Colour only where it is wanted, and nothing of a flow's text that could steer a terminal."""
    (tmp_path / "a.yaml").write_text(FLOWS, "utf-8")
    assert "\x1b" not in run("a.yaml").stdout
    coloured = run("a.yaml", FORCE_COLOR="1", TERM="xterm-256color").stdout
    assert "\x1b[1;31mFAIL" in coloured
    assert "Hi.\x1b[31m" not in coloured
    assert "\x1b" not in run("a.yaml", FORCE_COLOR="1", TERM="xterm-256color", NO_COLOR="1").stdout
    assert max(map(len, run("a.yaml", COLUMNS="60").stdout.split("\n"))) <= 60


def test_a_report_that_cannot_be_written(run: Run, tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(FLOWS, "utf-8")
    done = run("a.yaml", "--only", "good", "--junit", f"none{os.sep}out.xml")
    assert done.returncode == 2
    assert "cannot be written" in done.stderr


# --- apply ---------------------------------------------------------------------------------------------------


@pytest.fixture
def flows(tmp_path: Path) -> Run:
    """`pamosnik flows …` with a home, in the folder of the files."""
    home = {"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT), "PAMOSNIK_HOME": str(tmp_path / "home")}

    def run(*arguments: str, given: str = "", **environment: str) -> forked.Said:
        return forked.run(arguments, {**home, **environment}, given, cwd=tmp_path)

    with_one_account(tmp_path / "home")
    return lambda *arguments, **environment: run("flows", *arguments, **environment)


def test_apply_says_when_tests_fail_and_refuses_when_it_shall(flows: Run, tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(FLOWS, "utf-8")
    refused = flows("apply", "a.yaml", "--yes", "--require-tests")
    assert refused.returncode == 5
    assert "1 of 2 tests failed:\n  a.yaml:11  hello: says" in refused.stdout
    assert "Nothing was applied: 1 of 2 tests failed.\nTry: pamosnik flows test a.yaml" in refused.stderr
    assert json.loads(flows("list", "--json").stdout) == []
    applied = flows("apply", "a.yaml", "--yes", "--json")
    assert applied.returncode == 0
    told = json.loads(applied.stdout)
    assert (told["applied"], told["tests"]["passed"], told["tests"]["failed"]) == (True, 1, 1)
    assert len(json.loads(flows("list", "--json").stdout)) == 2
    again = flows("apply", "a.yaml", "--yes")
    assert "tests" not in again.stdout
    assert flows("apply", "a.yaml", "--yes", "--require-tests").returncode == 5


def test_apply_plays_the_tests_with_what_stays_applied(flows: Run, tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(FLOWS.replace("Bye.\\x01", "Hi*"), "utf-8")
    assert flows("apply", "a.yaml", "--yes", "--require-tests").returncode == 0
    more = """\
version: 1
flows:
  louder:
    when: [dm: [hello there]]
    priority: 1
    do: [{ send: "HELLO!" }]
    tests:
      - steps: [{ dm: hello there }, { expect: { dm: "HELLO!" } }, { dm: hello }, { expect: { dm: "Hi*" } }]
"""
    (tmp_path / "b.yaml").write_text(more, "utf-8")
    done = flows("apply", "b.yaml", "--yes", "--require-tests")
    assert (done.returncode, "3 tests passed." in done.stdout) == (0, True)
    (tmp_path / "c.yaml").write_text(
        more.replace("hello there]", "hello]").replace("louder", "loudest").replace('"Hi*"', '"HELLO!"'),
        "utf-8",
    )
    done = flows("apply", "c.yaml", "--dry-run", "--require-tests")
    assert done.returncode == 5
    # no other command plays them together, so what was said stands here
    said = done.stdout.partition("  hello, applied earlier  hello: good\n")[2]
    assert "        your_shop  HELLO!\n" in said
    assert "      expected  a message “Hi*”\n      got       “HELLO!”\n" in said
    assert done.stderr.endswith("Try: pamosnik flows export hello\n")


def test_without_tests_nothing_is_applied_that_requires_them(flows: Run, tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(FLOWS.partition("    tests:")[0], "utf-8")
    done = flows("apply", "a.yaml", "--yes", "--require-tests")
    assert done.returncode == 5
    assert "there are none" in done.stderr
    assert flows("apply", "a.yaml", "--yes").returncode == 0


def test_a_flow_that_stays_rolled_back_is_tried_as_it_stays(flows: Run, tmp_path: Path) -> None:
    good = FLOWS.replace("Bye.\\x01", "Hi*")
    (tmp_path / "a.yaml").write_text(good, "utf-8")
    assert flows("apply", "a.yaml", "--yes", "--require-tests").returncode == 0
    (tmp_path / "a.yaml").write_text(good.replace('send: "Hi.', 'send: "Bye.'), "utf-8")
    assert flows("apply", "a.yaml", "--yes").returncode == 0
    assert flows("rollback", "hello", "--yes").returncode == 0
    done = flows("apply", "a.yaml", "--yes", "--require-tests")
    assert (done.returncode, "2 tests passed." in done.stdout) == (0, True), done
    assert flows("apply", "a.yaml", "--yes", "--require-tests", "--over-rollback").returncode == 5


def test_apply_without_tests_loads_no_stage(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(FLOWS.partition("    tests:")[0], "utf-8")
    with_one_account(tmp_path / "home")
    applied = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "pamosnik", "flows", "apply", "a.yaml", "--yes"],
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT), "PAMOSNIK_HOME": str(tmp_path / "home")},
        capture_output=True,
        text=True,
        cwd=tmp_path,
        check=False,
    )
    assert applied.returncode == 0, applied.stderr
    assert "pamosnik.flows.load" in applied.stderr
    assert "pamosnik.rehearsal" not in applied.stderr
