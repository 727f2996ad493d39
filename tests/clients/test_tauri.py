"""The Tauri plugin, and front ends in a real window: what they call, what they hear, and what is left of them."""

import json
import socket
import socketserver
import ssl
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Final

import host
import keychains
import pytest
import tauri_window
import toolchains
import upstream
from provider_wires import MESSAGE_ITEM, MESSAGE_PLACE, chat_chunk, data, named, responses_end
from tauri_window import Window, photograph

README: Final = tauri_window.TAURI / "README.md"
DOCUMENTS: Final = [README, *sorted((toolchains.ROOT.parent / "shared" / "seeds").glob("*.txt"))]
"""The second kind is not published; where it is not there, the first has the same calls."""
STREAMS: Final = 50
EXIT_S: Final = 10.0
ORPHAN_S: Final = 2.0

WORDS: Final = ("Paris, ", "the capital ", "of France.")
ANSWER: Final = "".join(WORDS)
SPOKEN: Final = {"type": "output_text", "text": ANSWER, "annotations": []}
RESPONSES: Final = named(
    {"type": "response.output_item.added", "output_index": 0, "item": MESSAGE_ITEM | {"content": []}},
    {"type": "response.content_part.added", **MESSAGE_PLACE, "part": SPOKEN | {"text": ""}},
    *({"type": "response.output_text.delta", **MESSAGE_PLACE, "delta": word} for word in WORDS),
    {"type": "response.output_text.done", **MESSAGE_PLACE, "text": ANSWER},
    {"type": "response.content_part.done", **MESSAGE_PLACE, "part": SPOKEN},
    {"type": "response.output_item.done", "output_index": 0, "item": MESSAGE_ITEM | {"content": [SPOKEN]}},
    responses_end(),
)
CHAT: Final = data(*(chat_chunk({"content": word}) for word in WORDS), chat_chunk({}, "stop"), end=b"data: [DONE]\n\n")
CLAUDE: Final = {"type": "model", "id": "claude-3-5-sonnet-20241022", "display_name": "Claude"}
MODELS: Final = {"data": [CLAUDE], "has_more": False, "first_id": CLAUDE["id"], "last_id": CLAUDE["id"]}


@pytest.fixture(scope="module")
def display() -> Iterator[str]:
    tauri_window.app()
    with tauri_window.screen() as name:
        yield name


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    tauri_window.require()
    return tauri_window.pages(tmp_path_factory.mktemp("pages"), README.read_text())


def sidecar(home: Path, *flags: str) -> list[str]:
    return [str(Path(sys.executable).parent / "llm-sidecar"), "--scripted", "--data-dir", str(home / "data"), *flags]


def environment(home: Path, display: str, **extra: str) -> dict[str, str]:
    without_keychain = {"PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring", "DISPLAY": display}
    return host.environment(home, **without_keychain, **extra)


class Tunnels(socketserver.ThreadingTCPServer):
    """A proxy whose tunnels lead to servers on loopback, whatever the host is called."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, ports: dict[str, int]) -> None:
        super().__init__(("127.0.0.1", 0), Tunnel)
        self.ports = ports
        self.url = f"http://127.0.0.1:{self.server_address[1]}"


class Tunnel(socketserver.StreamRequestHandler):
    server: Tunnels
    rbufsize = 0

    def handle(self) -> None:
        name = self.rfile.readline().split()[1].decode().partition(":")[0]
        while self.rfile.readline().strip():
            pass
        with socket.create_connection(("127.0.0.1", self.server.ports[name])) as there:
            self.request.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
            back = threading.Thread(target=_carry, args=(there, self.request), daemon=True)
            back.start()
            _carry(self.request, there)
            back.join()


def _carry(source: Any, target: Any) -> None:
    """Carry bytes one way until either side closes."""
    try:
        while piece := source.recv(1 << 16):
            target.sendall(piece)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        return


@contextmanager
def internet(folder: Path) -> Iterator[tuple[str, Path, upstream.Server]]:
    """Yield a proxy to what passes for OpenAI and Anthropic, their certificates, and OpenAI's server."""
    handlers = {"api.openai.com": upstream.events(RESPONSES), "api.anthropic.com": upstream.answer(MODELS)}
    pems = {name: upstream.certificate(folder, name) for name in handlers}
    trusted = folder / "trusted.pem"
    trusted.write_text("".join(ssl.DER_cert_to_PEM_cert(_certificate(pem)) for pem in pems.values()))
    with ExitStack() as stack:
        servers = {
            name: stack.enter_context(upstream.running(handler, upstream.tls_context(pems[name])))
            for name, handler in handlers.items()
        }
        proxy = stack.enter_context(Tunnels({name: server.port for name, server in servers.items()}))
        threading.Thread(target=proxy.serve_forever, daemon=True).start()
        stack.callback(proxy.shutdown)
        yield proxy.url, trusted, servers["api.openai.com"]


