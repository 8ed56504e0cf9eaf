"""A replay as scripts read it."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import groupby

from pamosnik.instagram import limits
from pamosnik.rehearsal.replay.comparing import Different, Fate, Shift
from pamosnik.rehearsal.replay.deeds import Deed
from pamosnik.rehearsal.replay.played import Ended, PrivateReplies
from pamosnik.rehearsal.replay.record import Record
from pamosnik.rehearsal.replay.report import Replay

Shape = dict[str, object]


def as_json(replay: Replay) -> Shape:
    record, found = replay.record, replay.found
    answers, paused = record.begun_before
    return {
        "since": _iso(record.since),
        "until": _iso(record.until),
        "kept_since": None if record.kept_since is None else _iso(record.kept_since),
        "events": found.events,
        "people": found.people,
        "as_recorded": found.as_then,
        "left_out": {
            "begun_before": answers,
            "paused_before": paused,
            "taken_back": record.taken_back,
        },
        "unknown_posts": found.unknown_posts,
        **{fate.value: [_shift_json(s) for s in shifts] for fate, shifts in _by_fate(found.shifts).items()},
        "taps": [
            {
                "label": one.label,
                "flow": one.flow,
                "instead": one.instead,
                "taps": one.taps,
                "people": len(one.people),
            }
            for one in found.taps
        ],
        "different": [_different_json(record, one) for one in found.different],
        "private_replies": [
            _pace_json(record.usernames[connection], before, after)
            for connection, (before, after) in found.private_replies.items()
        ],
        "unsent": [
            {
                "kind": one.kind,
                "status": one.status,
                "reason": one.reason,
                "before": one.before,
                "after": one.after,
            }
            for one in found.unsent
        ],
    }


def _by_fate(shifts: Sequence[Shift]) -> Mapping[Fate, list[Shift]]:
    found: dict[Fate, list[Shift]] = {fate: [] for fate in Fate}
    for fate, some in groupby(shifts, key=lambda shift: shift.fate):
        found[fate] = list(some)
    return found


def _shift_json(shift: Shift) -> Shape:
    return {
        "events": shift.events,
        "people": shift.people,
        "kinds": dict(shift.kinds),
        "texts": list(shift.texts),
        "before": _ended_json(shift.before),
        "after": _ended_json(shift.after),
    }


def _ended_json(ended: Ended) -> Shape:
    return {"verdict": ended.verdict.value, "flow": ended.flow, "reason": ended.reason}


def _different_json(record: Record, one: Different) -> Shape:
    name = record.names.get(one.who)
    username = name.removeprefix("@") if name is not None and name.startswith("@") else None
    return {
        "who": {"username": username, "igsid": one.who[1]},
        "connection": record.usernames[one.who[0]],
        "event": None if one.said is None else one.said.event.id,
        "at": _iso(one.at),
        "changes": [
            {
                "before": None if change.before is None else _deed_json(change.before),
                "after": None if change.after is None else _deed_json(change.after),
                "later_s": None if change.later is None else int(change.later.total_seconds()),
            }
            for change in one.changes
        ],
        "lost": [{"what": what, "value": value} for what, value in one.lost],
        "gained": [{"what": what, "value": value} for what, value in one.gained],
    }


def _deed_json(deed: Deed) -> Shape:
    return {
        "kind": deed.kind,
        "at": _iso(deed.at),
        "text": deed.text,
        "options": list(deed.options),
        "flow": deed.flow,
    }


def _pace_json(username: str, before: PrivateReplies, after: PrivateReplies) -> Shape:
    return {
        "connection": username,
        "limit": limits.PRIVATE_REPLIES_PER_HOUR,
        "before": _peak_json(before),
        "after": _peak_json(after),
    }


def _peak_json(replies: PrivateReplies) -> Shape:
    wanted = replies.wanted
    return {
        "peak": wanted.count,
        "from": None if wanted.begins is None else _iso(wanted.begins),
        "longest_wait_s": int(replies.longest_wait.total_seconds()),
    }


def _iso(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%SZ}"
