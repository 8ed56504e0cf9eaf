"""Connected accounts, as far as the database tells: nobody is asked."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from pamosnik.services.doctor import remedies
from pamosnik.services.doctor.checks import Check, bad, good, note, waits
from pamosnik.services.doctor.known import Login
from pamosnik.store.connections import ConnectionStatus

_SOON = timedelta(days=14)
_REFRESHABLE_AFTER = timedelta(hours=24)
_OVERDUE = timedelta(days=2)
_REFRESH = "Let `pamosnik serve` run, which refreshes it; or try: pamosnik connections refresh"


def look(login: Login, now: datetime) -> Iterator[Check]:
    yield _opens(login)
    yield _age(login, now)
    yield _advanced_access(login)
    yield _sending(login, now)


def _opens(login: Login) -> Check:
    one = login.connected
    if login.trouble is not None:
        why = f" Why: {one.reason}." if one.reason else ""
        fix = login.trouble.hint or f"Make a new token: {remedies.NEW_TOKEN}"
        return bad("login", f"{login.trouble.message}{why}", fix)
    if one.status is not ConnectionStatus.ACTIVE:
        why = f": {one.reason}" if one.reason else ""
        told = f"It is not in use ({one.status.value}{why})."
        return bad("login", told, f"Try: pamosnik connect. A new token: {remedies.NEW_TOKEN}")
    return good("login", "It opens, and is in use.")


def _age(login: Login, now: datetime) -> Check:
    one = login.connected
    if login.token is None or one.token_expires_at is None:
        return waits("token_age", "the login")
    left = one.token_expires_at - now
    day = f"{one.token_expires_at:%Y-%m-%d}"
    if left <= timedelta():
        told = f"The token ended on {day}; after that nobody can refresh it."
        return bad("token_age", told, f"Make a new one: {remedies.NEW_TOKEN}")
    days = f"{left.days} day{'' if left.days == 1 else 's'} left (until {day})"
    if one.token_issued_at is not None and left <= _SOON:
        from_then = one.token_issued_at + _REFRESHABLE_AFTER
        when = (
            f"it can be refreshed from {from_then:%Y-%m-%d %H:%M} UTC on" if from_then > now else "it is due"
        )
        return note("token_age", f"{days}, and it was not refreshed: {when}.", _REFRESH)
    if one.token_refresh_at is not None and one.token_refresh_at + _OVERDUE < now:
        told = f"{days}; it should have been refreshed on {one.token_refresh_at:%Y-%m-%d}."
        return note("token_age", told, _REFRESH)
    return good("token_age", f"{days}; pamosnik serve refreshes it while it runs.")


def _advanced_access(login: Login) -> Check:
    if login.refused_in_window or "advanced_access" in login.notices:
        return bad(
            "advanced_access",
            f"Instagram refused {login.refused_in_window or 'some'} messages of late as outside of the 24 hours"
            " (10/2534022), although these people had just written: the app's access level is the likely cause.",
            remedies.ADVANCED,
        )
    no_role = sum(n for reason, n in login.refusals.items() if _says(reason, "200/2018028", "200"))
    if no_role:
        return bad(
            "advanced_access",
            f"Instagram refused {no_role} messages of late to people without a role in the app (200): until Advanced"
            " Access, only those with a role can be written to.",
            remedies.ADVANCED,
        )
    return good("advanced_access", "No message was refused to somebody who had just written.")


def _sending(login: Login, now: datetime) -> Check:
    one = login.connected
    barred = next((r for r in login.refusals if _says(r, "100/2534029", "36103", "2022")), None)
    if barred is not None or one.status is ConnectionStatus.BLOCKED:
        return bad(
            "sending",
            f"Sending is blocked: {one.reason or barred}.",
            "Look at Account Status in the Instagram app (Settings → Account status), and ask Meta's Business"
            " Support.",
        )
    if one.rest_until is not None and one.rest_until > now:
        told = f"Sending rests until {one.rest_until:%Y-%m-%d %H:%M} UTC: {one.rest_reason}."
        if _says(one.rest_reason or "", "368", "10/1893063"):
            fix = "Send less, and less alike, and look at Account Status in the Instagram app; it goes on by itself."
            return bad("sending", told, fix)
        return note("sending", told, "Nothing to do: it goes on by itself.")
    return good("sending", "Nothing keeps it from sending.")


def _says(reason: str, *codes: str) -> bool:
    """Whether a reason, as `instagram.errors` writes them, names one of these codes."""
    return any(f"error {code})" in reason for code in codes)
