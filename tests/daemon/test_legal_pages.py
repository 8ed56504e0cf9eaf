"""The legal pages over real HTTP: for anybody, in the operator's name, changed by the operator alone."""

from pathlib import Path

import pytest

from pamosnik.services import legal
from tests.daemon.front_desk import Answer, Browser, FrontDesk, front_desk
from tests.daemon.shop import EMAIL

pytestmark = pytest.mark.anyio

LOGIN = "/login?back=/account/legal"
PAGES = ("privacy", "terms", "data-deletion")


async def editor(desk: FrontDesk, email: str = EMAIL) -> tuple[Browser, str]:
    """Somebody who is logged in, and the token of their forms."""
    browser = desk.browser()
    await browser.log_in(email)
    return browser, await browser.csrf("/account")


async def publishes(
    desk: FrontDesk, who: tuple[Browser, str], name: str, body: str, *, on: str = "", do: str = "publish"
) -> Answer:
    browser, csrf = who
    return await browser.post(f"/account/legal/{name}", {}, csrf=csrf, body=body, on=on, do=do)


async def test_anybody_reads_them_without_a_cookie(tmp_path: Path) -> None:
    async with front_desk(tmp_path, public_url="https://shop.example") as desk:
        for name in PAGES:
            page = await desk.browser().get(f"/{name}")
            assert (page.status, page.cookies) == (200, ())
            assert page.headers["Cache-Control"] == "no-cache"
            assert page.headers["X-Robots-Tag"] == "all"
            again = await desk.browser(If_None_Match=page.headers["ETag"]).get(f"/{name}")
            assert (again.status, again.text) == (304, "")
            assert legal.TITLES[name] in page.text
            assert "in effect since 30 November 2026" in page.text
            assert f'href="mailto:{EMAIL}"' in page.text
            assert "{" not in page.text
            assert f'href="/{name}"' in (await desk.browser().get("/login")).text
            for unknown in ("0", "1", "2026-11-29", "x" * 300, "%00"):
                assert (await desk.browser().get(f"/{name}/{unknown}")).status == 404
        privacy = (await desk.browser().get("/privacy")).text
        for period in ("taps), and what was made of it: 30 days", "90 days after it was sent", ": 365 days"):
            assert period in privacy
        assert "https://shop.example/deletion/CODE" in (await desk.browser().get("/data-deletion")).text


async def test_a_hostile_name_is_a_name(tmp_path: Path) -> None:
    async with front_desk(tmp_path) as desk:
        desk.database.write(
            lambda conn: conn.execute(
                "UPDATE accounts SET name='<script>alert(1)</script> {email} **b** [a](/b)'"
            )
        )
        page = (await desk.browser().get("/terms")).text
        assert "&lt;script&gt;alert(1)&lt;/script&gt; {email} **b** [a](/b)" in page
        assert "<script" not in page


async def test_without_an_account_the_page_says_what_is_missing(tmp_path: Path) -> None:
    async with front_desk(tmp_path) as desk:
        desk.database.write(lambda conn: conn.execute("UPDATE accounts SET status='deleting'"))
        for name in PAGES:
            page = await desk.browser().get(f"/{name}")
            assert page.status == 200
            assert "PAMOSNIK_OPERATOR_NAME" in page.text
            assert EMAIL not in page.text


