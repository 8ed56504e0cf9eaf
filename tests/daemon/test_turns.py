"""What becomes of runs when messages wait, are refused or taken back, and of comments whose post is not told."""

from pathlib import Path

import pytest

from pamosnik.services import explaining
from pamosnik.services.reading import people, runs
from pamosnik.services.shapes import Shape
from pamosnik.store import accounts
from tests.daemon import events
from tests.daemon.events import Json
from tests.daemon.fake import Call, Trouble
from tests.daemon.machine import Machine, machine

pytestmark = pytest.mark.anyio

FLOWS = """
version: 1
disclosure: false
fields: { n: number }
flows:
  count:
    when: [comment: how, dm: how]
    limits: { per_person: 1h }
    mode: restart
    do:
      - ask: { question: "How many?", save_as: n, choices: [2, 4] }
      - send: "Noted: {n|?}"
  hours:
    when: [dm: hours]
    do: [{ send: "9 to 5" }]
  echo:
    when: [dm: { words: "say", match: starts_with }]
    do: [{ send: "You said {text|nothing}." }]
  linked:
    when: [comment: { words: link, post: "https://www.instagram.com/p/OLD1/" }]
    limits: { per_person: 1h }
    do: [{ send: "linked" }]
  notrefund:
    when: [dm: { words: [top], but_not: [refund] }]
    do: [{ send: "top" }]
"""


async def _writes(shop: Machine, igsid: str, text: str) -> Json:
    message = events.message(igsid, text)
    await shop.deliver(events.talk(message))
    await shop.works()
    return message


def _runs(shop: Machine) -> list[Shape]:
    conn = shop.reader.connection
    return [run.shape() for run in runs.newest(conn, accounts.every(conn)[0])]


def _why(shop: Machine, what: str) -> explaining.Why:
    conn = shop.reader.connection
    return explaining.why(conn, accounts.every(conn)[0], what, shop.clock.now())


def _fill_the_hour(shop: Machine) -> None:
    conn = shop.reader.connection
    now = int(shop.clock.now().timestamp() * 1000)
    conn.executemany(
        "INSERT INTO attempts (account_id, connection_id, kind, at)"
        " SELECT account_id, connection_id, 'private_reply', ? FROM connections",
        [(now,)] * 750,
    )


async def test_a_private_reply_that_waits_for_the_hour_does_not_hold_up_other_answers(tmp_path: Path) -> None:
    async with machine(tmp_path, FLOWS) as shop:
        _fill_the_hour(shop)
        await shop.deliver(events.change(events.comment("9001", "how")))
        await shop.works()
        assert [(item["kind"], item["status"]) for item in shop.queue()] == [("private_reply", "queued")]
        assert "750 private replies an hour" in str(shop.queue()[0]["reason"])
        await _writes(shop, "9001", "hours")
        assert shop.fake.thread("9001") == ["9 to 5"]


async def test_nobody_answers_a_question_that_has_not_left(tmp_path: Path) -> None:
    async with machine(tmp_path, FLOWS) as shop:
        _fill_the_hour(shop)
        await shop.deliver(events.change(events.comment("9001", "how")))
        await shop.works()
        four = await _writes(shop, "9001", "4")
        assert _why(shop, four["message"]["mid"]).event["verdict"] == "no_match"
        await shop.later(hours=1, seconds=5)
        assert shop.fake.thread("9001") == ["How many?"]
        await _writes(shop, "9001", "4")
        assert shop.fake.thread("9001")[-1] == "Noted: 4"


@pytest.mark.parametrize(
    ("code", "subcode"), [(100, 2534014), (551, 1545041), (100, 2534037), (10, 2018108), (551, None)]
)
async def test_a_question_that_is_refused_ends_its_run(
    tmp_path: Path, code: int, subcode: int | None
) -> None:
    async with machine(tmp_path, FLOWS) as shop:
        shop.fake.trouble = lambda call: Trouble(400, code, subcode) if call.is_send else None
        await _writes(shop, "9001", "how")
        (run,) = _runs(shop)
        assert run["status"] == ("stopped" if (code, subcode) == (551, None) else "failed")
        (person,) = people.newest(shop.reader.connection, accounts.every(shop.reader.connection)[0], limit=9)
        assert (person.contact.opted_out_at is not None) is ((code, subcode) == (551, None))
        assert (person.contact.paused_until is not None) is (subcode == 2534037), "another app has the thread"


async def test_too_late_just_after_they_wrote_is_not_called_a_closed_window(tmp_path: Path) -> None:
    """meta-platform: 10/2534022 with a fresh message means the app's access level."""
    async with machine(tmp_path, FLOWS) as shop:
        shop.fake.trouble = lambda call: Trouble(403, 10, 2534022) if call.is_send else None
        await _writes(shop, "9001", "hours")
        assert "Advanced Access" in str(shop.queue()[0]["reason"])
        assert [problem["code"] for problem in shop.problems()] == ["advanced_access"]


