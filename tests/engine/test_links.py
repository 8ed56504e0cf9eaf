"""Addresses in messages become tracked ones, as long as the message still fits."""

from dataclasses import replace

import pytest

from pamosnik.engine.decide import decide
from pamosnik.engine.links import Tracker
from pamosnik.instagram import limits
from pamosnik.model.addresses import addresses
from pamosnik.model.decision import SendMessage, Started, Tracking
from tests.engine.shop import NOW, anna, facts, run, steps

BASE = "https://rose.example/l/"
TRACKING = Tracking(BASE, "5eed")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Here: https://shop.example/prices.", ["https://shop.example/prices"]),
        ("(see https://shop.example/a_(b)), ok?", ["https://shop.example/a_(b)"]),
        ("HTTPS://SHOP.example/x?y=1&z=2!", ["HTTPS://SHOP.example/x?y=1&z=2"]),
        ("详见https://shop.example/价格。谢谢", ["https://shop.example/价格"]),
        ("“https://shop.example/” or http://b.example", ["https://shop.example/", "http://b.example"]),
        ("shop.example, www.shop.example, ftp://x.example, https:// and https://...", []),
    ],
)
def test_addresses_in_a_text(text: str, found: list[str]) -> None:
    assert addresses(text) == found


def _sent(lines: str, tracking: Tracking | None = TRACKING, top: str = "") -> SendMessage:
    made, flow = steps(lines, top)
    known = replace(facts(made, anna()), tracking=tracking)
    decision = decide(flow, run(flow), Started(), known, NOW)
    [message] = [effect for effect in decision.effects if isinstance(effect, SendMessage)]
    return message


_LINES = """\
      - send:
          text: "Look: {prices}, {prices} or https://shop.example/prices/new!"
          buttons:
            - { label: Shop, url: "{prices}", name: shop }
            - { label: More, do: [{ tag: more }] }"""
_SILENT = "disclosure: false"
_TOP = 'facts: { prices: "https://shop.example/prices" }'


def test_buttons_and_text_lead_through_us() -> None:
    message = _sent(_LINES, top=_TOP)
    assert [(link.address, link.name) for link in message.links] == [
        ("https://shop.example/prices", "shop"),
        ("https://shop.example/prices", None),
        ("https://shop.example/prices/new", None),
    ]
    shop, prices, new = (f"{BASE}{link.token}" for link in message.links)
    assert message.content.text == f"Look: {prices}, {prices} or {new}!"
    assert [button.url for button in message.content.buttons] == [shop, None]
    assert message.content.spelled_out == f"{message.content.text}\nShop: {shop}\nReply: More"


def test_nothing_is_tracked_without_a_public_address_or_when_the_flow_says_so() -> None:
    off = _LINES.replace("          text:", "          track_links: false\n          text:")
    for message in (_sent(_LINES, None, _TOP), _sent(off, top=_TOP)):
        assert message.links == ()
        assert message.content.buttons[0].url == "https://shop.example/prices"
        assert message.content.text == (
            "Look: https://shop.example/prices, https://shop.example/prices or https://shop.example/prices/new!"
        )


_FIELD = """\
disclosure: false
fields: { site: url }
facts: { shop: "https://shop.example/a/", prices: "https://shop.example/prices" }"""
_HOSTILE = "https://evil.example/ &x=1#y https://shop.example/ż"


def _to_somebody(lines: str, text: str = _HOSTILE, site: str = "https://evil.example/") -> SendMessage:
    made, flow = steps(lines, _FIELD)
    known = replace(facts(made, replace(anna(), fields={"site": site})), tracking=TRACKING)
    begun = run(flow)
    begun = replace(begun, origin=replace(begun.origin, text=text))
    decision = decide(flow, begun, Started(), known, NOW)
    [message] = [effect for effect in decision.effects if isinstance(effect, SendMessage)]
    return message


