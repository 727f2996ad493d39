"""What is told of a model file without loading it."""

import os
from pathlib import Path
from typing import Any

import pytest
from local_models import gguf, with_number

from sidecar.engines.llama import gguf as headers
from sidecar.engines.llama.footprint import usual
from sidecar.library.contents import Contents
from sidecar.schema.models import ModelInfo

TEMPLATE = "tokenizer.chat_template"


def described(tmp_path: Path, data: bytes, name: str = "m.gguf") -> ModelInfo:
    path = tmp_path / name
    path.write_bytes(data)
    return Contents().describe(path, "m", "models")


def test_a_header_says_what_a_model_is(tmp_path: Path) -> None:
    data = gguf({TEMPLATE: "{% if tools %}<think>{% endif %}", "general.file_type": 15}, tensors=3)
    assert described(tmp_path, data) == ModelInfo(
        id="m",
        provider="",
        name="Tiny",
        context_length=2048,
        input_modalities=["text"],
        capabilities=["tools", "structured_output", "reasoning"],
        size_bytes=len(data),
        memory_bytes=usual(headers.inspect(str(tmp_path / "m.gguf"))),
        source="models",
        architecture="llama",
        parameters=96,
        quantization="Q4_K_M",
        chat_template=True,
    )


@pytest.mark.parametrize(
    ("pooling", "capabilities"), [(0, ["embeddings"]), (1, ["embeddings"]), (3, ["embeddings"]), (4, [])]
)
def test_models_that_pool_are_for_vectors_unless_they_rank(
    tmp_path: Path, pooling: int, capabilities: list[str]
) -> None:
    assert described(tmp_path, with_number(gguf(), "llama.pooling_type", pooling)).capabilities == capabilities


def test_a_template_may_be_long_and_one_of_no_use_is_no_template(tmp_path: Path) -> None:
    assert described(tmp_path, gguf({TEMPLATE: "x" * 100_000 + "tools"})).capabilities == ["tools", "structured_output"]
    assert described(tmp_path, gguf({TEMPLATE: "x" * 300_000})).chat_template is False
    assert described(tmp_path, gguf({"general.file_type": 999})).quantization is None


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"", "The model file m.gguf is empty."),
        (b"<html>", "The model file m.gguf is not a GGUF file."),
        (gguf()[:-4200], "The model file m.gguf is incomplete: its header is cut short."),
        (gguf({"general.type": "mmproj"}), "The model file m.gguf is the image part of a model, not the model itself."),
    ],
)
def test_a_file_that_cannot_be_used_says_why(tmp_path: Path, data: bytes, problem: str) -> None:
    info = described(tmp_path, data)
    assert (info.problem, info.size_bytes, info.capabilities) == (problem, len(data), None)


def test_a_header_is_read_once_while_its_file_stays_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []
    survey = headers.survey

    def counted(path: str, keep: Any) -> Any:
        read.append(path)
        return survey(path, keep)

    monkeypatch.setattr(headers, "survey", counted)
    path, contents = tmp_path / "m.gguf", Contents()
    path.write_bytes(gguf())
    assert contents.describe(path, "a", "models").id == "a"
    assert contents.describe(path, "b", "other") == ModelInfo(
        **{name: getattr(contents.describe(path, "a", "models"), name) for name in ModelInfo.__struct_fields__}
        | {"id": "b", "source": "other"}
    )
    assert len(read) == 1
    path.write_bytes(gguf({"general.name": "Changed"}))
    os.utime(path, ns=(1, 1))
    assert contents.describe(path, "a", "models").name == "Changed"
    assert len(read) == 2


def test_a_split_model_is_as_large_as_all_its_parts(tmp_path: Path) -> None:
    parts = [gguf(tensors=0, data=b""), gguf(tensors=2), gguf(tensors=3)]
    for number, data in enumerate(parts, 1):
        (tmp_path / f"big-{number:05}-of-00003.gguf").write_bytes(data)
    file = headers.inspect(str(tmp_path / "big-00001-of-00003.gguf"))
    assert file.size_bytes == sum(map(len, parts))
    info = Contents().describe(tmp_path / "big-00001-of-00003.gguf", "big", "models")
    assert (info.problem, info.parameters) == (None, 5 * 32)
    later = Contents().describe(tmp_path / "big-00002-of-00003.gguf", "big", "models")
    assert later.problem is not None
    assert "its first part is big-00001-of-00003.gguf" in later.problem
