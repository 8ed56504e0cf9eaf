"""Who does the errands, one for each kind."""

from collections.abc import Sequence
from dataclasses import dataclass

from pamosnik.config import Config
from pamosnik.daemon.errands import Doer
from pamosnik.daemon.mails import MailDoer, SendMail
from pamosnik.daemon.profiles import ProfileLookUps
from pamosnik.daemon.tools import Tools
from pamosnik.mail import Mailer


@dataclass(frozen=True, slots=True, repr=False)
class Outside:
    """What errands reach beside Instagram. On a stage it is made up."""

    mail: SendMail | None = None
    """None: no mail server is set."""


def outside(settings: Config) -> Outside:
    """The real one."""
    return Outside(mail=None if settings.mail is None else Mailer(settings.mail).send)


def doers(tools: Tools, reached: Outside) -> Sequence[Doer]:
    """Those of the daemon. Each kind once."""
    return (MailDoer(tools, reached.mail), ProfileLookUps(tools))
