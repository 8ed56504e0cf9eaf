"""The tests of what would be applied: flow files, and the flows that stay beside them."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from pamosnik.flows.load import FlowSource, Loaded
from pamosnik.flows.normal import Raw
from pamosnik.flows.written_tests import FlowTest
from pamosnik.rehearsal.play import Play
from pamosnik.rehearsal.testing.player import play_all
from pamosnik.rehearsal.testing.result import Result


def play(
    tests: Sequence[FlowTest],
    loaded: Loaded,
    stay: Mapping[str, Raw],
    order: tuple[str, ...],
    timezone: str,
) -> list[Result]:
    """`loaded`: the files, and the settings that hold then. `stay`: bodies of the flows that stay as they are
    applied: they are in no file, or were rolled back. `order`: of all of them. `timezone`: the account's."""
    flows = {flow.id: flow for flow in loaded.flows}
    flows |= {flow_id: FlowSource(flow_id, body, "", 0) for flow_id, body in stay.items()}
    outcome = replace(loaded, flows=tuple(flows[flow_id] for flow_id in order))
    with Play((), loaded=outcome, timezone=timezone) as stage:
        return list(play_all(stage, tests))
