"""Flow files made ready for the stage: read, checked, applied to a throwaway database and compiled, once."""

import asyncio
import random
import tempfile
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from types import TracebackType
from zoneinfo import ZoneInfo

from pamosnik._sqlite import Connection
from pamosnik.clock import VirtualClock
from pamosnik.errors import InvalidFlows, UsageError
from pamosnik.flows.load import File, Loaded, load
from pamosnik.ids import Ids, ids_from, new_id
from pamosnik.instagram import limits
from pamosnik.rehearsal import clicking, scenery
from pamosnik.rehearsal.stage import Stage
from pamosnik.rehearsal.ticket import Ticket
from pamosnik.security import vault
from pamosnik.security.vault import MasterKeys
from pamosnik.services import connecting, flows
from pamosnik.services.connecting import Found
from pamosnik.services.library import Library
from pamosnik.store import accounts
from pamosnik.store.accounts import Account
from pamosnik.store.database import Database, open_database

_CONNECTED_AT = scenery.OPENED_AT + timedelta(days=30)
_NOBODY = "!"
"""In place of a password's hash: nobody logs in here."""

USUAL_START = datetime(2026, 12, 2, 12, 0)  # noqa: DTZ001 - in the time zone of the files
"""A Wednesday at noon."""


class Play:
    """Flow files on a database of their own; opens any number of stages. Close it, or use it as a context.

    Opening a stage copies the database's file, so a hundred conversations read and compile the flows once.
    """

    def __init__(self, files: Sequence[File], *, loaded: Loaded | None = None, timezone: str = "UTC") -> None:
        """`files`: (name, text). `loaded`: what plays in their place. `timezone`: the account's, of files that name
        none. Raises `InvalidFlows` when they have errors."""
        self.loaded = load(files) if loaded is None else loaded
        if self.loaded.has_errors:
            raise InvalidFlows("The flow files have errors.", hint="Try: pamosnik flows validate FILE")
        self._folder = tempfile.TemporaryDirectory(prefix="pamosnik-stage-")
        self._loop: asyncio.AbstractEventLoop | None = None
        try:
            self._keys = MasterKeys((vault.new_master_key(None),))
            self._library = Library(clicking.PUBLIC)
            self._opened = 0
            self._shop = ""
            path = Path(self._folder.name) / "template.db"
            with open_database(path, migrate=True) as database:
                do_not_flush(database)
                with ids_from(Ids(random.Random(0).getrandbits)):  # noqa: S311 - the same every time, on purpose
                    zone = str(self.loaded.settings.get("timezone", timezone))
                    self._account = Account(
                        new_id(_CONNECTED_AT), "Rehearsal", "stage@example.com", zone, _CONNECTED_AT
                    )
                    database.write(self._prepare)
            self._template = path.read_bytes()
            self._loop = asyncio.new_event_loop()
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> "Play":
        return self

    def __exit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Removes every trace."""
        if self._loop is not None:
            self._loop.close()
            self._loop = None
        self._folder.cleanup()

    @property
    def settings(self) -> Mapping[str, object]:
        """What plays, in its normal form."""
        return self.loaded.settings

    @property
    def bodies(self) -> Mapping[str, Mapping[str, object]]:
        """Likewise the flows, by id."""
        return {flow.id: flow.body for flow in self.loaded.flows}

    @property
    def timezone(self) -> ZoneInfo:
        """Of the files; UTC when they name none."""
        return ZoneInfo(self._account.timezone)

    def open(
        self, start: datetime | None = None, *, next_post: bool = True, shop: str | None = None
    ) -> Stage:
        """A new stage where nothing has happened yet. `start` without a zone is in the files' time zone. `shop`: its
        username; None: the first that flows name.

        `next_post`: flows that wait for the next post find it published; else somebody has to publish it.
        """
        assert self._loop is not None, "the play is closed"
        begins = USUAL_START if start is None else start
        if begins.tzinfo is None:
            begins = begins.replace(tzinfo=self.timezone)
        if not _CONNECTED_AT < begins < scenery.CLOSES_AT:
            raise UsageError(
                f"Nothing can be played at {begins:%Y-%m-%d %H:%M}.",
                hint=f"Take a time from {_CONNECTED_AT:%Y} to {scenery.CLOSES_AT:%Y}.",
            )
        self._opened += 1
        path = Path(self._folder.name) / f"{self._opened}.db"
        path.touch(mode=0o600)
        path.write_bytes(self._template)
        database = open_database(path)
        do_not_flush(database)
        if shop is not None and shop != self._shop:
            with ids_from(Ids(random.Random(2).getrandbits)):  # noqa: S311 - the same every time, on purpose
                database.write(partial(self._connect, name=shop))
        return Stage(
            Ticket(database, self._account, self._keys, self._library, self._loop, begins, next_post)
        )

    def _prepare(self, conn: Connection) -> None:
        """The account, the flows, the connection."""
        account = self._account
        wrapped = self._keys.wrap(account.id, vault.new_data_key())
        accounts.insert(
            conn, account, password_hash=_NOBODY, wrapped_key=wrapped, adult_stated_at=_CONNECTED_AT
        )
        proposal = flows.for_a_stage(conn, account.id, self.loaded, account.timezone)
        flows.apply(conn, account.id, proposal, note=None, actor="rehearsal", now=_CONNECTED_AT)
        name = scenery.username(self._library.catalog(conn, account.id).book.flows)
        self._shop = name
        self._connect(conn, name)

    def _connect(self, conn: Connection, name: str) -> None:
        """The shop is connected under this name, and under no other any more."""
        _, shop = scenery.build(VirtualClock(scenery.OPENED_AT), name)
        found = Found(scenery.TOKEN, shop.ig_id, shop.asid, shop.username, limits.SCOPES)
        connecting.keep(conn, self._keys, self._account.id, found, _CONNECTED_AT)


def do_not_flush(database: Database) -> None:
    """A stage's file is thrown away with the stage: waiting for the disk would only make it slow."""
    database.connection.execute("PRAGMA synchronous=OFF")
