"""`master.key` in the home: the ring of `vault` as a file.

Format 2 names each key with the time it was made, and where a passphrase seals the ring, what Argon2id was told: so
the figures can rise, and `is_behind` says when a file is to be written anew. Format 1, without either, is read for
ever. A file is never changed in place: the new one is on disk as a whole before it takes the old one's name.
"""

import base64
import binascii
import errno
import json
import os
import secrets
import stat
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

from pamosnik.errors import HomeError
from pamosnik.security import vault
from pamosnik.security.stretching import TODAY as TODAY
from pamosnik.security.stretching import Argon2 as Argon2
from pamosnik.security.stretching import CannotStretch, stretched
from pamosnik.security.vault import KEY_BYTES, MasterKey, MasterKeys

FORMAT = 2
_SALT_BYTES = 16
_SALTS = range(8, 65)
_FILE_BYTES = 1 << 16
_PURPOSE = "master-keys"
_MALFORMED = (KeyError, TypeError, ValueError, AttributeError, OverflowError, binascii.Error)


_OF_FORMAT_1 = Argon2(time_cost=3, memory_kib=65536, parallelism=4)


class Trouble(StrEnum):
    """Why a key file does not open."""

    MISSING = "missing"
    DAMAGED = "damaged"
    SEALED = "sealed"
    """And no passphrase is at hand."""
    WRONG_PASSPHRASE = "wrong_passphrase"  # noqa: S105 - a state
    NEWER = "newer"
    OPEN_TO_OTHERS = "open_to_others"
    NOT_OURS = "not_ours"
    REFUSED = "refused"
    """The machine does not let us read it."""


class KeyFileError(HomeError):
    """The key file cannot be used as it is."""

    def __init__(self, trouble: Trouble, message: str, *, hint: str) -> None:
        super().__init__(message, hint=hint)
        self.trouble = trouble


Stamp = tuple[int, int, int, int]
"""Tells one file of this name from the next; nothing of its content."""


@dataclass(frozen=True, slots=True, repr=False)
class KeyFile:
    """A key file that opened. Its repr shows nothing."""

    ring: MasterKeys
    format: int
    sealed_with: Argon2 | None
    """None: no passphrase seals it."""
    stamp: Stamp


@dataclass(frozen=True, slots=True)
class Outside:
    """What a key file tells without being opened."""

    mode: int
    format: int | None
    """None: damaged."""
    sealed_with: Argon2 | None


# --- reading ---------------------------------------------------------------------------------------------


def load(path: Path, passphrase: str | None) -> MasterKeys:
    """The ring. Raises `KeyFileError`."""
    return read(path, passphrase).ring


def read(path: Path, passphrase: str | None) -> KeyFile:
    """Opens the file. Raises `KeyFileError` when it is missing, not for us alone, sealed, or damaged."""
    raw, found = _read_raw(path)
    _require_private(path, found)
    content = _parsed(raw)
    if content is None:
        raise _damaged(path)
    _require_not_newer(path, content)
    try:
        format_ = _format(content)
        ring = _ring(_keys_of(content, path, passphrase))
        sealed_with = _argon2(content) if "sealed" in content else None
    except _MALFORMED:
        raise _damaged(path) from None
    return KeyFile(ring, format_, sealed_with, _stamp(found))


def look_at(path: Path) -> Outside:
    """What it tells closed. Raises `KeyFileError` when it is missing or may not be read."""
    raw, found = _read_raw(path)
    mode = stat.S_IMODE(found.st_mode)
    content = _parsed(raw)
    try:
        format_ = _format(content or {})
        sealed_with = _argon2(content or {}) if "sealed" in (content or {}) else None
    except _MALFORMED:
        return Outside(mode, None, None)
    return Outside(mode, format_, sealed_with)


def trouble_outside(path: Path) -> KeyFileError | None:
    """What is wrong with it as far as it tells closed, at once; None: nothing."""
    try:
        raw, found = _read_raw(path)
        _require_private(path, found)
        content = _parsed(raw) or {}
        _require_not_newer(path, content)
        _format(content)
    except KeyFileError as error:
        return error
    except _MALFORMED:
        return _damaged(path)
    return None


def stamp(path: Path) -> Stamp | None:
    """None: there is no file."""
    try:
        return _stamp(path.lstat())
    except OSError:
        return None


