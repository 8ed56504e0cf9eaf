"""A plan as scripts and the page read it."""

from pamosnik.flows.plan import Plan


def plan_json(plan: Plan) -> dict[str, object]:
    return {
        "changes": [
            {
                "flow": change.flow_id,
                "change": change.kind.value,
                "title": change.title,
                "version": change.version,
                "people": change.people,
            }
            for change in plan.changes
        ],
        "settings_changed": plan.settings_changed,
        "codes": [{"pool": one.pool, "new": one.new, "withdrawn": one.gone} for one in plan.codes],
    }
