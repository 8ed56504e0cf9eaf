"""The values that nobody is told: who reads or opens a secret keeps it here, and logs and tracebacks leave it out.

Patterns know what a token of Meta's looks like; a passphrase looks like nothing. So the values themselves are looked
for as well, as they are and as addresses, JSON, Python and mail servers write them: one search, however many there
are. It is a last wall: nothing is meant to hand a secret to a log, but a server may quote one in an error, and an
exception may quote the server.
"""

import base64
import json
import re
from collections.abc import Iterator
from urllib.parse import quote, quote_plus

HIDDEN = "(hidden)"
_SECRET = re.compile(
    r"(?i)(bearer\s+|\b(?:set-)?cookie['\"]?\s*[:=]\s*|://[^\s/@:'\"]+:(?!password@)(?=[^\s/@]+@)"
    r"|\b(?:access_token|client_secret|appsecret_proof|hub\.verify_token|code|password|passphrase)=)[^\s&\"'@]+"
    r"|\b(?:IGAA|EAA|pamo_)[\w-]{10,}"
)
_SHORTEST = 6
"""Characters. What is shorter stands in ordinary words, too, and hiding it would tell where it is."""
_OPENED_AT_MOST = 1000

_always: set[str] = set()
_opened: dict[str, None] = {}
_pattern: re.Pattern[str] | None = None


def keep_always(*secrets: str | None) -> None:
    """Secrets of the settings. None and empty ones are none."""
    global _pattern
    new = {secret for secret in secrets if secret and len(secret) >= _SHORTEST} - _always
    if new:
        _always.update(new)
        _pattern = None


def keep(secret: str) -> str:
    """A secret that was opened or typed; returns it. The last thousand are known."""
    global _pattern
    if len(secret) < _SHORTEST or secret in _always:
        return secret
    if secret in _opened:
        _opened[secret] = _opened.pop(secret)
        return secret
    _opened[secret] = None
    if len(_opened) > _OPENED_AT_MOST:
        _opened.pop(next(iter(_opened)))
    _pattern = None
    return secret


def hide(text: str) -> str:
    """The text without the secrets that are kept, and without what looks like one."""
    global _pattern
    if _pattern is None:
        forms = {form for secret in (*_always, *_opened) for form in _forms(secret)}
        # The longest first: a secret may begin another.
        _pattern = re.compile("|".join(map(re.escape, sorted(forms, key=len, reverse=True))) or r"(?!)")
    return _SECRET.sub(lambda found: f"{found[1] or ''}{HIDDEN}", _pattern.sub(HIDDEN, text))


def _forms(secret: str) -> Iterator[str]:
    yield secret
    yield from (quote(secret), quote(secret, safe=""), quote_plus(secret))
    yield from (json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1], repr(secret)[1:-1])
    yield base64.b64encode(secret.encode("utf-8", "replace")).decode().rstrip("=")
