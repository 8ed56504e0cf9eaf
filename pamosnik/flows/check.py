"""Does everything that a flow names exist, does every text fit together, can every flow be reached?"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import cast

from pamosnik.flows.problems import Problem, Severity
from pamosnik.flows.source import Mark
from pamosnik.flows.texts import BadVariable, parse_text
from pamosnik.model import safety
from pamosnik.model.flow import Variable
from pamosnik.model.words import fold, trim

Raw = Mapping[str, object]

VARIABLES = ("username", "name", "first_name", "text", "answer", "post_link", "today", "now")
_ALWAYS_KNOWN = ("today", "now")
_LATER_VARIABLES = ("code",)
_TEXT_KEYS = ("text", "question", "say", "note", "label", "url", "image")
_TEXT_LISTS = ("one_of", "images")
_BRANCHES = ("do", "if_no_answer", "then", "else")
NESTING = 2
"""Levels of steps within steps that people can still read."""
_COMPARES = {"more_than": "number", "less_than": "number", "before": "date", "after": "date"}
_TWINS = {"more_than": "after", "less_than": "before", "before": "less_than", "after": "more_than"}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What would be applied: these files, and what stays beside them."""

    flows: Mapping[str, Raw]
    settings: Raw
    here: frozenset[str]
    """Ids of the flows that stand in these files: only they can be blamed."""
    places: Mapping[str, tuple[str, Mark]]
    """Path of a value (`FLOW:do.0.text`) → where it stands."""

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


@dataclass(frozen=True, slots=True)
class Placed:
    """A step with the path it stands at, and whether only comments start its flow."""

    path: str
    raw: Raw
    last: bool
    """The last of its list."""


def steps(flow_id: str, body: Raw) -> Iterator[Placed]:
    """Every step of a flow, nested ones included."""
    yield from _steps(cast("list[Raw]", body["do"]), f"{flow_id}:do")


def _steps(raw: list[Raw], path: str) -> Iterator[Placed]:
    for number, step in enumerate(raw):
        here = f"{path}.{number}"
        yield Placed(here, step, last=number == len(raw) - 1)
        for inner_path, inner in branches(step, here):
            yield from _steps(inner, inner_path)


def branches(step: Raw, path: str) -> Iterator[tuple[str, list[Raw]]]:
    """The lists of steps inside one step."""
    for key in ("buttons", "chips", "choices", "choose"):
        for number, entry in enumerate(cast("list[Raw]", step.get(key, []))):
            for name in ("do", "else"):
                if name in entry:
                    yield f"{path}.{key}.{number}.{name}", cast("list[Raw]", entry[name])
    if "if_no_answer" in step:
        yield f"{path}.if_no_answer", cast("list[Raw]", step["if_no_answer"])
    misfit = cast("Raw", step.get("if_not_understood", {}))
    if "then" in misfit:
        yield f"{path}.if_not_understood.then", cast("list[Raw]", misfit["then"])


def triggers(body: Raw) -> list[Raw]:
    """The triggers of a flow."""
    return cast("list[Raw]", body.get("when", []))


def only_comments(body: Raw) -> bool:
    """Whether nothing but comments starts it."""
    kinds = {trigger["trigger"] for trigger in triggers(body)}
    return kinds == {"comment"}


def started_by_comments(body: Raw) -> bool:
    """Whether a comment may start it."""
    return any(trigger["trigger"] == "comment" for trigger in triggers(body))


