"""Which webhook fields the applied flows need: each trigger and each step that waits for something names its own.

https://developers.facebook.com/docs/instagram-platform/webhooks , October 2026.
"""

from collections.abc import Iterable, Iterator, Mapping

from pamosnik.model.flow import Flow
from pamosnik.model.step import Ask, Awaited, Send, Step, WaitFor
from pamosnik.model.trigger import (
    AdTrigger,
    AnythingElseTrigger,
    CommentTrigger,
    DmTrigger,
    FirstMessageTrigger,
    IceBreakerTrigger,
    LinkTrigger,
    LiveCommentTrigger,
    MenuTrigger,
    ReactionTrigger,
    SharedPostTrigger,
    StoryMentionTrigger,
    StoryReplyTrigger,
    Trigger,
)

MESSAGES, POSTBACKS, REFERRAL = "messages", "messaging_postbacks", "messaging_referral"

_OF_TRIGGERS: Mapping[type[Trigger], tuple[str, ...]] = {
    CommentTrigger: ("comments",),
    LiveCommentTrigger: ("live_comments",),
    DmTrigger: (MESSAGES,),
    StoryReplyTrigger: (MESSAGES,),
    StoryMentionTrigger: (MESSAGES,),
    SharedPostTrigger: (MESSAGES,),
    FirstMessageTrigger: (MESSAGES,),
    AnythingElseTrigger: (MESSAGES,),
    ReactionTrigger: ("message_reactions",),
    LinkTrigger: (REFERRAL, MESSAGES),
    AdTrigger: (REFERRAL, MESSAGES),
    IceBreakerTrigger: (POSTBACKS,),
    MenuTrigger: (POSTBACKS,),
}

FIELD_OF_KIND: Mapping[str, str] = {
    "comment": "comments",
    "live_comment": "live_comments",
    "message": MESSAGES,
    "story_reply": MESSAGES,
    "story_mention": MESSAGES,
    "shared_post": MESSAGES,
    "unsupported": MESSAGES,
    "echo": MESSAGES,
    "deletion": MESSAGES,
    "reaction": "message_reactions",
    "postback": POSTBACKS,
    "referral": REFERRAL,
    "seen": "messaging_seen",
    "edit": "message_edit",
    "handover": "messaging_handover",
}
"""Kind of event → the field that tells it."""


def fields(flows: Iterable[Flow]) -> Mapping[str, str]:
    """Field → the first flow that needs it."""
    needed: dict[str, str] = {}
    for flow in flows:
        for field in _of_flow(flow):
            needed.setdefault(field, flow.id)
    return needed


def _of_flow(flow: Flow) -> Iterator[str]:
    for trigger in flow.triggers:
        yield from _OF_TRIGGERS.get(type(trigger), ())
    for step in flow.steps.values():
        yield from _of_step(step)


def _of_step(step: Step) -> Iterator[str]:
    match step:
        case Ask():
            yield MESSAGES
        case WaitFor(awaited=Awaited.ANSWER):
            yield MESSAGES
        case WaitFor(awaited=Awaited.TAP):
            yield POSTBACKS
        case Send(message=message):
            if message.chips:
                yield MESSAGES
            if any(option.does_something for option in message.options if option not in message.chips):
                yield POSTBACKS
