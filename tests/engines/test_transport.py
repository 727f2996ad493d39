import asyncio
import gzip
import os
import subprocess
import sys
import zlib
from collections.abc import AsyncIterator
from pathlib import Path

import anyio
import pytest
import upstream
from upstream import Exchange

from sidecar.engines.failures import NO_TLS
from sidecar.engines.network import HttpTransport
from sidecar.engines.proxied import Proxied
from sidecar.engines.transport import Opening, Outgoing
from sidecar.engines.trust import Trust
from sidecar.providers.origins import origin_of
from sidecar.schema.errors import SidecarError

pytestmark = pytest.mark.anyio


class OwnProxies:
    """Asks every server through a proxy, which is the server itself."""

    def __init__(self) -> None:
        self._proxied: dict[str, Proxied] = {}

    def open(self, request: Outgoing) -> Opening:
        origin = origin_of(request.url)
        return self._proxied.setdefault(origin, Proxied(origin, Trust())).open(request)

    async def close(self) -> None:
        for proxied in self._proxied.values():
            await proxied.close()


AnyTransport = HttpTransport | OwnProxies


@pytest.fixture(params=[HttpTransport, OwnProxies])
async def transport(request: pytest.FixtureRequest) -> AsyncIterator[AnyTransport]:
    made = request.param()
    yield made
    await made.close()


@pytest.fixture
async def direct() -> AsyncIterator[HttpTransport]:
    made = HttpTransport()
    yield made
    await made.close()


@pytest.fixture(autouse=True)
async def bounded() -> AsyncIterator[None]:
    """Ends a test that would hang; a timer of the loop, as fixtures may not hold cancel scopes open."""
    task = asyncio.current_task()
    assert task is not None
    timer = asyncio.get_running_loop().call_later(20, task.cancel)
    yield
    timer.cancel()


def get(url: str, **headers: str) -> Outgoing:
    return Outgoing(url=url, headers=headers)


def post(url: str, body: bytes = b"{}", **headers: str) -> Outgoing:
    return Outgoing(url=url, headers=headers, body=body)


async def fetch(transport: AnyTransport, request: Outgoing, bound: int = 1 << 20) -> bytes:
    async with transport.open(request) as answer:
        return await answer.read(bound)


async def failure(transport: AnyTransport, request: Outgoing) -> SidecarError:
    with pytest.raises(SidecarError) as caught:
        await fetch(transport, request)
    return caught.value


async def test_a_post_carries_its_body_and_headers(direct: HttpTransport) -> None:
    async with upstream.serve(upstream.answer(b"hello", headers={"X-Id": "7"})) as server:
        async with direct.open(post(server.url + "/a?b=1", b"question", accept="x/y")) as answer:
            assert (answer.status, answer.headers["x-id"], await answer.read(100)) == (200, "7", b"hello")
        assert [vars(request) for request in server.requests] == [
            {
                "method": "POST",
                "path": "/a?b=1",
                "headers": {"accept": "x/y", "host": f"127.0.0.1:{server.port}", "content-length": "8"},
                "body": b"question",
            }
        ]


async def test_a_request_without_a_body_is_a_get(transport: AnyTransport) -> None:
    async with upstream.serve(upstream.answer(b"")) as server:
        await fetch(transport, get(server.url + "/models"))
        assert (server.requests[0].method, server.requests[0].body) == ("GET", b"")


async def test_fifty_requests_in_a_row_use_one_connection(transport: AnyTransport) -> None:
    async with upstream.serve(upstream.events(b"data: 1\n\n", b"data: 2\n\n")) as server:
        for _ in range(50):
            assert await fetch(transport, post(server.url)) == b"data: 1\n\ndata: 2\n\n"
        assert (server.connections, len(server.requests)) == (1, 50)


