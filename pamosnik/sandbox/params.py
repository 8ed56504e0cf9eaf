"""Reading what a caller sent: a JSON object, a form, or a query, with types asked for by name.

Form and query values are strings, so a number, a flag or an object may come as one (Graph allows both).
"""

import json
import math
from collections.abc import Mapping

from pamosnik.errors import UsageError


class BadParameter(UsageError):
    """A parameter is missing or not what it has to be."""


def read_object(raw: bytes) -> Mapping[str, object]:
    """A JSON object whose texts are proper Unicode (JSON can hold halves of characters, which no answer could)."""
    if not raw:
        return {}
    try:
        body = json.loads(raw)
        json.dumps(body, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        raise BadParameter("The body is not valid JSON.") from None
    if not isinstance(body, dict):
        raise BadParameter("The body must be a JSON object.")
    return body


class Params:
    """The named values of one request or of one object inside it."""

    def __init__(self, values: Mapping[str, object]) -> None:
        self._values = values

    def __contains__(self, name: str) -> bool:
        return self._values.get(name) is not None

    @property
    def raw(self) -> Mapping[str, object]:
        """The values as they came."""
        return self._values

    def text(self, name: str) -> str:
        value = self._values.get(name)
        if isinstance(value, int) and not isinstance(value, bool):
            return str(value)
        if not isinstance(value, str):
            raise BadParameter(f"The parameter {name} is required.")
        return value

    def string(self, name: str) -> str:
        """A text and no number."""
        if name in self and not isinstance(self._values[name], str):
            raise BadParameter(f"Param {name} must be a string.")
        return self.text(name)

    def text_or_none(self, name: str) -> str | None:
        return self.text(name) if name in self else None

    def flag(self, name: str) -> bool:
        value = self._values.get(name)
        if isinstance(value, bool):
            return value
        words = {"true": True, "1": True, "false": False, "0": False}
        if value is None:
            raise BadParameter(f"The parameter {name} is required.")
        if not isinstance(value, (str, int)) or str(value).lower() not in words:
            raise BadParameter(f"Param {name} must be true or false.")
        return words[str(value).lower()]

    def flag_or(self, name: str, default: bool) -> bool:
        return self.flag(name) if name in self else default

    def integer(self, name: str) -> int:
        try:
            return int(self.text(name))
        except ValueError:
            raise BadParameter(f"Param {name} must be an integer.") from None

    def integer_or(self, name: str, default: int) -> int:
        return self.integer(name) if name in self else default

    def number(self, name: str) -> float:
        value = self._values.get(name)
        try:
            number = value if isinstance(value, float) else float(self.text(name))
        except (ValueError, OverflowError):
            number = math.nan
        if not math.isfinite(number):
            raise BadParameter(f"Param {name} must be a number.")
        return number

    def group(self, name: str) -> "Params":
        value = self._decoded(name)
        if not isinstance(value, dict):
            raise BadParameter(f"Param {name} must be an object.")
        return Params(value)

    def groups(self, name: str) -> "tuple[Params, ...]":
        """An array of objects; a single object counts as an array of one."""
        value = self._decoded(name)
        several = [value] if isinstance(value, dict) else value
        if not isinstance(several, list) or not all(isinstance(one, dict) for one in several):
            raise BadParameter(f"Param {name} must be an array of objects.")
        return tuple(Params(one) for one in several)

    def names(self, name: str) -> tuple[str, ...]:
        """A list of words, as an array or separated by commas; absent = empty."""
        value = self._values.get(name)
        if isinstance(value, list):
            return tuple(str(word) for word in value)
        parts = (self.text_or_none(name) or "").split(",")
        return tuple(word.strip() for word in parts if word.strip())

    def numbers(self, name: str) -> tuple[float, ...]:
        """Finite ones, 0 or more."""
        try:
            several = tuple(float(word) for word in self.names(name))
        except (ValueError, OverflowError):
            several = (math.nan,)
        if not all(math.isfinite(one) and one >= 0 for one in several):
            raise BadParameter(f"Param {name} must be an array of numbers.")
        return several

    def refuse_others(self, *known: str) -> None:
        """Only these names may be present."""
        for name in self._values:
            if name not in known:
                raise BadParameter(f'Invalid keys "{name}" were found.')

    def _decoded(self, name: str) -> object:
        value = self._values.get(name)
        if not isinstance(value, str):
            return value
        try:
            decoded: object = json.loads(value)
            json.dumps(decoded, ensure_ascii=False).encode()
        except (ValueError, RecursionError):
            raise BadParameter(f"Param {name} must be valid JSON.") from None
        return decoded
