"""Opening what is sealed: an account's data key, a connection's token. Nothing here is ever printed."""

from pamosnik import unsaid
from pamosnik._sqlite import Connection
from pamosnik.errors import NeedsAuthorisation, PamosnikError
from pamosnik.security import vault
from pamosnik.security.vault import Keys
from pamosnik.store import accounts, connections
from pamosnik.store.connections import Connected, SealedLogin


def data_key(conn: Connection, keys: Keys, account_id: str) -> bytes:
    """The account's data key. Raises `Unreadable` when the master key does not fit.

    What is to be sealed under it is sealed in the same transaction: it may be another one in the next.
    """
    return _unwrapped(keys, account_id, accounts.wrapped_key(conn, account_id))


def token(conn: Connection, keys: Keys, connected: Connected) -> str:
    """The connection's token, for the moment it is used. Raises `Unreadable` when it does not open."""
    login = connections.sealed_login(conn, connected.id)
    try:
        return opened(keys, connected, login)
    except vault.Unreadable:
        # Both keys may have been rotated since: that is no token that cannot be read.
        again = connections.sealed_login(conn, connected.id)
        if again == login:
            raise
        return opened(keys, connected, again)


def opened(keys: Keys, connected: Connected, login: SealedLogin) -> str:
    """The token of a login as it was read. Raises `Unreadable` when it does not open."""
    if login.token is None:
        raise NeedsAuthorisation(
            "This Instagram account has no login any more.", hint="Try: pamosnik connect"
        )
    return unsaid.keep(
        vault.open_token(
            _unwrapped(keys, connected.account_id, login.wrapped_key),
            login.token,
            account_id=connected.account_id,
            ig_id=connected.ig_id,
        )
    )


def _unwrapped(keys: Keys, account_id: str, wrapped: bytes | None) -> bytes:
    if wrapped is None:
        raise PamosnikError(
            "The key of this account was destroyed.", hint="Nothing sealed can be read any more."
        )
    return keys.unwrap(account_id, wrapped)