async def test_three_hundred_parallel_streams_run_side_by_side_and_twenty_connections_are_kept(
    transport: AnyTransport,
) -> None:
    together, waiting = anyio.Event(), 0

    async def handler(exchange: Exchange) -> None:
        nonlocal waiting
        await exchange.start(200, upstream.EVENT_STREAM)
        waiting += 1
        if waiting == 300:
            together.set()
        await together.wait()
        await exchange.send(b"data: 1\n\n")
        await exchange.end()

    async with upstream.serve(handler) as server:
        for _ in range(2):
            async with anyio.create_task_group() as tasks:
                for _ in range(300):
                    tasks.start_soon(fetch, transport, post(server.url))
            waiting, first = 0, server.connections
            together.set()
        assert (first, len(server.requests)) == (580, 600)


async def test_sent_is_told_before_the_server_answers(transport: AnyTransport) -> None:
    sent = anyio.Event()

    async def tell() -> None:
        sent.set()

    async def handler(exchange: Exchange) -> None:
        await sent.wait()
        await exchange.respond(200)

    async with upstream.serve(handler) as server:
        await fetch(transport, Outgoing(url=server.url, headers={}, body=b"x" * 100_000, sent=tell))
        assert len(server.requests[0].body) == 100_000


async def test_pieces_are_handed_on_as_they_come(transport: AnyTransport) -> None:
    seen = anyio.Event()

    async def handler(exchange: Exchange) -> None:
        await exchange.start(200, upstream.EVENT_STREAM)
        await exchange.send(b"first")
        await seen.wait()
        await exchange.send(b"second")
        await exchange.end()

    async with upstream.serve(handler) as server, transport.open(post(server.url)) as answer:
        assert await anext(answer.chunks) == b"first"
        seen.set()
        assert [chunk async for chunk in answer.chunks] == [b"second"]


async def test_what_is_not_read_stays_with_the_server(transport: AnyTransport) -> None:
    progress = 0

    async def handler(exchange: Exchange) -> None:
        nonlocal progress
        await exchange.start(200, upstream.EVENT_STREAM)
        for _ in range(640):
            await exchange.send(b"x" * 65536)
            progress += 1
        await exchange.end()

    async with upstream.serve(handler) as server, transport.open(post(server.url)) as answer:
        size = len(await anext(answer.chunks))
        await anyio.wait_all_tasks_blocked()
        assert progress < 640
        async for chunk in answer.chunks:
            size += len(chunk)
        assert (size, progress) == (640 * 65536, 640)


async def test_a_body_without_a_length_ends_with_its_connection(transport: AnyTransport) -> None:
    async with upstream.serve(upstream.events(b"data: 1\n\n", framing="close")) as server:
        assert await fetch(transport, post(server.url)) == b"data: 1\n\n"


async def test_cancelling_before_the_answer_closes_the_connection_at_once(transport: AnyTransport) -> None:
    asked = anyio.Event()

    async def handler(exchange: Exchange) -> None:
        asked.set()
        await exchange.hang()

    async with upstream.serve(handler) as server:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(fetch, transport, post(server.url))
            await asked.wait()
            tasks.cancel_scope.cancel()
        with anyio.fail_after(0.1):
            await server.gone.wait()


async def test_cancelling_in_mid_answer_closes_the_connection_at_once(transport: AnyTransport) -> None:
    async def handler(exchange: Exchange) -> None:
        await exchange.start(200, upstream.EVENT_STREAM)
        await exchange.send(b"data: 1\n\n")
        await exchange.hang()

    async with upstream.serve(handler) as server:
        with anyio.CancelScope() as scope:
            async with transport.open(post(server.url)) as answer:
                async for _ in answer.chunks:
                    scope.cancel()
        assert scope.cancelled_caught
        with anyio.fail_after(0.1):
            await server.gone.wait()


async def test_an_answer_that_is_left_early_closes_its_connection(transport: AnyTransport) -> None:
    async def handler(exchange: Exchange) -> None:
        await exchange.start(200, upstream.EVENT_STREAM)
        await exchange.send(b"data: 1\n\n")
        await exchange.hang()

    async with upstream.serve(handler) as server:
        async with transport.open(post(server.url)) as answer:
            await anext(answer.chunks)
        with anyio.fail_after(0.1):
            await server.gone.wait()


async def test_a_drained_answer_leaves_its_connection_to_the_next(transport: AnyTransport) -> None:
    async with upstream.serve(upstream.events(b"data: [DONE]\n\n", b": bye\n\n")) as server:
        for _ in range(3):
            async with transport.open(post(server.url)) as answer:
                await anext(answer.chunks)
                await answer.drain()
        assert server.connections == 1


