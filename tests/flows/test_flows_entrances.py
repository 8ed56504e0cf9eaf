"""Opening questions and menu items in flow files."""

import pytest

from pamosnik.flows.load import AppliedSource, load
from pamosnik.model.trigger import IceBreakerTrigger, MenuTrigger
from tests.flows.files import compiled, found, read


def _flow(*triggers: str, name: str = "a", more: str = "") -> str:
    when = "".join(f"      - {trigger}\n" for trigger in triggers)
    return f"  {name}:\n{more}    when:\n{when}    do:\n      - tag: x\n"


def _file(*flows: str) -> str:
    return "version: 1\nflows:\n" + "".join(flows)


def _errors(text: str) -> list[str]:
    return [problem.code for problem in read(text).problems if problem.severity == "error"]


def test_written_and_meant() -> None:
    flow = compiled(_file(_flow("ice_breaker: Do you ship abroad?", "menu: { label: Opening hours }")))
    assert flow.triggers == (IceBreakerTrigger("Do you ship abroad?"), MenuTrigger("Opening hours"))


@pytest.mark.parametrize(
    ("written", "column", "code"),
    [
        ("ice_breaker", 9, "missing-value"),
        ("ice_breaker: [a, b]", 22, "text-expected"),
        ("ice_breaker: 'Hi {username}'", 22, "same-for-all"),
        ("ice_breaker: Stop", 22, "safety-word"),
        ("ice_breaker: " + "x" * 81, 22, "question-long"),
        ("menu: Talk to a human", 15, "safety-word"),
        ("menu: " + "x" * 21, 15, "label-too-long"),
        ("menu: { lable: x }", 17, "unknown-key"),
    ],
)
def test_what_is_wrong_is_said(written: str, column: int, code: str) -> None:
    assert found(_file(_flow(written))) == [(5, column, code)]


def test_the_hint_for_a_list() -> None:
    (problem,) = read(_file(_flow("menu: [a, b]"))).problems
    assert problem.hint == "Write a line for each: - menu: …"


_QUESTIONS = [f"ice_breaker: Question {number}" for number in range(1, 6)]


def test_four_opening_questions_and_no_more() -> None:
    assert found(_file(_flow(*_QUESTIONS[:4]))) == []
    (problem,) = read(_file(_flow(*_QUESTIONS[:3]), _flow(*_QUESTIONS[3:], name="b"))).problems
    assert (problem.line, problem.column, problem.code) == (13, 22, "too-many-ice-breakers")
    assert "5 opening questions in all (`a`, `b`)" in problem.message


def test_they_are_counted_with_what_stays_applied() -> None:
    before = read(_file(_flow(*_QUESTIONS[:4], name="applied")))
    stays = AppliedSource({flow.id: flow.body for flow in before.flows})
    (problem,) = load([("shop.yaml", _file(_flow(_QUESTIONS[4])))], applied=stays).problems
    assert (problem.file, problem.line, problem.code) == ("shop.yaml", 5, "too-many-ice-breakers")


def test_they_are_counted_for_each_connection() -> None:
    one = _flow(*_QUESTIONS[:3], more="    connections: rose\n")
    other = _flow(*_QUESTIONS[3:], name="b", more="    connections: lily\n")
    assert _errors(_file(one, other)) == []
    assert _errors(_file(one, _flow(*_QUESTIONS[3:], name="b"))) == ["too-many-ice-breakers"]


def test_a_paused_flow_shows_nothing() -> None:
    paused = _flow(*_QUESTIONS[3:], name="b", more="    state: paused\n")
    assert found(_file(_flow(*_QUESTIONS[:3]), paused)) == []


def test_more_than_five_menu_items_are_warned_of() -> None:
    items = [f"menu: Item {number}" for number in range(6)]
    assert found(_file(_flow(*items[:5]))) == []
    (problem,) = read(_file(_flow(*items))).problems
    assert (problem.line, problem.code, problem.severity) == (10, "many-menu-items", "warning")


def test_the_same_question_twice_is_a_clash() -> None:
    two = _file(_flow("ice_breaker: Prices?"), _flow("ice_breaker: PRICES", name="b"))
    assert [code for *_, code in found(two)] == ["clash"]
    assert found(_file(_flow("ice_breaker: Prices?"), _flow("menu: Prices?", name="b"))) == []
