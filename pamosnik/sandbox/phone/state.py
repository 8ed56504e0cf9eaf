"""One person's whole view of the world as JSON: the feed, the stories, the broadcast, the conversations."""

from collections.abc import Set
from dataclasses import dataclass, replace

from pamosnik.sandbox import entrances, rules
from pamosnik.sandbox.phone import shown
from pamosnik.sandbox.things import Account, Comment, Json, Media, MediaKind, Message, Person, Thread
from pamosnik.sandbox.world import World

_POSTS = 20
_COMMENTS = 50
_MESSAGES = 100


@dataclass(frozen=True, slots=True)
class Looking:
    """Who looks, at which shop, and whose requests they accepted (ids of threads)."""

    world: World
    person: Person
    account: Account
    accepted: Set[str]

    def at(self, account: Account) -> "Looking":
        return replace(self, account=account)

    def by(self, person: Person) -> "Looking":
        return replace(self, person=person)

    @property
    def thread(self) -> Thread | None:
        return self.world.thread_with(self.account, self.world.igsid(self.account, self.person))

    @property
    def messages(self) -> tuple[Message, ...]:
        return () if self.thread is None else self.world.messages_in(self.thread)

    @property
    def blocked(self) -> bool:
        return self.account.ig_id in self.person.blocked


def snapshot(looking: Looking) -> Json:
    world = looking.world
    accounts = list(world.accounts.values())
    return {
        # to the minute: an unchanged world must stay the same answer
        "now": shown.moment(world.clock.now().replace(second=0, microsecond=0)),
        "me": _me(looking),
        "people": [_other(looking.by(one), accounts) for one in world.people.values() if one.played],
        "shops": [_shop(looking.at(account)) for account in accounts],
        "feed": [_post(looking, media) for media in _newest(world, MediaKind.POST, MediaKind.REEL)[:_POSTS]],
        "stories": [_signed(world, media) for media in _newest(world, MediaKind.STORY)],
        "live": [_post(looking, media) for media in _newest(world, MediaKind.LIVE) if media.broadcasting],
        "thread": _conversation(looking),
    }


def is_request(looking: Looking) -> bool:
    """Whether the shop's messages wait in the person's Requests: a stranger's do, until accepted or answered."""
    thread = looking.thread
    if thread is None or thread.id in looking.accepted:
        return False
    return thread.opened_at is None and looking.account.ig_id not in looking.person.follows


def unread(looking: Looking) -> int:
    """Messages of the shop since the person last looked."""
    thread = looking.thread
    seen = None if thread is None else thread.seen_by_person_at
    theirs = (message for message in looking.messages if message.from_business)
    return sum(seen is None or message.created_at > seen for message in theirs)


def _me(looking: Looking) -> Json:
    person, ig_id = looking.person, looking.account.ig_id
    return {
        "username": person.username,
        "name": person.name or person.username,
        "verified": person.verified,
        "private": person.private,
        "follows": ig_id in person.follows,
        "blocked": looking.blocked,
    }


def _other(looking: Looking, accounts: list[Account]) -> Json:
    person = looking.person
    return {
        "username": person.username,
        "name": person.name or person.username,
        "verified": person.verified,
        "unread": sum(unread(looking.at(account)) for account in accounts),
    }


def _shop(looking: Looking) -> Json:
    """The shop, and the line of its conversation in the list."""
    account, messages = looking.account, looking.messages
    last = messages[-1] if messages else None
    return {
        "username": account.username,
        "name": account.name,
        "followers": sum(account.ig_id in person.follows for person in looking.world.people.values()),
        "follows": account.ig_id in looking.person.follows,
        "blocked": looking.blocked,
        "unread": unread(looking),
        "request": is_request(looking),
        "last": None if last is None else _last(last),
        "message_access": account.message_access,
    }


def _last(message: Message) -> Json:
    return {
        "text": shown.preview(message.content),
        "mine": not message.from_business,
        "at": shown.moment(message.created_at),
    }


def _conversation(looking: Looking) -> Json:
    """What is open when the person opens the shop's conversation."""
    thread, now = looking.thread, looking.world.clock.now()
    window_until, typing, seen = None, False, None
    if thread is not None:
        window_until = None if thread.opened_at is None else thread.opened_at + rules.STANDARD_WINDOW
        typing = thread.typing_until is not None and thread.typing_until > now
        seen = thread.seen_by_account_at
    return {
        "shop": looking.account.username,
        "questions": [] if looking.messages else list(entrances.questions(looking.account)),
        "menu": [shown.option(item) for item in entrances.menu_items(looking.account)],
        "messages": [shown.message(looking.world, one) for one in looking.messages[-_MESSAGES:]],
        "typing": typing,
        "seen_at": shown.moment(seen),
        "window_open_until": shown.moment(window_until),
    }


def _newest(world: World, *kinds: MediaKind) -> list[Media]:
    """Of all shops, newest first."""
    return [media for media in reversed(world.media.values()) if media.kind in kinds]


def _signed(world: World, media: Media) -> Json:
    return {**shown.media(media), "shop": world.accounts[media.ig_id].username}


def _post(looking: Looking, media: Media) -> Json:
    world, me = looking.world, looking.person.username
    newest = shown.visible(world.comments_on(media), me)[:_COMMENTS]
    comments = [shown.comment(world, said, me) for said in reversed(newest)]
    return {**_signed(world, media), "comments": comments, "total": _total(world, newest)}


def _total(world: World, comments: tuple[Comment, ...]) -> int:
    return sum(1 + len(world.replies_to(said)) for said in comments)
