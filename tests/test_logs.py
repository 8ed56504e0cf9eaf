"""What logs say, and what they never say, whoever hands it to them."""

import ast
import asyncio
import gc
import io
import json
import logging
import os
import re
import threading
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pamosnik import config, logs, unsaid
from pamosnik.errors import PamosnikError
from tests.cli.in_process import in_this_process

ROOT = Path(__file__).parents[1] / "pamosnik"
PASSPHRASE = 'three "odd" wörds & a/slash'
SMTP_PASSWORD = "p@ss:wörd/1?"
log = logging.getLogger("pamosnik.tests")
library = logging.getLogger("somebody.elses")

Said = Iterator[io.StringIO]


@pytest.fixture(params=["text", "json"])
def said(request: pytest.FixtureRequest) -> Said:
    """What a log at debug level got, in both formats."""
    root, ours = logging.getLogger(), logging.getLogger("pamosnik")
    before = root.handlers[:], root.level, ours.level, logging.raiseExceptions
    stream = io.StringIO()
    logs.set_up(request.param, stream=stream, level=logging.DEBUG)
    yield stream
    logging.captureWarnings(False)
    root.handlers[:], root.level, ours.level, logging.raiseExceptions = before
    ours.setLevel(before[2])
    root.setLevel(before[1])


@pytest.fixture
def settings(tmp_path: Path) -> config.Config:
    environ = {
        "PAMOSNIK_HOME": str(tmp_path),
        "PAMOSNIK_PASSPHRASE": PASSPHRASE,
        "PAMOSNIK_INSTAGRAM_APP_SECRET": "0f" * 16,
        "PAMOSNIK_META_APP_SECRET": "1e" * 16,
        "PAMOSNIK_VERIFY_TOKEN": "a verify token",
        "PAMOSNIK_SMTP_URL": "smtps://shop%40mail.example:p%40ss%3Aw%C3%B6rd%2F1%3F@mail.example",
        "PAMOSNIK_MAIL_FROM": "shop@mail.example",
    }
    return config.load(environ=environ)


def _forms(secret: str) -> Iterator[str]:
    from base64 import b64encode, urlsafe_b64encode
    from html import escape
    from urllib.parse import quote_plus

    yield from (
        secret,
        repr(secret)[1:-1],
        json.dumps(secret)[1:-1],
        json.dumps([secret], ensure_ascii=False),
    )
    yield from (
        quote(secret),
        quote(secret, safe=""),
        quote_plus(secret),
        re.sub("%..", lambda sign: sign[0].lower(), quote(secret, safe="")),
        b64encode(secret.encode()).decode(),
        urlsafe_b64encode(secret.encode()).decode(),
    )
    yield from (json.dumps(secret)[1:-1].replace("/", "\\/"), str(secret.encode())[2:-1], escape(secret))


def test_the_secrets_of_the_settings_are_left_out_of_everything(
    said: io.StringIO, settings: config.Config
) -> None:
    secrets = (PASSPHRASE, SMTP_PASSWORD, "0f" * 16, "1e" * 16, "a verify token", settings.smtp_url or "")
    for secret in secrets:
        for form in _forms(secret):
            log.info("It was %s", form, extra={"action": "test", "detail": [form], form: 1})
            library.warning("a=%r b=%s", {"header": form}, form)
            try:
                raise PamosnikError(f"The server said: {form}") from OSError(f"quoting {form}")
            except PamosnikError:
                log.exception("It failed")
    log.info("AUTH PLAIN AHNob3BAbWFpbC5leGFtcGxlAHBAc3M6d8O2cmQvMT8=")
    text = said.getvalue()
    assert "It was (hidden)" in text
    for secret in secrets:
        for form in _forms(secret):
            assert form not in text
    assert "AHNob3B" not in text


def test_what_was_opened_is_left_out_and_ordinary_lines_stay(said: io.StringIO) -> None:
    assert unsaid.keep("a-token-of-no-known-shape") == "a-token-of-no-known-shape"
    log.info("It is a-token-of-no-known-shape, and IGAAsomething0123456789, and pamo_0123456789abcdef")
    log.info("Set PAMOSNIK_SMTP_URL, like smtps://user:password@mail.example")
    unsaid.keep("short")
    log.info("A short line of 5 words")
    text = said.getvalue()
    assert "It is (hidden), and (hidden), and (hidden)" in text
    assert "smtps://user:password@mail.example" in text
    assert "A short line of 5 words" in text


MISTAKEN = "three wörds/and a sign?"


