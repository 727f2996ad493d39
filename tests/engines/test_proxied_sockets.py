import asyncio
from functools import partial
from typing import cast

import anyio
import pytest
from httpcore2 import ReadError, WriteError

from sidecar.engines.proxied_sockets import Connection
from sidecar.engines.sockets import READ_AHEAD

pytestmark = pytest.mark.anyio


class Wire:
    """The asyncio side of a connection, noting what is asked of it."""

    def __init__(self) -> None:
        self.written: list[bytes] = []
        self.calls: list[str] = []

    def write(self, data: bytes) -> None:
        self.written.append(data)

    def pause_reading(self) -> None:
        self.calls.append("pause")

    def resume_reading(self) -> None:
        self.calls.append("resume")


@pytest.fixture
def wire() -> Wire:
    return Wire()


@pytest.fixture
def connection(wire: Wire) -> Connection:
    made = Connection()
    made.connection_made(cast("asyncio.Transport", wire))
    return made


async def test_a_head_leaves_together_with_its_body(connection: Connection, wire: Wire) -> None:
    for data in (b"POST", b"{}", b"", b"GET"):
        await connection.write(data)
    assert wire.written == [b"POST{}"]


async def test_a_head_without_a_body_leaves_when_the_answer_is_awaited(connection: Connection, wire: Wire) -> None:
    await connection.write(b"GET")
    connection.data_received(b"200")
    assert await connection.read(10) == b"200"
    assert wire.written == [b"GET"]


async def test_a_large_body_is_not_copied_to_its_head(connection: Connection, wire: Wire) -> None:
    body = bytes(READ_AHEAD + 1)
    await connection.write(b"POST")
    await connection.write(body)
    assert wire.written[0] == b"POST"
    assert wire.written[1] is body


async def test_a_reader_is_woken_by_data_and_by_the_end(connection: Connection) -> None:
    pieces: list[bytes] = []

    async def read() -> None:
        pieces.append(await connection.read(2))

    for event in (partial(connection.data_received, b"abc"), partial(connection.connection_lost, None)):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(read)
            await anyio.wait_all_tasks_blocked()
            event()
        pieces.append(await connection.read(2))
    assert pieces == [b"ab", b"c", b"", b""]


async def test_what_came_before_a_loss_is_read_first(connection: Connection) -> None:
    connection.data_received(b"last words")
    connection.connection_lost(ConnectionResetError())
    assert await connection.read(100) == b"last words"
    with pytest.raises(ReadError):
        await connection.read(100)


async def test_the_kernel_holds_what_is_not_read(connection: Connection, wire: Wire) -> None:
    connection.data_received(bytes(READ_AHEAD))
    assert wire.calls == ["pause"]
    await connection.read(1)
    await connection.read(1)
    assert wire.calls == ["pause", "resume"]


async def test_a_writer_waits_for_room_and_ends_with_the_connection(connection: Connection) -> None:
    done = anyio.Event()

    async def write() -> None:
        await connection.write(b"POST")
        await connection.write(b"{}")
        done.set()

    connection.pause_writing()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(write)
        await anyio.wait_all_tasks_blocked()
        assert not done.is_set()
        connection.resume_writing()
    connection.connection_lost(None)
    await connection.write(b"POST")
    with pytest.raises(WriteError):
        await connection.write(b"{}")


async def test_an_idle_connection_is_readable_when_the_other_side_has_closed_it(connection: Connection) -> None:
    before = connection.get_extra_info("is_readable")
    connection.connection_lost(None)
    assert (before, connection.get_extra_info("is_readable")) == (False, True)
