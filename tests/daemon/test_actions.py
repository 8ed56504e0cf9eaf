"""Reactions, hidden and deleted comments: what a failure, a crash and a repetition make of them."""

from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest

from pamosnik.services import sending
from pamosnik.store import outbox
from tests.daemon import events
from tests.daemon.fake import Call, Trouble
from tests.daemon.machine import Machine, home_and_fake, machine, running

pytestmark = pytest.mark.anyio

FLOWS = """
version: 1
disclosure: false
flows:
  thanks:
    when: [dm: thanks]
    do: [{ react: ❤️ }, { send: "You are welcome." }]
  slowly:
    when: [dm: slowly]
    do: [{ send: { text: "Let me see.", typing: 3s, quote: true } }, { send: "Yes." }]
  film:
    when: [dm: film]
    do:
      - send:
          text: How do you like it?
          video: https://shop.example/gone.mp4
          buttons: [{ label: Well, do: [{ send: "Thank you." }] }]
  rude:
    when: [comment: rude]
    limits: { per_person: 1s }
    do:
      - reply_publicly: { one_of: [Oh., Please., No.] }
      - send: "Please be kind."
      - hide_comment
  spam:
    when: [comment: spam]
    limits: { per_person: 1s }
    do: [{ send: "We do not want that." }, delete_comment]
  casino:
    when: [comment: casino]
    limits: { per_person: 1s }
    do: [delete_comment, { choose: [{ if: { has_tag: never }, do: [{ goal: x }] }] }, opt_out]
"""


class Actions:
    """So many requests of these kinds go wrong, the others do not."""

    def __init__(self, trouble: Trouble, times: int = 1) -> None:
        self.trouble, self.left = trouble, times

    def __call__(self, call: Call) -> Trouble | None:
        if not call.is_action or self.left == 0:
            return None
        self.left -= 1
        return self.trouble


async def _writes(shop: Machine, text: str) -> str:
    message = events.message("9001", text)
    await shop.deliver(events.talk(message))
    await shop.works()
    return str(message["message"]["mid"])


async def _comments(shop: Machine, text: str) -> str:
    comment = events.comment("9001", text)
    await shop.deliver(events.change(comment))
    await shop.works()
    return str(comment["id"])


async def test_a_reaction_goes_beside_the_answer(tmp_path: Path) -> None:
    async with machine(tmp_path, FLOWS) as shop:
        mid = await _writes(shop, "Thanks!")
        assert shop.fake.reactions == [(mid, "❤️")]
        assert shop.fake.thread("9001") == ["You are welcome."]
        assert shop.states() == ["sent", "sent"]
        assert [item["action"] for item in shop.queue()] == ["react", None]


async def test_what_is_said_goes_before_a_comment_is_hidden_or_deleted(tmp_path: Path) -> None:
    async with machine(tmp_path, FLOWS) as shop:
        rude = await _comments(shop, "rude")
        assert shop.fake.order == ["private", "public", "hide"]
        assert shop.fake.hidden == {rude}
        shop.fake.order.clear()
        await shop.later(seconds=2)
        await _comments(shop, "spam")
        assert shop.fake.order == ["private", "delete"]


async def test_a_comment_goes_although_its_private_message_was_refused(tmp_path: Path) -> None:
    async with machine(tmp_path, FLOWS) as shop:
        refused = Trouble(400, 100, 2534025, "The comment is invalid for a private reply")
        shop.fake.trouble = lambda call: refused if call.is_private_reply else None
        await _comments(shop, "spam")
        assert shop.fake.order == ["delete"]
        assert shop.states() == ["failed", "sent"]


async def test_a_comment_waits_for_a_private_message_of_unknown_fate(tmp_path: Path) -> None:
    async with machine(tmp_path, FLOWS) as shop:
        lost = [Trouble(500, 2)]
        shop.fake.trouble = lambda call: lost.pop() if call.is_private_reply and lost else None
        await _comments(shop, "spam")
        assert shop.states() == ["unknown", "held"]
        await shop.later(minutes=2)
        assert shop.fake.order == ["private", "delete"]


