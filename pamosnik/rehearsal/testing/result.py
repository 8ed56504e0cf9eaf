"""What a test came to."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from pamosnik.flows.written_tests import FlowTest, Place
from pamosnik.rehearsal.happenings import Happening
from pamosnik.rehearsal.walks import Walk


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a test does not pass: something expected is not so, or a step cannot be done."""

    place: Place
    step: Place
    """Where the step stands; of several expectations each has a place of its own."""
    what: str
    """The key of `expect`, or the kind of step."""
    expected: str | None
    """None: nothing was expected, the step itself could not be done."""
    got: str
    hint: str | None = None

    @property
    def sentence(self) -> str:
        """In one line."""
        said = self.got if self.expected is None else f"expected {self.expected}, got {self.got}"
        return " ".join(said.split())


@dataclass(frozen=True, slots=True)
class Result:
    test: FlowTest
    failures: tuple[Failure, ...]
    """Of the step that failed first: the test ends there."""
    happened: tuple[Happening, ...] = ()
    advice: Mapping[str, str] = field(default_factory=dict)
    """Event that no flow took → what would help."""
    walks: tuple[Walk, ...] = ()
    people: tuple[str, ...] = ()
    """Who the test plays with."""
    shop: str = ""
    zone: ZoneInfo = field(default_factory=lambda: ZoneInfo("UTC"))
    """In which its times are told."""

    @property
    def passed(self) -> bool:
        return not self.failures
