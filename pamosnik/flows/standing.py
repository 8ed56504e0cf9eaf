"""Where people stand in a flow that changes, in the words of its file, and what becomes of them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import cast

from pamosnik.flows import durations
from pamosnik.flows.normal import Raw, list_of, map_of, strings
from pamosnik.model.flow import ONCE, Mode
from pamosnik.model.run import WaitKind

STEP_CHARS = 30
"""What is shown of a step."""


@dataclass(frozen=True, slots=True)
class Standing:
    """People of one version at one place."""

    version: str
    path: str
    """Of the step: `do.1`."""
    waits_for: WaitKind
    people: int
    step: str
    """In short, as it is written: `ask: For which day?`."""

    @property
    def only_tap(self) -> bool:
        """They are through, but a button can still be tapped; that does not count as being in it."""
        return self.waits_for is WaitKind.TAP


def step_at(body: Raw, path: str) -> Raw | None:
    """The step at a path, in a flow's normal form."""
    found: object = body
    for part in path.split("."):
        if isinstance(found, dict) and part in found:
            found = found[part]
        elif isinstance(found, list) and part.isdecimal() and int(part) < len(found):
            found = found[int(part)]
        else:
            return None
    return cast("Raw", found) if isinstance(found, dict) and "do" in found else None


def in_short(step: Raw | None) -> str:
    """A step as it is written, its first words."""
    if step is None:
        return "?"
    verb = str(step["do"])
    said = _said(verb, step)
    if len(said) > STEP_CHARS:
        said = said[: STEP_CHARS - 1].rstrip() + "…"
    return f"{verb}: {said}" if said else verb


def _said(verb: str, step: Raw) -> str:
    match verb:
        case "ask":
            said = str(step["question"])
        case "send" | "reply_publicly":
            said = next(iter(strings(step, "text") + strings(step, "one_of")), "")
        case "wait":
            until = step.get("until")
            said = durations.written(cast("int", step.get("for", 0))) if until is None else f"until {until}"
        case "wait_for":
            said = next((f"{key} {step[key]}" for key in ("tap", "click", "tag") if key in step), "an answer")
        case "call":
            said = str(step["webhook"])
        case _:
            said = str(step.get(verb, step.get("text", "")))
    return " ".join(said.split())


def where(standing: Standing) -> str:
    """`3 wait for an answer at `ask: For which day?` (do.1)`."""
    one = standing.people == 1
    what = _TAP if standing.only_tap else _WAITS.get(standing.waits_for, "waits at" if one else "wait at")
    return f"{standing.people} {what.format(s='s' if one else '')} `{standing.step}` ({standing.path})"


_TAP = "may still tap a button of"
_WAITS = {
    WaitKind.ANSWER: "owe{s} an answer to",
    WaitKind.TIMER: "stand{s} in",
    WaitKind.EFFECT: "wait{s} for what comes back from",
    WaitKind.FOR_ANSWER: "stand{s} in",
    WaitKind.FOR_TAP: "stand{s} in",
    WaitKind.FOR_CLICK: "stand{s} in",
    WaitKind.FOR_TAG: "stand{s} in",
}


def what_happens(
    *,
    people: int,
    standing: Sequence[Standing],
    before: Raw | None,
    after: Raw | None,
    renamed: bool,
    changed: bool,
    paused: bool = False,
    led_from: Sequence[str] = (),
) -> list[str]:
    """Sentences about the people in a flow that changes. `after`: None: the flow goes. `paused`: by command."""
    found: list[str] = []
    if after is None:
        paused = paused or (before or {}).get("state") == "paused"
        found += _gone(before or {}, led_from, paused=paused)
    if renamed:
        found.append("Runs, limits, numbers and links follow to the new id.")
    if people and (changed or after is None):
        them = "They finish" if people > 1 else "That person finishes"
        found.append(
            f"{them} it as it was when they began; hours, facts, words and addresses are as they are now."
        )
    inside = sum(one.people for one in standing if not one.only_tap)
    if after is not None and changed and inside:
        rests = paused or after.get("state") == "paused"
        found.append(_RESTS if rests else _MEANWHILE[Mode(str(after.get("mode", Mode.SINGLE)))])
    if after is not None and changed and map_of(after, "limits").get("per_person") == ONCE:
        found.append("Who had it before does not get it again (limits: per_person once).")
    return found


def _gone(before: Raw, led_from: Sequence[str], *, paused: bool) -> Iterator[str]:
    kinds = {str(trigger["trigger"]) for trigger in list_of(before, "when")}
    yield "Nobody new gets in; taps on buttons that it has sent go on working."
    if "schedule" in kinds:
        yield "No broadcast of it begins any more, and one that is under way ends."
    if kinds & {"ice_breaker", "menu"}:
        yield "Its opening questions and menu items disappear from Instagram."
    if led_from:
        end = "end there, for it is paused" if paused else "still come to it"
        yield f"People in {', '.join(led_from)} whose version goes on in it with `run:` {end}."


def runs_of(body: object) -> Iterator[str]:
    """Flows that a flow goes on in, from a step or a button."""
    if isinstance(body, list):
        for item in body:
            yield from runs_of(item)
    elif isinstance(body, Mapping):
        if isinstance(body.get("run"), str):
            yield str(body["run"])
        for item in body.values():
            yield from runs_of(item)


_RESTS = "It starts nobody while it is paused."
_MEANWHILE = {
    Mode.SINGLE: "Until they are through, it does not start for them anew (mode: single).",
    Mode.RESTART: "Who triggers it again leaves the old version and begins the new one (mode: restart).",
    Mode.PARALLEL: "Who triggers it again is in the new version, too (mode: parallel).",
}
