"""How deliveries misbehave, and what was delivered: the values `webhooks` works with."""

from dataclasses import dataclass
from datetime import datetime

from pamosnik.sandbox import rules
from pamosnik.sandbox.switches import switch


@dataclass(frozen=True, slots=True)
class Switches:
    """How deliveries misbehave."""

    duplicates: int = switch(0, "§3.4", "extra copies of every POST", at_least=0)
    batch: int = switch(1, "§3.4", "most updates in one POST", at_least=1, at_most=rules.BATCH_MAX)
    # only a delay lets a queue build up
    shuffle: bool = switch(False, "§3.4", "the next update is any of the first few in the queue")
    delay_s: float = switch(
        0.0, "§3.4", "how long an update waits before it starts a POST, in real seconds", at_least=0
    )
    loss: float = switch(
        0.0, "§12.9", "this share of the updates never arrives, 0 to 1", at_least=0, at_most=1
    )
    lose_next: int = switch(0, "§12.9", "so many of the next updates never arrive; counts down", at_least=0)
    echo_first: bool = switch(False, "§3.8", "the echo of a send is delivered before the Send API answers")
    edit_companions: bool = switch(
        False, "§3.8", "every message is announced by a message_edit with num_edit 0 too"
    )
    edit_instead: bool = switch(
        False, "§3.8", "a message_edit with num_edit 0 comes instead of the message of a person"
    )
    comment_envelope: str = switch(
        "changes",
        "§3.9",
        "where comments are: changes[] or in the entry itself",
        choices=("changes", "entry"),
    )
    outer_array: bool = switch(False, "§0", "the body is an array with the one object, as in Meta's examples")
    escape_slashes: bool = switch(False, "§3.3", r"/ is written as \/")
    signs_with: str = switch(
        "instagram", "§3.3", "whose app secret signs deliveries", choices=("instagram", "meta")
    )
    sha1_signature: bool = switch(False, "§3.2", "the old X-Hub-Signature comes too")
    drops_subscription: bool = switch(True, "§3.4", "an hour of failure unsubscribes the account")
    retry_gaps_s: tuple[float, ...] = switch(
        rules.RETRY_GAPS_S, "§3.4", "seconds between tries, in real seconds; the last gap repeats"
    )
    slow_s: float = switch(3.0, "§12.10", "how late the fault `slow` answers, in real seconds", at_least=0)


@dataclass(frozen=True, slots=True)
class Delivery:
    """One POST that was made; `status` None = no answer in time."""

    at: datetime
    status: int | None
    body: str
