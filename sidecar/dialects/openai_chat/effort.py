"""How much to think, in the words of each server."""

from collections.abc import Callable
from typing import Any, Final

from sidecar.dialects.contract import Aim
from sidecar.dialects.report import Report
from sidecar.schema.chat import ChatRequest, Effort

Body = dict[str, Any]


def reasoning(request: ChatRequest, aim: Aim, report: Report) -> Body:
    """Return the members that say how much to think, and in what form the thoughts are wanted."""
    body = _apart(aim)
    wanted, form = request.reasoning, aim.quirks.reasoning
    if wanted is None or form is None:
        return body
    effort = wanted.effort
    if wanted.budget_tokens is not None:
        budget = _budget(wanted.budget_tokens, aim)
        body |= budget
        if not budget:
            report.unsupported("reasoning.budget_tokens", "The provider takes no reasoning budget")
        elif form == "object" and effort is not None:
            reason = "The provider takes a reasoning effort or a budget"
            report.unsupported("reasoning.effort", reason, "the budget was sent")
            effort = None
    return body if effort is None else FORMS[form](effort) | body


def _apart(aim: Aim) -> Body:
    """Ask for thoughts apart from words, where they come mixed."""
    mixed = aim.traits.thinks_aloud and aim.quirks.parsed_reasoning and "reasoning_format" not in aim.lacks
    return {"reasoning_format": "parsed"} if mixed else {}


def _budget(tokens: int, aim: Aim) -> Body:
    if aim.quirks.reasoning == "object":
        return {"reasoning": {"max_tokens": tokens}}
    field = aim.quirks.budget_field
    return {} if field is None else {field: tokens}


def _effort(effort: Effort) -> Body:
    return {"reasoning_effort": effort}


def _switch(effort: Effort) -> Body:
    return {"thinking": {"type": "disabled"}} if effort == "none" else _effort(effort)


def _object(effort: Effort) -> Body:
    return {"reasoning": {"effort": effort}}


def _template(effort: Effort) -> Body:
    arguments: Body = {"enable_thinking": False} if effort == "none" else {"enable_thinking": True} | _effort(effort)
    return {"chat_template_kwargs": arguments}


def _effort_and_template(effort: Effort) -> Body:
    return _effort(effort) | (_template(effort) if effort == "none" else {})


FORMS: Final[dict[str, Callable[[Effort], Body]]] = {
    "effort": _effort,
    "switch": _switch,
    "object": _object,
    "template": _template,
    "effort_and_template": _effort_and_template,
}
