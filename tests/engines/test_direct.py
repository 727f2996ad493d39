import asyncio
import socket
import struct
from collections.abc import AsyncIterator, Callable, Iterator
from typing import cast

import anyio
import pytest
import upstream
from anyio import to_thread
from upstream import Exchange

from sidecar.engines.direct import Direct
from sidecar.engines.kept import KEPT_SECONDS
from sidecar.engines.reply import BARREN_BYTES
from sidecar.engines.transport import Outgoing
from sidecar.engines.trust import Trust
from sidecar.schema.errors import SidecarError

pytestmark = pytest.mark.anyio

RESET = struct.pack("ii", 1, 0)
OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"


class Listener:
    """A server whose every step is the test's, and takes place before the loop of the test hears of it."""

    def __init__(self) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._peers: list[socket.socket] = []
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"

    async def accept(self) -> socket.socket:
        peer, _ = await to_thread.run_sync(self._socket.accept, abandon_on_cancel=True)
        self._peers.append(peer)
        return peer

    async def hear(self, peer: socket.socket) -> bytes:
        return await to_thread.run_sync(peer.recv, 1 << 16, abandon_on_cancel=True)

    def close(self) -> None:
        for made in (self._socket, *self._peers):
            made.close()


@pytest.fixture
def listener() -> Iterator[Listener]:
    made = Listener()
    yield made
    made.close()


@pytest.fixture(autouse=True)
async def bounded() -> AsyncIterator[None]:
    """Ends a test that would hang; a timer of the loop, as fixtures may not hold cancel scopes open."""
    task = asyncio.current_task()
    assert task is not None
    timer = asyncio.get_running_loop().call_later(5, task.cancel)
    yield
    timer.cancel()


@pytest.fixture
async def direct() -> AsyncIterator[Direct]:
    made = Direct(Trust())
    yield made
    await made.close()


def get(url: str) -> Outgoing:
    return Outgoing(url=url, headers={})


def post(url: str) -> Outgoing:
    return Outgoing(url=url, headers={}, body=b"{}")


async def fetch(direct: Direct, request: Outgoing) -> bytes:
    async with direct.open(request) as answer:
        return await answer.read(1 << 20)


async def failure(direct: Direct, request: Outgoing) -> SidecarError:
    with pytest.raises(SidecarError) as caught:
        await fetch(direct, request)
    return caught.value


def raw(data: bytes) -> upstream.Handler:
    async def handler(exchange: Exchange) -> None:
        await exchange.raw(data)

    return handler


async def first_of_two(direct: Direct, listener: Listener) -> socket.socket:
    """Have one question answered, and return the server's side of the connection that is then kept."""
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(fetch, direct, get(listener.url))
        peer = await listener.accept()
        await listener.hear(peer)
        peer.sendall(OK)
    return peer


async def test_a_connection_closed_a_moment_ago_is_not_used(direct: Direct, listener: Listener) -> None:
    peer = await first_of_two(direct, listener)
    peer.close()
    bodies: list[bytes] = []

    async def ask() -> None:
        bodies.append(await fetch(direct, post(listener.url)))

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(ask)
        fresh = await listener.accept()
        assert (await listener.hear(fresh)).startswith(b"POST / HTTP/1.1\r\n")
        fresh.sendall(OK)
    assert bodies == [b"ok"]


@pytest.mark.parametrize(("request_to", "how"), [(get, "fin"), (get, "rst"), (post, "rst")])
async def test_a_question_that_a_kept_connection_swallows_is_asked_again_once(
    direct: Direct, listener: Listener, request_to: Callable[[str], Outgoing], how: str
) -> None:
    told: list[str] = []
    bodies: list[bytes] = []
    peer = await first_of_two(direct, listener)

    async def tell() -> None:
        told.append("sent")

    async def ask() -> None:
        request = request_to(listener.url)
        bodies.append(await fetch(direct, Outgoing(url=request.url, headers={}, body=request.body, sent=tell)))

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(ask)
        heard = await listener.hear(peer)
        if how == "rst":
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        peer.close()
        fresh = await listener.accept()
        assert await listener.hear(fresh) == heard
        fresh.sendall(OK)
    assert (bodies, told) == ([b"ok"], ["sent"])


async def test_a_post_that_the_server_may_have_heard_is_not_asked_again(direct: Direct, listener: Listener) -> None:
    errors: list[SidecarError] = []
    peer = await first_of_two(direct, listener)

    async def ask() -> None:
        errors.append(await failure(direct, post(listener.url)))

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(ask)
        await listener.hear(peer)
        peer.close()
    assert [error.type for error in errors] == ["connect"]


async def test_a_new_connection_that_ends_without_an_answer_is_not_tried_again(direct: Direct) -> None:
    async def handler(exchange: Exchange) -> None:
        await exchange.cut("rst")

    async with upstream.serve(handler) as server:
        assert (await failure(direct, get(server.url))).type == "connect"
        assert server.connections == 1


async def test_an_answer_begun_and_lost_is_not_asked_for_again(direct: Direct) -> None:
    async def lost(exchange: Exchange) -> None:
        await exchange.start(200)
        await exchange.send(b"one")
        await exchange.cut("rst")

    async with upstream.serve(upstream.in_turn(upstream.answer(b""), lost)) as server:
        await fetch(direct, get(server.url))
        assert (await failure(direct, get(server.url))).type == "stream_interrupted"
        assert len(server.requests) == 2


async def test_what_nobody_asked_for_ends_a_kept_connection(direct: Direct) -> None:
    async with upstream.serve(raw(OK + OK)) as server:
        for _ in range(2):
            assert await fetch(direct, get(server.url)) == b"ok"
        assert server.connections == 2


