"""The events on the status page over real HTTP: lists, one event, what nothing answered, answers by hand."""

import re
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from pamosnik._sqlite import Connection
from pamosnik.ids import Ids, ids_from
from pamosnik.instagram import webhook
from pamosnik.services import answering, flows, intake
from pamosnik.services.library import Library
from pamosnik.store import flows as flow_store
from pamosnik.store import inbox
from pamosnik.store.times import instant
from tests.daemon import events
from tests.daemon.events import Json
from tests.daemon.front_desk import Answer, Browser, FrontDesk, front_desk
from tests.daemon.test_data_pages import open_shop

pytestmark = pytest.mark.anyio

FLOWS = """
version: 1
disclosure: false
flows:
  price:
    when: [comment: [price], dm: [price]]
    limits: { per_person: once }
    do:
      - reply_publicly: "Look inside!"
      - send: "Here you are."
"""
EVIL = "<script>alert(1)</script> \u202e & how much?"


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[FrontDesk]:
    async with front_desk(tmp_path, mail=False) as running:
        running.database.write(lambda conn: _opens(conn, running))
        yield running


def _opens(conn: Connection, desk: FrontDesk) -> None:
    connection_id, _ = open_shop(conn, desk, desk.account, "shop")
    conn.execute("UPDATE connections SET ig_id=? WHERE connection_id=?", (events.IG_ID, connection_id))
    _apply(conn, desk, FLOWS)


def _apply(conn: Connection, desk: FrontDesk, text: str) -> None:
    now = desk.clock.now()
    proposal = flows.propose(
        conn, desk.account.id, [("shop.yaml", text)], prune=False, now=now, is_public=True
    )
    assert not proposal.loaded.has_errors, proposal.loaded.problems
    flows.apply(conn, desk.account.id, proposal, note=None, actor="command", now=now)


def told(desk: FrontDesk, *items: Json) -> None:
    """Meta tells this, and each gets its verdict. Ids are of that time, whatever other tests have made."""
    desk.later(seconds=1)
    now, library = desk.clock.now(), Library()
    parsed = webhook.parse(events.encode(events.envelope(*items))).items
    kept = [replace(item, occurred_at=now) for item in parsed]
    with ids_from(Ids()):
        desk.database.write(lambda conn: intake.store(conn, kept, now))
    for event_id in inbox.pending(desk.conn, 100):
        desk.database.write(lambda conn, e=event_id: answering.take_event(conn, library, e, now))  # type: ignore[misc]


def commented(text: str, igsid: str = "700", **more: str) -> Json:
    return events.change(events.comment(igsid, text, **more))


def wrote(text: str, igsid: str = "700", mid: str = "") -> Json:
    return events.talk(events.message(igsid, text, mid=mid))


async def logged_in(desk: FrontDesk) -> Browser:
    browser = desk.browser()
    await browser.log_in()
    return browser


def event_of(desk: FrontDesk, text: str) -> str:
    (found,) = desk.conn.execute("SELECT event_id FROM events WHERE text=?", (text,)).fetchone()
    return str(found)


def said(page: Answer) -> list[str]:
    """The texts in the list, in order."""
    return re.findall(r'<a class="words"[^>]*>(.*?)</a>', page.text)


# --- the list ----------------------------------------------------------------------------------------------


async def test_before_anything_came_in_the_page_says_what_will_and_how_to_try(desk: FrontDesk) -> None:
    page = await (await logged_in(desk)).get("/events")
    assert page.status == 200
    assert "Nothing came in yet" in page.text
    assert "pamosnik sandbox" in page.text
    missed = await (await logged_in(desk)).get("/events/missed")
    assert "No flow has left anything without an answer." in missed.text


async def test_each_event_tells_what_became_of_it(desk: FrontDesk) -> None:
    told(desk, commented("price please"), wrote(EVIL, "701"))
    told(desk, commented("the price again"))
    page = await (await logged_in(desk)).get("/events")
    assert [text[:5] for text in said(page)] == ["the p", "&lt;s", "price"]
    assert "<script>" not in page.text
    assert "started price" in page.text
    assert "no flow took it" in page.text
    assert "price did not take it" in page.text


async def test_what_the_account_writes_itself_hides_nothing_of_people(desk: FrontDesk) -> None:
    """Its public replies stood between the comments that they answer, under “From people”."""
    told(desk, commented("price please"), commented("On its way!", events.IG_ID))
    browser = await logged_in(desk)
    assert said(await browser.get("/events")) == ["price please"]
    assert said(await browser.get("/events?kind=comments")) == ["price please"]
    assert said(await browser.get("/events?verdict=noted")) == ["On its way!"]


async def test_what_nobody_answered_is_one_touch_away(desk: FrontDesk) -> None:
    told(desk, commented("price please"))
    browser = await logged_in(desk)
    for page in ("/", "/events"):
        found = (await browser.get(page)).text
        assert found.index('href="/events/missed"') < found.index("price please", found.index("<table")), page


