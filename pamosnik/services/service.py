"""The daemon as a service of systemd: installing it, looking at it, taking it away."""

import os
import pwd
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pamosnik import config, frozen
from pamosnik.config import Config
from pamosnik.errors import HomeError, NotFound, PamosnikError, UsageError
from pamosnik.services import home, service_unit
from pamosnik.services.service_unit import Unit

DEFAULT_NAME = "pamosnik"
_NAME = re.compile(r"[a-z][a-z0-9-]{0,40}")
_BOOTED_WITH_SYSTEMD = Path("/run/systemd/system")
_UNITS_OF_THE_SYSTEM = Path("/etc/systemd/system")
_PATIENCE_S = 120
_START_WITHIN_S = 3600
"""A big database that is brought up to date first takes its time."""
_PROPERTIES = (
    "LoadState",
    "ActiveState",
    "SubState",
    "UnitFileState",
    "MainPID",
    "NRestarts",
    "StatusText",
    "Result",
)


class ServiceRefused(PamosnikError):
    """systemd does not do what was asked for."""


@dataclass(frozen=True, slots=True)
class Manager:
    """The systemd of the machine, or of the user who asks."""

    system: bool

    @property
    def folder(self) -> Path:
        """Where its units of the owner are."""
        if self.system:
            return _UNITS_OF_THE_SYSTEM
        return Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "systemd" / "user"

    @property
    def command(self) -> Sequence[str]:
        return ("systemctl",) if self.system else ("systemctl", "--user")

    def journal(self, name: str) -> str:
        return f"journalctl {'' if self.system else '--user '}-u {name}"

    def ask(self, *words: str, within_s: float = _PATIENCE_S) -> str:
        """What systemctl answers. Raises `ServiceRefused` in its words."""
        try:
            done = subprocess.run(
                [*self.command, *words],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=within_s,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise ServiceRefused(f"systemctl {' '.join(words)} came to no end: {error}") from error
        if done.returncode:
            said = " ".join(done.stderr.split()) or f"exit code {done.returncode}"
            raise ServiceRefused(f"systemctl {' '.join(words)}: {said}")
        return done.stdout


@dataclass(frozen=True, slots=True)
class Installed:
    """What an installation did."""

    file: Path
    changed: bool
    """False: the unit was there, word for word."""
    taken_over: Sequence[str]
    """Settings that stand in `pamosnik.toml` now: the service has no environment of yours."""
    lingers: bool
    """Whether it goes on when its user logs out."""


@dataclass(frozen=True, slots=True)
class Found:
    """How a service is."""

    name: str
    installed: bool
    enabled: bool
    active: bool
    """Whether it is ready, as it said itself."""
    state: str
    pid: int | None
    restarts: int
    status: str | None
    """What the daemon told last."""


def manager(*, system: bool | None) -> Manager:
    """The one that is meant; None: the machine's for root, the user's own for anybody else.

    Raises `UsageError` without systemd, or without the right to the machine's.
    """
    if shutil.which("systemctl") is None or not _BOOTED_WITH_SYSTEMD.is_dir():
        raise UsageError(
            "This machine is not run by systemd.",
            hint="Let what runs it start `pamosnik serve`, stop it with SIGTERM, and start it again when it ends.",
        )
    root = os.geteuid() == 0
    if system and not root:
        raise UsageError(
            "A service of the machine is root's to install.",
            hint="Try it with sudo, and --home FOLDER; or leave out --system: then it is your own.",
        )
    return Manager(root if system is None else system)


def require_name(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise UsageError(f"`{name}` is no name for a service.", hint="Small letters, digits and dashes.")
    return name


def unit(settings: Config, name: str, at: Manager, options: Sequence[str]) -> Unit:
    """What would be installed. `options`: of `serve`, what no setting says."""
    owner = _user_of(settings.home) if at.system else None
    return Unit(
        name=name,
        program=_program(),
        options=options,
        home=settings.home.absolute(),
        user=owner,
        writable=() if settings.other_folder is None else (settings.other_folder.absolute(),),
        two_processes=frozen.is_one_file(),
        low_port=settings.port < 1024,
    )


def install(
    settings: Config, name: str, at: Manager, environ: Mapping[str, str], options: Sequence[str]
) -> Installed:
    """Writes the unit, and starts the service or starts it anew; returns when the daemon is ready.

    What of the settings only `environ` says goes into `pamosnik.toml`: the service has an environment of its own.
    Raises `ServiceRefused`; `HomeError` while a daemon runs that this service has not started.
    """
    file = at.folder / f"{name}.service"
    wanted = service_unit.text(unit(settings, name, at, options))
    before = _read(file)
    if before is not None and not before.startswith(service_unit.FIRST_LINE):
        raise HomeError(f"{file} is not Pamosnik's.", hint="Take another name: --name NAME")
    if home.daemon_running(settings.home) and not look(name, at).active:
        raise HomeError(
            f"Pamosnik runs already in {settings.home}, and no service started it.",
            hint="Stop it first, with Ctrl-C.",
        )
    taken_over = take_over(settings, environ)
    if before != wanted:
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            new = file.with_suffix(".new")
            new.write_text(wanted, "utf-8")
            new.replace(file)
        except OSError as error:
            raise HomeError(f"{file} cannot be written: {error.strerror}.") from error
    at.ask("daemon-reload")  # also where an earlier try got no further
    at.ask("enable", "--quiet", f"{name}.service")
    try:
        at.ask("restart", f"{name}.service", within_s=_START_WITHIN_S)
    except ServiceRefused as error:
        raise ServiceRefused(
            f"The service is installed, but did not get ready. {error.message}",
            hint=f"Try: {at.journal(name)} -n 20",
        ) from error
    return Installed(file, before != wanted, taken_over, at.system or _lingers())


def take_over(settings: Config, environ: Mapping[str, str]) -> list[str]:
    """Names of the settings that were put into `pamosnik.toml`. Raises `UsageError` where it says something else."""
    mine = {}
    for setting in config.SETTINGS:
        variable = f"{config.PREFIX}{setting.name.upper()}"
        given = variable in environ or (setting.secret and f"{variable}_FILE" in environ)
        value = getattr(settings, setting.name)
        if given and setting.name != "home" and value is not None:
            mine[setting.name] = str(value)
    alone = config.load({}, {f"{config.PREFIX}HOME": str(settings.home)})
    from_file = {name for name, _, source in alone.describe() if source == config.SETTINGS_FILE}
    other = sorted(name for name in mine if name in from_file and str(getattr(alone, name)) != mine[name])
    if other:
        raise UsageError(
            f"{settings.home / config.SETTINGS_FILE} and your environment say different things: {', '.join(other)}.",
            hint="Make them agree; the service reads the file.",
        )
    new = [name for name in mine if name not in from_file]
    try:
        with _as_owner_of(settings.home):
            for name in new:
                config.save_setting(settings.home, name, mine[name])
    except OSError as error:
        file = settings.home / config.SETTINGS_FILE
        raise HomeError(f"{file} cannot be written: {error.strerror}.", hint=f"Try: ls -ld {file}") from error
    return new


def look(name: str, at: Manager) -> Found:
    """How it is. Raises `ServiceRefused`."""
    told = at.ask("show", f"{name}.service", *(f"--property={one}" for one in _PROPERTIES))
    facts = dict(line.split("=", 1) for line in told.splitlines() if "=" in line)
    state = facts.get("ActiveState", "unknown")
    words = state if state in ("active", "inactive") else f"{state} ({facts.get('SubState', '')})"
    if facts.get("Result", "success") != "success":
        words = f"{words}: {facts['Result']}"
    return Found(
        name=name,
        installed=facts.get("LoadState") == "loaded",
        enabled=facts.get("UnitFileState") == "enabled",
        active=state == "active",
        state=words,
        pid=int(facts.get("MainPID", "0")) or None,
        restarts=int(facts.get("NRestarts", "0") or 0),
        status=facts.get("StatusText") or None,
    )


def uninstall(name: str, at: Manager) -> Path:
    """Stops it and takes its unit away; the home stays as it is. Raises `NotFound`."""
    file = at.folder / f"{name}.service"
    before = _read(file)
    if before is None or not before.startswith(service_unit.FIRST_LINE):
        raise NotFound(f"No service of Pamosnik's is installed as {file}.")
    at.ask("disable", "--quiet", "--now", f"{name}.service")
    file.unlink()
    at.ask("daemon-reload")
    return file


def _read(file: Path) -> str | None:
    try:
        return file.read_text("utf-8")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise HomeError(f"{file} cannot be read.") from error


def _program() -> Sequence[str]:
    """As whoever installs it was started; a script of an environment's own, if that is how."""
    started = Path(sys.argv[0])
    if not frozen.is_frozen() and started.name == "pamosnik" and os.access(started, os.X_OK):
        return (str(started.absolute()),)
    return frozen.this_program()


def _user_of(folder: Path) -> str:
    number = folder.stat().st_uid
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return str(number)


@contextmanager
def _as_owner_of(folder: Path) -> Iterator[None]:
    """Root writes into somebody's home as that one, whose files they shall be: as root it would follow whatever leads
    elsewhere from there."""
    if os.geteuid() != 0:
        yield
        return
    whose, groups = folder.stat(), os.getgroups()
    os.setgroups([whose.st_gid])
    os.setegid(whose.st_gid)
    os.seteuid(whose.st_uid)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(0)
        os.setgroups(groups)


def _lingers() -> bool:
    return Path("/var/lib/systemd/linger", pwd.getpwuid(os.getuid()).pw_name).exists()
