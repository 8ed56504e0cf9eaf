"""Whether the ways of a `split` differ by more than chance, in a sentence."""

import pytest

from pamosnik.services.reading.flow_splits import Share, by_chance, compared, sentence


@pytest.mark.parametrize(
    ("shares", "said"),
    [
        (
            [("A", 29, 20), ("B", 400, 4)],
            "Too early to say: each way needs at least 30 people, and A has 29.",
        ),
        ([("A", 0, 0), ("B", 0, 0)], "Too early to say: each way needs at least 30 people, and A has 0."),
        ([("A", 40, 2), ("B", 40, 1)], "Too early to say: too few have completed"),
        ([("A", 40, 40), ("B", 40, 40)], "Too early to say: too few have completed, or too few have not"),
        ([("A", 100, 31), ("B", 100, 30)], "No difference to rely on yet: A is ahead, 31% against 30% of B"),
        ([("A", 200, 60), ("B", 200, 100)], "B completes more often, 50% against 30% of A"),
    ],
)
def test_what_is_said_of_two_ways(shares: list[tuple[str, int, int]], said: str) -> None:
    assert sentence([Share(*one) for one in shares]).startswith(said)


def test_the_chance_is_that_of_the_test_of_two_proportions() -> None:
    """Compared with the tables of a textbook: z = 1.96 is 5 in 100."""
    # 50 and 64 of 100 have a common rate of 0.57; z = 0.14 / sqrt(0.57 * 0.43 * 2 / 100) = 1.9996.
    assert by_chance(Share("A", 100, 50), Share("B", 100, 64)) == pytest.approx(0.0455, abs=0.0003)
    assert by_chance(Share("A", 100, 50), Share("B", 100, 50)) == 1.0


def test_of_three_ways_the_difference_must_be_larger() -> None:
    """Whoever compares more ways finds a difference by chance more often."""
    two = [Share("A", 100, 50), Share("B", 100, 64)]
    assert "completes more often" in sentence(two)
    assert "No difference to rely on yet" in sentence([*two, Share("C", 100, 40)])


def test_ways_that_nobody_took_are_there_too() -> None:
    (made,) = compared([("A", "B")], {"A": {"started": 3, "completed": 1}, "gone": {"started": 9}})
    assert made.shares == (Share("A", 3, 1), Share("B", 0, 0))
    assert (made.shares[0].rate, made.shares[1].rate) == (1 / 3, None)
