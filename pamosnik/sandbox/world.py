"""The state of the sandbox and the ways to find things in it; no HTTP, and no rule beyond "does it exist".

`people` and `business` change it. Each change a webhook could tell goes through `tell`; the listener
decides whether the app may know. Only one Meta app exists; accounts and people may be many.
"""

import base64
import hashlib
import secrets
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from pamosnik.clock import Clock
from pamosnik.errors import NotFound, UsageError
from pamosnik.sandbox import rules
from pamosnik.sandbox.behaviour import Behaviour
from pamosnik.sandbox.things import (
    Account,
    App,
    Comment,
    Content,
    Json,
    LoginCode,
    Media,
    MediaKind,
    Message,
    Notice,
    Person,
    Referral,
    Thread,
    Token,
    TokenKind,
    Upload,
    WelcomeFlow,
)


class World:
    """All that exists. Listeners hear every change, whether or not an app subscribed to it."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self._listeners: list[Callable[[Notice], None]] = []
        self.next_number = 1
        self.behaviour = Behaviour()
        self.app = App(
            app_id="1200000000000001",
            name="Pamosnik",
            secret=secrets.token_hex(16),
            meta_secret=secrets.token_hex(16),
        )
        self.accounts: dict[str, Account] = {}
        self.people: dict[str, Person] = {}
        self.tokens: dict[str, Token] = {}
        self.codes: dict[str, LoginCode] = {}
        self.media: dict[str, Media] = {}
        self.comments: dict[str, Comment] = {}
        self.threads: dict[str, Thread] = {}
        self.messages: dict[str, Message] = {}
        self.uploads: dict[str, Upload] = {}
        self.flows: dict[str, WelcomeFlow] = {}
        # IGSID → the link a person opened before they ever wrote
        self.arrivals: dict[str, Referral] = {}
        self._igsids: dict[tuple[str, str], str] = {}
        self._persons: dict[str, tuple[str, str]] = {}
        self._threads_of: dict[tuple[str, str], str] = {}
        self._comments_on: dict[str, list[str]] = {}
        self._replies_to: dict[str, list[str]] = {}

    def listen(self, listener: Callable[[Notice], None]) -> None:
        self._listeners.append(listener)

    def unlisten(self, listener: Callable[[Notice], None]) -> None:
        self._listeners.remove(listener)

    def tell(self, account: Account, field: str, item: Json) -> None:
        for listener in self._listeners:
            listener(Notice(account.ig_id, field, item, standby=_for_standby(account, item)))

    def number(self) -> int:
        """Never the same twice in one world, so that ids made of it are unique."""
        self.next_number += 1
        return self.next_number - 1

    # accounts, tokens, people

    def add_account(self, username: str, name: str, *, account_type: str = "BUSINESS") -> Account:
        if any(account.username == username for account in self.accounts.values()):
            raise UsageError(f"account {username} exists already")
        number = self.number()
        account = Account(
            ig_id=str(17841400000000000 + number),
            asid=str(27000000000000000 + number),
            self_igsid=str(910000000000000 + number),
            username=username,
            name=name,
            account_type=account_type,
            scopes=frozenset(rules.SCOPES),
        )
        self.accounts[account.ig_id] = account
        return account

    def account_named(self, username: str | None) -> Account:
        """None names the only account there is."""
        if username is None:
            if len(self.accounts) != 1:
                raise UsageError("say which account", hint=f"There are {len(self.accounts)}.")
            return next(iter(self.accounts.values()))
        for account in self.accounts.values():
            if account.username == username:
                return account
        raise NotFound(f"no account {username}")

    def put_account(self, account: Account) -> None:
        self.accounts[account.ig_id] = account

    def put_person(self, person: Person) -> None:
        self.people[person.username] = person

    def person_named(self, username: str) -> Person:
        if username not in self.people:
            raise NotFound(f"no person {username}", hint="POST /sandbox/people makes one.")
        return self.people[username]

    def igsid(self, account: Account, person: Person) -> str:
        """A person has another id for every account, given when they first meet."""
        key = (account.ig_id, person.username)
        if key not in self._igsids:
            self.meet(*key, str(900000000000000 + self.number()))
        return self._igsids[key]

    def meet(self, ig_id: str, username: str, igsid: str) -> None:
        """From now on that account knows that person under this id."""
        self._igsids[ig_id, username] = igsid
        self._persons[igsid] = (ig_id, username)

    def acquaintances(self) -> tuple[tuple[str, str, str], ...]:
        """Who knows whom: account, username, IGSID."""
        return tuple((*key, igsid) for key, igsid in self._igsids.items())

    def person_known_as(self, account: Account, igsid: str) -> Person | None:
        """The person behind an id of this account; None for another account's ids."""
        ig_id, username = self._persons.get(igsid, ("", ""))
        return self.people[username] if ig_id == account.ig_id else None

    def person_behind(self, igsid: str) -> Person | None:
        """The same for an id of any account."""
        known = self._persons.get(igsid)
        return None if known is None else self.people[known[1]]

    def issue_token(self, account: Account, kind: TokenKind, scopes: frozenset[str] | None = None) -> Token:
        now = self.clock.now()
        life = rules.LONG_TOKEN_LIFE if kind is TokenKind.LONG else rules.SHORT_TOKEN_LIFE
        granted = account.scopes if scopes is None else scopes
        token = Token("IGAA" + secrets.token_hex(40), account.ig_id, kind, granted, now, now + life)
        self.tokens[token.value] = token
        return token

    def revoke_tokens(self, account: Account, subcode: int) -> None:
        for token in self.tokens_of(account):
            self.tokens[token.value] = replace(token, revoked=subcode)

    def tokens_of(self, account: Account) -> tuple[Token, ...]:
        return tuple(token for token in self.tokens.values() if token.ig_id == account.ig_id)

    # media and comments

    def add_media(self, account: Account, kind: MediaKind, caption: str | None) -> Media:
        media_id = str(18000000000000000 + self.number())
        shortcode = _letters(media_id, 11)
        media = Media(
            id=media_id,
            ig_id=account.ig_id,
            kind=kind,
            caption=caption,
            shortcode=shortcode,
            permalink=_permalink(account, kind, media_id, shortcode),
            created_at=self.clock.now(),
            broadcasting=kind is MediaKind.LIVE,
        )
        self.media[media_id] = media
        return media

    def boost(self, post: Media, title: str | None) -> Media:
        """The post as an ad, with a media id of its own."""
        account = self.accounts[post.ig_id]
        ad_id = str(23850000000000000 + self.number())
        made = self.add_media(account, MediaKind.AD, post.caption)
        self.media[made.id] = replace(made, ad_id=ad_id, ad_title=title, original_media_id=post.id)
        return self.media[made.id]

    def ads_of(self, post: Media) -> tuple[Media, ...]:
        return tuple(media for media in self.media.values() if media.original_media_id == post.id)

    def media_of(self, account: Account, *kinds: MediaKind) -> tuple[Media, ...]:
        """Newest first."""
        own = (media for media in self.media.values() if media.ig_id == account.ig_id and media.kind in kinds)
        return tuple(reversed(tuple(own)))

    def add_comment(
        self, media: Media, igsid: str | None, username: str, text: str, parent_id: str | None
    ) -> Comment:
        """Attaches to the top-level comment when `parent_id` names a reply."""
        top = self._top_level(parent_id)
        comment_id = str(17950000000000000 + self.number())
        comment = Comment(comment_id, media.id, igsid, username, text, self.clock.now(), top)
        self.put_comment(comment)
        return comment

    def put_comment(self, comment: Comment) -> None:
        """A new one goes to the end of its list; a known one is replaced in its place."""
        known = comment.id in self.comments
        self.comments[comment.id] = comment
        if known:
            return
        if comment.parent_id is None:
            self._comments_on.setdefault(comment.media_id, []).append(comment.id)
        else:
            self._replies_to.setdefault(comment.parent_id, []).append(comment.id)

    def comments_on(self, media: Media) -> tuple[Comment, ...]:
        """Top-level comments, newest first."""
        return self._existing(reversed(self._comments_on.get(media.id, [])))

    def replies_to(self, comment: Comment) -> tuple[Comment, ...]:
        """Oldest first, as the app shows them."""
        return self._existing(self._replies_to.get(comment.id, []))

    def remove_comment(self, comment: Comment) -> None:
        """Its replies go with it."""
        for reply in self.replies_to(comment):
            del self.comments[reply.id]
        del self.comments[comment.id]

    def _top_level(self, comment_id: str | None) -> str | None:
        if comment_id is None:
            return None
        return self.comments[comment_id].parent_id or comment_id

    def _existing(self, ids: Iterable[str]) -> tuple[Comment, ...]:
        return tuple(self.comments[comment_id] for comment_id in ids if comment_id in self.comments)

    # threads and messages

    def thread_with(self, account: Account, igsid: str) -> Thread | None:
        thread_id = self._threads_of.get((account.ig_id, igsid))
        return None if thread_id is None else self.threads[thread_id]

    def ensure_thread(self, account: Account, igsid: str) -> Thread:
        known = self.thread_with(account, igsid)
        if known is not None:
            return known
        thread = Thread(
            _opaque("aWdfZAG06MTpJR", account.ig_id, igsid), account.ig_id, igsid, self.clock.now()
        )
        self.put_thread(thread)
        return thread

    def threads_of(self, account: Account) -> tuple[Thread, ...]:
        """The most recently used first."""
        own = [thread for thread in self.threads.values() if thread.ig_id == account.ig_id]
        return tuple(sorted(own, key=lambda thread: thread.updated_at, reverse=True))

    def new_mid(self) -> str:
        return _opaque("aWdfZAG1faXRlbTox", str(self.number()), secrets.token_hex(4))

    def add_message(self, thread: Thread, content: Content, *, from_business: bool) -> Message:
        now = self.clock.now()
        message = Message(self.new_mid(), thread.id, from_business, now, content)
        self.messages[message.mid] = message
        self.threads[thread.id] = replace(thread, mids=(*thread.mids, message.mid), updated_at=now)
        return message

    def put_message(self, message: Message) -> Message:
        self.messages[message.mid] = message
        return message

    def put_thread(self, thread: Thread) -> None:
        self.threads[thread.id] = thread
        self._threads_of[thread.ig_id, thread.igsid] = thread.id

    def messages_in(self, thread: Thread) -> tuple[Message, ...]:
        """Oldest first, deleted ones left out."""
        all_of_it = (self.messages[mid] for mid in self.threads[thread.id].mids)
        return tuple(message for message in all_of_it if not message.deleted)

    def window_open(self, thread: Thread, length: timedelta) -> bool:
        opened = thread.opened_at
        return opened is not None and self.clock.now() - opened < length


def _for_standby(account: Account, item: Json) -> bool:
    """Messaging events go to the app that owns the thread; the others listen. Handovers reach everybody."""
    handover = any(name.endswith("_thread_control") for name in item)
    return account.other_app_owns and "field" not in item and not handover


def milliseconds(instant: datetime) -> int:
    return int(instant.timestamp() * 1000)


def _opaque(prefix: str, *parts: str) -> str:
    """An id as long and unreadable as Meta's, safe in a path."""
    digest = hashlib.sha256(":".join(parts).encode()).digest()
    return prefix + base64.urlsafe_b64encode(digest + digest).decode().rstrip("=")


def _letters(seed: str, length: int) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(seed.encode()).digest()).decode()[:length]


def _permalink(account: Account, kind: MediaKind, media_id: str, shortcode: str) -> str:
    match kind:
        case MediaKind.POST | MediaKind.AD:
            return f"https://www.instagram.com/p/{shortcode}/"
        case MediaKind.REEL:
            return f"https://www.instagram.com/reel/{shortcode}/"
        case MediaKind.STORY:
            return f"https://www.instagram.com/stories/{account.username}/{media_id}/"
        case MediaKind.LIVE:
            return f"https://www.instagram.com/{account.username}/live/{media_id}/"
