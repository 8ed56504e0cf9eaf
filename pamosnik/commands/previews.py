"""What --dry-run says of a deletion: what would go, what would never be sent, whom Meta is told of, what stays."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pamosnik.commands.common import note, print_facts, say

if TYPE_CHECKING:
    from pamosnik.privacy.would_go import WouldGo

STAYS_ANYWAY = (
    "exports and copies that you made elsewhere",
    "on Instagram: conversations, comments and posts",
)


def shape(found: "WouldGo", stays: Sequence[str]) -> dict[str, object]:
    """The JSON contract."""
    return {
        "would_go": dict(found.rows),
        "never_sent": found.never_sent,
        "tells_meta_of": list(found.tells_meta_of),
        "stays": list(stays),
    }


def tell(of: str, found: "WouldGo", stays: Sequence[str]) -> None:
    """`of`: like `the account a@shop.example`."""
    say(f"Of {of} this would be deleted:")
    print_facts([(table.replace("_", " "), str(n)) for table, n in found.rows.items()] or [("rows", "none")])
    if found.never_sent:
        say(f"Of the outbox {found.never_sent} would never be sent: they wait now.")
    for username in found.tells_meta_of:
        say(f"Meta would be told to send nothing more about {username}.")
    say("What would stay:")
    for one in stays:
        say(f"- {one}")
    note("Nothing was changed.")


def only_traces() -> None:
    note("All rows of it are gone; the same command without --dry-run removes their last traces.")
