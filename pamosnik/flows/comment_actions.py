"""Steps on the message or comment that started a run: where they can do nothing, and what cannot follow them."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import cast

from pamosnik.flows.bodies import Placed, branches, only_comments, started_by_comments, steps, triggers
from pamosnik.flows.outcome import Outcome
from pamosnik.flows.problems import Problem, Severity
from pamosnik.flows.schema_steps import UNREAD

Raw = Mapping[str, object]

_ON_COMMENT = ("hide_comment", "delete_comment")
_MESSAGES = frozenset(
    {"dm", "story_reply", "story_mention", "shared_post", "first_message", "anything_else", "link", "ad"}
)
"""Triggers behind which a message may stand that can be reacted to."""


def check(outcome: Outcome) -> Iterator[Problem]:
    """All problems of the flows in these files."""
    gone_on_in = {str(step.raw["run"]) for step in _every_step(outcome) if "run" in step.raw}
    for flow_id in sorted(outcome.here):
        body = outcome.flows[flow_id]
        if flow_id not in gone_on_in and triggers(body) and outcome.knows_triggers(flow_id):
            yield from _without_effect(outcome, flow_id, body)
        if started_by_comments(body):
            found: dict[tuple[str, str], Problem] = {}
            _Walk(outcome, found).go(cast("list[Raw]", body.get("do", [])), f"{flow_id}:do", {_State()})
            yield from found.values()


def _every_step(outcome: Outcome) -> Iterator[Placed]:
    for flow_id, body in outcome.flows.items():
        yield from steps(flow_id, body)


def _without_effect(outcome: Outcome, flow_id: str, body: Raw) -> Iterator[Problem]:
    kinds = {str(trigger["trigger"]) for trigger in triggers(body)}
    for step in steps(flow_id, body):
        kind = str(step.raw["do"])
        if kind == "react" and only_comments(body):
            message = "`react` does nothing here: Instagram lets no app react to comments"
            hint = "Take it out; it works in flows that messages start."
            yield outcome.problem(step.path, "no-message-here", message, hint, Severity.WARNING)
        elif (kind == "react" or step.raw.get("quote")) and not kinds & _MESSAGES:
            what, place = ("react", step.path) if kind == "react" else ("quote", f"{step.path}.quote")
            message = f"`{what}` does nothing here: no message starts this flow"
            yield outcome.problem(place, "no-message-here", message, None, Severity.WARNING)


@dataclass(frozen=True, slots=True)
class _State:
    """Of the comment, on one way through a flow."""

    gone: str | None = None
    """The step by which it went."""
    opened: bool = False
    """The private message went before."""


class _Walk:
    """Goes every way through a flow that a comment starts. What another flow does is not looked at."""

    def __init__(self, outcome: Outcome, found: dict[tuple[str, str], Problem]) -> None:
        self._outcome = outcome
        self._found = found

    def go(self, raw: list[Raw], path: str, states: set[_State]) -> set[_State]:
        """The states that lead on behind a list of steps."""
        for number, step in enumerate(raw):
            here = f"{path}.{number}"
            kind = str(step["do"])
            if kind in ("stop", "run", "opt_out", UNREAD):
                return set()
            self._refused(kind, here, states)
            states = set(_behind(kind, step, states))
            for inner_path, inner in branches(step, here):
                states |= self.go(inner, inner_path, states)
        return states

    def _refused(self, kind: str, here: str, states: set[_State]) -> None:
        gone = sorted({state.gone for state in states if state.gone is not None})
        if kind == "reply_publicly" and gone:
            message = f"after `{gone[0]}` Instagram takes no public reply to that comment"
            self._say(here, "comment-gone", message, f"Put it before `{gone[0]}`.")
        late = any(state.gone == "delete_comment" and not state.opened for state in states)
        if kind in ("send", "ask", "give_code") and late:
            message = "after `delete_comment` Instagram takes no private message to that comment"
            self._say(
                here, "comment-gone", message, "Put `delete_comment` behind it: it waits for the message."
            )

    def _say(self, path: str, code: str, message: str, hint: str) -> None:
        self._found.setdefault((code, path), self._outcome.problem(path, code, message, hint))


def _behind(kind: str, step: Raw, states: Iterable[_State]) -> Iterator[_State]:
    for state in states:
        if kind in _ON_COMMENT:
            yield state if state.gone == "delete_comment" else replace(state, gone=kind)
        elif kind in ("send", "ask") or (kind == "give_code" and "text" in step):
            yield replace(state, opened=True)
        else:
            yield state
