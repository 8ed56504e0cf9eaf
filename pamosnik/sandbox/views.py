"""How each thing looks in a Graph answer: all its fields, in Graph's names and formats."""

from datetime import datetime

from pamosnik.sandbox import business, rules
from pamosnik.sandbox.fields import NULL, Edge, Node
from pamosnik.sandbox.items import product_type, story_url
from pamosnik.sandbox.things import (
    Account,
    Attachment,
    Comment,
    Json,
    Media,
    MediaKind,
    Message,
    Person,
    Thread,
)
from pamosnik.sandbox.world import World


def iso(instant: datetime) -> str:
    return instant.strftime("%Y-%m-%dT%H:%M:%S+0000")


def account_node(world: World, account: Account) -> Node:
    followers = sum(account.ig_id in person.follows for person in world.people.values())
    followed = sum(account.ig_id in person.followed_by for person in world.people.values())
    return Node(
        {
            "user_id": account.ig_id,
            "id": account.asid,
            "username": account.username,
            "name": account.name,
            "account_type": _account_type(world, account),
            "profile_picture_url": _picture(account.username),
            "followers_count": followers,
            "follows_count": followed,
            "media_count": len(world.media_of(account, MediaKind.POST, MediaKind.REEL)),
        }
    )


def _account_type(world: World, account: Account) -> str:
    kind = account.account_type
    return kind if world.behaviour.seen_account_type else kind.title()


def profile_node(account: Account, person: Person, igsid: str) -> Node:
    return Node(
        {
            "id": igsid,
            "name": NULL if person.name is None else person.name,
            "username": person.username,
            "profile_pic": _picture(person.username),
            "follower_count": person.follower_count,
            "is_user_follow_business": account.ig_id in person.follows,
            "is_business_follow_user": account.ig_id in person.followed_by,
            "is_verified_user": person.verified,
        },
        default=("name", "username"),
    )


def media_node(world: World, account: Account, media: Media) -> Node:
    top = world.comments_on(media)
    film = media.kind is not MediaKind.POST
    url = f"https://scontent.cdninstagram.com/{media.shortcode}"
    return Node(
        {
            "id": media.id,
            "media_type": "VIDEO" if film else "IMAGE",
            "media_product_type": product_type(media.kind),
            "caption": media.caption,
            "permalink": media.permalink,
            "timestamp": iso(media.created_at),
            "comments": comments_edge(world, account, media) if top else None,
            "comments_count": sum(1 + len(world.replies_to(comment)) for comment in top),
            "like_count": 0,
            "is_comment_enabled": media.comments_enabled,
            "thumbnail_url": f"{url}-thumbnail.jpg" if film else None,
            "media_url": f"{url}.mp4" if film else f"{url}.jpg",
            "shortcode": media.shortcode,
            "username": account.username,
        }
    )


def comment_node(world: World, account: Account, comment: Comment) -> Node:
    replies = None
    if comment.parent_id is None and world.replies_to(comment):
        replies = replies_edge(world, account, comment)
    media = world.media[comment.media_id]
    author = comment.igsid or account.ig_id
    return Node(
        {
            "id": comment.id,
            "text": comment.text,
            "timestamp": iso(comment.created_at),
            "from": Node({"id": author, "username": comment.username}, default=("id", "username")),
            "username": comment.username,
            "user": Node({"id": account.ig_id}) if comment.igsid is None else None,
            "parent_id": comment.parent_id,
            "hidden": comment.hidden,
            "like_count": 0,
            "media": Node(
                {"id": media.id, "media_product_type": product_type(media.kind)},
                default=("id", "media_product_type"),
            ),
            "replies": replies,
            "legacy_instagram_comment_id": comment.id,
        },
        default=("timestamp", "text"),
    )


def comments_edge(world: World, account: Account, media: Media) -> Edge:
    """Without those of restricted people; comments on ads are not listed at all."""
    if media.kind is MediaKind.AD:
        return _comment_list(world, account, ())
    return _comment_list(world, account, world.comments_on(media))


def live_edge(world: World, account: Account) -> Edge:
    """What is being broadcast now."""
    live = (media for media in world.media_of(account, MediaKind.LIVE) if media.broadcasting)
    ids = tuple(media.id for media in live)
    return Edge(ids, lambda media_id: media_node(world, account, world.media[media_id]))


def replies_edge(world: World, account: Account, comment: Comment) -> Edge:
    return _comment_list(world, account, world.replies_to(comment))