async def test_an_answer_that_does_not_end_is_not_waited_for(transport: AnyTransport) -> None:
    async def handler(exchange: Exchange) -> None:
        await exchange.start(200, upstream.EVENT_STREAM)
        await exchange.send(b"data: [DONE]\n\n")
        await exchange.hang()

    async with upstream.serve(handler) as server:
        with anyio.fail_after(1):
            async with transport.open(post(server.url)) as answer:
                await anext(answer.chunks)
                await answer.drain()
            await server.gone.wait()


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
async def test_a_compressed_body_is_read(transport: AnyTransport, encoding: str) -> None:
    plain = b"word " * 100_000
    packed = gzip.compress(plain) if encoding == "gzip" else zlib.compress(plain)
    async with upstream.serve(upstream.answer(packed, headers={"content-encoding": encoding})) as server:
        assert await fetch(transport, get(server.url)) == plain


async def test_a_compressed_stream_is_handed_on_at_each_flush(transport: AnyTransport) -> None:
    seen = anyio.Event()

    async def handler(exchange: Exchange) -> None:
        packer = zlib.compressobj(wbits=zlib.MAX_WBITS | 16)
        await exchange.start(200, {"content-encoding": "gzip"})
        await exchange.send(packer.compress(b"first") + packer.flush(zlib.Z_SYNC_FLUSH))
        await seen.wait()
        await exchange.send(packer.compress(b"second") + packer.flush())
        await exchange.end()

    async with upstream.serve(handler) as server, transport.open(post(server.url)) as answer:
        assert await anext(answer.chunks) == b"first"
        seen.set()
        assert [chunk async for chunk in answer.chunks] == [b"second"]


async def test_a_decompression_bomb_comes_in_small_pieces_up_to_the_bound(transport: AnyTransport) -> None:
    bomb = gzip.compress(bytes(64 << 20))
    async with upstream.serve(upstream.answer(bomb, headers={"content-encoding": "gzip"})) as server:
        async with transport.open(get(server.url)) as answer:
            sizes = [len(chunk) async for chunk in answer.chunks]
        assert (sum(sizes), max(sizes)) == (64 << 20, 64 << 10)
        assert len(await fetch(transport, get(server.url), 1000)) == 1000


@pytest.mark.parametrize(("encoding", "body"), [("br", b"x"), ("gzip", b"this is not compressed")])
async def test_a_body_that_cannot_be_decompressed_is_malformed(
    transport: AnyTransport, encoding: str, body: bytes
) -> None:
    async with upstream.serve(upstream.answer(body, headers={"content-encoding": encoding})) as server:
        assert (await failure(transport, get(server.url))).type == "malformed_response"


async def test_a_redirect_is_an_answer_like_any_other(transport: AnyTransport) -> None:
    async with upstream.serve(upstream.answer(b"", 307, {"location": "/elsewhere"})) as server:
        async with transport.open(get(server.url)) as answer:
            assert answer.status == 307
        assert len(server.requests) == 1


async def test_cookies_are_not_kept(transport: AnyTransport) -> None:
    async with upstream.serve(upstream.answer(b"", headers={"set-cookie": "a=b"})) as server:
        for _ in range(2):
            await fetch(transport, get(server.url))
        assert "cookie" not in server.requests[1].headers


async def test_nobody_listening_is_a_connect_error(direct: HttpTransport) -> None:
    async with upstream.serve(upstream.answer(b"")) as server:
        url = server.url
    error = await failure(direct, post(url))
    assert (error.type, error.message) == ("connect", f"{url.removeprefix('http://')} could not be reached.")


async def test_an_unknown_name_is_a_dns_error(direct: HttpTransport) -> None:
    error = await failure(direct, post("http://nowhere.invalid/v1?key=secret"))
    assert (error.type, error.message) == ("dns", "The name nowhere.invalid could not be resolved.")


