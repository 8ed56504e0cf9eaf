"""What people do on their phones, and what the owner does on theirs. Every action tells its webhook.

Messages, quick replies, postbacks, story replies and mentions open the messaging window; comments and reading
do not, reactions and bare links only by a switch. `entrances` holds ice breakers, the menu, links and ads.
"""

from dataclasses import dataclass, replace

from pamosnik.errors import NotFound, UsageError
from pamosnik.sandbox import items, rules
from pamosnik.sandbox.things import (
    Account,
    Attachment,
    Button,
    ButtonKind,
    Chip,
    Comment,
    Content,
    Media,
    MediaKind,
    Message,
    Person,
    Referral,
    Thread,
)
from pamosnik.sandbox.world import World


@dataclass(frozen=True, slots=True)
class Tapped:
    """A tap on a URL button opens `url` and writes no message; every other tap writes one."""

    message: Message | None
    url: str | None


def comment(
    world: World, account: Account, person: Person, media: Media, text: str, *, parent: Comment | None = None
) -> Comment:
    """A reply to a reply lands under the top-level comment."""
    if account.ig_id in person.blocked:
        raise UsageError(f"{person.username} has blocked {account.username} and cannot comment there")
    if not media.comments_enabled:
        raise UsageError(f"comments on {media.id} are switched off")
    if media.kind is MediaKind.LIVE and not media.broadcasting:
        raise UsageError(f"the broadcast {media.id} is over")
    igsid = world.igsid(account, person)
    parent_id = None if parent is None else parent.id
    said = world.add_comment(media, igsid, person.username, text, parent_id)
    twice = world.ads_of(media) if world.behaviour.boosted_double else ()
    for place in (media, *twice):
        world.tell(account, items.comment_field(place), items.comment(account, place, said, world.behaviour))
    return said


def start_live(world: World, account: Account) -> Media:
    if running_live(world, account) is not None:
        raise UsageError(f"{account.username} is broadcasting already")
    return world.add_media(account, MediaKind.LIVE, None)


def end_live(world: World, account: Account) -> Media:
    """Its comments cannot be read or answered any more."""
    live = running_live(world, account)
    if live is None:
        raise UsageError("nothing is being broadcast")
    world.media[live.id] = replace(live, broadcasting=False)
    return world.media[live.id]


def running_live(world: World, account: Account) -> Media | None:
    return next((media for media in world.media_of(account, MediaKind.LIVE) if media.broadcasting), None)


def delete_comment(world: World, comment: Comment) -> None:
    """Tells nothing: Instagram has no event for it."""
    world.remove_comment(comment)


def message(
    world: World,
    account: Account,
    person: Person,
    text: str | None,
    *,
    attachments: tuple[Attachment, ...] = (),
    reply_to_mid: str | None = None,
    referral: Referral | None = None,
    unsupported: bool = False,
) -> Message:
    """`referral` is the ad or shop page it is written from; an unsupported one is announced without content."""
    if text is None and not attachments and not unsupported:
        raise UsageError("a message has a text or an attachment")
    _check_length(text)
    answered = None if reply_to_mid is None else world.messages.get(reply_to_mid)
    if reply_to_mid is not None and answered is None:
        raise NotFound(f"no message {reply_to_mid}")
    written = write(world, account, person, Content(text=text, attachments=attachments))
    came = referral or arrival(world, account, person)
    return _told(
        world,
        account,
        replace(
            written,
            reply_to_mid=reply_to_mid,
            self_reply=answered is not None and not answered.from_business,
            referral=came,
            unsupported=unsupported,
        ),
    )


def edit_message(
    world: World, account: Account, person: Person, text: str, mid: str | None = None
) -> Message:
    """Rewrites `mid` or the person's newest message; told as `message_edit`."""
    _check_length(text)
    before = _own(world, account, person, mid)
    content = replace(before.content, text=text)
    changed = world.put_message(replace(before, content=content, edits=before.edits + 1))
    igsid = world.igsid(account, person)
    world.tell(account, "message_edit", items.edited(account, igsid, changed, world.clock.now()))
    return changed


