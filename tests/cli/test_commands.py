"""Commands as a script sees them: output, exit codes, and what never appears."""

import json
import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.crash import forked
from tests.homes import EMAIL, PASSWORD, with_one_account

ROOT = Path(__file__).parents[2]
SECRET = "0123456789abcdef0123456789abcdef"

Run = Callable[..., forked.Said]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    environment = {
        **os.environ,
        "PAMOSNIK_HOME": str(tmp_path / "home"),
        "PAMOSNIK_INSTAGRAM_APP_SECRET": SECRET,
        "NO_COLOR": "1",
    }

    def run(*arguments: str, given: str = "") -> forked.Said:
        return forked.run(arguments, environment, given)

    return run


@pytest.fixture
def home(run: Run, tmp_path: Path) -> Run:
    with_one_account(tmp_path / "home")
    return run


def test_init_makes_a_home_that_only_its_owner_can_read(run: Run, tmp_path: Path) -> None:
    who = ("--name", "Rosa", "--email", EMAIL, "--timezone", "Europe/Warsaw", "--password-stdin")
    done = run("init", *who, given=f"{PASSWORD}\n")
    assert done.returncode == 0, done.stderr
    folder = tmp_path / "home"
    steps = done.stderr[done.stderr.index("Next, ") :].replace(
        str(folder), "/home/rosa/.local/share/pamosnik"
    )
    assert steps in (ROOT / "docs" / "guide.md").read_text("utf-8"), "the guide shows what it says"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}


def test_init_twice_changes_nothing_and_says_so(home: Run) -> None:
    again = home("init", "--name", "X", "--email", "x@y.example", "--password-stdin", given=f"{PASSWORD}\n")
    assert again.returncode == 0
    assert "already" in again.stderr


@pytest.mark.parametrize(
    ("arguments", "given", "said"),
    [
        (("--email", "nobody", "--password-stdin", "--name", "X"), PASSWORD, "no e-mail address"),
        (("--email", "a@b.example", "--password-stdin", "--name", "X"), "short", "at least 10"),
        (
            ("--email", "a@b.example", "--password-stdin", "--name", "X", "--timezone", "Mars/North"),
            PASSWORD,
            "Unknown time zone",
        ),
        ((), "", "Nobody can be asked"),
    ],
)
def test_init_refuses_wrong_input_with_exit_code_2(
    run: Run, arguments: tuple[str, ...], given: str, said: str
) -> None:
    done = run("init", *arguments, given=f"{given}\n")
    assert (done.returncode, said in done.stderr) == (2, True), done.stderr


def test_without_a_home_commands_say_what_to_do(run: Run) -> None:
    done = run("status")
    assert done.returncode == 1
    assert "Try: pamosnik init" in done.stderr


