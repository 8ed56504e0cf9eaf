"""What the API does for an account, with Instagram's refusals as `GraphError`.

A private reply answers a comment, creates the thread and opens no window: only what the person does opens
one. Everything sent is told as an echo, every public reply as a comment of the account itself.
"""

import re
from dataclasses import dataclass, replace
from typing import assert_never

from pamosnik.sandbox import errors, items, rules
from pamosnik.sandbox.content import Action, Order, SenderAction, SendMessage
from pamosnik.sandbox.things import (
    Account,
    Attachment,
    Comment,
    Content,
    Media,
    MediaKind,
    Message,
    Person,
    Thread,
    Upload,
    WelcomeFlow,
)
from pamosnik.sandbox.world import World


@dataclass(frozen=True, slots=True)
class Sent:
    """`mid` is None after a sender action."""

    igsid: str
    mid: str | None


def perform(world: World, account: Account, order: Order) -> Sent:
    """Carries out one call of the Send API."""
    match order.body:
        case SenderAction():
            return _act(world, account, order.igsid, order.body)
        case SendMessage():
            if order.comment_id is not None:
                return private_reply(world, account, order.comment_id, order.body.content)
            if order.igsid == account.self_igsid:
                return _send_to_self(world, account, order.body.content)
            return send(world, account, order.igsid or "", order.body)
        case unreachable:
            assert_never(unreachable)


def send(world: World, account: Account, igsid: str, message: SendMessage) -> Sent:
    person = _reachable(world, account, igsid)
    thread = _open_thread(world, account, person, human_agent=message.human_agent)
    content = _with_uploads(world, account, message.content)
    _check_own_media(world, account, content)
    answered = None if message.reply_to_mid is None else _message_of(world, thread, message.reply_to_mid)
    written = _write(world, thread, content)
    noted = replace(
        written,
        reply_to_mid=message.reply_to_mid,
        self_reply=answered is not None and answered.from_business,
        metadata=message.metadata,
    )
    return _told(world, account, thread, noted)


def private_reply(world: World, account: Account, comment_id: str, content: Content) -> Sent:
    """Once per comment; the comment is used up by success only."""
    comment = _eligible(world, account, comment_id)
    if content.attachments:
        raise errors.bad_parameter("Private replies cannot carry media.", 2534015)
    if (content.cards or content.chips) and not account.private_reply_buttons:
        raise errors.bad_parameter("Private replies support text only.")
    if not account.message_access:
        raise errors.message_access_off()
    if account.other_app_owns:
        raise errors.not_thread_owner()
    thread = world.ensure_thread(account, comment.igsid or "")
    written = _write(world, thread, content)
    world.comments[comment.id] = replace(comment, privately_answered=True)
    return _told(world, account, thread, replace(written, comment_id=comment.id))


def reply_to_comment(world: World, account: Account, comment_id: str, text: str) -> Comment:
    """Attaches to the top-level comment."""
    parent = own_comment(world, account, comment_id)
    media = world.media[parent.media_id]
    _refuse_live(media)
    if parent.hidden:
        raise errors.bad_parameter("Cannot reply to a hidden comment.")
    return _comment(world, account, media, text, parent.id)


def comment_on_media(world: World, account: Account, media_id: str, text: str) -> Comment:
    media = own_media(world, account, media_id)
    _refuse_live(media)
    return _comment(world, account, media, text, None)


def hide_comment(world: World, account: Account, comment_id: str, *, hide: bool) -> None:
    """Accepted without effect for the account's own comments, which always stay visible."""
    comment = own_comment(world, account, comment_id)
    _refuse_live(world.media[comment.media_id])
    if comment.igsid is not None:
        world.comments[comment.id] = replace(comment, hidden=hide)


def delete_comment(world: World, account: Account, comment_id: str) -> None:
    comment = own_comment(world, account, comment_id)
    _refuse_live(world.media[comment.media_id])
    world.remove_comment(comment)


def enable_comments(world: World, account: Account, media_id: str, *, enabled: bool) -> None:
    media = own_media(world, account, media_id)
    _refuse_live(media)
    world.media[media.id] = replace(media, comments_enabled=enabled)


def own_media(world: World, account: Account, media_id: str) -> Media:
    media = world.media.get(media_id)
    if media is None or media.ig_id != account.ig_id:
        raise errors.missing_object(media_id)
    return media


