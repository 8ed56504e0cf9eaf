"""Which way runs went on a stage."""

import json
from dataclasses import dataclass

from pamosnik._sqlite import Connection
from pamosnik.engine.match import Heard
from pamosnik.model.event import Verdict
from pamosnik.model.trigger import ScheduleTrigger
from pamosnik.services.library import Library
from pamosnik.services.posts import posts_of
from pamosnik.store import inbox, reads, runs
from pamosnik.store.accounts import Account


@dataclass(frozen=True, slots=True)
class Walk:
    """One run."""

    flow: str
    triggers: frozenset[int]
    """Numbers of the triggers that began it, of which at least one did; empty: another flow did."""
    checks: tuple[tuple[str, str, str], ...]
    """(path, what happened, detail), in order."""


def walks(conn: Connection, account: Account, library: Library) -> tuple[Walk, ...]:
    """Of every run that is kept."""
    begun = {
        row[10]: (row[0], json.loads(row[11] or "[]"))
        for row in reads.events(conn, account.id, limit=None)
        if row[7] == Verdict.STARTED
    }
    found = []
    for row in reads.runs(conn, account.id, limit=None):
        run_id, flow_id = row[0], row[1]
        event_id, trace = begun.get(run_id, (None, []))
        said = next((check[2] for check in trace if check[:2] == [flow_id, "starts"]), None)
        if event_id is not None and said is not None:
            triggers = _took(conn, account, library, event_id, flow_id, said)
        else:
            triggers = _scheduled(conn, account, library, run_id, flow_id)
        checks = tuple(
            (check[0], check[1], check[2])
            for turn in reads.turns(conn, run_id)
            for check in json.loads(turn[3])
        )
        found.append(Walk(flow_id, triggers, checks))
    return tuple(found)


def _took(
    conn: Connection, account: Account, library: Library, event_id: str, flow_id: str, said: str
) -> frozenset[int]:
    catalog = library.catalog(conn, account.id)
    event = inbox.load(conn, event_id)
    if event is None or flow_id not in catalog.flows:
        return frozenset()
    heard, posts = Heard.of(event.incoming.text), posts_of(conn, catalog, event)
    number = catalog.trigger_of(event, heard, flow_id, said, posts=posts)
    return frozenset() if number is None else frozenset({number})


def _scheduled(
    conn: Connection, account: Account, library: Library, run_id: str, flow_id: str
) -> frozenset[int]:
    """A broadcast's, when nobody came and no event began it."""
    run = runs.load(conn, run_id)
    flow = library.catalog(conn, account.id).flows.get(flow_id)
    if run is None or flow is None or run.origin.event_id is not None or run.origin.came_from is not None:
        return frozenset()
    return frozenset(n for n, trigger in enumerate(flow.triggers) if isinstance(trigger, ScheduleTrigger))