async def test_steps_are_called_as_in_the_picture_of_the_flow(desk: FrontDesk) -> None:
    """Not `do.1`, which only who knows the file can read."""
    told(desk, commented("price please"))
    page = await (await logged_in(desk)).get(f"/events/{event_of(desk, 'price please')}")
    assert "Message: Here you are." in page.text
    assert "do.1" not in page.text


async def test_words_of_flow_files_stand_out_in_sentences(desk: FrontDesk) -> None:
    """They stood between backticks, as in a terminal."""
    told(desk, commented("prise `<b>`"))
    browser = await logged_in(desk)
    for address in ("/events/missed", f"/events/{event_of(desk, 'prise `<b>`')}"):
        page = (await browser.get(address)).text
        assert "<code>match: fuzzy</code>" in page
        assert "<b>`" not in page


async def test_a_limit_is_one_reason_whenever_it_ends(desk: FrontDesk) -> None:
    """Each time stood in a line of its own, for each had another time after which the flow may start again."""
    again = FLOWS.replace("per_person: once", "per_person: 12h")
    desk.database.write(lambda conn: _apply(conn, desk, again))
    for igsid in ("700", "701"):
        told(desk, commented("price", igsid))
        desk.later(minutes=5)
        told(desk, commented("price again", igsid))
    page = await (await logged_in(desk)).get("/events/missed")
    assert "limits: per_person</td><td>2 times" in page.text


async def test_filters_keep_each_other_and_search_looks_in_texts_and_names(desk: FrontDesk) -> None:
    told(desk, commented("price please", username="anna"), wrote("Größe M?", "701"))
    told(desk, commented("schön", "702", username="zofia", media="m9"))
    browser = await logged_in(desk)
    for query, found in (
        ("kind=comments", ["schön", "price please"]),
        ("kind=messages", ["Größe M?"]),
        ("kind=other", []),
        ("verdict=answered", ["price please"]),
        ("verdict=unanswered&kind=comments", ["schön"]),
        ("verdict=errors", []),
        ("flow=price", ["price please"]),
        ("flow=nothing", []),
        ("post=m9", ["schön"]),
        ("post=nothing", []),
        ("connection=shop&q=schon", ["schön"]),
        ("connection=nothing", []),
        ("q=grosse", ["Größe M?"]),
        ("q=ZOFIA", ["schön"]),
        ("day=2026-11-30", ["schön", "Größe M?", "price please"]),
        ("day=2026-11-29", []),
        ("day=soon", []),
        ("person=nobody", []),
        ("kind=nothing&verdict=nothing&before=nothing", ["schön", "Größe M?", "price please"]),
    ):
        page = await browser.get(f"/events?{query}")
        assert page.status == 200, query
        assert sorted(said(page)) == sorted(found), query
    page = await browser.get("/events?kind=comments&q=a")
    assert "/events?kind=comments&amp;verdict=answered&amp;q=a" in page.text


async def test_an_id_or_a_name_leads_straight_there(desk: FrontDesk) -> None:
    told(desk, commented("price", comment_id="c77", username="anna"), wrote("hello", "701", mid="m88"))
    browser = await logged_in(desk)
    comment, message = event_of(desk, "price"), event_of(desk, "hello")
    for what, event_id in (
        ("c77", comment),
        ("m88", message),
        (message, message),
        (comment.lower(), comment),
    ):
        assert (await browser.get(f"/events?q={what}")).leads_to == f"/events/{event_id}"
    person = (await browser.get("/events?q=@anna&kind=comments")).leads_to
    assert person is not None
    assert person.startswith("/events?kind=comments&person=")
    page = await browser.get(person)
    assert said(page) == ["price"]
    assert "of @anna" in page.text
    assert (await browser.get("/events?q=@nobody")).status == 200


async def test_long_lists_come_in_parts(desk: FrontDesk) -> None:
    told(desk, *(commented(f"word {number}", "702") for number in range(53)))
    browser = await logged_in(desk)
    first = await browser.get("/events?kind=comments")
    assert len(said(first)) == 50
    (older,) = re.findall(r'href="(/events\?kind=comments&amp;before=\w+)"', first.text)
    assert len(said(await browser.get(older.replace("&amp;", "&")))) == 3


# --- one event ---------------------------------------------------------------------------------------------


