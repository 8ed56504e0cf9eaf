"""The app's own webhook subscription by API: `/{meta app id}/subscriptions`, with an app access token.

https://developers.facebook.com/docs/graph-api/reference/app/subscriptions/ ; the code of a failed handshake is
not documented and 100 here.
"""

from dataclasses import replace

from pamosnik.sandbox import errors, rules
from pamosnik.sandbox.params import Params
from pamosnik.sandbox.things import App, Json
from pamosnik.sandbox.webhooks import Deliverer, HandshakeFailed
from pamosnik.sandbox.world import World


def is_app_token(value: str) -> bool:
    return "|" in value


def check_token(app: App, value: str) -> None:
    """Only the Meta app's own pair is an app token; the Instagram pair is not."""
    if value != f"{app.meta_app_id}|{app.meta_secret}":
        raise errors.token_invalid(None, "Invalid OAuth access token signature.")


async def answer(world: World, deliverer: Deliverer, method: str, params: Params) -> Json:
    if not world.behaviour.app_subscriptions:
        raise errors.no_role(method)
    match method:
        case "POST":
            await _subscribe(world, deliverer, params)
            return {"success": True}
        case "DELETE":
            _check_object(params)
            fields = params.names("fields")
            left = world.app.fields - set(fields) if fields else frozenset()
            kept = world.app.callback_url if left else None
            world.app = replace(world.app, fields=frozenset(left), callback_url=kept)
            return {"success": True}
        case _:
            return {"data": [_subscription(world.app)] if world.app.callback_url else []}


async def _subscribe(world: World, deliverer: Deliverer, params: Params) -> None:
    _check_object(params)
    fields = params.names("fields")
    if not fields:
        raise errors.bad_parameter("The parameter fields is required.")
    check_fields(fields, "fields")
    url, verify_token = params.text("callback_url"), params.text("verify_token")
    wanted = replace(world.app, callback_url=url, verify_token=verify_token, fields=frozenset(fields))
    try:
        await deliverer.configure(wanted)
    except HandshakeFailed as problem:
        raise errors.bad_parameter(f"Callback verification failed: {problem.message}") from problem


def check_fields(wanted: tuple[str, ...], parameter: str) -> None:
    for place, name in enumerate(wanted):
        if name not in rules.FIELD_SCOPES:
            known = ", ".join(rules.FIELD_SCOPES)
            raise errors.bad_parameter(f"Param {parameter}[{place}] must be one of {{{known}}}")


def _check_object(params: Params) -> None:
    if params.text("object") != rules.WEBHOOK_OBJECT:
        raise errors.bad_parameter(f"Param object must be {rules.WEBHOOK_OBJECT}.")


def _subscription(app: App) -> Json:
    version = f"v{rules.NEWEST_VERSION}.0"
    return {
        "object": rules.WEBHOOK_OBJECT,
        "callback_url": app.callback_url,
        "active": True,
        "fields": [{"name": name, "version": version} for name in sorted(app.fields)],
    }
