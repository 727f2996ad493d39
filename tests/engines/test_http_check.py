from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import upstream
from upstream import Exchange

from sidecar.dialects.named import dialect
from sidecar.engines import diagnosis
from sidecar.engines.failures import OWN_SERVER
from sidecar.engines.http import HttpEngine
from sidecar.engines.network import HttpTransport
from sidecar.handler import Target
from sidecar.providers import PROVIDERS
from sidecar.schema import providers as schema
from sidecar.schema.secret import Secret

pytestmark = pytest.mark.anyio

NAMES = ("small-1", "large-1", "qwen3:latest", "haiku-4-5-20251001", "mini-2024-07-18")
LISTING = upstream.answer({"data": [{"id": name} for name in NAMES]})
SERVER = upstream.by_path(models=LISTING)


@pytest.fixture
async def engine() -> AsyncIterator[HttpEngine]:
    made = HttpEngine(HttpTransport(), {}, load=dialect)
    yield made
    await made.close()


def target(url: str, kind: str = "vllm", model: str = "small-1", key: str | None = None) -> Target:
    record = PROVIDERS[kind]
    config: schema.BaseConfig = record.config(base_url=url)
    secret = Secret(key) if key else None
    return Target(id="here", provider=record, config=config, endpoint=url, model=model, key=secret)


def ok(stages: list[schema.TestStage]) -> list[str]:
    return [stage.stage for stage in stages if stage.ok]


def failure(stages: list[schema.TestStage]) -> tuple[Any, ...]:
    """Return the stage that failed: its name, the type of its error, and the hint."""
    last = stages[-1]
    assert not last.ok
    assert last.error is not None
    return last.stage, last.error.data.type, last.hint


async def test_a_working_server_passes_every_stage(engine: HttpEngine) -> None:
    async with upstream.serve(SERVER) as server:
        stages = await engine.check(target(server.url + "/v1"))
        assert ok(stages) == ["config", "dns", "tcp", "http", "auth", "model"]
        assert [(request.method, request.path) for request in server.requests] == [("GET", "/v1/models")]
    assert all(stage.ms < 1000 for stage in stages)


async def test_a_server_with_encryption_passes_one_stage_more(tmp_path: Path) -> None:
    pem = upstream.certificate(tmp_path)
    engine = HttpEngine(HttpTransport(ca_file=pem), {}, load=dialect)
    async with upstream.serve(SERVER, upstream.tls_context(pem)) as server:
        stages = await engine.check(target(server.url + "/v1"))
        await engine.close()
    assert ok(stages) == ["config", "dns", "tcp", "tls", "http", "auth", "model"]


async def test_an_untrusted_certificate_fails_at_tls(engine: HttpEngine, tmp_path: Path) -> None:
    pem = upstream.certificate(tmp_path)
    async with upstream.serve(SERVER, upstream.tls_context(pem)) as server:
        stages = await engine.check(target(server.url + "/v1"))
    assert failure(stages) == ("tls", "tls", OWN_SERVER)


@pytest.mark.parametrize(
    ("url", "type_"),
    [
        ("localhost:11434", "invalid_params"),
        ("http://me:pass@localhost/v1", "invalid_params"),
        ("http://lan.example/v1", "origin_not_allowed"),
    ],
)
async def test_an_address_that_cannot_be_used_fails_at_config(engine: HttpEngine, url: str, type_: str) -> None:
    stages = await engine.check(target(url, key="sk-1"))
    assert failure(stages)[:2] == ("config", type_)


async def test_a_missing_key_fails_at_config(engine: HttpEngine) -> None:
    stages = await engine.check(target("https://api.openai.com/v1", "openai"))
    assert failure(stages) == ("config", "credential_not_found", None)


async def test_an_unknown_name_fails_at_dns(engine: HttpEngine) -> None:
    stages = await engine.check(target("http://nowhere.invalid/v1"))
    assert failure(stages) == ("dns", "dns", "Check the host name and the internet connection.")


async def test_a_server_that_is_not_running_fails_at_tcp(engine: HttpEngine) -> None:
    async with upstream.serve(SERVER) as server:
        url = server.url
    stages = await engine.check(target(url + "/v1"))
    hint = f"Is the server running? Nothing listens at {url.removeprefix('http://')}."
    assert failure(stages) == ("tcp", "connect", hint)


async def test_encryption_where_there_is_none_fails_at_tls(engine: HttpEngine) -> None:
    async with upstream.serve(SERVER) as server:
        stages = await engine.check(target(server.url.replace("http:", "https:") + "/v1"))
    assert failure(stages) == ("tls", "tls", f"The server has no encryption on this port: {server.url}/v1")


async def test_no_encryption_where_there_should_be_some_fails_at_http(engine: HttpEngine, tmp_path: Path) -> None:
    tls = upstream.tls_context(upstream.certificate(tmp_path))
    async with upstream.serve(SERVER, tls) as server:
        stages = await engine.check(target(server.url.replace("https:", "http:") + "/v1"))
    assert failure(stages) == ("http", "connect", f"The server expects encryption on this port: {server.url}/v1")


