"""Reading conversations from Instagram, within its two calls a second: in pages with their newest messages, one by
one where that is not told. For whoever looks for evidence or catches up.
"""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from functools import partial

from pamosnik.daemon.gate import Gate
from pamosnik.errors import PamosnikError
from pamosnik.instagram import errors, reading
from pamosnik.instagram.client import Instagram
from pamosnik.instagram.graph import Answer
from pamosnik.instagram.reading import Conversation, Read
from pamosnik.model.outbox import OutcomeKind
from pamosnik.store.connections import Connected

DETAILS = 8
"""Newest messages read one by one where Graph does not tell them all at once."""
_PLAIN_REFUSAL = 100


class NoAnswer(PamosnikError):
    """Instagram could not be asked: a question that was none."""


class AppRemoved(NoAnswer):
    """Instagram says that the owner has removed the app."""


class ConversationReader:
    """Remembers whether Graph tells messages in its lists; asks the documented way when it does not."""

    def __init__(self, instagram: Instagram, gate: Gate) -> None:
        self._instagram = instagram
        self._gate = gate
        self._tells_messages = True
        self._rests_until: dict[str, datetime] = {}

    async def ask(self, connected: Connected, question: Callable[[], Awaitable[Answer]]) -> Answer:
        """One call. Raises `NoAnswer` unless Instagram said yes or no, `AppRemoved` when nobody may ask any more."""
        resting = self._rests_until.get(connected.id)
        if resting is not None and self._gate.now() < resting:
            raise NoAnswer("Meta's limit for reading is used up")
        await self._gate.enter(connected.id)
        answer = await question()
        self._gate.heard(connected.id, answer.outcome.usage_percent)
        if answer.outcome.pause_s is not None:
            self._rests_until[connected.id] = self._gate.now() + timedelta(seconds=answer.outcome.pause_s)
        if errors.app_removed(answer.outcome):
            raise AppRemoved(answer.outcome.reason)
        if answer.outcome.kind not in (OutcomeKind.SENT, OutcomeKind.PERMANENT):
            raise NoAnswer(answer.outcome.reason)
        return answer

    async def page(
        self, connected: Connected, token: str, after: str | None
    ) -> tuple[list[Conversation], str | None]:
        """A page, the most recently used first, and the cursor of the next. Messages may be missing: `whole`."""
        if self._tells_messages:
            answer = await self.ask(connected, partial(self._instagram.conversations, token, after))
            if not self._refuses_messages(answer):
                return reading.conversations(answer.body, connected.ig_id), reading.next_page(answer.body)
        answer = await self.ask(connected, partial(self._instagram.conversation_ids, token, after=after))
        return reading.conversations(answer.body, connected.ig_id), reading.next_page(answer.body)

    async def one(self, connected: Connected, token: str, igsid: str) -> Conversation | None:
        """The conversation with a person, with its newest messages; None when there is none."""
        if self._tells_messages:
            answer = await self.ask(connected, partial(self._instagram.conversations, token, igsid=igsid))
            if not self._refuses_messages(answer):
                page = reading.conversations(answer.body, connected.ig_id)
                return page[0] if page else None
        answer = await self.ask(connected, partial(self._instagram.conversation_ids, token, igsid=igsid))
        page = reading.conversations(answer.body, connected.ig_id)
        return await self.whole(connected, token, page[0]) if page else None

    async def whole(self, connected: Connected, token: str, found: Conversation) -> Conversation:
        """With its newest messages, asked for one after the other where the list did not tell them."""
        if self._tells_messages:
            return found
        answer = await self.ask(connected, partial(self._instagram.messages, found.id, token))
        listed = reading.conversation(answer.body, connected.ig_id)
        messages: list[Read] = []
        for number, one in enumerate(() if listed is None else listed.messages):
            if number >= DETAILS:
                messages.append(one)
                continue
            answer = await self.ask(connected, partial(self._instagram.message, one.mid, token))
            read = reading.message(answer.body) if answer.outcome.kind is OutcomeKind.SENT else None
            messages.append(read or one)
        return Conversation(found.id, found.igsid, found.updated_at, tuple(messages))

    def _refuses_messages(self, answer: Answer) -> bool:
        refused = answer.outcome.code == _PLAIN_REFUSAL and answer.outcome.subcode is None
        if refused:
            self._tells_messages = False
        return refused