def story_reply(world: World, account: Account, person: Person, story: Media, text: str) -> Message:
    _check_length(text)
    written = write(world, account, person, Content(text=text))
    return _told(world, account, replace(written, story=story))


def story_mention(world: World, account: Account, person: Person) -> Message:
    """The person's own story mentions the account; the story itself is not the account's media.

    From a private profile it reaches only accounts that the profile's owner is followed by.
    """
    if person.private and account.ig_id not in person.followed_by:
        raise UsageError(f"{person.username} is private and {account.username} does not follow them")
    story_id = str(18000000000000000 + world.number())
    url = f"https://lookaside.fbsbx.com/ig_messaging_cdn/?asset_id={story_id}&signature=sandbox"
    mention = Attachment("story_mention", url, story_id=story_id)
    return _told(world, account, write(world, account, person, Content(attachments=(mention,))))


def share_post(world: World, account: Account, person: Person, media: Media) -> Message:
    kind = "ig_reel" if media.kind is MediaKind.REEL else "ig_post"
    shared = Attachment(kind, items.story_url(media), media.id, media.caption)
    return _told(world, account, write(world, account, person, Content(attachments=(shared,))))


def tap(
    world: World,
    account: Account,
    person: Person,
    title: str,
    *,
    card: int | None = None,
    card_title: str | None = None,
) -> Tapped:
    """Taps the newest chip or button of that title; on the `card` of that number (from 1) or of that title, if one
    is named.

    Chips of a message vanish with the tap.
    """
    thread = _thread(world, account, person)
    for shown in reversed(world.messages_in(thread)):
        if not shown.from_business:
            continue
        for chip in shown.content.chips if card is None and card_title is None else ():
            if chip.title == title:
                return Tapped(_tap_chip(world, account, person, shown, chip), None)
        for button in buttons_on(shown.content, card, card_title):
            if button.title == title:
                return tap_button(world, account, person, button)
    raise NotFound(f"{person.username} sees no button or quick reply {title!r}")


def buttons_on(content: Content, card: int | None, title: str | None = None) -> tuple[Button, ...]:
    """The buttons of one card, counted from 1, or of the cards of a title; None: of all of them."""
    return tuple(
        button
        for number, shown in enumerate(content.cards, 1)
        if card in (None, number) and title in (None, shown.title)
        for button in shown.buttons
    )


def react(
    world: World, account: Account, person: Person, emoji: str | None, mid: str | None = None
) -> Message:
    """Reacts to `mid` or the newest message of the account; None takes the reaction back."""
    seen = _seen(world, account, person, mid)
    changed = world.put_message(replace(seen, person_reaction=emoji))
    igsid = world.igsid(account, person)
    now, ways = world.clock.now(), world.behaviour
    if emoji is not None and ways.reaction_opens_window:
        world.put_thread(replace(_thread(world, account, person), opened_at=now))
    world.tell(account, "message_reactions", items.reaction(account, igsid, changed, now, ways))
    return changed


def read(world: World, account: Account, person: Person) -> Message:
    """Reads up to the newest message of the account."""
    seen = _seen(world, account, person, None)
    igsid = world.igsid(account, person)
    thread = _thread(world, account, person)
    world.put_thread(replace(thread, seen_by_person_at=world.clock.now()))
    world.tell(account, "messaging_seen", items.read(account, igsid, seen, world.clock.now()))
    return seen


def delete_message(world: World, account: Account, person: Person, mid: str | None = None) -> Message:
    """Unsends `mid` or the person's newest message."""
    gone = _own(world, account, person, mid)
    changed = world.put_message(replace(gone, deleted=True))
    igsid = world.igsid(account, person)
    world.tell(account, "messages", items.deleted(account, igsid, changed, world.clock.now()))
    return changed


def in_requests_of_person(world: World, account: Account, person: Person) -> bool:
    """Whether the person finds the conversation in their Requests: begun by the account, which they do not
    follow, and never answered.
    """
    thread = world.thread_with(account, world.igsid(account, person))
    return thread is not None and thread.opened_at is None and account.ig_id not in person.follows


