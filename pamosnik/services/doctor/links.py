"""Links in applied flows: does something answer behind each of them?

Asked through the guarded client, so that no flow file can have this machine look around in its own network.
"""

import asyncio
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

from pamosnik import reach
from pamosnik.calls import CallRefused, NoAnswer, Order, Target, addresses_of, call, is_public
from pamosnik.ids import new_id
from pamosnik.model.flow import Flow
from pamosnik.model.step import Ask, Card, GiveCode, Message, Option, ReplyPublicly, Send, Step
from pamosnik.model.text import Text, Variable
from pamosnik.reach import Unreached
from pamosnik.services.doctor.checks import Check, bad, good, note, waits

_AT_ONCE = 8
_WITHIN_S = 8.0
_MOST = 200
_GONE = (404, 410)
_ASK_AGAIN = (400, 403, 404, 405, 410, 501)
"""Some servers take no HEAD, and say so in many ways."""
_KNOWN_NAME = "graph.instagram.com"
_IN_TEXT = re.compile(r"https?://[^\s<>\"']+")
_BEHIND = ".,;:!?)]}"


@dataclass(frozen=True, slots=True)
class Link:
    url: str
    flow: str
    step: str
    """Its path in the flow: `do.1.buttons.0`."""


@dataclass(frozen=True, slots=True)
class _Wrong:
    link: Link
    why: str
    unsure: bool = False
    """Nobody can tell from here."""


Facts = Mapping[str, str]
"""Name → text: what the file says once and flows say as `{name}`."""


async def look(flows: Iterable[tuple[Flow, Facts]], now: datetime) -> list[Check]:
    """One check for each link behind which nothing is, or one that says that all is well."""
    known = list(flows)
    if not known:
        return [waits("links", "`flows`")]
    found: dict[str, list[Link]] = {}
    for flow, facts in known:
        for link in links(flow, facts):
            found.setdefault(link.url, []).append(link)
    if not found:
        return [good("links", "Flows name no address that could be looked at.")]
    turn = asyncio.Semaphore(_AT_ONCE)
    looked = await asyncio.gather(*(_looked(places[0], turn, now) for places in list(found.values())[:_MOST]))
    wrong = [one for one in looked if one is not None]
    told = [_told(one, found[one.link.url]) for one in wrong if not one.unsure]
    unsure = [one for one in wrong if one.unsure]
    if unsure:
        told.append(_unsure(unsure))
    more = f" {len(found) - _MOST} more were not looked at." if len(found) > _MOST else ""
    return told or [good("links", f"{_answers(len(looked))}{more}")]


def _answers(count: int) -> str:
    return "The one link in flows answers." if count == 1 else f"All {count} links in flows answer."


def _told(wrong: _Wrong, places: list[Link]) -> Check:
    where = ", ".join(f"{one.flow} ({one.step})" for one in places[:3])
    more = f" and {len(places) - 3} more" if len(places) > 3 else ""
    return bad(
        "links",
        f"{shown(wrong.link.url)} in the flow {where}{more}: {wrong.why}.",
        "Correct the address in the flow file, then: pamosnik flows apply",
    )


def _unsure(wrong: list[_Wrong]) -> Check:
    names = sorted({urlsplit(one.link.url).hostname or "" for one in wrong})
    few = ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
    return note(
        "links",
        f"Links in flows to {few} could not be looked at: this machine knows no name of the internet at the"
        " moment, not"
        f" even {_KNOWN_NAME}.",
        "Look at this machine's connection to the internet, then again.",
    )


