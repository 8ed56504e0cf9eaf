"""Triggers beside words: shared posts, reactions, links, ads, live comments."""

import pytest

from pamosnik.engine.catalog import Catalog, Posts, came_from
from pamosnik.engine.choose import Nobody, Person, Start, choose
from pamosnik.engine.match import Heard
from pamosnik.model.condition import CameFrom
from pamosnik.model.event import Event, EventKind
from tests.engine.shop import NOW, anna, catalog, event, facts

_SAY = "do: [{ send: Hi }]"


def _shop(**flows: str) -> Catalog:
    return catalog("flows:\n" + "".join(f"  {name}: {{ {keys}, {_SAY} }}\n" for name, keys in flows.items()))


def _taken(known: Catalog, happened: Event, posts: Posts | None = None) -> str:
    """The flow that starts, or the verdict."""
    found, _ = choose(
        happened,
        Heard.of(happened.incoming.text),
        known,
        Person(facts(known.book, anna()), first_message=False),
        tap=None,
        posts=posts or Posts(),
        now=NOW,
    )
    assert isinstance(found, Start | Nobody)
    return found.flow.id if isinstance(found, Start) else found.verdict.value


def _reaction(emoji: str) -> Event:
    return event(EventKind.REACTION, emoji, emoji=emoji)


def test_a_live_comment_is_no_comment() -> None:
    known = _shop(
        live="when: { live_comment: price }, limits: once", post="when: { comment: price }, limits: once"
    )
    assert _taken(known, event(EventKind.LIVE_COMMENT, "Price?", comment_id="1")) == "live"
    assert _taken(known, event(EventKind.COMMENT, "Price?", comment_id="1")) == "post"
    assert _taken(known, event(EventKind.LIVE_COMMENT, "hello", comment_id="1")) == "no_match"


def test_a_named_post_goes_before_any() -> None:
    known = _shop(
        any="when: shared_post",
        number="when: { shared_post: '9' }",
        link="when: { shared_post: 'https://instagram.com/p/Abc/' }",
    )
    assert _taken(known, event(EventKind.SHARED_POST, media_id="9")) == "number"
    assert _taken(known, event(EventKind.SHARED_POST, media_id="8"), Posts("Abc")) == "link"
    assert _taken(known, event(EventKind.SHARED_POST)) == "any"


def test_only_flows_that_could_take_it_ask_for_a_post() -> None:
    known = _shop(link="when: { shared_post: 'https://instagram.com/p/Abc/' }")
    assert known.asks_for_post(event(EventKind.SHARED_POST, media_id="9"), Heard.of(None))
    assert not known.asks_for_post(event(EventKind.SHARED_POST), Heard.of(None))
    assert not known.asks_for_post(event(EventKind.COMMENT, "x", media_id="9"), Heard.of("x"))


@pytest.mark.parametrize(
    ("written", "shown"),
    [("❤️", "❤"), ("❤", "❤️"), ("love", "❤️"), ("❤️", "love"), ("👍🏽", "👍"), ("1️⃣", "1\u20e3")],
)
def test_the_same_emoji(written: str, shown: str) -> None:
    known = _shop(some="when: reaction", this=f"when: {{ reaction: '{written}' }}")
    assert _taken(known, _reaction(shown)) == "this"
    assert _taken(known, _reaction("🔥")) == "some"


def test_a_reaction_that_nobody_waits_for_is_noted() -> None:
    known = _shop(this="when: { reaction: ❤️ }", words="when: { dm: 🔥 }", rest="when: anything_else")
    assert _taken(known, _reaction("🔥")) == "noted"


def test_a_door_goes_before_the_words_that_came_with_it() -> None:
    known = _shop(
        words="when: { dm: price }",
        anywhere="when: link",
        flyer="when: { link: flyer7 }",
        ad="when: { ad: '2385' }",
        ads="when: ad",
    )
    assert _taken(known, event(text="price", ref="flyer7")) == "flyer"
    assert _taken(known, event(text="price", ref="")) == "anywhere"
    assert _taken(known, event(EventKind.REFERRAL, ref="flyer8")) == "anywhere"
    assert _taken(known, event(EventKind.POSTBACK, "Book", ref="flyer7")) == "flyer"
    assert _taken(known, event(text="price", ref="flyer7", ad_id="2385")) == "ad"
    assert _taken(known, event(text="price", ad_id="")) == "ads"
    assert _taken(known, event(text="price")) == "words"
    assert _taken(known, event(EventKind.COMMENT, "price", comment_id="1", ad_id="2385")) == "no_match"


@pytest.mark.parametrize(
    ("happened", "expected"),
    [
        (event(text="Hi", ref=""), CameFrom.LINK),
        (event(text="Hi", ref="autumn", ad_id="2385"), CameFrom.AD),
        (event(EventKind.LIVE_COMMENT, "Hi"), CameFrom.COMMENT),
        (event(EventKind.COMMENT, "Hi", ad_id="2385"), CameFrom.COMMENT),
        (event(EventKind.STORY_MENTION), CameFrom.STORY),
        (event(EventKind.REACTION), CameFrom.DM),
    ],
)
def test_where_they_came_from(happened: Event, expected: CameFrom) -> None:
    assert came_from(happened) is expected
