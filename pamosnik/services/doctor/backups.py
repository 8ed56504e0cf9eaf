"""Whether there is a way back when a disk is lost: how old the newest backup is, and whether copies lie elsewhere."""

from datetime import UTC, datetime, timedelta

from pamosnik.config import Config
from pamosnik.services.doctor.checks import Check, bad, good, note, skipped
from pamosnik.store import backup_files

OLD = timedelta(days=3)
"""Three nights without one."""


def look(settings: Config, now: datetime) -> Check:
    try:
        begun = datetime.fromtimestamp(settings.key_file.stat().st_mtime, UTC)
    except OSError:
        return skipped("backups", "there is no home to make backups of yet")
    made = backup_files.last_made_at(settings.home)
    other = settings.other_folder
    if other is not None and not other.is_dir():
        return bad(
            "backups",
            f"There is no folder {other} for copies of backups (PAMOSNIK_BACKUP_FOLDER).",
            "Mount its disk, or make the folder.",
        )
    if now - (made or begun) > OLD:
        newest = (
            "There is no backup" if made is None else f"The newest backup is {(now - made).days} days old"
        )
        why = (
            "PAMOSNIK_BACKUPS is off"
            if settings.backups == "off"
            else "`serve` makes one each night that it runs"
        )
        return note("backups", f"{newest}; {why}.", "Try: pamosnik backup create")
    age = "none yet" if made is None else f"the newest is of {made:%Y-%m-%d %H:%M} UTC"
    where = (
        "all on the disk of the home, and lost with it (PAMOSNIK_BACKUP_FOLDER names another)"
        if other is None
        else f"copied to {other}"
    )
    return good("backups", f"Backups: {age}; {where}.")
