"""A request cut to what a model takes, before it is written in any format."""

from collections.abc import Callable
from typing import Any, Final

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from sidecar.dialects.contract import Aim
from sidecar.dialects.report import Report, refuse
from sidecar.dialects.shaping import Shaping
from sidecar.dialects.traits import EFFORTS, ModelTraits
from sidecar.schema.chat import (
    ChatRequest,
    Effort,
    FunctionTool,
    JsonFormat,
    JsonSchemaFormat,
    Message,
    NamedTool,
    ReasoningOptions,
    StructuredOutput,
    Text,
)

SAMPLING: Final = ("temperature", "top_p", "top_k", "frequency_penalty", "presence_penalty")

BUDGETS: Final[dict[Effort, int]] = {
    "none": 0,
    "minimal": 512,
    "low": 2_048,
    "medium": 8_192,
    "high": 24_576,
    "xhigh": 49_152,
    "max": 98_304,
}
"""What an effort is worth in tokens where a model takes budgets, and the other way round."""

OPTIONS: Final = frozenset(
    {*SAMPLING, "max_tokens", "stop", "seed", "context_size", "reasoning", "parallel_tool_calls", "cache"}
)
"""What some formats have no word for."""

LEFT_TO_DIALECTS: Final = frozenset({"max_tokens", "opaque", "cache"})
"""What dialects themselves leave out or write otherwise."""


class Fitted(Struct, frozen=True):
    """What goes out, and what remains to be done to the answer."""

    request: ChatRequest
    shaping: Shaping


def fit(request: ChatRequest, aim: Aim, report: Report, takes: frozenset[str]) -> Fitted:
    """Return the request without what the model, or the format, which `takes` some of `OPTIONS`, has no word for.

    Raises as `report` does.
    """
    stop = () if "stop" in takes - aim.lacks else tuple(request.stop)
    request = replace(request, stop=[]) if stop else request
    if request.parallel_tool_calls and "parallel_tool_calls" not in takes:
        request = replace(request, parallel_tool_calls=None)  # what all do by themselves
    for name in sorted((OPTIONS - takes | aim.lacks) - LEFT_TO_DIALECTS - {"stop", "response_format", "tool_choice"}):
        request = _without(request, name, report, "The provider takes no")
    for step in STEPS:
        request = step(request, aim.traits, report)
    mode = _structured(request, aim)
    return _shaped(_with_tool_choice(request, aim, report), aim, mode, stop)


def _without(request: ChatRequest, name: str, report: Report, reason: str) -> ChatRequest:
    default = getattr(DEFAULTS, name, None)
    if getattr(request, name, default) == default:
        return request
    report.unsupported(name, f"{reason} `{name}`")
    return replace(request, **{name: default})


DEFAULTS: Final = ChatRequest(messages=[])


def _fit_reasoning(request: ChatRequest, traits: ModelTraits, report: Report) -> ChatRequest:
    wanted = request.reasoning
    if wanted is None or (wanted.effort is None and wanted.budget_tokens is None):
        return request
    if traits.efforts in ((), ("none",)) and traits.budgets is None:
        off = wanted.effort == "none" or (wanted.effort is None and wanted.budget_tokens == 0)
        if not off:
            return _without(request, "reasoning", report, "The model takes no")
        return replace(request, reasoning=ReasoningOptions("none") if traits.efforts else None)
    return replace(request, reasoning=_measured(wanted, traits, report))


def _measured(wanted: ReasoningOptions, traits: ModelTraits, report: Report) -> ReasoningOptions:
    """Return the wish as an effort or a budget that the model offers."""
    if wanted.budget_tokens is not None and traits.budgets is not None:
        budget = _within(wanted.budget_tokens, traits.budgets, report)
        return ReasoningOptions(_offered(wanted.effort, traits, report), budget)
    if traits.efforts is None or (not traits.efforts and wanted.effort is None):
        return wanted
    if wanted.effort is None:
        assert wanted.budget_tokens is not None
        effort = _worth(wanted.budget_tokens, traits.efforts)
        report.unsupported("reasoning.budget_tokens", "The model takes an effort, no budget", f"`{effort}` was sent")
        return ReasoningOptions(effort)
    if wanted.budget_tokens is not None:
        report.unsupported("reasoning.budget_tokens", "The model takes no budget")
    if not traits.efforts:
        return _as_budget(wanted.effort, traits)
    return ReasoningOptions(_offered(wanted.effort, traits, report))


