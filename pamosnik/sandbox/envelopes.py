"""The bytes of a delivery: how updates share a body, how it is escaped, and how exactly these bytes are signed."""

import hashlib
import hmac
import json
from datetime import datetime

from pamosnik.sandbox.deliveries import Switches
from pamosnik.sandbox.things import App, Json, Notice
from pamosnik.sandbox.world import milliseconds

_USUAL = Switches()
_COMMENT_FIELDS = ("comments", "live_comments")


def signature(secret: str, body: bytes) -> str:
    """The value of `X-Hub-Signature-256`."""
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def headers(app: App, body: bytes, switches: Switches) -> dict[str, str]:
    secret = app.secret if switches.signs_with == "instagram" else app.meta_secret
    signed = {"Content-Type": "application/json", "X-Hub-Signature-256": signature(secret, body)}
    if switches.sha1_signature:
        signed["X-Hub-Signature"] = "sha1=" + hmac.new(secret.encode(), body, hashlib.sha1).hexdigest()
    return signed


def envelope(notices: tuple[Notice, ...], now: datetime, switches: Switches = _USUAL) -> bytes:
    """One body: consecutive updates of one account share an entry. Non-ASCII text is escaped."""
    entries: list[Json] = []
    updates: list[Json] = []
    last: tuple[str, str] | None = None
    for notice in notices:
        if switches.comment_envelope == "entry" and notice.item.get("field") in _COMMENT_FIELDS:
            entries.append({"id": notice.ig_id, "time": int(now.timestamp())} | notice.item)
            last = None
            continue
        if last != (notice.ig_id, notice.edge):
            last, updates = (notice.ig_id, notice.edge), []
            entries.append(_entry(notice.ig_id, notice.edge, updates, now))
        updates.append(notice.item)
    body: object = {"object": "instagram", "entry": entries}
    text = json.dumps([body] if switches.outer_array else body, ensure_ascii=True, separators=(",", ":"))
    # a slash stands only inside strings, where its escaped form means the same
    return (text.replace("/", r"\/") if switches.escape_slashes else text).encode()


def _entry(ig_id: str, edge: str, updates: list[Json], now: datetime) -> Json:
    """Comments are timed in seconds, messages in milliseconds."""
    time = int(now.timestamp()) if edge == "changes" else milliseconds(now)
    return {"id": ig_id, "time": time, edge: updates}
