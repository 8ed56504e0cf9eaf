"""What a `wait_for` names: a label, a link, a tag. Whether it can come at all."""

import re
from collections.abc import Collection, Iterator, Mapping
from typing import cast

from pamosnik.flows.bodies import Placed, given_tags, options, steps
from pamosnik.flows.check import VARIABLES
from pamosnik.flows.near import near
from pamosnik.flows.outcome import Outcome
from pamosnik.flows.problems import Problem, Severity
from pamosnik.flows.texts import BadVariable, parse_text
from pamosnik.model.addresses import addresses
from pamosnik.model.text import Variable
from pamosnik.model.words import same_label

Raw = Mapping[str, object]

_SITE = re.compile(r"https?://[^/?#\\]+[/?#]", re.IGNORECASE)
_LISTED = 6
"""So many names are told where none comes near."""


def check(outcome: Outcome) -> list[Problem]:
    """All problems of the flows in these files."""
    found: list[Problem] = []
    for flow_id in sorted(outcome.here):
        body = outcome.flows[flow_id]
        placed = list(steps(flow_id, body))
        for number, step in enumerate(placed):
            if step.raw["do"] != "wait_for":
                continue
            if "tap" in step.raw:
                found += _tap(outcome, step, placed[:number], placed[number:])
            if "click" in step.raw:
                found += _click(outcome, step)
            if "tag" in step.raw:
                found += _tag(outcome, step)
    return found


# --- taps ------------------------------------------------------------------------------------------------


def _tap(outcome: Outcome, step: Placed, before: list[Placed], after: list[Placed]) -> Iterator[Problem]:
    label, place = str(step.raw["tap"]), f"{step.path}.tap"
    if _has(label, _labels(before, "buttons", "chips")):
        return
    again = any("again" in one.raw for one in after)
    if _has(label, _labels(after, "buttons", "chips")):
        if not again:
            message = f"`{label}` is sent further down: nobody can tap it before that"
            yield outcome.problem(
                place, "label-comes-later", message, "Move this step below the message that has it."
            )
    elif _has(label, _labels([*before, *after], "choices")):
        message = f"`{label}` is a choice of an `ask`, which waits for the answer by itself"
        yield outcome.problem(
            place, "unknown-label", message, "Give the choice a `do:`, or take this step out."
        )
    elif not outcome.may_be_lost(label):
        labels = _labels([*before, *after], "buttons", "chips")
        message = f"no button or chip of this flow has the label `{label}`"
        yield outcome.problem(
            place, "unknown-label", message, near(label, labels) or _listed("Labels", labels)
        )


def _labels(placed: list[Placed], *keys: str) -> list[str]:
    return [
        str(option["label"])
        for step in placed
        for _, key, option in options(step.raw, step.path)
        if key in keys and "label" in option
    ]


def _has(label: str, labels: list[str]) -> bool:
    return any(same_label(label, one) for one in labels)


# --- clicks ----------------------------------------------------------------------------------------------


def _click(outcome: Outcome, step: Placed) -> Iterator[Problem]:
    link, place = str(step.raw["click"]), f"{step.path}.click"
    if _filled(outcome, link) is None:
        message = "this address is another one for each person"
        yield outcome.problem(
            place, "unknown-link", message, "Give the button a `name:`, and wait for a click on that."
        )
        return
    yield from _counted(outcome, place)
    tracked, untracked = _links(outcome)
    wanted = {link, _filled(outcome, link)}
    if wanted & tracked or outcome.may_be_lost(link):
        return
    if wanted & untracked:
        message = (
            f"clicks on `{link}` are not counted: its message says `track_links: false`, or is no `send`, or a"
            " person says where it leads"
        )
        hint = "Send it in a `send` without `track_links: false`, with the site written out or as a fact."
        yield outcome.problem(place, "untracked-link", message, hint)
        return
    message = f"no flow sends a link with the name or address `{link}`"
    known = sorted(tracked)
    yield outcome.problem(place, "unknown-link", message, near(link, known) or _listed("Links", known))