def _offered(wanted: Effort | None, traits: ModelTraits, report: Report) -> Effort | None:
    if wanted is None or traits.efforts is None:
        return wanted
    if not traits.efforts:
        return None
    effort = _nearest(wanted, traits.efforts)
    if effort != wanted:
        report.unsupported("reasoning.effort", f"The model offers no effort `{wanted}`", f"`{effort}` was sent")
    return effort


def _as_budget(effort: Effort, traits: ModelTraits) -> ReasoningOptions:
    assert traits.budgets is not None
    least, most = traits.budgets
    return ReasoningOptions(None, 0 if effort == "none" else max(least, min(BUDGETS[effort], most)))


def _within(budget: int, bounds: tuple[int, int], report: Report) -> int:
    fitting = 0 if budget == 0 else max(bounds[0], min(budget, bounds[1]))
    if fitting != budget:
        report.unsupported(
            "reasoning.budget_tokens", f"The model takes {bounds[0]} to {bounds[1]} tokens", f"{fitting} was sent"
        )
    return fitting


def _worth(budget: int, offered: tuple[Effort, ...]) -> Effort:
    """Return the effort that comes nearest to `budget`, which turns reasoning off only where it is 0."""
    some: list[Effort] = [effort for effort in offered if effort != "none" or budget == 0]
    return min(some or offered, key=lambda effort: abs(BUDGETS[effort] - budget))


def _nearest(wanted: Effort, offered: tuple[Effort, ...]) -> Effort:
    """Return the nearest effort that is not above `wanted`, or else the lowest."""
    below: list[Effort] = [effort for effort in offered if EFFORTS.index(effort) <= EFFORTS.index(wanted)]
    return below[-1] if below else offered[0]


def _fit_reasoning_with_tools(request: ChatRequest, traits: ModelTraits, report: Report) -> ChatRequest:
    """Turn reasoning off beside functions for a model that cannot have both."""
    if traits.reasons_with_tools or not any(isinstance(tool, FunctionTool) for tool in request.tools):
        return request
    if "none" not in (traits.efforts or ()):
        raise refuse("By this API the model takes no tools, as it cannot be kept from reasoning.")
    wanted = request.reasoning
    if wanted is not None and wanted.effort not in (None, "none"):
        reason = "By this API the model does not reason where it is offered tools"
        report.unsupported("reasoning.effort", reason, "`none` was sent")
    return replace(request, reasoning=ReasoningOptions("none"))


def _fit_sampling(request: ChatRequest, traits: ModelTraits, report: Report) -> ChatRequest:
    effort = (request.reasoning.effort if request.reasoning else None) or traits.default_effort
    free = traits.sampling in ("free", "one_of_two") or (traits.sampling == "unless_reasoning" and effort == "none")
    if not free:
        for name in SAMPLING:
            request = _without(request, name, report, "The model takes no")
    elif traits.sampling == "one_of_two" and request.temperature is not None:
        request = _without(request, "top_p", report, "Beside `temperature` the model takes no")
    if not traits.penalties:
        for name in ("frequency_penalty", "presence_penalty"):
            request = _without(request, name, report, "The model takes no")
    return request


def _fit_length(request: ChatRequest, traits: ModelTraits, report: Report) -> ChatRequest:
    most = traits.max_output_tokens
    if most is None or request.max_tokens is None or request.max_tokens <= most:
        return request
    report.unsupported("max_tokens", f"The model writes {most} tokens at most", f"{most} was sent")
    return replace(request, max_tokens=most)


def _fit_tools(request: ChatRequest, traits: ModelTraits, report: Report) -> ChatRequest:
    del traits
    if request.tools:
        return request
    if request.tool_choice not in (None, "auto", "none"):
        report.unsupported("tool_choice", "A tool is to be called but none is offered")
    return replace(request, tool_choice=None, parallel_tool_calls=None)


Step = Callable[[ChatRequest, ModelTraits, Report], ChatRequest]
STEPS: Final[tuple[Step, ...]] = (_fit_reasoning, _fit_reasoning_with_tools, _fit_sampling, _fit_length, _fit_tools)


