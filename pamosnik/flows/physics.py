"""What Instagram will not allow, seen from the file alone. The numbers are `instagram.limits`."""

from collections.abc import Iterator, Mapping
from typing import cast

from pamosnik.flows import broadcasts, comment_actions, media, paths, schema_steps
from pamosnik.flows.bodies import (
    Placed,
    branches,
    falls_through,
    options,
    started_by_comments,
    steps,
    triggers,
)
from pamosnik.flows.outcome import Outcome
from pamosnik.flows.problems import Problem, Severity
from pamosnik.flows.texts import longest
from pamosnik.instagram import limits
from pamosnik.model.addresses import addresses
from pamosnik.model.sentences import DISCLOSURE

Raw = Mapping[str, object]

_VARIANTS_WANTED = 3
_NOT_ON_LIVE = frozenset({"reply_publicly", "hide_comment", "delete_comment"})
"""https://developers.facebook.com/docs/instagram-platform/reference/instagram-media (live media: none of these)"""
_LABELS = ("skip", "forget_yes", "forget_no")
"""Sentences that stand on a chip."""
_TRACKED_CHARS = 64
"""Of a tracked address: `https://`, a name of up to 37 characters, `/l/` and the 16 of its token."""
_DISCLOSURE_CHARS = 300
"""Ours: leaves at least half of a message with buttons to the text."""


def check(outcome: Outcome) -> list[Problem]:
    """All problems of the flows in these files."""
    found: list[Problem] = []
    run = {led for flow_id, body in outcome.flows.items() for _, led in _leads_to(flow_id, body)}
    for flow_id in sorted(outcome.here):
        body = outcome.flows[flow_id]
        first = {} if _disclosure(outcome) is None else dict.fromkeys(_first_texts(flow_id, body))
        for step in steps(flow_id, body):
            found += _step(outcome, step, can_be_first=step.path in first)
        found += _comment_flow(outcome, flow_id, body, is_run=flow_id in run or outcome.may_be_lost(flow_id))
    return [
        *found,
        *_disclosure_too_long(outcome),
        *_sentences(outcome),
        *broadcasts.check(outcome),
        *paths.check(outcome),
        *comment_actions.check(outcome),
    ]


def _step(outcome: Outcome, step: Placed, *, can_be_first: bool) -> Iterator[Problem]:
    raw, path = step.raw, step.path
    buttons, chips = cast("list[Raw]", raw.get("buttons", [])), cast("list[Raw]", raw.get("chips", []))
    choices = cast("list[Raw]", raw.get("choices", []))
    if len(buttons) > limits.BUTTONS:
        yield media.too_many(outcome, f"{path}.buttons", "buttons", len(buttons), limits.BUTTONS)
    if len(chips) > limits.CHIPS:
        yield media.too_many(outcome, f"{path}.chips", "chips", len(chips), limits.CHIPS)
    room = limits.CHIPS - bool(raw.get("optional"))
    if len(choices) > room:
        place = f"{path}.choices" if f"{path}.choices" in outcome.places else f"{path}.save_as"
        yield media.too_many(outcome, place, "choices", len(choices), room)
    for place, key, option in options(raw, path):
        yield from _option(outcome, place, option, key)
    yield from media.check(outcome, path, raw)
    if raw["do"] in ("send", "ask", "give_code"):
        yield from _message_texts(outcome, path, raw, with_buttons=bool(buttons), can_be_first=can_be_first)
    if raw["do"] == "reply_publicly":
        yield from _public_texts(outcome, path, raw)
        variants = cast("list[str]", raw.get("one_of", []))
        if len(set(variants)) < _VARIANTS_WANTED and path not in outcome.broken:
            yield outcome.problem(
                path,
                "few-variants",
                "the same public reply under many comments looks like spam",
                f"Give at least {_VARIANTS_WANTED} variants under `one_of`.",
                Severity.WARNING,
            )


def _option(outcome: Outcome, path: str, option: Raw, key: str) -> Iterator[Problem]:
    label = str(option.get("label", ""))
    chars = len(longest(label, outcome.settings))
    if chars > limits.LABEL_CHARS:
        yield outcome.problem(
            _choice_place(outcome, path),
            "label-too-long",
            f"the label `{label}` has {chars} characters; Instagram takes {limits.LABEL_CHARS}",
            "Write it shorter; the text above it has room.",
        )
    if "url" in option:
        if key != "buttons":
            yield outcome.problem(
                f"{path}.url", "link-needs-button", f"`{key}` cannot open an address", "Use `buttons`."
            )
        elif not str(option["url"]).startswith(("https://", "http://", "{")):
            yield outcome.problem(f"{path}.url", "bad-address", "an address begins with https://")


def _choice_place(outcome: Outcome, path: str) -> str:
    """Where a label stands; of a choice that only its field names, where the field is named."""
    step, _, number = path.rpartition(".choices")
    return f"{path}.label" if path in outcome.places or not number else f"{step}.save_as"


