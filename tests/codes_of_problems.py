"""The codes of everything that is raised for owners to see, read from the source: no list has to be kept."""

import ast
import importlib
from collections.abc import Iterator
from pathlib import Path

from pamosnik.model.outbox import Quota

ROOT = Path(__file__).parent.parent / "pamosnik"
PLACE = {"raise_notice": 3, "_raise": 2, "Problem": 0, "Notice": 2}
"""Where the code stands among the arguments."""
_LOOKED_AT = ("services", "daemon", "privacy")
_INTERNAL = {"storage_tried"}
"""Raised and settled within one transaction."""


def codes_of_problems() -> set[str]:
    found = {code for part in _LOOKED_AT for path in (ROOT / part).rglob("*.py") for code in _codes(path)}
    return found - _INTERNAL


def _codes(path: Path) -> Iterator[str]:
    module = ".".join(path.relative_to(ROOT.parent).with_suffix("").parts).removesuffix(".__init__")
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if not isinstance(node, ast.Call):
            continue
        names = [_name(node.func), *map(_name, node.args)]
        called = next((name for name in names if name in PLACE), None)
        if called is None:
            continue
        given = {keyword.arg: keyword.value for keyword in node.keywords}
        place = PLACE[called]
        code = given.get("code") or (node.args[place] if len(node.args) > place else None)
        if code is not None:
            yield from _values(code, module)


def _name(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def _values(code: ast.expr, module: str) -> Iterator[str]:
    if isinstance(code, ast.Constant):
        yield str(code.value)
    elif isinstance(code, ast.Call) and _name(code.func) == "_refused":
        yield from (f"{quota.value}_refused" for quota in Quota)
    elif isinstance(code, ast.Attribute | ast.Name):
        value: object = importlib.import_module(module)
        for part in ast.unparse(code).split("."):
            value = getattr(value, part, None)
        if isinstance(value, str):  # else a parameter, whose value is found where it is given
            yield value