async def test_an_earlier_chip_answers_the_question_again(tmp_path: Path) -> None:
    async with machine(tmp_path, FLOWS) as shop:
        await _writes(shop, "9001", "how")
        chips = shop.fake.last("9001").buttons
        await shop.deliver(events.talk(events.chip_tap("9001", "2", chips["2"])))
        await shop.works()
        await shop.deliver(events.talk(events.chip_tap("9001", "4", chips["4"])))
        await shop.works()
        assert shop.fake.thread("9001") == ["How many?", "Noted: 2", "Noted: 4"]
        (run,) = _runs(shop)
        assert run["status"] == "completed"


async def test_a_message_that_is_taken_back_is_gone_everywhere(tmp_path: Path) -> None:
    async with machine(tmp_path, FLOWS) as shop:
        said = await _writes(shop, "9001", "say ZEBRAFISH")
        await _writes(shop, "9001", "how")
        number = await _writes(shop, "9001", "77123")
        assert "ZEBRAFISH" in shop.fake.thread("9001")[0]
        for message in (said, number):
            gone = {**message, "message": {"mid": message["message"]["mid"], "is_deleted": True}}
            await shop.deliver(events.talk(gone))
        await shop.works()
        conn = shop.reader.connection
        tables = [name for (name,) in conn.execute("SELECT name FROM sqlite_master WHERE type='table'")]
        text = "\n".join(str(row) for table in tables for row in conn.execute(f"SELECT * FROM {table}"))
        assert "ZEBRAFISH" not in text
        assert "77123" not in text


async def test_a_deletion_that_overtakes_its_message(tmp_path: Path) -> None:
    async with machine(tmp_path, FLOWS) as shop:
        message = events.message("9001", "hours")
        gone = {**message, "message": {"mid": message["message"]["mid"], "is_deleted": True}}
        await shop.deliver(events.talk(gone))
        await shop.works()
        await shop.deliver(events.talk(message))
        await shop.works()
        assert shop.fake.sent == []
        assert "hours" not in {row[0] for row in shop.reader.connection.execute("SELECT text FROM events")}


async def test_a_post_that_cannot_be_looked_up_now_is_looked_up_later(tmp_path: Path) -> None:
    """One disturbed answer used to switch the flow off for that post for good."""
    down = True

    def wrong(call: Call) -> Trouble | None:
        return Trouble(503, 2) if down and call.method == "GET" and call.path == "/7003" else None

    async with machine(tmp_path, FLOWS) as shop:
        shop.fake.posts["7003"] = "https://www.instagram.com/p/OLD1/"
        shop.fake.trouble = wrong
        comment = events.comment("9001", "link", media="7003", comment_id="c1")
        await shop.deliver(events.change(comment))
        await shop.works()
        await _writes(shop, "9002", "hours")
        assert shop.fake.thread("9002") == ["9 to 5"], "others are not held up"
        assert _why(shop, "c1").event["verdict"] == "pending"
        down = False
        await shop.later(seconds=10)
        assert shop.fake.thread("9001") == ["linked"]


async def test_a_post_that_is_never_told_lets_the_comment_go_on(tmp_path: Path) -> None:
    async with machine(tmp_path, FLOWS) as shop:
        shop.fake.trouble = lambda call: Trouble(503, 2) if call.method == "GET" else None
        await shop.deliver(events.change(events.comment("9001", "link", media="7003", comment_id="c1")))
        await shop.later(minutes=11)
        why = _why(shop, "c1")
        assert why.event["verdict"] == "no_match"
        assert list(why.checks[0][:2]) == ["post", "unknown"]
        assert why.advice is not None
        assert "Instagram has not told which post this is" in why.advice


async def test_why_says_what_kept_the_right_keyword_from_working(tmp_path: Path) -> None:
    async with machine(tmp_path, FLOWS) as shop:
        refund = await _writes(shop, "9001", "top refund")
        advice = _why(shop, refund["message"]["mid"]).advice
        assert advice == "The flow notrefund has the keyword “top”, but `but_not` forbids “refund”."
        await shop.deliver(events.change(events.comment("9001", "hours", comment_id="c2")))
        await shop.works()
        assert _why(shop, "c2").advice == (
            "The flow hours has the keyword “hours”, but its trigger is `dm`, and this is a comment."
        )
        near = await _writes(shop, "9001", "huors")
        assert "closest keyword is “hours”" in str(_why(shop, near["message"]["mid"]).advice)


LOST = Trouble(500, 2)


