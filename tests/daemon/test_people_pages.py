"""The pages of people: whom the business knows, what was said, who waits for a human, and what is done for them."""

import asyncio
import html
import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pamosnik.model.event import Verdict
from pamosnik.services.reading import conversation, people, runs, waiting
from pamosnik.services.reading.waiting import Turn, waits_since
from pamosnik.store import contacts
from pamosnik.store.people import Wanted
from tests.daemon import events
from tests.daemon.front_desk import Answer, Browser, front_desk
from tests.daemon.talk import Talk

pytestmark = pytest.mark.anyio

ANNA, OTTO, MIA = "900000000000001", "900000000000002", "900000000000003"


def _words(answer: Answer) -> str:
    """What somebody reads in the main part of the page."""
    main = answer.text.partition("<main")[2].partition("</main>")[0]
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", main)).split())


def _people(answer: Answer) -> list[str]:
    return re.findall(r'class="cover" href="/people/(\w+)#newest"', answer.text)


async def _sends(browser: Browser, path: str, page: str, **form: str) -> Answer:
    """A form of this page; then the page it leads to."""
    done = await browser.post(path, None, csrf=await browser.csrf(page), **form)
    return await browser.get(done.leads_to.partition("#")[0]) if done.leads_to else done


async def _until(browser: Browser, path: str, words: str) -> None:
    """Waits until the page says so."""
    for _ in range(400):
        if words in _words(await browser.get(path)):
            return
        await asyncio.sleep(0.05)
    raise AssertionError(f"{path} does not come to say: {words}")


# --- lists -----------------------------------------------------------------------------------------------


async def test_people_are_listed_found_and_told_apart(tmp_path: Path) -> None:
    async with front_desk(tmp_path, mail=False) as desk:
        browser = desk.browser()
        await browser.log_in()
        assert "Nobody has written or commented yet." in _words(await browser.get("/people"))
        talk = Talk.begin(desk)
        talk.comments(ANNA, "so warm & <b>nice</b>", username="anna.maria")
        talk.writes(OTTO, "stop")
        for number in range(50):
            talk.happens(events.talk(events.message(f"7000{number}", f"hello {number}")), seconds=1)
        first = await browser.get("/people")
        assert len(_people(first)) == 50
        assert "hello 49" in first.text
        # Who only wrote has no name before they are looked up.
        assert re.search(r"Somebody who wrote first at 20\d\d-\d\d-\d\d \d\d:\d\d 700049 ", _words(first))
        assert "Somebody 700049 " in _words(await browser.get("/events"))
        older = re.search(r'href="(/people\?before=[^"]+)"', first.text)
        assert older is not None
        second = await browser.get(html.unescape(older[1]))
        assert _people(second) == [talk.id_of(OTTO), talk.id_of(ANNA)]
        assert "commented: so warm & <b>nice</b>" in _words(second)
        assert (await browser.get("/people?before=nowhere")).status == 404
        assert _people(await browser.get("/people?which=out")) == [talk.id_of(OTTO)]
        assert talk.id_of(ANNA) not in _people(await browser.get("/people?which=open"))
        await _sends(browser, f"/people/{talk.id_of(ANNA)}/tag", "/people", tag="vip")
        assert _people(await browser.get("/people?tag=vip")) == [talk.id_of(ANNA)]
        for text in ("@Anna.M", "VIP"):
            assert _people(await _sends(browser, "/people", "/people", text=text)) == [talk.id_of(ANNA)]
        assert "Nobody here is like that." in _words(await _sends(browser, "/people", "/people", text="zzz"))


# --- a person --------------------------------------------------------------------------------------------


