"""Every number is defined once: on the page and in the documentation with the same words."""

from pathlib import Path

from pamosnik.services.reading import numbers, statistics
from pamosnik.services.reading.definitions import DEFINITIONS

DOCS = (Path(__file__).parents[2] / "docs" / "statistics.md").read_text("utf-8")


def test_the_documentation_defines_each_number_as_the_page_does() -> None:
    assert [word for word, text in DEFINITIONS.items() if f"| `{word}` | {text} |" not in DOCS] == []


def test_each_number_that_is_told_is_defined() -> None:
    assert {*numbers.WORDS, *statistics.CAME_IN} <= set(DEFINITIONS)
