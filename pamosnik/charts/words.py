"""Numbers and days as people read them on a chart."""

from datetime import date


def number(n: int) -> str:
    """`12,345`"""
    return f"{n:,}"


def share(n: int, of: int) -> str:
    """`42 %`; of nothing there is no share: `–`, and more than all is none: some of it began before. More than
    nothing is never 0 %, less than all never 100 %."""
    if not of or n > of:
        return "–"
    percent = round(100 * n / of)
    if n and not percent:
        return "< 1 %"
    if n < of and percent == 100:
        return "> 99 %"
    return f"{percent} %"


def day(written: str) -> str:
    """`3 Nov` of 2026-11-03, whatever language the machine speaks."""
    found = date.fromisoformat(written)
    return f"{found.day} {_MONTHS[found.month - 1][:3]}"


def span(first: str, last: str) -> str:
    """`3 Nov to 2 Dec`; with the years where they differ."""
    if first == last:
        return day(first)
    if first[:4] == last[:4]:
        return f"{day(first)} to {day(last)}"
    return f"{day(first)} {first[:4]} to {day(last)} {last[:4]}"


def month(written: str) -> str:
    """`November 2026` of 2026-11."""
    year, _, number_ = written.partition("-")
    return f"{_MONTHS[int(number_) - 1]} {year}"


_MONTHS = (
    *("January", "February", "March", "April", "May", "June", "July"),
    *("August", "September", "October", "November", "December"),
)
