"""Ice breakers and the persistent menu (`/{ig_id}/messenger_profile`), and the welcome flows of ads."""

import json
from dataclasses import replace

from pamosnik.sandbox import business, rules
from pamosnik.sandbox.content import read_button, read_content
from pamosnik.sandbox.errors import bad_parameter
from pamosnik.sandbox.params import Params
from pamosnik.sandbox.things import (
    Account,
    Button,
    ButtonKind,
    IceBreaker,
    IceBreakers,
    Json,
    Menu,
    WelcomeFlow,
)
from pamosnik.sandbox.world import World

_FIELDS = ("ice_breakers", "persistent_menu")


def write_profile(world: World, account: Account, params: Params) -> None:
    """Replaces what is named, all its locales at once."""
    if params.text_or_none("platform") != "instagram":
        raise bad_parameter("Param platform must be instagram.")
    if not any(name in params for name in _FIELDS):
        raise bad_parameter(f"One of {', '.join(_FIELDS)} is required.")
    changed = account
    if "ice_breakers" in params:
        lists = tuple(_read_ice_breakers(one) for one in params.groups("ice_breakers"))
        changed = replace(changed, ice_breakers=lists)
    if "persistent_menu" in params:
        ways = world.behaviour
        menus = tuple(
            Menu(
                one.text_or_none("locale") or "default",
                tuple(read_button(item, ways) for item in one.groups("call_to_actions")),
            )
            for one in params.groups("persistent_menu")
        )
        changed = replace(changed, menus=menus)
    world.put_account(changed)


def read_profile(account: Account, params: Params) -> Json:
    """One field asked for: its list of locales; several: an object with both."""
    wanted = _wanted(params.names("fields")) or _FIELDS
    known: dict[str, list[Json]] = {
        "ice_breakers": [_ice_breakers(one) for one in account.ice_breakers],
        "persistent_menu": [_menu(one) for one in account.menus],
    }
    if len(wanted) == 1:
        return {"data": known[wanted[0]]}
    present = {name: known[name] for name in wanted if known[name]}
    return {"data": [present] if present else []}


def delete_profile(world: World, account: Account, params: Params) -> None:
    wanted = _wanted(params.names("fields"))
    if not wanted:
        raise bad_parameter("The parameter fields is required.")
    if "ice_breakers" in wanted:
        account = replace(account, ice_breakers=())
    if "persistent_menu" in wanted:
        account = replace(account, menus=())
    world.put_account(account)


def write_flow(world: World, account: Account, params: Params) -> Json:
    """A new flow, or with `flow_id` a change of one."""
    if "flow_id" in params:
        flow = business.own_flow(world, account, params.text("flow_id"), unused=True)
    else:
        flow = WelcomeFlow(str(5600000000000 + world.number()), account.ig_id, "", "")
    name = params.text("name") if "name" in params or not flow.name else flow.name
    body = flow.body
    if "welcome_message_flow" in params or not body:
        body = _read_flow_body(world, params)
    platforms = params.names("eligible_platforms") or flow.platforms
    if platforms != ("instagram",):
        raise bad_parameter('Param eligible_platforms must be ["instagram"].')
    business.put_flow(world, account, replace(flow, name=name, body=body, platforms=platforms))
    return {"flow_id": flow.id}


def read_flows(world: World, account: Account, params: Params) -> Json:
    """All flows of the account, or the one of `flow_id`."""
    if "flow_id" in params:
        return {"data": [_flow(business.own_flow(world, account, params.text("flow_id")))]}
    limit = params.integer_or("limit", rules.PAGE_SIZE)
    own = [flow for flow in world.flows.values() if flow.ig_id == account.ig_id]
    return {"data": [_flow(flow) for flow in own[:limit]]}


def _wanted(names: tuple[str, ...]) -> tuple[str, ...]:
    for place, name in enumerate(names):
        if name not in _FIELDS:
            raise bad_parameter(f"Param fields[{place}] must be one of {{{', '.join(_FIELDS)}}}")
    return names


def _read_ice_breakers(given: Params) -> IceBreakers:
    asked = given.groups("call_to_actions")
    if not 1 <= len(asked) <= rules.ICE_BREAKERS:
        raise bad_parameter(f"Ice breakers have 1 to {rules.ICE_BREAKERS} questions per locale.")
    questions = tuple(IceBreaker(one.text("question"), one.text("payload")) for one in asked)
    return IceBreakers(given.text_or_none("locale") or "default", questions)


def _read_flow_body(world: World, params: Params) -> str:
    """Messages like those of the Send API."""
    messages = params.groups("welcome_message_flow")
    if not messages:
        raise bad_parameter("Param welcome_message_flow must have at least one message.")
    for one in messages:
        read_content(one.group("message"), world.behaviour)
    return json.dumps([one.raw for one in messages], ensure_ascii=False)


def _ice_breakers(one: IceBreakers) -> Json:
    asked = [{"question": known.question, "payload": known.payload} for known in one.questions]
    return {"call_to_actions": asked, "locale": one.locale}


def _menu(menu: Menu) -> Json:
    return {"locale": menu.locale, "call_to_actions": [_item(item) for item in menu.items]}


def _item(item: Button) -> Json:
    key = "url" if item.kind is ButtonKind.URL else "payload"
    return {"type": item.kind.value, "title": item.title, key: item.value}


def _flow(flow: WelcomeFlow) -> Json:
    return {
        "flow_id": flow.id,
        "name": flow.name,
        "welcome_message_flow": json.loads(flow.body),
        "eligible_platforms": list(flow.platforms),
        "is_used_in_ad": flow.used_in_ad,
    }
