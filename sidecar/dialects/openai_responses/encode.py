"""Requests written. https://platform.openai.com/docs/api-reference/responses/create"""

from collections.abc import Callable
from typing import Any, Final

import msgspec

from sidecar.dialects.contract import Aim, HttpRequest
from sidecar.dialects.fitting import fit
from sidecar.dialects.openai_responses.input import InputWriter
from sidecar.dialects.options import completed
from sidecar.dialects.report import Report
from sidecar.dialects.strict_schemas import EMPTY, strict
from sidecar.schema.chat import (
    ChatRequest,
    FunctionTool,
    JsonFormat,
    JsonSchemaFormat,
    NamedTool,
    ProviderTool,
)

PATH: Final = "/responses"

TAKES: Final = frozenset({"temperature", "top_p", "max_tokens", "reasoning", "parallel_tool_calls"})
"""The options that the format has words for."""

ENCRYPTED: Final = "reasoning.encrypted_content"

Body = dict[str, Any]


def encode_request(request: ChatRequest, aim: Aim) -> HttpRequest:
    """Return the request for a streamed answer."""
    report = Report(request.on_unsupported)
    fitted = fit(request, aim, report, TAKES)
    body: Body = {"model": aim.model, "input": InputWriter(aim, report).write(fitted.request.messages)}
    for add in SECTIONS:
        body |= add(fitted.request, aim, report)
    body = completed(body, request.provider_options, aim)
    return HttpRequest(PATH, msgspec.json.encode(body), report.warnings, shaping=fitted.shaping)


def _sampling(request: ChatRequest, aim: Aim, report: Report) -> Body:
    wanted = {
        "max_output_tokens": request.max_tokens,
        "temperature": request.temperature,
        "top_p": request.top_p,
    }
    if request.max_tokens is not None and "max_tokens" in aim.lacks:
        report.unsupported("max_tokens", "The provider takes no `max_tokens`")
        del wanted["max_output_tokens"]
    return {name: value for name, value in wanted.items() if value is not None}


def _tools(request: ChatRequest, aim: Aim, report: Report) -> Body:
    del aim
    if not request.tools:
        return {}
    body: Body = {"tools": [_tool(tool, report) for tool in request.tools]}
    choice = request.tool_choice
    if choice is not None:
        body["tool_choice"] = {"type": "function", "name": choice.name} if isinstance(choice, NamedTool) else choice
    if request.parallel_tool_calls is not None:
        body["parallel_tool_calls"] = request.parallel_tool_calls
    return body


def _tool(tool: FunctionTool | ProviderTool, report: Report) -> Body:
    if isinstance(tool, ProviderTool):
        return tool.definition
    if tool.cache is not None:
        report.no_cache_marks()
    described = {} if tool.description is None else {"description": tool.description}
    parameters = tool.input_schema or EMPTY
    # Left out, `strict` would mean true.
    demands = {"parameters": strict(parameters) if tool.strict else parameters, "strict": bool(tool.strict)}
    return {"type": "function", "name": tool.name} | described | demands


def _text(request: ChatRequest, aim: Aim, report: Report) -> Body:
    del aim, report
    wanted = request.response_format
    if isinstance(wanted, JsonFormat):
        return {"text": {"format": {"type": "json_object"}}}
    if not isinstance(wanted, JsonSchemaFormat):
        return {}
    described = {} if wanted.description is None else {"description": wanted.description}
    schema = strict(wanted.schema) if wanted.strict else wanted.schema
    demands = {"schema": schema, "strict": bool(wanted.strict)}
    return {"text": {"format": {"type": "json_schema", "name": wanted.name} | described | demands}}


def _reasoning(request: ChatRequest, aim: Aim, report: Report) -> Body:
    wanted = request.reasoning
    if wanted is None:
        return {}
    if wanted.budget_tokens is not None:
        report.unsupported("reasoning.budget_tokens", "The provider takes no reasoning budget")
    asked: Body = {} if wanted.effort is None else {"effort": wanted.effort}
    if wanted.effort != "none" and "reasoning.summary" not in aim.lacks:
        asked["summary"] = "auto"
    return {"reasoning": asked} if asked else {}


def _delivery(request: ChatRequest, aim: Aim, report: Report) -> Body:
    del request, report
    body: Body = {"store": False, "stream": True}
    if aim.traits.efforts != () and "opaque" not in aim.lacks:
        body["include"] = [ENCRYPTED]
    return body | ({"stream_options": {"include_obfuscation": False}} if aim.quirks.obfuscation else {})


Section = Callable[[ChatRequest, Aim, Report], Body]
SECTIONS: Final[tuple[Section, ...]] = (_sampling, _tools, _text, _reasoning, _delivery)
