"""Login and tokens: the four addresses without a version, and the check every Graph call begins with.

https://developers.facebook.com/docs/instagram-platform/instagram-api-with-instagram-login/business-login
as of October 2026. The code of a refresh that comes too early (100) is an assumption. The owner consents at
once; `deny=true` and `account=<username>` on the authorize address are the sandbox's own.
"""

import secrets
from urllib.parse import urlencode

from pamosnik.sandbox import errors, rules
from pamosnik.sandbox.errors import LoginError
from pamosnik.sandbox.params import Params
from pamosnik.sandbox.things import Account, Json, LoginCode, Token, TokenKind
from pamosnik.sandbox.world import World


def authorize(world: World, params: Params) -> str:
    """The address the browser is sent back to, with a code or the denial."""
    redirect_uri = params.text("redirect_uri")
    if params.text("client_id") != world.app.app_id:
        raise errors.bad_parameter("Invalid platform app")
    if params.text("response_type") != "code":
        raise errors.bad_parameter("Param response_type must be code.")
    if world.app.redirect_uris and redirect_uri not in world.app.redirect_uris:
        raise errors.bad_parameter("Invalid redirect_uri")
    unknown = [scope for scope in params.names("scope") if scope not in rules.SCOPES]
    if unknown:
        raise errors.bad_parameter(f"Invalid scope: {', '.join(unknown)}")
    answer = _denial() if params.flag_or("deny", default=False) else {"code": _new_code(world, params).value}
    if "state" in params:
        answer["state"] = params.text("state")
    joint = "&" if "?" in redirect_uri else "?"
    return f"{redirect_uri}{joint}{urlencode(answer)}#_"


def exchange_code(world: World, params: Params) -> Json:
    """Code → short token. A code works once, for the client and address it was given to; a refusal leaves it."""
    if params.text("client_id") != world.app.app_id or params.text("client_secret") != world.app.secret:
        raise LoginError("Error validating client secret")
    if params.text("grant_type") != "authorization_code":
        raise LoginError("Invalid grant_type")
    code = world.codes.get(params.text("code"))
    if code is None or code.expires_at <= world.clock.now():
        raise LoginError("Matching code was not found or was already used")
    if code.redirect_uri != params.text("redirect_uri"):
        raise LoginError("Error validating verification code. The redirect_uri is not the one of the request")
    del world.codes[code.value]
    account = world.accounts[code.ig_id]
    token = world.issue_token(account, TokenKind.SHORT, code.scopes)
    granted = [scope for scope in rules.SCOPES if scope in token.scopes]
    if world.behaviour.flat_code_exchange:
        return {"access_token": token.value, "user_id": int(account.asid), "permissions": granted}
    told: Json = {"access_token": token.value, "user_id": account.asid, "permissions": ",".join(granted)}
    return {"data": [told]}


def exchange_short(world: World, params: Params) -> Json:
    """Short token → long token."""
    if params.text("grant_type") != "ig_exchange_token":
        raise errors.bad_parameter("Param grant_type must be ig_exchange_token.")
    if params.text("client_secret") != world.app.secret:
        raise errors.bad_parameter("Error validating client secret.")
    token = valid_token(world, params.text("access_token"))
    if token.kind is not TokenKind.SHORT:
        raise errors.token_invalid(467, "Session key invalid")
    return _long_token(world, token)


def refresh(world: World, params: Params) -> Json:
    """A long token of at least a day → a new one. The old one keeps working until it expires."""
    if params.text("grant_type") != "ig_refresh_token":
        raise errors.bad_parameter("Param grant_type must be ig_refresh_token.")
    token = valid_token(world, params.text("access_token"))
    if token.kind is not TokenKind.LONG:
        raise errors.bad_parameter("Only long-lived tokens can be refreshed.")
    if rules.SCOPE_BASIC not in token.scopes:
        raise errors.scope_missing(rules.SCOPE_BASIC)
    if world.clock.now() - token.issued_at < rules.REFRESH_MIN_AGE:
        raise errors.bad_parameter("The token is younger than 24 hours.")
    return _long_token(world, token)


def valid_token(world: World, value: str) -> Token:
    token = world.tokens.get(value)
    if token is None:
        raise errors.token_invalid(None, "Invalid OAuth access token - Cannot parse access token")
    if token.revoked is not None:
        raise errors.token_invalid(
            token.revoked, "Error validating access token: the session was invalidated."
        )
    if token.expires_at <= world.clock.now():
        raise errors.token_invalid(463, "Error validating access token: Session has expired.")
    return token


def _new_code(world: World, params: Params) -> LoginCode:
    account = world.account_named(params.text_or_none("account"))
    code = LoginCode(
        value="AQ" + secrets.token_urlsafe(60),
        ig_id=account.ig_id,
        client_id=world.app.app_id,
        redirect_uri=params.text("redirect_uri"),
        scopes=_granted(account, params),
        expires_at=world.clock.now() + rules.CODE_LIFE,
    )
    world.codes[code.value] = code
    return code


def _granted(account: Account, params: Params) -> frozenset[str]:
    """What was asked for and the owner ticks; account.scopes says what is ticked."""
    return account.scopes & frozenset(params.names("scope"))


def _denial() -> dict[str, str]:
    return {
        "error": "access_denied",
        "error_reason": "user_denied",
        "error_description": "The user denied your request",
    }


def _long_token(world: World, token: Token) -> Json:
    fresh = world.issue_token(world.accounts[token.ig_id], TokenKind.LONG, token.scopes)
    life = int((fresh.expires_at - fresh.issued_at).total_seconds())
    return {"access_token": fresh.value, "token_type": "bearer", "expires_in": life}
