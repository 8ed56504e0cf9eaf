"""What name, e-mail address and time zone of an account may be. Each function gives what is stored, or refuses."""

import re
import unicodedata
from zoneinfo import available_timezones

from pamosnik.errors import UsageError
from pamosnik.store import accounts

LONGEST_NAME = 100
LONGEST_EMAIL = 254
"""RFC 5321, 4.5.3.1.3: a path has at most 256 characters, with its angle brackets."""
_EMAIL = re.compile(r"""[^\s@<>()\[\]\\,;:"]{1,64}@[^\s@<>()\[\]\\,;:"]+""")


def name(text: str) -> str:
    """Without spaces around it, in Unicode's composed form."""
    tidied = unicodedata.normalize("NFC", text).strip()
    if not tidied:
        raise UsageError("The name is empty.", hint="Give the name of your business.")
    if not printable(tidied):
        raise UsageError(
            "The name has a sign in it that cannot be seen, like a line break or a change of direction.",
            hint="Write it on one line, in letters that can be seen.",
        )
    if len(tidied) > LONGEST_NAME:
        raise UsageError(
            f"The name has {len(tidied)} characters; it can have {LONGEST_NAME}.", hint="Give a shorter one."
        )
    return tidied


def email(text: str) -> str:
    """As it is stored and compared. Domains may have any letters."""
    tidied = accounts.tidy_email(text)
    hint = "Write it like anna@shop.example."
    if len(tidied) > LONGEST_EMAIL:
        raise UsageError(
            f"The e-mail address has {len(tidied)} characters; it can have {LONGEST_EMAIL}.", hint=hint
        )
    if not tidied.isprintable():
        raise UsageError("The e-mail address has a sign in it that cannot be seen.", hint=hint)
    if _EMAIL.fullmatch(tidied) is None or not _domain(tidied.rpartition("@")[2]):
        raise UsageError(f"This is no e-mail address: {tidied or '(empty)'}", hint=hint)
    return tidied


def timezone(text: str) -> str:
    """One that this machine knows."""
    if text not in available_timezones():
        shown = text if text.isprintable() else "(unprintable)"
        raise UsageError(f"Unknown time zone: {shown[:60] or '(empty)'}", hint=_near_zone(text))
    return text


def printable(text: str) -> bool:
    """No control signs, line breaks, halves of signs or changes of direction; spaces of all kinds and joined emoji
    may be."""
    return all(
        unicodedata.category(sign) not in ("Cc", "Cs", "Zl", "Zp") and sign not in _DIRECTIONS
        for sign in text
    )


_DIRECTIONS = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"


def _domain(text: str) -> bool:
    try:
        text.encode("idna")
    except UnicodeError:
        return False
    labels = text.split(".")
    return len(labels) > 1 and all(label.strip("-") == label != "" for label in labels)


def _near_zone(text: str) -> str:
    """Europe/Warsaw for `warsaw` and for `Europe/Warzaw`."""
    from difflib import get_close_matches

    known = sorted(available_timezones())
    wanted = text.casefold().replace(" ", "_")
    near = [zone for zone in known if zone.casefold() == wanted or zone.casefold().endswith(f"/{wanted}")]
    near += get_close_matches(text, known, n=1, cutoff=0.8)
    return f"Did you mean {near[0]}?" if near and wanted else "Write it like Europe/Warsaw."
