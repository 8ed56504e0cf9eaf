"""Exports: everything that is kept of an account, or of one person, in a ZIP.

`data/` holds every table row for row, for programs (`pamosnik import` reads it); `json/` and `csv/` the same by kind,
with names instead of ids; `index.html` tells people what is there; `manifest.json`, written last, lists all of it
with counts and checksums. Columns that are hidden in the register never leave, and where a tracked link stands in a
text, the address stands that it leads to.

All is read on the connection's one snapshot and written as it comes: an account of any size needs the same memory.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import version
from itertools import chain
from typing import BinaryIO
from zoneinfo import ZoneInfo

from pamosnik import csv_cells
from pamosnik._sqlite import Connection
from pamosnik.privacy import export_index
from pamosnik.privacy.export_archive import Archive, OnProgress
from pamosnik.privacy.export_manifest import Manifest
from pamosnik.privacy.export_values import Untracked, cells, json_rows, shapes
from pamosnik.privacy.subject import REGISTER, About
from pamosnik.store import contacts, export_kinds, export_tables, legal_texts
from pamosnik.store.accounts import Account
from pamosnik.store.export_tables import Person

_EXTRA_KEYS: Mapping[str, str] = {"audit": "subject", "deletions": "subject_id"}
"""Tables that name people by id beside what their column of the register says."""


@dataclass(frozen=True, slots=True)
class Extra:
    """A file that others have made."""

    path: str
    kind: str
    pieces: Sequence[bytes]
    frame: int = 0
    """How many of the pieces are no rows; 0 for what is not made of rows."""


def exported_columns(table: str) -> tuple[str, ...]:
    """What leaves of a table; nothing of one that holds nothing but secrets, or what is made of others."""
    columns = REGISTER[table].columns
    kept = tuple(name for name, about in columns.items() if about not in (About.HIDDEN, About.DERIVED))
    return () if set(kept) <= {"account_id"} else kept


def write_account(
    conn: Connection,
    account: Account,
    target: BinaryIO,
    extras: Sequence[Extra],
    now: datetime,
    on_progress: OnProgress,
) -> Manifest:
    """Writes everything of an account to a file that is open for writing. `conn` is in a transaction: all that is
    read is of one moment. `extras`: flow files and numbers, which are made above this layer."""
    return _Export(conn, account, None, now).write(target, extras, on_progress)


def write_person(
    conn: Connection,
    account: Account,
    person: Person,
    target: BinaryIO,
    now: datetime,
    on_progress: OnProgress,
) -> Manifest:
    """The same for what is kept of one person."""
    return _Export(conn, account, person, now).write(target, (), on_progress)


class _Export:
    """One export under way."""

    def __init__(self, conn: Connection, account: Account, person: Person | None, now: datetime) -> None:
        self._conn = conn
        self._account = account
        self._person = person
        self._now = now
        self._zone = ZoneInfo(account.timezone)
        self._untracked = Untracked(conn)
        self._tables = {table: key for table in sorted(REGISTER) if (key := self._key(table)) is not None}
        self._kinds = export_kinds.ABOUT_PEOPLE if person else tuple(export_kinds.KINDS)

    def _key(self, table: str) -> str | None:
        """The column that leads to the person, '' where none is needed; None: the table stays outside."""
        if not exported_columns(table):
            return None
        if self._person is None:
            return ""
        return REGISTER[table].person_key or _EXTRA_KEYS.get(table)

    def write(self, target: BinaryIO, extras: Sequence[Extra], on_progress: OnProgress) -> Manifest:
        weights = self._weights()
        expected = sum(weights[table] for table in self._tables)
        expected += 2 * sum(self._weight(kind, weights) for kind in self._kinds)
        at = self._now.astimezone(self._zone)
        with Archive(target, at, expected, on_progress) as archive:
            for table, key in self._tables.items():
                self._put_table(archive, table, key, weights[table])
            for kind in self._kinds:
                self._put_kind(archive, kind, self._weight(kind, weights))
            for extra in extras:
                archive.put(extra.path, extra.kind, extra.pieces, frame=extra.frame)
            if self._person is None:
                self._put_legal_texts(archive)
            self._put_pages(archive)
            manifest = self._manifest(archive)
            archive.put_text("manifest.json", "manifest", manifest.text())
        return manifest

    def _manifest(self, archive: Archive) -> Manifest:
        return Manifest(self._now, version("pamosnik"), self._account, self._person, tuple(archive.entries))

    def _weights(self) -> Mapping[str, int]:
        """Rows by table: how much there is to write. Of one person it is little."""
        if self._person is not None:
            return dict.fromkeys(REGISTER, 1)
        return {table: export_tables.count(self._conn, self._account.id, table) for table in REGISTER}

    def _weight(self, kind: str, weights: Mapping[str, int]) -> int:
        return sum(weights[table] for table in set(export_kinds.tables(kind)))

    def _put_table(self, archive: Archive, table: str, key: str, weight: int) -> None:
        columns = exported_columns(table)
        rows = export_tables.rows(self._conn, self._account.id, table, columns, self._person, key or None)
        pieces = json_rows(columns, self._untracked.rows(rows))
        archive.put(f"data/{table}.json", "data", pieces, frame=2, weight=weight)

    def _put_kind(self, archive: Archive, kind: str, weight: int) -> None:
        columns = export_kinds.columns(kind)
        pieces = shapes(columns, self._untracked.rows(self._ask(kind)))
        archive.put(f"json/{kind}.json", kind, pieces, frame=2, weight=weight)
        headings, rows = cells(columns, self._untracked.rows(self._ask(kind)), self._fields(kind), self._zone)
        archive.put(f"csv/{kind}.csv", kind, csv_cells.encoded(headings, rows), frame=1, weight=weight)

    def _ask(self, kind: str) -> export_kinds.Rows:
        return export_kinds.ask(self._conn, self._account.id, kind, self._person)

    def _fields(self, kind: str) -> Sequence[str]:
        return contacts.field_names(self._conn, self._account.id) if kind == "contacts" else ()

    def _put_legal_texts(self, archive: Archive) -> None:
        found = chain.from_iterable(
            legal_texts.of(self._conn, self._account.id, page) for page in legal_texts.PAGES
        )
        for text in found:
            if text.body is not None:
                archive.put_text(f"legal/{text.page}-{text.number}.md", "legal_texts", text.body)

    def _put_pages(self, archive: Archive) -> None:
        months = export_tables.months(self._conn, self._account.id, 12) if self._person is None else []
        names = self._names() if self._person is not None else ()
        page = export_index.page(self._manifest(archive), names, months, self._zone)
        archive.put_text("index.html", "page", page)
        archive.put_text("README.txt", "text", export_index.readme(self._manifest(archive)))

    def _names(self) -> Collection[str]:
        """What the person is called."""
        told = (row[0] for row in self._ask("contacts"))
        return list(dict.fromkeys(f"@{name}" for name in told if name))