def media_edge(world: World, account: Account) -> Edge:
    """Posts and reels; stories and broadcasts are listed elsewhere."""
    own = world.media_of(account, MediaKind.POST, MediaKind.REEL)
    ids = tuple(media.id for media in own)
    return Edge(ids, lambda media_id: media_node(world, account, world.media[media_id]))


def conversations_edge(world: World, account: Account, igsid: str | None) -> Edge:
    """All conversations, or the one with `igsid`."""
    threads = business.visible_threads(world, account)
    ids = tuple(thread.id for thread in threads if igsid in (None, thread.igsid))
    if not world.app.live:
        ids = ()
    return Edge(ids, lambda thread_id: conversation_node(world, account, world.threads[thread_id]))


def conversation_node(world: World, account: Account, thread: Thread) -> Node:
    """All messages with id and time, newest first; only the newest ones have more."""
    mids = tuple(message.mid for message in reversed(world.messages_in(thread)))
    if not world.app.live:
        mids = ()
    readable = frozenset(mids[: rules.READABLE_MESSAGES])

    def build(mid: str) -> Node:
        node = message_node(world, account, world.messages[mid])
        return node if mid in readable else _bare(node)

    return Node(
        {
            "id": thread.id,
            "updated_time": iso(thread.updated_at),
            "participants": _plain_list(*_participants(world, account, thread)),
            "messages": Edge(mids, build, page=None),
        },
        default=("updated_time",),
    )


def message_node(world: World, account: Account, message: Message) -> Node:
    business_side, person_side = _participants(world, account, world.threads[message.thread_id])
    sender, receiver = person_side, business_side
    if message.from_business:
        sender, receiver = business_side, person_side
    return Node(
        {
            "id": message.mid,
            "created_time": iso(message.created_at),
            "from": sender,
            "to": _plain_list(receiver),
            "message": message.content.text or "",
            "attachments": _attachments(message),
            "shares": _shares(message),
            "reply_to": _reply_to(message),
            "story": _story(message),
        },
        default=("created_time",),
    )


def _comment_list(world: World, account: Account, comments: tuple[Comment, ...]) -> Edge:
    """An app that is not published gets an empty list, without an error."""
    listed = (comment for comment in comments if world.app.live and not _restricted(world, comment))
    return Edge(
        tuple(comment.id for comment in listed),
        lambda comment_id: comment_node(world, account, world.comments[comment_id]),
        page=rules.COMMENTS_PER_PAGE,
        ceiling=rules.COMMENTS_PER_PAGE,
    )


def _restricted(world: World, comment: Comment) -> bool:
    person = None if comment.igsid is None else world.person_behind(comment.igsid)
    return person is not None and person.restricted


def _plain_list(*nodes: Node) -> Edge:
    known = {str(node.values["id"]): node for node in nodes}
    return Edge(tuple(known), known.__getitem__, page=None, paged=False)


def _bare(node: Node) -> Node:
    """A message too old to be read: its other fields are known, and empty."""
    kept = {name: value if name in ("id", "created_time") else None for name, value in node.values.items()}
    return Node(kept, default=node.default)


def _participants(world: World, account: Account, thread: Thread) -> tuple[Node, Node]:
    """The account first, then the person."""
    person = world.person_known_as(account, thread.igsid)
    username = None if person is None else person.username
    return (
        Node({"username": account.username, "id": account.ig_id}, default=("username", "id")),
        Node({"username": username, "id": thread.igsid}, default=("username", "id")),
    )


def _attachments(message: Message) -> Json | None:
    files = [_file(one) for one in message.content.attachments if one.media_id is None]
    cards = [{"generic_template": {"title": card.title}} for card in message.content.cards]
    data = [*files, *cards]
    return {"data": data} if data else None


def _file(attachment: Attachment) -> Json:
    if attachment.kind == "image":
        return {"image_data": {"url": attachment.url}}
    if attachment.kind == "video":
        return {"video_data": {"url": attachment.url}}
    return {"file_url": attachment.url}


def _shares(message: Message) -> Json | None:
    links = [{"link": one.url} for one in message.content.attachments if one.media_id is not None]
    return {"data": links} if links else None


def _reply_to(message: Message) -> Json | None:
    if message.reply_to_mid is None:
        return None
    return {"mid": message.reply_to_mid, "is_self_reply": message.self_reply}


def _story(message: Message) -> Json | None:
    for attachment in message.content.attachments:
        if attachment.kind == "story_mention":
            return {"mention": {"link": attachment.url, "id": attachment.story_id or ""}}
    if message.story is None:
        return None
    return {"reply_to": {"link": story_url(message.story), "id": message.story.id}}


def _picture(username: str) -> str:
    return f"https://scontent.cdninstagram.com/profile/{username}.jpg"
