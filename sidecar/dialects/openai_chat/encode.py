"""Requests written. https://platform.openai.com/docs/api-reference/chat/create"""

from collections.abc import Callable
from typing import Any, Final

import msgspec

from sidecar.dialects.contract import Aim, HttpRequest
from sidecar.dialects.openai_chat.messages import CACHE_REASON, MessageWriter, cache_control
from sidecar.dialects.openai_chat.report import Report
from sidecar.dialects.quirks import ChatQuirks
from sidecar.schema.chat import (
    ChatRequest,
    FunctionTool,
    JsonFormat,
    JsonSchemaFormat,
    NamedTool,
    ProviderTool,
    ReasoningOptions,
)

PATH: Final = "/chat/completions"

PENALTIES: Final = ("frequency_penalty", "presence_penalty")

Body = dict[str, Any]


def encode_request(request: ChatRequest, aim: Aim) -> HttpRequest:
    """Return the request for a streamed answer."""
    report = Report(request.on_unsupported)
    body: Body = {"model": aim.model, "messages": MessageWriter(aim, report).write(request.messages)}
    for add in SECTIONS:
        body |= add(request, aim.quirks, report)
    for name in dict.fromkeys((aim.kind, aim.provider)):
        body |= request.provider_options.get(name, {})
    return HttpRequest(PATH, msgspec.json.encode(body), report.warnings)


def _streaming(request: ChatRequest, quirks: ChatQuirks, report: Report) -> Body:
    del request, report
    options = {"include_usage": True} if quirks.stream_usage else {}
    options |= {"include_obfuscation": False} if quirks.obfuscation else {}
    body: Body = {"stream": True} | ({"stream_options": options} if options else {})
    return body | ({"store": False} if quirks.storage else {})


def _sampling(request: ChatRequest, quirks: ChatQuirks, report: Report) -> Body:
    wanted = {
        quirks.max_tokens_field: request.max_tokens,
        "temperature": request.temperature,
        "top_p": request.top_p,
        "top_k": request.top_k,
        "stop": request.stop or None,
        quirks.seed_field: request.seed,
        "frequency_penalty": request.frequency_penalty,
        "presence_penalty": request.presence_penalty,
    }
    lacking = () if quirks.top_k else ("top_k",)
    for name in lacking if quirks.penalties else (*lacking, *PENALTIES):
        if wanted.pop(name) is not None:
            report.unsupported(name, f"The provider takes no `{name}`")
    return {name: value for name, value in wanted.items() if value is not None}


def _tools(request: ChatRequest, quirks: ChatQuirks, report: Report) -> Body:
    if not request.tools:
        if request.tool_choice not in (None, "auto", "none"):
            report.unsupported("tool_choice", "A tool is to be called but none is offered")
        return {}
    body: Body = {"tools": [_tool(tool, quirks, report) for tool in request.tools]}
    if request.tool_choice is not None:
        body["tool_choice"] = _tool_choice(request.tool_choice, quirks)
    if request.parallel_tool_calls is None:
        return body
    if quirks.parallel_tool_calls:
        body["parallel_tool_calls"] = request.parallel_tool_calls
    elif not request.parallel_tool_calls:
        report.unsupported("parallel_tool_calls", "The provider lets the model call tools in parallel")
    return body


def _tool(tool: FunctionTool | ProviderTool, quirks: ChatQuirks, report: Report) -> Body:
    if isinstance(tool, ProviderTool):
        return tool.definition
    function = {
        "name": tool.name,
        "description": tool.description,
        "parameters": tool.input_schema or {"type": "object", "properties": {}},
        "strict": tool.strict,
    }
    cache: Body = {}
    if tool.cache is not None and quirks.cache_control:
        cache = {"cache_control": cache_control(tool.cache)}
    elif tool.cache is not None:
        report.unsupported("cache", CACHE_REASON)
    return {"type": "function", "function": {name: v for name, v in function.items() if v is not None}} | cache


def _tool_choice(choice: str | NamedTool, quirks: ChatQuirks) -> str | Body:
    if isinstance(choice, NamedTool):
        return {"type": "function", "function": {"name": choice.name}}
    return quirks.required_tool_choice if choice == "required" else choice


def _response_format(request: ChatRequest, quirks: ChatQuirks, report: Report) -> Body:
    wanted = request.response_format
    if isinstance(wanted, JsonSchemaFormat) and quirks.json_schema:
        described = {
            "name": wanted.name,
            "description": wanted.description,
            "schema": wanted.schema,
            "strict": wanted.strict,
        }
        schema = {name: value for name, value in described.items() if value is not None}
        return {"response_format": {"type": "json_schema", "json_schema": schema}}
    if isinstance(wanted, JsonSchemaFormat):
        report.unsupported("response_format", "The provider takes no JSON schema", "it was asked for any object")
    if isinstance(wanted, JsonFormat | JsonSchemaFormat):
        return {"response_format": {"type": "json_object"}}
    return {}


def _reasoning(request: ChatRequest, quirks: ChatQuirks, report: Report) -> Body:
    wanted = request.reasoning or ReasoningOptions()
    if wanted.effort == "none" and quirks.thinking_switch:
        return {"thinking": {"type": "disabled"}}
    if quirks.reasoning_object:
        return _reasoning_object(wanted, report)
    if wanted.budget_tokens is not None:
        report.unsupported("reasoning.budget_tokens", "The provider takes no reasoning budget")
    if wanted.effort is None:
        return {}
    if quirks.reasoning_effort:
        return {"reasoning_effort": wanted.effort}
    report.unsupported("reasoning.effort", "The provider takes no reasoning effort")
    return {}


def _reasoning_object(wanted: ReasoningOptions, report: Report) -> Body:
    if wanted.budget_tokens is None:
        return {"reasoning": {"effort": wanted.effort}} if wanted.effort is not None else {}
    if wanted.effort is not None:
        report.unsupported(
            "reasoning.effort", "The provider takes a reasoning effort or a budget", "the budget was sent"
        )
    return {"reasoning": {"max_tokens": wanted.budget_tokens}}


Section = Callable[[ChatRequest, ChatQuirks, Report], Body]
SECTIONS: Final[tuple[Section, ...]] = (_sampling, _tools, _response_format, _reasoning, _streaming)
