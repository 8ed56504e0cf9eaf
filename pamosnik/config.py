"""Settings: read once at start, checked as a whole, frozen, handed down as the values a part needs.

Precedence: flag, environment, `*_FILE` in the environment (secrets), `pamosnik.toml` in the home, default.
"""

import ipaddress
import os
import re
import tomllib
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, fields
from datetime import timedelta
from enum import Enum
from pathlib import Path
from urllib.parse import unquote, urlsplit

from pamosnik import ages, unsaid
from pamosnik.ages import Ages
from pamosnik.errors import HomeError, UsageError

PREFIX = "PAMOSNIK_"
DATABASE = "pamosnik.db"
KEY_FILE = "master.key"
SETTINGS_FILE = "pamosnik.toml"
RETENTION = "retention"
"""The table in it that says how long things are kept."""


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting, as it is documented and shown."""

    name: str
    """In `pamosnik.toml`; in the environment in capitals after `PAMOSNIK_`."""
    default: str | None
    meaning: str
    secret: bool = False


SETTINGS = (
    Setting(
        "home", None, "folder of database, key, backups and `pamosnik.toml`; default: the user's data folder"
    ),
    Setting("host", "127.0.0.1", "where `serve` listens"),
    Setting("port", "8788", "where `serve` listens"),
    Setting("public_url", None, "https address of the tunnel or domain"),
    Setting(
        "tunnel",
        None,
        "what `serve` opens: `cloudflared`, `ngrok`, `tailscale`, `ssh:HOST` or `command:PROGRAM`",
    ),
    Setting("proxy_headers", "ignore", "`trust` where a proxy of your own sets X-Forwarded-Proto"),
    Setting("instagram_app_id", None, "from “API setup with Instagram login”"),
    Setting("instagram_app_secret", None, "from “API setup with Instagram login”", secret=True),
    Setting("meta_app_id", None, "from App settings → Basic"),
    Setting(
        "meta_app_secret", None, "from App settings → Basic; either secret may sign webhooks", secret=True
    ),
    Setting("verify_token", None, "Meta's handshake; made by `init`", secret=True),
    Setting("meta_url", None, "one base address for every Meta host: the sandbox, a test server"),
    Setting("graph_version", "v26.0", "version of the Graph API"),
    Setting("passphrase", None, "when set, the key file is sealed with it and needed at start", secret=True),
    Setting(
        "backups",
        "daily",
        "`daily`: `serve` makes a backup each night; `off`: only `backup create` makes one",
    ),
    Setting("backup_folder", None, "folder on another disk: each backup of the home is copied there, too"),
    Setting("backup_passphrase", None, "when set, backups are sealed with it", secret=True),
    Setting(
        "smtp_url",
        None,
        "mail server for alerts and mails of flows: `smtps://user:password@host`",
        secret=True,
    ),
    Setting("mail_from", None, "sender of mails; default: the user of `smtp_url`"),
    Setting("log_format", "text", "`text` or `json`"),
    Setting(
        "log_level", "info", "`info`, `debug` (more of what Pamosnik does) or `warning` (only what is wrong)"
    ),
    Setting("metrics", "token", "`open`: `/metrics` needs no API token, and tells of all accounts"),
    Setting("operator_name", None, "who runs this installation; default: the first account's name"),
    Setting("operator_email", None, "how to reach them; default: the first account's e-mail"),
)
ACCOUNT_VARIABLE = "PAMOSNIK_ACCOUNT"
"""Which account a command means: the environment's form of `--account`."""

_BY_NAME = {setting.name: setting for setting in SETTINGS}


@dataclass(frozen=True, slots=True)
class Value:
    """A setting's value and where it came from: flag, environment, file, toml or default."""

    text: str | None
    source: str


class Encryption(Enum):
    """How the way to a mail server is protected."""

    TLS = "from the start"
    STARTTLS = "before anything is said"
    NONE = "not at all: it never leaves this machine"


@dataclass(frozen=True, slots=True, repr=False)
class MailServer:
    """What `smtp_url` and `mail_from` say. Its repr shows nothing, for it holds a password."""

    host: str
    port: int
    encryption: Encryption
    user: str | None
    """None: it takes mail without login; then there is no password either."""
    password: str | None
    sender: str


