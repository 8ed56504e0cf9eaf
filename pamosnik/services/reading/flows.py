"""Applied flows, in the shapes of the JSON contract."""

import json

from pamosnik._sqlite import Connection
from pamosnik.services import flow_history, pausing
from pamosnik.services.reading import broadcasts
from pamosnik.services.shapes import Shape, iso
from pamosnik.store import connections
from pamosnik.store import flows as store
from pamosnik.store.accounts import Account


def applied(conn: Connection, account: Account) -> list[Shape]:
    """In the order they are asked."""
    in_flight = store.in_flight(conn, account.id)
    return [
        {
            "flow": flow.flow_id,
            "title": flow.title,
            "version": flow.version,
            **pausing.state_json(flow),
            "people": in_flight.get(flow.flow_id, 0),
            "applied_at": iso(flow.applied_at),
            "rolled_back_at": iso(flow.rolled_back_at),
        }
        for flow in store.applied(conn, account.id)
    ]


def whole(conn: Connection, account: Account, flow_id: str) -> Shape:
    """Its triggers and steps as they are understood. Raises `NotFound`."""
    found = flow_history.applied_flow(conn, account.id, flow_id, "show")
    body = json.loads(found.body)
    body.pop("tests", None)
    bound = {
        c.username: dict(store.bound_posts(conn, c.id)) for c in connections.of_account(conn, account.id)
    }
    return {
        "flow": flow_id,
        "title": found.title,
        "version": found.version,
        **pausing.state_json(found),
        "rolled_back_at": iso(found.rolled_back_at),
        "body": body,
        "bound_posts": {name: posts[flow_id] for name, posts in bound.items() if flow_id in posts},
        "planned": broadcasts.planned(conn, account, flow_id),
        "broadcasts": broadcasts.latest(conn, account, flow_id),
    }
