"""A plan in lines for people."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum, auto

from pamosnik.flows.comparison import Line, Sign
from pamosnik.flows.plan import SIGNS, Change, ChangeKind, Plan, RolledBack
from pamosnik.flows.settings_changes import SettingChange
from pamosnik.flows.standing import where

LINES_SHOWN = 12
"""Of what changes in one flow, unless all is asked for."""
PLACES_SHOWN = 6
STILL_SHOWN = 20
"""Flows that stay as they are; more of them are counted only."""
ONE_LINE = 60
"""Longer values stand below each other."""


class Tone(Enum):
    """How a line is to be shown."""

    PLAIN = auto()
    NEW = auto()
    CHANGED = auto()
    GONE = auto()
    STILL = auto()
    """Nothing to see: what stays as it is."""
    TITLE = auto()


@dataclass(frozen=True, slots=True)
class Said:
    text: str
    tone: Tone = Tone.PLAIN


_TONES = {
    ChangeKind.ADDED: Tone.NEW,
    ChangeKind.CHANGED: Tone.CHANGED,
    ChangeKind.RENAMED: Tone.CHANGED,
    ChangeKind.REMOVED: Tone.GONE,
    ChangeKind.UNCHANGED: Tone.STILL,
    ChangeKind.KEPT: Tone.STILL,
}
_SIGN_TONES = {
    Sign.GONE: Tone.GONE,
    Sign.NEW: Tone.NEW,
    Sign.SAME: Tone.STILL,
    Sign.LEFT_OUT: Tone.STILL,
}


def lines(plan: Plan, *, full: bool = False) -> Iterator[Said]:
    """All but its summary. `full`: all of every change."""
    still = sum(not _is_news(change) for change in plan.changes)
    few = full or still <= STILL_SHOWN
    for change in plan.changes:
        if _is_news(change) or few:
            yield from _flow(change, full=full)
    if not few:
        yield Said(f"= {still} flows stay as they are (--full names them)", Tone.STILL)
    yield from _order(plan)
    if plan.settings:
        for setting in plan.settings:
            yield from _setting(setting)
        yield Said("    Settings count at once, also for people who are in a flow now.")
    for pool in plan.codes:
        counts = ((pool.new, "new"), (pool.gone, "withdrawn"))
        told = ", ".join(f"{count} {what}" for count, what in counts if count)
        yield Said(f"~ codes {pool.pool}  {told}", Tone.CHANGED)


def _is_news(change: Change) -> bool:
    return change.changes or change.rolled_back is not None


def summary(plan: Plan) -> str:
    """`1 added, 2 changed, 5 unchanged; 1 setting changes.`"""
    parts = [f"{count} {_COUNTED[kind]}" for kind, count in plan.counts.items()]
    said = [", ".join(parts) or "no flows"]
    if plan.settings:
        said.append(f"{_count(len(plan.settings), 'setting')} change{'s' if len(plan.settings) == 1 else ''}")
    if plan.moved:
        said.append("the order changes")
    return f"{'; '.join(said)}."


_COUNTED = {kind: kind.value for kind in ChangeKind} | {ChangeKind.KEPT: "in no file"}


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _flow(change: Change, *, full: bool) -> Iterator[Said]:
    was = f"  (was {change.was})" if change.was else ""
    kept = "  (in no file, stays)" if change.kind is ChangeKind.KEPT else ""
    title = f"  {change.title}" if change.title != change.flow_id else ""
    paused = "  (paused)" if change.is_paused else ""
    said = f"{SIGNS[change.kind]} {change.flow_id}{title}{was}{kept}{paused}"
    yield Said(said, _TONES[change.kind])
    if change.rolled_back is not None:
        yield _rolled_back(change.rolled_back, in_file=change.after is not None)
    yield from _shortened(change.lines, full=full)
    if change.changes:
        yield from _people(change, full=full)


def _rolled_back(rolled_back: RolledBack, *, in_file: bool) -> Said:
    differs = "the file differs" if in_file else "it stands in no file"
    stays = ": it stays so without --over-rollback" if rolled_back.stays else ""
    return Said(f"    rolled back on {rolled_back.told}; {differs}{stays}", Tone.CHANGED)


def _shortened(changed: Sequence[Line], *, full: bool) -> Iterator[Said]:
    shown = changed if full or len(changed) <= LINES_SHOWN + 2 else changed[:LINES_SHOWN]
    for line in shown:
        yield Said(f"    {line.sign} {line.text}".rstrip(), _SIGN_TONES[line.sign])
    if len(shown) < len(changed):
        yield Said(f"    … {len(changed) - len(shown)} more lines (--full shows them)", Tone.STILL)


def _people(change: Change, *, full: bool) -> Iterator[Said]:
    if change.people:
        yield Said(f"    {_in_it(change.people)}:" if change.standing else f"    {_in_it(change.people)}.")
        shown = change.standing if full else change.standing[:PLACES_SHOWN]
        yield from (Said(f"      {where(one)}") for one in shown)
        if len(shown) < len(change.standing):
            more = len(change.standing) - len(shown)
            yield Said(f"      … at {_count(more, 'more place')} (--full shows them)", Tone.STILL)
    yield from (Said(f"    {sentence}") for sentence in change.what_happens)


def _in_it(people: int) -> str:
    return "1 person is in it" if people == 1 else f"{people} people are in it"


def _order(plan: Plan) -> Iterator[Said]:
    if not plan.moved:
        return
    yield Said("~ order of the flows", Tone.CHANGED)
    for move in plan.moved:
        place = "first" if move.after is None else f"after {move.after}"
        yield Said(f"    {move.flow_id} now stands {place}")
    yield Said("    It decides who answers where two flows fit equally well.")


def _setting(setting: SettingChange) -> Iterator[Said]:
    before, after = setting.before, setting.after
    if before is None:
        yield Said(f"+ {setting.name}  {after}", Tone.NEW)
    elif after is None:
        yield Said(f"- {setting.name}  {before}", Tone.GONE)
    elif len(setting.name) + len(before) + len(after) <= ONE_LINE:
        yield Said(f"~ {setting.name}  {before} → {after}", Tone.CHANGED)
    else:
        yield Said(f"~ {setting.name}", Tone.CHANGED)
        yield Said(f"    - {before}", Tone.GONE)
        yield Said(f"    + {after}", Tone.NEW)
