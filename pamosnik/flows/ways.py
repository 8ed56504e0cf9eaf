"""The ways through flows: triggers, branches, buttons. A way that no test goes is one that nobody has tried."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import cast

from pamosnik.flows import bodies
from pamosnik.flows.bodies import Placed
from pamosnik.flows.load import FlowSource, Loaded
from pamosnik.flows.normal import Raw, list_of
from pamosnik.flows.source import Mark

STARTED = "started"
"""In place of a path, for a flow without triggers: whether another one leads to it."""
_OPTION = {"buttons": "button", "chips": "chip", "choices": "choice"}


@dataclass(frozen=True, slots=True)
class Way:
    """One of several ways that a conversation can go."""

    flow: str
    path: str
    """`when.0`, `do.1.choose.0`, `do.0.buttons.1`, `do.2.if_no_answer`, …; `started`."""
    what: str
    """In words."""
    name: str
    """The label of a button, the name of a way of `split`, the word of a trigger or branch."""
    file: str
    line: int


def ways(loaded: Loaded) -> tuple[Way, ...]:
    """Of all flows of the files, in file order."""
    return tuple(way for flow in loaded.flows for way in _of_flow(loaded, flow))


def _of_flow(loaded: Loaded, flow: FlowSource) -> Iterator[Way]:
    triggers = list_of(flow.body, "when")
    if not triggers:
        yield Way(flow.id, STARTED, "started by another flow", "run", flow.file, flow.line)
    for number, trigger in enumerate(triggers):
        word = str(trigger["trigger"])
        yield _way(loaded, flow, f"when.{number}", f"started by {word}", word)
    for step in bodies.steps(flow.id, flow.body):
        for path, what, name in _of_step(step):
            yield _way(loaded, flow, path.partition(":")[2], what, name)


def _of_step(step: Placed) -> Iterator[tuple[str, str, str]]:
    verb = step.raw["do"]
    for place, key, option in bodies.options(step.raw, step.path):
        if "do" in option or "run" in option:
            yield place, f"{_OPTION[key]} “{option['label']}”", str(option["label"])
    for number, branch in enumerate(list_of(step.raw, "choose")):
        word = "else" if "else" in branch else "if"
        yield f"{step.path}.choose.{number}", f"{word} of choose, way {number + 1}", word
    for number, share in enumerate(list_of(step.raw, "split")):
        yield f"{step.path}.split.{number}", f"way “{share['name']}” of split", str(share["name"])
    for key in bodies.OWN_BRANCHES:
        if key in step.raw:
            yield f"{step.path}.{key}", f"{key} of {verb}", key
    if "then" in cast("Raw", step.raw.get("if_not_understood", {})):
        yield f"{step.path}.if_not_understood.then", f"if_not_understood of {verb}", "if_not_understood"


def _way(loaded: Loaded, flow: FlowSource, path: str, what: str, name: str) -> Way:
    known = f"{flow.id}:{path}"
    while known not in loaded.places and "." in known:
        known = known.rpartition(".")[0]
    file, mark = loaded.places.get(known, (flow.file, Mark(flow.line, 1)))
    return Way(flow.id, path, what, name, file, mark.line)
