"""The one place that imports an SQLite module.

Debian's libsqlite3 3.40 is in the range of the WAL-reset corruption bug (3.7.0 to 3.51.2), so the
wheel of `pysqlite3`, which carries its own SQLite, comes first. Its exception classes are not those
of the standard library: everything else imports them from here.
"""

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

__all__ = [
    "Connection",
    "Cursor",
    "DatabaseError",
    "Error",
    "IntegrityError",
    "OperationalError",
    "Row",
    "connect",
    "sqlite_version",
]
