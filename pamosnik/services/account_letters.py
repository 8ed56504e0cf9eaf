"""What is mailed to an account's holder about the account itself. Texts alone: whether and when is decided elsewhere.

Whoever gets such a mail may not have asked for it: each says what to do then. Addresses in commands are quoted, for
whoever took the account over has chosen one of them, and `$(…)@shop.example` is an address.
"""

from dataclasses import dataclass, field
from datetime import datetime
from shlex import quote

from pamosnik.clock import local_minute
from pamosnik.store.accounts import Account


@dataclass(frozen=True, slots=True)
class AccountLetter:
    """A mail. Its repr shows no text, for there may be a link in it that opens something."""

    account_id: str
    to: str
    subject: str
    text: str = field(repr=False)

    def is_for_holder(self, account: Account) -> bool:
        """Whether it goes to the address that the account has."""
        return self.to == account.email


def reset(account: Account, link: str, *, only_here: bool) -> AccountLetter:
    """`only_here`: nothing outside of this machine reaches the link."""
    return _letter(
        account,
        account.email,
        "set a new password",
        f"Somebody asked for a new password for {_name(account)}.",
        f"If it was you, open this address within an hour. It is for one use.{_where(only_here)}",
        link,
        "If it was not you, there is nothing to do: the password stays as it is.",
    )


def password_changed(account: Account, address: str, now: datetime) -> AccountLetter:
    """`address`: where the page is."""
    return _letter(
        account,
        account.email,
        "your password was changed",
        f"The password of {_name(account)} was changed on {_when(account, now)}."
        " Whoever was logged in elsewhere has to log in again.",
        "If it was you, there is nothing to do.",
        f"If it was not you, set a new one now: {address}/forgot\n"
        f"or on the machine itself: pamosnik accounts passwd --account {quote(account.email)}",
        "Whoever changed it knew the old password or reads your mail: change the password of your mailbox, too.",
    )


def password_set_on_machine(account: Account, now: datetime) -> AccountLetter:
    """By whoever runs Pamosnik, with a command."""
    return _letter(
        account,
        account.email,
        "your password was changed",
        f"On the machine that Pamosnik runs on, {_name(account)} was given another password on"
        f" {_when(account, now)}. Whoever was logged in has to log in again.",
        "If you have asked for that, or done it yourself, there is nothing to do.",
        "If not, ask whoever runs Pamosnik for you. With “Forgot your password?” at the login you set one that only"
        " you know.",
    )


def confirm_email(account: Account, email: str, link: str, *, only_here: bool) -> AccountLetter:
    """Goes to the new address."""
    return _letter(
        account,
        email,
        "confirm this e-mail address",
        f"This address is to become the e-mail address of {_name(account)}: you log in with it, and get the"
        " account's mails at it.",
        f"If you want that, open this address within 24 hours. It is for one use.{_where(only_here)}",
        link,
        "If you know nothing of it, there is nothing to do: without you nothing changes.",
    )


def email_about_to_change(account: Account, email: str, now: datetime) -> AccountLetter:
    """Goes to the present address."""
    return _letter(
        account,
        account.email,
        "your e-mail address is to be changed",
        f"On {_when(account, now)} somebody who is logged in to {_name(account)} asked for another e-mail address:"
        f" {email}. It changes as soon as the link that was mailed there is used.",
        "If it was you, there is nothing to do.",
        "If it was not you, log in now, take the change back under Account, and change your password there.",
    )


def email_changed(before: Account, email: str, now: datetime) -> AccountLetter:
    """Goes to the address that the account had."""
    return _letter(
        before,
        before.email,
        "your e-mail address was changed",
        f"Since {_when(before, now)} {_name(before)} has another e-mail address: {email}."
        " This one gets no more mails, and nobody logs in with it.",
        "If it was you, there is nothing to do.",
        "If it was not you, set it back on the machine that Pamosnik runs on:\n"
        f"pamosnik accounts set --account {quote(email)} --email {quote(before.email)}\n"
        f"pamosnik accounts passwd --account {quote(before.email)}",
    )


def test(account: Account, now: datetime) -> AccountLetter:
    return _letter(
        account,
        account.email,
        "a test mail",
        f"This is the test mail that you asked for on {_when(account, now)}, for {_name(account)}.",
        "Mails from Pamosnik reach you: alerts when something needs you, what your flows mail to you, and links to"
        " set a new password.",
    )


def _where(only_here: bool) -> str:
    return " It works on the machine that Pamosnik runs on." if only_here else ""


def _letter(account: Account, to: str, subject: str, *paragraphs: str) -> AccountLetter:
    return AccountLetter(account.id, to, f"Pamosnik: {subject}", "\n\n".join(paragraphs) + "\n")


def _name(account: Account) -> str:
    return f"the Pamosnik account “{' '.join(account.name.split())}”"


def _when(account: Account, now: datetime) -> str:
    return f"{local_minute(now, account.timezone)} ({account.timezone})"
