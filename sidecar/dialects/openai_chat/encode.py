"""Requests written. https://platform.openai.com/docs/api-reference/chat/create"""

from collections.abc import Callable
from typing import Any, Final

import msgspec

from sidecar.dialects import lenient
from sidecar.dialects.contract import Aim, HttpRequest
from sidecar.dialects.counts import Number, whole
from sidecar.dialects.fitting import OPTIONS, fit
from sidecar.dialects.openai_chat.effort import reasoning
from sidecar.dialects.openai_chat.messages import MessageWriter
from sidecar.dialects.openai_chat.tools import tools
from sidecar.dialects.options import completed, merged
from sidecar.dialects.quirks import ChatQuirks
from sidecar.dialects.repairs import lack
from sidecar.dialects.report import Report
from sidecar.dialects.strict_schemas import strict
from sidecar.schema.chat import ChatRequest, JsonFormat, JsonSchemaFormat, TextFormat
from sidecar.schema.errors import SidecarError

PATH: Final = "/chat/completions"

Body = dict[str, Any]


def encode_request(request: ChatRequest, aim: Aim) -> HttpRequest:
    """Return the request for a streamed answer."""
    report = Report(request.on_unsupported)
    fitted = fit(request, aim, report, _takes(aim.quirks))
    body: Body = {"model": aim.model, "messages": MessageWriter(aim, report).write(fitted.request.messages)}
    for add in SECTIONS:
        body |= add(fitted.request, aim, report)
    body = merged(body, aim.additions)
    body = completed(body, request.provider_options, aim)
    return HttpRequest(PATH, msgspec.json.encode(body), report.warnings, shaping=fitted.shaping)


def _takes(quirks: ChatQuirks) -> frozenset[str]:
    """Return the options that the server has words for."""
    there = {
        "top_k": quirks.top_k,
        "frequency_penalty": quirks.penalties,
        "presence_penalty": quirks.penalties,
        "stop": quirks.stop,
        "seed": quirks.seed_field is not None,
        "parallel_tool_calls": quirks.parallel_tool_calls,
        "reasoning": quirks.reasoning is not None,
        "context_size": False,
    }
    return OPTIONS - {name for name, present in there.items() if not present}


def _streaming(request: ChatRequest, aim: Aim, report: Report) -> Body:
    del request, report
    quirks = aim.quirks
    options = {"include_usage": True} if quirks.stream_usage and "stream_usage" not in aim.lacks else {}
    options |= {"include_obfuscation": False} if quirks.obfuscation else {}
    body: Body = {"stream": True} | ({"stream_options": options} if options else {})
    return body | ({"store": False} if quirks.storage else {})


OTHER_NAMES: Final = {"max_tokens": "max_completion_tokens", "max_completion_tokens": "max_tokens"}
"""What a length is called by servers that refuse its usual name."""


def _sampling(request: ChatRequest, aim: Aim, report: Report) -> Body:
    del report
    length = aim.quirks.max_tokens_field
    wanted = {
        OTHER_NAMES[length] if "max_tokens" in aim.lacks else length: request.max_tokens,
        "temperature": request.temperature,
        "top_p": request.top_p,
        "top_k": request.top_k,
        "stop": request.stop or None,
        aim.quirks.seed_field or "seed": request.seed,
        "frequency_penalty": request.frequency_penalty,
        "presence_penalty": request.presence_penalty,
    }
    return {name: value for name, value in wanted.items() if value is not None}


def _response_format(request: ChatRequest, aim: Aim, report: Report) -> Body:
    del aim, report
    wanted = request.response_format
    if isinstance(wanted, JsonSchemaFormat):
        described = {
            "name": wanted.name,
            "description": wanted.description,
            "schema": strict(wanted.schema) if wanted.strict else wanted.schema,
            "strict": wanted.strict,
        }
        schema = {name: value for name, value in described.items() if value is not None}
        return {"response_format": {"type": "json_schema", "json_schema": schema}}
    return {"response_format": {"type": "json_object"}} if isinstance(wanted, JsonFormat) else {}


def _routing(request: ChatRequest, aim: Aim, report: Report) -> Body:
    del report
    demanding = bool(request.tools) or not isinstance(request.response_format, TextFormat | None)
    return {"provider": {"require_parameters": True}} if aim.quirks.require_parameters and demanding else {}


Section = Callable[[ChatRequest, Aim, Report], Body]
SECTIONS: Final[tuple[Section, ...]] = (_sampling, tools, _response_format, reasoning, _routing, _streaming)

PARAMS: Final = {
    "temperature": "temperature",
    "top_p": "top_p",
    "top_k": "top_k",
    "stop": "stop",
    "seed": "seed",
    "random_seed": "seed",
    "frequency_penalty": "frequency_penalty",
    "presence_penalty": "presence_penalty",
    "max_tokens": "max_tokens",
    "max_completion_tokens": "max_tokens",
    "reasoning_format": "reasoning_format",
    "reasoning_content": "opaque",
    "reasoning_details": "opaque",
    "reasoning_effort": "reasoning",
    "reasoning": "reasoning",
    "thinking": "reasoning",
    "think": "reasoning",
    "chat_template_kwargs": "reasoning",
    "thinking_token_budget": "reasoning",
    "thinking_budget_tokens": "reasoning",
    "parallel_tool_calls": "parallel_tool_calls",
    "tool_choice": "tool_choice",
    "response_format": "response_format",
    "cache_control": "cache",
    "stream_options": "stream_usage",
}
"""What a request can do without, by the parameter that stands for it."""


def repair(error: SidecarError) -> str | None:
    """Return the field of `request` that the server does not take, if the error names one."""
    return lack(error, PARAMS)


class Count(msgspec.Struct, frozen=True):
    """The length of a prompt."""

    count: Number = None


def encode_count(request: ChatRequest, aim: Aim) -> HttpRequest | None:
    """Return the request for the length of the prompt, where the server tells it."""
    if aim.quirks.count_path is None:
        return None
    report = Report("warn")
    fitted = fit(request, aim, report, _takes(aim.quirks)).request
    body: Body = {"model": aim.model, "messages": MessageWriter(aim, report).write(fitted.messages)}
    offered = tools(fitted, aim, report).get("tools")
    return HttpRequest(aim.quirks.count_path, msgspec.json.encode(body | ({"tools": offered} if offered else {})))


def decode_count(body: bytes) -> int:
    """Return the number of tokens."""
    counted = whole(lenient.read(body, Count).count)
    if counted is None:
        raise SidecarError("malformed_response", "The provider's answer holds no count.")
    return counted
