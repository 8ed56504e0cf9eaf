"""The two transition tables as diagrams in Mermaid's notation: `python -m pamosnik.model.diagram`.

docs/reliability.md shows them; a test compares.
"""

import sys
from collections.abc import Mapping, Set
from enum import StrEnum
from typing import TypeVar

from pamosnik.model.outbox import ITEM_TRANSITIONS, ItemStatus
from pamosnik.model.run import RUN_TRANSITIONS, RunStatus

State = TypeVar("State", bound=StrEnum)


def mermaid(transitions: Mapping[State, Set[State]], begins: tuple[State, ...]) -> str:
    """A state diagram; remaining in a state is no arrow."""
    lines = ["stateDiagram-v2", *(f"    [*] --> {state.value}" for state in begins)]
    for before, afters in transitions.items():
        lines += [f"    {before.value} --> {after.value}" for after in sorted(afters) if after is not before]
    return "\n".join(lines)


def messages() -> str:
    return mermaid(ITEM_TRANSITIONS, (ItemStatus.QUEUED, ItemStatus.HELD))


def runs() -> str:
    return mermaid(RUN_TRANSITIONS, (RunStatus.ACTIVE,))


if __name__ == "__main__":
    sys.stdout.write(f"{messages()}\n\n{runs()}\n")
