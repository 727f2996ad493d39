"""What goes out to a provider, as its record says."""

import json
from typing import Any

from msgspec import Struct

from sidecar.dialects.contract import HttpRequest
from sidecar.dialects.named import dialect
from sidecar.engines.http import _aim
from sidecar.handler import Target
from sidecar.providers import provider_of
from sidecar.providers.record import Place
from sidecar.schema.chat import ChatRequest, FunctionTool, Message, Reasoning, ToolCall, ToolResult
from sidecar.schema.providers import BaseConfig

HELLO = Message("user", "Hello")
TOOL = FunctionTool("f")
WIRE_TOOL = {"type": "function", "function": {"name": "f", "parameters": {"type": "object", "properties": {}}}}
TOOL_TURNS = [
    HELLO,
    Message("assistant", [Reasoning("Hm"), ToolCall("call_1", "f", '{"a":1}')]),
    Message("tool", [ToolResult("call_1", "one")]),
]


class Asked(Struct, frozen=True):
    """A request on its way: where to, with what body and what parameters it warns of."""

    url: str
    body: dict[str, Any]
    warned: list[str | None]
    encoded: HttpRequest

    @property
    def added(self) -> dict[str, Any]:
        """The members of the body beside those that every question has."""
        common = {"model", "messages", "stream", "stream_options"}
        return {name: value for name, value in self.body.items() if name not in common}


def target_of(config: BaseConfig, model: str = "m-1") -> Target:
    record = provider_of(config)
    endpoint = config.base_url or record.base_url or "https://llm.test/v1"
    return Target(id=record.id, provider=record, config=config, endpoint=endpoint, model=model)


def ask(config: BaseConfig, request: ChatRequest | None = None, model: str = "m-1", **options: Any) -> Asked:
    """Return what goes out for a question under a configuration."""
    target = target_of(config, model)
    chosen = request or ChatRequest(**({"messages": [HELLO]} | options))
    encoded = dialect(target.provider.speaks(config, chosen)).encode_request(chosen, _aim(target))
    return Asked(url_of(config, encoded.path), json.loads(encoded.body), [w.param for w in encoded.warnings], encoded)


def url_of(config: BaseConfig, path: str) -> str:
    target = target_of(config)
    return target.provider.url(Place(config, target.endpoint, target.model), path)


def models_url(config: BaseConfig) -> str:
    """Return where the models are listed."""
    target = target_of(config)
    spoken = dialect(target.provider.speaks(config))
    return url_of(config, target.provider.models_path or spoken.models_path)
