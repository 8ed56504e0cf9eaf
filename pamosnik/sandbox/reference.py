"""The lists in docs/sandbox.md, made from the code: `python -m pamosnik.sandbox.reference docs/sandbox.md`.

Each stands between two comments in the page; what is around them is written by hand.
"""

import re
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from pamosnik.clock import SystemClock
from pamosnik.sandbox import desk
from pamosnik.sandbox.behaviour import Behaviour
from pamosnik.sandbox.control import Control
from pamosnik.sandbox.deliveries import Switches
from pamosnik.sandbox.faults import CATALOG
from pamosnik.sandbox.graph import Graph
from pamosnik.sandbox.switches import Described, described
from pamosnik.sandbox.webhooks import Deliverer
from pamosnik.sandbox.world import World

_BLOCK: Final = re.compile(r"(<!-- (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def page(text: str) -> str:
    """The page with every list as it is now."""
    known = lists()
    return _BLOCK.sub(lambda block: f"{block[1]}{known[block[2]]}{block[3]}", text)


def names_in(text: str) -> tuple[str, ...]:
    """The lists a page has a place for."""
    return tuple(block[2] for block in _BLOCK.finditer(text))


def lists() -> dict[str, str]:
    return {
        "addresses": _addresses(),
        "deliveries": _switches(described(Switches)),
        "behaviour": _switches(described(Behaviour)),
        "accounts": _switches(desk.ACCOUNT),
        "faults": _faults(),
    }


def _addresses() -> str:
    world = World(SystemClock())
    deliverer = Deliverer(world)
    control = Control(world, deliverer, Graph(world, deliverer))
    rows = (
        (f"`{one.method} /sandbox{one.path}`", f"`{one.takes}`" if one.takes else "–", one.says)
        for one in control.addresses()
    )
    return _table(("address", "takes", "what it does"), rows)


def _switches(several: Iterable[Described]) -> str:
    rows = ((f"`{one.name}`", f"`{_shown(one.default)}`", one.section, _says(one)) for one in several)
    return _table(("switch", "default", "from", "what it does"), rows)


def _faults() -> str:
    rows = (
        (
            f"`{fault.name}`",
            str(fault.status or "–"),
            _code(fault.code, fault.subcode),
            "yes" if fault.delivered else "no",
            fault.section,
            fault.title,
        )
        for fault in CATALOG.values()
    )
    return _table(("fault", "HTTP", "code", "done", "from", "what happens"), rows)


def _code(code: int, subcode: int | None) -> str:
    if code == 0:
        return "–"
    return str(code) if subcode is None else f"{code}/{subcode}"


def _says(one: Described) -> str:
    return f"{one.says}: {', '.join(one.choices)}" if one.choices else one.says


def _shown(default: object) -> str:
    match default:
        case bool():
            return "true" if default else "false"
        case tuple():
            return ", ".join(f"{one:g}" for one in default)
        case _:
            return str(default)


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "".join("| " + " | ".join(cell.replace("|", r"\|") for cell in line) + " |\n" for line in lines)


if __name__ == "__main__":
    path = Path(sys.argv[1])
    path.write_text(page(path.read_text("utf-8")), "utf-8")