def check(outcome: Outcome) -> list[Problem]:
    """All problems of the flows in these files."""
    found: list[Problem] = []
    for flow_id in sorted(outcome.here):
        found += _Flow(outcome, flow_id).check()
    found += _clashes(outcome)
    found += _loops(outcome)
    found += _tags(outcome)
    found += _settings(outcome)
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
        self._conditions(f"{self.id}:only_if", cast("list[Raw]", self.body.get("only_if", [])))
        ids: dict[str, str] = {}
        for step in steps(self.id, self.body):
            self._step(step)
            self._id(step, ids)
        self._nesting()
        return self.found

    def _nesting(self) -> None:
        """Once per flow, at the first step that is too deep to be read."""
        for step in steps(self.id, self.body):
            lists = sum(part in _BRANCHES for part in step.path.partition(":")[2].split("."))
            if lists - 1 > NESTING:
                self.found.append(
                    self.outcome.problem(
                        step.path,
                        "deep-nesting",
                        f"this step stands {lists - 1} levels deep",
                        "Make a flow of the inner steps and go there with `run:`.",
                        Severity.NOTE,
                    )
                )
                return

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
        if kind in ("stop", "run") and not step.last:
            self._say(
                path, "unreachable", f"the steps after `{kind}` never happen", f"Move `{kind}` to the end."
            )
        if kind == "send" and not any(key in raw for key in ("text", "one_of", "image", "images")):
            self._say(path, "empty-message", "this message has neither text nor picture")
        if kind in ("send", "reply_publicly") and "text" in raw and "one_of" in raw:
            self._say(
                path, "two-texts", "`text` and `one_of` exclude each other", "Put the text into `one_of`."
            )
        if kind == "reply_publicly" and "text" not in raw and "one_of" not in raw:
            self._say(path, "empty-message", "this reply has no text")
        if kind == "send" and ("buttons" in raw or "chips" in raw) and not ("text" in raw or "one_of" in raw):
            self._say(path, "buttons-without-text", "buttons and chips need a text above them")
        if kind == "wait" and ("for" in raw) == ("until" in raw):
            self._say(path, "wait-for-what", "`wait` needs either `for` or `until`")
        if kind == "run":
            self._flow_name(f"{path}.run", str(raw["run"]))
        if kind == "choose":
            for number, branch in enumerate(cast("list[Raw]", raw["choose"])):
                place = f"{path}.choose.{number}.if"
                self._conditions(place, cast("list[Raw]", branch.get("if", [])))
        for name in (*self._fields_of(raw),):
            self._field(path, name)
        self._same_labels(path, raw)
        for key in ("buttons", "chips", "choices"):
            for number, option in enumerate(cast("list[Raw]", raw.get(key, []))):
                place = f"{path}.{key}.{number}"
                self._texts(place, option)
                if "run" in option:
                    self._flow_name(f"{place}.run", str(option["run"]))
        self._texts(path, raw)
        self._texts(f"{path}.if_not_understood", cast("Raw", raw.get("if_not_understood", {})))
        if kind == "set":
            for name, value in cast("Mapping[str, str]", raw["set"]).items():
                self._text(f"{path}.{name}", value)

    def _same_labels(self, path: str, raw: Raw) -> None:
        seen: set[str] = set()
        for key in ("buttons", "chips", "choices"):
            for number, option in enumerate(cast("list[Raw]", raw.get(key, []))):
                label = trim(fold(str(option["label"])))
                if label in seen:
                    message = f"the label `{option['label']}` stands in this message twice"
                    self._say(f"{path}.{key}.{number}", "same-label", message, "People type labels, too.")
                seen.add(label)

    def _fields_of(self, raw: Raw) -> list[str]:
        if raw["do"] == "ask":
            return [str(raw["save_as"])] if "save_as" in raw else []
        if raw["do"] == "set":
            return list(cast("Raw", raw["set"]))
        return list(cast("list[str]", raw["clear"])) if raw["do"] == "clear" else []

    def _field(self, path: str, name: str) -> None:
        fields = list(cast("Raw", self.outcome.settings.get("fields", {})))
        if name not in fields:
            hint = _near(name, fields) or f"Add it at the top: fields: {{{name}: text}}"
            self._say(path, "unknown-field", f"the field `{name}` is not declared", hint)

    def _comparison(self, path: str, name: str, test: str) -> None:
        """`more_than` is for numbers, `before` for dates; on other fields they would never hold."""
        fields = cast("Mapping[str, Raw]", self.outcome.settings.get("fields", {}))
        wanted = _COMPARES.get(test)
        kind = str(fields.get(name, {}).get("type", wanted))
        if wanted is not None and kind != wanted:
            twin = _TWINS[test] if kind in ("date", "number") else "is"
            self._say(
                path,
                "wrong-comparison",
                f"`{test}` compares {wanted}s, and `{name}` is a {kind}",
                f"Use `{twin}`, or declare `{name}` as {wanted}.",
            )

    def _flow_name(self, path: str, name: str) -> None:
        if name not in self.outcome.flows:
            self._say(path, "unknown-flow", f"there is no flow `{name}`", _near(name, self.outcome.flows))

    def _conditions(self, path: str, raw: list[Raw]) -> None:
        for number, condition in enumerate(raw):
            here = f"{path}.{number}"
            if condition["if"] == "field":
                for name, test in cast("Mapping[str, Raw]", condition["value"]).items():
                    self._field(here, name)
                    self._comparison(here, name, str(test["test"]))
            elif condition["if"] in ("any", "all", "none"):
                self._conditions(f"{here}.{condition['if']}", cast("list[Raw]", condition["value"]))

    def _words(self, path: str, trigger: Raw) -> None:
        if trigger.get("match") != "regex":
            for word in cast("list[str]", trigger.get("words", [])):
                if trim(fold(word)) in _safety_words(self.outcome.settings):
                    self._say(
                        path,
                        "safety-word",
                        f"`{word}` is a safety word: people stop, start or call a human with it",
                        "Take another keyword.",
                    )
                if "*" in word[:-1]:
                    self._say(path, "star-inside", f"`{word}`: `*` may stand only at the end of a keyword")
        if trigger.get("match") == "regex":
            for word in cast("list[str]", trigger.get("words", [])):
                self._pattern(path, word)

    def _pattern(self, path: str, pattern: str) -> None:
        import re2

        options = re2.Options()
        options.log_errors = False
        try:
            re2.compile(pattern, options)
        except re2.error as error:
            self._say(path, "bad-pattern", f"`{pattern}` is no pattern: {error}")

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
        except BadVariable:
            hint = "Write it like {first_name|there}; for a brace itself write {{."
            self._say(path, "bad-variable", "a brace is opened and holds no variable", hint)
            return
        for part in parts:
            if isinstance(part, Variable):
                self._variable(path, part)

    def _variable(self, path: str, variable: Variable) -> None:
        facts = list(cast("Raw", self.outcome.settings.get("facts", {})))
        fields = list(cast("Raw", self.outcome.settings.get("fields", {})))
        if variable.name in _LATER_VARIABLES:
            self._say(
                path,
                "not-available-yet",
                f"this version of Pamosnik cannot fill in `{{{variable.name}}}` yet",
            )
        elif variable.name not in (*VARIABLES, *facts, *fields):
            known = (*VARIABLES, *facts, *fields)
            self._say(
                path,
                "unknown-variable",
                f"unknown variable: `{{{variable.name}}}`",
                _near(variable.name, known)
                or "Declare it under `fields` or `facts`, or write {{ for a brace.",
            )
        elif variable.stand_in is None and not self._surely_known(variable.name, facts):
            self._say(
                path,
                "stand-in",
                f"`{{{variable.name}}}` may be empty and needs a stand-in",
                f"Write it like {{{variable.name}|there}}.",
            )

    def _surely_known(self, name: str, facts: list[str]) -> bool:
        return (
            name in facts or name in _ALWAYS_KNOWN or (name == "username" and started_by_comments(self.body))
        )


