"""What a run was counted under already, in one text: words, and for each step a mark that the run came there (`at:`)
and one that it went on from there (`on:`). Marks of steps stand in the order in which they were made."""

from collections.abc import Collection, Iterable

_AT, _ON = "at:", "on:"


def new(counted: str, paths: Iterable[str]) -> list[str]:
    """The marks to add to those in `counted` for a run that comes to these steps, in this order."""
    marks = dict.fromkeys(counted.split())
    before = len(marks)
    for path_ in paths:
        passed = _followed_by(path_, marks)
        if passed is not None:
            marks.setdefault(f"{_ON}{passed}")
        marks.setdefault(f"{_AT}{path_}")
    return list(marks)[before:]


def came_to(mark: str) -> bool:
    """Whether it is that of a step the run came to; otherwise it went on from it."""
    return mark.startswith(_AT)


def path(mark: str) -> str:
    return mark.removeprefix(_AT).removeprefix(_ON)


def steps(counted: str) -> list[str]:
    """Paths of the steps that the run came to."""
    return [path(word) for word in counted.split() if came_to(word)]


def went_on(counted: str, from_path: str) -> bool:
    """Whether the run came from this step to one that follows."""
    return f" {_ON}{from_path} " in counted


def _followed_by(path_: str, marks: Collection[str]) -> str | None:
    """The step that this one follows, if the run has been there: the one before, or the one that its way leaves."""
    above, _, place = path_.rpartition(".")
    if place.isdigit() and int(place):
        earlier = f"{above}.{int(place) - 1}"
        return earlier if f"{_AT}{earlier}" in marks else None
    while above:
        if f"{_AT}{above}" in marks:
            return above
        above = above.rpartition(".")[0]
    return None
