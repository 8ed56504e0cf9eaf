"""A ZIP that is written entry after entry, none of them ever whole in memory, and what its manifest tells of each."""

import contextlib
import hashlib
import zipfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import BinaryIO, Self

_AT_ONCE = 1 << 16
_LEVEL = 3
"""Of zlib: a third of the time of its default, for files that are a tenth larger."""
_OWNER_ALONE = 0o100600 << 16
_TOLD_EVERY = 500


@dataclass(frozen=True, slots=True)
class Entry:
    """A file of the archive."""

    path: str
    kind: str
    rows: int
    """0 for what is not made of rows."""
    size_bytes: int
    sha256: str


OnProgress = Callable[[int, int], None]
"""(done, all): in rows, about."""


class Archive:
    """An archive that is being written; whole at the end of the `with`, and let go of after an error."""

    def __init__(self, target: BinaryIO, at: datetime, expected: int, on_progress: OnProgress) -> None:
        """`at`: on the clock of whoever reads the dates. `expected`: how much there will be to write."""
        self.entries: list[Entry] = []
        self._zip = zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=_LEVEL)
        self._at = (at.year, at.month, at.day, at.hour, at.minute, at.second)
        self._expected = expected
        self._done = 0
        self._tell = on_progress

    def put(self, path: str, kind: str, pieces: Iterable[bytes], *, frame: int = 0, weight: int = 0) -> Entry:
        """Writes a file. Each piece is a row but for `frame` of them; `weight`: its part of what was expected."""
        digest, size, count, waiting = hashlib.sha256(), 0, 0, bytearray()
        with self._zip.open(self._info(path), "w", force_zip64=True) as entry:

            def flush() -> None:
                nonlocal size
                digest.update(waiting)
                entry.write(waiting)
                size += len(waiting)
                waiting.clear()

            for piece in pieces:
                count += 1
                waiting += piece
                if len(waiting) >= _AT_ONCE:
                    flush()
                if count % _TOLD_EVERY == 0:
                    self._tell(self._done + min(count, weight), self._expected)
            flush()
        self._done += weight
        self._tell(self._done, self._expected)
        done = Entry(path, kind, max(count - frame, 0) if frame else 0, size, digest.hexdigest())
        self.entries.append(done)
        return done

    def put_text(self, path: str, kind: str, text: str) -> Entry:
        return self.put(path, kind, [text.encode()])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, error: type[BaseException] | None, *_: object) -> None:
        if error is None:
            self._zip.close()
        else:
            # On a full disk it cannot be ended; left open it would be tried once more when nobody listens.
            with contextlib.suppress(OSError, ValueError):
                self._zip.close()

    def _info(self, path: str) -> zipfile.ZipInfo:
        info = zipfile.ZipInfo(path, self._at)
        info.compress_type = zipfile.ZIP_DEFLATED
        info.external_attr = _OWNER_ALONE
        return info
