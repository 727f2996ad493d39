"""What may not leave this machine does not, whatever a name leads to: the connected socket is looked at."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
import upstream
from msgspec.structs import replace
from upstream import Exchange

from sidecar.dialects.openai_chat import DIALECT
from sidecar.engines.http import HttpEngine
from sidecar.engines.network import HttpTransport
from sidecar.engines.transport import Opening, Outgoing
from sidecar.handler import Call, Target
from sidecar.providers import PROVIDERS
from sidecar.schema.chat import ChatRequest, Message
from sidecar.schema.embeddings import EmbeddingRequest
from sidecar.schema.errors import SidecarError

pytestmark = pytest.mark.anyio

BODY = b'{"messages": "secret"}'
PROBE = ("192.0.2.1", 9)


def own_address() -> str | None:
    """Return an address of this machine that is not loopback, if it has one."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(PROBE)
        except OSError:
            return None
        return str(probe.getsockname()[0])


class Elsewhere:
    """A server that `localhost` leads to although it is none of this machine's; it notes what it receives."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.received = b""
        self.gone = asyncio.Event()
        self.connections = 0

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        while data := await reader.read(1 << 16):
            self.received += data
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")
        writer.close()
        self.gone.set()


@pytest.fixture
async def elsewhere(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Elsewhere]:
    address = own_address()
    if address is None:
        pytest.skip("this machine has no address but loopback")
    made = Elsewhere(0)
    async with await asyncio.start_server(made.answer, address, 0) as server:
        made.port = server.sockets[0].getsockname()[1]
        resolve = asyncio.get_running_loop().getaddrinfo

        async def misled(host: Any, *args: Any, **options: Any) -> Any:
            return await resolve(address if host == "localhost" else host, *args, **options)

        monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", misled)
        yield made


@pytest.fixture
async def transport() -> AsyncIterator[HttpTransport]:
    made = HttpTransport()
    yield made
    await made.close()


def question(url: str, body: bytes | None = BODY) -> Outgoing:
    return Outgoing(url=url, headers={"authorization": "Bearer secret"}, body=body, loopback=True)


async def fetch(transport: HttpTransport, request: Outgoing) -> bytes:
    async with asyncio.timeout(10), transport.open(request) as answer:
        return await answer.read(100)


async def refusal(transport: HttpTransport, request: Outgoing) -> SidecarError:
    with pytest.raises(SidecarError) as caught:
        await fetch(transport, request)
    assert caught.value.type == "privacy_blocked"
    return caught.value


@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_a_name_that_leads_elsewhere_gets_a_connection_and_not_a_byte(
    transport: HttpTransport, elsewhere: Elsewhere, scheme: str
) -> None:
    error = await refusal(transport, question(f"{scheme}://localhost:{elsewhere.port}/v1"))
    assert error.message == "localhost is not on this machine, so it was sent nothing."
    async with asyncio.timeout(10):
        await elsewhere.gone.wait()
    assert (elsewhere.connections, elsewhere.received) == (1, b"")


async def test_a_kept_connection_that_leads_elsewhere_is_not_used(
    transport: HttpTransport, elsewhere: Elsewhere
) -> None:
    open_to_all = replace(question(f"http://localhost:{elsewhere.port}/v1"), loopback=False, body=b"{}")
    assert await fetch(transport, open_to_all) == b"ok"
    received = elsewhere.received
    await refusal(transport, replace(open_to_all, loopback=True))
    assert (elsewhere.connections, elsewhere.received) == (2, received)


async def test_an_address_elsewhere_is_refused_also_where_there_is_a_proxy(elsewhere: Elsewhere) -> None:
    async with upstream.serve(upstream.answer(b"")) as proxy:
        transport = HttpTransport(proxy.url)
        await refusal(transport, question(f"http://{own_address()}:{elsewhere.port}/v1"))
        assert proxy.connections == 0
        await transport.close()


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost"])
async def test_what_is_on_this_machine_is_asked_over_kept_connections(transport: HttpTransport, name: str) -> None:
    async with upstream.serve(upstream.answer(b"here")) as server:
        url = f"http://{name}:{server.port}/v1"
        for _ in range(2):
            assert await fetch(transport, question(url)) == b"here"
            assert await fetch(transport, replace(question(url), loopback=False)) == b"here"
        assert (server.connections, server.requests[0].body) == (1, BODY)


async def test_encryption_makes_no_difference(tmp_path: Path) -> None:
    pem = upstream.certificate(tmp_path)
    transport = HttpTransport(ca_file=pem)
    async with upstream.serve(upstream.answer(b"sealed"), upstream.tls_context(pem)) as server:
        for _ in range(3):
            assert await fetch(transport, question(server.url, b"x" * (1 << 20))) == b"sealed"
        assert (server.connections, len(server.requests[2].body)) == (1, 1 << 20)
        await transport.close()


async def test_a_certificate_that_is_not_trusted_is_told_as_ever(tmp_path: Path, transport: HttpTransport) -> None:
    pem = upstream.certificate(tmp_path)
    async with upstream.serve(upstream.answer(b""), upstream.tls_context(pem)) as server:
        with pytest.raises(SidecarError) as caught:
            await fetch(transport, question(server.url))
    assert caught.value.type == "tls"


class Recording:
    """A transport that keeps what it is given to carry."""

    def __init__(self, inner: HttpTransport) -> None:
        self.asked: list[Outgoing] = []
        self.inner = inner

    def open(self, request: Outgoing) -> Opening:
        self.asked.append(request)
        return self.inner.open(request)


def target(url: str) -> Target:
    record = PROVIDERS["openai_compatible"]
    config = record.config(base_url=url)
    return Target(id="here", provider=record, config=config, endpoint=url, model="m-1", local_only=True)


async def ask(engine: HttpEngine, aim: Target) -> None:
    request = ChatRequest(messages=[Message("user", "hi")])

    async def emit(event: Any) -> None:
        del event

    await engine.chat(Call(request=request, target=aim, report=lambda _: None), emit)


async def embed(engine: HttpEngine, aim: Target) -> None:
    await engine.embed(aim, EmbeddingRequest(input=["hi"]))


async def list_models(engine: HttpEngine, aim: Target) -> None:
    await engine.models(aim)


Asker = Callable[[HttpEngine, Target], Any]


@pytest.mark.parametrize("asker", [ask, embed, list_models])
async def test_the_engine_passes_the_wish_on_whatever_is_asked(transport: HttpTransport, asker: Asker) -> None:
    recording: Any = Recording(transport)

    async def redirect_once(exchange: Exchange) -> None:
        if exchange.number:
            await exchange.respond(200, upstream.JSON, json.dumps({"data": []}).encode())
        else:
            await exchange.respond(307, {"location": "/v1/elsewhere"})

    async with upstream.serve(redirect_once) as server:
        engine = HttpEngine(recording, {"openai_chat": DIALECT})
        with nullcontext() if asker is list_models else pytest.raises(SidecarError):
            await asker(engine, target(f"{server.url}/v1"))
    assert [request.loopback for request in recording.asked] == [True] * (2 if asker is list_models else 1)


@pytest.mark.parametrize("asker", [ask, embed, list_models])
async def test_a_server_elsewhere_is_not_even_looked_up(asker: Asker) -> None:
    recording: Any = Recording(HttpTransport())
    with pytest.raises(SidecarError) as caught:
        await asker(HttpEngine(recording, {"openai_chat": DIALECT}), target("http://models.test/v1"))
    assert (caught.value.type, recording.asked) == ("privacy_blocked", [])
