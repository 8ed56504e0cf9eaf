"""Looks people up at Instagram: their names, whether they follow the account, are verified, how many follow them.

Somebody waits for each answer, a few seconds at most. So nothing is repeated for long: what cannot be told now is
unknown now, and while Instagram refuses or does not answer it is left in peace.
"""

import asyncio
from collections import Counter
from datetime import datetime, timedelta
from functools import partial

from pamosnik.daemon.tools import Tools
from pamosnik.engine import profile
from pamosnik.errors import PamosnikError
from pamosnik.instagram import reading
from pamosnik.instagram.graph import Answer
from pamosnik.model.outbox import ItemKind, OutboxItem, Outcome, OutcomeKind, RestOf
from pamosnik.outbox.pacing import slower
from pamosnik.services import credentials, profiles
from pamosnik.services.errands import Brought, Failed, Later, Result
from pamosnik.store import connections, contacts

PER_SECOND = 40
"""Ours: Meta names no number for profiles. The most people for whom a few seconds are enough in a rush."""
REPEATED_AFTER = timedelta(seconds=1)
SILENT = 3
"""After so many questions in a row without an answer Instagram rests, longer and longer."""
_LONGEST_REST = timedelta(minutes=1)
_SHORTEST_WAIT = timedelta(milliseconds=500)
_NO_ANSWER = frozenset({OutcomeKind.UNKNOWN, OutcomeKind.NOT_SENT, OutcomeKind.RETRY})


class ProfileLookUps:
    """Does the errands of the kind `lookup`."""

    kind = ItemKind.LOOKUP
    at_once = 16

    def __init__(self, tools: Tools) -> None:
        self._tools = tools
        self._free_at: dict[str, datetime] = {}
        self._turns: dict[str, datetime] = {}
        """Item → when it is its turn, of those that wait for it."""
        self._apart: dict[str, timedelta] = {}
        self._rests: dict[str, tuple[datetime, str]] = {}
        """Connection → until when it is not asked for anybody, and why."""
        self._silent: Counter[str] = Counter()

    async def do(self, item: OutboxItem) -> Result:
        now = self._tools.clock.now()
        if (known := self._known(item, now)) is not None:
            return known
        until, why = self._rests.get(item.connection_id, (now, ""))
        if now < until:
            return Failed(why)
        turn = self._turn(item, now)
        if turn > now:
            self._turns[item.id] = turn
            return Later(turn, "other people are looked up first")
        conn = self._tools.reader.connection
        able = (one for one, _ in connections.sending(conn, now) if one.id == item.connection_id)
        connected = next(able, None)
        if connected is None:
            return Failed("Instagram cannot be asked for this account at the moment")
        try:
            token = credentials.token(conn, self._tools.keys, connected)
        except PamosnikError as error:
            return Failed(error.message)
        return await self._heard(item, await self._ask(item, token, now))

    def _known(self, item: OutboxItem, now: datetime) -> Result | None:
        """What needs no question: another one for the same person was answered or refused meanwhile, or they have
        opted out."""
        contact = contacts.load(self._tools.reader.connection, item.contact_id)
        if contact is None or not profile.may_ask(contact, now):
            problem = None if contact is None else contact.look_up_problem
            return Failed(problem or "this person is not looked up any more")
        return Brought() if profile.is_fresh(contact, now) else None

    def _turn(self, item: OutboxItem, now: datetime) -> datetime:
        """When this one may be asked for: the time it was given before, or the next that is free."""
        given = self._turns.pop(item.id, None)
        if given is not None:
            return given
        turn = max(self._free_at.get(item.connection_id, now), now)
        apart = self._apart.get(item.connection_id, timedelta(seconds=1) / PER_SECOND)
        self._free_at[item.connection_id] = turn + apart
        # Of those whose time has come and who did not come: nobody waited for them any more.
        self._turns = {name: at for name, at in self._turns.items() if at > now - timedelta(minutes=1)}
        return turn

    async def _ask(self, item: OutboxItem, token: str, now: datetime) -> Answer:
        waited = now - (item.first_attempt_at or now)
        left = max(profile.WITHIN - waited, _SHORTEST_WAIT)
        try:
            async with asyncio.timeout(left.total_seconds()):
                return await self._tools.instagram.profile(item.igsid, token)
        except TimeoutError:
            return Answer(Outcome(OutcomeKind.UNKNOWN, "Instagram did not answer in time"), {})

    async def _heard(self, item: OutboxItem, answer: Answer) -> Result:
        now, outcome = self._tools.clock.now(), answer.outcome
        self._learn(item.connection_id, outcome, now)
        if outcome.kind is OutcomeKind.SENT:
            found = reading.profile(answer.body)
            await self._tools.writer.write(partial(profiles.told, item=item, found=found, now=now))
            return Brought()
        waited = now - (item.first_attempt_at or now)
        if outcome.kind in _NO_ANSWER and waited < REPEATED_AFTER and not self._resting(item, now):
            return Later(now + REPEATED_AFTER, outcome.reason)
        await self._tools.writer.write(partial(profiles.untold, item=item, outcome=outcome, now=now))
        return Failed(outcome.reason)

    def _resting(self, item: OutboxItem, now: datetime) -> bool:
        return self._rests.get(item.connection_id, (now, ""))[0] > now

    def _learn(self, connection_id: str, outcome: Outcome, now: datetime) -> None:
        """What one answer says about asking for others."""
        self._silent[connection_id] = self._silent[connection_id] + 1 if outcome.kind in _NO_ANSWER else 0
        if outcome.usage_percent is not None:
            self._apart[connection_id] = timedelta(seconds=1) / PER_SECOND * slower(outcome.usage_percent)
        if outcome.pause_s is not None and outcome.rest_of is not RestOf.ITEM:
            self._rest(connection_id, now + timedelta(seconds=outcome.pause_s), outcome.reason)
            if outcome.rest_of is RestOf.APP:
                for connected in connections.with_tokens(self._tools.reader.connection):
                    self._rest(connected.id, now + timedelta(seconds=outcome.pause_s), outcome.reason)
        elif outcome.kind is OutcomeKind.CONFIGURATION:
            self._rest(connection_id, now + profiles.REFUSED_FOR, outcome.reason)
        elif self._silent[connection_id] >= SILENT:
            rest = min(timedelta(seconds=2.0 ** min(self._silent[connection_id], 10)), _LONGEST_REST)
            self._rest(connection_id, now + rest, "Instagram has not answered lately")

    def _rest(self, connection_id: str, until: datetime, why: str) -> None:
        known = self._rests.get(connection_id, (until, why))[0]
        self._rests[connection_id] = (max(known, until), why)