def owner_message(world: World, account: Account, person: Person, text: str) -> Message:
    """The owner writes by hand: an echo whose mid no API call ever answered."""
    igsid = world.igsid(account, person)
    thread = world.ensure_thread(account, igsid)
    written = world.add_message(thread, Content(text=text), from_business=True)
    world.put_thread(replace(world.threads[thread.id], in_requests=False))
    world.tell(account, "messages", items.echo(account, igsid, written))
    return written


def self_message(world: World, account: Account, text: str) -> Message:
    """The owner writes to their own account; no window, and nothing to answer."""
    thread = world.ensure_thread(account, account.self_igsid)
    written = world.add_message(thread, Content(text=text), from_business=True)
    world.tell(account, "messages", items.self_message(account, written))
    return written


def write(
    world: World,
    account: Account,
    person: Person,
    content: Content,
    *,
    opens: bool = True,
    consents: bool = True,
) -> Message:
    """Adds a message of the person and opens the window; telling is the caller's part."""
    if account.ig_id in person.blocked:
        raise UsageError(f"{person.username} has blocked {account.username}")
    thread = world.ensure_thread(account, world.igsid(account, person))
    written = world.add_message(thread, content, from_business=False)
    now, thread = written.created_at, world.threads[thread.id]
    world.put_thread(
        replace(
            thread,
            opened_at=now if opens else thread.opened_at,
            consented_at=thread.consented_at or (now if consents else None),
        )
    )
    return written


def arrival(world: World, account: Account, person: Person) -> Referral | None:
    """The link a stranger opened before: told once, with the first thing they do."""
    came = world.arrivals.pop(world.igsid(account, person), None)
    return came if world.behaviour.referral_in_first else None


def _told(world: World, account: Account, written: Message) -> Message:
    world.put_message(written)
    igsid = world.threads[written.thread_id].igsid
    world.tell(account, "messages", items.person_message(account, igsid, written, world.behaviour))
    world.tell(account, "message_edit", items.edit_companion(written))
    return written


def _tap_chip(world: World, account: Account, person: Person, shown: Message, chip: Chip) -> Message:
    written = write(world, account, person, Content(text=chip.title))
    world.put_message(replace(shown, content=replace(shown.content, chips=())))
    return _told(world, account, replace(written, payload=chip.payload))


def tap_button(world: World, account: Account, person: Person, button: Button) -> Tapped:
    if button.kind is ButtonKind.URL:
        return Tapped(None, button.value)
    ways = world.behaviour
    written = write(
        world,
        account,
        person,
        Content(text=button.title),
        opens=ways.taps_open_window,
        consents=ways.postback_is_consent,
    )
    tapped = world.put_message(replace(written, payload=button.value))
    igsid = world.igsid(account, person)
    world.tell(account, "messaging_postbacks", items.postback(account, igsid, tapped))
    return Tapped(tapped, None)


def _check_length(text: str | None) -> None:
    if text is not None and len(text) > rules.COMPOSER_CHARACTERS:
        raise UsageError(
            f"Instagram lets people write at most {rules.COMPOSER_CHARACTERS} characters at once"
        )


def _thread(world: World, account: Account, person: Person) -> Thread:
    thread = world.thread_with(account, world.igsid(account, person))
    if thread is None:
        raise NotFound(f"{person.username} and {account.username} have no thread")
    return thread


def _messages(world: World, account: Account, person: Person) -> tuple[Message, ...]:
    return world.messages_in(_thread(world, account, person))


def _own(world: World, account: Account, person: Person, mid: str | None) -> Message:
    own = [written for written in _messages(world, account, person) if not written.from_business]
    return _newest(own, mid, f"{person.username} has no such message")


def _seen(world: World, account: Account, person: Person, mid: str | None) -> Message:
    theirs = [written for written in _messages(world, account, person) if written.from_business]
    return _newest(theirs, mid, f"{person.username} has no such message from {account.username}")


def _newest(candidates: list[Message], mid: str | None, otherwise: str) -> Message:
    for candidate in reversed(candidates):
        if mid in (None, candidate.mid):
            return candidate
    raise NotFound(otherwise)