async def test_a_kept_connection_is_closed_after_a_minute(direct: Direct, monkeypatch: pytest.MonkeyPatch) -> None:
    async with upstream.serve(upstream.answer(b"")) as server:
        await fetch(direct, get(server.url))
        monkeypatch.setattr("sidecar.engines.kept.KEPT_SECONDS", -1.0)
        await fetch(direct, get(server.url))
        assert (KEPT_SECONDS, server.connections) == (60.0, 2)


async def test_a_server_that_says_so_is_not_asked_over_the_same_connection(direct: Direct) -> None:
    async with upstream.serve(upstream.answer(b"", headers={"connection": "close"})) as server:
        for _ in range(2):
            await fetch(direct, get(server.url))
        assert server.connections == 2


async def test_interim_answers_are_skipped(direct: Direct) -> None:
    interim = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n"
    async with upstream.serve(raw(interim + OK)) as server, direct.open(get(server.url)) as answer:
        assert (answer.status, answer.headers) == (200, {"content-length": "2"})
        assert await answer.read(9) == b"ok"


@pytest.mark.parametrize("status", [204, 304])
async def test_an_answer_without_a_body_leaves_its_connection(direct: Direct, status: int) -> None:
    async with upstream.serve(raw(b"HTTP/1.1 %d Nothing\r\ncontent-length: 9\r\n\r\n" % status)) as server:
        for _ in range(2):
            assert await fetch(direct, get(server.url)) == b""
        assert server.connections == 1


async def test_a_head_that_does_not_end_is_malformed(direct: Direct) -> None:
    async def handler(exchange: Exchange) -> None:
        await exchange.raw(b"HTTP/1.1 200 OK\r\nx: ")
        await exchange.raw(b"a" * (BARREN_BYTES + 65536))
        await exchange.hang()

    async with upstream.serve(handler) as server:
        with anyio.fail_after(5):
            assert (await failure(direct, get(server.url))).type == "malformed_response"
            await server.gone.wait()


@pytest.mark.parametrize(
    "head",
    [b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n", b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n9\r\n"],
)
async def test_a_body_shorter_than_announced_is_an_interrupted_stream(direct: Direct, head: bytes) -> None:
    async def handler(exchange: Exchange) -> None:
        await exchange.raw(head + b"short")
        await exchange.cut("fin")

    async with upstream.serve(handler) as server, direct.open(get(server.url)) as answer:
        assert await anext(answer.chunks) == b"short"
        with pytest.raises(SidecarError) as caught:
            await anext(answer.chunks)
    assert caught.value.type == "stream_interrupted"


async def test_a_damaged_chunk_is_an_interrupted_stream_after_what_came_before_it(direct: Direct) -> None:
    head = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
    async with upstream.serve(raw(head + b"2\r\nok\r\nzz\r\n")) as server, direct.open(get(server.url)) as answer:
        assert await anext(answer.chunks) == b"ok"
        with pytest.raises(SidecarError) as caught:
            await anext(answer.chunks)
    assert caught.value.type == "stream_interrupted"


async def test_a_large_body_arrives_whole(direct: Direct) -> None:
    body = bytes(range(256)) * 40_000
    async with upstream.serve(upstream.answer(b"")) as server:
        for _ in range(2):
            await fetch(direct, Outgoing(url=server.url, headers={}, body=body))
        assert ([request.body == body for request in server.requests], server.connections) == ([True, True], 1)


async def test_an_early_refusal_of_an_upload_is_heard_though_the_server_reads_no_more(
    direct: Direct, listener: Listener
) -> None:
    statuses: list[int] = []
    told: list[str] = []

    async def tell() -> None:
        told.append("sent")

    async def ask() -> None:
        async with direct.open(Outgoing(url=listener.url, headers={}, body=bytes(32 << 20), sent=tell)) as answer:
            statuses.append(answer.status)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(ask)
        peer = await listener.accept()
        await listener.hear(peer)
        peer.sendall(b"HTTP/1.1 413 Too Large\r\ncontent-length: 0\r\n\r\n")
    assert (statuses, told) == ([413], [])
    assert direct.kept.take(listener.url) is None


@pytest.mark.parametrize(
    "headers", [{"x": "a\r\nb: c"}, {"x": "a\nb"}, {"x": "a\0"}, {"x\r\ny": "a"}, {"x y": "a"}, {"": "a"}, {"x:": "a"}]
)
async def test_a_header_that_would_be_more_than_one_is_not_sent(direct: Direct, headers: dict[str, str]) -> None:
    async with upstream.serve(upstream.answer(b"")) as server:
        error = await failure(direct, Outgoing(url=server.url, headers=headers))
        assert (error.type, server.connections) == ("invalid_params", 0)


async def test_an_address_in_brackets_is_reached(direct: Direct) -> None:
    try:
        listener = socket.create_server(("::1", 0), family=socket.AF_INET6)
    except OSError:
        pytest.skip("this machine has no IPv6")
    with listener:
        port = listener.getsockname()[1]
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(fetch, direct, get(f"http://[::1]:{port}/"))
            peer, _ = await to_thread.run_sync(listener.accept)
            with peer:
                heard = cast("bytes", await to_thread.run_sync(peer.recv, 1 << 16))
                peer.sendall(OK)
    assert heard == f"GET / HTTP/1.1\r\nhost: [::1]:{port}\r\n\r\n".encode()


@pytest.mark.parametrize("host", ["a..b", "x" * 64 + ".example"])
async def test_a_name_that_cannot_be_one_is_a_dns_error(direct: Direct, host: str) -> None:
    assert (await failure(direct, get(f"http://{host}/"))).type == "dns"
