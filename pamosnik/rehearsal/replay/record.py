"""What a replay plays: one account's record of some days, read from its home in one consistent moment."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from pamosnik._sqlite import Connection
from pamosnik.model.contact import Profile
from pamosnik.model.event import Verdict
from pamosnik.store import accounts, connections, recorded
from pamosnik.store.database import Database, Rows, open_in_memory
from pamosnik.store.recorded import Answered, Recorded, RecordedClick, Who

MOST = 200_000
"""Events of one replay: one and a half gigabytes of memory, and a quarter of an hour."""


class TooLong(Exception):
    """More events than fit."""

    def __init__(self, events: int, fits: timedelta) -> None:
        super().__init__(events)
        self.events = events
        self.fits = fits
        """So much of the time would do, if events came evenly."""


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

    @property
    def begun_before(self) -> tuple[int, int]:
        """How many events are left out: answers in conversations, and what met pauses, that began earlier."""
        left_out = [one.event.incoming.verdict for one in self.events if one.begun_before]
        answers = left_out.count(Verdict.RESUMED)
        return answers, len(left_out) - answers

    def copy(self) -> Database:
        """Another database like `before`."""
        copied = open_in_memory(empty=True)
        self.before.connection.backup(copied.connection)
        return copied


def read(
    home: Rows,
    account_id: str,
    since: datetime,
    until: datetime,
    *,
    tracks_links: bool,
    most: int = MOST,
) -> Record:
    """Reads in one transaction, which keeps nobody waiting. Raises `TooLong` for more than `most` events."""

    def in_one_moment(conn: Connection) -> Record:
        count = recorded.count(conn, account_id, since)
        if count > most:
            begins = max(since, recorded.first_at(conn, account_id) or since)
            raise TooLong(count, (until - begins) * (most / count))
        return _read(conn, account_id, since, until, tracks_links=tracks_links)

    return home.read(in_one_moment)


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
