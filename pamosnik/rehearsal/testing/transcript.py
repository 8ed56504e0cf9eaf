"""A played test as a conversation: who said what and when, and what nobody sees on Instagram."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from zoneinfo import ZoneInfo

from pamosnik.model.event import EventKind, Verdict
from pamosnik.model.outbox import ItemKind
from pamosnik.rehearsal.happenings import Deed, Did, Happening, Judged, PublicReply, Sent, Waiting
from pamosnik.rehearsal.screen import DEEDS, clean, lines_of, remarks, when
from pamosnik.rehearsal.testing.result import Result

_QUIET = frozenset({EventKind.ECHO, EventKind.SEEN})
_ANSWERED = frozenset({Verdict.STARTED, Verdict.RESUMED})


class Kind(StrEnum):
    TIME = "time"
    PERSON = "person"
    SHOP = "shop"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Line:
    """One thing of a conversation. `text` may have several lines."""

    at: datetime
    kind: Kind
    who: str
    """Who says it, and how; empty for times and notes."""
    text: str


def transcript(result: Result, zone: ZoneInfo) -> tuple[Line, ...]:
    return tuple(_lines(result, zone))


def _lines(result: Result, zone: ZoneInfo) -> Iterator[Line]:
    last: datetime | None = None
    only = result.people[0] if len(result.people) == 1 else ""
    for one in result.happened:
        found = list(_line(one, result, only, zone))
        at = one.at.astimezone(zone).replace(microsecond=0)
        if found and at != last:
            same_day = last is not None and last.date() == at.date()
            told = f"{at:%H:%M:%S}" if same_day else when(one.at, zone)
            yield Line(one.at, Kind.TIME, "", told.removesuffix(":00") if same_day else told)
            last = at
        yield from found


def _line(one: Happening, result: Result, only: str, zone: ZoneInfo) -> Iterator[Line]:
    match one:
        case Did():
            yield _did(one, result.shop)
        case Sent():
            how = ", private reply" if one.private_reply else ""
            yield Line(one.at, Kind.SHOP, f"{result.shop}{how}", "\n".join(lines_of(one, {})))
        case PublicReply():
            yield Line(one.at, Kind.SHOP, f"{result.shop}, in public", clean(one.text))
        case Judged():
            if one.kind not in _QUIET or one.verdict is Verdict.ERROR:
                yield Line(one.at, Kind.NOTE, "", clean(_judged(one, result)))
        case Waiting(kind=ItemKind.SENDER_ACTION | ItemKind.LOOKUP | ItemKind.CALL):
            return
        case _:
            for said in remarks(one, only, zone):
                yield Line(one.at, Kind.NOTE, "", clean(said))


def _did(did: Did, shop: str) -> Line:
    how = DEEDS[did.deed].format(post=f"post {did.post}")
    text = f"[{did.text}]" if did.deed is Deed.TAP else did.text or "…"
    if did.opened is not None:
        text = f"{text} → {did.opened}"
    if did.deed is Deed.OWNER:
        return Line(did.at, Kind.SHOP, f"{shop}, {how}", clean(text))
    return Line(did.at, Kind.PERSON, f"{did.who}, {how}" if how else did.who, clean(text))


def _judged(event: Judged, result: Result) -> str:
    """Short for what was answered, with the reason for what was not."""
    reason = f": {event.reason}" if event.reason else ""
    if event.verdict in _ANSWERED:
        word = "started" if event.verdict is Verdict.STARTED else "goes on"
        return f"{event.flow} {word}{reason}"
    flow = f" {event.flow}" if event.flow else ""
    advice = result.advice.get(event.event_id)
    return f"{event.verdict.value}{flow}{reason}{'. ' + advice if advice else ''}"
