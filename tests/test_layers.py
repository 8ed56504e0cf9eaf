"""The arrows of docs/architecture.md: who may import whom. Read from the source, not from a running program."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent / "pamosnik"

WORDS = {"errors", "clock", "ids"}
MAY_IMPORT: dict[str, set[str]] = {
    "errors": set(),
    "clock": set(),
    "ids": set(),
    "_sqlite": set(),
    "model": set(),
    "unsaid": set(),
    "ages": set(),
    "config": {"ages", "errors", "unsaid"},
    "csv_cells": set(),
    "charts": set(),
    "terminal": {"unsaid"},
    "logs": {"errors", "terminal", "unsaid"},
    "security": {"unsaid", "errors"},
    "mail": {"config", "errors"},
    "calls": set(),
    "frozen": set(),
    "reach": set(),
    "instagram": {"model", "errors"},
    "engine": {"model", "instagram.limits"},
    "outbox": {"model", "instagram.limits", "instagram.errors"},
    "flows": {"model", "errors", "instagram.limits"},
    "store": {"model", "_sqlite", *WORDS},
    "services": {
        "ages",
        "calls",
        "frozen",
        "reach",
        "unsaid",
        "mail",
        "charts",
        "csv_cells",
        "model",
        "flows",
        "engine",
        "outbox",
        "instagram",
        "store",
        "privacy",
        "security",
        "config",
        "_sqlite",
        *WORDS,
    },
    "privacy": {"ages", "csv_cells", "flows", "store", "model", "security", "_sqlite", *WORDS},
    "sandbox": {"errors", "clock"},
    "daemon": {
        "ages",
        "unsaid",
        "charts",
        "csv_cells",
        "calls",
        "frozen",
        "model",
        "flows",
        "engine",
        "outbox",
        "instagram",
        "store",
        "security",
        "config",
        "logs",
        "mail",
        "services",
        "privacy",
        "_sqlite",
        *WORDS,
    },
    "rehearsal": {
        "unsaid",
        "terminal",
        "csv_cells",
        "calls",
        "mail",
        "model",
        "flows",
        "engine",
        "outbox",
        "instagram",
        "store",
        "security",
        "config",
        "logs",
        "services",
        "privacy",
        "daemon",
        "sandbox",
        "_sqlite",
        *WORDS,
    },
    "commands": {
        "ages",
        "unsaid",
        "terminal",
        "charts",
        "csv_cells",
        "services",
        "privacy",
        "config",
        "logs",
        "daemon.main",
        "daemon.certificate",
        "sandbox",
        "rehearsal",
        "flows",
        "store",
        "security",
        "instagram.client",
        "_sqlite",
        *WORDS,
    },
    "cli": {"commands", "errors", "logs", "terminal", "unsaid"},
    "__main__": {"cli"},
    "cli_reference": {"cli"},
    "__init__": set(),
}
"""Package → what it may import beside itself; `instagram.limits` is that module alone."""


def _imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "pamosnik":
            rest = node.module.removeprefix("pamosnik").removeprefix(".")
            for alias in node.names:
                yield f"{rest}.{alias.name}" if rest else alias.name
        elif isinstance(node, ast.Import):
            yield from (
                a.name.removeprefix("pamosnik.") for a in node.names if a.name.startswith("pamosnik.")
            )


def _allowed(imported: str, allowed: set[str]) -> bool:
    return any(imported == one or imported.startswith(f"{one}.") for one in allowed)


def test_every_import_follows_the_table() -> None:
    wrong = []
    for path in sorted(ROOT.rglob("*.py")):
        package = path.relative_to(ROOT).parts[0].removesuffix(".py")
        wrong += [
            f"{path.relative_to(ROOT)} imports {imported}"
            for imported in _imports(path)
            if not _allowed(imported, MAY_IMPORT[package] | {package})
        ]
    assert wrong == []


@pytest.mark.parametrize(("library", "module"), [("httpx", "instagram/graph.py"), ("aiosmtplib", "mail.py")])
def test_what_talks_to_the_network_is_imported_in_one_module_only(library: str, module: str) -> None:
    users = [p for p in ROOT.rglob("*.py") if f"import {library}" in p.read_text("utf-8")]
    assert [p.relative_to(ROOT).as_posix() for p in users] == [module]
