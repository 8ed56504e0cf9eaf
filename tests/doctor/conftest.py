from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.doctor.clinic import Clinic, clinic


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def shop(anyio_backend: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Clinic]:
    async with clinic(tmp_path, monkeypatch) as running:
        yield running
