"""Triggers of the normal form."""

from pamosnik.flows.normal import Raw, strings, words_of
from pamosnik.model.trigger import (
    AnyPost,
    AnythingElseTrigger,
    CommentTrigger,
    DmTrigger,
    FirstMessageTrigger,
    StoryMentionTrigger,
    StoryReplyTrigger,
    Trigger,
)


def trigger(raw: Raw) -> Trigger:
    words = words_of(raw)
    match raw["trigger"]:
        case "comment":
            posts = strings(raw, "post") or ("any",)
            named = AnyPost(posts[0]) if posts in (("any",), ("next",)) else posts
            return CommentTrigger(words, named, replies=bool(raw.get("replies", False)))
        case "dm":
            return DmTrigger(words)
        case "story_reply":
            return StoryReplyTrigger(words, strings(raw, "story"))
        case "story_mention":
            return StoryMentionTrigger()
        case "first_message":
            return FirstMessageTrigger()
        case "anything_else":
            return AnythingElseTrigger()
        case other:
            raise ValueError(f"unknown trigger {other}")
