"""`match`: which flow would take a text that nobody has written yet, which would come next, and what came close.

Nothing is known of the person, so what a flow asks about them (`only_if`, `limits`) is told and not decided.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from pamosnik._sqlite import Connection
from pamosnik.engine import admission, conditions
from pamosnik.engine.catalog import (
    ANY,
    ANY_DOOR,
    ANYTHING_ELSE,
    FIRST_MESSAGE,
    NAMED,
    NAMED_DOOR,
    NAMED_WITH_WORDS,
    UNTOLD,
    WORDS,
    Candidate,
    Catalog,
    Posts,
    came_from,
    kind_of,
)
from pamosnik.engine.match import Heard, matches
from pamosnik.engine.nearness import Near, closest
from pamosnik.errors import NotFound
from pamosnik.flows.compile import compile_flow, compile_settings
from pamosnik.flows.load import Loaded
from pamosnik.model.book import Book
from pamosnik.model.condition import (
    AllOf,
    AnyOf,
    CameFrom,
    CameFromCondition,
    Condition,
    NoneOf,
    TextCondition,
)
from pamosnik.model.event import COMMENTS, Event, EventKind, Incoming
from pamosnik.model.flow import Flow
from pamosnik.model.posts import shortcode
from pamosnik.model.trigger import (
    AnyPost,
    AnythingElseTrigger,
    CommentTrigger,
    DmTrigger,
    FirstMessageTrigger,
    IceBreakerTrigger,
    LiveCommentTrigger,
    MenuTrigger,
    StoryReplyTrigger,
    Trigger,
)
from pamosnik.services import safety_words
from pamosnik.services.library import Library
from pamosnik.services.shapes import Shape
from pamosnik.store import connections
from pamosnik.store import flows as flow_store
from pamosnik.store.accounts import Account

KINDS: Mapping[str, EventKind] = {
    "comment": EventKind.COMMENT,
    "live_comment": EventKind.LIVE_COMMENT,
    "dm": EventKind.MESSAGE,
    "story_reply": EventKind.STORY_REPLY,
}
"""What a text can be written as, by the word of its trigger."""

_LISTENS: Mapping[type[Trigger], str] = {
    CommentTrigger: "comment",
    LiveCommentTrigger: "live_comment",
    DmTrigger: "dm",
    FirstMessageTrigger: "dm",
    AnythingElseTrigger: "dm",
    IceBreakerTrigger: "dm",
    MenuTrigger: "dm",
    StoryReplyTrigger: "story_reply",
}
_RANKS: Mapping[int, str] = {
    NAMED_DOOR: "an opening question or menu item",
    ANY_DOOR: "any link or ad",
    NAMED_WITH_WORDS: "a keyword on a named post or story",
    WORDS: "a keyword",
    NAMED: "a named post or story",
    FIRST_MESSAGE: "a first message",
    ANY: "any text",
    ANYTHING_ELSE: "anything else",
}
"""How specific a trigger is, in words."""


_ONLY_IN_MESSAGES = (
    "It is a word for STOP, START or a human: such a word counts in messages, and can be no keyword."
)
_A_KEYWORD = 40
"""Characters of a text that may be proposed as a keyword."""


@dataclass(frozen=True, slots=True)
class Where:
    """Where a text would be written."""

    username: str | None = None
    """The connection's; None: whichever a flow is for."""
    post: str | None = None
    """Link or id of the post under which a comment stands; None: any."""
    media_id: str | None = None
    """Its id, where it is known."""
    bound: Mapping[str, str] | None = None
    """Flow id → media id of its `next` post."""


@dataclass(frozen=True, slots=True)
class Ground:
    """The flows that are asked, and where."""

    catalog: Catalog
    where: Where
    timezone: str
    """The account's."""


