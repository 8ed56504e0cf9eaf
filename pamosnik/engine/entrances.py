"""Which entrances the applied flows ask for."""

from datetime import datetime

from pamosnik.engine.catalog import Catalog
from pamosnik.model.entrances import Entrance, Entrances
from pamosnik.model.flow import Flow, FlowState
from pamosnik.model.trigger import IceBreakerTrigger, MenuTrigger
from pamosnik.model.words import fold, trim


def wanted(catalog: Catalog, username: str, now: datetime) -> Entrances:
    """For one connection, in file order. A flow that takes nothing at the moment shows nothing."""
    found: dict[Entrance, dict[str, str]] = {entrance: {} for entrance in Entrance}
    for flow in catalog.book.flows:
        if flow.id in catalog.paused or not _takes(flow, username, now):
            continue
        for trigger in flow.triggers:
            if isinstance(trigger, IceBreakerTrigger):
                found[Entrance.ICE_BREAKERS].setdefault(trim(fold(trigger.question)), trigger.question)
            elif isinstance(trigger, MenuTrigger):
                found[Entrance.MENU].setdefault(trim(fold(trigger.label)), trigger.label)
    return {entrance: tuple(labels.values()) for entrance, labels in found.items()}


def _takes(flow: Flow, username: str, now: datetime) -> bool:
    if flow.state is FlowState.PAUSED:
        return False
    if flow.connections and username.casefold() not in {one.casefold() for one in flow.connections}:
        return False
    begun = flow.active.from_ is None or flow.active.from_ <= now
    return begun and (flow.active.until is None or now < flow.active.until)
