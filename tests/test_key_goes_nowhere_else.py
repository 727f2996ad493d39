"""A front end that lies cannot have a key sent elsewhere: what counts is what the servers have received."""

import asyncio
import socket
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import pytest
import upstream
from anyio.from_thread import start_blocking_portal
from host import PATIENCE_S, Host, session
from kept_keys import MEMORY_KEYCHAIN, has_seen, received
from msgspec.structs import replace

from sidecar.dialects.contract import HttpRequest
from sidecar.dialects.openai_chat import DIALECT
from sidecar.engines.addressing import Addressing
from sidecar.engines.http import HttpEngine
from sidecar.engines.network import HttpTransport
from sidecar.handler import Target
from sidecar.providers import PROVIDERS
from sidecar.providers.openai_compatible import CompatibleConfig
from sidecar.schema.errors import SidecarError
from sidecar.schema.secret import Secret

KEY = "sk-canary-own-0123456789abcdef"
OTHER_KEY = "sk-canary-other-fedcba9876543210"
QUESTION: dict[str, Any] = {"messages": [{"role": "user", "content": "Hi"}], "retry": {"max_retries": 0}}
ASKING: dict[str, dict[str, Any]] = {
    "chat.complete": {**QUESTION, "model": "m"},
    "chat.stream": {**QUESTION, "model": "m"},
    "chat.estimate": {**QUESTION, "model": "m"},
    "embeddings.create": {"input": ["Hi"], "model": "m"},
    "models.list": {},
    "providers.test": {},
}
REFUSING = upstream.answer({"error": {"message": "No."}}, 400)
GREETING = upstream.events(
    b'data: {"choices":[{"index":0,"delta":{"content":"Hello"}}]}\n\n',
    b'data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n',
)


class Scene:
    """A sidecar that keeps a key for one of two servers."""

    def __init__(self, host: Host, own: upstream.Server, other: upstream.Server) -> None:
        self.host, self.own, self.other = host, own, other
        host.call("credentials.save", {"provider": "google", "api_key": KEY, "base_url": own.url})

    def claim(self, base_url: str, **settings: Any) -> Any:
        """Return the reply to a front end that says where the provider is."""
        self.own.requests.clear()
        self.other.requests.clear()
        self.host.call("providers.remove", {"provider": "google"})
        config = {"provider": "google", "base_url": base_url, **settings}
        return self.host.reply(self.host.send("providers.configure", {"config": config}))

    def ask_everything(self, provider: str = "google") -> dict[str, Any]:
        """Return the replies to all methods that send something."""
        asked = {name: self.host.send(name, {"provider": provider, **params}) for name, params in ASKING.items()}
        asked["models.recommend"] = self.host.send("models.recommend", {"providers": [provider]})
        replies: dict[Any, Any] = {}
        while not replies.keys() >= set(asked.values()):
            message = self.host.receive()
            if "id" in message:
                replies[message["id"]] = message
        return {name: replies[id_] for name, id_ in asked.items()}


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    with (
        upstream.running(REFUSING) as own,
        upstream.running(REFUSING) as other,
        session(tmp_path_factory.mktemp("home"), "--limit", "cooldown_ms=1", env=MEMORY_KEYCHAIN) as host,
    ):
        yield Scene(host, own, other)


@pytest.mark.parametrize(
    "address",
    [
        "http://127.0.0.1:{own}",
        "HTTP://127.0.0.1:{own}/v1beta/",
        "http://127.0.0.1:{own}/..%2f..%2f@127.0.0.1:{other}/",
        "http://127.0.0.1:{own}/%2e%2e/%2e%2e/v1",
        "http://127.0.0.1:{own}/http://127.0.0.1:{other}",
    ],
)
def test_the_server_that_a_key_was_saved_for_gets_it_whatever_is_asked(scene: Scene, address: str) -> None:
    assert "result" in scene.claim(address.format(own=scene.own.port, other=scene.other.port))
    scene.ask_everything()
    assert {request.headers.get("x-goog-api-key") for request in scene.own.requests} == {KEY}
    assert len(scene.own.requests) >= len(ASKING)
    assert scene.other.requests == []


