"""The values that nobody is told: who reads or opens a secret keeps it here, and logs and tracebacks leave it out.

Patterns know what a token of Meta's looks like; a passphrase looks like nothing. So the values themselves are looked
for as well, as they are and as addresses, JSON, HTML, Python and mail servers write them. It is a last wall: nothing
is meant to hand a secret to a log, but a server may quote one in an error, and an exception may quote the server.
"""

import base64
import html
import json
import re
import threading
from functools import lru_cache
from urllib.parse import quote, quote_plus

HIDDEN = "(hidden)"
_SECRET = re.compile(
    r"(?i)(bearer\s+|\b(?:set-)?cookie['\"]?\s*[:=]\s*|://[^\s/:'\"]*:(?!password@)(?=[^\s/@]+@)"
    r"|\b(?:access_token|client_secret|appsecret_proof|hub\.verify_token|code|password|passphrase)=)[^\s&\"'@]+"
    r"|\b(?:IGAA|EAA|pamo_)[\w-]{10,}"
)
_PERCENT = re.compile("%..")
_SHORTEST = 6
"""Characters. What is shorter stands in ordinary words, too, and hiding it would tell where it is."""
_OPENED_AT_MOST = 1000

_lock = threading.Lock()
_always: set[str] = set()
_opened: dict[str, None] = {}
_forms: tuple[str, ...] | None = ()
"""What is looked for; None when it is to be gathered anew."""


def keep_always(*secrets: str | None) -> None:
    """Secrets of the settings. None and empty ones are none."""
    global _forms
    with _lock:
        _always.update(secret for secret in secrets if secret and len(secret) >= _SHORTEST)
        _forms = None


def keep(secret: str) -> str:
    """A secret that was made, opened or typed; returns it. The last thousand are known."""
    global _forms
    with _lock:
        if secret in _opened:
            _opened[secret] = _opened.pop(secret)
        elif len(secret) >= _SHORTEST and secret not in _always:
            _opened[secret] = None
            if len(_opened) > _OPENED_AT_MOST:
                _opened.pop(next(iter(_opened)))
            _forms = None
    return secret


def hide(text: str) -> str:
    """The text without the secrets that are kept, and without what looks like one."""
    # The longest first: a secret may begin another.
    for form in sorted((one for one in _looked_for() if one in text), key=len, reverse=True):
        text = text.replace(form, HIDDEN)
    return _SECRET.sub(lambda found: f"{found[1] or ''}{HIDDEN}", text)


def _looked_for() -> tuple[str, ...]:
    global _forms
    found = _forms
    if found is None:
        with _lock:
            found = _forms = tuple({form for one in (*_always, *_opened) for form in _forms_of(one)})
    return found


@lru_cache(maxsize=2 * _OPENED_AT_MOST)
def _forms_of(secret: str) -> frozenset[str]:
    raw = secret.encode("utf-8", "replace")
    in_addresses = {quote(raw), quote(raw, safe=""), quote_plus(raw)}
    in_json = {json.dumps(secret, ensure_ascii=to_ascii)[1:-1] for to_ascii in (True, False)}
    return frozenset(
        (
            secret,
            *in_addresses,
            *(_PERCENT.sub(lambda sign: sign[0].lower(), form) for form in in_addresses),
            *in_json,
            *(form.replace("/", "\\/") for form in in_json),  # as Meta writes it
            *(repr(secret)[1:-1], repr(raw)[2:-1]),
            html.escape(secret),
            *(base64.b64encode(raw).decode().rstrip("="), base64.urlsafe_b64encode(raw).decode().rstrip("=")),
        )
    )
