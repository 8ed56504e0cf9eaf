"""Whether Instagram sends webhooks for an account, and whom else it sends them to."""

from collections.abc import Callable, Iterator, Mapping
from functools import partial

from pamosnik.instagram import errors, limits, reading
from pamosnik.instagram.graph import Answer
from pamosnik.model.outbox import OutcomeKind
from pamosnik.services.doctor import needed, remedies
from pamosnik.services.doctor.checks import Check, Found, bad, good, note, skipped, waits
from pamosnik.services.doctor.known import Login

App = Mapping[str, object]
Mend = Callable[[tuple[str, ...]], None]
"""Subscribes these fields."""

_OUR_NAME = "pamosnik"
"""Most call their app so: docs/guide.md does."""
_ANOTHER_TOOL = "another_tool"
"""The notice of a private reply that somebody else has sent."""
_ELSEWHERE_TOLD = 20
"""Messages of a week that did not leave from here."""


def look(login: Login, answer: Answer, app_ids: tuple[str | None, str | None], mend: Mend) -> Iterator[Check]:
    outcome = answer.outcome
    if outcome.kind is not OutcomeKind.SENT:
        if outcome.kind is OutcomeKind.CONFIGURATION:
            told = f"What it is subscribed to cannot be read: {outcome.reason}."
            yield bad("subscription", told, errors.remedy(outcome))
        else:
            yield skipped("subscription", f"Instagram did not tell ({outcome.reason})")
        yield waits("other_apps", "`subscription`")
        return
    apps = list(reading.objects(answer.body))
    ours, others = ours_of(apps, app_ids)
    yield _subscription(login, ours, others, mend)
    yield _others(login, others)


def ours_of(apps: list[App], app_ids: tuple[str | None, str | None]) -> tuple[list[App], list[App]]:
    """Ours, and others. Which of the two ids Meta names is not documented: with one of them unknown, the first app
    is taken for ours."""
    known = [one for one in app_ids if one is not None]
    ours = [one for one in apps if reading.text(one.get("id")) in known]
    if not ours:
        ours = [one for one in apps if _OUR_NAME in str(one.get("name")).casefold()]
    if not ours and len(known) < len(app_ids):
        ours = apps[:1]
    return ours, [one for one in apps if one not in ours]


def _subscription(login: Login, ours: list[App], others: list[App], mend: Mend) -> Check:
    flows = needed.fields(login.catalog.book.flows)
    wanted = tuple(dict.fromkeys((*limits.SUBSCRIBED_FIELDS, *flows)))
    subscribe = partial(mend, wanted)
    fix = "Try: pamosnik doctor --fix, which subscribes it again."
    if not ours:
        but = f" Only {_names(others)} is." if others else ""
        told = f"The account is not subscribed to this app: Instagram sends no webhooks for it.{but}"
        return Check("subscription", Found.BAD, told, fix, subscribe)
    lists = [one.get("subscribed_fields") for one in ours if isinstance(one.get("subscribed_fields"), list)]
    have = {str(field) for one in lists if isinstance(one, list) for field in one}
    missing = [field for field in wanted if field not in have] if lists else []
    needed_now = [f"{field} (the flow {flows[field]})" for field in missing if field in flows]
    if needed_now:
        told = f"The account's subscription lacks what flows need: {', '.join(needed_now)}."
        return Check("subscription", Found.BAD, told, fix, subscribe)
    if missing:
        told = f"The account's subscription lacks {', '.join(missing)}, which no flow needs so far."
        return Check("subscription", Found.NOTE, told, fix, subscribe)
    return good("subscription", "The account is subscribed to this app, with all that is needed.")


def _others(login: Login, others: list[App]) -> Check:
    if others:
        return note(
            "other_apps",
            f"Another tool is connected to this account, too: {_names(others)}. Both answer, and only one can have"
            " the one private reply to a comment.",
            f"Disconnect the other one: {remedies.APPS_AND_WEBSITES} → Remove.",
        )
    told = login.notices.get(_ANOTHER_TOOL)
    if told is not None:
        return note("other_apps", told.message, f"{told.fix} Connected tools: {remedies.APPS_AND_WEBSITES}")
    count = login.written_elsewhere
    if count >= _ELSEWHERE_TOLD:
        return note(
            "other_apps",
            f"{count} messages of the last week did not leave from here: written by hand, or by another tool.",
            f"If another automation is connected, remove it: {remedies.APPS_AND_WEBSITES}",
        )
    return good("other_apps", "No other tool is seen.")


def _names(apps: list[App]) -> str:
    return ", ".join(str(one.get("name") or one.get("id") or "an app without a name") for one in apps)
