"""Conversations as the tokens that a model's own chat template makes of them."""

import importlib
from typing import Any, Final

from msgspec import structs

from sidecar.engines.llama.protocol import Turn
from sidecar.schema.errors import SidecarError

NO_TOKEN: Final = -1

CHATML: Final = (
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>\n' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
"""For models that bring no template of their own."""


class Template:
    """The model's chat template and tokenizer."""

    def __init__(self, native: Any, llama: Any) -> None:
        self._native = native
        self._llama = llama
        self._vocab = native.llama_model_get_vocab(llama.model)
        self._bos: int = native.llama_vocab_bos(self._vocab)
        self._failures = (ValueError, TypeError, KeyError, AttributeError, _template_error())
        template = native.llama_model_chat_template(llama.model, None)
        self._format = native.llama_chat_format.Jinja2ChatFormatter(
            template=CHATML if template is None else template.decode("utf-8", "replace"),
            bos_token=self._text(self._bos),
            eos_token=self._text(native.llama_vocab_eos(self._vocab)),
        )

    def _text(self, token: int) -> str:
        if token == NO_TOKEN:
            return ""
        text: bytes = self._native.llama_vocab_get_text(self._vocab, token)
        return text.decode("utf-8", "replace")

    def tokens(self, turns: list[Turn]) -> list[int]:
        """Return the prompt; raises `SidecarError("request_rejected")` when the template does not take these turns."""
        try:
            prompt = self._format(messages=[structs.asdict(turn) for turn in turns]).prompt
        except self._failures as error:
            message = "The model's chat template does not take this sequence of messages."
            raise SidecarError("request_rejected", message, hint=str(error)[:300]) from None
        tokens: list[int] = self._llama.tokenize(prompt.encode(), add_bos=False, special=True)
        if self._native.llama_vocab_get_add_bos(self._vocab) and tokens[:1] != [self._bos]:
            return [self._bos, *tokens]
        return tokens


def _template_error() -> type[Exception]:
    error: type[Exception] = importlib.import_module("jinja2").TemplateError
    return error
