"""QR codes are read by a decoder that is not ours, as a phone would read them."""

import struct
import zlib
from collections.abc import Sequence
from xml.etree import ElementTree

import zxingcpp
from hypothesis import given
from hypothesis import strategies as st

from pamosnik.charts import qr

USERNAMES = st.from_regex(r"[a-z0-9._]{1,30}", fullmatch=True)
REFS = st.from_regex(r"[A-Za-z0-9_=-]{1,250}", fullmatch=True)
NONE, UP = 0, 2
"""How a line of a PNG is written: as it is, or as what it differs by from the one above."""
LINK = "https://ig.me/m/rosas_shop?ref=flyer"


def _read(rows: Sequence[bytes]) -> str:
    """`rows`: a byte for each pixel, 0 is black."""
    picture = memoryview(b"".join(rows)).cast("B", (len(rows), len(rows[0])))
    (found,) = zxingcpp.read_barcodes(picture)
    return str(found.text)


def _on_screen(drawn: str) -> list[bytes]:
    """Lines of half blocks as a terminal shows them, light letters on a dark ground, enlarged."""
    upper, lower = str.maketrans("█▀▄ ", "1100"), str.maketrans("█▀▄ ", "1010")
    rows = [line.translate(half) for line in drawn.split("\n") for half in (upper, lower)]
    return [bytes(255 * int(one) for one in row for _ in range(4)) for row in rows for _ in range(4)]


def _pixels(png: bytes) -> list[bytes]:
    """Of a picture with one bit for each pixel."""
    assert png.startswith(b"\x89PNG")
    packed, place = b"", 8
    while place < len(png):
        (size,) = struct.unpack(">I", png[place : place + 4])
        kind, data = png[place + 4 : place + 8], png[place + 8 : place + 8 + size]
        if kind == b"IHDR":
            width, height, depth, colour = struct.unpack(">IIBB", data[:10])
        packed += data if kind == b"IDAT" else b""
        place += size + 12
    assert (depth, colour) == (1, 0)
    unpacked, line = zlib.decompress(packed), (width + 7) // 8 + 1
    rows, above = [], bytes(line - 1)
    for start in range(0, len(unpacked), line):
        method, row = unpacked[start], unpacked[start + 1 : start + line]
        assert method in (NONE, UP)
        above = row if method == NONE else bytes((a + b) % 256 for a, b in zip(row, above, strict=True))
        rows.append(bytes(255 * (above[x // 8] >> (7 - x % 8) & 1) for x in range(width)))
    assert len(rows) == height
    return rows


@given(USERNAMES, REFS)
def test_the_code_on_the_screen_leads_where_the_link_leads(username: str, ref: str) -> None:
    link = f"https://ig.me/m/{username}?ref={ref}"
    assert _read(_on_screen(qr.blocks(link))) == link


def test_the_picture_leads_where_the_link_leads() -> None:
    rows = _pixels(qr.png(LINK))
    assert _read(rows) == LINK
    assert len(rows) > 500, "too small for print"
    assert set(rows[0]) == {255}, "no quiet zone"


def test_the_drawing_says_where_it_leads_and_is_light_on_dark_pages_too() -> None:
    drawn = ElementTree.fromstring(qr.svg(LINK))
    ns = "{http://www.w3.org/2000/svg}"
    assert drawn.findtext(f"{ns}title") == LINK
    fills = [one.get("fill") for one in drawn.iter() if one.get("fill")]
    assert fills == ["#fff"]
    assert {one.get("stroke") for one in drawn.iter() if one.get("stroke")} == {"#000"}
