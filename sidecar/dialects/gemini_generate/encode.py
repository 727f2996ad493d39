"""Requests written. https://ai.google.dev/api/generate-content"""

from typing import Any, Final
from urllib.parse import quote

import msgspec
from msgspec.structs import replace

from sidecar.dialects.contract import Aim, HttpRequest
from sidecar.dialects.fitting import BUDGETS, SAMPLING, fit
from sidecar.dialects.gemini_generate.contents import ConversationWriter
from sidecar.dialects.gemini_generate.schemas import adapted, takes_nothing
from sidecar.dialects.options import completed
from sidecar.dialects.report import Report
from sidecar.schema.chat import (
    ChatRequest,
    Effort,
    FunctionTool,
    JsonFormat,
    JsonSchemaFormat,
    NamedTool,
    ProviderTool,
    ReasoningOptions,
)

TAKES: Final = frozenset({*SAMPLING, "max_tokens", "seed", "reasoning"})
MAX_STOP: Final = 5
"""How many stop sequences the server takes."""

LEVELS: Final[dict[Effort, str]] = {"max": "xhigh"}
"""Efforts that go by another name."""

MODES: Final = {"none": "NONE", "required": "ANY"}

Body = dict[str, Any]


def model_name(model: str) -> str:
    """Return the full name of a model."""
    return model if "/" in model else f"models/{model}"


def path(model: str, action: str) -> str:
    """Return where `action` is done."""
    return f"/{quote(model_name(model))}:{action}"


def encode_request(request: ChatRequest, aim: Aim) -> HttpRequest:
    """Return the request for a streamed answer."""
    report = Report(request.on_unsupported)
    takes = TAKES if len(request.stop) > MAX_STOP else TAKES | {"stop"}
    fitted = fit(request, _combining(request, aim), report, takes)
    body = msgspec.json.encode(_body(fitted.request, aim, report))
    return HttpRequest(path(aim.model, "streamGenerateContent?alt=sse"), body, report.warnings, shaping=fitted.shaping)


def encode_count(request: ChatRequest, aim: Aim) -> HttpRequest:
    """Return a request that counts the tokens of a question."""
    asked = encode_request(request, aim)
    model = msgspec.json.encode(model_name(aim.model))
    body = b'{"generateContentRequest":{"model":' + model + b"," + asked.body[1:] + b"}"
    return HttpRequest(path(aim.model, "countTokens"), body, asked.warnings)


def _combining(request: ChatRequest, aim: Aim) -> Aim:
    """Return the target as one that writes no JSON beside tools, where one of them must be called."""
    if request.tool_choice in (None, "auto", "none"):
        return aim
    return replace(aim, traits=replace(aim.traits, structured_with_tools=False))


def _body(request: ChatRequest, aim: Aim, report: Report) -> Body:
    body: Body = ConversationWriter(aim, report).write(request.messages) | _tools(request, report)
    config = _sampling(request) | _response_format(request) | _thinking(request, aim, report)
    body |= {"generationConfig": config} if config else {}
    return completed(body, request.provider_options, aim)


def _sampling(request: ChatRequest) -> Body:
    wanted = {
        "maxOutputTokens": request.max_tokens,
        "temperature": request.temperature,
        "topP": request.top_p,
        "topK": request.top_k,
        "stopSequences": request.stop or None,
        "seed": request.seed,
        "frequencyPenalty": request.frequency_penalty,
        "presencePenalty": request.presence_penalty,
    }
    return {name: value for name, value in wanted.items() if value is not None}


def _response_format(request: ChatRequest) -> Body:
    wanted = request.response_format
    if isinstance(wanted, JsonSchemaFormat):
        return {"responseMimeType": "application/json", "responseJsonSchema": adapted(wanted.schema)}
    return {"responseMimeType": "application/json"} if isinstance(wanted, JsonFormat) else {}


def _thinking(request: ChatRequest, aim: Aim, report: Report) -> Body:
    """Return how much to think; thoughts are shown wherever the model has any."""
    wanted, traits = request.reasoning or ReasoningOptions(), aim.traits
    if "reasoning" in aim.lacks:
        return {}
    asked = wanted.effort is not None or wanted.budget_tokens is not None
    thinks = (wanted.budget_tokens or wanted.effort or "none") if asked else (traits.default_effort or "none")
    config: Body = {} if thinks == "none" else {"includeThoughts": True}
    budget = _budget(wanted, aim, report)
    if budget is not None:
        config = {"includeThoughts": True, "thinkingBudget": budget} if budget else {"thinkingBudget": 0}
    elif wanted.effort is not None:
        config["thinkingLevel"] = LEVELS.get(wanted.effort, wanted.effort)
    return {"thinkingConfig": config} if config else {}


def _budget(wanted: ReasoningOptions, aim: Aim, report: Report) -> int | None:
    """Return the budget, where one was asked for or the model knows no efforts by name."""
    bounds, budget = aim.traits.budgets, wanted.budget_tokens
    if budget is None and wanted.effort is not None and (bounds is not None or wanted.effort == "none"):
        budget = BUDGETS[wanted.effort]
        budget = max(bounds[0], min(budget, bounds[1])) if bounds and budget else budget
    if budget == 0 and bounds is not None and "none" not in (aim.traits.efforts or ("none",)):
        report.unsupported("reasoning.budget_tokens", "The model always reasons", f"{bounds[0]} was sent")
        return bounds[0]
    return budget


def _tools(request: ChatRequest, report: Report) -> Body:
    functions = [tool for tool in request.tools if isinstance(tool, FunctionTool)]
    others = [tool.definition for tool in request.tools if isinstance(tool, ProviderTool)]
    others = [] if request.tool_choice == "none" else others
    if not functions:
        if request.tool_choice not in (None, "auto", "none"):
            report.unsupported("tool_choice", "The provider's own tools cannot be made a must")
        return {"tools": others} if others else {}
    choice = _choice(request, functions)
    config: Body = {"functionCallingConfig": choice} if choice else {}
    # Without this the server refuses its own tools beside functions.
    config |= {"includeServerSideToolInvocations": True} if others else {}
    declared = {"functionDeclarations": [_declaration(tool, report) for tool in functions]}
    return {"tools": [*others, declared]} | ({"toolConfig": config} if config else {})


def _declaration(tool: FunctionTool, report: Report) -> Body:
    if tool.cache is not None:
        report.no_cache_marks()
    schema = {} if takes_nothing(tool.input_schema) else {"parametersJsonSchema": adapted(tool.input_schema)}
    return {"name": tool.name} | ({"description": tool.description} if tool.description else {}) | schema


def _choice(request: ChatRequest, functions: list[FunctionTool]) -> Body:
    choice = request.tool_choice
    if isinstance(choice, NamedTool):
        return {"mode": "ANY", "allowedFunctionNames": [choice.name]}
    if choice in MODES:
        return {"mode": MODES[choice]}
    if request.response_format is None and any(tool.strict for tool in functions):
        return {"mode": "VALIDATED"}
    return {} if choice is None else {"mode": "AUTO"}
