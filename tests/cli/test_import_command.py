"""What `import` and `export` say."""

import json
import re
from pathlib import Path

from tests.cli.in_process import Command
from tests.cli.test_erasing_commands import two

__all__ = ["two"]


def test_a_refusal_says_what_happened_then_why_then_what_to_do(two: Command, tmp_path: Path) -> None:
    file = tmp_path / "all.zip"
    made = json.loads(two("export", "-o", str(file), "--json").stdout)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", made["created_at"])
    refused = two("import", str(file), "--yes")
    first, *reasons, last = refused.stderr.splitlines()
    assert refused.returncode == 1
    assert first == f"{file} cannot be imported into this account. Nothing was changed."
    assert [reason.startswith("  - ") for reason in reasons] == [True] * len(reasons) != []
    assert last == f"When that is settled, try: pamosnik import {file}"
