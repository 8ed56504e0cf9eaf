"""`incoming.log`: what was delivered while the database could not be written, on disk before Meta hears its 200.

It lies in the home and is nearly always empty: a delivery stands there from its acknowledgement until the database
holds it, for seconds. What a crash leaves in it is taken over before anything else (`services.intake.take_over`).

A line is one delivery: mark, checksum, when it came, and its items as they were translated; never the request. A line
that was cut short was never acknowledged.
"""

import json
import os
import zlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from pamosnik.errors import HomeError
from pamosnik.model.event import Attachment, EventKind, Incoming, Verdict
from pamosnik.store.backup import flush_folder
from pamosnik.store.refusals import cannot_be_written

NAME = "incoming.log"
BYTES_AT_MOST = 32 << 20
"""Some 50,000 deliveries; whoever comes later waits for the database."""
_MARK = b"incoming1"


@dataclass(frozen=True, slots=True, repr=False)
class Delivery:
    """Items that came together."""

    received_at: datetime
    items: tuple[Incoming, ...]


class Spill:
    """The file, for one thread at a time. Raises `HomeError` where it cannot be made."""

    def __init__(self, path: Path) -> None:
        self._descriptor = _open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND)
        flush_folder(path.parent)

    def append(self, lines: Sequence[bytes]) -> None:
        """Returns when all of them are durable; after an OSError none of them counts."""
        before = os.fstat(self._descriptor).st_size
        try:
            raw = memoryview(b"".join(lines))
            while raw:
                raw = raw[os.write(self._descriptor, raw) :]
            os.fdatasync(self._descriptor)
        except OSError:
            os.ftruncate(self._descriptor, before)
            raise

    def empty(self) -> None:
        """All of it is in the database."""
        os.ftruncate(self._descriptor, 0)
        os.fsync(self._descriptor)

    def __enter__(self) -> "Spill":
        return self

    def __exit__(self, *_exc: object) -> None:
        os.close(self._descriptor)


def _open(path: Path, flags: int) -> int:
    try:
        return os.open(path, flags | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise cannot_be_written(path, error.strerror or str(error)) from error


def read(path: Path) -> tuple[list[Delivery], int]:
    """What is in it, in order, and how many lines cannot be read. Raises `HomeError` for another program's file."""
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        return [], 0
    except OSError as error:
        raise cannot_be_written(path, error.strerror or str(error)) from error
    # A crash of the machine may leave zeros where a line was about to be written.
    lines = [line for part in raw.split(b"\n") if (line := part.strip(b"\0"))]
    read = [_delivery(line) for line in lines]
    if lines and not any(line.startswith(_MARK[: len(line)]) for line in lines):
        raise HomeError(
            f"{path} is a file of another program.",
            hint=f"Move it out of the home. Try: mv {path} {path.parent.parent}",
        )
    deliveries = [one for one in read if one is not None]
    cut_short = bool(read) and read[-1] is None and not raw.endswith(b"\n")
    return deliveries, len(read) - len(deliveries) - cut_short


def empty(path: Path) -> None:
    """For whoever holds the home, with no daemon on it."""
    if path.exists() and path.stat().st_size:
        with Spill(path) as file:
            file.empty()


# --- a line ----------------------------------------------------------------------------------------------


def line(delivery: Delivery) -> bytes:
    """With a line's end before it, too: behind one that was cut short a new one begins."""
    body = json.dumps(
        [delivery.received_at.isoformat(), [_raw(item) for item in delivery.items]], separators=(",", ":")
    ).encode()
    return b"\n%s %08x %s\n" % (_MARK, zlib.crc32(body), body)


def _raw(item: Incoming) -> dict[str, Any]:
    raw = {name: value for name, value in asdict(item).items() if value is not None}
    if item.occurred_at is not None:
        raw["occurred_at"] = item.occurred_at.isoformat()
    return raw


def _delivery(line: bytes) -> Delivery | None:
    mark, _, rest = line.partition(b" ")
    checksum, _, body = rest.partition(b" ")
    if mark != _MARK or checksum != b"%08x" % zlib.crc32(body):
        return None
    received_at, items = json.loads(body)
    return Delivery(datetime.fromisoformat(received_at), tuple(_item(raw) for raw in items))


def _item(raw: dict[str, Any]) -> Incoming:
    occurred_at = raw.get("occurred_at")
    return Incoming(
        **{
            **raw,
            "kind": EventKind(raw["kind"]),
            "verdict": Verdict(raw["verdict"]),
            "occurred_at": None if occurred_at is None else datetime.fromisoformat(occurred_at),
            "attachments": tuple(Attachment(**one) for one in raw["attachments"]),
        }
    )
