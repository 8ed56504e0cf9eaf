"""What nothing answered, tried again: on the page of an event, for everybody who wrote the same, and over the API."""

import re

import aiohttp
import pytest

from pamosnik.ids import new_id
from pamosnik.security import tokens
from pamosnik.store import api_tokens
from pamosnik.store.api_tokens import ApiToken
from tests.daemon.front_desk import Answer, Browser, FrontDesk
from tests.daemon.test_event_pages import (
    FLOWS,
    _apply,
    commented,
    desk,
    event_of,
    logged_in,
    told,
    wrote,
)

pytestmark = pytest.mark.anyio
__all__ = ["desk"]

NOW = FLOWS.replace("[price]", "[price, prcie]")
TOKEN = "pamo_of-this-test"


def _verdict(desk: FrontDesk, text: str) -> str:
    (found,) = desk.conn.execute("SELECT verdict FROM events WHERE text=?", (text,)).fetchone()
    return str(found)


def _queue(desk: FrontDesk) -> list[str]:
    """What flows said: not that a STOP was heard."""
    rows = desk.conn.execute("SELECT kind FROM outbox WHERE flow_id IS NOT NULL ORDER BY kind")
    return [kind for (kind,) in rows]


def _audit(desk: FrontDesk) -> list[tuple[str, str]]:
    rows = desk.conn.execute("SELECT actor, subject FROM audit WHERE action='events replay' ORDER BY id")
    return list(rows.fetchall())


def _link_to_answer(page: Answer) -> str:
    (found,) = re.findall(r'href="(/events/missed/answer\?kind=[^"]*)"', page.text)
    return str(found).replace("&amp;", "&")


async def _post(browser: Browser, path: str, events: str = "") -> Answer:
    return await browser.post(path, csrf=await browser.csrf(), events=events)


async def _answer(browser: Browser, page: Answer) -> Answer:
    """Presses the button of the page of a group."""
    (shown,) = re.findall(r'name="events" value="([^"]*)"', page.text)
    return await _post(browser, "/events/missed/answer", events=str(shown))


async def test_an_event_is_tried_again_from_its_page_once_a_flow_takes_it(desk: FrontDesk) -> None:
    told(desk, commented("prcie"))
    event_id = event_of(desk, "prcie")
    browser = await logged_in(desk)
    before = await browser.get(f"/events/{event_id}")
    assert "No flow takes these words yet." in before.text
    assert "/replay" not in before.text
    refused = await _post(browser, f"/events/{event_id}/replay")
    assert refused.status == 422
    assert "Nothing is sent. No flow has a trigger for it." in refused.text
    _apply(desk.conn, desk, NOW)
    page = await browser.get(f"/events/{event_id}")
    assert "The flow price takes these words now." in page.text
    done = await _post(browser, f"/events/{event_id}/replay")
    assert done.leads_to == f"/events/{event_id}?told=again"
    assert (_verdict(desk, "prcie"), _queue(desk)) == ("started", ["comment_reply", "private_reply"])
    assert _audit(desk) == [("page", event_id)]
    twice = await _post(browser, f"/events/{event_id}/replay")
    assert twice.leads_to == f"/events/{event_id}?told=taken"
    after = await browser.get(str(twice.leads_to))
    assert "nothing more is sent" in after.text
    assert "tried again" in after.text
    assert _queue(desk) == ["comment_reply", "private_reply"]


async def test_everybody_who_wrote_the_same_is_answered_at_once(desk: FrontDesk) -> None:
    told(desk, commented("PRCIE", "701"), commented("prcie!", "702"), commented("Prcie", "703"))
    told(desk, commented("lovely", "704"), wrote("STOP", "702"))
    browser = await logged_in(desk)
    missed = await browser.get("/events/missed")
    assert "/events/missed/answer?kind=" not in missed.text
    _apply(desk.conn, desk, NOW)
    page = await browser.get(_link_to_answer(await browser.get("/events/missed")))
    assert "Answer these 2 people" in page.text
    assert "They asked for no more messages; only START undoes it." in page.text
    assert "lovely" not in page.text
    done = await _answer(browser, page)
    assert done.leads_to == "/events/missed?answered=2&left=0"
    assert _queue(desk) == ["comment_reply", "comment_reply", "private_reply", "private_reply"]
    assert "2 people are answered." in (await browser.get(str(done.leads_to))).text
    again = await _answer(browser, page)  # a second click, or the same page after going back
    assert again.leads_to == "/events/missed?answered=0&left=2"
    assert "Nobody is answered now. 2 were left as they were" in (await browser.get(str(again.leads_to))).text
    assert len(_queue(desk)) == 4
    assert [actor for actor, _ in _audit(desk)] == ["page", "page"]
    assert [_verdict(desk, text) for text in ("prcie!", "lovely")] == ["no_match", "no_match"]


async def test_what_a_flow_refused_is_tried_again_by_the_reason(desk: FrontDesk) -> None:
    paused = FLOWS.replace("  price:\n", "  price:\n    state: paused\n")
    _apply(desk.conn, desk, paused)
    told(desk, commented("price"))
    assert _verdict(desk, "price") == "filtered"
    _apply(desk.conn, desk, FLOWS)
    browser = await logged_in(desk)
    missed = await browser.get("/events/missed")
    (address,) = re.findall(r'href="(/events/missed/answer\?flow=[^"]*)"', missed.text)
    page = await browser.get(address.replace("&amp;", "&"))
    assert "The flow price did not start for these people" in page.text
    await _answer(browser, page)
    assert _verdict(desk, "price") == "started"


@pytest.mark.parametrize(
    "query", ["answered=x&left=1", "answered=1", "answered=9999999&left=1", "answered=-1&left=0"]
)
async def test_numbers_that_the_page_has_not_made_are_not_shown(desk: FrontDesk, query: str) -> None:
    page = await (await logged_in(desk)).get(f"/events/missed?{query}")
    assert "answered." not in page.text


async def test_programs_try_again_within_the_same_rules(desk: FrontDesk) -> None:
    token = ApiToken(new_id(desk.clock.now()), desk.account.id, "test", desk.clock.now(), None)
    desk.database.write(lambda conn: api_tokens.insert(conn, token, tokens.token_hash(TOKEN)))
    told(desk, commented("prcie"))
    event_id = event_of(desk, "prcie")

    async def ask(**body: object) -> tuple[int, dict[str, object]]:
        async with aiohttp.request(
            "POST",
            f"{desk.address}/api/v1/events/{event_id}/replay",
            headers={"authorization": f"Bearer {TOKEN}"},
            json=body,
        ) as answer:
            return answer.status, await answer.json()

    status, refused = await ask()
    assert (status, refused["error"]) == (
        409,
        {"message": "Nothing is sent. No flow has a trigger for it.", "hint": None},
    )
    _apply(desk.conn, desk, NOW)
    status, would = await ask(dry_run=True)
    assert (status, would["tried"], would["verdict"]) == (200, True, "started")
    assert (_verdict(desk, "prcie"), _queue(desk)) == ("no_match", [])
    status, done = await ask()
    assert (status, done["flow"], done["text"]) == (200, "price", "prcie")
    assert (await ask())[0] == 409
    assert (await ask(dry_run=True))[1]["tried"] is False
    assert (await ask(again="yes"))[0] == 400
    assert _audit(desk) == [("api", event_id)]
