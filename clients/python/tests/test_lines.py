from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_sidecar.lines import CutLines, Lines, LineTooLong

TEXT = '{"text":"é 🙂 \u2028 \u2029 \x85"}\r\n\n{"a":1}\n'.encode()


@pytest.mark.parametrize("size", range(1, len(TEXT) + 1))
def test_lines_are_the_same_in_pieces_of_any_size(size: int) -> None:
    lines = Lines(1000)
    found = [line for start in range(0, len(TEXT), size) for line in lines.feed(TEXT[start : start + size])]
    assert found == TEXT.split(b"\n")[:-1]


@given(st.binary(), st.lists(st.integers(min_value=0, max_value=100)))
def test_lines_are_the_same_however_they_are_split(data: bytes, borders: list[int]) -> None:
    cuts = [0, *sorted(border for border in borders if border < len(data)), len(data)]
    lines = Lines(1000)
    found = [line for start, end in pairwise(cuts) for line in lines.feed(data[start:end])]
    assert found == data.split(b"\n")[:-1]


@pytest.mark.parametrize("pieces", [[b"12345\n"], [b"1\n12345"], [b"123", b"45"], [b"1234", b"5\n"]])
def test_a_line_that_is_too_long_is_told(pieces: list[bytes]) -> None:
    lines = Lines(4)
    *first, last = pieces
    assert [line for piece in first for line in lines.feed(piece)] == []
    with pytest.raises(LineTooLong):
        list(lines.feed(last))


def test_a_line_may_be_as_long_as_the_limit() -> None:
    assert list(Lines(4).feed(b"1234\n1234")) == [b"1234"]


def test_the_lines_before_one_that_is_too_long_are_not_lost() -> None:
    lines = Lines(4).feed(b"1\n2\n12345\n")
    assert [next(lines), next(lines)] == [b"1", b"2"]
    with pytest.raises(LineTooLong):
        next(lines)


@pytest.mark.parametrize("size", [1, 2, 3, 7, 100])
def test_long_lines_of_a_log_are_cut_once(size: int) -> None:
    data = b"one\r\n1234567890\n\xfftwo\nlast"
    lines = CutLines(4)
    found = [line for start in range(0, len(data), size) for line in lines.feed(data[start : start + size])]
    assert [*found, *lines.end()] == ["one", "1234", "�two", "last"]
