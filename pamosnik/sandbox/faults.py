"""What can go wrong with a Graph call, by name, and the rules that make it happen.

The catalog is the table of errors of our reference (§9.2), each row a fault of its own, and the ways a call
ends without a usable answer (§9.1, §12.10). "Delivered" means: the call is carried out as if nothing were,
echo and all, and only its answer is missing or wrong.

A rule names a fault and picks its calls: of one kind of endpoint, concerning one person, from the n-th one
on, for a number of times. The first rule that picks a call decides.
"""

from dataclasses import dataclass, replace
from difflib import get_close_matches
from enum import Enum
from typing import Final

from pamosnik.errors import NotFound, UsageError
from pamosnik.sandbox.errors import GraphError
from pamosnik.sandbox.things import Json

ANY: Final = "any"
ENDPOINTS: Final = (
    "messages",
    "private_reply",
    "comment_reply",
    "conversations",
    "media",
    "comments",
    "me",
    "subscribed_apps",
    "profile",
    ANY,
)
_NO_ANSWER: Final = 0
_RATE_CODES: Final = (4, 17, 32, 341, 613, 80001, 80002, 80006)


class Way(Enum):
    """How the call ends."""

    REFUSED = "an error as Graph writes it"
    HTML = "a page of HTML instead of JSON"
    CUT_OFF = "half of the JSON"
    SILENCE = "no answer; the connection stays open"
    HANG_UP = "the connection is closed without an answer"
    RESET = "the connection is reset"
    SLOW = "the right answer, late"
    USAGE = "the right answer; the usage headers say 95 %"
    LOCALISED = "an error whose message is in Portuguese"


@dataclass(frozen=True, slots=True)
class Fault:
    """`delivered`: the call is carried out first."""

    name: str
    title: str
    section: str
    way: Way
    delivered: bool = False
    # of the answer; a REFUSED or LOCALISED one has a code too
    status: int = _NO_ANSWER
    code: int = 0
    subcode: int | None = None
    message: str = ""

    def refusal(self, method: str) -> GraphError:
        """The error it answers; `{method}` in its message is the call's."""
        text = (self.message or f"(#{self.code}) {self.title}").replace("{method}", method.lower())
        refused = GraphError(self.status, self.code, self.subcode, text, transient=self.code == 2)
        return refused.localised() if self.way is Way.LOCALISED else refused

    @property
    def throttles(self) -> bool:
        """Its answer carries usage headers at 100 %."""
        return self.code in _RATE_CODES


@dataclass(frozen=True, slots=True)
class Rule:
    """One armed fault; `times` None = until it is cleared."""

    id: int
    fault: Fault
    endpoint: str = ANY
    person: str | None = None
    nth: int | None = None
    times: int | None = None
    # calls it picked from, and those it struck
    seen: int = 0
    struck: int = 0

    @property
    def left(self) -> int | None:
        return None if self.times is None else self.times - self.struck

    def picks(self, endpoint: str, person: str | None) -> bool:
        return self.endpoint in (ANY, endpoint) and self.person in (None, person)