@pytest.mark.parametrize(
    "address",
    [
        "http://127.0.0.1:{other}",
        "http://127.0.0.1:{other}/http://127.0.0.1:{own}",
        "http://localhost:{own}",
        "http://localhost:{other}",
        "http://key.localhost:{own}",
        "https://127.0.0.1:{own}",
        "https://127.0.0.1:{other}",
        "http://127.0.0.1.:{own}",
        "http://127.0.0.2:{own}",
        "http://[::1]:{own}",
        "http://[::ffff:127.0.0.1]:{own}",
        "http://2130706433:{own}",
        "http://0x7f000001:{own}",
        "http://0x7f.1:{own}",
        "http://0177.0.0.1:{own}",
        "http://127.1:{own}",
        "http://0.0.0.0:{own}",
        "http://127.0.0.1%2e:{own}",
        "http://127.0.0.1%00:{own}",
        "http://xn--127-0-0-1:{own}",
        "http://127.0.0.1",
    ],
)
def test_no_other_server_gets_it_nor_the_same_one_under_another_name(scene: Scene, address: str) -> None:
    assert "result" in scene.claim(address.format(own=scene.own.port, other=scene.other.port))
    replies = scene.ask_everything()
    assert scene.own.requests + scene.other.requests == []
    for name in ASKING.keys() - {"providers.test"}:
        assert replies[name]["error"]["data"]["type"] == "origin_not_allowed", name
    stage = replies["providers.test"]["result"]["stages"][-1]
    assert (stage["stage"], stage["error"]["data"]["type"]) == ("config", "origin_not_allowed")


@pytest.mark.parametrize(
    "address",
    [
        "http://127.0.0.1:{own}@127.0.0.1:{other}",
        "http://127.0.0.1:{own}\\@127.0.0.1:{other}",
        "http://127.0.0.1:{own}\\127.0.0.1:{other}",
        "http://127.0.0.1:{own}\t@127.0.0.1:{other}",
        "http://127.0.0.1:\t{other}",
        "http://127.0.0.1:{own}\r\nhost: evil",
        "http://127.0.0.1:{own} ",
        "http://127.0.0.1:{own}#@127.0.0.1:{other}",
        "http://127.0.0.1:{own}?@127.0.0.1:{other}",
        "http://127.0.0.1:{own}:{other}",
        "http://user:pass@127.0.0.1:{own}",
        "http://\uff11\uff12\uff17.0.0.1:{own}",
        "http://127\u30020.0.1:{own}",
        "http://[::1]@127.0.0.1:{other}",
        "//127.0.0.1:{other}",
        "ftp://127.0.0.1:{other}",
    ],
)
def test_an_address_that_can_be_read_in_two_ways_is_not_taken(scene: Scene, address: str) -> None:
    reply = scene.claim(address.format(own=scene.own.port, other=scene.other.port))
    assert reply["error"]["data"]["type"] == "invalid_params"
    assert scene.own.requests + scene.other.requests == []


def test_a_test_of_a_configuration_that_is_not_kept_gives_no_key_away(scene: Scene) -> None:
    scene.claim(scene.own.url)
    config = {"provider": "google", "base_url": scene.other.url, "model": "m"}
    result = scene.host.call("providers.test", {"config": config})
    assert result["stages"][-1]["error"]["data"]["type"] == "origin_not_allowed"
    assert scene.other.requests == []


def test_an_instance_under_a_new_id_gets_no_key_for_another_server(scene: Scene) -> None:
    scene.claim(scene.own.url)
    config = {"provider": "google", "id": "innocent", "base_url": scene.other.url}
    scene.host.call("providers.configure", {"config": config})
    scene.ask_everything("innocent")
    assert scene.other.requests == []


def test_an_instance_of_another_kind_may_not_take_a_providers_name(scene: Scene) -> None:
    config = {"provider": "openai_compatible", "id": "google", "base_url": scene.other.url, "model": "m"}
    error = scene.host.fail("providers.configure", {"config": config})
    assert (error["data"]["type"], error["data"]["param"]) == ("invalid_params", "id")


def test_a_login_of_ones_own_for_another_server_takes_no_saved_key_along(scene: Scene) -> None:
    scene.claim(scene.other.url, headers={"Authorization": f"Bearer {OTHER_KEY}"})
    scene.ask_everything()
    assert not has_seen(scene.other, KEY)
    scene.claim(scene.other.url, api_key=OTHER_KEY)
    scene.ask_everything()
    assert (has_seen(scene.other, OTHER_KEY), has_seen(scene.other, KEY), scene.own.requests) == (True, False, [])


