"""Everything an import could stumble over, looked at before anything is written.

Each row is put into a database with the same tables in memory, so that their own rules say what fits; of tables with
many rows no more stays there than later rows hang on. A file that passes goes in without a refusal.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from pamosnik import _sqlite
from pamosnik._sqlite import Connection
from pamosnik.privacy import importing_rows as rules
from pamosnik.privacy.importing_file import ExportFile, ExportUnusable
from pamosnik.privacy.importing_forgotten import Forgotten, Person
from pamosnik.privacy.importing_rows import Move, Unfit
from pamosnik.privacy.subject import REGISTER, About
from pamosnik.store import accounts, imports, ledger, migrations, shape
from pamosnik.store.database import open_in_memory

_MOST_TOLD = 50
_KEPT = ("connections", "contacts", "given_codes", "flow_versions", "flows", "broadcasts")
"""Other rows hang on these, or they must not come twice in another way than by their key."""
_CHUNK = 5000

_WORDS = {
    "connections": "connected Instagram accounts",
    "contacts": "people",
    "flows": "flows",
    "flow_versions": "flows that were applied once",
    "codes": "codes",
    "totals": "statistics",
    "legal_texts": "texts of legal pages",
    "broadcasts": "broadcasts",
}
_IDS = {"connections": "connection_id", "contacts": "contact_id", "broadcasts": "broadcast_id"}
"""Tables whose ids are the same in no two accounts."""


@dataclass(frozen=True, slots=True)
class Checked:
    """What an import of the file would do."""

    created_at: datetime
    email: str
    timezone: str
    """That the export's statistics are counted in; the account gets it."""
    move: Move
    connections: Sequence[Mapping[str, object]]
    """As they are in the file, without those that stay behind."""
    counts: Mapping[str, int]
    """Table → rows that would come."""
    forgotten: Forgotten
    left_out: Sequence[Person]
    """Who stays behind."""
    resumes: bool
    """It goes on with an import that was broken off."""
    file_problems: Sequence[str]
    """Why nobody can import it."""
    home_problems: Sequence[str]
    """Why it cannot be imported into this account."""

    @property
    def problems(self) -> Sequence[str]:
        """Why it cannot be; empty when it can."""
        return [*self.file_problems, *self.home_problems]


@dataclass(slots=True)
class _Same:
    """Rows that are refused for one and the same reason."""

    first: str
    tables: list[str]
    rows: int = 1


@dataclass(slots=True)
class _Notes:
    """What is found on the way."""

    told: list[str] = field(default_factory=list)
    by_reason: dict[str, _Same] = field(default_factory=dict)

    def add(self, problem: str) -> None:
        self.told.append(problem)

    def add_row(self, table: str, number: int, reason: str) -> None:
        """Where one row is refused, all that hang on it are, each for the same reason: that is said once."""
        same = self.by_reason.get(reason)
        if same is None:
            self.by_reason[reason] = _Same(f"{table}, row {number}: {reason}", [table])
            return
        same.rows += 1
        if table not in same.tables:
            same.tables.append(table)

    def all(self) -> list[str]:
        found = [*map(_told, self.by_reason.values()), *self.told]
        untold = len(found) - _MOST_TOLD
        return [*found[:_MOST_TOLD], f"and {untold} more"] if untold > 0 else found


def _told(same: _Same) -> str:
    if same.rows == 1:
        return same.first
    more = "1 more row" if same.rows == 2 else f"{same.rows - 1} more rows"
    return f"{same.first}; the same in {more} ({', '.join(same.tables)})"


def check(
    file: ExportFile,
    conn: Connection,
    account_id: str,
    ledgers: Sequence[Path],
    on_rows: Callable[[int], None] = lambda _: None,
) -> Checked:
    """`conn` sees every account of the home. `ledgers`: where `erasures.log` may be. `on_rows` hears how many rows
    have been looked at since it was called last.

    Raises `ExportUnusable` where nothing at all can be said about the file.
    """
    notes = _Notes()
    account = _the_account(file)
    gone, being_forgotten = _being_deleted(file)
    erased = {one for path in ledgers for one in ledger.read(path).connections}
    move = Move(
        str(account["account_id"]),
        account_id,
        file.manifest.created_at,
        gone,
        renamed={one: rules.another_id(file.manifest.digest, one) for one in erased},
    )
    trial = _Trial(file, move, notes, on_rows)
    with open_in_memory() as memory:
        trial.open(memory.connection)
        trial.table(rules.CONNECTIONS)
        forgotten = Forgotten.read(ledgers, conn, move, trial.connections)
        left_out, behind = _left_out(file, forgotten, gone, being_forgotten)
        trial.leave_out(behind)
        for table in dict.fromkeys((*rules.PEOPLE, *rules.AT_THE_END)):
            trial.table(table)
    of_file = notes.all()
    resumes = imports.unfinished(conn, account_id) == file.manifest.digest
    of_home = [
        *_about_the_account(conn, account_id, resumes),
        *trial.conflicts(conn, account_id, resumes),
    ]
    return Checked(
        created_at=file.manifest.created_at,
        email=file.manifest.email,
        timezone=str(account["timezone"]),
        move=trial.move,
        connections=trial.connections,
        counts=trial.counts,
        forgotten=forgotten,
        left_out=left_out,
        resumes=resumes,
        file_problems=of_file,
        home_problems=of_home,
    )


