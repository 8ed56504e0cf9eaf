"""The Instagram accounts that are connected."""

from collections.abc import Mapping

from pamosnik._sqlite import Connection
from pamosnik.errors import NotFound
from pamosnik.services.shapes import Shape, iso
from pamosnik.store import connections
from pamosnik.store.accounts import Account
from pamosnik.store.connections import Connected


def shape(connected: Connected) -> Shape:
    return {
        "username": connected.username,
        "ig_id": connected.ig_id,
        "status": connected.status.value,
        "token_expires_at": iso(connected.token_expires_at),
        "scopes": list(connected.scopes),
        "connected_at": iso(connected.connected_at),
        "reason": connected.reason,
        "delete_after": iso(connected.delete_after),
    }


def named(conn: Connection, account: Account, name: str) -> Shape:
    """As `find`."""
    return shape(find(conn, account, name))


def find(conn: Connection, account: Account, name: str) -> Connected:
    """By username, Instagram id or Pamosnik's id. Raises `NotFound`."""
    for connected in connections.of_account(conn, account.id):
        if name.removeprefix("@").casefold() in (
            connected.username.casefold(),
            connected.ig_id,
            connected.id.casefold(),
        ):
            return connected
    raise NotFound(f"{name} is not connected.", hint="Try: pamosnik connections list")


def usernames(conn: Connection, account: Account) -> Mapping[str, str]:
    """Connection → what it is called at Instagram."""
    return {one.id: one.username for one in connections.of_account(conn, account.id)}
