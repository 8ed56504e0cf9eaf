"""Accounts: who may log in, and their wrapped data keys; and the audit of who did what."""

import unicodedata
from dataclasses import dataclass
from datetime import datetime

from pamosnik._sqlite import Connection
from pamosnik.store.times import instant, ms


@dataclass(frozen=True, slots=True)
class Account:
    """An account, without its password's hash."""

    id: str
    name: str
    email: str
    timezone: str
    created_at: datetime


_ACCOUNT = "account_id, name, email, timezone, created_at"


def _account(row: tuple[str, str, str, str, int]) -> Account:
    return Account(id=row[0], name=row[1], email=row[2], timezone=row[3], created_at=instant(row[4]))


def insert(
    conn: Connection, account: Account, *, password_hash: str, wrapped_key: bytes, adult_stated_at: datetime
) -> None:
    """A new account with its data key. `adult_stated_at`: when its holder stated to be an adult."""
    conn.execute(
        "INSERT INTO accounts (account_id, name, email, timezone, password_hash, adult_stated_at, created_at)"
        " VALUES (?,?,?,?,?,?,?)",
        (
            account.id,
            account.name,
            account.email,
            account.timezone,
            password_hash,
            ms(adult_stated_at),
            ms(account.created_at),
        ),
    )
    conn.execute(
        "INSERT INTO account_keys (account_id, wrapped_key, created_at) VALUES (?,?,?)",
        (account.id, wrapped_key, ms(account.created_at)),
    )


def every(conn: Connection) -> list[Account]:
    """All accounts of this home, the oldest first. For the machine's owner, never for a page."""
    rows = conn.execute(f"SELECT {_ACCOUNT} FROM accounts ORDER BY created_at, account_id")  # noqa: S608
    return [_account(row) for row in rows]


def timezone(conn: Connection, account_id: str) -> str:
    """Its time zone; UTC when there is no such account."""
    row = conn.execute("SELECT timezone FROM accounts WHERE account_id=?", (account_id,)).fetchone()
    return "UTC" if row is None else str(row[0])


def load(conn: Connection, account_id: str) -> Account | None:
    row = conn.execute(
        f"SELECT {_ACCOUNT} FROM accounts WHERE account_id=?",  # noqa: S608 - column names
        (account_id,),
    ).fetchone()
    return None if row is None else _account(row)


def tidy_email(email: str) -> str:
    """The form in which addresses are stored and looked for: composed (Unicode's NFC), the domain in lower case."""
    local, at, domain = unicodedata.normalize("NFC", email).strip().rpartition("@")
    return f"{local}{at}{domain.lower()}"


def by_email(conn: Connection, email: str) -> Account | None:
    """Upper and lower case do not matter."""
    row = conn.execute(
        f"SELECT {_ACCOUNT} FROM accounts WHERE email=?",  # noqa: S608 - column names
        (tidy_email(email),),
    ).fetchone()
    return None if row is None else _account(row)


def adult_stated_at(conn: Connection, account_id: str) -> datetime | None:
    """When its holder stated to be an adult; None when there is no such account."""
    row = conn.execute("SELECT adult_stated_at FROM accounts WHERE account_id=?", (account_id,)).fetchone()
    return None if row is None else instant(row[0])


def update(conn: Connection, account: Account) -> None:
    """Name, e-mail and time zone become those of `account`. The e-mail must be free."""
    conn.execute(
        "UPDATE accounts SET name=?, email=?, timezone=? WHERE account_id=?",
        (account.name, account.email, account.timezone, account.id),
    )


def set_password_hash(conn: Connection, account_id: str, hashed: str) -> None:
    conn.execute("UPDATE accounts SET password_hash=? WHERE account_id=?", (hashed, account_id))


def replace_password_hash(conn: Connection, account_id: str, *, was: str, hashed: str) -> bool:
    """The same password, hashed anew. False when it was changed meanwhile: then the new one stays."""
    done = conn.execute(
        "UPDATE accounts SET password_hash=? WHERE account_id=? AND password_hash=?",
        (hashed, account_id, was),
    )
    return bool(done.rowcount)


def password_hash(conn: Connection, account_id: str) -> str:
    """Empty when there is no such account: nothing fits that."""
    row = conn.execute("SELECT password_hash FROM accounts WHERE account_id=?", (account_id,)).fetchone()
    return "" if row is None else str(row[0])


@dataclass(frozen=True, slots=True, repr=False)
class DataKey:
    """An account's data key, wrapped by the master key."""

    account: Account
    wrapped: bytes
    made_at: datetime


def data_keys(conn: Connection) -> list[DataKey]:
    """Of every account whose key was not destroyed, the oldest account first. For the machine's owner."""
    rows = conn.execute(
        "SELECT a.account_id, name, email, timezone, a.created_at, wrapped_key, k.created_at FROM accounts a"
        " JOIN account_keys k USING (account_id) ORDER BY a.created_at, a.account_id"
    )
    return [DataKey(_account(row[:5]), row[5], instant(row[6])) for row in rows]


def rewrap(conn: Connection, account_id: str, wrapped: bytes) -> None:
    """The same data key, wrapped by another master key."""
    conn.execute("UPDATE account_keys SET wrapped_key=? WHERE account_id=?", (wrapped, account_id))


def put_wrapped_key(conn: Connection, account_id: str, wrapped: bytes, now: datetime) -> None:
    """Replaces the account's data key."""
    conn.execute(
        "INSERT INTO account_keys (account_id, wrapped_key, created_at) VALUES (?,?,?)"
        " ON CONFLICT (account_id) DO UPDATE SET wrapped_key=excluded.wrapped_key, created_at=excluded.created_at",
        (account_id, wrapped, ms(now)),
    )


def wrapped_key(conn: Connection, account_id: str) -> bytes | None:
    """The account's data key, wrapped by the master key; None when it was destroyed."""
    row = conn.execute("SELECT wrapped_key FROM account_keys WHERE account_id=?", (account_id,)).fetchone()
    return None if row is None else row[0]


def set_deleting(conn: Connection, account_id: str) -> None:
    """It is being deleted: nothing brings it back."""
    conn.execute("UPDATE accounts SET status='deleting' WHERE account_id=?", (account_id,))


def is_deleting(conn: Connection, account_id: str) -> bool:
    row = conn.execute("SELECT status FROM accounts WHERE account_id=?", (account_id,)).fetchone()
    return row is not None and row[0] == "deleting"


def audit(
    conn: Connection,
    account_id: str,
    *,
    actor: str,
    action: str,
    subject: str | None,
    now: datetime,
    access: bool = False,
) -> None:
    """Notes who did what. Append-only: triggers refuse changes; no message texts, no secrets. `access`: that somebody
    came and went, which retention removes."""
    conn.execute(
        "INSERT INTO audit (account_id, actor, action, subject, at, kind) VALUES (?,?,?,?,?,?)",
        (account_id, actor, action, subject, ms(now), "access" if access else "change"),
    )


@dataclass(frozen=True, slots=True)
class Audited:
    """Who did what, when."""

    actor: str
    action: str
    subject: str | None
    """An id of ours."""
    at: datetime


def audited(conn: Connection, account_id: str, limit: int) -> list[Audited]:
    """The newest first."""
    rows = conn.execute(
        "SELECT actor, action, subject, at FROM audit WHERE account_id=? ORDER BY id DESC LIMIT ?",
        (account_id, limit),
    )
    return [Audited(actor, action, subject, instant(at)) for actor, action, subject, at in rows]
