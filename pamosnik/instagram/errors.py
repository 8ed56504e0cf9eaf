"""What Meta's answers mean. Classified by code and subcode in the order 190, rates, subcode, code, HTTP status;
never by text, which may come in any language, with one exception named below.

Sources (read October 2026): https://developers.facebook.com/docs/graph-api/guides/error-handling ,
https://developers.facebook.com/documentation/business-messaging/messenger-platform/error-codes ,
https://developers.facebook.com/docs/graph-api/overview/rate-limiting ; rows marked [F] were seen in the field.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta

from pamosnik.instagram.webhook import storable
from pamosnik.model.outbox import Outcome, OutcomeKind, RestOf

LONG_REST = timedelta(hours=6)
"""After Meta blocked the account for its behaviour: hours, not minutes; the owner is told."""

REST = timedelta(minutes=5)
"""After a limit whose end Meta does not name."""

USED_UP = 100
"""Percent in the usage headers. https://developers.facebook.com/docs/graph-api/overview/rate-limiting"""

OUTSIDE_WINDOW = frozenset({2534022, 2018278, 2018065})
PRIVATE_REPLY_REFUSED = 2534025
INVALID_MESSAGE_DATA = 2534015
GONE = 33
"""Subcode of 100: missing, deleted, or not for this account to see."""
UNREACHABLE = frozenset({1545041, 2018108})
OTHER_APP_OWNS_THREAD = frozenset({2534037, 2018300})
TOKEN_REFUSED = 190
APP_REMOVED = 458
"""Subcode of `TOKEN_REFUSED`."""
CALLBACK_REFUSED = 2200
"""The handshake failed. [F] https://github.com/fbsamples/original-coast-clothing/issues/84"""


@dataclass(frozen=True, slots=True)
class _Row:
    kind: OutcomeKind
    reason: str
    rest: timedelta | None = None
    rest_of: RestOf = RestOf.CONNECTION


_P, _C, _A, _U, _B = (
    OutcomeKind.PERMANENT,
    OutcomeKind.CONFIGURATION,
    OutcomeKind.LOGIN,
    OutcomeKind.UNKNOWN,
    OutcomeKind.BACK_OFF,
)

_RATES = {
    4: _Row(_B, "Meta's limit for the app is reached", REST, RestOf.APP),
    9: _Row(_B, "this person does too many things at once", REST, RestOf.ITEM),
    17: _Row(_B, "Meta's limit for the user is reached", REST),
    32: _Row(_B, "Meta's limit for the page is reached", REST),
    341: _Row(_B, "Meta's limit for the application is reached", REST, RestOf.APP),
    368: _Row(_B, "Meta has blocked this account for a while for its behaviour", LONG_REST),
    613: _Row(_B, "Meta's limit for this kind of call is reached", REST, RestOf.QUOTA),
    80001: _Row(_B, "Meta's limit for the page is reached", REST),
    80002: _Row(_B, "Instagram's limit for this account is reached", REST),
    80006: _Row(_B, "Messenger's limit for this account is reached", REST),
}

_SUBCODES = {
    (10, 2534022): _Row(_P, "the 24-hour window of this person is closed"),
    (10, 2018278): _Row(_P, "the 24-hour window of this person is closed"),
    (10, 2018065): _Row(_P, "the 24-hour window of this person is closed"),
    (10, 2018108): _Row(_P, "this person cannot receive messages right now"),
    (10, 2534077): _Row(_C, "Meta cannot verify the link between account and user"),
    (10, 1893063): _Row(_B, "Meta has restricted this account's messages for a while", LONG_REST),
    (10, 1404170): _Row(_C, "Meta has restricted this account's marketing messages"),
    (100, 33): _Row(_P, "it does not exist any more, or this account may not see it"),
    (100, 2018001): _Row(_P, "Meta knows no such person"),
    (100, 2534014): _Row(_P, "Instagram knows no such person"),
    (100, 2534013): _Row(_C, "the page is not linked to an Instagram account"),
    (100, 2534015): _Row(_P, "Instagram does not take this content in this kind of message"),
    (100, 2534025): _Row(_P, "already answered privately by you or another tool, too old or deleted"),
    (100, 2534029): _Row(_C, "Meta has barred this business from messaging"),
    (100, 2534037): _Row(_P, "another app handles this conversation"),
    (100, 2534068): _Row(_P, "this account cannot send several pictures at once"),
    (100, 2018008): _Row(OutcomeKind.RETRY, "Meta could not fetch the picture or file"),
    (100, 2018294): _Row(OutcomeKind.RETRY, "Meta took too long to fetch the video"),
    (100, 2018047): _Row(_P, "Meta does not take this type of file"),
    (100, 2018109): _Row(_P, "the file is too big for Instagram"),
    (100, 2018074): _Row(_P, "the uploaded file belongs to another account"),
    (200, 2534041): _Row(_C, 'the owner has switched off "Allow access to messages" in the Instagram app'),
    (200, 2018028): _Row(_C, "before App Review, only people with a role in the app can be messaged"),
    (200, 1545041): _Row(_P, "this person is not available right now"),
    (551, 1545041): _Row(_P, "this person is not available right now"),
}
_ANY_CODE = {
    2534001: _Row(_P, "the conversation was archived or deleted"),  # [F] comes with several codes
    2018300: _Row(_P, "another app handles this conversation"),
}

