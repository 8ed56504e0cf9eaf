"""Telling Meta that nothing more is wanted for a connection whose data is being deleted."""

import asyncio

from pamosnik.errors import PamosnikError
from pamosnik.instagram.client import Instagram
from pamosnik.model.outbox import OutcomeKind
from pamosnik.security.vault import Keys
from pamosnik.services import credentials
from pamosnik.store.connections import Connected
from pamosnik.store.database import Database
from pamosnik.store.deletions import MetaTold

ANSWERS_WITHIN_S = 10.0
"""A deletion does not hang on a Meta that takes its time."""

_NOT_REACHED = (OutcomeKind.UNKNOWN, OutcomeKind.NOT_SENT, OutcomeKind.BACK_OFF, OutcomeKind.RETRY)


class Unsubscriber:
    """Ends a connection's webhooks with its own token, for the last time that it is used."""

    def __init__(self, reader: Database, instagram: Instagram, keys: Keys | None) -> None:
        """`keys`: None when they are lost. That keeps nobody from deleting."""
        self._reader = reader
        self._instagram = instagram
        self._keys = keys

    async def tell(self, connected: Connected) -> MetaTold:
        """TOLD, REFUSED (also when the token does not open any more), or UNREACHABLE this time."""
        if self._keys is None:
            return MetaTold.REFUSED
        try:
            token = credentials.token(self._reader.connection, self._keys, connected)
        except PamosnikError:
            return MetaTold.REFUSED
        try:
            async with asyncio.timeout(ANSWERS_WITHIN_S):
                answer = await self._instagram.unsubscribe(connected.ig_id, token)
        except TimeoutError:
            return MetaTold.UNREACHABLE
        if answer.outcome.kind in _NOT_REACHED:
            return MetaTold.UNREACHABLE
        accepted = answer.outcome.kind is OutcomeKind.SENT and answer.body.get("success") is not False
        return MetaTold.TOLD if accepted else MetaTold.REFUSED
