"""Flows in plain sentences: everything that stands in a file is told, in four languages.

The golden texts are what `pamosnik flows explain tests/flows/explained/rich.yaml --language LANGUAGE` prints.
"""

import copy
import dataclasses
import json
import re
import string
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from pamosnik.cli import app
from pamosnik.errors import NotFound
from pamosnik.flows import (
    schema,
    schema_conditions,
    schema_steps,
    schema_triggers,
    source,
)
from pamosnik.flows.explain import explain
from pamosnik.flows.explain.page import Item, lines, wrapped
from pamosnik.flows.explain.speech import LANGUAGES, Speech
from pamosnik.flows.load import FlowSource, Loaded, load
from pamosnik.flows.reader import Json, Reader, Row
from pamosnik.flows.source import Node
from pamosnik.model.condition import FieldTest
from tests.flows.corpus_files import Case, cases

HERE = Path(__file__).with_name("explained")
RICH = (HERE / "rich.yaml").read_text("utf-8")


def told(flows: str, language: str | None = None) -> str:
    return shown(load([("shop.yaml", f"version: 1\n{flows}")]), language)


def shown(loaded: Loaded, language: str | None = None) -> str:
    assert not loaded.has_errors, loaded.problems
    return "\n".join(lines(explain(loaded.flows, loaded.settings, language), 10_000))


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_rich_file_in_each_language(language: str) -> None:
    done = CliRunner().invoke(app, ["flows", "explain", str(HERE / "rich.yaml"), "--language", language])
    assert done.stdout == (HERE / f"rich.{language}.txt").read_text("utf-8")


def test_the_language_is_the_files() -> None:
    assert shown(load([("rich.yaml", RICH)])) == shown(load([("rich.yaml", RICH)]), "pl")


# --- nothing is left out ---------------------------------------------------------------------------------


class Watching(Reader):
    """Remembers which keys of which rows a file has."""

    def row(self, row: Row, node: Node, path: str) -> Json:
        if not isinstance(node, source.Mapping) and row.keys:
            SEEN.add((id(row), row.keys[0].name))
        return super().row(row, node, path)

    def entries(self, row: Row, node: source.Mapping, path: str) -> Json:
        SEEN.update((id(row), key.value) for key, _ in node.entries)
        return super().entries(row, node, path)


SEEN: set[tuple[int, str]] = set()


def _rows() -> Iterator[Row]:
    """Every row of the language but those of tests; comparisons of fields and `else` are no rows to the reader."""
    for module in (schema, schema_conditions, schema_steps, schema_triggers):
        for value in vars(module).values():
            for one in value.values() if isinstance(value, dict) else (value,):
                if isinstance(one, Row) and one not in (schema_conditions._TESTS, schema_steps._ELSE):
                    yield one


def test_the_rich_file_has_every_key_of_the_language() -> None:
    node, problems = source.read(RICH, "rich.yaml")
    assert isinstance(node, source.Mapping)
    assert problems == []
    SEEN.clear()
    Watching("rich.yaml").entries(schema.FILE, node, "")
    missing = {(row.name, key.name) for row in _rows() for key in row.keys if (id(row), key.name) not in SEEN}
    assert missing == {("file", "tests")}  # conversations over several flows are about tests alone
    loaded = load([("rich.yaml", RICH)])
    kinds = json.dumps([flow.body for flow in loaded.flows])
    assert [one for one in schema_steps.STEPS if f'"do": "{one}"' not in kinds] == []
    assert [one for one in schema_triggers.TRIGGERS if f'"trigger": "{one}"' not in kinds] == []
    assert [one for one in schema_conditions.CONDITIONS if f'"if": "{one}"' not in kinds] == []
    assert [one for one in FieldTest if f'"test": "{one}"' not in kinds] == []


TOLD_NOWHERE = re.compile(
    r"\.tests\.|\.by$|\.answer$"  # what a test does; `by: email` and `answer: any` are the only ones there are
)


