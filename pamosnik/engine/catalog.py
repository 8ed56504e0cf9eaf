"""All applied flows of an account, prepared for the question: whose trigger fits this event?"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import assert_never

from pamosnik.engine import admission, payload
from pamosnik.engine.match import Heard, KeywordIndex, forbidden
from pamosnik.model import emoji
from pamosnik.model.book import Book
from pamosnik.model.condition import CameFrom
from pamosnik.model.entrances import Entrance
from pamosnik.model.event import COMMENTS, Event, EventKind
from pamosnik.model.flow import Flow, FlowState, Pause
from pamosnik.model.outbox import MediaKind
from pamosnik.model.posts import shortcode
from pamosnik.model.step import Send
from pamosnik.model.text import MatchMode, Words
from pamosnik.model.trigger import (
    AdTrigger,
    AnyPost,
    AnythingElseTrigger,
    CommentTrigger,
    DmTrigger,
    FieldSetTrigger,
    FirstMessageTrigger,
    IceBreakerTrigger,
    LinkTrigger,
    LiveCommentTrigger,
    MenuTrigger,
    ReactionTrigger,
    ScheduleTrigger,
    SharedPostTrigger,
    StoryMentionTrigger,
    StoryReplyTrigger,
    TagAddedTrigger,
    Trigger,
)
from pamosnik.model.words import fold, trim

NAMED_DOOR, ANY_DOOR, NAMED_WITH_WORDS, WORDS, NAMED, FIRST_MESSAGE, ANY, ANYTHING_ELSE = range(8)
"""How specific a trigger is; lower wins. A door: an opening question, a menu item, a link, an ad; a named one goes
before any."""

UNTOLD = "Instagram has not told which post this is"

_TALK = frozenset({EventKind.MESSAGE, EventKind.STORY_REPLY, EventKind.SHARED_POST, EventKind.POSTBACK})


@dataclass(frozen=True, slots=True)
class Posts:
    """What is known about the post of an event."""

    shortcode: str | None = None
    """From the link of the post commented on."""
    bound: Mapping[str, str] = field(default_factory=dict)
    """Flow id → media id, for flows that take the `next` post."""
    untold: bool = False
    """The post's link matters to a flow, and Instagram did not tell it."""


@dataclass(frozen=True, slots=True)
class Ways:
    """Where a `run:` may lead, by the ids that the version of a run knows."""

    open: frozenset[str]
    """Those that lead to a flow."""
    closed: Mapping[str, str]
    """Those whose flow is paused, with why."""
    moved: Mapping[str, str]
    """Those that have been given away since → the id that the flow has now."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A flow whose trigger fits."""

    flow: Flow
    specificity: int
    place: int
    """In file order."""
    trigger: Trigger
    keyword: str | None = None
    """As written; None when the trigger has no words."""

    @property
    def detail(self) -> str:
        """Which trigger, in words."""
        return kind_of(self.trigger) + (f" “{self.keyword}”" if self.keyword else "")

    @property
    def rank(self) -> tuple[int, int, int]:
        return (-self.flow.priority, self.specificity, self.place)


