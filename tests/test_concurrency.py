"""Cancelling, bounding and grouping what runs at the same time."""

import asyncio

import pytest

from sidecar.concurrency import CancelScope, TaskGroup, move_on_after

pytestmark = pytest.mark.anyio


async def for_ever() -> None:
    await asyncio.Event().wait()


async def test_a_block_is_cancelled_from_outside_and_left_quietly() -> None:
    scope = CancelScope()
    asyncio.get_running_loop().call_soon(scope.cancel)
    async with scope:
        await for_ever()
    assert scope.cancelled_caught
    await asyncio.sleep(0)


async def test_a_block_cancelled_before_it_begins_ends_at_its_first_wait() -> None:
    scope = CancelScope()
    scope.cancel()
    ran = []
    async with scope:
        ran.append("before")
        await for_ever()
    assert (ran, scope.cancelled_caught) == (["before"], True)


async def test_a_block_that_never_waits_is_not_cancelled_and_nothing_is_left_of_it() -> None:
    scope = CancelScope()
    scope.cancel()
    async with scope:
        scope.cancel()
    assert not scope.cancelled_caught
    await asyncio.sleep(0)
    await asyncio.sleep(0)


async def test_cancelling_a_block_that_was_left_does_nothing() -> None:
    scope = CancelScope()
    async with scope:
        await asyncio.sleep(0)
    scope.cancel()
    await asyncio.sleep(0)
    assert not scope.cancelled_caught


async def test_only_the_cancelled_one_of_nested_blocks_is_left() -> None:
    outer, inner = CancelScope(), CancelScope()
    asyncio.get_running_loop().call_soon(inner.cancel)
    async with outer:
        async with inner:
            await for_ever()
        await asyncio.sleep(0)
    assert (outer.cancelled_caught, inner.cancelled_caught) == (False, True)


async def test_both_of_two_nested_blocks_can_be_cancelled_at_once() -> None:
    outer, inner = CancelScope(), CancelScope()
    asyncio.get_running_loop().call_soon(inner.cancel)
    asyncio.get_running_loop().call_soon(outer.cancel)
    async with outer:
        async with inner:
            await for_ever()
        await for_ever()
    assert outer.cancelled_caught
    await asyncio.sleep(0)


async def test_an_error_of_the_block_passes_also_when_it_was_cancelled() -> None:
    scope = CancelScope()

    async def fail_when_cancelled() -> None:
        async with scope:
            scope.cancel()
            try:
                await for_ever()
            finally:
                raise ValueError("real")

    with pytest.raises(ValueError, match="real"):
        await fail_when_cancelled()
    assert not scope.cancelled_caught


async def test_a_timeout_of_the_blocks_own_passes() -> None:
    with pytest.raises(TimeoutError):
        async with CancelScope():
            raise TimeoutError


async def test_a_bounded_block_is_left_when_its_time_is_over() -> None:
    async with move_on_after(0) as bound:
        await for_ever()
    assert bound.cancelled_caught
    async with move_on_after(None) as unbound:
        await asyncio.sleep(0)
    assert not unbound.cancelled_caught


async def test_a_cancelled_group_ends_its_tasks_and_its_block() -> None:
    ended = []

    async def task() -> None:
        try:
            await for_ever()
        finally:
            ended.append("task")

    async with TaskGroup() as tasks:
        tasks.start_soon(task)
        await asyncio.sleep(0)
        tasks.cancel()
        await for_ever()
    assert ended == ["task"]


async def test_the_failure_of_one_task_ends_the_group_and_is_raised() -> None:
    async def fail() -> None:
        raise ValueError("real")

    async def group() -> None:
        async with TaskGroup() as tasks:
            tasks.start_soon(for_ever)
            tasks.start_soon(fail)
            tasks.cancel()

    with pytest.raises(ExceptionGroup) as caught:
        await group()
    assert [str(error) for error in caught.value.exceptions] == ["real"]
