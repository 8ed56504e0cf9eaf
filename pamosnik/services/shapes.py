"""What the shapes of the JSON contract are made of. It imports nothing heavy: every command needs it."""

from datetime import datetime

Shape = dict[str, object]


def iso(moment: datetime | None) -> str | None:
    """2026-12-02T11:00:00Z"""
    return None if moment is None else f"{moment:%Y-%m-%dT%H:%M:%SZ}"