async def test_someone_who_is_opted_out_by_it_has_their_comment_deleted_all_the_same(tmp_path: Path) -> None:
    async with machine(tmp_path, FLOWS) as shop:
        await _comments(shop, "casino")
        assert shop.fake.order == ["delete"]
        assert shop.states() == ["sent"]


@pytest.mark.parametrize(
    "trouble",
    [Trouble(500, 1, done=True), Trouble(500, 2), Trouble(done=True, hang_up=True), Trouble(503, html=True)],
    ids=["error, done", "error", "hung up", "html"],
)
@pytest.mark.parametrize("text", ["rude", "spam"])
async def test_what_may_have_been_done_is_done_again(tmp_path: Path, text: str, trouble: Trouble) -> None:
    async with machine(tmp_path, FLOWS) as shop:
        shop.fake.trouble = Actions(trouble)
        comment = await _comments(shop, text)
        (item,) = (item for item in shop.queue() if item["kind"] == "comment_action")
        assert item["status"] == "queued", item["reason"]
        await shop.later(seconds=62)
        assert shop.states("comment_action") == ["sent"]
        assert comment in shop.fake.hidden or "delete" in shop.fake.order


async def test_a_reaction_is_repeated_as_well(tmp_path: Path) -> None:
    async with machine(tmp_path, FLOWS) as shop:
        shop.fake.trouble = Actions(Trouble(500, 1, done=True), times=2)
        mid = await _writes(shop, "thanks")
        assert shop.fake.thread("9001") == ["You are welcome."], "it waits for nothing"
        await shop.later(seconds=20)
        assert set(shop.fake.reactions) == {(mid, "❤️")}
        assert shop.states("sender_action") == ["sent"]


async def test_a_comment_that_is_gone_already_cannot_be_hidden(tmp_path: Path) -> None:
    async with machine(tmp_path, FLOWS) as shop:
        shop.fake.trouble = Actions(Trouble(400, 100, 33))
        await _comments(shop, "rude")
        assert shop.states("comment_action") == ["failed"]
        assert "does not exist any more" in str(shop.reasons()["comment_action"])


async def test_a_comment_that_is_gone_already_counts_as_deleted_after_a_second_look(tmp_path: Path) -> None:
    async with machine(tmp_path, FLOWS) as shop:
        shop.fake.trouble = Actions(Trouble(400, 100, 33), times=2)
        await _comments(shop, "spam")
        assert shop.states("comment_action") == ["queued"]
        await shop.later(seconds=62)
        assert shop.states("comment_action") == ["sent"]
        assert "gone" in str(shop.reasons()["comment_action"])


async def test_an_app_without_permission_for_comments_goes_on_with_messages(tmp_path: Path) -> None:
    async with machine(tmp_path, FLOWS) as shop:
        shop.fake.trouble = Actions(Trouble(403, 200))
        await _comments(shop, "rude")
        assert shop.states("comment_action") == ["held"]
        assert len(shop.problems_of("comment_action_refused")) == 1
        await _writes(shop, "thanks")
        assert shop.states("sender_action") == ["sent"]
        await shop.later(minutes=2)
        assert shop.states("comment_action") == ["sent"]
        assert shop.problems_of("comment_action_refused") == []


