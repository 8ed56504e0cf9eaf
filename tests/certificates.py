"""Certificates as an authority of a test gives them out."""

import ipaddress
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

PEM = serialization.Encoding.PEM
_SERVER = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "server")])
STRANGER = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Authority that nobody knows")])
_ISSUER = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Authority of a test")])


@dataclass(frozen=True, slots=True)
class Pair:
    """A certificate and its key, PEM."""

    chain: bytes
    key: bytes
    number: int
    """What tells it from others: its serial number."""

    def put(self, chain: Path, key: Path) -> None:
        """As programs do that renew: one file after the other, each in one step."""
        for path, content in ((chain, self.chain), (key, self.key)):
            new = path.with_name(f"{path.name}.new")
            new.touch(mode=0o600)
            new.write_bytes(content)
            new.replace(path)


@dataclass(frozen=True, slots=True)
class Authority:
    """`file`: its own certificate, for who believes in it."""

    file: Path
    key: ec.EllipticCurvePrivateKey

    @property
    def trust(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=str(self.file))

    issuer: x509.Name = _ISSUER

    def certify(
        self, name: str, *, ends_at: datetime | None = None, begins_at: datetime | None = None
    ) -> Pair:
        """A server that is called `name`; for 90 days from yesterday, or as `ends_at` and `begins_at` say."""
        key = ec.generate_private_key(ec.SECP256R1())
        leaf = (
            _builder(_SERVER, key, ends_at, begins_at, self.issuer)
            .add_extension(x509.SubjectAlternativeName([_general_name(name)]), critical=False)
            .sign(self.key, hashes.SHA256())
        )
        return Pair(leaf.public_bytes(PEM), _pem(key), leaf.serial_number)

    def self_signed(self, name: str) -> Pair:
        """Nobody vouches for it but itself."""
        key = ec.generate_private_key(ec.SECP256R1())
        leaf = (
            _builder(_SERVER, key, None, issuer=_SERVER)
            .add_extension(x509.SubjectAlternativeName([_general_name(name)]), critical=False)
            .sign(key, hashes.SHA256())
        )
        return Pair(leaf.public_bytes(PEM), _pem(key), leaf.serial_number)

    def under_another(self, folder: Path) -> "Authority":
        """One that this one vouches for; servers of it need its certificate beside theirs."""
        folder.mkdir(exist_ok=True)
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Authority between")])
        rights = x509.BasicConstraints(ca=True, path_length=None)
        between = (
            _builder(name, key, None).add_extension(rights, critical=True).sign(self.key, hashes.SHA256())
        )
        file = folder / "between.pem"
        file.write_bytes(between.public_bytes(PEM))
        return Authority(file, key, name)

    def server(self, name: str = "127.0.0.1") -> ssl.SSLContext:
        """For a server of the test's own."""
        pair, both = self.certify(name), self.file.with_name("server.pem")
        both.write_bytes(pair.chain + pair.key)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(both)
        return context


def authority(folder: Path, called: x509.Name = _ISSUER) -> Authority:
    folder.mkdir(exist_ok=True)
    key = ec.generate_private_key(ec.SECP256R1())
    rights = x509.BasicConstraints(ca=True, path_length=None)
    root = (
        _builder(called, key, None, issuer=called)
        .add_extension(rights, critical=True)
        .sign(key, hashes.SHA256())
    )
    file = folder / "authority.pem"
    file.write_bytes(root.public_bytes(PEM))
    return Authority(file, key, called)


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _builder(
    subject: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    ends_at: datetime | None,
    begins_at: datetime | None = None,
    issuer: x509.Name = _ISSUER,
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    ends_at = ends_at or now + timedelta(days=90)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins_at or min(now, ends_at) - timedelta(days=1))
        .not_valid_after(ends_at)
    )
