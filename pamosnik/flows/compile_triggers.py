"""Triggers of the normal form."""

from datetime import date, datetime, time
from typing import cast

from pamosnik.flows.compile_conditions import conditions
from pamosnik.flows.normal import Raw, list_of, strings, words_of
from pamosnik.model import cron
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


def trigger(raw: Raw) -> Trigger:
    words = words_of(raw)
    match raw["trigger"]:
        case "comment":
            posts = strings(raw, "post") or ("any",)
            named = AnyPost(posts[0]) if posts in (("any",), ("next",)) else posts
            return CommentTrigger(words, named, replies=bool(raw.get("replies", False)))
        case "live_comment":
            return LiveCommentTrigger(words)
        case "dm":
            return DmTrigger(words)
        case "story_reply":
            return StoryReplyTrigger(words, strings(raw, "story"))
        case "story_mention":
            return StoryMentionTrigger()
        case "shared_post":
            posts = strings(raw, "post")
            return SharedPostTrigger(() if posts == ("any",) else posts)
        case "reaction":
            return ReactionTrigger(strings(raw, "emoji"))
        case "link":
            return LinkTrigger(strings(raw, "ref"))
        case "ad":
            return AdTrigger(strings(raw, "ads"))
        case "tag_added":
            return TagAddedTrigger(strings(raw, "tag"))
        case "field_set":
            return FieldSetTrigger(strings(raw, "field"))
        case "ice_breaker":
            return IceBreakerTrigger(str(raw["question"]))
        case "menu":
            return MenuTrigger(str(raw["label"]))
        case "first_message":
            return FirstMessageTrigger()
        case "anything_else":
            return AnythingElseTrigger()
        case "schedule":
            return schedule(raw)
        case other:
            raise ValueError(f"unknown trigger {other}")


def schedule(raw: Raw) -> ScheduleTrigger:
    at = None if "at" not in raw else str(raw["at"])
    days = cast("list[int | str]", raw.get("days", []))
    return ScheduleTrigger(
        audience=conditions(list_of(raw, "audience")),
        at=time.fromisoformat(at) if at is not None and " " not in at else None,
        days=tuple(day for day in days if isinstance(day, int)),
        dates=tuple(date.fromisoformat(day) for day in days if isinstance(day, str)),
        once=datetime.strptime(at, "%Y-%m-%d %H:%M") if at is not None and " " in at else None,  # noqa: DTZ007
        cron=cron.parse(str(raw["cron"])) if "cron" in raw else None,
        zone=cast("str | None", raw.get("zone")),
    )
