"""Downloads that several want: who shares one, and when it ends."""

from pathlib import Path

import anyio
import pytest

from sidecar.concurrency import TaskGroup
from sidecar.library.download import Fetched, Progress, Source
from sidecar.library.flights import MAX_FLIGHTS, Flights
from sidecar.schema.errors import SidecarError

pytestmark = pytest.mark.anyio

SOURCES = [Source(url="https://example.test/m.gguf")]
FETCHED = [Fetched(path=Path("m.gguf"), size=3, digest="d")]


def unheard(size: int, total: int | None) -> None:
    del size, total


async def hang(tell: Progress) -> list[Fetched]:
    tell(1, 3)
    await anyio.sleep_forever()
    return FETCHED


async def test_a_late_comer_hears_at_once_how_far_it_is() -> None:
    heard: list[str] = []
    go = anyio.Event()

    async def work(tell: Progress) -> list[Fetched]:
        tell(1, 3)
        await go.wait()
        return FETCHED

    async def ride(name: str) -> None:
        def progress(size: int, total: int | None) -> None:
            heard.append(f"{name} {size} {total}")

        assert await flights.join("m", SOURCES, work, progress) == FETCHED

    async with TaskGroup() as tasks, anyio.create_task_group() as riders:
        flights = Flights(tasks)
        riders.start_soon(ride, "first")
        await anyio.wait_all_tasks_blocked()
        riders.start_soon(ride, "second")
        await anyio.wait_all_tasks_blocked()
        go.set()
    assert heard == ["first 1 3", "second 1 3"]
    assert "m" not in flights


async def test_who_comes_while_the_last_one_leaves_begins_anew() -> None:
    runs: list[int] = []

    async def work(tell: Progress) -> list[Fetched]:
        runs.append(1)
        if len(runs) == 1:
            return await hang(tell)
        return FETCHED

    async with TaskGroup() as tasks:
        flights = Flights(tasks)
        async with anyio.create_task_group() as riders:
            riders.start_soon(flights.join, "m", SOURCES, work, unheard)
            await anyio.wait_all_tasks_blocked()
            riders.cancel_scope.cancel()
        assert await flights.join("m", SOURCES, work, unheard) == FETCHED
    assert len(runs) == 2


@pytest.mark.parametrize("failure", [SidecarError("connect", "No."), ZeroDivisionError("a defect")])
async def test_a_failure_is_that_of_everybody_who_waits_and_of_nobody_else(failure: Exception) -> None:
    caught: list[tuple[type, str]] = []
    go = anyio.Event()

    async def work(tell: Progress) -> list[Fetched]:
        del tell
        await go.wait()
        raise failure

    async def ride() -> None:
        try:
            await flights.join("m", SOURCES, work, unheard)
        except (SidecarError, ZeroDivisionError) as error:
            caught.append((type(error), str(error)))

    async with TaskGroup() as tasks, anyio.create_task_group() as riders:
        flights = Flights(tasks)
        riders.start_soon(ride)
        riders.start_soon(ride)
        await anyio.wait_all_tasks_blocked()
        go.set()
    assert caught == [(type(failure), str(failure))] * 2


async def test_other_files_under_the_same_name_have_to_wait_and_so_do_too_many() -> None:
    others = [Source(url="https://example.test/other.gguf")]
    async with TaskGroup() as tasks, anyio.create_task_group() as riders:
        flights = Flights(tasks)
        for number in range(MAX_FLIGHTS):
            riders.start_soon(flights.join, f"m{number}", SOURCES, hang, unheard)
        await anyio.wait_all_tasks_blocked()
        for model, kind in (("m0", "model_in_use"), ("more", "server_busy")):
            with pytest.raises(SidecarError) as caught:
                await flights.join(model, others, hang, unheard)
            assert caught.value.type == kind
        riders.cancel_scope.cancel()
