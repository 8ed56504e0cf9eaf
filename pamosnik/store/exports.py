"""Files that were exported for the page: in `exports/` of the home, a day long.

Each name begins with the account's id, whom it is about and when it was begun, and cannot be guessed. Whoever erases
finds by it what to remove (`forget`); what else lies there is on its way, or was left by a kill.
"""

import re
import secrets
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from pamosnik.errors import HomeError
from pamosnik.store.times import instant, ms

FOLDER = "exports"
_EVERYTHING = "all"
_NAME = re.compile(r"(?P<account>\w+)-(?P<about>\w+)-(?P<begun>\d{1,15})-[\w-]{22}\.zip")


@dataclass(frozen=True, slots=True)
class Exported:
    path: Path
    account_id: str
    about: str | None
    """The contact; None: everything of the account."""
    begun_at: datetime


def new(home: Path, account_id: str, about: str | None, now: datetime) -> Exported:
    """Where an export that is begun now is to lie."""
    name = f"{account_id}-{about or _EVERYTHING}-{ms(now)}-{secrets.token_urlsafe(16)}.zip"
    return Exported(home / FOLDER / name, account_id, about, now)


def found(home: Path) -> tuple[list[Exported], list[Path]]:
    """What is there, and what has not its name yet."""
    folder = home / FOLDER
    paths = sorted(folder.iterdir()) if folder.is_dir() else []
    named = {path: exported(path) for path in paths}
    return [one for one in named.values() if one is not None], [p for p, one in named.items() if one is None]


def exported(path: Path) -> Exported | None:
    """None: no file of ours has such a name."""
    parts = _NAME.fullmatch(path.name)
    if parts is None:
        return None
    about = None if parts["about"] == _EVERYTHING else parts["about"]
    return Exported(path, parts["account"], about, instant(int(parts["begun"])))


def forget(home: Path, deleted: Mapping[str, datetime]) -> None:
    """Removes what was begun to be exported of these accounts until then. Raises `HomeError`."""
    for one in found(home)[0] if deleted else ():
        if one.account_id in deleted and one.begun_at <= deleted[one.account_id]:
            try:
                one.path.unlink(missing_ok=True)
            except OSError as error:
                raise HomeError(
                    f"{one.path} holds data that has to be deleted, and cannot be removed: {error.strerror}.",
                    hint="Remove it; the deletion goes on by itself.",
                ) from error


def remove(path: Path) -> None:
    """A file, or the folder that a command works in. Raises `OSError`."""
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
