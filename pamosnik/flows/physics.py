"""What Instagram will not allow, seen from the file alone. The numbers are `instagram.limits`."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import cast

from pamosnik.flows.check import Outcome, Placed, branches, only_comments, steps, triggers
from pamosnik.flows.problems import Problem, Severity
from pamosnik.flows.texts import BadVariable, parse_text
from pamosnik.instagram import limits
from pamosnik.model.flow import Variable

Raw = Mapping[str, object]

_VARIANTS_WANTED = 3


def check(outcome: Outcome) -> list[Problem]:
    """All problems of the flows in these files."""
    found: list[Problem] = []
    for flow_id in sorted(outcome.here):
        body = outcome.flows[flow_id]
        for step in steps(flow_id, body):
            found += _step(outcome, step)
        found += _comment_flow(outcome, flow_id, body)
        found += _waits(outcome, flow_id, body)
    return found


def _step(outcome: Outcome, step: Placed) -> Iterator[Problem]:
    raw, path = step.raw, step.path
    buttons, chips = cast("list[Raw]", raw.get("buttons", [])), cast("list[Raw]", raw.get("chips", []))
    choices = cast("list[Raw]", raw.get("choices", []))
    if len(buttons) > limits.BUTTONS:
        yield _too_many(outcome, f"{path}.buttons", "buttons", len(buttons), limits.BUTTONS)
    if len(chips) > limits.CHIPS:
        yield _too_many(outcome, f"{path}.chips", "chips", len(chips), limits.CHIPS)
    room = limits.CHIPS - bool(raw.get("optional"))
    if len(choices) > room:
        yield _too_many(outcome, f"{path}.choices", "choices", len(choices), room)
    for key, options in (("buttons", buttons), ("chips", chips), ("choices", choices)):
        for number, option in enumerate(options):
            yield from _option(outcome, f"{path}.{key}.{number}", option, key)
    yield from _images(outcome, path, raw)
    if raw["do"] in ("send", "ask"):
        yield from _message_texts(outcome, path, raw, with_buttons=bool(buttons))
    if raw["do"] == "reply_publicly":
        variants = cast("list[str]", raw.get("one_of", []))
        if len(variants) < _VARIANTS_WANTED:
            yield outcome.problem(
                path,
                "few-variants",
                "the same public reply under many comments looks like spam",
                f"Give at least {_VARIANTS_WANTED} variants under `one_of`.",
                Severity.WARNING,
            )


def _too_many(outcome: Outcome, path: str, what: str, n: int, most: int) -> Problem:
    return outcome.problem(path, f"too-many-{what}", f"{n} {what}; Instagram takes {most} at most")


def _option(outcome: Outcome, path: str, option: Raw, key: str) -> Iterator[Problem]:
    label = str(option["label"])
    if _shortest(label) > limits.LABEL_CHARS:
        yield outcome.problem(
            f"{path}.label",
            "label-too-long",
            f"the label has {len(label)} characters; Instagram takes {limits.LABEL_CHARS}",
        )
    if "url" in option:
        if key != "buttons":
            yield outcome.problem(
                f"{path}.url", "link-needs-button", f"`{key}` cannot open an address", "Use `buttons`."
            )
        elif not str(option["url"]).startswith(("https://", "http://", "{")):
            yield outcome.problem(f"{path}.url", "bad-address", "an address begins with https://")


def _images(outcome: Outcome, path: str, raw: Raw) -> Iterator[Problem]:
    images = cast("list[str]", raw.get("images", []))
    if len(images) > limits.IMAGES:
        yield _too_many(outcome, f"{path}.images", "images", len(images), limits.IMAGES)
    one = [("image", str(raw["image"]))] if "image" in raw else []
    for place, address in (*((f"images.{n}", image) for n, image in enumerate(images)), *one):
        if address.startswith("{"):
            continue
        if not address.startswith("https://"):
            yield outcome.problem(
                f"{path}.{place}",
                "media-address",
                f"`{address}` is no public https address; Instagram fetches pictures itself",
                "Put the file on your website and write its address.",
            )
        elif not address.split("?")[0].lower().endswith(limits.IMAGE_SUFFIXES):
            yield outcome.problem(
                f"{path}.{place}",
                "media-type",
                "Instagram takes png, jpeg and gif pictures",
                None,
                Severity.WARNING,
            )


def _message_texts(outcome: Outcome, path: str, raw: Raw, *, with_buttons: bool) -> Iterator[Problem]:
    texts = [(f"{path}.one_of.{n}", text) for n, text in enumerate(cast("list[str]", raw.get("one_of", [])))]
    texts += [(f"{path}.{key}", str(raw[key])) for key in ("text", "question") if key in raw]
    for place, text in texts:
        size = len(_without_variables(text, _facts(outcome)).encode()) + _disclosure_bytes(outcome)
        if size > limits.TEXT_BYTES:
            yield outcome.problem(
                place,
                "text-too-long",
                f"the text has {size} bytes with the line that says a machine writes; Instagram takes"
                f" {limits.TEXT_BYTES} (an emoji counts 4)",
                "Split it into two messages.",
            )
        elif with_buttons and _shortest(text) > limits.BUTTON_TEXT_CHARS:
            yield outcome.problem(
                place,
                "text-too-long",
                f"with buttons Instagram takes {limits.BUTTON_TEXT_CHARS} characters; these are {_shortest(text)}",
                "Send the long part as a message of its own.",
            )


def _facts(outcome: Outcome) -> Mapping[str, str]:
    return cast("Mapping[str, str]", outcome.settings.get("facts", {}))


def _disclosure_bytes(outcome: Outcome) -> int:
    """Of the owner's own disclosure with its line end; the built-in one is short."""
    own = outcome.settings.get("disclosure", True)
    return len(own.encode()) + 1 if isinstance(own, str) else 0


