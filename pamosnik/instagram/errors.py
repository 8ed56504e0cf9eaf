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
class Row:
    """One of Meta's errors: who has to act, in which words, and for how long and whom sending rests."""

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
    4: Row(_B, "Meta's limit for the app is reached", REST, RestOf.APP),
    9: Row(_B, "this person does too many things at once", REST, RestOf.ITEM),
    17: Row(_B, "Meta's limit for the user is reached", REST),
    32: Row(_B, "Meta's limit for the page is reached", REST),
    341: Row(_B, "Meta's limit for the application is reached", REST, RestOf.APP),
    368: Row(_B, "Meta has blocked this account for a while for its behaviour", LONG_REST),
    613: Row(_B, "Meta's limit for this kind of call is reached", REST, RestOf.QUOTA),
    80001: Row(_B, "Meta's limit for the page is reached", REST),
    80002: Row(_B, "Instagram's limit for this account is reached", REST),
    80006: Row(_B, "Messenger's limit for this account is reached", REST),
}

_SUBCODES = {
    (10, 2534022): Row(_P, "the 24-hour window of this person is closed"),
    (10, 2018278): Row(_P, "the 24-hour window of this person is closed"),
    (10, 2018065): Row(_P, "the 24-hour window of this person is closed"),
    (10, 2018108): Row(_P, "this person cannot receive messages right now"),
    (10, 2534077): Row(_C, "Meta cannot verify the link between account and user"),
    (10, 1893063): Row(_B, "Meta has restricted this account's messages for a while", LONG_REST),
    (10, 1404170): Row(_C, "Meta has restricted this account's marketing messages"),
    (100, 33): Row(_P, "it does not exist any more, or this account may not see it"),
    (100, 2018001): Row(_P, "Meta knows no such person"),
    (100, 2534014): Row(_P, "Instagram knows no such person"),
    (100, 2534013): Row(_C, "the page is not linked to an Instagram account"),
    (100, 2534015): Row(_P, "Instagram does not take this content in this kind of message"),
    (100, 2534025): Row(_P, "already answered privately by you or another tool, too old or deleted"),
    (100, 2534029): Row(_C, "Meta has barred this business from messaging"),
    (100, 2534037): Row(_P, "another app handles this conversation"),
    (100, 2534068): Row(_P, "this account cannot send several pictures at once"),
    (100, 2018008): Row(OutcomeKind.RETRY, "Meta could not fetch the picture or file"),
    (100, 2018294): Row(OutcomeKind.RETRY, "Meta took too long to fetch the video"),
    (100, 2018047): Row(_P, "Meta does not take this type of file"),
    (100, 2018109): Row(_P, "the file is too big for Instagram"),
    (100, 2018074): Row(_P, "the uploaded file belongs to another account"),
    (200, 2534041): Row(_C, 'the owner has switched off "Allow access to messages" in the Instagram app'),
    (200, 2018028): Row(_C, "before App Review, only people with a role in the app can be messaged"),
    (200, 1545041): Row(_P, "this person is not available right now"),
    (551, 1545041): Row(_P, "this person is not available right now"),
}
_ANY_CODE = {
    2534001: Row(_P, "the conversation was archived or deleted"),  # [F] comes with several codes
    2018300: Row(_P, "another app handles this conversation"),
}

_CODES = {
    1: Row(_U, "Meta had an unknown error; the message may have gone out"),
    2: Row(_U, "Meta's service was disturbed; the message may have gone out"),
    3: Row(_C, "the app may not do this"),
    10: Row(_C, "a permission is missing"),
    100: Row(_P, "Meta refused the content of the request"),
    102: Row(_A, "Instagram has ended the session"),
    230: Row(_P, "this person has not agreed to show their profile yet"),
    506: Row(_P, "the same text was posted just before"),
    551: Row(_P, "this person does not receive messages from this account"),
    803: Row(_P, "Meta does not know this id"),
    CALLBACK_REFUSED: Row(_P, "Meta asked the callback address for its word and did not get it"),  # [F]
    2022: Row(_C, "Meta has switched off commerce messages after a violation"),
    2500: Row(_P, "Meta does not know this address"),
    9010: Row(_P, "Instagram knows no such person"),
    10900: Row(_P, "already answered"),
    36103: Row(_C, "this account is not eligible for the messaging API"),
    2018300: Row(_P, "another app handles this conversation"),
    9000001: Row(_P, "the message was deleted or is too old to be read"),
}
_LOGIN_SUBCODES = {
    APP_REMOVED: "the owner has removed the app from their Instagram account",
    459: "Instagram wants the owner to confirm something in the app first",
    460: "the owner's password was changed",
    463: "the login has expired",
    464: "the owner's user is not confirmed",
    467: "the login is no longer valid",
    492: "the login is no longer valid",
}
NO_ROLE = "100/no-role"
ROWS: Mapping[str, Row] = {
    **{str(code): row for code, row in _RATES.items()},
    **{f"{code}/{subcode}": row for (code, subcode), row in _SUBCODES.items()},
    **{f"any/{subcode}": row for subcode, row in _ANY_CODE.items()},
    **{str(code): row for code, row in _CODES.items()},
    **{f"{TOKEN_REFUSED}/{subcode}": Row(_A, words) for subcode, words in _LOGIN_SUBCODES.items()},
    str(TOKEN_REFUSED): Row(_A, "Instagram wants the owner to log in again"),
    NO_ROLE: Row(_C, "the account has no accepted role in the app (Instagram tester)"),
    "200-299": Row(_C, "a permission is missing"),
    "http-429": Row(_B, "Meta asked for a pause", REST),
    "http-500": Row(_U, "Meta's service was disturbed; the message may have gone out"),
    "other": Row(_P, "Meta refused the request"),
}
"""Everything that is told apart, by a key that never changes its meaning: code, code/subcode, or a word.
`catalogue` explains each of them."""


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
    # The one text that is looked at: the code alone would call it a mistake in the message.
    no_role = str(error.get("message")).startswith("Unsupported request")
    row = ROWS[key_of(code, subcode, http_status, no_role=no_role)]
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


def key_of(code: int | None, subcode: int | None, http_status: int, *, no_role: bool = False) -> str:
    """Which of `ROWS` counts. `no_role`: the message begins with "Unsupported request"."""
    exact, any_code, whole = f"{code}/{subcode}", f"any/{subcode}", str(code)
    if code == TOKEN_REFUSED:
        return exact if exact in ROWS else whole
    if code in _RATES:
        return whole
    for key in (exact, any_code):
        if key in ROWS:
            return key
    if code == 100 and subcode is None and no_role:
        return NO_ROLE
    if whole in ROWS:
        return whole
    if code is not None and 200 <= code <= 299:
        return "200-299"
    if http_status == 429:
        return "http-429"
    return "http-500" if http_status >= 500 else "other"


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
