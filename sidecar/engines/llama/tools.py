"""Tools for models that know of none: told in words, and called in a form of JSON that the answer is held to.

An answer is `{"reply": …}` or `{"tool": name, "arguments": {…}}`, where several calls are allowed a list of those. The
words are the same for every choice of a tool, so that the prompt stays evaluated; the choice is in the schema alone.
"""

from typing import Any, Final

import msgspec
from msgspec import Raw, Struct

from sidecar.dialects.tool_arguments import is_object
from sidecar.engines.llama.schemas import check_schema, rebased
from sidecar.schema.chat import ChatRequest, FunctionTool, NamedTool, ToolChoice
from sidecar.schema.errors import SidecarError

MAX_CALLS: Final = 8
"""How many calls one answer may hold: small models find no end."""

TEXT: Final[dict[str, Any]] = {"type": "string"}
NO_ARGUMENTS: Final[dict[str, Any]] = {"type": "object", "properties": {}, "additionalProperties": False}
DEFINING: Final = frozenset({"additionalProperties", "patternProperties", "anyOf", "oneOf", "allOf", "$ref"})
"""What says by itself which properties an object has, beside `properties`."""

ONE: Final = 'If a tool does what the user asks for, write {"tool": name, "arguments": {...}}. '
SEVERAL: Final = 'If tools do what the user asks for, write [{"tool": name, "arguments": {...}}, ...]. '
NONE: Final = 'For anything else write {"reply": your answer to the user}.'


class Offer(Struct, frozen=True):
    """The functions that a model may call, of which it is to call those in `callable`, or else to reply."""

    tools: tuple[FunctionTool, ...]
    callable: tuple[FunctionTool, ...]
    replies: bool
    several: bool


def offer(request: ChatRequest) -> Offer | None:
    """Return what the model is offered, if anything; raises `SidecarError` for a tool that it cannot be offered."""
    tools = tuple(tool for tool in request.tools if isinstance(tool, FunctionTool))
    if not tools:
        return None
    for tool in tools:
        check_schema(tool.input_schema, "tools")
        if tool.input_schema.get("type", "object") != "object":
            raise SidecarError("unsupported_feature", "The arguments of a tool must be an object.", param="tools")
    wanted = request.tool_choice or "auto"
    return Offer(tools, _callable(tools, wanted), wanted in ("auto", "none"), request.parallel_tool_calls is True)


def _callable(tools: tuple[FunctionTool, ...], wanted: ToolChoice) -> tuple[FunctionTool, ...]:
    if not isinstance(wanted, NamedTool):
        return () if wanted == "none" else tools
    if found := tuple(tool for tool in tools if tool.name == wanted.name):
        return found
    raise SidecarError("invalid_params", "`tool_choice` names a tool that is not offered.", param="tool_choice")


def instructions(offered: Offer) -> str:
    """Return what the model is told of the tools."""
    described = "\n".join(map(_described, offered.tools))
    return f"Tools:\n{described}\n{SEVERAL if offered.several else ONE}{NONE}"


def _described(tool: FunctionTool) -> str:
    told = {"name": tool.name, "description": tool.description, "parameters": tool.input_schema}
    return _json({name: value for name, value in told.items() if value})


def schema(offered: Offer, reply: dict[str, Any] | None) -> dict[str, Any]:
    """Return the schema of the answer, a reply in it being text, or JSON of the schema `reply`."""
    definitions = {f"t{at}": _arguments(tool, f"#/$defs/t{at}") for at, tool in enumerate(offered.callable)}
    calls = [_object(tool={"const": tool.name}, arguments=_to(f"t{at}")) for at, tool in enumerate(offered.callable)]
    forms = (
        [{"type": "array", "items": _any(calls), "minItems": 1, "maxItems": MAX_CALLS}] if offered.several else calls
    )
    if offered.replies:
        definitions["reply"] = TEXT if reply is None else rebased(reply, "#/$defs/reply")
        forms = [_object(reply=_to("reply")), *(forms if calls else [])]
    whole = _any(forms) | {"$defs": definitions}
    check_schema(whole, "tools")
    return whole


def _arguments(tool: FunctionTool, place: str) -> dict[str, Any]:
    """Return the schema of a tool's arguments without room for any that it does not name: models would fill it."""
    if not tool.input_schema:
        return NO_ARGUMENTS
    moved: dict[str, Any] = rebased(tool.input_schema, place)
    if DEFINING.isdisjoint(moved):
        moved = {"type": "object"} | moved | ({"additionalProperties": False} if "properties" in moved else {})
    return moved


def _object(**properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": [*properties], "additionalProperties": False}


def _to(name: str) -> dict[str, Any]:
    return {"$ref": f"#/$defs/{name}"}


def _any(forms: list[dict[str, Any]]) -> dict[str, Any]:
    return forms[0] if len(forms) == 1 else {"anyOf": forms}


def written_call(name: str, arguments: str) -> str:
    """Return a call of the conversation in the form of an answer."""
    text = arguments.strip() or "{}"
    return _json({"tool": name, "arguments": Raw(text.encode()) if is_object(text) else arguments})


def written_calls(calls: list[str], *, several: bool) -> str:
    """Return the calls of one turn in the form of an answer."""
    return f"[{','.join(calls)}]" if several else "\n".join(calls)


def written_reply(text: str) -> str:
    """Return words of the conversation in the form of an answer."""
    return _json({"reply": text})


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()
