"""A mail server on 127.0.0.1: real SMTP by RFC 5321, with STARTTLS and logins, that can misbehave."""

import asyncio
import base64
import contextlib
import email
import email.policy
import ssl
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage

from pamosnik.config import Encryption, MailServer
from tests.daemon.shop import free_port

USER, MAIL_PASSWORD = "shop@mail.example", "p@ss:wörd/1?"


@dataclass(frozen=True, slots=True)
class Received:
    """A mail that was taken."""

    sender: str
    readers: tuple[str, ...]
    message: EmailMessage
    raw: bytes
    encrypted: bool
    user: str | None

    @property
    def subject(self) -> str:
        return str(self.message["Subject"])

    @property
    def text(self) -> str:
        return str(self.message.get_content()).replace("\r\n", "\n")


def takes_all(_: str) -> str | None:
    return None


@dataclass(slots=True)
class MailBox:
    """The server and what it took."""

    port: int
    encryption: Encryption = Encryption.NONE
    tls: ssl.SSLContext | None = None
    logins: Mapping[str, str] | None = None
    """None: it takes mail from anybody."""
    refuses: Callable[[str], str | None] = takes_all
    """Asked with each line that arrives; the answer to give instead of the usual one."""
    silent: bool = False
    """It takes connections and says nothing."""
    hangs_up_after_data: bool = False
    received: list[Received] = field(default_factory=list)
    visits: int = 0
    _server: asyncio.Server | None = None
    _open: "dict[asyncio.Task[object], _Visit]" = field(default_factory=dict)

    @property
    def subjects(self) -> list[str]:
        return [one.subject for one in self.received]

    def as_server(self, user: str | None = None, password: str | None = None) -> MailServer:
        return MailServer("127.0.0.1", self.port, self.encryption, user, password, "alerts@shop.example")

    async def start(self) -> None:
        """Also after `stop`, on the same port."""
        tls = self.tls if self.encryption is Encryption.TLS else None
        self._server = await asyncio.start_server(self._visit, "127.0.0.1", self.port, ssl=tls)

    async def stop(self) -> None:
        if self._server is None:
            return
        self._server.close()
        for visit in self._open.values():
            visit.writer.close()
        if self._open:
            await asyncio.wait(self._open, timeout=2)
        self._server = None

    async def _visit(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.visits += 1
        task = asyncio.current_task()
        assert task is not None
        visit = self._open[task] = _Visit(self, reader, writer)
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, ssl.SSLError):
            await visit.serve()
        visit.writer.close()
        writer.close()
        del self._open[task]


@dataclass(slots=True)
class _Visit:
    """One connection."""

    box: MailBox
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    user: str | None = None
    sender: str = ""
    readers: list[str] = field(default_factory=list)

    @property
    def encrypted(self) -> bool:
        return self.writer.get_extra_info("sslcontext") is not None

    async def serve(self) -> None:
        if self.box.silent:
            await self.reader.read()
            return
        self.say("220 mail.example")
        while line := (await self.reader.readline()).decode().strip():
            verb = line.split()[0].upper()
            answer = self.box.refuses(line)
            self.say(answer if answer is not None else await self.answer(verb, line))
            if verb == "QUIT":
                return
            if verb == "STARTTLS" and answer is None:
                await self.encrypt()

    async def encrypt(self) -> None:
        """Not `StreamWriter.start_tls`: that breaks down over a client who refuses the certificate."""
        plain, loop = self.writer, asyncio.get_running_loop()
        assert self.box.tls is not None
        protocol = plain.transport.get_protocol()
        transport = await loop.start_tls(plain.transport, protocol, self.box.tls, server_side=True)
        if transport is None:
            raise ConnectionResetError
        self.writer = asyncio.StreamWriter(transport, protocol, self.reader, loop)

    def say(self, answer: str) -> None:
        self.writer.write(answer.encode() + b"\r\n")

    async def answer(self, verb: str, line: str) -> str:
        match verb:
            case "EHLO":
                return self.greeting()
            case "AUTH":
                return await self.login(line)
            case "MAIL" if self.box.logins is not None and self.user is None:
                return "530 Authentication required"
            case "MAIL":
                self.sender, self.readers = _address(line), []
            case "RCPT":
                self.readers.append(_address(line))
            case "DATA":
                return await self.take()
            case "STARTTLS":
                return "220 Go on"
            case "QUIT":
                return "221 Bye"
        return "250 OK"

    def greeting(self) -> str:
        offers = ["mail.example", "8BITMIME"]
        if self.box.encryption is Encryption.STARTTLS and not self.encrypted:
            offers.append("STARTTLS")
        elif self.box.logins is not None:
            offers.append("AUTH PLAIN")
        return "\r\n".join(f"250-{offer}" for offer in offers) + "\r\n250 HELP"

    async def login(self, line: str) -> str:
        _, user, password = base64.b64decode(line.split()[2]).decode().split("\0")
        if (self.box.logins or {}).get(user) != password:
            return f"535 Wrong password {password} for {user}"
        self.user = user
        return "235 Welcome"

    async def take(self) -> str:
        self.say("354 Go ahead")
        raw = (await self.reader.readuntil(b"\r\n.\r\n"))[:-3]
        message = email.message_from_bytes(raw, policy=email.policy.default)
        assert isinstance(message, EmailMessage)
        self.box.received.append(
            Received(self.sender, tuple(self.readers), message, raw, self.encrypted, self.user)
        )
        if self.box.hangs_up_after_data:
            raise ConnectionResetError
        return "250 Taken"


def _address(line: str) -> str:
    return line.partition("<")[2].partition(">")[0]


@asynccontextmanager
async def mail_box(
    encryption: Encryption = Encryption.NONE,
    *,
    tls: ssl.SSLContext | None = None,
    logins: Mapping[str, str] | None = None,
) -> AsyncIterator[MailBox]:
    box = MailBox(free_port(), encryption, tls, logins)
    await box.start()
    try:
        yield box
    finally:
        await box.stop()