def test_every_value_of_the_rich_file_changes_what_is_told() -> None:
    """Takes each out or changes it. What cannot be compiled without it is required, and its change must show."""
    loaded = load([("rich.yaml", RICH)])
    parts: list[dict[str, object]] = [{"flows": {}, "settings": loaded.settings}]
    parts += [{"flows": {flow.id: flow.body}, "settings": loaded.settings} for flow in loaded.flows]
    silent = [path for part in parts for path in _silent(part)]
    assert silent == []


def _silent(whole: dict[str, object]) -> Iterator[str]:
    before = _told_of(whole)
    looked_at = "flows" if whole["flows"] else "settings"
    for path in _paths(whole[looked_at], (looked_at,)):
        name = "." + ".".join(map(str, path))
        if len(path) < 3 or TOLD_NOWHERE.search(name):
            continue
        found = [text for text in (_without(whole, path), _changed(whole, path)) if text is not None]
        if found and all(text == before for text in found):
            yield name


def _told_of(whole: dict[str, object]) -> str | None:
    """None: it does not hold together any more."""
    flows = [
        FlowSource(flow, body, "rich.yaml", 1)
        for flow, body in cast("dict[str, dict[str, object]]", whole["flows"]).items()
    ]
    try:
        page = explain(flows, cast("dict[str, object]", whole["settings"]), "en")
    except (KeyError, ValueError, StopIteration, AssertionError, AttributeError, TypeError, IndexError):
        return None
    return "\n".join(lines(page, 10_000))


def _paths(value: object, here: tuple[str | int, ...]) -> Iterator[tuple[str | int, ...]]:
    yield here
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _paths(inner, (*here, key))
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from _paths(inner, (*here, number))


def _without(whole: dict[str, object], path: tuple[str | int, ...]) -> str | None:
    made = copy.deepcopy(whole)
    del _parent(made, path)[path[-1]]
    return _told_of(made)


def _changed(whole: dict[str, object], path: tuple[str | int, ...]) -> str | None:
    made = copy.deepcopy(whole)
    parent = _parent(made, path)
    value = parent[path[-1]]
    match value:
        case bool():
            parent[path[-1]] = not value
        case int():
            parent[path[-1]] = value + 1
        case str():
            parent[path[-1]] = {"true": "false", "false": "true"}.get(value, f"{value}X")
        case _:
            return None
    return _told_of(made)


def _parent(value: object, path: tuple[str | int, ...]) -> dict[str | int, object]:
    for key in path[:-1]:
        value = cast("dict[str | int, object]", value)[key]
    return cast("dict[str | int, object]", value)


@pytest.mark.parametrize("case", cases("valid"), ids=lambda case: case.title)
def test_every_valid_file_is_told_in_every_language(case: Case) -> None:
    loaded = load(list(case.files.items()))
    written = json.dumps([loaded.settings, [flow.body for flow in loaded.flows]], ensure_ascii=False)
    for language in LANGUAGES:
        text = shown(loaded, language)
        assert "None" not in text or "None" in written
        assert [brace for brace in re.findall(r"\{\w+\}", text) if brace[1:-1] not in written] == []
        ours = "\n".join(line.lstrip() for line in text.split("\n"))
        for bad in ("  ", "()", "“”", "„“", "„”", "«»", " ,", ",,", "<", " :"):
            assert bad not in ours or bad in written or bad.strip('“”„«»"') == "", (language, bad, ours)


def test_all_languages_have_places_for_the_same_things() -> None:
    english = dict(_sentences(LANGUAGES["en"], ""))
    for name, language in LANGUAGES.items():
        for key, sentence in _sentences(language, ""):
            assert _places(sentence) == _places(english[key]), (name, key)


