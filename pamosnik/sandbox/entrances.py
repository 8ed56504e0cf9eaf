"""The doors into a conversation beside writing: ice breakers, the persistent menu, ig.me links, opt-ins; and
the other app that may hold the door. Like `people`, every action tells its webhook.
"""

import re
from dataclasses import replace

from pamosnik.errors import NotFound, UsageError
from pamosnik.sandbox import items, rules
from pamosnik.sandbox.people import Tapped, arrival, write
from pamosnik.sandbox.things import Account, Button, ButtonKind, Content, Json, Message, Person, Referral
from pamosnik.sandbox.world import World

_LOCALE = "default"


def tap_ice_breaker(world: World, account: Account, person: Person, question: str) -> Message:
    for one in account.ice_breakers:
        for known in one.questions:
            if known.question == question:
                return _postback(
                    world, account, person, question, known.payload, with_mid=world.behaviour.ice_breaker_mid
                )
    raise NotFound(f"{account.username} has no ice breaker {question!r}")


def tap_menu(world: World, account: Account, person: Person, title: str) -> Tapped:
    for button in menu_items(account):
        if button.title == title:
            if button.kind is ButtonKind.URL:
                return Tapped(None, button.value)
            return Tapped(_postback(world, account, person, title, button.value, always=True), None)
    raise NotFound(f"the menu of {account.username} has no {title!r}")


def menu_items(account: Account) -> tuple[Button, ...]:
    """What a person of no particular language sees."""
    by_locale = {menu.locale: menu.items for menu in account.menus}
    return by_locale.get(_LOCALE) or next(iter(by_locale.values()), ())


def questions(account: Account) -> tuple[str, ...]:
    """Ice breakers, as a person of no particular language sees them in an empty conversation."""
    by_locale = {one.locale: one.questions for one in account.ice_breakers}
    shown = by_locale.get(_LOCALE) or next(iter(by_locale.values()), ())
    return tuple(one.question for one in shown)


def open_link(world: World, account: Account, person: Person, ref: str | None) -> Json:
    """`https://ig.me/m/<username>?ref=…`: told at once in a conversation that exists, else with its first act."""
    if ref is not None and world.behaviour.link_ref_rules:
        _check_ref(ref)
    if world.behaviour.link_needs_ice_breakers and not account.ice_breakers:
        raise UsageError(f"{account.username} has no ice breakers, which a link asks for")
    came = Referral("SHORTLINKS", ref=ref)
    igsid = world.igsid(account, person)
    thread = world.thread_with(account, igsid)
    if thread is None:
        world.arrivals[igsid] = came
        return {"told": False}
    now = world.clock.now()
    if world.behaviour.referral_opens_window:
        world.put_thread(replace(thread, opened_at=now))
    world.tell(account, "messaging_referral", items.referral(account, igsid, came, now))
    return {"told": True}


def opt_in(world: World, account: Account, person: Person, title: str, payload: str) -> None:
    igsid = world.igsid(account, person)
    world.tell(account, "messaging_optins", items.optin(account, igsid, title, payload, world.clock.now()))


def hand_over(world: World, account: Account, person: Person, kind: str) -> None:
    """`pass`: to the app; `take`: away from it; `request`: another app asks for the thread."""
    ours, other = world.app.app_id, "999"
    bodies: dict[str, Json] = {
        "pass": {"previous_owner_app_id": other, "new_owner_app_id": ours, "metadata": ""},
        "take": {"previous_owner_app_id": ours, "new_owner_app_id": other, "metadata": ""},
        "request": {"requested_owner_app_id": other, "metadata": ""},
    }
    if kind not in bodies:
        raise UsageError(f"kind is one of {', '.join(bodies)}")
    if kind != "request":
        account = replace(account, other_app_owns=kind == "take")
        world.put_account(account)
    igsid, now = world.igsid(account, person), world.clock.now()
    world.tell(account, "messaging_handover", items.handover(account, igsid, kind, bodies[kind], now))


def _postback(
    world: World,
    account: Account,
    person: Person,
    title: str,
    payload: str,
    *,
    with_mid: bool = True,
    always: bool = False,
) -> Message:
    """`always`: the tap opens the window whatever the switch for taps says."""
    came = arrival(world, account, person)
    opens = always or world.behaviour.taps_open_window
    written = write(world, account, person, Content(text=title), opens=opens)
    tapped = world.put_message(replace(written, payload=payload, referral=came))
    igsid = world.igsid(account, person)
    told = items.postback(account, igsid, tapped, with_mid=with_mid)
    world.tell(account, "messaging_postbacks", told)
    return tapped


def _check_ref(ref: str) -> None:
    if not re.fullmatch(rules.REF_ALPHABET, ref) or len(ref) > rules.REF_CHARACTERS:
        raise UsageError(f"a ref has at most {rules.REF_CHARACTERS} characters of {rules.REF_ALPHABET}")
