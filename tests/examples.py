"""How many examples the random tests try that play whole stories: few with everything else, ten times as many with
`make stories`."""

import os

from hypothesis import HealthCheck, settings

TIMES = int(os.environ.get("STORIES", "1"))


def stories(count: int) -> settings:
    """So many, times `STORIES`."""
    return settings(max_examples=count * TIMES, deadline=None, suppress_health_check=[HealthCheck.too_slow])
