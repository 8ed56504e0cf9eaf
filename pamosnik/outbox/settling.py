"""Whether a message of unknown fate arrived: what counts as evidence, and when to look for it.

After a timeout or a server error nobody knows. Sending again blindly would say things twice, giving up would lose
them. So Pamosnik looks: at the conversation, at the replies under the comment. Seeing the message proves that it
arrived. Not seeing it proves something only when the view reaches back to what was there before the attempt, and
only when it is seen twice: Meta's lists lag behind.
"""

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import datetime, timedelta

from pamosnik.model.outbox import ItemKind, MediaKind, OutboxItem, OutMessage
from pamosnik.model.words import fold, trim

LOOKS = (
    timedelta(seconds=5),
    timedelta(seconds=30),
    timedelta(minutes=2),
    timedelta(minutes=10),
    timedelta(hours=1),
)
"""After the attempt."""

ABSENCE_COUNTS_FROM = timedelta(seconds=30)
SECOND_LOOK_AFTER = timedelta(seconds=25)
CLOCKS_DIFFER = timedelta(minutes=5)
"""How far our clock and Meta's may be apart."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A message in a conversation, or a reply under a comment, as Meta shows it."""

    id: str
    from_business: bool
    at: datetime | None
    """By Meta's clock; None when it was not asked."""
    text: str | None = None
    types: frozenset[str] = frozenset()
    """Meta's words for what is attached."""


@dataclass(frozen=True, slots=True)
class View:
    """What a look-up showed. `whole`: nothing else can be there, so what is missing is absent."""

    seen: tuple[Seen, ...]
    whole: bool = False


@dataclass(frozen=True, slots=True)
class Arrived:
    id: str


@dataclass(frozen=True, slots=True)
class NotThere:
    """This look shows that it did not arrive. It takes two of these."""


@dataclass(frozen=True, slots=True)
class NoEvidence:
    """Nothing can be concluded."""


Evidence = Arrived | NotThere | NoEvidence


_SHOWN_AS: Mapping[MediaKind, frozenset[str]] = {
    MediaKind.VIDEO: frozenset({"video"}),
    # Conversations show a sound as a file, and a heart is a sticker, which counts as a picture.
    MediaKind.AUDIO: frozenset({"audio", "file"}),
    MediaKind.FILE: frozenset({"file"}),
    MediaKind.HEART: frozenset({"image", "like_heart"}),
    MediaKind.POST: frozenset({"ig_post", "ig_reel", "share", "reel", "media"}),
}
"""The types of attachment under which Meta may show what has no text."""


def same_content(content: OutMessage, text: str | None, *, types: Set[str]) -> bool:
    """Whether a message that Meta shows says what we sent, with buttons or spelled out; of cards the first."""
    if text is None or text == "":
        return bool(_types(content) & types)
    title = content.cards[0].title if content.cards else None
    ours = {trim(fold(t)) for t in (content.text, title, content.spelled_out) if t is not None}
    return trim(fold(text)) in ours


def look_alike(one: OutMessage, other: OutMessage) -> bool:
    """Whether Meta's lists cannot tell the two apart."""
    titles = [content.cards[0].title if content.cards else None for content in (one, other)]
    if one.text is not None or other.text is not None or titles != [None, None]:
        return (one.text, titles[0]) == (other.text, titles[1])
    return bool(_types(one) & _types(other)) or one == other


def _types(content: OutMessage) -> frozenset[str]:
    if content.media is not None:
        return _SHOWN_AS[content.media.kind]
    return frozenset({"image"}) if content.images else frozenset()


def judge(
    item: OutboxItem, view: View, *, attempted_at: datetime, known: Mapping[str, datetime], twins: int
) -> Evidence:
    """What a look tells about an item.

    `known`: ids of messages we know, with the time (by our clock) since when. `twins`: other items to this person
    with the same content whose fate is unknown, too: their messages cannot be told apart.
    """
    candidates = [
        seen
        for seen in view.seen
        if seen.from_business
        and seen.id not in known
        and same_content(item.content, seen.text, types=seen.types)
        and (seen.at is None or seen.at >= attempted_at - CLOCKS_DIFFER)
    ]
    if candidates:
        # As many as there are twins: all of them arrived. Fewer: one did, and nobody can say which.
        return Arrived(_oldest(candidates).id) if len(candidates) > twins else NoEvidence()
    if any(_may_be_it(seen, attempted_at, known) for seen in view.seen):
        return NoEvidence()
    reaches_back = any(seen.id in known and known[seen.id] <= attempted_at for seen in view.seen)
    return NotThere() if view.whole or reaches_back else NoEvidence()


def _may_be_it(seen: Seen, attempted_at: datetime, known: Mapping[str, datetime]) -> bool:
    """Something of the business that nobody knows, written since: its own text is told otherwise, or the owner's."""
    late = seen.at is None or seen.at >= attempted_at - CLOCKS_DIFFER
    return seen.from_business and seen.id not in known and late


def _oldest(candidates: Sequence[Seen]) -> Seen:
    return min(candidates, key=lambda seen: (seen.at is None, seen.at))


def next_look(looks: int, attempted_at: datetime, now: datetime) -> datetime | None:
    """When to look again after `looks` looks; None when there is no sense in it any more."""
    if looks >= len(LOOKS):
        return None
    return max(attempted_at + LOOKS[looks], now)


def absence_proven(attempted_at: datetime, first_not_there: datetime | None, now: datetime) -> bool:
    """Whether a look that does not show it, after an earlier one, is enough."""
    if first_not_there is None or now < attempted_at + ABSENCE_COUNTS_FROM:
        return False
    return now >= first_not_there + SECOND_LOOK_AFTER


def private_reply_again(item: OutboxItem, attempted_at: datetime, now: datetime) -> bool:
    """A private reply may be repeated byte for byte: Meta allows one per comment. The gaps grow with the attempts."""
    gap = LOOKS[min(max(item.attempts, 1), len(LOOKS) - 1)]
    return item.kind is ItemKind.PRIVATE_REPLY and now >= attempted_at + gap
