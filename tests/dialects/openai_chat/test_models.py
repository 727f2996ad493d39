"""Model lists in the forms that servers give them."""

import json
from typing import Any

import pytest

from sidecar.dialects.contract import ModelPage
from sidecar.dialects.openai_chat import DIALECT
from sidecar.schema.errors import SidecarError
from sidecar.schema.models import LongContextRates, ModelInfo, ModelPrice


@pytest.mark.parametrize(
    ("entry", "facts"),
    [
        ({"object": "model", "created": 1700000000, "owned_by": "lab"}, {"created": 1700000000, "owned_by": "lab"}),
        (
            {
                "name": "Lab: M",
                "created": 1.7e9,
                "context_length": 1000,
                "architecture": {"input_modalities": ["text", "image"]},
                "top_provider": {"context_length": 900, "max_completion_tokens": 64},
                "supported_parameters": ["tools"],
                "pricing": {"prompt": "-1"},
            },
            {
                "name": "Lab: M",
                "created": 1700000000,
                "context_length": 1000,
                "max_output_tokens": 64,
                "input_modalities": ["text", "image"],
                "capabilities": ["tools", "vision"],
                "supported_parameters": ["tools"],
            },
        ),
        ({"max_model_len": 4096, "root": "x", "permission": [{}]}, {"context_length": 4096}),
        ({"meta": {"n_ctx_train": 8192, "size": 77}, "created": 0}, {"context_length": 8192, "size_bytes": 77}),
        ({"meta": {"n_ctx_train": 8192, "n_ctx": 2048}}, {"context_length": 2048}),
        (
            {"max_context_length": 32, "capabilities": {"completion_chat": True, "vision": True}},
            {"context_length": 32, "input_modalities": ["text", "image"], "capabilities": ["vision"]},
        ),
        ({"capabilities": {"vision": False}}, {"input_modalities": ["text"]}),
        ({"capabilities": ["tool_use", "insert"]}, {"capabilities": ["tools"]}),
        ({"context_window": 131072, "max_completion_tokens": 9}, {"context_length": 131072, "max_output_tokens": 9}),
        ({"display_name": "M", "organization": "Lab", "context_length": None}, {"name": "M", "owned_by": "Lab"}),
        ({"created": "yesterday", "context_length": "long", "meta": 3}, {}),
    ],
)
@pytest.mark.parametrize("listed", [lambda entry: {"data": [entry], "object": "list"}, lambda entry: [entry]])
def test_what_a_server_tells_of_a_model_is_kept(listed: Any, entry: dict[str, Any], facts: dict[str, Any]) -> None:
    body = json.dumps(listed({"id": "m"} | entry)).encode()
    assert DIALECT.decode_models(body, "here") == ModelPage([ModelInfo(id="m", provider="here", **facts)])


def test_the_order_is_the_servers_and_entries_without_an_id_are_left_out() -> None:
    body = b'{"data":[{"id":"b"},{"id":null},{},"x",{"id":""},{"id":"a"}]}'
    assert [model.id for model in DIALECT.decode_models(body, "here").models] == ["b", "a"]
    assert DIALECT.decode_models(b'{"data":[]}', "here") == ModelPage([])


@pytest.mark.parametrize("body", [b"", b"<html>", b"{}", b'{"data":null}', b"7", b'{"data":['])
def test_what_is_no_list_is_an_error(body: bytes) -> None:
    with pytest.raises(SidecarError) as caught:
        DIALECT.decode_models(body, "here")
    assert caught.value.type in ("malformed_response", "stream_interrupted")