def _stamp(found: os.stat_result) -> Stamp:
    return found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns


def _read_raw(path: Path) -> tuple[bytes, os.stat_result]:
    # A link is refused: renaming a new file over it would leave the old keys where it leads.
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    try:
        descriptor = os.open(path, flags)
    except FileNotFoundError:
        raise KeyFileError(
            Trouble.MISSING,
            f"There is no key file at {path}.",
            hint="Put back the master.key that belongs to this database."
            " If it is lost: pamosnik keys status, then pamosnik keys rotate --lost-key",
        ) from None
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise _link(path) from None
        raise KeyFileError(
            Trouble.REFUSED,
            f"The key file {path} cannot be read: {error.strerror}.",
            hint=f"It must belong to the user that runs Pamosnik. Try: ls -l {path}",
        ) from None
    with os.fdopen(descriptor, "rb") as file:
        found = os.fstat(file.fileno())
        if not stat.S_ISREG(found.st_mode):
            raise _damaged(path)
        return file.read(_FILE_BYTES + 1), found


def _link(path: Path) -> KeyFileError:
    return KeyFileError(
        Trouble.NOT_OURS,
        f"The key file {path} is a link.",
        hint=f"Move the file itself there. Try: cp --remove-destination \"$(readlink -f '{path}')\" '{path}'",
    )


def require_private(path: Path) -> None:
    """Refuses a key file that is not for us alone, at once; whether it is there and opens is no matter of this."""
    with suppress(FileNotFoundError):
        found = path.lstat()
        if stat.S_ISLNK(found.st_mode):
            raise _link(path)
        _require_private(path, found)


def _require_private(path: Path, found: os.stat_result) -> None:
    if found.st_uid != os.geteuid():
        raise KeyFileError(
            Trouble.NOT_OURS,
            f"The key file {path} belongs to another user (number {found.st_uid}).",
            hint=f"Run Pamosnik as that user, or make it yours: sudo chown {os.geteuid()} {path}",
        )
    if found.st_mode & 0o077:
        raise KeyFileError(
            Trouble.OPEN_TO_OTHERS,
            f"The key file {path} can be read by other users of this machine.",
            hint=f"Try: chmod 600 {path}   If others use this machine, then also: pamosnik keys rotate",
        )


def _require_not_newer(path: Path, content: dict[str, Any]) -> None:
    format_ = content.get("pamosnik_keys")
    if isinstance(format_, int) and format_ > FORMAT:
        raise KeyFileError(
            Trouble.NEWER,
            f"The key file {path} was written by a newer Pamosnik (format {format_}; this one knows {FORMAT}).",
            hint="Install that Pamosnik or a later one.",
        )


def _damaged(path: Path) -> KeyFileError:
    return KeyFileError(
        Trouble.DAMAGED,
        f"The key file {path} is damaged.",
        hint="Put back a copy of it. If there is none: pamosnik keys status, then pamosnik keys rotate --lost-key",
    )


def _parsed(raw: bytes) -> dict[str, Any] | None:
    if len(raw) > _FILE_BYTES:
        return None
    try:
        content = json.loads(raw)
    except (ValueError, RecursionError):
        return None
    return content if isinstance(content, dict) else None


def _format(content: dict[str, Any]) -> int:
    """Raises ValueError for none that ever was."""
    if content["pamosnik_keys"] not in range(1, FORMAT + 1):
        raise ValueError("format")
    return int(content["pamosnik_keys"])


def _keys_of(content: dict[str, Any], path: Path, passphrase: str | None) -> list[Any]:
    if "sealed" not in content:
        return list(content["keys"])
    asked, salt = _argon2(content), _raw(content["salt"])
    sealed = _raw(content["sealed"])
    if len(salt) not in _SALTS:
        raise ValueError("salt")
    if passphrase is None:
        raise KeyFileError(
            Trouble.SEALED,
            f"The key file {path} is sealed with a passphrase.",
            hint="Set PAMOSNIK_PASSPHRASE, or PAMOSNIK_PASSPHRASE_FILE to a file that holds it."
            " If it is lost: pamosnik keys status",
        )
    opened = vault.open_sealed(_from_passphrase(passphrase, salt, asked), sealed, _PURPOSE)
    if opened is None:
        raise KeyFileError(
            Trouble.WRONG_PASSPHRASE,
            f"The passphrase does not open the key file {path}.",
            hint="Check PAMOSNIK_PASSPHRASE. If it is lost: pamosnik keys status",
        )
    return list(json.loads(opened))


