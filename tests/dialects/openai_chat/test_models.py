"""Model lists in the forms that servers give them."""

import json
from typing import Any

import pytest

from sidecar.dialects.openai_chat import DIALECT
from sidecar.schema.errors import SidecarError
from sidecar.schema.models import ModelInfo


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
                "supported_parameters": ["tools"],
            },
        ),
        ({"max_model_len": 4096, "root": "x", "permission": [{}]}, {"context_length": 4096}),
        ({"meta": {"n_ctx_train": 8192, "size": 77}, "created": 0}, {"context_length": 8192, "size_bytes": 77}),
        ({"meta": {"n_ctx_train": 8192, "n_ctx": 2048}}, {"context_length": 2048}),
        (
            {"max_context_length": 32, "capabilities": {"completion_chat": True, "vision": True}},
            {"context_length": 32, "input_modalities": ["text", "image"]},
        ),
        ({"capabilities": {"vision": False}}, {"input_modalities": ["text"]}),
        ({"capabilities": ["tool_use"]}, {}),
        ({"context_window": 131072, "max_completion_tokens": 9}, {"context_length": 131072, "max_output_tokens": 9}),
        ({"display_name": "M", "organization": "Lab", "context_length": None}, {"name": "M", "owned_by": "Lab"}),
        ({"created": "yesterday", "context_length": "long", "meta": 3}, {}),
    ],
)
@pytest.mark.parametrize("listed", [lambda entry: {"data": [entry], "object": "list"}, lambda entry: [entry]])
def test_what_a_server_tells_of_a_model_is_kept(listed: Any, entry: dict[str, Any], facts: dict[str, Any]) -> None:
    body = json.dumps(listed({"id": "m"} | entry)).encode()
    assert DIALECT.decode_models(body, "here") == [ModelInfo(id="m", provider="here", **facts)]


def test_the_order_is_the_servers_and_entries_without_an_id_are_left_out() -> None:
    body = b'{"data":[{"id":"b"},{"id":null},{},"x",{"id":""},{"id":"a"}]}'
    assert [model.id for model in DIALECT.decode_models(body, "here")] == ["b", "a"]
    assert DIALECT.decode_models(b'{"data":[]}', "here") == []


@pytest.mark.parametrize("body", [b"", b"<html>", b"{}", b'{"data":null}', b"7", b'{"data":['])
def test_what_is_no_list_is_an_error(body: bytes) -> None:
    with pytest.raises(SidecarError) as caught:
        DIALECT.decode_models(body, "here")
    assert caught.value.type in ("malformed_response", "stream_interrupted")
