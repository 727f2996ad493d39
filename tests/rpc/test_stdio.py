"""The pipes: order, joining, bounds, and hosts that stop reading or go away."""

import asyncio
import os
import select
import time
from collections.abc import Iterator

import anyio
import pytest
from msgspec.structs import replace

from sidecar.rpc.lines import Oversized
from sidecar.rpc.stdio import DIRECT_BYTES, Inbox, Outbox
from sidecar.schema.session import Limits

pytestmark = pytest.mark.anyio

PIPE_BYTES = 65536


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    read, write = os.pipe()
    yield read, write
    for end in (read, write):
        try:
            os.close(end)
        except OSError:
            assert end in (read, write)


async def read_exactly(descriptor: int, size: int) -> bytes:
    """Read on the loop's own thread, giving it turns, so that the order of events is the test's."""
    data = b""
    with anyio.fail_after(10):
        while len(data) < size:
            ready, _, _ = select.select([descriptor], [], [], 0)
            if ready:
                data += os.read(descriptor, size - len(data))
            else:
                await anyio.lowlevel.checkpoint()
    return data


async def test_lines_written_in_one_turn_arrive_in_one_write(pipe: tuple[int, int]) -> None:
    outbox = Outbox(pipe[1], Limits(), lambda: None)
    for number in range(10):
        outbox.write(b"%d\n" % number)
    assert await outbox.drained(5)
    assert os.read(pipe[0], 4096) == b"0\n1\n2\n3\n4\n5\n6\n7\n8\n9\n"


async def test_more_than_a_pipe_holds_arrives_whole_and_in_order(pipe: tuple[int, int]) -> None:
    outbox = Outbox(pipe[1], Limits(), lambda: None)
    sent = b"".join(b"%07d\n" % number for number in range(100_000))
    for start in range(0, len(sent), 8000):
        outbox.write(sent[start : start + 8000])
        if start % 5 == 0:
            await anyio.lowlevel.checkpoint()
    assert await read_exactly(pipe[0], len(sent)) == sent
    assert await outbox.drained(5)


async def test_small_and_large_writes_keep_their_order(pipe: tuple[int, int]) -> None:
    outbox = Outbox(pipe[1], Limits(), lambda: None)
    pieces = [b"s\n", b"L" * (DIRECT_BYTES * 3) + b"\n", b"t\n", b"M" * PIPE_BYTES + b"\n", b"u\n"]
    for piece in pieces:
        outbox.write(piece)
        await anyio.lowlevel.checkpoint()
    assert await read_exactly(pipe[0], sum(map(len, pieces))) == b"".join(pieces)


async def test_producers_wait_while_the_host_does_not_read(pipe: tuple[int, int]) -> None:
    outbox = Outbox(pipe[1], Limits(soft_output_bytes=1000), lambda: None)
    waited = anyio.Event()

    async def produce() -> None:
        outbox.write(b"x" * 200_000)
        assert outbox.congested
        await outbox.room()
        waited.set()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(produce)
        await anyio.wait_all_tasks_blocked()
        assert not waited.is_set()
        await read_exactly(pipe[0], 200_000)
        with anyio.fail_after(5):
            await waited.wait()


async def test_deferred_callbacks_run_once_there_is_room(pipe: tuple[int, int]) -> None:
    outbox = Outbox(pipe[1], Limits(soft_output_bytes=1000), lambda: None)
    ran = anyio.Event()
    outbox.write(b"x" * 200_000)
    outbox.defer(ran.set)
    await anyio.lowlevel.checkpoint()
    assert not ran.is_set()
    await read_exactly(pipe[0], 200_000)
    with anyio.fail_after(5):
        await ran.wait()


async def test_a_host_that_closed_its_end_is_reported_once(pipe: tuple[int, int]) -> None:
    broken: list[bool] = []
    outbox = Outbox(pipe[1], Limits(), lambda: broken.append(True))
    os.close(pipe[0])
    assert outbox.host_is_gone
    outbox.write(b"1\n")
    assert not await outbox.drained(5)
    outbox.write(b"2\n")
    assert not await outbox.drained(5)
    assert broken == [True]


@pytest.mark.parametrize("limits", [Limits(hard_output_bytes=100_000, stalled_exit_ms=1), Limits(max_output_bytes=1)])
async def test_a_host_that_takes_nothing_is_given_up(pipe: tuple[int, int], limits: Limits) -> None:
    given_up = anyio.Event()
    outbox = Outbox(pipe[1], replace(limits, hard_output_bytes=min(limits.hard_output_bytes, 100_000)), given_up.set)
    outbox.write(b"x" * 300_000)
    with anyio.fail_after(5):
        await given_up.wait()


async def test_the_time_that_the_sidecar_itself_was_stopped_is_not_held_against_the_host(
    pipe: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    broken: list[bool] = []
    outbox = Outbox(pipe[1], Limits(hard_output_bytes=100_000, stalled_exit_ms=10_000), lambda: broken.append(True))
    outbox.write(b"x" * 300_000)
    await anyio.lowlevel.checkpoint()
    loop, clock = asyncio.get_running_loop(), time.monotonic
    monkeypatch.setattr(loop, "time", lambda: clock() + 3600)
    for _ in range(10):
        await anyio.lowlevel.checkpoint()
    assert broken == []
    assert len(await read_exactly(pipe[0], 300_000)) == 300_000
    assert await outbox.drained(5)


async def test_input_is_handed_over_in_order_up_to_its_end(pipe: tuple[int, int]) -> None:
    lines: list[bytes | Oversized] = []
    ended = anyio.Event()
    Inbox(pipe[0], Limits(), lines.append).start(ended.set)
    sent = [b"%d" % number for number in range(5000)]
    os.write(pipe[1], b"\n".join(sent))
    os.close(pipe[1])
    with anyio.fail_after(5):
        await ended.wait()
    assert lines == sent


async def test_input_is_not_read_further_ahead_than_allowed(pipe: tuple[int, int]) -> None:
    lines: list[bytes | Oversized] = []
    inbox = Inbox(pipe[0], Limits(stdin_ahead_bytes=1), lines.append)
    ended = anyio.Event()
    inbox.start(ended.set)
    os.write(pipe[1], b"1\n")
    with anyio.fail_after(5):
        while not lines:
            await anyio.lowlevel.checkpoint()
    os.write(pipe[1], b"2\n")
    os.close(pipe[1])
    with anyio.fail_after(5):
        await ended.wait()
    assert lines == [b"1", b"2"]
    assert inbox._ahead == 0
