"""Steps of the normal form, nested, as a flat table."""

from collections.abc import Iterator, Mapping
from datetime import date, time, timedelta
from typing import cast

from pamosnik.flows.compile_conditions import conditions
from pamosnik.flows.normal import Raw, list_of, map_of, seconds, strings, text
from pamosnik.flows.texts import parse_text
from pamosnik.model.condition import AllOf
from pamosnik.model.outbox import MediaKind
from pamosnik.model.step import (
    Accept,
    AddToFields,
    Again,
    Ask,
    At,
    Awaited,
    Branch,
    Call,
    Card,
    Choose,
    ClearFields,
    DeleteComment,
    ForgetMe,
    GiveCode,
    Goal,
    HandOver,
    HideComment,
    JsonText,
    Media,
    Message,
    NotifyMe,
    Option,
    OptOut,
    React,
    ReplyPublicly,
    RunFlow,
    Send,
    SetFields,
    Share,
    Split,
    Step,
    Stop,
    Tag,
    Untag,
    Wait,
    WaitFor,
    WindowClosed,
)
from pamosnik.model.text import Text


class StepTable:
    """Flattens nested steps: `next` of the last step of a branch is what follows the branch."""

    def __init__(self) -> None:
        self.table: dict[str, Step] = {}
        self.options: dict[str, Option] = {}
        self.ids: dict[str, str] = {}
        """`id` → path, of the steps so far."""

    def steps(self, raw: list[Raw], path: str, after: str | None) -> str | None:
        """Compiles a list of steps; returns the path of the first, or `after` when there is none."""
        for number, step in enumerate(raw):
            here = f"{path}.{number}"
            following = f"{path}.{number + 1}" if number + 1 < len(raw) else after
            at = At(here, following, cast("str | None", step.get("id")))
            if at.id is not None:
                self.ids[at.id] = here
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
            case "wait_for":
                return self._wait_for(raw, at)
            case "choose":
                return Choose(at, tuple(self._branch(b, at, n) for n, b in enumerate(list_of(raw, "choose"))))
            case "split":
                return Split(at, tuple(self._share(w, at, n) for n, w in enumerate(list_of(raw, "split"))))
            case "tag":
                return Tag(at, strings(raw, "tag"))
            case "untag":
                return Untag(at, strings(raw, "untag"))
            case "set":
                values = cast("Mapping[str, str]", raw["set"])
                return SetFields(at, tuple((field, parse_text(value)) for field, value in values.items()))
            case "add":
                return AddToFields(at, tuple(cast("Mapping[str, str]", raw["add"]).items()))
            case "clear":
                return ClearFields(at, strings(raw, "clear"))
            case "give_code":
                return self._give_code(raw, at)
            case "goal":
                return Goal(at, str(raw["goal"]))
            case "run":
                return RunFlow(at, str(raw["run"]))
            case "again":
                step = str(raw["again"])
                return Again(at, step, self.ids[step], cast("int", raw["at_most"]))
            case "react":
                return React(at, str(raw["react"]))
            case "hide_comment":
                return HideComment(at)
            case "delete_comment":
                return DeleteComment(at)
            case "stop":
                return Stop(at)
            case "opt_out":
                return OptOut(at)
            case "forget_me":
                return ForgetMe(at)
            case "call":
                return self._call(raw, at)
            case "notify_me":
                return NotifyMe(at, parse_text(str(raw["text"])), cast("str | None", raw.get("to")))
            case "hand_over":
                return HandOver(at, text(raw, "note"), seconds(raw, "pause", 12 * 3600))
            case other:
                raise ValueError(f"unknown step {other}")

    def _give_code(self, raw: Raw, at: At) -> GiveCode:
        if_empty = None
        if "if_empty" in raw:
            if_empty = self.steps(list_of(raw, "if_empty"), f"{at.path}.if_empty", at.next)
        return GiveCode(at, str(raw["from"]), text(raw, "text"), if_empty)

    def _wait_for(self, raw: Raw, at: At) -> WaitFor:
        awaited = next(one for one in Awaited if one in raw)
        what = "" if awaited is Awaited.ANSWER else str(raw[awaited])
        if_not = None
        if "if_not" in raw:
            if_not = self.steps(list_of(raw, "if_not"), f"{at.path}.if_not", at.next)
        return WaitFor(at, awaited, parse_text(what), seconds(raw, "up_to", 23 * 3600), if_not)

    def _message(self, raw: Raw, at: At) -> Message:
        images = strings(raw, "images") + strings(raw, "image")
        return Message(
            texts=_variants(raw, "text"),
            buttons=self._options(raw, "buttons", at.path, None),
            chips=self._options(raw, "chips", at.path, None),
            images=tuple(parse_text(image) for image in images),
            media=tuple(_media(raw)),
            cards=tuple(
                self._card(card, f"{at.path}.cards.{number}")
                for number, card in enumerate(list_of(raw, "cards"))
            ),
            typing=seconds(raw, "typing", 0) if "typing" in raw else None,
            quote=bool(raw.get("quote", False)),
            track_links=bool(raw.get("track_links", True)),
        )

    def _card(self, raw: Raw, path: str) -> Card:
        return Card(
            parse_text(str(raw["title"])),
            subtitle=text(raw, "subtitle"),
            image=text(raw, "image"),
            url=text(raw, "url"),
            buttons=self._options(raw, "buttons", path, None),
        )

    def _options(self, raw: Raw, key: str, place: str, after: str | None) -> tuple[Option, ...]:
        found = []
        for number, entry in enumerate(list_of(raw, key)):
            path = f"{place}.{key}.{number}"
            first = self.steps(list_of(entry, "do"), f"{path}.do", after) if "do" in entry else None
            option = Option(
                path=path,
                label=parse_text(str(entry["label"])),
                url=text(entry, "url"),
                name=cast("str | None", entry.get("name")),
                first=first,
                run=cast("str | None", entry.get("run")),
            )
            self.options[path] = option
            found.append(option)
        return tuple(found)

    def _ask(self, raw: Raw, at: At) -> Ask:
        misfit = map_of(raw, "if_not_understood")
        choices = self._options(raw, "choices", at.path, at.next)
        default = Accept.CHOICE if choices else Accept.TEXT
        then = None
        if "then" in misfit:
            then = self.steps(list_of(misfit, "then"), f"{at.path}.if_not_understood.then", at.next)
        if_no_answer = None
        if "if_no_answer" in raw:
            if_no_answer = self.steps(list_of(raw, "if_no_answer"), f"{at.path}.if_no_answer", at.next)
        return Ask(
            at,
            question=(parse_text(str(raw["question"])),),
            accept=Accept(str(raw.get("accept", default))),
            save_as=cast("str | None", raw.get("save_as")),
            choices=choices,
            optional=bool(raw.get("optional", False)),
            say=text(misfit, "say"),
            tries=cast("int", misfit.get("tries", 2)),
            then=then,
            give_up_after=seconds(raw, "give_up_after", 23 * 3600),
            if_no_answer=if_no_answer,
        )

    def _call(self, raw: Raw, at: At) -> Call:
        sent = raw.get("send")
        fails = None
        if "if_it_fails" in raw:
            fails = self.steps(list_of(raw, "if_it_fails"), f"{at.path}.if_it_fails", at.next)
        return Call(
            at,
            webhook=str(raw["webhook"]),
            method=str(raw.get("method", "POST")),
            names=tuple(str(name) for name in sent) if isinstance(sent, list) else None,
            json=None if isinstance(sent, list) else _json_text(sent),
            save=tuple((name, str(path)) for name, path in map_of(raw, "save").items()),
            timeout=seconds(raw, "timeout", 10),
            if_it_fails=fails,
        )

    def _branch(self, raw: Raw, at: At, number: int) -> Branch:
        path = f"{at.path}.choose.{number}"
        if "else" in raw:
            return Branch(None, self.steps(list_of(raw, "else"), f"{path}.else", at.next))
        found = conditions(list_of(raw, "if"))
        condition = found[0] if len(found) == 1 else AllOf(found)
        return Branch(condition, self.steps(list_of(raw, "do"), f"{path}.do", at.next))

    def _share(self, raw: Raw, at: At, number: int) -> Share:
        first = self.steps(list_of(raw, "do"), f"{at.path}.split.{number}.do", at.next)
        return Share(str(raw["name"]), cast("int", raw["share"]), first)


