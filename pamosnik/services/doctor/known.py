"""What the database says, read at once: while Instagram and others are asked, nothing is held open."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from pamosnik._sqlite import Connection
from pamosnik.config import Config
from pamosnik.engine.catalog import Catalog
from pamosnik.errors import PamosnikError
from pamosnik.security import keyring
from pamosnik.security.vault import Keys
from pamosnik.services import credentials
from pamosnik.services.doctor import clock
from pamosnik.services.library import Library
from pamosnik.store import accounts, connections, heard, notices
from pamosnik.store import flows as flow_store
from pamosnik.store.accounts import Account
from pamosnik.store.connections import Connected
from pamosnik.store.database import open_database
from pamosnik.store.heard import Heard
from pamosnik.store.notices import Notice

_LATELY = timedelta(days=7)
_WINDOW = timedelta(hours=24)
_OUTSIDE_WINDOW = ("10/2534022", "10/2018278", "10/2018065")


@dataclass(frozen=True, slots=True, repr=False)
class Login:
    """A connected Instagram account, and all that is known of it here. Its repr shows nothing: it holds the token."""

    account: Account
    connected: Connected
    token: str | None
    """None where `trouble` says why."""
    trouble: PamosnikError | None
    catalog: Catalog
    bound: Mapping[str, str]
    """Flow id → the post that `post: next` was bound to."""
    heard: Sequence[Heard]
    written_elsewhere: int
    """Messages of the last week that did not leave from here."""
    refusals: Mapping[str, int]
    """Reason → messages of the last week that failed with it."""
    refused_in_window: int
    notices: Mapping[str, Notice]
    """By code; those of this connection."""

    @property
    def name(self) -> str:
        return self.connected.username


@dataclass(frozen=True, slots=True, repr=False)
class Known:
    logins: Sequence[Login]
    accounts: Sequence[tuple[Account, Catalog]]
    """All that are looked at, also those without a connection."""
    without_zone: Sequence[Account]
    """This machine does not know their time zone, so nothing of theirs can be worked with."""
    of_the_machine: Mapping[str, Notice]


def read(settings: Config, only_account: str | None, now: datetime) -> Known:
    """`only_account`: an account's id; None: all. Raises `PamosnikError`."""
    keys = keyring.load(settings.key_file, settings.passphrase)
    with open_database(settings.database) as database:
        return _known(database.connection, keys, only_account, now)


def _known(conn: Connection, keys: Keys, only_account: str | None, now: datetime) -> Known:
    library = Library()
    every = [one for one in accounts.every(conn) if only_account in (None, one.id)]
    wanted = [one for one in every if clock.knows_zone(one.timezone)]
    open_notices = notices.every(conn)
    looked_at = [(account, library.catalog(conn, account.id)) for account in wanted]
    return Known(
        logins=[
            _login(conn, keys, account, catalog, connected, open_notices, now)
            for account, catalog in looked_at
            for connected in connections.of_account(conn, account.id)
        ],
        accounts=looked_at,
        without_zone=[one for one in every if one not in wanted],
        of_the_machine={one.code: one for one in open_notices if not one.account_id},
    )


def _login(
    conn: Connection,
    keys: Keys,
    account: Account,
    catalog: Catalog,
    connected: Connected,
    open_notices: Sequence[Notice],
    now: datetime,
) -> Login:
    token, trouble = None, None
    try:
        token = credentials.token(conn, keys, connected)
    except PamosnikError as error:
        trouble = error
    since = now - _LATELY
    return Login(
        account=account,
        connected=connected,
        token=token,
        trouble=trouble,
        catalog=catalog,
        bound=flow_store.bound_posts(conn, connected.id),
        heard=heard.lately(conn, account.id, connected.id),
        written_elsewhere=heard.written_elsewhere(conn, account.id, connected.id, since),
        refusals=heard.refusals(conn, connected.id, since),
        refused_in_window=heard.refused_just_after_writing(
            conn, connected.id, since, _WINDOW, _OUTSIDE_WINDOW
        ),
        notices={one.code: one for one in open_notices if one.connection_id == connected.id},
    )
