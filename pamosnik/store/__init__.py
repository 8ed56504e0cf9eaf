"""The SQLite file. Hides SQL: functions take a connection, rows leave as values of `model`.

Functions are synchronous and never commit; the unit of work is a function handed to `database.Database.write`
(command line, tests) or `writer.GroupWriter.write` (daemon), so several compose into one transaction.
All `*_at` columns are UTC milliseconds since 1970.
"""
