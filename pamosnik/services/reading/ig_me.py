"""The ig.me links of a flow: addresses that open a conversation with the account, and start the flow there.

https://developers.facebook.com/documentation/business-messaging/instagram-messaging/features/ig-me-links
"""

from dataclasses import dataclass
from datetime import datetime

from pamosnik._sqlite import Connection
from pamosnik.engine import entrances
from pamosnik.engine.catalog import Catalog
from pamosnik.errors import PamosnikError
from pamosnik.model.entrances import Entrance
from pamosnik.model.flow import Flow
from pamosnik.model.trigger import LinkTrigger
from pamosnik.services import flow_history
from pamosnik.services.library import Library
from pamosnik.services.shapes import Shape
from pamosnik.store import connections
from pamosnik.store import flows as flow_store
from pamosnik.store.accounts import Account
from pamosnik.store.connections import Connected, ConnectionStatus


@dataclass(frozen=True, slots=True)
class Link:
    """One address of one connected account."""

    connection: str
    ref: str | None
    """What tells the flow who came by it; None: the flow takes whoever comes by any link of the account."""
    url: str

    def shape(self) -> Shape:
        return {"connection": self.connection, "ref": self.ref, "url": self.url}


@dataclass(frozen=True, slots=True)
class Links:
    """Of one flow, in the order of its triggers."""

    flow: str
    links: tuple[Link, ...]
    remarks: tuple[str, ...]
    """What keeps them from working at the moment, or from working for everybody."""

    def shape(self) -> Shape:
        return {
            "flow": self.flow,
            "links": [link.shape() for link in self.links],
            "remarks": list(self.remarks),
        }


def of_flow(conn: Connection, account: Account, flow_id: str, now: datetime) -> Links:
    """Raises `NotFound` for a flow that is not applied, and `PamosnikError` for one that starts by no link, or that
    plays on no account that is connected."""
    flow_history.applied_flow(conn, account.id, flow_id, "show")
    catalog = Library().catalog(conn, account.id)
    flow = catalog.flows[flow_id]
    refs = _refs(flow)
    connected = [
        one
        for one in connections.of_account(conn, account.id)
        if one.status is not ConnectionStatus.DISCONNECTED and flow.is_for(one.username)
    ]
    if not connected:
        raise PamosnikError(
            f"No account is connected that {flow_id} plays on.", hint="Try: pamosnik connections list"
        )
    links = tuple(Link(one.username, ref, _url(one.username, ref)) for one in connected for ref in refs)
    return Links(flow_id, links, tuple(_remarks(catalog, flow, connected, now)))


def for_page(conn: Connection, account: Account, flow_id: str, now: datetime) -> Links | None:
    """Likewise; None where `of_flow` would refuse, without compiling the flows of whoever has no such link."""
    applied = (flow for flow in flow_store.applied(conn, account.id) if flow.flow_id == flow_id)
    if not any('"link"' in flow.body for flow in applied):
        return None
    try:
        return of_flow(conn, account, flow_id, now)
    except PamosnikError:
        return None


def _refs(flow: Flow) -> list[str | None]:
    triggers = [trigger for trigger in flow.triggers if isinstance(trigger, LinkTrigger)]
    if not triggers:
        raise PamosnikError(
            f"{flow.id} does not start by a link.",
            hint=f"Add a line under `when:` of {flow.id}, then apply the file:\n    - link: {flow.id}",
        )
    named = dict.fromkeys(ref for trigger in triggers for ref in trigger.refs)
    return list(named) or [None]


def _url(username: str, ref: str | None) -> str:
    # Neither a username nor a ref can hold a character that an address has to escape.
    return f"https://ig.me/m/{username}" + (f"?ref={ref}" if ref is not None else "")


def _remarks(catalog: Catalog, flow: Flow, connected: list[Connected], now: datetime) -> list[str]:
    remarks = []
    if flow.id in catalog.paused:
        remarks.append(f"{flow.id} is paused: nobody is answered. Try: pamosnik flows resume {flow.id}")
    without = [
        f"@{one.username}"
        for one in connected
        if not entrances.wanted(catalog, one.username, now)[Entrance.ICE_BREAKERS]
    ]
    if without:
        remarks.append(
            f"{', '.join(without)} has no opening questions, and Meta names them as a condition for such links."
            " A flow with an `ice_breaker:` trigger sets one."
        )
    return remarks