def _public_texts(outcome: Outcome, path: str, raw: Raw) -> Iterator[Problem]:
    for place, text in _written(path, raw):
        chars = len(longest(text, outcome.settings))
        if chars > limits.PUBLIC_REPLY_CHARS:
            message = f"the reply has {chars} characters; Instagram takes {limits.PUBLIC_REPLY_CHARS}"
            yield outcome.problem(place, "text-too-long", message, "Write it shorter.")


def _written(path: str, raw: Raw) -> list[tuple[str, str]]:
    """The texts of a message, each with its place."""
    texts = [(f"{path}.one_of.{n}", text) for n, text in enumerate(cast("list[str]", raw.get("one_of", [])))]
    return texts + [(f"{path}.{key}", str(raw[key])) for key in ("text", "question") if key in raw]


def _message_texts(
    outcome: Outcome, path: str, raw: Raw, *, with_buttons: bool, can_be_first: bool
) -> Iterator[Problem]:
    line = (_disclosure(outcome) or "") if can_be_first else ""
    for place, text in _written(path, raw):
        written = longest(text, outcome.settings)
        size, room = len(written.encode()), limits.TEXT_BYTES - len(line.encode())
        chars, room_chars = len(written), limits.BUTTON_TEXT_CHARS - len(line)
        longer = _longer_tracked(written) if raw.get("track_links", raw["do"] == "send") else 0
        # A line that alone is too long is said at the line.
        if size > room > 0:
            message = f"the text has {size} bytes (an emoji counts 4); {_who_takes(limits.TEXT_BYTES, room)}"
            yield outcome.problem(
                place, "text-too-long", message, _shorter(line, "Split it into two messages.")
            )
        elif with_buttons and chars > room_chars > 0:
            message = f"the text has {chars} characters; {_who_takes(limits.BUTTON_TEXT_CHARS, room_chars)}"
            hint = _shorter(line, "Send the long part as a message of its own.")
            yield outcome.problem(place, "text-too-long", f"{message} in a message with buttons", hint)
        elif longer and (size + longer > room or (with_buttons and chars + longer > room_chars)):
            message = f"with tracked links this text may be {longer} characters longer, and then not fit"
            hint = (
                "Links without room go out untracked. Make the text shorter, or write `track_links: false`."
            )
            yield outcome.problem(place, "no-room-to-track", message, hint, Severity.NOTE)
    say = str(cast("Raw", raw.get("if_not_understood", {})).get("say", ""))
    yield from _bytes(outcome, f"{path}.if_not_understood.say", say)


def _bytes(outcome: Outcome, place: str, text: str) -> Iterator[Problem]:
    """A text that is never the first of a person."""
    size = len(longest(text, outcome.settings).encode())
    if size > limits.TEXT_BYTES:
        message = f"the text has {size} bytes (an emoji counts 4); Instagram takes {limits.TEXT_BYTES}"
        yield outcome.problem(place, "text-too-long", message, "Write it shorter.")


def _sentences(outcome: Outcome) -> Iterator[Problem]:
    """Built-in sentences in one's own words."""
    for name, text in cast("Mapping[str, str]", outcome.settings.get("says", {})).items():
        if f"says.{name}" not in outcome.places:
            continue
        chars = len(longest(text, outcome.settings))
        if name in _LABELS and chars > limits.LABEL_CHARS:
            message = f"`{name}` stands on a chip and has {chars} characters; Instagram takes"
            yield outcome.problem(
                f"says.{name}", "label-too-long", f"{message} {limits.LABEL_CHARS}", "Write it shorter."
            )
        yield from _bytes(outcome, f"says.{name}", text)


def _longer_tracked(text: str) -> int:
    """How much a text may grow when its addresses lead through the owner's own."""
    return sum(max(_TRACKED_CHARS - len(address.encode()), 0) for address in addresses(text))


def _who_takes(most: int, room: int) -> str:
    return f"Instagram takes {most}" if room == most else f"here it may have {room}"


def _shorter(line: str, hint: str) -> str:
    if not line:
        return hint
    return (
        f'{hint} The first message to a person begins with the line "{line.strip()}", which needs room, too.'
    )


def _first_texts(flow_id: str, body: Raw) -> Iterator[str]:
    """Places of messages with text that are the first of the flow on some way through it."""
    found: list[str] = []
    _collect_first(cast("list[Raw]", body.get("do", [])), f"{flow_id}:do", found)
    yield from found


