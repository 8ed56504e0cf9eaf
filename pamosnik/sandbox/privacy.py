"""Meta's privacy callbacks: a signed request posted to the app's addresses, and what came back.

https://developers.facebook.com/docs/development/create-an-app/app-dashboard/data-deletion-callback ; which secret
signs for Instagram and which id of the account is named is not certain, so both can be chosen.
"""

import base64
import hashlib
import hmac
import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import aiohttp

from pamosnik.errors import UsageError
from pamosnik.sandbox import rules
from pamosnik.sandbox.things import Account, App, Json

_LIFE: Final = timedelta(minutes=80)
_TIMEOUT = aiohttp.ClientTimeout(total=rules.CALLBACK_TIMEOUT_S)
SECRETS: Final = ("instagram", "meta")
USER_IDS: Final = ("asid", "ig_id")


@dataclass(frozen=True, slots=True)
class Asked:
    """One callback to be made."""

    url: str
    account: Account
    # whose secret signs, and which id of the account is named
    secret: str = "instagram"  # noqa: S105 - the name of a choice
    user_id: str = "asid"
    expires: bool = True

    def __post_init__(self) -> None:
        if self.secret not in SECRETS or self.user_id not in USER_IDS:
            raise UsageError(f"secret is one of {', '.join(SECRETS)}, user_id of {', '.join(USER_IDS)}")


def signed_request(secret: str, payload: Json) -> str:
    """base64url(HMAC over the second part as it stands) + "." + base64url(JSON), without padding."""
    encoded = _base64url(json.dumps(payload, separators=(",", ":")).encode())
    mac = hmac.new(secret.encode(), encoded.encode(), hashlib.sha256).digest()
    return f"{_base64url(mac)}.{encoded}"


async def call_back(app: App, asked: Asked, now: datetime, *, wants_answer: bool) -> Json:
    """Posts it and reports; `wants_answer`: the answer must be JSON with `url` and `confirmation_code`."""
    secret = app.secret if asked.secret == "instagram" else app.meta_secret  # noqa: S105
    signed = signed_request(secret, _payload(asked, now))
    report: Json = {"url": asked.url, "signed_request": signed, "signed_with": asked.secret}
    try:
        async with (
            aiohttp.ClientSession(timeout=_TIMEOUT) as session,
            session.post(asked.url, data={"signed_request": signed}, allow_redirects=False) as answer,
        ):
            status, body = answer.status, await answer.text()
    except (aiohttp.ClientError, TimeoutError, ValueError) as problem:
        why = f"{asked.url} did not answer: {problem!r}"
        return report | {"status": None, "body": None, "accepted": False, "problem": why}
    problem_found = _problem(status, body, wants_answer=wants_answer)
    return report | {
        "status": status,
        "body": body,
        "accepted": problem_found is None,
        "problem": problem_found,
    }


def _payload(asked: Asked, now: datetime) -> Json:
    issued = int(now.timestamp())
    payload: Json = {"algorithm": "HMAC-SHA256"}
    if asked.expires:
        payload["expires"] = issued + int(_LIFE.total_seconds())
    named = asked.account.asid if asked.user_id == "asid" else asked.account.ig_id
    return payload | {"issued_at": issued, "user_id": named}


def _problem(status: int, body: str, *, wants_answer: bool) -> str | None:
    if status != 200:
        return f"answered {status}, not 200"
    if not wants_answer:
        return None
    try:
        answer = json.loads(body)
    except ValueError:
        return "the answer is not JSON"
    complete = isinstance(answer, dict) and all(
        isinstance(answer.get(name), str) and answer[name] for name in ("url", "confirmation_code")
    )
    return None if complete else 'the answer lacks "url" or "confirmation_code"'


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")