def test_what_a_request_brings_along_cannot_change_where_its_key_goes(scene: Scene) -> None:
    scene.claim(scene.own.url)
    trick = {"base_url": scene.other.url, "headers": {"host": "evil"}, "url": scene.other.url}
    for model in ("../../x", f"@127.0.0.1:{scene.other.port}/", f"//127.0.0.1:{scene.other.port}", "m\r\nhost: evil"):
        asked = {**QUESTION, "provider": "google", "model": model, **trick, "provider_options": {"google": trick}}
        for method in ("chat.complete", "chat.estimate"):
            scene.host.reply(scene.host.send(method, asked))
    assert (scene.other.requests, has_seen(scene.own, KEY)) == ([], True)
    assert {request.headers["host"] for request in scene.own.requests} == {f"127.0.0.1:{scene.own.port}"}


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("goal", ["{other}/v1/models", "//127.0.0.1:{port}/v1", "http://127.0.0.1:{own}@{bare}/"])
def test_no_redirect_takes_a_key_to_another_server(tmp_path: Path, status: int, goal: str) -> None:
    with upstream.running(REFUSING) as other:
        pointer: dict[str, str] = {}

        async def redirect(exchange: upstream.Exchange) -> None:
            await exchange.respond(status, pointer)

        with upstream.running(redirect) as own, session(tmp_path, env=MEMORY_KEYCHAIN) as host:
            bare = other.url.removeprefix("http://")
            pointer["location"] = goal.format(other=other.url, port=other.port, own=own.port, bare=bare)
            scene = Scene(host, own, other)
            scene.claim(own.url)
            scene.ask_everything()
            assert (has_seen(own, KEY), other.connections) == (True, 0)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_within_a_server_is_followed_for_reading_alone(tmp_path: Path, status: int) -> None:
    async def redirect(exchange: upstream.Exchange) -> None:
        if exchange.request.path.startswith("/moved"):
            await REFUSING(exchange)
        else:
            await exchange.respond(status, {"location": f"/moved{exchange.request.path}"})

    with (
        upstream.running(REFUSING) as other,
        upstream.running(redirect) as own,
        session(tmp_path, env=MEMORY_KEYCHAIN) as host,
    ):
        scene = Scene(host, own, other)
        scene.claim(own.url)
        scene.ask_everything()
        moved = [request for request in own.requests if request.path.startswith("/moved")]
        assert {request.method for request in moved} == {"GET"}
        assert {request.headers["x-goog-api-key"] for request in moved} == {KEY}


def test_no_redirect_takes_a_key_from_https_to_http(tmp_path: Path) -> None:
    pem = upstream.certificate(tmp_path)
    with upstream.running(REFUSING) as other:

        async def downgrade(exchange: upstream.Exchange) -> None:
            await exchange.respond(307, {"location": f"http://localhost:{other.port}{exchange.request.path}"})

        env = MEMORY_KEYCHAIN | {"SSL_CERT_FILE": str(pem)}
        with upstream.running(downgrade, upstream.tls_context(pem)) as own, session(tmp_path, env=env) as host:
            scene = Scene(host, own, other)
            scene.claim(own.url)
            scene.ask_everything()
            assert (has_seen(own, KEY), other.connections) == (True, 0)


def configure(host: Host, id_: str, server: upstream.Server, key: str, **settings: Any) -> None:
    config = {"provider": "openai_compatible", "id": id_, "base_url": f"{server.url}/v1", "model": "m"}
    host.call("providers.configure", {"config": {**config, "api_key": key, **settings}})


def test_each_of_a_chain_gets_its_own_key(tmp_path: Path) -> None:
    failing = upstream.answer({"error": {"message": "No."}}, 500)
    with (
        upstream.running(failing) as own,
        upstream.running(GREETING) as other,
        session(tmp_path) as host,
    ):
        configure(host, "one", own, KEY, headers={"x-extra": KEY})
        configure(host, "two", other, OTHER_KEY)
        for method in ("chat.complete", "chat.stream"):
            asked = {**QUESTION, "provider": "one", "fallback": [{"provider": "two"}]}
            assert host.reply(host.send(method, asked))["result"]["provider"] == "two"
        assert (has_seen(own, KEY), has_seen(own, OTHER_KEY)) == (True, False)
        assert (has_seen(other, KEY), has_seen(other, OTHER_KEY)) == (False, True)


