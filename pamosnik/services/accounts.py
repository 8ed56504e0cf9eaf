"""Accounts: made, corrected, given another password, their sessions ended. One verb per function, shared by the
command line and the page.

Functions that take a connection belong inside a transaction of that account. `actor` is noted with what was done, and
never a name or an address.
"""

from dataclasses import dataclass, replace
from datetime import datetime

from pamosnik._sqlite import Connection
from pamosnik.errors import NotFound, PamosnikError
from pamosnik.ids import new_id
from pamosnik.security import passwords, vault
from pamosnik.security.vault import Keys
from pamosnik.services import account_words
from pamosnik.services.shapes import Shape, iso
from pamosnik.store import accounts, connections, consents, instagram_logins, mailed_links, noted
from pamosnik.store import sessions as session_store
from pamosnik.store.accounts import Account
from pamosnik.store.consents import How, What
from pamosnik.store.database import Database
from pamosnik.store.mailed_links import Purpose
from pamosnik.store.sessions import Session

ADULT = "Making an account states that its holder is an adult."
"""Said where one is made; when it was stated is recorded."""


class AddressTaken(PamosnikError):
    """Another account has this e-mail address. A page that strangers see must not tell."""


@dataclass(frozen=True, slots=True, repr=False)
class NewAccount:
    """What is asked for an account. Its repr shows nothing, for it holds a password."""

    name: str
    email: str
    password: str
    timezone: str


# --- making one ------------------------------------------------------------------------------------------


def valid(new: NewAccount) -> NewAccount:
    """As it is stored. Refuses empty names, what is no e-mail address, unknown time zones and weak passwords."""
    tidied = NewAccount(
        account_words.name(new.name),
        account_words.email(new.email),
        new.password,
        account_words.timezone(new.timezone),
    )
    passwords.require_good(new.password, (tidied.name, tidied.email))
    return tidied


@dataclass(frozen=True, slots=True, repr=False)
class Prepared:
    """An account that only needs its key."""

    account: Account
    password_hash: str


def prepare(new: NewAccount, now: datetime) -> Prepared:
    """Checks what was given and hashes the password, which takes a quarter of a second."""
    new = valid(new)
    account = Account(new_id(now), new.name, new.email, new.timezone, now)
    return Prepared(account, passwords.hash_password(new.password))


def make(database: Database, keys: Keys, prepared: Prepared) -> Account:
    """The account with its own data key. Making it states that its holder is an adult. Raises `AddressTaken`. Until
    it returns the keys must stay as they are."""
    account = prepared.account
    wrapped = keys.wrap(account.id, vault.new_data_key())
    at = account.created_at

    def insert(conn: Connection) -> None:
        require_free(conn, account.email)
        accounts.insert(
            conn, account, password_hash=prepared.password_hash, wrapped_key=wrapped, adult_stated_at=at
        )
        consents.note(conn, account.id, What.ADULTHOOD, How.COMMAND, at)
        _note(conn, account.id, "command", "account made: adulthood stated", None, at)

    database.write(insert)
    return account


def create(database: Database, keys: Keys, new: NewAccount, now: datetime) -> Account:
    """`prepare` and `make` at once."""
    return make(database, keys, prepare(new, now))


def require_free(conn: Connection, email: str, but: str | None = None) -> None:
    """Raises `AddressTaken` when an account has this address, other than the one whose id is `but`."""
    known = accounts.by_email(conn, email)
    if known is not None and known.id != but:
        raise AddressTaken(
            f"There is an account with the address {known.email} already; nothing was changed.",
            hint="Each account needs an address of its own. Try: pamosnik accounts list",
        )


# --- changing one ----------------------------------------------------------------------------------------


def change(
    conn: Connection,
    account_id: str,
    *,
    name: str | None = None,
    timezone: str | None = None,
    actor: str,
    now: datetime,
) -> Account:
    """Corrects name or time zone; None leaves it. Returns how the account is now; the same again is no change."""
    before = _existing(conn, account_id)
    after = replace(
        before,
        name=before.name if name is None else account_words.name(name),
        timezone=before.timezone if timezone is None else account_words.timezone(timezone),
    )
    changed = [what for what in ("name", "timezone") if getattr(before, what) != getattr(after, what)]
    if changed:
        accounts.update(conn, after)
        _note(conn, account_id, actor, "account changed", " ".join(changed), now)
    return after


