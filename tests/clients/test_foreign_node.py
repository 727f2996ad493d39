"""Two clients from npm that nobody here wrote drive the process: it speaks JSON-RPC as others understand it."""

import json
from pathlib import Path
from typing import Any

import pytest
from host import PATIENCE_S, command, environment
from toolchains import ROOT, node_modules, run

PROGRAMS = ROOT / "tests" / "foreign"
BEFORE = [
    {"step": "handshake", "protocol_version": 1, "server": "llm-sidecar"},
    {"step": "call", "provider": "scripted"},
    {"step": "call without params", "provider": "scripted"},
    {"step": "unknown method", "code": -32601, "type": "method_not_found"},
    {"step": "error", "code": 1210, "type": "provider_overloaded", "retry_after_ms": 1500},
    {"step": "params by position", "code": -32602, "type": "invalid_params"},
]
BATCH = {"step": "batch", "provider": "scripted", "type": "method_not_found"}
AFTER = [
    {"step": "stream", "reason": "stop", "text": "Once upon a time — 🦔.", "whole": True, "counted": True},
    {"step": "cancelled stream", "reason": "cancelled", "text": "Once upon a", "whole": True, "counted": True},
    {"step": "cancelled call", "code": -32800, "type": "request_cancelled"},
    {"step": "shutdown", "result": {}},
    {"step": "exit", "code": 0},
]


@pytest.mark.parametrize(
    ("program", "seen"),
    [("vscode.mjs", [*BEFORE, *AFTER]), ("json_rpc_2.mjs", [*BEFORE, BATCH, *AFTER])],
    ids=["vscode-jsonrpc", "json-rpc-2.0"],
)
def test_a_client_that_nobody_here_wrote_drives_the_sidecar(
    tmp_path: Path, program: str, seen: list[dict[str, Any]]
) -> None:
    sidecar = command("--scripted", "--data-dir", str(tmp_path))
    env = environment(tmp_path, PYTHON_KEYRING_BACKEND="keyring.backends.fail.Keyring")
    output = run("node", program, *sidecar, cwd=node_modules(PROGRAMS), env=env, timeout=PATIENCE_S)
    assert [json.loads(line) for line in output.splitlines()] == seen
