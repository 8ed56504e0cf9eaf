"""What holds up what goes out: the same few causes for a single item and for a whole queue."""

from enum import StrEnum

from pamosnik.instagram.limits import PRIVATE_REPLIES_PER_HOUR


class Holds(StrEnum):
    """Why something has not left yet. What needs the owner stands first."""

    UNKNOWN = "unknown"
    LOGIN = "login"
    REST = "rest"
    SILENT = "silent"
    HOUR = "hour"
    PAUSED = "paused"
    BEFORE = "before"
    PRIVATE_REPLY = "private_reply"
    ANSWER = "answer"
    LATER = "later"
    NOW = "now"
    SENDING = "sending"

    @property
    def words(self) -> str:
        """What a number of them is called."""
        return _WORDS[self]

    @property
    def meaning(self) -> str:
        """In a sentence or two, and what can be done."""
        return _MEANINGS[self]


_WORDS = {
    Holds.UNKNOWN: "of unknown fate",
    Holds.LOGIN: "waiting for you: a login or a permission",
    Holds.REST: "resting because Meta asked for it",
    Holds.SILENT: "waiting because Instagram does not answer",
    Holds.HOUR: f"waiting for Meta’s limit of {PRIVATE_REPLIES_PER_HOUR} private replies an hour",
    Holds.PAUSED: "waiting for the end of a pause",
    Holds.BEFORE: "waiting for the message before",
    Holds.PRIVATE_REPLY: "waiting for the private message they announce",
    Holds.ANSWER: "waiting for the person’s answer",
    Holds.LATER: "not due yet",
    Holds.NOW: "leaving now",
    Holds.SENDING: "being sent",
}

_MEANINGS = {
    Holds.UNKNOWN: (
        "The request left, and no answer came. Pamosnik looks into the conversation for an hour, and sends nothing"
        " twice on a guess. What is still here then is yours: look at the conversation, and say what became of it."
    ),
    Holds.LOGIN: (
        "Instagram refused the login or a permission. The first page says what to do; afterwards all of it leaves by"
        " itself, as far as it can still arrive in time."
    ),
    Holds.REST: "Meta asked for a pause, for this account or this kind of message. It goes on by itself.",
    Holds.SILENT: (
        "Several requests in a row were not answered. One at a time is tried until Instagram answers again."
    ),
    Holds.HOUR: (
        "Private replies to comments leave at Meta’s pace, the ones with the least time left first. Nothing has to be"
        " done; a comment can be answered for 7 days."
    ),
    Holds.PAUSED: "You, or somebody on the phone, write with this person. It goes on when the pause is over.",
    Holds.BEFORE: "Messages to a person keep their order. It follows as soon as the one before has come to its end.",
    Holds.PRIVATE_REPLY: (
        "A public “sent you a message” goes out only once Instagram has taken the private message."
    ),
    Holds.ANSWER: (
        "After a comment Meta allows one private reply. Whatever comes next may leave once the person has answered."
    ),
    Holds.LATER: "A delay that the flow asks for, or another try after one that came to nothing.",
    Holds.NOW: "Nothing holds it.",
    Holds.SENDING: "Its request is under way.",
}
