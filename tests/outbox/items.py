"""An outbox item, and the person it is for."""

from datetime import UTC, datetime, timedelta

from pamosnik.model.contact import Contact
from pamosnik.model.outbox import ItemKind, ItemStatus, OutboxItem, OutMessage

NOW = datetime(2026, 12, 2, 11, tzinfo=UTC)


def item(kind: ItemKind = ItemKind.MESSAGE) -> OutboxItem:
    """An item of a flow that may leave for a day."""
    return OutboxItem(
        id="i1",
        account_id="a1",
        connection_id="k1",
        contact_id="c1",
        run_id="r1",
        flow_id="shop",
        step="do.0",
        kind=kind,
        status=ItemStatus.QUEUED,
        content=OutMessage("Hi"),
        due_at=NOW,
        deadline=NOW + timedelta(days=1),
        attempts=1,
        igsid="900",
        comment_id="179",
    )


def anna() -> Contact:
    """Somebody whose window is open for an hour."""
    return Contact("c1", "a1", "k1", "900", window_open_until=NOW + timedelta(hours=1))
