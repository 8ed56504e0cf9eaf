"""What is known about the post of an event: its link, and which flows were bound to it as their `next` post."""

from dataclasses import replace

from pamosnik._sqlite import Connection
from pamosnik.engine.catalog import Catalog, Posts
from pamosnik.engine.match import Heard
from pamosnik.model.event import Event
from pamosnik.model.outbox import MediaKind, OutMessage
from pamosnik.model.posts import shortcode
from pamosnik.store import flows as flow_store


def posts_of(conn: Connection, catalog: Catalog, event: Event) -> Posts:
    """What is known about the post that a comment stands under or that was shared, where flows need it."""
    media_id = event.incoming.media_id
    if media_id is None or not catalog.asks_for_post(event, Heard.of(event.incoming.text)):
        return Posts()
    known = flow_store.post(conn, event.connection_id, media_id)
    return Posts(
        shortcode=None if known is None else known[0],
        untold=known is None,
        bound=flow_store.bound_posts(conn, event.connection_id),
    )


def shared(conn: Connection, connection_id: str, content: OutMessage) -> OutMessage | None:
    """A message with the id of the post that it shares; None while nobody knows which post its link names."""
    media = content.media
    if media is None or media.kind is not MediaKind.POST or media.url is None:
        return content
    code = shortcode(media.url)
    if code is None:
        return content
    media_id = flow_store.media_id(conn, connection_id, code)
    return None if media_id is None else replace(content, media=replace(media, url=media_id))