async def test_what_was_under_way_when_the_process_ended_is_done_again(tmp_path: Path) -> None:
    async with home_and_fake(tmp_path, FLOWS) as (settings, fake), running(settings, fake) as shop:
        shop.fake.trouble = Actions(Trouble(500, 1), times=9)
        await _comments(shop, "spam")
        await _writes(shop, "thanks")
        for item in shop.queue():
            if item["status"] == "queued":
                stored = outbox.load(shop.reader.connection, str(item["id"]))
                assert stored is not None
                start = partial(outbox.start_attempt, item=stored, wire=stored.wire or "{}")
                await shop.writer.write(partial(start, now=shop.clock.now()))
        assert sorted(map(str, shop.states())) == ["sending", "sending", "sent", "sent"]
        unknown = await shop.writer.write(partial(sending.found_after_crash, now=shop.clock.now()))
        assert unknown == 0
        fake.trouble = lambda _: None
        await shop.later(seconds=5)
        assert shop.states() == ["sent"] * 4
        assert fake.order.count("delete") == 1


async def test_a_reaction_that_comes_too_late_is_left_out(tmp_path: Path) -> None:
    async with machine(tmp_path, FLOWS) as shop:
        shop.fake.trouble = Actions(Trouble(500, 2), times=1000)
        await _writes(shop, "thanks")
        await shop.later(hours=25)
        assert shop.states("sender_action") == ["expired"]


async def test_typing_goes_first_and_the_message_after_it_quotes(tmp_path: Path) -> None:
    async with machine(tmp_path, FLOWS) as shop:
        mid = await _writes(shop, "slowly")
        assert shop.fake.order == ["typing_on"]
        await shop.later(seconds=2)
        assert shop.fake.thread("9001") == []
        await shop.later(seconds=2)
        assert shop.fake.thread("9001") == ["Let me see.", "Yes."]
        assert [sent.reply_to for sent in shop.fake.sent] == [mid, None]
        assert [item["action"] for item in shop.queue()] == ["typing_on", None, None]


@pytest.mark.parametrize(
    "trouble", [Trouble(500, 1), Trouble(403, 10), Trouble(done=True, hang_up=True), Trouble(400, 100)]
)
async def test_typing_that_fails_holds_nothing_up(tmp_path: Path, trouble: Trouble) -> None:
    async with machine(tmp_path, FLOWS) as shop:
        shop.fake.trouble = Actions(trouble, times=99)
        await _writes(shop, "slowly")
        await shop.later(seconds=4)
        assert shop.fake.thread("9001") == ["Let me see.", "Yes."]
        assert shop.states("sender_action") == ["failed"]
        assert shop.problems() == []


async def test_typing_that_could_not_leave_in_time_is_left_out(tmp_path: Path) -> None:
    async with home_and_fake(tmp_path, FLOWS) as (settings, fake), running(settings, fake) as shop:
        await shop.deliver(events.talk(events.message("9001", "slowly")))
        await shop.runner.round()
        shop.move_to(shop.clock.now() + timedelta(seconds=10))
        await shop.works()
        assert fake.order == ["message", "message"]
        assert shop.states("sender_action") == ["expired"]


async def test_a_quote_of_a_message_that_is_gone_is_left_out(tmp_path: Path) -> None:
    async with machine(tmp_path, FLOWS) as shop:
        refused = Trouble(400, 100, message="The message is not part of this conversation.")
        shop.fake.trouble = lambda call: refused if "reply_to" in call.body else None
        await _writes(shop, "slowly")
        await shop.later(seconds=4)
        assert shop.fake.thread("9001") == ["Let me see.", "Yes."]
        assert [sent.reply_to for sent in shop.fake.sent] == [None, None]


async def test_a_video_that_meta_cannot_fetch_leaves_the_buttons_beside_it(tmp_path: Path) -> None:
    """The run ended for it, and the tap did nothing."""
    async with machine(tmp_path, FLOWS) as shop:
        gone = Trouble(400, 100, 2018008, "Failed to fetch the file from the url")
        shop.fake.trouble = lambda call: gone if "gone.mp4" in str(call.body) else None
        await _writes(shop, "film")
        await shop.later(seconds=10)
        assert shop.states() == ["failed", "sent"]
        await shop.deliver(events.talk(events.message("9001", "well")))
        await shop.works()
        assert shop.fake.thread("9001") == ["How do you like it?", "Thank you."]