@dataclass(frozen=True, slots=True)
class Taker:
    """A flow whose trigger fits."""

    flow: Flow
    trigger: str
    keyword: str | None
    asks: tuple[str, ...]
    """What it asks before it starts."""
    against: str | None
    """Why it steps aside, whoever writes; None: nothing is known against it."""
    rank: tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Answer:
    """What becomes of a text that is written in one way."""

    kind: str
    safety: str | None
    """`stop`, `start` or `human`, when the text is such a word."""
    takers: tuple[Taker, ...]
    """In the order they are asked."""
    near: tuple[Near, ...]
    because: str | None
    """Why the winner goes first."""
    advice: str | None
    """What to write so that something takes it; None when something does."""

    @property
    def winner(self) -> Taker | None:
        """The flow that starts, if what it asks of the person holds."""
        if self.safety == "stop":
            return None
        return next((taker for taker in self.takers if taker.against is None), None)


@dataclass(frozen=True, slots=True)
class Told:
    text: str
    read_as: str
    """What is compared: folded, without what cannot be seen."""
    gives_way: bool
    """A question that takes any text leaves this one to a flow."""
    answers: tuple[Answer, ...]
    """One for each way of writing it."""

    def as_json(self) -> Shape:
        return {
            "text": self.text,
            "read_as": self.read_as,
            "as": [_answer_json(answer) for answer in self.answers],
        }


def in_files(loaded: Loaded, post: str | None, connection: str | None) -> Ground:
    """Flow files without errors, as if nothing else were applied."""
    settings = compile_settings(loaded.settings)
    zone = settings.timezone or "UTC"
    flows = tuple(compile_flow(flow.id, flow.body, timezone=zone) for flow in loaded.flows)
    return Ground(Catalog(Book(flows, settings)), Where(_without_at(connection), post), zone)


def applied(conn: Connection, account: Account, post: str | None, connection: str | None) -> Ground:
    """What is applied, on the connection of that name, or on the only one. Raises `NotFound`."""
    catalog = Library().catalog(conn, account.id)
    if not catalog.book.flows:
        raise NotFound("No flow is applied.", hint="Try: pamosnik flows match TEXT flows.yaml")
    known = {one.username.casefold(): one for one in connections.of_account(conn, account.id)}
    wanted = known.get((_without_at(connection) or "").casefold())
    if connection is not None and wanted is None:
        names = ", ".join(one.username for one in known.values()) or "none"
        raise NotFound(
            f"There is no connection {connection}.",
            hint=f"Connected are: {names}. Try: pamosnik connections list",
        )
    if wanted is None and len(known) == 1:
        (wanted,) = known.values()
    if wanted is None:
        return Ground(catalog, Where(None, post), account.timezone)
    code = None if post is None else shortcode(post)
    media_id = None if code is None else flow_store.media_id(conn, wanted.id, code)
    bound = flow_store.bound_posts(conn, wanted.id)
    return Ground(catalog, Where(wanted.username, post, media_id, bound), account.timezone)


def _without_at(username: str | None) -> str | None:
    return None if username is None else username.removeprefix("@")


def told(ground: Ground, text: str, kind: str | None, *, now: datetime) -> Told:
    """`kind`: one of `KINDS`; None: each that a flow listens to."""
    catalog, heard = ground.catalog, Heard.of(text)
    kinds = _heard_as(catalog) if kind is None else (kind,)
    return Told(
        text,
        heard.folded,
        bool(heard.trimmed) and catalog.is_keyword_of_another(heard, ""),
        tuple(_answer(ground, text, one, now) for one in kinds),
    )


def _heard_as(catalog: Catalog) -> tuple[str, ...]:
    """The ways of writing that any flow listens to."""
    heard = {_LISTENS[type(t)] for f in catalog.flows.values() for t in f.triggers if type(t) in _LISTENS}
    return tuple(kind for kind in KINDS if kind in heard)


def _answer(ground: Ground, text: str, kind: str, now: datetime) -> Answer:
    """What becomes of this text, written as one of `KINDS`."""
    look = _Look.at(ground, text, KINDS[kind], now)
    takers = tuple(look.takers())
    taking = {taker.flow.id for taker in takers}
    near = tuple(one for one in look.near() if one.flow.id not in taking)
    found = Answer(kind, look.safety(), takers, near, because=None, advice=None)
    if found.winner is not None:
        far = tuple(one for one in near if not (one.elsewhere and one.letters))
        return replace(found, near=far, because=_because(found.winner, takers))
    if found.safety == "stop":
        return found
    if look.is_safety_word():
        return replace(found, advice=_ONLY_IN_MESSAGES if KINDS[kind] in COMMENTS else None)
    return replace(found, advice=_advice(found, look.heard))


