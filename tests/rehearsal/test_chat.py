"""`pamosnik chat` as it is used: a script on standard input, and a person at a terminal."""

import os
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pamosnik.flows.load import read_files
from pamosnik.rehearsal.chat import COMMANDS, Chat
from pamosnik.rehearsal.screen import Plain, clean
from tests.crash import forked
from tests.terminals import terminal

ROOT = Path(__file__).parents[2]
EXAMPLE = str(ROOT / "flows.example.yaml")
CHAT = ("chat", EXAMPLE)
PROMPT = "› "
PATIENCE_S = 20.0


DOCUMENTED = [
    block.split("\n```")[0]
    for block in (ROOT / "docs/chat.md").read_text("utf-8").split("```\n$ pamosnik ")[1:]
]


def chat(*lines: str, files: tuple[str, ...] = (EXAMPLE,), options: tuple[str, ...] = ()) -> str:
    """The transcript of a script. Needs no home: the one in the environment does not exist."""
    done = _run(lines, files, options)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == ""
    return done.stdout


def _run(lines: tuple[str, ...], files: tuple[str, ...], options: tuple[str, ...] = ()) -> forked.Said:
    environment = {"PATH": os.environ["PATH"], "PAMOSNIK_HOME": "/nonexistent/home"}
    return forked.run(("chat", *files, *options), environment, "".join(f"{line}\n" for line in lines))


@pytest.mark.parametrize("block", DOCUMENTED, ids=["talking", "time"])
def test_what_the_documentation_shows_is_what_is_printed(block: str) -> None:
    command, _, transcript = block.partition("\n")
    _, file, *options = shlex.split(command)
    lines = [line.partition(PROMPT)[2] for line in transcript.split("\n") if PROMPT in line]
    assert len(lines) > 5
    assert chat(*lines, files=(str(ROOT / file),), options=tuple(options)) == f"{transcript}\n"


def test_every_command_is_documented() -> None:
    text = (ROOT / "docs/chat.md").read_text("utf-8")
    assert [c.usage for c in COMMANDS if f"`{c.usage}`" not in text.replace("\\|", "|")] == []


def test_time_why_tags_owner() -> None:
    said = chat("hello", "/why", "/pass 13h", "/owner Hi, Rosa here.", "price", "/tags", "/posts")
    assert "This message started the flow fallback: anything_else.\n  fallback: starts" in said
    assert "a human takes over; automation rests until Thu 3 Dec 2026, 00:00\n" in said
    assert "  · It is Thu 3 Dec 2026, 01:00.\n" in said
    assert "the owner has written; automation rests until Thu 3 Dec 2026, 13:00\n" in said
    assert "message: paused (the owner writes with this person" in said
    assert "paused   until Thu 3 Dec 2026, 13:00: the owner writes\n" in said
    assert "UTC" not in said
    assert re.search(r" 2  post   New in the shop   https://www.instagram.com/p/\S+\n", said)


def test_what_time_brings_is_told_with_its_time(tmp_path: Path) -> None:
    flows = tmp_path / "flows.yaml"
    flows.write_text(
        "version: 1\ndisclosure: false\nflows:\n  later:\n    when: [dm: hi]\n"
        "    do: [{ send: one }, { wait: { for: 90m, if_window_closed: skip } }, { send: two }]\n"
    )
    said = chat("hi", "/as ben", "/pass 2h", files=(str(flows),), options=("--at", "2026-12-24 18:00"))
    assert "It is Thu 24 Dec 2026, 18:00 (UTC)." in said
    assert (
        "  · Thu 24 Dec 2026, 19:30:\n  your_shop, to anna: two\n  · anna: later: completed\n"
        "  · It is Thu 24 Dec 2026, 20:00.\n" in said
    )


def test_what_leaves_after_a_message_that_is_being_typed_waits_for_its_turn(tmp_path: Path) -> None:
    flows = tmp_path / "flows.yaml"
    flows.write_text(
        "version: 1\ndisclosure: false\nflows:\n  two:\n    when: [dm: hi]\n"
        "    do: [{ send: { text: one, typing: 4s } }, { send: two }]\n"
    )
    said = chat("hi", "/pass 5s", files=(str(flows),))
    assert "a message goes out at Wed 2 Dec 2026, 12:00:04\n  · a message waits for its turn\n" in said
    assert "held back" not in said


