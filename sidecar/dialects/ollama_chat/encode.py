"""Requests written. https://docs.ollama.com/api/chat"""

from typing import Any, Final

import msgspec
from msgspec.structs import replace

from sidecar.dialects.contract import Aim, HttpRequest
from sidecar.dialects.fitting import OPTIONS, fit
from sidecar.dialects.ollama_chat.messages import MessageWriter
from sidecar.dialects.options import completed, merged
from sidecar.dialects.repairs import lack
from sidecar.dialects.report import Report
from sidecar.schema.chat import (
    ChatRequest,
    FunctionTool,
    JsonFormat,
    JsonSchemaFormat,
    ProviderTool,
    ReasoningOptions,
)
from sidecar.schema.errors import SidecarError

PATH: Final = "/api/chat"
TAKES: Final = OPTIONS - {"parallel_tool_calls", "cache"}

Body = dict[str, Any]


def encode_request(request: ChatRequest, aim: Aim) -> HttpRequest:
    """Return the request for a streamed answer."""
    report = Report(request.on_unsupported)
    # There is no word for which tools must be called.
    fitted = fit(request, replace(aim, lacks=aim.lacks | {"tool_choice"}), report, TAKES)
    wanted = fitted.request
    body: Body = {"model": aim.model, "messages": MessageWriter(aim, report).write(wanted.messages), "stream": True}
    body |= _tools(wanted) | _format(wanted) | _think(wanted, aim, report)
    options = _options(wanted)
    body = merged(merged(body, aim.additions), {"options": options} if options else {})
    body = completed(body, request.provider_options, aim)
    return HttpRequest(PATH, msgspec.json.encode(body), report.warnings, shaping=fitted.shaping)


def _options(request: ChatRequest) -> Body:
    wanted = {
        "num_ctx": request.context_size,
        "num_predict": request.max_tokens,
        "temperature": request.temperature,
        "top_p": request.top_p,
        "top_k": request.top_k,
        "seed": request.seed,
        "stop": request.stop or None,
        "frequency_penalty": request.frequency_penalty,
        "presence_penalty": request.presence_penalty,
    }
    return {name: value for name, value in wanted.items() if value is not None}


def _tools(request: ChatRequest) -> Body:
    offered = [] if request.tool_choice == "none" else [_tool(tool) for tool in request.tools]
    return {"tools": offered} if offered else {}


def _tool(tool: FunctionTool | ProviderTool) -> Body:
    if isinstance(tool, ProviderTool):
        return tool.definition
    function = {
        "name": tool.name,
        "description": tool.description or "",
        "parameters": tool.input_schema or {"type": "object", "properties": {}},
    }
    return {"type": "function", "function": function}


def _format(request: ChatRequest) -> Body:
    wanted = request.response_format
    if isinstance(wanted, JsonSchemaFormat):
        return {"format": wanted.schema}
    return {"format": "json"} if isinstance(wanted, JsonFormat) else {}


def _think(request: ChatRequest, aim: Aim, report: Report) -> Body:
    """Return whether to think; how much is said to models that are known to take levels."""
    wanted = request.reasoning or ReasoningOptions()
    if wanted.effort is None and wanted.budget_tokens is None:
        return {}
    if wanted.budget_tokens is not None:
        report.unsupported("reasoning.budget_tokens", "The provider takes no reasoning budget")
    if wanted.effort == "none" or (wanted.effort is None and wanted.budget_tokens == 0):
        return {"think": False}
    return {"think": wanted.effort if wanted.effort is not None and aim.traits.efforts else True}


PARAMS: Final = {
    "num_ctx": "context_size",
    "num_predict": "max_tokens",
    "temperature": "temperature",
    "top_p": "top_p",
    "top_k": "top_k",
    "seed": "seed",
    "stop": "stop",
    "frequency_penalty": "frequency_penalty",
    "presence_penalty": "presence_penalty",
    "think": "reasoning",
    "thinking": "reasoning",
    "format": "response_format",
}
"""Which field of a request becomes which parameter."""


def repair(error: SidecarError) -> str | None:
    """Return the field of `request` that the model does not take, if the error names one."""
    return lack(error, PARAMS)
