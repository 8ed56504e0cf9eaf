"""Mails that flows send to the owner: what they say, and that they arrive in the end."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import pytest

from pamosnik.daemon.doers import Outside, doers
from pamosnik.mail import Mailer
from pamosnik.model.outbox import ItemKind
from pamosnik.services import errands, sending
from tests.daemon import events
from tests.daemon.machine import Machine, machine
from tests.daemon.shop import EMAIL
from tests.mail.server import MailBox, mail_box

pytestmark = pytest.mark.anyio

FLOWS = """
version: 1
disclosure: false
flows:
  cake:
    when: [dm: cake, comment: cake]
    limits: { per_person: 1s }
    do:
      - notify_me: { text: "Somebody wants a cake:\\n{text|?}", to: baker@shop.example }
      - send: "Noted."
      - notify_me: "The second one."
  help:
    when: [dm: help]
    do:
      - send: "A moment."
      - hand_over: { note: "Wants {text|?}", pause: 12h }
  size:
    when: [dm: size]
    do:
      - ask: { question: "Which size?", accept: number, if_not_understood: { say: "A number.", tries: 1 } }
"""


@asynccontextmanager
async def shop_with_mail(folder: Path) -> AsyncIterator[tuple[Machine, MailBox]]:
    async with mail_box() as box, machine(folder, FLOWS, reached=_reached(box)) as shop:
        yield shop, box


def _reached(box: MailBox) -> Outside:
    return Outside(mail=Mailer(box.as_server()).send)


async def _writes(shop: Machine, text: str, who: str = "9001") -> None:
    await shop.deliver(events.talk(events.message(who, text)))
    await shop.works()


async def test_notify_me_tells_the_owner_and_the_flow_goes_on(tmp_path: Path) -> None:
    async with shop_with_mail(tmp_path) as (shop, box):
        await _writes(shop, "Cake, please!")
        first, second = box.received
        assert (first.readers, second.readers) == (("baker@shop.example",), (EMAIL,))
        assert first.subject == "Pamosnik: Somebody wants a cake:"
        person = "the person with the Instagram id 9001"
        about = f"Person: {person}, Instagram account: shop, flow: cake"
        assert first.text == f"Somebody wants a cake:\nCake, please!\n\n{about}\n"
        assert first.message["Message-ID"] != second.message["Message-ID"]
        assert shop.states() == ["sent"] * 3
        # Somebody who commented is known by name.
        await shop.deliver(events.change(events.comment("9002", "cake", username="anna")))
        await shop.works()
        assert "Person: @anna, Instagram account: shop, flow: cake" in box.received[2].text


async def test_a_hand_over_says_who_waits_and_once(tmp_path: Path) -> None:
    async with shop_with_mail(tmp_path) as (shop, box):
        await _writes(shop, "help")
        (mail,) = box.received
        assert mail.readers == (EMAIL,)
        assert mail.subject == "Pamosnik: the person with the Instagram id 9001 waits for you"
        assert mail.text.startswith(
            "The flow help hands the person with the Instagram id 9001 over to you.\n\nNote: Wants help\n\nAnswer in"
        )
        await _writes(shop, "human")
        await _writes(shop, "human")
        assert len(box.received) == 1, "they wait already"
        await shop.later(hours=13)
        await _writes(shop, "human")
        assert box.received[1].text.startswith(
            "the person with the Instagram id 9001 asked for a human.\n\nAnswer"
        )


async def test_a_question_that_is_given_up_calls_a_human(tmp_path: Path) -> None:
    async with shop_with_mail(tmp_path) as (shop, box):
        for text in ("size", "large", "very large"):
            await _writes(shop, text)
        assert box.subjects == ["Pamosnik: the person with the Instagram id 9001 waits for you"]


async def test_without_a_mail_server_the_flow_goes_on_and_the_queue_says_why(tmp_path: Path) -> None:
    async with machine(tmp_path, FLOWS) as shop:
        await _writes(shop, "cake")
        assert shop.states() == ["failed", "sent", "failed"]
        assert shop.reasons()["email"] == "no mail server is set (PAMOSNIK_SMTP_URL)"
        conn = shop.reader.connection
        assert conn.execute("SELECT status FROM runs").fetchall() == [("completed",)]


async def test_a_server_that_does_not_answer_is_tried_again_and_told(tmp_path: Path) -> None:
    async with shop_with_mail(tmp_path) as (shop, box):
        await box.stop()
        await _writes(shop, "help")
        assert shop.states("email") == ["queued"]
        assert shop.problems_of("mail_failing") == ["No mail can be sent. The mail server does not answer."]
        await shop.later(minutes=2)
        assert shop.states("email") == ["queued"]
        await box.start()
        await shop.later(minutes=3)
        assert shop.states("email") == ["sent"]
        assert len(box.received) == 1
        assert shop.problems_of("mail_failing") == []


async def test_after_two_days_it_is_given_up(tmp_path: Path) -> None:
    async with shop_with_mail(tmp_path) as (shop, box):
        box.refuses = lambda line: "550 Nobody here" if line.startswith("RCPT") else None
        await _writes(shop, "cake")
        [problem] = shop.problems_of("mail_failing")
        assert problem == (
            "No mail can be sent. The mail server does not take mails of the flow cake for their reader."
        )
        await shop.later(days=1.9)
        assert shop.states("email") == ["queued", "queued"]
        await shop.later(hours=4)
        assert shop.states("email") == ["failed", "failed"]


async def test_after_a_crash_it_comes_again_with_the_same_id(tmp_path: Path) -> None:
    async with shop_with_mail(tmp_path) as (shop, box):
        await shop.deliver(events.talk(events.message("9001", "help")))
        while await shop.runner.round():
            pass
        now = shop.clock.now()
        claim = partial(errands.claim, kind=ItemKind.EMAIL, limit=9, now=now)
        (item,) = await shop.writer.write(lambda conn: claim(conn))
        [doer] = [one for one in doers(shop.tools, _reached(box)) if one.kind is ItemKind.EMAIL]
        await doer.do(item)  # the server takes it, and the process ends before that is stored
        await shop.writer.write(partial(sending.found_after_crash, now=now))
        await shop.works()
        once, again = box.received
        assert once.message["Message-ID"] == again.message["Message-ID"] == f"<{item.id}@shop.example>"
        assert shop.states("email") == ["sent"]
        await shop.later(hours=1)
        assert len(box.received) == 2


async def test_what_is_said_to_people_is_in_no_log(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG", logger="pamosnik")
    async with shop_with_mail(tmp_path) as (shop, box):
        await box.stop()
        await _writes(shop, "cake of Żaneta")
        await shop.later(minutes=1)
        assert "mails.failed" in [getattr(record, "action", "") for record in caplog.records]
        assert "Żaneta" not in caplog.text
        assert "baker@" not in caplog.text
