"""What stands in the body of a flow in its normal form: its triggers, and its steps however deep."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import cast

Raw = Mapping[str, object]

OWN_BRANCHES = ("if_no_answer", "if_empty", "if_not", "if_it_fails")
"""Lists of steps that stand in the step itself."""
_COMMENTS = frozenset({"comment", "live_comment"})


@dataclass(frozen=True, slots=True)
class Placed:
    """A step with the path it stands at."""

    path: str
    raw: Raw
    last: bool
    """The last of its list."""


def steps(flow_id: str, body: Raw) -> Iterator[Placed]:
    """Every step of a flow, nested ones included."""
    yield from _steps(cast("list[Raw]", body.get("do", [])), f"{flow_id}:do")


def given_tags(flow_id: str, body: Raw) -> Iterator[str]:
    """Tags that its steps give."""
    for step in steps(flow_id, body):
        if step.raw["do"] == "tag":
            yield from cast("list[str]", step.raw.get("tag", []))


def _steps(raw: list[Raw], path: str) -> Iterator[Placed]:
    for number, step in enumerate(raw):
        here = f"{path}.{number}"
        yield Placed(here, step, last=number == len(raw) - 1)
        for inner_path, inner in branches(step, here):
            yield from _steps(inner, inner_path)


def branches(step: Raw, path: str) -> Iterator[tuple[str, list[Raw]]]:
    """The lists of steps inside one step."""
    for place, _, option in options(step, path):
        if "do" in option:
            yield f"{place}.do", cast("list[Raw]", option["do"])
    for key in ("choose", "split"):
        for number, entry in enumerate(cast("list[Raw]", step.get(key, []))):
            for name in ("do", "else"):
                if name in entry:
                    yield f"{path}.{key}.{number}.{name}", cast("list[Raw]", entry[name])
    for key in OWN_BRANCHES:
        if key in step:
            yield f"{path}.{key}", cast("list[Raw]", step[key])
    misfit = cast("Raw", step.get("if_not_understood", {}))
    if "then" in misfit:
        yield f"{path}.if_not_understood.then", cast("list[Raw]", misfit["then"])


def asked_hours(body: object) -> Iterator[str]:
    """Names of the hours that conditions within a part of a flow ask for."""
    if isinstance(body, list):
        for item in body:
            yield from asked_hours(item)
    elif isinstance(body, Mapping):
        if body.get("if") in ("during", "outside"):
            yield str(body["value"])
        for item in body.values():
            yield from asked_hours(item)


def ways_of(step: Raw) -> list[Raw]:
    """The branches of a `choose`, the ways of a `split`: one of them is taken at once."""
    return cast("list[Raw]", step.get("choose", step.get("split", [])))


def falls_through(step: Raw) -> bool:
    """Whether somebody may take none of its ways, or one without steps."""
    if step["do"] == "split":
        return any("do" not in way for way in ways_of(step))
    ways = ways_of(step)
    return not ways or "else" not in ways[-1]


def options(step: Raw, path: str) -> Iterator[tuple[str, str, Raw]]:
    """Buttons, chips and choices of a step: where each stands, under which key, and the thing itself."""
    for place, said in ((path, step), *cards(step, path)):
        for key in ("buttons", "chips", "choices"):
            for number, option in enumerate(cast("list[Raw]", said.get(key, []))):
                yield f"{place}.{key}.{number}", key, option


def cards(step: Raw, path: str) -> Iterator[tuple[str, Raw]]:
    """The cards of a step, each with its place."""
    for number, card in enumerate(cast("list[Raw]", step.get("cards", []))):
        yield f"{path}.cards.{number}", card


def parts(step: Raw) -> tuple[str, ...]:
    """What a `send` says: each of these is a message of its own at Instagram."""
    has = {
        "text": "text" in step or "one_of" in step,
        "images": "image" in step or "images" in step,
        **{key: bool(step.get(key)) for key in ("video", "audio", "file", "post", "cards", "heart")},
    }
    return tuple(name for name, there in has.items() if there)


def json_texts(value: object, path: str) -> Iterator[tuple[str, str]]:
    """Every text of what a `call` sends, with its path."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            here = f"{path}.{re.sub('[.:]', '_', key)}"
            yield from [(here, inner)] if isinstance(inner, str) else json_texts(inner, here)
    elif isinstance(value, list) and path.rpartition(".")[2] != "send":
        for number, inner in enumerate(value):
            here = f"{path}.{number}"
            yield from [(here, inner)] if isinstance(inner, str) else json_texts(inner, here)


def triggers(body: Raw) -> list[Raw]:
    """The triggers of a flow."""
    return cast("list[Raw]", body.get("when", []))


def only_comments(body: Raw) -> bool:
    """Whether nothing but comments starts it."""
    kinds = {trigger["trigger"] for trigger in triggers(body)}
    return bool(kinds) and kinds <= _COMMENTS


def started_by_comments(body: Raw) -> bool:
    """Whether a comment may start it."""
    return any(trigger["trigger"] in _COMMENTS for trigger in triggers(body))
