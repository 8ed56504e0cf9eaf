"""What migration 28 makes: the daily totals summed by month, so that two years are read as quickly as one month.

Triggers keep the sums, whoever changes a day and why: counting, a new name of a flow, an import, a deletion. A month
goes with the last of its days, and no row of it stands without one.
"""

_REST = "flow_id, version, step, media_id, what"
_KEY = f"account_id, connection_id, day, {_REST}"


def _of(row: str, columns: str) -> str:
    return ", ".join(f"{row}.{name}" for name in columns.split(", "))


def _add(row: str) -> str:
    return (
        f"INSERT INTO month_totals (account_id, connection_id, month, {_REST}, n, days)"  # noqa: S608 - our own words
        f" VALUES ({row}.account_id, {row}.connection_id, substr({row}.day, 1, 7), {_of(row, _REST)}, {row}.n, 1)"
        " ON CONFLICT DO UPDATE SET n=n+excluded.n, days=days+1;"
    )


def _month(row: str) -> str:
    same = " AND ".join(
        f"{name}={row}.{name}" for name in ("account_id", "connection_id", *_REST.split(", "))
    )
    return f"{same} AND month=substr({row}.day, 1, 7)"


def _take(row: str) -> str:
    return (
        f"UPDATE month_totals SET n=n-{row}.n, days=days-1 WHERE {_month(row)};"  # noqa: S608
        f" DELETE FROM month_totals WHERE {_month(row)} AND days=0;"
    )


_SAME_DAY = f"({_of('OLD', _KEY)}) = ({_of('NEW', _KEY)})"

STATEMENTS = (
    """\
CREATE TABLE month_totals ( -- the sums of `totals` by month; triggers there keep them
  account_id TEXT NOT NULL REFERENCES accounts,
  connection_id TEXT NOT NULL,
  month TEXT NOT NULL, -- YYYY-MM
  flow_id TEXT NOT NULL,
  version TEXT NOT NULL,
  step TEXT NOT NULL,
  media_id TEXT NOT NULL,
  what TEXT NOT NULL,
  n INTEGER NOT NULL,
  days INTEGER NOT NULL, -- rows of `totals` in it
  PRIMARY KEY (account_id, connection_id, month, flow_id, version, step, media_id, what)
) STRICT, WITHOUT ROWID""",
    f"INSERT INTO month_totals (account_id, connection_id, month, {_REST}, n, days)"  # noqa: S608
    f" SELECT account_id, connection_id, substr(day, 1, 7), {_REST}, sum(n), count(*) FROM totals"
    f" GROUP BY account_id, connection_id, substr(day, 1, 7), {_REST}",
    f"CREATE TRIGGER month_new AFTER INSERT ON totals BEGIN {_add('NEW')} END",
    f"CREATE TRIGGER month_counted AFTER UPDATE ON totals WHEN {_SAME_DAY}"  # noqa: S608
    f" BEGIN UPDATE month_totals SET n=n-OLD.n+NEW.n WHERE {_month('NEW')}; END",
    f"CREATE TRIGGER month_moved AFTER UPDATE ON totals WHEN NOT {_SAME_DAY} BEGIN {_take('OLD')} {_add('NEW')} END",
    f"CREATE TRIGGER month_gone AFTER DELETE ON totals BEGIN {_take('OLD')} END",
)
