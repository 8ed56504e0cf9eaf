"""Flow files that somebody wrote to do harm: each ends soon, in problems with their places, and runs nothing."""

import time
from pathlib import Path

import pytest

from tests.cli.in_process import Command, home  # noqa: F401 - a fixture
from tests.flows.files import read

SOON_S = 5
FLOW = "version: 1\ndisclosure: false\nflows:\n  a:\n    when: [dm: {when}]\n    do: [{do}]\n"


def _flow(when: str = "hi", do: str = "send: hi") -> str:
    return FLOW.replace("{when}", when).replace("{do}", do)


LAUGHS = "version: 1\na: &a [" + "x," * 10 + "]\n"
LAUGHS += "".join(
    f"{b}: &{b} [{','.join([f'*{a}'] * 10)}]\n" for a, b in zip("abcdefgh", "bcdefghi", strict=True)
)
FILES = {
    "a thousand million laughs": (LAUGHS, "too-many"),
    "brackets without end": ("version: 1\nflows: " + "[" * 100_000, "too-deep"),
    "quoted brackets without end": ('{"a":' * 100_000, "too-deep"),
    "steps to the right": ("flows:\n" + "\n".join(" " * n + "a:" for n in range(1, 1200)), "too-deep"),
    "an anchor within itself": ("version: 1\nflows: &f\n  a: *f\n", "recursion"),
    "a list within itself": ("version: 1\nflows: &f [*f]\n", "recursion"),
    "Python in a tag": ('version: 1\nflows: !!python/object/apply:os.system ["touch {here}"]\n', "tag"),
    "a merge": ("version: 1\nx: &x {a: 1}\nflows: {<<: *x}\n", "merge-key"),
    "NUL": (_flow('"x\x00y"'), "yaml"),
    "two megabytes": ("version: 1\n" + "# comment\n" * 200_000, "too-big"),
    "a number of 100,000 digits": (_flow(do=f"wait: {'9' * 100_000}"), "duration-expected"),
    "a share of 100,000 digits": (
        _flow(do=f"split: {{ a: {{ share: {'9' * 100_000}, do: [send: x] }}, b: {{ do: [send: y] }} }}"),
        "number-expected",
    ),
    "a time of 100,000 digits": (
        f"version: 1\nflows:\n  a: {{ when: [schedule: {{ cron: '*/{'9' * 100_000} {'9' * 100_000} * * *' }}], "
        "do: [send: x] }\n",
        None,
    ),
    "a word of 900,000 letters": (_flow("x" * 900_000), None),
    "a text of 200,000 letters": (_flow(do=f"send: {'x' * 200_000}"), "text-too-long"),
    "a pattern that others try for ever": (_flow('{ words: "(a+)+$", match: regex }'), None),
    "a pattern that would be immense": (
        _flow('{ words: "((((((x{100}){100}){100}){100}){100}){100})", match: regex }'),
        None,
    ),
    "letters that run backwards": (_flow('"x\u202ey"', "send: 'a\u202eb\u2066c'"), None),
}


@pytest.mark.parametrize(("text", "code"), FILES.values(), ids=FILES)
def test_a_hostile_file_ends_soon(text: str, code: str | None, tmp_path: Path) -> None:
    begun = time.process_time()
    problems = read(text.replace("{here}", str(tmp_path / "made"))).problems
    assert time.process_time() - begun < SOON_S
    assert code is None or code in {problem.code for problem in problems}, problems
    assert not (tmp_path / "made").exists()


def test_an_immense_file_is_not_read(home: Command, tmp_path: Path) -> None:  # noqa: F811
    """Sparse: a terabyte for the reader, nothing on the disk."""
    path = tmp_path / "big.yaml"
    with path.open("wb") as file:
        file.truncate(1 << 40)
    for command in ("validate", "apply", "fmt", "diff", "test", "explain", "graph"):
        said = home("flows", command, str(path))
        assert said.returncode in (1, 2, 4), (command, said)
        assert "1 MiB" in said.stdout + said.stderr, (command, said)
