"""Mails to holders about what a command has changed: at once, whether or not a daemon runs.

The daemon's own mails to holders wait for each other and are tried again; here somebody reads how it went.
"""

import asyncio
from datetime import datetime

from pamosnik.config import Config
from pamosnik.mail import Mail, Mailer, MailFailed
from pamosnik.services.account_letters import AccountLetter


def send(settings: Config, letter: AccountLetter, now: datetime) -> str | None:
    """Returns when the mail server has taken it; else what to tell whoever has typed the command. None also without
    a mail server: then holders are told nothing by mail, whatever happens."""
    if settings.mail is None:
        return None
    try:
        asyncio.run(Mailer(settings.mail).send(Mail(letter.to, letter.subject, letter.text), now))
    except MailFailed as error:
        return f"{letter.to} could not be told of it by mail. {error.message}"
    return None