class Faults:
    """The rules in force, oldest first. A rule that has struck as often as it may is gone."""

    def __init__(self) -> None:
        self._rules: dict[int, Rule] = {}
        self._number = 0

    @property
    def active(self) -> tuple[Rule, ...]:
        return tuple(self._rules.values())

    def arm(
        self,
        fault: str,
        *,
        endpoint: str = ANY,
        person: str | None = None,
        nth: int | None = None,
        times: int | None = None,
    ) -> Rule:
        """`nth` without `times` strikes that one call."""
        if fault not in CATALOG:
            near = get_close_matches(fault, CATALOG, n=3)
            meant = f" Near are: {', '.join(near)}." if near else ""
            raise NotFound(
                f"no fault {fault!r}", hint=f"GET /sandbox/faults and docs/sandbox.md list them.{meant}"
            )
        if endpoint not in ENDPOINTS:
            raise UsageError(f"endpoint is one of {', '.join(ENDPOINTS)}, not {endpoint}")
        if (nth is not None and nth < 1) or (times is not None and times < 1):
            raise UsageError("nth and times count from 1")
        self._number += 1
        times = 1 if times is None and nth is not None else times
        rule = Rule(self._number, CATALOG[fault], endpoint, person, nth, times)
        self._rules[rule.id] = rule
        return rule

    def clear(self, rule_id: int | None) -> None:
        """One rule, or with None all."""
        if rule_id is None:
            self._rules.clear()
        elif self._rules.pop(rule_id, None) is None:
            raise NotFound(f"no active fault {rule_id}")

    def strike(self, endpoint: str, person: str | None) -> Rule | None:
        """Counts one call and says which rule ends it, None for a call that goes well."""
        struck: Rule | None = None
        for rule in self.active:
            if not rule.picks(endpoint, person):
                continue
            seen = replace(rule, seen=rule.seen + 1)
            if struck is None and seen.seen >= (rule.nth or 1):
                struck = seen = replace(seen, struck=rule.struck + 1)
            self._rules[rule.id] = seen
            if seen.left == 0:
                del self._rules[rule.id]
        return struck

    def give_back(self, rule: Rule) -> None:
        """The call was refused for a reason of its own, so there was nothing to deliver."""
        kept = self._rules.get(rule.id, rule)
        self._rules[rule.id] = replace(kept, struck=kept.struck - 1)


def parse(text: str) -> Json:
    """`messages:code_1_delivered:times=2` of the command line, as the body of `POST /sandbox/faults`."""
    parts = text.split(":")
    if len(parts) < 2:
        raise UsageError(f"{text!r} is not ENDPOINT:FAULT[:person=NAME][:nth=N][:times=N]")
    body: Json = {"endpoint": parts[0], "fault": parts[1]}
    for part in parts[2:]:
        name, equals, value = part.partition("=")
        if not equals or name not in ("person", "nth", "times"):
            raise UsageError(f"{part!r} in {text!r} is none of person=NAME, nth=N, times=N")
        body[name] = value
    return body


def row(rule: Rule) -> Json:
    return {
        "id": rule.id,
        "fault": rule.fault.name,
        "endpoint": rule.endpoint,
        "person": rule.person,
        "nth": rule.nth,
        "times": rule.times,
        "left": rule.left,
    }


def _done(name: str, title: str, section: str, way: Way, status: int = _NO_ANSWER) -> Fault:
    return Fault(name, title, section, way, delivered=True, status=status)


_WITHOUT_ANSWER: Final = (
    Fault("timeout", "Nothing is done and no answer comes", "§12.10", Way.SILENCE),
    _done("timeout_after_delivery", "Delivered, but no answer comes", "§12.10", Way.SILENCE),
    Fault("hang_up", "The connection closes; nothing is done", "§12.10", Way.HANG_UP),
    _done("hang_up_after_delivery", "Delivered, then the connection closes", "§12.10", Way.HANG_UP),
    Fault("connection_reset", "The connection is reset; nothing is done", "§12.10", Way.RESET),
    _done("connection_reset_after_delivery", "Delivered, then the connection is reset", "§12.10", Way.RESET),
    _done("slow", "Delivered; the answer comes after `slow_s` seconds", "§12.10", Way.SLOW, 200),
    Fault("html_error_body", "A 502 page of HTML; nothing is done", "§9.1", Way.HTML, status=502),
    _done("html_error_body_delivered", "Delivered, but a 502 page of HTML answers", "§9.1", Way.HTML, 502),
    _done("html_success_body", "Delivered; a 200 with HTML instead of JSON", "§9.1", Way.HTML, 200),
    _done("cut_off_body", "Delivered; a 200 whose JSON is cut off", "§9.1", Way.CUT_OFF, 200),
    _done("usage_95", "Delivered; the usage headers say 95 %", "§8", Way.USAGE, 200),
    Fault(
        "localised_message",
        "Outside the window, said in Portuguese",
        "§9.1",
        Way.LOCALISED,
        status=403,
        code=10,
        subcode=2534022,
    ),
)

