"""What people and scripts read, a module for each subject: `newest` gives a list, `named` what an id names, `whole`
all that belongs to it.

The status page, the API, the commands and exports call the same functions, so that their numbers agree. What they get
are values; `shape()` is how one stands in the JSON contract, times as ISO 8601 in UTC.
"""

from pamosnik.services.reading import (
    backlog,
    broadcasts,
    connections,
    conversation,
    counts,
    event_lists,
    events,
    flow_pages,
    flow_splits,
    flow_steps,
    flows,
    forecast,
    lifelines,
    links,
    machine,
    numbers,
    overview,
    people,
    posts,
    problems,
    queue,
    runs,
    statistics,
    status,
    step_words,
    waiting,
)

__all__ = [
    "backlog",
    "broadcasts",
    "connections",
    "conversation",
    "counts",
    "event_lists",
    "events",
    "flow_pages",
    "flow_splits",
    "flow_steps",
    "flows",
    "forecast",
    "lifelines",
    "links",
    "machine",
    "numbers",
    "overview",
    "people",
    "posts",
    "problems",
    "queue",
    "runs",
    "statistics",
    "status",
    "step_words",
    "waiting",
]