def test_a_provider_configured_anew_between_two_questions_gets_each_key_where_it_belongs(tmp_path: Path) -> None:
    gate = upstream.Gate()
    arrived = threading.Event()

    async def late(exchange: upstream.Exchange) -> None:
        arrived.set()
        await gate.passed()
        await exchange.respond(503, {"retry-after-ms": "1"})

    with (
        upstream.running(late) as own,
        upstream.running(GREETING) as other,
        session(tmp_path) as host,
    ):
        configure(host, "one", own, KEY)
        first = host.send("chat.complete", {**QUESTION, "provider": "one", "retry": {"max_retries": 1}})
        assert arrived.wait(PATIENCE_S)
        configure(host, "one", other, OTHER_KEY)
        second = host.reply(host.send("chat.complete", {**QUESTION, "provider": "one"}))
        assert second["result"]["message"]["origin"]["endpoint"] == f"{other.url}/v1"
        gate.open()
        assert host.reply(first)["error"]["data"]["type"] == "provider_overloaded"
        assert len(own.requests) == 2
        assert (has_seen(own, KEY), has_seen(own, OTHER_KEY)) == (True, False)
        assert (has_seen(other, KEY), has_seen(other, OTHER_KEY)) == (False, True)


def test_who_asks_with_another_key_gets_no_answer_that_was_kept_for_the_first(tmp_path: Path) -> None:
    gate = upstream.Gate()

    async def late(exchange: upstream.Exchange) -> None:
        await gate.passed()
        await GREETING(exchange)

    with upstream.running(late) as server, session(tmp_path) as host:
        asked = {**QUESTION, "provider": "one", "cache": {"mode": "on"}}
        sent = []
        for key in (KEY, OTHER_KEY):
            configure(host, "one", server, key)
            sent.append(host.send("chat.complete", asked))
        gate.open()
        replies = [host.receive()["id"] for _ in sent]
        assert sorted(replies) == sent
        configure(host, "one", server, KEY)
        assert host.call("chat.complete", asked)["cached"] is True
    keys = [request.headers["authorization"] for request in server.requests]
    assert sorted(keys) == sorted([f"Bearer {KEY}", f"Bearer {OTHER_KEY}"])


def test_a_key_of_the_environment_goes_to_its_providers_own_server_alone(tmp_path: Path) -> None:
    env = {"GEMINI_API_KEY": KEY, "GOOGLE_API_KEY": KEY, "GROQ_API_KEY": KEY}
    with upstream.running(REFUSING) as server, session(tmp_path, "--key-env", env=env) as host:
        assert {one["id"]: one["key"]["source"] for one in host.call("providers.list")["providers"]}["groq"] == (
            "environment"
        )
        for provider in ("google", "groq"):
            config = {"provider": provider, "base_url": server.url, "model": "m"}
            host.call("providers.configure", {"config": config})
            error = host.fail("chat.complete", {**QUESTION, "provider": provider})
            assert error["data"]["type"] == "credential_not_found"
            host.call("providers.test", {"provider": provider})
        assert received(server) == ""


class Tunnel:
    """A proxy that leads every tunnel to one server, and notes all that passes."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.url = ""
        self.passed = bytearray()
        self.tasks: list[asyncio.Task[None]] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            self.passed += await reader.readuntil(b"\r\n\r\n")
        except asyncio.IncompleteReadError:
            writer.close()  # somebody only looked whether the proxy is there
            return
        inner, outer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(b"HTTP/1.1 200 Connected\r\n\r\n")
        ways = (self._pour(reader, outer), self._pour(inner, writer))
        self.tasks += [asyncio.ensure_future(way) for way in ways]

    async def _pour(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        try:
            while data := await source.read(1 << 16):
                self.passed += data
                sink.write(data)
        except OSError:
            pass
        sink.close()


@asynccontextmanager
async def tunnelling(port: int) -> AsyncIterator[Tunnel]:
    tunnel = Tunnel(port)
    async with await asyncio.start_server(tunnel.serve, "127.0.0.1", 0) as server:
        tunnel.url = f"http://me:canary-password@127.0.0.1:{server.sockets[0].getsockname()[1]}"
        yield tunnel
        for task in tunnel.tasks:
            task.cancel()


@contextmanager
def tunnel_to(port: int) -> Iterator[Tunnel]:
    with start_blocking_portal("asyncio") as portal, portal.wrap_async_context_manager(tunnelling(port)) as tunnel:
        yield tunnel


def test_a_proxy_sees_no_key_and_the_server_no_login_of_the_proxy(tmp_path: Path) -> None:
    pem = upstream.certificate(tmp_path, "models.test")
    env = MEMORY_KEYCHAIN | {"SSL_CERT_FILE": str(pem)}
    with (
        upstream.running(REFUSING, upstream.tls_context(pem)) as own,
        tunnel_to(own.port) as tunnel,
        session(tmp_path, "--proxy", tunnel.url, env=env) as host,
    ):
        host.call("credentials.save", {"provider": "google", "api_key": KEY, "base_url": "https://models.test"})
        host.call("providers.configure", {"config": {"provider": "google", "base_url": "https://models.test"}})
        for method, params in ASKING.items():
            host.reply(host.send(method, {"provider": "google", **params}))
        assert {request.headers["x-goog-api-key"] for request in own.requests if request.path != "/"} == {KEY}
        assert "proxy-authorization" not in received(own)
        assert b"CONNECT models.test:443" in tunnel.passed
        assert b"proxy-authorization" in tunnel.passed.lower()
        assert KEY.encode() not in tunnel.passed


def test_a_key_is_not_sent_unencrypted_through_a_proxy(tmp_path: Path) -> None:
    with upstream.running(REFUSING) as proxy, session(tmp_path, "--proxy", proxy.url, env=MEMORY_KEYCHAIN) as host:
        host.call("credentials.save", {"provider": "google", "api_key": KEY, "base_url": "http://models.test"})
        host.call("providers.configure", {"config": {"provider": "google", "base_url": "http://models.test"}})
        for method, params in ASKING.items():
            host.reply(host.send(method, {"provider": "google", **params}))
        assert proxy.requests == []


def target(url: str) -> Target:
    record = replace(PROVIDERS["openai_compatible"], offers=PROVIDERS["google"].offers)
    config = CompatibleConfig(base_url=url)
    return Target(id="t", provider=record, config=config, endpoint=url, model="m", key=Secret(KEY))


@pytest.fixture
def resolved(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Return the names that lead to the given addresses in this test."""
    names: dict[str, str] = {}
    look_up = asyncio.BaseEventLoop.getaddrinfo

    async def misled(loop: asyncio.BaseEventLoop, host: Any, *args: Any, **options: Any) -> Any:
        return await look_up(loop, names.get(host, host), *args, **options)

    monkeypatch.setattr(asyncio.BaseEventLoop, "getaddrinfo", misled)
    return names


