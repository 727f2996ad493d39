"""JSON values, one a line, however they arrive."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.framing import frame, ndjson
from sidecar.framing.frame import Frame
from sidecar.framing.ndjson import Framer
from sidecar.schema.errors import SidecarError


def frames_of(*pieces: bytes) -> list[bytes]:
    framer = Framer()
    return [frame.data for frame in [*(frame for piece in pieces for frame in framer.feed(piece)), *framer.close()]]


@pytest.mark.parametrize(
    ("stream", "lines"),
    [
        (b"", []),
        (b"a\n", [b"a"]),
        (b"a\nb\n", [b"a", b"b"]),
        (b"a\r\nb\r\n", [b"a", b"b"]),
        (b"a\n\n \r\n\t\nb", [b"a", b"b"]),
        (b"a", [b"a"]),
        (b"a\nb\r", [b"a", b"b"]),
        (b"\n\n", []),
        (b" a b \n", [b" a b "]),
        ("é\u2028\u2029\x85\n".encode(), ["é\u2028\u2029\x85".encode()]),
        (b"\xff\n", [b"\xff"]),
    ],
)
def test_a_stream_is_cut_into_its_lines_however_it_arrives(stream: bytes, lines: list[bytes]) -> None:
    assert frames_of(stream) == lines
    assert frames_of(*(stream[at : at + 1] for at in range(len(stream)))) == lines
    for cut in range(len(stream)):
        assert frames_of(stream[:cut], stream[cut:]) == lines


def test_a_line_is_given_out_when_its_end_comes() -> None:
    framer = Framer()
    assert framer.feed(b'{"a"') == []
    assert framer.feed(b":1}") == []
    assert framer.feed(b"\n{") == [Frame(b'{"a":1}')]
    assert framer.close() == [Frame(b"{")]
    assert framer.close() == []


@given(st.lists(st.binary(max_size=12), max_size=6))
def test_borders_of_pieces_mean_nothing(pieces: list[bytes]) -> None:
    assert frames_of(*pieces) == frames_of(b"".join(pieces))


@pytest.mark.parametrize(
    "pieces", [[b"x" * 11], [b"x" * 6, b"x" * 5], [b"a\n" + b"x" * 11 + b"\nb\n"], [b"x" * 11 + b"\n"]]
)
def test_a_line_has_a_bound(monkeypatch: pytest.MonkeyPatch, pieces: list[bytes]) -> None:
    monkeypatch.setattr(ndjson, "MAX_FRAME_BYTES", 10)
    with pytest.raises(SidecarError) as caught:
        frames_of(*pieces)
    assert caught.value.type == "malformed_response"


def test_many_short_lines_may_come_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ndjson, "MAX_FRAME_BYTES", 10)
    assert frames_of(b"0123456789\n" * 5) == [b"0123456789"] * 5


def test_a_large_line_may_not_be_made_of_containers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frame, "LARGE_BYTES", 30)
    monkeypatch.setattr(frame, "MAX_CONTAINERS", 10)
    assert frames_of(b"[]," * 10 + b"x\n") == [b"[]," * 10 + b"x"]
    with pytest.raises(SidecarError) as caught:
        frames_of(b"[]," * 11 + b"x\n")
    assert caught.value.type == "malformed_response"
