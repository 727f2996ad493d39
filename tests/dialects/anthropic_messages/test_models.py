"""Model lists, page by page."""

import json
from typing import Any

import pytest

from sidecar.dialects.anthropic_messages import DIALECT
from sidecar.dialects.contract import ModelPage
from sidecar.schema.errors import SidecarError
from sidecar.schema.models import ModelInfo

YES, NO = {"supported": True}, {"supported": False}

CAPABILITIES = {
    "batch": YES,
    "citations": YES,
    "effort": {"supported": True, "low": YES, "medium": YES, "high": YES, "xhigh": None, "max": YES},
    "image_input": YES,
    "pdf_input": YES,
    "server_tools": {"supported": True, "code_execution": NO, "web_search": YES},
    "structured_outputs": YES,
    "thinking": {"supported": True, "types": {"adaptive": YES, "between_tools": YES, "disabled": NO, "enabled": NO}},
}

SONNET = {
    "type": "model",
    "id": "claude-sonnet-5-5",
    "display_name": "Claude Sonnet 5.5",
    "created_at": "2026-08-01T00:00:00Z",
    "max_input_tokens": 1_000_000,
    "max_tokens": 128_000,
    "capabilities": CAPABILITIES,
    "lifecycle": "active",
    "deprecated_at": None,
    "retires_at": None,
    "line": "sonnet",
}


def page(*models: Any, **members: Any) -> ModelPage:
    return DIALECT.decode_models(json.dumps({"data": list(models), **members}).encode(), "here")


def test_a_model_tells_what_it_can_do() -> None:
    assert page(SONNET) == ModelPage(
        [
            ModelInfo(
                id="claude-sonnet-5-5",
                provider="here",
                name="Claude Sonnet 5.5",
                created=1_785_542_400,
                context_length=1_000_000,
                max_output_tokens=128_000,
                input_modalities=["text", "image", "file"],
                output_modalities=["text"],
                capabilities=["tools", "structured_output", "reasoning", "vision", "documents", "web_search"],
                reasoning_efforts=["minimal", "low", "medium", "high", "max"],
                lifecycle="active",
            )
        ]
    )


def test_a_model_tells_when_it_ends() -> None:
    ending = {"id": "claude-x", "lifecycle": "deprecated", "retires_at": "2026-11-30T00:00:00Z"}
    assert page(ending).models == [
        ModelInfo(id="claude-x", provider="here", lifecycle="deprecated", shut_down="2026-11-30")
    ]


@pytest.mark.parametrize("created", ["1970-01-01T00:00:00Z", "yesterday", None, 7])
def test_a_model_may_be_of_any_age(created: Any) -> None:
    assert page({"id": "m", "created_at": created}).models == [ModelInfo(id="m", provider="here")]


@pytest.mark.parametrize(
    "odd", [{"capabilities": None}, {"capabilities": []}, {"lifecycle": "asleep"}, {"max_tokens": "many"}]
)
def test_what_is_of_another_form_is_unknown(odd: Any) -> None:
    assert page({"id": "m"} | odd, {"id": None}, 7).models == [ModelInfo(id="m", provider="here")]


def test_a_model_without_abilities_has_few() -> None:
    plain = page({"id": "m", "capabilities": {"effort": NO}}).models
    assert plain == [
        ModelInfo(
            id="m", provider="here", input_modalities=["text"], output_modalities=["text"], capabilities=["tools"]
        )
    ]


def test_the_next_page_begins_behind_the_last_model() -> None:
    assert DIALECT.models_path == "/v1/models?limit=1000"
    following = "/v1/models?limit=1000&after_id=a%2Fb%26c"
    assert page(SONNET, has_more=True, last_id="a/b&c").next_path == following
    assert page(SONNET, has_more=False, last_id="a").next_path is None
    assert page(has_more=True, last_id=None).next_path is None


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"data":null}', b"<html>"])
def test_a_body_without_a_list_is_an_error(body: bytes) -> None:
    with pytest.raises(SidecarError):
        DIALECT.decode_models(body, "here")
