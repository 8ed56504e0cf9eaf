"""Everything here is asyncio: the mail server is one in this process."""

import pytest


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"