class Catalog:
    """Made once for each applied book; knows no person."""

    def __init__(
        self,
        book: Book,
        *,
        paused: Mapping[str, Pause] | None = None,
        renamed: Mapping[str, str] | None = None,
        gone: Mapping[str, str] | None = None,
        renamings: Sequence[tuple[datetime, str, str]] = (),
    ) -> None:
        """`paused`: flows that a command paused, beside those whose file says so. `renamed`: former id → id. `gone`:
        flows that were taken out → their last version. `renamings`: when, former id, id now; the oldest first."""
        self.book = book
        self.paused: Mapping[str, Pause] = paused or {}
        self.flows: Mapping[str, Flow] = {flow.id: flow for flow in book.flows}
        self._renamings = tuple(renamings)
        last = gone or {}
        former = {old: new for old, new in (renamed or {}).items() if new in self.flows and old not in last}
        self.named: Mapping[str, Flow] = {
            **{old: self.flows[new] for old, new in former.items()},
            **self.flows,
        }
        """Id → flow, former ids included: versions that people are in may still lead to those."""
        self.gone: Mapping[str, tuple[str, str]] = {
            **{old: (new, last[new]) for old, new in (renamed or {}).items() if new in last},
            **{flow_id: (flow_id, version) for flow_id, version in last.items()},
        }
        """Id, former ones included → id and version of a flow that was taken out: no event starts it, and whoever
        began a flow that leads into it still comes there."""
        self._open = frozenset((*self.named, *self.gone))
        self._resting = [
            name
            for name, flow in self.named.items()
            if flow.state is FlowState.PAUSED or flow.id in self.paused
        ]
        self._triggers = [
            (place, flow, trigger)
            for place, flow in enumerate(book.flows)
            for trigger in flow.triggers
            if not isinstance(trigger, ScheduleTrigger)
        ]
        self._index = KeywordIndex(
            (number, word, words.match)
            for number, (_, _, trigger) in enumerate(self._triggers)
            if (words := words_of(trigger)) is not None
            for word in words.words
        )
        self._wordless = [
            number
            for number, (_, _, trigger) in enumerate(self._triggers)
            if (words := words_of(trigger)) is None or not words.words
        ]
        self._exact = self._exact_keywords()
        self._waiting = self._by_change()
        self.names_posts = any(_names_posts(trigger) for _, _, trigger in self._triggers)
        """Whether the links or the order of posts matter, which only Instagram knows."""

    def ways(self, since: datetime, timezone: str) -> Ways:
        """For a run that began then. An id that was given to another flow since means the one that had it."""
        moved: dict[str, str] = {}
        for at, former, now in self._renamings:
            if at > since:
                moved.setdefault(former, now)
        closed = self._closed(timezone)
        if not moved:
            return Ways(self._open, closed, moved)
        return Ways(
            frozenset((self._open - moved.keys()) | {old for old, now in moved.items() if now in self._open}),
            {
                **{name: why for name, why in closed.items() if name not in moved},
                **{old: closed[now] for old, now in moved.items() if now in closed},
            },
            moved,
        )

    def _closed(self, timezone: str) -> Mapping[str, str]:
        """Ids of the flows that start nobody, because they are paused, with why."""
        found = {}
        for name in self._resting:
            flow = self.named[name]
            against = admission.against_pause(flow, self.paused.get(flow.id), timezone)
            if against is not None:
                found[name] = against.sentence
        return found

    @property
    def named_posts(self) -> frozenset[str]:
        """Ids, and the parts of links that name a post, which flows mention."""
        named = [t.posts for _, _, t in self._triggers if isinstance(t, CommentTrigger | SharedPostTrigger)]
        return frozenset(
            shortcode(post) or post for posts in named if not isinstance(posts, AnyPost) for post in posts
        )

    def waits_for(self, kind: EventKind, name: str) -> frozenset[str]:
        """Flows that a tag or field starts which another flow gives or sets."""
        return self._waiting.get((kind, name), frozenset())

    @property
    def shared_links(self) -> frozenset[str]:
        """The parts of links that name a post, of the posts that flows share."""
        sends = (
            step for flow in self.flows.values() for step in flow.steps.values() if isinstance(step, Send)
        )
        shared = (one.url for send in sends for one in send.message.media if one.kind is MediaKind.POST)
        links = (
            "".join(part for part in url.parts if isinstance(part, str)) for url in shared if url is not None
        )
        return frozenset(code for link in links if (code := shortcode(link)) is not None)

    @property
    def takes_reactions(self) -> bool:
        """Whether any flow listens to them."""
        return any(isinstance(trigger, ReactionTrigger) for _, _, trigger in self._triggers)

    def _exact_keywords(self) -> Mapping[str, frozenset[str]]:
        found: dict[str, set[str]] = {}
        for _, flow, trigger in self._triggers:
            if isinstance(trigger, DmTrigger) and trigger.words is not None:
                for word in trigger.words.words:
                    if trigger.words.match is not MatchMode.REGEX:
                        found.setdefault(trim(fold(word.removesuffix("*"))), set()).add(flow.id)
            elif isinstance(trigger, IceBreakerTrigger | MenuTrigger):
                found.setdefault(trim(fold(_entrance(trigger)[1])), set()).add(flow.id)
        return {word: frozenset(ids) for word, ids in found.items()}

    def _by_change(self) -> Mapping[tuple[EventKind, str], frozenset[str]]:
        found: dict[tuple[EventKind, str], set[str]] = {}
        for _, flow, trigger in self._triggers:
            for change in _waits_for(trigger):
                found.setdefault(change, set()).add(flow.id)
        return {change: frozenset(ids) for change, ids in found.items()}

    def is_keyword_of_another(self, heard: Heard, flow_id: str) -> bool:
        """Whether the whole text is a keyword of a flow other than this one."""
        return bool(self._exact.get(heard.trimmed, frozenset()) - {flow_id})

    def asks_for_post(self, event: Event, heard: Heard) -> bool:
        """Whether a flow that names posts may take this event, so that its post must be known."""
        if not self.names_posts or event.incoming.media_id is None:
            return False
        wanted = _ABOUT_POSTS.get(event.kind)
        if wanted is None:
            return False
        hits = {*self._index.find(heard), *self._wordless}
        found = (self._triggers[number][2] for number in hits)
        return any(isinstance(trigger, wanted) and _names_posts(trigger) for trigger in found)

    def candidates(
        self, event: Event, heard: Heard, *, first_message: bool, posts: Posts, username: str
    ) -> list[Candidate]:
        """Flows with a trigger that fits, the one to be asked first at the front. `username`: the connection's."""
        best: dict[str, Candidate] = {}
        for candidate in self._fitting(event, heard, first_message=first_message, posts=posts):
            flow = candidate.flow
            if not flow.is_for(username):
                continue
            if flow.id not in best or candidate.rank < best[flow.id].rank:
                best[flow.id] = candidate
        return sorted(best.values(), key=lambda candidate: candidate.rank)

    def listeners(self, heard: Heard) -> Iterator[tuple[Flow, Trigger, str | None]]:
        """Every flow with a trigger that waits for words: with the keyword, as written, that the text has."""
        hits = self._index.find(heard)
        for number, (_, flow, trigger) in enumerate(self._triggers):
            if (words := words_of(trigger)) is not None and words.words:
                yield flow, trigger, hits.get(number)

    def trigger_of(
        self, event: Event, heard: Heard, flow_id: str, detail: str, *, posts: Posts
    ) -> int | None:
        """The number of the trigger by which a flow took an event. `detail`: what was said of it then."""
        fitting = self._fitting(event, heard, first_message=True, posts=posts)
        found = [one for one in fitting if one.flow.id == flow_id and one.detail == detail]
        if not found:
            return None
        best = min(found, key=lambda one: one.rank)
        return next(number for number, one in enumerate(best.flow.triggers) if one is best.trigger)

    def _fitting(
        self, event: Event, heard: Heard, *, first_message: bool, posts: Posts
    ) -> Iterator[Candidate]:
        hits: dict[int, str | None] = {**self._index.find(heard), **dict.fromkeys(self._wordless)}
        for number in sorted(hits):
            place, flow, trigger = self._triggers[number]
            keyword = hits[number]
            words = words_of(trigger)
            if words is not None and forbidden(words, heard) is not None:
                continue
            specificity = _specificity(trigger, event, flow, first_message=first_message, posts=posts)
            if specificity is not None:
                yield Candidate(flow, specificity, place, trigger, keyword)


