"""May it leave now, and what does an answer mean for it?"""

from dataclasses import replace
from datetime import timedelta

import pytest

from pamosnik.model.contact import PausedBy
from pamosnik.model.outbox import (
    Action,
    ItemKind,
    ItemStatus,
    OutboxItem,
    OutButton,
    Outcome,
    OutcomeKind,
    OutMessage,
)
from pamosnik.outbox.pacing import backoff
from pamosnik.outbox.policy import (
    Done,
    GiveUp,
    Hold,
    NeedsOwner,
    Permit,
    Refuse,
    Retry,
    Settle,
    after,
    permit,
)
from tests.outbox.items import NOW, anna, item

_SECOND = timedelta(seconds=1)
_HOUR = timedelta(hours=1)
_PLAIN_KINDS = (ItemKind.PRIVATE_REPLY, ItemKind.COMMENT_REPLY)


def _refused(found: Permit | Hold | Refuse) -> ItemStatus | None:
    return found.status if isinstance(found, Refuse) else None


# --- may it leave ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [ItemKind.MESSAGE, *_PLAIN_KINDS])
def test_an_ordinary_item_may_leave(kind: ItemKind) -> None:
    assert permit(item(kind), anna(), NOW) == Permit()


@pytest.mark.parametrize(
    ("kind", "word"),
    [
        (ItemKind.MESSAGE, "nobody answered"),
        (ItemKind.PRIVATE_REPLY, "7 days"),
        (ItemKind.COMMENT_REPLY, "too late"),
    ],
)
def test_a_deadline_is_the_first_instant_that_is_too_late(kind: ItemKind, word: str) -> None:
    late = replace(item(kind), deadline=NOW)
    found = permit(late, anna(), NOW)
    assert isinstance(found, Refuse)
    assert found.status is ItemStatus.EXPIRED
    assert word in found.reason
    assert permit(late, anna(), NOW - _SECOND) == Permit()
    assert permit(replace(late, deadline=None), anna(), NOW) == Permit()


def test_only_messages_need_an_open_window() -> None:
    closed = replace(anna(), window_open_until=NOW)
    assert _refused(permit(item(), closed, NOW)) is ItemStatus.EXPIRED
    assert _refused(permit(item(), replace(closed, window_open_until=None), NOW)) is ItemStatus.EXPIRED
    assert [permit(item(kind), closed, NOW) for kind in _PLAIN_KINDS] == [Permit(), Permit()]
    assert permit(item(), closed, NOW - _SECOND) == Permit()


@pytest.mark.parametrize("kind", [ItemKind.MESSAGE, *_PLAIN_KINDS])
def test_nothing_of_a_flow_goes_to_somebody_who_opted_out(kind: ItemKind) -> None:
    gone = replace(anna(), opted_out_at=NOW - _HOUR)
    assert _refused(permit(item(kind), gone, NOW)) is ItemStatus.CANCELLED
    assert permit(replace(item(kind), flow_id=None), gone, NOW) == Permit()


def test_somebody_who_cannot_receive_messages_can_be_answered_in_public() -> None:
    away = replace(anna(), unreachable_since=NOW - _HOUR)
    assert _refused(permit(item(), away, NOW)) is ItemStatus.FAILED
    assert _refused(permit(item(ItemKind.PRIVATE_REPLY), away, NOW)) is ItemStatus.FAILED
    assert permit(item(ItemKind.COMMENT_REPLY), away, NOW) == Permit()


def test_while_the_owner_writes_the_flows_are_silent() -> None:
    paused = replace(anna(), paused_until=NOW + _HOUR, paused_by=PausedBy.OWNER)
    found = permit(item(), paused, NOW)
    assert isinstance(found, Hold)
    assert found.until == NOW + _HOUR
    assert permit(replace(item(), flow_id=None), paused, NOW) == Permit()
    assert permit(item(), replace(paused, paused_until=NOW), NOW) == Permit()
    assert permit(item(), replace(paused, paused_by=PausedBy.HAND_OVER), NOW) == Permit()


# --- what an answer means --------------------------------------------------------------------------------


def _outcome(kind: OutcomeKind, **known: int | float) -> Outcome:
    return replace(Outcome(kind, "why"), **known)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (OutcomeKind.SENT, Done()),
        (OutcomeKind.NOT_SENT, Retry(NOW + backoff(1, "i1"), "why")),
        (OutcomeKind.RETRY, Retry(NOW + backoff(1, "i1"), "why")),
        (OutcomeKind.UNKNOWN, Settle("why")),
        (OutcomeKind.PERMANENT, GiveUp("why")),
        (OutcomeKind.LOGIN, NeedsOwner("why", login=True)),
        (OutcomeKind.CONFIGURATION, NeedsOwner("why", login=False)),
    ],
)
def test_each_outcome_has_its_consequence(kind: OutcomeKind, expected: object) -> None:
    assert after(_outcome(kind), item(), NOW) == expected


def test_a_limit_puts_the_item_off_as_long_as_meta_says() -> None:
    outcome = _outcome(OutcomeKind.BACK_OFF, pause_s=300.0)
    assert after(outcome, item(), NOW) == Retry(NOW + timedelta(minutes=5), "why")


