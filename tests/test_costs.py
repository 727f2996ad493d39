"""What answers cost, through the real process: by the provider, by our tables, by the host's, or unknown."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
import upstream
from host import Host, command, environment, session

PRICES = """
[[prices]]
provider = "my-server"
model = "m-*"
input = 2
output = "10"
cache_read = 0.5
request = "0.001"
long_context = [{ above = 1000, input = 4 }]

[[providers]]
provider = "openai_compatible"
id = "my-server"
base_url = "URL/v1"
"""
END = b'data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\n'


def chunk(**members: Any) -> bytes:
    return b"data: " + json.dumps({"id": "c", "choices": [], **members}).encode() + b"\n\n"


def says(text: str) -> bytes:
    return chunk(choices=[{"index": 0, "delta": {"role": "assistant", "content": text}}])


def counts(**members: Any) -> bytes:
    return chunk(usage={"prompt_tokens": 1000, "completion_tokens": 100, "total_tokens": 1100, **members})


def configured(folder: Path, server: upstream.Server) -> str:
    path = folder / "sidecar.toml"
    path.write_text(PRICES.replace("URL", server.url))
    return str(path)


def ask(host: Host, model: str, provider: str = "my-server", **options: Any) -> Any:
    """Return the reply of a question."""
    question = {"provider": provider, "model": model, "messages": [{"role": "user", "content": "Hi"}], **options}
    return host.reply(host.send("chat.complete", question))


def cost(amount: str | None, source: str, *, estimated: bool = False) -> Any:
    return {"amount": amount, "currency": "USD", "source": source, "estimated": estimated}


def test_the_hosts_own_prices_are_in_the_configuration_file(tmp_path: Path) -> None:
    cached = counts(prompt_tokens_details={"cached_tokens": 600})
    answers = upstream.in_turn(
        upstream.events(says("Hello"), END, cached),
        upstream.events(says("Hello"), END, counts(prompt_tokens=2000)),
        upstream.events(says("Hello"), END),
        upstream.events(says("Hello"), END, counts()),
    )
    with upstream.running(answers) as server, session(tmp_path, "--config", configured(tmp_path, server)) as host:
        found = [ask(host, model)["result"]["cost"] for model in ("m-1", "M-2", "m-3", "unheard-of")]
        total = host.call("usage.summary")["total"]
    assert found == [
        cost("0.0031", "user"),  # 400 · 2 + 600 · 0.5 + 100 · 10 millionths, and the fee
        cost("0.01", "user"),  # 2,000 · 4 + 100 · 10, and the fee
        cost("0.001022", "user", estimated=True),
        cost(None, "unknown"),
    ]
    assert (total["cost"]["amount"], total["unpriced"]) == ("0.014122", 1)
    assert total["savings"]["prompt_cache"] == "0.0009"


def test_a_cost_in_ticks_is_the_providers_own(tmp_path: Path) -> None:
    answer = upstream.events(says("Hello"), END, counts(cost_in_usd_ticks=37_756_000), b"data: [DONE]\n\n")
    with upstream.running(answer) as server, session(tmp_path) as host:
        config = {"provider": "xai", "api": "chat", "base_url": f"{server.url}/v1", "api_key": "xai-12345678"}
        host.call("providers.configure", {"config": config})
        assert ask(host, "grok-4.7", "xai")["result"]["cost"] == cost("0.0037756", "provider")


async def cut(exchange: upstream.Exchange) -> None:
    await exchange.start(200, upstream.EVENT_STREAM)
    await exchange.send(says("Hello") + counts(cost=0.25))
    await exchange.cut()


async def hang(exchange: upstream.Exchange) -> None:
    await exchange.start(200, upstream.EVENT_STREAM)
    await exchange.send(says("Hello") + counts(cost=0.25))
    await exchange.hang()


def test_an_answer_that_breaks_off_costs_what_the_provider_said(tmp_path: Path) -> None:
    with upstream.running(upstream.in_turn(cut, hang)) as server, session(tmp_path) as host:
        config = {"provider": "openrouter", "base_url": f"{server.url}/v1", "api_key": "sk-or-12345678"}
        host.call("providers.configure", {"config": config})
        (failed,) = ask(host, "lab/m", "openrouter")["error"]["data"]["attempts"]
        question = {"provider": "openrouter", "model": "lab/m", "messages": [{"role": "user", "content": "Hi"}]}
        id_ = host.send("chat.stream", {"stream_id": "s", **question})
        while host.receive()["params"].get("delta", {}).get("type") != "usage":
            pass
        host.send("chat.cancel", {"stream_id": "s"})
        cancelled = host.reply(id_)["result"]
        total = host.call("usage.summary")["total"]
    assert (failed["error_type"], failed["cost"]) == ("stream_interrupted", cost("0.25", "provider"))
    assert (failed["usage"]["input_tokens"], failed["usage"]["source"]) == (1000, "reported")
    assert (cancelled["finish_reason"]["reason"], cancelled["cost"]) == ("cancelled", cost("0.25", "provider"))
    assert (total["cost"]["amount"], total["failed"], total["cancelled"]) == ("0.5", 1, 1)


def test_a_question_that_was_cancelled_before_its_answer_is_paid_by_estimate(tmp_path: Path) -> None:
    async def silent(exchange: upstream.Exchange) -> None:
        await exchange.hang()

    with upstream.running(silent) as server, session(tmp_path, "--config", configured(tmp_path, server)) as host:
        question = {"provider": "my-server", "model": "m-1", "messages": [{"role": "user", "content": "x" * 4000}]}
        id_ = host.send("chat.stream", {"stream_id": "s", **question})
        while host.receive()["params"].get("state") != "waiting_first_token":
            pass
        host.send("chat.cancel", {"stream_id": "s"})
        (attempt,) = host.reply(id_)["result"]["attempts"]
    assert attempt["usage"] == {"input_tokens": 1000, "output_tokens": 0, "source": "estimated"}
    assert attempt["cost"] == cost("0.003", "user", estimated=True)


@pytest.mark.parametrize(
    ("table", "complaint"),
    [
        ('provider = "p"\nmodel = "m"\ninput = -1', "`input` must be 0 to 1000000000 US dollars"),
        ('provider = "p"\nmodel = "m"', "missing required field `input`"),
        ('provider = "p"\nmodel = "m"\ninput = 1\nouput = 2', "unknown field `ouput`"),
        ('provider = "p"\nmodel = "m"\ninput = "much"', "Invalid decimal string"),
    ],
)
def test_prices_that_make_no_sense_keep_the_sidecar_from_starting(tmp_path: Path, table: str, complaint: str) -> None:
    path = tmp_path / "sidecar.toml"
    path.write_text(f"[[prices]]\n{table}\n")
    done = subprocess.run(
        command("--config", str(path)),
        stdin=subprocess.DEVNULL,
        env=environment(tmp_path),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert complaint in done.stderr
    assert "$.prices[0]" in done.stderr
