"""Streams alone: what the sidecar sends is given to them by hand."""

import gc

import anyio
import pytest
from fake import ignore
from msgspec import Raw

from llm_sidecar import Event, SidecarError, Status, Stream, errors
from llm_sidecar.protocol import ReasoningDelta, StreamStatus, TextDelta

pytestmark = pytest.mark.anyio
RESULT = (
    '{"finish_reason":{"reason":"stop"},"usage":{},"cost":{"amount":null},"timing":{"total_ms":1},'
    '"attempts":[],"warnings":[],"provider":"p","model":"m","chunks":%d}'
)


def text(words: str) -> TextDelta:
    return TextDelta(index=0, text=words)


def result(chunks: int) -> Raw:
    return Raw((RESULT % chunks).encode())


class Cancels:
    """Counts."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, _: Stream) -> None:
        self.count += 1


async def test_events_come_in_order_and_then_the_result() -> None:
    stream = Stream("s1", 10, ignore)
    stream.take_status(StreamStatus(stream_id="s1", state="queued"))
    stream.take_chunk(0, text("a"))
    stream.take_chunk(1, ReasoningDelta(index=0, text="Hm."))
    stream.finish(result(2))
    events: list[Event] = [event async for event in stream]
    assert events == [Status(stream_id="s1", state="queued"), text("a"), ReasoningDelta(index=0, text="Hm.")]
    assert (await stream.result()).chunks == 2


async def test_texts_leave_out_everything_else() -> None:
    stream = Stream("s1", 10, ignore)
    stream.take_chunk(0, ReasoningDelta(index=0, text="Hm."))
    stream.take_chunk(1, text("a"))
    stream.take_chunk(2, text("b"))
    stream.finish(result(3))
    assert [words async for words in stream.texts()] == ["a", "b"]


async def test_an_error_comes_after_the_events_before_it() -> None:
    stream = Stream("s1", 10, ignore)
    stream.take_chunk(0, text("a"))
    stream.fail(errors.CLOSED.error())
    events = aiter(stream)
    assert await anext(events) == text("a")
    with pytest.raises(SidecarError, match="gone"):
        await anext(events)
    with pytest.raises(SidecarError, match="gone"):
        await stream.result()


@pytest.mark.parametrize("seq", [0, 2])
async def test_a_gap_ends_the_stream_and_cancels_the_rest(seq: int) -> None:
    cancels = Cancels()
    stream = Stream("s1", 10, cancels)
    stream.take_chunk(0, text("a"))
    stream.take_chunk(seq, text("c"))
    stream.finish(result(2))
    with pytest.raises(SidecarError) as caught:
        await stream.result()
    assert (caught.value.type, cancels.count) == ("invalid_message", 1)


async def test_more_than_may_be_left_unread_ends_the_stream() -> None:
    cancels = Cancels()
    stream = Stream("s1", 2, cancels)
    for seq in range(4):
        stream.take_chunk(seq, text(str(seq)))
    seen: list[str] = []
    with pytest.raises(SidecarError) as caught:  # noqa: PT012 - the events before it count
        async for words in stream.texts():
            seen.append(words)  # noqa: PERF401 - the events before it count
    assert (seen, caught.value.type, cancels.count) == (["0", "1"], "client_stalled", 1)


async def test_who_waits_for_the_result_alone_leaves_nothing_unread() -> None:
    stream = Stream("s1", 2, ignore)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(stream.result)
        await anyio.wait_all_tasks_blocked()
        for seq in range(10):
            stream.take_chunk(seq, text("a"))
        stream.finish(result(10))
    assert (await stream.result()).chunks == 10


async def test_leaving_an_iteration_cancels_once() -> None:
    cancels = Cancels()
    stream = Stream("s1", 10, cancels)
    stream.take_chunk(0, text("a"))
    stream.take_chunk(1, text("b"))
    async for _ in stream:
        break
    gc.collect()
    await stream.cancel()
    assert cancels.count == 1


async def test_leaving_the_context_cancels() -> None:
    cancels = Cancels()
    async with Stream("s1", 10, cancels):
        pass
    assert cancels.count == 1


async def test_an_iteration_that_is_kept_goes_on() -> None:
    cancels = Cancels()
    stream = Stream("s1", 10, cancels)
    stream.take_chunk(0, text("a"))
    stream.take_chunk(1, text("b"))
    events = aiter(stream)
    assert [await anext(events), await anext(events)] == [text("a"), text("b")]
    assert cancels.count == 0


async def test_an_iteration_to_the_end_cancels_nothing() -> None:
    cancels = Cancels()
    stream = Stream("s1", 10, cancels)
    stream.finish(result(0))
    async with stream:
        assert [event async for event in stream] == []
    assert cancels.count == 0


async def test_a_cancelled_reader_cancels_the_stream() -> None:
    cancels = Cancels()
    stream = Stream("s1", 10, cancels)
    with anyio.CancelScope() as scope:
        scope.cancel()
        await anext(aiter(stream))
    assert scope.cancelled_caught
    assert cancels.count == 1


async def test_much_that_is_there_leaves_others_their_turn() -> None:
    stream = Stream("s1", 1000, ignore)
    for seq in range(500):
        stream.take_chunk(seq, text("a"))
    stream.finish(result(500))
    others = 0

    async def other() -> None:
        nonlocal others
        while True:
            others += 1
            await anyio.lowlevel.checkpoint()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(other)
        assert len([event async for event in stream]) == 500
        tasks.cancel_scope.cancel()
    assert others > 1


@pytest.mark.parametrize("reply", [b"{}", b"null", (RESULT % 5).encode()])
async def test_a_result_that_does_not_fit_is_an_error(reply: bytes) -> None:
    stream = Stream("s1", 10, ignore)
    stream.finish(Raw(reply))
    with pytest.raises(SidecarError) as caught:
        await stream.result()
    assert caught.value.type == "invalid_message"