def _the_account(file: ExportFile) -> Mapping[str, object]:
    rows = list(file.rows("accounts"))
    one = rows[0] if len(rows) == 1 else None
    if not isinstance(one, dict) or not isinstance(one.get("account_id"), str):
        raise ExportUnusable(f"{file.path} cannot be imported: it does not say whose account it holds.")
    try:
        ZoneInfo(str(one["timezone"]))
    except (KeyError, ValueError, OSError):
        raise ExportUnusable(f"{file.path} cannot be imported: its time zone is unknown here.") from None
    return one


def _being_deleted(file: ExportFile) -> tuple[frozenset[str], frozenset[str]]:
    """(connections, people) whose deletion was under way when the export was made: they are on their way out."""
    open_ones = [
        row for row in file.rows("deletions") if isinstance(row, dict) and row.get("ended_at") is None
    ]
    if any(row.get("scope") == "account" for row in open_ones):
        raise ExportUnusable(
            f"{file.path} cannot be imported: its account was being deleted when it was made.",
            hint="Use an export from before.",
        )
    of = {
        scope: frozenset(str(row.get("subject_id")) for row in open_ones if row.get("scope") == scope)
        for scope in ("connection", "person")
    }
    return of["connection"], of["person"]


def _left_out(
    file: ExportFile, forgotten: Forgotten, gone: frozenset[str], leaving: frozenset[str]
) -> tuple[list[Person], frozenset[str]]:
    """Who does not come back, for they are in a ledger or were on the way out; and everybody who stays behind, those
    of connections that stay behind among them."""
    ids: dict[str, list[str]] = {}
    for row in _sound(file, "contact_ids"):
        ids.setdefault(str(row.get("contact_id")), []).append(str(row.get("igsid")))
    people, behind = [], set()
    for row in _sound(file, "contacts"):
        contact_id = str(row.get("contact_id"))
        person = forgotten.person(row, ids.get(contact_id, []), leaving=contact_id in leaving)
        if row.get("connection_id") in gone:
            behind.add(contact_id)
        elif person is not None:
            people.append(person)
            behind.add(contact_id)
    return people, frozenset(behind)


def _sound(file: ExportFile, table: str) -> Iterator[Mapping[str, object]]:
    """Its rows as far as they can be read: what is wrong with them is said elsewhere."""
    try:
        for row in file.rows(table):
            if isinstance(row, dict) and all(map(_is_plain, row.values())):
                yield row
    except ExportUnusable:
        return


def _is_plain(value: object) -> bool:
    """Whether a column can have it."""
    return value is None or isinstance(value, str) or (type(value) is int and 0 <= value <= rules.LATEST)


def _about_the_account(conn: Connection, account_id: str, resumes: bool) -> list[str]:
    if accounts.is_deleting(conn, account_id):
        return ["the account is being deleted"]
    if resumes:
        return []
    if imports.unfinished(conn, account_id) is not None:
        return [
            "the import of another file into this account is not finished: finish it with that file, or take it back"
            " with `pamosnik disconnect` for each of its connections"
        ]
    empty = tuple(table for table in rules.RESTORED if table != "consents")
    held = imports.holding(conn, account_id, empty)
    if not held:
        return []
    words = dict.fromkeys(_WORDS.get(table, "data of people and flows") for table in held)
    return [
        f"the account is not empty: it has {', '.join(words)}. Import into a new one: pamosnik accounts create"
    ]


