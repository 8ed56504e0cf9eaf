"""`pamosnik flows graph`: where the picture goes, and what is said when there is none."""

import xml.etree.ElementTree as ET
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from pamosnik.cli import run

FLOWS = """\
version: 1
flows:
  hello:
    when: [{dm: hi}]
    do: [{send: Hello}, {run: more}]
  more:
    do: [{send: More}]
"""


@pytest.fixture
def flows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """There is no home: nothing here may want one."""
    monkeypatch.setenv("PAMOSNIK_HOME", str(tmp_path / "nowhere"))
    file = tmp_path / "flows.yaml"
    file.write_text(FLOWS, "utf-8")
    return file


@dataclass(frozen=True, slots=True)
class Done:
    exit_code: int
    stdout: str
    stderr: str


Graph = Callable[..., Done]


@pytest.fixture
def graph(capsys: pytest.CaptureFixture[str]) -> Graph:
    def graph(*arguments: object) -> Done:
        code = run(["flows", "graph", *map(str, arguments)])
        return Done(code, *capsys.readouterr())

    return graph


def test_a_picture_of_all_flows_goes_to_stdout(graph: Graph, flows: Path) -> None:
    done = graph(flows)
    assert done.exit_code == 0
    texts = [one.text for one in ET.fromstring(done.stdout).iter("{http://www.w3.org/2000/svg}text")]
    assert {"hello", "more", "Hello", "More"} <= set(texts)
    assert not (flows.parent / "nowhere").exists()


def test_one_flow_as_mermaid(graph: Graph, flows: Path) -> None:
    done = graph(flows, "--flow", "more", "--format", "mermaid")
    assert done.stdout.startswith("flowchart TD\n")
    assert "f_hello" not in done.stdout


@pytest.mark.parametrize(
    ("name", "begins"),
    [("a.svg", "<svg "), ("a.mmd", "flowchart TD"), ("a.MERMAID", "flowchart TD"), ("a.md", "```mermaid\n")],
)
def test_the_name_of_the_file_says_the_format(graph: Graph, flows: Path, name: str, begins: str) -> None:
    done = graph(flows, "-o", flows.parent / name)
    assert done.exit_code == 0
    assert done.stdout == ""
    assert (flows.parent / name).read_text("utf-8").startswith(begins)


def test_a_folder_gets_a_file_for_each_flow_with_links_between_them(graph: Graph, flows: Path) -> None:
    folder = flows.parent / "pictures" / "of-today"
    assert "2 files written" in graph(flows, "-o", folder).stderr
    assert sorted(path.name for path in folder.iterdir()) == ["hello.svg", "more.svg"]
    assert 'href="more.svg"' in (folder / "hello.svg").read_text("utf-8")


def test_files_with_errors_are_not_drawn(graph: Graph, flows: Path) -> None:
    flows.write_text(FLOWS.replace("dm: hi", "dn: hi"), "utf-8")
    done = graph(flows, "-o", flows.parent / "a.svg")
    assert done.exit_code == 4
    assert done.stdout == ""
    assert "unknown trigger: `dn`" in done.stderr
    assert "Nothing was drawn" in done.stderr
    assert not (flows.parent / "a.svg").exists()


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["--flow", "helo"], 1, "There are: hello, more"),
        (["-o", "a.png"], 2, "--format svg"),
        (["-o", "missing/a.svg"], 2, "cannot be written"),
    ],
)
def test_what_cannot_be_done_is_told_with_what_can(
    graph: Graph, flows: Path, arguments: list[str], code: int, says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(flows.parent)
    done = graph(flows, *arguments)
    assert done.exit_code == code
    assert says in done.stderr


def test_a_file_without_flows_is_told(graph: Graph, flows: Path) -> None:
    flows.write_text("version: 1\nfacts: {a: b}\n", "utf-8")
    done = graph(flows)
    assert done.exit_code == 1
    assert "no flow" in done.stderr