@pytest.mark.parametrize(
    ("entry", "info"),
    [
        pytest.param(
            {
                "id": "lab/m-2",
                "name": "Lab: M 2",
                "created": 1790000000,
                "context_length": 400000,
                "architecture": {
                    "input_modalities": ["text", "image", "file", "audio"],
                    "output_modalities": ["text", "image"],
                    "tokenizer": "M",
                },
                "pricing": {
                    "prompt": "0.00000125",
                    "completion": "0.00001",
                    "request": "0.005",
                    "image": "0.001",
                    "audio": "0.0000015",
                    "web_search": "0.01",
                    "internal_reasoning": "0.00001",
                    "input_cache_read": "0.000000125",
                    "input_cache_write": "0.0000015625",
                    "input_cache_write_1h": "0.0000025",
                    "discount": 0,
                    "overrides": [
                        {"min_prompt_tokens": 200001, "prompt": "0.0000025", "completion": "0.000015"},
                        {"utc_start": "00:00", "prompt": "0.0000001"},
                    ],
                },
                "top_provider": {"context_length": 400000, "max_completion_tokens": 128000, "is_moderated": True},
                "supported_parameters": ["reasoning", "structured_outputs", "tools", "web_search_options"],
                "reasoning": {"mandatory": False, "default_effort": "medium", "supported_efforts": ["high", "low"]},
                "expiration_date": "2027-03-01",
            },
            ModelInfo(
                id="lab/m-2",
                provider="here",
                name="Lab: M 2",
                created=1790000000,
                context_length=400000,
                max_output_tokens=128000,
                input_modalities=["text", "image", "file", "audio"],
                output_modalities=["text", "image"],
                capabilities=[
                    "tools",
                    "structured_output",
                    "reasoning",
                    "vision",
                    "documents",
                    "audio",
                    "web_search",
                    "image_generation",
                ],
                reasoning_efforts=["low", "high"],
                supported_parameters=["reasoning", "structured_outputs", "tools", "web_search_options"],
                lifecycle="deprecated",
                shut_down="2027-03-01",
                price=ModelPrice(
                    source="provider",
                    input="1.25",
                    output="10",
                    cache_read="0.125",
                    cache_write="1.5625",
                    cache_write_1h="2.5",
                    reasoning="10",
                    input_audio="1.5",
                    request="0.005",
                    long_context=[LongContextRates(above=200000, input="2.5", output="15")],
                ),
            ),
            id="a router's",
        ),
        pytest.param(
            {"id": "lab/free", "pricing": {"prompt": "0", "completion": "0", "request": "0"}},
            ModelInfo(id="lab/free", provider="here", price=ModelPrice(source="provider", input="0", output="0")),
            id="free of charge",
        ),
        pytest.param(
            {"id": "lab/odd", "pricing": {"prompt": "much", "completion": None, "overrides": {}}},
            ModelInfo(id="lab/odd", provider="here"),
            id="a price that is none",
        ),
        pytest.param(
            {
                "id": "m-4",
                "created": 1743724800,
                "input_modalities": ["text", "image"],
                "output_modalities": ["text"],
                "prompt_text_token_price": 20000,
                "cached_prompt_text_token_price": 7500,
                "prompt_image_token_price": 20000,
                "completion_text_token_price": 100500,
                "aliases": [],
            },
            ModelInfo(
                id="m-4",
                provider="here",
                created=1743724800,
                input_modalities=["text", "image"],
                output_modalities=["text"],
                capabilities=["vision"],
                price=ModelPrice(source="provider", input="2", output="10.05", cache_read="0.75"),
            ),
            id="in cents per hundred million tokens",
        ),
        pytest.param(
            {
                "name": "m3:8b",
                "model": "m3:8b",
                "modified_at": "2026-08-04T14:56:49.277302595-07:00",
                "size": 2019393189,
                "digest": "a80c4f17acd5",
                "details": {"format": "gguf", "family": "m", "parameter_size": "8B", "quantization_level": "Q4_K_M"},
                "capabilities": ["completion", "tools", "vision", "thinking"],
            },
            ModelInfo(
                id="m3:8b",
                provider="here",
                capabilities=["tools", "reasoning", "vision"],
                size_bytes=2019393189,
            ),
            id="tags of a local server",
        ),
        pytest.param(
            {
                "id": "m-12b",
                "object": "model",
                "type": "vlm",
                "publisher": "lab",
                "arch": "m",
                "state": "loaded",
                "max_context_length": 131072,
                "loaded_context_length": 8192,
                "capabilities": ["tool_use"],
            },
            ModelInfo(
                id="m-12b",
                provider="here",
                owned_by="lab",
                context_length=8192,
                capabilities=["tools", "vision"],
                loaded=True,
            ),
            id="models of a desktop app",
        ),
        pytest.param(
            {
                "type": "llm",
                "publisher": "lab",
                "key": "lab/m-12b",
                "display_name": "M 12B",
                "size_bytes": 7000,
                "loaded_instances": [],
                "max_context_length": 131072,
                "capabilities": {"vision": True, "trained_for_tool_use": True, "reasoning": {"allowed": ["on"]}},
            },
            ModelInfo(
                id="lab/m-12b",
                provider="here",
                name="M 12B",
                owned_by="lab",
                context_length=131072,
                input_modalities=["text", "image"],
                capabilities=["tools", "reasoning", "vision"],
                size_bytes=7000,
                loaded=False,
            ),
            id="its newer list",
        ),
        pytest.param(
            {
                "id": "m-large",
                "capabilities": {"completion_chat": True, "function_calling": True, "vision": False},
                "max_context_length": 131072,
                "deprecation": "2026-12-01T12:00:00Z",
            },
            ModelInfo(
                id="m-large",
                provider="here",
                context_length=131072,
                input_modalities=["text"],
                capabilities=["tools"],
                lifecycle="deprecated",
                shut_down="2026-12-01",
            ),
            id="abilities by name",
        ),
        pytest.param(
            {"id": "lab/m", "type": "chat", "pricing": {"hourly": 0, "input": 0.18, "output": 0.59, "base": 0}},
            ModelInfo(id="lab/m", provider="here", price=ModelPrice(source="provider", input="0.18", output="0.59")),
            id="per million tokens",
        ),
    ],
)
@pytest.mark.parametrize("envelope", ["data", "models"])
def test_the_lists_of_known_servers(envelope: str, entry: dict[str, Any], info: ModelInfo) -> None:
    body = json.dumps({envelope: [entry]}).encode()
    assert DIALECT.decode_models(body, "here").models == [info]
