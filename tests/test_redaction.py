"""Planted secrets, message texts and names, and a search for them everywhere a daemon and its commands write.

What cannot be searched is the environment of a process: whoever may read it is the same user, or root.
"""

import asyncio
import base64
import dataclasses
import importlib
import json
import pkgutil
import re
import shutil
import zipfile
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote, quote_plus

import aiohttp
import pytest

import pamosnik
from pamosnik.security import tokens
from pamosnik.services import holder_links
from pamosnik.store import accounts
from pamosnik.store.database import open_database
from tests.cli.every_command import every_command, parameters
from tests.cli.in_process import in_this_process
from tests.daemon import events
from tests.daemon.events import SECRET
from tests.daemon.fake import TOKEN, Call, Trouble
from tests.daemon.shop import EMAIL, PASSWORD, VERIFY_TOKEN, Shop, open_shop
from tests.mail.server import mail_box

PASSPHRASE = "an unlikely passphrase/of some length"
META_SECRET = "6a2e1d0f8b4c4937a2d1e0f9a8b7c6d5"
MAIL_PASSWORD = "p@ss:wörd/of the mail"
WRONG_PASSWORD = "a wrong guess at the door"
OTHER_TOKEN = "IGAAanothertoken9876543210ofelsewhere"
TEXTS = ("price of my peculiar wish", "price, my peculiar zzyzx")
NAMES = ("zorblatt.quux", "Zorblatt Quuxington")
ANNOUNCED = f"token {TOKEN}, secret {SECRET}, said {TEXTS[0]} to {NAMES[0]}"
SHOWN_ONCE = (("api-token", "create"),)
"""What they print is a new secret, which is their purpose."""


def test_planted_secrets_texts_and_names_are_nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shop, secrets = asyncio.run(_lived_through(tmp_path))
    for name, value in shop.environment.items():
        monkeypatch.setenv(name, value)
    said = _every_command(shop, monkeypatch)
    logs = shop.log.read_text("utf-8")
    json_lines = [json.loads(line) for line in logs.splitlines() if line.startswith("{")]
    assert {"webhook.bad_signature", "outbox.sent", "outbox.login", "alerts.failed"} <= {
        line.get("action") for line in json_lines
    }
    assert re.search(r"^\d{4}-\d\d-\d\d .* INFO ", logs, re.MULTILINE)  # and as text, after the crash
    places = {**_files(shop), **said, "log": logs.encode()}
    assert len(places) > 60
    for name, secret in secrets.items():
        for form in _forms(secret):
            assert [place for place, content in places.items() if form in content] == [], name
    databases = [place for place in places if "pamosnik.db" in place]
    for word in (*TEXTS, *NAMES):
        assert word not in logs, word
        assert any(word.encode() in places[place] for place in databases), f"{word} was there to be logged"


async def _lived_through(folder: Path) -> tuple[Shop, Mapping[str, str]]:
    """A day of a shop at debug level; returns what is not to be found anywhere."""
    async with mail_box(logins={"shop@mail.example": MAIL_PASSWORD}) as box:
        box.refuses = lambda line: f"454 not now: {line} {MAIL_PASSWORD}" if line.startswith("AUTH") else None
        login = f"shop%40mail.example:{quote(MAIL_PASSWORD, safe='')}"
        async with open_shop(
            folder,
            PAMOSNIK_LOG_FORMAT="json",
            PAMOSNIK_LOG_LEVEL="debug",
            PAMOSNIK_PASSPHRASE=PASSPHRASE,
            PAMOSNIK_META_APP_SECRET=META_SECRET,
            PAMOSNIK_SMTP_URL=f"smtp://{login}@127.0.0.1:{box.port}",
            PAMOSNIK_MAIL_FROM="alerts@shop.example",
        ) as shop:
            secrets = {
                "token": TOKEN,
                "another token": OTHER_TOKEN,
                "app secret": SECRET,
                "Meta app secret": META_SECRET,
                "verify token": VERIFY_TOKEN,
                "passphrase": PASSPHRASE,
                "mail password": MAIL_PASSWORD,
                "account password": PASSWORD,
                "wrong password": WRONG_PASSWORD,
                "API token": (await shop.command("api-token", "create", "--name", "till")).strip(),
            }
            shutil.move(shop.folder / "said.log", folder / "shown-once")
            await _talk(shop)
            secrets |= await _visit(shop, secrets["API token"])
            await _crash(shop)
            await shop.write("8003", "price again")
            await shop.settles("8003", 1)
            for file in shop.home.glob("pamosnik.db*"):  # while the WAL has something in it
                shutil.copyfile(file, folder / f"running-{file.name}")
            secrets["reset token"] = _reset_asked_for(shop)
            commands = "".join(_command_lines())
            assert [name for name, secret in secrets.items() if secret in commands] == []
            asked = [text for call in shop.fake.calls for text in call.query.values()]
            assert [name for name, secret in secrets.items() if any(secret in text for text in asked)] == []
    return shop, secrets


