import pytest

from llm_sidecar import Unknown
from llm_sidecar.messages import BrokenEvent, BrokenReply, Chunk, Incoming, Noise, Reply, read
from llm_sidecar.protocol import StreamChunk, StreamStatus, TextDelta


def test_a_chunk_is_read() -> None:
    delta = b'{"type":"text","index":0,"text":"a"}'
    line = b'{"jsonrpc":"2.0","method":"stream.chunk","params":{"stream_id":"s","seq":3,"delta":' + delta + b"}}\r"
    assert read(line) == Chunk("s", 3, TextDelta(index=0, text="a"))


def test_the_order_of_members_means_nothing() -> None:
    line = b'{"params":{"state":"queued","stream_id":"s"},"method":"stream.status","jsonrpc":"2.0"}'
    assert read(line) == StreamStatus(stream_id="s", state="queued")


def test_a_chunk_of_an_unknown_type_is_read_all_the_same() -> None:
    line = b'{"method":"stream.chunk","params":{"stream_id":"s","seq":0,"delta":{"type":"scent","ppm":3}}}'
    assert read(line) == StreamChunk(stream_id="s", seq=0, delta=Unknown("scent", b'{"type":"scent","ppm":3}'))


def test_replies_are_told_by_their_ids() -> None:
    match read(b'{"id":7,"result":{"a":1}}'), read(b'{"id":"x","error":{"code":1,"message":"m","data":{}}}'):
        case Reply(id=7, outcome=result), BrokenReply(id="x"):
            assert bytes(result) == b'{"a":1}'  # type: ignore[arg-type]
        case other:
            pytest.fail(f"{other}")


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (b'{"method":"weather.changed","params":{"stream_id":5}}', None),
        (b'{"method":"stream.chunk"}', None),
        (b'{"jsonrpc":"2.0"}', None),
        (b'{"id":1,"result":{},"error":{}}', BrokenReply),
        (b'{"id":1}', BrokenReply),
        (b'{"method":"stream.chunk","params":{"stream_id":"s","seq":"0","delta":{}}}', BrokenEvent),
        (b'{"method":"stream.status","params":{"stream_id":"s"}}', BrokenEvent),
        (b'{"method":"stream.chunk","params":{"seq":0}}', Noise),
        (b'{"id":null,"error":{"code":-32700}}', Noise),
        (b'{"id":1.5,"result":{}}', Noise),
        (b"warning: something", Noise),
        (b"[{}]", Noise),
        (b"5", Noise),
        (b'{"id":"\xff"}', Noise),
        (b'{"id":1', Noise),
        (b"[" * 100_000, Noise),
    ],
)
def test_odd_lines_are_no_surprise(line: bytes, expected: type[Incoming] | None) -> None:
    found = read(line)
    assert found is None if expected is None else isinstance(found, expected)


def test_a_line_that_is_skipped_is_shown_in_part() -> None:
    noise = read(b"loading" + b"." * 100_000)
    assert isinstance(noise, Noise)
    assert "loading..." in noise.problem
    assert len(noise.problem) < 2000