@pytest.mark.parametrize(
    "environ",
    [
        {"PAMOSNIK_PASSPHRASE_FILE": MISTAKEN},
        {"PAMOSNIK_MAIL_FROM": f"smtps://shop@mail.example:{quote(MISTAKEN, safe='')}@mail.example"},
        {"PAMOSNIK_PUBLIC_URL": f"https://shop@mail.example:{quote(MISTAKEN, safe='')}@shop.example"},
        {"PAMOSNIK_META_URL": f"https://:{quote(MISTAKEN, safe='')}@shop.example"},
    ],
)
def test_a_secret_in_the_variable_beside_its_own_is_not_quoted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, environ: Mapping[str, str]
) -> None:
    command = in_this_process(monkeypatch, tmp_path)
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    said = command("config", "show")
    assert (said.returncode, said.stdout) == (2, "")
    assert "wörds" not in said.stderr
    assert quote("wörds") not in said.stderr


@pytest.mark.parametrize("name", ["PAMOSNIK_INSTAGRAM_APP_ID", "PAMOSNIK_META_APP_ID"])
def test_a_secret_in_place_of_an_app_id_is_not_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    command = in_this_process(monkeypatch, tmp_path)
    monkeypatch.setenv(name, "1234567890")
    assert "1234567890" in command("config", "show").stdout
    monkeypatch.setenv(name, MISTAKEN)
    said = command("config", "show")
    assert said.returncode == 0
    assert "wörds" not in said.stdout + said.stderr