class _Trial:
    """Rows of the file in a database that is thrown away."""

    def __init__(self, file: ExportFile, move: Move, notes: _Notes, on_rows: Callable[[int], None]) -> None:
        self.move = move
        self.connections: list[Mapping[str, object]] = []
        self.counts: dict[str, int] = {}
        self._file = file
        self._notes = notes
        self._on_rows = on_rows
        self._whole = file.manifest.schema_version == len(migrations.MIGRATIONS)
        self._ids: dict[str, list[str]] = {}
        self._people: set[str] = set()

    def open(self, conn: Connection) -> None:
        self._conn = conn
        account = accounts.Account(self.move.target, "", "", "UTC", self.move.made_at)
        accounts.insert(conn, account, password_hash="", wrapped_key=b"", adult_stated_at=self.move.made_at)
        accounts.set_deleting(conn, account.id)  # otherwise consents would stay

    def leave_out(self, people: frozenset[str]) -> None:
        self.move = replace(self.move, left_out=people)

    def table(self, table: str) -> None:
        """Looks at every row of it, and puts it in."""
        key = shape.key(self._conn, table)
        columns = {
            name: kind
            for name, kind in shape.columns(self._conn, table).items()
            if REGISTER[table].columns[name] is not About.HIDDEN
        }
        names: set[str] = set()
        last: tuple[object, ...] | None = None
        taken: list[tuple[int, dict[str, object]]] = []
        self.counts[table] = number = 0
        try:
            for number, raw in enumerate(self._file.rows(table), 1):
                try:
                    row = rules.row_of(raw, columns, whole=self._whole)
                    names = names or set(row)
                    if names != row.keys():
                        raise Unfit("it has other columns than the rows before")
                    last = _next_key(row, key, last)
                    here = rules.moved(table, row, self.move)
                    if here is not None:
                        self._know(table, row, here)
                        taken.append((number, here))
                except Unfit as error:
                    self._notes.add_row(table, number, str(error))
                if number % _CHUNK == 0:
                    self._put(table, taken)
                    self._on_rows(_CHUNK)
                    taken = []
        except ExportUnusable as error:
            self._notes.add(error.message)
        self._put(table, taken)
        self._on_rows(number % _CHUNK)

    def _know(self, table: str, row: Mapping[str, object], here: Mapping[str, object]) -> None:
        person = row.get("contact_id")
        if table == "contacts":
            self._people.add(str(person))
        elif person and person not in self._people:
            raise Unfit("its person is not in the export")
        if table == rules.CONNECTIONS:
            self.connections.append(row)
        if table in _IDS:
            self._ids.setdefault(table, []).append(str(here[_IDS[table]]))

    def _put(self, table: str, rows: Sequence[tuple[int, Mapping[str, object]]]) -> None:
        self.counts[table] += len(rows)
        key = shape.key(self._conn, table)
        try:
            imports.put(self._conn, table, [row for _, row in rows], key)
        except _sqlite.Error:
            # Which of them it was shows one by one; those that went in stay as they are.
            for number, row in rows:
                try:
                    imports.put(self._conn, table, [row], key)
                except _sqlite.Error as error:
                    self._notes.add_row(table, number, _in_words(error))
        if table not in _KEPT:
            imports.empty(self._conn, table)

    def conflicts(self, conn: Connection, account_id: str, resumes: bool) -> Iterator[str]:
        """With what is in the home already. Of an import that is resumed its own rows are there."""
        mine = {None, account_id} if resumes else {None}
        for connected in self.connections:
            ig_id, username = str(connected.get("ig_id")), connected.get("username")
            if imports.owner(conn, "connections", "ig_id", ig_id) not in mine:
                yield (
                    f"the Instagram account {username} is connected in this home already: disconnect it there first"
                    " (pamosnik disconnect), or import into another home"
                )
                return
        for table, ids in self._ids.items():
            taken = [one for one in ids if imports.owner(conn, table, _IDS[table], one) not in mine]
            if taken:
                yield f"{table}: ids are taken in this home, {len(taken)} of {len(ids)}, like {taken[0]}"


_CONSTRAINTS = {
    "UNIQUE": "it comes twice",
    "FOREIGN KEY": "what it belongs to is not in the export",
    "CHECK": "a value in it is none that can be there",
}
"""How SQLite's message begins; the number of its error tells no more than that it was a constraint."""


def _in_words(error: _sqlite.Error) -> str:
    constraint, _, column = str(error).partition(" constraint failed: ")
    if constraint == "NOT NULL":
        return f"{column.rpartition('.')[2]} is missing"
    return _CONSTRAINTS.get(constraint.removesuffix(" constraint failed"), "it does not fit the others")


def _next_key(
    row: Mapping[str, object], key: Sequence[str], last: tuple[object, ...] | None
) -> tuple[object, ...]:
    """The row's key. Raises `Unfit` unless rows come by their keys: two of the same key would come one after the
    other."""
    this = tuple(row.get(name) for name in key)
    if None in this:
        raise Unfit(f"{', '.join(key)} is missing")
    if last is not None and this <= last:
        raise Unfit("it comes twice, or in the wrong place")
    return this
