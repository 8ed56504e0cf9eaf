"""A version of a flow, step by step: how many runs came to each, who waits there, and where people go no further.

The steps are those of the picture (`flows.graph.outline`), so page, picture and API say the same of each. What a
picture calls a way is one here, too: a tapped button, an answer, a branch.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from pamosnik._sqlite import Connection
from pamosnik.errors import NotFound
from pamosnik.flows.compile import compile_flow
from pamosnik.flows.graph.outline import Figures, Item, Outline, Shape, Way, outline
from pamosnik.model.flow import Flow
from pamosnik.model.step import Split
from pamosnik.services.reading.statistics import by_step
from pamosnik.services.shapes import Shape as Json
from pamosnik.store import flows as store
from pamosnik.store.accounts import Account

FIRST = "do.0"
"""Path of the first step of every flow."""
_RESTS = (Shape.QUESTION, Shape.WAIT, Shape.AWAIT)
"""Here people may stay away for good."""


@dataclass(frozen=True, slots=True)
class StepNumbers:
    path: str
    head: str
    """What kind of step it is, in the language of its file; may be empty."""
    text: str
    reached: int
    """Runs that came to it, each once."""
    share: float | None
    """Of those that came into the flow; None: nobody did, or more came here than came in since the first day."""
    here: int
    """People who wait there now, whenever they came."""
    lost: int | None
    """Came there, went no further and do not wait there; None: it cannot be told, or nobody can stay behind there."""
    ways: tuple["WayNumbers", ...]
    leads_to: str | None
    """The flow that goes on from here."""

    def shape(self) -> Json:
        return {
            "step": self.path,
            "what": ": ".join(filter(None, (self.head, self.text))),
            "reached": self.reached,
            "share": None if self.share is None else round(self.share, 4),
            "here": self.here,
            "lost": self.lost,
        }


@dataclass(frozen=True, slots=True)
class WayNumbers:
    """What leaves a step beside the way straight on."""

    label: str
    by_tap: bool
    steps: tuple[StepNumbers, ...]


@dataclass(frozen=True, slots=True)
class FlowSteps:
    flow: str
    version: str
    came_in: int
    """Runs that came to the first step."""
    firsts: Mapping[str, int]
    """Version → likewise, of all that anybody came into."""
    steps: tuple[StepNumbers, ...]
    most_lost: StepNumbers | None
    """Where most people go no further; None: nowhere did anybody."""
    outline: Outline
    splits: tuple[tuple[str, ...], ...]
    """The names of the ways of each `split`."""

    def figures(self) -> Mapping[str, Figures]:
        """For the picture."""
        worst = None if self.most_lost is None else self.most_lost.path
        return {
            one.path: Figures(one.reached, one.share, one.here, lost_most=one.path == worst)
            for one in _every(self.steps)
            if one.path.startswith("do.") and not one.path.endswith(".run")
        }

    def shape(self) -> Json:
        return {
            "flow": self.flow,
            "version": self.version,
            "came_in": self.came_in,
            "steps": [one.shape() for one in _every(self.steps)],
        }


def of_version(
    conn: Connection,
    account: Account,
    flow_id: str,
    version: str,
    *,
    since: str | None = None,
    until: str | None = None,
) -> FlowSteps:
    """`version`: by its first characters. Raises `NotFound`."""
    found = [one for one in store.versions(conn, account.id, flow_id) if one.version.startswith(version)]
    if len(found) != 1:
        raise NotFound(
            f"The flow {flow_id} has no version {version}.", hint=f"Try: pamosnik flows history {flow_id}"
        )
    kept = found[0]
    flow = compile_flow(flow_id, json.loads(kept.body), timezone=kept.timezone)
    language = json.loads(store.settings(conn, account.id)).get("language", "en")
    counted = by_step(conn, account, flow_id, since=since, until=until)
    counts = _Counts(
        flow,
        {one.step: one.reached for one in counted if one.version == kept.version},
        store.here_now(conn, account.id, flow_id, kept.version),
    )
    drawn = outline(flow, str(language))
    steps = counts.of(tuple(item for item in drawn.items if item.path in flow.steps))
    losing = [one for one in _every(steps) if one.lost]
    return FlowSteps(
        flow=flow_id,
        version=kept.version,
        came_in=counts.came_in,
        firsts={one.version: one.reached for one in counted if one.step == FIRST},
        steps=steps,
        most_lost=max(losing, key=lambda one: one.lost or 0, default=None),
        outline=drawn,
        splits=tuple(
            tuple(share.name for share in step.shares)
            for step in flow.steps.values()
            if isinstance(step, Split)
        ),
    )


class _Counts:
    def __init__(self, flow: Flow, reached: Mapping[str, int], here: Mapping[str, tuple[int, int]]) -> None:
        """`here`: people who wait at a step, and their runs: somebody may wait there in several."""
        self._real = flow.steps
        self._reached = reached
        self._here = here
        self.came_in = reached.get(FIRST, 0)

    def of(self, items: Sequence[Item]) -> tuple[StepNumbers, ...]:
        following = (*items[1:], None)
        return tuple(self._step(item, after) for item, after in zip(items, following, strict=True))

    def _step(self, item: Item, after: Item | None) -> StepNumbers:
        reached = self._reached.get(item.path, 0)
        ways = tuple(WayNumbers(way.label, way.tap, self.of(way.steps)) for way in item.ways)
        return StepNumbers(
            item.path,
            item.head,
            item.text,
            reached,
            self._share(reached),
            self._here.get(item.path, (0, 0))[0],
            self._lost(item, after, reached),
            ways,
            item.jump,
        )

    def _share(self, reached: int) -> float | None:
        return reached / self.came_in if 0 < self.came_in >= reached else None

    def _lost(self, item: Item, after: Item | None, reached: int) -> int | None:
        went_on = self._went_on(item, after)
        if went_on is None:
            return None
        return max(reached - went_on - self._here.get(item.path, (0, 0))[1], 0)

    def _went_on(self, item: Item, after: Item | None) -> int | None:
        """How many came to what follows. Ways that lead back to the next step are in its number already."""
        taps = item.shape is Shape.MESSAGE and after is None and any(way.tap for way in item.ways)
        if not (taps or item.shape in _RESTS):
            return None
        if after is None and (not item.ways or (item.onward is not None and not taps)):
            return None  # an answer ends the flow, and is no step
        if any(not way.bare and self._first(way) is None for way in item.ways):
            return None
        firsts = [(way, self._first(way) or 0) for way in item.ways]
        straight = 0 if after is None else self._reached.get(after.path, 0)
        apart = sum(n for way, n in firsts if not _leads_back(way))
        return max(straight + apart, sum(n for _, n in firsts))

    def _first(self, way: Way) -> int | None:
        """Runs that came to the first step of a way; None: it has none that is counted."""
        if not way.steps or way.steps[0].path not in self._real:
            return None
        return self._reached.get(way.steps[0].path, 0)


def _leads_back(way: Way) -> bool:
    return way.joins and not any(item.ends for item in way.steps)


def _every(steps: Sequence[StepNumbers]) -> Iterator[StepNumbers]:
    """In the order in which they are written."""
    for step in steps:
        yield step
        for way in step.ways:
            yield from _every(way.steps)
