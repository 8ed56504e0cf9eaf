"""Opening what is sealed: an account's data key, a connection's token. Nothing here is ever printed."""

from pamosnik._sqlite import Connection
from pamosnik.errors import NeedsAuthorisation, PamosnikError
from pamosnik.security import vault
from pamosnik.security.vault import MasterKeys
from pamosnik.store import accounts, connections
from pamosnik.store.connections import Connected


def data_key(conn: Connection, keys: MasterKeys, account_id: str) -> bytes:
    """The account's data key. Raises `Unreadable` when the master key does not fit."""
    wrapped = accounts.wrapped_key(conn, account_id)
    if wrapped is None:
        raise PamosnikError(
            "The key of this account was destroyed.", hint="Nothing sealed can be read any more."
        )
    return keys.unwrap(account_id, wrapped)


def token(conn: Connection, keys: MasterKeys, connected: Connected) -> str:
    """The connection's token, for the moment it is used."""
    sealed = connections.sealed_token(conn, connected.id)
    if sealed is None:
        raise NeedsAuthorisation(
            "This Instagram account has no login any more.", hint="Try: pamosnik connect"
        )
    return vault.open_token(
        data_key(conn, keys, connected.account_id),
        sealed,
        account_id=connected.account_id,
        ig_id=connected.ig_id,
    )
