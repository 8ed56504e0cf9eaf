"""Reading an export that anybody may have made: a ZIP whose manifest tells the size and the SHA-256 of each file.

Nothing is unpacked to disk, and never more than a line is in memory. What the manifest does not name is not read, and
of what it names no more than it says; so a small file cannot become a large one.
"""

import contextlib
import hashlib
import json
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO

from pamosnik.errors import PamosnikError
from pamosnik.store import migrations

FORMAT = 1
MANIFEST = "manifest.json"
_MANIFEST_BYTES = 1 << 20
_LINE_BYTES = 8 << 20
"""Of one row: the longest is a flow as it was written."""
_MOST_FILES = 5000
_RATIO = 200
"""So many times smaller can rows become that are all but the same; what shrinks more was made to swell."""
_SMALL = 1 << 20
_BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError)
_ENCRYPTED = 0x1
_PACKED = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
"""Ways of packing that exports have; others would bring errors of their own."""


class ExportUnusable(PamosnikError):
    """A file is no export of ours, is damaged, or comes from a newer Pamosnik."""


@dataclass(frozen=True, slots=True)
class Listed:
    """A file in the export, as the manifest tells of it."""

    rows: int
    size: int
    """In bytes."""
    sha256: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """What an export says about itself."""

    created_at: datetime
    program: str
    schema_version: int
    email: str
    """Of the account that it was made of."""
    files: Mapping[str, Listed]
    digest: str
    """SHA-256 of the manifest, and so of everything that it names."""


def _moment(written: str) -> datetime:
    """Raises `ValueError` unless it says in which time zone."""
    moment = datetime.fromisoformat(written)
    if moment.tzinfo is None:
        raise ValueError("no time zone")
    return moment


class ExportFile:
    """An open export."""

    def __init__(self, archive: zipfile.ZipFile, path: Path) -> None:
        """Raises `ExportUnusable`."""
        self.path = path
        self._archive = archive
        names = archive.namelist()
        if len(names) > _MOST_FILES:
            raise unusable(path, f"it has {len(names)} files; no export has so many")
        self._known = frozenset(names)
        if len(self._known) < len(names):
            raise unusable(path, "it has two files of the same name")
        self.manifest = self._manifest()

    def _manifest(self) -> Manifest:
        info = self._archive.getinfo(MANIFEST) if MANIFEST in self._known else None
        if info is None or info.flag_bits & _ENCRYPTED or info.compress_type not in _PACKED:
            raise unusable(self.path, f"it has no {MANIFEST} that can be read")
        try:
            with self._archive.open(MANIFEST) as entry:
                written = entry.read(_MANIFEST_BYTES + 1)
            if len(written) > _MANIFEST_BYTES:
                raise ValueError("too long")
            raw = json.loads(written)
            number, schema_version = int(raw["pamosnik_export"]), int(raw["schema_version"])
            if number > FORMAT or schema_version > len(migrations.MIGRATIONS):
                raise ExportUnusable(
                    f"{self.path} was made by a newer Pamosnik ({raw.get('program')}).",
                    hint="Install that Pamosnik or a later one, then try again.",
                )
            if raw["complete"] is not True:
                raise unusable(self.path, "it does not hold a whole account")
            return Manifest(
                created_at=_moment(raw["created_at"]),
                program=str(raw["program"]),
                schema_version=schema_version,
                email=str(raw["account"]["email"]),
                files={str(one["path"]): _listed(one) for one in raw["files"]},
                digest=hashlib.sha256(written).hexdigest(),
            )
        except (
            KeyError,
            TypeError,
            ValueError,
            OverflowError,
            AttributeError,
            RecursionError,
            *_BROKEN,
        ) as error:
            raise unusable(self.path, "its manifest cannot be read") from error

    def rows_in(self, table: str) -> int:
        """How many rows of the table it says to hold."""
        listed = self.manifest.files.get(_path(table))
        return 0 if listed is None else listed.rows

    def rows(self, table: str) -> Iterator[object]:
        """What `data/TABLE.json` holds, line by line; nothing when the export has no such file.

        Raises `ExportUnusable`, at the end when the content is not what the manifest says.
        """
        listed = self.manifest.files.get(_path(table))
        if listed is None:
            return
        name = _path(table)
        self._require_sound(name, listed)
        digest, size, rows = hashlib.sha256(), 0, 0
        with self._opened(name) as entry:
            while line := self._line(name, entry):
                size += len(line)
                digest.update(line)
                written = line.strip().removesuffix(b",")
                if written in (b"[", b"]", b"[]"):
                    continue
                rows += 1
                yield self._row(name, rows, written)
        if (size, digest.hexdigest()) != (listed.size, listed.sha256):
            raise unusable(self.path, f"{name} is not what was put in (SHA-256 differs)")
        if rows != listed.rows:
            raise unusable(self.path, f"{name} has {rows} rows, and its manifest says {listed.rows}")

    def _opened(self, name: str) -> IO[bytes]:
        try:
            return self._archive.open(name)
        except _BROKEN as error:
            raise unusable(self.path, f"{name} is damaged ({error})") from error

    def _line(self, name: str, entry: IO[bytes]) -> bytes:
        try:
            return entry.readline(_LINE_BYTES)
        except _BROKEN as error:
            raise unusable(self.path, f"{name} is damaged ({error})") from error

    def _require_sound(self, name: str, listed: Listed) -> None:
        if name not in self._known:
            raise unusable(self.path, f"{name} is missing")
        info = self._archive.getinfo(name)
        if info.flag_bits & _ENCRYPTED:
            raise unusable(self.path, f"{name} is encrypted")
        if info.compress_type not in _PACKED:
            raise unusable(self.path, f"{name} is packed as no export is")
        if info.file_size != listed.size:
            raise unusable(
                self.path, f"{name} has {info.file_size} bytes, and its manifest says {listed.size}"
            )
        if info.file_size > _SMALL and info.file_size > _RATIO * info.compress_size:
            raise unusable(
                self.path, f"{name} would become more than {_RATIO} times larger than it is packed"
            )

    def _row(self, name: str, number: int, written: bytes) -> object:
        try:
            return json.loads(written)
        except (ValueError, RecursionError) as error:
            raise unusable(self.path, f"{name}, row {number}, is no line of JSON") from error


def _listed(raw: Mapping[str, object]) -> Listed:
    rows, size = (int(str(raw[name])) for name in ("rows", "bytes"))
    return Listed(rows, size, str(raw["sha256"]))


def _path(table: str) -> str:
    return f"data/{table}.json"


@contextlib.contextmanager
def opened(path: Path) -> Iterator[ExportFile]:
    """Raises `ExportUnusable`, also while it is read."""
    try:
        archive = zipfile.ZipFile(path)
    except FileNotFoundError:
        raise ExportUnusable(
            f"There is no file {path}.", hint="An export is made where the data is. Try: pamosnik export"
        ) from None
    except OSError as error:
        raise unusable(path, error.strerror or "it cannot be read") from error
    except _BROKEN as error:
        raise unusable(path, f"it is no ZIP file, or is damaged ({error})") from error
    with archive:
        yield ExportFile(archive, path)


def unusable(path: Path, reason: str) -> ExportUnusable:
    return ExportUnusable(
        f"{path} cannot be imported: {reason}.",
        hint="Make another one where the data is. Try: pamosnik export",
    )
