"""What stands on a stage before anybody acts: a shop, posts, a story, two people, and every post that flows name."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime

from pamosnik.clock import VirtualClock
from pamosnik.model.flow import Flow
from pamosnik.model.posts import shortcode
from pamosnik.model.trigger import AnyPost, CommentTrigger, StoryReplyTrigger
from pamosnik.sandbox import rules
from pamosnik.sandbox.things import Account, Media, MediaKind, Person, Token, TokenKind
from pamosnik.sandbox.world import World

OPENED_AT = datetime(2011, 1, 1, tzinfo=UTC)
"""Long before anything plays: the shop's ordinary posts are older than every flow."""
CLOSES_AT = datetime(2090, 1, 1, tzinfo=UTC)
"""Times that a webhook can tell end not long after."""

TOKEN = "IGAA-of-a-stage"  # noqa: S105 - opens nothing but a world that ends with the process
USERNAME = "your_shop"


def username(flows: Iterable[Flow]) -> str:
    """The shop's: the first that flows name, so that flows for one connection play as well."""
    return next((name for flow in flows for name in flow.connections), USERNAME)


def variable(name: str) -> str:
    """Addresses and keys of a stage are nobody's."""
    return f"https://{name.lower().replace('_', '-')}.example"


def build(clock: VirtualClock, name: str, flows: Iterable[Flow] = ()) -> tuple[World, Account]:
    """The shop with the posts that flows name, two ordinary ones, and the people who are always there."""
    world = World(clock)
    shop = world.add_account(name, name)
    world.tokens[TOKEN] = Token(
        TOKEN, shop.ig_id, TokenKind.LONG, frozenset(rules.SCOPES), clock.now(), expires_at=CLOSES_AT
    )
    world.put_account(replace(shop, subscribed_fields=("messages",)))
    add_named_posts(world, shop, flows)
    world.add_media(shop, MediaKind.REEL, "How we make it")
    world.add_media(shop, MediaKind.POST, "New in the shop")
    world.put_person(Person("anna", "Anna", follower_count=312, follows=frozenset({shop.ig_id})))
    world.put_person(Person("ben", "Ben", follower_count=48))
    return world, world.accounts[shop.ig_id]


def add_named_posts(world: World, shop: Account, flows: Iterable[Flow]) -> None:
    """The posts and stories that flows name by link or id, as old as the shop; repeating it adds what is new."""
    for flow in flows:
        for trigger in flow.triggers:
            match trigger:
                case CommentTrigger() if not isinstance(trigger.posts, AnyPost):
                    for post in trigger.posts:
                        add_post(world, shop, post, flow.id)
                case StoryReplyTrigger():
                    for story in trigger.stories:
                        add_story(world, shop, story, flow.id)
                case _:
                    continue


def add_fresh(world: World, shop: Account, flows: Iterable[Flow]) -> None:
    """A story of today and, when a flow waits for the next post, that post."""
    world.add_media(shop, MediaKind.STORY, "Today in the shop")
    if any(_waits_for_next(flow) for flow in flows):
        world.add_media(shop, MediaKind.POST, "The next post")


def named_by(world: World, flows: Iterable[Flow], bound: Mapping[str, str]) -> dict[str, list[str]]:
    """Media id → flows that name it; `bound`: flow → the post that `next` became."""
    found: dict[str, list[str]] = {}
    for flow in flows:
        for media in world.media.values():
            if _names(flow, media.id, media.shortcode) or bound.get(flow.id) == media.id:
                found.setdefault(media.id, []).append(flow.id)
    return found


def _names(flow: Flow, media_id: str, code: str) -> bool:
    for trigger in flow.triggers:
        if isinstance(trigger, CommentTrigger) and not isinstance(trigger.posts, AnyPost):
            if any(post == media_id or shortcode(post) == code for post in trigger.posts):
                return True
        elif isinstance(trigger, StoryReplyTrigger) and any(
            media_id in (story, *story.split("/")) for story in trigger.stories
        ):
            return True
    return False


def _waits_for_next(flow: Flow) -> bool:
    return any(isinstance(t, CommentTrigger) and t.posts is AnyPost.NEXT for t in flow.triggers)


def find(world: World, written: str) -> Media | None:
    """The post or story of a link or id."""
    code = shortcode(written)
    for media in world.media.values():
        if written in (media.id, media.permalink) or (code is not None and media.shortcode == code):
            return media
    story = _story_id(written)
    return None if story is None else world.media.get(story)


def add_post(world: World, shop: Account, post: str, named_by: str) -> Media | None:
    """The post of a link or id, as old as the shop; None when it is neither."""
    code = shortcode(post)
    if code is None and not post.isdecimal():
        return None
    known = find(world, post)
    if known is not None:
        return known
    kind = MediaKind.REEL if "/reel/" in post else MediaKind.POST
    media = world.add_media(shop, kind, f"The {kind.value} of {named_by}")
    if code is None:
        return _give_id(world, media, post)
    world.media[media.id] = replace(media, shortcode=code, permalink=post, created_at=OPENED_AT)
    return world.media[media.id]


def add_story(world: World, shop: Account, story: str, named_by: str) -> Media | None:
    """Likewise a story."""
    number = _story_id(story)
    if number is None or number in world.media:
        return None if number is None else world.media[number]
    return _give_id(world, world.add_media(shop, MediaKind.STORY, f"The story of {named_by}"), number)


def _story_id(story: str) -> str | None:
    return next((part for part in reversed(story.split("/")) if part.isdecimal()), None)


def _give_id(world: World, media: Media, new: str) -> Media:
    del world.media[media.id]
    link = media.permalink.replace(media.id, new)
    world.media[new] = replace(media, id=new, permalink=link, created_at=OPENED_AT)
    return world.media[new]
