"""After the machine has slept, no connection from before is used."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable

import anyio
import pytest
import upstream
from upstream import Exchange

from sidecar.engines.network import HttpTransport
from sidecar.engines.proxied import Proxied
from sidecar.engines.sleep import TOLERANCE_S, SleepWatch
from sidecar.engines.transport import Outgoing, Transport
from sidecar.engines.trust import Trust

pytestmark = pytest.mark.anyio

Sleep = Callable[[float], None]


@pytest.fixture
def sleep(monkeypatch: pytest.MonkeyPatch) -> Sleep:
    """Have the wall clock go on by itself, as it does while a machine sleeps."""
    real, slept = time.time, [0.0]
    monkeypatch.setattr(time, "time", lambda: real() + sum(slept))
    return slept.append


@pytest.fixture(autouse=True)
async def bounded() -> AsyncIterator[None]:
    """Ends a test that would hang; a timer of the loop, as fixtures may not hold cancel scopes open."""
    task = asyncio.current_task()
    assert task is not None
    timer = asyncio.get_running_loop().call_later(5, task.cancel)
    yield
    timer.cancel()


class Server:
    """Answers as long as it is awake: after a sleep it says nothing more over connections from before."""

    def __init__(self) -> None:
        self._lost: set[upstream.Connection] = set()
        self._known: set[upstream.Connection] = set()

    def forget(self) -> None:
        self._lost |= self._known

    async def __call__(self, exchange: Exchange) -> None:
        self._known.add(exchange.connection)
        if exchange.connection in self._lost:
            await exchange.hang()
        else:
            await exchange.respond(200, {}, b"ok")


async def ask(transport: Transport, url: str) -> bytes:
    async with transport.open(Outgoing(url=url, headers={}, body=b"{}")) as answer:
        return await answer.read(9)


def direct(url: str) -> Transport:
    del url
    return HttpTransport()


def proxied(url: str) -> Transport:
    """Return what asks the server as a proxy."""
    return Proxied(url, Trust())


@pytest.fixture(params=[direct, proxied])
def make(request: pytest.FixtureRequest) -> Callable[[str], Transport]:
    found: Callable[[str], Transport] = request.param
    return found


@pytest.mark.parametrize("seconds", [3600.0, -3600.0])
async def test_the_first_request_after_a_sleep_is_answered(
    make: Callable[[str], Transport], sleep: Sleep, seconds: float
) -> None:
    handler = Server()
    async with upstream.serve(handler) as server:
        transport = make(server.url)
        assert await ask(transport, server.url) == b"ok"
        handler.forget()
        sleep(seconds)
        assert await ask(transport, server.url) == b"ok"
        assert await ask(transport, server.url) == b"ok"
        assert server.connections == 2
        await server.gone.wait()
        await transport.close()


async def test_a_clock_that_is_set_right_costs_no_connection(make: Callable[[str], Transport], sleep: Sleep) -> None:
    async with upstream.serve(Server()) as server:
        transport = make(server.url)
        for _ in range(3):
            assert await ask(transport, server.url) == b"ok"
            sleep(TOLERANCE_S / 4)
        assert server.connections == 1
        await transport.close()


async def test_all_connections_are_dropped_although_one_was_in_use(sleep: Sleep) -> None:
    """What is put away after the sleep does not hide that the others were put away before it."""
    handler, gate = Server(), anyio.Event()

    async def slow(exchange: Exchange) -> None:
        if exchange.request.path == "/slow":
            await gate.wait()
        await handler(exchange)

    async with upstream.serve(slow) as server, anyio.create_task_group() as tasks:
        transport = HttpTransport()
        tasks.start_soon(ask, transport, f"{server.url}/slow")
        await ask(transport, server.url)
        handler.forget()
        sleep(3600.0)
        gate.set()
        await server.gone.wait()
        assert await ask(transport, server.url) == b"ok"
        assert server.connections == 2
        await transport.close()


async def test_a_watch_tells_of_each_sleep_once(sleep: Sleep) -> None:
    watch = SleepWatch()
    assert not watch.slept()
    sleep(TOLERANCE_S + 1.0)
    assert [watch.slept(), watch.slept()] == [True, False]
