"""Streams: merging, numbering, order and patience."""

import json
from collections.abc import Callable

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Struct

from sidecar.deltas import merged
from sidecar.handler import tell
from sidecar.rpc import messages
from sidecar.rpc.messages import Notification
from sidecar.schema.chat import FinishReason, Reasoning, Text, Warning
from sidecar.schema.errors import SidecarError
from sidecar.schema.events import (
    Delta,
    PartDelta,
    ReasoningDelta,
    Status,
    StreamChunk,
    StreamStatus,
    TextDelta,
    ToolCallDelta,
    UsageDelta,
)
from sidecar.schema.session import Limits
from sidecar.streams import MAX_PENDING, Answer, Streams, _pieces

pytestmark = pytest.mark.anyio


class Host:
    """An outlet that keeps what is sent, and reads or does not."""

    def __init__(self) -> None:
        self.congested = False
        self.sent: list[Struct] = []
        self.deferred: list[Callable[[], None]] = []
        self.reading = anyio.Event()

    def send(self, method: str, params: Struct) -> None:
        assert method in {"stream.chunk", "stream.status"}
        self.sent.append(params)

    def defer(self, flush: Callable[[], None]) -> None:
        self.deferred.append(flush)

    async def room(self) -> None:
        await self.reading.wait()

    def turn(self) -> None:
        deferred, self.deferred = self.deferred, []
        for flush in deferred:
            flush()


async def test_deltas_of_one_turn_are_merged_and_numbered() -> None:
    host = Host()
    stream = Streams(host, Limits()).open("s")
    for text in ("a", "b"):
        await tell(stream.emit, TextDelta(0, text))
    host.turn()
    await tell(stream.emit, TextDelta(0, "c"))
    host.turn()
    assert host.sent == [StreamChunk("s", 0, TextDelta(0, "ab")), StreamChunk("s", 1, TextDelta(0, "c"))]
    assert stream.chunks == 2


async def test_the_latest_status_goes_before_the_deltas_and_does_not_count() -> None:
    host = Host()
    stream = Streams(host, Limits()).open("s")
    await tell(stream.emit, Status(state="connecting"))
    await tell(stream.emit, Status(state="loading_model", progress=0.5))
    await tell(stream.emit, TextDelta(0, "a"))
    host.turn()
    assert host.sent == [
        StreamStatus(stream_id="s", state="loading_model", progress=0.5),
        StreamChunk("s", 0, TextDelta(0, "a")),
    ]


async def test_what_belongs_into_the_reply_is_not_sent() -> None:
    host = Host()
    stream = Streams(host, Limits()).open("s")
    await tell(stream.emit, FinishReason("stop"))
    await tell(stream.emit, Warning("w", "m"))
    host.turn()
    assert host.sent == []


def test_only_neighbours_of_one_part_are_merged() -> None:
    part = PartDelta(1, Reasoning("r"))
    deltas: list[Delta] = [
        TextDelta(0, "a"),
        TextDelta(1, "b"),
        ReasoningDelta(1, "c"),
        part,
        part,
        ToolCallDelta(2, "i", "n", ""),
        ToolCallDelta(2, None, None, "{"),
        ToolCallDelta(2, None, None, "}"),
        ToolCallDelta(2, "j", "m", ""),
        UsageDelta(input_tokens=1),
        UsageDelta(input_tokens=2),
    ]
    assert list(merged(deltas)) == [
        TextDelta(0, "a"),
        TextDelta(1, "b"),
        ReasoningDelta(1, "c"),
        part,
        part,
        ToolCallDelta(2, "i", "n", "{}"),
        ToolCallDelta(2, "j", "m", ""),
        UsageDelta(input_tokens=2),
    ]


@given(st.text(max_size=5000), st.integers(600, 2000))
def test_chunks_are_bounded_and_add_up_whatever_the_text(text: str, limit: int) -> None:
    text = text.encode("utf-16", "replace").decode("utf-16")
    pieces = _pieces(ToolCallDelta(3, "id", "name", text), limit)
    lines = [messages.encode(Notification("stream.chunk", StreamChunk("s", 10**9, piece))) for piece in pieces]
    assert all(len(line) <= limit for line in lines)
    deltas = [json.loads(line)["params"]["delta"] for line in lines]
    assert "".join(delta.get("arguments", "") for delta in deltas) == text
    assert [delta.get("id") for delta in deltas] == ["id"] + [None] * (len(deltas) - 1)


async def test_a_burst_without_end_is_sent_on_the_way() -> None:
    host = Host()
    stream = Streams(host, Limits()).open("s")
    for _ in range(MAX_PENDING + 1):
        await tell(stream.emit, TextDelta(0, "a"))
    assert host.sent == [StreamChunk("s", 0, TextDelta(0, "a" * MAX_PENDING))]


async def test_a_producer_waits_for_a_congested_host() -> None:
    host = Host()
    host.congested = True
    stream = Streams(host, Limits()).open("s")
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(stream.emit, TextDelta(0, "a"))
        await anyio.wait_all_tasks_blocked()
        host.reading.set()


async def test_a_producer_that_waits_too_long_gives_up() -> None:
    host = Host()
    host.congested = True
    stream = Streams(host, Limits(stalled_stream_ms=1)).open("s")
    with pytest.raises(SidecarError) as caught:
        await tell(stream.emit, TextDelta(0, "a"))
    assert caught.value.type == "client_stalled"


async def test_an_id_can_be_used_again_only_when_its_stream_is_closed() -> None:
    streams = Streams(Host(), Limits(max_streams=1))
    first = streams.open("s")
    with pytest.raises(SidecarError) as caught:
        streams.open("s")
    assert caught.value.type == "stream_id_in_use"
    with pytest.raises(SidecarError) as caught:
        streams.open("t")
    assert caught.value.type == "server_busy"
    streams.close(first)
    assert first.closed.is_set()
    assert streams.open("s") is streams.get("s")


async def test_the_time_of_the_first_content_is_kept() -> None:
    answer = Answer()
    await tell(answer.emit, UsageDelta(input_tokens=1))
    assert answer.first_ns is None
    await tell(answer.emit, PartDelta(0, Text("a")))
    assert answer.first_ns is not None
