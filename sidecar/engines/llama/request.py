"""Our chat request becomes what a worker is asked."""

from collections.abc import Iterator
from typing import Any, Final, Literal

from msgspec import Struct

from sidecar.engines.llama import tools
from sidecar.engines.llama.chat_template import PLAIN, ChatTemplate
from sidecar.engines.llama.protocol import Chat, Sampling, Turn
from sidecar.engines.llama.schemas import check_schema
from sidecar.engines.llama.spoken import Form
from sidecar.engines.llama.thinking import template_options, unfulfilled
from sidecar.engines.llama.tools import Offer
from sidecar.handler import Target
from sidecar.schema.chat import (
    ChatRequest,
    File,
    JsonFormat,
    JsonSchemaFormat,
    Message,
    Part,
    ProviderTool,
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

NAMES: Final = {"messages": "files", "tools": "tools of a provider"}
"""What of a parameter is left out, where it is not all of it."""

TurnRole = Literal["system", "user", "assistant"]

ROLES: Final[dict[Role, TurnRole]] = {
    "system": "system",
    "developer": "system",
    "user": "user",
    "assistant": "assistant",
    "tool": "user",
}
NO_SYSTEM: Final[dict[Role, TurnRole]] = {**ROLES, "system": "user", "developer": "user"}


class Asked(Struct, frozen=True):
    """A question for a worker, its id still 0; what it leaves out, and the form of the answer."""

    chat: Chat
    warnings: list[Warning]
    form: Form


def encode(request: ChatRequest, target: Target, template: ChatTemplate = PLAIN) -> Asked:
    """Return what a worker is asked of a model with such a template.

    An answer that is held to a form has no place for thoughts. Raises `SidecarError` for what cannot be right, and,
    under `on_unsupported: "error"`, instead of warning.
    """
    warnings = [_warning(param, target.model) for param in _unsupported(request, target, template)]
    if warnings and request.on_unsupported == "error":
        raise SidecarError("unsupported_feature", warnings[0].message, param=warnings[0].param)
    if not request.messages:
        raise SidecarError("invalid_params", "A chat needs at least one message.", param="messages")
    if request.max_tokens is not None and request.max_tokens < 1:
        raise SidecarError("invalid_params", "`max_tokens` must be at least 1.", param="max_tokens")
    offered, schema = tools.offer(request), _schema(request.response_format)
    form = _form(request, offered, schema)
    chat = Chat(
        id=0,
        messages=turns(request.messages, offered, template),
        sampling=_sampling(request),
        max_tokens=request.max_tokens,
        stop=[] if offered else [stop for stop in request.stop if stop],
        schema=tools.schema(offered, schema) if offered else schema,
        template_options=template_options(request.reasoning, template, aloud=form.kind == "words"),
    )
    return Asked(chat, warnings, form)


def _form(request: ChatRequest, offered: Offer | None, schema: dict[str, Any] | None) -> Form:
    if offered is None:
        return Form("words" if schema is None else "json")
    return Form("tools", json_reply=schema is not None, stop=tuple(stop for stop in request.stop if stop))


def _unsupported(request: ChatRequest, target: Target, template: ChatTemplate) -> list[str]:
    """Return the members of the request that the model does nothing with."""
    own_options = request.provider_options.keys() & {target.id, target.provider.id}
    asked = {
        "tools": any(isinstance(tool, ProviderTool) for tool in request.tools),
        "tool_choice": not request.tools and request.tool_choice not in (None, "none", "auto"),
        "provider_options": own_options,
        "messages": any(_has_files(message.content) for message in request.messages),
    }
    return [*(param for param, value in asked.items() if value), *unfulfilled(request.reasoning, template)]


def _has_files(content: str | list[Part] | list[Text | File]) -> bool:
    if isinstance(content, str):
        return False
    inner = (part.content for part in content if isinstance(part, ToolResult))
    return any(isinstance(part, File) for part in content) or any(map(_has_files, inner))


def _warning(param: str, model: str) -> Warning:
    message = f"{model} runs locally and takes no {NAMES.get(param, f'`{param}`')}; they were left out."
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


def turns(messages: list[Message], offered: Offer | None = None, template: ChatTemplate = PLAIN) -> list[Turn]:
    """Return the conversation as plain text, neighbours of the same role joined: many templates insist on a change.

    Where tools are offered, what the model said is written in the form that it is held to. Instructions are the user's
    words where the template takes none.
    """
    writing, roles = _Writing(offered), ROLES if template.system else NO_SYSTEM
    joined: list[Turn] = [Turn(roles["system"], tools.instructions(offered))] if offered else []
    for message in messages:
        turn = Turn(roles[message.role], writing.text(message))
        if joined and joined[-1].role == turn.role:
            turn = Turn(turn.role, joined.pop().content + PARAGRAPH + turn.content)
        joined.append(turn)
    return joined


class _Writing:
    """Writes the messages of one conversation, in their order: results of tools are told with the names of these."""

    def __init__(self, offered: Offer | None) -> None:
        self._offered = offered
        self._names: dict[str, str] = {}

    def text(self, message: Message) -> str:
        """Return a message in words."""
        words = _text(message.content)
        if message.role != "assistant":
            return words if isinstance(message.content, str) else PARAGRAPH.join(self._results(message.content, words))
        calls = [] if isinstance(message.content, str) else [p for p in message.content if isinstance(p, ToolCall)]
        self._names |= {call.id: call.name for call in calls}
        said = [tools.written_reply(words) if self._offered else words] if words else []
        written = [tools.written_call(call.name, call.arguments) for call in calls]
        several = self._offered is not None and self._offered.several
        return "\n".join([*said, *([tools.written_calls(written, several=several)] if written else [])])

    def _results(self, parts: list[Part], words: str) -> Iterator[str]:
        for part in parts:
            if isinstance(part, ToolResult):
                outcome = "fails" if part.is_error else "answers"
                name = self._names.get(part.tool_call_id)
                yield f"[The tool {name + ' ' if name else ''}{outcome}: {_text(part.content)}]"
        if words:
            yield words


def _text(content: str | list[Part] | list[Text | File]) -> str:
    """Return the words of a message, or of a tool's result."""
    if isinstance(content, str):
        return content
    return PARAGRAPH.join(part.text for part in content if isinstance(part, Text | Refusal) and part.text)
