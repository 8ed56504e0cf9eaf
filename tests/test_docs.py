"""What the documentation names is real, and what is real is documented."""

import json
import re
import subprocess
import sys
from pathlib import Path

from pamosnik import cli_reference as commands_reference
from pamosnik.config import SETTINGS
from pamosnik.daemon.api_reads import READS
from pamosnik.daemon.api_writes import WRITES
from pamosnik.flows import reference, schema_conditions, schema_steps, schema_triggers
from pamosnik.flows.load import load
from pamosnik.instagram import catalogue
from pamosnik.model import diagram
from pamosnik.services.doctor import GROUP as CHECKS
from tests.codes_of_problems import codes_of_problems
from tests.crash import forked

ROOT = Path(__file__).parent.parent
DOCS = {path.name: path.read_text("utf-8") for path in (ROOT / "docs").glob("*.md")}
README = (ROOT / "README.md").read_text("utf-8")


def test_the_commands_page_is_the_one_that_the_commands_give() -> None:
    assert DOCS["cli.md"] == commands_reference.reference()


def test_every_command_says_what_it_does() -> None:
    for name, command in commands_reference.commands():
        assert command.help, name
        assert all(getattr(p, "help", "argument") for p in command.params), name


def test_every_setting_is_documented() -> None:
    text = DOCS["operations.md"]
    assert [s.name for s in SETTINGS if f"PAMOSNIK_{s.name.upper()}" not in text] == []


def test_the_flow_reference_is_the_one_that_the_schema_gives() -> None:
    assert DOCS["flow-reference.md"] == reference.reference()


def test_the_page_of_metas_errors_is_the_one_that_the_catalogue_gives() -> None:
    assert DOCS["meta-errors.md"] == catalogue.page()
    named = {name for one in catalogue.entries() for name in re.findall(r"docs/([a-z-]+\.md)", one.owner)}
    assert named <= set(DOCS)


def test_the_flow_reference_names_every_word_of_the_language() -> None:
    text = DOCS["flow-reference.md"]
    for words in (schema_triggers.TRIGGERS, schema_conditions.CONDITIONS, schema_steps.STEPS):
        assert [word for word in words if f"`{word}`" not in text] == []


def test_the_examples_of_the_reference_are_valid() -> None:
    for name, example in reference.EXAMPLES.items():
        problems = load([(name, example)]).problems
        assert [p.message for p in problems if p.severity == "error"] == [], name


def test_the_flow_file_in_the_readme_is_valid() -> None:
    blocks = [block.split("```")[0] for block in README.split("```yaml\n")[1:]]
    assert blocks
    for block in blocks:
        assert not load([("README.md", block)]).has_errors


def test_every_picture_is_shown_and_every_picture_shown_is_there() -> None:
    named = {
        (ROOT / folder / found).resolve()
        for folder, texts in (("docs", DOCS.values()), (".", [README]))
        for text in texts
        for found in re.findall(r"[\w./-]+\.(?:svg|png)", text)
        if "pictures/" in found
    }
    there = {path for path in (ROOT / "docs" / "pictures").iterdir() if path.suffix in (".svg", ".png")}
    assert {str(path) for path in named if not path.exists()} == set()
    assert there - named == set()


def test_pictures_weigh_little() -> None:
    """Everybody who clones the repository carries them."""
    assert sum(path.stat().st_size for path in (ROOT / "docs" / "pictures").iterdir()) < 800_000


def test_every_page_of_the_documentation_is_linked_from_the_readme() -> None:
    assert [name for name in DOCS if f"docs/{name}" not in README] == []


def test_the_readme_shows_a_problem_as_it_is_told() -> None:
    """It showed a message that `validate` had long given in other words."""
    flow = README.split("```yaml\n")[1].split("```")[0]
    wrong = flow.replace("label: Send it to me", "label: Send the price list to me now")
    (problem,) = load([("prices.yaml", wrong)]).problems
    place = f"prices.yaml:{problem.line}:{problem.column}: {problem.severity}"
    assert f"{place}: {problem.message} [{problem.code}]\n" in README
    assert problem.hint is not None
    assert f"    {problem.hint}\n" in README


def test_readme_shows_both_commands_first() -> None:
    head = README[:2500]
    assert "make demo" in head
    assert "make test" in head


def test_the_readme_names_every_command_or_group() -> None:
    table = README.split("## Commands\n")[1].split("\n## ")[0]
    first_words = {name.split()[0] for name, _ in commands_reference.commands()}
    assert [word for word in sorted(first_words) if not re.search(rf"[` ]{word}\b", table)] == []


def test_help_imports_nothing_heavy() -> None:
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "pamosnik", "--help"],
        capture_output=True,
        text=True,
        check=True,
    )
    imported = {line.rsplit("|", 1)[-1].strip().split(".")[0] for line in done.stderr.splitlines()}
    heavy = {
        "pydantic",
        "starlette",
        "httpx",
        "httpx2",
        "apscheduler",
        "sqlite_utils",
        "rich",
        "aiohttp",
        "yaml",
    }
    assert imported & heavy == set()


def test_every_json_key_is_documented(tmp_path: Path) -> None:
    """Keys of the contract, from a real empty home."""
    environment = {"PAMOSNIK_HOME": str(tmp_path / "home"), "PATH": "/usr/bin:/bin"}

    def run(*arguments: str, text: str = "") -> str:
        done = forked.run(arguments, environment, text)
        assert done.returncode == 0, done.stderr
        return done.stdout

    run(
        "init",
        "--name",
        "Rosa",
        "--email",
        "rosa@shop.example",
        "--password-stdin",
        text="three random words\n",
    )
    run("flows", "apply", "flows.example.yaml", "--yes")
    documented = DOCS["json.md"]
    outputs = [run("status", "--json"), run("stats", "--json"), run("flows", "list", "--json")]
    keys = {key for output in outputs for key in _keys(json.loads(output))}
    assert [key for key in sorted(keys) if f"`{key}`" not in documented] == []


def test_every_check_of_doctor_is_documented_in_its_group() -> None:
    named = re.findall(r"^\| `(\w+)` \|", DOCS["doctor.md"], re.MULTILINE)
    assert named == list(CHECKS)


def test_every_address_of_the_api_is_documented_and_real() -> None:
    real = {f"/api/v1/{path}" for path in [read.path for read in READS] + [write.path for write in WRITES]}
    assert set(re.findall(r"^\| `(/api/v1/\S+)`", DOCS["api.md"], re.MULTILINE)) == real
    assert [
        key
        for write in WRITES
        for key in write.keys
        if f'{{"{key}"' not in DOCS["api.md"] and f', "{key}"' not in DOCS["api.md"]
    ] == []
    named = {name for read in READS for name in read.parameters}
    assert [
        name
        for name in sorted(named)
        if f"`{name}`" not in DOCS["api.md"] and f"{name}=" not in DOCS["api.md"]
    ] == []


def _keys(value: object) -> set[str]:
    if isinstance(value, dict):
        return set(value) | {key for inner in value.values() for key in _keys(inner)}
    if isinstance(value, list):
        return {key for inner in value for key in _keys(inner)}
    return set()


def test_the_diagrams_are_those_of_the_transition_tables() -> None:
    for drawn in (diagram.messages(), diagram.runs()):
        assert f"```mermaid\n{drawn}\n```" in DOCS["reliability.md"]


def test_every_code_of_a_problem_is_explained_and_no_other() -> None:
    table = DOCS["troubleshooting.md"].split("## What status says\n")[1]
    rows = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `")]
    told = {code for row in rows for code in re.findall(r"`([a-z_]+)`", row)}
    assert told == codes_of_problems()
