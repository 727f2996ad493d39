"""No secret leaves: canaries are planted, everything is asked and fails, and all that was written is searched."""

import base64
import json
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import pytest
import upstream
from host import PATIENCE_S, Host, script
from kept_keys import MEMORY_KEYCHAIN

from sidecar.methods.table import METHODS

ODD: Final = '+/&"<\\%~'
"""Characters that are escaped somewhere, in the middle of each key."""

KEYS: Final = {
    name: f"sk-{name}{ODD}Canary{name.upper()}0123456789"
    for name in ("file", "saved", "environment", "header", "inline", "bearer")
} | {"proxy": "proxyCanaryPassword"}
PROMPTS: Final = ("promptCanaryQuestion", "promptCanarySystem", "promptCanaryTool", "promptCanaryVector")
ANSWER: Final = "answerCanaryWords"
SECRETS: Final = [f"Canary{name.upper()}0123456789" for name in KEYS if name != "proxy"] + [KEYS["proxy"]]
"""What is looked for: the part of each key that no escape changes."""


def forms(word: str) -> Iterator[bytes]:
    """Yield what gives a word away, in small letters: as it is, in hex, and in base64 wherever it stands."""
    data = word.encode()
    yield data.lower()
    yield data.hex().encode()
    yield "".join(f"%{byte:02x}" for byte in data).encode()
    for offset in range(3):
        encoded = base64.b64encode(bytes(offset) + data)
        yield encoded[4 if offset else 0 : 4 * ((offset + len(data)) // 3)].lower()


def found_in(written: bytes, words: tuple[str, ...] | list[str]) -> list[str]:
    lowered = written.lower()
    return [word for word in words if any(form in lowered for form in forms(word))]


def echo_of(exchange: upstream.Exchange) -> str:
    """Return all that a request held, its header values in every dress in which a server may repeat them."""
    request = exchange.request
    told = [f"{request.method} {request.path}", request.body.decode(errors="replace")[:300]]
    for name, value in request.headers.items():
        if not found_in(value.encode(), SECRETS):
            continue
        bare = value.rpartition(" ")[2]
        if value.startswith("Basic "):
            told.append(base64.b64decode(bare).decode())
        told += [f"{name}: {value}", repr(value), json.dumps(bare), json.dumps(json.dumps(bare)), quote(bare, safe="")]
        told += [base64.b64encode(one.encode()).decode() for one in (value, bare, f"user:{bare}")]
        told += [base64.urlsafe_b64encode(bare.encode()).decode(), bare.encode().hex(), bare.upper()]
        told += ["".join(f"\\u{ord(one):04X}" for one in bare), "".join(f"%{ord(one):02x}" for one in bare)]
    return " ; ".join(told)


def pieces(text: str) -> Iterator[str]:
    """Yield parts short enough that none is cut; the last one is the whole, which is."""
    yield from text.split(" ; ")
    yield text


Body = Callable[[str], bytes]
DRESSES: Final[tuple[Body, ...]] = (
    lambda echo: json.dumps({"error": {"message": echo, "type": echo, "code": echo, "param": echo}}).encode(),
    lambda echo: json.dumps({"error": echo}).encode(),
    lambda echo: json.dumps({"type": "error", "error": {"type": "api_error", "message": echo}}).encode(),
    lambda echo: json.dumps([{"error": {"code": 400, "message": echo, "status": echo}}]).encode(),
    lambda echo: json.dumps({"detail": [{"loc": ["header"], "msg": echo}], "request_id": echo}).encode(),
    lambda echo: echo.encode(),
    lambda echo: f"<html>{echo}</html>".encode(),
    lambda echo: f'{{"error": {{"message": "{echo}'.encode(errors="replace"),
)
STATUSES: Final = (400, 401, 403, 404, 413, 422, 429, 500)


def refuse(status: int, body: Body, at: int) -> upstream.Handler:
    """Refuse every request, repeating a piece of what was sent in the body and in headers."""

    async def handler(exchange: upstream.Exchange) -> None:
        parts = list(pieces(echo_of(exchange)))
        echo = parts[at % len(parts)]
        plain = echo.encode("ascii", "replace").decode().replace("\n", " ").replace("\r", " ")
        headers = {"content-type": "application/json", "x-request-id": plain, "www-authenticate": plain}
        await exchange.respond(status, headers | {"retry-after-ms": "1"}, body(echo))

    return handler


def stream_of(*events: Callable[[str], Any]) -> upstream.Handler:
    """Begin to answer, and break off with an error that repeats what was sent."""

    async def handler(exchange: upstream.Exchange) -> None:
        if "embed" in exchange.request.path.lower():  # which is no stream, and would be asked for again after a pause
            await refuse(400, DRESSES[0], 0)(exchange)
            return
        echo = echo_of(exchange)
        await exchange.start(200, upstream.EVENT_STREAM)
        for event in events:
            await exchange.send(b"data: " + json.dumps(event(echo)).encode() + b"\n\n")
        await exchange.cut()

    return handler


async def redirect(exchange: upstream.Exchange) -> None:
    key = next(iter(value for value in exchange.request.headers.values() if SECRETS[1] in value), "nothing")
    place = quote(key.rpartition(" ")[2], safe="")
    await exchange.respond(307, {"location": f"http://127.0.0.1:9/{place}?key={place}"})


async def redirect_within(exchange: upstream.Exchange) -> None:
    key = next(iter(value for value in exchange.request.headers.values() if SECRETS[1] in value), "nothing")
    await exchange.respond(307, {"location": f"/{quote(key.rpartition(' ')[2], safe='')}"})


async def list_keys(exchange: upstream.Exchange) -> None:
    """Answer with models that are called what the request was authorised with."""
    sent = exchange.request.headers
    names = [sent[name] for name in ("authorization", "x-api-key", "x-goog-api-key") if name in sent]
    models = [{"id": name, "name": f"models/{name}", "display_name": name} for name in [*names, "gpt-plain"]]
    body = {"data": models, "models": models, "embedding": names, "choices": names, "usage": names}
    await exchange.respond(200, upstream.JSON, json.dumps(body).encode())


def text_chunk(echo: str) -> Any:
    del echo
    return {"choices": [{"index": 0, "delta": {"content": ANSWER}}]}


def end_chunk(echo: str) -> Any:
    del echo
    return {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}


HANDLERS: Final[tuple[upstream.Handler, ...]] = (
    *(refuse(STATUSES[at % len(STATUSES)], DRESSES[at % len(DRESSES)], at) for at in range(24)),
    stream_of(text_chunk, lambda echo: {"error": {"message": echo, "code": echo}}),
    stream_of(lambda echo: {"type": "error", "error": {"type": "api_error", "message": echo}}),
    stream_of(lambda echo: {"type": "response.failed", "response": {"error": {"code": echo, "message": echo}}}),
    stream_of(lambda echo: echo),
    stream_of(text_chunk),
    upstream.events(
        b"data: " + json.dumps(text_chunk("")).encode() + b"\n\ndata: " + json.dumps(end_chunk("")).encode()
    ),
    redirect,
    redirect_within,
    list_keys,
)

CONVERSATION: Final[dict[str, Any]] = {
    "messages": [
        {"role": "system", "content": PROMPTS[1]},
        {"role": "user", "content": PROMPTS[0]},
        {"role": "assistant", "content": [{"type": "tool_call", "id": "c", "name": "f", "arguments": '{"a":1}'}]},
        {"role": "tool", "content": [{"type": "tool_result", "tool_call_id": "c", "content": PROMPTS[2]}]},
    ],
    "model": "gpt-plain",
    "retry": {"max_retries": 1},
    "timeouts": {"total": 20_000},
}


def instances(url: str) -> list[dict[str, Any]]:
    """Return a configuration per dialect, and per way in which a key is given."""
    return [
        {"provider": "openai", "base_url": f"{url}/v1"},
        {"provider": "anthropic", "base_url": url, "api_key": KEYS["inline"]},
        {"provider": "google", "base_url": url, "headers": {"X-Extra": KEYS["header"]}, "api_key": KEYS["inline"]},
        {"provider": "ollama", "base_url": url, "context_size": 512, "api_key": KEYS["inline"]},
        {
            "provider": "openai_compatible",
            "id": "bearer",
            "base_url": f"{url}/v1",
            "headers": {"Authorization": f"Bearer {KEYS['bearer']}"},
        },
        {"provider": "openai_compatible", "id": "from_file", "base_url": f"{url}/v1", "api_key": KEYS["file"]},
        {"provider": "openai_compatible", "id": "far", "base_url": "http://models.test/v1"},
    ]


Asked = list[dict[str, Any]]


def each(ids: list[str], **params: Any) -> Asked:
    return [{"provider": id_, **params} for id_ in ids]


def drive(url: str, ids: list[str]) -> dict[str, Asked]:
    """Return what every method is asked with; among it what is wrong, and holds keys where none belong."""
    configs = instances(url)
    saved = {"provider": "openai", "api_key": KEYS["saved"], "base_url": f"{url}/v1"}
    misplaced = [KEYS["saved"], {"key": KEYS["saved"]}, [KEYS["saved"]]]
    return {
        "initialize": [{"protocol_version": KEYS["saved"]}, {"client_info": {"name": 7, "version": KEYS["saved"]}}],
        "server.ping": [{}],
        "rpc.discover": [{}],
        "credentials.save": [
            saved,
            {**saved, "provider": 5},
            {**saved, "base_url": f"http://{KEYS['saved']}/"},
            {**saved, "api_key": misplaced},
            {**saved, "api_key": KEYS["saved"] + "\n"},
            {**saved, "provider": "azure", "base_url": None},
        ],
        "credentials.get": [{"provider": "openai"}, {"provider": "openai", "base_url": KEYS["saved"]}],
        "credentials.list": [{}],
        "providers.list": [{}],
        "providers.configure": [
            *({"config": config} for config in configs),
            *({"config": {**configs[0], "id": "bad", "api_key": wrong}} for wrong in misplaced[1:]),
            {"config": {**configs[0], "id": "bad", "base_url": f"https://me:{KEYS['saved']}@127.0.0.1"}},
            {"config": {**configs[0], "id": "bad", "headers": {KEYS["header"]: "x"}}},
            {"config": {"provider": KEYS["inline"]}},
        ],
        "providers.set_active": [{"provider": "openai"}, {"config": {"provider": KEYS["saved"]}}],
        "providers.get_active": [{}],
        "providers.remove": [{"provider": "bad"}, {"provider": KEYS["saved"]}],
        "providers.test": [*each(ids), *({"config": config} for config in configs), *each(ids[:2], probe=True)],
        "models.list": [*each(ids), {"provider": KEYS["saved"]}],
        "models.recommend": [{"providers": ids}],
        "models.load": [{"provider": "local", "model": KEYS["saved"]}, {"provider": "openai"}],
        "models.unload": [{"provider": "local", "model": KEYS["saved"]}],
        "models.download": [{"url": f"{url}/m.gguf"}, {"repo": KEYS["saved"], "file": "m.gguf"}],
        "models.delete": [{"model": KEYS["saved"]}],
        "chat.complete": [
            *each(ids, **CONVERSATION, cache={"mode": "off"}, fallback=[{"provider": "bearer"}]),
            {**CONVERSATION, "provider": "openai", "temperature": KEYS["saved"]},
            {**CONVERSATION, "provider": "openai", "messages": [{"role": KEYS["saved"], "content": PROMPTS[0]}]},
            script({"do": "defect"}, messages=CONVERSATION["messages"]),
            script({"do": "nonsense", "text": KEYS["saved"]}, messages=CONVERSATION["messages"]),
        ],
        "chat.stream": [
            *each(ids, **CONVERSATION),
            script({"do": "text", "text": ANSWER}, {"do": "defect"}, messages=CONVERSATION["messages"]),
        ],
        "chat.cancel": [{"stream_id": "none"}, {"stream_id": [PROMPTS[0]]}],
        "chat.estimate": each(ids, **CONVERSATION),
        "embeddings.create": each(ids, model="m", input=[PROMPTS[3]]),
        "usage.summary": [{"group_by": ["provider", "model"]}, {"group_by": [KEYS["saved"]]}],
        "budgets.set": [{"id": "all", "amount": "100"}, {"id": "all", "amount": KEYS["saved"]}],
        "budgets.list": [{}],
        "cache.stats": [{}],
        "cache.clear": [{}],
        "credentials.delete": [{"provider": "nobody"}],
    }


LAST: Final = "shutdown"


@pytest.mark.parametrize(("format_", "handlers"), [("text", HANDLERS), ("json", HANDLERS[::4])], ids=["text", "json"])
def test_no_canary_is_found_in_anything_that_was_written(
    tmp_path: Path, format_: str, handlers: tuple[upstream.Handler, ...]
) -> None:
    watched = tmp_path / "watched"
    for name in ("home", "work", "tmp"):
        (watched / name).mkdir(parents=True)
    current: list[upstream.Handler] = [HANDLERS[0]]

    async def as_told(exchange: upstream.Exchange) -> None:
        await current[0](exchange)

    with ExitStack() as stack:
        server = stack.enter_context(upstream.running(as_told))
        proxy = stack.enter_context(upstream.running(as_told))
        flags = ["--config", str(config_file(tmp_path, server.url)), "--log-level", "debug"]
        flags += [
            "--log-format",
            format_,
            "--scripted",
            "--key-env",
            "--proxy",
            proxy.url.replace("//", f"//me:{KEYS['proxy']}@"),
        ]
        env = MEMORY_KEYCHAIN | {"OPENAI_API_KEY": KEYS["environment"], "TMPDIR": str(watched / "tmp")}
        log = stack.enter_context((watched / "stderr").open("wb"))
        host = stack.enter_context(Host(watched / "home", *flags, env=env, cwd=watched / "work", stderr=log))
        replies = begin(host, server.url)
        for handler in handlers:
            current[0], before = handler, len(server.requests)
            replies += ask_at_once(host, server.url)
            assert len(server.requests) - before >= FEWEST
        assert found_in(everything_below(watched), [*SECRETS, *PROMPTS, ANSWER]) == []
        replies += [json.dumps(host.reply(host.send(LAST))).encode()]
        assert host.wait() == 0
    assert found_in(b"\n".join(replies), SECRETS) == []
    written = everything_below(watched)
    assert found_in(written, [*SECRETS, *PROMPTS, ANSWER]) == []
    assert b"a defect, as the script asks" in written
    assert b"SQLite format 3" in written
    sent = [json.dumps([request.headers, request.body.decode("latin-1")]).encode() for request in server.requests]
    arrived = b"\n".join(sent + [json.dumps(request.headers).encode() for request in proxy.requests])
    assert set(found_in(arrived, SECRETS)) == set(SECRETS) - {SECRETS[2]}  # it is for its provider's own server
    assert set(found_in(arrived, list(PROMPTS))) == set(PROMPTS)


def config_file(folder: Path, url: str) -> Path:
    path = folder / "config.toml"
    path.write_text(
        f"[[providers]]\nprovider = 'openai_compatible'\nid = 'from_file'\nmodel = 'm'\nbase_url = '{url}/v1'\n"
        f"api_key = '{KEYS['file']}'\n"
    )
    return path


def names(url: str) -> list[str]:
    return [config.get("id", config["provider"]) for config in instances(url)]


def begin(host: Host, url: str) -> list[bytes]:
    """Ask everything once, one after the other; return all that the host was told."""
    methods = drive(url, names(url))
    assert methods.keys() | {LAST} == {method.name for method in METHODS}, "a method is not driven"
    told = [host.initialize()]
    for method in ("credentials.save", "providers.configure"):
        told += [host.reply(host.send(method, params)) for params in methods[method]]
    for method, asked in methods.items():
        for params in asked:
            told.append(host.reply(host.send(method, params), told))
    return [json.dumps(message).encode() for message in told]


SENDING: Final = (
    "chat.complete",
    "chat.stream",
    "chat.estimate",
    "embeddings.create",
    "models.list",
    "models.recommend",
    "providers.test",
)
FEWEST: Final = 35
"""How many requests it brings a server when every instance is asked all of these; some have no embeddings."""


def ask_at_once(host: Host, url: str) -> list[bytes]:
    """Ask every instance all that sends something, all at the same time."""
    ids = names(url)
    methods = drive(url, ids)
    missing = {host.send(name, params) for name in SENDING for params in methods[name][: len(ids)]}
    told: list[bytes] = []
    while missing:
        message = host.receive()
        told.append(json.dumps(message).encode())
        missing.discard(message.get("id"))
    return told


def everything_below(folder: Path) -> bytes:
    """Return the names and contents of all files."""
    files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    return b"\n".join(part for path in files for part in (str(path.relative_to(folder)).encode(), path.read_bytes()))


def test_the_search_finds_what_it_looks_for() -> None:
    for word in (*SECRETS, *PROMPTS):
        for before in ("", "x", "Bearer ", "me:"):
            data = f"{before}{word} and more".encode()
            for form in (
                data,
                data.upper(),
                data.hex().encode(),
                base64.b64encode(data),
                base64.urlsafe_b64encode(data),
            ):
                assert found_in(b"<" + form + b">", [word]) == [word]
    assert found_in(b"nothing of the kind", [*SECRETS, *PROMPTS]) == []


@pytest.mark.skipif(sys.platform == "win32", reason="Windows writes no core files")
def test_a_crash_leaves_no_image_of_the_memory(tmp_path: Path) -> None:
    import resource

    def allow_dumps() -> None:
        _, most = resource.getrlimit(resource.RLIMIT_CORE)
        resource.setrlimit(resource.RLIMIT_CORE, (most, most))

    work = tmp_path / "work"
    work.mkdir()
    with Host(tmp_path, cwd=work, preexec_fn=allow_dumps) as host:
        host.initialize()
        limits = Path(f"/proc/{host.process.pid}/limits")
        if limits.exists():
            (line,) = [one for one in limits.read_text().splitlines() if one.startswith("Max core file size")]
            assert line.split()[4:6] == ["0", "0"]
        os.kill(host.process.pid, signal.SIGABRT)
        assert host.process.wait(PATIENCE_S) == -signal.SIGABRT
    assert list(work.iterdir()) == []
