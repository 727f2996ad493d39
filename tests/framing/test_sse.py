"""Server-sent events, in the cases of the specification and of servers that read it loosely."""

import time
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.framing import frame, sse
from sidecar.framing.frame import Frame
from sidecar.framing.sse import Framer
from sidecar.schema.errors import SidecarError


def frames_of(*pieces: bytes) -> list[Frame]:
    framer = Framer()
    return [*(frame for piece in pieces for frame in framer.feed(piece)), *framer.close()]


@pytest.mark.parametrize(
    ("stream", "frames"),
    [
        (b"", []),
        (b"data: a\n\n", [Frame(b"a")]),
        (b"data: a\n\ndata: b\n\n", [Frame(b"a"), Frame(b"b")]),
        (b"data: a\r\n\r\ndata: b\r\n\r\n", [Frame(b"a"), Frame(b"b")]),
        (b"data: a\r\rdata: b\r\r", [Frame(b"a"), Frame(b"b")]),
        (b"data: a\r\n\ndata: b\n\r\n", [Frame(b"a"), Frame(b"b")]),
        (b"event: e\r\ndata: a\r\ndata: b\r\n\r\n", [Frame(b"a\nb", "e")]),
        (b"event: e\rdata: a\rdata: b\r\r", [Frame(b"a\nb", "e")]),
        (b"data:a\n\n", [Frame(b"a")]),
        (b"data:  a \n\n", [Frame(b" a ")]),
        (b"data: a\ndata:b\ndata\ndata: c\n\n", [Frame(b"a\nb\n\nc")]),
        (b"data: a: b\n\n", [Frame(b"a: b")]),
        (b": ping\n\n: PROCESSING\n\ndata: a\n: ping\n\n", [Frame(b"a")]),
        (b"\n\n\n\ndata: a\n\n\n\n\ndata: b\n\n", [Frame(b"a"), Frame(b"b")]),
        (b"\xef\xbb\xbfdata: a\n\ndata: \xef\xbb\xbf\n\n", [Frame(b"a"), Frame(b"\xef\xbb\xbf")]),
        (b"event: error\ndata: a\n\ndata: b\n\n", [Frame(b"a", "error"), Frame(b"b")]),
        (b"data: a\nevent:done\n\n", [Frame(b"a", "done")]),
        (b"event: ping\n\ndata: a\n\n", [Frame(b"a")]),
        (b"event:\ndata\n\n", [Frame(b"")]),
        (b"id: 7\nretry: 10\nnonsense\nnonsense: x\ndata: a\n\n", [Frame(b"a")]),
        (b"data: a", [Frame(b"a")]),
        (b"data: a\n", [Frame(b"a")]),
        (b"data: a\n\nevent: x\ndata: b\r", [Frame(b"a"), Frame(b"b", "x")]),
        (b"data: a\n\ndat", [Frame(b"a")]),
        ("data: \u2028\u2029\x85\x0b\x0c\n\n".encode(), [Frame("\u2028\u2029\x85\x0b\x0c".encode())]),
        (b'{"error":"x"}', [Frame(b'{"error":"x"}')]),
        (b'{"error":"x"}\n\n', [Frame(b'{"error":"x"}')]),
        (b'data: a\n\n{"error":"x"}\ndata: [DONE]\n\n', [Frame(b"a"), Frame(b'{"error":"x"}'), Frame(b"[DONE]")]),
        (b'{"a":1}\n{"b":2}\n', [Frame(b'{"a":1}'), Frame(b'{"b":2}')]),
        (b'data: a\n\n{\n  "error": {\n  }\n}\n', [Frame(b"a"), Frame(b'{\n  "error": {\n  }\n}')]),
        (
            b'{\n  "a": "}",\n\n\n  "b": "\\"{"\n}\n\ndata: x\n\n',
            [Frame(b'{\n  "a": "}",\n  "b": "\\"{"\n}'), Frame(b"x")],
        ),
        (b'data: a\r\n\r\n[{\r\n"error":\r\n\r\n{}}\r\n]\r\n', [Frame(b"a"), Frame(b'[{\n"error":\n{}}\n]')]),
        (b'[\n{"a":1}\n,\n\n{"b":2}]\n\n: ping\n\n{"c":3}', [Frame(b'[\n{"a":1}\n,\n{"b":2}]'), Frame(b'{"c":3}')]),
        (b'{"a":\n\ndata: x\n\n', [Frame(b'{"a":'), Frame(b"x")]),
        (b'{"a":\n\nevent: e\ndata: x\n\n', [Frame(b'{"a":'), Frame(b"x", "e")]),
        (b'[{"error":\n\n', [Frame(b'[{"error":')]),
        (b"[info] ready\n[1]\ndata: a\n\n", [Frame(b"a")]),
        (b"<html>\n<body>\n", []),
    ],
)
def test_a_stream_is_cut_into_its_events_however_it_arrives(stream: bytes, frames: list[Frame]) -> None:
    assert frames_of(stream) == frames
    assert frames_of(*(stream[at : at + 1] for at in range(len(stream)))) == frames
    for cut in range(len(stream)):
        assert frames_of(stream[:cut], b"", stream[cut:]) == frames


