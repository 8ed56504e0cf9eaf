"""`flows fmt`: one layout; comments stay, and nothing that a file says changes."""

import re
from collections import Counter
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pamosnik.flows import source, written
from pamosnik.flows.formatting import Formatted, Unreadable, formatted
from pamosnik.flows.load import load
from pamosnik.flows.problems import Severity
from tests.flows.corpus_files import Case, cases

HEAD = "version: 1\n\nflows:\n  a:\n    do:\n"


def made(text: str) -> str:
    """As it is formatted; formatting it again changes nothing."""
    found = formatted(text, "shop.yaml")
    assert isinstance(found, Formatted), found
    assert formatted(found.text, "shop.yaml") == found
    return found.text


MESSY = """\
# yaml-language-server: $schema=pamosnik.schema.json
# about the file

# about flows
flows:   # beside flows
  a:
    # about do
    do: # beside do
    # first
    - send: "over
         lines"   # beside
      id: x
    # - send: taken out
    - {send: {text: a, # inside
       one_of: [d]}}
    -  # dash
      send: "🙂 emoji"   # after emoji
    - choose:
      - do: [stop]
        if: first_time
      -   else:
          -   send: |   # beside the bar
                one
                  two   # text

                three

          # below the step
      # below choose
    when: [dm: yes, comment: {post: any, words:   [ a,b ]}]
  # below a
  b: {do: [stop], when: dm}



# about the version
version: 1   # one
# the end"""

NEAT = """\
# yaml-language-server: $schema=pamosnik.schema.json
# about the file

# about the version
version: 1   # one

# about flows
flows:   # beside flows
  a:
    when: [dm: "yes", comment: { words: [a, b], post: any }]
    # about do
    do:  # beside do
      # first
      - id: x
        send: "over
          lines"   # beside
      # - send: taken out
      - send:
          # inside
          text: a
          one_of: [d]
      # dash
      - send: "🙂 emoji"   # after emoji
      - choose:
          - if: first_time
            do: [stop]
          - else:
              - send: |   # beside the bar
                  one
                    two   # text

                  three

            # below the step
        # below choose

  # below a
  b: { when: dm, do: [stop] }
# the end
"""


def test_comments_of_every_position_go_where_their_line_goes() -> None:
    assert made(MESSY) == NEAT


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('      - send:   "x"\n', '      - send: "x"\n'),
        ("      -\n        send: 'x'\n", "      - send: 'x'\n"),
        ("      - send: |+\n         a\n\n\n", "      - send: |+\n          a\n\n\n"),
        (
            "      - send: |2\n           a\n          b\n\n\n",
            "      - send: |2\n           a\n          b\n",
        ),
        ("      - send: |\n           a", "      - send: |-\n          a\n"),
        ('      - send: "a\\\n         \\ b"\n', '      - send: "a\\\n          \\ b"\n'),
        (
            '      - send: "a\\ \n         b   \n         c"\n',
            '      - send: "a\\ \n          b\n          c"\n',
        ),
        ("      - send: |\n         a  \n            \n", "      - send: |\n          a  \n             \n"),
        ("      - send:\t'x'\t\t# c\n", "      - send: 'x'  # c\n"),
        ("      - send: |  \n         a\n", "      - send: |\n          a\n"),
        ("      - wait: {for: 2h }\n", "      - wait: { for: 2h }\n"),
        ("      - wait: {\n          for: 2h\n        }\n", "      - wait:\n          for: 2h\n"),
        ("      - tag: [\n          a,\n          b ]\n", "      - tag:\n          - a\n          - b\n"),
        ("      - tag: no\n", '      - tag: "no"\n'),
        ("      - wait: { until: 09:00 }\n", '      - wait: { until: "09:00" }\n'),
        ("      - { again: x, at_most: 2, id: y }\n", "      - { id: y, again: x, at_most: 2 }\n"),
        ("      - send: &t 'x'\n      - send:   *t\n", "      - send: &t 'x'\n      - send: *t\n"),
        ("      - &t\n         stop\n      - *t\n", "      - &t stop\n      - *t\n"),
        ("      - &t {send: x}\n      - *t\n", "      - &t { send: x }\n      - *t\n"),
        ("      - set: { day: x, a: z }\n", "      - set: { day: x, a: z }\n"),
    ],
)
def test_layout(before: str, after: str) -> None:
    if "again" in before:
        before, after = (f"      - id: x\n        send: x\n{one}" for one in (before, after))
    assert made(HEAD + before) == HEAD + after


def test_a_mark_stays_before_the_line_that_names_it() -> None:
    text = "version: 1\n\nflows:\n  a:\n    do: &steps\n      - stop\n    title: x\n  b:\n    do: *steps\n"
    assert made(text).index("&steps") < made(text).index("*steps")


def test_several_conditions_and_ways_of_a_split_keep_their_order() -> None:
    text = (
        HEAD + "      - split: { b: { share: 50 }, a: { share: 50 } }\n"
        "      - choose: [{ if: { window_open: , has_tag: x }, do: [stop] }]\n"
    )
    assert re.findall(r"\b(b|a): {", made(text)) == ["b", "a"]
    assert made(text).index("window_open") < made(text).index("has_tag")


