"""Is what a test expects so?

Messages, public replies, codes and calls are looked for among what happened since the last step that was not an
`expect`; each is taken once, the earliest that fits. Tags, fields, and how their run stands are what they are now.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from zoneinfo import ZoneInfo

from pamosnik.flows.normal import map_of, strings
from pamosnik.flows.written_tests import Place, TestStep
from pamosnik.model.outbox import ItemKind
from pamosnik.model.run import RunStatus
from pamosnik.rehearsal.happenings import (
    Called,
    CodeGiven,
    Happening,
    NotSent,
    PublicReply,
    RunState,
    Sent,
    Waiting,
)
from pamosnik.rehearsal.screen import remarks, when
from pamosnik.rehearsal.stage import Stage
from pamosnik.rehearsal.testing import matching
from pamosnik.rehearsal.testing.result import Failure

_NAMES = {"dm": "a message", "public_reply": "a public reply", "code": "a code"}
_KINDS: Mapping[str, frozenset[ItemKind]] = {
    "dm": frozenset({ItemKind.MESSAGE, ItemKind.PRIVATE_REPLY}),
    "public_reply": frozenset({ItemKind.COMMENT_REPLY}),
}
_SOON = timedelta(days=3)
"""What happens later by itself is no hint: it is the end of waiting for a tap."""
_SHOWN = 3
"""So many texts of those that do not fit are told."""


@dataclass(slots=True)
class Expecter:
    """Remembers what was taken since the last step that was no `expect`."""

    stage: Stage
    zone: ZoneInfo
    disclosure: str | None
    moment: datetime
    """When the last step happened: `pass` counts from then."""
    who: str = ""
    since: int = 0
    """Number of the first happening that counts."""
    taken: dict[int, Place] = field(default_factory=dict)
    """Number of a happening → the expectation that took it."""

    def begin(self, who: str) -> None:
        """A step of this person's, or about them, begins that is no `expect`."""
        self.who, self.since = who, len(self.stage.happened)
        self.taken.clear()

    def failures(self, step: TestStep) -> list[Failure]:
        """What of a step is not so, in the order in which it is written."""
        told = [failure for key in step.raw for failure in self._key(step, key)]
        return sorted(told, key=lambda failure: failure.place)

    def _key(self, step: TestStep, key: str) -> Iterator[Failure]:
        raw = step.raw
        match key:
            case "dm" | "public_reply" | "code":
                yield from self._said(step, key, str(raw[key]))
            case "called":
                yield from self._called(step)
            case "nothing":
                yield from self._nothing(step, expected=bool(raw[key]))
            case "tag" | "no_tag":
                yield from self._tags(step, key)
            case "field":
                yield from self._fields(step)
            case _:
                yield from self._state(step, key, expected=bool(raw[key]))

    # --- what happened -------------------------------------------------------------------------------

    def _said(self, step: TestStep, key: str, pattern: str) -> Iterator[Failure]:
        place = step.place_of(key)
        if self._take(place, lambda one: _is(key, one) and matching.fits(pattern, self._forms(one))):
            return
        wanted = _NAMES[key] if pattern.strip() == matching.ANY else f"{_NAMES[key]} “{pattern.strip()}”"
        others = [one for number, one in self._news() if _is(key, one) and number not in self.taken]
        shown = [f"“{self._forms(one)[0]}”" for one in others[:_SHOWN]]
        shown += [f"{len(others) - _SHOWN} more"] if len(others) > _SHOWN else []
        hint = self._why_not(key, pattern, others)
        yield Failure(place, step.place, key, wanted, "\n".join(shown) or self._none(key), hint)

    def _none(self, key: str) -> str:
        further = any(_is(key, self.stage.happened[number]) for number in self.taken)
        return f"no {'further ' if further else ''}{_bare(key)}"

    def _called(self, step: TestStep) -> Iterator[Failure]:
        for number, name in enumerate(strings(step.raw, "called")):
            place = step.place_of(f"called.{number}")
            if not self._take(place, partial(_is_call, name)):
                called = [one.webhook for _, one in self._news() if isinstance(one, Called) and not one.again]
                got = f"called: {', '.join(called)}" if called else "no webhook was called"
                yield Failure(place, step.place, "called", f"a call of the webhook {name}", got)

    def _nothing(self, step: TestStep, *, expected: bool) -> Iterator[Failure]:
        left = [one for number, one in self._news() if _is_said(one) and number not in self.taken]
        place = step.place_of("nothing")
        if expected and left:
            got = "\n".join(f"{_kind(one)} “{self._forms(one)[0]}”" for one in left)
            more = "nothing more" if self.taken else "no message and no public reply"
            yield Failure(place, step.place, "nothing", more, got)
        elif not expected and not left:
            yield Failure(place, step.place, "nothing", "a message or a public reply", "neither")

    def _take(self, place: Place, fits: Callable[[Happening], bool]) -> bool:
        for number, one in self._news():
            if number not in self.taken and fits(one):
                self.taken[number] = place
                return True
        return False

    def _news(self) -> Iterator[tuple[int, Happening]]:
        """What happened to this person since then."""
        for number, one in enumerate(self.stage.happened[self.since :], self.since):
            if isinstance(one, Called) or self.who in (getattr(one, "to", None), getattr(one, "who", None)):
                yield number, one

    def _forms(self, one: Happening) -> tuple[str, ...]:
        match one:
            case Sent():
                return matching.forms(one, self.disclosure)
            case PublicReply():
                return (one.text,)
            case CodeGiven():
                return (one.code,)
            case _:
                return ()

    # --- how things stand ----------------------------------------------------------------------------

    def _tags(self, step: TestStep, key: str) -> Iterator[Failure]:
        has = self.stage.person(self.who).tags
        for number, tag in enumerate(strings(step.raw, key)):
            if (tag in has) is not (key == "tag"):
                wanted = f"the tag {tag}" if key == "tag" else f"no tag {tag}"
                got = f"the tags {', '.join(sorted(has))}" if has else "no tags"
                yield Failure(step.place_of(f"{key}.{number}"), step.place, key, wanted, got)

    def _fields(self, step: TestStep) -> Iterator[Failure]:
        has = dict(self.stage.person(self.who).fields)
        for name, value in map_of(step.raw, "field").items():
            if name not in has or not matching.fits(str(value), [has[name]]):
                got = f"{name} = {has[name]}" if name in has else f"{name} has no value"
                wanted = f"a value of {name}" if str(value).strip() == matching.ANY else f"{name} = {value}"
                yield Failure(step.place_of(f"field.{name}"), step.place, "field", wanted, got)

    def _state(self, step: TestStep, key: str, *, expected: bool) -> Iterator[Failure]:
        run = self.stage.latest_run(self.who)
        is_so = {
            "completed": run is not None and run.status is RunStatus.COMPLETED,
            "waiting": run is not None and run.status is RunStatus.WAITING,
            "handed_over": self.stage.person(self.who).handed_over,
        }
        if is_so[key] is expected:
            return
        if key == "handed_over":
            wanted = "a human has taken over" if expected else "no human has taken over"
            got = "no human has taken over" if expected else "a human has taken over"
        else:
            word = {"completed": "is completed", "waiting": "waits"}[key]
            wanted = f"their run {word}" if expected else f"no run of theirs {word}"
            got = _run(run)
        yield Failure(step.place_of(key), step.place, key, wanted, got)

    # --- why not -------------------------------------------------------------------------------------

    def _why_not(self, key: str, pattern: str, others: Sequence[Happening]) -> str | None:
        if pattern.strip() == "nothing":
            return "That nothing comes is written: expect: { nothing: true }"
        forms = [self._forms(one) for one in others]
        if any(matching.stands_in(pattern, one) for one in forms):
            return f'The text says more than that. With * it fits: "*{pattern.strip()}*"'
        if any(matching.fits_but_for_case(pattern, one) for one in forms):
            return "It differs in capital letters only."
        return self._elsewhere(key, pattern) or (None if others else self._not_yet(key))

    def _elsewhere(self, key: str, pattern: str) -> str | None:
        """What fits was said otherwise, taken already, or before."""
        if pattern.strip() != matching.ANY:
            for _, one in self._news():
                if not _is(key, one) and _is_said(one) and matching.fits(pattern, self._forms(one)):
                    other = "public_reply" if isinstance(one, PublicReply) else "dm"
                    return f"It was said as {_kind(one)}: `{other}`."
        for number, one in self._news():
            if number in self.taken and _is(key, one) and matching.fits(pattern, self._forms(one)):
                return f"What fits was taken by the expectation in line {self.taken[number].line}."
        for one in self.stage.happened[: self.since] if pattern.strip() != matching.ANY else ():
            to_them = self.who in (getattr(one, "to", None), getattr(one, "who", None))
            if to_them and _is(key, one) and matching.fits(pattern, self._forms(one)):
                return "It came before the last step that is no `expect`: expect it there."
        return None

    def _not_yet(self, key: str) -> str | None:
        if key == "code":
            return None
        held: Happening | None = None
        for _, one in self._news():
            if isinstance(one, Waiting | NotSent) and one.kind in _KINDS[key]:
                held = one
            elif _is(key, one):
                held = None
        if held is not None:
            [said] = remarks(held, self.who, self.zone)
            return f"{said[:1].upper()}{said[1:]}."
        run, moment = self.stage.latest_run(self.who), self.stage.next_moment()
        if run is None or run.status is not RunStatus.WAITING:
            return None
        waits = f"Their run waits{_at(run)}."
        if moment is None or moment - self.stage.now > _SOON:
            return waits
        soon = f"Something happens by itself at {when(moment, self.zone)}"
        return f"{waits} {soon}: - pass: {_length(moment - self.moment)}"


