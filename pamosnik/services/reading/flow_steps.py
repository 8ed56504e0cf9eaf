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
from pamosnik.flows.graph.outline import Figures, Item, Outline, Shape, outline
from pamosnik.model.flow import Flow
from pamosnik.model.step import Split
from pamosnik.services.reading.statistics import StepCounts, by_step
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
        {one.step: one for one in counted if one.version == kept.version},
        store.here_now(conn, account.id, flow_id, kept.version),
        store.stay_here(conn, account.id, flow_id, kept.version),
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
    def __init__(
        self,
        flow: Flow,
        counted: Mapping[str, StepCounts],
        here: Mapping[str, int],
        staying: Mapping[str, int],
    ) -> None:
        """`here`: people who wait at a step; `staying`: runs that do and have been no further: somebody may wait in
        several."""
        self._real = flow.steps
        self._counted = counted
        self._here = here
        self._staying = staying
        self.came_in = self._reached(FIRST)

    def _reached(self, path: str) -> int:
        return self._counted[path].reached if path in self._counted else 0

    def of(self, items: Sequence[Item]) -> tuple[StepNumbers, ...]:
        following = (*items[1:], None)
        return tuple(self._step(item, after) for item, after in zip(items, following, strict=True))

    def _step(self, item: Item, after: Item | None) -> StepNumbers:
        reached = self._reached(item.path)
        ways = tuple(WayNumbers(way.label, way.tap, self.of(way.steps)) for way in item.ways)
        return StepNumbers(
            item.path,
            item.head,
            item.text,
            reached,
            self._share(reached),
            self._here.get(item.path, 0),
            self._lost(item, after),
            ways,
            item.jump,
        )

    def _share(self, reached: int) -> float | None:
        return reached / self.came_in if 0 < self.came_in >= reached else None

    def _lost(self, item: Item, after: Item | None) -> int | None:
        if not self._is_told(item, after):
            return None
        counted = self._counted.get(item.path)
        if counted is None:
            return 0
        # Of a few days more may go on than came.
        return max(counted.reached - counted.onward - self._staying.get(item.path, 0), 0)

    def _is_told(self, item: Item, after: Item | None) -> bool:
        """Whether people can stay behind there, and whoever goes on comes to a step of this flow that follows."""
        taps = item.shape is Shape.MESSAGE and after is None and any(way.tap for way in item.ways)
        if not (taps or item.shape in _RESTS):
            return False
        if after is None and (not item.ways or (item.onward is not None and not taps)):
            return False  # an answer ends the flow, and is no step
        return all(way.bare or (way.steps and way.steps[0].path in self._real) for way in item.ways)


def _every(steps: Sequence[StepNumbers]) -> Iterator[StepNumbers]:
    """In the order in which they are written."""
    for step in steps:
        yield step
        for way in step.ways:
            yield from _every(way.steps)
