"""What people and scripts read, a module for each subject: `newest` gives a list, `named` what an id names, `whole`
all that belongs to it.

The status page, the API, the commands and exports call the same functions, so that their numbers agree. What they get
are values; `shape()` is how one stands in the JSON contract, times as ISO 8601 in UTC.

Whoever reads imports the module of the subject: `from pamosnik.services.reading import queue`. This package imports
none, so that a command loads what it needs and starts sooner.
"""