@dataclass(frozen=True, slots=True, repr=False)
class Config:
    """All settings, checked. Its repr shows nothing, for it holds secrets."""

    home: Path
    host: str
    port: int
    public_url: str | None
    tunnel: str | None
    """As it is written; `services.tunnels` reads it."""
    proxy_headers: str
    instagram_app_id: str | None
    instagram_app_secret: str | None
    meta_app_id: str | None
    meta_app_secret: str | None
    verify_token: str | None
    meta_url: str | None
    graph_version: str
    passphrase: str | None
    backups: str
    """`daily` or `off`."""
    backup_folder: str | None
    backup_passphrase: str | None
    smtp_url: str | None
    mail_from: str | None
    mail: MailServer | None
    """None: no mail is sent."""
    log_format: str
    log_level: str
    metrics: str
    """`token` or `open`."""
    operator_name: str | None
    operator_email: str | None
    ages: Ages
    """How long things are kept; in `sources` under `retention.` and their kind."""
    sources: Mapping[str, str]

    @property
    def database(self) -> Path:
        return self.home / DATABASE

    @property
    def key_file(self) -> Path:
        return self.home / KEY_FILE

    @property
    def other_folder(self) -> Path | None:
        """Where copies of the home's backups go."""
        return None if self.backup_folder is None else Path(self.backup_folder).expanduser()

    @property
    def trusts_proxy(self) -> bool:
        """Whether the headers of a proxy count."""
        return self.proxy_headers == "trust"

    @property
    def webhook_secrets(self) -> tuple[str, ...]:
        """Either may sign."""
        return tuple(s for s in (self.instagram_app_secret, self.meta_app_secret) if s)

    def describe(self) -> list[tuple[str, str, str]]:
        """(name, value, source) of every setting, secrets hidden. The one place that shows settings."""
        shown = []
        for setting in SETTINGS:
            value = getattr(self, setting.name)
            shown.append((setting.name, _told(setting, value), self.sources[setting.name]))
        for kind in ages.KINDS:
            name = f"{RETENTION}.{kind}"
            shown.append((name, ages.written(self.ages.of(kind)), self.sources[name]))
        return shown


def _told(setting: Setting, value: object) -> str:
    if value is None:
        return "–"
    if setting.name == "tunnel" and str(value).startswith("command:"):
        return "command:(hidden)"
    # Beside each app id Meta's dashboard has its secret, and one is easily copied for the other.
    mistaken = setting.name in ("instagram_app_id", "meta_app_id") and not str(value).isdecimal()
    return "(hidden)" if setting.secret or mistaken else str(value)


def load(
    flags: Mapping[str, str | None] | None = None,
    environ: Mapping[str, str] | None = None,
    *,
    on_bad_mail: Callable[[UsageError], None] | None = None,
) -> Config:
    """Reads all settings. Raises `UsageError` that names the setting and where its value came from. `on_bad_mail`
    hears of it instead where it is the mail server's; then there is none."""
    given = {name: value for name, value in (flags or {}).items() if value is not None}
    env = os.environ if environ is None else environ
    home = _home(given, env)
    toml, kept = _toml(home.text)
    values = {name: _value(setting, given, env, toml) for name, setting in _BY_NAME.items()}
    values["home"] = home
    unsaid.keep_always(*(values[setting.name].text for setting in SETTINGS if setting.secret))
    return _checked(values, kept, on_bad_mail)


def _home(flags: Mapping[str, str], env: Mapping[str, str]) -> Value:
    found = _value(_BY_NAME["home"], flags, env, {})
    if found.text is not None:
        return Value(str(Path(found.text).expanduser().absolute()), found.source)
    import platformdirs

    return Value(platformdirs.user_data_dir("pamosnik", appauthor=False), "default")