async def test_a_conversation_looks_as_on_the_phone(tmp_path: Path) -> None:
    async with front_desk(tmp_path, mail=False) as desk:
        browser, talk = desk.browser(), Talk.begin(desk)
        await browser.log_in()
        talk.comments(ANNA, "PRICE?", username="anna")
        talk.leaves()
        (mid,) = desk.conn.execute("SELECT message_id FROM outbox").fetchone()
        reaction = {"mid": mid, "action": "react", "emoji": "😍"}
        talk.happens(
            events.talk(events.message(ANNA, "thank you", reply_to={"mid": mid})),
            events.talk({**events.seen(ANNA, mid), "reaction": reaction} | {"read": None}),
            events.talk(events.seen(ANNA, mid)),
            events.talk(events.message(ANNA, "a secret", mid="secret")),
            events.talk(events.unsent(ANNA, "secret")),
            events.talk(events.echo(ANNA, "from-the-phone", "I am Rosa.")),
            events.talk(events.message(ANNA, "<script>alert(1)</script>")),
        )
        page = await browser.get(f"/people/{talk.id_of(ANNA)}")
        words = _words(page)
        assert "Commented: a post without a text PRICE?" in words
        assert "Private reply to the comment Automated reply. Our prices. Open 😍" in words
        assert "· price · Seen" in words
        assert "Automated reply. Our prices. thank you" in words  # what it quotes
        assert "a secret" not in words
        assert "They took this message back" in words
        assert "I am Rosa." in words
        assert "You, in Instagram" in words
        assert "<script>alert(1)</script>" in words
        assert "<script>alert" not in page.text


async def test_what_the_owner_replied_in_public_from_the_phone_stands_below_the_comment(
    tmp_path: Path,
) -> None:
    """It was told by Instagram and shown nowhere but in the list of everything; what Pamosnik itself replied comes
    back likewise, and stands there once."""
    async with front_desk(tmp_path, mail=False) as desk:
        browser, talk = desk.browser(), Talk.begin(desk)
        await browser.log_in()
        talk.comments(ANNA, "so warm", username="anna")
        event_id, comment_id = desk.conn.execute("SELECT event_id, comment_id FROM events").fetchone()
        talk.happens(
            events.change(events.own_comment(comment_id, "Thank you <3")),
            events.change(events.own_comment("another", "Not for her")),
        )
        for path in (f"/people/{talk.id_of(ANNA)}", f"/events/{event_id}"):
            page = await browser.get(path)
            assert "Thank you &lt;3" in page.text
            assert "Not for her" not in page.text
        assert "Public reply Thank you <3" in _words(await browser.get(f"/people/{talk.id_of(ANNA)}"))
        assert "no flow began" not in (await browser.get(f"/events/{event_id}")).text

        await _sends(
            browser, f"/events/{event_id}/public", f"/events/{event_id}", text="From the page", key="k"
        )
        talk.leaves()
        (mid,) = desk.conn.execute("SELECT message_id FROM outbox WHERE kind='comment_reply'").fetchone()
        talk.happens(events.change({**events.own_comment(comment_id, "From the page"), "id": mid}))
        person = await browser.get(f"/people/{talk.id_of(ANNA)}")
        assert person.text.count("From the page") == 1
        assert "You replied in public" in (await browser.get(f"/events/{event_id}")).text


async def test_long_conversations_come_in_parts(tmp_path: Path) -> None:
    async with front_desk(tmp_path, mail=False) as desk:
        browser, talk = desk.browser(), Talk.begin(desk)
        await browser.log_in()
        talk.writes(ANNA, *(f"word {number}." for number in range(70)))
        page = await browser.get(f"/people/{talk.id_of(ANNA)}")
        assert ("word 10." in page.text, "word 9." in page.text) == (True, False)
        older = re.search(r'href="(/people/\w+\?before=\w+)"', page.text)
        assert older is not None
        rest = await browser.get(older[1])
        assert ("word 9." in rest.text, "word 10." in rest.text, "?before=" in rest.text) == (
            True,
            False,
            False,
        )
        assert 'name="text"' not in rest.text


