"""Hosts that do everything wrong, over real pipes: the sidecar answers each request once, or leaves."""

import json
import os
import select
import signal
import subprocess
import sys
import textwrap
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from host import PATIENCE_S, Host, command, environment, gone, script, session

PING = b'{"jsonrpc":"2.0","id":1,"method":"server.ping"}'
HANG = {"do": "hang"}
FINISH = {"do": "finish"}
MIB = 1 << 20

linux = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")


def words(text: str, repeat: int = 1) -> dict[str, Any]:
    return {"do": "text", "text": text, "repeat": repeat}


def most_memory(host: Host) -> int:
    """Return the most bytes that the process ever had in memory."""
    lines = Path(f"/proc/{host.process.pid}/status").read_text().splitlines()
    (most,) = [int(line.split()[1]) for line in lines if line.startswith("VmHWM")]
    return most << 10


def ping_of(size: int, id_: int) -> bytes:
    """Return a ping of so many bytes, line feed included."""
    head = b'{"jsonrpc":"2.0","id":%d,"method":"server.ping","params":{"padding":"' % id_
    return head + b"x" * (size - len(head) - 4) + b'"}}\n'


def test_a_request_that_comes_byte_by_byte_is_answered(tmp_path: Path) -> None:
    with session(tmp_path) as host:
        for byte in b'{"jsonrpc":"2.0","id":"slow","method":"server.ping"}\n':
            host.write(bytes([byte]))
        assert host.receive()["id"] == "slow"


