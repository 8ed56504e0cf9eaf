"""A home folder or database that may not be written: said with its path, exit code 1, nothing changed.

File modes do not hold for root: where the tests run as root, the commands run without the right to pass them over.
"""

import asyncio
import ctypes
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.daemon.shop import FLOWS, ROOT, Said, Shop, free_port, open_shop

pytestmark = pytest.mark.anyio
_DROP_FROM_BOUNDING_SET, _DAC_OVERRIDE = 24, 1
"""PR_CAPBSET_DROP of prctl(2), CAP_DAC_OVERRIDE of capabilities(7)."""
_libc = ctypes.CDLL(None)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def _bound_by_modes() -> None:
    if os.geteuid() == 0:
        _libc.prctl(_DROP_FROM_BOUNDING_SET, _DAC_OVERRIDE, 0, 0, 0)


async def _run(shop: Shop, *arguments: str) -> Said:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "pamosnik", *arguments),
        env=shop.environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        cwd=ROOT,
        preexec_fn=_bound_by_modes,
    )
    async with asyncio.timeout(20):
        out, err = await process.communicate()
    assert process.returncode is not None
    return Said(process.returncode, out.decode(), err.decode())


@contextmanager
def _mode(path: Path, mode: int) -> Iterator[None]:
    before = path.stat().st_mode
    path.chmod(mode)
    try:
        yield
    finally:
        path.chmod(before)


@pytest.mark.parametrize("name", ["", "daemon.lock", "pamosnik.db"])
async def test_read_only(tmp_path: Path, name: str) -> None:
    async with open_shop(tmp_path) as shop:
        await shop.write("7701", "price")
        await shop.settles("7701", 1)
        await shop.quiet()
        flows = shop.folder / "other.yaml"
        flows.write_text(FLOWS.replace("Here you are", "Here it is"), "utf-8")
        await shop.stop()
        path = shop.home / name
        with _mode(path, 0o500 if path.is_dir() else 0o400):
            said = await _run(shop, "serve", "--port", str(free_port()))
            assert said.code == 1, said
            assert str(path) in said.err
            assert "Try: " in said.err
            assert "Traceback" not in said.err
            if name != "daemon.lock":
                said = await _run(shop, "flows", "apply", str(flows), "--yes")
                assert said.code == 1, said
                assert str(shop.home) in said.err
                assert "Traceback" not in said.err
        await shop.start()
        await shop.write("7702", "price")
        await shop.settles("7702", 1)


async def test_a_file_that_became_read_only_is_told_by_status(tmp_path: Path) -> None:
    """A disk remounted read-only: the daemon cannot leave word of it, and `status` ended with a traceback."""
    async with open_shop(tmp_path) as shop:
        path = shop.home / "daemon.lock"
        with _mode(path, 0o400):
            said = await _run(shop, "status")
            assert said.code == 0, said
            assert f"{path} cannot be written (" in said.out
            assert "running since" in said.out
        assert "cannot be written" not in (await _run(shop, "status")).out