@pytest.mark.parametrize("url", ["{site|x}", "{text|x}", "https://{text|x}/", "https://shop.example{text|x}"])
def test_where_a_person_says_a_link_leads_our_name_does_not_stand(url: str) -> None:
    """An open redirect otherwise: they write any address, and get one of ours that leads there."""
    text = ".evil.example/" if "{text" in url else ""
    message = _to_somebody(
        f"""\
      - send:
          text: "You wrote {{text|-}}, see {{prices}} and {{site|-}}"
          buttons: [{{ label: Open, url: "{url}" }}]""",
        text or _HOSTILE,
    )
    assert {link.address for link in message.links} <= {
        "https://shop.example/prices",
        "https://shop.example/ż",
    }
    assert message.content.text is not None
    assert message.content.text.endswith(" and https://evil.example/")


def test_what_people_write_is_escaped_within_an_address() -> None:
    message = _to_somebody(
        """\
      - send:
          text: "{text|-}: {shop}?q={text|-}&s={site|-}."
          buttons: [{ label: Open, url: "{shop}{text|a b}/?n={site|-}&p={prices}" }]""",
        "ż &x=1#y\r\nA: b",
    )
    escaped = "%C5%BC%20%26x%3D1%23y%0D%0AA%3A%20b"
    assert [link.address for link in message.links] == [
        f"https://shop.example/a/{escaped}/?n=https%3A%2F%2Fevil.example%2F&p=https://shop.example/prices",
        f"https://shop.example/a/?q={escaped}&s=https%3A%2F%2Fevil.example%2F",
    ]
    assert message.content.text is not None
    assert message.content.text.startswith("ż &x=1#y")


def test_the_question_of_an_ask_keeps_its_addresses() -> None:
    message = _sent('      - ask: { question: "Seen https://shop.example ?" }')
    assert (message.content.text, message.links) == ("Seen https://shop.example ?", ())


def test_an_address_that_leaves_no_room_stays_as_it_is() -> None:
    filler = "x" * (limits.TEXT_BYTES - len("https://a.example/  https://b.example/ab"))
    long = Tracking("https://a-rather-long-name-of-a-tunnel.example/l/", "5eed")
    message = _sent(f'      - send: "https://a.example/ {filler} https://b.example/ab"', long, _SILENT)
    assert message.content.text == f"https://a.example/ {filler} https://b.example/ab"
    assert message.links == ()


def test_an_address_that_was_cut_leads_nowhere() -> None:
    message = _sent(f'      - send: "{"ż" * 480} https://shop.example/{{text|x}}/{"y" * 15}"', top=_SILENT)
    assert message.content.text is not None
    assert len(message.content.text.encode()) <= limits.TEXT_BYTES
    assert message.links == ()


def test_what_is_no_web_address_or_ours_already_is_left_alone() -> None:
    tracker = Tracker(TRACKING, "r1|1|do.0")
    for address in ("javascript:alert(1)", f"{BASE}x", "tel:+48123"):
        assert tracker.address(address) == address
    assert tracker.links == ()


def test_tokens_differ_by_run_turn_step_and_seed() -> None:
    made = set()
    for seed in ("a", "b"):
        for place in ("r1|1|do.0", "r2|1|do.0", "r1|2|do.0", "r1|1|do.1"):
            made.add(Tracker(Tracking(BASE, seed), place).address("https://shop.example"))
    assert len(made) == 8
    assert {len(address) for address in made} == {len(BASE) + 16}


def test_cards_lead_through_us_in_buttons_and_as_plain_text() -> None:
    lines = """\
      - send:
          cards:
            - title: Roses
              url: "https://shop.example/roses"
              buttons: [{ label: Order, url: "https://shop.example/order", name: order }]"""
    message = _sent(lines)
    assert [(link.address, link.name) for link in message.links] == [
        ("https://shop.example/roses", None),
        ("https://shop.example/order", "order"),
    ]
    roses, order = (f"{BASE}{link.token}" for link in message.links)
    [card] = message.content.cards
    assert (card.url, card.buttons[0].url) == (roses, order)
    assert message.content.spelled_out == f"Roses\n{roses}\nOrder: {order}"
