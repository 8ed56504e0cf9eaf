"""What a button or chip carries, so that its tap finds its way back to a place in a flow.

The payload names the run and, for the day when the run is no longer kept, the flow, its version and the path.
It is no secret and proves nothing: whoever uses it checks that the run belongs to the person who tapped.
"""

from dataclasses import dataclass

from pamosnik.model.entrances import Entrance

_FORM = "pamosnik1"
_ENTRANCE = "pamosnik-entrance"


@dataclass(frozen=True, slots=True)
class TapTarget:
    run_id: str
    flow_id: str
    version: str
    option: str
    """Path of the button, chip or choice."""


def to_payload(target: TapTarget) -> str:
    """At most 1000 characters for every path the compiler lets through."""
    return ":".join((_FORM, target.run_id, target.flow_id, target.version, target.option))


def from_payload(payload: str | None) -> TapTarget | None:
    """None for payloads that are not ours: another tool's, or an older menu's."""
    parts = (payload or "").split(":")
    if len(parts) != 5 or parts[0] != _FORM or not all(parts):
        return None
    return TapTarget(run_id=parts[1], flow_id=parts[2], version=parts[3], option=parts[4])


def to_entrance(entrance: Entrance, label: str) -> str:
    """Of an opening question or a menu item: it belongs to no run, and its label says what was meant."""
    return f"{_ENTRANCE}:{entrance.value}:{label}"


def from_entrance(payload: str | None) -> tuple[Entrance, str] | None:
    """None for payloads of anything else."""
    form, _, rest = (payload or "").partition(":")
    kind, _, label = rest.partition(":")
    if form != _ENTRANCE or kind not in set(Entrance) or not label:
        return None
    return Entrance(kind), label
