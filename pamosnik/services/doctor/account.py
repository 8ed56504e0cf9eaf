"""What Instagram's answers say about a connected account. What was not told is never called wrong."""

from collections.abc import Iterator, Mapping

from pamosnik.instagram import errors, limits, reading
from pamosnik.model.outbox import Outcome, OutcomeKind
from pamosnik.services.doctor import remedies
from pamosnik.services.doctor.asking import Answers
from pamosnik.services.doctor.checks import Check, bad, good, note, skipped, waits
from pamosnik.services.doctor.known import Login

_MESSAGES, _COMMENTS = limits.SCOPES[1], limits.SCOPES[2]

Json = Mapping[str, object]

_BREAKS: Mapping[str, str] = {
    "instagram_business_basic": "nothing works, and the login cannot be refreshed",
    _MESSAGES: "no message is received, read or sent",
    _COMMENTS: "no comment is received, read or answered",
}
"""Permission → what does not work without it."""


def look(login: Login, answers: Answers) -> Iterator[Check]:
    yield good("instagram", "Instagram answers.")
    yield good("token", "Instagram takes the token.")
    yield good("role", "The account has its role in the app.")
    yield _type(answers.me)
    yield _id(login, answers.me)
    yield _username(login, answers.me)
    talks, media = answers.talks.outcome, answers.media.outcome
    yield _permissions(login, talks, media, [one.outcome for _, one in answers.comments])
    yield _message_access(login, talks)
    yield _conversations(talks)


def _type(me: Json) -> Check:
    kind = str(me.get("account_type") or "")
    if reading.text(me.get("user_id")) is None or kind.casefold() == "personal":
        return bad(
            "account_type",
            "It is no professional account, and Instagram has no interface for personal ones.",
            remedies.PROFESSIONAL,
        )
    if "creator" in kind.casefold():
        return good(
            "account_type",
            "It is a creator account. Such accounts are reported to need one look at the conversations before"
            " webhooks start: that was done just now.",
        )
    return good("account_type", f"It is a professional account ({kind or 'its kind was not told'}).")


def _id(login: Login, me: Json) -> Check:
    stored = login.connected
    ig_id, asid = reading.text(me.get("user_id")), reading.text(me.get("id"))
    if ig_id is None:
        return waits("account_id", "`account_type`")
    if ig_id == stored.ig_id:
        return good("account_id", f"Webhooks and stored data name the same account ({ig_id}).")
    if asid == stored.ig_id:
        return bad(
            "account_id",
            f"The stored id {stored.ig_id} is the one for this app (`id`), and webhooks name the account by"
            f" {ig_id} (`user_id`): all of them are taken for an unknown account's.",
            f"Connect again, so that the right one is stored: {remedies.CONNECT}",
        )
    if ig_id == stored.asid:
        return note(
            "account_id",
            f"Instagram names the account by {ig_id} today, its id for this app; it is the account that was connected"
            f" as {stored.ig_id}.",
            f"Nothing to do, as long as webhooks come: pamosnik connections test {login.name}",
        )
    return bad(
        "account_id",
        f"The token is one of another Instagram account: it belongs to {ig_id}, and {stored.ig_id} is connected.",
        f"Make a token for {login.name}, logged in as that account: {remedies.NEW_TOKEN}",
    )


def _username(login: Login, me: Json) -> Check:
    name = reading.text(me.get("username"))
    if name is None or name.casefold() == login.name.casefold():
        return good("username", f"It is called {login.name} there, too.")
    return note(
        "username",
        f"It was renamed at Instagram: {name}, and here it is still called {login.name}.",
        f"Connect again, which stores the new name: {remedies.CONNECT}. Then change it under `connections:` of flows"
        " and in the names of FLOW_… variables.",
    )


# --- what it may ----------------------------------------------------------------------------------------


def _permissions(login: Login, talks: Outcome, posts: Outcome, comments: list[Outcome]) -> Check:
    granted = login.connected.scopes
    missing = {scope: "" for scope in limits.SCOPES if granted and scope not in granted}
    if _denied(talks):
        missing[_MESSAGES] = f" ({talks.reason})"
    refused_comments = next((one for one in (*comments, posts) if _denied(one)), None)
    if refused_comments is not None:
        missing[_COMMENTS] = f" ({refused_comments.reason})"
    if missing:
        told = "; ".join(f"{name} is missing{why}: {_BREAKS[name]}" for name, why in missing.items())
        role = any(one.code == 200 and _denied(one) for one in (talks, posts, *comments))
        fix = (
            f"{remedies.PERMISSIONS} If all are granted: {remedies.ADVANCED}"
            if role
            else remedies.PERMISSIONS
        )
        return bad("permissions", f"{told}.", fix)
    asked = [talks, posts, *comments]
    silent = next((one for one in asked if one.kind is not OutcomeKind.SENT and not _closed(one)), None)
    if silent is not None:
        return skipped("permissions", f"Instagram did not answer all that was asked ({silent.reason})")
    seen = "conversations and comments can be read" if comments else "conversations can be read; no post yet"
    return good("permissions", f"Nothing is missing: {seen}.")


def _message_access(login: Login, talks: Outcome) -> Check:
    failed = any("200/2534041" in reason for reason in login.refusals)
    if _closed(talks) or failed:
        return bad(
            "message_access",
            "The owner has switched off message access for tools (200/2534041): no message is received, read or"
            " sent.",
            remedies.MESSAGE_ACCESS,
        )
    if talks.kind is OutcomeKind.SENT:
        return good("message_access", "“Allow access to messages” is on, as far as can be seen.")
    return waits("message_access", "`conversations`")


def _conversations(outcome: Outcome) -> Check:
    if outcome.kind is OutcomeKind.SENT:
        return good("conversations", "Conversations can be read.")
    if _denied(outcome):
        return waits("conversations", "`permissions`")
    if _closed(outcome):
        return waits("conversations", "`message_access`")
    if outcome.kind is OutcomeKind.CONFIGURATION:
        return bad("conversations", f"They cannot be read: {outcome.reason}.", errors.remedy(outcome))
    return skipped("conversations", f"Instagram did not tell ({outcome.reason})")


def _denied(outcome: Outcome) -> bool:
    """A permission is missing, as far as the code says."""
    code = outcome.code or 0
    return not _closed(outcome) and (
        (code in (3, 10) and outcome.subcode is None)
        or (code == 1 and outcome.subcode == 99)
        or (200 <= code <= 299 and outcome.subcode is None)
    )


def _closed(outcome: Outcome) -> bool:
    return (outcome.code, outcome.subcode) == (200, 2534041)
