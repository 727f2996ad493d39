"""The fake sidecar of `protocol/replay` does what its README says, to a host as small as can be."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import covered
import pytest
from host import PATIENCE_S, gone
from replay import REPLAY, SCENARIOS, load

from protocol.replay import sidecar_replay

HANDSHAKE = {"handshake": True}
INITIALIZE = {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {"protocol_version": 1}}


class Sidecar:
    """A fake sidecar on pipes."""

    def __init__(self, folder: Path, *steps: Any) -> None:
        scenario = folder / "scenario.json"
        scenario.write_text(json.dumps({"sidecar": steps}), "utf-8")
        self.folder = folder
        self.process = subprocess.Popen(
            [sys.executable, sidecar_replay.__file__, str(scenario), "--ignored"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
            env={"REPLAY_STATE": str(folder / "starts"), "REPLAY_PIDS": str(folder / "pids")},
        )

    def tell(self, *messages: Any) -> None:
        assert self.process.stdin
        self.process.stdin.write(b"".join(json.dumps(message).encode() + b"\n" for message in messages))

    def line(self) -> bytes:
        assert self.process.stdout
        return self.process.stdout.readline()

    def hear(self) -> Any:
        return json.loads(self.line())

    def end(self) -> tuple[list[Any], bytes, int]:
        """Close stdin; return the messages that were left, stderr, and the exit code."""
        output, log = self.process.communicate(timeout=PATIENCE_S)
        return [json.loads(line) for line in output.splitlines()], log, self.process.returncode

    def pids(self) -> list[int]:
        return [int(pid) for pid in (self.folder / "pids").read_text("ascii").split()]


@contextmanager
def started(folder: Path, *steps: Any) -> Iterator[Sidecar]:
    sidecar = Sidecar(folder, *steps)
    with sidecar.process as process:
        yield sidecar
        process.kill()


def request(id_: Any, method: str, **params: Any) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": id_, "method": method, "params": params}


def test_the_handshake_is_answered_and_shutdown_is_too(tmp_path: Path) -> None:
    with started(tmp_path, HANDSHAKE) as sidecar:
        sidecar.tell(INITIALIZE, request("bye", "shutdown"))
        assert sidecar.hear()["result"]["server_info"]["pid"] == sidecar.process.pid
        assert sidecar.hear() == {"jsonrpc": "2.0", "id": "bye", "result": {}}
        assert sidecar.end() == ([], b"", 0)


def test_messages_are_awaited_in_any_order_and_each_once(tmp_path: Path) -> None:
    steps = [{"await": "b", "as": "b"}, {"await": "a", "as": "x"}, {"await": "a", "as": "y"}]
    replies = [{"reply": name, "result": {}} for name in ("y", "x", "b")]
    with started(tmp_path, *steps, *replies) as sidecar:
        sidecar.tell(request(1, "a"), request(2, "a"), request(3, "b"))
        assert [sidecar.hear()["id"] for _ in range(3)] == [2, 1, 3]


def test_a_message_may_be_awaited_that_cancels_a_request(tmp_path: Path) -> None:
    methods = ["chat.cancel", "$/cancelRequest"]
    awaits = [{"await": methods, "about": "b", "as": "cancel"}, {"reply": "cancel", "result": {}}]
    steps = [{"await": "chat.stream", "as": "a"}, {"await": "chat.stream", "as": "b"}, *awaits, *awaits]
    with started(tmp_path, *steps, {"reply": "a", "result": {}}) as sidecar:
        sidecar.tell(request(1, "chat.stream", stream_id="s1"), request(2, "chat.stream", stream_id="s2"))
        sidecar.tell({"jsonrpc": "2.0", "method": "$/cancelRequest", "params": {"id": 1}})
        sidecar.tell({"jsonrpc": "2.0", "method": "$/cancelRequest", "params": {"id": 2}})
        sidecar.tell(request(3, "chat.cancel", stream_id="s1"), request(4, "chat.cancel", stream_id="s2"))
        assert [sidecar.hear()["id"] for _ in range(2)] == [4, 1]


def test_some_methods_are_served_while_another_is_awaited(tmp_path: Path) -> None:
    steps = [{"serve": ["a", "b"], "result": {"ok": True}}, {"await": "c", "as": "c"}]
    with started(tmp_path, *steps, {"reply": "c", "result": "$served.messages"}) as sidecar:
        served = [request(1, "b", x=1), request(2, "a")]
        sidecar.tell(*served, request(3, "c"))
        assert [sidecar.hear() for _ in range(3)] == [
            {"jsonrpc": "2.0", "id": 1, "result": {"ok": True}},
            {"jsonrpc": "2.0", "id": 2, "result": {"ok": True}},
            {"jsonrpc": "2.0", "id": 3, "result": served},
        ]


def test_what_was_bound_is_put_into_messages(tmp_path: Path) -> None:
    result = {"list": ["$a.id", "$a.stream_id", "$a.params.x.0", "$a.params.none"], "text": "is $a.id", "price": "$5"}
    with started(tmp_path, {"await": "a", "as": "a"}, {"reply": "a", "result": result}) as sidecar:
        sidecar.tell(request(7, "a", stream_id="s1", x=[{"deep": True}]))
        wanted = {"list": [7, "s1", {"deep": True}, None], "text": "is $a.id", "price": "$5"}
        assert sidecar.hear()["result"] == wanted


def test_messages_are_written_with_any_end_and_escaped_or_not(tmp_path: Path) -> None:
    text = "𝄞\u2028"
    steps = [{"send": text, "end": "\r\n"}, {"send": text, "ascii": False, "piece": 1}, {"send_base64": "gAo="}]
    with started(tmp_path, *steps, {"send_raw": "raw\n"}) as sidecar:
        lines = [sidecar.line() for _ in range(4)]
        assert lines == [b'"\\ud834\\udd1e\\u2028"\r\n', f'"{text}"\n'.encode(), b"\x80\n", b"raw\n"]


def test_streams_are_played(tmp_path: Path) -> None:
    steps = [{"chunks": 2, "stream": "s", "text": "a"}, {"chunks": 1, "stream": "s", "text": "b", "from": 2}]
    finish = {"finish": "s", "chunks": 3, "text": "aab", "reason": "length"}
    with started(tmp_path, {"await": "chat.stream", "as": "s"}, *steps, finish) as sidecar:
        sidecar.tell(request(1, "chat.stream", stream_id="s1"))
        chunks = [sidecar.hear()["params"] for _ in range(3)]
        assert [(chunk["stream_id"], chunk["seq"], chunk["delta"]["text"]) for chunk in chunks] == [
            ("s1", 0, "a"),
            ("s1", 1, "a"),
            ("s1", 2, "b"),
        ]
        result = sidecar.hear()["result"]
        assert (result["chunks"], result["finish_reason"]["reason"]) == (3, "length")
        assert result["message"]["content"] == [{"type": "text", "text": "aab"}]


def test_the_end_of_stdin_ends_it_wherever_it_is(tmp_path: Path) -> None:
    with started(tmp_path, HANDSHAKE, {"await": "never"}) as sidecar:
        sidecar.tell(INITIALIZE, request(2, "shutdown"))
        replies, log, code = sidecar.end()
        assert [reply["id"] for reply in replies] == [1, 2]
        assert (log, code) == (b"stdin ended before the last step\n", 0)


def test_it_writes_to_stderr_and_exits_with_a_code(tmp_path: Path) -> None:
    with started(tmp_path, {"stderr": "oh\n", "repeat": 3}, {"exit": 7}, {"send": {}}) as sidecar:
        assert sidecar.end() == ([], b"oh\n" * 3, 7)


def test_it_dies_of_a_signal(tmp_path: Path) -> None:
    with started(tmp_path, {"signal": "SIGKILL"}) as sidecar:
        assert sidecar.end() == ([], b"", -signal.SIGKILL)


def test_it_lives_on_without_stdout(tmp_path: Path) -> None:
    with started(
        tmp_path, {"close_stdout": True}, {"idle_ms": 1}, {"stderr": "still here\n"}, {"hang": True}
    ) as sidecar:
        assert sidecar.line() == b""
        assert sidecar.process.stderr
        assert sidecar.process.stderr.readline() == b"still here\n"
        assert sidecar.process.poll() is None


def test_it_closes_its_stdin(tmp_path: Path) -> None:
    with started(tmp_path, {"close_stdin": True}, {"send": "closed"}, {"hang": True}) as sidecar:
        assert sidecar.hear() == "closed"
        with pytest.raises(BrokenPipeError):
            sidecar.tell(INITIALIZE)


def test_it_ignores_signals_and_has_a_child_that_outlives_it(tmp_path: Path) -> None:
    steps = [{"ignore": "SIGTERM"}, {"spawn": True}, {"send": "ready"}, {"hang": True}]
    with started(tmp_path, *steps) as sidecar:
        assert sidecar.hear() == "ready"
        sidecar.process.terminate()
        own, child = sidecar.pids()
        assert own == sidecar.process.pid
        assert not gone(own, 0.2)
        sidecar.process.kill()
        sidecar.process.wait()
        assert not gone(child, 0.2)
        os.kill(child, signal.SIGKILL)


def test_each_start_has_its_own_steps(tmp_path: Path) -> None:
    codes = []
    for _ in range(3):
        with started(tmp_path, [{"exit": 4}], [{"exit": 5}]) as sidecar:
            codes.append(sidecar.end()[2])
    assert codes == [4, 5, 5]


def test_shorthands_are_written_out() -> None:
    steps = [{"$each": [1, 3], "steps": [{"a": "{n}"}]}, {"$each": [2, 1], "steps": [{"b": "x{n}"}, {"c": 0}]}]
    assert sidecar_replay.plain({"host": steps, "text": {"$repeat": ["ab", 2]}}) == {
        "host": [{"a": "1"}, {"a": "2"}, {"a": "3"}, {"b": "x2"}, {"c": 0}, {"b": "x1"}, {"c": 0}],
        "text": "abab",
    }


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.stem)
def test_a_scenario_can_be_played_by_any_probe(path: Path) -> None:
    scenario = load(path)
    documented = (REPLAY / "README.md").read_text("utf-8")
    assert scenario["name"] == path.stem
    assert scenario["description"].endswith(".")
    assert len(scenario["expect"]) == len([step for step in scenario["host"] if step["do"] != "wait"])
    runs = (
        scenario["sidecar"]
        if scenario["sidecar"][:1] and isinstance(scenario["sidecar"][0], list)
        else [scenario["sidecar"]]
    )
    for step in [step for run in runs for step in run]:
        assert hasattr(sidecar_replay.Player, f"do_{next(iter(step))}"), step
        assert f'{{"{next(iter(step))}":' in documented, step
    for step in scenario["host"]:
        assert f'{{"do": "{step["do"]}"' in documented, step


def test_every_rule_of_the_contract_that_a_scenario_can_show_is_in_one() -> None:
    assert [rule for rule, scenarios in covered.of_the_clients().items() if not scenarios] == []
