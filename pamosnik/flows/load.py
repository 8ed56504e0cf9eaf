"""All files of a command together: read, merged, checked on the outcome."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast
from zoneinfo import available_timezones

from pamosnik.errors import UsageError
from pamosnik.flows import check, physics, schema, source
from pamosnik.flows.problems import Problem, Severity
from pamosnik.flows.reader import Reader
from pamosnik.flows.source import Mark

_SHARED = ("says", "fields", "hours", "facts", "words")
"""Merged entry by entry."""
_SINGLE = ("timezone", "language", "disclosure")
_SUFFIXES = (".yaml", ".yml")


@dataclass(frozen=True, slots=True)
class FlowSource:
    """A flow as it is written, in its normal form."""

    id: str
    body: Mapping[str, object]
    file: str
    line: int


@dataclass(frozen=True, slots=True)
class AppliedSource:
    """What is applied already: flows and settings in their normal form."""

    flows: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    settings: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Loaded:
    """The outcome. Nothing of it may be applied while `has_errors`."""

    flows: tuple[FlowSource, ...]
    """In file order."""
    settings: Mapping[str, object]
    problems: tuple[Problem, ...]
    texts: Mapping[str, str]
    """File → what stands in it, to show lines."""

    @property
    def has_errors(self) -> bool:
        return any(problem.severity is Severity.ERROR for problem in self.problems)

    @property
    def has_warnings(self) -> bool:
        return any(problem.severity is Severity.WARNING for problem in self.problems)


def find_files(paths: Iterable[Path]) -> list[Path]:
    """The flow files that paths name: files as they are, of folders every *.yaml and *.yml, sorted."""
    found: list[Path] = []
    for path in paths:
        if path.is_dir():
            inside = sorted(p for p in path.rglob("*") if p.suffix in _SUFFIXES and p.is_file())
            if not inside:
                raise UsageError(
                    f"The folder {path} holds no flow file.", hint="Flow files end in .yaml or .yml."
                )
            found += inside
        elif path.is_file():
            found.append(path)
        else:
            raise UsageError(f"There is no file {path}.", hint="Check the path.")
    return list(dict.fromkeys(found))


def read_files(paths: Iterable[Path]) -> list[tuple[str, str]]:
    """(name, text) of each file. Raises `UsageError` for what is not text."""
    files = []
    for path in find_files(paths):
        try:
            files.append((str(path), path.read_text(encoding="utf-8-sig")))
        except (OSError, UnicodeDecodeError) as error:
            raise UsageError(
                f"{path} cannot be read: it is not UTF-8 text.", hint="Save it as UTF-8."
            ) from error
    return files


def load(
    files: Sequence[tuple[str, str]],
    *,
    applied: AppliedSource | None = None,
    account_timezone: str = "UTC",
) -> Loaded:
    """Reads files (name, text) and checks them together with what stays applied beside them."""
    merger = _Merger()
    for name, text in files:
        merger.add(name, text)
    before = applied or AppliedSource()
    settings = _with_applied(merger.settings, before.settings)
    problems = list(merger.problems)
    _accept_what_fields_hold(merger.bodies(), settings)
    if not any(problem.severity is Severity.ERROR for problem in problems):
        outcome = check.Outcome(
            flows={**{k: v for k, v in before.flows.items() if k not in merger.renamed()}, **merger.bodies()},
            settings=settings,
            here=frozenset(merger.flows),
            places=merger.places,
        )
        problems += _zones(settings, merger)
        problems += check.check(outcome)
        problems += physics.check(outcome)
    return Loaded(
        flows=tuple(merger.flows.values()),
        settings=settings,
        problems=tuple(sorted(set(problems))),
        texts=dict(files),
    )


def _accept_what_fields_hold(
    flows: Mapping[str, Mapping[str, object]], settings: Mapping[str, object]
) -> None:
    """An `ask` that does not say what it accepts takes what its field holds."""
    fields = cast("Mapping[str, Mapping[str, object]]", settings.get("fields", {}))
    for flow_id, body in flows.items():
        for step in check.steps(flow_id, body):
            field = fields.get(str(step.raw.get("save_as")))
            if step.raw["do"] != "ask" or field is None or "choices" in step.raw or "accept" in step.raw:
                continue
            raw = cast("dict[str, object]", step.raw)
            if field["type"] == "choice":
                raw["choices"] = [{"label": choice} for choice in cast("list[str]", field.get("choices", []))]
            else:
                raw["accept"] = field["type"]


def _zones(settings: Mapping[str, object], merger: "_Merger") -> list[Problem]:
    """Time zones that nobody knows, wherever one may stand."""
    written = {"timezone": settings.get("timezone")}
    for flow in merger.flows.values():
        written[f"{flow.id}:active.zone"] = cast("Mapping[str, object]", flow.body.get("active", {})).get(
            "zone"
        )
        for step in check.steps(flow.id, flow.body):
            written[f"{step.path}.zone"] = step.raw.get("zone")
    found = []
    for path, zone in written.items():
        if zone is not None and path in merger.places and zone not in available_timezones():
            file, mark = merger.places[path]
            message, hint = f"unknown time zone: `{zone}`", "Write it like Europe/Warsaw."
            found.append(
                Problem(file, mark.line, mark.column, Severity.ERROR, "unknown-timezone", message, hint)
            )
    return found


def _with_applied(here: Mapping[str, object], applied: Mapping[str, object]) -> Mapping[str, object]:
    """What the files say over what is applied, entry by entry."""
    merged = {**applied, **here}
    for key in _SHARED:
        if key in applied and key in here:
            merged[key] = {
                **cast("Mapping[str, object]", applied[key]),
                **cast("Mapping[str, object]", here[key]),
            }
    return merged


class _Merger:
    """Puts files together; two different values for one thing are an error that names both places."""

    def __init__(self) -> None:
        self.flows: dict[str, FlowSource] = {}
        self.settings: dict[str, object] = {}
        self.problems: list[Problem] = []
        self.places: dict[str, tuple[str, Mark]] = {}

    def bodies(self) -> dict[str, Mapping[str, object]]:
        return {flow.id: flow.body for flow in self.flows.values()}

    def renamed(self) -> set[str]:
        return {str(flow.body["was"]) for flow in self.flows.values() if "was" in flow.body}

    def add(self, name: str, text: str) -> None:
        node, problems = source.read(text, name)
        self.problems += problems
        if problems:
            return
        reader = Reader(name)
        if not isinstance(node, source.Mapping):
            mark = Mark(1, 1) if node is None else node.mark
            reader.error(
                mark, "empty-file", "a flow file begins with `version: 1`", "Look at flows.example.yaml."
            )
            self.problems += reader.problems
            return
        found = reader.entries(schema.FILE, node, "")
        self.problems += reader.problems
        if not isinstance(found, dict):
            return
        self._merge(name, found, reader)

    def _merge(self, name: str, found: dict[str, object], reader: Reader) -> None:
        flows = cast("Mapping[str, Mapping[str, object]]", found.get("flows", {}))
        places = {_place(path): (name, mark) for path, mark in reader.positions.items()}
        for flow_id, body in flows.items():
            mark = reader.positions[f".flows.{flow_id}"]
            if flow_id in self.flows:
                first = self.flows[flow_id]
                self._clash(name, mark, f"the flow `{flow_id}` stands in {first.file}:{first.line} already")
                continue
            self.flows[flow_id] = FlowSource(flow_id, body, name, mark.line)
        for key in _SINGLE:
            if key in found:
                self._set(self.settings, key, found[key], name, places[key], key)
        for key in _SHARED:
            entries = cast("Mapping[str, object]", found.get(key, {}))
            shared = cast("dict[str, object]", self.settings.setdefault(key, {})) if entries else {}
            for entry, value in entries.items():
                self._set(shared, entry, value, name, places[f"{key}.{entry}"], f"{key}.{entry}")
        self.places = {**places, **self.places}

    def _set(
        self,
        target: dict[str, object],
        key: str,
        value: object,
        name: str,
        place: tuple[str, Mark],
        full: str,
    ) -> None:
        if key in target and target[key] != value:
            file, mark = self.places[full]
            self._clash(name, place[1], f"`{full}` has another value in {file}:{mark.line}")
            return
        target[key] = value

    def _clash(self, name: str, mark: Mark, message: str) -> None:
        self.problems.append(
            Problem(
                name, mark.line, mark.column, Severity.ERROR, "said-twice", message, "Keep one of the two."
            )
        )


def _place(path: str) -> str:
    """`.flows.ID.do.0` → `ID:do.0`; everything else without the dot at the front."""
    inside = path.removeprefix(".")
    if not inside.startswith("flows."):
        return inside
    flow_id, _, rest = inside.removeprefix("flows.").partition(".")
    return f"{flow_id}:{rest}"