def test_validate_needs_no_home_and_shows_the_place(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "f.yaml"
    file.write_text("version: 1\nflows:\n  a:\n    do:\n      - sned: hi\n")
    done = run("flows", "validate", str(file))
    assert done.returncode == 4
    assert f"{file}:5:9: error" in done.stdout
    assert "Did you mean `send`?" in done.stdout
    as_json = json.loads(run("flows", "validate", str(file), "--json").stdout)
    assert set(as_json[0]) == {"file", "line", "column", "severity", "code", "message", "hint"}
    assert not (tmp_path / "home").exists()


def test_apply_shows_the_plan_asks_and_is_safe_to_repeat(home: Run, tmp_path: Path) -> None:
    assert home("flows", "apply", "flows.example.yaml", "--dry-run").returncode == 0
    assert json.loads(home("flows", "list", "--json").stdout) == []
    unasked = home("flows", "apply", "flows.example.yaml")
    assert unasked.returncode == 2
    assert "--yes" in unasked.stderr
    done = home("flows", "apply", "flows.example.yaml", "--yes")
    assert "+ price-list" in done.stdout
    again = home("flows", "apply", "flows.example.yaml", "--yes")
    assert "= price-list" in again.stdout
    assert "Nothing to change" in again.stderr
    flows = json.loads(home("flows", "list", "--json").stdout)
    assert [flow["flow"] for flow in flows] == ["price-list", "booking", "story", "fallback"]


def test_an_invalid_file_applies_nothing(home: Run, tmp_path: Path) -> None:
    file = tmp_path / "f.yaml"
    file.write_text("version: 1\nflows:\n  a:\n    do:\n      - send: 'Hi {nobody}'\n")
    done = home("flows", "apply", str(file), "--yes")
    assert done.returncode == 4
    assert json.loads(home("flows", "list", "--json").stdout) == []


def test_exit_codes(home: Run) -> None:
    assert home("status", "--require-daemon").returncode == 7
    assert home("nonsense").returncode == 2
    assert home("events", "show", "nothing").returncode == 1
    assert home("status", "--account", "who@else.example").returncode == 1


def test_json_outputs_are_arrays_and_objects_even_when_empty(home: Run) -> None:
    for noun in ("events", "runs", "queue", "contacts", "connections"):
        assert json.loads(home(noun, "list", "--json").stdout) == []
    assert json.loads(home("stats", "--json").stdout) == {"flows": []}
    status = json.loads(home("status", "--json").stdout)
    assert status["healthy"] is False
    assert status["daemon"] == {"running": False, "since": None, "public_address": None}


def test_secrets_are_hidden_wherever_settings_are_shown(home: Run) -> None:
    shown = home("config", "show").stdout + home("config", "show", "--json").stdout
    assert SECRET not in shown
    assert "(hidden)" in shown


def test_the_help_of_every_command_answers(run: Run) -> None:
    for name in (
        "demo",
        "init",
        "connect",
        "serve",
        "flows",
        "why",
        "events",
        "runs",
        "queue",
        "contacts",
        "stats",
    ):
        done = run(name, "--help")
        assert (done.returncode, "Usage:" in done.stdout) == (0, True), name


def test_an_open_address_needs_to_be_wanted(home: Run) -> None:
    done = home("serve", "--host", "0.0.0.0")
    assert done.returncode == 2
    assert "--insecure-http" in done.stderr


def test_apply_in_json_says_what_happened_in_the_end(home: Run, tmp_path: Path) -> None:
    """It said `applied: false` before it had asked."""
    flows = tmp_path / "f.yaml"
    flows.write_text("version: 1\nflows:\n  a: { when: { dm: hallo }, do: [{ send: Hi }] }\n")
    for arguments, applied in (
        (("--dry-run",), False),
        (("--yes",), True),
        (("--yes",), True),
    ):
        done = home("flows", "apply", str(flows), "--json", *arguments)
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout)["applied"] is applied
    refused = home("flows", "apply", "flows.example.yaml", "--json")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "+ price-list" in refused.stderr


def test_validate_shows_a_file_that_is_no_text_beside_the_others(run: Run, tmp_path: Path) -> None:
    """It ended with exit code 2, and the other file was not checked."""
    (tmp_path / "a.yaml").write_bytes("version: 1\n".encode("utf-16"))
    (tmp_path / "b.yaml").write_text("version: 1\nflows: { b: { do: [{ sned: x }] } }\n")
    done = run("flows", "validate", str(tmp_path), "--json")
    assert done.returncode == 4
    assert [problem["code"] for problem in json.loads(done.stdout)] == ["not-utf-8", "unknown-step"]
    assert all(set(problem) >= {"line", "column", "hint"} for problem in json.loads(done.stdout))


def test_apply_in_json_prints_the_problems_of_invalid_files_and_applies_nothing(
    home: Run, tmp_path: Path
) -> None:
    file = tmp_path / "f.yaml"
    file.write_text("version: 1\nflows: { a: { do: [{ run: nowhere }] } }\n")
    done = home("flows", "apply", str(file), "--yes", "--json")
    assert done.returncode == 4
    assert [problem["code"] for problem in json.loads(done.stdout)] == ["unknown-flow"]
    assert "Nothing was applied" in done.stderr
    assert json.loads(home("flows", "list", "--json").stdout) == []


def test_apply_refuses_a_username_that_is_not_connected(home: Run, tmp_path: Path) -> None:
    file = tmp_path / "f.yaml"
    file.write_text(
        "version: 1\nflows: { a: { connections: [shpo], when: { dm: x }, do: [{ send: Hi }] } }\n"
    )
    assert home("flows", "validate", str(file)).returncode == 0
    done = home("flows", "apply", str(file), "--yes")
    assert (done.returncode, "unknown-connection" in done.stdout) == (4, True)
