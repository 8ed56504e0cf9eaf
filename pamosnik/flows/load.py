"""All files of a command together: read, merged, checked on the outcome."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import cast
from zoneinfo import available_timezones

from pamosnik.errors import UsageError
from pamosnik.flows import (
    awaited,
    between,
    bodies,
    check,
    entrances,
    going_back,
    outside,
    physics,
    schema,
    shares,
    source,
)
from pamosnik.flows.code_files import BadCodes, read_codes
from pamosnik.flows.near import nearest
from pamosnik.flows.outcome import Outcome, Unset
from pamosnik.flows.problems import Problem, Severity
from pamosnik.flows.reader import KEY, Reader
from pamosnik.flows.source import Mark

_SHARED = ("says", "fields", "hours", "facts", "words", "codes", "webhooks")
"""Merged entry by entry."""
_SINGLE = ("timezone", "language", "disclosure")
CHECKS: tuple[Callable[[Outcome], list[Problem]], ...] = (
    check.check,
    going_back.check,
    shares.check,
    between.check,
    physics.check,
    awaited.check,
    entrances.check,
    outside.check,
)
_WORD = re.compile(r"[\w-]+")
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
    codes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Pool → the codes in its file; without the pools whose file could not be read."""
    places: Mapping[str, tuple[str, Mark]] = field(default_factory=dict)
    """Path of a value (`FLOW:do.0.text`) → where it stands."""
    tests: Mapping[str, Sequence[Mapping[str, object]]] = field(default_factory=dict)
    """Tests over several flows, file by file, under the place where they stand."""

    @property
    def has_errors(self) -> bool:
        return any(problem.severity is Severity.ERROR for problem in self.problems)

    @property
    def has_warnings(self) -> bool:
        return any(problem.severity is Severity.WARNING for problem in self.problems)

    def with_problems(self, more: Iterable[Problem]) -> "Loaded":
        """The same, and what else is to be said about it."""
        return replace(self, problems=tuple(sorted({*self.problems, *more})))


def find_files(paths: Iterable[Path]) -> list[Path]:
    """The flow files that paths name: files as they are, of folders every visible *.yaml and *.yml, sorted."""
    found: list[Path] = []
    for path in paths:
        if path.is_dir():
            inside = sorted(
                p for p in path.rglob("*") if p.suffix in _SUFFIXES and _shown(p, path) and p.is_file()
            )
            if not inside:
                raise UsageError(
                    f"The folder {path} holds no flow file.", hint="Flow files end in .yaml or .yml."
                )
            found += inside
        elif path.is_file():
            found.append(path)
        else:
            raise UsageError(f"There is no file {path}.", hint="Check the path.")
    named: dict[Path, Path] = {}
    for path in found:
        named.setdefault(path.resolve(), path)
    return list(named.values())


def _shown(path: Path, folder: Path) -> bool:
    """Neither hidden nor inside something hidden, such as .git or .venv."""
    return not any(part.startswith(".") for part in path.relative_to(folder).parts)


File = tuple[str, str | Problem]
"""Name and text of a file, or why it has none."""


def read_files(paths: Iterable[Path]) -> list[File]:
    """Every file; one that cannot be read has a problem like any other, and the rest is read."""
    return [(str(path), _text_of(path)) for path in find_files(paths)]


def _text_of(path: Path) -> str | Problem:
    try:
        if path.stat().st_size > source.MAX_BYTES:
            return Problem(str(path), 1, 1, Severity.ERROR, *source.TOO_BIG)
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        code, message = "not-utf-8", "this file is not UTF-8 text"
        hint = "Open it in your editor and save it with the encoding UTF-8."
    except OSError as error:
        code, message = "unreadable", f"this file cannot be read: {error.strerror}"
        hint = "Check who may read it."
    return Problem(str(path), 1, 1, Severity.ERROR, code, message, hint)


