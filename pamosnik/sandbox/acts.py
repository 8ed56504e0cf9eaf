"""What people and the owner do, read from JSON: one method for each POST address of `/sandbox`.

`account` (a username) may be left out while there is one account, `post` for the newest post or reel.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta

from pamosnik.clock import VirtualClock
from pamosnik.errors import NotFound, UsageError
from pamosnik.sandbox import entrances, people
from pamosnik.sandbox.params import Params
from pamosnik.sandbox.things import (
    Account,
    Attachment,
    Comment,
    Json,
    Media,
    MediaKind,
    Message,
    Person,
    Referral,
)
from pamosnik.sandbox.world import World

_FILES = ("image", "video", "audio", "file")
_FAR = timedelta(days=36500)


@dataclass(frozen=True, slots=True)
class Address:
    """One address of `/sandbox`: the names its body or query takes (`?` = may be left out) and what it does."""

    method: str
    path: str
    takes: str
    says: str


@dataclass(frozen=True, slots=True)
class Act:
    address: Address
    do: Callable[[Params], Json]


class Acts:
    """The people of one world."""

    def __init__(self, world: World) -> None:
        self._world = world

    def all(self) -> tuple[Act, ...]:
        return (
            _act(
                "people",
                self.people,
                "username, name?, follows?, followed?, blocked?, verified?, private?, restricted?, "
                "follower_count?, account?",
                "makes a person, or changes what is named of one; answers the IGSID",
            ),
            _act(
                "posts",
                self.posts,
                "kind?, caption?, link_sticker?, account?",
                "posts; kind is post, reel, story or live",
            ),
            _act("boost", self.boost, "post?, title?, account?", "makes an ad of a post"),
            _act(
                "comment",
                self.comment,
                "person, text?, post?, parent?, account?",
                "comments or replies; without text a GIF",
            ),
            _act("delete_comment", self.delete_comment, "id", "deletes a comment; no webhook tells"),
            _act("start_live", self.start_live, "account?", "begins a broadcast"),
            _act(
                "live_comment",
                self.live_comment,
                "person, text, account?",
                "comments on the broadcast; begins one if need be",
            ),
            _act("end_live", self.end_live, "account?", "ends the broadcast"),
            _act(
                "dm",
                self.dm,
                "person, text?, image?, video?, audio?, file?, unsupported?, reply_to?, ad?, product?, account?",
                "writes; ad is {ref?, ad_id?, title?, photo_url?, video_url?}, product an id",
            ),
            _act(
                "edit_message", self.edit_message, "person, text, mid?, account?", "edits the newest message"
            ),
            _act(
                "delete_message", self.delete_message, "person, mid?, account?", "unsends the newest message"
            ),
            _act(
                "story_reply", self.story_reply, "person, text, story?, account?", "answers the newest story"
            ),
            _act("story_mention", self.story_mention, "person, account?", "mentions the account in a story"),
            _act("share_post", self.share_post, "person, post?, account?", "sends a post as a message"),
            _act(
                "tap",
                self.tap,
                "person, title, card?, account?",
                "taps the newest chip or button of that title",
            ),
            _act(
                "tap_ice_breaker",
                self.tap_ice_breaker,
                "person, question, account?",
                "taps an ice breaker",
            ),
            _act("tap_menu", self.tap_menu, "person, title, account?", "taps an item of the persistent menu"),
            _act(
                "open_link",
                self.open_link,
                "person, ref?, account?",
                "opens ig.me/m/ACCOUNT?ref=…; `told` says whether at once",
            ),
            _act("opt_in", self.opt_in, "person, title, payload, account?", "opts in (shape unconfirmed)"),
            _act(
                "react", self.react, "person, emoji?, mid?, account?", "reacts; without emoji takes it back"
            ),
            _act("read", self.read, "person, account?", "sees the newest message of the account"),
            _act("owner_message", self.owner_message, "person, text, account?", "the owner writes by hand"),
            _act(
                "self_message", self.self_message, "text, account?", "the owner writes to their own account"
            ),
            _act(
                "hand_over",
                self.hand_over,
                "person, kind, account?",
                "thread control: pass (to the app), take (from it) or request",
            ),
            _act("clock", self.clock, "advance_s", "moves a virtual clock forward"),
        )

    def people(self, params: Params) -> Json:
        params.refuse_others(
            "account",
            "username",
            "name",
            "follows",
            "followed",
            "blocked",
            "verified",
            "private",
            "restricted",
            "follower_count",
        )
        account = self.account(params)
        username = params.text("username")
        known = self._world.people.get(username) or Person(username, name=username.capitalize())
        ig_id = account.ig_id
        person = replace(
            known,
            name=params.text_or_none("name") or known.name,
            verified=params.flag_or("verified", known.verified),
            private=params.flag_or("private", known.private),
            restricted=params.flag_or("restricted", known.restricted),
            follower_count=params.integer_or("follower_count", known.follower_count),
            follows=_member(known.follows, ig_id, params, "follows"),
            followed_by=_member(known.followed_by, ig_id, params, "followed"),
            blocked=_member(known.blocked, ig_id, params, "blocked"),
        )
        self._world.put_person(person)
        return {"username": username, "igsid": self._world.igsid(account, person)}

    def posts(self, params: Params) -> Json:
        kind = params.text_or_none("kind") or MediaKind.POST.value
        if kind not in {one.value for one in MediaKind if one is not MediaKind.AD}:
            raise UsageError(f"kind {kind} is not one of post, reel, story and live")
        media = self._world.add_media(self.account(params), MediaKind(kind), params.text_or_none("caption"))
        if "link_sticker" in params:
            media = replace(media, link_sticker_url=params.text("link_sticker"))
            self._world.media[media.id] = media
        return {"id": media.id, "permalink": media.permalink}

    def boost(self, params: Params) -> Json:
        post = self.post(self.account(params), params)
        ad = self._world.boost(post, params.text_or_none("title") or post.caption)
        return {"id": ad.id, "ad_id": ad.ad_id, "original_media_id": post.id}

    def comment(self, params: Params) -> Json:
        account, person = self._both(params)
        parent = self._named_comment(params.text("parent")) if "parent" in params else None
        media = self.post(account, params) if parent is None else self._world.media[parent.media_id]
        text = params.text_or_none("text") or ""
        said = people.comment(self._world, account, person, media, text, parent=parent)
        return {"id": said.id, "post": media.id}

    def delete_comment(self, params: Params) -> Json:
        people.delete_comment(self._world, self._named_comment(params.text("id")))
        return {}

    def start_live(self, params: Params) -> Json:
        return {"id": people.start_live(self._world, self.account(params)).id}

    def live_comment(self, params: Params) -> Json:
        account, person = self._both(params)
        live = people.running_live(self._world, account) or people.start_live(self._world, account)
        said = people.comment(self._world, account, person, live, params.text("text"))
        return {"id": said.id, "post": live.id}

    def end_live(self, params: Params) -> Json:
        return {"id": people.end_live(self._world, self.account(params)).id}

    def dm(self, params: Params) -> Json:
        account, person = self._both(params)
        written = people.message(
            self._world,
            account,
            person,
            params.text_or_none("text"),
            attachments=tuple(Attachment(kind, params.text(kind)) for kind in _FILES if kind in params),
            reply_to_mid=params.text_or_none("reply_to"),
            referral=_referral(params),
            unsupported=params.flag_or("unsupported", default=False),
        )
        return _mid(written)

    def edit_message(self, params: Params) -> Json:
        account, person = self._both(params)
        text, mid = params.text("text"), params.text_or_none("mid")
        return _mid(people.edit_message(self._world, account, person, text, mid))

    def delete_message(self, params: Params) -> Json:
        account, person = self._both(params)
        return _mid(people.delete_message(self._world, account, person, params.text_or_none("mid")))

    def story_reply(self, params: Params) -> Json:
        """To the newest story unless `story` names one; a story is posted when there is none."""
        account, person = self._both(params)
        stories = self._world.media_of(account, MediaKind.STORY)
        if "story" in params:
            story = self._own_media(account, params.text("story"))
        else:
            story = stories[0] if stories else self._world.add_media(account, MediaKind.STORY, None)
        return _mid(people.story_reply(self._world, account, person, story, params.text("text")))

    def story_mention(self, params: Params) -> Json:
        account, person = self._both(params)
        return _mid(people.story_mention(self._world, account, person))

    def share_post(self, params: Params) -> Json:
        account, person = self._both(params)
        return _mid(people.share_post(self._world, account, person, self.post(account, params)))

    def tap(self, params: Params) -> Json:
        account, person = self._both(params)
        card = params.integer("card") if "card" in params else None
        return _tapped(people.tap(self._world, account, person, params.text("title"), card=card))

    def tap_ice_breaker(self, params: Params) -> Json:
        account, person = self._both(params)
        return _mid(entrances.tap_ice_breaker(self._world, account, person, params.text("question")))

    def tap_menu(self, params: Params) -> Json:
        account, person = self._both(params)
        return _tapped(entrances.tap_menu(self._world, account, person, params.text("title")))

    def open_link(self, params: Params) -> Json:
        account, person = self._both(params)
        return entrances.open_link(self._world, account, person, params.text_or_none("ref"))

    def opt_in(self, params: Params) -> Json:
        account, person = self._both(params)
        entrances.opt_in(self._world, account, person, params.text("title"), params.text("payload"))
        return {}

    def react(self, params: Params) -> Json:
        account, person = self._both(params)
        emoji, mid = params.text_or_none("emoji"), params.text_or_none("mid")
        return _mid(people.react(self._world, account, person, emoji, mid))

    def read(self, params: Params) -> Json:
        return _mid(people.read(self._world, *self._both(params)))

    def owner_message(self, params: Params) -> Json:
        account, person = self._both(params)
        return _mid(people.owner_message(self._world, account, person, params.text("text")))

    def self_message(self, params: Params) -> Json:
        return _mid(people.self_message(self._world, self.account(params), params.text("text")))

    def hand_over(self, params: Params) -> Json:
        account, person = self._both(params)
        entrances.hand_over(self._world, account, person, params.text("kind"))
        return {}

    def clock(self, params: Params) -> Json:
        clock, seconds = self._world.clock, params.number("advance_s")
        if not isinstance(clock, VirtualClock):
            raise UsageError("the clock is the machine's", hint="pamosnik sandbox --virtual-clock")
        if not 0 <= seconds <= _FAR.total_seconds():
            raise UsageError("advance_s is a number of seconds, 0 or more")
        clock.move_to(clock.now() + timedelta(seconds=seconds))
        return {"now": clock.now().isoformat()}

    # finding what is named

    def account(self, params: Params) -> Account:
        return self._world.account_named(params.text_or_none("account"))

    def post(self, account: Account, params: Params) -> Media:
        if "post" in params:
            return self._own_media(account, params.text("post"))
        posts = self._world.media_of(account, MediaKind.POST, MediaKind.REEL)
        if not posts:
            raise NotFound(f"{account.username} has posted nothing")
        return posts[0]

    def _both(self, params: Params) -> tuple[Account, Person]:
        return self.account(params), self._world.person_named(params.text("person"))

    def _own_media(self, account: Account, media_id: str) -> Media:
        media = self._world.media.get(media_id)
        if media is None or media.ig_id != account.ig_id:
            raise NotFound(f"{account.username} has no media {media_id}")
        return media

    def _named_comment(self, comment_id: str) -> Comment:
        if comment_id not in self._world.comments:
            raise NotFound(f"no comment {comment_id}")
        return self._world.comments[comment_id]


def _act(name: str, do: Callable[[Params], Json], takes: str, says: str) -> Act:
    return Act(Address("POST", f"/{name}", takes, says), do)


def _member(group: frozenset[str], ig_id: str, params: Params, name: str) -> frozenset[str]:
    if name not in params:
        return group
    return group | {ig_id} if params.flag(name) else group - {ig_id}


def _referral(params: Params) -> Referral | None:
    if "product" in params:
        return Referral("SHOP", product_id=params.text("product"))
    if "ad" not in params:
        return None
    ad = params.group("ad")
    return Referral(
        source="ADS",
        ref=ad.text_or_none("ref"),
        ad_id=ad.text_or_none("ad_id") or "23850000000000001",
        ad_title=ad.text_or_none("title"),
        photo_url=ad.text_or_none("photo_url"),
        video_url=ad.text_or_none("video_url"),
    )


def _tapped(tapped: people.Tapped) -> Json:
    return {"mid": None if tapped.message is None else tapped.message.mid, "url": tapped.url}


def _mid(message: Message) -> Json:
    return {"mid": message.mid}
