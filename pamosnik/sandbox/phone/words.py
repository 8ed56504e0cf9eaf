"""The switches and faults of the sandbox in words for the page, and which of them are on."""

from collections.abc import Iterator
from typing import Final

from pamosnik.sandbox import desk, rules
from pamosnik.sandbox.behaviour import Behaviour
from pamosnik.sandbox.deliveries import Switches
from pamosnik.sandbox.faults import CATALOG, Fault, Way
from pamosnik.sandbox.graph import Graph
from pamosnik.sandbox.switches import described
from pamosnik.sandbox.things import Account, Json
from pamosnik.sandbox.webhooks import Deliverer
from pamosnik.sandbox.world import World

_LOGIN: Final = (102, 190)
_TROUBLE: Final = (1, 2)
_PERMISSION: Final = (3, 10, 200, 368, 2022, 36103)
_PERSON: Final = (230, 551, 9010)
_PERSON_SUBCODES: Final = (1545041, 2018001, 2018108, 2534014)
_WINDOW_SUBCODES: Final = (2018065, 2018278, 2534022)


def words() -> Json:
    """What every switch does and what every fault is, by name."""
    switches = (*described(Switches), *described(Behaviour), *desk.ACCOUNT)
    return {
        "switches": {
            one.name: {"says": one.says, "section": one.section, "choices": list(one.choices)}
            for one in switches
        },
        "faults": {
            fault.name: {"group": group(fault), "code": fault.code or None, "subcode": fault.subcode}
            for fault in CATALOG.values()
        },
    }


def group(fault: Fault) -> str:
    """What a fault means for who calls."""
    if fault.throttles or fault.way is Way.USAGE or fault.code == 9:
        return "Limits"
    if fault.delivered:
        return "The message arrives, the answer is wrong, late or missing"
    if fault.code in _TROUBLE or (fault.code == 0 and fault.way is not Way.REFUSED):
        return "Nothing is done, and it is not your message’s fault"
    if fault.code in _LOGIN:
        return "Login"
    if fault.subcode in _WINDOW_SUBCODES:
        return "Outside the 24-hour window"
    if fault.code in _PERSON or fault.subcode in _PERSON_SUBCODES:
        return "The person cannot be reached"
    if fault.code in _PERMISSION or fault.name == "no_role_100":
        return "Permissions and restrictions"
    return "Refused for good"


def turned(world: World, deliverer: Deliverer, graph: Graph, account: Account) -> list[Json]:
    """The switches that are not as they begin: `{"name", "value"}`; armed faults are the name `faults`."""
    return list(_turned(world, deliverer, graph, account))


def _turned(world: World, deliverer: Deliverer, graph: Graph, account: Account) -> Iterator[Json]:
    if world.app.callback_url is not None and not world.app.live:
        yield {"name": "live", "value": False}
    now: dict[str, object] = {one.name: getattr(account, one.name) for one in desk.ACCOUNT}
    now["scopes"] = "all" if account.scopes == frozenset(rules.SCOPES) else "some"
    for one in (*described(Switches), *described(Behaviour)):
        where = deliverer.switches if hasattr(deliverer.switches, one.name) else world.behaviour
        now[one.name] = getattr(where, one.name)
    for one in (*desk.ACCOUNT, *described(Switches), *described(Behaviour)):
        if now[one.name] != one.default:
            yield {"name": one.name, "value": now[one.name]}
    if graph.faults.active:
        yield {"name": "faults", "value": len(graph.faults.active)}
