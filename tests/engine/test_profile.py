"""Facts that Instagram tells of people: three-valued, with an age, and asked for only where they decide."""

from dataclasses import replace
from datetime import timedelta

import pytest

from pamosnik.engine import profile
from pamosnik.engine.conditions import describe, holds
from pamosnik.engine.decide import decide
from pamosnik.model.book import Settings
from pamosnik.model.condition import (
    AllOf,
    AnyOf,
    CameFrom,
    Condition,
    Followers,
    FollowsMe,
    HasTag,
    Known,
    NoneOf,
    Verified,
)
from pamosnik.model.contact import Contact
from pamosnik.model.decision import (
    Decision,
    EffectSettled,
    Facts,
    RunErrand,
    SendMessage,
    Started,
    Stimulus,
    TimerFired,
)
from pamosnik.model.outbox import ItemKind, ItemStatus
from pamosnik.model.run import Run
from tests.engine import shop
from tests.engine.shop import NOW

FOLLOWS = FollowsMe(Known.TRUE)
CHOOSES = """
      - choose:
          - if: { has_tag: vip }
            do: [{ send: "vip" }]
          - if: { follows_me: true, window_open: true }
            do: [{ send: "follows" }]
          - if: { follows_me: unknown }
            do: [{ send: "unknown" }]
          - else: [{ send: "stranger" }]
"""


def _contact(**known: object) -> Contact:
    return replace(shop.anna(), first_message_at=NOW, **known)  # type: ignore[arg-type]


def _holds(condition: Condition, contact: Contact, *, asked: bool = True) -> bool | None:
    facts = Facts(contact, Settings(), "UTC", "rose.shop", profile_asked=asked)
    return holds(condition, facts, text=None, came_from=CameFrom.DM, now=NOW)


@pytest.mark.parametrize(
    ("condition", "known", "unknown"),
    [
        (FOLLOWS, True, None),
        (FollowsMe(Known.FALSE), False, None),
        (FollowsMe(Known.UNKNOWN), False, True),
        (Verified(Known.FALSE), True, None),
        (Followers(more_than=99), True, None),
        (Followers(more_than=100), False, None),
        (Followers(more_than=99, less_than=101), True, None),
        (Followers(less_than=100), False, None),
        (Followers(), False, True),
        (NoneOf((FOLLOWS,)), False, None),
        (NoneOf((Verified(Known.TRUE),)), True, None),
        (AnyOf((FOLLOWS, HasTag("x"))), True, None),
        (AllOf((FOLLOWS, HasTag("x"))), False, False),
    ],
)
def test_what_is_not_known_satisfies_only_unknown(
    condition: Condition, known: bool | None, unknown: bool | None
) -> None:
    told = _contact(follows_me=True, verified=False, followers=100)
    assert _holds(condition, told) is known
    assert _holds(condition, _contact()) is unknown
    # While Instagram could still tell, not even that it is unknown is known.
    assert _holds(condition, _contact(), asked=False) in (None, False)


def test_how_conditions_read() -> None:
    assert [describe(one) for one in (FOLLOWS, Verified(Known.UNKNOWN), Followers(10, 20), Followers())] == [
        "follows_me: true",
        "verified: unknown",
        "followers: more_than 10, less_than 20",
        "followers: unknown",
    ]


@pytest.mark.parametrize(
    ("contact", "may"),
    [
        (shop.anna(), False),
        (_contact(), True),
        (_contact(opted_out_at=NOW), False),
        (_contact(look_up_again_at=NOW + timedelta(seconds=1)), False),
        (_contact(look_up_again_at=NOW), True),
    ],
)
def test_who_may_be_asked_for(contact: Contact, may: bool) -> None:
    assert profile.may_ask(contact, NOW) is may


def test_facts_are_old_after_seconds_and_names_after_a_day() -> None:
    told = _contact(follows_me=True, looked_up_at=NOW - timedelta(seconds=2))
    facts = Facts(told, Settings(), "UTC", "rose.shop")
    assert profile.settled(facts, NOW).contact.follows_me is True
    later = profile.settled(facts, NOW + timedelta(seconds=2))
    assert (later.contact.follows_me, later.profile_asked) == (None, False)
    assert not profile.wanted_for("name", told, NOW + timedelta(hours=23))
    assert profile.wanted_for("first_name", told, NOW + timedelta(hours=24))
    assert not profile.wanted_for("username", told, NOW + timedelta(hours=24))


