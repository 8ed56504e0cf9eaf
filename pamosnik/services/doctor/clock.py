"""The machine's clock and time zone."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from pamosnik.clock import CLOCKS_AGREE
from pamosnik.services import home
from pamosnik.services.doctor.checks import Check, bad, good, note, skipped
from pamosnik.store.accounts import Account


class Compared:
    """Hears the time that answers name, and keeps how far the machine's clock is off."""

    def __init__(self) -> None:
        self._off: timedelta | None = None

    def hear(self, date: datetime | None) -> None:
        if date is not None:
            self._off = datetime.now(UTC) - date

    def check(self) -> Check:
        return skipped("clock", "nobody told the time") if self._off is None else of_clock(self._off)


def of_clock(off: timedelta) -> Check:
    """`off`: how far the machine's clock is ahead of Instagram's."""
    if abs(off) <= CLOCKS_AGREE:
        return good("clock", "The machine's clock agrees with Instagram's.")
    way = "fast" if off > timedelta() else "slow"
    return bad(
        "clock",
        f"The machine's clock is {timedelta(seconds=round(abs(off).total_seconds()))} {way}, compared with"
        " Instagram's:"
        " times of messages, waits and signatures come out wrong.",
        "Set it right. Try: timedatectl set-ntp true",
    )


def knows_zone(name: str) -> bool:
    """Whether this machine has the rules of a time zone."""
    try:
        ZoneInfo(name)
    except (ValueError, OSError, KeyError):
        return False
    return True


def of_zone(accounts: Sequence[Account], machine: str | None = None) -> Check:
    """`machine`: its time zone; None: as it says."""
    machine = machine or home.local_timezone()
    for account in accounts:
        fix = f"Try: pamosnik accounts set --account {account.email} --timezone Europe/Warsaw (yours)"
        if not knows_zone(account.timezone):
            told = (
                f"This machine does not know the time zone {account.timezone} of the account {account.email}."
            )
            return bad(
                "timezone", told, f"Install the list of time zones (tzdata), or: {fix.removeprefix('Try: ')}"
            )
        if account.timezone == "UTC" != machine:
            told = f"The account {account.email} counts hours in UTC, and this machine is in {machine}."
            return note("timezone", told, fix)
    zones = sorted({account.timezone for account in accounts}) or ["none yet"]
    return good("timezone", f"The machine is in {machine}; accounts count in {', '.join(zones)}.")
