"""A proxy on loopback that leads every tunnel to one server, whatever its name."""

import asyncio
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field

from anyio.from_thread import start_blocking_portal

PIECE = 1 << 16


@dataclass
class Proxy:
    """What a test looks at: the heads of the requests for a tunnel."""

    port: int
    url: str = ""
    asked: list[str] = field(default_factory=list[str])

    async def lead(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one client."""
        try:
            self.asked.append((await reader.readuntil(b"\r\n\r\n")).decode().partition("\r\n")[0])
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self.port)
        except (asyncio.IncompleteReadError, OSError):
            writer.close()
            return
        writer.write(b"HTTP/1.1 200 Connected\r\n\r\n")
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(_pour(reader, far_writer))
            tasks.create_task(_pour(far_reader, writer))


async def _pour(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    try:
        while data := await source.read(PIECE):
            sink.write(data)
            await sink.drain()
    except OSError:
        pass
    sink.close()


@asynccontextmanager
async def serve(port: int) -> AsyncGenerator[Proxy, None]:
    """Lead to the server on `port` of this machine."""
    proxy = Proxy(port)
    server = await asyncio.start_server(proxy.lead, "127.0.0.1", 0)
    proxy.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield proxy
    finally:
        server.close()


@contextmanager
def running(port: int) -> Generator[Proxy, None, None]:
    """Do as `serve`, in a thread, for tests that are no coroutines."""
    with start_blocking_portal("asyncio") as portal, portal.wrap_async_context_manager(serve(port)) as proxy:
        yield proxy