_NO_ROLE = "Unsupported request - method type: {method}"
_NO_ADVANCED_ACCESS = (
    "(#200) App does not have Advanced Access to instagram_manage_messages permission, and recipient user "
    "does not have role on app."
)
_HUMAN_AGENT = (
    "(#10) To use 'Human Agent', your use of this endpoint must be reviewed and approved by Facebook."
)

# §9.2 row by row: name, HTTP status, code, subcode, meaning. Where the table knows no status it is 400.
_REFUSALS: Final[tuple[tuple[str, int, int, int | None, str], ...]] = (
    ("code_1_not_delivered", 500, 1, None, "An unknown error; nothing was done"),
    ("code_1_99", 400, 1, 99, "An unknown error, often a missing permission"),
    ("code_2_not_delivered", 503, 2, None, "Service temporarily unavailable; nothing was done"),
    ("code_2_1545133", 503, 2, 1545133, "Service temporarily unavailable"),
    ("no_capability_3", 400, 3, None, "The app lacks the capability"),
    ("no_capability_3_2228054", 400, 3, 2228054, "The app lacks the capability for this node"),
    ("rate_4", 400, 4, None, "Application request limit reached"),
    ("too_many_actions_9_2018352", 400, 9, 2018352, "The person does too many actions"),
    ("permission_10", 403, 10, None, "Permission denied: a scope is missing"),
    ("human_agent_10", 403, 10, None, "The Human Agent feature is not approved"),
    ("window_10_2534022", 403, 10, 2534022, "Outside the 24-hour window"),
    ("window_10_2018278", 403, 10, 2018278, "Outside the window, in Messenger's wording"),
    ("window_10_2018065", 403, 10, 2018065, "Outside the window, in Messenger's other wording"),
    ("cannot_receive_10_2018108", 400, 10, 2018108, "They can't receive your messages right now"),
    ("unverified_10_2534077", 400, 10, 2534077, "The link account-user-Page cannot be verified"),
    ("restricted_10_1893063", 400, 10, 1893063, "Temporarily restricted from sending, for policy"),
    ("restricted_10_1404170", 400, 10, 1404170, "Restricted from marketing opt-ins"),
    ("rate_17", 400, 17, None, "User request limit reached"),
    ("rate_32", 400, 32, None, "Page request limit reached"),
    ("not_eligible_36103", 400, 36103, None, "The account is not eligible for the messaging API"),
    ("rate_80001", 400, 80001, None, "The Page's use-case limit is reached"),
    ("rate_80002", 400, 80002, None, "Instagram's use-case limit is reached"),
    ("rate_80006", 400, 80006, None, "Messenger's use-case limit is reached"),
    ("bad_parameter_100", 400, 100, None, "Bad parameter"),
    ("no_role_100", 400, 100, None, "The account has no accepted role on the app"),
    ("outage_100_33", 400, 100, 33, "Object missing or not permitted; raised wrongly in an outage"),
    ("no_user_100_2018001", 400, 100, 2018001, "No matching user"),
    ("no_user_100_2534014", 400, 100, 2534014, "No matching Instagram user"),
    ("page_not_linked_100_2534013", 400, 100, 2534013, "The Page is not linked to an Instagram account"),
    ("invalid_message_100_2534015", 400, 100, 2534015, "Invalid message data for this message type"),
    ("private_reply_100_2534025", 400, 100, 2534025, "The comment is invalid for a private reply"),
    ("business_blocked_100_2534029", 400, 100, 2534029, "The business is blocked from the messaging API"),
    ("not_thread_owner_100_2534037", 400, 100, 2534037, "Another app controls the thread"),
    ("no_multi_image_100_2534068", 400, 100, 2534068, "Several images are not enabled for the account"),
    ("media_not_fetched_100_2018008", 400, 100, 2018008, "The media's address cannot be fetched"),
    ("media_type_100_2018047", 400, 100, 2018047, "The media is of the wrong type"),
    ("media_too_big_100_2018109", 400, 100, 2018109, "The media is too big"),
    ("media_timeout_100_2018294", 400, 100, 2018294, "The video was not fetched within 75 seconds"),
    ("attachment_100_2018074", 400, 100, 2018074, "The attachment id is not yours"),
    # the table names no code for it
    ("thread_archived_2534001", 400, 100, 2534001, "The thread was archived or deleted by its owner"),
    ("token_invalid", 400, 190, None, "The token is invalid"),
    ("app_removed", 400, 190, 458, "The user removed the app"),
    ("checkpoint", 400, 190, 459, "The user must pass a checkpoint"),
    ("token_revoked", 400, 190, 460, "The password was changed"),
    ("token_expired", 400, 190, 463, "The token has expired"),
    ("user_not_confirmed", 400, 190, 464, "The user is not confirmed"),
    ("token_invalid_467", 400, 190, 467, "Invalid token"),
    ("session_invalid_492", 400, 190, 492, "Invalid session"),
    ("session_102", 400, 102, None, "The session is invalid"),
    ("permission_200", 403, 200, None, "Permission missing"),
    ("no_advanced_access_200", 403, 200, None, "The recipient has no role; Advanced Access is missing"),
    ("message_access_200_2534041", 403, 200, 2534041, "The owner switched off message access for tools"),
    ("testers_only_200_2018028", 403, 200, 2018028, "Before review only people with a role can be messaged"),
    ("unavailable_200_1545041", 403, 200, 1545041, "This person isn't available right now"),
    ("unavailable_551_1545041", 400, 551, 1545041, "This person isn't available right now"),
    ("consent_230", 400, 230, None, "User consent is required to access the profile"),
    ("rate_341", 400, 341, None, "Application limit reached"),
    ("blocked_368", 400, 368, None, "Temporarily blocked for policy or abusive behaviour"),
    ("duplicate_506", 400, 506, None, "Duplicate post in a row"),
    ("person_blocked_551", 400, 551, None, "The person does not receive messages from you"),
    ("rate_613", 400, 613, None, "Calls to this api have exceeded the rate limit"),
    ("rate_613_1996", 400, 613, 1996, "Inconsistent volume"),
    ("rate_613_2018338", 400, 613, 2018338, "Abusive use of tags"),
    ("rate_613_2534040", 400, 613, 2534040, "This API's own rate limit is reached"),
    ("unknown_id_803", 400, 803, None, "The id is unknown"),
    ("commerce_off_2022", 400, 2022, None, "Commerce messages are disabled after a violation"),
    ("malformed_path_2500", 500, 2500, None, "Malformed path"),
    ("message_deleted_9000001", 400, 9000001, None, "The message was deleted, or is not readable any more"),
    ("other_app_2018300", 400, 2018300, None, "Another app controls this thread"),
    ("already_replied_10900", 400, 10900, None, "Already replied to"),
    ("no_user_9010", 400, 9010, None, "No matching Instagram user on a profile"),
)

_DELIVERED: Final[tuple[tuple[str, int, int, int | None, str], ...]] = (
    ("code_1_delivered", 500, 1, None, "An unknown error, though it was delivered"),
    ("code_1_1357046_delivered", 400, 1, 1357046, "The batch was sent, but the answer broke"),
    ("code_2_delivered", 503, 2, None, "Temporarily unavailable, though it was delivered"),
)

_MESSAGES: Final = {
    "no_role_100": _NO_ROLE,
    "no_advanced_access_200": _NO_ADVANCED_ACCESS,
    "human_agent_10": _HUMAN_AGENT,
}


def _refused(line: tuple[str, int, int, int | None, str], *, delivered: bool) -> Fault:
    name, status, code, subcode, title = line
    message = _MESSAGES.get(name, "")
    return Fault(name, title, "§9.2", Way.REFUSED, delivered, status, code, subcode, message)


CATALOG: Final = {
    fault.name: fault
    for fault in (
        *(_refused(line, delivered=True) for line in _DELIVERED),
        *(_refused(line, delivered=False) for line in _REFUSALS),
        *_WITHOUT_ANSWER,
    )
}
