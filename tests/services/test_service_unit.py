"""The unit's text, and that its words come out of systemd's reading as they went in."""

import dataclasses
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pamosnik.errors import UsageError
from pamosnik.services import service_unit
from pamosnik.services.service_unit import Unit

UNIT = Unit(
    name="pamosnik",
    program=("/opt/pamosnik/bin/pamosnik",),
    options=(),
    home=Path("/srv/shop"),
    user="rosa",
    writable=(Path("/mnt/backups"),),
    two_processes=False,
    low_port=False,
)
printable = st.text(st.characters(blacklist_categories=("Cc", "Cs"), blacklist_characters="/\0"), min_size=1)


def _lines(unit: Unit) -> dict[str, str]:
    return dict(line.split("=", 1) for line in service_unit.text(unit).splitlines() if "=" in line)


def _read(words: str, *, command: bool) -> list[str]:
    """As systemd.syntax and systemd.service tell it."""
    found = [
        re.sub(r"\\(.)", r"\1", word).replace("%%", "%") for word in re.findall(r'"((?:[^"\\]|\\.)*)"', words)
    ]
    return [word.replace("$$", "$") for word in found] if command else found


@given(printable, printable)
def test_any_path_comes_out_as_it_went_in(program: str, home: str) -> None:
    told = _lines(
        dataclasses.replace(UNIT, program=(f"/{program}",), home=Path("/", home), options=("--tls-key", home))
    )
    assert _read(told["ExecStart"], command=True) == [f"/{program}", "serve", "--tls-key", home]
    assert _read(told["Environment"], command=False) == [f"PAMOSNIK_HOME={Path('/', home)}"]
    assert _read(told["ReadWritePaths"], command=False) == [str(Path("/", home)), "/mnt/backups"]


def test_a_line_end_in_a_path_is_refused() -> None:
    with pytest.raises(UsageError, match="cannot name this path"):
        service_unit.text(dataclasses.replace(UNIT, home=Path("/srv/shop\nUser=root")))


def test_the_machines_service_is_walled_in_and_a_users_own_does_without_what_its_manager_cannot() -> None:
    system, own = _lines(UNIT), _lines(dataclasses.replace(UNIT, user=None))
    assert (system["User"], system["ProtectSystem"], system["WantedBy"]) == (
        "rosa",
        "strict",
        "multi-user.target",
    )
    assert own["WantedBy"] == "default.target"
    assert not {"User", "ProtectSystem", "PrivateTmp", "ReadWritePaths", "CapabilityBoundingSet"} & own.keys()
    assert own["NoNewPrivileges"] == own["RestrictNamespaces"] == "yes"
    assert (own["Type"], own["KillMode"], own["NotifyAccess"]) == ("notify", "mixed", "main")


def test_a_port_below_1024_has_the_one_right_it_needs() -> None:
    assert (_lines(UNIT)["CapabilityBoundingSet"], "AmbientCapabilities" in _lines(UNIT)) == ("", False)
    low = _lines(dataclasses.replace(UNIT, low_port=True))
    assert low["CapabilityBoundingSet"] == low["AmbientCapabilities"] == "CAP_NET_BIND_SERVICE"


def test_the_one_file_may_speak_from_its_second_process() -> None:
    assert _lines(dataclasses.replace(UNIT, two_processes=True))["NotifyAccess"] == "all"