def _with_tool_choice(request: ChatRequest, aim: Aim, report: Report) -> ChatRequest:
    """Turn a must into a plea where the model cannot be made to call a tool."""
    choice = request.tool_choice
    if choice in (None, "auto", "none") or _forces_tools(aim):
        return request
    report.unsupported("tool_choice", "The model cannot be made to call a tool", "it was asked to in words")
    which = f"the tool `{choice.name}`" if isinstance(choice, NamedTool) else "at least one of the tools"
    return _told(replace(request, tool_choice="auto"), f"Answer this turn by calling {which}.")


def _forces_tools(aim: Aim) -> bool:
    return aim.traits.forced_tools and aim.lacks.isdisjoint({"tools", "tool_choice"})


def _structured(request: ChatRequest, aim: Aim) -> StructuredOutput | None:
    """Return the best way to the JSON that is asked for."""
    traits, wanted = aim.traits, request.response_format
    if not isinstance(wanted, JsonFormat | JsonSchemaFormat):
        return None
    native = traits.json_object if isinstance(wanted, JsonFormat) else traits.structured == "native"
    if native and _takes_format(request, aim):
        return "native"
    by_tool = isinstance(wanted, JsonSchemaFormat) and traits.structured != "prompt" and not request.tools
    return "tool" if by_tool and _forces_tools(aim) and _is_of_object(wanted) else "prompt"


def _takes_format(request: ChatRequest, aim: Aim) -> bool:
    """Tell whether the form of the answer can be asked for beside the tools, if there are any."""
    return (not request.tools or aim.traits.structured_with_tools) and "response_format" not in aim.lacks


def _is_of_object(wanted: Any) -> bool:
    """Tell whether a schema is of an object, as the arguments of a tool are."""
    return wanted.schema.get("type") == "object" or "properties" in wanted.schema


def _shaped(request: ChatRequest, aim: Aim, mode: StructuredOutput | None, stop: tuple[str, ...]) -> Fitted:
    wanted = request.response_format
    if mode == "tool" and isinstance(wanted, JsonSchemaFormat):
        tool = FunctionTool(wanted.name, wanted.description or "Gives the answer.", wanted.schema, wanted.strict)
        request = replace(request, tools=[tool], tool_choice=NamedTool(wanted.name), response_format=None)
        return Fitted(request, Shaping(stop=stop, tool=wanted.name, structured="tool"))
    if mode == "prompt":
        # Some JSON is better than none: the schema is told in words, and that it is JSON by the format.
        form = JsonFormat() if aim.traits.json_object and _takes_format(request, aim) and _is_schema(wanted) else None
        request = _told(replace(request, response_format=form), _plea(wanted))
        return Fitted(request, Shaping(stop=stop, fenced=True, structured="prompt"))
    if isinstance(wanted, JsonFormat) and not _mentions_json(request.messages):
        request = _told(request, "Answer with a JSON object.")
    return Fitted(request, Shaping(stop=stop, structured=mode))


def _is_schema(wanted: Any) -> bool:
    return isinstance(wanted, JsonSchemaFormat) and _is_of_object(wanted)


def _plea(wanted: Any) -> str:
    if not isinstance(wanted, JsonSchemaFormat):
        return "Answer with one JSON object and nothing else: no explanation, no Markdown."
    schema = msgspec.json.encode(wanted.schema, order="deterministic").decode()
    plea = "Answer with JSON and nothing else: no explanation, no Markdown. It must match this JSON Schema:"
    return f"{plea}\n{schema}"


def _told(request: ChatRequest, words: str) -> ChatRequest:
    """Add an instruction behind those that the conversation begins with."""
    messages = request.messages
    first = next((n for n, m in enumerate(messages) if m.role not in ("system", "developer")), len(messages))
    return replace(request, messages=[*messages[:first], Message("system", words), *messages[first:]])


def _mentions_json(messages: list[Message]) -> bool:
    return any("json" in text.lower() for message in messages for text in _texts(message))


def _texts(message: Message) -> list[str]:
    if isinstance(message.content, str):
        return [message.content]
    return [part.text for part in message.content if isinstance(part, Text)]
