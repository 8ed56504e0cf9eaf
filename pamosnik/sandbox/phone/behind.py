"""The column beside the phone: what the observer knows of a person, and the traffic on the wire."""

import json
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Protocol, runtime_checkable

from pamosnik.errors import NotFound
from pamosnik.sandbox.graph import Graph
from pamosnik.sandbox.phone import words
from pamosnik.sandbox.phone.shown import moment
from pamosnik.sandbox.things import Account, Json, Person
from pamosnik.sandbox.webhooks import Deliverer, Delivery
from pamosnik.sandbox.world import World

Observer = Callable[[str, str], Awaitable[Mapping[str, object]]]
"""(ig_id, igsid) → what the program under observation did about this person, ready for JSON:

    {"contact": {"tags", "fields", "window_open_until", "paused_until", "paused_by", "opted_out", "unreachable"}
                or None; `paused_by` is "owner" or "hand_over",
     "entries": [{"id", "flow", "title", "status", "step", "due_at", "reason",
                  "events": [{"id", "kind", "text", "at", "verdict", "reason", "advice",
                              "steps": [[step, what happened, detail, the step's verb]]}],
                  "sent": [{"id", "kind", "text", "status", "reason", "attempts", "due_at"}]}],
     "problems": [{"message", "fix"}],
     "hint": what to try while there is no contact, or left out,
     "zone": the time zone of its sentences, such as "Europe/Warsaw", or left out}

Newest entries first. `flow` is None for an event that no flow took.
"""

Action = Callable[[str, str], Awaitable[None]]
"""(ig_id, igsid) → done. Raises `PamosnikError` when it cannot be."""

ACTIONS = ("resume", "connect_again")
"""What the page can ask an observer for: automation again for a person, and to take the account's new token."""


@runtime_checkable
class Acting(Protocol):
    """An observer that can do something too: `actions` has some of `ACTIONS`."""

    @property
    def actions(self) -> Mapping[str, Action]: ...


_SHOWN = 30
_COUNTED_AMONG = 60

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Behind:
    """Where the column gets its facts from."""

    world: World
    deliverer: Deliverer
    graph: Graph
    observer: Observer | None

    async def shown(self, account: Account, person: Person) -> Json:
        return {
            "observed": await self._observed(account, person),
            "actions": sorted(self._actions()),
            "turned": words.turned(self.world, self.deliverer, self.graph, account),
            "webhooks": _webhooks(self.deliverer.log),
            "calls": self._calls(),
            "connect": self._connect(account),
        }

    async def act(self, name: str, account: Account, person: Person) -> None:
        """Has the observer do one of its actions."""
        action = self._actions().get(name)
        if action is None:
            raise NotFound("the program behind this page offers no such thing")
        await action(account.ig_id, self.world.igsid(account, person))

    def _actions(self) -> Mapping[str, Action]:
        return self.observer.actions if isinstance(self.observer, Acting) else {}

    async def _observed(self, account: Account, person: Person) -> Mapping[str, object] | None:
        """None without an observer."""
        if self.observer is None:
            return None
        try:
            return await self.observer(account.ig_id, self.world.igsid(account, person))
        except Exception:
            # The observer is somebody else's code: whatever it does, the phone must stay usable.
            log.exception("The observer failed", extra={"action": "phone.observer"})
            return {"failed": True}

    def _calls(self) -> list[Json]:
        return [
            {"at": moment(one.at), "method": one.method, "path": one.path, "status": one.status}
            for one in islice(reversed(self.graph.requests), _SHOWN)
        ]

    def _connect(self, account: Account) -> Json:
        """What a program needs to talk to this sandbox; the token is one that works, or None."""
        now = self.world.clock.now()
        usable = [
            token.value
            for token in self.world.tokens_of(account)
            if token.revoked is None and token.expires_at > now
        ]
        app = self.world.app
        return {
            "token": usable[-1] if usable else None,
            "app_secret": app.secret,
            "callback_url": app.callback_url,
            "live": app.live,
            "subscribed": bool(account.subscribed_fields),
        }


def _webhooks(deliveries: Iterable[Delivery]) -> list[Json]:
    """Newest first. `tries` = how often the same updates had been posted by then."""
    tries: Counter[str] = Counter()
    shown: list[Json] = []
    for delivery in list(deliveries)[-_COUNTED_AMONG:]:
        updates = _updates(delivery.body)
        same = json.dumps(updates, sort_keys=True)
        tries[same] += 1
        kinds = [_kind(update) for update in updates]
        shown.append(
            {"at": moment(delivery.at), "kinds": kinds, "status": delivery.status, "tries": tries[same]}
        )
    return shown[: -_SHOWN - 1 : -1]


def _updates(body: str) -> list[Json]:
    entries = json.loads(body)["entry"]
    return [update for entry in entries for update in entry.get("messaging", entry.get("changes", ()))]


def _kind(update: Json) -> str:
    """The word Meta's documentation uses for it."""
    if "field" in update:
        return str(update["field"])
    message = update.get("message")
    if isinstance(message, dict):
        marks = {"is_echo": "echo", "is_deleted": "message deleted", "quick_reply": "quick reply"}
        return next((word for mark, word in marks.items() if mark in message), "message")
    return next(
        (word for word in ("postback", "reaction", "read", "message_edit", "referral") if word in update),
        "other",
    )
