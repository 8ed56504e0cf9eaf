"""Triggers of the normal form."""

from pamosnik.flows.normal import Raw, strings, words_of
from pamosnik.model.trigger import (
    AdTrigger,
    AnyPost,
    AnythingElseTrigger,
    CommentTrigger,
    DmTrigger,
    FieldSetTrigger,
    FirstMessageTrigger,
    LinkTrigger,
    LiveCommentTrigger,
    ReactionTrigger,
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
        case "first_message":
            return FirstMessageTrigger()
        case "anything_else":
            return AnythingElseTrigger()
        case other:
            raise ValueError(f"unknown trigger {other}")
