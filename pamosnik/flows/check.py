"""Does everything that a flow names exist, does every text fit together, can every flow be reached?"""

import datetime
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import cast

from pamosnik.flows import patterns, values
from pamosnik.flows.near import nearest
from pamosnik.flows.problems import Problem, Severity
from pamosnik.flows.reader import KEY
from pamosnik.flows.schema_steps import UNREAD
from pamosnik.flows.source import Mark
from pamosnik.flows.texts import BadVariable, parse_text
from pamosnik.model import safety
from pamosnik.model.text import Variable
from pamosnik.model.words import fold, trim

Raw = Mapping[str, object]

VARIABLES = ("username", "name", "first_name", "text", "answer", "post_link", "today", "now", "code")
_ALWAYS_KNOWN = ("today", "now", "code")
_TEXT_KEYS = (
    *("text", "question", "say", "note", "label", "url", "image", "video", "audio", "file"),
    *("title", "subtitle", "tap", "click"),
)
_TEXT_LISTS = ("one_of", "images")
OWN_BRANCHES = ("if_no_answer", "if_empty", "if_not", "if_it_fails")
"""Lists of steps that stand in the step itself."""
_LINES_OF_A_TEXT = 50
_COMPARES = {"more_than": "number", "less_than": "number", "before": "date", "after": "date"}
_USERNAME = re.compile(r"[A-Za-z0-9._]{1,30}")
_TYPES_WITH_A_FORM = ("email", "phone", "number", "date", "url", "choice")
_TWINS = {"more_than": "after", "less_than": "before", "before": "less_than", "after": "more_than"}


Unset = Callable[[str], tuple[str, str] | None]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What would be applied: these files, and what stays beside them."""

    flows: Mapping[str, Raw]
    settings: Raw
    here: frozenset[str]
    """Ids of the flows that stand in these files: only they can be blamed."""
    places: Mapping[str, tuple[str, Mark]]
    """Path of a value (`FLOW:do.0.text`) → where it stands."""
    broken: frozenset[str] = frozenset()
    """Paths of values of which a part could not be read: nothing is concluded from what they lack."""
    lost: frozenset[str] | None = frozenset()
    """Every word of what could not be read; None when that may be anything."""
    applied: frozenset[str] = frozenset()
    """Ids of the flows that are applied now, whatever becomes of them."""
    lines: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """File → what stands in it."""
    tests: Mapping[str, Sequence[Raw]] = field(default_factory=dict)
    """Place → the tests over several flows that stand in one file."""
    connected: tuple[str, ...] | None = None
    """Usernames of the account's connections; None: no machine that would know is asked."""
    can_mail: bool | None = None
    """Whether a mail server is set; None: likewise."""
    now: datetime.datetime | None = None
    """None: nothing is past."""
    is_public: bool | None = None
    """Whether the machine has a public address; None: likewise."""
    unset: Unset | None = None
    """What is wrong with a variable of the environment, and what to do; None: likewise."""

    def may_be_lost(self, name: str) -> bool:
        """Whether a name may stand in what could not be read."""
        return self.lost is None or name in self.lost

    def knows_triggers(self, flow_id: str) -> bool:
        """Whether all triggers of a flow could be read, and no key that might have been `when` was not."""
        return not {f"{flow_id}:", f"{flow_id}:when"} & self.broken

    def problem(
        self, path: str, code: str, message: str, hint: str | None = None, severity: Severity = Severity.ERROR
    ) -> Problem:
        """A problem at the nearest known place at or above a path."""
        known = path
        while known not in self.places and "." in known:
            known = known.rpartition(".")[0]
        if known not in self.places:
            known = f"{path.partition(':')[0]}:"
        file, mark = self.places.get(known, ("", Mark(1, 1)))
        return Problem(file, mark.line, mark.column, severity, code, message, hint)

    def moved(self, problem: Problem, pattern: str) -> Problem:
        """A problem of a text at what a pattern finds within it."""
        lines = self.lines.get(problem.file, ())
        for number in range(problem.line, min(problem.line + _LINES_OF_A_TEXT, len(lines) + 1)):
            start = problem.column - 1 if number == problem.line else 0
            if found := re.compile(pattern).search(lines[number - 1], start):
                return replace(problem, line=number, column=found.start() + 1)
        return problem


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


_COMMENTS = frozenset({"comment", "live_comment"})


