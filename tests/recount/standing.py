"""Where people stand in a flow, and where they went no further, by the rows of runs."""

import json

from tests.recount.counting import Rows, follows


def here(rows: Rows, account: str, flow: str, version: str, path: str) -> int:
    """People who wait at this step now."""
    there = {
        contact for run, contact, at in rows.waits if at == path and _is_of(rows, run, account, flow, version)
    }
    return len(there)


def lost(rows: Rows, account: str, flow: str, version: str, path: str) -> int:
    """Runs that came to this step, went no further, and do not wait there."""
    waiting = {run for run, _, at in rows.waits if at == path}
    ways: dict[str, list[str]] = {}
    for (run, _), turn in sorted(rows.turns.items()):
        # What becomes of a run that is not kept any more counts no more.
        if _is_of(rows, run, account, flow, version) and turn["at"] <= rows.runs[run]["gone_at"]:
            ways.setdefault(run, []).extend(what for what, *_ in json.loads(turn["trace"]) if _is_step(what))
    return sum(path in way and run not in waiting and not _went_on(way, path) for run, way in ways.items())


def _went_on(way: list[str], path: str) -> bool:
    """Whether a step that follows came after it."""
    return any(follows(one, path) for one in way[way.index(path) + 1 :])


def _is_step(path: str) -> bool:
    """And not a button or a choice, which nobody has to follow."""
    *_, kind, place = path.split(".") if path.count(".") else ("", path, "")
    return place.isdigit() and kind in ("do", "else", "if_no_answer", "if_not")


def _is_of(rows: Rows, run: str, account: str, flow: str, version: str) -> bool:
    row = rows.runs.get(run)
    return row is not None and (row["account_id"], row["flow_id"], row["version"]) == (account, flow, version)