def _waits_for(trigger: Trigger) -> Iterator[tuple[EventKind, str]]:
    """Changes by other flows that it waits for."""
    match trigger:
        case TagAddedTrigger():
            yield from ((EventKind.TAG_ADDED, tag) for tag in trigger.tags)
        case FieldSetTrigger():
            yield from ((EventKind.FIELD_SET, field) for field in trigger.fields)


def words_of(trigger: Trigger) -> Words | None:
    """The words a trigger waits for; None for those that have none."""
    match trigger:
        case CommentTrigger() | LiveCommentTrigger() | DmTrigger() | StoryReplyTrigger():
            return trigger.words
        case _:
            return None


_NAMES: Mapping[type[Trigger], str] = {
    CommentTrigger: "comment",
    LiveCommentTrigger: "live_comment",
    DmTrigger: "dm",
    StoryReplyTrigger: "story_reply",
    StoryMentionTrigger: "story_mention",
    SharedPostTrigger: "shared_post",
    ReactionTrigger: "reaction",
    LinkTrigger: "link",
    AdTrigger: "ad",
    TagAddedTrigger: "tag_added",
    FieldSetTrigger: "field_set",
    IceBreakerTrigger: "ice_breaker",
    MenuTrigger: "menu",
    FirstMessageTrigger: "first_message",
    AnythingElseTrigger: "anything_else",
    ScheduleTrigger: "schedule",
}
_ABOUT_POSTS: Mapping[EventKind, type[Trigger]] = {
    EventKind.COMMENT: CommentTrigger,
    EventKind.SHARED_POST: SharedPostTrigger,
}


