"""Does everything that a flow names exist, does every text fit together, can every flow be reached?"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import cast

from pamosnik.flows import patterns, values
from pamosnik.flows.bodies import (
    Placed,
    Raw,
    cards,
    json_texts,
    options,
    parts,
    started_by_comments,
    steps,
    triggers,
)
from pamosnik.flows.near import near
from pamosnik.flows.outcome import Outcome
from pamosnik.flows.problems import Problem, Severity
from pamosnik.flows.reader import KEY
from pamosnik.flows.schema_steps import UNREAD
from pamosnik.flows.texts import BadVariable, parse_text
from pamosnik.model import safety
from pamosnik.model.text import Variable
from pamosnik.model.words import fold, trim

VARIABLES = ("username", "name", "first_name", "text", "answer", "post_link", "today", "now", "code")
_ALWAYS_KNOWN = ("today", "now", "code")
_TEXT_KEYS = (
    *("text", "question", "say", "note", "label", "url", "image", "video", "audio", "file"),
    *("title", "subtitle", "tap", "click"),
)
_TEXT_LISTS = ("one_of", "images")
_COMPARES = {"more_than": "number", "less_than": "number", "before": "date", "after": "date"}
_USERNAME = re.compile(r"[A-Za-z0-9._]{1,30}")
_TYPES_WITH_A_FORM = ("email", "phone", "number", "date", "url", "choice")
_TWINS = {"more_than": "after", "less_than": "before", "before": "less_than", "after": "more_than"}


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
