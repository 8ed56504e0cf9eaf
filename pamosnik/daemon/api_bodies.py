"""What the values of a JSON body may be."""

from collections.abc import Mapping, Sequence

from pamosnik.errors import UsageError

Given = Mapping[str, object]


def text(given: Given, name: str) -> str:
    """Numbers are taken as they are written. Raises `UsageError`, as the others do."""
    value = given.get(name)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    if not isinstance(value, str):
        raise UsageError(f"The key {name} has to be a text.")
    return _storable(value)


def texts(given: Given, name: str) -> Sequence[str]:
    value = given.get(name)
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise UsageError(f"The key {name} has to be an array of texts.")
    return [_storable(one) for one in value]


def named_texts(given: Given, name: str) -> Sequence[tuple[str, str]]:
    """The names and values of an object, in its order."""
    value = given.get(name)
    if not isinstance(value, dict) or not value or not all(isinstance(one, str) for one in value.values()):
        raise UsageError(f"The key {name} has to be an object of texts.")
    return [(_storable(key), _storable(one)) for key, one in value.items()]


def yes_or_no(given: Given, name: str) -> bool:
    """False where it is missing."""
    value = given.get(name, False)
    if not isinstance(value, bool):
        raise UsageError(f"The key {name} has to be true or false.")
    return value


def _storable(text: str) -> str:
    """Halves of surrogate pairs, which JSON can carry and UTF-8 cannot, and NUL are refused."""
    if "\0" in text or any("\ud800" <= char <= "\udfff" for char in text):
        raise UsageError("A text holds characters that cannot be stored.")
    return text
