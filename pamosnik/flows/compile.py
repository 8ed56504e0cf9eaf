"""From the normal form to a `Flow`: a flat table of steps. The normal form is what the database keeps."""

import hashlib
import json
from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from typing import cast
from zoneinfo import ZoneInfo

from pamosnik.flows.texts import parse_text
from pamosnik.model.book import FieldSpec, Sentence, Settings
from pamosnik.model.condition import (
    AllOf,
    AnyOf,
    CameFrom,
    CameFromCondition,
    Condition,
    FieldCondition,
    FieldTest,
    FirstTime,
    HasNotTag,
    HasTag,
    NoneOf,
    TextCondition,
    WindowOpen,
)
from pamosnik.model.flow import ONCE, Active, Flow, FlowState, Limits, Mode
from pamosnik.model.step import (
    Accept,
    Ask,
    At,
    Branch,
    Choose,
    ClearFields,
    FieldType,
    Goal,
    HandOver,
    Message,
    Option,
    ReplyPublicly,
    RunFlow,
    Send,
    SetFields,
    Step,
    Stop,
    Tag,
    Untag,
    Wait,
    WindowClosed,
)
from pamosnik.model.text import MatchMode, Text, Words
from pamosnik.model.trigger import (
    AnyPost,
    AnythingElseTrigger,
    CommentTrigger,
    DmTrigger,
    FirstMessageTrigger,
    StoryMentionTrigger,
    StoryReplyTrigger,
    Trigger,
)

Raw = Mapping[str, object]
_NOT_PART_OF_VERSION = ("tests", "was")