def test_a_token_among_the_arguments_is_not_repeated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever pastes it behind the command has shown it to their shell already; not also to a log of commands."""
    said = in_this_process(monkeypatch, tmp_path)("connect", "IGAAsomething0123456789")
    assert said.returncode == 2
    assert "unexpected extra argument" in said.stderr
    assert "something" not in said.stderr


def test_a_thousand_tokens_are_left_out_and_ordinary_lines_stay() -> None:
    for number in range(1200):
        unsaid.keep(f"IGAA{number:030}")
    unsaid.hide("first")
    line = "2026-11-24 02:59:45Z INFO    private_reply 01M85QXFGYF0SC6Y056G3TRC1B: accepted by Instagram"
    assert unsaid.hide(line) == line
    assert unsaid.hide(f"IGAA{1199:030}") == "(hidden)"


def test_libraries_are_quiet_at_every_level(said: io.StringIO) -> None:
    for name in (
        "httpx",
        "httpcore.http11",
        "aiosmtplib",
        "asyncio",
        "uvicorn.access",
        "apscheduler",
        "hpack",
    ):
        logging.getLogger(name).debug("Authorization: Bearer x")
        logging.getLogger(name).info("GET https://graph.instagram.com/me?access_token=x")
    log.debug("ours")
    assert [line for line in said.getvalue().splitlines() if "ours" not in line] == []
    assert "ours" in said.getvalue()


def test_an_exception_tells_where_and_not_what_somebody_wrote(said: io.StringIO) -> None:
    wish = "my secret wish"
    for raised in (
        ValueError(f"invalid literal: {wish!r}"),
        KeyError(wish),
        ExceptionGroup(wish, [LookupError(wish), OSError(28, "No space left")]),
    ):
        try:
            try:
                raise raised
            except Exception as error:
                raise RuntimeError(wish) from error
        except RuntimeError:
            log.exception("It failed")
    text = said.getvalue()
    assert wish not in text
    assert "No space left" in text
    for name in ("ValueError", "KeyError", "ExceptionGroup", "RuntimeError", "test_logs.py", "direct cause"):
        assert name in text, name


def test_a_ring_of_exceptions_ends(said: io.StringIO) -> None:
    first, second = ValueError("a"), ValueError("b")
    first.__cause__, second.__cause__ = second, first
    log.error("It failed", exc_info=first)
    assert said.getvalue().count("ValueError") == 2


def test_what_nobody_caught_comes_into_the_log(
    said: io.StringIO, monkeypatch: pytest.MonkeyPatch, settings: config.Config
) -> None:
    import sys

    for module, hook in ((threading, "excepthook"), (sys, "unraisablehook"), (sys, "excepthook")):
        monkeypatch.setattr(module, hook, getattr(module, hook))
    logs.take_what_nobody_caught()

    def fails() -> None:
        raise OSError(PASSPHRASE)

    thread = threading.Thread(target=fails)
    thread.start()
    thread.join()

    class Leaves:
        def __del__(self) -> None:
            fails()

    Leaves()
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.captureWarnings(True)
        warnings.warn(f"this is old: {PASSPHRASE}", DeprecationWarning, stacklevel=1)

    async def forgotten() -> None:
        async def ends() -> None:
            raise ValueError(f"somebody wrote {SMTP_PASSWORD[:4]} and more")

        task = asyncio.ensure_future(ends())
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        del task
        gc.collect()

    asyncio.run(forgotten())
    text = said.getvalue()
    assert text.count("Nobody caught this") == 2
    assert "this is old: (hidden)" in text
    assert "never retrieved" in text
    assert "somebody wrote p" not in text
    assert "wörds" not in text


HOSTILE = st.text(st.sampled_from("a\n\r\x1b\x9b\u202e\"\\'= {"), max_size=20)


@given(HOSTILE, HOSTILE)
def test_one_record_is_one_line(message: str, value: str) -> None:
    for made in (logs._Text("%(asctime)s %(levelname)-7s %(message)s"), logs._Json()):
        record = logging.LogRecord("pamosnik", 20, "", 0, "%s", (message,), None)
        record.__dict__["action"] = value
        line = made.format(record)
        assert "\n" not in line
        assert re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e]", line) is None
        if isinstance(made, logs._Json):
            assert json.loads(line)["action"] == value


def test_further_lines_of_a_record_stand_further_in(said: io.StringIO) -> None:
    try:
        raise PamosnikError("It failed\n2026-11-24 02:59:45Z INFO    everything is fine")
    except PamosnikError:
        log.exception("A turn failed\n2026-11-24 02:59:45Z INFO    all is well")
    first, *others = said.getvalue().splitlines()
    assert "A turn failed" in first
    assert all(line.startswith("    ") for line in others)


EXTRA = {
    "account",
    "action",
    "attempt",
    "cause",
    "connection",
    "deletion_id",
    "errand",
    "flow",
    "ids",
    "item_id",
    "kind",
    "run_id",
    "status",
}
"""Names that machines read. None of them is for what people wrote or how they are called."""
OF_PEOPLE = {
    "text",
    "username",
    "body",
    "payload",
    "title",
    "caption",
    "name",
    "display_name",
    "raw",
    "content",
}


def test_no_call_hands_a_logger_what_people_wrote_or_how_they_are_called() -> None:
    names: set[str] = set()
    for path in ROOT.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not (isinstance(node, ast.Call) and re.fullmatch(r"_?log\.[a-z]+", ast.unparse(node.func))):
                continue
            for given_ in (*node.args[1:], *(word.value for word in node.keywords if word.arg == "extra")):
                parts = list(ast.walk(given_))
                used = {part.attr for part in parts if isinstance(part, ast.Attribute)}
                assert not used & OF_PEOPLE, (path, node.lineno, used)
                for part in parts:
                    if isinstance(part, ast.Dict):
                        names |= {
                            key.value
                            for key in part.keys
                            if isinstance(key, ast.Constant) and isinstance(key.value, str)
                        }
    assert names <= EXTRA


def test_the_level_is_a_setting(tmp_path: Path) -> None:
    assert config.load({"home": str(tmp_path)}, environ={}).log_level == "info"
    with pytest.raises(PamosnikError, match="log_level"):
        config.load({"home": str(tmp_path)}, environ={"PAMOSNIK_LOG_LEVEL": "loud"})
    assert set(logs.LEVELS) == {"debug", "info", "warning"}


def test_the_journal_gets_levels_and_no_second_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Over a real pipe, named as systemd names it; a line end in a record is none."""
    root, ours = logging.getLogger(), logging.getLogger("pamosnik")
    before = root.handlers[:], root.level, ours.level, logging.raiseExceptions
    reader, writer = os.pipe()
    with os.fdopen(reader) as journal, os.fdopen(writer, "w") as stream:
        found = os.fstat(stream.fileno())
        monkeypatch.setenv("JOURNAL_STREAM", f"{found.st_dev}:{found.st_ino}")
        logs.set_up("text", stream=stream)
        try:
            log.info("All is well")
            log.warning("Not quite\nso well")
            log.critical("Bad")
        finally:
            logging.captureWarnings(False)
            root.handlers[:], root.level, ours.level, logging.raiseExceptions = before
            ours.setLevel(before[2])
            root.setLevel(before[1])
        stream.close()
        assert journal.read().splitlines() == ["<6>All is well", "<4>Not quite ⏎ so well", "<2>Bad"]


def test_another_pipe_than_the_journals_keeps_its_times(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("JOURNAL_STREAM", "1:2")
    with (tmp_path / "log").open("w") as stream:
        assert not logs.goes_to_the_journal(stream)
    assert not logs.goes_to_the_journal(io.StringIO())
