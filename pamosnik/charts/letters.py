"""Bars and lines of letters, for terminals."""

from collections.abc import Sequence

_EIGHTHS = " ▏▎▍▌▋▊▉"


def bar(n: int, most: int, width: int, *, ascii_only: bool = False) -> str:
    """As long as `n` is of `most`, which fills `width` columns; whatever is more than nothing shows."""
    if n <= 0 or most <= 0:
        return ""
    if ascii_only:
        return "#" * max(round(width * min(n, most) / most), 1)
    eighths = max(round(8 * width * min(n, most) / most), 1)
    return "█" * (eighths // 8) + _EIGHTHS[eighths % 8].strip()


def sparkline(numbers: Sequence[int], *, ascii_only: bool = False) -> str:
    """One letter for each, as high as it is of the highest; a dot where there was nothing."""
    most, letters = max(numbers, default=0), ".-=#" if ascii_only else "·▁▂▃▄▅▆▇█"
    steps = len(letters) - 1
    return "".join(letters[0 if n <= 0 else max(round(steps * n / most), 1)] for n in numbers)
