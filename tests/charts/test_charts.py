"""Pictures of numbers: that they say what they show, and show what they say."""

import re
from datetime import date, timedelta
from xml.etree import ElementTree

import pytest

from pamosnik.charts import bars, funnel, letters, sparkline, style, words
from pamosnik.charts.bars import Series
from pamosnik.charts.funnel import Stage

DAYS = ["2026-11-28", "2026-11-29", "2026-11-30"]
HOSTILE = '</title><script>alert("1")</script>&'


def _tree(markup: str) -> ElementTree.Element:
    """Well-formed, and so nothing of a name has become markup."""
    return ElementTree.fromstring(markup)


def _heights(figure: ElementTree.Element, series: str) -> list[float]:
    return [float(r.attrib["height"]) for r in figure.iter("rect") if r.get("class") == series]


def test_bars_are_as_high_as_their_numbers() -> None:
    figure = _tree(
        bars.per_day("Came in", DAYS, [Series("Answered", [2, 0, 8]), Series("Others", [2, 0, 2])])
    )
    svg = next(one for one in figure.iter("svg") if one.get("class") == "bars")
    assert _heights(svg, "s1") == [20, 80]
    assert _heights(svg, "s2") == [20, 20]
    tops = [float(r.attrib["y"]) for r in svg.iter("rect") if r.get("class") == "s2"]
    assert tops == [60, 0], "what stands on something begins where that ends"
    assert svg.get("role") == "img"
    assert svg.findtext("title") == "Came in, 28 Nov to 30 Nov"
    assert svg.findtext("desc") == "14 in all, most on 30 Nov: 10. Answered: 10. Others: 4."
    cells = [cell.text for cell in figure.findall("details/table/tbody/tr/*")]
    assert cells == ["2026-11-30", "8", "2", "2026-11-29", "0", "0", "2026-11-28", "2", "2"]
    assert "30 Nov: 8 answered, 2 others" in [t.text for t in svg.iter("title")]


@pytest.mark.parametrize(
    ("most", "marks"),
    [
        (0, ["2", "1", "0"]),
        (3, ["4", "2", "0"]),
        (60, ["60", "30", "0"]),
        (61, ["80", "40", "0"]),
        (1200, ["2,000", "1,000", "0"]),
    ],
)
def test_a_scale_says_how_high_bars_are(most: int, marks: list[str]) -> None:
    figure = _tree(bars.per_day("Came in", DAYS, [Series("Came in", [0, most, 0])]))
    scale = next(one for one in figure.iter("p") if one.get("class") == "scale")
    assert [mark.text for mark in scale] == marks
    assert scale.get("aria-hidden") == "true"


def test_a_day_on_which_little_happened_is_seen_beside_one_with_much() -> None:
    figure = _tree(bars.per_day("Came in", DAYS, [Series("Came in", [1, 100_000, 0])]))
    small, large = _heights(figure, "s1")
    assert (small > 1, large) == (True, 100)


def test_a_picture_of_many_days_names_their_years_and_of_one_day_says_it_once() -> None:
    many = [f"{date(2025, 10, 28) + timedelta(days=n)}" for n in range(400)]
    figure = _tree(bars.per_day("Came in", many, [Series("Came in", [*range(400)])]))
    assert figure.findtext("div/svg/title") == "Came in, 28 Oct 2025 to 1 Dec 2026"
    assert [one.text for one in figure.findall("div/p[@class='axis']/span")] == ["28 Oct", "16 May", "1 Dec"]
    one_day = _tree(bars.per_day("Came in", DAYS[:1], [Series("Came in", [3])]))
    assert one_day.findtext("div/svg/title") == "Came in, 28 Nov"
    assert [one.text for one in one_day.findall("div/p[@class='axis']/span")] == ["28 Nov"]
    assert "0.0,0.0 100.0,0.0" in sparkline.sparkline("Started", [3]), "a line, for a point is not seen"


def test_nothing_is_a_picture_too() -> None:
    figure = _tree(bars.per_day("Came in", DAYS[:1], [Series("Came in", [0])]))
    assert _heights(figure, "s1") == []
    assert "Nothing yet." in "".join(figure.itertext())
    assert "0.0" in sparkline.sparkline("Started", [0])
    assert "–" in funnel.funnel("Of all", [Stage("Started", 0), Stage("Sent", 0)])


def test_names_stay_names() -> None:
    for made in (
        bars.per_day(HOSTILE, DAYS, [Series(HOSTILE, [1, 2, 3]), Series(HOSTILE, [1, 2, 3])]),
        sparkline.sparkline(HOSTILE, [1, 2]),
        funnel.funnel(HOSTILE, [Stage(HOSTILE, 1)]),
    ):
        assert HOSTILE in "".join(_tree(made).itertext())


def test_no_picture_needs_what_the_pages_forbid() -> None:
    made = "".join(
        (
            bars.per_day("Came in", DAYS, [Series("Answered", [1, 2, 3])]),
            sparkline.sparkline("Started", [1, 2]),
            funnel.funnel("Of all", [Stage("Started", 1)]),
        )
    )
    assert not re.search(r"style=|<style|<script|href|url\(|\bid=", made)
    assert "url(" not in style.STYLE
    assert "@import" not in style.STYLE


def test_a_line_ends_where_its_last_number_is() -> None:
    line = _tree(sparkline.sparkline("Started", [0, 4, 2]))
    polyline = line.find("polyline")
    assert polyline is not None
    assert polyline.get("points") == "0.0,20.0 50.0,0.0 100.0,10.0"
    assert line.findtext("title") == "Started per day for 3 days: at most 4, on the last 2"


def test_a_funnel_counts_shares_of_its_first_stage() -> None:
    table = _tree(funnel.funnel("Of all", [Stage("Started", 1200), Stage("Sent", 300), Stage("Seen", 1)]))
    rows = [[cell.text for cell in row][:3] for row in table.findall("tbody/tr")]
    assert rows == [["Started", "1,200", "100 %"], ["Sent", "300", "25 %"], ["Seen", "1", "< 1 %"]]
    assert [r.attrib["width"] for r in table.iter("rect") if r.get("class") == "s1"] == [
        "100.0",
        "25.0",
        "0.1",
    ]


@pytest.mark.parametrize(
    ("n", "of", "said"),
    [
        (0, 0, "–"),
        (0, 5, "0 %"),
        (5, 5, "100 %"),
        (999, 1000, "> 99 %"),
        (1, 1000, "< 1 %"),
        (1, 3, "33 %"),
        (3, 2, "–"),
    ],
)
def test_shares(n: int, of: int, said: str) -> None:
    assert words.share(n, of) == said


def test_bars_of_letters() -> None:
    assert letters.bar(4, 8, 10) == "█████"
    assert letters.bar(1, 1000, 10) == "▏"
    assert letters.bar(0, 8, 10) == letters.bar(0, 0, 10) == ""
    assert letters.bar(1, 1000, 10, ascii_only=True) == "#"
    assert letters.bar(8, 8, 10, ascii_only=True) == "#" * 10
    assert words.month("2026-11") == "November 2026"


def test_a_line_of_letters_is_as_high_as_its_numbers() -> None:
    assert letters.sparkline([0, 1, 4, 8]) == "·▁▄█"
    assert letters.sparkline([0, 1, 1000], ascii_only=True) == ".-#"
    assert letters.sparkline([0, 0]) == "··"
    assert letters.sparkline([]) == ""
