"""Writing files for people: whole or not at all."""

import contextlib
import os
import shlex
import stat
import tempfile
from pathlib import Path

from pamosnik.errors import UsageError


def write_whole(path: Path, content: str | bytes, *, mode: int | None = None) -> None:
    """Puts a text or bytes in the place of a file, in one step; whoever reads it meanwhile sees the old one.

    A link goes on leading to it; it keeps its mode and owner. `mode`: of a new one, else what the shell's umask says.
    Raises `UsageError`.
    """
    try:
        _write(path.resolve(), content.encode() if isinstance(content, str) else content, mode)
    except OSError as error:
        raise unwritable(path, error) from error


def unwritable(path: Path, error: OSError) -> UsageError:
    """Of a file, or a folder, that somebody wants made."""
    why = error.strerror or "it is no place for a file"
    return UsageError(
        f"{path} cannot be written: {why}.", hint=f"Try: ls -ld {shlex.quote(str(path.absolute().parent))}"
    )


def _write(path: Path, written: bytes, mode: int | None) -> None:
    before = path.stat() if path.exists() else None
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(written)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(name, mode or _usual_mode() if before is None else stat.S_IMODE(before.st_mode))  # noqa: PTH101
        if before is not None:
            # Only root may give a file away; anybody else owns it already, or may not.
            with contextlib.suppress(PermissionError):
                os.chown(name, before.st_uid, before.st_gid)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _usual_mode() -> int:
    """What a new file gets here. The umask can only be read by setting it."""
    umask = os.umask(0o077)
    os.umask(umask)
    return 0o666 & ~umask
