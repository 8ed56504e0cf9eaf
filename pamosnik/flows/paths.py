"""Every way that a person may take through a flow, and where Instagram would refuse a message on it.

A walk carries all ways that lead to a step at once. What counts on a way: whether the person has answered (only then
the 24-hour window is open after a comment), which message nobody has answered yet, and for how long they have been
quiet at least. A way into another flow goes on there; what is wrong there because of it is said at the `run:`.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from enum import Enum
from typing import cast

from pamosnik.flows import going_back, schema_steps
from pamosnik.flows.bodies import (
    branches,
    cards,
    falls_through,
    only_comments,
    parts,
    started_by_comments,
    triggers,
)
from pamosnik.flows.outcome import Outcome
from pamosnik.flows.paths_words import Found, Late, Way, problem
from pamosnik.flows.problems import Problem, Severity
from pamosnik.flows.texts import variables
from pamosnik.instagram import limits

Raw = Mapping[str, object]

PROFILE = ("follows_me", "verified", "followers")
"""Conditions that ask for a person's profile."""

_DAY_S = int(limits.WINDOW.total_seconds())
_WEEK_S = int(limits.PRIVATE_REPLY_WITHIN.total_seconds())
_BROADCAST_S = int(limits.LIVE_PRIVATE_REPLY_WITHIN.total_seconds())
_PAUSE_S = 12 * 3600
_GIVE_UP_S = 23 * 3600
_OPENINGS = frozenset({"text", "cards"})
"""What Instagram may take as a private reply."""
_MOST_FLOWS = 100
"""So often a walk follows a `run:`: further nobody goes who does not answer."""
_HEARD = Way(answered=True)


class _When(Enum):
    """Whether a branch is taken by the runs that a walk stands for."""

    NEVER = 0
    PERHAPS = 1
    ALWAYS = 2


def check(outcome: Outcome) -> list[Problem]:
    """Messages that Instagram would refuse, of the flows in these files."""
    found: dict[Found, Severity] = {}
    for flow_id in sorted(outcome.here):
        body = outcome.flows[flow_id]
        for commented in _beginnings(outcome, flow_id, body):
            severe = not commented or only_comments(body)
            for one in _Walk(outcome, flow_id, commented=commented).walked():
                found.setdefault(one, Severity.ERROR if severe else Severity.WARNING)
    at_home = {(one.code, one.real) for one in found if one.real == one.shown}
    problems: dict[tuple[str, str], Problem] = {}
    for one, severity in found.items():
        if one.real == one.shown or (one.code, one.real) not in at_home:
            problems.setdefault((one.code, one.shown), problem(outcome, one, severity))
    return list(problems.values())


def _beginnings(outcome: Outcome, flow_id: str, body: Raw) -> Iterator[bool]:
    """For each kind of beginning, whether it is a comment."""
    if not outcome.knows_triggers(flow_id):
        return
    if not only_comments(body):
        yield False
    if started_by_comments(body):
        yield True


@dataclass(frozen=True, slots=True)
class _Later:
    """Ways to be gone when the others are: `again` leads them back to a step, or `run` into another flow."""

    to: str
    """The step, or the flow, with a `:` behind it."""
    ways: set[Way]
    inside: str | None
    times: Mapping[str, int]


