"""docs/flows-in-git.md as a freelancer would follow it: every command is run, every file is the example's."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml

from pamosnik import config
from pamosnik.instagram import limits
from pamosnik.security import keyring
from pamosnik.services import accounts as account_services
from pamosnik.services import connecting, home
from pamosnik.store import accounts
from pamosnik.store.database import open_database

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "docs" / "examples" / "flows-in-git"
PAGE = (ROOT / "docs" / "flows-in-git.md").read_text("utf-8")
_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_TIME = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d(:\d\d)?")
_VERSION = re.compile(r"\b[0-9a-f]{7,8}\b *")
PASSWORD = "three random words"


def _blocks(kind: str) -> list[str]:
    return [text for found, text in _BLOCK.findall(PAGE) if found == kind]


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """The repository on the machine that runs both shops in one home."""
    settings = config.load({"home": str(tmp_path / "home")}, environ={})
    now = datetime.now(UTC)
    home.initialise(
        settings, account_services.NewAccount("Rose", "rosa@shop.example", PASSWORD, "Europe/Warsaw"), now
    )
    with open_database(settings.database) as database:
        keys = keyring.load(settings.key_file, None)
        fern = account_services.NewAccount("Fern", "fern@shop.example", PASSWORD, "Europe/Dublin")
        account_services.create(database, keys, fern, now)
        for number, account in enumerate(accounts.every(database.connection)):
            found = connecting.Found(
                f"token{number}", f"1784{number}", None, f"{account.name.lower()}_shop", limits.SCOPES
            )
            database.write(lambda c, f=found, a=account.id: connecting.keep(c, keys, a, f, now))  # type: ignore[misc]
    folder = tmp_path / "flows"
    shutil.copytree(EXAMPLE, folder)
    (folder / "shops" / "rose" / "codes").mkdir(exist_ok=True)
    (folder / "shops" / "rose" / "codes" / "spring.csv").write_text("ROSE-1\nROSE-2\n")
    programs = tmp_path / "bin"
    programs.mkdir()
    program = programs / "pamosnik"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m pamosnik "$@"\n')
    program.chmod(0o755)
    return folder


def _shell(folder: Path, command: str) -> subprocess.CompletedProcess[str]:
    """As it is typed: both of its outputs together."""
    environment = {
        **os.environ,
        "PATH": f"{folder.parent / 'bin'}:{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "PAMOSNIK_HOME": str(folder.parent / "home"),
        "FLOW_ROSE_SHOP_ORDERS": "https://orders.example/in",
        "FLOW_ROSE_SHOP_KEY": "a key",
        "NO_COLOR": "1",
        "COLUMNS": "100",
        **{
            f"GIT_{who}_{what}": "rosa@shop.example"
            for who in ("AUTHOR", "COMMITTER")
            for what in ("NAME", "EMAIL")
        },
    }
    return subprocess.run(
        ["sh", "-c", command],
        cwd=folder,
        env=environment,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
        timeout=60,
    )


def _typed(block: str) -> Iterator[tuple[str, str]]:
    """Each command of a block, and what it says."""
    for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
        lines = part.split("\n")
        length = 1
        while lines[length - 1].endswith("\\"):
            length += 1
        yield "\n".join(lines[:length]), "\n".join(lines[length:]).strip("\n")


def _fits(said: str, shown: str) -> bool:
    """`…` stands for anything, alone on a line for any lines; a time is as good as another, and so is a version."""
    pattern = re.escape(_plain(shown)).replace("…", "(?:.|\n)*?")
    return re.fullmatch(pattern, _plain(said)) is not None


def _plain(text: str) -> str:
    lines = "\n".join(line.rstrip() for line in text.strip("\n").split("\n")).strip("\n")
    return _VERSION.sub("VERSION", _TIME.sub("TIME", lines))


def test_every_command_of_the_page_says_what_is_shown(checkout: Path) -> None:
    ran = 0
    for block in _blocks("console"):
        for command, shown in _typed(block):
            done = _shell(checkout, command)
            assert _fits(done.stdout, shown), f"$ {command}\n{done.stdout}\n--- but the page shows\n{shown}"
            ran += 1
    assert ran > 15


def test_every_file_of_the_page_is_the_examples() -> None:
    """A block that begins with `# PATH` is that file, or lines of it."""
    shown = [*_blocks("yaml"), *_blocks("sh"), *_blocks("gitignore")]
    assert len(shown) > 4
    for block in shown:
        first, _, rest = block.partition("\n")
        text = (EXAMPLE / first.removeprefix("# ")).read_text("utf-8")
        for part in rest.split("\n# …\n"):
            assert part.strip("\n") in text, f"{first}: {part}"


@pytest.mark.parametrize(
    ("file", "shop"), [(".github/workflows/flows.yml", "rose"), (".gitlab-ci.yml", "fern")]
)
def test_the_pipelines_pass_without_secrets(checkout: Path, file: str, shop: str) -> None:
    shutil.rmtree(checkout.parent / "home")
    shutil.rmtree(checkout / "shops" / "rose" / "codes")
    steps = _steps(yaml.safe_load((checkout / file).read_text("utf-8")))
    assert len(steps) > 3
    for step in steps:
        command = step.replace("${{ matrix.shop }}", shop).replace("$SHOP", shop)
        done = _shell(checkout, f"unset FLOW_ROSE_SHOP_ORDERS FLOW_ROSE_SHOP_KEY; {command}")
        assert done.returncode == 0, f"{command}\n{done.stdout}"
    assert (checkout / f"{shop}.xml").read_text("utf-8").startswith("<?xml")
    assert (checkout / f"{shop}.svg").read_text("utf-8").startswith("<svg")


def _steps(pipeline: dict[str, object]) -> list[str]:
    """What runs, but for installing."""
    found: list[str] = []

    def look(value: object) -> None:
        if isinstance(value, dict):
            for key, inner in value.items():
                lines = inner if isinstance(inner, list) else [inner]
                found.extend(str(line) for line in lines if key in ("run", "script"))
                look(inner)
        elif isinstance(value, list):
            for inner in value:
                look(inner)

    look(pipeline)
    return [step for step in found if not step.startswith("pip ")]