def _json_text(raw: object) -> JsonText:
    match raw:
        case str():
            return parse_text(raw)
        case dict():
            return {key: _json_text(value) for key, value in raw.items()}
        case list():
            return tuple(_json_text(value) for value in raw)
        case None | int() | float():
            return raw
        case _:
            raise ValueError(f"no JSON: {type(raw)}")


def _variants(raw: Raw, key: str) -> tuple[Text, ...]:
    return tuple(parse_text(text) for text in (strings(raw, key) + strings(raw, "one_of")))


def _media(raw: Raw) -> Iterator[Media]:
    for kind in (MediaKind.VIDEO, MediaKind.AUDIO, MediaKind.FILE, MediaKind.POST):
        if kind.value in raw:
            yield Media(kind, text(raw, kind.value))
    if raw.get("heart"):
        yield Media(MediaKind.HEART)


def _wait(raw: Raw, at: At) -> Wait:
    until = raw.get("until")
    days = cast("list[int | str]", raw.get("days", []))
    closed = raw.get("if_window_closed")
    return Wait(
        at,
        for_=seconds(raw, "for", 0) if "for" in raw else None,
        until=None if until is None else time.fromisoformat(str(until)),
        days=tuple(day for day in days if isinstance(day, int)),
        dates=tuple(date.fromisoformat(day) for day in days if isinstance(day, str)),
        zone=cast("str | None", raw.get("zone")),
        if_window_closed=None if closed is None else WindowClosed(str(closed)),
    )
