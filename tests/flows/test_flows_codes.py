"""Pools of codes: what a file of codes may look like, and what flows say about them."""

import os
from pathlib import Path

import pytest

from pamosnik.flows.code_files import CODE_BYTES, MOST_BYTES, MOST_CODES, BadCodes, parse_codes, read_codes
from pamosnik.flows.load import load, read_files
from pamosnik.flows.problems import Severity
from pamosnik.model.step import GiveCode
from tests.flows.files import compiled, found, read

_TOP = "version: 1\ncodes: { spring: { file: spring.csv, warn_me_below: 20 } }\nflows:\n"


def _flow(steps: str, when: str = "dm: code") -> str:
    return f"{_TOP}  shop:\n    when: {{ {when} }}\n    limits: once\n    do:\n{steps}"


@pytest.mark.parametrize(
    "written",
    [
        "A-1\nB 2\nC3\n",
        '\n A-1 \r\n\r\n"B 2"\r\nC3\r\nA-1\r\n',
        "A-1\rB 2\rC3",
        "code\nA-1\nB 2\nC3",
        '\nname, Code ,until\nx,A-1,1\ny,,2\nz,B 2\nw,"C3",3\n,,\n',
        'name;code\nx;A-1\n"y;y";B 2\nz;C3\n',
        "sep=;\nname;CODE\nx;A-1\ny;B 2\nz;C3\n",
        "code\tname\nA-1\tx\nB 2\ty\nC3\tz\n",
        "A-1,\nB 2,\nC3,\n",
    ],
)
def test_every_way_to_write_a_file_of_codes(written: str) -> None:
    assert parse_codes(written) == ("A-1", "B 2", "C3")


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("A-1\nB,2\n", "line 2 of the codes file has several columns"),
        ("A;1\n", "line 1 of the codes file has several columns"),
        ("name,until\nx,1\n", "line 1 of the codes file has several columns"),
        ('A-1\n"B\nC\n', "a quote is opened"),
        ("A-1\nB\u200b2\n", "line 2 of the codes file holds an invisible character"),
        (f"A-1\n\n{'x' * (CODE_BYTES + 1)}\n", "line 3 of the codes file is longer"),
        ("\n".join(str(number) for number in range(MOST_CODES + 1)), "holds more than"),
        (f"A-1\n{'x' * 200_000}\n", "is no CSV"),
    ],
)
def test_what_is_no_file_of_codes(written: str, said: str) -> None:
    with pytest.raises(BadCodes) as raised:
        parse_codes(written)
    assert said in raised.value.message
    assert "B" not in raised.value.message.replace("B,", ""), "no code is shown"


def test_a_file_is_read_with_its_mark_and_refused_in_other_encodings(tmp_path: Path) -> None:
    file = tmp_path / "spring.csv"
    file.write_text("A-1\n", "utf-8-sig")
    assert read_codes(file) == ("A-1",)
    file.write_text("A-1\nB-2\n", "utf-16")
    with pytest.raises(BadCodes, match="is not UTF-8"):
        read_codes(file)
    with pytest.raises(BadCodes, match="cannot be read") as raised:
        read_codes(tmp_path)
    assert not raised.value.seen


_GIVE = '      - give_code: { from: spring, text: "Yours: {code}", if_empty: [{ send: "Gone." }] }\n'


def test_pipes_and_devices_are_not_waited_for(tmp_path: Path) -> None:
    """A pipe nobody writes into would stop `flows apply` for ever, and /dev/zero fill the memory."""
    pipe = tmp_path / "pipe.csv"
    os.mkfifo(pipe)
    link = tmp_path / "link.csv"
    link.symlink_to("/dev/zero")
    for path in (pipe, link, Path("/dev/zero")):
        with pytest.raises(BadCodes, match="no plain file"):
            read_codes(path)
    with (tmp_path / "large.csv").open("wb") as file:
        file.truncate(MOST_BYTES + 1)
    with pytest.raises(BadCodes, match="larger than 64 MB"):
        read_codes(tmp_path / "large.csv")


def test_the_step_as_it_is_compiled() -> None:
    flow = compiled(_flow(f"{_GIVE}      - tag: got-code\n"))
    step = flow.steps["do.0"]
    assert isinstance(step, GiveCode)
    assert (step.pool, step.if_empty, step.at.next) == ("spring", "do.0.if_empty.0", "do.1")
    assert flow.steps["do.0.if_empty.0"].at.next == "do.1"
    short = compiled(_flow('      - send: "Hello"\n')).steps
    assert short.keys() == {"do.0"}