def own_comment(world: World, account: Account, comment_id: str) -> Comment:
    """A comment under the account's media; a live one only while broadcasting."""
    comment = world.comments.get(comment_id)
    media = None if comment is None else world.media[comment.media_id]
    if comment is None or media is None or media.ig_id != account.ig_id:
        raise errors.missing_object(comment_id)
    if media.kind is MediaKind.LIVE and not media.broadcasting:
        raise errors.missing_object(comment_id)
    return comment


def profile_of(world: World, account: Account, igsid: str) -> Person:
    """Readable once the person has written or tapped, unless they blocked the account."""
    person = world.person_known_as(account, igsid)
    if person is None:
        raise errors.missing_object(igsid)
    if account.ig_id in person.blocked and world.behaviour.blocked_profile_code == "100":
        raise errors.missing_object(igsid)
    thread = world.thread_with(account, igsid)
    if thread is None or thread.consented_at is None or account.ig_id in person.blocked:
        raise errors.consent_required()
    return person


def upload(world: World, account: Account, kind: str, url: str) -> Upload:
    """Keeps a file's address under an id for 90 days."""
    upload_id = str(1200000000 + world.number())
    made = Upload(upload_id, account.ig_id, kind, url, world.clock.now() + rules.ATTACHMENT_LIFE)
    world.uploads[upload_id] = made
    return made


def put_flow(world: World, account: Account, flow: WelcomeFlow) -> WelcomeFlow:
    """A new one or a change; one that an ad uses stays as it is."""
    if flow.id in world.flows:
        own_flow(world, account, flow.id, unused=True)
    world.flows[flow.id] = flow
    return flow


def delete_flow(world: World, account: Account, flow_id: str) -> None:
    del world.flows[own_flow(world, account, flow_id, unused=True).id]


def own_flow(world: World, account: Account, flow_id: str, *, unused: bool = False) -> WelcomeFlow:
    flow = world.flows.get(flow_id)
    if flow is None or flow.ig_id != account.ig_id:
        raise errors.missing_object(flow_id)
    if unused and flow.used_in_ad:
        raise errors.bad_parameter("A flow in use by an ad can neither be changed nor deleted.")
    return flow


def visible_threads(world: World, account: Account) -> tuple[Thread, ...]:
    """Threads in Requests disappear after 30 silent days."""
    now = world.clock.now()
    return tuple(
        thread
        for thread in world.threads_of(account)
        if not thread.in_requests or now - thread.updated_at <= rules.REQUEST_SILENCE
    )


def readable_message(world: World, account: Account, mid: str) -> Message:
    """Only the newest messages of a thread can be read; older ones answer like deleted ones."""
    message = world.messages.get(mid)
    if message is None or world.threads[message.thread_id].ig_id != account.ig_id:
        raise errors.missing_object(mid)
    if message.deleted or message not in newest_messages(world, world.threads[message.thread_id]):
        raise errors.message_gone()
    return message


def newest_messages(world: World, thread: Thread) -> tuple[Message, ...]:
    return world.messages_in(thread)[-rules.READABLE_MESSAGES :]


def _act(world: World, account: Account, igsid: str | None, act: SenderAction) -> Sent:
    """Reactions and typing need the window like messages; marking as seen needs a thread."""
    if igsid is None:
        raise errors.bad_parameter("sender_action needs recipient[id].")
    person = _reachable(world, account, igsid)
    now = world.clock.now()
    if act.action is Action.MARK_SEEN:
        known = world.thread_with(account, igsid)
        if known is None:
            raise errors.outside_window()
        world.put_thread(replace(known, seen_by_account_at=now))
        return Sent(igsid, None)
    thread = _open_thread(world, account, person, human_agent=False)
    if act.mid is not None:
        target = _message_of(world, thread, act.mid)
        world.put_message(replace(target, business_reaction=act.reaction))
    elif act.action is Action.TYPING_ON:
        world.put_thread(replace(thread, typing_until=now + rules.TYPING_SHOWN))
    elif act.action is Action.TYPING_OFF:
        world.put_thread(replace(thread, typing_until=None))
    return Sent(igsid, None)


def _send_to_self(world: World, account: Account, content: Content) -> Sent:
    """Needs no window and takes no quick replies."""
    if content.chips:
        raise errors.bad_parameter("Quick replies are not supported in messages to oneself.")
    thread = world.ensure_thread(account, account.self_igsid)
    written = world.add_message(thread, content, from_business=True)
    world.tell(account, "messages", items.self_message(account, written))
    return Sent(account.self_igsid, written.mid)


def _reachable(world: World, account: Account, igsid: str) -> Person:
    person = world.person_known_as(account, igsid)
    if person is None:
        raise errors.no_such_user()
    if not account.message_access:
        raise errors.message_access_off()
    if account.ig_id in person.blocked:
        raise errors.person_unavailable()
    if account.other_app_owns:
        raise errors.not_thread_owner()
    return person


