"""Our chat request becomes what a worker is asked."""

from typing import Any, Final, Literal, cast

from sidecar.engines.llama.protocol import Chat, Sampling, Turn
from sidecar.engines.llama.schemas import check_schema
from sidecar.handler import Target
from sidecar.schema.chat import (
    ChatRequest,
    File,
    JsonFormat,
    JsonSchemaFormat,
    Message,
    Part,
    Refusal,
    ResponseFormat,
    Role,
    Text,
    TextFormat,
    ToolCall,
    ToolResult,
    Warning,
)
from sidecar.schema.errors import SidecarError

SEED_MASK: Final = 0xFFFF_FFFF
PARAGRAPH: Final = "\n\n"

TurnRole = Literal["system", "user", "assistant"]

ROLES: Final[dict[Role, TurnRole]] = {
    "system": "system",
    "developer": "system",
    "user": "user",
    "assistant": "assistant",
    "tool": "user",
}


def encode(request: ChatRequest, target: Target) -> tuple[Chat, list[Warning]]:
    """Return the command for `request`, its id still 0, and warnings of what it leaves out.

    Raises `SidecarError` for what cannot be right, and, under `on_unsupported: "error"`, instead of warning.
    """
    warnings = [_warning(param, target.model) for param in _unsupported(request, target)]
    if warnings and request.on_unsupported == "error":
        raise SidecarError("unsupported_feature", warnings[0].message, param=warnings[0].param)
    if not request.messages:
        raise SidecarError("invalid_params", "A chat needs at least one message.", param="messages")
    if request.max_tokens is not None and request.max_tokens < 1:
        raise SidecarError("invalid_params", "`max_tokens` must be at least 1.", param="max_tokens")
    chat = Chat(
        id=0,
        messages=turns(request.messages),
        sampling=_sampling(request),
        max_tokens=request.max_tokens,
        stop=[stop for stop in request.stop if stop],
        schema=_schema(request.response_format),
    )
    return chat, warnings


def _unsupported(request: ChatRequest, target: Target) -> list[str]:
    """Return the members of the request that local models do nothing with."""
    own_options = request.provider_options.keys() & {target.id, target.provider.id}
    asked = {
        "tools": request.tools,
        "tool_choice": request.tool_choice if request.tool_choice not in (None, "none", "auto") else None,
        "reasoning": request.reasoning,
        "provider_options": own_options,
        "messages": any(_has_files(message.content) for message in request.messages),
    }
    return [param for param, value in asked.items() if value]


def _has_files(content: str | list[Part] | list[Text | File]) -> bool:
    if isinstance(content, str):
        return False
    inner = (part.content for part in content if isinstance(part, ToolResult))
    return any(isinstance(part, File) for part in content) or any(map(_has_files, inner))


def _warning(param: str, model: str) -> Warning:
    what = "files" if param == "messages" else f"`{param}`"
    message = f"{model} runs locally and takes no {what}; they were left out."
    return Warning("unsupported_parameter", message, param)


def _sampling(request: ChatRequest) -> Sampling:
    return Sampling(
        temperature=request.temperature,
        top_p=request.top_p,
        top_k=request.top_k,
        seed=None if request.seed is None else request.seed & SEED_MASK,
        frequency_penalty=request.frequency_penalty,
        presence_penalty=request.presence_penalty,
    )


def _schema(wanted: ResponseFormat | None) -> dict[str, Any] | None:
    match wanted:
        case None | TextFormat():
            return None
        case JsonFormat():
            return {"type": "object"}
        case JsonSchemaFormat():
            check_schema(wanted.schema)
            return wanted.schema


def turns(messages: list[Message]) -> list[Turn]:
    """Return the conversation as plain text, neighbours of the same role joined: many templates insist on a change."""
    joined: list[Turn] = []
    for message in messages:
        turn = Turn(ROLES[message.role], _text(message.content))
        if joined and joined[-1].role == turn.role:
            turn = Turn(turn.role, joined.pop().content + PARAGRAPH + turn.content)
        joined.append(turn)
    return joined


def _text(content: str | list[Part]) -> str:
    if isinstance(content, str):
        return content
    return PARAGRAPH.join(text for part in content if (text := _part(part)))


def _part(part: Part) -> str:
    match part:
        case Text() | Refusal():
            return part.text
        case ToolCall():
            return f"[Calls {part.name} with {part.arguments}]"
        case ToolResult():
            outcome = "fails" if part.is_error else "answers"
            return f"[The tool {outcome}: {_text(cast('str | list[Part]', part.content))}]"
        case _:
            return ""
