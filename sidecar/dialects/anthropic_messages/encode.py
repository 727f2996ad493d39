"""Requests written. https://platform.claude.com/docs/en/api/messages"""

from typing import Any, Final

import msgspec
from msgspec import Raw
from msgspec.structs import replace

from sidecar.dialects import history
from sidecar.dialects.anthropic_messages.caching import Marks
from sidecar.dialects.anthropic_messages.closed import obeyable
from sidecar.dialects.anthropic_messages.messages import CONTENT, ROLE, Writer, continuation
from sidecar.dialects.anthropic_messages.options import output, sampling, tool_choice, tools
from sidecar.dialects.anthropic_messages.thinking import thought_of, without_clashes
from sidecar.dialects.contract import Aim, HttpRequest
from sidecar.dialects.fitting import OPTIONS, Fitted, fit
from sidecar.dialects.options import completed, merged
from sidecar.dialects.report import Report
from sidecar.schema.chat import ChatRequest, Custom, JsonSchemaFormat

PATH: Final = "/v1/messages"
COUNT_PATH: Final = "/v1/messages/count_tokens"

TAKES: Final = OPTIONS - {"frequency_penalty", "presence_penalty", "seed", "context_size"}
COUNTED: Final = (
    "model",
    "system",
    "messages",
    "tools",
    "tool_choice",
    "thinking",
    "output_config",
    "cache_control",
    "speed",
)
"""What a request for a count is made of."""

Body = dict[str, Any]


def encode_request(request: ChatRequest, aim: Aim) -> HttpRequest:
    """Return the request for a streamed answer."""
    report = Report(request.on_unsupported)
    fitted = _fitted(request, aim, report)
    body = {"stream": True} | _body(fitted.request, aim, report)
    return HttpRequest(PATH, msgspec.json.encode(body), report.warnings, shaping=fitted.shaping)


def encode_count(request: ChatRequest, aim: Aim) -> HttpRequest:
    """Return the request for a count of the tokens of a question."""
    report = Report(request.on_unsupported)
    body = _body(_fitted(request, aim, report).request, aim, report)
    asked = {name: value for name, value in body.items() if name in COUNTED}
    return HttpRequest(COUNT_PATH, msgspec.json.encode(asked), report.warnings)


def _fitted(request: ChatRequest, aim: Aim, report: Report) -> Fitted:
    fitted = fit(request, _narrowed(aim, request), report, TAKES)
    # Sequences of blanks are refused, so they are looked for here.
    blank = tuple(stop for stop in fitted.request.stop if not stop.strip())
    rest = [stop for stop in fitted.request.stop if stop.strip()]
    shaping = replace(fitted.shaping, stop=fitted.shaping.stop + blank)
    return Fitted(replace(fitted.request, stop=rest), shaping)


def _narrowed(aim: Aim, request: ChatRequest) -> Aim:
    """Return the aim without what the format has no word for: JSON without a schema, schemas of open objects."""
    wanted = request.response_format
    traits = replace(aim.traits, json_object=False)
    if traits.structured == "native" and isinstance(wanted, JsonSchemaFormat) and not obeyable(wanted.schema):
        # A tool that must be called would put an end to reasoning.
        traits = replace(traits, structured="prompt" if request.reasoning else "tool")
    return replace(aim, traits=traits)


def _body(request: ChatRequest, aim: Aim, report: Report) -> Body:
    marks = Marks(report, taken="cache" not in aim.lacks)
    offered = tools(request, marks, report)  # first: the order of marks is that of the prompt
    script = history.script(request.messages, report)
    writer = Writer(aim, report, marks)
    system, turns = writer.instructions(script), writer.turns(script)
    thought = without_clashes(thought_of(request, aim, report), request, turns, report)
    if turns[-1][ROLE] == "assistant" and not _is_paused(turns, script):
        _close(turns, report) if thought.is_on or not aim.traits.prefill else _trim(turns[-1][CONTENT][-1])
    marks.settle()
    body: Body = {"model": aim.model, "max_tokens": thought.max_tokens}
    body |= {"system": system} if system else {}
    body |= {"messages": turns} | ({"tools": offered} if offered else {})
    body |= tool_choice(request) | sampling(request, thought, report) | output(request, thought)
    return completed(merged(body, aim.additions), request.provider_options, aim)


def _is_paused(turns: list[Body], script: history.Script) -> bool:
    """Tell whether the model was interrupted at work on a tool of the server, with which it goes on by itself."""
    return isinstance(script.turns[-1].parts[-1], Custom) and isinstance(turns[-1][CONTENT][-1], Raw)


def _close(turns: list[Body], report: Report) -> None:
    report.history("The conversation ends with words of the model; the user was made to ask for more.")
    turns.append(continuation())


def _trim(end: Body | Raw) -> None:
    """Take off the blanks that the model's words must not end with where it continues them."""
    if not isinstance(end, Raw) and isinstance(end.get("text"), str):
        end["text"] = end["text"].rstrip()
