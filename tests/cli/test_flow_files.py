"""Commands on flow files that need no home: `flows fmt`, `flows new`."""

import json
import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from pamosnik.commands.files import write_whole
from pamosnik.errors import UsageError
from tests.crash import forked

ROOT = Path(__file__).parents[2]
MESSY = "flows:\n    a: {do: [stop]}   # keep\nversion: 1\n"
NEAT = "version: 1\n\nflows:\n  a: { do: [stop] }   # keep\n"

Run = Callable[..., forked.Said]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Runs `pamosnik flows …` in an empty folder, where there is no home."""
    environment = {
        **os.environ,
        "PAMOSNIK_HOME": str(tmp_path / "home"),
        "NO_COLOR": "1",
        "PYTHONPATH": str(ROOT),
    }
    folder = tmp_path / "work"
    folder.mkdir()

    def run(*arguments: str) -> forked.Said:
        return forked.run(("flows", *arguments), environment, cwd=folder)

    return run


@pytest.fixture
def work(tmp_path: Path) -> Path:
    return tmp_path / "work"


def test_fmt_writes_whole_files_and_keeps_mode_and_links(run: Run, work: Path) -> None:
    file = work / "real.yaml"
    file.write_bytes(b"\xef\xbb\xbf" + MESSY.replace("\n", "\r\n").encode())
    file.chmod(0o640)
    (work / "link.yaml").symlink_to("real.yaml")
    checked = run("fmt", "--check", "link.yaml")
    assert (checked.returncode, checked.stdout) == (1, "link.yaml\n")
    assert file.read_bytes().startswith(b"\xef\xbb\xbf")
    done = run("fmt", "link.yaml")
    assert (done.returncode, done.stdout, done.stderr) == (0, "link.yaml\n", "1 file formatted.\n")
    assert file.read_bytes() == NEAT.encode()
    assert stat.S_IMODE(file.stat().st_mode) == 0o640
    assert (work / "link.yaml").is_symlink()
    assert sorted(path.name for path in work.iterdir()) == ["link.yaml", "real.yaml"]
    again = run("fmt", "--check", "real.yaml")
    assert (again.returncode, again.stdout, again.stderr) == (0, "", "1 file unchanged.\n")


def test_fmt_leaves_files_with_errors_alone_and_formats_the_others(run: Run, work: Path) -> None:
    (work / "a.yaml").write_text("version: 1\nflows:\n  a: {do: [sned: x]}\n")
    (work / "b.yaml").write_text(MESSY)
    done = run("fmt", ".")
    assert done.returncode == 4
    assert "a.yaml:3:12: error: unknown step: `sned`" in done.stdout
    assert (work / "a.yaml").read_text() == "version: 1\nflows:\n  a: {do: [sned: x]}\n"
    printed = run("fmt", "--stdout", "a.yaml")
    assert (printed.returncode, printed.stdout) == (4, "")
    assert "unknown step: `sned`" in printed.stderr
    assert (work / "b.yaml").read_text() == NEAT


def test_fmt_prints_one_file_and_changes_nothing(run: Run, work: Path) -> None:
    (work / "a.yaml").write_text(MESSY)
    assert run("fmt", "--stdout", "a.yaml").stdout == NEAT
    assert (work / "a.yaml").read_text() == MESSY
    assert run("fmt", "--stdout", "--check", "a.yaml").returncode == 2


def test_what_cannot_be_written_is_said_in_words(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(UsageError, match=r"x\.yaml cannot be written: Not a directory\."):
        write_whole(tmp_path / "file" / "x.yaml", "y")
    (tmp_path / "folder").mkdir()
    with pytest.raises(UsageError, match="Is a directory"):
        write_whole(tmp_path / "folder", "y")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "folder"]


def test_new_writes_a_file_whose_tests_pass_and_overwrites_nothing(run: Run, work: Path) -> None:
    done = run("new", "price-list")
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr == "Written: price-list.yaml\nTry: pamosnik flows test price-list.yaml\n"
    assert run("test", "price-list.yaml").returncode == 0
    (work / "price-list.yaml").write_text("mine")
    again = run("new", "price-list")
    assert again.returncode == 2
    assert "price-list.yaml is there already" in again.stderr
    assert (work / "price-list.yaml").read_text() == "mine"
    assert run("new", "faq", "-o", "my faq.yml").returncode == 0
    assert "pamosnik chat 'my faq.yml'" in (work / "my faq.yml").read_text()
    # A folder that is not there yet is made, as `flows export` does; it became a file without an ending.
    assert run("new", "faq", "-o", "shops/rose").returncode == 0
    assert (work / "shops" / "rose" / "faq.yaml").is_file()
    (work / "notes").write_text("mine")
    assert "notes is no folder" in run("new", "faq", "-o", "notes").stderr


def test_new_tells_what_there_is(run: Run, work: Path) -> None:
    listed = run("new", "--json")
    names = [one["name"] for one in json.loads(listed.stdout)]
    assert names == ["booking", "faq", "giveaway", "price-list", "story-thanks"]
    assert all(one["about"].endswith(".") for one in json.loads(listed.stdout))
    unknown = run("new", "newsletter")
    assert unknown.returncode == 1
    assert all(name in unknown.stderr for name in names)
    assert "Try: pamosnik flows new giveaway" in run("new", "givaway").stderr
    assert list(work.iterdir()) == []
