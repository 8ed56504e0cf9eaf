"""Entrances: what people see of flows before they write, and what of it stands at Instagram."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Entrance(StrEnum):
    """In Meta's words."""

    ICE_BREAKERS = "ice_breakers"
    """Opening questions of an empty conversation."""
    MENU = "persistent_menu"


Labels = tuple[str, ...]
Entrances = Mapping[Entrance, Labels]
"""The labels of each, in the order in which they are shown."""


@dataclass(frozen=True, slots=True)
class Registered:
    """What is known of one kind of entrance at Instagram."""

    labels: Labels | None
    """None: not certain, it has to be said again."""
    asked: Labels = ()
    """What Instagram was asked for last."""
    failures: int = 0
    """How often in a row it did not take that."""
    try_at: datetime | None = None
    """When it is asked again."""
