"""Catching up: after downtime, sleep or lost webhooks, and gently every few minutes, reads what nobody told us.

Also looks after the account's subscription: Meta drops it silently when deliveries fail for an hour.
"""

import asyncio
import logging
from collections.abc import Callable, Collection, Sequence
from datetime import datetime, timedelta
from functools import partial

from pamosnik._sqlite import Connection
from pamosnik.daemon.conversations import AppRemoved, ConversationReader, NoAnswer
from pamosnik.daemon.gate import Gate
from pamosnik.daemon.tools import Tools
from pamosnik.errors import DatabaseDamaged, PamosnikError, StorageRefused
from pamosnik.instagram import limits, reading
from pamosnik.instagram.reading import Reply
from pamosnik.model.outbox import OutcomeKind
from pamosnik.model.posts import shortcode
from pamosnik.services import catching_up, credentials, removal
from pamosnik.services.library import Library
from pamosnik.store import connections, inbox, notices
from pamosnik.store import flows as flow_store
from pamosnik.store.connections import Connected
from pamosnik.store.flows import Post

FIRST_AFTER = timedelta(seconds=15)
SECOND_AFTER = timedelta(seconds=45)
EVERY = timedelta(minutes=5)
SUBSCRIPTION_EVERY = timedelta(hours=1)
OVERLAP = timedelta(minutes=10)
"""Read again what was read last time: what was too young then, and clocks that differ."""
MOST_PAGES = 4000
"""Of one list in one round; only a list that turns in a circle has more. What is behind is not taken for read."""
SILENT_FOR = timedelta(hours=1)
SILENT_ROUNDS = 2
"""So many rounds must have found what no webhook told: one alone may have been lost by chance."""
_LOST = "subscription_lost"
_MISSING = "webhooks_missing"

log = logging.getLogger(__name__)