async def test_texts_are_published_announced_kept_and_taken_back(tmp_path: Path) -> None:
    async with front_desk(tmp_path) as desk:
        rosa = await editor(desk)
        looked = await publishes(desk, rosa, "terms", "## Ours\n\n{operator} <i>", do="preview")
        assert "Rosa &lt;i&gt;" in looked.text
        assert "Ours" not in (await desk.browser().get("/terms")).text
        done = await publishes(desk, rosa, "terms", "## Ours\n\n{operator} <i>")
        assert done.leads_to == "/account/legal#terms"
        assert "Published." in (await rosa[0].get("/account/legal")).text
        desk.later(days=2)
        assert (await publishes(desk, rosa, "terms", "## Newer", on="2026-12-20")).status == 303
        now = (await desk.browser().get("/terms")).text
        assert "<h2>Ours</h2>" in now
        assert "On 20 December 2026 a new text comes into effect" in now
        assert "<h2>Newer</h2>" in now
        assert (await desk.browser().get("/terms/2")).status == 404, "it does not hold yet"
        desk.later(days=19)
        rosa = await editor(desk)
        now = (await desk.browser().get("/terms")).text
        assert "in effect since 20 December 2026" in now
        for key, span in (
            ("1", "30 November 2026 – 20 December 2026"),
            ("2026-11-30", "30 November 2026, 01:00 – 10:00"),
        ):
            assert f'<a href="/terms/{key}">{span}</a>' in now
        first = (await desk.browser().get("/terms/1")).text
        assert "This is an earlier text" in first
        assert "in effect 30 November 2026 – 20 December 2026" in first
        assert (await publishes(desk, rosa, "terms", "", do="default")).status == 303
        assert "What is not promised" in (await desk.browser().get("/terms")).text
        assert "<h2>Newer</h2>" in (await desk.browser().get("/terms/2")).text
        published = [action for action in desk.actions() if action.startswith("legal")]
        assert published == ["legal text published: terms"] * 3


async def test_texts_of_one_day_are_told_apart_by_the_clock(tmp_path: Path) -> None:
    async with front_desk(tmp_path) as desk:
        rosa = await editor(desk)
        for words in ("## First", "## Second", "## Third"):
            assert (await publishes(desk, rosa, "terms", words)).status == 303
            desk.later(minutes=7)
        now = (await desk.browser().get("/terms")).text
        assert "in effect since 30 November 2026" in now
        for key, span in (
            ("2026-11-30", "30 November 2026, 01:00 – 10:00"),
            ("1", "30 November 2026, 10:00 – 10:07"),
            ("2", "30 November 2026, 10:07 – 10:14"),
        ):
            assert f'<a href="/terms/{key}">{span}</a>' in now
        assert "in effect 30 November 2026, 10:07 – 10:14" in (await desk.browser().get("/terms/2")).text


async def test_what_is_refused_is_shown_again_and_not_published(tmp_path: Path) -> None:
    async with front_desk(tmp_path) as desk:
        rosa = await editor(desk)
        for body, on, problem in (
            ("", "", "The text is empty."),
            ("Hi {nobody}", "", "There is no placeholder {nobody}."),
            ("Hi", "2026-11-29", "The day is over"),
            ("ö" * (legal.LONGEST + 1), "", "it can have 30000"),
        ):
            refused = await publishes(desk, rosa, "terms", body, on=on)
            assert (refused.status, problem in (refused.problem or "")) == (422, True), problem
            assert f"\n{body}</textarea>" in refused.text
        assert (await publishes(desk, rosa, "terms", "🌷" * legal.LONGEST)).status == 303
        assert (await publishes(desk, rosa, "terms", "🌷" * (legal.LONGEST + 3000))).status == 413


async def test_only_the_operator_with_the_pages_own_form_changes_them(tmp_path: Path) -> None:
    async with front_desk(tmp_path) as desk:
        anna = await editor(desk, desk.second_account().email)
        rosa = await editor(desk)
        before = desk.actions()
        told = await anna[0].get("/account/legal")
        assert "this account cannot change them" in told.text
        assert "Change…" not in told.text
        for name in PAGES:
            assert (await anna[0].get(f"/account/legal/{name}")).status == 403
            for do in ("publish", "preview", "default"):
                assert (await publishes(desk, anna, name, "Annas", do=do)).status == 403
            assert (await publishes(desk, (rosa[0], anna[1]), name, "Annas")).status == 403
            assert (await publishes(desk, (rosa[0], ""), name, "Annas")).status == 403
            assert (await publishes(desk, (desk.browser(), rosa[1]), name, "Annas")).status == 303
            assert (await desk.browser().get(f"/account/legal/{name}")).leads_to == LOGIN
            assert "Annas" not in (await desk.browser().get(f"/{name}")).text
        assert desk.actions() == before
        for unknown in ("imprint", "privacy/1", "..%2f"):
            assert (await rosa[0].get(f"/account/legal/{unknown}")).status == 404
