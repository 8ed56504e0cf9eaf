"""What columns tables have: for what works on any table by the register, as an import does."""

from collections.abc import Mapping

from pamosnik._sqlite import Connection


def key(conn: Connection, table: str) -> list[str]:
    """The columns of its primary key."""
    rows = conn.execute("SELECT name FROM pragma_table_info(?) WHERE pk>0 ORDER BY pk", (table,))
    return [name for (name,) in rows]


def columns(conn: Connection, table: str) -> Mapping[str, str]:
    """Name → type of every column."""
    return dict(conn.execute("SELECT name, type FROM pragma_table_info(?)", (table,)).fetchall())