async def test_what_is_known_of_a_person_is_corrected(tmp_path: Path) -> None:
    async with front_desk(tmp_path, mail=False) as desk:
        browser, talk = desk.browser(), Talk.begin(desk)
        await browser.log_in()
        talk.writes(ANNA, "hello")
        anna = talk.id_of(ANNA)
        page = f"/people/{anna}"
        forms: Sequence[tuple[str, dict[str, str], str]] = (
            ("tag", {"tag": "vip"}, "The tag is given."),
            ("untag", {"tag": "vip"}, "The tag is taken away."),
            ("set", {"field": "size", "value": "m"}, "The value is kept."),
            ("unset", {"field": "size"}, "The value is taken away."),
            ("note", {"note": "likes wool"}, "The note is kept."),
            ("pause", {"for": "3d"}, "Automation rests for this person."),
            ("resume", {}, "Automation goes on for this person."),
        )
        before = len(desk.actions())
        for word, form, told in forms:
            assert told in _words(await _sends(browser, f"{page}/{word}", page, **form)), word
        noted = [action for action in desk.actions()[before:] if action.startswith("contacts")]
        assert noted == [f"contacts {word}" for word, _, _ in forms]
        assert contacts.notes(desk.conn, anna) == ("likes wool", None)
        assert "likes wool" in (await browser.get(page)).text
        refused = await _sends(browser, f"{page}/tag", page, tag="no tag")
        assert (refused.status, refused.problem) == (
            422,
            "`no tag` is no tag. Letters, digits, - and _ only, 64 characters at most.",
        )
        assert (await _sends(browser, f"{page}/note", page, note="x" * 2001)).status == 422
        assert (await browser.get("/people/01HZZZZZZZZZZZZZZZZZZZZZZZ")).status == 404


async def test_the_owner_answers_inside_the_window_and_once_in_private_after_it(tmp_path: Path) -> None:
    async with front_desk(tmp_path, mail=False) as desk:
        browser, talk = desk.browser(), Talk.begin(desk)
        await browser.log_in()
        talk.writes(ANNA, "hello")
        talk.comments(OTTO, "lovely", username="otto")
        anna, otto = f"/people/{talk.id_of(ANNA)}", f"/people/{talk.id_of(OTTO)}"
        key = re.search(r'name="key" value="(\w+)"', (await browser.get(anna)).text)
        assert key is not None
        told = [
            _words(await _sends(browser, f"{anna}/reply", anna, text="Yes, we are open.", key=key[1]))
            for _ in "12"
        ]
        assert "It is on its way." in told[0]
        assert "it is not sent a second time" in told[1]
        assert desk.conn.execute("SELECT count(*) FROM outbox").fetchone() == (1,)
        assert "Yes, we are open." in told[1]
        # Who has only commented can be sent one private reply.
        page = await browser.get(otto)
        assert "They have not written yet" in _words(page)
        event = re.search(r'name="event" value="(\w+)"', page.text)
        assert event is not None
        wrong = await _sends(browser, f"{anna}/private-reply", anna, event=event[1], text="Hi!")
        assert wrong.status == 404
        page = await _sends(browser, f"{otto}/private-reply", otto, event=event[1], text="Hi!", key="k")
        assert 'name="text"' not in page.text
        assert desk.conn.execute("SELECT kind FROM outbox ORDER BY seq").fetchall()[1:] == [
            ("private_reply",)
        ]
        noted = [action for action in desk.actions() if "reply" in action]
        assert noted == ["reply", "private reply"]


# --- who waits -------------------------------------------------------------------------------------------


async def test_who_waits_for_a_human_stands_in_a_list_until_they_are_answered(tmp_path: Path) -> None:
    async with front_desk(tmp_path, mail=False) as desk:
        browser, talk = desk.browser(), Talk.begin(desk)
        await browser.log_in()
        assert "Nobody waits." in _words(await browser.get("/people/waiting"))
        talk.writes(OTTO, "talk")
        talk.writes(ANNA, "human", "where is my parcel?")
        talk.writes(MIA, "hello")
        page = await browser.get("/people/waiting")
        assert _people(page) == [talk.id_of(OTTO), talk.id_of(ANNA)]
        assert "where is my parcel?" in _words(page)
        assert "wants to talk" in _words(page)
        for other in ("/people", "/"):
            assert "2 people wait for a human" in _words(await browser.get(other))
        otto, anna = f"/people/{talk.id_of(OTTO)}", f"/people/{talk.id_of(ANNA)}"
        await _sends(browser, f"{otto}/reply", otto, text="I am here.")
        talk.happens(events.talk(events.echo(ANNA, "from-the-phone", "On its way.")))
        # While a message of ours to her is on its way, nobody knows yet whose word this is.
        await _until(browser, "/people/waiting", "Nobody waits.")
        # Who writes again while the owner has the conversation waits again; nobody who goes on by themselves does.
        talk.writes(ANNA, "when?")
        assert _people(await browser.get("/people/waiting")) == [talk.id_of(ANNA)]
        await _sends(browser, f"{anna}/resume", anna)
        assert "Nobody waits." in _words(await browser.get("/people/waiting"))
        # Whom flows answer although the owner wanted them to rest, and who writes after the pause, waits for nobody.
        await _sends(browser, f"/people/{talk.id_of(MIA)}/pause", "/people")
        talk.at = desk.clock.now()
        talk.writes(OTTO, "human")
        assert _people(await browser.get("/people/waiting")) == [talk.id_of(OTTO)]
        talk.at += timedelta(hours=13)
        talk.writes(OTTO, "price")
        assert "Nobody waits." in _words(await browser.get("/people/waiting"))


