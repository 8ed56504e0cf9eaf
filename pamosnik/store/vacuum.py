"""Removing the traces of deleted rows from the file and its log. Outside of transactions, as SQLite demands."""

from pamosnik._sqlite import Connection
from pamosnik.store.refusals import BUSY_TIMEOUT_S


def rebuild(conn: Connection) -> None:
    """Writes the whole file anew from the rows that are in it; takes as long as it takes.

    `secure_delete` overwrites rows that are deleted, but not what stays behind in a page when SQLite splits it and
    moves rows to another one: those copies of rows outlive them.
    """
    # A copy in memory, as everywhere else, might be too large. Asked for in vain where SQLite was built to keep all
    # temporary files there (TEMP_STORE=3), as in the wheels of pysqlite3: it takes memory as large as what remains.
    conn.execute("PRAGMA temp_store=FILE")
    try:
        conn.execute("VACUUM")
    finally:
        conn.execute("PRAGMA temp_store=MEMORY")


def empty_wal(conn: Connection) -> bool:
    """Writes the WAL into the file and empties it: until then it holds pages as they were before a deletion.

    False when another program is reading or writing: it has to be tried again.
    """
    # While it waits for readers, nobody can write.
    conn.execute("PRAGMA busy_timeout=50")
    try:
        busy, _, _ = conn.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    finally:
        conn.execute(f"PRAGMA busy_timeout={int(BUSY_TIMEOUT_S * 1000)}")
    return not busy