def _collect_first(raw: list[Raw], path: str, found: list[str]) -> bool:
    """Whether the person may still be without a text after these steps."""
    for number, step in enumerate(raw):
        here = f"{path}.{number}"
        match step["do"]:
            case "forget_me":
                return False  # its text is a sentence of `says`
            case "ask":
                found.append(here)
                return False
            case "send" if "text" in step or "one_of" in step:
                found.append(here)
                return False
            case "choose" | "split":
                after = [_collect_first(inner, p, found) for p, inner in branches(step, here)]
                if after and not any(after) and not falls_through(step):
                    return False
            case "call":
                for p, inner in branches(step, here):
                    _collect_first(inner, p, found)
            case "give_code":
                if "text" in step:
                    found.append(here)
                empty = [_collect_first(inner, p, found) for p, inner in branches(step, here)]
                if "text" in step and empty and not any(empty):
                    return False
            case "wait_for":
                for inner_path, inner in branches(step, here):
                    _collect_first(inner, inner_path, found)
            case "stop" | "opt_out" | "run" | schema_steps.UNREAD:
                return False
    return True


def _disclosure_too_long(outcome: Outcome) -> Iterator[Problem]:
    line = _disclosure(outcome) or ""
    if len(line) > _DISCLOSURE_CHARS and "disclosure" in outcome.places:
        message = f"this line has {len(line) - 1} characters and goes before the text of a message"
        hint = f"Make it shorter than {_DISCLOSURE_CHARS}, so that the text has room."
        yield outcome.problem("disclosure", "text-too-long", message, hint)


def _disclosure(outcome: Outcome) -> str | None:
    """The line that says a machine writes, with its line end; None when it is turned off."""
    own = outcome.settings.get("disclosure", True)
    if own is False or "disclosure" in outcome.broken:
        return None
    language = str(outcome.settings.get("language", "en"))
    written = own if isinstance(own, str) else DISCLOSURE.get(language, DISCLOSURE["en"])
    return f"{longest(written, outcome.settings)}\n"


# --- flows that comments start -----------------------------------------------------------------


def _comment_flow(outcome: Outcome, flow_id: str, body: Raw, *, is_run: bool) -> Iterator[Problem]:
    """`is_run`: another flow goes on in this one, or may."""
    yield from _live(outcome, flow_id, body)
    if not started_by_comments(body):
        if not is_run:
            yield from _no_comment(outcome, flow_id, body)
        return
    if "limits" not in body and f"{flow_id}:" not in outcome.broken:
        kinds = [str(trigger["trigger"]) for trigger in triggers(body)]
        first = next(number for number, kind in enumerate(kinds) if kind.endswith("comment"))
        yield outcome.problem(
            f"{flow_id}:when.{first}",
            "no-limits",
            "everybody gets this as often as they comment",
            "Add, for example: limits: { per_person: 24h }",
            Severity.WARNING,
        )


def _no_comment(outcome: Outcome, flow_id: str, body: Raw) -> Iterator[Problem]:
    """Answers to comments in a flow that no comment starts."""
    if not triggers(body) or not outcome.knows_triggers(flow_id):
        return
    for step in steps(flow_id, body):
        if step.raw["do"] in _NOT_ON_LIVE:
            message = f"no comment starts this flow, so `{step.raw['do']}` is always skipped"
            hint = "Take the step out, or add a `comment` to `when`."
            yield outcome.problem(step.path, "no-comment", message, hint, Severity.WARNING)


def _live(outcome: Outcome, flow_id: str, body: Raw) -> Iterator[Problem]:
    """Comments during a broadcast can only be answered privately."""
    if not any(trigger["trigger"] == "live_comment" for trigger in triggers(body)):
        return
    hint = "Take the step out, or give `live_comment` a flow of its own."
    for step in steps(flow_id, body):
        if step.raw["do"] in _NOT_ON_LIVE:
            message = f"`{step.raw['do']}` does not work on comments during a live broadcast"
            yield outcome.problem(step.path, "live-comment-action", message, hint)
    for place, other in _leads_to(flow_id, body):
        found = _not_on_live(outcome, other, {flow_id})
        if found is not None:
            message = (
                f"the flow `{found.path.partition(':')[0]}` comes to `{found.raw['do']}`, which does not work"
            )
            message += " on comments during a live broadcast"
            hint = "Go on in a flow without that step, or give `live_comment` a flow of its own."
            yield outcome.problem(place, "live-comment-action", message, hint)


def _not_on_live(outcome: Outcome, flow_id: str, seen: set[str]) -> Placed | None:
    """The first step that is not for live comments, in a flow or in those where it goes on."""
    if flow_id in seen or flow_id not in outcome.flows:
        return None
    seen.add(flow_id)
    body = outcome.flows[flow_id]
    here = (step for step in steps(flow_id, body) if step.raw["do"] in _NOT_ON_LIVE)
    further = (_not_on_live(outcome, other, seen) for _, other in _leads_to(flow_id, body))
    return next(here, None) or next((found for found in further if found is not None), None)


def _leads_to(flow_id: str, body: Raw) -> Iterator[tuple[str, str]]:
    """Where a flow goes on in another one, and its id."""
    for step in steps(flow_id, body):
        for place, said in (
            (step.path, step.raw),
            *((at, one) for at, _, one in options(step.raw, step.path)),
        ):
            if "run" in said:
                yield f"{place}.run", str(said["run"])
