"""When an owner is told: whatever happens in whatever order, each thing once, and in the end the truth."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from pamosnik.services import alerts
from pamosnik.services.alerts import APART, MENDED_FOR, Remember, Tell, TellMended
from pamosnik.store.alerts import Alert
from pamosnik.store.notices import Notice

START = datetime(2026, 11, 25, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


@dataclass
class Owner:
    """Who reads the mails, and what is wrong meanwhile. Looks every minute."""

    now: datetime = START
    wrong: Notice | None = None
    told: Alert | None = None
    mails: list[tuple[datetime, int]] = field(default_factory=list)
    """When and how grave; 0: mended."""
    gone_at: datetime = START

    def become(self, step: int) -> None:
        """0: mended."""
        if step == 0:
            if self.wrong is not None:
                self.gone_at = self.now
            self.wrong = None
        elif self.wrong is None:
            self.wrong = Notice("a", "k", "restricted", "Wrong.", "Mend it.", self.now, step)
        else:
            self.wrong = replace(self.wrong, step=step)

    def wait(self, minutes: int) -> None:
        for _ in range(minutes):
            self.now += MINUTE
            self.look()

    def look(self) -> None:
        for _ in range(3):
            match alerts.decide(self.wrong, self.told, self.now):
                case None:
                    return
                case Remember(alert=alert):
                    self.told = alert
                case Tell(notice=notice):
                    assert notice == self.wrong
                    self.mails.append((self.now, notice.step))
                    self.told = Alert("a", "k", "restricted", True, notice.step, "Wrong.", self.now, None)
                case TellMended(alert=alert):
                    assert self.wrong is None
                    assert self.now - self.gone_at >= MENDED_FOR
                    self.mails.append((self.now, 0))
                    self.told = replace(alert, open=False, step=0, mailed_at=self.now, gone_since=None)
        raise AssertionError("it does not come to rest")


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(1, 90)), max_size=30))
def test_each_thing_is_told_once_and_the_last_mail_is_true(happenings: list[tuple[int, int]]) -> None:
    owner = Owner()
    for step, minutes in happenings:
        owner.become(step)
        owner.wait(minutes)
    owner.wait(120)
    steps = [step for _, step in owner.mails]
    assert all(after != 0 or before != 0 for before, after in zip([0, *steps], steps, strict=False))
    last = None
    for at, step in owner.mails:
        assert step == 0 or last is None or at - last >= APART
        last = at
    assert (steps[-1] if steps else 0) >= (owner.wrong.step if owner.wrong else 0)
    assert owner.wrong is not None or not steps or steps[-1] == 0


@given(st.integers(1, 4), st.integers(5, 2000))
def test_what_stays_as_it_is_is_told_once(step: int, minutes: int) -> None:
    owner = Owner()
    owner.become(step)
    owner.wait(minutes)
    assert owner.mails == [(START + MINUTE, step)]


def test_a_mail_from_the_future_holds_nothing_up() -> None:
    """The clock was wrong when it was sent, and was set right."""
    owner = Owner()
    owner.become(1)
    owner.now += timedelta(days=400)
    owner.look()
    owner.now = START + timedelta(days=1)
    owner.become(2)
    owner.look()
    assert len(owner.mails) == 2


def test_what_is_back_and_graver_at_once_is_not_taken_for_mended() -> None:
    owner = Owner()
    owner.become(1)
    owner.wait(1)
    owner.become(0)
    owner.wait(3)
    owner.become(2)
    owner.wait(10)
    owner.become(0)
    owner.wait(2)
    assert [step for _, step in owner.mails] == [1]


def test_a_silence_of_instagram_is_told_when_it_lasts() -> None:
    owner = Owner()
    owner.wrong = Notice("a", "k", "instagram_silent", "Silence.", "Wait.", START, 0)
    owner.wait(59)
    assert owner.mails == []
    owner.wait(60)
    assert owner.mails == [(START + timedelta(hours=1), 0)]
