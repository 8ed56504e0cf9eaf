"""What was accepted, and what became of it: the count that a walk and a chaos are judged by."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Row = Mapping[str, Any]
"""An event or a queue item as `--json` shows it."""


@dataclass(frozen=True, slots=True)
class Got:
    """A message as its receiver has it."""

    id: str
    text: str


@dataclass(slots=True)
class Ledger:
    people: int = 0
    kills: int = 0
    faults: int = 0
    events: int = 0
    messages: int = 0
    """Messages and public replies that Instagram has."""
    lost: list[str] = field(default_factory=list)
    """Events without a verdict or with a wrong one, and messages on record as sent that nobody has."""
    doubled: list[str] = field(default_factory=list)
    """Whoever got something twice, or something that is on no record."""
    disordered: list[str] = field(default_factory=list)
    """Whoever got messages in another order than they were made in."""
    settled: int = 0
    """Messages of unknown fate that evidence has settled."""
    unknown: int = 0
    """Messages that are still unknown, each with a reason."""
    unexplained: list[str] = field(default_factory=list)
    """Messages that were not sent, without a reason."""
    strayed: list[str] = field(default_factory=list)
    """Whoever lost their place when the flows were changed."""

    @property
    def holds(self) -> bool:
        return not self.wrong

    @property
    def wrong(self) -> list[str]:
        return [*self.lost, *self.doubled, *self.disordered, *self.unexplained, *self.strayed]

    def __str__(self) -> str:
        return (
            f"people {self.people}, events {self.events}, messages {self.messages}, kills {self.kills},"
            f" faults {self.faults}: lost {len(self.lost)}, doubled {len(self.doubled)},"
            f" out of order {len(self.disordered)}, unknown {self.unknown}, settled {self.settled},"
            f" unexplained {len(self.unexplained)}"
        )

    def add(self, other: "Ledger") -> None:
        """Another home's figures on top of these."""
        for name in ("people", "kills", "faults", "events", "messages", "settled", "unknown"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        for name in ("lost", "doubled", "disordered", "unexplained", "strayed"):
            getattr(self, name).extend(getattr(other, name))

    def count(
        self,
        events: Iterable[Row],
        queue: Sequence[Row],
        threads: Mapping[str, Sequence[Got]],
        replies: Mapping[str, Sequence[Got]],
    ) -> None:
        """Compares the record of one home with what Instagram has: `threads` by IGSID, `replies` by comment."""
        for event in events:
            self.events += 1
            # Nobody writes by hand here: what is `paused` was kept back by a mistake.
            if event["verdict"] in ("pending", "error", "paused"):
                self.lost.append(f"event {event['id']} ({event['kind']}) is {event['verdict']}")
        for item in queue:
            self._explained(item)
        oldest_first = list(reversed(queue))
        for igsid, got in threads.items():
            mine = [i for i in oldest_first if i["to"]["igsid"] == igsid and i["kind"] != "comment_reply"]
            self._compare(f"to {igsid}", mine, got)
        for comment_id, got in replies.items():
            mine = [i for i in oldest_first if i["to"]["comment_id"] == comment_id]
            mine = [item for item in mine if item["kind"] == "comment_reply"]
            self._compare(f"under {comment_id}", mine, got)

    def _explained(self, item: Row) -> None:
        reason = item["reason"] or ""
        self.settled += "settled" in reason or "earlier attempt" in reason
        self.unknown += item["status"] == "unknown"
        if item["status"] != "sent" and not reason:
            self.unexplained.append(f"{item['kind']} {item['id']} is {item['status']}")

    def _compare(self, where: str, items: Sequence[Row], got: Sequence[Got]) -> None:
        self.messages += len(got)
        sent = [item for item in items if item["status"] == "sent"]
        perhaps = [item for item in items if item["status"] in ("unknown", "sending", "queued")]
        ids = [message.id for message in got]
        missing = [
            i["message_id"] for i in sent if i["message_id"] is not None and i["message_id"] not in ids
        ]
        if missing or len(got) < len(sent):
            self.lost.append(f"{where}: {len(sent)} on record as sent, {len(got)} arrived, missing {missing}")
        twice = [text for text, n in Counter(message.text for message in got).items() if n > 1]
        if twice or len(got) > len(sent) + len(perhaps):
            self.doubled.append(f"{where}: {len(sent)} sent, {len(perhaps)} open, {len(got)} arrived")
        made = [i["message_id"] for i in sent if i["message_id"] in ids]
        if made != [one for one in ids if one in made]:
            self.disordered.append(f"{where}: made {made}, arrived {ids}")