def load(
    files: Sequence[File],
    *,
    applied: AppliedSource | None = None,
    connected: tuple[str, ...] | None = None,
    can_mail: bool | None = None,
    unset: Unset | None = None,
    now: datetime | None = None,
    is_public: bool | None = None,
    code_files: bool = True,
) -> Loaded:
    """Reads files (name, text) and checks them together with what stays applied beside them.

    `connected`: usernames of the account's connections; `can_mail`: whether a mail server is set; `unset`: what is
    wrong with a variable of the environment; `is_public`: whether there is a public address. None where nobody can
    know it. `now`: None where nothing is past. `code_files`: whether the files that pools name may be read.
    """
    merger = _Merger()
    for name, text in files:
        merger.add(name, text)
    before = applied or AppliedSource()
    texts = {name: text for name, text in files if isinstance(text, str)}
    settings = _with_applied(merger.settings, before.settings)
    _accept_what_fields_hold(merger.bodies(), settings)
    stays = {k: v for k, v in before.flows.items() if k not in merger.renamed()}
    outcome = Outcome(
        flows={**stays, **merger.bodies()},
        settings=settings,
        here=frozenset(merger.flows),
        places=merger.places,
        broken=frozenset(merger.broken),
        lost=None if merger.lost is None else frozenset(merger.lost),
        applied=frozenset(before.flows),
        connected=connected,
        tests=merger.tests,
        can_mail=can_mail,
        now=now,
        is_public=is_public,
        unset=unset,
        lines={name: text.split("\n") for name, text in texts.items()},
    )
    if code_files:
        codes, bad_codes = _codes(merger, elsewhere=connected is None)
    else:
        codes, bad_codes = {}, [_left_alone(merger, pool) for pool in merger.code_files]
    problems = [*merger.problems, *_zones(settings, merger), *bad_codes]
    for part in (outcome, *merger.said_twice(outcome)):
        for check_part in CHECKS:
            problems += check_part(part)
    return Loaded(
        flows=tuple(merger.flows.values()),
        settings=settings,
        problems=tuple(sorted(set(problems))),
        texts=texts,
        codes=codes,
        places=merger.places,
        tests=merger.tests,
    )


def _left_alone(merger: "_Merger", pool: str) -> Problem:
    """Whoever sends flow files from elsewhere cannot name files of this machine."""
    file, mark = merger.places[f"codes.{pool}.file"]
    message = "the codes file is not read from here: the pool keeps the codes that it has"
    hint = "To give it others, apply the files on the machine itself."
    return Problem(file, mark.line, mark.column, Severity.NOTE, "codes-missing", message, hint)


def _codes(merger: "_Merger", *, elsewhere: bool) -> tuple[dict[str, tuple[str, ...]], list[Problem]]:
    """What the codes files hold. `elsewhere`: not on the machine that will apply them, so one may be missing."""
    found: dict[str, tuple[str, ...]] = {}
    problems = []
    pools: dict[Path, str] = {}
    for pool, path in merger.code_files.items():
        file, mark = merger.places[f"codes.{pool}.file"]
        severity, code, hint = Severity.ERROR, "bad-codes", None
        try:
            found[pool] = read_codes(path)
            message = "" if found[pool] else "the codes file holds no code"
            severity, code = (Severity.WARNING, "no-codes") if message else (severity, code)
        except BadCodes as error:
            message, hint = f"{error.message} (`{path}`)", error.hint
            if not error.seen:
                severity, code = (Severity.NOTE if elsewhere else severity), "codes-missing"
        if path.resolve() in pools:
            message, code = f"`{pools[path.resolve()]}` reads the same codes file", "same-codes"
            severity, hint = Severity.ERROR, "Two people would get the same code. Keep one of the two pools."
        pools.setdefault(path.resolve(), pool)
        if message:
            problems.append(Problem(file, mark.line, mark.column, severity, code, message, hint))
    return found, problems