def test_held_messages_and_refusals_say_why(tmp_path: Path) -> None:
    flows = tmp_path / "flows.yaml"
    flows.write_text(
        "version: 1\ndisclosure: false\nflows:\n  two:\n    when: [comment: [hi], dm: [hi]]\n"
        "    limits: { per_person: once }\n    do: [{ send: one }, { send: two }]\n"
    )
    said = chat("/comment hi on 2", "/pass 8d", files=(str(flows),))
    assert "flows.yaml:7:30: warning:" in said or "warning:" in said
    assert "  · a message is held back: waits for the person's answer\n" in said
    assert "  · a message does not go out: nobody answered in time: the 24-hour window is closed\n" in said


def test_slips_are_met_with_help() -> None:
    said = chat(
        "/coment hi", "/xyzzy", "/tap 1", "/pass soon", "/comment", "/as not a name!", "/reply x", "/help"
    )
    assert "There is no /coment. Did you mean /comment?" in said
    assert "There is no /xyzzy. /help lists what there is." in said
    assert "There is nothing to tap yet." in said
    assert "That is no length of time." in said
    assert "Something is missing. Write it like /comment TEXT [on POST]." in said
    assert "anna has not commented yet." in said
    assert "  /tap LABEL|NUMBER            tap a button, chip, opening question or menu item\n" in said
    assert "Traceback" not in said


def test_a_number_that_no_post_has_is_told() -> None:
    said = chat("/comment price on 9", "/story hi on #9", "/share 9", "/comment price on sale")
    assert said.count("  · There is no post 9. /posts lists them.\n") == 3
    assert said.count("comment: ") == 1


def test_a_slash_alone_lists_what_there_is_and_only_near_names_are_offered() -> None:
    said = chat("/", "/nosuch", "/tpa", "/hepl")
    assert "  /tap LABEL|NUMBER " in said
    assert "There is no /nosuch. /help lists what there is.\n" in said
    assert "There is no /tpa. Did you mean /tap?\n" in said
    assert "There is no /hepl. Did you mean /help?\n" in said


def test_the_next_post_is_the_one_that_somebody_publishes(tmp_path: Path) -> None:
    flows = tmp_path / "flows.yaml"
    flows.write_text(
        "version: 1\ndisclosure: false\nflows:\n  next:\n"
        "    when: [{ comment: { words: [hi], post: next } }]\n    do: [send: Here you are]\n"
    )
    said = chat("/posts", "/comment hi", "/post Fresh", "/comment hi", files=(str(flows),))
    assert "The next post" not in said
    before, after = said.split("has published post")
    assert "comment: no_match" in before
    assert "comment: started next" in after


def test_skipped_steps_and_goals_are_told(tmp_path: Path) -> None:
    flows = tmp_path / "flows.yaml"
    flows.write_text(
        "version: 1\ndisclosure: false\nflows:\n  later:\n    when: [dm: hi]\n    do:\n"
        "      - wait: { for: 30h, if_window_closed: skip }\n      - send: late\n      - goal: booked\n"
    )
    said = chat("hi", "/pass 2d", files=(str(flows),))
    assert (
        "  · later: the step do.1 is skipped: the 24-hour window has closed\n"
        "  · goal booked\n  · later: completed\n" in said
    )


def test_what_another_flow_started_is_told_and_why_is_about_the_message(tmp_path: Path) -> None:
    flows = tmp_path / "flows.yaml"
    flows.write_text(
        "version: 1\ndisclosure: false\nflows:\n"
        "  buy: { when: [dm: buy], do: [{ tag: customer }, { send: Thanks }] }\n"
        "  thank: { when: [tag_added: customer], only_if: window_open, do: [{ send: Welcome }] }\n"
    )
    said = chat("buy", "/why", files=(str(flows),))
    assert "  · tag added: started thank (the flow buy gave the tag customer)\n" in said
    assert said.index("Thanks") < said.index("Welcome")
    assert "This message started the flow buy" in said


