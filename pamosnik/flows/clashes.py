"""Flows that would start for the same: with equal priority, and triggers alike, only file order would decide."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import cast

from pamosnik.flows import patterns
from pamosnik.flows.bodies import Raw, triggers
from pamosnik.flows.check import last_moment
from pamosnik.flows.outcome import Outcome
from pamosnik.flows.problems import Problem
from pamosnik.model import emoji
from pamosnik.model.posts import shortcode
from pamosnik.model.words import fold, trim

_ANY = {
    "story_mention": "a story mention",
    "shared_post": "a shared post",
    "reaction": "any reaction",
    "link": "any link",
    "ad": "any ad",
    "first_message": "a first message",
}
"""What two triggers without words would both take."""


@dataclass(frozen=True, slots=True)
class _Claim:
    """A word, or something like it, by which a flow starts."""

    flow_id: str
    place: str
    group: tuple[object, ...]
    """Priority, kind and post: only within one of these two flows clash."""
    key: str
    """What is compared; empty for any words."""
    written: str
    open_end: bool = False
    """Ends in `*`."""


def check(outcome: Outcome) -> list[Problem]:
    claims = [claim for flow_id in outcome.flows for claim in _claims(outcome, flow_id)]
    return [*dict.fromkeys(_clashes(outcome, claims)), *_too_many_patterns(outcome)]


def _clashes(outcome: Outcome, claims: list[_Claim]) -> Iterator[Problem]:
    exact: dict[tuple[object, ...], list[_Claim]] = {}
    open_ended: dict[tuple[object, ...], list[_Claim]] = {}
    lengths: dict[tuple[object, ...], set[int]] = {}
    order = {id(claim): number for number, claim in enumerate(claims)}
    for claim in claims:
        taken = open_ended if claim.open_end else exact
        taken.setdefault((*claim.group, claim.key), []).append(claim)
        if claim.open_end:
            lengths.setdefault(claim.group, set()).add(len(claim.key))
    for claim in claims:
        others = (exact if not claim.open_end else {}).get((*claim.group, claim.key), [])
        # Only as long as there are such: a word of a million letters has too many beginnings to try each.
        for length in sorted(lengths.get(claim.group, ())):
            others = [*others, *open_ended.get((*claim.group, claim.key[:length]), [])]
        for other in sorted(others, key=lambda one: order[id(one)]):
            if _both_start(outcome, claim, other):
                pair = (other, claim) if order[id(other)] < order[id(claim)] else (claim, other)
                yield from _said(outcome, *pair)
                break


def _both_start(outcome: Outcome, one: _Claim, other: _Claim) -> bool:
    a, b = outcome.flows[one.flow_id], outcome.flows[other.flow_id]
    return one.flow_id != other.flow_id and _share_a_connection(a, b) and _share_a_time(a, b)


def _said(outcome: Outcome, first: _Claim, second: _Claim) -> Iterator[Problem]:
    blamed, other = (second, first) if second.flow_id in outcome.here else (first, second)
    if blamed.flow_id not in outcome.here:
        return
    words = f"`{blamed.written}`" if blamed.written else _ANY.get(str(blamed.group[1]), "any words")
    also = f" (`{other.written}` there)" if other.written.casefold() != blamed.written.casefold() else ""
    message = f"{words} would start both `{first.flow_id}` and `{second.flow_id}`{also}: a clash"
    hint = "Give one of them a higher `priority`, other words or another post."
    yield outcome.problem(blamed.place, "clash", message, hint)


def _share_a_connection(one: Raw, other: Raw) -> bool:
    a, b = (cast("list[str]", body.get("connections", [])) for body in (one, other))
    return not a or not b or bool({name.casefold() for name in a} & {name.casefold() for name in b})


def _share_a_time(one: Raw, other: Raw) -> bool:
    """Whether both are active at some time; in two time zones they may be."""
    a, b = (cast("Raw", body.get("active", {})) for body in (one, other))
    if a.get("zone") != b.get("zone"):
        return True
    return _begins_before_end(a, b) and _begins_before_end(b, a)


def _begins_before_end(one: Raw, other: Raw) -> bool:
    return "from" not in one or "until" not in other or str(one["from"]) < last_moment(str(other["until"]))


def _claims(outcome: Outcome, flow_id: str) -> Iterator[_Claim]:
    body = outcome.flows[flow_id]
    if body.get("state") == "paused" or f"{flow_id}:" in outcome.broken:
        return
    for number, trigger in enumerate(triggers(body)):
        place = f"{flow_id}:when.{number}"
        if place in outcome.broken or trigger["trigger"] == "schedule":
            continue  # people may get several broadcasts at the same time
        posts = cast("list[str]", trigger.get("post", trigger.get("story", ["any"])))
        for post in posts:
            group = (body.get("priority", 0), trigger["trigger"], shortcode(post) or post)
            yield from _of_trigger(flow_id, place, trigger, group)


def _of_trigger(flow_id: str, place: str, trigger: Raw, group: tuple[object, ...]) -> Iterator[_Claim]:
    said = False
    for name in ("words", "emoji", "ref", "ads", "tag", "field"):
        for number, written in enumerate(cast("list[str]", trigger.get(name, []))):
            said = True
            key, open_end = _key(name, trigger, written)
            yield _Claim(flow_id, f"{place}.{name}.{number}", group, key, written, open_end)
    for name in ("question", "label"):
        if name in trigger:
            said, written = True, str(trigger[name])
            yield _Claim(flow_id, f"{place}.{name}", group, trim(fold(written)), written)
    if not said:
        yield _Claim(flow_id, place, group, "", "")


def _key(name: str, trigger: Raw, written: str) -> tuple[str, bool]:
    """What is compared of a word, and whether anything may follow."""
    if name == "emoji":
        return emoji.key(written), False
    if name != "words" or trigger.get("match") == "regex":
        return written, False
    open_end = written.endswith("*") and len(written) > 1
    return trim(fold(written.removesuffix("*") if open_end else written)), open_end


def _too_many_patterns(outcome: Outcome) -> list[Problem]:
    """Each takes up to half a megabyte, and the daemon a hundredth of a second before it listens."""
    places = [
        f"{flow_id}:when.{number}.words.{place}"
        for flow_id, body in outcome.flows.items()
        for number, trigger in enumerate(triggers(body))
        if trigger.get("match") == "regex"
        for place in range(len(cast("list[str]", trigger.get("words", []))))
    ]
    here = [place for place in places[patterns.MOST :] if place.partition(":")[0] in outcome.here]
    message = f"these are {len(places)} patterns; {patterns.MOST} are possible in all flows together"
    hint = "Write ordinary keywords; `*` at the end of one takes all endings."
    return [outcome.problem(here[0], "too-many-patterns", message, hint)] if here else []