# --- runs ------------------------------------------------------------------------------------------------


def _go(lines: str, contact: Contact, *, comment: bool = False) -> Decision:
    made, flow = shop.steps(lines.strip("\n"))
    return decide(flow, shop.run(flow, comment=comment), Started(), shop.facts(made, contact), NOW)


def _back(lines: str, run: Run, contact: Contact, stimulus: Stimulus) -> Decision:
    made, flow = shop.steps(lines.strip("\n"))
    return decide(flow, run, stimulus, shop.facts(made, contact), NOW)


def _texts(decision: Decision) -> list[str | None]:
    return [effect.content.text for effect in decision.effects if isinstance(effect, SendMessage)]


def _asks(decision: Decision) -> bool:
    return any(
        isinstance(effect, RunErrand) and effect.kind is ItemKind.LOOKUP for effect in decision.effects
    )


def _settled(decision: Decision, status: ItemStatus) -> EffectSettled:
    (wait,) = decision.run.waits
    return EffectSettled("i1", wait.path, False, status, "why", wait.id, kind=ItemKind.LOOKUP)


def test_a_run_waits_for_the_profile_and_goes_on_with_what_came() -> None:
    asks = _go(CHOOSES, _contact())
    assert (_asks(asks), _texts(asks)) == (True, [])
    (wait,) = asks.run.waits
    assert wait.due_at == NOW + timedelta(seconds=5)
    for follows, text in ((True, "follows"), (False, "stranger"), (None, "unknown")):
        told = _contact(follows_me=follows, looked_up_at=NOW)
        assert _texts(_back(CHOOSES, asks.run, told, _settled(asks, ItemStatus.SENT))) == [text]


def test_what_does_not_come_is_unknown_even_if_something_old_is_known() -> None:
    asks = _go(CHOOSES, _contact())
    old = _contact(follows_me=True, looked_up_at=NOW - timedelta(hours=1))
    for status in (ItemStatus.FAILED, ItemStatus.CANCELLED):
        after = _back(CHOOSES, asks.run, old, _settled(asks, status))
        assert (_texts(after), _asks(after)) == (["unknown"], False)


def test_nobody_is_asked_for_what_is_decided_otherwise() -> None:
    vip = _contact(tags=frozenset({"vip"}))
    assert (_texts(_go(CHOOSES, vip)), _asks(_go(CHOOSES, vip))) == (["vip"], False)
    just_told = _contact(follows_me=False, looked_up_at=NOW)
    assert (_texts(_go(CHOOSES, just_told)), _asks(_go(CHOOSES, just_told))) == (["stranger"], False)
    assert _texts(_go(CHOOSES, shop.anna())) == ["unknown"]


def test_who_has_only_commented_is_not_asked_for() -> None:
    commented = _go(CHOOSES, shop.anna(window=False), comment=True)
    assert (_texts(commented), _asks(commented)) == (["unknown"], False)


@pytest.mark.parametrize(
    ("step", "asks"),
    [
        ("- send: 'Hi {first_name|there}'", True),
        ("- send: 'Hi {username|there}'", False),
        ("- send: { text: a, buttons: [{ label: '{name|you}', url: 'https://x.example' }] }", True),
        ("- ask: 'And you, {name|?}'", True),
        ("- send: 'Hi {text|there}'", False),
        ("- hand_over: '{name|somebody} calls'", True),
        ("- tag: name", False),
    ],
)
def test_texts_with_a_name_ask_for_it(step: str, asks: bool) -> None:
    assert _asks(_go(f"      {step}", _contact())) is asks
    assert not _asks(_go(f"      {step}", _contact(looked_up_at=NOW - timedelta(hours=1))))


def test_an_old_timer_without_an_errand_goes_on() -> None:
    asks = _go(CHOOSES, _contact())
    (wait,) = asks.run.waits
    late = _back(
        CHOOSES, asks.run, replace(_contact(), look_up_again_at=NOW + timedelta(hours=1)), TimerFired(wait.id)
    )
    assert _texts(late) == ["unknown"]
