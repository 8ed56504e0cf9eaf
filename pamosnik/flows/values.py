"""What a custom field can hold, written as it is kept: dates as 2026-12-24, numbers with a dot."""

import re
from collections.abc import Mapping
from datetime import date
from typing import cast

from pamosnik.flows.near import nearest
from pamosnik.model.words import fold

_FORMS = {
    "number": (re.compile(r"[-+]?\d+(\.\d+)?"), "Write it like 3 or 12.50."),
    "email": (re.compile(r"[^\s@]+@[^\s@]+\.[^\s@.]{2,}"), "Write it like rosa@shop.example."),
    "phone": (re.compile(r"\+?(?:[\s().\-/]*\d){6,15}\)?"), "Write it like +48 600 100 200."),
    "url": (re.compile(r"https?://[^\s/]+\S*", re.IGNORECASE), "Write it like https://shop.example."),
    "date": (re.compile(r"\d{4}-\d\d-\d\d"), "Write it like 2026-12-24."),
}
_CALLED = {
    "number": "a number",
    "email": "an e-mail address",
    "phone": "a phone number",
    "url": "a web address",
    "date": "a date",
}


def misfit(spec: Mapping[str, object], value: str, *, as_people_type: bool = False) -> tuple[str, str] | None:
    """Why a field of this kind cannot hold a value, and what to write; None when it can, or when nobody knows.

    `as_people_type`: letters of a choice may be large or small, as they are when values are compared.
    """
    kind = str(spec.get("type"))
    if kind == "choice":
        return _no_choice(cast("list[str]", spec.get("choices", [])), value, as_people_type=as_people_type)
    if kind not in _FORMS:
        return None
    form, hint = _FORMS[kind]
    if form.fullmatch(value.strip()) and (kind != "date" or _is_day(value.strip())):
        return None
    return f"is {_CALLED[kind]}, and `{value}` is none", hint


def _no_choice(choices: list[str], value: str, *, as_people_type: bool) -> tuple[str, str] | None:
    known = value in choices or (as_people_type and fold(value) in map(fold, choices))
    if known or not choices:
        return None
    near = nearest(value, choices)
    hint = f"Did you mean `{near}`?" if near else f"Its choices are: {', '.join(choices[:13])}."
    return f"is a choice, and `{value}` is none of its choices", hint


def _is_day(written: str) -> bool:
    try:
        date.fromisoformat(written)
    except ValueError:
        return False
    return True