def _value(
    setting: Setting, flags: Mapping[str, str], env: Mapping[str, str], toml: Mapping[str, str]
) -> Value:
    variable = PREFIX + setting.name.upper()
    if setting.name in flags:
        return Value(flags[setting.name], "flag")
    if env.get(variable):
        return Value(env[variable], f"environment ({variable})")
    if setting.secret and env.get(f"{variable}_FILE"):
        return Value(_secret_file(env[f"{variable}_FILE"], f"{variable}_FILE"), f"file ({variable}_FILE)")
    if setting.name in toml:
        return Value(toml[setting.name], SETTINGS_FILE)
    return Value(setting.default, "default")


def _secret_file(path: str, variable: str) -> str:
    try:
        # Windows marks the beginning, and ends a line with two signs.
        return Path(path).read_text(encoding="utf-8-sig").rstrip("\r\n")
    except (OSError, ValueError) as error:
        # Not the path: whoever mistakes the variable writes the secret itself there.
        why = error.strerror if isinstance(error, OSError) else "it is no text"
        raise UsageError(
            f"The file that {variable} names cannot be read: {why}.",
            hint=f"{variable} is the path of a file that holds the secret; check it and its permissions.",
        ) from None


def _toml(home: str | None) -> tuple[Mapping[str, str], Mapping[str, timedelta | None]]:
    """The settings as they are written, and how long things are kept where it is said."""
    path = Path(home or "") / SETTINGS_FILE
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}, {}
    except NotADirectoryError:
        raise UsageError(
            f"The home {home} is a file, not a folder.", hint="Set PAMOSNIK_HOME to a folder of your own."
        ) from None
    except OSError as error:
        raise HomeError(
            f"{path} cannot be read: {error.strerror}.",
            hint=f"Folder and file must belong to the user that runs Pamosnik. Try: ls -ld {home} {path}",
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} cannot be read: {error}", hint="Mend the line it names.") from error
    kept = _retention(path, raw.pop(RETENTION, {}))
    for name, value in raw.items():
        if name not in _BY_NAME or name == "home":
            raise UsageError(f"{path} has an unknown setting: {name}", hint=_close(name))
        if isinstance(value, bool) or not isinstance(value, str | int):
            raise UsageError(
                f"{path}: {name} must be a text or a number.", hint='Write it like: name = "value"'
            )
    return {name: str(value) for name, value in raw.items()}, kept


def _retention(path: Path, raw: object) -> Mapping[str, timedelta | None]:
    if not isinstance(raw, dict):
        raise UsageError(
            f"{path}: {RETENTION} must be a table.", hint=f'Write [{RETENTION}], and below it: events = "30d"'
        )
    kept = {}
    for kind, value in raw.items():
        if kind not in ages.KINDS:
            raise UsageError(
                f"{path} has an unknown setting in [{RETENTION}]: {kind}", hint=_close(kind, ages.KINDS)
            )
        try:
            kept[kind] = ages.age(kind, str(value))
        except ValueError as error:
            raise UsageError(
                f"{path}: {RETENTION}.{kind}: {error}.", hint=f'Write it like: {kind} = "90d"'
            ) from None
    return kept


def _close(name: str, known: Collection[str] = tuple(_BY_NAME)) -> str:
    from difflib import get_close_matches

    near = get_close_matches(name, known, n=1)
    return f"Did you mean {near[0]}?" if near else f"Known are: {', '.join(known)}"


def _checked(
    values: Mapping[str, Value],
    kept: Mapping[str, timedelta | None],
    on_bad_mail: Callable[[UsageError], None] | None,
) -> Config:
    texts = {name: value.text for name, value in values.items()}
    port = values["port"]
    if port.text is None or not port.text.isdecimal() or not 0 <= int(port.text) <= 65535:
        raise UsageError(f"port ({port.source}) is no port number: {port.text}", hint="Take one like 8788.")
    for name in ("public_url", "meta_url"):
        _require_address(name, values[name])
    version = values["graph_version"]
    if not re.fullmatch(r"v\d{1,3}\.\d", version.text or ""):
        raise UsageError(
            f"graph_version ({version.source}) is no version of Meta's: {version.text}",
            hint="Write it like v26.0.",
        )
    _require_one_of("log_format", values["log_format"], "text", "json")
    _require_one_of("metrics", values["metrics"], "token", "open")
    _require_one_of("backups", values["backups"], "daily", "off")
    _require_other_folder(values["backup_folder"], Path(texts["home"] or ""))
    _require_one_of("proxy_headers", values["proxy_headers"], "ignore", "trust")
    log_level = values["log_level"]
    if log_level.text not in ("debug", "info", "warning"):
        raise UsageError(
            f"log_level ({log_level.source}) is {log_level.text!r}.",
            hint="It can be info, debug or warning.",
        )
    _require_mail_address("operator_email", values["operator_email"])
    known = {field.name for field in fields(Config)}
    rest = {name: text for name, text in texts.items() if name in known and name not in ("home", "port")}
    return Config(
        home=Path(texts["home"] or ""),
        port=int(port.text),
        mail=_mail_server_if_good(values["smtp_url"], values["mail_from"], on_bad_mail),
        sources={name: value.source for name, value in values.items()} | _sources_of_ages(kept),
        ages=Ages(**kept),
        **rest,  # type: ignore[arg-type]
    )


