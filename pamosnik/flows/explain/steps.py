"""Steps as numbered sentences, what hangs on them below.

Steps are 1, 2, 3; what a step may lead to (a button, a branch, "if no answer comes") is 3a, 3b; its steps are 3a.1.
"""

import json
from collections.abc import Iterator, Mapping
from datetime import timedelta
from string import ascii_lowercase
from typing import assert_never

from pamosnik.flows.explain import conditions
from pamosnik.flows.explain.page import Item
from pamosnik.flows.explain.speech import Speech, written
from pamosnik.model.book import Sentence, Settings
from pamosnik.model.flow import Flow
from pamosnik.model.outbox import MediaKind
from pamosnik.model.sentences import BUILT_IN
from pamosnik.model.step import (
    Accept,
    AddToFields,
    Again,
    Ask,
    Awaited,
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
    Message,
    NotifyMe,
    Option,
    OptOut,
    React,
    ReplyPublicly,
    RunFlow,
    Send,
    SetFields,
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


def items(speech: Speech, flow: Flow, settings: Settings) -> tuple[Item, ...]:
    """The steps of a flow, in their order."""
    numbers: dict[str, str] = {}
    _Numberer(flow, numbers).steps("do", "")
    return tuple(_Teller(speech, flow, settings, numbers).steps("do"))


class _Numberer:
    """Gives every step its number, before anything is told: a step may lead back to one."""

    def __init__(self, flow: Flow, numbers: dict[str, str]) -> None:
        self._flow, self._numbers = flow, numbers

    def steps(self, path: str, before: str) -> None:
        number = 0
        while (here := f"{path}.{number}") in self._flow.steps:
            number += 1
            self._numbers[here] = f"{before}{number}"
            for place, branch in enumerate(_branches(self._flow.steps[here])):
                letter = f"{before}{number}{_letter(place)}"
                self._numbers[branch] = letter
                self.steps(branch, f"{letter}.")


def _letter(place: int) -> str:
    """a, b, … z, aa, ab, …"""
    letters = ascii_lowercase
    return (
        letters[place]
        if place < len(letters)
        else _letter(place // len(letters) - 1) + letters[place % len(letters)]
    )


def _branches(step: Step) -> Iterator[str]:
    """Paths of what a step may lead to: each is a list of steps, or a button without any."""
    path = step.at.path
    match step:
        case Send():
            of_cards = (button for card in step.message.cards for button in card.buttons)
            yield from map(_inside, (*of_cards, *step.message.buttons, *step.message.chips))
        case Ask():
            yield from (_inside(option) for option in step.choices)
            if step.then is not None:
                yield f"{path}.if_not_understood.then"
            if step.if_no_answer is not None:
                yield f"{path}.if_no_answer"
        case WaitFor() if step.if_not is not None:
            yield f"{path}.if_not"
        case Choose():
            for number, branch in enumerate(step.branches):
                yield f"{path}.choose.{number}.{'else' if branch.condition is None else 'do'}"
        case Split():
            yield from (f"{path}.split.{number}.do" for number in range(len(step.shares)))
        case GiveCode() if step.if_empty is not None:
            yield f"{path}.if_empty"
        case Call() if step.if_it_fails is not None:
            yield f"{path}.if_it_fails"


def _inside(option: Option) -> str:
    return f"{option.path}.do"


class _Teller:
    def __init__(self, speech: Speech, flow: Flow, settings: Settings, numbers: Mapping[str, str]) -> None:
        self.speech = speech
        self.said = speech.language.steps
        self.flow = flow
        self.settings = settings
        self.numbers = numbers

    def steps(self, path: str) -> Iterator[Item]:
        number = 0
        while (step := self.flow.steps.get(f"{path}.{number}")) is not None:
            number += 1
            text, below = self._step(step)
            if step.at.id is not None:
                ending = ":" if text.endswith(":") else ""
                text = f"{text.removesuffix(':')} [{step.at.id}]{ending}"
            yield Item(text, tuple(below), self.numbers[step.at.path], step.at.path)

    def _branch(self, path: str, text: str) -> Item:
        return Item(text, tuple(self.steps(path)), self.numbers[path])

    def _exception(self, path: str, text: str) -> Item:
        """A branch in the place of which the flow would end: that it goes on behind it has to be said."""
        last = self._last(path)
        if last is None or last.at.next is None or isinstance(last, HandOver) or not self._goes_on(path):
            return self._branch(path, text)
        behind = Item(self.said.goes_on.format(number=self.numbers[last.at.next]))
        return Item(text, (*self.steps(path), behind), self.numbers[path])

    def _last(self, path: str) -> Step | None:
        number = 0
        while f"{path}.{number}" in self.flow.steps:
            number += 1
        return self.flow.steps.get(f"{path}.{number - 1}")

    def _goes_on(self, path: str) -> bool:
        """Whether any way through these steps leads beyond the last of them."""
        last = self._last(path)
        match last:
            case Stop() | RunFlow() | OptOut():
                return False
            case Choose() if last.branches[-1].condition is None:
                return any(map(self._goes_on, _branches(last)))
            case Split():
                return any(map(self._goes_on, _branches(last)))
            case _:
                return True

    def _step(self, step: Step) -> tuple[str, list[Item]]:
        said, quoted, speech = self.said, self.speech.quoted, self.speech
        match step:
            case ReplyPublicly():
                return self._reply(step)
            case Send():
                return self._message(step.message)
            case Ask():
                return self._ask(step)
            case Wait():
                return self._wait(step), []
            case WaitFor():
                return self._wait_for(step)
            case Choose():
                return self._choose(step)
            case Split():
                return said.split, self._shares(step)
            case Tag():
                return speech.form(len(step.tags), said.tag).format(tags=speech.all_quoted(step.tags)), []
            case Untag():
                return speech.form(len(step.tags), said.untag).format(tags=speech.all_quoted(step.tags)), []
            case SetFields():
                parts = [said.set_.format(field=quoted(f), value=quoted(value)) for f, value in step.values]
                return " ".join(parts), []
            case AddToFields():
                return " ".join(self._added(field, amount) for field, amount in step.amounts), []
            case ClearFields():
                return said.clear.format(fields=speech.all_quoted(step.fields)), []
            case GiveCode():
                return self._code(step)
            case Goal():
                return said.goal.format(name=quoted(step.name)), []
            case RunFlow():
                return said.run.format(flow=quoted(step.flow)), []
            case Again():
                number = self.numbers[step.first]
                return said.back.format(number=number, times=speech.times(step.at_most)), []
            case Stop():
                return said.stop, []
            case React():
                return said.react.format(emoji=step.emoji), []
            case HideComment():
                return said.hide, []
            case DeleteComment():
                return said.delete, []
            case HandOver():
                return self._hand_over(step), []
            case NotifyMe():
                to = said.notify if step.to is None else said.notify_to
                return to.format(to=step.to, text=quoted(step.text)), []
            case Call():
                return self._call(step)
            case OptOut():
                return said.opt_out, []
            case ForgetMe():
                return said.forget_me.format(sure=quoted(self._sentence(Sentence.FORGET_SURE))), []
            case _:
                assert_never(step)

    def _shares(self, step: Split) -> list[Item]:
        return [
            self._share(f"{step.at.path}.split.{number}.do", share.percent, share.name)
            for number, share in enumerate(step.shares)
        ]

    def _hand_over(self, step: HandOver) -> str:
        said = self.said
        told = [said.hand_over.format(time=self.speech.duration(step.pause))]
        if step.at.next is not None and not isinstance(self.flow.steps[step.at.next], Stop):
            told.append(said.goes_on.format(number=self.numbers[step.at.next]))
        if step.note is not None:
            told.append(said.note.format(note=self.speech.quoted(step.note)))
        return self.speech.sentences(told)

    def _sentence(self, sentence: Sentence) -> str:
        """What people read: the owner's words, or the built-in ones in the files' language."""
        own = self.settings.says.get(sentence)
        return own if own is not None else BUILT_IN[self.settings.language][sentence]

    # --- messages --------------------------------------------------------------------------------------

    def _reply(self, step: ReplyPublicly) -> tuple[str, list[Item]]:
        waits = []
        if step.wait_first is not None:
            least, most = map(self.speech.duration, step.wait_first)
            waits.append(self.said.reply_waits.format(least=least, most=most))
        if len(step.texts) == 1:
            first = self.said.reply.format(text=self.speech.quoted(step.texts[0]))
            return self.speech.sentences([first, *waits]), []
        return self.said.reply_one_of, [*self._variants(step.texts), *map(Item, waits)]

    def _variants(self, texts: tuple[Text, ...]) -> list[Item]:
        return [Item(self.speech.quoted(text)) for text in texts]

    def _message(self, message: Message) -> tuple[str, list[Item]]:
        said, url = self.said, written
        told = []
        if message.typing is not None:
            told.append(said.typing.format(time=self.speech.duration(message.typing)))
        if message.quote:
            told.append(said.quote)
        if not message.track_links:
            told.append(said.untracked)
        below = [Item(said.image.format(url=url(image))) for image in message.images]
        below += [Item(self._media(media.kind, media.url)) for media in message.media]
        below += [self._card(card) for card in message.cards]
        below += [self._option(option, said.button) for option in message.buttons]
        below += [self._option(option, said.chip) for option in message.chips]
        if len(message.texts) == 1:
            first = said.message.format(text=self.speech.quoted(message.texts[0]))
            return self.speech.sentences([first, *told]), below
        lead = said.message_one_of if message.texts else said.message_without_text
        return lead, [*self._variants(message.texts), *map(Item, told), *below]

    def _media(self, kind: MediaKind, url: Text | None) -> str:
        if url is None:
            return self.said.heart
        named = {
            MediaKind.VIDEO: self.said.video,
            MediaKind.AUDIO: self.said.audio,
            MediaKind.FILE: self.said.file,
            MediaKind.POST: self.said.post,
        }
        return named.get(kind, self.said.image).format(url=written(url))

    def _card(self, card: Card) -> Item:
        told = [self.said.card.format(title=self.speech.quoted(card.title))]
        if card.subtitle is not None:
            told.append(self.speech.quoted(card.subtitle))
        if card.image is not None:
            told.append(self.said.card_image.format(url=written(card.image)))
        if card.url is not None:
            told.append(self.said.card_url.format(url=written(card.url)))
        return Item(", ".join(told), tuple(self._option(one, self.said.button) for one in card.buttons))

    def _option(self, option: Option, what: str) -> Item:
        text = what.format(label=self.speech.quoted(option.label))
        if option.url is not None:
            text += self.said.opens.format(url=written(option.url))
        if option.name is not None:
            text += self.said.counted_as.format(name=self.speech.quoted(option.name))
        if option.run is not None:
            text += self.said.leads_to.format(flow=self.speech.quoted(option.run))
        return self._branch(_inside(option), f"{text}:" if option.first is not None else text)

    # --- questions and pauses --------------------------------------------------------------------------

    def _ask(self, step: Ask) -> tuple[str, list[Item]]:
        said, path = self.said, step.at.path
        told = [said.question.format(text=self.speech.quoted(text)) for text in step.question]
        told.append(said.accepted.format(accept=said.accepts[step.accept]))
        if step.save_as is not None:
            told.append(said.saved.format(field=self.speech.quoted(step.save_as)))
        if step.optional:
            told.append(said.optional.format(skip=self.speech.quoted(self._sentence(Sentence.SKIP))))
        if step.accept is not Accept.ANYTHING or step.say is not None or step.then is not None:
            say = self._sentence(Sentence.NOT_UNDERSTOOD) if step.say is None else step.say
            told.append(said.again.format(say=self.speech.quoted(say), times=self.speech.times(step.tries)))
            if step.then is None:
                told.append(said.then_on if step.optional else said.then_human)
        told.append(said.gives_up.format(time=self.speech.duration(step.give_up_after)))
        below = [self._option(choice, said.choice) for choice in step.choices]
        if step.then is not None:
            below.append(self._exception(f"{path}.if_not_understood.then", said.then))
        if step.if_no_answer is None:
            told.append(said.no_answer_ends)
        else:
            below.append(self._exception(f"{path}.if_no_answer", said.no_answer))
        return self.speech.sentences(told), below

    def _wait(self, step: Wait) -> str:
        said, told = self.said, []
        if step.for_ is not None:
            told.append(said.wait.format(time=self.speech.duration(step.for_)))
        if step.until is not None:
            days = self.speech.days(step.days, step.dates)
            told.append(
                said.wait_until.format(
                    clock=self.speech.clock(step.until),
                    days=said.wait_days.format(days=days) if days else "",
                    zone="" if step.zone is None else said.zone.format(zone=step.zone),
                )
            )
        match step.if_window_closed:
            case WindowClosed.SKIP:
                told.append(said.closed_skip)
            case WindowClosed.STOP:
                told.append(said.closed_stop)
            case WindowClosed.TELL_ME:
                told.append(said.closed_tell)
            case None:
                pass
            case _:
                assert_never(step.if_window_closed)
        return self.speech.sentences(told)

    def _wait_for(self, step: WaitFor) -> tuple[str, list[Item]]:
        said = self.said
        sentence = {
            Awaited.ANSWER: said.wait_answer,
            Awaited.TAP: said.wait_tap,
            Awaited.CLICK: said.wait_click,
            Awaited.TAG: said.wait_tag,
        }[step.awaited]
        told = sentence.format(what=self.speech.quoted(step.what), time=self.speech.duration(step.up_to))
        if step.if_not is None:
            return f"{told} {said.not_in_time_ends}", []
        return told, [self._exception(f"{step.at.path}.if_not", said.not_in_time)]

    # --- branches --------------------------------------------------------------------------------------

    def _choose(self, step: Choose) -> tuple[str, list[Item]]:
        below = []
        for path, branch in zip(_branches(step), step.branches, strict=True):
            if branch.condition is None:
                text = self.said.else_
            else:
                text = self.said.if_.format(condition=conditions.clause(self.speech, branch.condition))
            below.append(self._branch(path, text))
        ends = "" if step.branches[-1].condition is None else f" {self.said.no_else}"
        return self.said.choose.removesuffix(":") + f".{ends}" if ends else self.said.choose, below

    def _share(self, path: str, percent: int, name: str) -> Item:
        something = f"{path}.0" in self.flow.steps
        sentence = self.said.share if something else self.said.share_nothing
        return self._branch(path, sentence.format(percent=percent, name=self.speech.quoted(name)))

    def _added(self, field: str, amount: str) -> str:
        sentence = self.said.subtract if amount.startswith("-") else self.said.add
        return sentence.format(field=self.speech.quoted(field), n=amount.lstrip("+-"))

    def _code(self, step: GiveCode) -> tuple[str, list[Item]]:
        said, pool = self.said, self.speech.quoted(step.pool)
        told = [said.code_kept.format(pool=pool)]
        if step.text is not None:
            told = [said.code.format(pool=pool, text=self.speech.quoted(step.text))]
        if step.if_empty is None:
            return self.speech.sentences([*told, said.no_code_on]), []
        return told[0], [self._branch(f"{step.at.path}.if_empty", said.no_code)]

    def _call(self, step: Call) -> tuple[str, list[Item]]:
        said, speech = self.said, self.speech
        told = [said.call.format(webhook=speech.quoted(step.webhook), method=step.method)]
        if step.names is not None:
            told.append(said.sends.format(names=speech.all_quoted(step.names)))
        elif step.json is not None:
            told.append(said.sends_json.format(json=_json(step.json)))
        else:
            told.append(said.sends_nothing if step.method in ("GET", "DELETE") else said.sends_all)
        told += [said.saves.format(path=speech.quoted(p), name=speech.quoted(n)) for n, p in step.save]
        if step.timeout != timedelta(seconds=10):
            told.append(said.attempt.format(time=speech.duration(step.timeout)))
        if step.if_it_fails is None:
            return self.speech.sentences([*told, said.fails_on]), []
        return self.speech.sentences(told), [self._branch(f"{step.at.path}.if_it_fails", said.fails)]


def _json(value: JsonText) -> str:
    return json.dumps(_plain(value), ensure_ascii=False)


def _plain(value: JsonText) -> object:
    match value:
        case Text():
            return written(value)
        case Mapping():
            return {key: _plain(inner) for key, inner in value.items()}
        case tuple():
            return [_plain(inner) for inner in value]
        case _:
            return value
