"""Bars of letters, for terminals."""

_EIGHTHS = " ▏▎▍▌▋▊▉"


def bar(n: int, most: int, width: int, *, ascii_only: bool = False) -> str:
    """As long as `n` is of `most`, which fills `width` columns; whatever is more than nothing shows."""
    if n <= 0 or most <= 0:
        return ""
    if ascii_only:
        return "#" * max(round(width * min(n, most) / most), 1)
    eighths = max(round(8 * width * min(n, most) / most), 1)
    return "█" * (eighths // 8) + _EIGHTHS[eighths % 8].strip()
