"""The tests that stand in flow files, each with the place of every step and of everything that is expected."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import cast

from pamosnik.flows.load import FlowSource, Loaded
from pamosnik.flows.normal import Raw, list_of
from pamosnik.flows.source import Mark


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A line of a file; 0: it is not known any more."""

    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}" if self.line else self.file


@dataclass(frozen=True, slots=True)
class TestStep:
    """One step: what happens, or what is expected then."""

    __test__ = False  # pytest: no test of ours

    kind: str
    raw: Raw
    place: Place
    keys: Mapping[str, Place] = field(default_factory=dict)
    """Key → where its value stands; of a list and a mapping also `key.0` and `key.NAME`."""

    def place_of(self, key: str) -> Place:
        return self.keys.get(key, self.place)


@dataclass(frozen=True, slots=True)
class FlowTest:
    """A conversation, and what is expected of it."""

    name: str
    flow: str | None
    """The flow it stands in; None: at top level."""
    place: Place
    at: str | None
    """`2026-12-01 23:00` or a day, on the files' clock."""
    person: Raw
    steps: tuple[TestStep, ...]
    keys: Mapping[str, Place] = field(default_factory=dict)
    """`at` and `person` → where they stand."""

    def place_of(self, key: str) -> Place:
        return self.keys.get(key, self.place)

    @property
    def title(self) -> str:
        return self.name if self.flow is None else f"{self.flow}: {self.name}"


def of_files(loaded: Loaded) -> tuple[FlowTest, ...]:
    """All tests of the files, in the order they stand there."""
    found = [test for flow in loaded.flows for test in _of_flow(loaded, flow)]
    for path, tests in loaded.tests.items():
        found += [_test(loaded, f"{path}.{number}", test, number) for number, test in enumerate(tests)]
    order = {name: number for number, name in enumerate(loaded.texts)}
    return tuple(sorted(found, key=lambda test: (order.get(test.place.file, 0), test.place.line)))


def of_outcome(loaded: Loaded, applied: Mapping[str, Raw]) -> tuple[FlowTest, ...]:
    """Those of the files, and those of the flows that stay applied beside them. `applied`: their bodies, by id; what
    the files say of these counts for nothing."""
    written = (test for test in of_files(loaded) if test.flow is None or test.flow not in applied)
    stay = [test for flow_id, body in applied.items() for test in of_applied(flow_id, body)]
    return (*written, *stay)


def of_applied(flow_id: str, body: Raw) -> tuple[FlowTest, ...]:
    """The tests that a flow brought along when it was applied; their lines are not known any more."""
    nowhere = Loaded((), {}, (), {}, places={f"{flow_id}:tests": (f"{flow_id}, applied earlier", Mark(0, 0))})
    flow = FlowSource(flow_id, body, f"{flow_id}, applied earlier", 0)
    return tuple(_of_flow(nowhere, flow))


def _of_flow(loaded: Loaded, flow: FlowSource) -> Iterator[FlowTest]:
    for number, test in enumerate(list_of(flow.body, "tests")):
        yield _test(loaded, f"{flow.id}:tests.{number}", test, number, flow)


def _test(loaded: Loaded, path: str, raw: Raw, number: int, flow: FlowSource | None = None) -> FlowTest:
    steps = cast("Sequence[Raw]", raw.get("steps", ()))
    return FlowTest(
        name=str(raw.get("name", f"test {number + 1}")),
        flow=None if flow is None else flow.id,
        place=_place(loaded, path),
        at=cast("str | None", raw.get("at")),
        person=cast("Raw", raw.get("person", {})),
        steps=tuple(_step(loaded, f"{path}.steps.{place}", step) for place, step in enumerate(steps)),
        keys={key: _place(loaded, f"{path}.{key}") for key in ("at", "person") if key in raw},
    )


def _step(loaded: Loaded, path: str, raw: Raw) -> TestStep:
    kind = str(raw["step"])
    inside = {key: value for key, value in raw.items() if key != "step"}
    paths = [name for key, value in inside.items() for name in _names(key, value)]
    keys = {name: _place(loaded, f"{path}.{kind}.{name}") for name in paths}
    return TestStep(kind, inside, _place(loaded, path), keys)


def _names(key: str, value: object) -> Iterator[str]:
    yield key
    if isinstance(value, Mapping):
        yield from (f"{key}.{name}" for name in value)
    elif isinstance(value, list):
        yield from (f"{key}.{number}" for number in range(len(value)))


def _place(loaded: Loaded, path: str) -> Place:
    """Where a value stands, or what it is a part of."""
    known = path
    while known not in loaded.places and "." in known:
        known = known.rpartition(".")[0]
    file, mark = loaded.places.get(known, ("", Mark(1, 1)))
    return Place(file, mark.line)
