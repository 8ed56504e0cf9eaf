"""Triggers as clauses that stand behind "when"."""

from datetime import time
from typing import assert_never

from pamosnik.flows.explain.conditions import all_clauses
from pamosnik.flows.explain.speech import Speech
from pamosnik.model.cron import Cron
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


def clause(speech: Speech, trigger: Trigger) -> str:
    said = speech.language.triggers
    match trigger:
        case CommentTrigger():
            return said.comment.format(
                post=_post(speech, trigger.posts),
                replies=said.replies if trigger.replies else "",
                words=speech.words(trigger.words),
            )
        case LiveCommentTrigger():
            return said.live_comment.format(words=speech.words(trigger.words))
        case DmTrigger():
            return said.dm.format(words=speech.words(trigger.words))
        case StoryReplyTrigger():
            named = said.stories.format(stories=speech.any_of(trigger.stories))
            story = named if trigger.stories else said.any_story
            return said.story_reply.format(story=story, words=speech.words(trigger.words))
        case StoryMentionTrigger():
            return said.story_mention
        case SharedPostTrigger():
            named = said.shared_posts.format(posts=speech.any_of(trigger.posts))
            return said.shared_post.format(post=named if trigger.posts else said.any_own_post)
        case ReactionTrigger():
            return (said.reaction if trigger.emoji else said.any_reaction).format(
                emoji=speech.any_of(trigger.emoji)
            )
        case LinkTrigger():
            return (said.link if trigger.refs else said.any_link).format(refs=speech.any_quoted(trigger.refs))
        case AdTrigger():
            return (said.ad if trigger.ads else said.any_ad).format(ads=speech.any_of(trigger.ads))
        case TagAddedTrigger():
            return said.tag_added.format(tags=speech.any_quoted(trigger.tags))
        case FieldSetTrigger():
            return said.field_set.format(fields=speech.any_quoted(trigger.fields))
        case IceBreakerTrigger():
            return said.ice_breaker.format(label=speech.quoted(trigger.question))
        case MenuTrigger():
            return said.menu.format(label=speech.quoted(trigger.label))
        case FirstMessageTrigger():
            return said.first_message
        case AnythingElseTrigger():
            return said.anything_else
        case ScheduleTrigger():
            return _schedule(speech, trigger)
        case _:
            assert_never(trigger)


def _post(speech: Speech, posts: Posts) -> str:
    said = speech.language.triggers
    if posts is AnyPost.ANY:
        return said.any_post
    if posts is AnyPost.NEXT:
        return said.next_post
    return said.posts.format(posts=speech.any_of(posts))


def _schedule(speech: Speech, trigger: ScheduleTrigger) -> str:
    said = speech.language.triggers
    when = _when(speech, trigger)
    if trigger.zone is not None:
        when += speech.language.steps.zone.format(zone=trigger.zone)
    audience = said.audience
    if trigger.audience:
        audience = said.audience_if.format(conditions=all_clauses(speech, trigger.audience))
    return said.schedule.format(when=when, audience=audience)


def _when(speech: Speech, trigger: ScheduleTrigger) -> str:
    said = speech.language.triggers
    if trigger.once is not None:
        return speech.moment(trigger.once)
    times: tuple[time, ...] = ()
    days = speech.days(trigger.days, trigger.dates)
    if trigger.at is not None:
        times = (trigger.at,)
    elif trigger.cron is not None and _is_plain(trigger.cron):
        times = trigger.cron.times
        # Sunday is 0 there.
        weekdays = {(day - 1) % 7 for day in trigger.cron.weekdays}
        days = "" if len(weekdays) == len(_WEEK) else speech.days(weekdays, ())
    if not times:
        assert trigger.cron is not None
        return said.cron.format(cron=speech.quoted(trigger.cron.written))
    at = speech.all_of(map(speech.at, times))
    return said.on_days.format(at=at, days=days) if days else said.daily.format(at=at)


_WEEK = range(7)
_TIMES_A_DAY = 4
"""So many clock times are told in words."""


def _is_plain(cron: Cron) -> bool:
    """A few times on weekdays, whichever day of the month it is."""
    every_month = len(cron.months) == 12 and len(cron.days) == 31
    return every_month and not cron.either and len(cron.times) <= _TIMES_A_DAY
