"""Opening questions and menu items: what Instagram shows of flows before anybody writes."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import cast

from pamosnik.flows.bodies import triggers
from pamosnik.flows.check import is_safety_word
from pamosnik.flows.outcome import Outcome
from pamosnik.flows.problems import Problem, Severity
from pamosnik.instagram import limits
from pamosnik.model.words import fold, trim

Raw = Mapping[str, object]
_KEYS = {"ice_breaker": "question", "menu": "label"}


@dataclass(frozen=True, slots=True)
class _Shown:
    """One of them, and where it stands."""

    flow_id: str
    path: str
    label: str


def check(outcome: Outcome) -> list[Problem]:
    """All problems of the flows in these files, beside what stays applied."""
    found: list[Problem] = []
    for kind in _KEYS:
        shown = list(_shown(outcome, kind))
        for one in shown:
            if one.flow_id in outcome.here:
                found += _label(outcome, one, kind)
        found += _too_many(outcome, shown, kind)
    return found


def _shown(outcome: Outcome, kind: str) -> Iterator[_Shown]:
    key = _KEYS[kind]
    for flow_id, body in outcome.flows.items():
        for number, trigger in enumerate(triggers(body)):
            if trigger["trigger"] == kind and key in trigger:
                yield _Shown(flow_id, f"{flow_id}:when.{number}.{key}", str(trigger[key]))


def _label(outcome: Outcome, one: _Shown, kind: str) -> Iterator[Problem]:
    label = one.label
    if is_safety_word(outcome.settings, label):
        message = f"`{label}` is a safety word: people stop, start or call a human with it"
        yield outcome.problem(one.path, "safety-word", message, "Take other words.")
    if "{" in label:
        message = "everybody sees the same text here: nothing can be filled in"
        yield outcome.problem(one.path, "same-for-all", message, "Write it without { and }.")
    if kind == "menu" and len(label) > limits.LABEL_CHARS:
        message = f"the label has {len(label)} characters; Instagram takes {limits.LABEL_CHARS}"
        yield outcome.problem(one.path, "label-too-long", message)
    if kind == "ice_breaker" and len(label) > limits.QUESTION_CHARS:
        message = (
            f"the question has {len(label)} characters; Instagram may cut it after {limits.QUESTION_CHARS}"
        )
        yield outcome.problem(one.path, "question-long", message, "Make it shorter.", Severity.WARNING)


def _too_many(outcome: Outcome, shown: list[_Shown], kind: str) -> Iterator[Problem]:
    """Counted for each connection: what it shows, however many flows that comes from."""
    most = limits.ICE_BREAKERS if kind == "ice_breaker" else limits.MENU_ITEMS
    live = [one for one in shown if outcome.flows[one.flow_id].get("state") != "paused"]
    for username in _usernames(outcome):
        here: dict[str, _Shown] = {}
        for one in live:
            if _is_for(outcome.flows[one.flow_id], username):
                here.setdefault(trim(fold(one.label)), one)
        beyond = [one for one in list(here.values())[most:] if one.flow_id in outcome.here]
        mine = beyond or [one for one in here.values() if one.flow_id in outcome.here]
        if len(here) > most and mine:
            yield _beyond(outcome, mine[-1 if not beyond else 0], kind, list(here.values()), most)
            return


def _beyond(outcome: Outcome, blamed: _Shown, kind: str, all_: list[_Shown], most: int) -> Problem:
    flows = ", ".join(f"`{name}`" for name in dict.fromkeys(one.flow_id for one in all_))
    if kind == "ice_breaker":
        message = f"these are {len(all_)} opening questions in all ({flows}); Instagram takes {most}"
        return outcome.problem(
            blamed.path, "too-many-ice-breakers", message, "Take some out, or make a `menu` item of one."
        )
    message = f"these are {len(all_)} menu items in all ({flows}); Instagram recommends {most} at most"
    return outcome.problem(blamed.path, "many-menu-items", message, None, Severity.WARNING)


def _usernames(outcome: Outcome) -> list[str | None]:
    """Every connection that flows name, and one that none does."""
    named = {
        name.casefold()
        for body in outcome.flows.values()
        for name in cast("list[str]", body.get("connections", []))
    }
    return [None, *sorted(named)]


def _is_for(body: Raw, username: str | None) -> bool:
    names = {name.casefold() for name in cast("list[str]", body.get("connections", []))}
    return not names or username in names