def _argon2(content: dict[str, Any]) -> Argon2:
    """Raises ValueError for what no file of ours asks for."""
    if content["pamosnik_keys"] == 1:
        return _OF_FORMAT_1
    asked = Argon2(*(int(content[name]) for name in ("time_cost", "memory_kib", "parallelism")))
    asked.require_sane()
    return asked


def _ring(keys: list[Any]) -> MasterKeys:
    """Of format 1 a text, of format 2 an object each. Raises ValueError."""
    ring = tuple(
        MasterKey(_raw(key), None)
        if isinstance(key, str)
        else MasterKey(
            _raw(key["key"]),
            None if key["made_at"] is None else datetime.fromisoformat(key["made_at"]).astimezone(UTC),
        )
        for key in keys
    )
    if not ring or any(len(key.secret) != KEY_BYTES for key in ring):
        raise ValueError("keys")
    return MasterKeys(ring)


def _raw(text: str) -> bytes:
    return base64.b64decode(text, validate=True)


def _from_passphrase(passphrase: str, salt: bytes, asked: Argon2) -> bytes:
    try:
        return stretched(passphrase, salt, asked)
    except CannotStretch as error:
        raise KeyFileError(
            Trouble.REFUSED,
            f"This machine could not open the key file: {error.message}",
            hint=error.hint or "",
        ) from None


# --- writing ---------------------------------------------------------------------------------------------


def create(path: Path, passphrase: str | None, now: datetime) -> MasterKeys:
    """Makes `master.key` with one new key. Raises FileExistsError rather than replace one."""
    if os.path.lexists(path):
        raise FileExistsError(path)
    ring = MasterKeys((vault.new_master_key(now),))
    write(path, ring, passphrase)
    return ring


def write(path: Path, ring: MasterKeys, passphrase: str | None, argon2: Argon2 = TODAY) -> None:
    """Puts the ring in the place of what is there; a crash leaves the one file or the other, whole.

    The caller holds `key_lock` alone. Raises `HomeError`; then the file is as before.
    """
    raw = json.dumps(_content(ring, passphrase, argon2), indent=1).encode() + b"\n"
    new = path.with_name(f"{path.name}.new")
    try:
        new.unlink(missing_ok=True)  # of a run that was killed
        descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            os.fchmod(descriptor, 0o600)  # whatever the umask is
            file.write(raw)
            file.flush()
            os.fsync(descriptor)
        os.replace(new, path)  # noqa: PTH105 - beside os.fsync
        flush_folder(path.parent)
    except OSError as error:
        with suppress(OSError):
            new.unlink()
        raise HomeError(
            f"The key file {path} cannot be written: {error.strerror}.",
            hint="The one before is in place. Free space, or mend the folder's permissions, then try again.",
        ) from error


def flush_folder(folder: Path) -> None:
    """A new name in it is on disk."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _content(ring: MasterKeys, passphrase: str | None, argon2: Argon2) -> dict[str, object]:
    keys = [
        {
            "key": _text(key.secret),
            "made_at": None if key.made_at is None else f"{key.made_at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}",
        }
        for key in ring.keys
    ]
    if passphrase is None:
        return {"pamosnik_keys": FORMAT, "keys": keys}
    salt = secrets.token_bytes(_SALT_BYTES)
    key = _from_passphrase(passphrase, salt, argon2)
    return {
        "pamosnik_keys": FORMAT,
        "sealed_with": "argon2id",
        "time_cost": argon2.time_cost,
        "memory_kib": argon2.memory_kib,
        "parallelism": argon2.parallelism,
        "salt": _text(salt),
        "sealed": _text(vault.seal(key, json.dumps(keys).encode(), _PURPOSE)),
    }


def _text(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def is_behind(file: KeyFile | Outside, passphrase: str | None) -> bool:
    """Whether it is to be written anew: its seal is weaker than today's, or a passphrase is set and it has none."""
    if file.sealed_with is None:
        return passphrase is not None
    return file.format == 1 or file.sealed_with.is_weaker_than(TODAY)