async def _talk(shop: Shop) -> None:
    """People write; Instagram answers badly, and quotes what it should not."""
    shop.fake.profiles["8002"] = {"name": NAMES[1], "username": NAMES[0]}
    shop.fake.trouble = lambda call: _quoting(call, 500, 1)
    await shop.comment("8001", TEXTS[0], username=NAMES[0])
    await shop.fake.deliver(events.talk(events.message("8002", TEXTS[1])))
    await shop.asked()
    shop.fake.trouble = lambda call: _quoting(call, 400, 190, 463)
    await shop.write("8004", "price")
    await _until(shop, '"outbox.login"')
    shop.fake.trouble = lambda _: None
    body = events.encode(events.envelope(events.talk(events.message("8005", TEXTS[0]))))
    await shop.fake.post(body, "sha256=" + "0" * 64)
    await shop.fake.post(
        b'{"broken": "' + TEXTS[0].encode(), events.sign(b'{"broken": "' + TEXTS[0].encode())
    )
    await _until(shop, '"alerts.failed"')
    refused = await shop.try_command("connect", "--token-stdin", given=f"{OTHER_TOKEN}\n")
    assert refused.code == 6, refused
    await shop.connect()
    await _until(shop, '"outbox.sent"')  # what had waited for the login


def _quoting(call: Call, status: int, code: int, subcode: int | None = None) -> Trouble | None:
    return Trouble(status, code, subcode, message=ANNOUNCED) if call.is_send else None


async def _until(shop: Shop, words: str) -> None:
    for _ in range(400):
        if words in shop.log.read_text("utf-8"):
            return
        await asyncio.sleep(0.05)
    raise AssertionError(shop.log.read_text("utf-8")[-3000:])


async def _visit(shop: Shop, api_token: str) -> Mapping[str, str]:
    """Every page by its address, by a stranger and by the owner; returns the secrets of the visit."""
    root = f"http://127.0.0.1:{shop.port}"
    bearer = {"Authorization": f"Bearer {api_token}"}
    wrong = {"Authorization": f"Bearer {api_token[:-1]}"}
    pages: list[bytes] = []
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as browser:

        async def get(path: str, headers: Mapping[str, str] | None = None) -> None:
            async with browser.get(f"{root}{path}", headers=headers) as answer:
                pages.append(await answer.read())

        async def log_in(password: str) -> int:
            form = {"email": EMAIL, "password": password}
            async with browser.post(f"{root}/login", data=form) as answer:
                pages.append(await answer.read())
                return answer.status

        handshake = f"?hub.mode=subscribe&hub.challenge=1&hub.verify_token={VERIFY_TOKEN}"
        for path in ("/", "/login", "/nothing", f"/webhooks/instagram{handshake}", f"/l/{TOKEN}"):
            await get(path)
        assert await log_in(WRONG_PASSWORD) == 401
        assert await log_in(PASSWORD) == 200
        for path in ("/", "/account", "/nothing", "/people.csv", "/events.csv", f"/?x={quote(PASSPHRASE)}"):
            await get(path)
        for headers in (bearer, wrong):
            for path in ("/api/v1/status", "/api/v1/events", "/api/v1/contacts", "/api/v1/nothing"):
                await get(path, headers)
        cookies = {cookie.key: cookie.value for cookie in browser.cookie_jar}
    (shop.folder / "pages.html").write_bytes(b"".join(pages))
    assert NAMES[0].encode() in b"".join(pages)
    assert len(cookies) > 0
    return {f"cookie {name}": value for name, value in cookies.items()}


def _reset_asked_for(shop: Shop) -> str:
    """The token of a link for a forgotten password."""
    token = tokens.new_token()
    with open_database(shop.home / "pamosnik.db") as database:
        (account,) = accounts.every(database.connection)
        now = datetime.now(UTC)
        database.write(lambda conn: holder_links.to_reset(conn, account, token, now))
    return token


async def _crash(shop: Shop) -> None:
    """SIGKILL; it goes on with logs as text."""
    await shop.kill()
    shop.environment["PAMOSNIK_LOG_FORMAT"] = "text"
    await shop.start()


