"""What was asked is in the ledger, however the process ends in mid-answer."""

import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from host import Host, script, session


def close_both_pipes(host: Host) -> None:
    """Go away as a host does that dies."""
    assert host.process.stdin
    assert host.process.stdout
    host.process.stdout.close()
    host.process.stdin.close()


def close_stdin(host: Host) -> None:
    assert host.process.stdin
    host.process.stdin.close()


def terminate(host: Host) -> None:
    host.process.send_signal(signal.SIGTERM)


def shut_down(host: Host) -> None:
    host.send("shutdown")


@pytest.mark.parametrize("end", [close_both_pipes, close_stdin, terminate, shut_down])
def test_an_answer_in_progress_is_recorded_when_the_session_ends(tmp_path: Path, end: Callable[[Host], None]) -> None:
    with Host(tmp_path, "--scripted", "--limit", "exit_grace_ms=50") as host:
        host.initialize()
        counts = {"do": "usage", "usage": {"input_tokens": 7}}
        host.send("chat.stream", script(counts, {"do": "text", "text": "twelve bytes"}, {"do": "hang"}, stream_id="s"))
        while host.receive()["params"].get("delta", {}).get("type") != "text":
            pass
        end(host)
        host.wait()
    with session(tmp_path, "--scripted") as host:
        total = host.call("usage.summary")["total"]
    assert (total["attempts"], total["cancelled"]) == (1, 1)
    assert (total["input_tokens"], total["output_tokens"], total["estimated"]) == (7, 3, 1)
