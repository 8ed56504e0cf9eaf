"""TLS without a proxy: a certificate and its key from two files, read again when they change.

Whoever renews certificates writes the files one after the other. Until they fit each other the daemon goes on with
the ones it has read; it looks again each time.
"""

import asyncio
import logging
import ssl
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509

from pamosnik._sqlite import Connection
from pamosnik.clock import Clock
from pamosnik.errors import HomeError, StorageRefused
from pamosnik.store import notices
from pamosnik.store.shared_writer import Writer

EVERY_S = 1.0
"""How often the files' stamps are looked at: new ones count within that."""
ENDS_SOON = timedelta(days=7)
"""Before its end the owner is told. What renews by itself has done so long before: at a third of its life."""
UNREADABLE, ENDING = "certificate_unreadable", "certificate_ending"

log = logging.getLogger(__name__)

_Stamp = tuple[int, int, int]


class Certificate:
    """What the daemon shows to whoever connects. `context` stays the same one; what it holds is exchanged."""

    def __init__(self, chain: Path, key: Path) -> None:
        """`chain`: PEM, the certificate first, then those that vouch for it. Raises `HomeError`."""
        self.chain, self.key = chain, key
        self.context = _context()
        self._looked_at = self._stamps()
        self._read()

    @property
    def files(self) -> str:
        return f"{self.chain} and {self.key}"

    def changed(self) -> bool:
        """Whether the files are others than those that were read, or tried, last. One that is gone is a change."""
        return self._stamps() != self._looked_at

    def read_again(self, now: datetime) -> None:
        """Connections from now on see what the files hold. Raises `HomeError`, and everything stays as it was: also
        where the new certificate has ended, and this one has not."""
        self._looked_at = self._stamps()
        with suppress(OSError, ValueError):  # `_read` says what is wrong
            ended = _parsed(self.chain).not_valid_after_utc
            if ended <= now < self.ends_at:
                raise HomeError(
                    f"The new certificate {self.chain} has ended already, on {ended:%Y-%m-%d at %H:%M} UTC.",
                    hint="Put one that lasts in its place, with its key.",
                )
        self._read()

    def _read(self) -> None:
        self._refuse_open_key()
        # A context that half takes a pair that does not fit would show the new certificate with the old key.
        for context in (_context(), self.context):
            try:
                context.load_cert_chain(self.chain, self.key, password=_no_passphrase)
            except FileNotFoundError as error:
                missing = next((path for path in (self.chain, self.key) if not path.exists()), self.chain)
                raise HomeError(f"There is no file {missing}.", hint=_HINT) from error
            except ssl.SSLError as error:
                raise HomeError(f"{self.files} do not go together: {_reason(error)}.", hint=_HINT) from error
            except OSError as error:
                raise HomeError(f"{self.files} cannot be read: {error.strerror}.", hint=_HINT) from error
        self.ends_at = _parsed(self.chain).not_valid_after_utc

    def _refuse_open_key(self) -> None:
        with suppress(FileNotFoundError):
            if self.key.stat().st_mode & 0o007:
                raise HomeError(
                    f"Every user of this machine can read {self.key}.", hint=f"Try: chmod o= {self.key}"
                )

    def _stamps(self) -> Sequence[_Stamp | None]:
        return [_stamp(path) for path in (self.chain, self.key)]


_HINT = (
    "Give --tls-cert the certificate with its chain and --tls-key its key: PEM, the key without a passphrase."
)


def _context() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    return context


def _no_passphrase() -> str:
    # Without this OpenSSL would ask on the terminal, and a daemon would wait there for ever.
    raise HomeError("The key is sealed with a passphrase.", hint=_HINT)


def _reason(error: ssl.SSLError) -> str:
    return (error.reason or "no PEM").lower().replace("_", " ")


def _parsed(chain: Path) -> x509.Certificate:
    return x509.load_pem_x509_certificate(chain.read_bytes())


def _stamp(path: Path) -> _Stamp | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns


class CertificateWatch:
    """Follows the files while the daemon runs. What cannot be read changes nothing; the owner is told."""

    def __init__(self, certificate: Certificate, writer: Writer, clock: Clock) -> None:
        self._certificate, self._writer, self._clock = certificate, writer, clock
        self._trouble: HomeError | None = None
        self._told: tuple[str | None, datetime, bool, bool] | None = None

    async def run(self) -> None:
        while True:
            with suppress(StorageRefused):  # told again in the next round
                await self.look()
            await asyncio.sleep(EVERY_S)

    async def look(self) -> None:
        if self._trouble is not None or self._certificate.changed():
            self._follow()
        trouble, ends_at = self._trouble, self._certificate.ends_at
        left = ends_at - self._clock.now()
        soon, ended = left < ENDS_SOON, left <= timedelta()
        found = (None if trouble is None else trouble.message, ends_at, soon, ended)
        if found != self._told:
            await self._writer.write(lambda conn: self._tell(conn, trouble, ends_at if soon else None))
            self._told = found

    def _follow(self) -> None:
        changed = self._certificate.changed()
        try:
            self._certificate.read_again(self._clock.now())
        except HomeError as error:
            if changed:
                log.error("%s", error.message, extra={"action": "certificate.unreadable"})  # noqa: TRY400
            self._trouble = error
        else:
            until = f"{self._certificate.ends_at:%Y-%m-%d %H:%M}"
            log.info(
                "The certificate was read; it ends at %s UTC", until, extra={"action": "certificate.read"}
            )
            self._trouble = None

    def _tell(self, conn: Connection, trouble: HomeError | None, ends_at: datetime | None) -> None:
        now = self._clock.now()
        if trouble is None:
            notices.settle(conn, "", "", UNREADABLE)
        else:
            message = f"{trouble.message} The daemon goes on with the certificate that it had read before."
            notices.raise_notice(conn, "", "", UNREADABLE, message, trouble.hint or "", now)
        if ends_at is None:
            notices.settle(conn, "", "", ENDING)
            return
        on = f"{ends_at:%Y-%m-%d at %H:%M} UTC"
        message = (
            f"The certificate {self._certificate.chain} ended on {on}: Meta sends nothing."
            if ends_at <= now
            else f"The certificate {self._certificate.chain} ends on {on}: from then on Meta sends nothing."
        )
        fix = (
            f"Put a new one in its place, with its key: {self._certificate.files} are read when they change."
        )
        notices.raise_notice(conn, "", "", ENDING, message, fix, now)


def forget_notices(conn: Connection) -> None:
    """Of a start with a certificate, when there is none now."""
    for code in (UNREADABLE, ENDING):
        notices.settle(conn, "", "", code)
