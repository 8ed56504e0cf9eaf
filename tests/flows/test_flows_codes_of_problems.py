"""Every code of a problem is documented, and every documented one is found somewhere."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
_CODE = re.compile(r"[a-z]+(?:-[a-z0-9]+)*")
_DOCUMENTED = re.compile(r"^\| `([a-z0-9-]+)` \| (.+) \|$", re.MULTILINE)
_SAYS_AT = {
    "error": 1,
    "warn": 1,
    "problem": 1,
    "moved": 1,
    "_say": 1,
    "_warn": 1,
    "_Refused": 1,
    "Found": 0,
    "Said": 2,
    "say": 0,
    "Problem": 4,
}
"""Function → which of its arguments is a code."""
_NO_CODES = {"utf-8", "utf-8-sig"}


def test_every_code_is_documented_with_a_sentence() -> None:
    documented = dict(_DOCUMENTED.findall((ROOT / "docs" / "flow-problems.md").read_text("utf-8")))
    used = set(_codes())
    assert sorted(used - documented.keys()) == [], "write a line for these in docs/flow-problems.md"
    assert sorted(documented.keys() - used) == [], "nothing finds these any more"
    assert [code for code, sentence in documented.items() if not sentence.endswith((".", "(note)"))] == []
    assert list(documented) == sorted(documented)


def _codes() -> Iterator[str]:
    for path in sorted((ROOT / "pamosnik" / "flows").glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call):
                yield from _said(node)
            elif isinstance(node, ast.Constant):
                yield from (code for code in filter(_is_code, _constants(node)) if "-" in code)
            elif isinstance(node, ast.Assign) and _first_target(node) == "code":
                yield from _constants(node.value.elts[0] if isinstance(node.value, ast.Tuple) else node.value)


def _said(call: ast.Call) -> Iterator[str]:
    """Codes among the arguments; families are put together from what they are about."""
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    if name == "unknown":
        yield from (f"unknown-{what.replace(' ', '-')}" for what in _constants(call.args[1]))
    elif name == "too_many":
        yield from (f"too-many-{what}" for what in _constants(call.args[2]))
    elif name in _SAYS_AT and len(call.args) > _SAYS_AT[name]:
        yield from filter(_is_code, _constants(call.args[_SAYS_AT[name]]))


def _constants(node: ast.expr) -> Iterator[str]:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value


def _first_target(node: ast.Assign) -> str:
    """`code, message = "not-utf-8", "…"` has its code in the first place."""
    target = node.targets[0]
    first = target.elts[0] if isinstance(target, ast.Tuple) else target
    return first.id if isinstance(first, ast.Name) else ""


def _is_code(value: object) -> bool:
    return isinstance(value, str) and _CODE.fullmatch(value) is not None and value not in _NO_CODES
