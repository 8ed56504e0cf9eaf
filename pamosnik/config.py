"""Settings: read once at start, checked as a whole, frozen, handed down as the values a part needs.

Precedence: flag, environment, `*_FILE` in the environment (secrets), `pamosnik.toml` in the home, default.
"""

import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from urllib.parse import urlsplit

from pamosnik.errors import HomeError, UsageError

PREFIX = "PAMOSNIK_"
DATABASE = "pamosnik.db"
KEY_FILE = "master.key"
SETTINGS_FILE = "pamosnik.toml"


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
    Setting("log_format", "text", "`text` or `json`"),
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


@dataclass(frozen=True, slots=True, repr=False)
class Config:
    """All settings, checked. Its repr shows nothing, for it holds secrets."""

    home: Path
    host: str
    port: int
    public_url: str | None
    instagram_app_id: str | None
    instagram_app_secret: str | None
    meta_app_id: str | None
    meta_app_secret: str | None
    verify_token: str | None
    meta_url: str | None
    graph_version: str
    passphrase: str | None
    log_format: str
    operator_name: str | None
    operator_email: str | None
    sources: Mapping[str, str]

    @property
    def database(self) -> Path:
        return self.home / DATABASE

    @property
    def key_file(self) -> Path:
        return self.home / KEY_FILE

    @property
    def webhook_secrets(self) -> tuple[str, ...]:
        """Either may sign."""
        return tuple(s for s in (self.instagram_app_secret, self.meta_app_secret) if s)

    def describe(self) -> list[tuple[str, str, str]]:
        """(name, value, source) of every setting, secrets hidden. The one place that shows settings."""
        shown = []
        for setting in SETTINGS:
            value = getattr(self, setting.name)
            text = "–" if value is None else "(hidden)" if setting.secret else str(value)
            shown.append((setting.name, text, self.sources[setting.name]))
        return shown


def load(flags: Mapping[str, str | None] | None = None, environ: Mapping[str, str] | None = None) -> Config:
    """Reads all settings. Raises `UsageError` that names the setting and where its value came from."""
    given = {name: value for name, value in (flags or {}).items() if value is not None}
    env = os.environ if environ is None else environ
    home = _home(given, env)
    toml = _toml(home.text)
    values = {name: _value(setting, given, env, toml) for name, setting in _BY_NAME.items()}
    values["home"] = home
    return _checked(values)


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
        return Path(path).read_text(encoding="utf-8").rstrip("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(
            f"The file that {variable} names cannot be read: {path}",
            hint="Check the path and its permissions.",
        ) from error


def _toml(home: str | None) -> Mapping[str, str]:
    path = Path(home or "") / SETTINGS_FILE
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except NotADirectoryError:
        raise UsageError(
            f"The home {home} is a file, not a folder.", hint="Set PAMOSNIK_HOME to a folder of your own."
        ) from None
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} cannot be read: {error}", hint="Mend the line it names.") from error
    raw.pop("retention", None)
    for name, value in raw.items():
        if name not in _BY_NAME or name == "home":
            raise UsageError(f"{path} has an unknown setting: {name}", hint=_close(name))
        if isinstance(value, bool) or not isinstance(value, str | int):
            raise UsageError(
                f"{path}: {name} must be a text or a number.", hint='Write it like: name = "value"'
            )
    return {name: str(value) for name, value in raw.items()}


def _close(name: str) -> str:
    from difflib import get_close_matches

    near = get_close_matches(name, _BY_NAME, n=1)
    return f"Did you mean {near[0]}?" if near else f"Known are: {', '.join(_BY_NAME)}"


def _checked(values: Mapping[str, Value]) -> Config:
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
    log_format = values["log_format"]
    if log_format.text not in ("text", "json"):
        raise UsageError(
            f"log_format ({log_format.source}) is {log_format.text!r}.", hint="It can be text or json."
        )
    known = {field.name for field in fields(Config)}
    rest = {name: text for name, text in texts.items() if name in known and name not in ("home", "port")}
    return Config(
        home=Path(texts["home"] or ""),
        port=int(port.text),
        sources={name: value.source for name, value in values.items()},
        **rest,  # type: ignore[arg-type]
    )


def _require_address(name: str, value: Value) -> None:
    if value.text is None:
        return
    parts = urlsplit(value.text)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.username:
        raise UsageError(
            f"{name} ({value.source}) is no address: {value.text}", hint="Write it like https://shop.example"
        )


# --- the home folder -------------------------------------------------------------------------------------


def prepare_home(home: Path) -> None:
    """Makes the folder, for its owner alone. Refuses one that others may write to."""
    try:
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        if home.stat().st_mode & 0o077:
            home.chmod(0o700)
    except OSError as error:
        raise HomeError(
            f"The home folder {home} cannot be made or read: {error.strerror}.",
            hint="Set PAMOSNIK_HOME to a folder of your own.",
        ) from error


def save_setting(home: Path, name: str, value: str) -> None:
    """Adds one setting to `pamosnik.toml` (0600). Leaves everything else in it as it is."""
    path = home / SETTINGS_FILE
    before = path.read_text(encoding="utf-8") if path.exists() else ""
    quoted = value.replace("\\", "\\\\").replace('"', '\\"')
    temporary = path.with_suffix(".new")
    temporary.touch(mode=0o600)
    # Above everything else: below a [table] it would belong to that table.
    temporary.write_text(f'{name} = "{quoted}"\n{before}', encoding="utf-8")
    temporary.replace(path)