@dataclass(frozen=True, slots=True)
class _Look:
    """One text, one way of writing it, and the flows."""

    catalog: Catalog
    event: Event
    heard: Heard
    posts: Posts
    username: str
    timezone: str
    now: datetime
    named: Mapping[str, tuple[str, ...]]
    """Flow id → the connections it is for, where all are looked at."""

    @staticmethod
    def at(ground: Ground, text: str, kind: EventKind, now: datetime) -> "_Look":
        catalog, where = ground.catalog, ground.where
        named: dict[str, tuple[str, ...]] = {}
        if where.username is None:
            named = {flow.id: flow.connections for flow in catalog.book.flows if flow.connections}
        if named:
            flows = tuple(replace(flow, connections=()) for flow in catalog.book.flows)
            catalog = Catalog(Book(flows, catalog.book.settings), paused=catalog.paused)
        media_id = (where.media_id or where.post) if kind is EventKind.COMMENT else None
        event = Event("", "", "", Incoming("", "", kind, now, text=text, media_id=media_id), now, 0)
        posts = Posts(
            shortcode=None if where.post is None else shortcode(where.post),
            bound=where.bound or {},
            untold=where.post is None,
        )
        return _Look(catalog, event, Heard.of(text), posts, where.username or "", ground.timezone, now, named)

    @property
    def came(self) -> CameFrom:
        return came_from(self.event)

    def safety(self) -> str | None:
        """Comments are not heard for safety words."""
        return None if self.event.kind in COMMENTS else self._meant()

    def is_safety_word(self) -> bool:
        """Then it may be no keyword, in comments neither."""
        return self._meant() is not None

    def _meant(self) -> str | None:
        meant = safety_words.meanings(self.catalog.book.settings, self.heard.raw)
        return next((word for word, is_meant in meant.items() if is_meant), None)

    def near(self) -> Sequence[Near]:
        found = closest(self.catalog, self.event, self.heard, posts=self.posts, username=self.username)
        return [self._told(one) for one in found]

    def _told(self, near: Near) -> Near:
        """With the post that it wants where nobody said which it is, and with what keeps its flow from everything."""
        if near.why == UNTOLD:
            near = replace(near, why=_which_post(near.trigger))
        against = self._against(near.flow)
        return near if against is None else replace(near, why=f"{near.why}; and {against}", elsewhere=True)

    def takers(self) -> Iterator[Taker]:
        for one in self.catalog.candidates(
            self.event, self.heard, first_message=True, posts=self.posts, username=self.username
        ):
            against = self._against(one.flow)
            asks = tuple(self._asks(one)) if against is None else ()
            yield Taker(one.flow, kind_of(one.trigger), one.keyword, asks, against, one.rank)

    def _against(self, flow: Flow) -> str | None:
        """Why it steps aside whoever writes."""
        paused = self.catalog.paused
        found = admission.against_flow(flow, paused=paused, timezone=self.timezone, now=self.now)
        if found is not None:
            return found.sentence
        untrue = next((one for one in flow.only_if if self._decided(one) is False), None)
        return None if untrue is None else f"only_if: {conditions.describe(untrue)} is not true"

    def _decided(self, condition: Condition) -> bool | None:
        """Whether it holds whoever the person is; None when that depends on them or on the hour."""
        match condition:
            case TextCondition():
                return matches(condition.words, self.heard)
            case CameFromCondition():
                return self.came in condition.origins
            case AnyOf():
                return conditions.any_of(map(self._decided, condition.conditions))
            case AllOf():
                return conditions.all_of(map(self._decided, condition.conditions))
            case NoneOf():
                found = conditions.any_of(map(self._decided, condition.conditions))
                return None if found is None else not found
            case _:
                return None

    def _asks(self, fitting: Candidate) -> Iterator[str]:
        flow = fitting.flow
        if fitting.specificity == FIRST_MESSAGE:
            yield "their first message ever"
        if flow.id in self.named:
            yield f"connections: {', '.join(self.named[flow.id])}"
        for condition in flow.only_if:
            if self._decided(condition) is None:
                yield f"only_if: {conditions.describe(condition)}"
        if isinstance(flow.limits.per_person, timedelta):
            yield f"limits: per_person {_short(flow.limits.per_person)}"
        elif flow.limits.per_person is not None:
            yield "limits: per_person once"
        if flow.limits.per_post:
            yield "limits: per_post once"


