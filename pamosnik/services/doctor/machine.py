"""The machine: the home and what lies in it, SQLite, mail, the daemon."""

import os
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pamosnik
from pamosnik import _sqlite
from pamosnik.config import PREFIX, SETTINGS, SETTINGS_FILE, Config, require_private
from pamosnik.errors import HomeError, PamosnikError
from pamosnik.mail import Mailer
from pamosnik.security import keyring
from pamosnik.services import home
from pamosnik.services.doctor import backups, place
from pamosnik.services.doctor.checks import Check, Found, bad, good, note, refused, waits
from pamosnik.store import accounts
from pamosnik.store.damage import look_for_damage, require_there
from pamosnik.store.database import open_database

_ROTATE = "If others use this machine, they may have read the key. Try: pamosnik keys rotate"
SAFE_SQLITE = (3, 51, 3)
"""https://www.sqlite.org/wal.html#walresetbug, read 2026-11-30: older ones may lose what was committed."""
_BACKPORTS = ((3, 50, 7), (3, 44, 6))
_HANDED_IN = ("/run/", "/var/run/")
"""Where Docker and systemd put secrets for one program: in memory, and open inside of it alone."""


def look(settings: Config) -> Iterator[Check]:
    """Everything but the mail server and the clock, which somebody else answers for."""
    folder = _folder(settings)
    yield folder
    inside = folder.found is Found.GOOD or folder.mend is not None
    yield _files(settings) if inside else waits("files", "the home folder")
    yield _settings_files(settings)
    yield sqlite(_sqlite.sqlite_version)
    yield _database(settings)
    yield _key(settings)
    yield place.room(settings.home) if inside else waits("disk", "the home folder")
    yield place.file_system(settings.home) if inside else waits("file_system", "the home folder")
    yield backups.look(settings, datetime.now(UTC)) if inside else waits("backups", "the home folder")
    yield _daemon(settings)


def _folder(settings: Config) -> Check:
    where = settings.home
    if not where.is_dir():
        return bad("home", f"There is no home folder at {where}.", "Try: pamosnik init")
    try:
        require_private(where)
    except HomeError as error:
        ours = where.stat().st_uid == os.geteuid()
        mend = partial(where.chmod, 0o700) if ours else None
        return Check("home", Found.BAD, error.message, error.hint, mend, _ROTATE)
    return good("home", f"{where} belongs to its owner alone.")


def _files(settings: Config) -> Check:
    """Everything in the home, however it came there."""
    open_to_others = [path for path in _inside(settings.home) if path.stat().st_mode & 0o077]
    if not open_to_others:
        return good("files", "No file in it is open to other users.")
    names = ", ".join(str(path.relative_to(settings.home)) for path in open_to_others[:5])
    more = "" if len(open_to_others) <= 5 else f" and {len(open_to_others) - 5} more"

    def close() -> None:
        for path in open_to_others:
            path.chmod(0o700 if path.is_dir() else 0o600)

    return Check(
        "files",
        Found.BAD,
        f"Other users could read: {names}{more}.",
        f"Try: chmod -R go= {settings.home}",
        close,
    )


def _inside(folder: Path) -> Iterator[Path]:
    """Files and folders, links left out: what they lead to is another's business."""
    for path in sorted(folder.iterdir()):
        if path.is_symlink():
            continue
        if path.is_file() or path.is_dir():
            yield path
        if path.is_dir():
            yield from _inside(path)


# --- settings that stand in files ------------------------------------------------------------------------


def _settings_files(settings: Config) -> Check:
    """Files beside the home that hold secrets: what `*_FILE` names, and a `pamosnik.toml` that is a link."""
    seen = {name: path for name, path in _secret_files(settings) if _open_to_others(path)}
    if not seen:
        return good("settings", "No file with secrets outside of the home is open to other users.")
    told = ", ".join(f"{name} ({path})" for name, path in seen.items())

    def close() -> None:
        for path in seen.values():
            path.chmod(0o600)

    return Check(
        "settings",
        Found.BAD,
        f"Other users could read secrets: {told}.",
        f"Try: chmod 600 {' '.join(map(str, seen.values()))}",
        close,
        "If others use this machine, make these secrets anew where they come from.",
    )


