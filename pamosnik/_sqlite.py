"""The one place that imports an SQLite module.

Debian's libsqlite3 3.40 is in the range of the WAL-reset corruption bug (3.7.0 to 3.51.2), so the
wheel of `pysqlite3`, which carries its own SQLite, comes first. Its exception classes are not those
of the standard library: everything else imports them from here.
"""

from enum import IntEnum

try:
    from pysqlite3 import dbapi2 as sqlite3
except ImportError:  # no wheel for this machine: `doctor` names the library's version
    import sqlite3

Connection = sqlite3.Connection
Cursor = sqlite3.Cursor
Row = sqlite3.Row
Error = sqlite3.Error
DatabaseError = sqlite3.DatabaseError
IntegrityError = sqlite3.IntegrityError
OperationalError = sqlite3.OperationalError
connect = sqlite3.connect
sqlite_version: str = sqlite3.sqlite_version


class Action(IntEnum):
    """What a statement wants to do, when an authorizer is asked. https://www.sqlite.org/c3ref/c_alter_table.html"""

    INSERT = sqlite3.SQLITE_INSERT
    READ = sqlite3.SQLITE_READ
    SELECT = sqlite3.SQLITE_SELECT
    TRANSACTION = sqlite3.SQLITE_TRANSACTION
    FUNCTION = sqlite3.SQLITE_FUNCTION
    RECURSIVE = sqlite3.SQLITE_RECURSIVE


class Authorized(IntEnum):
    """What an authorizer answers."""

    OK = sqlite3.SQLITE_OK
    DENY = sqlite3.SQLITE_DENY


class Code(IntEnum):
    """SQLite's result codes that tell of the disk, the file or a lock rather than of a mistake in a statement.

    https://www.sqlite.org/rescode.html, read 2026-11-25.
    """

    PERM = 3
    BUSY = 5
    LOCKED = 6
    READONLY = 8
    IOERR = 10
    CORRUPT = 11
    FULL = 13
    CANTOPEN = 14
    PROTOCOL = 15
    NOTADB = 26


_CODES = {int(code): code for code in Code}


def code_of(error: BaseException) -> Code | None:
    """The primary result code behind an exception; None when it is none of `Code`, or not SQLite's at all."""
    primary = getattr(error, "sqlite_errorcode", 0) & 0xFF
    return _CODES.get(primary)


def was_interrupted(error: BaseException) -> bool:
    """Whether a progress handler ended the statement."""
    return bool(getattr(error, "sqlite_errorname", None) == "SQLITE_INTERRUPT")


def name_of(error: BaseException) -> str:
    """SQLite's name of the extended result code, like SQLITE_IOERR_READ; the message when there is none."""
    return str(getattr(error, "sqlite_errorname", None) or error)


__all__ = [
    "Code",
    "Connection",
    "Cursor",
    "DatabaseError",
    "Error",
    "IntegrityError",
    "OperationalError",
    "Row",
    "code_of",
    "connect",
    "name_of",
    "sqlite_version",
    "was_interrupted",
]