def _which_post(trigger: Trigger) -> str:
    """Nobody said under which post the text stands."""
    named = trigger.posts if isinstance(trigger, CommentTrigger) else ()
    if isinstance(named, AnyPost):
        return "it takes comments on its next post only (`--post`)"
    return f"it takes comments on {' and '.join(named)} only (`--post`)"


def _short(time: timedelta) -> str:
    """As it is written in a flow file: 24h, 1h30m."""
    parts, rest = "", int(time.total_seconds())
    for sign, size in (("d", 86400), ("h", 3600), ("m", 60), ("s", 1)):
        if sign == "d" and rest == size:
            continue
        number, rest = divmod(rest, size)
        parts += f"{number}{sign}" if number else ""
    return parts


def _because(winner: Taker, takers: Sequence[Taker]) -> str:
    after = next((one for one in takers if one.rank > winner.rank and one.against is None), None)
    if after is None:
        return "no other flow fits" if len(takers) == 1 else "the others step aside"
    (priority, kind, _), (other_priority, other_kind, _) = winner.rank, after.rank
    if priority != other_priority:
        return f"its priority is {-priority}, that of {after.flow.id} is {-other_priority}"
    if kind != other_kind:
        return f"{_RANKS[kind]} goes before {_RANKS[other_kind]} ({after.flow.id})"
    return f"it stands before {after.flow.id} in the file"


def came_close(near: Near) -> str:
    """A sentence on it, and what to do."""
    flow = near.flow.id
    if near.letters:
        said = f"The closest keyword is “{near.keyword}” of the flow {flow}: {near.why}."
    else:
        said = f"The flow {flow} has the keyword “{near.keyword}”, but {near.why}."
    return said if near.mend is None or near.elsewhere else f"{said} To take it, {near.mend}."


def _advice(answer: Answer, heard: Heard) -> str | None:
    """What to write so that something takes it; None where changing what came close is better."""
    words_help = any(not near.elsewhere for near in answer.near)
    if answer.takers:
        return (
            None
            if words_help
            else f"To take it all the same, look at what keeps {answer.takers[0].flow.id} from it."
        )
    lines = [f'- {answer.kind}: ["one of its words"]' if heard.trimmed else f"- {answer.kind}"]
    if (line := keyword_line(answer.kind, heard)) is not None:
        lines = [line]
    if words_help:
        lines = []
    if KINDS[answer.kind] not in COMMENTS:
        lines.append("- anything_else (whatever no other flow takes)")
    return f"Under `when:` of a flow this takes it: {', or '.join(lines)}" if lines else None


def keyword_line(kind: str, heard: Heard) -> str | None:
    """The line under `when:` that takes this text as it is; None where it is too long for a keyword, or has no word.
    `kind`: of `KINDS`."""
    if not 0 < len(heard.trimmed) <= _A_KEYWORD:
        return None
    return f"- {kind}: [{json.dumps(heard.trimmed, ensure_ascii=False)}]"


def _answer_json(answer: Answer) -> Shape:
    winner = answer.winner
    return {
        "kind": answer.kind,
        "safety_word": answer.safety,
        "flow": None if winner is None else winner.flow.id,
        "keyword": None if winner is None else winner.keyword,
        "because": answer.because,
        "candidates": [_taker_json(taker) for taker in answer.takers],
        "close": [_near_json(near) for near in answer.near],
        "advice": answer.advice,
    }


def _taker_json(taker: Taker) -> Shape:
    return {
        "flow": taker.flow.id,
        "title": taker.flow.title,
        "trigger": taker.trigger,
        "keyword": taker.keyword,
        "priority": taker.flow.priority,
        "asks": list(taker.asks),
        "against": taker.against,
    }


def _near_json(near: Near) -> Shape:
    return {
        "flow": near.flow.id,
        "keyword": near.keyword,
        "letters_off": near.letters,
        "why": near.why,
        "mend": near.mend,
    }
