"""Settings, looked at without asking anybody: the app's ids and secrets, the address, the version of Graph."""

from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta
from urllib.parse import urlsplit

from pamosnik.config import Config
from pamosnik.instagram import limits
from pamosnik.services.doctor import remedies
from pamosnik.services.doctor.checks import Check, bad, good, note

_SOON = timedelta(days=60)
_APP = ("instagram_app_id", "meta_app_id", "meta_app_secret")
_SECRETS = ("instagram_app_secret", "meta_app_secret", "verify_token")


def look(settings: Config, now: datetime) -> Iterator[Check]:
    yield _ids(settings)
    yield _secrets(settings)
    yield graph_version(settings.graph_version, now.date())
    yield _address(settings)


def _ids(settings: Config) -> Check:
    wrong = list(_wrong_ids(settings))
    if wrong:
        return bad("app_ids", " ".join(wrong), remedies.APP_IDS)
    told = [name for name in _APP if getattr(settings, name) is None]
    if told:
        variables = ", ".join(map(_variable, told))
        return note(
            "app_ids", f"{variables} {'is' if len(told) == 1 else 'are'} not set.", _what_for(settings)
        )
    return good("app_ids", "The ids of the Instagram app and of the Meta app are set, and differ.")


def _what_for(settings: Config) -> str:
    if settings.meta_app_id is None or settings.meta_app_secret is None:
        return f"Set them, so that the app's subscription can be looked at and mended. {remedies.APP_IDS}"
    return f"Set it, so that it can be compared. {remedies.APP_IDS}"


def _wrong_ids(settings: Config) -> Iterator[str]:
    """What is no id, no secret, or stands in the wrong place. Never shows a value."""
    ids = {name: getattr(settings, name) for name in ("instagram_app_id", "meta_app_id")}
    secrets = {name: getattr(settings, name) for name in ("instagram_app_secret", "meta_app_secret")}
    for name, value in ids.items():
        if value is not None and not value.isdecimal():
            kind = "a secret" if value in secrets.values() or _hexadecimal(value) else "no number"
            yield f"{_variable(name)} is no app id: it looks like {kind}."
    if ids["instagram_app_id"] is not None and ids["instagram_app_id"] == ids["meta_app_id"]:
        yield (
            "PAMOSNIK_INSTAGRAM_APP_ID and PAMOSNIK_META_APP_ID are the same: with Meta's id in place of Instagram's,"
            " the login answers “Invalid platform app”."
        )
    for name, value in secrets.items():
        if value is None:
            continue
        if value in ids.values() or (value.isdecimal() and len(value) >= 10):
            yield f"{_variable(name)} is no secret: it looks like an app id."
    for name in _SECRETS:
        value = getattr(settings, name)
        if value is not None and value != value.strip():
            yield f"{_variable(name)} begins or ends with a space."


def _hexadecimal(value: str) -> bool:
    return len(value) == 32 and all(sign in "0123456789abcdef" for sign in value)


def _variable(name: str) -> str:
    return f"PAMOSNIK_{name.upper()}"


def _secrets(settings: Config) -> Check:
    if not settings.webhook_secrets:
        return bad(
            "app_secret",
            "No app secret is set: every webhook is refused.",
            f"Set PAMOSNIK_INSTAGRAM_APP_SECRET to the Instagram app secret: {remedies.SETUP}, at the top.",
        )
    if settings.verify_token is None:
        return bad(
            "app_secret",
            "No verify token is set: Meta's handshake is refused.",
            "Set PAMOSNIK_VERIFY_TOKEN to words of your own, the same as in Meta's dashboard.",
        )
    if settings.instagram_app_secret == settings.meta_app_secret:
        return note(
            "app_secret",
            "PAMOSNIK_INSTAGRAM_APP_SECRET and PAMOSNIK_META_APP_SECRET are the same, and Meta gives two"
            " different ones.",
            remedies.APP_IDS,
        )
    return good("app_secret", "An app secret and a verify token are set.")


def graph_version(
    version: str, today: date, ends: Mapping[str, date | None] = limits.GRAPH_VERSIONS
) -> Check:
    newest = next(iter(ends))
    fix = f"Set PAMOSNIK_GRAPH_VERSION to {newest}, or take it out of the settings."
    if version not in ends:
        return note("graph_version", f"{version} of the Graph API is none that this Pamosnik knows of.", fix)
    end = ends[version]
    if end is None:
        return good("graph_version", f"{version} of the Graph API is used.")
    if end <= today:
        return bad("graph_version", f"{version} of the Graph API is gone since {end}.", fix)
    if end - today <= _SOON:
        return note("graph_version", f"{version} of the Graph API can be used until {end}.", fix)
    return good("graph_version", f"{version} of the Graph API is used; it can be until {end}.")


def _address(settings: Config) -> Check:
    address = settings.public_url
    if address is None:
        return note(
            "address",
            "No public address is set: links in messages are not tracked, and mails lead to this machine only.",
            "Set PAMOSNIK_PUBLIC_URL to the https address of the tunnel or domain.",
        )
    if not address.startswith("https:"):
        return bad(
            "address",
            f"{address} is not encrypted: Meta sends nothing there, and the login cookie could be read on its way.",
            "Set PAMOSNIK_PUBLIC_URL to an https address.",
        )
    path = urlsplit(address).path.rstrip("/")
    if path.endswith("/webhooks/instagram"):
        return bad(
            "address",
            f"{address} is the address of the webhook alone: links and pages would lead below it.",
            f"Set PAMOSNIK_PUBLIC_URL to {address.partition('/webhooks/')[0]}",
        )
    return good("address", f"{address} is encrypted.")
