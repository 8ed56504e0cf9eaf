"""The app at Meta, asked in its own name: are its pairs right, and where does it send which webhooks?"""

from collections.abc import Callable, Iterator, Mapping

from pamosnik.config import Config
from pamosnik.instagram import limits
from pamosnik.instagram.app_pair import InstagramApp, Pair, pair
from pamosnik.instagram.graph import Answer
from pamosnik.instagram.meta_app import AppSubscription, MetaApp, subscription
from pamosnik.model.outbox import Outcome, OutcomeKind
from pamosnik.services.doctor import remedies
from pamosnik.services.doctor.asking import bounded
from pamosnik.services.doctor.checks import Check, Found, bad, good, note, skipped, waits

_WEBHOOK = "/webhooks/instagram"
_NAMES = ("app_subscription", "app_callback", "app_fields")
_ANYTHING = "https://localhost/connect/instagram/callback"
_REGISTER = "Try: pamosnik doctor --fix, which registers it; or by hand: "

Register = Callable[[str, tuple[str, ...]], None]
"""(callback address, fields) → tells Meta."""


async def instagram_pair(settings: Config) -> Check:
    """The Instagram app's id and secret."""
    app_id, secret = settings.instagram_app_id, settings.instagram_app_secret
    if app_id is None or secret is None:
        return skipped("instagram_app", "PAMOSNIK_INSTAGRAM_APP_ID or its secret is not set")
    if not app_id.isdecimal():
        return waits("instagram_app", "`app_ids`")
    address = settings.public_url.rstrip("/") if settings.public_url else None
    redirect = f"{address}/connect/instagram/callback" if address else _ANYTHING
    async with InstagramApp(
        app_id, secret, version=settings.graph_version, meta_url=settings.meta_url
    ) as app:
        answer = await bounded(app.try_pair(redirect))
    match pair(answer):
        case Pair.ACCEPTED:
            return good("instagram_app", "Instagram knows the Instagram app's id and secret as a pair.")
        case Pair.WRONG_ID:
            told = (
                "Instagram does not know PAMOSNIK_INSTAGRAM_APP_ID (“Invalid platform app”): often it is Meta's"
                " app id."
            )
            return bad("instagram_app", told, f"{remedies.APP_IDS} Also add the required permissions there.")
        case Pair.WRONG_SECRET:
            told = "PAMOSNIK_INSTAGRAM_APP_SECRET is not the secret of PAMOSNIK_INSTAGRAM_APP_ID."
            return bad("instagram_app", told, remedies.APP_IDS)
    return skipped("instagram_app", f"Instagram did not tell ({_unclear(answer.outcome)})")


async def look(
    settings: Config, flows: Mapping[str, str], lately_heard: bool | None, register: Register
) -> list[Check]:
    """`flows`: field → the flow that needs it; `lately_heard`: whether a webhook has come of late."""
    app_id, secret = settings.meta_app_id, settings.meta_app_secret
    if app_id is None or secret is None:
        unset = "PAMOSNIK_META_APP_ID" if app_id is None else "PAMOSNIK_META_APP_SECRET"
        return [skipped(name, f"{unset} is not set") for name in ("meta_app", *_NAMES)]
    if not app_id.isdecimal():
        return [waits(name, "`app_ids`") for name in ("meta_app", *_NAMES)]
    async with MetaApp(app_id, secret, version=settings.graph_version, meta_url=settings.meta_url) as app:
        answer = await bounded(app.subscriptions())
    trouble = _trouble(answer.outcome)
    if trouble is not None:
        return [trouble, *(waits(name, "`meta_app`") for name in _NAMES)]
    pair_fits = good("meta_app", "Meta knows the app's id and secret as a pair.")
    return [pair_fits, *_subscribed(settings, answer, flows, lately_heard, register)]