async def models(url: str) -> SidecarError:
    engine = HttpEngine(HttpTransport(), {"openai_chat": DIALECT})
    with pytest.raises(SidecarError) as caught:
        await engine.models(target(url))
    await engine.close()
    return caught.value


@pytest.mark.anyio
async def test_a_name_that_leads_to_this_machine_is_not_this_machine(resolved: dict[str, str]) -> None:
    resolved["models.test"] = "127.0.0.1"
    async with upstream.serve(REFUSING) as server:
        error = await models(f"http://models.test:{server.port}/v1")
        assert (error.type, server.connections) == ("origin_not_allowed", 0)


@pytest.mark.anyio
@pytest.mark.parametrize("name", ["localhost", "app.localhost"])
async def test_a_name_of_this_machine_that_leads_elsewhere_gets_no_key(resolved: dict[str, str], name: str) -> None:
    resolved[name] = own_address()
    received: list[bytes] = []
    gone = asyncio.Event()

    async def note(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        received.append(await reader.read(1 << 16))
        writer.close()
        gone.set()

    async with await asyncio.start_server(note, resolved[name], 0) as listener:
        error = await models(f"http://{name}:{listener.sockets[0].getsockname()[1]}/v1")
        async with asyncio.timeout(PATIENCE_S):
            await gone.wait()
    assert (error.type, received) == ("privacy_blocked", [b""])


def own_address() -> str:
    """Return an address of this machine that is not loopback."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            pytest.skip("this machine has no address but loopback")
        return str(probe.getsockname()[0])


@pytest.mark.parametrize("path", [".evil.example/v1", "@evil.example/", ":1@evil.example", "1"])
def test_no_path_leads_a_request_away_from_its_server(path: str) -> None:
    """Some paths are a server's own words, such as where the next page is."""
    addressing = Addressing("refuse")
    for aim in (target("https://api.example"), target("https://api.example:44")):
        with pytest.raises(SidecarError) as caught:
            addressing.get(aim, path)
        assert caught.value.type in ("origin_not_allowed", "invalid_params")
        with pytest.raises(SidecarError):
            addressing.post(aim, HttpRequest(path, b"{}"))


def test_a_record_that_points_elsewhere_gets_no_key_there() -> None:
    aim = target("https://api.example/v1")
    record = replace(aim.provider, url=lambda _, path: f"https://evil.example{path}")
    with pytest.raises(SidecarError) as caught:
        Addressing("allow").get(replace(aim, provider=record), "/models")
    assert caught.value.message == (
        "A request for https://api.example would have gone to https://evil.example, which was sent nothing."
    )
