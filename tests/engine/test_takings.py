"""Which comments of the past flows would have answered privately."""

from datetime import timedelta

from pamosnik.engine.catalog import Catalog
from pamosnik.engine.takings import Asked, Comment, Place, alike, private_replies
from tests.engine.shop import NOW, catalog

FLOWS = """
flows:
  price:
    when: [comment: price]
    limits: { per_person: 1h }
    do: [send: "Here"]
  like:
    when: [comment: nice]
    limits: { per_person: 1h }
    do: [reply_publicly: { one_of: [Thanks, "Thank you", "Nice"] }]
  launch:
    when: [comment: { words: price, post: next }]
    limits: { per_post: once }
    do: [run: more]
  more:
    do: [send: "More"]
"""


def _comment(
    text: str, *, minute: int = 0, who: str = "1", media: str = "m1", parent: str | None = None
) -> Comment:
    return Comment(NOW + timedelta(minutes=minute), who, text, media, parent)


def _taken(made: Catalog, *comments: Comment, bound: dict[str, str] | None = None) -> list[str]:
    place = Place("rose.shop", {}, bound or {})
    (found,) = private_replies([Asked(made, place)], comments, NOW + timedelta(days=1))
    return [flow_id for _, flow_id in found]


def test_only_flows_that_write_count() -> None:
    assert _taken(catalog(FLOWS), _comment("price?"), _comment("nice"), _comment("hello")) == ["price"]


def test_limits_hold_for_each_person_apart() -> None:
    comments = (
        _comment("price"),
        _comment("price", minute=10),
        _comment("price", minute=10, who="2"),
        _comment("price", minute=61),
    )
    assert _taken(catalog(FLOWS), *comments) == ["price", "price", "price"]


def test_posts_and_replies_are_told_apart_as_they_are_for_real() -> None:
    bound = {"launch": "m2"}
    comments = (_comment("price", media="m2"), _comment("price", media="m2", parent="c1", who="2"))
    assert _taken(catalog(FLOWS), *comments, bound=bound) == ["launch"]


def test_a_paused_flow_and_one_that_is_over_take_nothing() -> None:
    for line in ("state: paused", "active: { until: '2026-12-02' }"):
        made = catalog(FLOWS.replace("  price:\n", f"  price:\n    {line}\n"))
        assert _taken(made, _comment("price")) == [], line
    to_come = catalog(FLOWS.replace("  price:\n", "  price:\n    active: { from: '2027-01-01' }\n"))
    assert _taken(to_come, _comment("price")) == ["price"]


def test_other_texts_make_no_other_peak_and_other_words_do() -> None:
    before = catalog(FLOWS)
    assert alike(before, catalog(FLOWS.replace('"Here"', '"There"')), {})
    assert alike(before, catalog(FLOWS.replace("  price:", "  prices:")), {"prices": "price"})
    assert not alike(before, catalog(FLOWS.replace("comment: price", "comment: [price, cost]")), {})
    assert not alike(before, catalog(FLOWS.replace('do: [send: "More"]', "do: [stop]")), {})
