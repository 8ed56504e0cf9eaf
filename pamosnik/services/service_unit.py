"""The systemd unit that runs `pamosnik serve`, as text."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pamosnik.errors import UsageError

FIRST_LINE = "# Made by `pamosnik service install`, which writes it anew: what is yours belongs into"
"""By it a unit is known as ours."""

_EVERYWHERE = """\
NoNewPrivileges=yes
UMask=0077
LockPersonality=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
RestrictNamespaces=yes
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX AF_NETLINK
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallErrorNumber=EPERM
"""

_OF_THE_SYSTEM = """\
ProtectSystem=strict
ProtectHome=read-only
PrivateTmp=yes
PrivateDevices=yes
ProtectKernelTunables=yes
ProtectKernelModules=yes
ProtectKernelLogs=yes
ProtectControlGroups=yes
ProtectClock=yes
ProtectHostname=yes
ProtectProc=invisible
RemoveIPC=yes
"""
"""What the manager of one user has no right to arrange on every machine."""


@dataclass(frozen=True, slots=True)
class Unit:
    """What it says."""

    name: str
    """Without `.service`."""
    program: Sequence[str]
    """How to run a command of this installation, each path whole."""
    options: Sequence[str]
    """Of `serve`: what no setting says."""
    home: Path
    user: str | None
    """Whose the service is; None: it is that of the user whose manager runs it."""
    writable: Sequence[Path]
    """What else it writes to, beside the home."""
    two_processes: bool
    """The one file, whose second process is the daemon."""
    low_port: bool
    """Whether it listens on a port below 1024."""


def text(unit: Unit) -> str:
    """Raises `UsageError` for a path that no unit can name."""
    system = unit.user is not None
    lines = [
        f"{FIRST_LINE}",
        f"# {unit.name}.service.d/…conf (systemctl edit).",
        "[Unit]",
        f"Description=Pamosnik ({_words(str(unit.home))})",
        *(("Wants=network-online.target", "After=network-online.target") if system else ()),
        # A full disk is freed and a network comes back: it tries for as long as it takes.
        "StartLimitIntervalSec=0",
        "",
        "[Service]",
        "Type=notify",
        f"NotifyAccess={'all' if unit.two_processes else 'main'}",
        f"ExecStart={' '.join(_quoted(word, command=True) for word in (*unit.program, 'serve', *unit.options))}",
        f"Environment={_quoted(f'PAMOSNIK_HOME={unit.home}')}",
        *((f"User={unit.user}",) if system else ()),
        "Restart=always",
        "RestartSec=5s",
        # Settings that cannot be right: only their owner can change that.
        "RestartPreventExitStatus=2",
        # An older database is brought up to date first, and a big one takes its time.
        "TimeoutStartSec=infinity",
        "TimeoutStopSec=20s",
        "WatchdogSec=60s",
        # The daemon ends its tunnel itself, after the last answer.
        "KillMode=mixed",
        "",
        *_EVERYWHERE.splitlines(),
    ]
    if system:
        lines += [
            *_OF_THE_SYSTEM.splitlines(),
            f"CapabilityBoundingSet={'CAP_NET_BIND_SERVICE' if unit.low_port else ''}",
            *(("AmbientCapabilities=CAP_NET_BIND_SERVICE",) if unit.low_port else ()),
            f"ReadWritePaths={' '.join(_quoted(str(path)) for path in (unit.home, *unit.writable))}",
        ]
    lines += ["", "[Install]", f"WantedBy={'multi-user' if system else 'default'}.target", ""]
    return "\n".join(lines)


def _words(value: str) -> str:
    return _one_line(value).replace("%", "%%")


def _quoted(value: str, *, command: bool = False) -> str:
    """A word of a unit (systemd.syntax); in a command `$` would begin a variable."""
    escaped = _words(value).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped.replace("$", "$$") if command else escaped}"'


def _one_line(value: str) -> str:
    if re.search(r"[\x00-\x1f\x7f]", value):
        raise UsageError(f"A unit cannot name this path: {value!r}", hint="Move it to one without line ends.")
    return value