async def test_a_connection_closed_before_the_answer_is_a_connect_error(transport: AnyTransport) -> None:
    async def handler(exchange: Exchange) -> None:
        await exchange.cut("fin")

    async with upstream.serve(handler) as server:
        error = await failure(transport, post(server.url))
    assert (error.type, error.message) == (
        "connect",
        f"127.0.0.1:{server.port} closed the connection without an answer.",
    )


async def test_a_connection_reset_before_the_answer_is_a_connect_error(transport: AnyTransport) -> None:
    async def handler(exchange: Exchange) -> None:
        await exchange.cut("rst")

    async with upstream.serve(handler) as server:
        assert (await failure(transport, post(server.url))).type == "connect"


@pytest.mark.parametrize("how", ["fin", "rst"])
async def test_a_body_cut_short_is_an_interrupted_stream(transport: AnyTransport, how: str) -> None:
    async def handler(exchange: Exchange) -> None:
        await exchange.start(200, upstream.EVENT_STREAM)
        await exchange.send(b"data: 1\n\n")
        await exchange.cut("rst" if how == "rst" else "fin")

    async with upstream.serve(handler) as server:
        error = await failure(transport, post(server.url))
    assert (error.type, error.message) == (
        "stream_interrupted",
        f"The connection to 127.0.0.1:{server.port} was lost before the answer was complete.",
    )


async def test_bytes_that_are_no_http_are_malformed(transport: AnyTransport) -> None:
    async def handler(exchange: Exchange) -> None:
        await exchange.raw(b"SSH-2.0-OpenSSH_9.2\r\n\r\n")

    async with upstream.serve(handler) as server:
        assert (await failure(transport, post(server.url))).type == "malformed_response"


async def test_a_connection_that_the_server_closed_meanwhile_is_not_used(transport: AnyTransport) -> None:
    async def handler(exchange: Exchange) -> None:
        await exchange.respond(200, {}, b"ok")
        await exchange.cut("fin")

    async with upstream.serve(handler) as server:
        for _ in range(3):
            assert await fetch(transport, post(server.url)) == b"ok"
            await server.gone.wait()
            await anyio.wait_all_tasks_blocked()
        assert server.connections == 3


@pytest.mark.parametrize("value", ["sk-secret\r\nx: y", "sk-schlüssel", "sk-\N{CYRILLIC SMALL LETTER A}"])
async def test_a_key_that_cannot_be_sent_is_not_shown(transport: AnyTransport, value: str) -> None:
    async with upstream.serve(upstream.answer(b"")) as server:
        error = await failure(transport, post(server.url, authorization=value))
    assert (error.type, "sk-" in str(error)) == ("invalid_params", False)
    assert server.requests == []