def test_stdin_closed_at_any_byte_of_a_request_ends_in_an_answer_and_code_0(tmp_path: Path) -> None:
    for first in range(0, len(PING) + 1, 8):
        cuts = range(first, min(first + 8, len(PING) + 1))
        processes = [
            subprocess.Popen(command(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment(tmp_path))
            for _ in cuts
        ]
        for cut, process in zip(cuts, processes, strict=True):
            output, _ = process.communicate(PING[:cut], timeout=PATIENCE_S)
            replies = [json.loads(line) for line in output.splitlines()]
            told = [(reply["id"], reply.get("error", {}).get("data", {}).get("type")) for reply in replies]
            whole, part = [(1, None)], [(None, "parse_error")]
            assert (told, process.returncode) == (whole if cut == len(PING) else part if cut else [], 0)


@linux
def test_the_longest_line_is_answered_and_one_byte_more_is_refused_by_its_id(tmp_path: Path) -> None:
    with session(tmp_path) as host:
        limit = 64 * MIB
        host.write(ping_of(limit + 1, 100) + ping_of(limit + 2, 101))
        assert host.receive()["result"]["uptime_ms"] >= 0
        refused = host.receive()
        assert (refused["id"], refused["error"]["data"]["type"]) == (101, "message_too_large")
        assert host.call("server.ping")["uptime_ms"] >= 0
        assert most_memory(host) < 250 * MIB


@linux
@pytest.mark.parametrize(
    ("line", "type_"),
    [
        (b"[" + b"0," * (30 * MIB) + b"0]\n", "invalid_message"),
        (b"[" * (60 * MIB) + b"\n", "invalid_message"),
        (b'{"a":' * (11 * MIB) + b"\n", "parse_error"),
        (b'"' + b"\\ud800" * (10 * MIB) + b'"\n', "parse_error"),
        (b"\\" * (60 * MIB) + b"\n", "parse_error"),
        (b"\xff" * (60 * MIB) + b"\n", "parse_error"),
    ],
    ids=["members", "brackets", "objects", "surrogates", "backslashes", "no-utf-8"],
)
def test_sixty_mebibytes_of_nonsense_cost_one_refusal_and_little_else(tmp_path: Path, line: bytes, type_: str) -> None:
    with session(tmp_path) as host:
        host.write(line + PING + b"\n")
        refused = host.receive(patience=20)
        assert (refused["id"], refused["error"]["data"]["type"]) == (None, type_)
        assert host.receive(patience=20)["id"] == 1
        assert most_memory(host) < 400 * MIB


def test_a_hundred_thousand_requests_at_once_have_one_reply_each(tmp_path: Path) -> None:
    with Host(tmp_path, "--scripted") as host:
        host.initialize()
        params = json.dumps(script(HANG)).encode()
        ids = range(1000, 101_000)
        asks = (b'{"jsonrpc":"2.0","id":%d,"method":"chat.complete","params":%b}\n' % (id_, params) for id_ in ids)
        host.write(b"".join(asks))
        assert host.process.stdin
        host.process.stdin.close()
        told = Counter[tuple[int, str]]()
        for message in messages(host):
            kind = (
                message["error"]["data"]["type"] if "error" in message else message["result"]["finish_reason"]["reason"]
            )
            told[message["id"], kind] += 1
        assert sorted(id_ for id_, _ in told) == list(ids)
        assert set(told.values()) == {1}
        assert Counter(kind for _, kind in told) == {"server_busy": 99_744, "cancelled": 256}
        assert host.wait() == 0


def messages(host: Host) -> Iterator[Any]:
    """Read to the end."""
    assert host.process.stdout
    rest = host.buffer
    while data := os.read(host.process.stdout.fileno(), MIB):
        *lines, rest = (rest + data).split(b"\n")
        yield from map(json.loads, lines)
    assert rest == b""


def test_ids_in_flight_are_told_apart_by_type_and_free_again_after_their_reply(tmp_path: Path) -> None:
    with session(tmp_path, "--scripted") as host:
        host.send("chat.complete", script(HANG), 7)
        host.send("chat.complete", script(HANG), "7")
        for id_ in (7, "7"):
            host.send("server.ping", {}, id_)
            reply = host.receive()
            assert (reply["id"], reply["error"]["data"]["type"]) == (id_, "duplicate_id")
        note = {"jsonrpc": "2.0", "method": "$/cancelRequest", "params": {"id": 7}}
        host.write(json.dumps(note).encode() + b"\n")
        reply = host.receive()
        assert (reply["id"], reply["result"]["finish_reason"]["reason"]) == (7, "cancelled")
        for _ in range(3):
            host.send("server.ping", {}, 7)
            reply = host.receive()
            assert (reply["id"], "result" in reply) == (7, True)
        host.write(json.dumps(note | {"params": {"id": "7"}}).encode() + b"\n")
        reply = host.receive()
        assert (reply["id"], reply["result"]["finish_reason"]["reason"]) == ("7", "cancelled")


@linux
def test_a_host_that_writes_and_never_reads_while_streams_run_is_left_with_code_3(tmp_path: Path) -> None:
    limits = ("--limit", "hard_output_bytes=4000000", "--limit", "stalled_exit_ms=200")
    with Host(tmp_path, "--scripted", *limits) as host:
        host.initialize()
        for _ in range(16):
            host.send("chat.stream", script(words("x" * 1000, 1_000_000), FINISH))
        most, pings = 0, (PING + b"\n") * 1000
        try:
            while True:
                most = max(most, most_memory(host))
                host.write(pings)
        except (BrokenPipeError, ValueError):  # it has left; then nothing is told of its memory
            assert most
        assert host.wait() == 3
        assert most < 200 * MIB


def test_a_sidecar_that_was_stopped_answers_what_came_meanwhile(tmp_path: Path) -> None:
    with session(tmp_path, "--scripted") as host:
        stream = host.send("chat.stream", script(words("0123456789" * 100, 3000), FINISH))
        assert host.receive()["method"] == "stream.chunk"
        host.process.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, host.process.pid, os.WSTOPPED | os.WNOWAIT)
        pings = [host.send("server.ping") for _ in range(100)]
        host.process.send_signal(signal.SIGCONT)
        seen: list[Any] = []
        reply = host.reply(stream, seen)
        while len([message for message in seen if "id" in message]) < len(pings):
            seen.append(host.receive())
        assert sorted(message["id"] for message in seen if "id" in message) == pings
        assert reply["result"]["message"]["content"][0]["text"] == "0123456789" * 300_000


