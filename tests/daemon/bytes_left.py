"""Looking for what was deleted in every byte of a home, apart from the product's own search."""

from collections.abc import Iterable
from pathlib import Path


def left(home: Path, secrets: Iterable[str | bytes]) -> dict[str, list[str]]:
    """Secret → files of the home that hold it. Not in backups, nor in the WAL's index of numbers."""
    files = {
        path.relative_to(home).as_posix(): path.read_bytes()
        for path in home.rglob("*")
        if path.is_file() and "backups" not in path.parts and not path.name.endswith("-shm")
    }
    found = {
        str(secret): [
            name
            for name, raw in files.items()
            if (secret.encode() if isinstance(secret, str) else secret) in raw
        ]
        for secret in secrets
    }
    return {secret: names for secret, names in found.items() if names}