def _every_command(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> Mapping[str, bytes]:
    """What each prints."""
    command = in_this_process(monkeypatch, shop.home)
    monkeypatch.setenv("PAMOSNIK_META_URL", "http://127.0.0.1:9")
    monkeypatch.chdir(shop.folder)  # where exports go
    known = {
        "what": "8001",
        "who": "8001",
        "run": "8001",
        "username": "shop",
        "email": EMAIL,
        "flow": "price",
    }
    known |= {"files": str(shop.folder / "flows.yaml"), "name": "new"}
    found = {}
    for words in every_command(known, anything="nothing"):
        if tuple(words[:2]) in SHOWN_ONCE:
            continue
        said = command(*words, given=f"{PASSWORD}\n")
        assert "Traceback" not in said.stderr, (words, said.stderr)
        found[" ".join(words)] = f"{said.stdout}{said.stderr}".encode()
    return found


def _files(shop: Shop) -> Mapping[str, bytes]:
    """All that lies in the home and beside it, backups and exports unpacked, modes checked."""
    found = {}
    for file in (*shop.home.rglob("*"), *shop.folder.glob("*.*")):
        if not file.is_file() or file.name == "flows.yaml":
            continue
        if shop.home in file.parents:
            assert file.stat().st_mode & 0o077 == 0, file.name
        found[str(file)] = file.read_bytes()
        if file.suffix in (".backup", ".zip"):
            with zipfile.ZipFile(file) as backup:
                found |= {f"{file}:{inner}": backup.read(inner) for inner in backup.namelist()}
    return found


def _command_lines() -> Iterator[str]:
    """Of all processes of the machine."""
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            yield file.read_bytes().decode("utf-8", "replace")
        except OSError:  # it has ended
            continue


def _forms(secret: str) -> set[bytes]:
    written = {secret, quote(secret), quote(secret, safe=""), quote_plus(secret), json.dumps(secret)[1:-1]}
    written |= {
        base64.b64encode(secret.encode()).decode().rstrip("=")[:-1],
        secret[4:] if len(secret) > 20 else secret,
    }
    return {one.encode() for one in written}


# --- in the hand of the program ------------------------------------------------------------------------------

SECRET_NAMES = re.compile(r"(^|_)(token|password|passphrase|secret|smtp_url|key|cookie|csrf)$")
NO_SECRETS = {
    "config.Setting.secret": "says that one is",
    "daemon.callers.Caller.token": "its row in the database, with a hash",
    "flows.clashes._Claim.key": "a keyword",
    "flows.written.Entry.key": "of YAML",
    "instagram.catalogue.Entry.key": "a number of Meta's",
    "model.decision.NewLink.token": "part of an address that is sent to a person",
    "model.event.Incoming.key": "tells repetitions",
    "privacy.subject.Table.person_key": "a column",
    "sandbox.behaviour.Behaviour.comment_id_key": "a key of Meta's JSON",
    "services.backups.Restored.key": "a sentence",
    "services.legal.Text.key": "part of an address",
    "services.lost_key.Opened.key": "wrapped",
}


def test_no_repr_shows_a_secret() -> None:
    shown = set()
    for module in pkgutil.walk_packages(pamosnik.__path__, "pamosnik."):
        if module.name.endswith("__main__"):
            continue
        for name, kind in vars(importlib.import_module(module.name)).items():
            if not (
                isinstance(kind, type) and kind.__module__ == module.name and dataclasses.is_dataclass(kind)
            ):
                continue
            for field in dataclasses.fields(kind) if _made(kind) else ():
                if field.repr and SECRET_NAMES.search(field.name) and not field.name.endswith("_at"):
                    shown.add(f"{module.name.removeprefix('pamosnik.')}.{name}.{field.name}")
    in_the_sandbox = {name for name in shown if re.match(r"sandbox\.(things|privacy)\.", name)}
    assert shown - in_the_sandbox - set(NO_SECRETS) == set()


def _made(kind: type) -> bool:
    """Whether its repr is the dataclass's own."""
    params = getattr(kind, "__dataclass_params__")  # noqa: B009 - no attribute that types know of
    return bool(params.repr)


def test_no_command_takes_a_secret_as_an_argument() -> None:
    """Arguments are read by everybody on the machine, and kept by shells."""
    taken = {
        f"{' '.join(path)} {param.name}"
        for path, param in parameters()
        if SECRET_NAMES.search(str(param.name)) and not getattr(param, "is_flag", False)
    }
    names = {
        "service install tls_key": "the path of its file",
        "api-token revoke token": "its id or name",
        "serve tls_key": "the path of its file",
    }
    assert taken == set(names)
