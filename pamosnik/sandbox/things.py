"""What exists in the sandbox. All values are frozen; `World` replaces them.

Ids are Meta's kinds: `ig_id` names a professional account, `asid` the same account for one app, `igsid` one
person for one account, `mid` a message.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import Enum

# A JSON object on its way out. Whatever comes in is read into the types below at once.
Json = dict[str, object]


class MediaKind(Enum):
    POST = "post"
    REEL = "reel"
    STORY = "story"
    LIVE = "live"
    # a boosted post as an ad: its own media id beside the post's
    AD = "ad"


class TokenKind(Enum):
    SHORT = "short"
    LONG = "long"


class ButtonKind(Enum):
    URL = "web_url"
    POSTBACK = "postback"


@dataclass(frozen=True, slots=True)
class App:
    """The Meta app: its keys and what is configured in its dashboard."""

    app_id: str
    name: str
    secret: str
    live: bool = True
    callback_url: str | None = None
    verify_token: str | None = None
    fields: frozenset[str] = frozenset()
    # the Meta app's own pair: app-level calls need it, and either secret may sign
    meta_app_id: str = "1300000000000001"
    meta_secret: str = ""
    # where the privacy callbacks go
    deauthorize_url: str | None = None
    data_deletion_url: str | None = None
    # where a login may lead back to; empty = anywhere
    redirect_uris: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class IceBreaker:
    question: str
    payload: str


@dataclass(frozen=True, slots=True)
class IceBreakers:
    """The questions of one locale."""

    locale: str
    questions: tuple[IceBreaker, ...]


@dataclass(frozen=True, slots=True)
class Account:
    """A professional account that granted `scopes` to the app."""

    ig_id: str
    asid: str
    # what `from.self_ig_scoped_id` says when the account comments on its own media
    self_igsid: str
    username: str
    name: str
    account_type: str
    scopes: frozenset[str]
    # fields it asked for in `subscribed_apps`; empty = not subscribed
    subscribed_fields: tuple[str, ...] = ()
    # has (and accepted) a role on the app
    has_role: bool = True
    # "Allow access to messages" in the Instagram app
    message_access: bool = True
    # the Human Agent feature is approved
    human_agent: bool = False
    # whether private replies may carry buttons and quick replies; tools report both
    private_reply_buttons: bool = True
    # the profile is public; comment webhooks need that
    public: bool = True
    # another app controls the threads: events come as `standby`, sends are refused
    other_app_owns: bool = False
    # of its content in the last 24 hours: the quota of calls is a multiple of it
    impressions: int = 1000
    ice_breakers: tuple[IceBreakers, ...] = ()
    menus: "tuple[Menu, ...]" = ()


@dataclass(frozen=True, slots=True)
class Person:
    username: str
    name: str | None
    follower_count: int = 0
    verified: bool = False
    # a private profile: their story mentions reach only accounts that follow them
    private: bool = False
    # age-gated or restricted: their comments are not in the API's lists
    restricted: bool = False
    # whether the phone page offers to be this person; others only act by themselves
    played: bool = True
    # ig_ids of accounts this person follows, is followed by, and has blocked
    follows: frozenset[str] = frozenset()
    followed_by: frozenset[str] = frozenset()
    blocked: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Token:
    value: str
    ig_id: str
    kind: TokenKind
    scopes: frozenset[str]
    issued_at: datetime
    expires_at: datetime
    # the 190 subcode it answers with since it was revoked
    revoked: int | None = None


@dataclass(frozen=True, slots=True)
class LoginCode:
    value: str
    ig_id: str
    client_id: str
    redirect_uri: str
    scopes: frozenset[str]
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Media:
    id: str
    ig_id: str
    kind: MediaKind
    caption: str | None
    shortcode: str
    permalink: str
    created_at: datetime
    comments_enabled: bool = True
    # only for LIVE
    broadcasting: bool = False
    # only for STORY: where its link sticker leads
    link_sticker_url: str | None = None
    # only for AD
    ad_id: str | None = None
    ad_title: str | None = None
    original_media_id: str | None = None


@dataclass(frozen=True, slots=True)
class Comment:
    id: str
    media_id: str
    # None = the media's own account wrote it
    igsid: str | None
    username: str
    # empty for a GIF or sticker
    text: str
    created_at: datetime
    # the top-level comment this is attached to
    parent_id: str | None = None
    hidden: bool = False
    privately_answered: bool = False


@dataclass(frozen=True, slots=True)
class Attachment:
    """`kind` is the `type` of the webhook: image, video, audio, file, story_mention, ig_post, ig_reel, …"""

    kind: str
    url: str
    media_id: str | None = None
    title: str | None = None
    # stands for a file given before; `url` is filled in when it is sent
    upload_id: str | None = None
    # only of a story_mention: the person's story
    story_id: str | None = None


@dataclass(frozen=True, slots=True)
class Button:
    kind: ButtonKind
    title: str
    # the address of a URL button, the payload of a postback
    value: str


@dataclass(frozen=True, slots=True)
class Menu:
    """The persistent menu of one locale."""

    locale: str
    items: tuple[Button, ...]


@dataclass(frozen=True, slots=True)
class Chip:
    """A quick reply."""

    title: str
    payload: str


@dataclass(frozen=True, slots=True)
class Card:
    """One element of a generic template; a button template is one card whose title is its text."""

    title: str
    subtitle: str | None = None
    image_url: str | None = None
    default_url: str | None = None
    buttons: tuple[Button, ...] = ()


@dataclass(frozen=True, slots=True)
class Content:
    """What a message shows. A template has cards and no text."""

    text: str | None = None
    attachments: tuple[Attachment, ...] = ()
    cards: tuple[Card, ...] = ()
    chips: tuple[Chip, ...] = ()

    @property
    def buttons(self) -> tuple[Button, ...]:
        return tuple(button for card in self.cards for button in card.buttons)


@dataclass(frozen=True, slots=True)
class Referral:
    """Where a person came from: an ig.me link, an ad, or (`product_id` alone) a shop page."""

    source: str
    ref: str | None = None
    ad_id: str | None = None
    ad_title: str | None = None
    photo_url: str | None = None
    video_url: str | None = None
    product_id: str | None = None


@dataclass(frozen=True, slots=True)
class Upload:
    """A file given to `message_attachments`."""

    id: str
    ig_id: str
    kind: str
    url: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class WelcomeFlow:
    """A welcome message flow for ads; `body` is its JSON as it was given."""

    id: str
    ig_id: str
    name: str
    body: str
    platforms: tuple[str, ...] = ("instagram",)
    used_in_ad: bool = False


@dataclass(frozen=True, slots=True)
class Message:
    mid: str
    thread_id: str
    from_business: bool
    created_at: datetime
    content: Content
    reply_to_mid: str | None = None
    # that one is by the same side
    self_reply: bool = False
    # the story answered or mentioned in
    story: Media | None = None
    # payload of the chip or button that wrote it
    payload: str | None = None
    # the comment a private reply answers
    comment_id: str | None = None
    person_reaction: str | None = None
    business_reaction: str | None = None
    deleted: bool = False
    # how often the person edited it
    edits: int = 0
    referral: Referral | None = None
    # what the sending app noted in it
    metadata: str | None = None
    # a kind of message the API does not show
    unsupported: bool = False


@dataclass(frozen=True, slots=True)
class Thread:
    """Everything between one account and one person."""

    id: str
    ig_id: str
    igsid: str
    updated_at: datetime
    mids: tuple[str, ...] = ()
    # the person's last action that opens the messaging window; None = never, which also means no consent
    opened_at: datetime | None = None
    # when the person first did what makes their profile readable
    consented_at: datetime | None = None
    # in the account's Requests folder until the account answers
    in_requests: bool = True
    # the account's typing indicator is shown until then
    typing_until: datetime | None = None
    # when the account, and when the person, last marked the other side's messages as seen
    seen_by_account_at: datetime | None = None
    seen_by_person_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Notice:
    """One change a webhook may tell: `item` goes into `entry[].messaging[]` or `entry[].changes[]`."""

    ig_id: str
    field: str
    item: Json

    # another app owns the thread
    standby: bool = False

    @property
    def edge(self) -> str:
        if self.standby:
            return "standby"
        return "changes" if "field" in self.item else "messaging"
