"""The process as a host sees it: floods, silence, deaths, closed pipes, exit codes."""

import json
import os
import signal
import socket
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from host import PATIENCE_S, ROOT, Host, command, environment, gone, script, session

FINISH = {"do": "finish"}
HANG = {"do": "hang"}
HELLO = {"protocol_version": 1, "client_info": {"name": "t"}}


def text(words: str, repeat: int = 1) -> dict[str, object]:
    return {"do": "text", "text": words, "repeat": repeat}


def test_twenty_thousand_requests_written_without_reading_are_all_answered(tmp_path: Path) -> None:
    with session(tmp_path) as host:
        padding = "x" * 1000
        ids = range(1000, 21_000)
        for id_ in ids:
            host.send("server.ping", {"padding": padding}, id_)
        answered = [host.receive()["id"] for _ in ids]
        assert answered == list(ids)


def test_a_flood_of_chats_is_answered_one_by_one_as_done_or_busy(tmp_path: Path) -> None:
    with session(tmp_path, "--scripted") as host:
        ids = [host.send("chat.complete", script(text("a"), FINISH)) for _ in range(2000)]
        replies = {}
        while len(replies) < len(ids):
            message = host.receive()
            assert message["id"] not in replies
            replies[message["id"]] = message
        outcomes = {reply.get("error", {}).get("data", {}).get("type", "ok") for reply in replies.values()}
        assert outcomes <= {"ok", "server_busy"}
        assert "ok" in outcomes


def test_a_host_that_reads_late_loses_nothing(tmp_path: Path) -> None:
    with session(tmp_path, "--scripted") as host:
        words = "0123456789" * 20
        id_ = host.send("chat.stream", script(text(words, 50_000), FINISH))
        host.send("server.ping", id_="ping")
        seen: list[dict[str, object]] = []
        reply = host.reply(id_, seen)
        chunks = [message["params"] for message in seen if message.get("method") == "stream.chunk"]
        assert [chunk["seq"] for chunk in chunks] == list(range(reply["result"]["chunks"]))  # type: ignore[index]
        streamed = "".join(chunk["delta"]["text"] for chunk in chunks)  # type: ignore[index]
        assert streamed == words * 50_000
        assert reply["result"]["message"]["content"] == [{"type": "text", "text": streamed}]
        assert any(message.get("id") == "ping" for message in seen)


def test_a_host_that_never_reads_is_left_with_code_3(tmp_path: Path) -> None:
    with Host(tmp_path, "--scripted", "--limit", "hard_output_bytes=100000", "--limit", "stalled_exit_ms=200") as host:
        host.initialize()
        host.send("chat.complete", script(text("x" * 1000, 1000), FINISH))
        assert host.wait() == 3


def test_a_host_that_closes_its_end_of_stdout_is_left_with_code_3(tmp_path: Path) -> None:
    with Host(tmp_path) as host:
        host.initialize()
        assert host.process.stdout
        host.process.stdout.close()
        host.send("server.ping")
        assert host.wait() == 3


def test_a_host_that_never_drains_stderr_is_served_all_the_same(tmp_path: Path) -> None:
    with session(tmp_path, "--scripted", "--log-level", "debug") as host:
        for _ in range(300):
            error = host.fail("chat.complete", script({"do": "defect"}))
            assert error["data"]["type"] == "internal_error"
        assert host.call("server.ping")["uptime_ms"] >= 0


def test_a_defect_is_told_in_the_log_and_not_to_the_host(tmp_path: Path) -> None:
    with Host(tmp_path, "--scripted") as host:
        host.initialize()
        error = host.fail("chat.complete", script({"do": "defect"}))
        assert error["message"] == "A defect of the sidecar; its log says more."
        assert "RuntimeError" not in json.dumps(error)
        assert host.end() == 0
        assert host.process.stderr
        assert "RuntimeError: a defect, as the script asks" in host.process.stderr.read().decode()