def test_what_never_left_is_tried_again_however_often() -> None:
    often = replace(item(), attempts=50)
    found = after(_outcome(OutcomeKind.NOT_SENT), often, NOW)
    assert isinstance(found, Retry)
    assert NOW + timedelta(minutes=15) <= found.at <= NOW + timedelta(minutes=19)


def test_a_picture_is_fetched_twice() -> None:
    assert after(_outcome(OutcomeKind.RETRY), replace(item(), attempts=2), NOW) == GiveUp("why")


@pytest.mark.parametrize("subcode", [None, 2534015])
def test_refused_buttons_go_out_as_text_once(subcode: int | None) -> None:
    outcome = replace(_outcome(OutcomeKind.PERMANENT, code=100), subcode=subcode)
    content = OutMessage("Hi", buttons=(OutButton("Go", payload="p"),), spelled_out="Hi\nReply: Go")
    private = replace(item(ItemKind.PRIVATE_REPLY), content=content)
    found = after(outcome, private, NOW)
    assert isinstance(found, Retry)
    assert (found.at, found.plain) == (NOW, True)
    assert after(outcome, replace(private, plain=True), NOW) == GiveUp("why")
    assert after(outcome, replace(private, kind=ItemKind.MESSAGE), NOW) == GiveUp("why")
    assert after(outcome, item(ItemKind.PRIVATE_REPLY), NOW) == GiveUp("why")


def test_already_answered_means_delivered_when_an_earlier_attempt_may_have_been() -> None:
    outcome = _outcome(OutcomeKind.PERMANENT, code=100, subcode=2534025)
    private = item(ItemKind.PRIVATE_REPLY)
    assert after(outcome, private, NOW) == GiveUp("why")
    assert isinstance(after(outcome, replace(private, uncertain=True), NOW), Done)
    assert after(outcome, replace(item(), uncertain=True), NOW) == GiveUp("why")
    live = after(outcome, replace(private, live=True), NOW)
    assert isinstance(live, GiveUp)
    assert live.reason.startswith("the broadcast is over")


def test_a_live_comment_is_answered_while_a_broadcast_can_last() -> None:
    late = replace(item(ItemKind.PRIVATE_REPLY), deadline=NOW, live=True)
    assert permit(late, anna(), NOW) == Refuse(ItemStatus.EXPIRED, "the broadcast is over")


# --- reactions, and what is done to comments --------------------------------------------------------------


def _action(action: Action, **known: object) -> OutboxItem:
    task = {"action": action.value, "message": "m1", "emoji": "❤️"}
    return replace(item(action.kind), task=task, **known)  # type: ignore[arg-type]


def test_what_is_done_to_a_comment_does_not_ask_after_the_person() -> None:
    gone = replace(anna(), opted_out_at=NOW, unreachable_since=NOW, window_open_until=None)
    gone = replace(gone, paused_until=NOW + _HOUR, paused_by=PausedBy.OWNER)
    assert permit(_action(Action.HIDE), gone, NOW) == Permit()
    assert _refused(permit(_action(Action.REACT), gone, NOW)) is ItemStatus.CANCELLED
    closed = replace(anna(), window_open_until=None)
    assert _refused(permit(_action(Action.REACT), closed, NOW)) is ItemStatus.EXPIRED


@pytest.mark.parametrize("action", [Action.REACT, Action.HIDE, Action.DELETE])
def test_what_may_have_been_done_is_done_again(action: Action) -> None:
    found = after(Outcome(OutcomeKind.UNKNOWN, "no answer"), _action(action), NOW)
    assert isinstance(found, Retry)
    assert found.uncertain
    assert found.at > NOW


def test_a_comment_that_is_gone() -> None:
    gone = Outcome(OutcomeKind.PERMANENT, "gone", 400, 100, 33)
    once_more = after(gone, _action(Action.DELETE), NOW)
    assert isinstance(once_more, Retry)
    assert once_more.uncertain
    assert isinstance(after(gone, _action(Action.DELETE, uncertain=True), NOW), Done)
    assert after(gone, _action(Action.HIDE, uncertain=True), NOW) == GiveUp("gone")


@pytest.mark.parametrize("kind", [kind for kind in OutcomeKind if kind is not OutcomeKind.SENT])
def test_typing_is_not_tried_twice(kind: OutcomeKind) -> None:
    assert after(Outcome(kind, "why"), _action(Action.TYPING), NOW) == GiveUp("why")


def test_a_quote_that_is_refused_is_left_out() -> None:
    quoting = replace(item(), content=OutMessage("Hi", reply_to="m1"))
    for subcode in (None, 33):
        found = after(Outcome(OutcomeKind.PERMANENT, "no", 400, 100, subcode), quoting, NOW)
        assert isinstance(found, Retry)
        assert (found.plain, found.at) == (True, NOW)
    again = after(Outcome(OutcomeKind.PERMANENT, "no", 400, 100), replace(quoting, plain=True), NOW)
    assert again == GiveUp("no")
    closed = after(Outcome(OutcomeKind.PERMANENT, "closed", 403, 10, 2534022), quoting, NOW)
    assert closed == GiveUp("closed")