def change_email(conn: Connection, account_id: str, email: str, *, actor: str, now: datetime) -> Account:
    """The address to log in with becomes this one, and links that were mailed to the account are void. Raises
    `AddressTaken`."""
    before = _existing(conn, account_id)
    after = replace(before, email=account_words.email(email))
    if after == before:
        return before
    require_free(conn, after.email, but=account_id)
    accounts.update(conn, after)
    for purpose in Purpose:
        mailed_links.drop(conn, account_id, purpose)
    _note(conn, account_id, actor, "account changed", "email", now)
    return after


def set_password(
    conn: Connection,
    account_id: str,
    password_hash: str,
    *,
    but_session: str | None,
    actor: str,
    now: datetime,
) -> int:
    """Whoever knew the old password is out: ends the sessions but for `but_session`, voids links that were mailed,
    even to an address they asked for, and makes known browsers strangers'. Returns how many sessions it ended.

    Make the hash before the transaction, of a password that was found good: it takes a quarter of a second."""
    _existing(conn, account_id)
    accounts.set_password_hash(conn, account_id, password_hash)
    for purpose in Purpose:
        mailed_links.drop(conn, account_id, purpose)
    instagram_logins.drop(conn, account_id)
    session_store.forget_browsers(conn, account_id)
    ended = session_store.close_all(conn, account_id, but=but_session)
    _note(conn, account_id, actor, "password changed", None, now)
    return ended


def hashed_if_good(account: Account, password: str) -> str:
    """The hash of a new password for this account. Refuses a weak one. Takes a quarter of a second."""
    passwords.require_good(password, (account.name, account.email))
    return passwords.hash_password(password)


# --- sessions --------------------------------------------------------------------------------------------


def sessions(conn: Connection, account_id: str, now: datetime) -> list[Session]:
    """Those that are open, the one seen last first."""
    return session_store.of_account(conn, account_id, now)


def session_shape(session: Session) -> Shape:
    return {
        "id": session.id,
        "browser": session.browser or None,
        "created_at": iso(session.created_at),
        "last_seen_at": iso(session.last_seen_at),
        "expires_at": iso(session.expires_at),
    }


def end_session(conn: Connection, account_id: str, session_id: str, *, actor: str, now: datetime) -> bool:
    """Whoever has it must log in again. False when the account has no such session (any more)."""
    ended = session_store.close(conn, account_id, session_id)
    if ended:
        _note(conn, account_id, actor, "session ended", session_id, now)
    return ended


def end_all_sessions(
    conn: Connection, account_id: str, *, but_session: str | None = None, actor: str, now: datetime
) -> int:
    """Ends the account's sessions, but for the one named; how many."""
    ended = session_store.close_all(conn, account_id, but=but_session)
    if ended:
        _note(conn, account_id, actor, "sessions ended", None, now)
    return ended


# --- reading ---------------------------------------------------------------------------------------------


def shape(conn: Connection, account: Account, now: datetime) -> Shape:
    """An account for its holder, and for the machine's owner."""
    return {
        "id": account.id,
        "email": account.email,
        "name": account.name,
        "timezone": account.timezone,
        "connections": [connected.username for connected in connections.of_account(conn, account.id)],
        "created_at": iso(account.created_at),
        "adult_stated_at": iso(accounts.adult_stated_at(conn, account.id)),
        "sessions": len(session_store.of_account(conn, account.id, now)),
    }


def history(conn: Connection, account_id: str, *, limit: int | None, since: datetime | None) -> list[Shape]:
    """What was done and agreed to, the newest first; no names, only ids of Pamosnik's own."""
    return [
        {
            "at": iso(one.at),
            "kind": one.kind.value,
            "what": one.what,
            "by": one.by,
            "subject": one.subject,
        }
        for one in noted.newest(conn, account_id, limit=limit, since=since)
    ]


def _existing(conn: Connection, account_id: str) -> Account:
    account = accounts.load(conn, account_id)
    if account is None:
        raise NotFound("This account does not exist any more.", hint="Try: pamosnik accounts list")
    return account


def _note(
    conn: Connection, account_id: str, actor: str, action: str, subject: str | None, now: datetime
) -> None:
    accounts.audit(conn, account_id, actor=actor, action=action, subject=subject, now=now)
