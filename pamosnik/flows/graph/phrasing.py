"""Triggers, conditions and limits in a few plain words."""

from collections.abc import Iterator
from datetime import datetime, time, timedelta
from typing import assert_never

from pamosnik.flows.graph.words import Vocabulary
from pamosnik.model.condition import (
    AllOf,
    AnyOf,
    CameFrom,
    CameFromCondition,
    Condition,
    During,
    FieldCondition,
    FieldTest,
    FirstTime,
    Followers,
    FollowsMe,
    HasNotTag,
    HasTag,
    Known,
    NoneOf,
    Outside,
    TextCondition,
    Verified,
    WindowOpen,
)
from pamosnik.model.flow import ONCE, Flow, Limits
from pamosnik.model.text import MatchMode
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
    Posts,
    ReactionTrigger,
    ScheduleTrigger,
    SharedPostTrigger,
    StoryMentionTrigger,
    StoryReplyTrigger,
    TagAddedTrigger,
    Trigger,
)

_SIGNS = {
    FieldTest.IS: "=",
    FieldTest.IS_NOT: "≠",
    FieldTest.ONE_OF: "=",
    FieldTest.CONTAINS: "∋",
    FieldTest.MORE_THAN: ">",
    FieldTest.LESS_THAN: "<",
    FieldTest.BEFORE: "<",
    FieldTest.AFTER: ">",
}


def trigger(one: Trigger, say: Vocabulary) -> str:
    match one:
        case CommentTrigger():
            extra = [say("and_replies")] if one.replies else []
            return _trigger(say("comment"), say.keywords(one.words), *_posts(one.posts, say), *extra)
        case LiveCommentTrigger():
            return _trigger(say("live_comment"), say.keywords(one.words))
        case DmTrigger():
            return _trigger(say("dm"), say.keywords(one.words) or say("every"))
        case StoryReplyTrigger():
            return _trigger(say("story_reply"), say.keywords(one.words), *_on(one.stories, say))
        case StoryMentionTrigger():
            return say("story_mention")
        case SharedPostTrigger():
            return _trigger(say("shared_post"), "", *_on(one.posts, say))
        case ReactionTrigger():
            return _trigger(say("reaction"), " ".join(one.emoji))
        case LinkTrigger():
            return _trigger(say("link"), ", ".join(one.refs))
        case AdTrigger():
            return _trigger(say("ad"), ", ".join(one.ads))
        case TagAddedTrigger():
            return _trigger(say("tag_added"), ", ".join(one.tags))
        case FieldSetTrigger():
            return _trigger(say("field_set"), ", ".join(one.fields))
        case IceBreakerTrigger():
            return _trigger(say("ice_breaker"), one.question)
        case MenuTrigger():
            return _trigger(say("menu"), one.label)
        case FirstMessageTrigger():
            return say("first_message")
        case AnythingElseTrigger():
            return say("anything_else")
        case ScheduleTrigger():
            return _schedule(one, say)
        case _:
            assert_never(one)


def _trigger(kind: str, what: str, *extra: str) -> str:
    parts = [f"{kind}: {what}" if what else kind, *extra]
    return ", ".join(parts)


def _posts(posts: Posts, say: Vocabulary) -> tuple[str, ...]:
    if posts is AnyPost.ANY:
        return ()
    if posts is AnyPost.NEXT:
        return (say("next_post"),)
    assert isinstance(posts, tuple)
    return _on(posts, say)


def _on(things: tuple[str, ...], say: Vocabulary) -> tuple[str, ...]:
    short = ", ".join(one.removeprefix("https://").removeprefix("www.") for one in things)
    return (say("this_post", what=short),) if things else ()


def _schedule(one: ScheduleTrigger, say: Vocabulary) -> str:
    if one.once is not None:
        when = f"{one.once:%Y-%m-%d %H:%M}"
    elif one.cron is not None:
        when = f"cron {one.cron.written}"
    else:
        dates = ", ".join(day.isoformat() for day in one.dates)
        days = ", ".join(filter(None, (say.weekdays(one.days), dates))) or say("every_day")
        when = f"{days} {one.at:%H:%M}"
    to = say("audience", what=conditions(one.audience, say)) if one.audience else ""
    return _trigger(say("schedule"), when, *filter(None, (one.zone, to)))


