"""Taps of the record: each names a run that there is not here, so the button is looked for by its label.

A label is what the person has read and meant. Where it is gone and another, new one stands in the same place of the
same flow, the button was renamed: whoever tapped the old one would have tapped that.
"""

from collections import defaultdict
from dataclasses import dataclass

from pamosnik._sqlite import Connection
from pamosnik.engine import payload
from pamosnik.engine.payload import TapTarget
from pamosnik.model.event import Incoming
from pamosnik.model.outbox import OutboxItem
from pamosnik.model.text import Text
from pamosnik.model.words import same_label
from pamosnik.rehearsal.replay.deeds import options_of
from pamosnik.rehearsal.replay.played import Tap
from pamosnik.services.library import Library
from pamosnik.store import flows as flow_store


@dataclass(frozen=True, slots=True)
class _Shown:
    label: str
    payload: str
    target: TapTarget


class Taps:
    """What each person was shown here, and which of it a recorded tap means."""

    def __init__(self, library: Library, account_id: str) -> None:
        self._library = library
        self._account_id = account_id
        self._shown: dict[str, list[_Shown]] = defaultdict(list)

    def showed(self, item: OutboxItem) -> None:
        """A message has left; what can be tapped in it is known from now on."""
        options = (option for option in options_of(item.content) if option.payload is not None)
        new = [
            _Shown(option.label, str(option.payload), target)
            for option in options
            if (target := payload.from_payload(option.payload)) is not None
        ]
        # In a message in the order of reading, of messages the newest first.
        self._shown[item.contact_id][:0] = new

    def find(self, conn: Connection, incoming: Incoming, contact_id: str | None) -> Tap | None:
        """None for what is no tap on a button of a flow."""
        target = payload.from_payload(incoming.payload)
        if target is None:
            return None
        label = incoming.title or incoming.text or ""
        shown = self._shown.get(contact_id or "", [])
        same = [one for one in shown if same_label(one.label, label)]
        if same:
            # The same label on several cards: the one in the same place.
            newest = [one for one in same if one.target.run_id == same[0].target.run_id]
            best = next((one for one in newest if one.target.option == target.option), newest[0])
            return Tap(label, best.payload)
        first_id = flow_store.first_id(conn, self._account_id, target.flow_id)
        for one in shown:
            same_flow = flow_store.first_id(conn, self._account_id, one.target.flow_id) == first_id
            if same_flow and one.target.option == target.option and self._is_new(conn, target, one.target):
                return Tap(label, one.payload, instead=one.label)
        return Tap(label, None)

    def _is_new(self, conn: Connection, tapped: TapTarget, here: TapTarget) -> bool:
        """Whether the label that stands there was no other button of the version that was tapped."""
        before = self._library.flow(conn, self._account_id, tapped.flow_id, tapped.version)
        now = self._library.flow(conn, self._account_id, here.flow_id, here.version)
        written = None if now is None else now.options.get(here.option)
        if before is None or written is None:
            return False
        labels: set[Text] = {option.label for option in before.options.values()}
        return written.label not in labels
