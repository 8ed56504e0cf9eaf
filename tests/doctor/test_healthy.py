"""Nothing is wrong with the clinic as it is, with the daemon and without it; `doctor` ends when nothing answers."""

import socket

import pytest

from pamosnik.config import Encryption
from pamosnik.services import home as homes
from pamosnik.services.doctor import GROUP
from tests.doctor.clinic import INSTAGRAM_SECRET, META_SECRET, VERIFY_TOKEN, Clinic
from tests.mail.server import MAIL_PASSWORD, USER, mail_box

pytestmark = pytest.mark.anyio


async def test_nothing_is_wrong(shop: Clinic) -> None:
    await shop.act("dm", person="anna", text="price?")
    await shop.heard("message", igsid="900000000000011", text="price?")
    async with mail_box(logins={USER: MAIL_PASSWORD}, encryption=Encryption.NONE) as box:
        found = await shop.look(SMTP_URL=f"smtp://127.0.0.1:{box.port}", MAIL_FROM="alerts@shop.example")
    assert {c["name"]: c["message"] for c in found.checks if c["status"] != "good"} == {}
    assert found.said.returncode == 0
    assert [check["name"] for check in found.checks] == list(GROUP)
    assert {check["fix"] for check in found.checks} == {None}


async def test_for_people_what_is_bad_comes_first_and_the_last_line_counts(shop: Clinic) -> None:
    fine = await shop.run("doctor")
    assert (fine.returncode, fine.stdout.splitlines()[-1]) == (0, "Nothing is wrong.")
    assert fine.stdout.startswith("This machine\n")
    shop.patch.setenv("PAMOSNIK_META_APP_SECRET", "f" * 32)
    said = await shop.run("doctor")
    assert said.returncode == 5
    assert said.stdout.startswith("Wrong, and what to do:\nBAD   meta_app: ")
    assert said.stdout.splitlines()[-1].startswith(f"{len(GROUP)} checks: ")


async def test_no_secret_is_shown(shop: Clinic) -> None:
    await shop.act("switches", has_role=False)
    told = [await shop.run("doctor"), await shop.run("doctor", "--json", "--fix")]
    for said in told:
        for secret in (shop.sandbox.token, INSTAGRAM_SECRET, META_SECRET, VERIFY_TOKEN):
            assert secret not in said.stdout + said.stderr


async def test_it_works_while_the_daemon_does_not(shop: Clinic) -> None:
    shop.daemon.close()
    assert not homes.daemon_running(shop.home)
    with socket.create_server(("127.0.0.1", 0)) as gone:
        address = f"https://127.0.0.1:{gone.getsockname()[1]}"
    found = await shop.look(PUBLIC_URL=address)
    assert found.status("daemon") == "note"
    assert "serve is not running" in found.one("reached")["message"]
    assert found.status("reached") == "skipped"


async def test_a_network_that_does_not_answer_is_told_as_that(shop: Clinic) -> None:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        nobody = f"http://127.0.0.1:{gone.getsockname()[1]}"
    found = await shop.look(META_URL=nobody)
    assert found.bad == ["instagram"]
    assert "That says nothing about the token" in found.one("instagram")["message"]
    for name in ("token", "role", "subscription", "promises", "meta_app", "clock"):
        assert found.status(name) == "skipped", name


async def test_a_home_that_cannot_be_read_has_every_check_once(shop: Clinic) -> None:
    (shop.home / "master.key").rename(shop.folder / "kept")
    found = await shop.look()
    assert found.status("key") == "bad"
    assert {check["name"] for check in found.checks} == set(GROUP)
    assert found.status("login") == "skipped"
