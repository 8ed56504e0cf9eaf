"""QR codes of addresses, for the screen, for print and for the web. Level M: readable with 15 % of it covered."""

import io

import segno

_BORDER = 4
"""Modules of quiet zone around it, as ISO/IEC 18004 asks."""
_PIXELS = 16
"""Of one module: a link's code is some 600 pixels wide, sharp on a flyer."""
_BLOCKS = {(False, False): "█", (False, True): "▀", (True, False): "▄", (True, True): " "}
"""Two modules, one above the other (true is dark), drawn light on dark."""


def _code(text: str) -> segno.QRCode:
    return segno.make_qr(text, error="m")


def png(text: str) -> bytes:
    written = io.BytesIO()
    _code(text).save(written, kind="png", scale=_PIXELS, border=_BORDER)
    return written.getvalue()


def svg(text: str) -> bytes:
    """A document of its own, black on white, also where the page around it is dark."""
    written = io.BytesIO()
    _code(text).save(
        written, kind="svg", scale=_PIXELS, border=_BORDER, dark="#000", light="#fff", title=text, unit=None
    )
    return written.getvalue()


def inline(text: str) -> str:
    """A picture within a page, with the text as its name; it is as wide as the page lets it be."""
    return (
        _code(text)
        .svg_inline(border=_BORDER, dark="#000", light="#fff", omitsize=True, title=f"QR code of {text}")
        .replace("<svg ", '<svg role="img" ', 1)
    )


def blocks(text: str) -> str:
    """Lines of half blocks that draw the light modules: for a light pen on a dark ground."""
    modules = [tuple(bool(one) for one in row) for row in _code(text).matrix_iter(border=_BORDER)]
    if len(modules) % 2:
        modules.append((True,) * len(modules[0]))  # below the quiet zone: not drawn
    pairs = zip(modules[::2], modules[1::2], strict=True)
    return "\n".join("".join(_BLOCKS[pair] for pair in zip(*rows, strict=True)) for rows in pairs)
