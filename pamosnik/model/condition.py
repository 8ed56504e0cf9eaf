"""What must be true: of a person, a text, a moment."""

from dataclasses import dataclass
from enum import StrEnum

from pamosnik.model.text import Words


class CameFrom(StrEnum):
    """How a run began, for people: `came_from`."""

    COMMENT = "comment"
    DM = "dm"
    STORY = "story"
    LINK = "link"
    AD = "ad"


class FieldTest(StrEnum):
    """Comparisons of a custom field; `field: {NAME: value}` is `is`."""

    IS = "is"
    IS_NOT = "is_not"
    ONE_OF = "one_of"
    CONTAINS = "contains"
    MORE_THAN = "more_than"
    LESS_THAN = "less_than"
    BEFORE = "before"
    AFTER = "after"
    KNOWN = "known"


@dataclass(frozen=True, slots=True)
class HasTag:
    tag: str


@dataclass(frozen=True, slots=True)
class HasNotTag:
    tag: str


@dataclass(frozen=True, slots=True)
class FieldCondition:
    field: str
    test: FieldTest
    values: tuple[str, ...]
    """One value but for `one_of`; `known` has "true" or "false"."""


@dataclass(frozen=True, slots=True)
class TextCondition:
    words: Words


@dataclass(frozen=True, slots=True)
class FirstTime:
    """This person never started this flow before."""


@dataclass(frozen=True, slots=True)
class WindowOpen:
    """An ordinary message may be sent to this person now."""


@dataclass(frozen=True, slots=True)
class During:
    """These hours, as they are now, are open."""

    hours: str


@dataclass(frozen=True, slots=True)
class Outside:
    """These hours are not open."""

    hours: str


class Known(StrEnum):
    """What can be wanted of something that Instagram tells of a person, or does not tell."""

    TRUE = "true"
    FALSE = "false"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class FollowsMe:
    """The person follows the account."""

    wanted: Known


@dataclass(frozen=True, slots=True)
class Verified:
    """Instagram has verified the person."""

    wanted: Known


@dataclass(frozen=True, slots=True)
class Followers:
    """How many follow the person. Neither number: that is not known."""

    more_than: int | None = None
    less_than: int | None = None


@dataclass(frozen=True, slots=True)
class CameFromCondition:
    origins: tuple[CameFrom, ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    conditions: tuple["Condition", ...]


@dataclass(frozen=True, slots=True)
class AllOf:
    conditions: tuple["Condition", ...]


@dataclass(frozen=True, slots=True)
class NoneOf:
    conditions: tuple["Condition", ...]


Condition = (
    HasTag
    | HasNotTag
    | FieldCondition
    | TextCondition
    | FirstTime
    | WindowOpen
    | FollowsMe
    | Verified
    | Followers
    | During
    | Outside
    | CameFromCondition
    | AnyOf
    | AllOf
    | NoneOf
)
