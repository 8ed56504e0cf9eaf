"""Steps on the message or comment that started a run."""

from dataclasses import replace

import pytest

from pamosnik.engine.decide import decide
from pamosnik.model.decision import Act, Decision, Started
from pamosnik.model.outbox import Action
from pamosnik.model.run import RunStatus
from tests.engine.shop import NOW, anna, facts, run, steps

_ALL = "      - react: ❤️\n      - hide_comment\n      - delete_comment"


def _done(origin: dict[str, object], *, comment: bool = False, window: bool = True) -> Decision:
    made, flow = steps(_ALL)
    begun = run(flow, comment=comment)
    begun = replace(begun, origin=replace(begun.origin, **origin))  # type: ignore[arg-type]
    return decide(flow, begun, Started(), facts(made, anna(window=window)), NOW)


def test_a_message_gets_a_reaction_and_nothing_is_hidden() -> None:
    decision = _done({"message_id": "m1"})
    assert decision.effects == (Act("do.0", Action.REACT, "m1", "❤️"),)
    assert [(check.what, check.result) for check in decision.trace] == [
        ("do.0", "done"),
        ("do.1", "skipped"),
        ("do.2", "skipped"),
    ]
    assert decision.run.status is RunStatus.COMPLETED


def test_a_comment_is_hidden_and_deleted_and_gets_no_reaction() -> None:
    decision = _done({}, comment=True, window=False)
    assert decision.effects == (Act("do.1", Action.HIDE), Act("do.2", Action.DELETE))
    assert "no app react to comments" in decision.trace[0].detail


@pytest.mark.parametrize(
    ("origin", "comment", "window"),
    [({}, False, True), ({"message_id": "m1"}, False, False), ({"live": True}, True, True)],
)
def test_what_nothing_can_be_done_about(origin: dict[str, object], comment: bool, window: bool) -> None:
    decision = _done(origin, comment=comment, window=window)
    assert decision.effects == ()
    assert [check.result for check in decision.trace] == ["skipped"] * 3
    assert all(check.detail for check in decision.trace)