async def test_one_event_tells_everything_about_it(desk: FrontDesk) -> None:
    told(desk, commented("price please", comment_id="c77", username="anna", media="m9"))
    desk.database.write(
        lambda conn: flow_store.learn_post(
            conn,
            desk.account.id,
            "CSHOP",
            flow_store.Post("m9", "abc", instant(0), "https://www.instagram.com/reel/abc/"),
        )
    )
    desk.database.write(lambda conn: flow_store.learn_captions(conn, "CSHOP", {"m9": "My new <coat>"}))
    told(desk, commented("thanks", username="anna"))
    page = await (await logged_in(desk)).get(f"/events/{event_of(desk, 'price please')}")
    for part in (
        "This comment started the flow price",
        "comment “price”",
        "Private reply",
        "Comment reply",
        "My new &lt;coat&gt;",
        "https://www.instagram.com/reel/abc/",
        "c77",
        "/flows/price",
        f"/events/{event_of(desk, 'thanks')}",
        "The flow began",
    ):
        assert part in page.text, part
    assert 'name="text"' in page.text


async def test_what_is_no_event_of_the_account_is_no_page(desk: FrontDesk) -> None:
    told(desk, commented("price"))
    browser = await logged_in(desk)
    assert (await browser.get("/events/nothing")).status == 404
    csrf = await browser.csrf("/events")
    for way in ("message", "private", "public"):
        answer = await browser.post(f"/events/nothing/{way}", csrf=csrf, text="Hello", key="k")
        assert answer.status == 404


# --- what nothing answered ---------------------------------------------------------------------------------


async def test_the_same_words_stand_together_with_what_would_answer_them(desk: FrontDesk) -> None:
    told(desk, commented("Prise?", "701"), commented("prise", "702"), commented("PRISE!!", "702"))
    told(desk, wrote("opening hours", "703"), wrote(EVIL * 3, "704"))
    told(desk, commented("price", "705"))
    told(desk, commented("price", "705"))
    browser = await logged_in(desk)
    page = await browser.get("/events/missed")
    assert "3 times by 2 people" in page.text
    assert "The closest keyword is “price” of the flow price: “prise” is one letter off." in page.text
    assert "- comment: [&#34;prise&#34;]" in page.text
    assert "- dm: [&#34;opening hours&#34;]" in page.text
    assert "<script>" not in page.text
    assert "A flow matched, but did not start" in page.text
    assert "/events?flow=price" in page.text
    mended = FLOWS.replace("comment: [price]", "comment: [price, prise]")
    desk.database.write(lambda conn: _apply(conn, desk, mended))
    assert "The flow price takes it now." in (await browser.get("/events/missed")).text


# --- answers by hand ---------------------------------------------------------------------------------------


async def _sends(browser: Browser, address: str, way: str, text: str) -> Answer:
    page = await browser.get(address)
    csrf, key = (re.findall(f'name="{name}" value="(\\w+)"', page.text)[-1] for name in ("csrf", "key"))
    first = await browser.post(f"{address}/{way}", csrf=csrf, key=key, text=text)
    again = await browser.post(f"{address}/{way}", csrf=csrf, key=key, text=text)
    assert (again.status, again.leads_to) == (first.status, first.leads_to)
    return first


def _outbox(desk: FrontDesk) -> list[tuple[str, str]]:
    return list(desk.conn.execute("SELECT kind, json_extract(content, '$.text') FROM outbox ORDER BY seq"))


def _audited(desk: FrontDesk) -> int:
    """How many changes by page the audit has since the login."""
    (count,) = desk.conn.execute("SELECT count(*) FROM audit WHERE actor='page' AND kind='change'").fetchone()
    return int(count)


async def test_a_missed_comment_is_answered_by_hand_once(desk: FrontDesk) -> None:
    told(desk, commented("how much is it", "701", username="anna"))
    browser = await logged_in(desk)
    address = f"/events/{event_of(desk, 'how much is it')}"
    private = await _sends(browser, address, "private", "It is 20.")
    assert private.leads_to == f"{address}?told=private"
    public = await _sends(browser, address, "public", "Look inside!")
    assert public.status == 303
    assert [kind for kind, _ in _outbox(desk)] == ["private_reply", "comment_reply"]
    assert _audited(desk) == 2
    page = await browser.get(f"{address}?told=private")
    assert "Your private reply is on its way." in page.text
    assert "one private reply to each comment" in page.text
    assert 'action="' + address + '/private"' not in page.text
    assert page.text.count('<li><span><a href="/queue/') == 2


async def test_a_message_is_answered_while_the_window_is_open(desk: FrontDesk) -> None:
    told(desk, wrote("do you deliver", "701"))
    browser = await logged_in(desk)
    address = f"/events/{event_of(desk, 'do you deliver')}"
    assert "Possible until" in (await browser.get(address)).text
    assert (await _sends(browser, address, "message", "We do.")).status == 303
    assert [kind for kind, _ in _outbox(desk)] == ["message"]
    assert _audited(desk) == 1
    too_long = await _sends(browser, address, "message", "ż" * 501)
    assert too_long.status == 422
    assert "1000 bytes" in too_long.text
    desk.later(hours=25)
    again = await logged_in(desk)
    late = await again.get(address)
    assert "The 24-hour window closed" in late.text
    assert 'name="text"' not in late.text
