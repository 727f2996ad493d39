"""How much the model is to think, and how long its answer may be.

https://platform.claude.com/docs/en/build-with-claude/adaptive-thinking
"""

from typing import Any, Final

from msgspec import Raw, Struct

from sidecar.dialects.contract import Aim
from sidecar.dialects.fitting import BUDGETS
from sidecar.dialects.report import Report
from sidecar.schema.chat import ChatRequest, Effort, ReasoningOptions

Wire = dict[str, Any]

LEAST_BUDGET: Final = 1024
ANSWER_TOKENS: Final = 32_000
"""How long an answer may be where nobody says so, reasoning apart."""
UNKNOWN_ANSWER_TOKENS: Final = 8_192
"""The same for a model of which nothing is known."""

SWITCHES: Final[dict[Effort, Wire]] = {"none": {"type": "disabled"}, "minimal": {"type": "between_tools"}}
"""Efforts that are no efforts here but a way of thinking; all others are sent as such."""

VISIBLE: Final = {"display": "summarized"}
ADAPTIVE: Final = {"type": "adaptive"} | VISIBLE


class Thought(Struct, frozen=True):
    """What goes into a request. `thinking` is empty where the model does as it does by itself."""

    max_tokens: int
    thinking: Wire
    effort: Effort | None = None

    @property
    def is_on(self) -> bool:
        """Whether the model was asked to think."""
        return bool(self.thinking) and self.thinking not in SWITCHES.values()


def thought_of(request: ChatRequest, aim: Aim, report: Report) -> Thought:
    """Return what `request` asks for."""
    wanted = request.reasoning or ReasoningOptions()
    budget, effort = wanted.budget_tokens, wanted.effort
    if "reasoning" in aim.lacks:
        budget = effort = None
    max_tokens = _max_tokens(request, aim, budget or BUDGETS[_real(effort) or "none"])
    if budget is not None:
        return Thought(max_tokens, _budgeted(budget, max_tokens, report), _real(effort))
    return Thought(max_tokens, _thinking(effort, aim), _real(effort))


def without_clashes(thought: Thought, request: ChatRequest, turns: list[Wire], report: Report) -> Thought:
    """Return the same, but not asked to think where the rest of the request forbids it."""
    if not thought.is_on:
        return thought
    if request.tools and request.tool_choice not in (None, "auto", "none"):
        reason = "The model does not reason when it is made to call a tool"
    elif thought.thinking["type"] == "enabled" and _lacks_thought(turns):
        reason = "The model's earlier reasoning is missing, without which it cannot go on reasoning"
    else:
        return thought
    if request.reasoning is not None:
        report.unsupported("reasoning", reason)
    return Thought(thought.max_tokens, {}, thought.effort)


def _lacks_thought(turns: list[Wire]) -> bool:
    """Tell whether the model waits for the results of tools that it called without a thought."""
    if len(turns) == 1 or turns[-1]["role"] != "user":
        return False
    results, calls = turns[-1]["content"], turns[-2]["content"]
    waiting = not isinstance(results[0], Raw) and results[0]["type"] == "tool_result"
    return waiting and not isinstance(calls[0], Raw)


def _real(effort: Effort | None) -> Effort | None:
    return None if effort in SWITCHES else effort


def _thinking(effort: Effort | None, aim: Aim) -> Wire:
    if effort is not None:
        return SWITCHES.get(effort, ADAPTIVE)
    efforts = aim.traits.efforts
    # Such a model thinks in any case: it is only asked to show it.
    always = aim.traits.adaptive and bool(efforts) and "none" not in (efforts or ())
    return ADAPTIVE if always and "reasoning" not in aim.lacks else {}


def _budgeted(budget: int, max_tokens: int, report: Report) -> Wire:
    if budget == 0:
        return SWITCHES["none"]
    if budget < max_tokens:
        return {"type": "enabled", "budget_tokens": budget} | VISIBLE
    if max_tokens <= LEAST_BUDGET:
        report.unsupported("reasoning", f"With `max_tokens` of {max_tokens} there is no room for reasoning")
        return {}
    fitting = max(LEAST_BUDGET, max_tokens // 2)
    report.unsupported("reasoning.budget_tokens", "The budget must be below `max_tokens`", f"{fitting} was sent")
    return {"type": "enabled", "budget_tokens": fitting} | VISIBLE


def _max_tokens(request: ChatRequest, aim: Aim, reasoning: int) -> int:
    if request.max_tokens is not None:
        return request.max_tokens
    most = aim.traits.max_output_tokens
    return UNKNOWN_ANSWER_TOKENS + reasoning if most is None else min(most, ANSWER_TOKENS + reasoning)
