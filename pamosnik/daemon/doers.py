"""Who does the errands, one for each kind."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from pamosnik import calls
from pamosnik.config import Config
from pamosnik.daemon.calls import GAPS, CallDoer, Environ, MakeCall
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
    call: MakeCall = calls.call
    environ: Environ = os.environ.get
    call_gaps: tuple[timedelta, ...] = GAPS
    """Before each repetition of a call."""


def outside(settings: Config) -> Outside:
    """The real one."""
    return Outside(mail=None if settings.mail is None else Mailer(settings.mail).send)


def doers(tools: Tools, reached: Outside) -> Sequence[Doer]:
    """Those of the daemon. Each kind once."""
    return (
        MailDoer(tools, reached.mail),
        CallDoer(tools, reached.call, reached.environ, reached.call_gaps),
        ProfileLookUps(tools),
    )
