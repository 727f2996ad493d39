import os
import sys
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.cli import client as module
from sidecar.cli.client import CallFailed, Client, Lines
from sidecar.schema.chat import Message, StreamRequest
from sidecar.schema.events import StreamChunk, StreamStatus, TextDelta
from sidecar.schema.loading import LoadedModel
from sidecar.schema.providers import ProviderList
from sidecar.schema.session import ClientInfo, Empty
from sidecar.schema.tasks import TaskProgress

pytestmark = pytest.mark.anyio

PATIENCE_S = 30
APP = ClientInfo("tests")
IDLE = "import sys, time; sys.stdin.read(); time.sleep(600)"
"""A sidecar that does not listen, and ignores the end of its input."""


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.fail.Keyring")


@asynccontextmanager
async def sidecar(*flags: str, log: Callable[[bytes], None] = lambda _: None) -> AsyncGenerator[Client]:
    with anyio.fail_after(PATIENCE_S):
        async with anyio.create_task_group() as tasks:
            client = await Client.start(tasks, ["--scripted", *flags], log)
            try:
                yield client
            finally:
                await client.close()


def playing(*steps: Any, stream_id: str | None = None) -> StreamRequest:
    return StreamRequest(
        messages=[Message("user", "hi")],
        provider="scripted",
        model="script-1",
        provider_options={"scripted": {"steps": list(steps)}},
        stream_id=stream_id,
    )


@given(st.lists(st.binary(max_size=9), max_size=9), st.integers(1, 9))
def test_lines_are_the_same_however_the_bytes_arrive(lines: list[bytes], size: int) -> None:
    lines = [line.replace(b"\n", b"\r") for line in lines]
    data = b"".join(line + b"\n" for line in lines)
    splitter = Lines()
    pieces = [data[start : start + size] for start in range(0, len(data), size)]
    assert [line for piece in pieces for line in splitter.feed(piece)] == lines


async def test_a_session_opens_and_ends_with_exit_code_0() -> None:
    async with sidecar() as client:
        session = await client.initialize(APP)
        assert (session.protocol_version, session.server_info.name) == (1, "llm-sidecar")
        assert session.server_info.pid != os.getpid()
        assert await client.close() == 0


async def test_a_stream_gives_its_events_and_then_the_whole() -> None:
    events: list[StreamChunk | StreamStatus] = []
    steps = ({"do": "text", "text": "Grüße, "}, {"do": "text", "text": "Welt\u2028!"}, {"do": "finish"})
    async with sidecar() as client:
        await client.initialize(APP)
        result = await client.stream(playing(*steps), events.append)
    deltas = [event.delta for event in events if isinstance(event, StreamChunk)]
    assert "".join(delta.text for delta in deltas if isinstance(delta, TextDelta)) == "Grüße, Welt\u2028!"
    assert (result.chunks, result.finish_reason.reason) == (len(deltas), "stop")


async def test_streams_side_by_side_get_their_own_events() -> None:
    seen: dict[str, str] = {"a": "", "b": ""}

    def listener(event: StreamChunk | StreamStatus) -> None:
        if isinstance(event, StreamChunk) and isinstance(event.delta, TextDelta):
            seen[event.stream_id] += event.delta.text

    async with sidecar() as client:
        await client.initialize(APP)
        async with anyio.create_task_group() as tasks:
            for name in seen:
                steps = ({"do": "text", "text": name, "repeat": 50}, {"do": "finish"})
                tasks.start_soon(client.stream, playing(*steps, stream_id=name), listener)
    assert seen == {"a": "a" * 50, "b": "b" * 50}


async def test_a_task_gives_its_progress_and_then_its_outcome() -> None:
    told: list[TaskProgress] = []
    async with sidecar() as client:
        await client.initialize(APP)
        params = {"provider": "scripted", "task_id": "load"}
        loaded = await client.task("models.load", params, LoadedModel, told.append)
        await client.cancel_task("load")
    assert told == [TaskProgress(task_id="load", kind="load", progress=0.5)]
    assert loaded.model == "script-1"


async def test_an_error_reply_is_raised_with_all_it_says() -> None:
    async with sidecar() as client:
        await client.initialize(APP)
        with pytest.raises(CallFailed, match="Too many requests") as failed:
            await client.stream(playing({"do": "error", "type": "rate_limited", "retry_after_ms": 7}), lambda _: None)
        error = failed.value.error
        assert (error.code, error.data.type, error.data.retry_after_ms) == (1204, "rate_limited", 7)
        assert (await client.call("providers.list", {}, ProviderList)).providers


async def test_a_cancelled_stream_ends_with_what_came() -> None:
    arrived = anyio.Event()
    results = []

    async def ask(client: Client) -> None:
        steps = ({"do": "text", "text": "So far"}, {"do": "hang"})
        results.append(await client.stream(playing(*steps, stream_id="s"), lambda _: arrived.set()))

    async with sidecar() as client:
        await client.initialize(APP)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(ask, client)
            await arrived.wait()
            assert await client.cancel("s") is True
            assert await client.cancel("s") is False
    assert [result.finish_reason.reason for result in results] == ["cancelled"]


async def test_calls_fail_when_the_sidecar_dies() -> None:
    arrived = anyio.Event()

    async def ask(client: Client) -> None:
        with pytest.raises(CallFailed) as failed:
            await client.stream(playing({"do": "text", "text": "x"}, {"do": "hang"}), lambda _: arrived.set())
        assert failed.value.error.data.type == "connection_closed"

    async with sidecar() as client:
        pid = (await client.initialize(APP)).server_info.pid
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(ask, client)
            await arrived.wait()
            os.kill(pid, 9)
        with pytest.raises(CallFailed, match="has ended"):
            await client.call("server.ping", {}, Empty)
        assert await client.close() == -9


async def test_stderr_is_read_line_by_line() -> None:
    lines: list[bytes] = []
    async with sidecar("--log-level", "none", log=lines.append) as client:
        with pytest.raises(CallFailed):
            await client.initialize(APP)
        assert await client.close() == 2
    assert lines[-1].startswith(b"llm-sidecar: error: argument --log-level")


async def test_a_sidecar_that_does_not_end_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_executable", lambda: [sys.executable, "-c", IDLE])
    monkeypatch.setattr(module, "SHUTDOWN_S", 0.2)
    async with sidecar() as client:
        assert await client.close() == -9
