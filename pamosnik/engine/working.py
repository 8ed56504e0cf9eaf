"""The working copy of one decision: what a turn has changed so far."""

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from pamosnik.engine import conditions, profile, render
from pamosnik.model.addresses import hosts
from pamosnik.model.condition import Condition
from pamosnik.model.contact import Contact
from pamosnik.model.decision import (
    Check,
    Decision,
    Effect,
    EffectSettled,
    Facts,
    PauseContact,
    RunErrand,
    SetField,
    StartRun,
)
from pamosnik.model.flow import Flow
from pamosnik.model.outbox import ItemKind, ItemStatus
from pamosnik.model.run import ENDED, Run, RunStatus, RunWait, WaitKind
from pamosnik.model.step import At
from pamosnik.model.text import Text

SAVED = "saved."
"""In `Run.data` before the name of a variable that a `call` made."""


class Turn:
    """The run, the person and the waits as they are in the middle of a turn; becomes a `Decision`."""

    def __init__(self, flow: Flow, run: Run, facts: Facts, now: datetime) -> None:
        self.flow = flow
        self.run = replace(run, turn=run.turn + 1)
        self.facts = facts
        self.now = now
        self.contact: Contact = facts.contact
        self.waits = {wait.id: wait for wait in run.waits}
        self.effects: list[Effect] = []
        self.trace: list[Check] = []
        self.private_reply_made = run.origin.private_item is not None
        self.code = facts.code
        """The variable `code`."""
        self.variants = dict(facts.last_variants)
        self.profile_asked = facts.profile_asked
        self.walked = 0
        self.came_back: EffectSettled | None = None
        """The errand that ended, for the step that asked; that step takes it with `take_result`."""

    def line_ended(self, branch: str) -> None:
        if branch == "":
            self.run = replace(self.run, main_done=True)
        over = self.run.main_done or (branch != "" and not self.waits)
        if over and not self.run.taps_open and self.run.status not in ENDED:
            self.end(RunStatus.COMPLETED, None)

    def go_to_flow(self, flow_id: str, branch: str) -> None:
        if flow_id in self.facts.closed:
            self.trace.append(Check("run", "skipped", f"{flow_id}: {self.facts.closed[flow_id]}"))
        elif flow_id in self.facts.can_start:
            self.effects.append(StartRun(flow_id))
        else:
            self.trace.append(Check("run", "skipped", f"the flow {flow_id} is not applied any more"))
        self.line_ended(branch)

    def end(self, status: RunStatus, reason: str | None) -> None:
        """The run is over. Only branches of a completed run go on."""
        if self.run.status in ENDED and self.run.finished_at is not None:
            return
        self.run = replace(self.run, status=status, finished_at=self.now, reason=reason, taps_open=False)
        if status is not RunStatus.COMPLETED:
            self.waits.clear()
        else:
            self.waits = {w.id: w for w in self.waits.values() if w.kind is not WaitKind.TAP}

    def decision(self) -> Decision:
        waits = tuple(self.waits.values())
        status = self.run.status
        if self.run.finished_at is None:
            status = RunStatus.WAITING if waits else RunStatus.ACTIVE
        return Decision(
            run=replace(self.run, status=status, waits=waits),
            effects=tuple(self.effects),
            trace=tuple(self.trace),
        )

    def call_human(self, pause: timedelta, note: str | None) -> None:
        self.effects.append(PauseContact(self.now + pause, note))

    def set_field(self, field: str, value: str | None, *, counted: bool = False) -> None:
        self.effects.append(SetField(field, value, counted))
        fields = {name: old for name, old in self.contact.fields.items() if name != field}
        if value is not None:
            fields[field] = value
        self.contact = replace(self.contact, fields=fields)

    def fill(self, text: Text, limit_chars: int | None = None) -> str:
        return render.render(
            text,
            self.values(),
            limit_bytes=None,
            limit_chars=limit_chars,
            whole=self.whole(),
            owners=self.owners(),
        )

    def owners(self) -> frozenset[str]:
        """Variables that the owner, or a service of theirs, has written."""
        return frozenset((*self.facts.settings.facts, *self.saved(), "post_link"))

    def hosts(self, text: Text) -> frozenset[str]:
        """Where addresses in this text lead, as far as no person says where."""
        return hosts(render.owners_words(text, self.values(), self.owners()))

    def whole(self) -> frozenset[str]:
        """Variables that no limit may cut."""
        return render.whole(self.facts.settings)

    def values(self) -> Mapping[str, str | None]:
        known = render.values(
            replace(self.facts, contact=self.contact, code=self.code),
            text=self.run.origin.text,
            answer=self.run.answer,
            now=self.now,
        )
        return {**self.saved(), **known}

    def saved(self) -> Mapping[str, str]:
        """Variables that a `call` made."""
        data = self.run.data.items()
        return {name.removeprefix(SAVED): value for name, value in data if name.startswith(SAVED)}

    def holds(self, condition: Condition) -> bool | None:
        return conditions.holds(
            condition,
            self._settled(),
            text=self.run.origin.text,
            came_from=self.run.origin.came_from,
            now=self.now,
        )

    def rewind(self, path: str, branch: str) -> str:
        """Goes back to an earlier step; returns the line that goes on there.

        A step stands in one line: on the main line or in the `do` of a button. What that line waited for is over, but
        for taps on messages that people still see. A run that has ended stays so: its branches go on by themselves.
        """
        if self.run.status in ENDED:
            return branch
        line = branch_of(path)
        self.waits = {w.id: w for w in self.waits.values() if w.kind is WaitKind.TAP or w.branch != line}
        if line == "":
            self.run = replace(self.run, main_done=False)
        return line

    def _settled(self) -> Facts:
        facts = replace(self.facts, contact=self.contact, profile_asked=self.profile_asked)
        return profile.settled(facts, self.now)

    def could_tell(self, condition: Condition) -> bool:
        """Whether Instagram, if it were asked for the person's profile, could decide this condition."""
        return profile.asks(condition) and not self._settled().profile_asked and self.holds(condition) is None

    def open_wait(
        self, kind: WaitKind, path: str, due: datetime, branch: str, what: str | None = None
    ) -> str:
        # A step that is done again waits once.
        self.waits = {w.id: w for w in self.waits.values() if (w.kind, w.path) != (kind, path)}
        wait_id = f"{self.run.id}-{self.run.turn}-{len(self.waits)}-{self.walked}"
        self.waits[wait_id] = RunWait(
            id=wait_id, kind=kind, path=path, opened_at=self.now, due_at=due, branch=branch, what=what
        )
        return wait_id

    def errand(self, at: At, kind: ItemKind, task: Mapping[str, str], within: timedelta, branch: str) -> None:
        """Sends for something and waits for it: the step is done again when it came back, or after `within`."""
        wait_id = self.open_wait(WaitKind.EFFECT, at.path, self.now + within, branch)
        self.effects.append(RunErrand(at.path, kind, {**task, "wait": wait_id}))

    def look_up(self, at: At, branch: str) -> None:
        """Asks Instagram for the person's profile; the step is done when it is there, or cannot be had."""
        self.errand(at, ItemKind.LOOKUP, {}, profile.WITHIN, branch)
        self.note(at, "asks Instagram", "for the person's profile")

    def profile_came(self, path: str, answer: EffectSettled) -> None:
        """For the rest of this turn Instagram is not asked again."""
        self.profile_asked = True
        if answer.status is ItemStatus.SENT:
            self.trace.append(Check(path, "profile", profile.told(self.contact)))
        else:
            self.contact = profile.unknown(self.contact)
            self.trace.append(Check(path, "profile unknown", answer.reason or answer.status.value))

    def take_result(self, at: At) -> EffectSettled | None:
        """What this step sent for, once; None when it has not sent for anything."""
        found = self.came_back if self.came_back is not None and self.came_back.step == at.path else None
        self.came_back = None
        return found

    def drop_waits(self, kind: WaitKind, path: str) -> None:
        self.waits = {w.id: w for w in self.waits.values() if not (w.kind is kind and w.path == path)}

    def others_wait(self) -> bool:
        return bool(self.waits)

    def may_send(self) -> bool:
        """Whether a message can reach the person: their window is open, a private reply holds the door, or it may
        wait until they write."""
        origin = self.run.origin
        return self.contact.window_open(self.now) or origin.comment_id is not None or self._silent_so_far()

    def _silent_so_far(self) -> bool:
        """Whether they have only reacted or opened a link, and written nothing since."""
        until = self.contact.window_open_until
        return self.run.origin.silent and (until is None or until <= self.run.started_at)

    def variant(self, path: str, count: int) -> int:
        """Derived from run, turn and step, so a repeated turn says the same; never the one used last."""
        if count < 2:
            return 0
        number = self.number(path, "variant") % count
        if number == self.variants.get(path):
            number = (number + 1) % count
        self.variants[path] = number
        return number

    def number(self, path: str, what: str) -> int:
        seed = f"{self.run.id}|{self.run.turn}|{path}|{what}".encode()
        return int.from_bytes(hashlib.sha256(seed).digest()[:8])

    def draw(self, at: At) -> int:
        """0 to 99, for this person at this step: always the same."""
        seed = f"{self.facts.draws_from}|{at.id or at.path}".encode()
        return int.from_bytes(hashlib.sha256(seed).digest()[:8]) % 100

    def note(self, at: At, result: str, detail: str = "") -> None:
        self.trace.append(Check(at.path, result, detail))


def branch_of(path: str) -> str:
    """The button or chip in whose `do` a step stands; empty on the main line."""
    parts = path.split(".")
    for place in range(len(parts) - 1, 0, -1):
        if parts[place - 1] in ("buttons", "chips"):
            return ".".join(parts[: place + 1])
    return ""
