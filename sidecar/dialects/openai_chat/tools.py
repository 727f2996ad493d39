"""Tools and the choice among them, as a request offers them."""

from typing import Any

from sidecar.dialects.contract import Aim
from sidecar.dialects.openai_chat.caching import cache_control
from sidecar.dialects.quirks import ChatQuirks
from sidecar.dialects.report import Report
from sidecar.dialects.strict_schemas import EMPTY, strict
from sidecar.schema.chat import ChatRequest, FunctionTool, NamedTool, ProviderTool

Body = dict[str, Any]


def tools(request: ChatRequest, aim: Aim, report: Report) -> Body:
    """Return the members that offer tools."""
    quirks, choice = aim.quirks, request.tool_choice
    if not request.tools:
        return {}
    if not quirks.tools:
        report.unsupported("tools", "The provider offers its models no tools")
        return {}
    if choice == "none" and not quirks.tool_choice:
        return {}
    body: Body = {"tools": [_tool(tool, aim, report) for tool in request.tools]}
    if choice is not None and quirks.tool_choice:
        body["tool_choice"] = _tool_choice(choice, quirks)
    if request.parallel_tool_calls is not None:
        body["parallel_tool_calls"] = request.parallel_tool_calls
    return body


def _tool(tool: FunctionTool | ProviderTool, aim: Aim, report: Report) -> Body:
    if isinstance(tool, ProviderTool):
        return tool.definition
    parameters = tool.input_schema or EMPTY
    function = {
        "name": tool.name,
        "description": tool.description,
        "parameters": strict(parameters) if tool.strict else parameters,
        "strict": tool.strict,
    }
    mark = cache_control(tool.cache, aim, report)
    return {"type": "function", "function": {name: v for name, v in function.items() if v is not None}} | mark


def _tool_choice(choice: str | NamedTool, quirks: ChatQuirks) -> str | Body:
    if isinstance(choice, NamedTool):
        return {"type": "function", "function": {"name": choice.name}}
    return quirks.required_tool_choice if choice == "required" else choice
