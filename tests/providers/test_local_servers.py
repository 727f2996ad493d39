"""Servers on this machine: vLLM, llama-server, LM Studio, Ollama in the common form."""

import json
from typing import Any

import pytest
from asked import TOOL, TOOL_TURNS, WIRE_TOOL, ask, models_url, target_of, url_of
from msgspec import Raw

from sidecar.dialects.openai_chat import DIALECT
from sidecar.engines.http import _aim
from sidecar.providers.llama_server import LlamaServerConfig
from sidecar.providers.lmstudio import LMStudioConfig
from sidecar.providers.ollama import OllamaConfig
from sidecar.providers.vllm import VLLMConfig
from sidecar.schema.chat import (
    Base64Source,
    ChatRequest,
    File,
    JsonSchemaFormat,
    Message,
    ReasoningOptions,
    Text,
    UrlSource,
)
from sidecar.schema.embeddings import EmbeddingRequest
from sidecar.schema.errors import SidecarError
from sidecar.schema.providers import BaseConfig

SERVERS = [VLLMConfig(), LlamaServerConfig(), LMStudioConfig(), OllamaConfig()]
PNG = File("image/png", Base64Source(Raw(b'"iVBO"')))


def by_kind(value: Any) -> str | None:
    return value.kind if isinstance(value, BaseConfig) else None


@pytest.mark.parametrize(
    ("config", "models", "count"),
    [
        (VLLMConfig(), "http://127.0.0.1:8000/v1/models", "http://127.0.0.1:8000/tokenize"),
        (LlamaServerConfig(), "http://127.0.0.1:9931/v1/models", None),
        (LMStudioConfig(), "http://127.0.0.1:1234/api/v0/models", None),
        (LMStudioConfig(base_url="http://box.test:1234/v1/"), "http://box.test:1234/api/v0/models", None),
        (OllamaConfig(), "http://127.0.0.1:11434/api/tags", None),
        (OllamaConfig(base_url="http://box.test/llm/v1"), "http://box.test/llm/api/tags", None),
    ],
)
def test_what_lies_beside_the_common_api_is_found_there(config: BaseConfig, models: str, count: str | None) -> None:
    assert models_url(config) == models
    assert ask(config).url == str(config.base_url or target_of(config).endpoint).rstrip("/") + "/chat/completions"
    encoded = DIALECT.encode_count(ChatRequest(messages=[Message("user", "Hi")]), _aim(target_of(config)))
    assert (encoded and url_of(config, encoded.path)) == count


@pytest.mark.parametrize("config", SERVERS, ids=by_kind)
def test_arguments_of_tool_calls_are_objects(config: BaseConfig) -> None:
    call = ask(config, messages=TOOL_TURNS).body["messages"][1]["tool_calls"][0]
    assert json.loads(call["function"]["arguments"]) == {"a": 1}


@pytest.mark.parametrize(
    ("config", "members"),
    [
        (VLLMConfig(), {"reasoning": "Hm"}),
        (LlamaServerConfig(), {"reasoning_content": "Hm"}),
        (LMStudioConfig(), {}),
        (OllamaConfig(), {"reasoning": "Hm"}),
    ],
    ids=by_kind,
)
def test_thoughts_go_back_where_templates_read_them(config: BaseConfig, members: Any) -> None:
    message = ask(config, messages=TOOL_TURNS).body["messages"][1]
    assert {name: message[name] for name in message if name.startswith("reasoning")} == members


@pytest.mark.parametrize("config", SERVERS[:3], ids=by_kind)
def test_templates_get_speakers_in_turn(config: BaseConfig) -> None:
    twice = [Message("user", "a"), Message("user", "b")]
    assert len(ask(config, messages=twice).body["messages"]) == 1


@pytest.mark.parametrize(
    ("config", "options", "added"),
    [
        (VLLMConfig(), ReasoningOptions("low", 50), {"reasoning_effort": "low", "thinking_token_budget": 50}),
        (
            LlamaServerConfig(),
            ReasoningOptions("none"),
            {"chat_template_kwargs": {"enable_thinking": False}},
        ),
        (LlamaServerConfig(), ReasoningOptions(None, 50), {"thinking_budget_tokens": 50}),
        (OllamaConfig(), ReasoningOptions("none"), {"reasoning_effort": "none"}),
        (LMStudioConfig(), ReasoningOptions("low"), {"reasoning_effort": "low"}),
    ],
)
def test_how_much_to_think(config: BaseConfig, options: ReasoningOptions, added: Any) -> None:
    asked = ask(config, reasoning=options)
    assert (asked.added, asked.warned) == (added, [])


@pytest.mark.parametrize("config", SERVERS, ids=by_kind)
def test_images_are_read_and_documents_are_not(config: BaseConfig) -> None:
    parts = ask(config, messages=[Message("user", [Text("Look"), PNG])]).body["messages"][0]["content"]
    assert parts[1] == {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBO"}}
    with pytest.raises(SidecarError) as caught:
        ask(config, messages=[Message("user", [File("application/pdf", Base64Source(Raw(b'"JVBE"')))])])
    assert caught.value.type == "unsupported_feature"


@pytest.mark.parametrize("config", [LMStudioConfig(), OllamaConfig()], ids=by_kind)
def test_addresses_of_images_are_not_read(config: BaseConfig) -> None:
    with pytest.raises(SidecarError) as caught:
        ask(config, messages=[Message("user", [File("image/png", UrlSource("https://a.test"))])])
    assert caught.value.type == "unsupported_feature"


@pytest.mark.parametrize(
    ("config", "packed"),
    [(VLLMConfig(), True), (LlamaServerConfig(), True), (LMStudioConfig(), False), (OllamaConfig(), False)],
    ids=by_kind,
)
def test_vectors_are_packed_where_the_server_can_do_that(config: BaseConfig, packed: object) -> None:
    encoded = DIALECT.encode_embeddings(EmbeddingRequest(input=["a"]), _aim(target_of(config)))
    assert ("encoding_format" in json.loads(encoded.body)) is packed


def test_ollama_cannot_make_a_tool_a_must() -> None:
    asked = ask(OllamaConfig(), tools=[TOOL], tool_choice="required", parallel_tool_calls=False)
    assert asked.added == {"tools": [WIRE_TOOL]}
    assert asked.body["messages"][0]["role"] == "system"
    assert sorted(map(str, asked.warned)) == ["parallel_tool_calls", "tool_choice"]
    assert ask(OllamaConfig(), tools=[TOOL], tool_choice="none").added == {}
    assert ask(OllamaConfig(), tools=[TOOL], tool_choice="auto").added == {"tools": [WIRE_TOOL]}


def test_a_schema_beside_tools_is_told_in_words_to_ollama() -> None:
    asked = ask(OllamaConfig(), tools=[TOOL], response_format=JsonSchemaFormat({"type": "object"}))
    assert asked.added == {"tools": [WIRE_TOOL]}
    assert asked.encoded.shaping.structured == "prompt"
