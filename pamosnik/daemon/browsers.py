"""What a browser is called where sessions are listed. Of its own words nothing is kept."""

import re

_NAMES = (
    ("Instagram", "Instagram"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("CriOS/", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
    ("curl/", "curl"),
)
"""The first that fits: most say that they are several others, too."""
_SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("CrOS", "ChromeOS"),
    ("Windows", "Windows"),
    ("Macintosh", "Mac"),
    ("Linux", "Linux"),
)
_LOOKED_AT = 512
_WORD = re.compile(r"[\x20-\x7e]*")


def label(user_agent: str | None) -> str:
    """Like `Firefox on Android`; empty when it is none that is known."""
    said = _WORD.match((user_agent or "")[:_LOOKED_AT])
    words = said.group() if said else ""
    name = next((name for sign, name in _NAMES if sign in words), "")
    system = next((name for sign, name in _SYSTEMS if sign in words), "")
    return f"{name} on {system}" if name and system else name or system
