"""`was:` of flows that only the machine where they run can judge."""

from collections.abc import Collection, Iterator, Sequence

from pamosnik.flows.load import FlowSource
from pamosnik.flows.problems import Problem, Severity


def unknown(flows: Sequence[FlowSource], known: Collection[str]) -> Iterator[Problem]:
    """A note on each former id that was never here, unless the flow is applied already. `known`: all ids that are or
    were applied."""
    for flow in flows:
        was = flow.body.get("was")
        if was is None or was in known or flow.id in known:
            continue
        message = f"no flow `{was}` was ever applied here: `{flow.id}` begins with nothing"
        hint = "If it had yet another id here, name that one; else this is as it should be."
        yield Problem(flow.file, flow.line, 1, Severity.NOTE, "was-unknown", message, hint)