def _sentences(value: object, key: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield key, value
    elif isinstance(value, dict):
        for inner_key, inner in value.items():
            yield from _sentences(inner, f"{key}.{inner_key}")
    elif dataclasses.is_dataclass(value) and "Grammar" not in type(value).__name__:
        for field in dataclasses.fields(value):
            yield from _sentences(getattr(value, field.name), f"{key}.{field.name}")


def _places(sentence: str) -> set[str | None]:
    return {name for _, name, _, _ in string.Formatter().parse(sentence) if name is not None}


# --- numbers, times, steps -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (3600, "1 godzinę"),
        (2 * 3600, "2 godziny"),
        (5 * 3600, "5 godzin"),
        (12 * 3600, "12 godzin"),
        (22 * 3600, "22 godziny"),
        (24 * 3600, "24 godziny"),
        (25 * 3600, "25 godzin"),
        (86400 * 2, "2 dni"),
        (86400 * 112 + 60, "112 dni i 1 minutę"),
        (90, "1 minutę i 30 sekund"),
        (3600 + 62, "1 godzinę, 1 minutę i 2 sekundy"),
    ],
)
def test_polish_has_three_forms(seconds: int, words: str) -> None:
    assert Speech(LANGUAGES["pl"]).duration(timedelta(seconds=seconds)) == words


def test_dates_and_clock_times_in_words() -> None:
    at = 'flows: { a: { when: [{ schedule: { at: "2026-03-01 01:05" } }], do: [{ send: x }] } }'
    assert "1 March 2026 at 01:05" in told(at, "en")
    assert "1. März 2026 um 1:05 Uhr" in told(at, "de")
    assert "1 marca 2026 o 1:05" in told(at, "pl")
    assert "el 1 de marzo de 2026 a la 1:05" in told(at, "es")
    cron = (
        'flows: { a: { when: [{ schedule: { cron: "30 9,17 * * sun,mon,tue,wed" } }], do: [{ send: x }] } }'
    )
    assert "at 09:30 and at 17:30 on these days: Monday to Wednesday and Sunday" in told(cron, "en")
    assert "o 9:30 i o 17:30 w te dni: od poniedziałku do środy i niedziela" in told(cron, "pl")


def test_a_step_can_be_named_on_the_phone() -> None:
    made = told("""
flows:
  a:
    when: [dm]
    do:
      - send: "one"
      - choose:
          - if: first_time
            do:
              - send: { text: "two", chips: [Yes, { label: "No", do: [stop] }] }
          - else: [{ goal: old }]
""")
    for line in ("2. The first", "- 2a. If", "- 2a.1. Message: “two”", "- 2a.1a. Quick reply “Yes”"):
        assert line in made
    assert "- 2a.1b.1. The flow ends here." in made
    assert "- 2b.1. Counted as a goal: “old”." in made


def test_more_ways_than_letters() -> None:
    cards = [
        {
            "title": f"c{n}",
            "subtitle": "s",
            "buttons": [{"label": f"b{n}{m}", "url": "https://a.example/"} for m in "xyz"],
        }
        for n in range(10)
    ]
    made = told(f"flows: {{ a: {{ when: [dm], do: [{{ send: {{ cards: {json.dumps(cards)} }} }}] }} }}")
    assert "1z. Button “b8y”" in made
    assert "1aa. Button “b8z”" in made


def test_texts_are_quoted_as_they_are() -> None:
    made = told('flows: { a: { when: [dm], do: [{ send: "first  line\\n\\n  * second {{ {name|you}" }] } }')
    assert "1. Message: “first  line\n\n     * second { {name|you}”" in made


@given(st.text("abc d\n", max_size=200), st.integers(20, 60))
def test_wrapping_loses_no_word(text: str, width: int) -> None:
    made = list(wrapped(text, "1. ", "   ", width))
    assert " ".join(made).split()[1:] == text.split()
    assert all(len(line) <= width or " " not in line.strip()[3:] for line in made)


# --- the command -----------------------------------------------------------------------------------------


