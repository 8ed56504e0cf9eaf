"""The settler: looks at Instagram for messages of unknown fate, and lets the evidence decide.

Many people can be affected by one outage, and Meta allows two conversation calls a second: conversations are read in
pages first, single ones only for who is missing.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial

from pamosnik.daemon.conversations import AppRemoved, ConversationReader
from pamosnik.daemon.gate import Gate
from pamosnik.daemon.tools import Tools
from pamosnik.daemon.waiting import happens, keep_on
from pamosnik.errors import DatabaseDamaged, PamosnikError, StorageRefused
from pamosnik.instagram import reading
from pamosnik.instagram.reading import Conversation
from pamosnik.model.outbox import ItemKind, OutcomeKind
from pamosnik.outbox.settling import Seen, View
from pamosnik.services import credentials, removal, settling
from pamosnik.services.catching_up import is_own
from pamosnik.services.settling import Wanted
from pamosnik.store import connections, evidence
from pamosnik.store.connections import Connected

AT_ONCE = 200
NAP = timedelta(seconds=30)
PAGES = 8
"""Of 25 conversations each; who is further back is asked for by id."""
BLOCKED_NAP = timedelta(seconds=1)
_LONGEST_GAP = timedelta(minutes=5)

log = logging.getLogger(__name__)


class Settler:
    """Looks when a look is due; waits longer after each look that Instagram did not answer."""

    def __init__(
        self,
        tools: Tools,
        gate: Gate,
        on_settled: Callable[[], None],
    ) -> None:
        """`on_settled`: an item may have found its end, or may be sent again."""
        self._tools = tools
        self._read = ConversationReader(tools.instagram, gate)
        self._on_settled = on_settled
        self._woken = asyncio.Event()
        self._not_before: dict[str, datetime] = {}
        self._failures: dict[str, int] = {}

    def wake(self) -> None:
        self._woken.set()

    async def run(self) -> None:
        """Until it is cancelled: a look that was cut short is none, and is due again."""
        await keep_on(self._tools, self._woken, self._once)

    async def _once(self) -> None:
        await self.round()
        await self._rest()

    async def round(self) -> None:
        """One look at everything that is due."""
        now = self._tools.clock.now()
        for connected, _ in connections.sending(self._tools.reader.connection, now):
            # A private reply needs no look to be repeated: an outage of reading must not hold it up.
            if settling.private_due(self._tools.reader.connection, connected.id, now):
                await self._tools.writer.write(
                    partial(settling.repeat_private, connection_id=connected.id, now=now)
                )
                self._on_settled()
            if self._not_before.get(connected.id, now) > now:
                continue
            wanted = settling.due(self._tools.reader.connection, connected.id, now, AT_ONCE)
            if not wanted:
                continue
            try:
                await self._look(connected, wanted)
            except (StorageRefused, DatabaseDamaged):
                raise
            except AppRemoved as error:
                self._failed(connected.id, error.message)
                removed = partial(removal.app_removed, connection_id=connected.id, asked_at=now)
                await self._tools.writer.write(partial(removed, now=self._tools.clock.now()))
            except PamosnikError as error:
                # Also without a token: it was destroyed since the round began.
                self._failed(connected.id, error.message)
            else:
                self._failures.pop(connected.id, None)
            self._on_settled()

    def _failed(self, connection_id: str, reason: str) -> None:
        """Nothing was learned: nobody's looks are used up, and the next try waits longer."""
        failures = self._failures[connection_id] = self._failures.get(connection_id, 0) + 1
        gap = min(timedelta(seconds=2.0 ** min(failures, 10)), _LONGEST_GAP)
        self._not_before[connection_id] = self._tools.clock.now() + gap
        log.warning("Evidence could not be looked for: %s", reason, extra={"action": "settler.no_answer"})

    # --- looking -------------------------------------------------------------------------------------

    async def _look(self, connected: Connected, wanted: Sequence[Wanted]) -> None:
        token = credentials.token(self._tools.reader.connection, self._tools.keys, connected)
        for one in wanted:
            if one.item.kind is ItemKind.COMMENT_REPLY:
                await self._look_under_comment(connected, token, one)
        people = [one for one in wanted if one.item.kind is not ItemKind.COMMENT_REPLY]
        if not people:
            return
        found = await self._conversations(connected, token, people)
        for one in people:
            conversation = next((found[igsid] for igsid in one.igsids if igsid in found), None)
            view = View(()) if conversation is None else _view(conversation, connected.ig_id)
            await self._write(one, view)

    async def _look_under_comment(self, connected: Connected, token: str, one: Wanted) -> None:
        view = settling.told_by_webhook(self._tools.reader.connection, one.item)
        if view is None:
            assert one.item.comment_id is not None
            answer = await self._read.ask(
                connected, partial(self._tools.instagram.replies, one.item.comment_id, token)
            )
            if answer.outcome.kind is not OutcomeKind.SENT:
                # The comment cannot be seen: deleted, or hidden from us. That says nothing about the reply.
                await self._write(one, View(()))
                return
            below = answer.body.get("replies")
            edge = below if isinstance(below, Mapping) else {}
            view = View(
                tuple(
                    Seen(reply.id, is_own(reply, connected), reply.at, reply.text)
                    for reply in reading.replies(edge)
                ),
                whole=reading.next_page(edge) is None,
            )
        await self._write(one, view)

    async def _write(self, one: Wanted, view: View) -> None:
        now = self._tools.clock.now()
        await self._tools.writer.write(partial(settling.looked, item_id=one.item.id, view=view, now=now))

    async def _conversations(
        self, connected: Connected, token: str, people: Sequence[Wanted]
    ) -> dict[str, Conversation]:
        """IGSID → conversation of those that could be found."""
        found: dict[str, Conversation] = {}
        if len(people) > 1:
            await self._read_pages(connected, token, people, found)
        for one in people:
            if not one.igsids & found.keys():
                conversation = await self._read.one(connected, token, one.item.igsid)
                if conversation is not None:
                    found[one.item.igsid] = conversation
        return found

    async def _read_pages(
        self, connected: Connected, token: str, people: Sequence[Wanted], found: dict[str, Conversation]
    ) -> None:
        wanted = frozenset().union(*(one.igsids for one in people))
        earliest = min(one.item.first_attempt_at or one.item.due_at for one in people) - timedelta(hours=1)
        after: str | None = None
        for _ in range(PAGES):
            page, after = await self._read.page(connected, token, after)
            for conversation in page:
                if conversation.igsid in wanted:
                    found[conversation.igsid] = await self._read.whole(connected, token, conversation)
            older = bool(page) and page[-1].updated_at is not None and page[-1].updated_at < earliest
            if after is None or older or all(one.igsids & found.keys() for one in people):
                return

    # --- waiting -------------------------------------------------------------------------------------

    async def _rest(self) -> None:
        now = self._tools.clock.now()
        due = evidence.next_look(self._tools.reader.connection)
        # What is due and was not looked at waits for Instagram or for the owner: no clock tells how long.
        pause = NAP if due is None else min(due - now, NAP) if due > now else BLOCKED_NAP
        await happens(self._woken, within=pause)


def _view(conversation: Conversation, ig_id: str) -> View:
    return View(
        tuple(
            Seen(
                message.mid,
                message.from_id == ig_id,
                message.at,
                message.text,
                frozenset(attachment.type for attachment in message.attachments),
            )
            for message in conversation.messages
        )
    )
