"""How soon a command begins: what it loads."""

import subprocess
import sys
from pathlib import Path

from tests.homes import with_one_account

ROOT = Path(__file__).parents[2]


def test_a_command_loads_what_it_reads_with_and_no_other_page(tmp_path: Path) -> None:
    with_one_account(tmp_path / "home")
    listed = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "pamosnik", "queue", "list"],
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT), "PAMOSNIK_HOME": str(tmp_path / "home")},
        capture_output=True,
        text=True,
        check=True,
    )
    loaded = {line.rsplit("|", 1)[-1].strip() for line in listed.stderr.splitlines()}
    reading = "pamosnik.services.reading."
    assert {name.removeprefix(reading) for name in loaded if name.startswith(reading)} == {
        "forecast",
        "holding",
        "queue",
        "standing",
    }
    assert not loaded & {"pamosnik.engine", "pamosnik.flows.compile", "pamosnik.flows.graph", "yaml"}