class _Walk:
    """Goes all ways that runs of one flow may take."""

    def __init__(self, outcome: Outcome, flow_id: str, *, commented: bool) -> None:
        self.outcome = outcome
        self.root = flow_id
        self.commented = commented
        """Whether a comment begins them."""
        self.found: list[Found] = []
        self.only_live = not any(one["trigger"] == "comment" for one in triggers(outcome.flows[flow_id]))
        """Whether every comment that starts the flow is written during a live broadcast."""
        self.inside: str | None = None
        """Place of the `run:` by which the flow was left."""
        self.seen: set[tuple[str, Way]] = set()
        self.later: deque[_Later] = deque()
        self.flows_left = _MOST_FLOWS
        self.times: Mapping[str, int] = {}
        """Place of an `again` → how often the ways that are gone now went back there."""
        self.maps: dict[str, going_back.Map] = {}
        self.longest: dict[tuple[str, Way], int] = {}
        """Of the ways that went back at a place, the longest time that the person was quiet."""

    def walked(self) -> list[Found]:
        only_if = cast("list[Raw]", self.outcome.flows[self.root].get("only_if", []))
        if self.commented and not _open(only_if):
            self._untold(only_if, f"{self.root}:only_if", Way(answered=False))
        self._flow(self.root, {Way(answered=not self.commented or _open(only_if))})
        while self.later:
            later = self.later.popleft()
            self.inside, self.times = later.inside, later.times
            if later.to.endswith(":"):
                self._flow(later.to.removesuffix(":"), later.ways)
            else:
                self._onwards(later.to, later.ways)
        return self.found

    def _flow(self, flow_id: str, ways: set[Way]) -> None:
        fresh = {way for way in ways if not way.told and (flow_id, _kind(way)) not in self.seen}
        self.seen |= {(flow_id, _kind(way)) for way in fresh}
        body = self.outcome.flows.get(flow_id)
        if fresh and body is not None:
            self._steps(cast("list[Raw]", body.get("do", [])), f"{flow_id}:do", fresh)

    def _steps(self, raw: list[Raw], path: str, ways: set[Way], begin: int = 0) -> set[Way]:
        """The ways that lead on behind a list of steps; they come in at step `begin`."""
        for number, step in enumerate(raw[begin:], begin):
            if not ways:
                break
            ways = _longest(self._step(step, f"{path}.{number}", ways))
        return ways

    def _step(self, step: Raw, here: str, ways: set[Way]) -> set[Way]:
        if self.commented and self.inside is None and not all(way.answered for way in ways):
            self._names(step, here)
        match step["do"]:
            case "send":
                ways = self._message(step, here, ways)
                self._taps(step, here)
            case "ask":
                ways = self._question(step, here, self._message(step, here, ways))
            case "forget_me":
                self._message(step, here, ways)
                ways = {_HEARD} if self.inside is None else set()
            case "wait_for":
                ways = self._wait_for(step, here, ways)
            case "wait":
                ways = {self._waited(way, step, here) for way in ways}
            case "hand_over":
                pause = cast("int", step.get("pause", _PAUSE_S))
                ways = {self._later(way, pause, here, Late.PAUSE) for way in ways}
            case "choose":
                ways = self._choose(step, here, ways)
            case "call" if "if_it_fails" in step:
                inner = cast("list[Raw]", step["if_it_fails"])
                ways = ways | self._steps(inner, f"{here}.if_it_fails", ways)
            case "give_code":
                ways = self._give_code(step, here, ways)
            case "split":
                ways = self._split(step, here, ways)
            case "again":
                self._again(step, here, ways)
            case "run":
                self._run(str(step.get("run")), here, ways)
                return set()
            case "stop" | "opt_out" | schema_steps.UNREAD:
                return set()
        return ways

    # --- messages --------------------------------------------------------------------------------------

    def _message(self, step: Raw, here: str, ways: set[Way]) -> set[Way]:
        return {self._sent(way, step, here) for way in ways}

    def _sent(self, way: Way, step: Raw, here: str) -> Way:
        """The way behind a message, after saying what is wrong with it."""
        private = self.commented and not way.answered
        said = parts(step)
        media = next((one for one in said if one != "text"), None)
        code = None
        if private and way.first is not None:
            code = "second-message"
        elif private and said and not _OPENINGS & set(said) and here not in self.outcome.broken:
            code = "private-reply-media"
        elif private and len(said) > 1:
            code = "second-message"
        if code is not None and not way.told:
            shown = self.inside or way.back or here
            self.found.append(Found(code, here, shown, replace(way, first=way.first or here), media))
        elif way.late is not None and not way.told:
            self._too_late(way)
        else:
            return replace(way, first=way.first or here) if private else way
        return replace(way, first=way.first or here, told=True)

    def _names(self, step: Raw, here: str) -> None:
        """Of somebody who has only commented, Instagram tells the username alone."""
        for place, text in _texts(step, here):
            if {"name", "first_name"} & set(variables(text)):
                self.found.append(Found("commenter-name", place, place, _HEARD))

    def _too_late(self, way: Way) -> None:
        assert way.late is not None
        own = way.late.startswith(f"{self.root}:")
        shown = way.late if own or self.inside is None else self.inside
        private = "live-reply-too-late" if self.only_live else "private-reply-too-late"
        code = _LATE[way.how] if way.answered or not self.commented else private
        self.found.append(Found(code, way.late, shown, way))

    def _taps(self, step: Raw, here: str) -> None:
        """A tap opens the window. In another flow nothing is new behind it."""
        for path, inner in branches(step, here):
            if self.inside is None:
                self._steps(inner, path, {_HEARD})

    def _question(self, step: Raw, here: str, ways: set[Way]) -> set[Way]:
        behind = self._answers(step, here) if self.inside is None else set()
        if "if_no_answer" not in step:
            return behind
        give_up_s = cast("int", step.get("give_up_after", _GIVE_UP_S))
        silent = {self._later(replace(way, silence=here), give_up_s, here, Late.SILENCE) for way in ways}
        inner = cast("list[Raw]", step["if_no_answer"])
        return behind | self._steps(inner, f"{here}.if_no_answer", silent)

    def _answers(self, step: Raw, here: str) -> set[Way]:
        """The ways behind a question that was answered."""
        choices = cast("list[Raw]", step.get("choices", []))
        free = not choices or "optional" in step or any("do" not in choice for choice in choices)
        behind = {_HEARD} if free else set()
        for path, inner in branches(step, here):
            if not path.endswith(".if_no_answer"):
                behind |= self._steps(inner, path, {_HEARD})
        return behind

    def _wait_for(self, step: Raw, here: str, ways: set[Way]) -> set[Way]:
        """An answer or a tap opens the window; a click or a tag does not, and may come at once."""
        behind = ways
        if "click" not in step and "tag" not in step:
            behind = {_HEARD} if self.inside is None else set()
        if "if_not" not in step:
            return behind
        up_to_s = cast("int", step.get("up_to", _GIVE_UP_S))
        place = f"{here}.if_not"
        silent = {self._later(replace(way, silence=place), up_to_s, here, Late.IN_VAIN) for way in ways}
        return behind | self._steps(cast("list[Raw]", step["if_not"]), place, silent)

    # --- time ------------------------------------------------------------------------------------------

    def _waited(self, way: Way, step: Raw, here: str) -> Way:
        if "if_window_closed" in step or here in self.outcome.broken:
            return replace(way, quiet_s=0, late=None)
        if "for" in step:
            return self._later(way, cast("int", step["for"]), here, Late.WAIT)
        days = cast("list[object]", step.get("days", []))
        # A comment may be answered for a week: the next Saturday is not too far.
        if way.answered and way.late is None and days and not set(range(7)) <= set(days):
            return replace(way, late=here, how=Late.DAYS)
        return way

    def _later(self, way: Way, seconds: int, here: str, how: Late) -> Way:
        quiet_s = way.quiet_s + seconds
        limit_s = _DAY_S if way.answered else _BROADCAST_S if self.only_live else _WEEK_S
        if (way.late is None or way.how is Late.DAYS) and quiet_s >= limit_s:
            return replace(way, quiet_s=quiet_s, late=here, how=how)
        return replace(way, quiet_s=quiet_s)

    # --- branches --------------------------------------------------------------------------------------

    def _choose(self, step: Raw, here: str, ways: set[Way]) -> set[Way]:
        behind: set[Way] = set()
        for number, branch in enumerate(cast("list[Raw]", step.get("choose", []))):
            place = f"{here}.choose.{number}"
            if "else" in branch:
                return behind | self._steps(cast("list[Raw]", branch["else"]), f"{place}.else", ways)
            conditions = cast("list[Raw]", branch.get("if", []))
            taken = self._taken(conditions)
            if taken is not _When.NEVER:
                early = next((way for way in ways if self.commented and not way.answered), None)
                if early is not None and not _open(conditions):
                    self._untold(conditions, f"{place}.if", early)
                entering = {_HEARD} if ways and _open(conditions) else ways
                behind |= self._steps(cast("list[Raw]", branch.get("do", [])), f"{place}.do", entering)
            if taken is _When.ALWAYS:
                return behind
        return behind | ways

    def _give_code(self, step: Raw, here: str, ways: set[Way]) -> set[Way]:
        given = self._message(step, here, ways) if "text" in step else ways
        if "if_empty" not in step:
            return given | ways
        return given | self._steps(cast("list[Raw]", step["if_empty"]), f"{here}.if_empty", ways)

    def _split(self, step: Raw, here: str, ways: set[Way]) -> set[Way]:
        behind = ways if falls_through(step) else set()
        for path, inner in branches(step, here):
            behind = behind | self._steps(inner, path, ways)
        return behind

    def _untold(self, conditions: list[Raw], place: str, way: Way) -> None:
        """Conditions that ask for what Instagram does not tell of somebody who has only commented."""
        for number, condition in enumerate(conditions):
            if condition["if"] in PROFILE and condition["value"] not in ("unknown", {}):
                here = f"{place}.{number}"
                self.found.append(
                    Found("commenter-facts", here, self.inside or here, way, str(condition["if"]))
                )
            elif condition["if"] in ("any", "all", "none"):
                inner = cast("list[Raw]", condition["value"])
                self._untold(inner, f"{place}.{number}.{condition['if']}", way)

    def _taken(self, conditions: list[Raw]) -> _When:
        """`came_from` is known of every run that a walk stands for."""
        for condition in conditions:
            if condition["if"] != "came_from":
                continue
            wanted = set(cast("list[str]", condition["value"]))
            if self.commented and "comment" not in wanted:
                return _When.NEVER
            if not self.commented and wanted == {"comment"}:
                return _When.NEVER
            if self.commented and len(conditions) == 1:
                return _When.ALWAYS
        return _When.PERHAPS

    def _again(self, step: Raw, here: str, ways: set[Way]) -> None:
        """Some go back, as often as they may; the others go on."""
        to = self._map(here).ids.get(str(step.get("again")))
        times = self.times.get(here, 0)
        fresh = {way for way in ways if self._longer(here, way)}
        if to is None or times >= cast("int", step.get("at_most", 1)) or not fresh:
            return
        for way in fresh:
            self.longest[here, _kind(way)] = way.quiet_s
        back = {replace(way, back=here) for way in fresh}
        self.later.append(_Later(to, back, self.inside, {**self.times, here: times + 1}))

    def _longer(self, here: str, way: Way) -> bool:
        before = self.longest.get((here, _kind(way)), -1)
        return way.quiet_s > before and not (way.told and before >= 0)

    def _map(self, path: str) -> going_back.Map:
        """Of the flow in which something stands."""
        flow_id = path.partition(":")[0]
        if flow_id not in self.maps:
            self.maps[flow_id] = going_back.map_of(flow_id, self.outcome.flows[flow_id])
        return self.maps[flow_id]

    def _onwards(self, to: str, ways: set[Way]) -> None:
        """From a step on to the end of its flow."""
        lists = self._map(to).lists
        path, _, number = to.rpartition(".")
        begin = int(number)
        while True:
            around = lists[path]
            ways = self._steps(around.steps, path, ways, begin)
            if around.owner is None or not around.leads_on:
                return
            path, _, number = around.owner.rpartition(".")
            begin = int(number) + 1

    def _run(self, flow_id: str, here: str, ways: set[Way]) -> None:
        if self.flows_left > 0:
            self.flows_left -= 1
            self.later.append(_Later(f"{flow_id}:", ways, self.inside or here, self.times))


