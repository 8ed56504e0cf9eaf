"""Whether a step needs the person's profile before it can be done."""

from collections.abc import Iterator
from dataclasses import fields, is_dataclass

from pamosnik.engine import profile
from pamosnik.engine.working import Turn
from pamosnik.model.condition import Condition
from pamosnik.model.step import Ask, Choose, Send, Step
from pamosnik.model.text import Variable


def needed(turn: Turn, step: Step) -> bool:
    """Never twice in a turn, and not for what nobody will read."""
    came_back = turn.came_back is not None and turn.came_back.step == step.at.path
    if came_back or turn.profile_asked or not profile.may_ask(turn.contact, turn.now):
        return False
    if isinstance(step, Choose):
        return _undecided(turn, step)
    if isinstance(step, Send | Ask) and not turn.may_send():
        return False
    return any(profile.wanted_for(name, turn.contact, turn.now) for name in _variables(step))


def _undecided(turn: Turn, step: Choose) -> bool:
    """Whether the first branch that may be taken depends on the profile."""
    for branch in step.branches:
        if branch.condition is None or turn.holds(branch.condition) is True:
            return False
        if turn.could_tell(branch.condition):
            return True
    return False


def _variables(part: object) -> Iterator[str]:
    """Names of the variables in all texts of a step."""
    if isinstance(part, Variable):
        yield part.name
    elif isinstance(part, tuple):
        for item in part:
            yield from _variables(item)
    elif is_dataclass(part) and not isinstance(part, Condition):
        for field in fields(part):
            yield from _variables(getattr(part, field.name))
