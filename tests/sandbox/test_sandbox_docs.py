"""docs/sandbox.md names every address, switch and fault, as the code has them."""

import re
from pathlib import Path

from pamosnik.sandbox import reference
from pamosnik.sandbox.behaviour import Behaviour
from pamosnik.sandbox.faults import CATALOG, ENDPOINTS
from pamosnik.sandbox.main import Sandbox
from pamosnik.sandbox.switches import described

PAGE = (Path(__file__).parents[2] / "docs" / "sandbox.md").read_text("utf-8")


def test_the_lists_are_those_of_the_code() -> None:
    """Else: `python -m pamosnik.sandbox.reference docs/sandbox.md`."""
    assert sorted(reference.names_in(PAGE)) == sorted(reference.lists())
    assert reference.page(PAGE) == PAGE


def test_nothing_is_left_out() -> None:
    for name in (*CATALOG, *ENDPOINTS, *(one.name for one in described(Behaviour))):
        assert f"`{name}`" in PAGE, name


def test_every_switch_names_a_section() -> None:
    for one in described(Behaviour):
        assert re.fullmatch(r"§\d+(\.\d+)?", one.section), one.name
        assert one.says


def test_the_page_says_how_to_use_it_in_a_program() -> None:
    assert Sandbox.__module__ in PAGE
