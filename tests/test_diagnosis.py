"""`providers.test` of the real process: what is wrong with a way to a server, what helps, and what it costs."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import tunnel
import upstream
from host import Host, session
from upstream import Exchange

from sidecar.providers import PROVIDERS

KEY = "sk-test-1234567890abcdef"
LISTING = upstream.answer({"data": [{"id": "small-1"}, {"id": "large-1"}]})
PAGE = upstream.answer(b"<html></html>", headers={"content-type": "text/html"})
REFUSED = upstream.answer({"error": {"message": f"Incorrect API key provided: {KEY}"}}, 401)
ABSENT = upstream.answer({"error": "not found"}, 404)


REJECTED = "request_rejected"
THOUGHT = "The model works; of its answer nothing but thinking was seen."


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    with session(tmp_path) as host:
        yield host


def diagnose(host: Host, url: str, **settings: Any) -> Any:
    config = {"provider": "vllm", "base_url": url, "model": "small-1", "api_key": KEY, **settings}
    return host.call("providers.test", {"config": config})


def failed(result: Any) -> tuple[str, str, str | None]:
    """Return the stage that failed, the type of its error, and the hint."""
    assert not result["ok"]
    assert [stage["ok"] for stage in result["stages"][:-1]] == [True] * (len(result["stages"]) - 1)
    last = result["stages"][-1]
    return last["stage"], last["error"]["data"]["type"], last.get("hint")


async def not_http(exchange: Exchange) -> None:
    await exchange.raw(b"220 mail.example ESMTP\r\n")
    exchange.connection.close()


@pytest.mark.parametrize(
    ("handler", "path", "fault"),
    [
        (ABSENT, "", ("http", REJECTED, "base_url may lack its version: {url}/v1")),
        (ABSENT, "/v1/chat/completions", ("http", REJECTED, "base_url ends before /chat/completions: {url}/v1")),
        (ABSENT, "/v1/messages", ("http", REJECTED, "base_url ends before /messages: {url}/v1")),
        (ABSENT, "/v1/models/small-1", ("http", REJECTED, "base_url ends before /models/small-1: {url}/v1")),
        (ABSENT, "/v1/embeddings/", ("http", REJECTED, "base_url ends before /embeddings: {url}/v1")),
        (ABSENT, "/api/chat", ("http", REJECTED, "base_url ends before /api/chat: {url}")),
        (PAGE, "", ("http", "malformed_response", "base_url may lack its version: {url}/v1")),
        (PAGE, "/v1", ("http", "malformed_response", "Check base_url.")),
        (not_http, "/v1", ("http", "malformed_response", "Check the port in base_url.")),
        (upstream.answer({}, 301, {"location": "https://elsewhere.example/v1/models"}), "/v1",
         ("http", "origin_not_allowed", "If that is the right server, write its address in base_url.")),
        (upstream.answer({"error": "down"}, 503), "/v1", ("http", "provider_overloaded", None)),
        (REFUSED, "/v1", ("auth", "authentication", "Check the API key, and that it belongs to this provider.")),
        (LISTING, "/v1", ("model", "model_not_found", "It lists small-1.")),
    ],
)  # fmt: skip
def test_a_fault_is_told_with_its_stage_its_cause_and_its_cure(
    host: Host, handler: upstream.Handler, path: str, fault: tuple[str, str, str | None]
) -> None:
    stage, type_, hint = fault
    with upstream.running(handler) as server:
        result = diagnose(host, server.url + path, model="smal-1")
        assert failed(result) == (stage, type_, hint and hint.format(url=server.url))
        assert {request.method for request in server.requests} == {"GET"}
    assert KEY not in json.dumps(result)


def test_encryption_where_there_is_none_is_told_with_the_address(host: Host) -> None:
    with upstream.running(LISTING) as server:
        result = diagnose(host, server.url.replace("http:", "https:") + "/v1")
    assert failed(result) == ("tls", "tls", f"The server has no encryption on this port: {server.url}/v1")


def test_no_encryption_where_there_is_some_is_told_with_the_address(host: Host, tmp_path: Path) -> None:
    """That its certificate is not trusted is the next thing to be told."""
    with upstream.running(LISTING, upstream.tls_context(upstream.certificate(tmp_path))) as server:
        result = diagnose(host, server.url.replace("https:", "http:") + "/v1")
        hint = f"The server expects encryption on this port: {server.url}/v1"
        assert failed(result) == ("http", "connect", hint)
        stage, type_, _ = failed(diagnose(host, server.url + "/v1"))
        assert (stage, type_, server.requests) == ("tls", "tls", [])


def test_nothing_is_said_of_encryption_to_a_server_that_just_hangs_up(host: Host) -> None:
    async def hang_up(exchange: Exchange) -> None:
        await exchange.cut()

    with upstream.running(hang_up) as server:
        assert failed(diagnose(host, server.url + "/v1")) == ("http", "connect", None)


def test_the_other_address_of_this_machine_is_tried(host: Host) -> None:
    with upstream.running(LISTING) as server:
        result = diagnose(host, f"http://[::1]:{server.port}/v1")
    twin = f"http://127.0.0.1:{server.port}/v1"
    assert failed(result) == ("tcp", "connect", f"Something listens at the other address of this machine: {twin}")


def test_a_server_that_is_not_running_is_asked_after(host: Host) -> None:
    with upstream.running(LISTING) as server:
        url = server.url
    netloc = url.removeprefix("http://")
    hint = f"Is the server running? Nothing listens at {netloc}."
    assert failed(diagnose(host, f"{url}/v1")) == ("tcp", "connect", hint)


WORKING = upstream.by_path(
    models=upstream.answer({"data": [{"id": "m"}], "models": [{"name": "m"}], "object": "list"}),
    tags=upstream.answer({"models": [{"name": "m"}]}),
    key=upstream.answer({"data": {}}),
)


@pytest.mark.parametrize("kind", sorted(id_ for id_, record in PROVIDERS.items() if record.engine == "http"))
def test_no_test_of_any_provider_asks_a_model(host: Host, kind: str) -> None:
    with upstream.running(WORKING) as server:
        result = diagnose(host, f"{server.url}/v1", provider=kind, model="m")
        assert {"dns", "tcp", "http"} <= {stage["stage"] for stage in result["stages"]}
        assert {(request.method, request.body) for request in server.requests} == {("GET", b"")}
    assert not {"usage", "cost"}.intersection(result)


def answering(*chunks: dict[str, Any]) -> upstream.Handler:
    """Return a server that lists a model, which answers with `chunks`."""
    stream = b"".join(b"data: " + json.dumps(chunk).encode() + b"\n\n" for chunk in chunks) + b"data: [DONE]\n\n"
    return upstream.by_path(models=LISTING, completions=upstream.events(stream))


def delta(finish: str | None = None, **said: str) -> dict[str, Any]:
    return {"choices": [{"index": 0, "delta": said, "finish_reason": finish}]}


def counts(**usage: Any) -> dict[str, Any]:
    return {"choices": [], "usage": usage}


THINKING = counts(prompt_tokens=12, completion_tokens=256, completion_tokens_details={"reasoning_tokens": 256})


@pytest.mark.parametrize(
    ("chunks", "hint"),
    [
        ([delta(content="OK"), delta("stop"), counts(prompt_tokens=12, completion_tokens=1)], None),
        ([delta("length"), THINKING], THOUGHT),
        ([delta(reasoning_content="Hm"), delta("length")], THOUGHT),
    ],
)  # fmt: skip
def test_a_probe_asks_one_tiny_question_when_it_is_asked_for(
    host: Host, chunks: list[dict[str, Any]], hint: str | None
) -> None:
    config = {"provider": "openai_compatible", "id": "mine", "model": "small-1", "api_key": KEY}
    with upstream.running(answering(*chunks)) as server:
        params = {"config": config | {"base_url": f"{server.url}/v1"}, "probe": True}
        result = host.call("providers.test", params)
        asked = [request for request in server.requests if request.method == "POST"]
    assert (result["ok"], result["stages"][-1]["stage"], result["stages"][-1].get("hint")) == (True, "answer", hint)
    assert [(request.path, request.json()["max_tokens"]) for request in asked] == [("/v1/chat/completions", 256)]
    assert result["cost"]["amount"] is None


def test_a_probe_is_in_the_ledger_with_its_tokens_and_its_cost(tmp_path: Path) -> None:
    prices = tmp_path / "prices.toml"
    prices.write_text('[[prices]]\nprovider = "mine"\nmodel = "small-1"\ninput = "1"\noutput = "2"\n')
    reply = answering(delta(content="OK"), delta("stop"), counts(prompt_tokens=12, completion_tokens=1))
    config = {"provider": "openai_compatible", "id": "mine", "model": "small-1"}
    with upstream.running(reply) as server, session(tmp_path, "--config", str(prices)) as host:
        result = host.call("providers.test", {"config": config | {"base_url": f"{server.url}/v1"}, "probe": True})
        summary = host.call("usage.summary", {"tag": "providers.test"})
    assert result["usage"] == {"input_tokens": 12, "output_tokens": 1, "source": "reported"}
    assert result["cost"] == {"amount": "0.000014", "currency": "USD", "source": "user", "estimated": False}
    assert (summary["total"]["attempts"], summary["total"]["cost"]["amount"]) == (1, "0.000014")


@pytest.mark.parametrize(
    ("handler", "type_"),
    [
        (answering(delta("stop")), "malformed_response"),
        (upstream.by_path(models=LISTING, completions=REFUSED), "authentication"),
        (upstream.by_path(models=LISTING, completions=upstream.answer({"error": "busy"}, 503)), "provider_overloaded"),
    ],
)
def test_a_probe_that_gets_no_answer_fails_and_asks_nobody_else(
    host: Host, handler: upstream.Handler, type_: str
) -> None:
    with upstream.running(handler) as server:
        config = {"provider": "openai_compatible", "base_url": f"{server.url}/v1", "model": "small-1", "api_key": KEY}
        other = config | {"id": "other"}
        host.call("providers.configure", {"config": other})
        fallback = [{"provider": "other"}]
        result = host.call("providers.test", {"config": config | {"fallback": fallback}, "probe": True})
        assert failed(result)[:2] == ("answer", type_)
        assert [request.method for request in server.requests].count("POST") == 1
    assert KEY not in json.dumps(result)


def test_nothing_is_asked_where_a_free_stage_failed(host: Host) -> None:
    with upstream.running(upstream.by_path(models=REFUSED)) as server:
        config = {"provider": "vllm", "base_url": f"{server.url}/v1", "model": "small-1", "api_key": KEY}
        assert failed(host.call("providers.test", {"config": config, "probe": True}))[:2] == ("auth", "authentication")
        assert [request.method for request in server.requests] == ["GET"]


def test_a_probe_needs_a_model(host: Host) -> None:
    with upstream.running(answering(delta(content="OK"), delta("stop"))) as server:
        config = {"provider": "openai_compatible", "base_url": f"{server.url}/v1"}
        result = host.call("providers.test", {"config": config, "probe": True})
        assert failed(result) == (
            "answer",
            "provider_not_configured",
            "Name a model in the configuration; models.list tells which there are.",
        )


def test_a_file_of_authorities_and_a_proxy_may_stand_in_the_configuration_file(tmp_path: Path) -> None:
    root = upstream.certificate(tmp_path, "Authority of the tests")
    tls = upstream.tls_context(upstream.certificate(tmp_path, "api.example", issuer=root))
    with upstream.running(LISTING, tls) as server, tunnel.running(server.port) as proxy:
        file = tmp_path / "config.toml"
        file.write_text(f'proxy = "{proxy.url}"\nca_file = "{root}"\n')
        with session(tmp_path, "--config", str(file)) as host:
            result = diagnose(host, "https://api.example/v1")
        with session(tmp_path, "--proxy", proxy.url) as host:
            untrusted = diagnose(host, "https://api.example/v1")
    assert [stage["stage"] for stage in result["stages"] if stage["ok"]] == [
        *("config", "dns", "tcp", "tls", "http", "auth", "model"),
    ]
    assert failed(untrusted)[:2] == ("tls", "tls")
    assert untrusted["stages"][-1]["error"]["message"] == "api.example has a certificate of an unknown authority."
    assert proxy.asked[0] == "CONNECT api.example:443 HTTP/1.1"


def test_flags_count_before_the_configuration_file(tmp_path: Path) -> None:
    pem = upstream.certificate(tmp_path)
    other = upstream.certificate(tmp_path, "other.example")
    file = tmp_path / "config.toml"
    file.write_text(f'ca_file = "{other}"\n')
    with upstream.running(LISTING, upstream.tls_context(pem)) as server:
        for flags, ok in [((), False), (("--ca-file", str(pem)), True)]:
            with session(tmp_path, "--config", str(file), *flags) as host:
                assert diagnose(host, f"{server.url}/v1")["ok"] is ok


def test_proxies_of_the_environment_are_not_looked_at(tmp_path: Path) -> None:
    with upstream.running(upstream.answer({}, 502)) as proxy:
        names = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy")
        with session(tmp_path, env=dict.fromkeys(names, proxy.url)) as host:
            assert failed(diagnose(host, "https://nowhere.invalid/v1"))[:2] == ("dns", "dns")
            assert proxy.connections == 0
