"""How old what is known of somebody is, in words."""

from datetime import timedelta

import pytest

from pamosnik.clock import ago


@pytest.mark.parametrize(
    ("passed", "words"),
    [
        (timedelta(seconds=59), "just now"),
        (timedelta(seconds=-5), "just now"),
        (timedelta(seconds=60), "1 minute ago"),
        (timedelta(minutes=119), "119 minutes ago"),
        (timedelta(hours=2), "2 hours ago"),
        (timedelta(hours=47, minutes=59), "47 hours ago"),
        (timedelta(days=2), "2 days ago"),
    ],
)
def test_ages(passed: timedelta, words: str) -> None:
    assert ago(passed) == words