def test_what_is_said_about_the_step() -> None:
    problems = [
        ("      - give_code: sprign\n", [(8, 20, "unknown-pool"), (8, 9, "no-if-empty")]),
        (
            '      - give_code: { from: spring, text: "Hello", if_empty: [stop] }\n',
            [(8, 42, "code-not-said")],
        ),
        ('      - give_code: { text: "{code}", if_empty: [stop] }\n', [(8, 9, "missing-key")]),
        ('      - send: "Yours: {code}"\n', [(8, 23, "no-code")]),
        ('      - send: "Yours: {code|none yet}"\n', []),
        (f'{_GIVE}      - send: "Again: {{code}}"\n', []),
    ]
    for steps, places in problems:
        seen = [place for place in found(_flow(steps)) if place[2] != "codes-missing"]
        assert sorted(seen) == sorted(places), steps


def test_what_is_said_about_the_pools() -> None:
    flows = "flows:\n  shop:\n    when: { dm: code }\n    do: [stop]\n"
    assert found(f"version: 1\ncodes: {{ spring: {{ warn_me_below: 0 }} }}\n{flows}") == [
        (2, 10, "missing-key"),
        (2, 35, "number-expected"),
    ]
    head = "version: 1\nfields: { spring: text }\nfacts: { summer: x }\n"
    codes = "codes:\n  spring: a.csv\n  summer: b.csv\n  code: c.csv\n"
    taken = [place for place in found(f"{head}{codes}{flows}") if place[2] != "codes-missing"]
    assert taken == [(2, 11, "name-taken"), (3, 10, "name-taken"), (7, 3, "name-taken")]


def test_it_counts_as_a_message_where_instagram_counts() -> None:
    two = f'{_GIVE}      - send: "And this."\n'
    codes = [place[2] for place in found(_flow(two, "comment: code"))]
    assert "second-message" in codes
    one = f"{_GIVE}      - tag: x\n"
    assert "second-message" not in [place[2] for place in found(_flow(one, "comment: code"))]
    in_branch = (
        '      - give_code: { from: spring, if_empty: [{ send: Gone. }] }\n      - send: "Yours: {code}"\n'
    )
    assert "second-message" in [place[2] for place in found(_flow(in_branch, "comment: code"))]
    late = f"      - wait: 24h\n{_GIVE}"
    assert "wait-outlasts-window" in [place[2] for place in found(_flow(late))]
    long = _flow(f'      - give_code: {{ from: spring, text: "{{code}}{"x" * 984}", if_empty: [stop] }}\n')
    assert "text-too-long" in [place[2] for place in found(long)]
    loop = (
        f"{_TOP}  shop:\n    when: {{ dm: code }}\n    do:\n"
        "      - give_code: { from: spring, if_empty: [{ run: shop }] }\n"
    )
    assert "loop" in [place[2] for place in found(loop)]


def test_a_missing_file_is_a_note_here_and_an_error_where_it_is_applied(tmp_path: Path) -> None:
    file = tmp_path / "shop.yaml"
    file.write_text(_flow(_GIVE))
    here = [p for p in load(read_files([file])).problems if p.code == "codes-missing"]
    assert [(p.line, p.column, p.severity) for p in here] == [(2, 26, Severity.NOTE)]
    there = [p for p in load(read_files([file]), connected=("shop",)).problems if p.code == "codes-missing"]
    assert [p.severity for p in there] == [Severity.ERROR]
    (tmp_path / "spring.csv").write_text("A,1\n")
    broken = load(read_files([file]))
    assert [(p.code, p.severity) for p in broken.problems] == [("bad-codes", Severity.ERROR)]
    (tmp_path / "spring.csv").write_text("\n")
    empty = load(read_files([file]))
    assert [(p.code, p.severity) for p in empty.problems] == [("no-codes", Severity.WARNING)]
    (tmp_path / "spring.csv").write_text("A-1\nA-1\nB-2\n")
    loaded = load(read_files([file]))
    assert loaded.problems == ()
    assert loaded.codes == {"spring": ("A-1", "B-2")}


def test_pools_of_several_files(tmp_path: Path) -> None:
    for folder, pools in (("a", "spring: codes.csv"), ("b", "summer: codes.csv")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "codes.csv").write_text(f"{folder}-1\n")
        (tmp_path / folder / "flows.yaml").write_text(f"version: 1\ncodes:\n  {pools}\n")
    both = [tmp_path / "a", tmp_path / "b"]
    assert load(read_files(both)).codes == {"spring": ("a-1",), "summer": ("b-1",)}
    second = tmp_path / "b" / "flows.yaml"
    second.write_text("version: 1\ncodes:\n  spring: codes.csv\n")
    assert [(p.code, p.line) for p in load(read_files(both)).problems] == [("said-twice", 3)]
    second.write_text("version: 1\ncodes:\n  summer: ../a/codes.csv\n")
    assert [p.code for p in load(read_files(both)).problems] == ["same-codes"]
    second.write_text("version: 1\ncodes:\n  spring: { file: ../a/codes.csv, warn_me_below: 5 }\n")
    assert [p.code for p in load(read_files(both)).problems] == ["said-twice"]


def test_a_pool_that_no_file_can_hold_is_read_as_missing() -> None:
    assert [p.severity for p in read(_flow(_GIVE)).problems] == [Severity.NOTE]
