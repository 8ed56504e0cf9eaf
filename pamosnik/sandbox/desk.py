"""The app's dashboard and the switches: what the owner or a test sets up, read from JSON.

Kept apart from `control`, which plays the people.
"""

from dataclasses import asdict, replace

from pamosnik.errors import UsageError
from pamosnik.sandbox import rules
from pamosnik.sandbox.params import Params
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
    params.refuse_others("callback_url", "verify_token", "app_secret", "live", "fields")
    fields = frozenset(params.names("fields")) if "fields" in params else app.fields
    unknown = fields - rules.FIELD_SCOPES.keys()
    if unknown:
        raise UsageError(f"no such webhook fields: {', '.join(sorted(unknown))}")
    given = params.text_or_none("callback_url")
    return replace(
        app,
        callback_url=app.callback_url if given is None else given or None,
        verify_token=params.text_or_none("verify_token") or app.verify_token,
        secret=params.text_or_none("app_secret") or app.secret,
        live=params.flag_or("live", app.live),
        fields=fields,
    )


def switch(world: World, deliverer: Deliverer, params: Params) -> Json:
    """Sets the given switches: of deliveries for the app, the others for one account."""
    params.refuse_others(*_DELIVERY_SWITCHES, *_ACCOUNT_SWITCHES, "scopes", "account")
    deliverer.switches = _delivery_switches(deliverer.switches, params)
    if "scopes" in params or any(name in params for name in _ACCOUNT_SWITCHES):
        account = world.account_named(params.text_or_none("account"))
        world.put_account(_account_switches(account, params))
    return state(world, deliverer)


_DELIVERY_SWITCHES = (
    "duplicates",
    "batch",
    "shuffle",
    "delay_s",
    "echo_first",
    "edit_companions",
    "retry_gaps_s",
)
_ACCOUNT_SWITCHES = ("private_reply_buttons", "human_agent", "has_role", "message_access")


def state(world: World, deliverer: Deliverer) -> Json:
    return {
        "app": app_state(world.app),
        "accounts": [account_state(world, account) for account in world.accounts.values()],
        "people": list(world.people),
        "switches": asdict(deliverer.switches),
    }


def app_state(app: App) -> Json:
    return {
        "app_id": app.app_id,
        "app_secret": app.secret,
        "live": app.live,
        "callback_url": app.callback_url,
        "fields": sorted(app.fields),
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
    } | {name: getattr(account, name) for name in _ACCOUNT_SWITCHES}


def _usable(world: World, token: Token) -> bool:
    alive = token.revoked is None and token.expires_at > world.clock.now()
    return alive and token.kind is TokenKind.LONG


def _delivery_switches(now: Switches, params: Params) -> Switches:
    batch = params.integer_or("batch", now.batch)
    duplicates = params.integer_or("duplicates", now.duplicates)
    gaps = params.numbers("retry_gaps_s") or now.retry_gaps_s
    if not 1 <= batch <= rules.BATCH_MAX or duplicates < 0:
        raise UsageError(f"batch is 1 to {rules.BATCH_MAX}, duplicates 0 or more")
    return Switches(
        duplicates=duplicates,
        batch=batch,
        shuffle=params.flag_or("shuffle", now.shuffle),
        delay_s=params.number("delay_s") if "delay_s" in params else now.delay_s,
        echo_first=params.flag_or("echo_first", now.echo_first),
        edit_companions=params.flag_or("edit_companions", now.edit_companions),
        retry_gaps_s=gaps,
    )


def _account_switches(account: Account, params: Params) -> Account:
    scopes = frozenset(params.names("scopes")) if "scopes" in params else account.scopes
    if not scopes <= set(rules.SCOPES):
        raise UsageError(f"scopes are {', '.join(rules.SCOPES)}")
    return replace(
        account,
        scopes=scopes,
        private_reply_buttons=params.flag_or("private_reply_buttons", account.private_reply_buttons),
        human_agent=params.flag_or("human_agent", account.human_agent),
        has_role=params.flag_or("has_role", account.has_role),
        message_access=params.flag_or("message_access", account.message_access),
    )