def shown(url: str) -> str:
    """Without what may be a key: no query, no user."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return f"{parts.scheme}://{host}{parts.path}{'?…' if parts.query else ''}"


# --- one link ----------------------------------------------------------------------------------------------


async def _looked(link: Link, turn: asyncio.Semaphore, now: datetime) -> _Wrong | None:
    """What is wrong with it; None: something answers."""
    async with turn:
        host = urlsplit(link.url).hostname or ""
        try:
            known = await reach.addresses(host, urlsplit(link.url).port or 443)
        except (Unreached, ValueError):
            return await _no_name(link, host)
        if not any(map(is_public, known)):
            return _Wrong(link, f"it leads to {known[0]}, in a private network, where nobody outside comes")
        if link.url.startswith("http:"):
            return None  # only what is encrypted is asked
        return await _asked(link, now)


async def _no_name(link: Link, host: str) -> _Wrong:
    try:
        await addresses_of(_KNOWN_NAME, 443)
    except OSError:
        return _Wrong(link, "its name is not known", unsure=True)
    return _Wrong(link, f"the name {host} is not known")


async def _asked(link: Link, now: datetime) -> _Wrong | None:
    try:
        status = await _status(link.url, "HEAD", now)
        if status in _ASK_AGAIN:
            status = await _status(link.url, "GET", now)
    except CallRefused as refused:
        # More than is read is an answer, too.
        return None if "longer" in str(refused) else _Wrong(link, str(refused))
    except NoAnswer as silent:
        return _Wrong(link, str(silent))
    why = of_status(status)
    return None if why is None else _Wrong(link, why)


def of_status(status: int) -> str | None:
    """What is wrong where a server answers so; None: nothing that is known from here. It may want a login, or be slow
    with strangers."""
    if status in _GONE:
        return f"nothing is there ({status})"
    return f"its server is broken ({status})" if status >= 500 else None


async def _status(url: str, method: str, now: datetime) -> int:
    order = Order(id=new_id(now), name="link", method=method, body=None, timeout_s=_WITHIN_S)
    return (await call(Target(url), order, now)).status


# --- the links of a flow -----------------------------------------------------------------------------------


def links(flow: Flow, facts: Facts) -> Iterator[Link]:
    """All that say no variable but facts: what others become only a conversation knows."""
    for path, step in flow.steps.items():
        for place, written in _addresses(step):
            text = _with_facts(written, facts)
            if all(isinstance(part, str) for part in text.parts):
                url = "".join(str(part) for part in text.parts).strip()
                if url.startswith(("https://", "http://")):
                    yield Link(url, flow.id, place or path)
        for written in _texts(step):
            yield from (Link(url, flow.id, path) for url in _in_text(_with_facts(written, facts)))


def _with_facts(text: Text, facts: Facts) -> Text:
    parts: list[str | Variable] = []
    for part in text.parts:
        said = facts.get(part.name, part) if isinstance(part, Variable) else part
        if isinstance(said, str) and parts and isinstance(parts[-1], str):
            parts[-1] += said
        else:
            parts.append(said)
    return Text(tuple(parts))


def _addresses(step: Step) -> Iterator[tuple[str | None, Text]]:
    """(place, address)."""
    match step:
        case Send(message=message):
            yield from _of_message(message)
        case Ask(choices=choices):
            yield from _of_options(choices)


def _of_message(message: Message) -> Iterator[tuple[str | None, Text]]:
    yield from _of_options(message.options)
    yield from ((None, image) for image in message.images)
    yield from ((None, one.url) for one in message.media if one.url is not None)
    for card in message.cards:
        yield from _of_card(card)


def _of_card(card: Card) -> Iterator[tuple[str | None, Text]]:
    yield from ((None, text) for text in (card.image, card.url) if text is not None)


def _of_options(options: Iterable[Option]) -> Iterator[tuple[str | None, Text]]:
    yield from ((option.path, option.url) for option in options if option.url is not None)


def _texts(step: Step) -> Iterator[Text]:
    match step:
        case Send(message=message):
            yield from message.texts
        case Ask(question=question):
            yield from question
        case ReplyPublicly(texts=texts):
            yield from texts
        case GiveCode(text=text) if text is not None:
            yield text


def _in_text(text: Text) -> Iterator[str]:
    """Addresses in what is said; one that a variable touches is left out."""
    for number, part in enumerate(text.parts):
        if not isinstance(part, str):
            continue
        for match in _IN_TEXT.finditer(part):
            goes_on = match.end() == len(part) and number + 1 < len(text.parts)
            if not goes_on:
                yield match.group().rstrip(_BEHIND)
