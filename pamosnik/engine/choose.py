"""Who answers an event: a run that waits for this person, or one flow, or nobody.

Order: a tapped button; the questions this person was asked, the latest first, if the answer fits; the flows in their
order; the question whose answer did not fit; a flow for anything else. Safety words, pauses and opt-outs come before
all of this (`services.safety_words` and `services.turn`).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from pamosnik.engine import admission, answers, forgetting, payload, profile, render, sentences
from pamosnik.engine.admission import Occasion
from pamosnik.engine.catalog import ANYTHING_ELSE, Candidate, Catalog, Posts, came_from
from pamosnik.engine.match import Heard
from pamosnik.model.book import Sentence
from pamosnik.model.condition import CameFrom, Condition
from pamosnik.model.decision import Answered, Check, Facts, NotUnderstood, Stimulus, Tapped
from pamosnik.model.event import CHANGES, COMMENTS, SILENT, Event, EventKind, Verdict
from pamosnik.model.flow import Flow
from pamosnik.model.run import Run, RunWait, WaitKind
from pamosnik.model.step import Accept, Ask, Awaited, FieldType, ForgetMe, Option, Send, WaitFor
from pamosnik.model.text import Text
from pamosnik.model.words import same_label


@dataclass(frozen=True, slots=True)
class OpenWait:
    """A place where a run waits for this person."""

    run_id: str
    flow: Flow
    wait: RunWait


@dataclass(frozen=True, slots=True)
class Tap:
    """A button, chip or choice of ours that was tapped, found by its payload."""

    run: Run
    flow: Flow
    option: Option


@dataclass(frozen=True, slots=True)
class Person:
    """Who it is, what they did before, and where runs wait for them."""

    facts: Facts
    first_message: bool
    """Whether this event is their first message ever."""
    waits: tuple[OpenWait, ...] = ()
    """The latest opened first."""
    live: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Flow id → runs this person is in, as `mode` counts it."""
    starts: Mapping[str, Mapping[str, datetime]] = field(default_factory=dict)
    """Flow id → media id ('' without a post) → when it last started."""


@dataclass(frozen=True, slots=True)
class Cause:
    """The run whose step made this event."""

    flow_id: str
    came_from: CameFrom | None


@dataclass(frozen=True, slots=True)
class Start:
    """This flow begins."""

    flow: Flow
    detail: str


@dataclass(frozen=True, slots=True)
class Resume:
    """This run goes on."""

    run_id: str
    stimulus: Stimulus


@dataclass(frozen=True, slots=True)
class Nobody:
    """Nothing happens, and why."""

    verdict: Verdict
    reason: str
    flow_id: str | None = None


@dataclass(frozen=True, slots=True)
class LookUp:
    """Whether this flow begins depends on the person's profile, and Instagram has not been asked yet."""

    flow: Flow


Choice = Start | Resume | LookUp | Nobody


def choose(
    event: Event,
    heard: Heard,
    catalog: Catalog,
    person: Person,
    *,
    tap: Tap | None,
    posts: Posts,
    now: datetime,
    cause: Cause | None = None,
) -> tuple[Choice, tuple[Check, ...]]:
    """The one who answers, and what was looked at on the way. `cause`: of what another flow did."""
    return _Chooser(event, heard, catalog, person, posts, now, cause).choose(tap)


