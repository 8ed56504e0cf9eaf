"""What a check says, and all checks there are, by name."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum

from pamosnik.errors import PamosnikError


class Found(Enum):
    """How a check ended."""

    GOOD = "good"
    NOTE = "note"
    """It works; something could be better, or is left out on purpose."""
    BAD = "bad"
    SKIPPED = "skipped"
    """It could not be looked at; the message says why."""


class Group(Enum):
    """What a check is about."""

    MACHINE = "machine"
    APP = "app"
    ADDRESS = "address"
    ACCOUNT = "account"
    WEBHOOKS = "webhooks"
    FLOWS = "flows"


_OF_GROUPS = {
    Group.MACHINE: (
        *(
            "home",
            "files",
            "settings",
            "sqlite",
            "database",
            "key",
            "disk",
            "file_system",
            "backups",
            "timezone",
        ),
        *("clock", "mail", "daemon"),
    ),
    Group.APP: (
        *("app_ids", "app_secret", "graph_version", "instagram_app", "meta_app", "app_subscription"),
        *("app_callback", "app_fields"),
    ),
    Group.ADDRESS: ("address", "address_name", "certificate", "redirects", "reached", "handshake"),
    Group.ACCOUNT: (
        *("login", "instagram", "token", "role", "token_age", "account_type", "account_id", "username"),
        *("permissions", "message_access", "conversations", "subscription", "other_apps", "app_live"),
        *("advanced_access", "sending"),
    ),
    Group.WEBHOOKS: ("signatures", "webhooks", "unknown_accounts"),
    Group.FLOWS: ("flows", "links", "promises"),
}
GROUP: Mapping[str, Group] = {name: group for group, names in _OF_GROUPS.items() for name in names}
"""Every check by its name, in the order they are told. A name never changes its meaning: scripts rely on it."""


@dataclass(frozen=True, slots=True)
class Check:
    """What one check found."""

    name: str
    """One of `GROUP`."""
    found: Found
    message: str
    fix: str | None = None
    """The exact step to take; None when there is nothing to do."""
    mend: Callable[[], None] | None = field(default=None, compare=False)
    """What `--fix` does; None when only a person can. Raises `PamosnikError` or `OSError`."""
    then: str | None = None
    """What is left to a person after `--fix`."""
    connection: str | None = None
    """Username of the Instagram account it is about; None: of none, or of all."""

    def __post_init__(self) -> None:
        assert self.name in GROUP, self.name

    @property
    def group(self) -> Group:
        return GROUP[self.name]


def as_json(check: Check) -> Mapping[str, object]:
    return {
        "name": check.name,
        "group": check.group.value,
        "connection": check.connection,
        "status": check.found.value,
        "message": check.message,
        "fix": check.fix,
    }


def good(name: str, message: str) -> Check:
    return Check(name, Found.GOOD, message)


def note(name: str, message: str, fix: str | None = None) -> Check:
    return Check(name, Found.NOTE, message, fix)


def bad(name: str, message: str, fix: str | None) -> Check:
    return Check(name, Found.BAD, message, fix)


def refused(name: str, error: PamosnikError) -> Check:
    return Check(name, Found.BAD, error.message, error.hint)


def skipped(name: str, why: str) -> Check:
    return Check(name, Found.SKIPPED, f"Not looked at: {why}.")


def waits(name: str, waits_for: str) -> Check:
    return skipped(name, f"{waits_for} must be in order first")