def only_comments(body: Raw) -> bool:
    """Whether nothing but comments starts it."""
    kinds = {trigger["trigger"] for trigger in triggers(body)}
    return bool(kinds) and kinds <= _COMMENTS


def started_by_comments(body: Raw) -> bool:
    """Whether a comment may start it."""
    return any(trigger["trigger"] in _COMMENTS for trigger in triggers(body))


def check(outcome: Outcome) -> list[Problem]:
    """All problems of the flows in these files."""
    found: list[Problem] = []
    for flow_id in sorted(outcome.here):
        found += _Flow(outcome, flow_id).check()
    return found


@dataclass(slots=True)
class _Flow:
    outcome: Outcome
    id: str
    found: list[Problem] = field(default_factory=list)

    @property
    def body(self) -> Raw:
        return self.outcome.flows[self.id]

    def check(self) -> list[Problem]:
        for number, trigger in enumerate(triggers(self.body)):
            self._words(f"{self.id}:when.{number}", trigger)
            audience = cast("list[Raw]", trigger.get("audience", []))
            self._conditions(f"{self.id}:when.{number}.audience", audience)
        self._conditions(f"{self.id}:only_if", cast("list[Raw]", self.body.get("only_if", [])))
        self._active()
        self._connections()
        ids: dict[str, str] = {}
        for step in steps(self.id, self.body):
            self._step(step)
            self._id(step, ids)
        return self.found

    def _active(self) -> None:
        active = cast("Mapping[str, str]", self.body.get("active", {}))
        if "from" in active and "until" in active and active["from"] >= last_moment(active["until"]):
            message = f"`until` ({active['until']}) comes before `from` ({active['from']})"
            self._say(f"{self.id}:active.until", "never-active", message, "Swap the two, or mend the year.")

    def _connections(self) -> None:
        known = self.outcome.connected
        for number, username in enumerate(cast("list[str]", self.body.get("connections", []))):
            place = f"{self.id}:connections.{number}"
            if not _USERNAME.fullmatch(username):
                message = f"`{username}` is no Instagram username: letters, digits, dots and _, up to 30"
                self._say(
                    place, "no-username", message, "Write it without @, as it stands behind instagram.com/."
                )
            elif known is None:
                message = f"whether @{username} is connected, only the connected machine knows"
                hint = "`pamosnik flows apply` looks there."
                self.found.append(
                    self.outcome.problem(place, "connection-unseen", message, hint, Severity.NOTE)
                )
            elif username.casefold() not in {one.casefold() for one in known}:
                listed = f"Connected are: {', '.join(known)}." if known else "Try: pamosnik connect"
                message = f"the Instagram account `{username}` is not connected"
                self._say(place, "unknown-connection", message, near(username, known) or listed)

    def _say(self, path: str, code: str, message: str, hint: str | None = None) -> None:
        self.found.append(self.outcome.problem(path, code, message, hint))

    def _warn(self, path: str, code: str, message: str, hint: str | None = None) -> None:
        self.found.append(self.outcome.problem(path, code, message, hint, Severity.WARNING))

    def _id(self, step: Placed, ids: dict[str, str]) -> None:
        step_id = cast("str | None", step.raw.get("id"))
        if step_id is None:
            return
        if step_id in ids:
            self._say(f"{step.path}.id", "duplicate-id", f"two steps of this flow have the id `{step_id}`")
        ids[step_id] = step.path

    def _step(self, step: Placed) -> None:
        raw, path = step.raw, step.path
        kind = raw["do"]
        if path not in self.outcome.broken:
            self._complete(path, raw)
        if "run" in raw:
            self._flow_name(f"{path}.run", str(raw["run"]))
        if kind == "choose":
            for number, branch in enumerate(cast("list[Raw]", raw.get("choose", []))):
                place = f"{path}.choose.{number}.if"
                self._conditions(place, cast("list[Raw]", branch.get("if", [])))
        for place, name in self._fields_of(raw):
            self._field(f"{path}.{place}", name)
        self._answers(path, raw)
        self._same_labels(path, raw)
        self._same_variants(path, raw)
        for place, _, option in options(raw, path):
            self._texts(place, option)
            if "run" in option:
                self._flow_name(f"{place}.run", str(option["run"]))
        for place, card in cards(raw, path):
            self._texts(place, card)
        self._texts(path, raw)
        for place, written in json_texts(raw.get("send"), f"{path}.send") if kind == "call" else ():
            self._text(place, written)
        self._texts(f"{path}.if_not_understood", cast("Raw", raw.get("if_not_understood", {})))
        if kind == "set":
            for name, value in cast("Mapping[str, str]", raw.get("set", {})).items():
                self._text(f"{path}.{name}", value)
                self._value(f"{path}.{name}", name, value)

    def _complete(self, path: str, raw: Raw) -> None:
        """Whether a step that was read as a whole says enough, and not too much."""
        kind = raw["do"]
        has_text = "text" in raw or "one_of" in raw
        if kind == "send" and not parts(raw):
            message = "this message has neither text nor picture, nor anything else to send"
            self._say(path, "empty-message", message, 'Write it like: send: "Hello!"')
        elif kind == "send" and not has_text and ("buttons" in raw or "chips" in raw):
            hint = "Put the buttons into the cards, or write a `text:`." if "cards" in raw else None
            self._say(path, "buttons-without-text", "buttons and chips need a text above them", hint)
        if kind == "reply_publicly" and not has_text:
            self._say(path, "empty-message", "this reply has no text")
        if kind in ("send", "reply_publicly") and "text" in raw and "one_of" in raw:
            self._say(
                path, "two-texts", "`text` and `one_of` exclude each other", "Put the text into `one_of`."
            )
        if kind == "wait" and ("for" in raw) == ("until" in raw):
            self._say(path, "wait-for-what", "`wait` needs either `for` or `until`")

    def _answers(self, path: str, raw: Raw) -> None:
        """Every answer that a question takes must be one that its field can hold."""
        name = str(raw.get("save_as", ""))
        kind = str(self._spec(name).get("type", ""))
        accept = str(raw.get("accept", kind))
        if kind in _TYPES_WITH_A_FORM and accept == "image" and kind != "url":
            message = f"a picture does not fit into `{name}`, a {kind}"
            self._say(f"{path}.accept", "wrong-value", message, "Keep it in a field of the type text or url.")
        elif kind in _TYPES_WITH_A_FORM and accept in _TYPES_WITH_A_FORM and accept != kind:
            message = f"the answer is read as {accept}, and `{name}` is a {kind}"
            self._say(f"{path}.accept", "wrong-value", message, "Take `accept` out: it follows the field.")
        for number, choice in enumerate(cast("list[Raw]", raw.get("choices", []))):
            place, label = f"{path}.choices.{number}", str(choice.get("label", ""))
            if place not in self.outcome.places or _has_variables(label) or kind not in ("choice", "number"):
                continue
            wrong = values.misfit(self._spec(name), label, as_people_type=True)
            if wrong is not None and not (kind == "number" and any(sign.isdecimal() for sign in label)):
                self._say(place, "wrong-value", f"the answer is kept in `{name}`, which {wrong[0]}", wrong[1])

    def _same_variants(self, path: str, raw: Raw) -> None:
        seen: set[str] = set()
        for number, variant in enumerate(cast("list[str]", raw.get("one_of", []))):
            if variant in seen:
                message = "this text stands among the variants twice"
                self._warn(
                    f"{path}.one_of.{number}", "same-variant", message, "Write another one, or delete it."
                )
            seen.add(variant)

    def _same_labels(self, path: str, raw: Raw) -> None:
        """Once in a message, and on a card; several cards may have the same one."""
        seen: set[tuple[str, str]] = set()
        for place, _, option in options(raw, path):
            if "label" not in option:
                continue
            label = (place.rsplit(".", 2)[0], trim(fold(str(option["label"]))))
            if label in seen:
                message = f"the label `{option['label']}` stands in this message twice"
                self._say(place, "same-label", message, "People type labels, too.")
            seen.add(label)

    def _fields_of(self, raw: Raw) -> Iterator[tuple[str, str]]:
        """Fields that a step names, each with where in the step."""
        if "save_as" in raw:
            yield "save_as", str(raw["save_as"])
        for name in cast("Raw", raw.get("set", {})):
            yield f"{name}{KEY}", name
        for name in cast("Raw", raw.get("add", {})):
            yield f"{name}{KEY}", name
        for number, name in enumerate(cast("list[str]", raw.get("clear", []))):
            yield f"clear.{number}", name

    def _field(self, path: str, name: str) -> None:
        fields = list(cast("Raw", self.outcome.settings.get("fields", {})))
        if name not in fields and not self.outcome.may_be_lost(name):
            hint = near(name, fields) or f"Add it at the top: fields: {{{name}: text}}"
            self._say(path, "unknown-field", f"the field `{name}` is not declared", hint)

    def _spec(self, name: str) -> Raw:
        fields = cast("Mapping[str, Raw]", self.outcome.settings.get("fields", {}))
        return {} if f"fields.{name}" in self.outcome.broken else fields.get(name, {})

    def _value(self, path: str, name: str, value: str) -> None:
        """What a step writes must be what its field holds; variables are filled in later."""
        if not _has_variables(value) and (wrong := values.misfit(self._spec(name), value)) is not None:
            self._say(path, "wrong-value", f"`{name}` {wrong[0]}", wrong[1])

    def _comparison(self, path: str, name: str, test: Raw) -> None:
        """`more_than` is for numbers, `before` for dates; on other fields they would never hold."""
        kind = str(test["test"])
        wanted = _COMPARES.get(kind)
        spec = self._spec(name)
        is_a = str(spec.get("type", wanted))
        if wanted is not None and is_a != wanted:
            twin = _TWINS[kind] if is_a in ("date", "number") else "is"
            self._say(
                path,
                "wrong-comparison",
                f"`{kind}` compares {wanted}s, and `{name}` is a {is_a}",
                f"Use `{twin}`, or declare `{name}` as {wanted}.",
            )
            return
        if kind in ("known", "contains"):
            return
        for value in cast("list[str]", test["values"]):
            wrong = values.misfit(spec or {"type": wanted}, value, as_people_type=True)
            if wrong is not None:
                self._say(f"{path}.field.{name}", "wrong-value", f"`{name}` {wrong[0]}", wrong[1])

    def _flow_name(self, path: str, name: str) -> None:
        if name not in self.outcome.flows and not self.outcome.may_be_lost(name):
            hint = near(name, self.outcome.flows) or f"Flows are: {', '.join(list(self.outcome.flows)[:10])}."
            self._say(path, "unknown-flow", f"there is no flow `{name}`", hint)

    def _conditions(self, path: str, raw: list[Raw]) -> None:
        for number, condition in enumerate(raw):
            here = f"{path}.{number}"
            if condition["if"] == "field":
                for name, test in cast("Mapping[str, Raw]", condition["value"]).items():
                    self._field(f"{here}.field.{name}{KEY}", name)
                    self._comparison(here, name, test)
            elif condition["if"] == "text":
                self._patterns(f"{here}.text", cast("Raw", condition["value"]))
            elif condition["if"] in ("during", "outside"):
                self._hours(f"{here}.{condition['if']}", str(condition["value"]))
            elif condition["if"] in ("any", "all", "none"):
                self._conditions(f"{here}.{condition['if']}", cast("list[Raw]", condition["value"]))

    def _hours(self, path: str, name: str) -> None:
        hours = list(cast("Raw", self.outcome.settings.get("hours", {})))
        if name not in hours and not self.outcome.may_be_lost(name):
            example = f'hours: {{ {name}: {{ days: mon to fri, from: "09:00", to: "17:00" }} }}'
            hint = near(name, hours) or f"Add them at the top: {example}"
            self._say(path, "unknown-hours", f"there are no hours `{name}`", hint)

    def _words(self, path: str, trigger: Raw) -> None:
        self._patterns(path, trigger)
        if trigger.get("match") == "regex":
            return
        forbidden = {fold(word) for word in cast("list[str]", trigger.get("but_not", []))}
        for number, word in enumerate(cast("list[str]", trigger.get("words", []))):
            place = f"{path}.words.{number}"
            if is_safety_word(self.outcome.settings, word):
                self._say(
                    place,
                    "safety-word",
                    f"`{word}` is a safety word: people stop, start or call a human with it",
                    "Take another keyword.",
                )
            if fold(word) in forbidden:
                message = f"`{word}` stands under `but_not`, too: it starts nothing"
                self._warn(place, "word-forbidden", message, "Take it out of one of the two.")
            if "*" in word[:-1]:
                self._say(place, "star-inside", f"`{word}`: `*` may stand only at the end of a keyword")

    def _patterns(self, path: str, raw: Raw) -> None:
        for key in ("words", "but_not") if raw.get("match") == "regex" else ():
            for number, pattern in enumerate(cast("list[str]", raw.get(key, []))):
                wrong = patterns.error(pattern)
                if wrong is not None:
                    self._say(
                        f"{path}.{key}.{number}",
                        "bad-pattern",
                        f"`{pattern}` is no pattern: {wrong}",
                        "Without `match: regex` it is looked for as it is written.",
                    )
                elif patterns.takes_everything(pattern):
                    self._warn(
                        f"{path}.{key}.{number}",
                        "pattern-takes-all",
                        f"the pattern `{pattern}` fits every text",
                        "In a pattern x* is any number of x, none too; x+ is at least one, .* is anything.",
                    )

    # --- texts -----------------------------------------------------------------------------------------

    def _texts(self, path: str, raw: Raw) -> None:
        for key in _TEXT_KEYS:
            if key in raw and isinstance(raw[key], str):
                self._text(f"{path}.{key}", str(raw[key]))
        for key in _TEXT_LISTS:
            for number, text in enumerate(cast("list[str]", raw.get(key, []))):
                self._text(f"{path}.{key}.{number}", text)

    def _text(self, path: str, written: str) -> None:
        try:
            parts = parse_text(written).parts
        except BadVariable as bad:
            hint = "Write it like {first_name|there}; for a brace itself write {{."
            brace = re.escape(written[bad.place :].split("\n")[0][:12])
            problem = self.outcome.problem(
                path, "bad-variable", "a brace is opened and holds no variable", hint
            )
            self.found.append(self.outcome.moved(problem, brace))
            return
        for part in parts:
            if isinstance(part, Variable):
                at = len(self.found)
                self._variable(path, part)
                brace = rf"\{{\s*{re.escape(part.name)}\s*[|}}]"
                self.found[at:] = [self.outcome.moved(problem, brace) for problem in self.found[at:]]

    def _variable(self, path: str, variable: Variable) -> None:
        facts = list(cast("Raw", self.outcome.settings.get("facts", {})))
        fields = list(cast("Raw", self.outcome.settings.get("fields", {})))
        called = [
            name for step in steps(self.id, self.body) for name in cast("Raw", step.raw.get("save", {}))
        ]
        if variable.name not in (*VARIABLES, *facts, *fields, *called):
            if self.outcome.may_be_lost(variable.name):
                return
            known = (*VARIABLES, *facts, *fields, *called)
            self._say(
                path,
                "unknown-variable",
                f"unknown variable: `{{{variable.name}}}`",
                near(variable.name, known)
                or "Declare it under `fields` or `facts`, or write {{ for a brace.",
            )
        elif variable.stand_in is None and not self._surely_known(variable.name, facts):
            self._say(
                path,
                "stand-in",
                f"`{{{variable.name}}}` may be empty and needs a stand-in",
                f"Write it like {{{variable.name}|there}}.",
            )
        elif variable.name == "code" and variable.stand_in is None and not self._gives_codes():
            hint = "Put a `give_code` before it."
            self._say(path, "no-code", "no flow gives a code, so `{code}` is always empty", hint)

    def _gives_codes(self) -> bool:
        flows = self.outcome.flows.items()
        return self.outcome.may_be_lost("give_code") or any(
            step.raw["do"] in ("give_code", UNREAD)
            for flow_id, body in flows
            for step in steps(flow_id, body)
        )

    def _surely_known(self, name: str, facts: list[str]) -> bool:
        return (
            name in facts
            or name in _ALWAYS_KNOWN
            or (
                name == "username"
                and (started_by_comments(self.body) or not self.outcome.knows_triggers(self.id))
            )
        )


def last_moment(until: str) -> str:
    """A day that is named without a clock time belongs to it."""
    return until if " " in until else f"{until} 24:00"


def _has_variables(written: str) -> bool:
    try:
        return any(isinstance(part, Variable) for part in parse_text(written).parts)
    except BadVariable:
        return True


def near(name: str, known: "Mapping[str, object] | list[str] | tuple[str, ...]") -> str | None:
    meant = nearest(name, known)
    return None if meant is None else f"Did you mean `{meant}`?"


def is_safety_word(settings: Raw, word: str) -> bool:
    """Whether people stop, start or call a human with it."""
    own = cast("Mapping[str, list[str]]", settings.get("words", {}))
    said = tuple(word for group in own.values() for word in group)
    return trim(fold(word)) in _safety_words(str(settings.get("language", "en")), said)


@lru_cache(maxsize=8)
def _safety_words(language: str, own: tuple[str, ...]) -> frozenset[str]:
    """Asked once for every keyword of a file."""
    built_in = safety.words(language)
    return frozenset(trim(fold(word)) for word in (*built_in.stop, *built_in.start, *built_in.human, *own))
