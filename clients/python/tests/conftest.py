"""Settings of the suite: what waits is run by asyncio and by Trio."""

import pytest
from hypothesis import settings

settings.register_profile("patient", deadline=None)  # how long an example takes says more of the machine than of it
settings.load_profile("patient")


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> str:
    return str(request.param)
