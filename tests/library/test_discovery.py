"""Which files are taken for models, in the sidecar's own folder and in those of others."""

import json
import os
from pathlib import Path

import pytest

from sidecar.library import discovery
from sidecar.library.discovery import own
from sidecar.providers.stores import Store, stores

DIGEST = "sha256:" + "0" * 64


def put(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"x")


def found(folder: Path) -> list[tuple[str, str, bool]]:
    return [(one.id, str(one.path.relative_to(folder)), one.partial) for one in own(folder)]


def test_every_model_is_found_once_also_in_folders_and_in_parts(tmp_path: Path) -> None:
    put(tmp_path, "b.gguf", "a/r/B-00002-of-00002.gguf", "a/r/B-00001-of-00002.gguf", "readme.md", "c.GGUF")
    assert sorted(found(tmp_path)) == [
        ("a/r/B", "a/r/B-00001-of-00002.gguf", False),
        ("b", "b.gguf", False),
        ("c", "c.GGUF", False),
    ]


def test_what_is_not_whole_is_found_and_says_so(tmp_path: Path) -> None:
    put(tmp_path, "a.gguf.part", "a.gguf.part.json", "b.gguf", "b.gguf.part", "c-00002-of-00002.gguf")
    assert sorted(found(tmp_path)) == [
        ("a", "a.gguf", True),
        ("b", "b.gguf", False),
        ("c", "c-00002-of-00002.gguf", False),
    ]


def test_a_folder_that_is_not_there_has_no_models(tmp_path: Path) -> None:
    assert found(tmp_path / "nowhere") == []


def test_links_to_folders_are_not_followed(tmp_path: Path) -> None:
    put(tmp_path / "outside", "a.gguf")
    put(tmp_path / "models", "b.gguf")
    (tmp_path / "models" / "loop").symlink_to(tmp_path / "models")
    (tmp_path / "models" / "out").symlink_to(tmp_path / "outside")
    assert found(tmp_path / "models") == [("b", "b.gguf", False)]


def test_neither_depth_nor_number_is_without_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path, "/".join("d" * 6) + "/in.gguf", "/".join("d" * 7) + "/out.gguf")
    assert [id_ for id_, _, _ in found(tmp_path)] == ["d/d/d/d/d/d/in"]
    monkeypatch.setattr(discovery, "MAX_ENTRIES", 3)
    put(tmp_path, *(f"{number}.gguf" for number in range(9)))
    assert len(found(tmp_path)) <= 3


@pytest.mark.parametrize(
    "manifest",
    [
        b"",
        b"[]",
        b"\xff",
        b"[" * 5000,
        json.dumps({"layers": [{"mediaType": "text/plain", "digest": DIGEST}]}).encode(),
        json.dumps({"layers": [{"mediaType": "application/vnd.ollama.image.model", "digest": "sha256:../x"}]}).encode(),
        json.dumps(
            {"layers": [{"mediaType": "application/vnd.ollama.image.model", "digest": "md5:" + "0" * 67}]}
        ).encode(),
    ],
)
def test_a_manifest_that_makes_no_sense_names_no_model(tmp_path: Path, manifest: bytes) -> None:
    path = tmp_path / "manifests" / "host" / "n" / "m" / "t"
    path.parent.mkdir(parents=True)
    path.write_bytes(manifest)
    assert list(discovery.others(Store("o", "manifests", tmp_path))) == []


def test_a_model_of_another_registry_keeps_its_whole_name(tmp_path: Path) -> None:
    layers = [{"mediaType": "application/vnd.ollama.image.model", "digest": DIGEST}]
    put(tmp_path, "manifests/example.test/me/m/t")
    (tmp_path / "manifests/example.test/me/m/t").write_text(json.dumps({"layers": layers}))
    (model,) = discovery.others(Store("o", "manifests", tmp_path))
    assert (model.id, model.path) == ("o:example.test/me/m:t", tmp_path / "blobs" / ("sha256-" + "0" * 64))


def test_a_pipe_in_a_store_is_waited_for_by_nobody(tmp_path: Path) -> None:
    (tmp_path / "manifests").mkdir()
    os.mkfifo(tmp_path / "manifests" / "t")
    assert list(discovery.others(Store("o", "manifests", tmp_path))) == []


def test_variables_say_where_the_stores_are() -> None:
    home = Path("/h")
    environment = {"OLLAMA_MODELS": "/o", "HF_HOME": "/f", "XDG_CACHE_HOME": "/c"}
    chosen = {store.source: store.folder for store in reversed(stores(environment, home))}
    assert (chosen["ollama"], chosen["huggingface"]) == (Path("/o"), Path("/f/hub"))
    assert [store.folder for store in stores({"XDG_CACHE_HOME": "/c"}, home) if store.source == "huggingface"] == [
        Path("/c/huggingface/hub")
    ]
    plain = {store.folder for store in stores({}, home)}
    assert {Path("/h/.ollama/models"), Path("/h/.lmstudio/models"), Path("/h/.cache/huggingface/hub")} <= plain
