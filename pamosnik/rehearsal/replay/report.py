"""A replay in words."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from textwrap import wrap
from zoneinfo import ZoneInfo

from rich.cells import cell_len, set_cell_size

from pamosnik.instagram import limits
from pamosnik.model.event import Verdict
from pamosnik.rehearsal.replay.comparing import Change, Comparison, Different, Fate, Shift, Unsent
from pamosnik.rehearsal.replay.deeds import Deed
from pamosnik.rehearsal.replay.played import Ended, Peak
from pamosnik.rehearsal.replay.record import Record
from pamosnik.rehearsal.screen import clean
from pamosnik.store.recorded import Recorded, Who

GROUPS_SHOWN = 20
_CHANGES_SHOWN = 6
_NAMES_SHOWN = 4
_TRIGGERS = {
    "comment": "comments",
    "live_comment": "live comments",
    "dm": "messages",
    "story_reply": "replies to stories",
}
_KINDS = {
    "comment": "comment",
    "live_comment": "live comment",
    "message": "message",
    "postback": "tap",
    "story_reply": "reply to a story",
    "story_mention": "story mention",
    "shared_post": "shared post",
    "reaction": "reaction",
    "referral": "opened link",
}
_DEEDS = {
    "message": "message",
    "private_reply": "private reply",
    "comment_reply": "public reply",
    "email": "mail to you",
    "call": "call of the webhook",
}
_HEADINGS = {
    Fate.STOPPED: "No longer answered",
    Fate.BEGUN: "Answered for the first time",
    Fate.MOVED: "Answered by another flow",
}

_NOT_KNOWN = (
    "In a replay people say what they said then. Taps are found by their label, calls bring what they brought,"
    " profiles are as known now; what you did by hand (tags, cancelled runs) is not played."
)


@dataclass(frozen=True, slots=True, repr=False)
class Replay:
    """What a replay has come to. Its repr shows nobody."""

    record: Record
    found: Comparison


def lines(replay: Replay, *, width: int, everybody: bool) -> Iterator[str]:
    """`width`: of the terminal; lines are cut to it. 0: not at all."""
    # People write what they like, also what would command a terminal.
    yield from map(clean, _lines(_Telling(replay, width, everybody)))


def _lines(telling: "_Telling") -> Iterator[str]:
    yield from telling.head()
    yield from telling.shifts()
    yield from telling.taps()
    yield from telling.people()
    yield from telling.pace()
    yield from telling.unknown()


class _Telling:
    def __init__(self, replay: Replay, width: int, everybody: bool) -> None:
        self._record = replay.record
        self._found = replay.found
        self._width = width
        self._everybody = everybody
        self._zone = ZoneInfo(replay.record.timezone)

    def head(self) -> Iterator[str]:
        record, found = self._record, self._found
        if record.kept_since is None:
            yield from self._wrapped(
                "Replay: no events are recorded yet, so there is nothing to replay.", "", "  "
            )
            return
        if not record.events:
            yield from self._wrapped(
                f"Replay: nobody has done anything since {self._day(record.since)}.", "", "  "
            )
            return
        events, people = _many(found.events, "event"), _people(found.people)
        span = f"{self._day(record.since)} – {self._day(record.until)}"
        yield from self._wrapped(f"Replay of {span}: {events} of {people}", "", "  ")
        if record.kept_since - record.since > (record.until - record.since) / 20:
            yield f"  The first event that is kept is of {self._day(record.kept_since)}."
        if found.is_empty:
            yield "  Nobody would get anything else."
        if found.as_then < found.events:
            told = f"With the applied flows {found.as_then:,} of them end as they did then."
            yield from self._wrapped(
                f"{told} The others met other flows, or something that is not recorded.", "  "
            )

    def shifts(self) -> Iterator[str]:
        for fate, heading in _HEADINGS.items():
            shifts = [shift for shift in self._found.shifts if shift.fate is fate]
            if shifts:
                yield f"\n{heading}"
                for shift in shifts:
                    yield from self._wrapped(_sentence(shift), "  ", "    ")
                    if shift.texts:
                        like = " · ".join(f"“{_one_line(text)[:60]}”" for text in shift.texts)
                        yield self._cut(f"    like {like}")

    def taps(self) -> Iterator[str]:
        lost = [one for one in self._found.taps if one.instead is None]
        renamed = [one for one in self._found.taps if one.instead is not None]
        if lost:
            yield "\nTaps that would find nothing"
        for one in lost:
            told = f"“{one.label}”{_of_flow(one.flow)}: {_many(one.taps, 'tap')} ({self._names(one.people)})"
            yield from self._wrapped(told, "  ", "    ")
        if renamed:
            yield "\nTaps on buttons of another name"
        for one in renamed:
            told = f"“{one.label}” counts as “{one.instead}”: {_many(one.taps, 'tap')}"
            yield from self._wrapped(told, "  ", "    ")

    def people(self) -> Iterator[str]:
        """People with the same differences stand together, where the newest of them stands."""
        different = self._found.different
        if not different:
            return
        yield f"\nGet something else: {len(different):,} of {_people(self._found.people)}"
        alike: dict[object, list[Different]] = {}
        for one in different:
            alike.setdefault(self._likeness(one), []).append(one)
        groups = list(alike.values())
        shown = groups if self._everybody else groups[:GROUPS_SHOWN]
        for group in shown:
            yield from map(self._cut, self._group(group))
        rest = sum(map(len, groups[len(shown) :]))
        if rest:
            yield f"  … and {rest:,} more (--all shows them)"

    def _likeness(self, one: Different) -> object:
        """The same for two people who differ in their names alone."""
        names = self._all_names(one.who)

        def nameless(deed: Deed | None) -> object:
            for name in names if deed else ():
                deed = deed and deed.without(name, "{}")
            if deed is not None and deed.kind == "email":
                # A mail about a hand-over tells until when, which differs from person to person.
                return deed.kind, deed.text.partition("\n\nAnswer in the Instagram app.")[0]
            return deed and deed.content

        changes = tuple((nameless(c.before), nameless(c.after), c.later) for c in one.changes)
        return changes, one.lost, one.gained

    def _all_names(self, who: Who) -> Sequence[str]:
        """Under which flows and mails may speak of somebody; the longest first."""
        profile = self._record.profiles.get(who)
        full = (profile and profile.name) or ""
        names = {who[1], self._record.names.get(who, "").removeprefix("@"), full, *full.split()[:1]}
        return sorted(names - {""}, key=lambda name: (-len(name), name))

    def _group(self, group: Sequence[Different]) -> Iterator[str]:
        one = group[0]
        at = f" at @{self._record.usernames[one.who[0]]}" if len(self._record.usernames) > 1 else ""
        said = "" if one.said is None else f"{_said(one.said)}  "
        yield f"  {self._moment(one.at)}  {said}{self._names([other.who for other in group])}{at}"
        shown = one.changes[:_CHANGES_SHOWN] if self._width else one.changes
        for change in shown:
            yield from self._change(change)
        if len(one.changes) > len(shown):
            yield f"      … and {len(one.changes) - len(shown)} more differences"
        for sign, held in (("-", one.lost), ("+", one.gained)):
            for what, value in held:
                yield f"    {sign} {what} {value}".rstrip()

    def _change(self, change: Change) -> Iterator[str]:
        later = change.later
        if later is not None and change.after is not None:
            when = f"{_length(abs(later))} {'later' if later > timedelta() else 'earlier'}"
            yield f"    ~ {when}: {_deed(change.after, 0)}"
            return
        skip = 0
        if change.before is not None and change.after is not None:
            skip = _alike(_deed(change.before, 0), _deed(change.after, 0), self._width - 10)
        for sign, deed in (("-", change.before), ("+", change.after)):
            if deed is not None:
                yield f"    {sign} {_deed(deed, skip)}"

    def pace(self) -> Iterator[str]:
        """The busiest hours, and what Meta's limits do to messages."""
        peaks = list(self._peaks())
        if peaks:
            yield f"\nBusiest hour of private replies (Meta lets {limits.PRIVATE_REPLIES_PER_HOUR} leave)"
            yield from peaks
        if self._found.unsent:
            yield "\nMessages that do not leave"
            for one in self._found.unsent:
                yield self._cut(
                    f"  {_DEEDS.get(one.kind, one.kind)}, {_why(one)}: {one.before} → {one.after}"
                )

    def _peaks(self) -> Iterator[str]:
        for connection, (before, after) in sorted(
            self._found.private_replies.items(), key=lambda pair: self._record.usernames[pair[0]]
        ):
            if before.wanted.count or after.wanted.count:
                name = self._record.usernames[connection]
                same = before.wanted == after.wanted
                told = "as before" if same else f"before: {self._peak(before.wanted)}"
                yield f"  @{name}  {self._peak(after.wanted)}, {told}"
                if after.longest_wait >= timedelta(minutes=1):
                    yield f"    the last of them waits {_length(after.longest_wait)} for its turn"

    def _peak(self, peak: Peak) -> str:
        if peak.begins is None:
            return "0"
        begins = peak.begins.astimezone(self._zone)
        return f"{peak.count} from {begins:%d %b %H:%M}"

    def unknown(self) -> Iterator[str]:
        """What a replay cannot know, as far as it matters here."""
        if not self._record.events:
            return
        answers, paused = self._record.begun_before
        yield ""
        if answers:
            yield from self._wrapped(
                f"Left out: {_many(answers, 'answer')} in conversations begun earlier, which go on as they began.",
                "",
            )
        if paused:
            yield from self._wrapped(
                f"Left out: {_many(paused, 'event')} in pauses that were begun earlier.", ""
            )
        if self._record.taken_back:
            yield f"Left out: {_many(self._record.taken_back, 'message')} that people have taken back."
        if self._found.unknown_posts:
            yield from self._wrapped(
                f"{_many(self._found.unknown_posts, 'comment')} may stand under posts that flows name; their links"
                " were never looked up, so here no such flow takes them.",
                "",
            )
        yield from self._wrapped(_NOT_KNOWN, "")

    def _wrapped(self, text: str, indent: str, then: str | None = None) -> Iterator[str]:
        """On as many lines as it needs; those after the first begin with `then`."""
        further = indent if then is None else then
        yield from wrap(
            text,
            self._width or 1000,
            initial_indent=indent,
            subsequent_indent=further,
            break_on_hyphens=False,
        )

    # --- words -----------------------------------------------------------------------------------------

    def _names(self, people: Sequence[Who]) -> str:
        names = [self._name(who) for who in people]
        if self._everybody or len(names) <= _NAMES_SHOWN:
            return ", ".join(names)
        shown = _NAMES_SHOWN - 1
        return f"{', '.join(names[:shown])} and {len(names) - shown:,} more"

    def _name(self, who: Who) -> str:
        return self._record.names.get(who, who[1])

    def _day(self, at: datetime) -> str:
        return f"{at.astimezone(self._zone):%d %b %Y}"

    def _moment(self, at: datetime) -> str:
        return f"{at.astimezone(self._zone):%d %b %H:%M}"

    def _cut(self, line: str) -> str:
        if not self._width or cell_len(line) <= self._width:
            return line
        return f"{set_cell_size(line, self._width - 1).rstrip()}…"