def test_a_host_that_was_stopped_finds_everything_when_it_goes_on(tmp_path: Path) -> None:
    asks = [
        {
            "jsonrpc": "2.0",
            "id": 1,
            "method": "initialize",
            "params": {"protocol_version": 1, "client_info": {"name": "t"}},
        },
        {
            "jsonrpc": "2.0",
            "id": 2,
            "method": "chat.stream",
            "params": script(words("0123456789" * 100, 5000), FINISH),
        },
    ]
    program = textwrap.dedent(f"""
        import json, subprocess, sys
        sidecar = subprocess.Popen({command("--scripted")!r}, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        sidecar.stdin.write({"".join(json.dumps(ask) + chr(10) for ask in asks).encode()!r})
        sidecar.stdin.flush()
        pieces = []
        for line in sidecar.stdout:
            message = json.loads(line)
            if message.get("method") == "stream.chunk":
                pieces or print("begun", flush=True)
                pieces.append(message["params"]["delta"]["text"])
            if message.get("id") == 2:
                break
        print("".join(pieces) == "0123456789" * 500_000, message["result"]["finish_reason"]["reason"], flush=True)
        sidecar.stdin.close()
        sys.exit(sidecar.wait())
    """)
    host = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, env=environment(tmp_path))
    assert host.stdout
    assert host.stdout.readline() == b"begun\n"
    host.send_signal(signal.SIGSTOP)
    os.waitid(os.P_PID, host.pid, os.WSTOPPED | os.WNOWAIT)
    assert not select.select([host.stdout], [], [], 0)[0]
    host.send_signal(signal.SIGCONT)
    told, _ = host.communicate(timeout=PATIENCE_S)
    assert (told, host.returncode) == (b"True stop\n", 0)


@pytest.mark.parametrize("busy", ["idle", "streaming"])
@pytest.mark.parametrize("watched", ["flag", "handshake"])
def test_a_child_of_the_host_that_holds_the_pipes_does_not_keep_the_sidecar_alive(
    tmp_path: Path, watched: str, busy: str
) -> None:
    """The host is killed while a child of it still has its ends of the pipes: there is no end of stdin."""
    program = textwrap.dedent(f"""
        import json, os, subprocess, sys
        flags = ["--parent-pid", str(os.getpid())] if {watched == "flag"} else []
        process_id = {{}} if flags else {{"process_id": os.getpid()}}
        sidecar = subprocess.Popen({command("--scripted")!r} + flags, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        hello = {{"protocol_version": 1, "client_info": {{"name": "t"}}, **process_id}}
        asks = [("initialize", hello), ("chat.stream", {script(words("a"), HANG)!r})]
        for id_, (method, params) in enumerate(asks[: 2 if {busy == "streaming"} else 1]):
            line = {{"jsonrpc": "2.0", "id": id_, "method": method, "params": params}}
            sidecar.stdin.write(json.dumps(line).encode() + b"\\n")
            sidecar.stdin.flush()
            sidecar.stdout.readline()
        keep = {{"close_fds": False, "stdin": subprocess.PIPE}}
        for pipe in (sidecar.stdin, sidecar.stdout):
            os.set_inheritable(pipe.fileno(), True)
        child = subprocess.Popen(["sleep", "600"], **keep)
        print(sidecar.pid, child.pid, flush=True)
        sys.stdin.read()
    """)
    host = subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment(tmp_path)
    )
    assert host.stdin
    assert host.stdout
    sidecar, child = map(int, host.stdout.readline().split())
    try:
        host.kill()
        host.wait()
        assert gone(sidecar, within=5)
        assert not gone(child, within=0)
    finally:
        os.kill(child, signal.SIGKILL)
        host.stdin.close()
        host.stdout.close()
