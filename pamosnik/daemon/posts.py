"""Links and ages of posts, asked from Instagram when a flow names a post by link or waits for the next one."""

import logging
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import TypeVar

from pamosnik.daemon.tools import Tools
from pamosnik.engine.match import Heard
from pamosnik.errors import PamosnikError
from pamosnik.instagram import errors, limits, reading
from pamosnik.model.event import Event
from pamosnik.model.outbox import Outcome, OutcomeKind
from pamosnik.model.posts import shortcode
from pamosnik.services import credentials, removal
from pamosnik.services.library import Library
from pamosnik.store import connections, inbox
from pamosnik.store import flows as flow_store
from pamosnik.store.connections import Connected

WAITS_FOR_POST = timedelta(minutes=10)
"""Longer, and the event goes on without: its trace says that the post is unknown."""
AGAIN_AFTER = timedelta(seconds=5)
REFUSED_FOR = timedelta(hours=1)
PAGES = 20
"""Of the list of posts, the newest first: a thousand posts."""

T = TypeVar("T")
log = logging.getLogger(__name__)


class PostFinder:
    """Asks until Instagram tells, or says that it will not. Meanwhile the events wait, a few minutes at most."""

    def __init__(self, tools: Tools, library: Library | None = None) -> None:
        self._tools = tools
        self._library = library or Library()
        self._ask_again: dict[tuple[str, str], datetime] = {}
        """(connection, post or part of its link) → when to ask next, after a question without a useful answer."""

    async def find_for(self, event_ids: Sequence[str]) -> frozenset[str]:
        """Looks up the posts that these events are about, where flows need it.

        Returns the events that should wait: their post is not known yet and may be in a moment.
        """
        now = self._tools.clock.now()
        wanted: dict[str, dict[str, list[Event]]] = {}
        conn = self._tools.reader.connection
        for event_id in event_ids:
            event = inbox.load(conn, event_id)
            if event is None or event.incoming.media_id is None:
                continue
            heard = Heard.of(event.incoming.text)
            if not self._library.catalog(conn, event.account_id).asks_for_post(event, heard):
                continue
            if flow_store.post(conn, event.connection_id, event.incoming.media_id) is None:
                of_connection = wanted.setdefault(event.connection_id, {})
                of_connection.setdefault(event.incoming.media_id, []).append(event)
        waiting: set[str] = set()
        for connection_id, posts in wanted.items():
            due = {m for m in posts if self._ask_again.get((connection_id, m), now) <= now}
            unanswered = (posts.keys() - due) | (await self._find(connection_id, due) if due else set())
            for media_id in unanswered:
                young = [e.id for e in posts[media_id] if now - e.received_at < WAITS_FOR_POST]
                waiting.update(young)
        return frozenset(waiting)

    async def find_shared(self) -> None:
        """Looks for the posts that flows share by their link, in the list of the account's posts."""
        now = self._tools.clock.now()
        conn = self._tools.reader.connection
        for connected, _ in connections.sending(conn, now):
            links = self._library.catalog(conn, connected.account_id).shared_links
            wanted = {
                link
                for link in links
                if self._ask_again.get((connected.id, link), now) <= now
                and flow_store.media_id(conn, connected.id, link) is None
            }
            if wanted:
                await self._find_links(connected, wanted, now)

    async def _find_links(self, connected: Connected, wanted: set[str], now: datetime) -> None:
        """What is not in the list is looked for again later: it may be a mistake, or a post yet to come."""
        conn = self._tools.reader.connection
        gap, after = REFUSED_FOR, None
        try:
            token = credentials.token(conn, self._tools.keys, connected)
        except PamosnikError:
            return
        for _ in range(PAGES):
            answer = await self._tools.instagram.media(connected.ig_id, token, after)
            if await self._removed(connected, answer.outcome, now):
                return
            if answer.outcome.kind is not OutcomeKind.SENT:
                gap = AGAIN_AFTER
                reason = answer.outcome.reason
                log.warning("Posts could not be listed: %s", reason, extra={"action": "posts.failed"})
                break
            await self._learn(connected, [p for p in reading.objects(answer.body) if p.get("permalink")])
            wanted = {link for link in wanted if flow_store.media_id(conn, connected.id, link) is None}
            after = reading.next_page(answer.body, limits.MEDIA_PAGE)
            if not wanted or after is None:
                break
        for link in wanted:
            self._ask_again[connected.id, link] = self._tools.clock.now() + gap

    async def _find(self, connection_id: str, media_ids: set[str]) -> set[str]:
        """Asks for these posts; returns those that Instagram could not be asked about."""
        conn = self._tools.reader.connection
        connected = connections.load(conn, connection_id)
        begun = self._tools.clock.now()
        try:
            token = credentials.token(conn, self._tools.keys, connected)
        except PamosnikError:
            # The owner has been told why; events wait for a while, then they go on without their post.
            return media_ids
        answer = await self._tools.instagram.media(connected.ig_id, token)
        if await self._removed(connected, answer.outcome, begun):
            return media_ids
        found = answer.body.get("data") if answer.outcome.kind is OutcomeKind.SENT else None
        posts = (
            [p for p in found if isinstance(p, dict) and p.get("permalink")]
            if isinstance(found, list)
            else []
        )
        unanswered: set[str] = set()
        for media_id in sorted(media_ids - {str(post.get("id")) for post in posts}):
            one = await self._tools.instagram.one_media(media_id, token)
            if await self._removed(connected, one.outcome, begun):
                return media_ids
            if one.outcome.kind is OutcomeKind.SENT:
                posts.append({**one.body, "id": media_id})
                continue
            # Meta has called existing posts missing during an outage: even that is asked again, but later.
            refused = one.outcome.kind in (OutcomeKind.PERMANENT, OutcomeKind.CONFIGURATION)
            gap = REFUSED_FOR if refused else AGAIN_AFTER
            self._ask_again[connection_id, media_id] = self._tools.clock.now() + gap
            if not refused:
                unanswered.add(media_id)
            log.warning(
                "A post could not be looked up: %s", one.outcome.reason, extra={"action": "posts.failed"}
            )
        await self._learn(connected, posts)
        return unanswered

    async def _learn(self, connected: Connected, posts: Sequence[Mapping[str, object]]) -> None:
        for post in posts:
            self._ask_again.pop((connected.id, str(post.get("id"))), None)
            await self._tools.writer.write(
                partial(
                    flow_store.learn_post,
                    account_id=connected.account_id,
                    connection_id=connected.id,
                    post=flow_store.Post(
                        str(post.get("id")),
                        shortcode(str(post.get("permalink", ""))),
                        reading.moment(post.get("timestamp")),
                        reading.text(post.get("permalink")),
                    ),
                )
            )
        await self._tools.writer.write(partial(flow_store.bind_next_posts, connection_id=connected.id))

    async def _removed(self, connected: Connected, outcome: Outcome, begun: datetime) -> bool:
        """Whether Instagram says that the owner has removed the app; that is written down."""
        if not errors.app_removed(outcome):
            return False
        removed = partial(removal.app_removed, connection_id=connected.id, asked_at=begun)
        await self._tools.writer.write(partial(removed, now=self._tools.clock.now()))
        return True
