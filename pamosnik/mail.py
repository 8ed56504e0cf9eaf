"""The only SMTP client: one mail, to one address, over one connection. Whether and when is decided elsewhere.

What a server answers may quote addresses: of its answers only the number travels on.
"""

import asyncio
import contextlib
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from email.errors import HeaderParseError
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid

import aiosmtplib

from pamosnik.config import Encryption, MailServer
from pamosnik.errors import PamosnikError

STEP_WITHIN_S = 30.0
"""For connecting and for each answer."""
MAIL_WITHIN_S = 60.0
"""For all of it."""
_GOODBYE_WITHIN_S = 2.0


class MailFailed(PamosnikError):
    """The mail was not taken. `recipient`: the server works, but does not take mail for this address."""

    def __init__(self, message: str, *, hint: str, recipient: bool = False) -> None:
        super().__init__(message, hint=hint)
        self.recipient = recipient


@dataclass(frozen=True, slots=True)
class Mail:
    """Plain text for one reader."""

    to: str
    subject: str
    text: str
    id: str | None = None
    """The same in a repetition, so that mail programs know it; None: it is never repeated."""


class Mailer:
    """Sends through one server, from one sender. Certificates are verified."""

    def __init__(self, server: MailServer, *, tls: ssl.SSLContext | None = None) -> None:
        """`tls`: what verifies the server's certificate; default: the machine's certificate authorities."""
        self._server = server
        self._tls = tls or ssl.create_default_context()
        self._limit: asyncio.Timeout | None = None

    async def send(self, mail: Mail, now: datetime) -> None:
        """Returns when the server has taken it. Raises `MailFailed`."""
        message = letter(mail, self._server.sender, now)

        async def hand_over(client: aiosmtplib.SMTP) -> None:
            await client.send_message(
                message, sender=_ascii_domain(self._server.sender), recipients=[_ascii_domain(mail.to)]
            )

        await self._with_server(hand_over)

    async def check(self) -> None:
        """Connects and logs in, and sends nothing. Raises `MailFailed`."""

        async def nothing(_: aiosmtplib.SMTP) -> None:
            return

        await self._with_server(nothing)

    def hurry(self, within_s: float) -> None:
        """What is under way ends within this time."""
        if self._limit is not None and not self._limit.expired():
            sooner = asyncio.get_running_loop().time() + within_s
            self._limit.reschedule(min(sooner, self._limit.when() or sooner))

    async def _with_server(self, work: Callable[[aiosmtplib.SMTP], Awaitable[None]]) -> None:
        client = self._client()
        try:
            async with asyncio.timeout(MAIL_WITHIN_S) as self._limit:
                await client.connect()
                await work(client)
            # Outside of the time limit: the mail is taken, and no late goodbye may make it look refused.
            self._limit = None
            with contextlib.suppress(aiosmtplib.SMTPException, OSError):
                await client.quit(timeout=_GOODBYE_WITHIN_S)
        except (aiosmtplib.SMTPException, OSError, ValueError) as error:
            raise _failure(error) from None
        finally:
            self._limit = None
            client.close()

    def _client(self) -> aiosmtplib.SMTP:
        server = self._server
        return aiosmtplib.SMTP(
            hostname=server.host,
            port=server.port,
            username=server.user,
            password=server.password,
            use_tls=server.encryption is Encryption.TLS,
            start_tls=server.encryption is Encryption.STARTTLS,
            tls_context=self._tls,
            # Named by itself it would ask the name service who this machine is, and tell the server.
            local_hostname="localhost",
            timeout=STEP_WITHIN_S,
        )


def letter(mail: Mail, sender: str, now: datetime) -> EmailMessage:
    """The mail as it travels. Raises `MailFailed` when the reader's address is none."""
    message = EmailMessage()
    # Names of other people's choosing stand in subjects: without line ends nothing can pose as a header.
    message["Subject"] = "".join(sign for sign in " ".join(mail.subject.split()) if sign.isprintable())
    message["From"] = Address("Pamosnik", addr_spec=_ascii_domain(sender))
    try:
        message["To"] = Address(addr_spec=_ascii_domain(mail.to))
    except (ValueError, IndexError, HeaderParseError):
        raise _refused_reader("is no e-mail address") from None
    message["Date"] = format_datetime(now)
    domain = _ascii_domain(sender).rpartition("@")[2]
    message["Message-ID"] = make_msgid(domain=domain) if mail.id is None else f"<{mail.id}@{domain}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(mail.text, charset="utf-8")
    return message


def _ascii_domain(address: str) -> str:
    """`info@müller.example` → `info@xn--mller-kva.example`. Raises `UnicodeError`."""
    name, at, domain = address.rpartition("@")
    return f"{name}{at}{domain.encode('idna').decode('ascii')}"


def _refused_reader(why: str) -> MailFailed:
    return MailFailed(
        f"The e-mail address for alerts {why}.",
        hint="Check it (PAMOSNIK_OPERATOR_EMAIL, or the account's), and whether the server wants a user and password"
        " in PAMOSNIK_SMTP_URL; then restart `pamosnik serve`.",
        recipient=True,
    )


def _failure(error: Exception) -> MailFailed:
    """In words, without what the server said: that may quote addresses."""
    restart = "then restart `pamosnik serve`."
    match error:
        case _ if (certificate := _certificate_error(error)) is not None:
            what = f"shows a certificate that cannot be trusted ({certificate.verify_message})"
            fix = f"Use the server name that the certificate is for in PAMOSNIK_SMTP_URL, {restart}"
        case aiosmtplib.SMTPRecipientsRefused():
            return _refused_reader(f"is refused by the mail server ({error.recipients[0].code})")
        case aiosmtplib.SMTPNotSupported() | ValueError():
            return _refused_reader("is not possible with this mail server")
        case aiosmtplib.SMTPAuthenticationError(code=code):
            what = f"refuses user or password ({code})"
            fix = f"Mend them in PAMOSNIK_SMTP_URL (some providers want an app password), {restart}"
        case aiosmtplib.SMTPSenderRefused(code=code):
            what = f"refuses the sender ({code})"
            fix = f"Set PAMOSNIK_MAIL_FROM to an address that it sends for, {restart}"
        case aiosmtplib.SMTPResponseException(code=code):
            what, fix = f"refuses the mail ({code})", f"If it lasts: check PAMOSNIK_SMTP_URL, {restart}"
        case OSError():
            what = "does not answer"
            fix = f"If it lasts: check host and port in PAMOSNIK_SMTP_URL, {restart}"
        case _:
            what = "offers no STARTTLS, or no login that Pamosnik knows"
            fix = f"Use its smtps:// address in PAMOSNIK_SMTP_URL, {restart}"
    return MailFailed(f"The mail server {what}.", hint=fix)


def _certificate_error(error: BaseException | None) -> ssl.SSLCertVerificationError | None:
    while error is not None and not isinstance(error, ssl.SSLCertVerificationError):
        error = error.__cause__
    return error
