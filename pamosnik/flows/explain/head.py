"""What holds for all flows: the settings."""

from collections.abc import Iterator
from datetime import time, timedelta
from typing import cast

from pamosnik.flows.explain.page import Item
from pamosnik.flows.explain.speech import Speech, written
from pamosnik.flows.normal import Raw, map_of
from pamosnik.model import safety
from pamosnik.model.book import FieldSpec, Settings, Webhook
from pamosnik.model.hours import Span
from pamosnik.model.sentences import DISCLOSURE

_REST = timedelta(hours=12)
"""So long the flows rest for somebody who called a human (`services.safety_words`)."""


def items(speech: Speech, settings: Settings, raw: Raw) -> Iterator[Item]:
    """`raw`: the normal form of the same settings."""
    said = speech.language.head
    zone = settings.timezone
    yield Item(said.zone_of_account if zone is None else said.zone.format(zone=zone))
    yield Item(said.speaks.format(language=said.languages[settings.language]))
    if settings.disclosure is False:
        yield Item(said.no_disclosure)
    else:
        line = raw.get("disclosure", True)
        shown = DISCLOSURE[settings.language] if line is True else str(line)
        yield Item(said.disclosure.format(text=speech.quoted(shown)))
    yield _safety(speech, settings)
    says = map_of(raw, "says")
    yield from (
        Item(sentence.format(text=speech.quoted(str(says[key]))))
        for key, sentence in said.says.items()
        if key in says
    )
    yield from _listed(said.fields, (_field(speech, *entry) for entry in settings.fields.items()))
    yield from _listed(
        said.hours,
        (
            f"{speech.quoted(name)}: {'; '.join(_span(speech, span) for span in spans)}"
            for name, spans in settings.hours.items()
        ),
    )
    yield from _listed(
        said.facts,
        (
            said.fact.format(name=f"{{{name}}}", text=speech.quoted(fact))
            for name, fact in settings.facts.items()
        ),
    )
    yield from _listed(said.codes, (_pool(speech, *entry) for entry in map_of(raw, "codes").items()))
    yield from _listed(said.webhooks, (_webhook(speech, *entry) for entry in settings.webhooks.items()))


def _listed(lead: str, sentences: Iterator[str]) -> Iterator[Item]:
    below = tuple(Item(sentence) for sentence in sentences)
    if below:
        yield Item(lead, below)


def _safety(speech: Speech, settings: Settings) -> Item:
    """The first built-in word of English and of the files' language, and all of the owner's."""
    english, own = safety.words("en"), safety.words(settings.language)

    def shown(kind: str, more: tuple[str, ...]) -> str:
        first = getattr(english, kind)
        others = getattr(own, kind)[len(first) :][:1]
        return speech.any_quoted(dict.fromkeys((first[0].upper(), *others, *more)))

    return Item(
        speech.language.head.safety.format(
            stop=shown("stop", settings.stop_words),
            start=shown("start", settings.start_words),
            human=shown("human", settings.human_words),
            time=speech.duration(_REST),
        )
    )


def _field(speech: Speech, name: str, spec: FieldSpec) -> str:
    said = speech.language.head
    kind = said.types[spec.type].format(choices=speech.any_quoted(spec.choices))
    made = said.field.format(field=speech.quoted(name), type=kind)
    if spec.keep_for_s is not None:
        made += said.kept.format(time=speech.duration(timedelta(seconds=spec.keep_for_s)))
    return made


def _span(speech: Speech, span: Span) -> str:
    said = speech.language.head
    days = speech.days(span.weekdays, span.dates) or said.every_day
    hours = said.whole_day
    if (span.from_, span.to) != (time(), time()):
        next_day = said.next_day if span.to <= span.from_ and span.to != time() else ""
        hours = f"{speech.clock(span.from_)}–{speech.clock(span.to)}{next_day}"
    zone = "" if span.zone is None else speech.language.steps.zone.format(zone=span.zone)
    return f"{days}, {hours}{zone}"


def _pool(speech: Speech, name: str, raw: object) -> str:
    said, pool = speech.language.head, cast("Raw", raw)
    made = said.pool.format(pool=speech.quoted(name), file=speech.quoted(str(pool["file"])))
    if "warn_me_below" in pool:
        return made + said.pool_low.format(n=pool["warn_me_below"])
    return made + said.pool_empty


def _webhook(speech: Speech, name: str, webhook: Webhook) -> str:
    said = speech.language.head
    where = (
        said.webhook_from.format(variable=webhook.url_from) if webhook.url is None else written(webhook.url)
    )
    secret = webhook.secret_from
    signed = said.unsigned if secret is None else said.signed.format(variable=secret)
    return f"{speech.quoted(name)}: {where}{signed}{said.private if webhook.allow_private else ''}"
