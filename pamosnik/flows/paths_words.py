"""What `paths` found, said to people: which message would be refused, why, and what to do."""

from dataclasses import dataclass
from enum import Enum

from pamosnik.flows.outcome import Outcome
from pamosnik.flows.problems import Problem, Severity


class Late(Enum):
    """In which way the time for a message ran out."""

    WAIT = "wait"
    PAUSE = "pause"
    SILENCE = "silence"
    IN_VAIN = "in_vain"
    """A `wait_for` was in vain."""
    DAYS = "days"
    """It may have: the next of these days may be far."""


@dataclass(frozen=True, slots=True)
class Way:
    """How somebody came to a step."""

    answered: bool
    """They wrote or tapped something: the window was open then."""
    first: str | None = None
    """Place of the message that they have not answered."""
    told: bool = False
    """What is wrong with a message on this way has been said."""
    silence: str | None = None
    """Place of the `ask` that they did not answer, or of the `if_not` of a `wait_for`."""
    quiet_s: int = 0
    """At least so long ago they did something."""
    late: str | None = None
    """Place of the step during which the time for a message ran out."""
    how: Late = Late.WAIT
    back: str | None = None
    """Place of the `again` that led back."""


@dataclass(frozen=True, slots=True)
class Found:
    """A message that Instagram would refuse, or the wait before it."""

    code: str
    real: str
    """Where it stands."""
    shown: str
    """Where that is said: in the flow that the way began in."""
    way: Way
    media: str | None = None
    """What the message says beside a text, or in place of one: `images`, `cards`, …; of a condition its
    name."""


_NAMES = {
    "images": "a picture",
    "video": "a video",
    "audio": "a sound",
    "file": "a file",
    "heart": "a heart",
    "post": "a post",
    "cards": "a row of cards",
}


def problem(outcome: Outcome, found: Found, severity: Severity) -> Problem:
    match found.code:
        case "second-message":
            message, hint = _second(outcome, found, held=severity is Severity.WARNING)
        case "private-reply-media":
            message = (
                "the private message after a comment can be a text or cards only;"
                " Instagram refuses a picture, video, sound, file, heart or post there"
            )
            what = _NAMES.get(found.media or "", "the rest").replace("a ", "the ", 1)
            hint = f"Send a text first, with {what} under a button of it or after an `ask`."
        case "commenter-facts":
            where = "here" if found.shown == found.real else f"in `{found.real.partition(':')[0]}`"
            said = f"Instagram does not tell `{found.media}` of somebody who has only commented"
            message = f"{said}: {where} it is unknown"
            hint = "Ask for it after the first tap or answer."
            severity = Severity.WARNING
        case "private-reply-too-late":
            message = "a comment can be answered in private for 7 days; after this wait they are over"
            hint = "Make the wait shorter."
        case "live-reply-too-late":
            message = (
                "a comment on a broadcast can be answered in private only while it is live, 4 hours at most"
            )
            hint = "Make the wait shorter, or take it out."
        case "commenter-name":
            message = (
                "of somebody who has only commented, Instagram does not tell the name: the stand-in is used"
            )
            hint = "Use {username}, or write the name after the first tap."
            told = outcome.problem(found.shown, found.code, message, hint, Severity.WARNING)
            return outcome.moved(told, r"\{\s*(first_)?name\s*[|}]")
        case "wait-may-outlast-window":
            message = "the next of these days may be more than a day away: then the 24-hour window is closed"
            hint = "Say what happens then: if_window_closed: skip, stop or tell_me."
            severity = Severity.WARNING
        case "silence-outlasts-window" if found.way.how is Late.IN_VAIN:
            message = (
                "when this is waited for in vain for so long, the 24-hour window is closed:"
                " the messages of `if_not` are not sent"
            )
            hint = "Give up earlier, for example: up_to: 20h"
            severity = Severity.WARNING
        case "silence-outlasts-window":
            message = (
                "when nobody answers for so long, the 24-hour window is closed:"
                " the messages of `if_no_answer` are not sent"
            )
            hint = "Give up earlier, for example: give_up_after: 20h"
            severity = Severity.WARNING
        case _:
            message, hint = _outlasts(outcome, found)
            # Whom a human took over may have written to them meanwhile.
            severity = Severity.WARNING if found.way.how is Late.PAUSE else severity
    return outcome.problem(found.shown, found.code, message, hint, severity)


def _outlasts(outcome: Outcome, found: Found) -> tuple[str, str]:
    what = "pause" if found.way.how is Late.PAUSE else "wait"
    where = "" if found.real == found.shown else f" ({_line(outcome, found.real, found.shown)})"
    if found.way.back is not None:
        where += f", when `again` ({_line(outcome, found.way.back, found.shown)}) has led back to it,"
    message = f"after this {what}{where} the 24-hour window is closed, and Instagram refuses messages"
    if what == "pause":
        return message, "Make the pause shorter than a day, or send nothing after it."
    return message, "Say what happens then: if_window_closed: skip, stop or tell_me."


def _second(outcome: Outcome, found: Found, *, held: bool) -> tuple[str, str]:
    message = "after a comment Instagram allows one private message until the person answers"
    hint = "Put it under a button or chip of the first message, or after an `ask`."
    way = found.way
    assert way.first is not None
    if found.shown == way.back:
        again = _line(outcome, found.real, found.shown)
        message += f"; `again` leads back, and then {again} sends a second one"
        hint = "Go back behind a button or chip, or after an `ask`."
    elif found.shown != found.real:
        there = found.real.partition(":")[0]
        message += f"; the flow `{there}` sends a second one ({_line(outcome, found.real, found.shown)})"
    elif way.first == found.real:
        what = _NAMES.get(found.media or "", "each kind of content")
        message += f", and {what} beside a text is a message of its own"
        hint = f"Send {what.replace('a ', 'the ', 1)} under a button of the text, or after an `ask`."
    elif way.silence is not None:
        key = "if_not" if way.silence.endswith(".if_not") else "if_no_answer"
        message += f"; if nobody answers, `{key}` leads here to a second one"
        hint = f"End `{key}` with `stop`, or send nothing on this way."
        if found.real.startswith(f"{way.silence.removesuffix(f'.{key}')}.{key}."):
            hint = f"Send nothing in `{key}`: Instagram lets nobody be reminded who has only commented."
    else:
        message += f", and {_line(outcome, way.first, found.real)} sends one already"
    if held:
        message += "; in runs that a comment started this one is held until they do, at most 7 days"
    return message, hint


def _line(outcome: Outcome, path: str, seen_from: str) -> str:
    """`line 8`, with its file if that is another one."""
    file, mark = outcome.places.get(path, ("", None))
    if mark is None:
        return f"the flow `{path.partition(':')[0]}`"
    here = outcome.places.get(seen_from, ("", None))[0]
    return f"line {mark.line}" if file == here else f"{file}:{mark.line}"