def _is(key: str, one: Happening) -> bool:
    kinds: Mapping[str, type] = {"dm": Sent, "public_reply": PublicReply, "code": CodeGiven}
    return isinstance(one, kinds[key])


def _is_call(webhook: str, one: Happening) -> bool:
    return isinstance(one, Called) and not one.again and one.webhook == webhook


def _is_said(one: Happening) -> bool:
    return isinstance(one, Sent | PublicReply)


def _kind(one: Happening) -> str:
    return _NAMES["public_reply" if isinstance(one, PublicReply) else "dm"]


def _bare(key: str) -> str:
    return _NAMES[key].removeprefix("a ")


def _run(run: RunState | None) -> str:
    if run is None:
        return "they are in no run"
    reason = f" ({run.reason})" if run.reason else ""
    return f"their run in {run.flow} is {run.status.value}{_at(run)}{reason}"


def _at(run: RunState) -> str:
    return f" at {run.step}" if run.step and run.status is RunStatus.WAITING else ""


def _length(time: timedelta) -> str:
    """As a test writes it, rounded up to minutes when it is longer than one."""
    seconds = max(1, -(-time // timedelta(seconds=1)))
    if seconds > 60:
        seconds = -(-seconds // 60) * 60
    parts = ((seconds // 3600, "h"), (seconds // 60 % 60, "m"), (seconds % 60, "s"))
    return "".join(f"{number}{unit}" for number, unit in parts if number)
