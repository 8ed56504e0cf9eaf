"""What people and scripts read, a module for each subject, in the shapes of the JSON contract.

The status page, the API, the commands and exports call the same functions, so that their numbers agree. Times are
ISO 8601 in UTC.
"""

from pamosnik.services.reading import (
    broadcasts,
    connections,
    events,
    flows,
    forecast,
    links,
    numbers,
    overview,
    people,
    problems,
    queue,
    runs,
    status,
)

__all__ = [
    "broadcasts",
    "connections",
    "events",
    "flows",
    "forecast",
    "links",
    "numbers",
    "overview",
    "people",
    "problems",
    "queue",
    "runs",
    "status",
]