_CODES = {
    1: _Row(_U, "Meta had an unknown error; the message may have gone out"),
    2: _Row(_U, "Meta's service was disturbed; the message may have gone out"),
    3: _Row(_C, "the app may not do this"),
    10: _Row(_C, "a permission is missing"),
    100: _Row(_P, "Meta refused the content of the request"),
    102: _Row(_A, "Instagram has ended the session"),
    230: _Row(_P, "this person has not agreed to show their profile yet"),
    506: _Row(_P, "the same text was posted just before"),
    551: _Row(_P, "this person does not receive messages from this account"),
    803: _Row(_P, "Meta does not know this id"),
    CALLBACK_REFUSED: _Row(_P, "Meta asked the callback address for its word and did not get it"),  # [F]
    2022: _Row(_C, "Meta has switched off commerce messages after a violation"),
    2500: _Row(_P, "Meta does not know this address"),
    9010: _Row(_P, "Instagram knows no such person"),
    10900: _Row(_P, "already answered"),
    36103: _Row(_C, "this account is not eligible for the messaging API"),
    2018300: _Row(_P, "another app handles this conversation"),
    9000001: _Row(_P, "the message was deleted or is too old to be read"),
}
_PERMISSIONS = _Row(_C, "a permission is missing")
_LOGIN = _Row(_A, "Instagram wants the owner to log in again")
_LOGIN_SUBCODES = {
    APP_REMOVED: "the owner has removed the app from their Instagram account",
    459: "Instagram wants the owner to confirm something in the app first",
    460: "the owner's password was changed",
    463: "the login has expired",
    464: "the owner's user is not confirmed",
    467: "the login is no longer valid",
    492: "the login is no longer valid",
}
_NO_ROLE = _Row(_C, "the account has no accepted role in the app (Instagram tester)")


def app_removed(outcome: Outcome) -> bool:
    """Whether Instagram says that the owner has removed the app: a deauthorisation, and data is to be deleted.
    https://developers.facebook.com/terms/ (3.d)"""
    return outcome.code == TOKEN_REFUSED and outcome.subcode == APP_REMOVED


def gone(outcome: Outcome) -> bool:
    """Whether the object does not exist any more, as far as Meta says."""
    return (outcome.code, outcome.subcode) == (100, GONE)


_GIVE_PERMISSION = (
    "Give the app the permission in Meta's dashboard, make a new token there, and run `pamosnik connect`."
)
_REMEDIES = {
    (100, None): "Accept the invitation on instagram.com: Settings, Apps and websites, Tester invites.",
    (100, 2534029): "Look at Account Status in the Instagram app, and ask Meta's Business Support.",
    (200, 2534041): "Switch it on in the Instagram app: Settings, Message controls, Connected tools.",
    (
        200,
        2018028,
    ): "Pass App Review for Advanced Access; until then add the people you test with as testers.",
}


def remedy(outcome: Outcome) -> str:
    """What the owner can do about an outcome of the kind `CONFIGURATION`.

    Menus as described at https://developers.facebook.com/documentation/business-messaging/instagram-messaging/get-started
    and https://developers.facebook.com/docs/instagram-platform/overview ; their wording varies.
    """
    return _REMEDIES.get((outcome.code or 0, outcome.subcode), _GIVE_PERMISSION)


def classify(
    http_status: int, body: bytes, headers: Mapping[str, str], *, known_id: str | None = None
) -> Outcome:
    """The outcome of an answer. `headers` have lower-case names; `known_id` is the id that a 2xx must carry
    (`message_id` or `id`): without it nobody can say that something was done."""
    usage, regain_s = _usage(headers)
    outcome = _classify(http_status, body, usage, regain_s, known_id)
    if usage is not None and usage >= USED_UP and outcome.pause_s is None:
        # Accepted or not: calling on while the limit is used up makes it last longer.
        return replace(outcome, pause_s=regain_s or REST.total_seconds(), rest_of=RestOf.QUOTA)
    return outcome