def version_of(body: Raw) -> str:
    """SHA-256 of what was written, tests and former id left out."""
    kept = {key: value for key, value in body.items() if key not in _NOT_PART_OF_VERSION}
    canonical = json.dumps(kept, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


def compile_flow(flow_id: str, body: Raw, *, timezone: str) -> Flow:
    """The flow of a checked normal form. `timezone`: of clock times in it that name none."""
    compiler = _Compiler()
    first = compiler.steps(_list(body, "do"), "do", None)
    limits = _map(body, "limits")
    per_person = limits.get("per_person")
    cool_down = timedelta(seconds=per_person) if isinstance(per_person, int) else None
    return Flow(
        id=flow_id,
        version=version_of(body),
        title=str(body.get("title", flow_id)),
        triggers=tuple(_trigger(raw) for raw in _list(body, "when")),
        only_if=_conditions(_list(body, "only_if")),
        steps=compiler.table,
        first=first,
        limits=Limits(
            per_person=ONCE if per_person == ONCE else cool_down,
            per_post="per_post" in limits,
        ),
        mode=Mode(str(body.get("mode", Mode.SINGLE))),
        priority=cast("int", body.get("priority", 0)),
        active=_active(_map(body, "active"), timezone),
        state=FlowState(str(body.get("state", FlowState.LIVE))),
        connections=_strings(body, "connections"),
        options=compiler.options,
        has_goal=any(isinstance(step, Goal) for step in compiler.table.values()),
    )


def compile_settings(settings: Raw) -> Settings:
    """The settings of a checked normal form."""
    words = _map(settings, "words")
    return Settings(
        timezone=cast("str | None", settings.get("timezone")),
        language=str(settings.get("language", "en")),
        says={Sentence(key): str(value) for key, value in _map(settings, "says").items()},
        fields={key: _field(cast("Raw", raw)) for key, raw in _map(settings, "fields").items()},
        facts={key: str(value) for key, value in _map(settings, "facts").items()},
        stop_words=_strings(words, "stop"),
        start_words=_strings(words, "start"),
        human_words=_strings(words, "human"),
        disclosure=cast("str | bool", settings.get("disclosure", True)),
    )


def _field(raw: Raw) -> FieldSpec:
    return FieldSpec(
        type=FieldType(str(raw["type"])),
        choices=_strings(raw, "choices"),
        keep_for_s=cast("int | None", raw.get("keep_for")),
    )


# --- triggers, conditions, small things ------------------------------------------------------------------


def _trigger(raw: Raw) -> Trigger:
    words = _words(raw)
    match raw["trigger"]:
        case "comment":
            posts = _strings(raw, "post") or ("any",)
            named = AnyPost(posts[0]) if posts in (("any",), ("next",)) else posts
            return CommentTrigger(words, named, replies=bool(raw.get("replies", False)))
        case "dm":
            return DmTrigger(words)
        case "story_reply":
            return StoryReplyTrigger(words, _strings(raw, "story"))
        case "story_mention":
            return StoryMentionTrigger()
        case "first_message":
            return FirstMessageTrigger()
        case "anything_else":
            return AnythingElseTrigger()
        case other:
            raise ValueError(f"unknown trigger {other}")


def _words(raw: Raw) -> Words | None:
    words, but_not = _strings(raw, "words"), _strings(raw, "but_not")
    if not words and not but_not:
        return None
    return Words(words, MatchMode(str(raw.get("match", MatchMode.WHOLE_WORD))), but_not)


def _conditions(raw: list[Raw]) -> tuple[Condition, ...]:
    return tuple(one for item in raw for one in _condition(item))


def _condition(raw: Raw) -> tuple[Condition, ...]:
    value = raw["value"]
    match raw["if"]:
        case "has_tag":
            return (HasTag(str(value)),)
        case "has_not_tag":
            return (HasNotTag(str(value)),)
        case "field":
            return tuple(
                FieldCondition(field, FieldTest(str(test["test"])), _strings(test, "values"))
                for field, test in cast("Mapping[str, Raw]", value).items()
            )
        case "text":
            words = _words(cast("Raw", value))
            return () if words is None else (TextCondition(words),)
        case "first_time":
            return (FirstTime(),) if value else (NoneOf((FirstTime(),)),)
        case "window_open":
            return (WindowOpen(),) if value else (NoneOf((WindowOpen(),)),)
        case "came_from":
            return (CameFromCondition(tuple(CameFrom(word) for word in cast("list[str]", value))),)
        case "any":
            return (AnyOf(_conditions(cast("list[Raw]", value))),)
        case "all":
            return (AllOf(_conditions(cast("list[Raw]", value))),)
        case "none":
            return (NoneOf(_conditions(cast("list[Raw]", value))),)
        case other:
            raise ValueError(f"unknown condition {other}")


def _active(raw: Raw, timezone: str) -> Active:
    zone = ZoneInfo(str(raw.get("zone", timezone)))

    def instant(key: str, *, end: bool) -> datetime | None:
        written = raw.get(key)
        if written is None:
            return None
        text = str(written)
        if " " in text:
            return datetime.strptime(text, "%Y-%m-%d %H:%M").replace(tzinfo=zone)
        day = date.fromisoformat(text) + timedelta(days=1 if end else 0)
        return datetime.combine(day, time(), tzinfo=zone)

    return Active(instant("from", end=False), instant("until", end=True))


def _list(raw: Raw, key: str) -> list[Raw]:
    return cast("list[Raw]", raw.get(key, []))


def _map(raw: Raw, key: str) -> Raw:
    return cast("Raw", raw.get(key, {}))


def _strings(raw: Raw, key: str) -> tuple[str, ...]:
    found = raw.get(key, ())
    return (found,) if isinstance(found, str) else tuple(cast("list[str]", found))


def _seconds(raw: Raw, key: str, default: int) -> timedelta:
    return timedelta(seconds=cast("int", raw.get(key, default)))


def _text(raw: Raw, key: str) -> Text | None:
    return parse_text(str(raw[key])) if key in raw else None


# --- steps -----------------------------------------------------------------------------------------------


class _Compiler:
    """Flattens nested steps: `next` of the last step of a branch is what follows the branch."""

    def __init__(self) -> None:
        self.table: dict[str, Step] = {}
        self.options: dict[str, Option] = {}

    def steps(self, raw: list[Raw], path: str, after: str | None) -> str | None:
        """Compiles a list of steps; returns the path of the first, or `after` when there is none."""
        for number, step in enumerate(raw):
            here = f"{path}.{number}"
            following = f"{path}.{number + 1}" if number + 1 < len(raw) else after
            at = At(here, following, cast("str | None", step.get("id")))
            self.table[here] = self._step(step, at)
        return f"{path}.0" if raw else after

    def _step(self, raw: Raw, at: At) -> Step:
        match raw["do"]:
            case "reply_publicly":
                first = cast("list[int] | None", raw.get("wait_first"))
                wait = None if first is None else (timedelta(seconds=first[0]), timedelta(seconds=first[1]))
                return ReplyPublicly(at, _variants(raw, "text"), wait)
            case "send":
                return Send(at, self._message(raw, at))
            case "ask":
                return self._ask(raw, at)
            case "wait":
                return _wait(raw, at)
            case "choose":
                return Choose(at, tuple(self._branch(b, at, n) for n, b in enumerate(_list(raw, "choose"))))
            case "tag":
                return Tag(at, _strings(raw, "tag"))
            case "untag":
                return Untag(at, _strings(raw, "untag"))
            case "set":
                values = cast("Mapping[str, str]", raw["set"])
                return SetFields(at, tuple((field, parse_text(value)) for field, value in values.items()))
            case "clear":
                return ClearFields(at, _strings(raw, "clear"))
            case "goal":
                return Goal(at, str(raw["goal"]))
            case "run":
                return RunFlow(at, str(raw["run"]))
            case "stop":
                return Stop(at)
            case "hand_over":
                return HandOver(at, _text(raw, "note"), _seconds(raw, "pause", 12 * 3600))
            case other:
                raise ValueError(f"unknown step {other}")

    def _message(self, raw: Raw, at: At) -> Message:
        images = _strings(raw, "images") + _strings(raw, "image")
        return Message(
            texts=_variants(raw, "text"),
            buttons=self._options(raw, "buttons", at, None),
            chips=self._options(raw, "chips", at, None),
            images=tuple(parse_text(image) for image in images),
        )

    def _options(self, raw: Raw, key: str, at: At, after: str | None) -> tuple[Option, ...]:
        found = []
        for number, entry in enumerate(_list(raw, key)):
            path = f"{at.path}.{key}.{number}"
            first = self.steps(_list(entry, "do"), f"{path}.do", after) if "do" in entry else None
            option = Option(
                path=path,
                label=parse_text(str(entry["label"])),
                url=_text(entry, "url"),
                name=cast("str | None", entry.get("name")),
                first=first,
                run=cast("str | None", entry.get("run")),
            )
            self.options[path] = option
            found.append(option)
        return tuple(found)

    def _ask(self, raw: Raw, at: At) -> Ask:
        misfit = _map(raw, "if_not_understood")
        choices = self._options(raw, "choices", at, at.next)
        default = Accept.CHOICE if choices else Accept.TEXT
        then = None
        if "then" in misfit:
            then = self.steps(_list(misfit, "then"), f"{at.path}.if_not_understood.then", at.next)
        if_no_answer = None
        if "if_no_answer" in raw:
            if_no_answer = self.steps(_list(raw, "if_no_answer"), f"{at.path}.if_no_answer", at.next)
        return Ask(
            at,
            question=(parse_text(str(raw["question"])),),
            accept=Accept(str(raw.get("accept", default))),
            save_as=cast("str | None", raw.get("save_as")),
            choices=choices,
            optional=bool(raw.get("optional", False)),
            say=_text(misfit, "say"),
            tries=cast("int", misfit.get("tries", 2)),
            then=then,
            give_up_after=_seconds(raw, "give_up_after", 23 * 3600),
            if_no_answer=if_no_answer,
        )

    def _branch(self, raw: Raw, at: At, number: int) -> Branch:
        path = f"{at.path}.choose.{number}"
        if "else" in raw:
            return Branch(None, self.steps(_list(raw, "else"), f"{path}.else", at.next))
        found = _conditions(_list(raw, "if"))
        condition = found[0] if len(found) == 1 else AllOf(found)
        return Branch(condition, self.steps(_list(raw, "do"), f"{path}.do", at.next))


def _variants(raw: Raw, key: str) -> tuple[Text, ...]:
    return tuple(parse_text(text) for text in (_strings(raw, key) + _strings(raw, "one_of")))


def _wait(raw: Raw, at: At) -> Wait:
    until = raw.get("until")
    days = cast("list[int | str]", raw.get("days", []))
    closed = raw.get("if_window_closed")
    return Wait(
        at,
        for_=_seconds(raw, "for", 0) if "for" in raw else None,
        until=None if until is None else time.fromisoformat(str(until)),
        days=tuple(day for day in days if isinstance(day, int)),
        dates=tuple(date.fromisoformat(day) for day in days if isinstance(day, str)),
        zone=cast("str | None", raw.get("zone")),
        if_window_closed=None if closed is None else WindowClosed(str(closed)),
    )
