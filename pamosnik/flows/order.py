"""File order, where only some of the applied flows stand in the files that are applied."""

from bisect import bisect_left
from collections.abc import Collection, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Move:
    """A flow that changes its place among those that were applied before."""

    flow_id: str
    after: str | None
    """The one before it now; None: it stands first."""


def merged(applied: Sequence[str], files: Sequence[str]) -> tuple[str, ...]:
    """Everything in its order afterwards. Both without flows that go, renamed ones under their new ids.

    Flows of the files stand as the files say, in the places they had; a new one behind the one before it there.
    What no file mentions stays where it is: files that are applied in turn do not push each other about.
    """
    here, known = set(files), set(applied)
    in_turn = iter([flow_id for flow_id in files if flow_id in known])
    new: dict[str | None, list[str]] = {}
    before: str | None = None
    for flow_id in files:
        if flow_id in known:
            before = flow_id
        else:
            new.setdefault(before, []).append(flow_id)
    order: list[str] = []
    first = new.pop(None, [])
    for flow_id in applied:
        if flow_id not in here:
            order.append(flow_id)
            continue
        order += first
        first = []
        one = next(in_turn)
        order += (one, *new.get(one, ()))
    return (*order, *first)


def moves(before: Sequence[str], after: Sequence[str]) -> tuple[Move, ...]:
    """The fewest flows whose moving makes the one order from the other. What only one of them has does not count."""
    there = set(after)
    place = {flow_id: number for number, flow_id in enumerate(one for one in before if one in there)}
    kept = [flow_id for flow_id in after if flow_id in place]
    stay = _longest_rise([place[flow_id] for flow_id in kept])
    return tuple(
        Move(flow_id, kept[number - 1] if number else None)
        for number, flow_id in enumerate(kept)
        if place[flow_id] not in stay
    )


def _longest_rise(numbers: Sequence[int]) -> Collection[int]:
    """The longest rising choice from different numbers."""
    ends: list[int] = []
    before: dict[int, int | None] = {}
    for number in numbers:
        length = bisect_left(ends, number)
        before[number] = ends[length - 1] if length else None
        ends[length : length + 1] = [number]
    found: set[int] = set()
    last = ends[-1] if ends else None
    while last is not None:
        found.add(last)
        last = before[last]
    return found
