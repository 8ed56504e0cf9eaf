"""Homes with stored logins, and whether these open."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from pamosnik import config
from pamosnik._sqlite import Connection
from pamosnik.config import Config
from pamosnik.ids import new_id
from pamosnik.instagram import limits
from pamosnik.security import keyring, passwords, vault
from pamosnik.security.vault import Keys
from pamosnik.services import connecting, credentials
from pamosnik.services.keys import wrapping
from pamosnik.store import accounts, connections
from pamosnik.store.accounts import Account
from pamosnik.store.database import Database, open_database

NOW = datetime(2026, 11, 30, 8, 15, tzinfo=UTC)
TOKEN = "IGAAplanted" + "x" * 150


def make(folder: Path, passphrase: str | None = None) -> Config:
    """A home without any account."""
    folder.mkdir(mode=0o700)
    settings = config.load({"home": str(folder), "passphrase": passphrase}, environ={})
    keyring.create(settings.key_file, passphrase, NOW)
    open_database(settings.database, migrate=True).close()
    return settings


def add_account(settings: Config, email: str) -> Account:
    """As `accounts create`, without the time that a hash takes."""
    account = Account(new_id(NOW), email.partition("@")[0], email, "Europe/Warsaw", NOW)
    with wrapping(settings) as keys, open_database(settings.database) as database:
        wrapped = keys.wrap(account.id, vault.new_data_key())
        database.write(
            lambda conn: accounts.insert(
                conn, account, password_hash=passwords.NOBODY, wrapped_key=wrapped, adult_stated_at=NOW
            )
        )
    return account


def connect(settings: Config, account: Account, ig_id: str, token: str = TOKEN) -> None:
    """As `connect`, without Instagram."""
    found = connecting.Found(token + ig_id, ig_id, None, f"shop_{ig_id}", limits.SCOPES)
    with wrapping(settings) as keys, open_database(settings.database) as database:
        database.write(lambda conn: connecting.keep(conn, keys, account.id, found, NOW))


def tokens(database: Database, keys: Keys) -> Mapping[str, str]:
    """Instagram id → token, of every login that is stored. Raises when one does not open."""

    def opened(conn: Connection) -> Mapping[str, str]:
        return {
            connected.ig_id: credentials.token(conn, keys, connected)
            for account in accounts.every(conn)
            for connected, _ in connections.sealed_tokens(conn, account.id)
        }

    return database.read(opened)


def stored(settings: Config) -> Mapping[str, str]:
    """As a process that starts now reads them."""
    keys = keyring.load(settings.key_file, settings.passphrase)
    with open_database(settings.database) as database:
        return tokens(database, keys)


def everything(settings: Config) -> bytes:
    """All bytes of the home but the settings'."""
    return b"".join(path.read_bytes() for path in sorted(settings.home.rglob("*")) if path.is_file())
