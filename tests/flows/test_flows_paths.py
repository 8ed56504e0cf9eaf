"""Whatever a flow looks like: a second message is refused exactly where somebody could get one unanswered."""

import json
from collections.abc import Iterator
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.flows.files import read

Step = dict[str, Any]

_PLAIN: list[Step] = [
    {"send": "Hi"},
    {"ask": {"question": "Well?"}},
    {"tag": "x"},
    {"wait": "1h"},
    {"stop": None},
]


def _nested(inner: st.SearchStrategy[list[Step]]) -> st.SearchStrategy[Step]:
    return st.one_of(
        st.builds(lambda do: {"choose": [{"if": "first_time", "do": do}]}, inner),
        st.builds(
            lambda do, last: {"choose": [{"if": "first_time", "do": do}, {"else": last}]}, inner, inner
        ),
        st.builds(lambda do: {"ask": {"question": "Well?", "if_no_answer": do}}, inner),
        st.builds(lambda do: {"send": {"text": "Tap", "buttons": [{"label": "More", "do": do}]}}, inner),
        st.builds(
            lambda do, other: {"split": {"a": {"share": 50, "do": do}, "b": {"share": 50, "do": other}}},
            inner,
            inner,
        ),
    )


_STEPS = st.recursive(
    st.lists(st.sampled_from(_PLAIN), min_size=1, max_size=4),
    lambda inner: st.lists(st.one_of(st.sampled_from(_PLAIN), _nested(inner)), min_size=1, max_size=4),
    max_leaves=6,
)


_ANSWERED = -99
"""Behind an answer any number of messages is fine."""


def _behind(step: Step, unanswered: int) -> Iterator[int | None]:
    """After one step; None where the way ends."""
    if "stop" in step:
        yield None
    elif "send" in step:
        yield unanswered + 1
    elif "ask" in step:
        yield unanswered + 1 if unanswered > 0 else _ANSWERED
        if "if_no_answer" in step["ask"]:
            yield from _walks(step["ask"]["if_no_answer"], unanswered + 1)
    elif "choose" in step:
        ways = [way.get("do", way.get("else")) for way in step["choose"]]
        for way in ways if len(ways) == 2 else [*ways, []]:
            yield from _walks(way, unanswered)
    elif "split" in step:
        for way in step["split"].values():
            yield from _walks(way["do"], unanswered)
    else:
        yield unanswered


def _walks(steps: list[Step], unanswered: int) -> Iterator[int | None]:
    """Each way by itself: how many messages nobody has answered behind these steps; 2 is one too many."""
    if not steps:
        yield unanswered
        return
    for behind in _behind(steps[0], unanswered):
        if behind is None or behind > 1:
            yield behind
        else:
            yield from _walks(steps[1:], behind)


@settings(max_examples=300, deadline=None)
@given(_STEPS)
def test_a_second_message_is_found_exactly_where_there_is_one(steps: list[Step]) -> None:
    flow = {"when": [{"comment": "price"}], "limits": {"per_person": "once"}, "do": steps}
    text = json.dumps({"version": 1, "flows": {"shop": flow}}, indent=1).replace("null", "")
    found = any(problem.code == "second-message" for problem in read(text).problems)
    assert found == any(end is not None and end > 1 for end in _walks(steps, 0))