@pytest.mark.parametrize("busy", ["idle", "streaming", "not reading"])
def test_a_host_killed_without_warning_leaves_no_process(tmp_path: Path, busy: str) -> None:
    requests = [json.dumps({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": HELLO})]
    if busy == "streaming":
        requests.append(json.dumps({"jsonrpc": "2.0", "id": 2, "method": "chat.stream", "params": script(HANG)}))
    if busy == "not reading":
        flood = script(text("x" * 1000, 100_000), FINISH)
        requests.append(json.dumps({"jsonrpc": "2.0", "id": 2, "method": "chat.stream", "params": flood}))
    host = textwrap.dedent(f"""
        import os, subprocess, sys, time
        sidecar = subprocess.Popen({command("--scripted")!r}, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        sidecar.stdin.write({"".join(line + chr(10) for line in requests).encode()!r})
        sidecar.stdin.flush()
        sidecar.stdout.readline()
        print(sidecar.pid, flush=True)
        time.sleep(600)
    """)
    process = subprocess.Popen([sys.executable, "-c", host], stdout=subprocess.PIPE, env=environment(tmp_path))
    assert process.stdout
    pid = int(process.stdout.readline())
    process.kill()
    process.wait()
    process.stdout.close()
    assert gone(pid, within=2)


def test_the_death_of_the_process_named_by_the_host_ends_the_sidecar(tmp_path: Path) -> None:
    parent = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    with Host(tmp_path, "--parent-pid", str(parent.pid)) as host:
        host.initialize()
        parent.kill()
        parent.wait()
        assert parent.stdin
        parent.stdin.close()
        assert host.wait() == 0


def test_a_process_id_in_the_handshake_is_watched_too(tmp_path: Path) -> None:
    parent = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    with Host(tmp_path) as host:
        info = {"protocol_version": 1, "client_info": {"name": "t"}, "process_id": parent.pid}
        host.call("initialize", info)
        parent.kill()
        parent.wait()
        assert parent.stdin
        parent.stdin.close()
        assert host.wait() == 0


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_ends_the_session_gracefully(tmp_path: Path, number: int, code: int) -> None:
    with Host(tmp_path, "--scripted") as host:
        host.initialize()
        id_ = host.send("chat.stream", script(text("a"), HANG))
        assert host.receive()["method"] == "stream.chunk"
        host.process.send_signal(number)
        assert host.reply(id_)["result"]["finish_reason"] == {"reason": "cancelled", "raw": None}
        assert host.wait() == code


def test_a_session_without_a_word_ends_with_code_0(tmp_path: Path) -> None:
    with Host(tmp_path) as host:
        assert host.end() == 0


@pytest.mark.parametrize(
    "flags",
    [["--nonsense"], ["--limit", "nonsense=1"], ["--limit", "max_streams=0"], ["--limit", "max_streams"],
     ["--limit", "max_streams=" + "9" * 40], ["--parent-pid", "99999999999999"], ["--parent-pid", "0"],
     ["--proxy", "nonsense"], ["--proxy", "socks5://127.0.0.1:1"],
     ["--ca-file", "/nonexistent.pem"], ["--ca-file", "/"], ["--ca-file", "/dev/zero"], ["--ca-file", __file__],
     ["--config", "/nonexistent.toml"], ["--allow-path", "/nonexistent"]],
)  # fmt: skip
def test_flags_that_make_no_sense_end_with_code_2_and_a_reason(tmp_path: Path, flags: list[str]) -> None:
    done = subprocess.run(command(*flags), env=environment(tmp_path), input=b"", capture_output=True, check=False)
    assert done.returncode == 2
    assert done.stdout == b""
    assert b"Traceback" not in done.stderr
    assert flags[0].strip("-").encode() in done.stderr or flags[1].encode() in done.stderr


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("limits = 3", "limits"),
        ("[limits]\nmax_streems = 3", "max_streems"),
        ("[[providers]]\nprovider = 'nobody'", "nobody"),
        ("colour = 'red'", "colour"),
        ("a = ", "Invalid value"),
        ("active = 'nobody'", "nobody"),
        ("proxy = 'socks5://127.0.0.1'", "the proxy: "),
        ("ca_file = '/nonexistent.pem'", "the CA file /nonexistent.pem: No such file or directory"),
    ],
)
def test_a_config_file_that_makes_no_sense_ends_with_code_2_and_a_reason(
    tmp_path: Path, content: str, reason: str
) -> None:
    file = tmp_path / "config.toml"
    file.write_text(content)
    done = subprocess.run(
        command("--config", str(file)), env=environment(tmp_path), input=b"", capture_output=True, check=False
    )
    assert done.returncode == 2
    assert b"Traceback" not in done.stderr
    assert reason.encode() in done.stderr


def test_a_config_file_sets_limits_providers_and_the_active_one(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text(
        textwrap.dedent("""
            active = "mine"
            [limits]
            max_streams = 3
            [[providers]]
            provider = "openai_compatible"
            id = "mine"
            base_url = "http://127.0.0.1:1/v1"
            model = "m"
        """)
    )
    with Host(tmp_path, "--config", str(file), "--limit", "max_requests=7", "--limit", "local_memory_bytes=0") as host:
        limits = host.initialize()["limits"]
        assert (limits["max_streams"], limits["max_requests"], limits["local_memory_bytes"]) == (3, 7, 0)
        assert host.call("providers.get_active")["active"]["provider"] == "mine"
        assert host.end() == 0


@pytest.mark.parametrize("process_id", [0, -1, 2**31, 2**70])
def test_a_process_id_that_cannot_be_is_refused(tmp_path: Path, process_id: int) -> None:
    with Host(tmp_path) as host:
        assert host.fail("initialize", HELLO | {"process_id": process_id})["data"]["type"] == "invalid_params"
        host.initialize()
        assert host.end() == 0


@pytest.mark.parametrize("milliseconds", [0, -1, 10**400])
def test_a_deadline_that_cannot_be_is_refused(tmp_path: Path, milliseconds: int) -> None:
    with session(tmp_path, "--scripted") as host:
        params = script(FINISH, timeouts={"idle": milliseconds})
        assert host.fail("chat.complete", params)["data"]["type"] == "invalid_params"


def test_a_proxy_password_is_not_shown_when_its_url_is_wrong(tmp_path: Path) -> None:
    flags = ["--proxy", "ftp://me:hidden-word@proxy.example"]
    done = subprocess.run(command(*flags), env=environment(tmp_path), input=b"", capture_output=True, check=False)
    assert done.returncode == 2
    assert b"hidden-word" not in done.stderr


def test_a_name_server_that_never_answers_does_not_keep_the_process_alive(tmp_path: Path) -> None:
    program = textwrap.dedent("""
        import socket, sys, threading
        socket.getaddrinfo = lambda *_, **__: threading.Event().wait()
        sys.argv = ["llm-sidecar"]
        from sidecar.__main__ import main
        main()
    """)
    config = {"provider": "openai_compatible", "base_url": "http://somewhere.invalid/v1", "model": "m"}
    question = {"messages": [{"role": "user", "content": "?"}]}
    calls = [("initialize", HELLO), ("providers.set_active", {"config": config}), ("chat.stream", question)]
    process = subprocess.Popen(
        [sys.executable, "-c", program],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=environment(tmp_path),
    )
    assert process.stdin
    assert process.stdout
    for number, (method, params) in enumerate(calls):
        line = {"jsonrpc": "2.0", "id": number, "method": method, "params": params}
        process.stdin.write(json.dumps(line).encode() + b"\n")
    process.stdin.flush()
    while b'"connecting"' not in process.stdout.readline():
        assert process.poll() is None
    process.stdin.close()
    assert gone(process.pid, within=2)
    assert process.wait() == 0
    process.stdout.close()


@pytest.mark.parametrize("flag", ["--version", "--help"])
def test_a_person_can_ask_for_version_and_help(tmp_path: Path, flag: str) -> None:
    done = subprocess.run(command(flag), env=environment(tmp_path), capture_output=True, check=True)
    assert b"llm-sidecar" in done.stdout


def test_closed_descriptors_end_with_code_2(tmp_path: Path) -> None:
    done = subprocess.run(
        ["sh", "-c", 'exec "$0" -m sidecar <&- 2>/dev/null', sys.executable], env=environment(tmp_path), check=False
    )
    assert done.returncode == 2


def test_input_from_a_file_and_output_to_a_file_work(tmp_path: Path) -> None:
    lines = [
        {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": HELLO},
        {"jsonrpc": "2.0", "id": 2, "method": "chat.stream", "params": script(text("a"), FINISH)},
    ]
    (tmp_path / "in").write_text("".join(json.dumps(line) + "\n" for line in lines))
    with (tmp_path / "in").open("rb") as stdin, (tmp_path / "out").open("wb") as stdout:
        subprocess.run(
            command("--scripted", "--eof", "drain"), env=environment(tmp_path), stdin=stdin, stdout=stdout, check=True
        )
    replies = [json.loads(line) for line in (tmp_path / "out").read_text().splitlines()]
    assert replies[-1]["result"]["finish_reason"]["reason"] == "stop"


def test_socket_pairs_work_as_pipes(tmp_path: Path) -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        process = subprocess.Popen(
            command("--scripted"), env=environment(tmp_path), stdin=theirs.fileno(), stdout=theirs.fileno()
        )
        theirs.close()
        ours.settimeout(PATIENCE_S)
        ours.sendall(b'{"jsonrpc":"2.0","id":1,"method":"server.ping"}\n')
        assert json.loads(ours.makefile("rb").readline())["id"] == 1
        ours.shutdown(socket.SHUT_WR)
        assert process.wait(PATIENCE_S) == 0


def test_a_child_that_inherits_nothing_of_the_pipes_cannot_keep_the_session_open(tmp_path: Path) -> None:
    """What the sidecar spawns gets neither its stdin nor its stdout: private descriptors are not inherited."""
    probe = "from sidecar.descriptors import claim; import os; d = claim(); print([os.get_inheritable(f) for f in d])"
    done = subprocess.run(
        [sys.executable, "-c", probe], env=environment(tmp_path), cwd=ROOT, capture_output=True, check=True
    )
    assert done.stdout == b""
    assert done.stderr.strip() == b"[False, False, False]"


def test_what_is_printed_goes_to_stderr(tmp_path: Path) -> None:
    probe = "from sidecar.descriptors import claim; import os; claim(); print('p', flush=True); os.write(1, b'w')"
    done = subprocess.run(
        [sys.executable, "-c", probe], env=environment(tmp_path), cwd=ROOT, capture_output=True, check=True
    )
    assert (done.stdout, done.stderr) == (b"", b"p\nw")


def test_the_exit_code_is_0_when_the_host_is_gone_and_nothing_is_pending(tmp_path: Path) -> None:
    with Host(tmp_path) as host:
        host.initialize()
        assert host.process.stdin
        assert host.process.stdout
        os.close(os.dup(host.process.stdin.fileno()))
        host.process.stdout.close()
        assert host.end() == 0
