"""`flows export` as a script sees it: what it writes, what it never overwrites, and that it can be applied again."""

import os
import stat
from pathlib import Path

from tests.crash import forked

ROOT = Path(__file__).parents[2]
SHOP = """\
version: 1
codes: { spring: spring.csv }
flows:
  gift:
    when: [dm: gift]
    do: [{ give_code: { from: spring, text: "{code}", if_empty: [{ send: "All gone" }] } }]
"""


def test_export_gives_files_that_change_nothing_and_overwrites_only_when_told(tmp_path: Path) -> None:
    environment = {
        **os.environ,
        "PAMOSNIK_HOME": str(tmp_path / "home"),
        "NO_COLOR": "1",
        "PYTHONPATH": str(ROOT),
    }

    def run(*arguments: str, given: str = "") -> tuple[int, str, str]:
        done = forked.run(arguments, environment, given, cwd=tmp_path)
        return done.returncode, done.stdout, done.stderr

    who = ("--name", "Rosa", "--email", "rosa@shop.example", "--password-stdin")
    assert run("init", *who, given="three random words\n")[0] == 0
    assert run("flows", "export")[0] == 1
    (tmp_path / "shop.yaml").write_text(SHOP)
    (tmp_path / "spring.csv").write_text("S-1\nS-2\n")
    assert run("flows", "apply", "shop.yaml", "--yes")[0] == 0

    code, text, told = run("flows", "export")
    assert code == 0
    assert "flows export -o FOLDER" in told
    assert "S-1" not in text
    code, _, told = run("flows", "export", "-o", "there")
    assert (code, told.splitlines()) == (0, ["Written: there/spring.csv", "Written: there/flows.yaml"])
    assert (tmp_path / "there" / "flows.yaml").read_text() == text
    assert stat.S_IMODE((tmp_path / "there" / "spring.csv").stat().st_mode) == 0o600
    assert run("flows", "diff", "there")[0] == 0
    assert run("flows", "validate", "there", "--strict")[0] == 0

    assert run("flows", "export", "-o", "there")[0] == 0, "the same may be written again"
    (tmp_path / "there" / "flows.yaml").write_text("# mine\n")
    code, _, told = run("flows", "export", "-o", "there")
    assert code == 2
    assert "Overwrite there/flows.yaml? Nobody can be asked here." in told
    assert (tmp_path / "there" / "flows.yaml").read_text() == "# mine\n"
    assert run("flows", "export", "-o", "there/flows.yaml", "--yes")[0] == 0
    assert (tmp_path / "there" / "flows.yaml").read_text() == text
