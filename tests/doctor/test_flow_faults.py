"""What flows do not keep: words that captions ask for, links behind which nothing is."""

import pytest

from pamosnik.services.doctor.links import of_status
from pamosnik.services.doctor.promise_words import promises
from tests.doctor.clinic import Clinic

pytestmark = pytest.mark.anyio

LINKED = """
version: 1
facts: { catalogue: "https://10.0.0.8/catalogue" }
flows:
  price:
    when: [dm: [price, link]]
    do:
      - send:
          text: "Look at https://10.0.0.7/list or ask, {username|there}."
          buttons:
            - label: The shop
              url: https://nowhere.invalid/shop?key=planted-key
      - send: "It is also at https://shop.example/{username|you}, and the catalogue: {catalogue}."
"""


async def test_a_caption_asks_for_what_no_flow_takes(shop: Clinic) -> None:
    await shop.act("posts", caption="New! Comment GUIDE and I send you the guide. Kommentiere PRICE!")
    found = await shop.look()
    assert (found.bad, found.said.returncode) == (["promises"], 5)
    check = found.one("promises")
    assert "“GUIDE”" in check["message"]
    assert "https://www.instagram.com/" in check["message"]
    assert check["connection"] == "rosas_shop"
    assert check["fix"].startswith('Add under `when:` of a flow: - comment: ["guide"]')
    assert check["fix"].endswith("; then: pamosnik flows apply flows.yaml")
    await shop.apply("""
version: 1
flows:
  guide: { when: [comment: [guide, link, price]], do: [send: "Here."] }
""")
    assert (await shop.look()).status("promises") == "good"


async def test_a_word_for_messages_is_not_kept_by_a_comment(shop: Clinic) -> None:
    await shop.act("posts", caption="DM me LINK")
    check = (await shop.look()).one("promises")
    assert check["status"] == "bad"
    assert '- dm: ["link"]' in check["fix"]


async def test_a_paused_flow_keeps_nothing(shop: Clinic) -> None:
    paused = await shop.run("flows", "pause", "price")
    assert paused.returncode == 0, paused
    check = (await shop.look()).one("promises")
    assert "“LINK”" in check["message"]
    assert "The flow price would take it, but" in check["fix"]


async def test_a_flow_for_another_post_keeps_nothing(shop: Clinic) -> None:
    await shop.apply("""
version: 1
flows:
  link:
    when:
      - comment: { words: [link], post: "https://www.instagram.com/p/OTHERONE/" }
    do: [send: "Here."]
""")
    assert (await shop.look()).one("promises")["status"] == "bad"


async def test_captions_that_are_not_told_are_no_fault(shop: Clinic) -> None:
    await shop.act("faults", fault="bad_parameter_100", endpoint="media", nth=2)
    await shop.act("faults", fault="bad_parameter_100", endpoint="media", nth=1)
    found = await shop.look()
    assert (found.status("promises"), found.said.returncode) == ("skipped", 0)


async def test_no_flow_is_applied(shop: Clinic) -> None:
    await shop.apply("version: 1\nflows: {}\n")
    found = await shop.look()
    assert found.bad == ["flows"]
    assert found.one("flows")["fix"] == "Try: pamosnik flows apply flows.yaml"
    assert (found.status("promises"), found.status("links")) == ("skipped", "skipped")


async def test_links_behind_which_nothing_is(shop: Clinic) -> None:
    await shop.apply(LINKED)
    found = await shop.look()
    told = {check["message"]: check["status"] for check in found.all("links")}
    private = next(message for message in told if "10.0.0.7" in message)
    assert told[private] == "bad"
    assert private.startswith(
        "https://10.0.0.7/list in the flow price (do.0): it leads to 10.0.0.7, in a private"
    )
    assert any("https://10.0.0.8/catalogue in the flow price (do.1)" in message for message in told)
    unknown = next(message for message in told if "nowhere.invalid" in message)
    # Where no name of the internet is known, nobody can say that this one is none.
    assert told[unknown] in ("bad", "note")
    assert "planted-key" not in found.said.stdout
    assert "shop.example" not in found.said.stdout


def test_what_a_server_answers() -> None:
    told = {status: of_status(status) for status in (200, 302, 403, 404, 410, 429, 500, 503)}
    assert [status for status, why in told.items() if why is not None] == [404, 410, 500, 503]
    assert told[410] == "nothing is there (410)"


@pytest.mark.parametrize(
    ("caption", "asked"),
    [
        ("Comment PRICE below and I'll DM you the list!", [("PRICE", "comment")]),
        ('Comment "price" 👇', [("price", "comment")]),
        ("comment the word guide for the link", [("guide", "comment")]),
        ("Comment LINK or SHOP to get it", [("LINK", "comment"), ("SHOP", "comment")]),
        ("Comment FREE GUIDE 2026 and it is yours", [("FREE GUIDE 2026", "comment")]),
        ("Comment 🔥 for the link", [("🔥", "comment")]),
        ("DM me GUIDE", [("GUIDE", "dm")]),
        ("Drop PRICE in the comments", [("PRICE", "comment")]),
        ("Kommentiere PREIS und du bekommst sie", [("PREIS", "comment")]),
        ("Schreib „Preis“ in die Kommentare", [("Preis", "comment")]),
        ("Schreib mir PREIS per DM", [("PREIS", "dm")]),
        ("PREIS kommentieren!", [("PREIS", "comment")]),
        ("Comenta PRECIO y te lo mando", [("PRECIO", "comment")]),
        ("Escribe la palabra receta en comentarios", [("receta", "comment")]),
        ("Mándame un DM con GUIA", [("GUIA", "dm")]),
        ("Skomentuj CENA, a wyślę", [("CENA", "comment")]),
        ("Dla cennika napisz: CENA", [("CENA", "comment")]),
        ("Napisz CENA w wiadomości prywatnej", [("CENA", "dm")]),
        ("Leave a comment and tell me", []),
        ("COMMENT BELOW TO WIN A PRIZE", []),
        ("New drop FRIDAY 20:00", []),
        ("We reply ASAP", []),
        ("Best comment WINS", []),
        ("Kommentiert mal: was denkt IHR?", []),
    ],
)
def test_what_captions_promise(caption: str, asked: list[tuple[str, str]]) -> None:
    assert [(one.word, one.kind) for one in promises(caption)] == asked
