"""Conversations as the tokens that a model's own chat template makes of them."""

import importlib
from typing import Final

from msgspec import structs

from sidecar.engines.llama.protocol import Chat, Count
from sidecar.engines.llama.runtimes.llama_cpp_model import Weights
from sidecar.schema.errors import SidecarError

NO_TOKEN: Final = -1

CHATML: Final = (
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>\n' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
"""For models that bring no template of their own."""


class Template:
    """The model's chat template and tokenizer."""

    def __init__(self, weights: Weights) -> None:
        self._weights = weights
        self._native = native = weights.native
        self._bos: int = native.llama_vocab_bos(weights.vocab)
        self._failures = (ValueError, TypeError, KeyError, AttributeError, _template_error())
        template = native.llama_model_chat_template(weights.model, None)
        self._format = native.llama_chat_format.Jinja2ChatFormatter(
            template=CHATML if template is None else template.decode("utf-8", "replace"),
            bos_token=self._text(self._bos),
            eos_token=self._text(native.llama_vocab_eos(weights.vocab)),
        )

    def _text(self, token: int) -> str:
        if token == NO_TOKEN:
            return ""
        text: bytes = self._native.llama_vocab_get_text(self._weights.vocab, token)
        return text.decode("utf-8", "replace")

    def tokens(self, command: Chat | Count) -> list[int]:
        """Return the prompt; raises `SidecarError("request_rejected")` when the template does not take these turns."""
        turns = [structs.asdict(turn) for turn in command.messages]
        try:
            prompt = self._format(messages=turns, **command.template_options).prompt
        except self._failures as error:
            message = "The model's chat template does not take this sequence of messages."
            raise SidecarError("request_rejected", message, hint=str(error)[:300]) from None
        tokens = self._weights.tokens(prompt)
        if self._native.llama_vocab_get_add_bos(self._weights.vocab) and tokens[:1] != [self._bos]:
            return [self._bos, *tokens]
        return tokens


def _template_error() -> type[Exception]:
    error: type[Exception] = importlib.import_module("jinja2").TemplateError
    return error