SCRAPS = (
    b"data: ",
    b"data",
    b":",
    b" ",
    b"\n",
    b"\n\n",
    b"\r",
    b"\r\n",
    b"x",
    b"{",
    b"}",
    b"[{",
    b"]",
    b'"',
    b"event: e",
    b"\xef\xbb\xbf",
)


@given(st.lists(st.sampled_from(SCRAPS)).map(b"".join), st.lists(st.integers(0, 60)))
def test_any_chunking_gives_the_same_events(stream: bytes, cuts: list[int]) -> None:
    edges = [0, *sorted(min(cut, len(stream)) for cut in cuts), len(stream)]
    pieces = [stream[start:end] for start, end in pairwise(edges)]
    assert frames_of(*pieces) == frames_of(stream)


def test_an_event_is_handed_over_as_soon_as_it_is_complete() -> None:
    framer = Framer()
    assert framer.feed(b"data: a\n") == []
    assert framer.feed(b"\ndata: b\r") == [Frame(b"a")]
    assert framer.feed(b"\r") == [Frame(b"b")]
    assert framer.feed(b"\ndata: c\n\n") == [Frame(b"c")]


def test_an_event_longer_than_the_bound_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sse, "MAX_FRAME_BYTES", 20)
    assert frames_of(b"data: 12345678901234\n\n" * 3) == [Frame(b"12345678901234")] * 3
    for pieces in (
        [b"{\n\n" + b'"a"\n\n' * 7],
        [b"data: 123456789012345\n\n"],
        [b"x"] * 21,
        [b": 1\n"] * 6,
        [b"data: a\n\n" + b"x" * 21],
    ):
        with pytest.raises(SidecarError) as caught:
            frames_of(*pieces)
        assert caught.value.type == "malformed_response"


def seconds(pieces: list[bytes]) -> float:
    best = 1e9
    for _ in range(3):
        framer = Framer()
        start = time.process_time()
        for piece in pieces:
            framer.feed(piece)
        framer.close()
        best = min(best, time.process_time() - start)
    return best


@pytest.mark.parametrize("piece", [b"x", b"x\n", b"data: x\n", b"{\n\n", b'{"\\"'])
def test_the_time_grows_with_the_length_however_small_the_pieces(piece: bytes) -> None:
    assert seconds([piece] * 200_000) < 25 * seconds([piece] * 20_000) + 0.05


@pytest.mark.parametrize(
    ("text", "frames"),
    [
        (b"event: a\ndata: 1\n\nevent: b\ndata: 2\n\n", [Frame(b"1", "a"), Frame(b"2", "b")]),
        (b"event: a\n\nevent: b\ndata: 1\ndata: 2\n\n", [Frame(b"1\n2", "b")]),
        (b"event: a\ndata: 1\n: note\n\nevent: \ndata: 2\n\n", [Frame(b"1", "a"), Frame(b"2")]),
        (b"event: a\nid: 1\n\nevent: b\ndata: 2\ndata: 3\n\n", [Frame(b"2\n3", "b")]),
    ],
)
def test_named_events_are_cut_alike_whether_they_come_one_by_one_or_together(text: bytes, frames: list[Frame]) -> None:
    framer = Framer()
    framer.feed(b"data: first\n\n")
    assert [*framer.feed(text), *framer.close()] == frames
    framer = Framer()
    framer.feed(b"data: first\n\n")
    assert [frame for n in range(len(text)) for frame in framer.feed(text[n : n + 1])] == frames


def test_an_event_has_a_bound_of_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sse, "MAX_LINES", 4)
    assert frames_of(b"data: a\n" * 4 + b"\n" + b":\n" * 4 + b"\n") == [Frame(b"a\na\na\na")]
    for stream in (b"data: a\n" * 6 + b"\n", b":\n" * 6 + b"\n", b"{\n" * 6):
        with pytest.raises(SidecarError) as caught:
            frames_of(stream)
        assert caught.value.type == "malformed_response"


@pytest.mark.parametrize("value", [b"{},", b"[],"])
def test_a_large_event_may_not_be_made_of_containers(monkeypatch: pytest.MonkeyPatch, value: bytes) -> None:
    monkeypatch.setattr(frame, "LARGE_BYTES", 60)
    monkeypatch.setattr(frame, "MAX_CONTAINERS", 10)
    whole = b"data: " + value * 10 + b"x" * 40 + b"\n\n"
    assert frames_of(whole) == [Frame(whole[6:-2])]
    assert frames_of(b"data: " + value * 11 + b"\n\n") == [Frame(value * 11)]
    with pytest.raises(SidecarError) as caught:
        frames_of(b"data: " + value * 11 + b"x" * 40 + b"\n\n")
    assert caught.value.type == "malformed_response"