def conditions(all_of: tuple[Condition, ...], say: Vocabulary) -> str:
    return (
        say("and").join(_inner(one, say) for one in all_of) if len(all_of) > 1 else condition(all_of[0], say)
    )


def _inner(one: Condition, say: Vocabulary) -> str:
    said = condition(one, say)
    return f"({said})" if isinstance(one, AnyOf | AllOf) else said


def condition(one: Condition, say: Vocabulary) -> str:
    match one:
        case HasTag():
            return say("has_tag", what=one.tag)
        case HasNotTag():
            return say("has_not_tag", what=one.tag)
        case FieldCondition(test=FieldTest.KNOWN):
            return say("known" if one.values == ("true",) else "unknown", what=one.field)
        case FieldCondition():
            return f"{one.field} {_SIGNS[one.test]} {say('or').join(one.values)}"
        case TextCondition():
            plain = one.words.match is MatchMode.WHOLE_WORD
            return f"{say('text_has' if plain else 'text')} {say.keywords(one.words)}"
        case FirstTime():
            return say("first_time")
        case WindowOpen():
            return say("window_open")
        case FollowsMe():
            return say(_three(one.wanted, "follows"))
        case Verified():
            return say(_three(one.wanted, "verified"))
        case Followers():
            return _followers(one, say)
        case During():
            return say("during", what=one.hours)
        case Outside():
            return say("outside", what=one.hours)
        case CameFromCondition():
            return say("came_from", what=say("or").join(_origin(origin, say) for origin in one.origins))
        case AnyOf():
            return say("or").join(_inner(inner, say) for inner in one.conditions)
        case AllOf():
            return say("and").join(_inner(inner, say) for inner in one.conditions)
        case NoneOf():
            return _none_of(one, say)
        case _:
            assert_never(one)


def _none_of(one: NoneOf, say: Vocabulary) -> str:
    match one.conditions:
        case (FirstTime(),):
            return say("not_first_time")
        case (WindowOpen(),):
            return say("window_closed")
        case _:
            return say("none", what=", ".join(condition(inner, say) for inner in one.conditions))


def _three(wanted: Known, key: str) -> str:
    return {Known.TRUE: key, Known.FALSE: f"{key}_not", Known.UNKNOWN: f"{key}_unknown"}[wanted]


def _followers(one: Followers, say: Vocabulary) -> str:
    bounds = [f"> {one.more_than}"] if one.more_than is not None else []
    bounds += [f"< {one.less_than}"] if one.less_than is not None else []
    return f"{say('followers')} {say('and').join(bounds)}" if bounds else say("no_followers")


def _origin(origin: CameFrom, say: Vocabulary) -> str:
    match origin:
        case CameFrom.DM:
            return say("dm_origin")
        case CameFrom.STORY:
            return say("story_origin")
        case _:
            return say("link" if origin is CameFrom.LINK else origin.value)


def gate(flow: Flow, say: Vocabulary) -> Iterator[str]:
    """What must hold besides the trigger, a line each."""
    for one in flow.only_if:
        yield condition(one, say)
    yield from _limits(flow.limits, say)
    if flow.active.from_ is not None:
        yield say("from", time=_instant(flow.active.from_))
    if flow.active.until is not None:
        last = flow.active.until
        whole_day = last.time() == time()
        yield say("until", time=f"{last - timedelta(days=1):%Y-%m-%d}" if whole_day else _instant(last))
    if flow.connections:
        yield say("on_account", what=", ".join(f"@{name}" for name in flow.connections))


def _instant(at: datetime) -> str:
    return f"{at:%Y-%m-%d}" if at.time() == time() else f"{at:%Y-%m-%d %H:%M}"


def _limits(limits: Limits, say: Vocabulary) -> Iterator[str]:
    if limits.per_person == ONCE:
        yield say("once")
    elif limits.per_person is not None and not isinstance(limits.per_person, str):
        yield say("cool_down", time=say.duration(limits.per_person))
    if limits.per_post:
        yield say("per_post")