def _classify(
    http_status: int, body: bytes, usage: int | None, regain_s: float | None, known_id: str | None
) -> Outcome:
    raw = _object(body)
    error = None if raw is None else raw.get("error")
    if isinstance(error, dict):
        return replace(_error(http_status, error, regain_s), usage_percent=usage)
    if 200 <= http_status < 300 and raw is not None:
        return _accepted(http_status, raw, usage, known_id)
    if http_status == 429:
        reason = "Meta asked for a pause"
        return Outcome(
            _B,
            reason,
            http_status,
            pause_s=regain_s or REST.total_seconds(),
            rest_of=RestOf.CONNECTION,
            usage_percent=usage,
        )
    if http_status in (401, 403, 404) and raw is None:
        return Outcome(_C, f"the server answered {http_status} without Meta's form of an error", http_status)
    reason = f"the answer ({http_status}) was not in Meta's form; the message may have gone out"
    return Outcome(_U, reason, http_status, usage_percent=usage)


def _accepted(
    http_status: int, raw: Mapping[str, object], usage: int | None, known_id: str | None
) -> Outcome:
    message_id = _text(raw.get(known_id)) if known_id else None
    if known_id is not None and message_id is None:
        return Outcome(_U, "Meta's answer named no id; the message may have gone out", http_status)
    return Outcome(
        OutcomeKind.SENT,
        "accepted by Instagram",
        http_status,
        recipient_id=_text(raw.get("recipient_id")),
        message_id=message_id,
        usage_percent=usage,
    )


def _error(http_status: int, error: Mapping[str, object], regain_s: float | None) -> Outcome:
    code, subcode = _number(error.get("code")), _number(error.get("error_subcode"))
    row = _row(code, subcode, error.get("message"), http_status)
    pause = None
    if row.kind is OutcomeKind.BACK_OFF:
        pause = max(regain_s or 0.0, row.rest.total_seconds() if row.rest else 0.0) or REST.total_seconds()
        if regain_s is not None and row.rest is REST:
            pause = regain_s
    named = "/".join(str(part) for part in (code, subcode) if part is not None)
    return Outcome(
        row.kind,
        f"{row.reason} (Meta's error {named or http_status})",
        http_status,
        code=code,
        subcode=subcode,
        pause_s=pause,
        rest_of=row.rest_of,
    )


def _row(code: int | None, subcode: int | None, message: object, http_status: int) -> _Row:
    if code == TOKEN_REFUSED:
        return _Row(_A, _LOGIN_SUBCODES.get(subcode or 0, _LOGIN.reason))
    if code is not None and code in _RATES:
        return _RATES[code]
    if code is not None and subcode is not None and (code, subcode) in _SUBCODES:
        return _SUBCODES[code, subcode]
    if subcode in _ANY_CODE:
        return _ANY_CODE[subcode]
    # The one text that is looked at: the code alone would call it a mistake in the message.
    if code == 100 and subcode is None and str(message).startswith("Unsupported request"):
        return _NO_ROLE
    if code is not None and code in _CODES:
        return _CODES[code]
    if code is not None and 200 <= code <= 299:
        return _PERMISSIONS
    if http_status == 429:
        return _Row(_B, "Meta asked for a pause", REST)
    if http_status >= 500:
        return _Row(_U, "Meta's service was disturbed; the message may have gone out")
    return _Row(_P, "Meta refused the request")


def _usage(headers: Mapping[str, str]) -> tuple[int | None, float | None]:
    """Highest percentage in the usage headers, and seconds until access returns (Meta names minutes)."""
    percents: list[int] = []
    minutes: list[int] = []
    app = _object(headers.get("x-app-usage", "").encode())
    percents += [n for n in map(_number, (app or {}).values()) if n is not None]
    business = _object(headers.get("x-business-use-case-usage", "").encode())
    for uses in (business or {}).values():
        for use in uses if isinstance(uses, list) else ():
            if isinstance(use, dict):
                names = ("call_count", "total_cputime", "total_time")
                percents += [n for n in (_number(use.get(name)) for name in names) if n is not None]
                minutes.append(_number(use.get("estimated_time_to_regain_access")) or 0)
    longest = max(minutes, default=0)
    return max(percents, default=None), longest * 60.0 if longest else None


def _object(body: bytes) -> dict[str, object] | None:
    try:
        raw = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return raw if isinstance(raw, dict) else None


def _number(value: object) -> int | None:
    if isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) < 12:
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _text(value: object) -> str | None:
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return storable(value) if isinstance(value, str) and value else None
