"""Everything here is asyncio: the daemon is another process, Instagram a server in this one."""

import pytest


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"