def _sources_of_ages(kept: Mapping[str, timedelta | None]) -> dict[str, str]:
    return {f"{RETENTION}.{kind}": SETTINGS_FILE if kind in kept else "default" for kind in ages.KINDS}


def _require_one_of(name: str, value: Value, *known: str) -> None:
    if value.text not in known:
        raise UsageError(
            f"{name} ({value.source}) is {value.text!r}.", hint=f"It can be {' or '.join(known)}."
        )


def _require_other_folder(value: Value, home: Path) -> None:
    if value.text is None:
        return
    folder = Path(value.text).expanduser()
    if not folder.is_absolute() or folder.resolve().is_relative_to(home.resolve()):
        raise UsageError(
            f"backup_folder ({value.source}) is no folder outside of the home: {value.text}",
            hint="Write the whole path of a folder on another disk, like /mnt/usb/pamosnik.",
        )


def _require_address(name: str, value: Value) -> None:
    if value.text is not None and not _is_address(value.text):
        raise UsageError(
            f"{name} ({value.source}) is no address: {value.text}", hint="Write it like https://shop.example"
        )


def _is_address(text: str) -> bool:
    """Of a web server, without user, password and query."""
    try:
        parts = urlsplit(text)
        # To ask for the port is what finds out that it is none.
        whole = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        return False
    return bool(whole) and not parts.query and "@" not in parts.netloc and " " not in parts.netloc


# --- the mail server -------------------------------------------------------------------------------------

_MAIL_ADDRESS = re.compile(r"""[^\s@<>()\[\]\\,;:"]+@[^\s@<>()\\,;"]+""")
_DEFAULT_PORTS = {"smtp": 587, "smtps": 465}


def _require_mail_address(name: str, value: Value) -> None:
    if value.text is None:
        return
    try:
        value.text.rpartition("@")[2].encode("idna")
        good = _MAIL_ADDRESS.fullmatch(value.text) is not None
    except UnicodeError:
        good = False
    if not good:
        raise UsageError(
            f"{name} ({value.source}) is no e-mail address: {value.text}",
            hint="Write it like alerts@shop.example.",
        )


def _mail_server_if_good(
    url: Value, mail_from: Value, on_bad: Callable[[UsageError], None] | None
) -> MailServer | None:
    try:
        return _mail_server(url, mail_from)
    except UsageError as error:
        if on_bad is None:
            raise
        on_bad(error)
        return None


def _mail_server(url: Value, mail_from: Value) -> MailServer | None:
    """None when no mail server is set. Errors never show the address, for it holds the password."""
    _require_mail_address("mail_from", mail_from)
    if url.text is None:
        return None
    host, port, scheme = _server_of(url)
    user, password = _login_of(url)
    encryption = Encryption.STARTTLS
    if scheme == "smtps":
        encryption = Encryption.TLS
    elif _is_loopback(host):
        encryption = Encryption.NONE
    sender = mail_from.text
    if sender is None and user is not None and _MAIL_ADDRESS.fullmatch(user):
        sender = user
    if sender is None:
        raise UsageError(
            f"smtp_url ({url.source}) is set and mail_from is not, and its user is no e-mail address.",
            hint="Set PAMOSNIK_MAIL_FROM, like alerts@shop.example.",
        )
    return MailServer(host, port, encryption, user, password, sender)