class _Chooser:
    def __init__(
        self,
        event: Event,
        heard: Heard,
        catalog: Catalog,
        person: Person,
        posts: Posts,
        now: datetime,
        cause: Cause | None,
    ) -> None:
        self.event = event
        self.heard = heard
        self.catalog = catalog
        self.person = person
        self.posts = posts
        self.now = now
        self.cause = cause
        self.trace: list[Check] = []
        self.yielded: Resume | None = None
        self.misfit: Resume | None = None

    def choose(self, tap: Tap | None) -> tuple[Choice, tuple[Check, ...]]:
        return self._first(tap), tuple(self.trace)

    def _first(self, tap: Tap | None) -> Choice:
        if tap is not None:
            taken = self._tap(tap)
            if taken is not None:
                return taken
        entered = payload.from_entrance(self.event.incoming.payload) is not None
        if self.event.kind not in COMMENTS | SILENT | CHANGES and not entered:
            answered = self._answer()
            if answered is not None:
                return answered
        fitting = self.catalog.candidates(
            self.event,
            self.heard,
            first_message=self.person.first_message,
            posts=self.posts,
            username=self.person.facts.connection_username,
        )
        started, refused = self._flows(c for c in fitting if c.specificity != ANYTHING_ELSE)
        if started is None and self.yielded is not None:
            return self.yielded
        if started is None and self.misfit is not None and self.event.kind is not EventKind.STORY_MENTION:
            self.trace.append(
                Check("question", "not understood", "the answer does not fit, and no flow takes it")
            )
            return self.misfit
        if started is None:
            started, last_refused = self._flows(c for c in fitting if c.specificity == ANYTHING_ELSE)
            refused = refused or last_refused
        if started is not None:
            return started
        if refused is None and self.event.kind is EventKind.REACTION:
            return Nobody(Verdict.NOTED, "no flow waits for this reaction")
        return refused or Nobody(Verdict.NO_MATCH, "no flow has a trigger for it")

    # --- taps and answers ----------------------------------------------------------------------------

    def _tap(self, tap: Tap) -> Choice | None:
        owner = tap.option.step
        step = tap.flow.steps.get(owner)
        asked = next((w for w in tap.run.waits if w.kind is WaitKind.ANSWER and w.path == owner), None)
        if asked is not None and isinstance(step, Ask):
            self.trace.append(Check("question", "answered", "by a tap"))
            return Resume(tap.run.id, self._answered(asked, step, tap.option))
        awaited = any(self._awaits(tap.flow, wait, tap.option) for wait in tap.run.waits)
        if not tap.option.does_something and not awaited and not isinstance(step, Ask):
            return None  # a chip that only writes its label: what is written counts
        busy = any(w.branch == tap.option.path and w.kind is not WaitKind.TAP for w in tap.run.waits)
        if busy:
            reason = "the steps of this button are still under way"
            return Nobody(Verdict.FILTERED, reason, tap.flow.id)
        self.trace.append(Check("button", "tapped", tap.option.path))
        value = self._choice_value(step, tap.option) if isinstance(step, Ask) else None
        return Resume(tap.run.id, Tapped(tap.option.path, self.event, value))

    def _answer(self) -> Resume | None:
        """The latest question that the text answers. Remembers the ones it could answer later."""
        for waiting in self.person.waits:
            step = waiting.flow.steps.get(waiting.wait.path)
            if waiting.wait.kind is WaitKind.TAP and isinstance(step, Send):
                option = self._typed_label(step)
                if option is not None:
                    self.trace.append(Check("button", "typed", option.path))
                    return Resume(waiting.run_id, Tapped(option.path, self.event))
            elif waiting.wait.kind is WaitKind.ANSWER and isinstance(step, Ask):
                answer = self._fits(waiting, step)
                if answer is not None:
                    self.trace.append(Check("question", "answered", waiting.wait.path))
                    return answer
            elif waiting.wait.kind is WaitKind.ANSWER and isinstance(step, ForgetMe):
                answer = self._forgets(waiting)
                if answer is not None:
                    return answer
            elif isinstance(step, WaitFor):
                came = self._came(waiting, step)
                if came is not None:
                    self.trace.append(Check("wait_for", "came", waiting.wait.path))
                    return came
        return None

    def _came(self, waiting: OpenWait, step: WaitFor) -> Resume | None:
        """The answer or the typed label that a `wait_for` waits for."""
        if step.awaited is Awaited.TAP:
            typed = self._typed_awaited(waiting)
            return None if typed is None else Resume(waiting.run_id, Tapped(typed.path, self.event))
        text = self._understood(Accept.ANYTHING, self.event.incoming.text, ())
        answer = Resume(waiting.run_id, Answered(waiting.wait.id, text, None, self.event))
        if self.catalog.is_keyword_of_another(self.heard, waiting.flow.id):
            self.yielded = self.yielded or answer
            return None
        return answer

    def _typed_awaited(self, waiting: OpenWait) -> Option | None:
        """The option with the label that is waited for, if that is what was typed, among those it stands with."""
        for step in waiting.flow.steps.values():
            if isinstance(step, Send):
                options = step.message.options
                labels = [self._label(option) for option in options]
                number = answers.choose_option(labels, self.event.incoming.text, whole_only=True)
                if number is not None and self._awaits(waiting.flow, waiting.wait, options[number]):
                    return options[number]
        return None

    def _awaits(self, flow: Flow, wait: RunWait, option: Option) -> bool:
        """Whether a `wait_for` waits for a tap on this option."""
        step = flow.steps.get(wait.path)
        if not isinstance(step, WaitFor) or step.awaited is not Awaited.TAP:
            return False
        return same_label(self._label(option), self._filled(step.what))

    def _typed_label(self, step: Send) -> Option | None:
        """A number counts everything that is seen, also what does nothing."""
        options = step.message.options
        labels = [self._label(option) for option in options]
        number = answers.choose_option(labels, self.event.incoming.text, whole_only=True)
        if number is None:
            return None
        meant = [
            option
            for option, label in zip(options, labels, strict=True)
            if option.does_something and label == labels[number]
        ]
        # The same label on several cards: only a tap tells which is meant.
        return meant[0] if len(meant) == 1 else None

    def _fits(self, waiting: OpenWait, step: Ask) -> Resume | None:
        text = self.event.incoming.text
        labels = [self._label(option) for option in step.choices]
        number = answers.choose_option(labels, text)
        if number is not None:
            return Resume(waiting.run_id, self._answered(waiting.wait, step, step.choices[number]))
        if step.optional and answers.choose_option([self._skip()], text, whole_only=True) is not None:
            return Resume(waiting.run_id, Answered(waiting.wait.id, None, None, self.event))
        free = step.accept in (Accept.TEXT, Accept.ANYTHING)
        value = None if labels and not free else self._value(step.accept, step)
        if value is None:
            if self.misfit is None:
                self.misfit = Resume(waiting.run_id, NotUnderstood(waiting.wait.id, self.event))
            return None
        answer = Resume(waiting.run_id, Answered(waiting.wait.id, value, None, self.event))
        if free and self.catalog.is_keyword_of_another(self.heard, waiting.flow.id):
            self.yielded = self.yielded or answer
            return None
        return answer

    def _forgets(self, waiting: OpenWait) -> Resume | None:
        """A yes or a no; anything else is no answer, but the question is over all the same."""
        said = forgetting.confirmed(self.person.facts.settings, self.event.incoming.text)
        no = Resume(waiting.run_id, NotUnderstood(waiting.wait.id, self.event))
        if said is None:
            self.misfit = self.misfit or no
            return None
        self.trace.append(Check("question", "answered", "yes" if said else "no"))
        return Resume(waiting.run_id, Answered(waiting.wait.id, None, None, self.event)) if said else no

    def _answered(self, wait: RunWait, step: Ask, option: Option) -> Answered:
        return Answered(wait.id, self._choice_value(step, option), option.path, self.event)

    def _choice_value(self, step: Ask, option: Option) -> str:
        label = self._label(option)
        spec = self.person.facts.settings.fields.get(step.save_as or "")
        if spec is None or spec.type in (FieldType.TEXT, FieldType.CHOICE):
            return label
        return self._understood(Accept(spec.type.value), label, ()) or label

    def _value(self, accept: Accept, step: Ask) -> str | None:
        spec = self.person.facts.settings.fields.get(step.save_as or "")
        choices = () if spec is None else spec.choices
        return self._understood(accept, self.event.incoming.text, choices)

    def _understood(self, accept: Accept, text: str | None, choices: Sequence[str]) -> str | None:
        facts = self.person.facts
        return answers.understand(
            accept,
            text,
            self.event.incoming.attachments,
            choices=choices,
            language=facts.settings.language,
            zone=facts.settings.timezone or facts.timezone,
            now=self.now,
        )

    def _label(self, option: Option) -> str:
        return self._filled(option.label)

    def _filled(self, text: Text) -> str:
        filled = render.values(self.person.facts, text=None, answer=None, now=self.now)
        return render.render(text, filled, limit_bytes=None)

    def _skip(self) -> str:
        return sentences.say(self.person.facts.settings, Sentence.SKIP)

    # --- flows ---------------------------------------------------------------------------------------

    def _flows(self, candidates: Iterable[Candidate]) -> tuple[Start | LookUp | None, Nobody | None]:
        """The first that has nothing against it as far as is known, and the first that has."""
        refused: Nobody | None = None
        for candidate in candidates:
            flow = candidate.flow
            against = self._against(flow)
            if against is None and self._depends_on_profile(flow):
                return LookUp(flow), refused
            if against is None:
                self.trace.append(Check(flow.id, "starts", candidate.detail))
                return Start(flow, candidate.detail), refused
            self.trace.append(Check(flow.id, "steps aside", against))
            refused = refused or Nobody(Verdict.FILTERED, against, flow.id)
        return None, refused

    def _against(self, flow: Flow) -> str | None:
        """Why this flow does not take the event now; None when nothing is against it."""
        if self.cause is not None and self.cause.flow_id == flow.id:
            return "it did this itself, and a flow does not start itself"
        found = admission.against(
            flow,
            profile.settled(self.person.facts, self.now),
            self._occasion(),
            paused=self.catalog.paused,
            starts=self.person.starts,
            live=self.person.live,
            may_be_told=self._could_tell,
            now=self.now,
        )
        return None if found is None else found.sentence

    def _occasion(self) -> Occasion:
        came = self.cause.came_from if self.cause is not None else came_from(self.event)
        return Occasion(self.event.incoming.text, came, self.event.incoming.media_id)

    def _could_tell(self, condition: Condition) -> bool:
        """Whether Instagram, if it were asked for the person's profile, might decide this condition."""
        return profile.asks(condition) and not profile.settled(self.person.facts, self.now).profile_asked

    def _depends_on_profile(self, flow: Flow) -> bool:
        facts = replace(self.person.facts, first_time=flow.id not in self.person.starts)
        return any(
            self._could_tell(one)
            and admission.holds(one, profile.settled(facts, self.now), self._occasion(), self.now) is None
            for one in flow.only_if
        )
