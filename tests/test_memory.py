"""Large blocks are kept while large requests come, and given back when they stop."""

from typing import Any

import anyio
import pytest
from virtual_time import VIRTUAL_TIME

from sidecar.memory import IDLE_S, KEPT_BLOCK_BYTES, KEPT_BYTES, LargeBlocks

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> Any:
    return VIRTUAL_TIME


class Library:
    """Remembers what it is told."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, int, int]] = []

    def mallopt(self, parameter: int, value: int) -> int:
        self.calls.append(("mallopt", parameter, value))
        return 1

    def malloc_trim(self, pad: int) -> int:
        self.calls.append(("malloc_trim", pad, 0))
        return 1


async def test_blocks_are_kept_from_the_first_large_request_on_and_given_back_after_the_last() -> None:
    library = Library()
    blocks = LargeBlocks(library)
    blocks.used()
    kept = [("mallopt", -3, KEPT_BLOCK_BYTES), ("mallopt", -1, KEPT_BYTES)]
    assert library.calls == kept
    await anyio.sleep(IDLE_S - 1)
    blocks.used()
    await anyio.sleep(IDLE_S - 1)
    assert library.calls == kept
    await anyio.sleep(2)
    assert library.calls == [*kept, ("malloc_trim", 0, 0)]


async def test_a_system_without_such_settings_is_left_alone() -> None:
    blocks = LargeBlocks(object())
    blocks.used()
    await anyio.sleep(IDLE_S + 1)


async def test_the_library_of_this_system_takes_the_settings_or_has_none() -> None:
    blocks = LargeBlocks()
    blocks.used()
    await anyio.sleep(IDLE_S + 1)
    assert blocks._library is not None