def _secret_files(settings: Config) -> Iterator[tuple[str, Path]]:
    linked = settings.home / SETTINGS_FILE
    if linked.is_symlink():
        yield SETTINGS_FILE, linked.resolve()
    for setting in SETTINGS:
        variable = f"{PREFIX}{setting.name.upper()}_FILE"
        if setting.secret and settings.sources[setting.name] == f"file ({variable})":
            yield variable, Path(os.environ.get(variable, "")).resolve()


def _open_to_others(path: Path) -> bool:
    handed_in = str(path).startswith(_HANDED_IN)
    return path.is_file() and not handed_in and bool(path.stat().st_mode & 0o077)


# --- the database ----------------------------------------------------------------------------------------


def sqlite(version: str) -> Check:
    number = tuple(int(part) for part in re.findall(r"\d+", version)[:3])
    backported = any(number[:2] == fixed[:2] and number >= fixed for fixed in _BACKPORTS)
    if number >= SAFE_SQLITE or backported:
        return good("sqlite", f"SQLite {version} is used.")
    return note(
        "sqlite",
        f"SQLite {version} is used. Before {'.'.join(map(str, SAFE_SQLITE))} it could, rarely, lose what was stored.",
        "Install the wheel that brings its own, where there is one for this machine: pip install pysqlite3",
    )


def _database(settings: Config) -> Check:
    try:
        require_there(settings.database)
        look_for_damage(settings.database, lambda: True)
        with open_database(settings.database) as database:
            known = len(accounts.every(database.connection))
    except PamosnikError as error:
        return refused("database", error)
    if not known:
        return bad("database", "There is no account in it yet.", "Try: pamosnik init")
    return good("database", "Every page of it is whole, and it fits this version.")


def _key(settings: Config) -> Check:
    if not (os.path.lexists(settings.key_file) or settings.database.exists()):
        return waits("key", "the database")  # `init` makes both
    try:
        keyring.load(settings.key_file, settings.passphrase)
    except PamosnikError as error:
        return refused("key", error)
    if settings.passphrase is None:
        return good("key", f"{settings.key_file.name} opens. It is not sealed with a passphrase.")
    return good("key", f"{settings.key_file.name} opens with the passphrase.")


# --- the daemon ------------------------------------------------------------------------------------------


def daemon_runs(settings: Config) -> bool:
    return settings.home.is_dir() and home.daemon_running(settings.home)


def _daemon(settings: Config) -> Check:
    if not daemon_runs(settings):
        return note("daemon", "pamosnik serve is not running.", "Try: pamosnik serve")
    began = home.daemon_since(settings.home) or 0.0
    newer = [name for name, path in _read_at_start(settings).items() if _changed(path) > began]
    if newer:
        since = f"{datetime.fromtimestamp(began, UTC):%Y-%m-%d %H:%M} UTC"
        return note(
            "daemon",
            f"pamosnik serve has been running since {since}; changed since then: {' and '.join(newer)}.",
            "Start it again, so that it works with what is there now.",
        )
    return good("daemon", "pamosnik serve is running.")


def _read_at_start(settings: Config) -> Mapping[str, Path]:
    return {SETTINGS_FILE: settings.home / SETTINGS_FILE, "the program": Path(pamosnik.__file__)}


def _changed(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0


# --- mail ------------------------------------------------------------------------------------------------


async def mail(settings: Config, unreadable: PamosnikError | None) -> Check:
    """Connects to the mail server and logs in; sends nothing. `unreadable`: why the settings name none."""
    if unreadable is not None:
        return refused("mail", unreadable)
    if settings.mail is None:
        return note(
            "mail",
            "No mail server is set: no alerts, no mails of flows, and a forgotten password is reset on this machine.",
            "Set PAMOSNIK_SMTP_URL, like smtps://user:password@mail.example.",
        )
    try:
        await Mailer(settings.mail).check()
    except PamosnikError as error:
        return refused("mail", error)
    return good("mail", f"{settings.mail.host} takes mails from {settings.mail.sender}.")