def _never_goes_on(raw: Raw) -> bool:
    """Whether no way leads from this step to the one after it."""
    if raw["do"] in ("stop", "run"):
        return True
    if raw["do"] != "choose":
        return False
    branches_ = cast("list[Raw]", raw["choose"])
    lists = [cast("list[Raw]", branch.get("do", branch.get("else", []))) for branch in branches_]
    return "else" in branches_[-1] and all(_never_goes_on(steps_[-1]) for steps_ in lists)


def _near(name: str, known: "Mapping[str, object] | list[str] | tuple[str, ...]") -> str | None:
    near = get_close_matches(name, list(known), n=1, cutoff=0.6)
    return f"Did you mean `{near[0]}`?" if near else None


def _safety_words(settings: Raw) -> set[str]:
    built_in = safety.words(str(settings.get("language", "en")))
    own = cast("Mapping[str, list[str]]", settings.get("words", {}))
    groups = (built_in.stop, built_in.start, built_in.human, *own.values())
    return {trim(fold(word)) for group in groups for word in group}


# --- between flows ---------------------------------------------------------------------------------------


def _clashes(outcome: Outcome) -> list[Problem]:
    """Two flows of the same priority and specificity for the same words on the same posts."""
    taken: dict[tuple[object, ...], list[tuple[str, int]]] = {}
    found = []
    for flow_id, body in outcome.flows.items():
        if body.get("state") == "paused":
            continue
        for number, trigger in enumerate(triggers(body)):
            for key in _takes(body, trigger):
                for other, place in taken.setdefault(key, []):
                    if other != flow_id and _share_a_connection(body, outcome.flows[other]):
                        found += _clash(outcome, key, (other, place), (flow_id, number))
                taken[key].append((flow_id, number))
    return list(dict.fromkeys(found))


def _clash(
    outcome: Outcome, key: tuple[object, ...], first: tuple[str, int], second: tuple[str, int]
) -> list[Problem]:
    blamed = next((place for place in (second, first) if place[0] in outcome.here), None)
    if blamed is None:
        return []
    word = f"`{key[-1]}`" if key[-1] else "any words"
    message = f"{word} would start both `{first[0]}` and `{second[0]}`"
    hint = "Give one of them a higher `priority`, other words or another post."
    return [outcome.problem(f"{blamed[0]}:when.{blamed[1]}", "clash", message, hint)]


def _share_a_connection(one: Raw, other: Raw) -> bool:
    a, b = (cast("list[str]", body.get("connections", [])) for body in (one, other))
    return not a or not b or bool({name.casefold() for name in a} & {name.casefold() for name in b})