def _sentence(shift: Shift) -> str:
    by = _trigger(shift.after if shift.fate is Fate.BEGUN else shift.before)
    count = ", ".join(_many(n, _KINDS.get(kind, kind)) for kind, n in shift.kinds.items())
    of = f"{count} of {_people(shift.people)}"
    match shift.fate:
        case Fate.STOPPED:
            return f"{shift.before.flow}: {by} took {of}; {_nobody(shift)}"
        case Fate.BEGUN:
            return f"{shift.after.flow}: {by} would take {of}"
        case Fate.MOVED:
            now = _trigger(shift.after)
            of = f"{shift.before.flow} → {shift.after.flow}: {of}"
            return f"{of}, by {by}" if now == by else f"{of}, not by {by} but by {now}"


def _trigger(ended: Ended) -> str:
    """How the flow was started: `comment “cennik”` → the keyword “cennik” in comments."""
    if ended.trigger is None:
        return "an answer or tap"
    kind, _, keyword = ended.trigger.partition(" ")
    if keyword:
        return f"the keyword {keyword} in {_TRIGGERS.get(kind, kind)}"
    return f"the trigger `{kind}`"


def _nobody(shift: Shift) -> str:
    after = shift.after
    if after.verdict in (Verdict.NO_MATCH, Verdict.NOTED):
        return "nothing would take them"
    # It may name a time, which differs from person to person.
    reason = f"{after.reason}{'' if shift.reasons == 1 else ' (of the newest)'}"
    if after.verdict is Verdict.FILTERED and after.flow is not None:
        return f"{after.flow} steps aside: {reason}"
    return reason