def test_one_flow_as_json() -> None:
    done = CliRunner().invoke(app, ["flows", "explain", str(HERE / "rich.yaml"), "--flow", "tidy", "--json"])
    found = json.loads(done.stdout)
    assert found["language"] == "pl"
    (flow,) = found["flows"]
    assert flow["flow"] == "tidy"
    steps = next(part for part in flow["parts"] if part["kind"] == "steps")
    assert [(item["number"], item["step"]) for item in steps["items"]] == [
        ("1", "do.0"),
        ("2", "do.1"),
        ("3", "do.2"),
    ]


def test_a_flow_that_is_not_there_and_a_file_with_errors(tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["flows", "explain", str(HERE / "rich.yaml"), "--flow", "tydi"])
    assert isinstance(done.exception, NotFound)
    file = tmp_path / "bad.yaml"
    file.write_text("version: 1\nflows: { a: { do: [dance] } }\n", "utf-8")
    done = CliRunner().invoke(app, ["flows", "explain", str(file)])
    assert (done.exit_code, "unknown step" in done.stdout) == (4, True)


def test_items_below_a_step_stand_under_it() -> None:
    assert list(lines_of(Item("a", (Item("b"), Item("c", number="1a")), number="1"))) == [
        "1. a",
        "   - b",
        "   - 1a. c",
    ]


def lines_of(item: Item) -> Iterator[str]:
    from pamosnik.flows.explain.page import _items

    return _items((item,), "", 80)


def test_the_guide_shows_what_it_really_says() -> None:
    root = HERE.parents[2]
    arguments = ["flows", "explain", str(root / "flows.example.yaml"), "--flow", "price-list"]
    text = CliRunner().invoke(app, arguments).stdout
    command = "$ pamosnik flows explain flows.example.yaml --flow price-list"
    assert f"{command}\n{text}```" in (root / "docs/guide.md").read_text("utf-8")


def test_what_follows_when_a_human_had_their_time_is_told() -> None:
    page = told(
        "flows:\n  a:\n    when: [{ dm: hi }]\n    limits: { per_person: 1h }\n    do:\n"
        "      - choose:\n"
        "          - { if: { has_tag: a }, do: [{ hand_over: { pause: 1h } }, { send: a }] }\n"
        "          - { if: { has_tag: b }, do: [{ hand_over: { pause: 2h } }, stop] }\n"
        "      - hand_over: { pause: 3h }\n"
    )
    rests = "the flows rest for this person for"
    assert f"{rests} 1 hour. After that it goes on with step 1a.2." in page
    assert f"{rests} 2 hours.\n" in page
    assert page.endswith(f"{rests} 3 hours.")


def test_where_the_flow_would_have_ended_it_is_told_that_it_goes_on() -> None:
    """Of an `if_no_answer` without `stop` a client read that a message comes, and not that the next question does."""
    page = told(
        "flows:\n  a:\n    when: [{ dm: hi }]\n    limits: { per_person: 1h }\n    do:\n"
        "      - ask:\n          question: Q\n          accept: number\n"
        '          if_no_answer: [{ send: "gone\\n" }]\n'
        "          if_not_understood: { then: [{ choose: [{ if: first_time, do: [stop] }, { else: [stop] }] }] }\n"
        "      - wait_for: { answer: any, up_to: 1h, if_not: [stop] }\n"
        "      - wait_for: { answer: any, up_to: 1h, if_not: [{ send: last }] }\n"
    )
    assert "Message: “gone”\n     - After that it goes on with step 2." in page
    assert page.count("After that") == 1


@pytest.mark.parametrize(
    ("text", "shown"), [("a {code}", "“a {code}”. "), ("a 🙌", "“a 🙌”. "), ("Yes!", "“Yes!” ")]
)
def test_a_quoted_text_is_parted_from_the_next_sentence(text: str, shown: str) -> None:
    page = told(
        "codes: { c: c.csv }\nflows:\n  a:\n    when: [{ dm: hi }]\n    limits: { per_person: 1h }\n    do:\n"
        f'      - give_code: {{ from: c, text: "{text}" }}\n'
    )
    assert f"{shown}If no code is left" in page
