"""The line splitter: any chunking of the same bytes gives the same lines, in bounded memory."""

import sys

from hypothesis import given
from hypothesis import strategies as st

from sidecar.rpc.lines import REMEMBERED_BYTES, LineSplitter, Oversized


def split(pieces: list[bytes], limit: int = 1 << 20) -> list[bytes | Oversized]:
    splitter = LineSplitter(limit)
    lines = [line for piece in pieces for line in splitter.feed(piece)]
    return [*lines, *splitter.close()]


def test_lines_end_at_line_feeds_only() -> None:
    assert split([b"a\xe2\x80\xa8b\rc\x0bd\n", b"e\n"]) == [b"a\xe2\x80\xa8b\rc\x0bd", b"e"]


def test_a_carriage_return_before_the_line_feed_is_dropped_also_when_they_arrive_apart() -> None:
    assert split([b"a\r", b"\nb\r\n"]) == [b"a", b"b"]


def test_blank_lines_are_skipped() -> None:
    assert split([b"\n\r\n  \n\ta\n\n"]) == [b"\ta"]


def test_one_byte_order_mark_is_tolerated_at_the_very_start() -> None:
    assert split([b"\xef\xbb", b"\xbf1\n\xef\xbb\xbf2\n"]) == [b"1", b"\xef\xbb\xbf2"]


def test_a_last_line_without_line_feed_is_a_line() -> None:
    assert split([b"1\n", b"2"]) == [b"1", b"2"]


def test_a_line_of_just_the_limit_passes_and_one_byte_more_does_not() -> None:
    assert split([b"x" * 10 + b"\n"], limit=10) == [b"x" * 10]
    assert split([b"x" * 11 + b"\ny\n"], limit=10) == [Oversized(b"x" * 11, b"x" * 11), b"y"]


def test_an_oversized_line_keeps_its_ends_and_no_more() -> None:
    size = 64 * REMEMBERED_BYTES
    piece = b"m" * 1000
    pieces = [b"head" + piece, *([piece] * (size // 1000)), b"tail\n"]
    (line,) = split(pieces, limit=2000)
    assert isinstance(line, Oversized)
    assert (line.head[:4], line.tail[-4:]) == (b"head", b"tail")
    assert len(line.head) + len(line.tail) <= 2 * REMEMBERED_BYTES


def test_an_endless_line_is_discarded_in_constant_memory() -> None:
    splitter = LineSplitter(1000)
    for _ in range(10_000):
        assert list(splitter.feed(b"x" * 100)) == []
    assert sum(sys.getsizeof(piece) for piece in splitter._pieces) < 3 * REMEMBERED_BYTES


def test_a_line_that_comes_byte_by_byte_takes_little_more_memory_than_its_bytes() -> None:
    splitter = LineSplitter(1 << 20)
    for _ in range(100_000):
        assert list(splitter.feed(b"x")) == []
    assert sum(sys.getsizeof(piece) for piece in splitter._pieces) < 200_000
    assert list(splitter.feed(b"\n")) == [b"x" * 100_000]


@given(st.lists(st.binary(max_size=20)), st.data())
def test_any_chunking_gives_the_same_lines(lines: list[bytes], data: st.DataObject) -> None:
    whole = b"\n".join(lines)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(whole)), max_size=10)))
    pieces = [whole[a:b] for a, b in zip([0, *cuts], [*cuts, len(whole)], strict=True)]
    assert split(pieces) == split([whole])
