"""Backups under a passphrase: an archive of a manifest that says little, and of a whole backup, sealed."""

import os
import zipfile
from collections.abc import Callable
from pathlib import Path

from pamosnik.errors import UsageError
from pamosnik.security import sealed_files
from pamosnik.store import backup
from pamosnik.store.backup import Manifest, Tell


class PassphraseWanted(UsageError):
    """It is sealed, and there is no passphrase, or another one."""


def sealing(passphrase: str) -> Callable[[Path, Manifest, Tell], Path]:
    """What `backup.create` takes."""

    def seal(packed: Path, manifest: Manifest, tell: Tell) -> Path:
        beside, key = sealed_files.new_seal(passphrase)
        told = backup.sealed_manifest(manifest, beside)
        target = packed.with_name("packed-and-sealed")
        size, done = max(1, packed.stat().st_size), 0

        def piece(taken: int) -> None:
            nonlocal done
            done += taken
            tell(done, size)

        with target.open("xb") as file:
            target.chmod(0o600)
            with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
                archive.writestr(backup.MANIFEST, told)
                with packed.open("rb") as source, archive.open(backup.SEALED, "w", force_zip64=True) as entry:
                    sealed_files.seal(source, entry, key, told, piece)
            file.flush()
            os.fsync(file.fileno())
        return target

    return seal


def require_passphrase(file: Path, passphrase: str | None) -> None:
    """Refuses soon what could not be opened. Raises `BackupUnusable`, `PassphraseWanted`."""
    _key(file, backup.manifest_of(file), passphrase)


def opened(file: Path, work: Path, passphrase: str | None) -> Path:
    """The backup that is not sealed: unsealed into a folder of our own, or the file itself. Raises `BackupUnusable`,
    `PassphraseWanted`."""
    key = _key(file, backup.manifest_of(file), passphrase)
    if key is None:
        return file
    target = work / "unsealed"
    with backup.opened(file) as archive, target.open("xb") as out:
        target.chmod(0o600)
        told = archive.read(backup.MANIFEST)
        try:
            with archive.open(backup.SEALED) as source:
                sealed_files.unseal(source, out, key, told)
        except sealed_files.Damaged:
            raise backup.unusable(file, "what is sealed in it is damaged, cut off or was changed") from None
    return target


def _key(file: Path, manifest: Manifest, passphrase: str | None) -> bytes | None:
    """None: it is not sealed."""
    if manifest.seal is None:
        return None
    if passphrase is None:
        raise PassphraseWanted(
            f"{file} is sealed with a passphrase.",
            hint="Give it with --passphrase-stdin < FILE, or set PAMOSNIK_BACKUP_PASSPHRASE.",
        )
    try:
        key = sealed_files.key_of(manifest.seal, passphrase)
    except sealed_files.Damaged:
        raise backup.unusable(file, "its manifest is missing or cannot be read") from None
    if key is None:
        raise PassphraseWanted(
            f"The passphrase does not open {file}.",
            hint="Backups keep the passphrase that they were made with. Without it nothing opens them.",
        )
    return key