def _trouble(outcome: Outcome) -> Check | None:
    """Why Meta told nothing; None when it did."""
    if outcome.kind is OutcomeKind.SENT:
        return None
    if outcome.code is None:
        return skipped("meta_app", f"Meta did not tell ({_unclear(outcome)})")
    if outcome.kind in (OutcomeKind.BACK_OFF, OutcomeKind.RETRY, OutcomeKind.UNKNOWN):
        return skipped("meta_app", f"Meta did not tell now ({_unclear(outcome)})")
    if outcome.code in (100, 3, 10) or 200 <= outcome.code <= 299:
        told = f"Meta does not show the app's webhooks by this interface: {_unclear(outcome)}."
        return note("meta_app", told, f"Look at them in the dashboard: {remedies.callback(None)}")
    return bad(
        "meta_app",
        f"Meta does not take PAMOSNIK_META_APP_ID and PAMOSNIK_META_APP_SECRET as a pair (error {outcome.code}).",
        remedies.APP_IDS,
    )


def _unclear(outcome: Outcome) -> str:
    """Of a question, not of a message."""
    return outcome.reason.replace("; the message may have gone out", "")


def _subscribed(
    settings: Config, answer: Answer, flows: Mapping[str, str], lately_heard: bool | None, register: Register
) -> Iterator[Check]:
    told = subscription(answer)
    address = settings.public_url.rstrip("/") if settings.public_url else None
    callback = None if address is None else f"{address}{_WEBHOOK}"
    wanted = tuple(dict.fromkeys((*limits.SUBSCRIBED_FIELDS, *flows)))
    able = callback is not None and callback.startswith("https:") and settings.verify_token is not None
    mend = (lambda: register(callback or "", wanted)) if able else None
    by_hand = remedies.callback(address)
    fix = f"{_REGISTER}{by_hand}" if able else by_hand
    yield _present(told, lately_heard, fix, mend)
    if told is None:
        yield from (waits(name, "`app_subscription`") for name in _NAMES[1:])
        return
    yield _callback(told, callback, fix, mend)
    yield _fields(told, wanted, flows, mend)


def _present(
    told: AppSubscription | None, lately_heard: bool | None, fix: str, mend: Callable[[], None] | None
) -> Check:
    name = "app_subscription"
    if told is None and lately_heard is None:
        return skipped(name, "Meta shows none, and whether webhooks come all the same cannot be read here")
    if told is None and lately_heard:
        seen = (
            "Meta shows no webhook subscription of the app for Instagram, and yet webhooks come: the dashboard"
            " manages it."
        )
        return note(name, seen, "Nothing to do while they come.")
    if told is None:
        seen = (
            "The app is not subscribed to Instagram's webhooks (object instagram): Meta sends none, for no"
            " account."
        )
        return Check(name, Found.BAD, seen, fix, mend)
    if not told.active:
        seen = "The app's webhook subscription is switched off (not active): Meta sends nothing."
        return Check(name, Found.BAD, seen, fix, mend)
    return good(name, "The app is subscribed to Instagram's webhooks.")


def _callback(
    told: AppSubscription, callback: str | None, fix: str, mend: Callable[[], None] | None
) -> Check:
    name = "app_callback"
    if callback is None:
        seen = f"Meta sends webhooks to {told.callback_url or 'nowhere'}, and PAMOSNIK_PUBLIC_URL is not set."
        return note(
            name, seen, "Set PAMOSNIK_PUBLIC_URL to this machine's public address, to have both compared."
        )
    if told.callback_url != callback:
        seen = f"Meta sends webhooks to {told.callback_url or 'nowhere'}, and not to {callback}."
        return Check(name, Found.BAD, seen, fix, mend)
    return good(name, f"Meta sends webhooks to {callback}.")


def _fields(
    told: AppSubscription, wanted: tuple[str, ...], flows: Mapping[str, str], mend: Callable[[], None] | None
) -> Check:
    missing = [field for field in wanted if field not in told.fields]
    if not missing:
        return good("app_fields", "The app is subscribed to every field that is needed.")
    by_hand = remedies.fields(", ".join(missing))
    fix = f"{_REGISTER}{by_hand}" if mend is not None else by_hand
    needed = [f"{field} (the flow {flows[field]})" for field in missing if field in flows]
    if needed:
        seen = f"The app is not subscribed to fields that flows need: {', '.join(needed)}."
        return Check("app_fields", Found.BAD, seen, fix, mend)
    seen = f"The app is not subscribed to {', '.join(missing)}, which no flow needs so far."
    return Check("app_fields", Found.NOTE, seen, fix, mend)
