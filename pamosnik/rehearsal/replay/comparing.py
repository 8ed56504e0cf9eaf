"""Where two performances of one record differ. Pure."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from difflib import SequenceMatcher
from enum import StrEnum

from pamosnik.rehearsal.replay.deeds import Deed
from pamosnik.rehearsal.replay.played import Ended, Played, PrivateReplies, Story
from pamosnik.store.recorded import Recorded, Who

_AT_THE_SAME_TIME = timedelta(minutes=1)
_EXAMPLES = 3
_LONG_AGO = datetime.min.replace(tzinfo=UTC)


class Fate(StrEnum):
    """What the new flows mean for events."""

    STOPPED = "stopped"
    BEGUN = "begun"
    MOVED = "moved"


@dataclass(frozen=True, slots=True)
class Shift:
    """Events that another flow answers, or none any more, or one for the first time."""

    fate: Fate
    before: Ended
    after: Ended
    """Of the newest of them."""
    reasons: int
    """How many reasons there are for `after`."""
    kinds: Mapping[str, int]
    """Kind of event → how many."""
    people: int
    texts: tuple[str, ...]
    """What some of them say, the most frequent first."""

    @property
    def events(self) -> int:
        return sum(self.kinds.values())


@dataclass(frozen=True, slots=True)
class Tapped:
    """Taps that would find nothing, or another label in the place of theirs."""

    label: str
    flow: str | None
    instead: str | None
    people: tuple[Who, ...]
    taps: int


@dataclass(frozen=True, slots=True)
class Change:
    """One deed: None where there is none. With both and the same content: it comes at another time."""

    before: Deed | None
    after: Deed | None

    @property
    def at(self) -> datetime:
        deed = self.after or self.before
        assert deed is not None
        return deed.at

    @property
    def later(self) -> timedelta | None:
        """By how much, of the same content; negative: earlier."""
        if self.before is None or self.after is None or self.before.content != self.after.content:
            return None
        return self.after.at - self.before.at


@dataclass(frozen=True, slots=True)
class Different:
    """Somebody who gets something else."""

    who: Who
    said: Recorded | None
    """What they did last before the first difference."""
    changes: tuple[Change, ...]
    lost: tuple[tuple[str, str], ...]
    """(what, value) of tags, fields, goals that they would not have."""
    gained: tuple[tuple[str, str], ...]

    @property
    def at(self) -> datetime:
        """Of what they did, else of the first difference."""
        if self.said is not None:
            return self.said.event.received_at
        return self.changes[0].at if self.changes else _LONG_AGO


@dataclass(frozen=True, slots=True)
class Unsent:
    """Messages that did not leave."""

    kind: str
    status: str
    reason: str | None
    before: int
    after: int


@dataclass(frozen=True, slots=True)
class Comparison:
    events: int
    people: int
    as_then: int
    """Events that the applied flows treat now as was recorded then."""
    shifts: tuple[Shift, ...]
    """The most frequent first."""
    taps: tuple[Tapped, ...]
    different: tuple[Different, ...]
    """The newest first."""
    private_replies: Mapping[str, tuple[PrivateReplies, PrivateReplies]]
    """Connection → before and after."""
    unsent: tuple[Unsent, ...]
    unknown_posts: int
    """Events under posts that the new flows may name, and whose links nobody knows."""

    @property
    def is_empty(self) -> bool:
        """Nobody would notice anything."""
        return not (self.shifts or self.taps or self.different)


def compare(
    events: Sequence[Recorded], before: Played, after: Played, *, renamed: Mapping[str, str]
) -> Comparison:
    """`renamed`: new id of a flow → the one it had."""
    played = [one for one in events if one.event.id in before.verdicts or one.event.id in after.verdicts]
    return Comparison(
        events=len(played),
        people=len({_who(one) for one in played}),
        as_then=sum(_as_then(one, before.verdicts.get(one.event.id)) for one in played),
        shifts=_shifts(played, before, after, renamed),
        taps=_taps(played, before, after),
        different=_different(events, before, after),
        private_replies={
            one: (before.private_replies[one], after.private_replies[one]) for one in before.private_replies
        },
        unsent=_unsent(before, after),
        unknown_posts=after.unknown_posts,
    )


def _who(one: Recorded) -> Who:
    return one.event.connection_id, one.event.incoming.igsid or ""


def _as_then(one: Recorded, ended: Ended | None) -> bool:
    if ended is None:
        return False
    then = one.event.incoming.verdict
    return ended.verdict is then and (not ended.answered or ended.flow == one.flow_id)


# --- events ----------------------------------------------------------------------------------------------


def _shifts(
    events: Iterable[Recorded], before: Played, after: Played, renamed: Mapping[str, str]
) -> tuple[Shift, ...]:
    groups: dict[tuple[object, ...], list[tuple[Recorded, Ended, Ended]]] = defaultdict(list)
    for one in events:
        old, new = before.verdicts.get(one.event.id), after.verdicts.get(one.event.id)
        if old is None or new is None:
            continue
        fate = _fate(old, new, renamed)
        if fate is not None:
            groups[fate, *_same_for(fate, old, new)].append((one, old, new))
    shifts = [_shift(fate, group) for (fate, *_), group in groups.items() if isinstance(fate, Fate)]
    return tuple(sorted(shifts, key=lambda shift: (shift.fate.value, -shift.events)))


def _fate(old: Ended, new: Ended, renamed: Mapping[str, str]) -> Fate | None:
    if old.answered != new.answered:
        return Fate.BEGUN if new.answered else Fate.STOPPED
    if old.answered and old.flow != renamed.get(new.flow or "", new.flow):
        return Fate.MOVED
    return None


def _same_for(fate: Fate, old: Ended, new: Ended) -> tuple[object, ...]:
    """What events of one line of the answer have in common."""
    match fate:
        case Fate.STOPPED:
            # Why a flow steps aside may name a time that differs from person to person.
            return old.flow, old.trigger, new.verdict, new.flow
        case Fate.BEGUN:
            return new.flow, new.trigger
        case Fate.MOVED:
            return old.flow, old.trigger, new.flow, new.trigger


def _shift(fate: Fate, group: Sequence[tuple[Recorded, Ended, Ended]]) -> Shift:
    texts = Counter(one.event.incoming.text or one.event.incoming.title or "" for one, _, _ in group)
    del texts[""]
    return Shift(
        fate=fate,
        before=group[-1][1],
        after=group[-1][2],
        reasons=len({new.reason for _, _, new in group}),
        kinds=dict(Counter(one.event.kind.value for one, _, _ in group).most_common()),
        people=len({_who(one) for one, _, _ in group}),
        texts=tuple(text for text, _ in texts.most_common(_EXAMPLES)),
    )


def _taps(events: Iterable[Recorded], before: Played, after: Played) -> tuple[Tapped, ...]:
    """What the applied flows do not find either says nothing about the new ones."""
    groups: dict[tuple[str, str | None, str | None], list[Who]] = defaultdict(list)
    for one in events:
        old, new = before.taps.get(one.event.id), after.taps.get(one.event.id)
        if old is None or new is None or not old.found or (new.found and new.instead == old.instead):
            continue
        groups[new.label, before.verdicts[one.event.id].flow, new.instead].append(_who(one))
    found = [
        Tapped(label, flow, instead, tuple(dict.fromkeys(people)), len(people))
        for (label, flow, instead), people in groups.items()
    ]
    return tuple(sorted(found, key=lambda one: (one.instead is not None, -one.taps, one.label)))


# --- people ----------------------------------------------------------------------------------------------


def _different(events: Sequence[Recorded], before: Played, after: Played) -> tuple[Different, ...]:
    did: dict[Who, list[Recorded]] = defaultdict(list)
    for one in events:
        did[_who(one)].append(one)
    nothing = Story((), ())
    found = [
        different
        for who in sorted(before.people.keys() | after.people.keys())
        if (different := _of(who, did[who], before.people.get(who, nothing), after.people.get(who, nothing)))
    ]
    return tuple(sorted(found, key=lambda one: one.at, reverse=True))


def _of(who: Who, did: Sequence[Recorded], before: Story, after: Story) -> Different | None:
    changes = tuple(_changes(before.deeds, after.deeds))
    had, has = Counter(before.held), Counter(after.held)
    lost, gained = tuple(sorted((had - has).elements())), tuple(sorted((has - had).elements()))
    if not (changes or lost or gained):
        return None
    first = min((change.at for change in changes), default=None)
    said = [one for one in did if first is None or one.event.received_at <= first]
    return Different(who, said[-1] if said else None, changes, lost, gained)


def _changes(before: Sequence[Deed], after: Sequence[Deed]) -> Iterator[Change]:
    """What one thing has caused is compared with what the same thing causes now: the same words to another comment
    are no late answer to this one."""
    causes = [deed.cause for deed in sorted((*before, *after), key=lambda deed: deed.at)]
    for cause in dict.fromkeys(causes):
        yield from _of_one_cause(
            [deed for deed in before if deed.cause == cause], [deed for deed in after if deed.cause == cause]
        )


def _of_one_cause(before: Sequence[Deed], after: Sequence[Deed]) -> Iterator[Change]:
    old, new = [deed.content for deed in before], [deed.content for deed in after]
    for how, i, to_i, j, to_j in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if how == "equal":
            for one, other in zip(before[i:to_i], after[j:to_j], strict=True):
                if abs(other.at - one.at) >= _AT_THE_SAME_TIME:
                    yield Change(one, other)
            continue
        pairs = min(to_i - i, to_j - j)
        for step in range(pairs):
            yield Change(before[i + step], after[j + step])
        for one in before[i + pairs : to_i]:
            yield Change(one, None)
        for one in after[j + pairs : to_j]:
            yield Change(None, one)


def _unsent(before: Played, after: Played) -> tuple[Unsent, ...]:
    """By kind and reason, where the new flows make a difference."""
    old = Counter((kind, status, reason) for _, kind, status, reason in before.unsent)
    new = Counter((kind, status, reason) for _, kind, status, reason in after.unsent)
    return tuple(
        Unsent(*key, old[key], new[key])
        for key in sorted(old.keys() | new.keys(), key=lambda key: (key[0], key[1], key[2] or ""))
        if old[key] != new[key]
    )
