"""Which account a request of the API, or of a program that watches over Pamosnik, speaks for: its API token."""

from dataclasses import dataclass
from functools import partial

from starlette.requests import Request

from pamosnik.clock import Clock
from pamosnik.services import api_tokens
from pamosnik.store import accounts
from pamosnik.store.accounts import Account
from pamosnik.store.api_tokens import ApiToken
from pamosnik.store.database import Database
from pamosnik.store.writer import GroupWriter


@dataclass(frozen=True, slots=True)
class Caller:
    """A program with a token."""

    account: Account
    token: ApiToken


class Callers:
    """Only the header `Authorization: Bearer` counts: addresses end up in logs, and a cookie is sent by any page.

    The token is looked up by its hash, so how long that takes says nothing of how much of it was right. Its row is
    read for each request: what is revoked opens nothing from then on.
    """

    def __init__(self, writer: GroupWriter, reader: Database, clock: Clock) -> None:
        self._writer = writer
        self._reader = reader
        self._clock = clock

    async def of(self, request: Request) -> Caller | None:
        """None: no token, or none that is known, or two headers: a proxy may have looked at the other one. Notes when
        the token was used."""
        brought = request.headers.getlist("authorization")
        scheme, _, given = (brought[0] if len(brought) == 1 else "").partition(" ")
        if scheme.casefold() != "bearer":
            return None
        conn = self._reader.connection
        token = api_tokens.of_request(conn, given.strip())
        account = None if token is None else accounts.load(conn, token.account_id)
        if token is None or account is None:
            return None
        await self._note(token)
        return Caller(account, token)

    async def _note(self, token: ApiToken) -> None:
        now = self._clock.now()
        if not api_tokens.to_be_noted(token, now) or self._writer.storage.problem is not None:
            return
        # What can be read is told all the same.
        await self._writer.note(partial(api_tokens.used, token=token, now=now))
