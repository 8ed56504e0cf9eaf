"""Plays the tests of flow files, each on a stage of its own.

Time passes only where a test says so, with one exception: after each step the clock goes on as far as it takes until
what is under way has left (`wait_first`, typing, a repetition), for ten minutes at most. `pass` counts from the step
before it all the same.
"""

import logging
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import date, datetime, time, timedelta
from difflib import get_close_matches
from typing import cast
from zoneinfo import ZoneInfo

from pamosnik.engine import answers, sentences
from pamosnik.errors import PamosnikError, UsageError
from pamosnik.flows.compile import compile_flow, compile_settings
from pamosnik.flows.normal import Raw, list_of, map_of, strings
from pamosnik.flows.written_tests import FlowTest, Place, TestStep
from pamosnik.model.event import EventKind, Verdict
from pamosnik.model.step import Accept
from pamosnik.rehearsal.happenings import Judged, Sent
from pamosnik.rehearsal.play import USUAL_START, Play
from pamosnik.rehearsal.stage import Stage
from pamosnik.rehearsal.testing.expecting import Expecter
from pamosnik.rehearsal.testing.result import Failure, Result
from pamosnik.rehearsal.walks import Walk

WITHIN = timedelta(minutes=10)
"""How far the clock goes on by itself after a step."""
SOMEBODY = "anna"
"""Who a test plays with when it does not say."""
FIRST_WORD = "👋"
"""What somebody writes who came by a link, so that Instagram tells of it."""

_CARRY_A_LINK = frozenset({"dm", "tap"})
_HAPPEN = frozenset(
    {"comment", "live_comment", "dm", "story_reply", "story_mention", "shared_post", "tap", "react", "click"}
)
_META_ERROR = re.compile(r"(\d+)(?:/(\d+))?")
_ADDRESS = re.compile(r"https?://\S+")
_USERNAME = re.compile(r"[a-z0-9._]{1,30}")


def play_all(play: Play, tests: Iterable[FlowTest]) -> Iterator[Result]:
    """Each test's result, in their order."""
    for test in tests:
        yield play_one(play, test)


def play_one(play: Play, test: FlowTest) -> Result:
    try:
        stage = play.open(_start(play, test), shop=_shop(play, test))
    except UsageError as error:
        place = test.place_of("at")
        return Result(test, (Failure(place, place, "at", None, error.message, error.hint),))
    with stage, _without_logs():
        return _Performance(play, stage, test).play()


@contextmanager
def _without_logs() -> Iterator[None]:
    """What the daemon would log is told as the test's failure, or is part of what the test wants to see."""
    log, handler = logging.getLogger("pamosnik"), logging.NullHandler()
    propagate, log.propagate = log.propagate, False
    log.addHandler(handler)
    try:
        yield
    finally:
        log.removeHandler(handler)
        log.propagate = propagate


def _start(play: Play, test: FlowTest) -> datetime:
    """When it begins: as the test says, or the usual start unless its flow is active from a later moment on."""
    if test.at is not None:
        if " " in test.at:
            return datetime.strptime(test.at, "%Y-%m-%d %H:%M").replace(tzinfo=play.timezone)
        return datetime.combine(date.fromisoformat(test.at), time(12), play.timezone)
    usual = USUAL_START.replace(tzinfo=play.timezone)
    body = play.bodies.get(test.flow or "", {})
    if "active" not in body or test.flow is None:
        return usual
    begins = compile_flow(test.flow, body, timezone=play.timezone.key).active.from_
    return usual if begins is None else max(usual, begins)


def _shop(play: Play, test: FlowTest) -> str | None:
    """A flow that is for some connections plays on the first of them."""
    return next(iter(strings(play.bodies.get(test.flow or "", {}), "connections")), None)


