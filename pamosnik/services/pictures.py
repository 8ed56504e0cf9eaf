"""Numbers that `reading` gives, as pictures: the same ones on every page."""

from collections.abc import Mapping, Sequence

from pamosnik.charts import bars, funnel, sparkline
from pamosnik.charts.bars import Series
from pamosnik.charts.funnel import Stage
from pamosnik.services.reading.statistics import ANSWERED, RECEIVED, Day

STAGES = ("started", "sent", "seen", "clicked", "replied", "completed")


def came_in(days: Sequence[Day]) -> str:
    """What flows answered, day by day, and the rest on top of it."""
    answered = [day.counts[ANSWERED] for day in days]
    rest = [day.counts[RECEIVED] - n for day, n in zip(days, answered, strict=True)]
    series = (Series("Answered", answered), Series("Not answered", rest))
    return bars.per_day("What came in", [day.day for day in days], series)


def course(name: str, word: str, days: Sequence[Day]) -> str:
    """How a number went, day by day. `name`: of the number, for people."""
    return sparkline.sparkline(name, [day.counts[word] for day in days])


def stages(total: Mapping[str, int]) -> str:
    """How far runs came."""
    return funnel.funnel(
        "Conversations, each counted once in every stage; one is a person going through a flow. Shares are of those"
        " that started.",
        [Stage(word.capitalize(), total[word]) for word in STAGES],
    )