def _said(one: Recorded) -> str:
    incoming = one.event.incoming
    text = incoming.text or incoming.title or incoming.emoji or ""
    kind = _KINDS.get(one.event.kind.value, one.event.kind.value)
    return f"{kind} “{_one_line(text)[:40]}”" if text else kind


def _deed(deed: Deed, skip: int) -> str:
    """On one line; of the text what comes after the first `skip` characters."""
    kind = "" if deed.kind in ("message", "private_reply") else f"{_DEEDS.get(deed.kind, deed.kind)}: "
    options = "".join(f" [{option}]" for option in deed.options)
    told = f"{kind}{_one_line(deed.text)}{options}"
    return told if not skip else f"…{told[skip:]}"


def _alike(old: str, new: str, width: int) -> int:
    """How much of the beginning can be left out, so that a line shows where two long texts part."""
    same = next(
        (n for n, (a, b) in enumerate(zip(old, new, strict=False)) if a != b), min(len(old), len(new))
    )
    return max(same - width // 3, 0) if 0 < width < max(len(old), len(new)) else 0


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _of_flow(flow: str | None) -> str:
    return "" if flow is None else f" of {flow}"


def _why(one: Unsent) -> str:
    return f"{one.status}{f' ({one.reason})' if one.reason else ''}"


def _many(n: int, what: str) -> str:
    if n == 1:
        return f"1 {what}"
    plural = {"reply to a story": "replies to stories"}.get(what, f"{what}s")
    return f"{n:,} {plural}"


def _people(n: int) -> str:
    return "1 person" if n == 1 else f"{n:,} people"


def _length(length: timedelta) -> str:
    seconds = int(length.total_seconds())
    parts = [(seconds // 86400, "d"), (seconds // 3600 % 24, "h"), (seconds // 60 % 60, "min")]
    shown = [f"{n} {unit}" for n, unit in parts if n]
    return " ".join(shown[:2]) or f"{seconds} s"