def _accept_what_fields_hold(
    flows: Mapping[str, Mapping[str, object]], settings: Mapping[str, object]
) -> None:
    """An `ask` that does not say what it accepts takes what its field holds."""
    fields = cast("Mapping[str, Mapping[str, object]]", settings.get("fields", {}))
    for flow_id, body in flows.items():
        for step in bodies.steps(flow_id, body):
            field = fields.get(str(step.raw.get("save_as")))
            if step.raw["do"] != "ask" or field is None or "choices" in step.raw or "accept" in step.raw:
                continue
            raw = cast("dict[str, object]", step.raw)
            if field.get("type") == "choice":
                raw["choices"] = [{"label": choice} for choice in cast("list[str]", field.get("choices", []))]
            elif "type" in field:
                raw["accept"] = field["type"]


def _zones(settings: Mapping[str, object], merger: "_Merger") -> list[Problem]:
    """Time zones that nobody knows, wherever one may stand."""
    written = {"timezone": settings.get("timezone")}
    for flow in merger.flows.values():
        written[f"{flow.id}:active.zone"] = cast("Mapping[str, object]", flow.body.get("active", {})).get(
            "zone"
        )
        for number, trigger in enumerate(bodies.triggers(flow.body)):
            written[f"{flow.id}:when.{number}.zone"] = trigger.get("zone")
        for step in bodies.steps(flow.id, flow.body):
            written[f"{step.path}.zone"] = step.raw.get("zone")
    for name, entries in cast("Mapping[str, list[Mapping[str, object]]]", settings.get("hours", {})).items():
        for number, entry in enumerate(entries):
            written[f"hours.{name}.{number}.zone"] = entry.get("zone")
    found = []
    for path, zone in written.items():
        if zone is not None and path in merger.places and zone not in available_timezones():
            file, mark = merger.places[path]
            message, hint = f"unknown time zone: `{zone}`", _nearest_zone(str(zone))
            found.append(
                Problem(file, mark.line, mark.column, Severity.ERROR, "unknown-timezone", message, hint)
            )
    return found


