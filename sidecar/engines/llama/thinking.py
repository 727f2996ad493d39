"""Wishes how much a model should think, which its chat template may fulfil in part."""

from sidecar.engines.llama.chat_template import ChatTemplate
from sidecar.schema.chat import ReasoningOptions


def _wish(options: ReasoningOptions | None) -> bool | None:
    """Return whether thoughts are wanted; None where that is left to the model."""
    if options is None or (options.effort is None and options.budget_tokens is None):
        return None
    return options.effort != "none" if options.effort else options.budget_tokens != 0


def unfulfilled(options: ReasoningOptions | None, template: ChatTemplate) -> list[str]:
    """Return what of a wish the model does nothing with: its thoughts have no measure, but perhaps a switch."""
    wanted = _wish(options)
    if options is None or wanted is None or (wanted is False and (template.switch or not template.thinks)):
        return []
    if template.switch is None:
        return ["reasoning"]
    measures = {"reasoning.effort": options.effort, "reasoning.budget_tokens": options.budget_tokens}
    return [param for param, value in measures.items() if value]


def template_options(options: ReasoningOptions | None, template: ChatTemplate, *, aloud: bool) -> dict[str, bool]:
    """Return the variables for the chat template; an answer that is held to a form has no place for thoughts."""
    wanted = _wish(options) if aloud else False
    return {} if template.switch is None or wanted is None else {template.switch: wanted}
