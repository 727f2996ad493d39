"""Files named by a front end that means harm, through the real process: refused, and the next request is served."""

import os
import struct
import sys
from pathlib import Path
from typing import Any

import pytest
from host import Host, session
from local_models import gguf, text

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")

PATIENCE_S = 10.0
LIE = b"GGUF" + struct.pack("<IQQ", 3, 1, 3)


def most_memory(host: Host) -> int:
    lines = Path(f"/proc/{host.process.pid}/status").read_text().splitlines()
    (most,) = [int(line.split()[1]) for line in lines if line.startswith("VmHWM")]
    return most << 10


def error_of(host: Host, method: str, params: Any) -> str:
    """Return the type of the error, which must come soon."""
    id_ = host.send(method, params)
    reply = host.receive(PATIENCE_S)
    assert reply["id"] == id_
    return str(reply["error"]["data"]["type"]) if "error" in reply else "none"


def with_file(path: Path | str) -> dict[str, Any]:
    part = {"type": "file", "media_type": "text/plain", "source": {"type": "path", "path": str(path)}}
    return {"provider": "scripted", "messages": [{"role": "user", "content": [part]}]}


def test_hostile_files_in_a_request_are_refused_and_the_next_request_is_served(tmp_path: Path) -> None:
    folder = tmp_path / "open"
    folder.mkdir()
    (folder / "fine").write_text("words")
    (folder / "out").symlink_to("/etc/passwd")
    (folder / "zero").symlink_to("/dev/zero")
    os.mkfifo(folder / "fifo")
    with (folder / "huge").open("wb") as file:
        file.truncate(1 << 40)
    with session(tmp_path, "--scripted", "--allow-path", str(folder)) as host:
        outside = ["out", "zero", "../data", "/dev/zero", "/dev/stdin", "/proc/self/environ", "missing"]
        told = {name: error_of(host, "chat.complete", with_file(folder / name)) for name in [*outside, "fifo", "."]}
        assert set(told.values()) == {"path_not_allowed"}
        assert error_of(host, "chat.complete", with_file(folder / "huge")) == "payload_too_large"
        assert error_of(host, "chat.complete", with_file(folder / "fine")) == "none"
        assert most_memory(host) < 100 << 20


def test_files_count_towards_what_all_requests_hold_together(tmp_path: Path) -> None:
    (tmp_path / "large").write_bytes(b"x" * 900_000)
    limit = ("--limit", "max_admitted_bytes=2000000")
    with session(tmp_path, "--scripted", "--allow-path", str(tmp_path), *limit) as host:
        hanging = with_file(tmp_path / "large") | {"provider_options": {"scripted": {"steps": [{"do": "hang"}]}}}
        host.send("chat.stream", hanging | {"stream_id": "s"})
        assert error_of(host, "chat.complete", with_file(tmp_path / "large")) == "server_busy"
        id_ = host.send("chat.cancel", {"stream_id": "s"})
        host.reply(id_)
        assert error_of(host, "chat.complete", with_file(tmp_path / "large")) == "none"


def test_model_paths_that_mean_harm_are_refused_and_the_next_request_is_served(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "link").symlink_to("/dev/zero")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    (tmp_path / "cut").write_bytes(gguf()[:-4000])
    for name, head in {
        "zeros": b"",
        "tensors": b"GGUF" + struct.pack("<IQQ", 3, 1 << 60, 1),
        "text": LIE + text("general.architecture") + struct.pack("<IQ", 8, 1 << 60),
        "lists": LIE + text("a") + struct.pack("<IIQ", 9, 8, 1 << 21) + bytes(8 << 21),
    }.items():
        (tmp_path / name).write_bytes(head)
        os.truncate(tmp_path / name, 1 << 40)
    names = [
        "fifo",
        "link",
        "loop",
        "cut",
        "zeros",
        "tensors",
        "text",
        "lists",
        "missing",
        ".",
        "/dev/zero",
        "/dev/stdin",
    ]
    with session(tmp_path) as host:
        for name in names:
            host.call("providers.set_active", {"config": {"provider": "local", "model_path": str(tmp_path / name)}})
            told = error_of(host, "chat.complete", {"messages": [{"role": "user", "content": "hi"}]})
            assert (name, told) == (name, "model_file_invalid")
        assert host.call("server.ping")["uptime_ms"] >= 0
        assert most_memory(host) < 100 << 20