def _open_thread(world: World, account: Account, person: Person, *, human_agent: bool) -> Thread:
    if human_agent and not account.human_agent:
        raise errors.human_agent_not_approved()
    length = rules.HUMAN_AGENT_WINDOW if human_agent else rules.STANDARD_WINDOW
    thread = world.thread_with(account, world.igsid(account, person))
    if thread is None or not world.window_open(thread, length):
        raise errors.outside_window()
    return thread


def _eligible(world: World, account: Account, comment_id: str) -> Comment:
    """Whether a private reply may go out; replies in a thread the account began do not count."""
    comment = world.comments.get(comment_id)
    if comment is None or comment.igsid is None or comment.privately_answered:
        raise errors.comment_not_eligible()
    media = world.media[comment.media_id]
    person = world.person_known_as(account, comment.igsid)
    too_old = world.clock.now() - comment.created_at > rules.PRIVATE_REPLY_AGE
    over = media.kind is MediaKind.LIVE and not media.broadcasting
    if person is None or account.ig_id in person.blocked or too_old or over:
        raise errors.comment_not_eligible()
    if comment.parent_id is not None and not _reply_eligible(world, comment.parent_id):
        raise errors.comment_not_eligible()
    return comment


def _reply_eligible(world: World, parent_id: str) -> bool:
    return world.behaviour.private_reply_to_replies and world.comments[parent_id].igsid is not None


def _with_uploads(world: World, account: Account, content: Content) -> Content:
    """Ids of `message_attachments` become the files they stand for."""
    attachments = tuple(_found(world, account, one) for one in content.attachments)
    return replace(content, attachments=attachments)


def _found(world: World, account: Account, attachment: Attachment) -> Attachment:
    if attachment.upload_id is None:
        return attachment
    known = world.uploads.get(attachment.upload_id)
    usable = known is not None and known.ig_id == account.ig_id and known.expires_at > world.clock.now()
    if known is None or not usable or known.kind != attachment.kind:
        raise errors.bad_parameter("The attachment id is not yours.", 2018074)
    return replace(attachment, url=known.url)


def _check_own_media(world: World, account: Account, content: Content) -> None:
    for attachment in content.attachments:
        if attachment.media_id is not None:
            own_media(world, account, attachment.media_id)


def _message_of(world: World, thread: Thread, mid: str) -> Message:
    message = world.messages.get(mid)
    if message is None or message.thread_id != thread.id or message.deleted:
        raise errors.bad_parameter(f"The message {mid} is not part of this conversation.")
    return message


def _write(world: World, thread: Thread, content: Content) -> Message:
    written = world.add_message(thread, content, from_business=True)
    now = written.created_at
    answered = replace(world.threads[thread.id], in_requests=False, typing_until=None, seen_by_account_at=now)
    world.put_thread(answered)
    return written


def _told(world: World, account: Account, thread: Thread, written: Message) -> Sent:
    world.put_message(written)
    echo = items.echo(account, thread.igsid, written, world.behaviour, app_id=world.app.app_id)
    world.tell(account, "messages", echo)
    return Sent(thread.igsid, written.mid)


def _comment(world: World, account: Account, media: Media, text: str, parent_id: str | None) -> Comment:
    if not text.strip():
        raise errors.bad_parameter("The parameter message is required.")
    if len(text) > rules.COMMENT_CHARACTERS:
        raise errors.bad_parameter("The comment is too long.")
    if world.behaviour.retired_comment_rules:
        _check_retired_rules(text)
    if not media.comments_enabled:
        raise errors.bad_parameter("Comments are switched off for this media.")
    said = world.add_comment(media, None, account.username, text, parent_id)
    world.tell(account, items.comment_field(media), items.comment(account, media, said, world.behaviour))
    return said


def _check_retired_rules(text: str) -> None:
    broken = (
        len(text) > rules.RETIRED_COMMENT_CHARACTERS,
        len(re.findall(r"#\w", text)) > rules.RETIRED_HASHTAGS,
        len(re.findall(r"https?://", text)) > rules.RETIRED_URLS,
        text.upper() == text and text.lower() != text,
    )
    if any(broken):
        raise errors.bad_parameter("The comment breaks the rules for length, hashtags, links or capitals.")


def _refuse_live(media: Media) -> None:
    if media.kind is MediaKind.LIVE:
        raise errors.bad_parameter("This operation is not supported for live media.")
