"""What a replay plays: one account's record of some days, read from its home in one consistent moment."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from pamosnik._sqlite import Connection
from pamosnik.model.contact import Profile
from pamosnik.store import accounts, connections, recorded
from pamosnik.store.database import Database, open_in_memory
from pamosnik.store.recorded import Answered, Recorded, RecordedClick, Who


@dataclass(frozen=True, slots=True, repr=False)
class Record:
    """Its repr shows nobody."""

    account_id: str
    timezone: str
    since: datetime
    until: datetime
    kept_since: datetime | None
    """The first event that is kept; None: there is none."""
    before: Database
    """What was known before, with the applied flows. In memory."""
    events: tuple[Recorded, ...]
    clicks: tuple[RecordedClick, ...]
    names: Mapping[Who, str]
    profiles: Mapping[Who, Profile]
    answers: Mapping[tuple[str, str, str], Sequence[Answered]]
    """Connection, person and webhook → what each call brought."""
    usernames: Mapping[str, str]
    """Connection → username."""
    tracks_links: bool
    """Whether this machine has a public address."""
    taken_back: int
    """Messages that are left out: people have taken them back."""

    def copy(self) -> Database:
        """Another database like `before`."""
        copied = open_in_memory(empty=True)
        self.before.connection.backup(copied.connection)
        return copied


def read(home: Database, account_id: str, since: datetime, until: datetime, *, tracks_links: bool) -> Record:
    """Reads in one transaction, which keeps nobody waiting."""
    return home.read(lambda conn: _read(conn, account_id, since, until, tracks_links=tracks_links))


def _read(
    conn: Connection, account_id: str, since: datetime, until: datetime, *, tracks_links: bool
) -> Record:
    account = accounts.load(conn, account_id)
    assert account is not None
    before = open_in_memory()
    before.write(lambda target: recorded.copy_before(conn, target, account_id, since))
    return Record(
        account_id=account_id,
        timezone=account.timezone,
        since=since,
        until=until,
        kept_since=recorded.first_at(conn, account_id),
        before=before,
        events=tuple(recorded.events(conn, account_id, since)),
        clicks=tuple(recorded.clicks(conn, account_id, since)),
        names=recorded.names(conn, account_id),
        profiles=recorded.profiles(conn, account_id),
        answers=recorded.answers(conn, account_id, since),
        usernames={one.id: one.username for one in connections.of_account(before.connection, account_id)},
        taken_back=recorded.taken_back(conn, account_id, since),
        tracks_links=tracks_links,
    )