@pytest.mark.parametrize(
    ("path", "hint"),
    [
        ("", "base_url may lack its version: {url}/v1"),
        ("/api", "base_url may lack its version: {url}/api/v1"),
        ("/v1/chat/completions", "base_url ends before /chat/completions: {url}/v1"),
        ("/v1/models/", "base_url ends before /models: {url}/v1"),
    ],
)
async def test_a_wrong_path_fails_at_http_with_a_better_one(engine: HttpEngine, path: str, hint: str) -> None:
    async with upstream.serve(upstream.answer({"error": "not found"}, 404)) as server:
        stages = await engine.check(target(server.url + path))
    stage, _, healing = failure(stages)
    assert (stage, healing) == ("http", hint.format(url=server.url))


async def test_a_web_page_fails_at_http(engine: HttpEngine) -> None:
    page = upstream.answer(b"<html></html>", headers={"content-type": "text/html"})
    async with upstream.serve(page) as server:
        stages = await engine.check(target(server.url))
    assert failure(stages) == ("http", "malformed_response", f"base_url may lack its version: {server.url}/v1")


async def test_a_broken_server_fails_at_http(engine: HttpEngine) -> None:
    async with upstream.serve(upstream.answer({"error": "out of order"}, 500)) as server:
        stages = await engine.check(target(server.url + "/v1"))
    assert failure(stages)[:2] == ("http", "server_error")


async def test_a_silent_server_fails_at_http_in_time(engine: HttpEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    async def handler(exchange: Exchange) -> None:
        await exchange.hang()

    monkeypatch.setattr(diagnosis, "STEP_SECONDS", 0.2)
    async with upstream.serve(handler) as server:
        stages = await engine.check(target(server.url + "/v1"))
    assert failure(stages)[:2] == ("http", "timeout")


async def test_a_key_that_is_refused_fails_at_auth(engine: HttpEngine) -> None:
    async with upstream.serve(upstream.answer({"error": {"message": "Bad key"}}, 401)) as server:
        stages = await engine.check(target(server.url + "/v1", key="sk-1"))
    assert ok(stages) == ["config", "dns", "tcp", "http"]
    assert failure(stages)[:2] == ("auth", "authentication")


async def test_a_key_is_tried_where_the_list_is_open_to_all(engine: HttpEngine) -> None:
    key = upstream.answer({"error": {"message": "No such key"}}, 401)
    async with upstream.serve(upstream.by_path(models=LISTING, key=key)) as server:
        stages = await engine.check(target(server.url + "/v1", "openrouter", key="sk-1"))
        assert [request.path for request in server.requests] == ["/v1/models", "/v1/key"]
    assert failure(stages)[:2] == ("auth", "authentication")


async def test_a_model_that_is_not_listed_fails_with_those_that_are(engine: HttpEngine) -> None:
    async with upstream.serve(SERVER) as server:
        stages = await engine.check(target(server.url + "/v1", model="smal-1"))
    assert failure(stages) == ("model", "model_not_found", "It lists small-1.")


@pytest.mark.parametrize(
    "model",
    [
        "qwen3",
        "qwen3:latest",
        "small-1:nitro",
        "haiku-4-5",
        "haiku-4-5-latest",
        "mini",
        "mini-latest",
    ],
)
async def test_tags_and_variants_and_dates_of_a_model_are_found(engine: HttpEngine, model: str) -> None:
    async with upstream.serve(SERVER) as server:
        stages = await engine.check(target(server.url + "/v1", model=model))
    assert ok(stages)[-1] == "model"


async def test_a_model_may_be_named_as_its_format_does(engine: HttpEngine) -> None:
    listing = upstream.answer({"models": [{"name": "models/flash-1"}]})
    async with upstream.serve(upstream.by_path(models=listing)) as server:
        for kind, model, last in [("google", "models/flash-1", True), ("google", "flash-1", True)]:
            stages = await engine.check(target(server.url + "/v1beta", kind, model, key="k"))
            assert (stages[-1].stage, stages[-1].ok) == ("model", last)
    async with upstream.serve(SERVER) as server:
        stages = await engine.check(target(server.url + "/v1", model="models/small-1"))
    assert failure(stages)[:2] == ("model", "model_not_found")


@pytest.mark.parametrize(("kind", "model"), [("openai_compatible", "unlisted"), ("vllm", "")])
async def test_models_are_not_compared_where_that_would_say_nothing(engine: HttpEngine, kind: str, model: str) -> None:
    async with upstream.serve(SERVER) as server:
        stages = await engine.check(target(server.url + "/v1", kind, model))
    assert ok(stages) == ["config", "dns", "tcp", "http", "auth"]


async def test_a_key_that_is_refused_with_a_mere_400_fails_at_auth(engine: HttpEngine) -> None:
    details = [{"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "API_KEY_INVALID"}]
    body = {"error": {"code": 400, "message": "API key not valid.", "status": "INVALID_ARGUMENT", "details": details}}
    async with upstream.serve(upstream.answer(body, 400)) as server:
        stages = await engine.check(target(server.url + "/v1beta", "google", key="wrong"))
    assert failure(stages)[:2] == ("auth", "authentication")
