"""What holds for a flow as a whole: when it takes part, who starts it, how often; and what is worth knowing of it."""

from collections.abc import Iterator, Mapping
from datetime import date, datetime
from typing import assert_never, cast

from pamosnik.flows.explain import conditions, triggers
from pamosnik.flows.explain.page import Item, Part
from pamosnik.flows.explain.speech import Speech, brace
from pamosnik.flows.normal import Raw, map_of
from pamosnik.flows.texts import BadVariable, parse_text
from pamosnik.model.book import Settings
from pamosnik.model.flow import ONCE, Flow, FlowState, Mode
from pamosnik.model.step import Ask, Call, Choose, GiveCode, ReplyPublicly, Send
from pamosnik.model.text import Variable
from pamosnik.model.trigger import CommentTrigger, LiveCommentTrigger, ScheduleTrigger


def parts(speech: Speech, flow: Flow, raw: Raw) -> Iterator[Part]:
    """Before the steps. `raw`: the normal form of the same flow."""
    said, grammar = speech.language.rules, speech.language.grammar
    standing = tuple(Item(sentence) for sentence in _standing(speech, flow, raw))
    if standing:
        yield Part("", standing, "standing")
    if flow.triggers:
        clauses = [triggers.clause(speech, trigger) for trigger in flow.triggers]
        yield Part(said.starts, tuple(_clauses(clauses, f"; {grammar.or_}")), "starts")
    else:
        yield Part(said.starts_never, (), "starts")
    if flow.only_if:
        clauses = [conditions.clause(speech, condition) for condition in flow.only_if]
        yield Part(said.only_if, tuple(_clauses(clauses, f"; {grammar.and_}")), "only_if")
    rules = tuple(Item(sentence) for sentence in _rules(speech, flow))
    if rules:
        yield Part(said.rules, rules, "rules")


def notes(speech: Speech, flow: Flow, raw: Raw, settings: Settings) -> Iterator[Part]:
    """Behind the steps."""
    told = [Item(sentence) for sentence in _notes(speech, flow)]
    filled = tuple(Item(sentence) for sentence in _braces(speech, flow, raw, settings))
    if filled:
        told.append(Item(speech.language.rules.braces, filled))
    if told:
        yield Part(speech.language.rules.notes, tuple(told), "notes")


def _clauses(clauses: list[str], between: str) -> Iterator[Item]:
    """One sentence over several lines."""
    for number, clause in enumerate(clauses, start=1):
        yield Item(f"{clause}{'.' if number == len(clauses) else between}")


def _standing(speech: Speech, flow: Flow, raw: Raw) -> Iterator[str]:
    said = speech.language.rules
    if flow.state is FlowState.PAUSED:
        yield said.paused
    active = map_of(raw, "active")
    zone = speech.language.steps.zone.format(zone=active["zone"]) if "zone" in active else ""
    start = _moment(speech, active.get("from"), said.from_day)
    end = _moment(speech, active.get("until"), said.until_day)
    if start and end:
        yield said.active_between.format(start=start, end=end + zone)
    elif start:
        yield said.active_from.format(start=start + zone)
    elif end:
        yield said.active_until.format(end=end + zone)
    if flow.connections:
        yield said.connections.format(names=speech.all_of(f"@{name}" for name in flow.connections))
    if "was" in raw:
        yield said.was.format(name=speech.quoted(str(raw["was"])))
    if raw.get("tests"):
        number = len(cast("list[object]", raw["tests"]))
        counted = speech.counted(number, speech.language.grammar.conversations)
        yield said.tests.format(conversations=counted)


def _moment(speech: Speech, written: object, day: str) -> str | None:
    if written is None:
        return None
    text = str(written)
    if " " in text:
        return speech.moment(datetime.fromisoformat(text))
    return day.format(date=speech.day(date.fromisoformat(text)))


def _rules(speech: Speech, flow: Flow) -> Iterator[str]:
    said = speech.language.rules
    limit = flow.limits.per_person
    if limit == ONCE:
        yield said.once
    elif limit is not None and not isinstance(limit, str):
        yield said.every.format(time=speech.duration(limit))
    if flow.limits.per_post:
        yield said.per_post
    match flow.mode:
        case Mode.SINGLE:
            if flow.triggers and limit != ONCE:
                yield said.single
        case Mode.RESTART:
            yield said.restart
        case Mode.PARALLEL:
            yield said.parallel
        case _:
            assert_never(flow.mode)
    if flow.priority:
        yield said.priority.format(n=flow.priority)


def _notes(speech: Speech, flow: Flow) -> Iterator[str]:
    said, steps = speech.language.rules, flow.steps.values()
    commented = any(isinstance(one, CommentTrigger | LiveCommentTrigger) for one in flow.triggers)
    sends = any(isinstance(step, Send | Ask) or _sends_code(step) for step in steps)
    if commented and sends:
        yield said.after_comment
        if any(isinstance(step, ReplyPublicly) for step in steps):
            yield said.after_comment_public
    if any(isinstance(step, Send) and _goes_on(step) for step in steps):
        yield said.buttons_note
    wanted = list(flow.only_if)
    for step in steps:
        if isinstance(step, Choose):
            wanted += [branch.condition for branch in step.branches if branch.condition is not None]
    for trigger in flow.triggers:
        if isinstance(trigger, ScheduleTrigger):
            wanted += trigger.audience
    if any(map(conditions.asks_instagram, wanted)):
        yield said.facts_note


def _goes_on(step: Send) -> bool:
    """Buttons that do something, and a step that does not wait for them."""
    return step.at.next is not None and any(option.does_something for option in step.message.options)


def _sends_code(step: object) -> bool:
    return isinstance(step, GiveCode) and step.text is not None


def _braces(speech: Speech, flow: Flow, raw: Raw, settings: Settings) -> Iterator[str]:
    """What the braces in the flow's texts stand for, each as it is written, once."""
    said = speech.language.rules
    saved = {name for step in flow.steps.values() if isinstance(step, Call) for name, _ in step.save}
    for variable in dict.fromkeys(_variables(raw.get("do"))):
        if variable.name in settings.facts:
            continue  # the head says it
        what = said.variables.get(variable.name) or said.brace_field.format(
            field=speech.quoted(variable.name)
        )
        if variable.name in saved and variable.name not in settings.fields:
            what = said.brace_called
        if variable.stand_in is not None:
            what += said.brace_else.format(text=speech.quoted(variable.stand_in))
        yield said.brace.format(name=brace(variable), what=what) + "."


def _variables(value: object) -> Iterator[Variable]:
    """In the order they are met, in every text of the steps."""
    if isinstance(value, str):
        try:
            parts = parse_text(value).parts
        except BadVariable:
            return
        yield from (part for part in parts if isinstance(part, Variable))
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from _variables(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _variables(inner)