async def test_what_waits_to_be_said_about_a_message_that_is_taken_back_is_not_said(tmp_path: Path) -> None:
    async with machine(tmp_path, FLOWS) as shop:
        shop.fake.trouble = lambda call: Trouble(400, 4) if call.is_send else None
        said = await _writes(shop, "9001", "say ZEBRAFISH")
        assert shop.states() == ["queued"]
        gone = {**said, "message": {"mid": said["message"]["mid"], "is_deleted": True}}
        await shop.deliver(events.talk(gone))
        await shop.works()
        shop.fake.trouble = lambda _: None
        await shop.later(minutes=6)
        assert shop.fake.sent == []
        assert _nowhere(shop, "ZEBRAFISH")


async def test_an_unknown_message_that_quotes_it_is_erased_at_its_end(tmp_path: Path) -> None:
    async with machine(tmp_path, FLOWS) as shop:
        shop.fake.trouble = lambda call: Trouble(500, 1, done=True) if call.is_send else None
        said = await _writes(shop, "9001", "say ZEBRAFISH")
        gone = {**said, "message": {"mid": said["message"]["mid"], "is_deleted": True}}
        await shop.deliver(events.talk(gone))
        await shop.works()
        await shop.later(seconds=10)
        assert shop.states() == ["sent"]
        assert _nowhere(shop, "ZEBRAFISH")


def _nowhere(shop: Machine, text: str) -> bool:
    conn = shop.reader.connection
    tables = [name for (name,) in conn.execute("SELECT name FROM sqlite_master WHERE type='table'")]
    return not any(text in str(row) for table in tables for row in conn.execute(f"SELECT * FROM {table}"))


@pytest.mark.parametrize("arrived", [True, False])
async def test_an_answer_waits_until_it_is_known_whether_the_question_arrived(
    tmp_path: Path, arrived: bool
) -> None:
    async with machine(tmp_path, FLOWS) as shop:
        wrong = [Trouble(500, 1, done=arrived)]
        shop.fake.trouble = lambda call: wrong.pop() if call.is_send and wrong else None
        await _writes(shop, "9001", "how")
        assert shop.states() == ["unknown"]
        early = str((await _writes(shop, "9001", "4"))["message"]["mid"])
        assert _why(shop, early).event["verdict"] == "pending"
        await shop.later(seconds=70)
        assert _why(shop, early).event["verdict"] == ("resumed" if arrived else "no_match")
        assert shop.fake.thread("9001") == ["How many?", *(["Noted: 4"] * arrived)]


async def test_an_echo_with_another_text_never_makes_a_message_go_twice(tmp_path: Path) -> None:
    async with machine(tmp_path, FLOWS) as shop:
        shop.fake.trouble = lambda call: Trouble(500, 1, done=True) if call.is_send else None
        await _writes(shop, "9001", "hours")
        shop.fake.trouble = lambda _: None
        shop.fake.retell("9001", "9 to 5 (translated)")
        mid = shop.fake.last("9001").mid
        await shop.deliver(events.talk(events.echo("9001", mid, "9 to 5 (translated)")))
        await shop.later(seconds=100)
        assert len(shop.fake.sent) == 1
        assert shop.states() == ["unknown"]


async def test_a_refused_first_message_does_not_spend_the_disclosure(tmp_path: Path) -> None:
    async with machine(tmp_path, FLOWS.replace("disclosure: false", 'disclosure: "A machine."')) as shop:
        shop.fake.trouble = lambda call: Trouble(400, 100, 2534015) if call.is_send else None
        await _writes(shop, "9001", "hours")
        shop.fake.trouble = lambda _: None
        await _writes(shop, "9001", "hours")
        await _writes(shop, "9001", "hours")
        assert shop.fake.thread("9001") == ["A machine.\n9 to 5", "9 to 5"]


async def test_what_waits_says_what_for(tmp_path: Path) -> None:
    async with machine(tmp_path, FLOWS) as shop:
        shop.fake.trouble = lambda call: Trouble(400, 4) if call.is_send else None
        await _writes(shop, "9001", "hours")
        await _writes(shop, "9002", "hours")
        assert all("Meta's limit for the app" in str(item["reason"]) for item in shop.queue())
        assert [problem["code"] for problem in shop.problems()] == ["resting"]


async def test_an_outage_is_named(tmp_path: Path) -> None:
    async with machine(tmp_path, FLOWS) as shop:
        shop.fake.trouble = lambda call: LOST if call.is_send else None
        for number in range(6):
            await _writes(shop, f"90{number}", "hours")
        reasons = {item["reason"] for item in shop.queue() if item["status"] == "queued"}
        assert reasons == {"Instagram does not answer; one message at a time is tried"}
