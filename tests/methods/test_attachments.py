from collections.abc import Iterator

from sidecar.methods.attachments import names_files
from sidecar.schema.chat import ChatRequest, File, Message, PathSource, Text, UrlSource


class Long(str):
    """A text that takes long to go through character by character."""

    __slots__ = ()

    def __iter__(self) -> Iterator[str]:
        raise AssertionError("it was gone through")


def test_files_by_path_are_seen_without_a_look_at_every_character() -> None:
    text, there = Message("user", Long("x")), File("image/png", UrlSource("https://a.test/a.png"))
    here = File("image/png", PathSource("/a.png"))
    assert not names_files(ChatRequest(messages=[text, Message("user", [Text("x"), there])]))
    assert names_files(ChatRequest(messages=[text, Message("user", [Text("x"), here])]))
