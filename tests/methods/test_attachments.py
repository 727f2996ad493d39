import base64
import os
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from sidecar.methods import attachments
from sidecar.methods.attachments import attached, names_files
from sidecar.schema.chat import Base64Source, ChatRequest, File, Message, PathSource, Text, UrlSource
from sidecar.schema.errors import SidecarError

pytestmark = pytest.mark.anyio


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


async def read(path: Path | str, *allowed: Path) -> bytes:
    """Return what a request that names the file would carry."""
    admitted: list[int] = []
    request = ChatRequest(messages=[Message("user", [File("text/plain", PathSource(str(path)))])])
    carried = await attached(request, allowed, admitted.append)
    part = carried.messages[0].content[0]
    assert isinstance(part, File)
    assert isinstance(part.source, Base64Source)
    assert admitted == [len(part.source.data)]
    return base64.b64decode(bytes(part.source.data))


async def refusal(path: Path | str, *allowed: Path) -> tuple[str, str]:
    with pytest.raises(SidecarError) as raised:
        await read(path, *allowed)
    return raised.value.type, raised.value.message


ELSEWHERE = ("path_not_allowed", "The file does not exist in a folder that may be read.")
NO_FILE = ("path_not_allowed", "Only regular files can be sent.")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder that may be read, beside a secret."""
    (tmp_path / "secret").write_text("secret")
    (tmp_path / "open").mkdir()
    (tmp_path / "openly").mkdir()
    (tmp_path / "openly" / "secret").write_text("secret")
    return tmp_path / "open"


async def test_files_in_a_folder_that_may_be_read_are_read_also_over_links_within(folder: Path) -> None:
    (folder / "a" / "b").mkdir(parents=True)
    (folder / "a" / "b" / "words").write_text("words")
    (folder / "link").symlink_to(folder / "a" / "b")
    for path in ("a/b/words", "link/words", "a/../a/b/words"):
        assert await read(folder / path, folder) == b"words"


@pytest.mark.parametrize(
    "path",
    ["../secret", "../openly/secret", "link", "linked/secret", "a/../../secret", "missing", "loop",
     "a\0b", "/etc/passwd", "x" * 5000, "fd/0"],
)  # fmt: skip
async def test_what_lies_elsewhere_is_not_told_from_what_is_not_there(folder: Path, path: str) -> None:
    (folder / "link").symlink_to(folder.parent / "secret")
    (folder / "linked").symlink_to(folder.parent)
    (folder / "loop").symlink_to(folder / "loop")
    (folder / "fd").symlink_to("/proc/self/fd")
    assert await refusal(folder / path, folder) == ELSEWHERE
    assert await refusal(folder / path) == ELSEWHERE


async def test_only_regular_files_are_read(folder: Path) -> None:
    os.mkfifo(folder / "fifo")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(folder / "socket"))
        for path in (folder / "fifo", folder / "socket", folder, folder / "."):
            assert await refusal(path, folder) == NO_FILE
    for device in ("zero", "full", "tty", "random"):
        assert await refusal(f"/dev/{device}", Path("/dev")) == NO_FILE


@pytest.mark.parametrize("swapped", ["the file", "its folder", "for a pipe"])
async def test_what_is_swapped_between_the_look_and_the_reading_is_not_read(
    folder: Path, swapped: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "a").mkdir()
    (folder / "a" / "secret").write_text("harmless")
    look = attachments._permitted

    def look_and_swap(path: Path, allowed: tuple[Path, ...]) -> tuple[Path, Path]:
        found = look(path, allowed)
        if swapped == "its folder":
            (folder / "a").rename(folder / "b")
            (folder / "a").symlink_to(folder.parent)
            return found
        (folder / "a" / "secret").unlink()
        if swapped == "for a pipe":
            os.mkfifo(folder / "a" / "secret")
        else:
            (folder / "a" / "secret").symlink_to(folder.parent / "secret")
        return found

    assert await read(folder / "a" / "secret", folder) == b"harmless"
    monkeypatch.setattr(attachments, "_permitted", look_and_swap)
    assert (await refusal(folder / "a" / "secret", folder))[0] == "path_not_allowed"


async def test_a_huge_file_is_refused_before_it_is_read(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with (folder / "huge").open("wb") as file:
        file.truncate(1 << 40)
    monkeypatch.setattr(os, "fdopen", None)  # nothing is even opened
    assert (await refusal(folder / "huge", folder))[0] == "payload_too_large"


async def test_a_file_that_grows_while_it_is_read_is_refused_at_the_bound(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "growing").write_bytes(b"x" * 1000)
    monkeypatch.setattr(attachments, "MAX_FILE_BYTES", 1500)
    check = attachments._check

    def check_and_grow(found: os.stat_result, most: int) -> None:
        check(found, most)
        with (folder / "growing").open("ab") as file:
            file.write(b"x" * 300)

    monkeypatch.setattr(attachments, "_check", check_and_grow)
    assert (await refusal(folder / "growing", folder))[0] == "payload_too_large"


@pytest.mark.skipif(sys.platform != "linux", reason="/proc/self/mem is a file of Linux that cannot be read at 0")
async def test_a_file_that_cannot_be_read_says_why_and_no_path() -> None:
    memory = Path(f"/proc/{os.getpid()}")
    assert await refusal(memory / "mem", memory) == (
        "path_not_allowed",
        "The file cannot be read: Input/output error.",
    )


async def test_the_files_of_a_request_have_one_bound_together(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "a").write_bytes(b"x" * 1000)
    monkeypatch.setattr(attachments, "MAX_FILE_BYTES", 2500)
    part = File("text/plain", PathSource(str(folder / "a")))
    admitted: list[int] = []
    await attached(ChatRequest(messages=[Message("user", [part, part])]), (folder,), admitted.append)
    assert admitted == [2 * len(b'"' + base64.b64encode(b"x" * 1000) + b'"')]
    with pytest.raises(SidecarError) as raised:
        await attached(
            ChatRequest(messages=[Message("user", [part]), Message("user", [part] * 2)]), (folder,), lambda _: None
        )
    assert raised.value.type == "payload_too_large"


async def test_no_descriptor_stays_open(folder: Path) -> None:
    (folder / "a").mkdir()
    (folder / "a" / "words").write_text("words")
    os.mkfifo(folder / "a" / "fifo")
    before = len(os.listdir("/dev/fd"))  # noqa: PTH208 - one's own descriptors
    for _ in range(20):
        await read(folder / "a" / "words", folder)
        await refusal(folder / "a" / "fifo", folder)
    assert len(os.listdir("/dev/fd")) == before  # noqa: PTH208
