"""Making an export: everything of an account, or what is kept of one person, as a ZIP that is there whole or not at
all."""

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import BinaryIO
from zoneinfo import ZoneInfo

from pamosnik import csv_cells
from pamosnik._sqlite import Connection
from pamosnik.errors import Again, HomeError, NotFound, PamosnikError
from pamosnik.privacy import export
from pamosnik.privacy.export import Extra
from pamosnik.privacy.export_archive import OnProgress
from pamosnik.privacy.export_manifest import Manifest
from pamosnik.privacy.export_values import json_rows
from pamosnik.services import flow_export, sheets
from pamosnik.services.reading import numbers
from pamosnik.store import accounts, backup, contacts, export_tables
from pamosnik.store.accounts import Account
from pamosnik.store.database import Rows
from pamosnik.store.export_tables import Person

_FLOWS = "flows.yaml"
_OURS = ("data", "json", "csv", "legal", "manifest.json", "index.html", "README.txt", _FLOWS)
"""First parts of paths that a file of codes does not get."""


@dataclass(frozen=True, slots=True)
class Made:
    """An export that is there."""

    path: Path
    size_bytes: int
    manifest: Manifest


def account(
    rows: Rows, owner: Account, output: Path, actor: str, now: datetime, on_progress: OnProgress
) -> Made:
    """Everything of an account, beside a running daemon or without one. `rows`: what the account sees.

    Raises `HomeError`, also when `output` exists; then nothing is left behind.
    """

    def write(target: BinaryIO) -> Manifest:
        return rows.read(
            lambda conn: export.write_account(conn, owner, target, _extras(conn, owner), now, on_progress)
        )

    return _make(output, write, lambda _: _note(rows, owner, actor, None, now), now)


def person(
    rows: Rows,
    owner: Account,
    who: str,
    output: Path,
    actor: str,
    now: datetime,
    on_progress: OnProgress,
) -> Made:
    """What is kept of one person on every connection of the account. Raises `NotFound` and as `account`."""

    def write(target: BinaryIO) -> Manifest:
        def told(conn: Connection) -> Manifest:
            found = _one(conn, owner, who)
            return export.write_person(conn, owner, found, target, now, on_progress)

        return rows.read(told)

    def note(manifest: Manifest) -> None:
        assert manifest.person is not None
        for contact_id in manifest.person.contacts or (None,):
            _note(rows, owner, actor, contact_id, now)

    return _make(output, write, note, now)


def _one(conn: Connection, owner: Account, who: str) -> Person:
    found = export_tables.person(conn, owner.id, who)
    if found is None and contacts.known_by_name_alone(conn, owner.id, who):
        raise NotFound(
            f"Instagram told no id with the comments of {who}, so there is no export of them alone.",
            hint="They are in the export of everything. Try: pamosnik export",
        )
    if found is None:
        raise NotFound(f"Nobody is known by {who}.", hint="Try: pamosnik contacts list")
    if export_tables.are_several(conn, owner.id, found):
        raise PamosnikError(
            f"More than one person is or was called {who}, and nobody gets what another wrote.",
            hint=f"Their Instagram ids are {', '.join(found.igsids)}.",
            again=Again(instead={who: found.igsids[0]}),
        )
    return found


def free_path(folder: Path, owner: Account, now: datetime, *, of_person: bool = False) -> Path:
    """A name that tells the time, on the account's clock, and that nothing in the folder has."""
    what = "contact" if of_person else "export"
    begin = f"pamosnik-{what}-{now.astimezone(ZoneInfo(owner.timezone)):%Y%m%d-%H%M%S}"
    names = (f"{begin}{'' if number == 1 else f'-{number}'}.zip" for number in itertools.count(1))
    return next(path for name in names if not (path := folder / name).exists())


def _make(
    output: Path, write: Callable[[BinaryIO], Manifest], note: Callable[[Manifest], None], now: datetime
) -> Made:
    folder = output.absolute().parent
    with backup.workshop(folder) as room:
        if output.exists():
            raise HomeError(f"There is a file already: {output}", again=backup.another_name(output))
        packed = room / "export.zip"
        with packed.open("xb") as target:
            packed.chmod(0o600)
            manifest = write(target)
        backup.flush_file(packed)
        note(manifest)
        path = backup.give_name(packed, folder, output.name, now)
    return Made(path, path.stat().st_size, manifest)


def _note(rows: Rows, owner: Account, actor: str, subject: str | None, now: datetime) -> None:
    rows.write(
        lambda conn: accounts.audit(conn, owner.id, actor=actor, action="export", subject=subject, now=now)
    )


# --- what is made of more than rows --------------------------------------------------------------------------


def _extras(conn: Connection, owner: Account) -> Sequence[Extra]:
    return [*_numbers(conn, owner), *_flow_files(conn, owner)]


def _numbers(conn: Connection, owner: Account) -> Iterator[Extra]:
    """As `pamosnik stats` tells them."""
    found = [row.shape() for row in numbers.by_flow(conn, owner)]
    names = list(dict.fromkeys(name for row in found for name in row))
    yield Extra("json/stats.json", "stats", list(json_rows(names, [list(row.values()) for row in found])), 2)
    columns = sheets.NUMBERS.columns(conn, owner)
    part = sheets.NUMBERS.part(conn, owner, columns, None, len(found))
    yield Extra("csv/stats.csv", "stats", list(csv_cells.encoded(columns, part.rows)), 1)


def _flow_files(conn: Connection, owner: Account) -> Iterator[Extra]:
    """What is applied, as files: with those of codes that are left beside the flow file, where it looks for them."""
    try:
        found = flow_export.export(conn, owner)
    except NotFound:  # no flow is applied
        return
    yield Extra(_FLOWS, "flow_file", [found.flows.encode()])
    for path, text in found.codes.items():
        clean = PurePosixPath(path)
        if clean.parts and clean.parts[0] not in _OURS:
            yield Extra(str(clean), "code_file", [text.encode()])