def _bad_mail_server(url: Value, what: str) -> UsageError:
    return UsageError(
        f"smtp_url ({url.source}) {what}.",
        hint="Write it like smtps://user:password@mail.example, or smtp://…:587 for STARTTLS;"
        " signs like @ : / # ? % in user and password as %40 %3A %2F %23 %3F %25.",
    )


def _server_of(url: Value) -> tuple[str, int, str]:
    """Host, port, scheme."""
    try:
        parts = urlsplit(url.text or "")
        host, port = parts.hostname, parts.port
    except ValueError:
        # Its text may quote the password.
        raise _bad_mail_server(url, "is no address of a mail server") from None
    if parts.scheme not in _DEFAULT_PORTS:
        raise _bad_mail_server(url, "does not begin with smtp:// or smtps://")
    if not host or port == 0 or parts.path not in ("", "/") or parts.query or parts.fragment:
        raise _bad_mail_server(url, "is no address of a mail server")
    return host, _DEFAULT_PORTS[parts.scheme] if port is None else port, parts.scheme


def _login_of(url: Value) -> tuple[str | None, str | None]:
    """User and password, or neither."""
    parts = urlsplit(url.text or "")
    try:
        user, password = (unquote(part or "", errors="strict") for part in (parts.username, parts.password))
    except UnicodeDecodeError:
        raise _bad_mail_server(url, "has a user or password that is not UTF-8") from None
    if bool(user) != bool(password):
        raise _bad_mail_server(url, "needs both a user and a password, or neither")
    if any(not sign.isprintable() for sign in user + password):
        raise _bad_mail_server(url, "has a user or password with control signs")
    unsaid.keep_always(password, f"\0{user}\0{password}")
    return (user, password) if user else (None, None)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


# --- the home folder -------------------------------------------------------------------------------------


def prepare_home(home: Path) -> None:
    """Makes the folder, for its owner alone; an empty one becomes so. Raises `HomeError` as `require_private`."""
    try:
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        if home.stat().st_uid == os.geteuid() and not any(home.iterdir()):
            home.chmod(0o700)
    except OSError as error:
        raise _cannot_be_made(home, error) from error
    require_private(home)


def make_inside(folder: Path) -> None:
    """Makes a folder in the home, for its owner alone."""
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        if folder.stat().st_mode & 0o077:
            folder.chmod(0o700)
    except OSError as error:
        raise _cannot_be_made(folder, error) from error


def _cannot_be_made(folder: Path, error: OSError) -> HomeError:
    return HomeError(
        f"The folder {folder} cannot be made or read: {error.strerror}.",
        hint="Set PAMOSNIK_HOME to a folder of your own.",
    )


def require_private(home: Path) -> None:
    """Refuses a home that other users can read or enter, and one of another user: nobody knows who has read the keys,
    so nothing is mended in silence. One that is missing is no matter of this."""
    try:
        found = home.stat()
    except OSError:
        return
    if found.st_uid != os.geteuid():
        raise HomeError(
            f"The home folder {home} belongs to another user (number {found.st_uid}).",
            hint="Run Pamosnik as that user, or set PAMOSNIK_HOME to a folder of your own.",
        )
    if found.st_mode & 0o077:
        raise HomeError(
            f"Other users of this machine can get into the home folder {home} ({found.st_mode & 0o777:o}).",
            hint=f"Try: chmod 700 {home}   If others use this machine, then also: pamosnik keys rotate",
        )


def save_setting(home: Path, name: str, value: str) -> None:
    """Adds one setting to `pamosnik.toml` (0600). Leaves everything else in it as it is."""
    path = home / SETTINGS_FILE
    before = path.read_text(encoding="utf-8") if path.exists() else ""
    quoted = value.replace("\\", "\\\\").replace('"', '\\"')
    temporary = path.with_suffix(".new")
    temporary.unlink(missing_ok=True)  # of a run that was killed
    temporary.touch(mode=0o600, exist_ok=False)
    # Above everything else: below a [table] it would belong to that table.
    temporary.write_text(f'{name} = "{quoted}"\n{before}', encoding="utf-8")
    temporary.replace(path)