class _CannotBeDone(Exception):
    """A step that nobody can do here."""

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class _Performance:
    """One test, step by step."""

    def __init__(self, play: Play, stage: Stage, test: FlowTest) -> None:
        self._play, self._stage, self._test = play, stage, test
        self._settings = compile_settings(play.settings)
        self._zone: ZoneInfo = play.timezone
        self._expecter = Expecter(stage, self._zone, sentences.disclosure(self._settings), stage.now)
        self._known: dict[str, tuple[str | None, bool | None]] = {}
        """Username → name, and whether they follow (None: Instagram does not tell)."""
        self._who = ""
        self._walks: dict[Walk, None] = {}
        self._number = 0

    def play(self) -> Result:
        failures = self._try(self._test.place_of("person"), "person", lambda: self._person(self._test.person))
        for number, step in enumerate(self._test.steps):
            if failures:
                break
            self._number = number
            failures = self._expecter.failures(step) if step.kind == "expect" else self._do(step)
            self._walks |= dict.fromkeys(self._stage.walks())
        return Result(
            self._test,
            tuple(failures),
            tuple(self._stage.happened),
            self._advice() if failures else {},
            tuple(self._walks),
            tuple(self._known),
            self._stage.username,
            self._zone,
        )

    def _do(self, step: TestStep) -> list[Failure]:
        self._expecter.begin(self._who)
        return self._try(step.place, step.kind, lambda: self._step(step))

    def _try(self, place: Place, kind: str, deed: Callable[[], None]) -> list[Failure]:
        seen = len(self._stage.failures)
        try:
            deed()
        except (_CannotBeDone, PamosnikError) as error:
            return [Failure(place, place, kind, None, error.message, error.hint)]
        except Exception as error:  # noqa: BLE001 - a fault of ours ends this test and leaves the others to be played
            return [_our_fault(place, kind, error)]
        return [_our_fault(place, kind, error) for error in self._stage.failures[seen : seen + 1]]

    def _advice(self) -> dict[str, str]:
        found = {}
        for one in self._stage.happened:
            if isinstance(one, Judged) and one.verdict is Verdict.NO_MATCH and one.kind is not EventKind.ECHO:
                advice = self._stage.why(one.event_id).advice
                if advice is not None:
                    found[one.event_id] = advice
        return found

    # --- steps ---------------------------------------------------------------------------------------

    def _step(self, step: TestStep) -> None:
        raw = step.raw
        match step.kind:
            case "person":
                self._person(raw)
            case "meta_says":
                self._meta_says(map_of(raw, "error"))
            case "webhook_says":
                self._stage.webhook_says(int(cast("str", raw.get("status", 200))), raw.get("json", {}))
            case "pass":
                self._pass(timedelta(seconds=cast("int", raw["time"])))
            case _:
                self._act(lambda: self._deed(step.kind, raw))

    def _deed(self, kind: str, raw: Raw) -> None:
        stage, who, text = self._stage, self._who, _text(raw, "text")
        match kind:
            case "comment":
                stage.comment(who, text or "", post=self._post(kind, raw, "post"))
            case "live_comment":
                if "post" in raw:
                    raise _CannotBeDone("a live comment stands under the broadcast, not under a post")
                stage.live_comment(who, text or "")
            case "dm":
                stage.write(who, text, image=_text(raw, "image"))
            case "story_reply":
                stage.answer_story(who, text or "", story=self._post(kind, raw, "story"))
            case "story_mention":
                stage.mention(who)
            case "shared_post":
                stage.share(who, post=self._post(kind, raw, "post"))
            case "tap":
                stage.tap(who, self._label(str(raw["label"])))
            case "react":
                self._require_message("react to")
                stage.react(who, str(raw["emoji"]))
            case "follow_link":
                self._follow_link(str(raw["ref"]))
            case "click":
                self._click(str(raw["link"]).strip())
            case "owner_replies":
                stage.owner_writes(who, text or "")
            case other:
                raise ValueError(f"unknown step {other}")

    def _act(self, deed: Callable[[], None]) -> None:
        deed()
        self._expecter.moment = self._stage.now
        self._let_out()

    def _pass(self, length: timedelta) -> None:
        end = self._expecter.moment + length
        self._stage.pass_time(max(end - self._stage.now, timedelta()))
        self._expecter.moment = end
        self._let_out()

    def _let_out(self) -> None:
        self._stage.let_out(WITHIN)
        waited = self._stage.waited_until
        if waited is not None and waited > self._expecter.moment:
            self._expecter.moment = waited

    def _person(self, raw: Raw) -> None:
        who = str(raw.get("username", self._who or SOMEBODY)).strip().removeprefix("@").lower()
        if not _USERNAME.fullmatch(who):
            raise _CannotBeDone(f"“{who}” is no username", "Letters a to z, digits, . and _, at most 30.")
        known = self._known.get(who)
        name, follows = known or (None, False)
        name = _text(raw, "name") or name
        if "follows" in raw:
            follows = {"true": True, "false": False}.get(str(raw["follows"]))
        self._who = self._expecter.who = who
        if known != (name, follows):
            self._known[who] = (name, follows)
            self._stage.introduce(who, name=name, follows=follows)
        fields = {field: self._value(field, str(value)) for field, value in map_of(raw, "fields").items()}
        if "tags" in raw or fields:
            self._stage.remember(who, tags=strings(raw, "tags"), fields=fields)

    def _value(self, field: str, written: str) -> str:
        """As it is kept."""
        spec = self._settings.fields[field]
        kept = answers.understand(
            Accept(spec.type.value),
            written,
            (),
            choices=spec.choices,
            language=self._settings.language,
            zone=self._zone.key,
            now=self._stage.now,
        )
        if kept is None:
            raise _CannotBeDone(f"the field {field} is a {spec.type.value}, and “{written}” is none")
        return kept

    def _meta_says(self, error: Raw) -> None:
        found = _META_ERROR.fullmatch(str(error["code"]).strip())
        if found is None:
            raise _CannotBeDone(
                f"“{error['code']}” is no error of Meta's", "Write it like 10, or 10/2534022 with a subcode."
            )
        body: dict[str, object] = {
            "message": "Refused in a test.",
            "type": "OAuthException",
            "code": int(found[1]),
        }
        subcode = _text(error, "subcode") or found[2]
        if subcode is not None:
            body["error_subcode"] = int(subcode)
        self._stage.meta_says(500 if int(found[1]) in (1, 2) else 400, {"error": body})

    # --- what can be done ----------------------------------------------------------------------------

    def _post(self, kind: str, raw: Raw, key: str) -> int | None:
        """The one that is named, else the one that the test's flow is about; None: the newest."""
        named = str(raw[key]).strip() if key in raw else self._of_flow(kind, key)
        return None if named is None else self._stage.post_named(named, story=key == "story")

    def _of_flow(self, kind: str, key: str) -> str | None:
        """The first post that the flow of this test names, if it takes no others."""
        triggers = list_of(self._play.bodies.get(self._test.flow or "", {}), "when")
        named = [strings(trigger, key) for trigger in triggers if trigger["trigger"] == kind]
        if not named or any(posts in ((), ("any",), ("next",)) for posts in named):
            return None
        return named[0][0]

    def _label(self, written: str) -> str:
        """The name of what they see to tap."""
        options = self._stage.options(self._who)
        for option in options:
            if written.strip() in (option.name.strip(), option.label.strip()):
                return option.name
        names = [option.name for option in options]
        near = get_close_matches(written, names, n=1, cutoff=0.7)
        hint = f"There is to tap: {' · '.join(names)}" if names else self._nothing_to_tap(written)
        hint = f"Did you mean “{near[0]}”? {hint}" if near else hint
        raise _CannotBeDone(f"there is no “{written}” to tap", hint)

    def _nothing_to_tap(self, written: str) -> str:
        last = next((one for one in reversed(self._sent())), None)
        if last is not None and last.text is not None and written in last.text:
            return f"Instagram took no buttons here, so the text names them: - dm: {written}"
        return "There is nothing to tap." if last is not None else "They have got no message yet."

    def _sent(self) -> list[Sent]:
        return [one for one in self._stage.happened if isinstance(one, Sent) and one.to == self._who]

    def _require_message(self, what: str) -> None:
        if not self._sent():
            raise _CannotBeDone(f"there is no message to {what}", "They have got no message yet.")

    def _follow_link(self, ref: str) -> None:
        """Instagram tells a stranger's link with the first thing they write or tap."""
        stranger = not self._stage.has_conversation(self._who)
        self._stage.follow_link(self._who, ref)
        later = (step.kind for step in self._test.steps[self._number + 1 :])
        next_deed = next((kind for kind in later if kind in _HAPPEN or kind in ("expect", "pass")), None)
        if stranger and next_deed not in _CARRY_A_LINK:
            self._stage.write(self._who, FIRST_WORD)

    def _click(self, link: str) -> None:
        try:
            self._stage.click(self._who, link)
        except PamosnikError as error:
            seen = list(dict.fromkeys(address for one in self._sent() for address in _addresses(one)))
            hint = f"They have got: {' · '.join(seen)}." if seen else "They have got no link yet."
            raise _CannotBeDone(
                f"there is no tracked link “{link}”", f"{hint} {error.hint or ''}".strip()
            ) from None


def _our_fault(place: Place, kind: str, error: Exception) -> Failure:
    said = f"Pamosnik itself failed here: {type(error).__name__}: {error}"
    hint = "In production it would end with the verdict error. If the flow is right, please report it."
    return Failure(place, place, kind, None, said, hint)


def _text(raw: Raw, key: str) -> str | None:
    return str(raw[key]) if key in raw else None


def _addresses(sent: Sent) -> Iterator[str]:
    yield from (option.url for option in sent.buttons if option.url is not None)
    yield from (card.url for card in sent.cards if card.url is not None)
    yield from _ADDRESS.findall(sent.text or "")