def test_the_example_is_in_this_layout() -> None:
    text = (Path(__file__).parents[2] / "flows.example.yaml").read_text("utf-8")
    assert made(text) == text


def test_marks_of_a_document_and_what_stands_around_them() -> None:
    assert made("# x\n---\nversion: 1\nflows: {}\n...\n# y\n") == "# x\n---\nversion: 1\nflows: {}\n# y\n"
    # What stood below the mark kept an empty line above it, which went when the file was formatted again.
    assert made("# x\n---\n# y\n\nversion: 1\nflows: {}\n") == "# x\n# y\n---\nversion: 1\nflows: {}\n"
    assert made("---\n# y\n{version: 1, flows: {}}\n") == "# y\n---\n{ version: 1, flows: {} }\n"


@pytest.mark.parametrize("text", ["", "# nothing\n", "version: 1\nflows:\n  a:\n    do: [sned: x]\n", "a: ]"])
def test_a_file_with_errors_has_no_layout(text: str) -> None:
    found = formatted(text, "shop.yaml")
    assert isinstance(found, Unreadable)
    assert found.problems


def test_what_another_file_has_to_say_is_no_error_here() -> None:
    made(HEAD + "      - run: flow-of-another-file\n      - send: '{fact_of_another_file}'\n")


def test_the_deepest_file_that_can_be_read_has_a_layout() -> None:
    levels = source.MAX_DEPTH - 8  # seven stand around, and one is the text
    text = HEAD + "      - call: { webhook: w, send: { a: " + "[" * levels + "x" + "]" * levels + " } }\n"
    assert made(text) == text
    assert isinstance(formatted(text.replace("x", "[x]"), "shop.yaml"), Unreadable)
    lines = text.replace("[", "[\n        ").replace("]", "\n        ]")
    made(lines)


FILES = [text for case in cases("valid") for text in case.files.values() if text.count("again:") < 5]
"""Those with more have so many ways that to check one takes half a second, however it is laid out."""


@pytest.mark.parametrize("case", cases("valid"), ids=lambda case: case.title)
def test_every_valid_file_means_the_same_afterwards(case: Case) -> None:
    before = load(list(case.files.items()))
    after = load([(name, made(text)) for name, text in case.files.items()])
    assert [(flow.id, flow.body) for flow in after.flows] == [(flow.id, flow.body) for flow in before.flows]
    assert after.settings == before.settings
    assert not after.has_errors


@st.composite
def scribbled(draw: st.DrawFn) -> str:
    """A valid file with comments, empty lines, other indentation and brackets over several lines put in anywhere."""
    text = draw(st.sampled_from(FILES))
    for number in range(draw(st.integers(1, 6))):
        changed = _scribble(draw, text.removesuffix("\n").split("\n"), f"# c{number}")
        if _says(changed) == _says(text):
            text = changed
    return text.removesuffix("\n") if draw(st.booleans()) else text


def _scribble(draw: st.DrawFn, lines: list[str], comment: str) -> str:
    at = draw(st.integers(0, len(lines) - 1))
    line = lines[at]
    indent = len(line) - len(line.lstrip())
    match draw(st.integers(0, 5)):
        case 0:
            lines.insert(at, " " * draw(st.sampled_from([0, 2, 3, 4, 6, 8, 10, 12])) + comment)
        case 1:
            lines[at] += " " * draw(st.integers(1, 4)) + comment
        case 2:
            lines[at:at] = [""] * draw(st.integers(1, 3))
        case 3:
            lines = [" " * (len(one) - len(one.lstrip())) + one for one in lines]
        case 4:
            lines = [re.sub(r"^( *)- ", r"\1-   ", one) for one in lines]
        case _:
            places = [match.end() for match in re.finditer(r"[,\[{]", line)] or [indent]
            place = draw(st.sampled_from(places))
            behind = draw(st.sampled_from(["", f" {comment}"]))
            deeper = " " * (indent + draw(st.sampled_from([2, 4, 5])))
            lines[at : at + 1] = [line[:place] + behind, deeper + line[place:].lstrip()]
    return "\n".join(lines) + "\n"


@cache
def _says(text: str) -> object:
    found = load([("shop.yaml", text)])
    problems = {problem.code for problem in found.problems if problem.severity is Severity.ERROR}
    return [(flow.id, flow.body) for flow in found.flows], found.settings, problems


@settings(max_examples=60, deadline=None)
@given(scribbled())
def test_whatever_a_file_looks_like_meaning_and_comments_stay(text: str) -> None:
    found = formatted(text, "shop.yaml")
    if isinstance(found, Unreadable):
        return
    again = made(text)
    assert _says(again) == _says(text)
    assert _comments(again) == _comments(text)


def _comments(text: str) -> Counter[str]:
    """Those that were put in; no flow of the corpus speaks like this."""
    return Counter(re.findall(r"# c\d", text))


def test_comments_are_found_beside_texts_that_look_like_them() -> None:
    text = "a: 'x # no'  # yes\nb: |  # of the bar\n  # no\n# yes, too\n"
    assert [(one.line, one.text) for one in written.comments(text)] == [(0, "# yes"), (3, "# yes, too")]