def came_from(event: Event) -> CameFrom:
    """How a run that this event starts began."""
    if event.kind in COMMENTS:
        return CameFrom.COMMENT
    if event.incoming.ad_id is not None:
        return CameFrom.AD
    if event.incoming.ref is not None:
        return CameFrom.LINK
    if event.kind in (EventKind.STORY_REPLY, EventKind.STORY_MENTION):
        return CameFrom.STORY
    return CameFrom.DM


def _specificity(
    trigger: Trigger, event: Event, flow: Flow, *, first_message: bool, posts: Posts
) -> int | None:
    """None: the trigger does not fit this event."""
    kind = event.kind
    match trigger:
        case CommentTrigger():
            fits = kind is EventKind.COMMENT and (trigger.replies or event.incoming.parent_id is None)
            named = trigger.posts is not AnyPost.ANY
            if not fits or (named and not _on_post(trigger, event, flow, posts)):
                return None
            return _words_or_any(trigger.words, named=named)
        case LiveCommentTrigger():
            return _words_or_any(trigger.words, named=False) if kind is EventKind.LIVE_COMMENT else None
        case DmTrigger():
            if kind not in (EventKind.MESSAGE, EventKind.POSTBACK):
                return None
            return _words_or_any(trigger.words, named=False)
        case StoryReplyTrigger():
            if kind is not EventKind.STORY_REPLY:
                return None
            story = event.incoming.story_id
            if trigger.stories and not any(story in (s, *s.split("/")) for s in trigger.stories):
                return None
            return _words_or_any(trigger.words, named=bool(trigger.stories))
        case StoryMentionTrigger():
            return ANY if kind is EventKind.STORY_MENTION else None
        case SharedPostTrigger():
            return _shared(trigger, event, posts)
        case ReactionTrigger():
            return _reacted(trigger, event)
        case LinkTrigger():
            return _door(trigger.refs, event.incoming.ref) if came_from(event) is CameFrom.LINK else None
        case AdTrigger():
            return _door(trigger.ads, event.incoming.ad_id) if came_from(event) is CameFrom.AD else None
        case TagAddedTrigger() | FieldSetTrigger():
            changed = (kind, event.incoming.changed)
            return WORDS if any(change == changed for change in _waits_for(trigger)) else None
        case IceBreakerTrigger() | MenuTrigger():
            return NAMED_DOOR if _came_in(trigger, event) else None
        case FirstMessageTrigger():
            return FIRST_MESSAGE if first_message and kind in _TALK else None
        case AnythingElseTrigger():
            return ANYTHING_ELSE if kind in _TALK else None
        case ScheduleTrigger():
            return None
        case _:
            assert_never(trigger)


