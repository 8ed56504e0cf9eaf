"""Adding to numbers as fields keep them: digits, not floats, so that 0.1 and 0.2 are 0.3."""

from decimal import Context, Decimal, InvalidOperation

_EXACT = Context(prec=2000)
"""More digits than a message can hold."""


def plus(value: str | None, amount: str) -> str:
    """The sum, written as fields keep numbers. What is not known, or is no number, counts as 0."""
    total = _EXACT.add(_number(value), Decimal(amount))
    if total == total.to_integral_value():
        return f"{int(total)}"
    return f"{total:f}"


def _number(value: str | None) -> Decimal:
    try:
        found = Decimal(value or "0")
    except InvalidOperation:
        return Decimal(0)
    return found if found.is_finite() else Decimal(0)
