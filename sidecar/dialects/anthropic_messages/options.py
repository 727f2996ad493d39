"""What goes into a request beside the conversation: tools, sampling, the form of the answer."""

from typing import Any, Final

from sidecar.dialects.anthropic_messages.caching import Marks
from sidecar.dialects.anthropic_messages.closed import obeyable
from sidecar.dialects.anthropic_messages.schemas import sanitised
from sidecar.dialects.anthropic_messages.thinking import Thought
from sidecar.dialects.report import Report
from sidecar.schema.chat import ChatRequest, FunctionTool, JsonSchemaFormat, NamedTool, Tool

MAX_TEMPERATURE: Final = 1.0
LEAST_THINKING_TOP_P: Final = 0.95

Body = dict[str, Any]


def tools(request: ChatRequest, marks: Marks, report: Report) -> list[Body]:
    """Return the tools in the order in which they were given: another order would be another prompt."""
    return [_tool(tool, marks, report) for tool in request.tools]


def _tool(tool: Tool, marks: Marks, report: Report) -> Body:
    if not isinstance(tool, FunctionTool):
        return tool.definition
    schema: Body = {"type": "object"} | (tool.input_schema or {"properties": {}})
    described = {"description": tool.description} if tool.description else {}
    strict = bool(tool.strict) and obeyable(schema)
    if tool.strict and not strict:
        report.unsupported("tools.strict", f"Calls of `{tool.name}` cannot be made to match its schema")
    form: Body = {"input_schema": sanitised(schema), "strict": True} if strict else {"input_schema": schema}
    return marks.mark({"name": tool.name} | described | form, tool.cache)


def tool_choice(request: ChatRequest) -> Body:
    """Return which tools are to be called, and whether one at a time."""
    choice = request.tool_choice
    single = request.parallel_tool_calls is False and choice != "none"
    if choice is None and not single:
        return {}
    if isinstance(choice, NamedTool):
        written: Body = {"type": "tool", "name": choice.name}
    else:
        written = {"type": "any" if choice == "required" else choice or "auto"}
    return {"tool_choice": written | ({"disable_parallel_tool_use": True} if single else {})}


def sampling(request: ChatRequest, thought: Thought, report: Report) -> Body:
    """Return how words are chosen, as far as a model that thinks can be told."""
    temperature, top_p = request.temperature, request.top_p
    if temperature is not None and temperature > MAX_TEMPERATURE:
        report.unsupported("temperature", "The provider takes a temperature of 1 at most", "1 was sent")
        temperature = MAX_TEMPERATURE
    wanted: Body = {"temperature": temperature, "top_p": top_p, "top_k": request.top_k}
    fine = {"temperature": temperature == MAX_TEMPERATURE, "top_p": (top_p or 0) >= LEAST_THINKING_TOP_P}
    for name, value in wanted.items():
        if thought.is_on and value is not None and not fine.get(name):
            report.unsupported(name, f"The model takes no such `{name}` while it reasons")
            wanted[name] = None
    wanted["stop_sequences"] = request.stop or None
    return {name: value for name, value in wanted.items() if value is not None}


def output(request: ChatRequest, thought: Thought) -> Body:
    """Return how much the model is to think, and the form of its answer."""
    config: Body = {"effort": thought.effort} if thought.effort else {}
    if isinstance(request.response_format, JsonSchemaFormat):
        config["format"] = {"type": "json_schema", "schema": sanitised(request.response_format.schema)}
    thinking = {"thinking": thought.thinking} if thought.thinking else {}
    return thinking | ({"output_config": config} if config else {})