_LATE = {
    Late.WAIT: "wait-outlasts-window",
    Late.PAUSE: "wait-outlasts-window",
    Late.SILENCE: "silence-outlasts-window",
    Late.IN_VAIN: "silence-outlasts-window",
    Late.DAYS: "wait-may-outlast-window",
}


def _texts(step: Raw, here: str) -> Iterator[tuple[str, str]]:
    """What a person reads of a step, each with its place."""
    for key in ("text", "question"):
        if key in step:
            yield f"{here}.{key}", str(step[key])
    for number, text in enumerate(cast("list[str]", step.get("one_of", []))):
        yield f"{here}.one_of.{number}", text
    for key in ("buttons", "chips", "choices"):
        for number, option in enumerate(cast("list[Raw]", step.get(key, []))):
            yield f"{here}.{key}.{number}.label", str(option.get("label", ""))
    for place, card in cards(step, here):
        for key in ("title", "subtitle"):
            yield f"{place}.{key}", str(card.get(key, ""))


def _open(conditions: list[Raw]) -> bool:
    """Whether these conditions hold only while an ordinary message may be sent."""
    return any(
        (condition["if"] == "window_open" and condition["value"] is True)
        or (condition["if"] == "all" and _open(cast("list[Raw]", condition["value"])))
        for condition in conditions
    )


def _kind(way: Way) -> Way:
    """What ways have in common that differ in time, or in the `again` that led back, alone."""
    return replace(way, quiet_s=0, back=None)


def _longest(ways: Iterable[Way]) -> set[Way]:
    """Of ways of one kind, the one that took longest."""
    longest: dict[Way, Way] = {}
    for way in ways:
        key = _kind(way)
        if key not in longest or longest[key].quiet_s < way.quiet_s:
            longest[key] = way
    return set(longest.values())