def _takes(body: Raw, trigger: Raw) -> Iterator[tuple[object, ...]]:
    """What a trigger claims for itself: priority, kind, post, word; an empty word is any."""
    posts = cast("list[str]", trigger.get("post", trigger.get("story", ["any"])))
    words = [trim(fold(word)) for word in cast("list[str]", trigger.get("words", []))]
    for post in posts:
        for word in words or [""]:
            yield (body.get("priority", 0), trigger["trigger"], post, word)


def _loops(outcome: Outcome) -> list[Problem]:
    """Flows that `run:` each other without ever waiting for the person."""
    leads = {flow_id: _runs_at_once(cast("list[Raw]", body["do"])) for flow_id, body in outcome.flows.items()}
    found = []
    for flow_id in sorted(outcome.here):
        seen: set[str] = set()
        open_flows = [flow_id]
        while open_flows:
            for following in leads.get(open_flows.pop(), ()):
                if following == flow_id:
                    message = f"the flow `{flow_id}` starts itself again and never waits"
                    found.append(outcome.problem(f"{flow_id}:do", "loop", message))
                    seen.add(following)
                elif following not in seen:
                    seen.add(following)
                    open_flows.append(following)
    return list(dict.fromkeys(found))


def _runs_at_once(raw: list[Raw]) -> set[str]:
    """Flows that a list of steps goes on in without an `ask`, `wait` or tap between."""
    found: set[str] = set()
    for step in raw:
        if step["do"] == "run":
            found.add(str(step["run"]))
        if step["do"] == "choose":
            for branch in cast("list[Raw]", step["choose"]):
                found |= _runs_at_once(cast("list[Raw]", branch.get("do", branch.get("else", []))))
        if step["do"] in ("ask", "wait", "hand_over", "stop", "run"):
            break
    return found


def _tags(outcome: Outcome) -> list[Problem]:
    """A tag that is asked for and that no flow gives."""
    given = {
        tag
        for flow_id, body in outcome.flows.items()
        for step in steps(flow_id, body)
        for tag in cast("list[str]", step.raw.get("tag", []))
    }
    found = []
    for flow_id in sorted(outcome.here):
        for path, tag in _asked_tags(flow_id, outcome.flows[flow_id]):
            if tag not in given:
                near = _near(tag, sorted(given)) or "Nothing gives it but the command `contacts tag`."
                message = f"no flow gives the tag `{tag}`"
                found.append(outcome.problem(path, "tag-never-given", message, near, Severity.WARNING))
    return found


def _asked_tags(flow_id: str, body: Raw) -> Iterator[tuple[str, str]]:
    yield from _tags_in(f"{flow_id}:only_if", cast("list[Raw]", body.get("only_if", [])))
    for step in steps(flow_id, body):
        if step.raw["do"] == "choose":
            for number, branch in enumerate(cast("list[Raw]", step.raw["choose"])):
                place = f"{step.path}.choose.{number}.if"
                yield from _tags_in(place, cast("list[Raw]", branch.get("if", [])))


def _tags_in(path: str, raw: list[Raw]) -> Iterator[tuple[str, str]]:
    for number, condition in enumerate(raw):
        if condition["if"] in ("has_tag", "has_not_tag"):
            yield f"{path}.{number}", str(condition["value"])
        elif condition["if"] in ("any", "all", "none"):
            yield from _tags_in(f"{path}.{number}", cast("list[Raw]", condition["value"]))


def _settings(outcome: Outcome) -> list[Problem]:
    """Names that mean two things, and a disclosure that was turned off."""
    found = []
    facts = cast("Raw", outcome.settings.get("facts", {}))
    fields = cast("Raw", outcome.settings.get("fields", {}))
    for kind, names in (("fields", fields), ("facts", facts)):
        for name in names:
            if name in VARIABLES or name in _LATER_VARIABLES:
                message = f"`{name}` is the name of a variable already"
                found.append(outcome.problem(f"{kind}.{name}", "name-taken", message, "Take another name."))
    for name in set(facts) & set(fields):
        message = f"`{name}` is a field and a fact"
        found.append(
            outcome.problem(f"facts.{name}", "name-taken", message, "Take another name for one of them.")
        )
    for name, spec in fields.items():
        if cast("Raw", spec)["type"] == "choice" and "choices" not in cast("Raw", spec):
            message = f"the field `{name}` is a choice and has no `choices`"
            found.append(outcome.problem(f"fields.{name}", "choices-missing", message))
    if outcome.settings.get("disclosure") is False and "disclosure" in outcome.places:
        found.append(
            outcome.problem(
                "disclosure",
                "no-disclosure",
                "people are not told that a machine writes; some countries demand it",
                None,
                Severity.WARNING,
            )
        )
    return found