async def test_a_server_that_answers_an_upload_early_is_heard(transport: AnyTransport) -> None:
    closed = anyio.Event()

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 413 Too Large\r\ncontent-length: 5\r\nconnection: close\r\n\r\nlarge")
        while await reader.read(1 << 20):
            pass
        writer.close()
        await writer.wait_closed()
        closed.set()

    async with await asyncio.start_server(handler, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        async with transport.open(post(f"http://127.0.0.1:{port}", b"x" * (8 << 20))) as answer:
            assert (answer.status, await answer.read(100)) == (413, b"large")
        await closed.wait()


async def test_a_trusted_certificate_is_accepted_and_its_connection_kept(tmp_path: Path) -> None:
    pem = upstream.certificate(tmp_path)
    transport = HttpTransport(ca_file=pem)
    async with upstream.serve(upstream.answer(b"sealed"), upstream.tls_context(pem)) as server:
        for _ in range(3):
            assert await fetch(transport, post(server.url)) == b"sealed"
        assert server.connections == 1
        await transport.close()


@pytest.mark.parametrize(
    ("name", "days", "trusted", "message"),
    [
        ("localhost", 1, False, "has a self-signed certificate."),
        ("localhost", -1, True, "has an expired certificate."),
        ("localhost", 5, True, "has a certificate that is not valid yet."),
        ("elsewhere.example", 1, True, "has a certificate for another name."),
    ],
)
async def test_a_tls_error_names_its_cause(tmp_path: Path, name: str, days: int, trusted: bool, message: str) -> None:  # noqa: FBT001 - a column
    pem = upstream.certificate(tmp_path, name, days)
    transport = HttpTransport(ca_file=pem if trusted else None)
    async with upstream.serve(upstream.answer(b""), upstream.tls_context(pem)) as server:
        error = await failure(transport, post(server.url))
    assert (error.type, error.message) == ("tls", f"localhost:{server.port} {message}")


async def test_https_to_a_plain_server_is_a_tls_error_with_a_hint(direct: HttpTransport) -> None:
    async with upstream.serve(upstream.answer(b"")) as server:
        error = await failure(direct, post(server.url.replace("http:", "https:")))
    assert (error.type, error.details["hint"]) == ("tls", NO_TLS)


async def test_the_steps_to_a_server_can_be_tried_one_by_one(tmp_path: Path) -> None:
    pem = upstream.certificate(tmp_path)
    transport = HttpTransport(ca_file=pem)
    async with upstream.serve(upstream.answer(b""), upstream.tls_context(pem)) as server:
        await transport.resolve(server.url)
        await transport.reach(server.url)
        await transport.secure(server.url)
        assert server.requests == []


async def test_this_machine_is_never_proxied() -> None:
    transport = HttpTransport(proxy="http://127.0.0.1:9")
    async with upstream.serve(upstream.answer(b"direct")) as server:
        assert await fetch(transport, post(server.url)) == b"direct"
        await transport.close()


async def test_a_proxy_is_asked_for_a_tunnel_with_its_own_login() -> None:
    async with upstream.serve(upstream.answer(b"", 502)) as proxy:
        transport = HttpTransport(proxy=f"http://me:p%40ss@127.0.0.1:{proxy.port}")
        error = await failure(transport, post("https://api.example/v1", authorization="Bearer sk-1"))
        await transport.close()
    assert (error.type, error.message) == ("proxy", "The proxy refused to connect.")
    assert [vars(request) for request in proxy.requests] == [
        {
            "method": "CONNECT",
            "path": "api.example:443",
            "headers": {"host": "api.example:443", "accept": "*/*", "proxy-authorization": "Basic bWU6cEBzcw=="},
            "body": b"",
        }
    ]


@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_a_proxy_that_wants_a_login_says_so(scheme: str) -> None:
    async with upstream.serve(upstream.answer(b"", 407)) as proxy:
        transport = HttpTransport(proxy=proxy.url)
        error = await failure(transport, post(f"{scheme}://api.example/v1"))
        await transport.close()
    assert (error.type, error.message) == ("proxy", "The proxy asks for a user name and a password.")


async def test_a_proxy_that_is_not_there_is_a_proxy_error() -> None:
    async with upstream.serve(upstream.answer(b"")) as proxy:
        transport = HttpTransport(proxy=proxy.url)
    assert (await failure(transport, post("https://api.example/v1"))).type == "proxy"


async def test_a_proxy_with_a_login_is_what_is_diagnosed() -> None:
    async with upstream.serve(upstream.answer(b"")) as proxy:
        transport = HttpTransport(proxy=f"http://me:pass@127.0.0.1:{proxy.port}")
        await transport.resolve("https://api.example")
        await transport.reach("https://api.example")
        await anyio.wait_all_tasks_blocked()
        assert proxy.connections == 1


def run(code: str) -> str:
    """Return what a Python of its own prints."""
    env = {"PYTHONPATH": os.pathsep.join(sys.path)}
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=env).stdout


async def test_what_speaks_with_proxies_is_not_loaded_without_one() -> None:
    code = """
import anyio, sys, upstream
from sidecar.engines.network import HttpTransport
from sidecar.engines.transport import Outgoing

async def main() -> None:
    transport = HttpTransport()
    async with upstream.serve(upstream.answer(b"hello")) as server:
        await transport.resolve(server.url)
        await transport.reach(server.url)
        async with transport.open(Outgoing(url=server.url, headers={})) as answer:
            print(await answer.read(9))
        await transport.close()

anyio.run(main)
print(*{"httpcore2", "h11", "truststore"}.intersection(sys.modules))
HttpTransport("http://proxy.example")
print("httpcore2" in sys.modules)
"""
    assert run(code).splitlines() == ["b'hello'", "", "True"]