class CatchUp:
    """A round reads every active connection, one after the other."""

    def __init__(
        self,
        tools: Tools,
        gate: Gate,
        on_events: Callable[[], None],
    ) -> None:
        self._tools = tools
        self._read = ConversationReader(tools.instagram, gate)
        self._on_events = on_events
        self._library = Library()
        self._subscribed_at: dict[str, datetime] = {}
        self._no_captions: set[str] = set()
        """Connections whose captions Instagram does not tell; after a restart it is asked again."""
        self._silent_rounds: dict[str, int] = {}
        """Rounds that found something since a webhook told something; the first round of all does not count."""

    async def run(self) -> None:
        """Until it is cancelled: what was not read is read in the next round."""
        await asyncio.sleep(FIRST_AFTER.total_seconds())
        # What is younger than half a minute is left to its webhook: after a quick restart it is looked for again.
        pause = SECOND_AFTER
        while True:
            try:
                with self._tools.reader.in_words():
                    await self.round()
            except StorageRefused as error:
                self._tools.writer.storage.refused(error)
            await asyncio.sleep(pause.total_seconds())
            pause = EVERY

    async def round(self) -> None:
        """What Instagram does not answer now is read in the next round."""
        for connected in connections.with_tokens(self._tools.reader.connection):
            try:
                await self._unless_removed(connected)
            except NoAnswer as error:
                log.warning("Catching up rests: %s", error.message, extra={"action": "catch_up.no_answer"})
            except (StorageRefused, DatabaseDamaged):
                raise
            except PamosnikError as error:
                log.warning("Catching up rests: %s", error.message, extra={"action": "catch_up.failed"})

    async def _unless_removed(self, connected: Connected) -> None:
        begun = self._tools.clock.now()
        try:
            await self._connection(connected)
        except AppRemoved:
            removed = partial(removal.app_removed, connection_id=connected.id, asked_at=begun)
            await self._tools.writer.write(partial(removed, now=self._tools.clock.now()))
            raise

    async def _connection(self, connected: Connected) -> None:
        token = credentials.token(self._tools.reader.connection, self._tools.keys, connected)
        begun = self._tools.clock.now()
        await self._subscription(connected, token, begun)
        found, complete = await self._conversations(connected, token, begun)
        found += await self._comments(connected, token, begun)
        if complete:
            await self._tools.writer.write(
                partial(connections.was_read, connection_id=connected.id, until=begun)
            )
        await self._mind_webhooks(connected, found, begun)
        if found:
            log.info("Catching up found %d events", found, extra={"action": "catch_up.found"})

    async def _mind_webhooks(self, connected: Connected, found: int, begun: datetime) -> None:
        """What is found while the daemon was there all the time, no webhook has told: a tunnel that is down, say."""
        first = connected.id not in self._silent_rounds
        told = inbox.told_since(self._tools.reader.connection, connected.account_id, begun - SILENT_FOR)
        rounds = 0 if first or told else self._silent_rounds[connected.id] + (found > 0)
        self._silent_rounds[connected.id] = rounds
        if rounds >= SILENT_ROUNDS:
            await self._tools.writer.write(partial(_webhooks_missing, connected=connected, now=begun))
        elif told:
            await self._tools.writer.write(
                partial(
                    notices.settle,
                    account_id=connected.account_id,
                    connection_id=connected.id,
                    code=_MISSING,
                )
            )

    async def _take_in(self, take_in: "partial[int]", now: datetime) -> int:
        found = await self._tools.writer.write(partial(take_in, now=now))
        if found:
            self._on_events()
        return found

    # --- the subscription ----------------------------------------------------------------------------

    async def _subscription(self, connected: Connected, token: str, now: datetime) -> None:
        if now - self._subscribed_at.get(connected.id, now - SUBSCRIPTION_EVERY) < SUBSCRIPTION_EVERY:
            return
        answer = await self._read.ask(
            connected, partial(self._tools.instagram.subscriptions, connected.ig_id, token)
        )
        if answer.outcome.kind is not OutcomeKind.SENT:
            return
        self._subscribed_at[connected.id] = now
        settle = partial(
            notices.settle, account_id=connected.account_id, connection_id=connected.id, code=_LOST
        )
        if any(reading.objects(answer.body)):
            await self._tools.writer.write(settle)
            return
        log.warning("The subscription is gone; subscribing again", extra={"action": "subscription.lost"})
        fields = limits.SUBSCRIBED_FIELDS
        answer = await self._read.ask(
            connected, partial(self._tools.instagram.subscribe, connected.ig_id, token, fields)
        )
        mended = answer.outcome.kind is OutcomeKind.SENT and answer.body.get("success") is not False
        if mended:
            await self._tools.writer.write(settle)
            return
        del self._subscribed_at[connected.id]
        await self._tools.writer.write(
            partial(
                notices.raise_notice,
                account_id=connected.account_id,
                connection_id=connected.id,
                code=_LOST,
                message=f"Instagram sends no webhooks for {connected.username}, and subscribing again was refused.",
                fix="Check the webhook settings in Meta's dashboard, then run `pamosnik connect` again.",
                now=now,
            )
        )

    # --- conversations -------------------------------------------------------------------------------

    async def _conversations(self, connected: Connected, token: str, now: datetime) -> tuple[int, bool]:
        """How many messages were new, and whether the list was read to where it had been read before."""
        since = (connected.read_until or connected.connected_at) - OVERLAP
        after: str | None = None
        found = 0
        for _ in range(MOST_PAGES):
            page, after = await self._read.page(connected, token, after)
            for conversation in page:
                if conversation.updated_at is not None and conversation.updated_at < since:
                    return found, True
                whole = await self._read.whole(connected, token, conversation)
                take_in = partial(
                    catching_up.take_in_messages,
                    library=self._library,
                    connected=connected,
                    conversation=whole,
                )
                found += await self._take_in(take_in, now)
            if after is None:
                return found, True
        return found, False

    # --- comments ------------------------------------------------------------------------------------

    async def _comments(self, connected: Connected, token: str, now: datetime) -> int:
        counts = await self._counts(connected, token)
        changed, elsewhere = catching_up.posts_to_read(
            self._tools.reader.connection, self._library, connected, counts
        )
        for media_id in elsewhere:
            answer = await self._read.ask(
                connected, partial(self._tools.instagram.one_media, media_id, token)
            )
            count = answer.body.get("comments_count")
            if (
                isinstance(count, int)
                and catching_up.posts_to_read(
                    self._tools.reader.connection, self._library, connected, {media_id: count}
                )[0]
            ):
                counts[media_id] = count
                changed.append(media_id)
        found = 0
        for media_id in changed:
            new, complete = await self._comments_of(connected, token, media_id, now)
            found += new
            if complete:
                await self._tools.writer.write(
                    partial(
                        flow_store.read_comments,
                        connection_id=connected.id,
                        media_id=media_id,
                        count=counts[media_id],
                    )
                )
        return found

    async def _counts(self, connected: Connected, token: str) -> dict[str, int]:
        """Comments of each of the 50 newest posts, which become known posts by this."""
        answer = await self._read.ask(connected, partial(self._tools.instagram.media, connected.ig_id, token))
        counts: dict[str, int] = {}
        new: list[partial[None]] = []
        for post in reading.objects(answer.body):
            media_id, count = reading.text(post.get("id")), post.get("comments_count")
            if media_id is None or not isinstance(count, int):
                continue
            counts[media_id] = count
            if flow_store.post(self._tools.reader.connection, connected.id, media_id) is None:
                new.append(
                    partial(
                        flow_store.learn_post,
                        account_id=connected.account_id,
                        connection_id=connected.id,
                        post=_post(media_id, post),
                    )
                )
        if new:
            await self._tools.writer.write(partial(_all_of, changes=new))
            await self._tools.writer.write(partial(flow_store.bind_next_posts, connection_id=connected.id))
        await self._captions(connected, token, counts)
        return counts

    async def _captions(self, connected: Connected, token: str, posts: Collection[str]) -> None:
        """Once for each post; where Instagram does not tell, posts go by their link."""
        conn = self._tools.reader.connection
        wanted = flow_store.without_caption(conn, connected.id, posts)
        if not wanted or connected.id in self._no_captions:
            return
        try:
            ask = partial(self._tools.instagram.captions, connected.ig_id, token)
            answer = await self._read.ask(connected, ask)
        except AppRemoved:
            raise
        except NoAnswer:
            return  # reading goes on without them, and the next round asks again
        if answer.outcome.kind is not OutcomeKind.SENT:
            self._no_captions.add(connected.id)
            return
        told = dict.fromkeys(wanted, "")
        for post in reading.objects(answer.body):
            media_id = reading.text(post.get("id"))
            if media_id in wanted:
                told[media_id] = reading.text(post.get("caption")) or ""
        await self._tools.writer.write(
            partial(flow_store.learn_captions, connection_id=connected.id, captions=told)
        )

    async def _comments_of(
        self, connected: Connected, token: str, media_id: str, now: datetime
    ) -> tuple[int, bool]:
        """How many were new, and whether everything was read, and old enough to be taken in."""
        since = max(connected.connected_at, now - limits.PRIVATE_REPLY_WITHIN)
        if connected.read_until is not None and media_id in flow_store.comments_read(
            self._tools.reader.connection, connected.id
        ):
            # Meta has no filter by time: what was read to its end is not read again with every new comment.
            since = max(since, connected.read_until - OVERLAP)
        after: str | None = None
        found, old_enough = 0, True
        for _ in range(MOST_PAGES):
            answer = await self._read.ask(
                connected, partial(self._tools.instagram.comments, media_id, token, after=after)
            )
            page = reading.replies(answer.body)
            take_in = partial(
                catching_up.take_in_comments, connected=connected, media_id=media_id, comments=page
            )
            found += await self._take_in(take_in, now)
            old_enough = old_enough and not catching_up.too_young(page, now)
            after = reading.next_page(answer.body, limits.COMMENTS_PAGE)
            if after is None or _older(page, since):
                return found, old_enough
        return found, False


def _webhooks_missing(conn: Connection, connected: Connected, now: datetime) -> None:
    notices.raise_notice(
        conn,
        connected.account_id,
        connected.id,
        _MISSING,
        f"Instagram's webhooks for {connected.username} do not arrive: what people write is found by reading instead,"
        " up to five minutes later.",
        "Look whether the tunnel runs, and whether Meta's dashboard has its address as callback.",
        now,
    )


def _post(media_id: str, told: reading.Json) -> Post:
    permalink = reading.text(told.get("permalink"))
    posted_at = reading.moment(told.get("timestamp"))
    return Post(media_id, shortcode(permalink or ""), posted_at, permalink)


def _all_of(conn: Connection, changes: Sequence["partial[None]"]) -> None:
    for change in changes:
        change(conn)


def _older(page: list[Reply], since: datetime) -> bool:
    """Newest first: when the last one is too old, so is everything after it."""
    return bool(page) and page[-1].at is not None and page[-1].at < since
