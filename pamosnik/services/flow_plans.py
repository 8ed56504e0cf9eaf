"""A plan as scripts and the page read it."""

from collections.abc import Sequence

from pamosnik.flows.plan import Change, ChangeKind, Plan
from pamosnik.flows.problems import Problem
from pamosnik.flows.standing import Standing
from pamosnik.services.peaks import Peak, peak_json
from pamosnik.services.shapes import Shape, iso


def plan_json(plan: Plan, peaks: Sequence[Peak] = ()) -> dict[str, object]:
    return {
        "changes": [change_json(change) for change in plan.changes],
        "counts": {kind.value: plan.counts.get(kind, 0) for kind in ChangeKind},
        "order": list(plan.order),
        "moved": [{"flow": move.flow_id, "after": move.after} for move in plan.moved],
        "settings_changed": bool(plan.settings),
        "settings": [
            {"setting": one.name, "before": one.before, "after": one.after} for one in plan.settings
        ],
        "codes": [{"pool": one.pool, "new": one.new, "withdrawn": one.gone} for one in plan.codes],
        "peaks": [peak_json(peak) for peak in peaks],
    }


def change_json(change: Change) -> dict[str, object]:
    return {
        "flow": change.flow_id,
        "change": change.kind.value,
        "title": change.title,
        "was": change.was,
        "version": change.version,
        "version_before": None if change.before is None else change.before.version,
        "paused": change.is_paused,
        "lines": [f"{line.sign} {line.text}".rstrip() for line in change.lines],
        "people": change.people,
        "standing": [_standing(one) for one in change.standing],
        "what_happens": change.what_happens,
        "rolled_back_at": None if change.rolled_back is None else iso(change.rolled_back.since),
        "stays_rolled_back": change.rolled_back is not None and change.rolled_back.stays,
    }


def problems_json(problems: Sequence[Problem]) -> list[Shape]:
    return [
        {
            "file": p.file,
            "line": p.line,
            "column": p.column,
            "severity": p.severity.value,
            "code": p.code,
            "message": p.message,
            "hint": p.hint,
        }
        for p in problems
    ]


def _standing(one: Standing) -> dict[str, object]:
    return {
        "version": one.version,
        "path": one.path,
        "step": one.step,
        "waits_for": one.waits_for.value,
        "people": one.people,
    }
