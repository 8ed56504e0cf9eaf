"""What a `send` says, message by message: Instagram takes each kind of content alone."""

from dataclasses import replace
from datetime import timedelta

from pamosnik.engine.decide import decide
from pamosnik.engine.payload import from_payload
from pamosnik.model.contact import Contact
from pamosnik.model.decision import Act, Effect, SendMessage, Started
from pamosnik.model.outbox import Action, MediaKind, OutButton, OutMessage
from pamosnik.model.run import RunStatus
from tests.engine.shop import NOW, anna, facts, run, steps

_HATS = """\
      - send:
          cards:
            - title: "Hat for {first_name|you}"
              subtitle: Wool
              image: https://shop.example/hat.png
              url: https://shop.example/hat
              buttons: [{ label: Buy, do: [{ send: A hat! }] }]
            - title: Scarf
              buttons: [{ label: Buy, do: [{ send: A scarf! }] }, { label: See, url: "https://shop.example/s" }]
"""


def _sent(lines: str, *, comment: bool = False, contact: Contact | None = None) -> list[SendMessage]:
    made, flow = steps(lines)
    who = contact or anna()
    found = decide(flow, run(flow, comment=comment), Started(), facts(made, who), NOW)
    return [effect for effect in found.effects if isinstance(effect, SendMessage)]


def _kind(content: OutMessage) -> str:
    if content.media is not None:
        return content.media.kind.value
    return "cards" if content.cards else "images" if content.images else "text"


_ALL = (
    "text: Hi, heart: true, file: 'https://x.example/a.pdf', audio: 'https://x.example/a.m4a',"
    " video: 'https://x.example/a.mp4', image: 'https://x.example/a.png', cards: [{ title: A, subtitle: b }]"
)


def test_the_order_of_what_one_send_says() -> None:
    kinds = [_kind(effect.content) for effect in _sent(f"      - send: {{ {_ALL} }}")]
    assert kinds == ["images", "video", "audio", "file", "text", "cards", "heart"]
    tapped = [_kind(effect.content) for effect in _sent(f"      - send: {{ {_ALL}, chips: [More] }}")]
    assert tapped == ["images", "video", "audio", "file", "cards", "heart", "text"]


def test_after_a_comment_the_text_is_the_private_reply_and_comes_first() -> None:
    sent = _sent(f"      - send: {{ {_ALL}, chips: [More] }}", comment=True)
    kinds = [_kind(effect.content) for effect in sent]
    assert kinds == ["text", "images", "video", "audio", "file", "cards", "heart"]
    assert [effect.private_reply for effect in sent] == [True, *[False] * 6]


def test_a_film_is_no_private_reply_and_leaves_it_to_the_text_after_it() -> None:
    lines = "      - send: { video: 'https://x.example/a.mp4' }\n      - send: Hi"
    film, text = _sent(lines, comment=True, contact=anna(window=False))
    assert (film.private_reply, film.content.media and film.content.media.kind) == (False, MediaKind.VIDEO)
    assert (text.private_reply, text.content.text) == (True, "Hi")


def test_cards_with_buttons_that_lead_on() -> None:
    (sent,) = _sent(_HATS)
    hat, scarf = sent.content.cards
    assert (hat.title, hat.subtitle, hat.image, hat.url) == (
        "Hat for Anna",
        "Wool",
        "https://shop.example/hat.png",
        "https://shop.example/hat",
    )
    target = from_payload(scarf.buttons[0].payload)
    assert target is not None
    assert target.option == "do.0.cards.1.buttons.0"
    assert scarf.buttons[1] == OutButton("See", url="https://shop.example/s")


def test_cards_as_a_private_reply_can_be_said_in_words() -> None:
    (sent,) = _sent(_HATS, comment=True, contact=anna(window=False))
    assert sent.private_reply
    assert sent.content.spelled_out == (
        "Hat for Anna – Wool\nhttps://shop.example/hat\nScarf\nSee: https://shop.example/s\nReply: Buy"
    )


def test_cards_in_words_keep_within_a_message() -> None:
    cards = ", ".join(f"{{ title: '{number}{'ż' * 70}', subtitle: '{'x' * 80}' }}" for number in range(10))
    (sent,) = _sent(f"      - send: {{ cards: [{cards}] }}", comment=True)
    said = sent.content.spelled_out
    assert said is not None
    assert 700 < len(said.encode()) <= 1000
    assert not said.endswith("…")


def test_long_values_are_shortened_on_a_card() -> None:
    made, flow = steps("      - send: { cards: [{ title: '{text|x}!', subtitle: '{text|x}' }] }")
    begun = run(flow)
    begun = replace(begun, origin=replace(begun.origin, text="y" * 200))
    (effect,) = decide(flow, begun, Started(), facts(made, anna()), NOW).effects
    assert isinstance(effect, SendMessage)
    (card,) = effect.content.cards
    assert (len(card.title), card.title[-2:]) == (80, "…!")
    assert card.subtitle is not None
    assert len(card.subtitle) == 80


def test_a_run_waits_for_a_tap_on_a_card() -> None:
    made, flow = steps(_HATS)
    found = decide(flow, run(flow), Started(), facts(made, anna()), NOW)
    assert (found.run.status, found.run.taps_open) == (RunStatus.WAITING, True)


# --- typing and quotes -----------------------------------------------------------------------------------


def _effects(
    lines: str, *, comment: bool = False, window: bool = True, message: str | None = "m1"
) -> list[Effect]:
    made, flow = steps(lines)
    begun = run(flow, comment=comment)
    begun = replace(begun, origin=replace(begun.origin, message_id=message))
    return list(decide(flow, begun, Started(), facts(made, anna(window=window)), NOW).effects)


def test_typing_is_shown_before_the_first_message_only() -> None:
    lines = "      - send: { text: Hi, image: 'https://x.example/a.png', typing: 3s }"
    typing, picture, text = _effects(lines)
    three = timedelta(seconds=3)
    assert typing == Act("do.0", Action.TYPING, within=three)
    assert isinstance(picture, SendMessage)
    assert isinstance(text, SendMessage)
    assert (picture.delay, text.delay) == (three, timedelta())


def test_a_mere_commenter_sees_nobody_typing() -> None:
    lines = "      - send: { text: Hi, typing: 3s }"
    (private,) = _effects(lines, comment=True, window=False, message=None)
    assert isinstance(private, SendMessage)
    assert (private.private_reply, private.delay) == (True, timedelta())


def test_a_quote_hangs_on_the_first_message_where_there_is_one_to_quote() -> None:
    lines = "      - send: { text: Hi, heart: true, quote: true }"
    quoted = [effect.content.reply_to for effect in _effects(lines) if isinstance(effect, SendMessage)]
    assert quoted == ["m1", None]
    (first, _) = _effects(lines, comment=True, window=False, message=None)
    assert isinstance(first, SendMessage)
    assert first.content.reply_to is None