def _nearest_zone(written: str) -> str:
    """`Warsaw` and `europe/warsaw` name one, too."""
    cities = {zone.rpartition("/")[2]: zone for zone in sorted(available_timezones()) if "/" in zone}
    meant = nearest(written, available_timezones()) if "/" in written else None
    if meant is None:
        city = nearest(written.rpartition("/")[2], [*cities, written.title()])
        city = written.title() if written.title() in cities else city
        meant = cities.get(city or "")
    return f"Did you mean `{meant}`?" if meant else "Write it like Europe/Warsaw."


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
        self.broken: set[str] = set()
        self.lost: set[str] | None = set()
        """Words of what could not be read; None when that may be anything."""
        self.code_files: dict[str, Path] = {}
        """Pool → its file, seen from where the command runs."""
        self.tests: dict[str, Sequence[Mapping[str, object]]] = {}
        """Tests over several flows, file by file, under the place where they stand."""
        self._again: list[tuple[FlowSource, dict[str, tuple[str, Mark]]]] = []

    def bodies(self) -> dict[str, Mapping[str, object]]:
        return {flow.id: flow.body for flow in self.flows.values()}

    def renamed(self) -> set[str]:
        return {str(flow.body["was"]) for flow in self.flows.values() if "was" in flow.body}

    def said_twice(self, outcome: Outcome) -> Iterator[Outcome]:
        """Flows whose id is taken by another file: checked, too, each in the other's place."""
        for flow, places in self._again:
            yield replace(
                outcome,
                flows={**outcome.flows, flow.id: flow.body},
                here=frozenset({flow.id}),
                places={**outcome.places, **places},
            )

    def add(self, name: str, text: str | Problem) -> None:
        if isinstance(text, Problem):
            self.problems.append(text)
            self.lost = None
            return
        node, problems = source.read(text, name)
        self.problems += problems
        if problems and node is None:
            self._lose(_WORD.findall(text))
            return
        reader = Reader(name)
        if not isinstance(node, source.Mapping):
            mark = Mark(1, 1) if node is None else node.mark
            reader.error(
                mark, "empty-file", "a flow file begins with `version: 1`", "Try: pamosnik flows new"
            )
            self.problems += reader.problems
            return
        found = cast("dict[str, object]", reader.entries(schema.FILE, node, ""))
        self.problems += reader.problems
        self.broken |= {_place(path, "") for path in reader.broken}
        self._lose({*reader.lost, *source.dropped(node)})
        self._merge(name, found, reader)

    def _lose(self, words: Iterable[str]) -> None:
        if self.lost is not None:
            self.lost.update(words)

    def _merge(self, name: str, found: dict[str, object], reader: Reader) -> None:
        flows = cast("Mapping[str, Mapping[str, object]]", found.get("flows", {}))
        tests = f"tests#{len(self.tests)}:"
        places = {_place(path, tests): (name, mark) for path, mark in reader.positions.items()}
        self.tests[tests] = cast("Sequence[Mapping[str, object]]", found.get("tests", ()))
        for flow_id, body in flows.items():
            mark = reader.positions[f".flows.{flow_id}"]
            flow = FlowSource(flow_id, body, name, mark.line)
            if flow_id in self.flows:
                first = self.flows[flow_id]
                self._clash(name, mark, f"the flow `{flow_id}` stands in {first.file}:{first.line} already")
                self._again.append((flow, places))
                # What only this copy gives is given all the same.
                self._lose(bodies.given_tags(flow_id, body))
                continue
            self.flows[flow_id] = flow
        for key in _SINGLE:
            if key in found:
                self._set(self.settings, key, found[key], name, places[key], key)
        for key in _SHARED:
            entries = cast("Mapping[str, object]", found.get(key, {}))
            shared = cast("dict[str, object]", self.settings.setdefault(key, {})) if entries else {}
            for entry, value in entries.items():
                if key == "codes":
                    self._code_file(name, entry, cast("Mapping[str, str]", value), places)
                self._set(shared, entry, value, name, _named_at(places, f"{key}.{entry}"), f"{key}.{entry}")
        self.places = {**places, **self.places}

    def _code_file(
        self, name: str, pool: str, value: Mapping[str, str], places: Mapping[str, tuple[str, Mark]]
    ) -> None:
        """Paths count from the flow file: the same words in two folders are two files."""
        if "file" not in value:
            return
        path = Path(name).parent / value["file"]
        first = self.code_files.setdefault(pool, path)
        if first.resolve() != path.resolve():
            file, mark = self.places[f"codes.{pool}"]
            message = f"`codes.{pool}` reads another file in {file}:{mark.line}"
            self._clash(name, places[f"codes.{pool}.file"][1], message)

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
            file, mark = _named_at(self.places, full)
            self._clash(name, place[1], f"`{full}` has another value in {file}:{mark.line}")
            return
        target[key] = value

    def _clash(self, name: str, mark: Mark, message: str) -> None:
        self.problems.append(
            Problem(
                name, mark.line, mark.column, Severity.ERROR, "said-twice", message, "Keep one of the two."
            )
        )


def _named_at(places: Mapping[str, tuple[str, Mark]], path: str) -> tuple[str, Mark]:
    """Where the name of an entry stands, or the entry itself."""
    return places.get(f"{path}{KEY}", places[path])


def _place(path: str, tests: str) -> str:
    """`.flows.ID.do.0` → `ID:do.0`; everything else without the dot at the front, tests of files told apart."""
    inside = path.removeprefix(".")
    if inside.startswith("tests."):
        return f"{tests}.{inside.removeprefix('tests.')}"
    if not inside.startswith("flows."):
        return inside
    flow_id, _, rest = inside.removeprefix("flows.").partition(".")
    return f"{flow_id}:{rest}"
