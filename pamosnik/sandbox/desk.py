"""The app's dashboard and the switches: what the owner or a test sets up, read from JSON.

Kept apart from `control`, which plays the people.
"""

from dataclasses import asdict, replace
from typing import Final

from pamosnik.errors import NotFound, UsageError
from pamosnik.sandbox import faults, privacy, rules, switches
from pamosnik.sandbox.behaviour import Behaviour
from pamosnik.sandbox.faults import Faults
from pamosnik.sandbox.params import Params
from pamosnik.sandbox.switches import Described
from pamosnik.sandbox.things import Account, App, Json, Token, TokenKind
from pamosnik.sandbox.views import iso
from pamosnik.sandbox.webhooks import Deliverer, Switches
from pamosnik.sandbox.world import World


def add_account(world: World, params: Params) -> Json:
    """Another professional account, with a ready token as the dashboard gives."""
    params.refuse_others("username", "name", "account_type")
    username = params.text("username")
    account = world.add_account(
        username,
        params.text_or_none("name") or username,
        account_type=params.text_or_none("account_type") or "BUSINESS",
    )
    world.issue_token(account, TokenKind.LONG)
    return account_state(world, account)


def new_token(world: World, params: Params) -> Json:
    """A further long-lived token, issued now."""
    account = world.account_named(params.text_or_none("account"))
    return {"token": world.issue_token(account, TokenKind.LONG).value}


def revoke(world: World, params: Params) -> Json:
    """All tokens of the account answer 190 from now on; 460 = password changed, 458 = app removed."""
    account = world.account_named(params.text_or_none("account"))
    world.revoke_tokens(account, params.integer_or("subcode", 460))
    return {}


def configured(app: App, params: Params) -> App:
    """The app as it shall be; names left out stay as they are, an empty `callback_url` removes it."""
    params.refuse_others(*CONFIGURE)
    fields = frozenset(params.names("fields")) if "fields" in params else app.fields
    unknown = fields - rules.FIELD_SCOPES.keys()
    if unknown:
        raise UsageError(f"no such webhook fields: {', '.join(sorted(unknown))}")
    return replace(
        app,
        callback_url=_address(app.callback_url, params, "callback_url"),
        verify_token=params.text_or_none("verify_token") or app.verify_token,
        secret=params.text_or_none("app_secret") or app.secret,
        live=params.flag_or("live", app.live),
        fields=fields,
        meta_secret=params.text_or_none("meta_app_secret") or app.meta_secret,
        deauthorize_url=_address(app.deauthorize_url, params, "deauthorize_url"),
        data_deletion_url=_address(app.data_deletion_url, params, "data_deletion_url"),
        redirect_uris=params.names("redirect_uris") if "redirect_uris" in params else app.redirect_uris,
    )


CONFIGURE = (
    "callback_url",
    "verify_token",
    "app_secret",
    "meta_app_secret",
    "live",
    "fields",
    "deauthorize_url",
    "data_deletion_url",
    "redirect_uris",
)


def arm(world: World, armed: Faults, params: Params) -> Json:
    """Makes calls fail from now on."""
    params.refuse_others("fault", "endpoint", "person", "nth", "times")
    if "person" in params:
        _check_person(world, params.text("person"))
    rule = armed.arm(
        params.text("fault"),
        endpoint=params.text_or_none("endpoint") or faults.ANY,
        person=params.text_or_none("person"),
        nth=params.integer("nth") if "nth" in params else None,
        times=params.integer("times") if "times" in params else None,
    )
    return faults.row(rule)


def _check_person(world: World, username: str) -> None:
    if username not in world.people:
        known = ", ".join(world.people) or "nobody yet"
        raise NotFound(f"no person {username}", hint=f"There is: {known}. POST /sandbox/people makes one.")


def clear(armed: Faults, params: Params) -> Json:
    """Ends one fault, or all."""
    armed.clear(params.integer("id") if "id" in params else None)
    return {"active": [faults.row(rule) for rule in armed.active]}


def known_faults(armed: Faults) -> Json:
    catalog = [
        {"name": fault.name, "title": fault.title, "section": fault.section}
        for fault in faults.CATALOG.values()
    ]
    return {"catalog": catalog, "active": [faults.row(rule) for rule in armed.active]}


async def deauthorize(world: World, params: Params) -> Json:
    """The owner removes the app: its tokens and its subscription end, and the app is told."""
    account = world.account_named(params.text_or_none("account"))
    asked = _callback(account, params, world.app.deauthorize_url)
    world.revoke_tokens(account, 458)
    world.put_account(replace(account, subscribed_fields=()))
    return await privacy.call_back(world.app, asked, world.clock.now(), wants_answer=False)


async def delete_data(world: World, params: Params) -> Json:
    """The owner asks for deletion; the app has to name a page and a code."""
    account = world.account_named(params.text_or_none("account"))
    asked = _callback(account, params, world.app.data_deletion_url)
    return await privacy.call_back(world.app, asked, world.clock.now(), wants_answer=True)