def test_hidden_folders_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "flows.yaml").write_text("version: 1\nflows: { a: { when: [dm: hi], do: [send: Hello] } }\n")
    for hidden in (".venv/lib", ".git"):
        (tmp_path / hidden).mkdir(parents=True)
        (tmp_path / hidden / "other.yaml").write_text("not: flows\n")
    assert "Hello" in chat("hi", files=(str(tmp_path),))


def test_until_something_happens() -> None:
    said = chat("/pass", "/comment price", "/pass", "/tags")
    assert "Nothing will happen by itself." in said
    assert "  · Wed 9 Dec 2026, 12:00:\n  · price-list: expired" in said


def test_a_fresh_world_and_changed_files(tmp_path: Path) -> None:
    flows = tmp_path / "flows.yaml"
    text = 'version: 1\ndisclosure: false\nflows: {{ a: {{ when: [dm: hi], do: [send: "{}"] }} }}\n'
    flows.write_text(text.format("before"))
    talking = subprocess.Popen(
        [sys.executable, "-m", "pamosnik", "chat", str(flows)], stdin=-1, stdout=-1, text=True, bufsize=1
    )
    assert talking.stdin is not None
    assert talking.stdout is not None
    line, answer = talking.stdin, talking.stdout
    with talking:

        def ask(written: str, expected: str) -> None:
            line.write(f"{written}\n")
            for found in answer:
                if expected in found:
                    return
            raise AssertionError(expected)

        ask("hi", "your_shop: before")
        flows.write_text(text.format("after"))
        ask("/reload", "1 flow read.")
        ask("hi", "your_shop: after")
        flows.write_text("version: 1\nflows: { a: { whne: [] } }\n")
        ask("/reload", "flows.yaml:2:")
        ask("hi", "your_shop: after")
        ask("/restart", "A fresh world.")
        ask("/why", "Nothing has happened yet.")
        ask("hi", "your_shop: after")
        line.write("/quit\n")
        line.flush()
        assert answer.read().endswith("anna › /quit\n")
    assert talking.returncode == 0


def test_files_with_errors_are_shown_as_validate_shows_them(tmp_path: Path) -> None:
    flows = tmp_path / "flows.yaml"
    flows.write_text("version: 1\nflows:\n  a:\n    when: [dm: hi]\n    do:\n      - sned: hello\n")
    done = _run((), (str(flows),))
    validated = forked.run(("flows", "validate", str(flows)), os.environ)
    assert (done.returncode, validated.returncode) == (4, 4)
    assert done.stdout == validated.stdout
    assert "did you mean" in done.stdout.lower()


@pytest.mark.parametrize("at", ["tomorrow", "2026-13-01 10:00", "1999-01-01 10:00"])
def test_impossible_times_are_refused(at: str) -> None:
    done = _run((), (EXAMPLE,), ("--at", at))
    assert done.returncode == 2
    assert "Traceback" not in done.stderr


