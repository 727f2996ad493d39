import asyncio
from typing import cast

import anyio
import pytest

from sidecar.engines.connection import PIECE_BYTES, Connection, Unanswered
from sidecar.engines.sockets import READ_AHEAD

pytestmark = pytest.mark.anyio

HEAD = b"HTTP/1.1 200 OK\r\ncontent-length: 9999999\r\n\r\n"


class Wire:
    """The asyncio side of a connection, noting what is asked of it."""

    def __init__(self) -> None:
        self.written: list[bytes | memoryview] = []
        self.calls: list[str] = []

    def write(self, data: bytes | memoryview) -> None:
        self.written.append(data)

    def pause_reading(self) -> None:
        self.calls.append("pause")

    def resume_reading(self) -> None:
        self.calls.append("resume")

    def abort(self) -> None:
        self.calls.append("abort")

    def is_closing(self) -> bool:
        return "abort" in self.calls


@pytest.fixture
def wire() -> Wire:
    return Wire()


@pytest.fixture
async def connection(wire: Wire) -> Connection:
    made = Connection("http://api.example", memoryview(bytearray(READ_AHEAD)))
    made.connection_made(cast("asyncio.Transport", wire))
    return made


def receive(connection: Connection, data: bytes) -> None:
    connection.get_buffer(-1)[: len(data)] = data
    connection.buffer_updated(len(data))


async def test_a_head_leaves_together_with_its_body(connection: Connection, wire: Wire) -> None:
    assert await connection.send(b"POST", b"{}")
    assert wire.written == [b"POST{}"]


async def test_a_large_body_is_not_copied(connection: Connection, wire: Wire) -> None:
    body = bytes(PIECE_BYTES + 1)
    assert await connection.send(b"POST", body)
    head, first, rest = wire.written
    assert (head, len(first), len(rest)) == (b"POST", PIECE_BYTES, 1)
    assert [piece.obj for piece in (first, rest) if isinstance(piece, memoryview)] == [body, body]


async def test_a_writer_waits_for_room(connection: Connection, wire: Wire) -> None:
    sent: list[bool] = []

    async def send() -> None:
        sent.append(await connection.send(b"POST", bytes(PIECE_BYTES)))

    connection.pause_writing()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(send)
        await anyio.wait_all_tasks_blocked()
        assert (wire.written, sent) == ([b"POST"], [])
        connection.resume_writing()
    assert (len(wire.written), sent) == (2, [True])


@pytest.mark.parametrize("error", [None, OSError()])
async def test_what_was_not_sent_whole_was_not_heard(connection: Connection, error: OSError | None) -> None:
    connection.pause_writing()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(connection.send, b"POST", b"{}")
        await anyio.wait_all_tasks_blocked()
        connection.connection_lost(error)
    with pytest.raises(Unanswered) as caught:
        await connection.answered()
    assert caught.value.unheard


@pytest.mark.parametrize(("error", "unheard"), [(None, False), (ConnectionResetError(), True), (OSError(), False)])
async def test_a_question_that_was_refused_was_not_heard(
    connection: Connection, error: OSError | None, *, unheard: bool
) -> None:
    await connection.send(b"POST", b"{}")
    connection.connection_lost(error)
    with pytest.raises(Unanswered) as caught:
        await connection.answered()
    assert caught.value.unheard is unheard


async def test_the_kernel_holds_what_is_not_read(connection: Connection, wire: Wire) -> None:
    receive(connection, HEAD)
    for _ in range(3):
        receive(connection, bytes(READ_AHEAD // 2))
    assert wire.calls == ["pause"]
    assert (len(connection.take()), len(connection.take())) == (READ_AHEAD // 2 * 3, 0)
    assert wire.calls == ["pause", "resume"]


async def test_a_closed_connection_is_not_listened_to(connection: Connection, wire: Wire) -> None:
    receive(connection, HEAD)
    receive(connection, bytes(READ_AHEAD))
    connection.abort()
    assert len(connection.take()) == READ_AHEAD
    assert wire.calls == ["pause", "abort"]


async def test_what_came_before_a_loss_is_read_first(connection: Connection) -> None:
    receive(connection, HEAD + b"last words")
    connection.connection_lost(ConnectionResetError())
    assert (connection.take(), connection.ended, connection.reply.complete) == (b"last words", True, False)


async def test_a_reset_does_not_end_a_body_without_a_length(connection: Connection) -> None:
    receive(connection, b"HTTP/1.1 200 OK\r\n\r\nhalf")
    connection.connection_lost(ConnectionResetError())
    assert (connection.ended, connection.reply.complete) == (True, False)
