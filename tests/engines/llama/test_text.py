from hypothesis import given
from hypothesis import strategies as st

from sidecar.engines.llama.runtimes.text import TextStream


def pieces(stream: TextStream, data: list[bytes]) -> list[str]:
    return [stream.feed(piece) for piece in data]


def test_half_a_character_waits_for_its_other_half() -> None:
    stream = TextStream([])
    assert pieces(stream, ["😀".encode()[:2], "😀".encode()[2:] + b"!"]) == ["", "😀!"]


def test_half_a_character_at_the_end_is_dropped() -> None:
    stream = TextStream([])
    assert pieces(stream, [b"a", b"\xf0\x9f"]) == ["a", ""]
    assert stream.flush() == ""


def test_a_stop_string_is_not_shown_and_ends_the_text() -> None:
    stream = TextStream(["END", "\n\n"])
    assert pieces(stream, [b"one E", b"N", b"D two"]) == ["one ", "", ""]
    assert stream.stopped
    assert stream.flush() == ""


def test_the_earliest_stop_string_counts() -> None:
    stream = TextStream(["c", "b"])
    assert stream.feed(b"abc") == "a"


def test_what_only_began_like_a_stop_string_is_shown() -> None:
    stream = TextStream(["END"])
    assert pieces(stream, [b"E", b"N", b"T", b"EN"]) == ["", "", "ENT", ""]
    assert stream.flush() == "EN"


@given(st.text(), st.integers(1, 5))
def test_text_without_a_stop_string_arrives_whole(text: str, size: int) -> None:
    stream, data = TextStream(["\ue000\ue000"]), text.replace("\ue000", "").encode()
    shown = pieces(stream, [data[at : at + size] for at in range(0, len(data), size)])
    assert "".join(shown) + stream.flush() == text.replace("\ue000", "")