def _shared(trigger: SharedPostTrigger, event: Event, posts: Posts) -> int | None:
    if event.kind is not EventKind.SHARED_POST:
        return None
    if not trigger.posts:
        return ANY
    return NAMED if _is_named(trigger.posts, event.incoming.media_id, posts) else None


def _reacted(trigger: ReactionTrigger, event: Event) -> int | None:
    """An emoji that is named is to a reaction what a word is to a message."""
    if event.kind is not EventKind.REACTION:
        return None
    if not trigger.emoji:
        return ANY
    shown = emoji.key(event.incoming.emoji or "")
    return WORDS if shown in map(emoji.key, trigger.emoji) else None


def _entrance(trigger: IceBreakerTrigger | MenuTrigger) -> tuple[Entrance, str]:
    if isinstance(trigger, IceBreakerTrigger):
        return Entrance.ICE_BREAKERS, trigger.question
    return Entrance.MENU, trigger.label


def _came_in(trigger: IceBreakerTrigger | MenuTrigger, event: Event) -> bool:
    """Whether it was tapped, or its whole text written: not every phone and no desktop shows it. Of a tap that was
    found by reading the conversation, the text is all that is known."""
    if event.kind not in (EventKind.MESSAGE, EventKind.POSTBACK):
        return False
    entrance, label = _entrance(trigger)
    tapped = payload.from_entrance(event.incoming.payload)
    said = tapped[1] if tapped is not None and tapped[0] is entrance else event.incoming.text
    return trim(fold(said or "")) == trim(fold(label))


def _door(named: tuple[str, ...], used: str | None) -> int | None:
    """Of a trigger that waits for people who came through one of these doors; none: through any."""
    if not named:
        return ANY_DOOR
    return NAMED_DOOR if used in named else None


def kind_of(trigger: Trigger) -> str:
    """Its word in the flow language."""
    return _NAMES[type(trigger)]


def why_not(
    trigger: Trigger, event: Event, flow: Flow, heard: Heard, posts: Posts, username: str
) -> str | None:
    """What keeps a trigger whose keyword is there from taking the event, in words; None when nothing does."""
    words = words_of(trigger)
    bad = None if words is None else forbidden(words, heard)
    if bad is not None:
        return f"`but_not` forbids “{bad}”"
    if not flow.is_for(username):
        return "it is for other connected accounts (`connections`)"
    if _specificity(trigger, event, flow, first_message=False, posts=posts) is not None:
        return None
    kind = event.kind.value.replace("_", " ")
    if not isinstance(trigger, CommentTrigger) or event.kind is not EventKind.COMMENT:
        return f"its trigger is `{_NAMES[type(trigger)]}`, and this is a {kind}"
    if event.incoming.parent_id is not None and not trigger.replies:
        return "it takes no replies to comments (`replies: true` would)"
    if posts.untold:
        return UNTOLD
    return "it is for another post"


def _words_or_any(words: Words | None, *, named: bool) -> int:
    if words is not None and words.words:
        return NAMED_WITH_WORDS if named else WORDS
    return NAMED if named else ANY


def _on_post(trigger: CommentTrigger, event: Event, flow: Flow, posts: Posts) -> bool:
    media_id = event.incoming.media_id
    if media_id is None:
        return False
    if isinstance(trigger.posts, AnyPost):
        return posts.bound.get(flow.id) == media_id
    return _is_named(trigger.posts, media_id, posts)


def _is_named(named: tuple[str, ...], media_id: str | None, posts: Posts) -> bool:
    for post in named:
        code = shortcode(post)
        if (code is not None and code == posts.shortcode) or post == media_id:
            return True
    return False


def _names_posts(trigger: Trigger) -> bool:
    """Whether it needs more of a post than its id."""
    if isinstance(trigger, SharedPostTrigger):
        return any(shortcode(post) is not None for post in trigger.posts)
    if not isinstance(trigger, CommentTrigger) or trigger.posts is AnyPost.ANY:
        return False
    return trigger.posts is AnyPost.NEXT or any(shortcode(str(post)) is not None for post in trigger.posts)