def _counted(outcome: Outcome, place: str) -> Iterator[Problem]:
    if outcome.is_public is None:
        message = "whether clicks can be counted, only the machine knows where this runs"
        hint = "`pamosnik flows apply` looks whether it has a public address."
        yield outcome.problem(place, "clicks-unseen", message, hint, Severity.NOTE)
    elif not outcome.is_public:
        message = "this machine has no public address: clicks are not counted, and this waits in vain"
        hint = "Set PAMOSNIK_PUBLIC_URL for `pamosnik serve`."
        yield outcome.problem(place, "no-public-address", message, hint, Severity.WARNING)


def _links(outcome: Outcome) -> tuple[set[str], set[str]]:
    """Names and addresses of the links that flows send: the tracked ones, and the others."""
    tracked: set[str] = set()
    untracked: set[str] = set()
    for flow_id, body in outcome.flows.items():
        for step in steps(flow_id, body):
            is_tracked = step.raw["do"] == "send" and step.raw.get("track_links", True) is True
            anywhere = set(_led_by_people(outcome, step))
            links = set(_links_of(outcome, step))
            (tracked if is_tracked else untracked).update(links - anywhere)
            untracked.update(anywhere)
    return tracked, untracked - tracked


def _led_by_people(outcome: Outcome, step: Placed) -> Iterator[str]:
    """Names and addresses of links whose site stands in what a person wrote: those are never tracked."""
    facts = cast("Mapping[str, str]", outcome.settings.get("facts", {}))
    theirs = {*VARIABLES, *cast("Raw", outcome.settings.get("fields", {}))} - {*facts, "post_link"}
    cards = cast("list[Raw]", step.raw.get("cards", []))
    for option in (*(one for _, _, one in options(step.raw, step.path)), *cards):
        url = str(option.get("url", ""))
        begun = _before_any(theirs, url, facts)
        if begun is not None and not _SITE.match(begun):
            yield from (str(option.get("name", url)), url)


def _before_any(names: Collection[str], written: str, facts: Mapping[str, str]) -> str | None:
    """What stands before the first of these variables; None when there is none."""
    begun = ""
    try:
        parts = parse_text(written).parts
    except BadVariable:
        return None
    for part in parts:
        if isinstance(part, Variable) and part.name in names:
            return begun
        # Of a variable that a call made, whatever it is.
        begun += facts.get(part.name, "https://saved/") if isinstance(part, Variable) else part
    return None


def _links_of(outcome: Outcome, step: Placed) -> Iterator[str]:
    cards = cast("list[Raw]", step.raw.get("cards", []))
    for option in (*(one for _, _, one in options(step.raw, step.path)), *cards):
        if "url" in option:
            url = str(option["url"])
            yield from {str(option.get("name", url)), url, _filled(outcome, url) or url}
    texts = [str(step.raw[key]) for key in ("text", "question") if key in step.raw]
    for text in (*texts, *cast("list[str]", step.raw.get("one_of", []))):
        yield from addresses(_filled(outcome, text) or "")


def _filled(outcome: Outcome, written: str) -> str | None:
    """With its facts filled in; None when it has variables that differ from person to person."""
    facts = cast("Mapping[str, str]", outcome.settings.get("facts", {}))
    try:
        parts = parse_text(written).parts
    except BadVariable:
        return written
    filled = [facts.get(part.name) if isinstance(part, Variable) else part for part in parts]
    return None if None in filled else "".join(part for part in filled if part is not None)


# --- tags ------------------------------------------------------------------------------------------------


def _tag(outcome: Outcome, step: Placed) -> Iterator[Problem]:
    """A misspelled one is an error; a tag that no flow gives may be given by hand."""
    tag = str(step.raw["tag"])
    given = sorted({one for flow_id, body in outcome.flows.items() for one in given_tags(flow_id, body)})
    if tag in given or outcome.may_be_lost(tag):
        return
    meant = near(tag, given)
    severity = Severity.WARNING if meant is None else Severity.ERROR
    hint = meant or "Somebody has to give it by hand."
    yield outcome.problem(
        f"{step.path}.tag", "tag-never-given", f"no flow gives the tag `{tag}`", hint, severity
    )


def _listed(what: str, names: list[str]) -> str | None:
    return f"{what} are: {', '.join(names[:_LISTED])}." if names else None
