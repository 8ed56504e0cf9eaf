"""`service`: against a program that answers as systemctl is documented to."""

import io
import json
import os
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from pamosnik import cli
from pamosnik.services import service
from tests.cli.in_process import Command, home, in_this_process
from tests.homes import with_one_account

__all__ = ["home"]

SYSTEMCTL = """#!/bin/sh
[ "$1" = --user ] && shift
echo "$@" >> "$PLACE/asked"
case "$1" in
  show) cat "$PLACE/state" ;;
  restart) if [ -e "$PLACE/refuses" ]; then echo "Job for $2 failed." >&2; exit 1; fi
    printf 'LoadState=loaded\\nActiveState=active\\nUnitFileState=enabled\\nMainPID=4711\\nNRestarts=2\\nStatusText=Listening\\n' > "$PLACE/state" ;;
  disable) printf 'LoadState=not-found\\nActiveState=inactive\\nMainPID=0\\nNRestarts=0\\n' > "$PLACE/state" ;;
esac
"""  # noqa: E501 - a shell script


@pytest.fixture
def systemd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the stand-in for systemctl: what it was asked for is in `asked`."""
    place = tmp_path / "systemd"
    (place / "bin").mkdir(parents=True)
    (place / "bin/systemctl").write_text(SYSTEMCTL, "utf-8")
    (place / "bin/systemctl").chmod(0o700)
    (place / "state").write_text(
        "LoadState=not-found\nActiveState=inactive\nMainPID=0\nNRestarts=0\n", "utf-8"
    )
    monkeypatch.setenv("PATH", f"{place / 'bin'}:{os.environ['PATH']}")
    monkeypatch.setenv("PLACE", str(place))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setattr(service, "_BOOTED_WITH_SYSTEMD", place)
    return place


def _unit(tmp_path: Path) -> Path:
    return tmp_path / "config/systemd/user/pamosnik.service"


def _changes(systemd: Path) -> list[str]:
    asked = (systemd / "asked").read_text("utf-8").splitlines()
    (systemd / "asked").unlink()
    return [one for one in asked if not one.startswith("show")]


def test_installed_looked_at_and_taken_away(
    home: Command, systemd: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PAMOSNIK_PORT", "8799")
    monkeypatch.setenv("PAMOSNIK_INSTAGRAM_APP_SECRET", "not to be seen")
    done = home("service", "install", "--user")
    assert done.returncode == 0
    assert "not to be seen" not in done.stdout + done.stderr
    assert "pamosnik.toml: port, instagram_app_secret" in done.stderr
    assert _changes(systemd) == [
        "daemon-reload",
        "enable --quiet pamosnik.service",
        "restart pamosnik.service",
    ]
    unit = _unit(tmp_path).read_text("utf-8")
    assert f'Environment="PAMOSNIK_HOME={tmp_path / "home"}"' in unit
    assert "not to be seen" not in unit
    kept = tmp_path / "home/pamosnik.toml"
    assert 'instagram_app_secret = "not to be seen"' in kept.read_text("utf-8")
    assert kept.stat().st_mode & 0o777 == 0o600

    looked = json.loads(home("service", "status", "--user", "--json").stdout)
    assert looked == {
        "name": "pamosnik",
        "installed": True,
        "enabled": True,
        "active": True,
        "state": "active",
        "pid": 4711,
        "restarts": 2,
        "status": "Listening",
    }
    before = kept.read_bytes()
    again = home("service", "install", "--user")
    assert "As it was" in again.stderr
    assert kept.read_bytes() == before
    assert _changes(systemd)[-1] == "restart pamosnik.service"

    refused = home("service", "uninstall", "--user")
    assert (refused.returncode, _unit(tmp_path).exists()) == (2, True)
    assert home("service", "uninstall", "--user", "--yes").returncode == 0
    assert _changes(systemd) == ["disable --quiet --now pamosnik.service", "daemon-reload"]
    assert not _unit(tmp_path).exists()
    assert (tmp_path / "home/pamosnik.db").exists()
    gone = home("service", "uninstall", "--user", "--yes")
    assert gone.returncode == 1
    status = home("service", "status", "--user")
    assert (status.returncode, "pamosnik service install" in status.stderr) == (7, True)


def test_a_no_leaves_it_as_it_is(
    home: Command, systemd: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert home("service", "install", "--user").returncode == 0
    _changes(systemd)
    monkeypatch.setattr("sys.stdin", Somebody("n\n"))
    assert cli.run(["service", "uninstall", "--user"]) == 1
    assert not (systemd / "asked").exists()
    assert _unit(tmp_path).exists()


class Somebody(io.StringIO):
    """Who can be asked."""

    def isatty(self) -> bool:
        return True


def test_one_that_does_not_get_ready_says_where_to_look(home: Command, systemd: Path) -> None:
    (systemd / "refuses").touch()
    done = home("service", "install", "--user", "--name", "shop-2")
    assert done.returncode == 1
    assert "Job for shop-2.service failed." in done.stderr
    assert "Try: journalctl --user -u shop-2 -n 20" in done.stderr


def test_what_file_and_environment_disagree_on_is_not_guessed(
    home: Command, systemd: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = tmp_path / "home/pamosnik.toml"
    kept.write_text(f'port = "8001"\n{kept.read_text("utf-8")}', "utf-8")
    monkeypatch.setenv("PAMOSNIK_PORT", "8002")
    done = home("service", "install", "--user")
    assert (done.returncode, "different things: port" in done.stderr) == (2, True)
    assert not _unit(tmp_path).exists()


def test_somebody_elses_unit_stays(home: Command, systemd: Path, tmp_path: Path) -> None:
    _unit(tmp_path).parent.mkdir(parents=True)
    _unit(tmp_path).write_text("[Service]\nExecStart=/bin/true\n", "utf-8")
    assert "is not Pamosnik's" in home("service", "install", "--user").stderr
    assert home("service", "uninstall", "--user", "--yes").returncode == 1
    assert "/bin/true" in _unit(tmp_path).read_text("utf-8")


def test_without_systemd_it_says_what_to_do_instead(
    home: Command, systemd: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "_BOOTED_WITH_SYSTEMD", systemd / "not there")
    for words in (("install",), ("status",), ("uninstall", "--yes")):
        done = home("service", *words)
        assert (done.returncode, "stop it with SIGTERM" in done.stderr) == (2, True)
    printed = home("service", "install", "--print", "--user")
    assert (printed.returncode, "Type=notify" in printed.stdout) == (0, True)
    chain, key = systemd / "chain.pem", systemd / "key.pem"
    chain.touch()
    key.touch()
    options = ("--tls-cert", str(chain), "--tls-key", str(key), "--insecure-http")
    printed = home("service", "install", "--print", "--user", *options)
    assert f'"serve" "--tls-cert" "{chain}" "--tls-key" "{key}" "--insecure-http"\n' in printed.stdout
    assert home("service", "install", "--print", "--user", "--tls-cert", "nowhere.pem").returncode == 2


@pytest.mark.parametrize("name", ["../pamosnik", "Shop", "", "a b"])
def test_a_name_is_a_name(home: Command, systemd: Path, name: str) -> None:
    assert home("service", "install", "--user", "--name", name).returncode == 2


@pytest.mark.skipif(os.geteuid() != 0, reason="only root installs the services of others")
def test_root_installs_the_service_of_whom_the_home_belongs_to(
    systemd: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The settings that were put into the home are its owner's to read; root's own file would end the daemon. What
    the owner has laid there leads root nowhere: it writes as the owner."""
    with TemporaryDirectory() as theirs:
        os.chown(theirs, 12345, 12345)
        folder = Path(theirs, "home")
        with_one_account(folder)
        for one in (folder, *folder.iterdir()):
            os.chown(one, 12345, 12345)
        of_root = tmp_path / "of_root.toml"
        of_root.write_text('port = "9"\n', "utf-8")
        monkeypatch.setattr(service, "_UNITS_OF_THE_SYSTEM", tmp_path / "units")
        monkeypatch.setenv("PAMOSNIK_PORT", "443")
        home = in_this_process(monkeypatch, folder)
        assert home("service", "install").returncode == 0
        assert (os.geteuid(), os.getegid()) == (0, 0)
        kept = folder / "pamosnik.toml"
        assert (kept.stat().st_uid, kept.stat().st_gid) == (12345, 12345)
        kept.unlink()
        kept.symlink_to(of_root)
        monkeypatch.setenv("PAMOSNIK_PUBLIC_URL", "https://shop.example")
        monkeypatch.delenv("PAMOSNIK_PORT")
        assert "pamosnik.toml cannot be written: Permission denied." in home("service", "install").stderr
        assert of_root.read_text("utf-8") == 'port = "9"\n'
    unit = (tmp_path / "units/pamosnik.service").read_text("utf-8")
    assert "\nUser=12345\n" in unit
    assert "\nAmbientCapabilities=CAP_NET_BIND_SERVICE\n" in unit