def _certificate(pem: Path) -> bytes:
    text = pem.read_text()
    end = "-----END CERTIFICATE-----"
    return ssl.PEM_cert_to_DER_cert(text[: text.index(end) + len(end)])


@pytest.fixture
def keychain(tmp_path: Path) -> Iterator[dict[str, str]]:
    """Yield the variables that lead to a keychain that is empty and open."""
    if missing := keychains.missing_programs():
        pytest.skip(missing)
    home = tmp_path / "keychain"
    home.mkdir(mode=0o700)
    service = keychains.SecretService(home)
    try:
        service.start("--unlock")
        yield {**service.environment, "PYTHON_KEYRING_BACKEND": "keyring.backends.SecretService.Keyring"}
    finally:
        service.stop()


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_the_code_of_the_document_runs_as_it_stands(
    document: Path, display: str, keychain: dict[str, str], tmp_path: Path
) -> None:
    page = tauri_window.pages(tmp_path, document.read_text())
    with internet(tmp_path) as (proxy, trusted, openai):
        extra = keychain | {"SSL_CERT_FILE": str(trusted)}
        command = sidecar(tmp_path, "--proxy", proxy)
        with Window(page / "document.html", command, environment(tmp_path, display) | extra, str(tmp_path)) as window:
            found = window.findings()
            assert photograph(display, tmp_path / "screen.png") > 2
            assert window.quit() == 0
            assert window.leaves_nothing(EXIT_S)
    providers = found["list_providers"]["value"]["providers"]
    assert {"id": "openai", "name": "OpenAI"}.items() <= next(p for p in providers if p["id"] == "openai").items()
    assert found["set_active_provider"] == {"value": {}}
    assert found["test_provider_connection"] == {"value": {}}
    assert found["complete_chat"] == {"value": {"response": ANSWER}}
    assert found["save_api_key"] == {"value": {}}
    assert found["get_api_key"] == {"value": {"apiKey": "…"}}
    assert found["list_saved_providers"] == {"value": {"saved": [{"provider": "openai", "has_api_key": True}]}}
    assert found["delete_api_key"] == {"value": {}}
    answers = [answer["value"] for answer in found["stream_chat"]]
    assert [answer["content"] for answer in answers] == [ANSWER] * STREAMS
    assert ["".join(answer["chunks"]) for answer in answers] == [ANSWER] * STREAMS
    assert {request.headers["authorization"] for request in openai.requests} == {"Bearer sk-..."}


class Hanging:
    """Says a little and then nothing, and counts who has gone."""

    def __init__(self) -> None:
        self.gone = threading.Semaphore(0)

    async def __call__(self, exchange: upstream.Exchange) -> None:
        await exchange.start(200, upstream.EVENT_STREAM)
        await exchange.send(data(chat_chunk({"content": "Once upon a"})))
        await exchange.hang()
        self.gone.release()


def configured(folder: Path, **servers: upstream.Server) -> Path:
    """Write a configuration with a provider for each server, the first of which is the active one."""
    path = folder / "sidecar.toml"
    tables = [
        f'[[providers]]\nprovider = "openai_compatible"\nid = "{name}"\nbase_url = "{server.url}/v1"\nmodel = "m"\n'
        for name, server in servers.items()
    ]
    path.write_text(f'active = "{next(iter(servers))}"\n' + "".join(tables))
    return path


def whole(seen: Any) -> tuple[str, str, str]:
    return "".join(seen["deltas"]), seen["content"], seen["reason"]