def _callback(account: Account, params: Params, configured_url: str | None) -> privacy.Asked:
    url = params.text_or_none("url") or configured_url
    if url is None:
        raise UsageError("no callback address is configured", hint='Give "url", or POST /sandbox/configure.')
    return privacy.Asked(
        url,
        account,
        secret=params.text_or_none("secret") or "instagram",
        user_id=params.text_or_none("user_id") or "asid",
        expires=params.flag_or("expires", default=True),
    )


def use_flow(world: World, params: Params) -> Json:
    """An ad begins or ends to use a welcome flow."""
    flow_id = params.text("flow_id")
    if flow_id not in world.flows:
        raise NotFound(f"no welcome flow {flow_id}")
    used = params.flag_or("used", default=True)
    world.flows[flow_id] = replace(world.flows[flow_id], used_in_ad=used)
    return {"flow_id": flow_id, "is_used_in_ad": used}


def _address(now: str | None, params: Params, name: str) -> str | None:
    """Left out it stays, empty it goes."""
    given = params.text_or_none(name)
    return now if given is None else given or None


def switch(world: World, deliverer: Deliverer, params: Params) -> Json:
    """Sets the given switches: of deliveries, of behaviour, or of one account."""
    params.refuse_others(*switches.names(Switches), *switches.names(Behaviour), *ACCOUNT_SWITCHES, "account")
    deliveries = switches.changed(deliverer.switches, params)
    behaviour = switches.changed(world.behaviour, params)
    if any(name in params for name in ACCOUNT_SWITCHES):
        account = world.account_named(params.text_or_none("account"))
        world.put_account(_account_switches(account, params))
    deliverer.switches, world.behaviour = deliveries, behaviour
    return state(world, deliverer)


_FLAGS: Final = (
    Described("private_reply_buttons", True, "§4.5", "private replies may carry buttons (reports differ)"),
    Described("human_agent", False, "§1.3", "the Human Agent feature is approved"),
    Described("has_role", True, "§1.3", "the account has an accepted role on the app"),
    Described("message_access", True, "§11", '"Allow access to messages" is on in the Instagram app'),
    Described("public", True, "§3.6", "the profile is public, which comment webhooks need"),
    Described(
        "other_app_owns", False, "§3.8", "another app owns the threads: standby, and sends are refused"
    ),
)
ACCOUNT: Final = (
    *_FLAGS,
    Described("impressions", 1000, "§8", "in the last 24 hours; 4800 times as many calls a day are allowed"),
    Described("scopes", "all", "§1.1", "what the owner granted, as an array"),
)
_ACCOUNT_FLAGS: Final = tuple(one.name for one in _FLAGS)
ACCOUNT_SWITCHES: Final = tuple(one.name for one in ACCOUNT)


def state(world: World, deliverer: Deliverer) -> Json:
    return {
        "app": app_state(world.app),
        "accounts": [account_state(world, account) for account in world.accounts.values()],
        "people": list(world.people),
        "switches": asdict(deliverer.switches) | asdict(world.behaviour),
        "webhooks": {
            "failing_since": None if deliverer.failing_since is None else iso(deliverer.failing_since),
            "alerted": deliverer.alerted,
        },
        "now": iso(world.clock.now()),
    }


def app_state(app: App) -> Json:
    return {
        "app_id": app.app_id,
        "app_secret": app.secret,
        "meta_app_id": app.meta_app_id,
        "meta_app_secret": app.meta_secret,
        "live": app.live,
        "callback_url": app.callback_url,
        "fields": sorted(app.fields),
        "deauthorize_url": app.deauthorize_url,
        "data_deletion_url": app.data_deletion_url,
        "redirect_uris": list(app.redirect_uris),
    }


def account_state(world: World, account: Account) -> Json:
    """`token` is the newest long-lived one that works, None when none does."""
    usable = [token for token in world.tokens_of(account) if _usable(world, token)]
    return {
        "username": account.username,
        "ig_id": account.ig_id,
        "asid": account.asid,
        "token": usable[-1].value if usable else None,
        "token_expires_at": iso(usable[-1].expires_at) if usable else None,
        "app_secret": world.app.secret,
        "scopes": sorted(account.scopes),
        "subscribed_fields": list(account.subscribed_fields),
        "impressions": account.impressions,
    } | {name: getattr(account, name) for name in _ACCOUNT_FLAGS}


def _usable(world: World, token: Token) -> bool:
    alive = token.revoked is None and token.expires_at > world.clock.now()
    return alive and token.kind is TokenKind.LONG


def _account_switches(account: Account, params: Params) -> Account:
    scopes = frozenset(params.names("scopes")) if "scopes" in params else account.scopes
    if not scopes <= set(rules.SCOPES):
        raise UsageError(f"scopes are {', '.join(rules.SCOPES)}")
    impressions = params.integer_or("impressions", account.impressions)
    if impressions < 0:
        raise UsageError("impressions are 0 or more")
    return replace(
        account,
        scopes=scopes,
        impressions=impressions,
        private_reply_buttons=params.flag_or("private_reply_buttons", account.private_reply_buttons),
        human_agent=params.flag_or("human_agent", account.human_agent),
        has_role=params.flag_or("has_role", account.has_role),
        message_access=params.flag_or("message_access", account.message_access),
        public=params.flag_or("public", account.public),
        other_app_owns=params.flag_or("other_app_owns", account.other_app_owns),
    )