def _without_variables(text: str, facts: Mapping[str, str]) -> str:
    """The text with what its variables stand for at least: facts are known, stand-ins can be shortened."""
    try:
        parts = parse_text(text).parts
    except BadVariable:
        return text
    return "".join(facts.get(part.name, "") if isinstance(part, Variable) else part for part in parts)


def _shortest(text: str) -> int:
    return len(_without_variables(text, {}))


# --- one private message after a comment -----------------------------------------------------------------


def _comment_flow(outcome: Outcome, flow_id: str, body: Raw) -> Iterator[Problem]:
    kinds = {str(trigger["trigger"]) for trigger in triggers(body)}
    if "comment" not in kinds:
        return
    if "limits" not in body:
        yield outcome.problem(
            f"{flow_id}:when.0",
            "no-limits",
            "everybody gets this as often as they comment",
            "Add, for example: limits: { per_person: 24h }",
            Severity.WARNING,
        )
    yield from _names_of_commenters(outcome, flow_id, body)
    severity = Severity.ERROR if only_comments(body) else Severity.WARNING
    second = _Paths(outcome, {flow_id}).follow(cast("list[Raw]", body["do"]), f"{flow_id}:do", sent=False)[1]
    if second is not None:
        yield outcome.problem(
            second,
            "second-message",
            "after a comment Instagram allows one private message until the person answers",
            "Put it under a button or chip of the first message, or after an `ask`.",
            severity,
        )


def _names_of_commenters(outcome: Outcome, flow_id: str, body: Raw) -> Iterator[Problem]:
    """Of somebody who has only commented, Instagram tells the username alone."""
    for number, step in enumerate(cast("list[Raw]", body["do"])):
        texts = [str(step[key]) for key in ("text", "question") if key in step]
        texts += cast("list[str]", step.get("one_of", []))
        if any(_names(text) & {"name", "first_name"} for text in texts):
            yield outcome.problem(
                f"{flow_id}:do.{number}",
                "commenter-name",
                "of somebody who has only commented, Instagram does not tell the name: the stand-in is used",
                "Use {username}, or write the name after the first tap.",
                Severity.WARNING,
            )
        if step["do"] == "ask":
            return


