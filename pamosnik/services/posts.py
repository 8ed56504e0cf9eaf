"""What is known about the post of an event: its link, and which flows were bound to it as their `next` post."""

from pamosnik._sqlite import Connection
from pamosnik.engine.catalog import Catalog, Posts
from pamosnik.engine.match import Heard
from pamosnik.model.event import Event
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