async def test_whom_a_message_can_still_reach_stands_first(tmp_path: Path) -> None:
    """Those whose time was over stood above those whose time was ending."""
    async with front_desk(tmp_path, mail=False) as desk:
        browser, talk = desk.browser(), Talk.begin(desk)
        await browser.log_in()
        talk.writes(ANNA, "human")
        desk.later(hours=30)
        talk.at = desk.clock.now()
        talk.writes(OTTO, "human")
        desk.later(hours=2)
        talk.at = desk.clock.now()
        talk.writes(MIA, "human")
        page = await browser.get("/people/waiting")
        assert _people(page) == [talk.id_of(OTTO), talk.id_of(MIA), talk.id_of(ANNA)]
        heading = page.text.index("Answer in the Instagram app")
        assert page.text.index(talk.id_of(MIA)) < heading < page.text.index(talk.id_of(ANNA))


AT = datetime(2026, 11, 30, 9, 0, tzinfo=UTC)


def _turn(minute: int, verdict: str | None) -> Turn:
    """`verdict` None: the owner wrote."""
    return Turn(AT + timedelta(minutes=minute), verdict is None, Verdict(verdict or "noted"), "words")


@pytest.mark.parametrize(
    ("turns", "waits"),
    [
        (["resumed"], 0),
        (["no_match", "started", "handed_over", "handed_over"], 2),
        (["started", None, "handed_over"], 2),
        ([None, "paused", "paused"], 1),
        (["handed_over", "started", "paused"], 2),
        (["started", None], None),
        ([], None),
    ],
)
def test_since_when_somebody_waits(turns: list[str | None], waits: int | None) -> None:
    said = [_turn(minute, verdict) for minute, verdict in enumerate(turns)]
    assert waits_since(said[::-1]) == (None if waits is None else AT + timedelta(minutes=waits))


# --- quick, whatever there is ----------------------------------------------------------------------------


async def test_lists_are_read_from_indexes(tmp_path: Path) -> None:
    async with front_desk(tmp_path, mail=False) as desk:
        talk = Talk.begin(desk)
        talk.writes(ANNA, "hello")
        asked: list[str] = []
        account, now = desk.account, desk.clock.now()
        contact = contacts.load(desk.conn, talk.id_of(ANNA))
        assert contact is not None
        desk.conn.set_trace_callback(asked.append)
        conversation.part(desk.conn, account, contact, limit=60)
        waiting.of_account(desk.conn, account, now)
        people.listed(desk.conn, account, Wanted(open_at=now), now=now, limit=50)
        runs.of_person(desk.conn, contact.id, limit=10)
        desk.conn.set_trace_callback(None)
        lists = [statement for statement in asked if "LIMIT" in statement]
        assert len(lists) > 6
        for statement in lists:
            plan = [row[3] for row in desk.conn.execute(f"EXPLAIN QUERY PLAN {statement}")]
            whole = [step for step in plan if re.match(r"SCAN (contacts|events|outbox|runs|[peo])\b", step)]
            assert whole == [], statement
            # Of those who wait a few rows each are sorted, not the list.
            assert statement.startswith("WITH") or "USE TEMP B-TREE FOR ORDER BY" not in plan, statement