def _names(text: str) -> set[str]:
    try:
        parts = parse_text(text).parts
    except BadVariable:
        return set()
    return {part.name for part in parts if isinstance(part, Variable)}


@dataclass(frozen=True, slots=True)
class _Paths:
    """Follows every way through a flow, and through the flows that it goes on in."""

    outcome: Outcome
    seen: set[str]

    def follow(self, raw: list[Raw], path: str, *, sent: bool) -> tuple[bool | None, str | None]:
        """Whether a message went out on some way, and where a second one would go out, unanswered.

        None for the first: no way leads on from here.
        """
        for number, step in enumerate(raw):
            here = f"{path}.{number}"
            match step["do"]:
                case "choose":
                    ways = [self.follow(inner, p, sent=sent) for p, inner in branches(step, here)]
                    second = next((place for _, place in ways if place is not None), None)
                    if second is not None:
                        return True, second
                    leading_on = [way for way, _ in ways if way is not None]
                    falls_through = "else" not in cast("list[Raw]", step["choose"])[-1]
                    if not leading_on and not falls_through:
                        return None, None
                    sent = sent or any(leading_on)
                case "send" | "ask":
                    pictures_too = ("image" in step or "images" in step) and (
                        "text" in step or "one_of" in step
                    )
                    if sent or pictures_too:
                        return True, here
                    if step["do"] == "ask":
                        return self._unanswered(step, here)
                    sent = True
                case "run":
                    return None, self._elsewhere(str(step["run"]), here, sent=sent)
                case "stop":
                    return None, None
        return sent, None

    def _unanswered(self, step: Raw, here: str) -> tuple[bool | None, str | None]:
        """What follows an `ask` has the person's answer before it, but for `if_no_answer`."""
        for path, inner in branches(step, here):
            if path.endswith(".if_no_answer"):
                return None, self.follow(inner, path, sent=True)[1]
        return None, None

    def _elsewhere(self, flow_id: str, here: str, *, sent: bool) -> str | None:
        if flow_id in self.seen or flow_id not in self.outcome.flows:
            return None
        self.seen.add(flow_id)
        body = self.outcome.flows[flow_id]
        second = self.follow(cast("list[Raw]", body["do"]), f"{flow_id}:do", sent=sent)[1]
        return None if second is None else here


def _waits(outcome: Outcome, flow_id: str, body: Raw) -> Iterator[Problem]:
    """A wait after which the window must be closed needs to say what happens then."""
    for place in _too_long(cast("list[Raw]", body["do"]), f"{flow_id}:do", 0):
        yield outcome.problem(
            place,
            "wait-outlasts-window",
            "after this wait the 24-hour window is closed, and Instagram refuses messages",
            "Say what happens then: if_window_closed: skip, stop or tell_me.",
        )


def _too_long(raw: list[Raw], path: str, waited_s: int) -> Iterator[str]:
    """Places of such waits. `waited_s`: seconds waited on the way here since the person last did something."""
    for number, step in enumerate(raw):
        here = f"{path}.{number}"
        if step["do"] == "wait":
            waited_s += _least_s(step)
            closed = waited_s >= limits.WINDOW.total_seconds()
            if closed and "if_window_closed" not in step and _sends(raw[number + 1 :]):
                yield here
        for inner_path, inner in branches(step, here):
            # A tap or an answer opens the window again; a branch of `choose` does not.
            before = waited_s if step["do"] == "choose" else 0
            yield from _too_long(inner, inner_path, before)
        if step["do"] == "ask":
            waited_s = 0


def _least_s(wait: Raw) -> int:
    """The shortest time a wait may take; one for certain days is as good as a day."""
    if wait.get("days"):
        return int(limits.WINDOW.total_seconds())
    return cast("int", wait.get("for", 0))


def _sends(raw: list[Raw]) -> bool:
    """Whether a message is among these steps before the person is asked, branches of `choose` included."""
    for step in raw:
        if step["do"] in ("send", "ask"):
            return True
        if step["do"] == "choose" and any(_sends(inner) for _, inner in branches(step, "")):
            return True
    return False