def test_a_page_misses_nothing_and_leaves_nothing(display: str, pages: Path, tmp_path: Path) -> None:
    hanging = Hanging()
    with upstream.running(upstream.events(CHAT)) as quick, upstream.running(hanging) as slow:
        command = sidecar(tmp_path, "--config", str(configured(tmp_path, quick=quick, hanging=slow)))
        with Window(pages / "index.html", command, environment(tmp_path, display), str(tmp_path)) as window:
            found = window.findings()
            # Those that were cancelled by the page, and left by a window that closed and a page that was loaded anew.
            assert [hanging.gone.acquire(timeout=EXIT_S) for _ in range(3)] == [True] * 3
            assert photograph(display, tmp_path / "screen.png") > 2
            assert window.quit() == 0
            assert window.leaves_nothing(EXIT_S)
            assert hanging.gone.acquire(timeout=EXIT_S)
    answered = (ANSWER, ANSWER, "stop")
    assert [whole(seen) for seen in found["at_once"]] == [answered] * STREAMS
    assert [whole(seen) for seen in found["after_reload"]] == [answered] * STREAMS
    assert [whole(found[step]) for step in ("late", "prefixed", "second_window")] == [answered] * 3
    assert found["blocked"] > 0
    assert whole(found["cancelled"]["seen"]) == ("Once upon a", "Once upon a", "cancelled")
    assert found["cancelled"]["answers"] == [True]
    assert (found["cancelled"]["again"], found["left_by_reload"]) == (False, False)
    check_paced(found["paced"])
    check_mixed(found["mixed"])
    check_failures(found["failing"], found["rejections"])


def check_paced(paced: Any) -> None:
    counted = "".join(f"{count} " for count in range(100))
    assert whole(paced) == (counted, counted, "stop")
    assert len(paced["deltas"]) > 1


def check_mixed(mixed: Any) -> None:
    assert whole(mixed) == ("Let me look.", "Let me look.", "tool_calls")
    assert mixed["statuses"][-1]["state"] == "waiting_first_token"
    assert mixed["events"] == [
        {"type": "reasoning", "index": 0, "text": "Hm."},
        {"type": "tool_call", "index": 2, "id": "call_1", "name": "weather", "arguments": "{}"},
    ]


def check_failures(failing: Any, rejections: Any) -> None:
    assert (failing["deltas"], failing["content"]) == (["Hel"], "Hel")
    assert (failing["error"], failing["category"]) == ("provider_overloaded", "ai")
    errors = {name: rejection["error"] for name, rejection in rejections.items()}
    assert {name: (error["category"], error["type"]) for name, error in errors.items()} == {
        "key": ("not_found", "credential_not_found"),
        "config": ("protocol", "invalid_params"),
        "answer": ("ai", "provider_overloaded"),
        "stream": ("protocol", "invalid_params"),
        "local": ("config", "model_file_invalid"),
    }
    assert (errors["answer"]["retryable"], errors["answer"]["retry_after_ms"]) == (True, 1500)
    assert all(error["message"] for error in errors.values())
    assert "sk-secret" not in json.dumps(errors)


def test_an_app_that_is_killed_leaves_no_sidecar(display: str, pages: Path, tmp_path: Path) -> None:
    with upstream.running(upstream.events(CHAT)) as quick, upstream.running(Hanging()) as slow:
        command = sidecar(tmp_path, "--config", str(configured(tmp_path, quick=quick, hanging=slow)))
        with Window(pages / "second.html", command, environment(tmp_path, display), str(tmp_path)) as window:
            window.findings("hanging")
            pid = window.sidecar()
            window.process.kill()
            assert host.gone(pid, ORPHAN_S)


def test_the_plugin_passes_its_own_tests_and_reviews() -> None:
    tauri_window.require()
    toolchains.run("cargo", "fmt", "--all", "--check", cwd=tauri_window.TAURI)
    toolchains.run(
        *("cargo", "clippy", "--workspace", "--all-targets", "--locked", "--", "--deny", "warnings"),
        cwd=tauri_window.TAURI,
    )
    toolchains.run("cargo", "test", "--workspace", "--locked", cwd=tauri_window.TAURI)