def test_nothing_that_is_said_commands_the_terminal(tmp_path: Path) -> None:
    flows = tmp_path / "flows.yaml"
    flows.write_text(
        'version: 1\ndisclosure: false\nflows: { a: { when: [dm: "hi*"], do: [send: "\\e[31mred {text|} \\a"] } }\n'
    )
    said = chat("hi \x1b]0;title\x07 \x9b2J \u202egnp", "/why", files=(str(flows),))
    assert re.findall(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", said) == []
    assert clean("a\r\nb\tc\x1b[1m") == "a\nb c[1m"


def test_bytes_that_are_no_text_are_no_end() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pamosnik", "chat", EXAMPLE],
        input=b"\xff\xfe price\n\n/quit\n",
        capture_output=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert done.returncode == 0
    assert b"Tap and the list is yours." in done.stdout


_TEXTS = st.one_of(
    st.text(max_size=40),
    st.sampled_from(["price", "1", "Send it to me", "on 2", "x on 2", "2h", "ben", "ann follows"]),
)
_LINES = st.one_of(_TEXTS, st.builds("{} {}".format, st.sampled_from([c.name for c in COMMANDS]), _TEXTS))


@pytest.fixture(scope="module")
def talking() -> Iterator[Chat]:
    files = read_files([Path(EXAMPLE)])
    with Chat([Path(EXAMPLE)], files, None, Plain) as chat:
        yield chat


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(lines=st.lists(_LINES, max_size=6))
def test_no_line_is_too_strange(talking: Chat, capsys: pytest.CaptureFixture[str], lines: list[str]) -> None:
    talking.enter("/restart")
    for line in lines:
        talking.enter(line)
        assert all(isinstance(one, str) for one in talking.completions(line))
    said = capsys.readouterr().out
    assert re.findall(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", said) == []
    said.encode()


@pytest.mark.parametrize("number", [None, signal.SIGTERM, signal.SIGHUP])
def test_nothing_is_left_behind(tmp_path: Path, number: signal.Signals | None) -> None:
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    talking = subprocess.Popen(
        [sys.executable, "-m", "pamosnik", "chat", EXAMPLE], stdin=-1, stdout=-1, text=True, env=environment
    )
    assert talking.stdin is not None
    assert talking.stdout is not None
    with talking:
        talking.stdin.write("hello\n")
        talking.stdin.flush()
        assert any("Thank you for your message" in line for line in talking.stdout)
        [folder] = tmp_path.iterdir()
        assert folder.stat().st_mode & 0o077 == 0
        if number is not None:
            talking.send_signal(number)
            assert talking.wait(PATIENCE_S) == 128 + number
    assert list(tmp_path.iterdir()) == []


# --- at a terminal ---------------------------------------------------------------------------------------


def test_bubbles_completion_and_history_at_a_terminal() -> None:
    with terminal(CHAT, {}) as person:
        person.sees("anna › ")
        person.types("/comment Price please!\n")
        seen = person.sees("anna › ")
        assert "╭" in seen
        assert "\x1b[36m" in seen
        assert "[1 Send it to me]" in seen
        person.types("/tap se\t")
        person.sees("Send it to me")
        person.types("\n")
        assert "https://shop.example/prices" in person.sees("anna › ")
        person.types("/ma\t")
        person.sees("/ma")
        person.types("\x15/men\t\n")
        assert "Thank you" in (seen := person.sees("anna › ")) or "made our day" in seen
        person.types("\x1b[A\x1b[A\n")
        assert "Send it to me" in person.sees("anna › ")
        person.types("/as b\t\n")
        person.sees("ben › ")
        assert person.ends("\x04") == 0


def test_without_colour_it_is_plain_at_a_terminal_too() -> None:
    with terminal(CHAT, {"NO_COLOR": "1"}) as person:
        person.sees("anna › ")
        person.types("price\n")
        seen = person.sees("anna › ")
        assert "your_shop: Automated reply." in seen
        assert "\x1b[3" not in seen
        assert "╭" not in seen
        assert person.ends("\x03") == 0


def test_ctrl_c_ends_it_even_if_the_parent_ignored_it() -> None:
    """Started from a background job it inherited SIGINT as ignored, and could not be left with Ctrl-C."""
    with terminal(CHAT, {"NO_COLOR": "1"}, ctrl_c=signal.SIG_IGN) as person:
        person.sees("anna › ")
        assert person.ends("\x03") == 0


def test_the_way_of_a_split_and_ways_back_are_told(tmp_path: Path) -> None:
    flows = tmp_path / "flows.yaml"
    flows.write_text(
        "version: 1\ndisclosure: false\nfields: { size: text }\nflows:\n  sizes:\n    when: [dm: size]\n    do:\n"
        "      - split: { one: { share: 50 }, two: { share: 50, do: [{ tag: two }] } }\n"
        "      - id: size\n        ask: { question: Which size?, save_as: size }\n"
        "      - again: size\n        at_most: 1\n"
    )
    said = chat("size", "small", "large", files=(str(flows),))
    assert re.search(r"  · sizes: takes the way (one|two), 50 of 100\n", said)
    assert said.count("  · sizes: goes back to size, 1 of 1 times\n") == 1
