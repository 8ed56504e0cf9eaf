"""Links and ages of posts, asked from Instagram when a flow names a post by link or waits for the next one."""

import logging
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from typing import Protocol, TypeVar

from pamosnik._sqlite import Connection
from pamosnik.engine.catalog import shortcode
from pamosnik.instagram.client import Instagram
from pamosnik.model.event import EventKind
from pamosnik.model.outbox import OutcomeKind
from pamosnik.security.vault import MasterKeys
from pamosnik.services import connecting
from pamosnik.services.library import Library
from pamosnik.store import connections, inbox
from pamosnik.store import flows as flow_store
from pamosnik.store.database import Database

T = TypeVar("T")
log = logging.getLogger(__name__)


class Writer(Protocol):
    """Somebody who writes for us: the daemon's group writer."""

    async def write(self, fn: Callable[[Connection], T]) -> T:
        """Returns when the changes of `fn` are stored."""
        ...


class PostFinder:
    """Asks once for each post; without an answer the event goes on, and its trace says that the post is unknown."""

    def __init__(self, writer: Writer, reader: Database, instagram: Instagram, keys: MasterKeys) -> None:
        self._writer = writer
        self._reader = reader
        self._instagram = instagram
        self._keys = keys
        self._library = Library()

    async def find_for(self, event_ids: Sequence[str]) -> None:
        """Looks up the posts that comments among these events are about, where flows need it."""
        wanted: dict[str, set[str]] = {}
        conn = self._reader.connection
        for event_id in event_ids:
            event = inbox.load(conn, event_id)
            if event is None or event.kind is not EventKind.COMMENT or event.incoming.media_id is None:
                continue
            if not self._library.catalog(conn, event.account_id).names_posts:
                continue
            if flow_store.post(conn, event.connection_id, event.incoming.media_id) is None:
                wanted.setdefault(event.connection_id, set()).add(event.incoming.media_id)
        for connection_id, media_ids in wanted.items():
            await self._find(connection_id, media_ids)

    async def _find(self, connection_id: str, media_ids: set[str]) -> None:
        conn = self._reader.connection
        connected = connections.load(conn, connection_id)
        token = connecting.token(conn, self._keys, connected)
        answer = await self._instagram.media(connected.ig_id, token)
        if answer.outcome.kind is not OutcomeKind.SENT:
            log.warning(
                "Posts could not be looked up: %s", answer.outcome.reason, extra={"action": "posts.failed"}
            )
            return
        found = answer.body.get("data")
        posts = [post for post in found if isinstance(post, dict)] if isinstance(found, list) else []
        missing = media_ids - {str(post.get("id")) for post in posts}
        for media_id in sorted(missing):
            one = await self._instagram.one_media(media_id, token)
            # An unanswered question is remembered as one, so that it is not asked for every comment.
            posts.append(
                {**one.body, "id": media_id} if one.outcome.kind is OutcomeKind.SENT else {"id": media_id}
            )
        for post in posts:
            await self._writer.write(
                partial(
                    flow_store.learn_post,
                    account_id=connected.account_id,
                    connection_id=connection_id,
                    media_id=str(post.get("id")),
                    shortcode=shortcode(str(post.get("permalink", ""))),
                    posted_at=_instant(post.get("timestamp")),
                )
            )
        await self._writer.write(partial(flow_store.bind_next_posts, connection_id=connection_id))


def _instant(value: object) -> datetime | None:
    try:
        return datetime.strptime(str(value), "%Y-%m-%dT%H:%M:%S%z")
    except ValueError:
        return None
