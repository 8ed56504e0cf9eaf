"""What came in: the last webhook of each field, refused signatures, deliveries for accounts that nobody knows."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

from pamosnik.clock import ago
from pamosnik.config import Config
from pamosnik.services.doctor import needed, remedies
from pamosnik.services.doctor.checks import Check, bad, good, note
from pamosnik.services.doctor.known import Known, Login
from pamosnik.services.intake import ID_MIX_UP
from pamosnik.store import notices

LATELY = timedelta(days=1)


def of_the_machine(settings: Config, known: Known) -> Iterator[Check]:
    told = known.of_the_machine.get("bad_signature")
    if told is not None:
        unset = [
            f"PAMOSNIK_{name.upper()}"
            for name in ("instagram_app_secret", "meta_app_secret")
            if getattr(settings, name) is None
        ]
        which = f" Set {unset[0]}, too: either may sign." if unset else ""
        yield bad(
            "signatures",
            f"Deliveries have been refused since {told.since:%Y-%m-%d %H:%M} UTC: no app secret fits their"
            " signature. It"
            " looks as if Meta sent nothing.",
            f"Compare both secrets with the dashboard, then start pamosnik serve again.{which} {remedies.APP_IDS}",
        )
        return
    once = known.of_the_machine.get(notices.SIGNATURE_REFUSED)
    if once is not None:
        yield note("signatures", f"{once.since:%Y-%m-%d %H:%M} UTC: {once.message}", once.fix)
        return
    yield good("signatures", "The app secrets fit what came in last, or nothing has come in yet.")


def lately_heard(known: Known, now: datetime) -> bool:
    """Whether a real webhook told anything within a day."""
    return any(
        one.last_at > now - LATELY
        for login in known.logins
        for one in login.heard
        if not (one.test or one.recovered)
    )


def of_login(login: Login, now: datetime) -> Iterator[Check]:
    yield _heard(login, now)
    yield _unknown(login)


def _heard(login: Login, now: datetime) -> Check:
    told = _last(login, recovered=False)
    found = _last(login, recovered=True)
    fields = needed.fields(login.catalog.book.flows)
    notice = login.notices.get("webhooks_missing")
    if notice is not None:
        return bad("webhooks", notice.message, notice.fix)
    if not told and found:
        return bad(
            "webhooks",
            f"No webhook has ever come, though things happen: {_listed(found, now)} were found by reading alone.",
            "Mend what is bad above, in this order: address, app subscription, account subscription, app live.",
        )
    if not told:
        return note(
            "webhooks",
            "No webhook has come yet.",
            f"Try each field in turn: pamosnik connections test {login.name}",
        )
    silent = [field for field in fields if field in found and field not in told]
    if silent:
        return bad(
            "webhooks",
            f"No webhook of {', '.join(silent)} has ever come, though such things were found by reading."
            f" Others came: {_listed(told, now)}.",
            f"{remedies.fields(', '.join(silent))} For comments the account must be public, and Meta's documents"
            " ask for"
            " Advanced Access.",
        )
    return good("webhooks", f"The last webhooks: {_listed(told, now)}.")


def _last(login: Login, *, recovered: bool) -> Mapping[str, datetime]:
    """Field → when it was heard of last, the newest first; tests of the dashboard left out."""
    last: dict[str, datetime] = {}
    for one in sorted(login.heard, key=lambda one: one.last_at, reverse=True):
        field = needed.FIELD_OF_KIND.get(one.kind)
        if field is not None and not one.test and one.recovered is recovered:
            last.setdefault(field, one.last_at)
    return last


def _listed(fields: Mapping[str, datetime], now: datetime) -> str:
    return ", ".join(f"{field} {ago(now - at)}" for field, at in fields.items())


def _unknown(login: Login) -> Check:
    notice = login.notices.get(ID_MIX_UP)
    if notice is not None:
        return bad("unknown_accounts", notice.message, notice.fix)
    return good("unknown_accounts", "No webhook named this account by an id that is not the one in use.")
