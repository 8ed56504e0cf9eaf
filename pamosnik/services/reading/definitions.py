"""What each number counts, in the words that pages show as hints. docs/statistics.md says the same, and more."""

from collections.abc import Mapping

DEFINITIONS: Mapping[str, str] = {
    "received": (
        "What people did: comments, messages, story replies and mentions, shared posts, taps, reactions. Each counts"
        " once, however often Instagram tells of it."
    ),
    "answered": "What of it began a flow, or was an answer in one.",
    "started": "Runs that began. A run is one person going through one flow.",
    "sent": (
        "Runs that sent at least one message or private reply. Sent means accepted by Instagram: it gives no receipt"
        " of delivery."
    ),
    "seen": "Runs of which the person saw a message, as far as Instagram tells.",
    "clicked": "Runs in which the person opened a tracked link or tapped a button.",
    "replied": (
        "Runs that the person answered: by a tap, by an answer to its question, or by anything they said within 7"
        " days, when no other run had sent them something since."
    ),
    "completed": "Runs that reached a goal or, in a flow without goals, its end.",
    "failed": "Runs in which something could not be done: a message, a reply or a call, for example.",
    "expired": "Runs that ended because nobody answered in time.",
    "comments": "Comments of people under the post. Your own do not count.",
    "matched": "Comments that began a flow, or were an answer in one.",
    "reached": "Runs that came to this step, each once.",
    "here": "People who wait at this step now, whenever they came.",
    "lost": (
        "Runs that came to this step, went no further and do not wait there. Of buttons: nobody tapped one."
    ),
    "messages": "Messages with the link that were sent, which means accepted by Instagram.",
    "people": "People who opened the link, each once for every time it was sent to them.",
    "clicks": "Visits of people, every one.",
    "previews": "Visits of machines that look at links before people do. They count for nothing else.",
}
"""Word of the JSON contract → what it counts."""
